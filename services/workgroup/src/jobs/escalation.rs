//! The escalation job: asks supervision for the task of each escalated decision, and records
//! the answer.
//!
//! The call is made outside any transaction, under a lease on the escalation's row and with a
//! request id derived from the decision. So it may be made again after a crash at any point,
//! or by a second replica, and there is still one task.

use std::time::Duration;

use async_trait::async_trait;
use domain_workgroup::{Decision, DecisionCommand, DecisionPhase};
use futures_util::future::join_all;
use tracing::Instrument;
use xietong_events::{Act, EventLog};
use xietong_mesh::convert::encode_time;
use xietong_mesh::trace_context::{current_traceparent, set_parent};
use xietong_mesh::{Code, Error, Foundation, Peers, ServiceName, Transactions};
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::supervision::{Assignment, AssignmentRole, CreateTaskRequest, Task};
use xietong_store::{Db, StoreError};
use xietong_timers::{MachineClock, Poke, Progress, Worker, WorkerError};

use crate::app::decision::advance;
use crate::error::Failure;
use crate::store::decisions;
use crate::store::escalations::{self, Escalation};

/// Escalations a turn, asked for side by side.
const BATCH: i64 = 16;
/// An answer later than this counts as none; the call is made again.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Well above the time a turn can take, so that only a dead replica loses its claim.
const LEASE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often it looks without being poked: for what was put off, and what a dead replica left.
const LOOK: Duration = Duration::from_secs(1);
/// A record is lost to a concurrent one at most this often before it waits for its lease.
const RACES: usize = 3;

/// Carries out escalations. A worker: it has to be run.
pub(crate) struct EscalationJob {
    name: String,
    db: Db,
    log: EventLog,
    transactions: Transactions,
    peers: Peers,
    machine: MachineClock,
    asked: Poke,
}

/// What supervision said.
enum Answer {
    /// This is the task.
    Task(String),
    /// It will not, for this reason in Chinese. Asking again would not help.
    Refusal(String),
    /// Nothing yet: ask again later.
    Later(Error),
}

impl EscalationJob {
    /// `asked` is poked when there is a new escalation.
    pub(crate) fn new(foundation: &Foundation, asked: Poke) -> Self {
        EscalationJob {
            name: format!("{}/escalation", foundation.name),
            db: foundation.db.clone(),
            log: foundation.log.clone(),
            transactions: foundation.transactions.clone(),
            peers: foundation.peers.clone(),
            machine: MachineClock::system(),
            asked,
        }
    }

    async fn carry_out(&self, escalation: &Escalation) -> Result<(), Failure> {
        let Some(decision) = decisions::find(self.db.reader(), &escalation.decision).await? else {
            return Err(StoreError::corrupt(&escalation.decision, "it is escalated and missing").into());
        };
        if decision.state.phase() != DecisionPhase::Escalating {
            // News of the task came first and was recorded.
            return Ok(escalations::remove(self.db.writer(), &decision.name).await?);
        }
        let command = match self.ask(&decision).await {
            Answer::Task(task) => DecisionCommand::RecordTask { task },
            Answer::Refusal(reason) => DecisionCommand::RecordRefusal { reason },
            Answer::Later(error) => {
                let pause = pause_after(escalation.attempt).max(error.retry_after().unwrap_or_default());
                tracing::warn!(
                    decision = decision.name, attempt = escalation.attempt, pause_ms = pause.as_millis(), %error,
                    "supervision did not answer the escalation"
                );
                let not_before = self.machine.now().plus(pause);
                return Ok(
                    escalations::put_off(self.db.writer(), escalation, not_before, error.message()).await?
                );
            }
        };
        self.record(escalation, &command).await
    }

    async fn ask(&self, decision: &Decision) -> Answer {
        let answer = async {
            let request = self.peers.outgoing_as_system(task_of(decision), &decision.name, ANSWER_WITHIN)?;
            let mut client = TaskServiceClient::new(self.peers.channel(ServiceName::Supervision)?);
            client.create_task(request).await.map_err(|status| Error::from_status(&status))
        };
        match answer.await {
            Ok(response) => match response.into_inner().name {
                task if task.starts_with("tasks/") => Answer::Task(task),
                _ => Answer::Later(Error::unavailable("a task with a name")),
            },
            Err(error) if is_definite(error.code()) => Answer::Refusal(match error.chinese() {
                "" => error.message().to_owned(),
                chinese => chinese.to_owned(),
            }),
            Err(error) => Answer::Later(error),
        }
    }

