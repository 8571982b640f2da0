//! The notification service is killed at each point between making a webhook out and having on record
//! what came of it: every event arrives, under one id, signed, in order where that was asked for.

use domain_webhook::Secret;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use xietong_mesh::ServiceName;
use xietong_store::CrashPoint::{self, AfterAttempt, AfterClaim, MidMakeOut, MidSettling};
use xietong_store::statement;
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::{ADMINISTRATOR, Crash};
use xietong_testkit::databases::Databases;
use xietong_testkit::receiver::{Behaviour, Receiver};
use xietong_testkit::servers;
use xietong_testkit::wait::wait_for;
use xietong_testkit::webhooks::{DueEvent, Order, check_webhooks};

use crate::load::{persist, task};
use crate::world::{SOON, SUPERVISOR, found_linfen, idle_cluster};

const POINTS: [CrashPoint; 4] = [MidMakeOut, AfterClaim, AfterAttempt, MidSettling];
/// How often each point is passed before.
const PASSES: [u32; 2] = [0, 1];
const REMARKS: usize = 4;
/// None of these is left out of the change feed.
const FILTERS: [&str; 2] = ["supervision.task.*", "supervision.comment.*"];

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_lose_nothing_and_keep_their_order_at_any_crash_point() {
    // What a process that died had claimed is another's a few seconds later.
    let cluster = idle_cluster(&servers::redis_database().await.unwrap()).await;
    let mut cluster = cluster.with_webhook_seconds(1);
    cluster.start_rest().await.unwrap();
    let administrator = cluster.api(Protocol::Rest, ADMINISTRATOR).await.unwrap();
    found_linfen(&administrator.over(Protocol::Grpc)).await;
    let supervisor = cluster.api(Protocol::Rest, SUPERVISOR).await.unwrap();
    let hooks = [
        Hook::register(&administrator, Order::Any).await,
        Hook::register(&administrator, Order::BySubject).await,
    ];
    for point in POINTS {
        for passes in PASSES {
            // One request among them fails, so that what is tried again takes part as well.
            hooks[1].receiver.behave_next([Behaviour::status(204), Behaviour::status(500)]);
            let notification = ServiceName::Notification;
            cluster.kill(notification).await.unwrap();
            cluster.start(notification, Some(Crash { point, passes })).unwrap();
            let name = format!("{point}/{passes}");
            tokio::join!(round(&supervisor, &name), async {
                let status = cluster.wait_ended(notification, SOON).await.unwrap();
                assert_eq!(status.code(), None, "{point}: {}", cluster.log_text(notification).unwrap());
                cluster.start(notification, None).unwrap();
            });
        }
    }
    cluster.start_rest().await.unwrap();
    let databases = cluster.databases().await.unwrap();
    databases.settle(SOON).await.unwrap();
    nothing_waits(&databases).await;

    let log = databases.log(ServiceName::Supervision).await.unwrap();
    let is_due =
        |event_type: &str| FILTERS.iter().any(|filter| event_type.starts_with(filter.trim_end_matches('*')));
    let due: Vec<DueEvent> = log
        .events
        .iter()
        .filter(|event| is_due(&event.event_type))
        .map(|event| DueEvent { id: event.id.clone(), subject: event.aggregate.clone() })
        .collect();
    assert!(due.len() >= POINTS.len() * PASSES.len() * (2 + REMARKS), "{}", due.len());
    for hook in hooks {
        let received = hook.receiver.requests();
        check_webhooks(&due, &received, &hook.secret, hook.order)
            .unwrap_or_else(|error| panic!("{:?}: {error}", hook.order));
    }
}

/// An endpoint, and who receives what it is sent.
struct Hook {
    receiver: Receiver,
    secret: Secret,
    order: Order,
}

impl Hook {
    async fn register(administrator: &Api, order: Order) -> Hook {
        let receiver = Receiver::start().await.unwrap();
        let endpoint = json!({
            "url": receiver.url("/hook"),
            "displayName": format!("{order:?}"),
            "eventFilters": FILTERS,
            "ordered": order == Order::BySubject,
            "concurrency": 8,
        });
        let request = json!({"endpoint": endpoint, "requestId": format!("{order:?}")});
        let made = persist(administrator, "EndpointService/CreateEndpoint", request).await;
        let secret = Secret::parse(made["secret"].as_str().unwrap()).unwrap();
        Hook { receiver, secret, order }
    }
}

/// Two tasks with remarks, each of which makes several events.
async fn round(supervisor: &Api, name: &str) {
    for number in 0..2 {
        let title = format!("{name}/{number}");
        let task: Value = persist(supervisor, "TaskService/CreateTask", task(&title)).await;
        for remark in 0..REMARKS {
            let request = json!({
                "parent": task["name"],
                "text": "请抓紧",
                "units": ["units/shuiliju"],
                "requestId": format!("{title}/{remark}"),
            });
            persist(supervisor, "CommentService/CreateComment", request).await;
        }
    }
}

/// Waits until every endpoint has been given the whole feed, and has taken what it was given.
async fn nothing_waits(databases: &Databases) {
    let reader = databases.of(ServiceName::Notification).unwrap().reader();
    let sql = "SELECT 1 AS one FROM endpoints WHERE position < (SELECT MAX(position) FROM feed)
               UNION ALL SELECT 1 AS one FROM deliveries WHERE state <> 'delivered' LIMIT 1";
    let nothing = async || matches!(reader.query_one_raw(statement(reader, sql, [])).await, Ok(None));
    wait_for("every webhook to be taken", SOON, nothing).await.unwrap();
}
