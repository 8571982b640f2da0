//! The transaction of a command: idempotency, events, timers and the answer, all or none.

use std::future::Future;

use domain_attachment::Attachment;
use domain_calendar::Timestamp;
use prost::{Message, Name};
use sea_orm::DatabaseTransaction;
use xietong_events::{Act, Append, Draft, Event, EventLog};
use xietong_store::{CrashPoint, Db};
use xietong_timers::{Clock, MachineClock, Poke, Timer, schedule};

use crate::attachments;
use crate::call::Call;
use crate::error::{Code, Error};
use crate::idempotency::RequestKey;
use crate::trace_context::current_traceparent;

/// Begins the transactions of one service. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Transactions {
    db: Db,
    log: EventLog,
    clock: Clock,
    timers: Poke,
}

/// What became of beginning a command's transaction.
pub enum Attempt<R> {
    /// It is the first with its request id, or has none: do it.
    First(Box<Transaction>),
    /// It was done before: this is the answer it got.
    Repeat(R),
}

/// A command under way. Dropped without [`Transaction::commit`], nothing happened.
pub struct Transaction {
    tx: DatabaseTransaction,
    key: Option<RequestKey>,
    act: Act,
    parts: Transactions,
}

/// What is known of an act only once it is decided, inside its transaction; what is unset stays
/// as it was when the transaction began.
#[derive(Debug, Clone, Default)]
pub struct Stamp {
    /// Business time of the act.
    pub occurred_at: Option<Timestamp>,
    /// The official it is done for.
    pub acting_for: Option<String>,
    /// On what ground.
    pub ground: Option<String>,
}

/// Attempts at a change in all.
const ATTEMPTS: usize = 3;

/// Tries a change again that was ABORTED because somebody else was faster, three times in
/// all. A caller that named a version (`etag` is not empty) asked for that one alone, and is
/// told at once.
pub async fn retried<R, F>(etag: &str, attempt: impl Fn() -> F) -> Result<R, Error>
where
    F: Future<Output = Result<R, Error>>,
{
    let mut left = if etag.is_empty() { ATTEMPTS } else { 1 };
    loop {
        left -= 1;
        match attempt().await {
            Err(error) if error.code() == Code::Aborted && left > 0 => {}
            outcome => return outcome,
        }
    }
}

impl Transactions {
    /// Transactions over `db`, whose events go to `log`. `timers` is poked after each.
    pub fn new(db: Db, log: EventLog, clock: Clock, timers: Poke) -> Self {
        Transactions { db, log, clock, timers }
    }

    /// Begins a command that `call` asks for. `request` is the decoded request with its
    /// request id taken out of it: it is part of the key.
    ///
    /// Errors when the request id was used for another request, or when a file that the call
    /// puts into a record is not the caller's to put there.
    pub async fn begin<M, R>(&self, call: &Call, request: &M, request_id: &str) -> Result<Attempt<R>, Error>
    where
        M: Name,
        R: Message + Default,
    {
        let key = RequestKey::new(&call.principal.subject, request_id, request)?;
        let tx = self.db.begin().await?;
        if let Some(key) = &key
            && !key.claim(&tx, MachineClock::system()).await?
        {
            tx.rollback().await?;
            return Ok(Attempt::Repeat(key.earlier(&self.db).await?));
        }
        // Not before: a repeated request gets its first answer, however old its receipts are.
        call.check_receipts()?;
        let act = self.act(call);
        Ok(Attempt::First(Box::new(Transaction { tx, key, act, parts: self.clone() })))
    }

    /// Who acts in a transaction that is not a call's: a timer's or a consumer's.
    /// `ground` names the rule or aggregate; `cause` the event that led to it.
    pub fn own_act(&self, service: &str, ground: &str, cause: Option<&Event>) -> Act {
        Act {
            actor: format!("system/{service}"),
            acting_for: None,
            ground: Some(ground.to_owned()),
            occurred_at: self.clock.now(),
            traceparent: cause.and_then(|event| event.traceparent.clone()).or_else(current_traceparent),
            causation_id: cause.map(|event| event.id.clone()),
        }
    }

