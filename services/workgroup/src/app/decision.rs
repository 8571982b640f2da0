//! Recording decisions, and moving them through their life.

use domain_calendar::Timestamp;
use domain_workgroup::{
    Decision, DecisionChange, DecisionCommand, DecisionPhase, Group, Meeting, WorkgroupEvent,
};
use sea_orm::ConnectionTrait;
use xietong_events::Append;
use xietong_mesh::{Call, Error, Transaction};
use xietong_store::StoreError;
use xietong_timers::MachineClock;

use super::{draft, group};
use crate::error::Failure;
use crate::store::{decisions, escalations, groups, meetings};

/// A decision of a group that the caller may perform the call's action on.
pub(crate) async fn permitted<C: ConnectionTrait>(
    connection: &C,
    call: &Call,
    name: &str,
) -> Result<Decision, Error> {
    group::permitted(connection, call, domain_workgroup::group_of(name)).await?;
    decisions::find(connection, name).await?.ok_or_else(|| Error::not_found(name))
}

/// Records a decision that has been checked.
pub(crate) async fn record(
    transaction: &Transaction,
    group: &Group,
    meeting: &Meeting,
    decision: Decision,
) -> Result<Decision, Error> {
    decisions::insert(transaction.tx(), &decision).await?;
    let event =
        WorkgroupEvent::of_decision(group, meeting, &decision, transaction.now(), DecisionChange::Made);
    transaction.append(&decision.name, 0, vec![draft(&event)?]).await?;
    Ok(decision)
}

/// Asks for a decision's escalation: the task is created by a job soon after.
pub(crate) async fn escalate(
    transaction: &Transaction,
    decision: Decision,
    traceparent: Option<&str>,
) -> Result<Decision, Error> {
    let (tx, now) = (transaction.tx(), transaction.now());
    let (decision, append) = advance(tx, decision, &DecisionCommand::Escalate, now).await?;
    let events = transaction.append_all(append.as_slice()).await?;
    let asked = events.last().map(|event| event.id.as_str());
    escalations::insert(tx, &decision.name, asked, traceparent, MachineClock::system().now()).await?;
    Ok(decision)
}

/// Moves a decision by a command and saves it; what remains is to write the returned events,
/// if any, in the same transaction. An escalation that has its answer is no longer under way.
pub(crate) async fn advance<C: ConnectionTrait>(
    connection: &C,
    mut decision: Decision,
    command: &DecisionCommand,
    now: Timestamp,
) -> Result<(Decision, Option<Append>), Failure> {
    let changes = decision.decide(command)?;
    if decision.state.phase() == DecisionPhase::Escalating || changes.is_empty() {
        escalations::remove(connection, &decision.name).await?;
    }
    if changes.is_empty() {
        return Ok((decision, None));
    }
    let (group, meeting) = surroundings(connection, &decision).await?;
    let expected_version = decision.version;
    let mut drafts = Vec::with_capacity(changes.len());
    for change in changes {
        decision.apply(&change);
        drafts.push(draft(&WorkgroupEvent::of_decision(&group, &meeting, &decision, now, change))?);
    }
    decisions::update(connection, &decision, expected_version).await?;
    let append = Append { aggregate: decision.name.clone(), expected_version, drafts };
    Ok((decision, Some(append)))
}

/// The group and the meeting that made a decision.
async fn surroundings<C: ConnectionTrait>(
    connection: &C,
    decision: &Decision,
) -> Result<(Group, Meeting), StoreError> {
    let group = groups::find(connection, decision.group()).await?;
    let meeting = meetings::find(connection, decision.meeting()).await?;
    match (group, meeting) {
        (Some(group), Some(meeting)) => Ok((group.record, meeting.record)),
        (_, None) | (None, _) => Err(StoreError::corrupt(&decision.name, "its meeting or group is missing")),
    }
}
