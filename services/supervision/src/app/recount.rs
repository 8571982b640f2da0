//! Counting due times anew by a calendar that was published since.

use domain_calendar::Timestamp;
use domain_supervision::{Task, TaskEvent, recount};
use xietong_mesh::Error;
use xietong_timers::Timer;

use super::timers;
use crate::error::command_refused;
use crate::record::Record;
use crate::regulation::Regulation;

/// Brings a task whose due times were counted by an older calendar to the newest, before
/// anything else happens to it: so no due time ever changes without a record.
pub(crate) fn catch_up(
    record: &mut Record,
    regulation: &Regulation,
    now: Timestamp,
) -> Result<Vec<TaskEvent>, Error> {
    let Some(version) = record.calendar_version.filter(|_| regulation.is_behind(record)) else {
        return Ok(Vec::new());
    };
    let context = regulation.context(&record.task, now);
    let events = recount(&record.task, regulation.calendar_at(version), &context);
    record.apply(&events).map_err(command_refused)?;
    Ok(events)
}

/// The timers that a change of a task made necessary.
pub(crate) fn timers_after(
    before: &Task,
    after: &Record,
    regulation: &Regulation,
) -> Result<Vec<Timer>, Error> {
    // Those placed before were placed by another rule or calendar.
    if regulation.is_behind(after) || before.rule_version != after.task.rule_version {
        return timers::of(&after.task, regulation);
    }
    timers::added(before, &after.task, regulation)
}
