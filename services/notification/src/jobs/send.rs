//! Sends what is due. Any replica does: it claims deliveries under a lease, and whatever one that
//! died had claimed is another's when the lease ends.
//!
//! A turn claims, starts requests and does not wait for them: no clock is held up by a receiver.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain_webhook::{Finish, Lanes, Limits, Moment, Ticket};
use tokio::task::JoinSet;
use xietong_mesh::ServiceName;
use xietong_store::{CrashPoint, StoreError};
use xietong_timers::{Progress, Worker, WorkerError};

use crate::app::{Message, Spared, Webhooks, moment, owners_scope};
use crate::store::{
    Claim, Patience, StoredEndpoint, claim_due, end_claims, endpoints_due, feed_at, give_back,
    locked_endpoint, next_due, remove_delivery,
};

/// How often it is looked for what another replica, or an earlier process, has left.
const POLL: Duration = Duration::from_secs(1);
/// A place of every so many is kept for endpoints that have none.
const KEPT_OF: usize = 4;

type Endpoint = String;
/// Order within a subject is kept by what is claimed, across replicas; lanes need not know it.
type Subject = ();

/// Sends what is due.
pub(crate) struct Send {
    name: String,
    webhooks: Arc<Webhooks>,
    lanes: Arc<Mutex<Lanes<Endpoint, Subject, Job>>>,
    /// Gone with this value, and every request under way with it.
    under_way: Mutex<JoinSet<()>>,
    next_due: Mutex<Option<Moment>>,
}

/// One request to be made.
struct Job {
    endpoint: Arc<StoredEndpoint>,
    position: i64,
    message: Message,
    claim: String,
    until: Moment,
}

impl Send {
    pub(crate) fn new(webhooks: Arc<Webhooks>) -> Self {
        let name = format!("{}/webhooks-send", ServiceName::Notification.as_str());
        let total = webhooks.settings.concurrency;
        let limits = Limits { total, kept: total / KEPT_OF, lane: total };
        Send {
            name,
            webhooks,
            lanes: Arc::new(Mutex::new(Lanes::new(limits))),
            under_way: Mutex::new(JoinSet::new()),
            next_due: Mutex::new(None),
        }
    }

    async fn round(&self) -> Result<(), StoreError> {
        let db = &self.webhooks.db;
        if self.webhooks.copy.is_complete() {
            for due in endpoints_due(db.reader(), moment(self.webhooks.machine)).await? {
                self.claim(due).await?;
            }
        }
        self.start();
        let next = next_due(db.reader(), moment(self.webhooks.machine)).await?;
        *locked(&self.next_due) = next;
        Ok(())
    }

    /// Claims what an endpoint may have under way and puts it into its lane.
    async fn claim(&self, due: StoredEndpoint) -> Result<(), StoreError> {
        let Webhooks { db, machine, copy, clock, settings, .. } = self.webhooks.as_ref();
        // Whoever may read nothing for now is sent nothing for now.
        let Some(scope) = owners_scope(&copy.view(), &due.owner, clock.now()) else { return Ok(()) };
        let now = moment(*machine);
        let tx = db.begin().await?;
        let Some(endpoint) = locked_endpoint(&tx, &due.id, Patience::Skip).await? else {
            return Ok(tx.rollback().await?);
        };
        if endpoint.state.paused_until().is_some_and(|until| now < until) {
            return Ok(tx.rollback().await?);
        }
        let id = machine.new_id().to_string();
        let Claim { id, until, positions } =
            claim_due(&tx, &endpoint, settings.concurrency, id, now, now.plus(settings.lease)).await?;
        tx.commit().await?;
        if positions.is_empty() {
            return Ok(());
        }
        db.crash().reach(CrashPoint::AfterClaim);
        let mut entries = feed_at(db.reader(), &scope, &positions).await?;
        let endpoint = Arc::new(endpoint);
        for position in positions {
            let Some(found) = entries.iter().position(|entry| entry.position == position) else {
                // Its record was closed to him since: it is not sent, as the feed would not show it.
                remove_delivery(db, &endpoint.id, position).await?;
                continue;
            };
            let message = Message::of(&entries.swap_remove(found))?;
            let (endpoint, claim) = (endpoint.clone(), id.clone());
            let lane = endpoint.id.clone();
            locked(&self.lanes).offer(lane, None, Job { endpoint, position, message, claim, until });
        }
        Ok(())
    }

    /// Starts what there are places for.
    fn start(&self) {
        let mut under_way = locked(&self.under_way);
        while under_way.try_join_next().is_some() {}
        while let Some((ticket, job)) = locked(&self.lanes).take_next() {
            under_way.spawn(run(self.webhooks.clone(), self.lanes.clone(), ticket, job));
        }
    }
}

async fn run(
    webhooks: Arc<Webhooks>,
    lanes: Arc<Mutex<Lanes<Endpoint, Subject, Job>>>,
    ticket: Ticket<Endpoint, Subject>,
    job: Job,
) {
    match attempt(&webhooks, &job).await {
        Ok(Spared::No) => {}
        // What waits for its turn here would be sent all the same.
        Ok(Spared::Yes) => {
            let waiting = locked(&lanes).withdraw(&job.endpoint.id);
            for Job { endpoint, position, claim, .. } in waiting {
                if let Err(error) = give_back(&webhooks.db, &endpoint.id, position, &claim).await {
                    tracing::debug!(endpoint = endpoint.id, position, %error, "the claim ends by itself");
                }
            }
        }
        // The lease ends by itself, and it is sent again.
        Err(error) => {
            let (endpoint, position) = (&job.endpoint.id, job.position);
            tracing::warn!(endpoint, position, %error, "an attempt is not on record");
        }
    }
    let _none = locked(&lanes).finish(ticket, Finish::Settled);
    webhooks.to_send.poke();
}

async fn attempt(
    webhooks: &Webhooks,
    job: &Job,
) -> Result<Spared, Box<dyn std::error::Error + std::marker::Send + Sync>> {
    let Job { endpoint, position, message, claim, until } = job;
    // It has waited for its place so long that another replica may take it over meanwhile.
    if moment(webhooks.machine).plus(webhooks.settings.timeouts.whole) >= *until {
        give_back(&webhooks.db, &endpoint.id, *position, claim).await?;
        return Ok(Spared::No);
    }
    let tried = webhooks.attempt(endpoint, message).await;
    webhooks.db.crash().reach(CrashPoint::AfterAttempt);
    Ok(webhooks.settle(&endpoint.id, *position, claim, &tried).await?)
}

fn locked<Inner>(mutex: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Worker for Send {
    fn name(&self) -> &str {
        &self.name
    }

    /// Always idle: what it started is waited for by nobody.
    async fn turn(&self) -> Result<Progress, WorkerError> {
        self.round().await.map_err(WorkerError::new)?;
        Ok(Progress::Idle)
    }

    async fn wait(&self) {
        let next = *locked(&self.next_due);
        let now = moment(self.webhooks.machine);
        let until = next.map_or(POLL, |next| next.since(now)).clamp(Duration::from_millis(1), POLL);
        self.webhooks.to_send.wait(until).await;
    }

    async fn take_over(&self) -> Result<(), WorkerError> {
        end_claims(&self.webhooks.db).await.map_err(WorkerError::new)
    }
}