    fn act(&self, call: &Call) -> Act {
        Act {
            actor: call.principal.subject.clone(),
            acting_for: None,
            ground: call.ground.clone(),
            occurred_at: self.clock.now(),
            traceparent: call.traceparent.clone(),
            causation_id: None,
        }
    }
}

impl Transaction {
    /// The database transaction, for the service's own rows.
    pub fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// Business time, the same for the whole command.
    pub fn now(&self) -> Timestamp {
        self.act.occurred_at
    }

    /// Records on what ground the command is given.
    pub fn on_ground(&mut self, ground: impl Into<String>) {
        self.act.ground = Some(ground.into());
    }

    /// Records for which official the command is given, when standing in.
    pub fn acting_for(&mut self, official: impl Into<String>) {
        self.act.acting_for = Some(official.into());
    }

    /// Records an aggregate's events. ABORTED when it is no longer at that version.
    pub async fn append(
        &self,
        aggregate: &str,
        expected_version: i64,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Event>, Error> {
        let append = Append { aggregate: aggregate.to_owned(), expected_version, drafts };
        self.append_all(std::slice::from_ref(&append)).await
    }

    /// Records the events of many aggregates in few statements.
    pub async fn append_all(&self, appends: &[Append]) -> Result<Vec<Event>, Error> {
        Ok(self.parts.log.append(&self.tx, &self.act, appends).await?)
    }

    /// The same, with a stamp.
    pub async fn append_stamped(&self, stamp: &Stamp, appends: &[Append]) -> Result<Vec<Event>, Error> {
        let act = Act {
            occurred_at: stamp.occurred_at.unwrap_or(self.act.occurred_at),
            acting_for: stamp.acting_for.clone().or_else(|| self.act.acting_for.clone()),
            ground: stamp.ground.clone().or_else(|| self.act.ground.clone()),
            ..self.act.clone()
        };
        Ok(self.parts.log.append(&self.tx, &act, appends).await?)
    }

    /// Records that an aggregate refers to files, from now on for ever: its events do. None of
    /// them is then removed.
    pub async fn hold<'a>(
        &self,
        aggregate: &str,
        attachments: impl IntoIterator<Item = &'a Attachment>,
    ) -> Result<(), Error> {
        Ok(attachments::hold(&self.tx, aggregate, attachments).await?)
    }

    /// Schedules timers, replacing those of the same kind and key.
    pub async fn schedule(&self, timers: &[Timer]) -> Result<(), Error> {
        Ok(schedule(&self.tx, timers).await?)
    }

    /// Makes it happen: effects, events, timers and the answer are on disk when this
    /// returns.
    pub async fn commit<R: Message>(self, response: R) -> Result<R, Error> {
        if let Some(key) = &self.key {
            key.answer(&self.tx, response.encode_to_vec()).await?;
        }
        self.tx.commit().await?;
        self.parts.db.crash().reach(CrashPoint::AfterCommit);
        self.parts.log.committed().poke();
        self.parts.timers.poke();
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{ATTEMPTS, retried};
    use crate::error::{Code, Error};

    #[tokio::test]
    async fn a_lost_race_is_run_again_unless_a_version_was_named() {
        for (etag, lost, tries, code) in [
            ("", 0, 1, None),
            ("", ATTEMPTS - 1, ATTEMPTS, None),
            ("", ATTEMPTS, ATTEMPTS, Some(Code::Aborted)),
            ("v1", 1, 1, Some(Code::Aborted)),
        ] {
            let tried = Cell::new(0);
            let attempt = || {
                tried.set(tried.get() + 1);
                let outcome = if tried.get() > lost { Ok(()) } else { Err(Error::aborted_etag("tasks/1")) };
                async { outcome }
            };
            let outcome = retried(etag, attempt).await;
            assert_eq!((outcome.err().map(|error| error.code()), tried.get()), (code, tries));
        }
    }

    #[tokio::test]
    async fn only_a_lost_race_is_run_again() {
        let tried = Cell::new(0);
        let attempt = || {
            tried.set(tried.get() + 1);
            async { Err::<(), _>(Error::unavailable("the roster")) }
        };
        assert_eq!(retried("", attempt).await.unwrap_err().code(), Code::Unavailable);
        assert_eq!(tried.get(), 1);
    }
}