    async fn record(&self, escalation: &Escalation, command: &DecisionCommand) -> Result<(), Failure> {
        let mut races = 0;
        loop {
            match self.try_record(escalation, command).await {
                Err(Failure::Store(StoreError::Stale(_))) if races < RACES => races += 1,
                outcome => return outcome,
            }
        }
    }

    async fn try_record(&self, escalation: &Escalation, command: &DecisionCommand) -> Result<(), Failure> {
        let act = Act {
            traceparent: current_traceparent().or_else(|| escalation.traceparent.clone()),
            causation_id: escalation.asked_event.clone(),
            ..self.transactions.own_act(ServiceName::Workgroup.as_str(), &escalation.decision, None)
        };
        let tx = self.db.begin().await?;
        let decision = decisions::find(&tx, &escalation.decision).await?;
        let decision = decision.ok_or_else(|| StoreError::corrupt(&escalation.decision, "it is missing"))?;
        let (_, append) = advance(&tx, decision, command, act.occurred_at).await?;
        self.log.append(&tx, &act, append.as_slice()).await?;
        tx.commit().await.map_err(StoreError::from)?;
        self.log.committed().poke();
        Ok(())
    }
}

#[async_trait]
impl Worker for EscalationJob {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let now = self.machine.now();
        let claimed = escalations::claim(self.db.writer(), now, now.plus(LEASE), BATCH).await;
        let claimed = claimed.map_err(WorkerError::new)?;
        let outcomes = join_all(claimed.iter().map(|escalation| {
            let span = tracing::info_span!("escalation", decision = escalation.decision);
            if let Some(traceparent) = &escalation.traceparent {
                set_parent(&span, traceparent);
            }
            self.carry_out(escalation).instrument(span)
        }));
        // One that fails keeps its row and is claimed again when the lease is over; the others
        // are not held up by it.
        let failed = outcomes.await.into_iter().find_map(Result::err);
        match failed {
            Some(failure) => Err(WorkerError::new(failure)),
            None if claimed.is_empty() => Ok(Progress::Idle),
            None => Ok(Progress::Worked),
        }
    }

    async fn take_over(&self) -> Result<(), WorkerError> {
        escalations::free_all(self.db.writer()).await.map_err(WorkerError::new)
    }

    async fn wait(&self) {
        self.asked.wait(LOOK).await;
    }
}

/// The task a decision becomes. That the matter is not classified was declared with the
/// record: the system carries no other.
fn task_of(decision: &Decision) -> CreateTaskRequest {
    let assignment = |unit: &String, role: AssignmentRole| Assignment {
        unit: unit.clone(),
        role: role.into(),
        ..Assignment::default()
    };
    let lead = decision.lead_units.iter().map(|unit| assignment(unit, AssignmentRole::Lead));
    let cooperating =
        decision.cooperating_units.iter().map(|unit| assignment(unit, AssignmentRole::Cooperating));
    CreateTaskRequest {
        task: Some(Task {
            title: decision.title(),
            text: decision.text.clone(),
            unclassified: true,
            due_time: decision.due_time.map(encode_time),
            assignments: lead.chain(cooperating).collect(),
            ..Task::default()
        }),
        issue: true,
        origin: decision.name.clone(),
        request_id: request_id(decision),
        // The group has decided that it is to be done, whatever is on the ledger already.
        confirm_duplicates: true,
    }
}

/// The same for every attempt, so that they make one task.
fn request_id(decision: &Decision) -> String {
    let id = decision.name.rsplit('/').next().unwrap_or_default();
    format!("decisions/{id}/escalate")
}

/// Whether a code is supervision's word on the matter, rather than trouble on the way to it
/// that passes or is mended (a lost connection, a replica of another version, a key not yet
/// known there).
fn is_definite(code: Code) -> bool {
    match code {
        Code::InvalidArgument
        | Code::FailedPrecondition
        | Code::PermissionDenied
        | Code::NotFound
        | Code::AlreadyExists
        | Code::OutOfRange => true,
        Code::Aborted
        | Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Internal
        | Code::ResourceExhausted
        | Code::Unauthenticated
        | Code::Unavailable
        | Code::Unimplemented => false,
    }
}

/// 250 ms after the first attempt, doubling up to 30 s.
fn pause_after(attempt: i64) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::pause_after;

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let pauses: Vec<u128> = (1..=9).map(|attempt| pause_after(attempt).as_millis()).collect();
        assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(pause_after(i64::MAX), Duration::from_secs(30));
    }
}
