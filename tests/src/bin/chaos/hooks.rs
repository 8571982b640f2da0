//! Webhooks in the middle of the trouble: endpoints whose receivers live in this process, which nobody
//! kills, and what they must have been sent in the end.

use anyhow::Context;
use domain_webhook::Secret;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde_json::{Value, json};
use xietong_mesh::ServiceName;
use xietong_store::statement;
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::{ADMINISTRATOR, Cluster};
use xietong_testkit::databases::Databases;
use xietong_testkit::history::Log;
use xietong_testkit::receiver::{Behaviour, Receiver};
use xietong_testkit::wait::wait_for;
use xietong_testkit::webhooks::{DueEvent, Order, check_webhooks};
use xietong_tests::random::Random;

use crate::kills::SETTLES_WITHIN;

/// What is asked for; none of it is left out of the change feed, and each task has several.
const FILTER: &str = "supervision.task.*";
/// One strike in so many finds a receiver that does not take the next request.
const REFUSES: u64 = 3;
/// Requests to an endpoint at a time.
const AT_ONCE: u32 = 32;

/// Two endpoints of the same events, one of which asks for their order.
pub(crate) struct Hooks([Hook; 2]);

struct Hook {
    receiver: Receiver,
    secret: Secret,
    order: Order,
}

/// What came to the endpoints.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Received {
    /// Events that each endpoint had to be sent.
    due: usize,
    /// Requests to both.
    requests: usize,
    /// Of these, those that were not taken.
    refused: usize,
    /// Requests of a message that had been taken before.
    repeated: usize,
}

impl Hooks {
    pub(crate) async fn register(cluster: &Cluster) -> anyhow::Result<Self> {
        let administrator = cluster.api(Protocol::Grpc, ADMINISTRATOR).await?;
        Ok(Hooks([
            Hook::register(&administrator, Order::Any).await?,
            Hook::register(&administrator, Order::BySubject).await?,
        ]))
    }

    /// Now and then a receiver does not take what it is sent next.
    pub(crate) fn disturb(&self, random: &mut Random) {
        if random.one_in(REFUSES)
            && let Some(hook) = random.choose(&self.0)
        {
            let behaviour = if random.one_in(2) { Behaviour::status(500) } else { Behaviour::Close };
            hook.receiver.behave_next([behaviour]);
        }
    }

    /// Waits until every endpoint has been given the whole feed and has taken what it was given.
    pub(crate) async fn settle(&self, databases: &Databases) -> anyhow::Result<()> {
        let reader = databases.of(ServiceName::Notification)?.reader();
        let sql = "SELECT 1 AS one FROM endpoints WHERE position < (SELECT MAX(position) FROM feed)
                   UNION ALL SELECT 1 AS one FROM deliveries WHERE state <> 'delivered' LIMIT 1";
        let nothing = async || matches!(reader.query_one_raw(statement(reader, sql, [])).await, Ok(None));
        wait_for("every webhook to be taken", SETTLES_WITHIN, nothing).await?;
        Ok(())
    }

    /// What is wrong with what came, held against the log of supervision; and how much it was.
    pub(crate) fn check(&self, supervision: &Log) -> (Vec<String>, Received) {
        let is_due = |event_type: &str| event_type.starts_with(FILTER.trim_end_matches('*'));
        let due: Vec<DueEvent> = supervision
            .events
            .iter()
            .filter(|event| is_due(&event.event_type))
            .map(|event| DueEvent { id: event.id.clone(), subject: event.aggregate.clone() })
            .collect();
        let mut wrong = Vec::new();
        let mut received = Received { due: due.len(), ..Received::default() };
        for Hook { receiver, secret, order } in &self.0 {
            let requests = receiver.requests();
            let checked = check_webhooks(&due, &requests, secret, *order);
            wrong.extend(checked.err().map(|found| format!("webhooks ({order:?}): {found}")));
            let taken = requests.iter().filter(|request| request.taken).count();
            received.requests += requests.len();
            received.refused += requests.len() - taken;
            received.repeated += taken.saturating_sub(due.len());
        }
        (wrong, received)
    }
}

impl Hook {
    async fn register(administrator: &Api, order: Order) -> anyhow::Result<Self> {
        let receiver = Receiver::start().await?;
        let endpoint = json!({
            "url": receiver.url("/hook"),
            "displayName": format!("{order:?}"),
            "eventFilters": [FILTER],
            "ordered": order == Order::BySubject,
            "concurrency": AT_ONCE,
        });
        let request = json!({"endpoint": endpoint, "requestId": format!("chaos/hook/{order:?}")});
        let made: Value = administrator.call("EndpointService/CreateEndpoint", request).await?;
        let secret = made["secret"].as_str().context("a secret")?;
        Ok(Hook { receiver, secret: Secret::parse(secret)?, order })
    }
}
