//! Which task is a part of which, and what follows from it.

use std::collections::BTreeSet;

use domain_supervision::{Above, AssignmentCommand, Task, TaskState, check_family, check_parent};
use sea_orm::DatabaseTransaction;
use xietong_mesh::{Call, Error};

use super::Supervision;
use crate::error::{command_refused, refused};
use crate::record::Record;
use crate::store::{self, RollUp};

/// Refuses a parent that a task may not have. `place` is the path of the task in the request; empty
/// for one that exists. Whatever happens to the parent meanwhile waits for this transaction.
pub(super) async fn admit_parent(tx: &DatabaseTransaction, task: &Task, place: &str) -> Result<(), Error> {
    let Some(parent) = &task.parent else { return Ok(()) };
    store::hold(tx, &BTreeSet::from([parent.as_str()])).await?;
    let above: Vec<Above> =
        store::and_above(tx, parent).await?.iter().map(|record| Above::of(&record.task)).collect();
    if above.is_empty() {
        let field = if place.is_empty() { "parent".to_owned() } else { format!("{place}.parent") };
        return Err(Error::invalid(field, format!("there is no task {parent}"), "没有这项上级任务"));
    }
    let levels = store::levels(tx, &task.name).await?;
    check_parent(task, &above, levels).map_err(|error| refused(&error, place))
}

/// Refuses what the tasks above and below a task do not allow. Whatever happens to them meanwhile waits
/// for this transaction.
pub(super) async fn admit_command(
    tx: &DatabaseTransaction,
    task: &Task,
    name: &str,
    command: &AssignmentCommand,
) -> Result<(), Error> {
    let (open, parent) = match command {
        AssignmentCommand::Verify { accept: true, .. } => {
            store::hold(tx, &BTreeSet::from([task.name.as_str()])).await?;
            (store::open_sub_tasks(tx, &task.name).await?, None)
        }
        AssignmentCommand::SideRoad(_) => (0, parent_state(tx, task).await?),
        AssignmentCommand::Verify { .. }
        | AssignmentCommand::Sign
        | AssignmentCommand::Deploy { .. }
        | AssignmentCommand::Report { .. }
        | AssignmentCommand::ReportWithMatter { .. }
        | AssignmentCommand::Submit { .. }
        | AssignmentCommand::RequestExtension { .. }
        | AssignmentCommand::DecideExtension { .. }
        | AssignmentCommand::Milestone(_)
        | AssignmentCommand::Press(_) => return Ok(()),
    };
    let held = task.assignment(name).map_err(command_refused)?;
    check_family(task, held, command, open, parent).map_err(command_refused)
}

async fn parent_state(tx: &DatabaseTransaction, task: &Task) -> Result<Option<TaskState>, Error> {
    let Some(parent) = &task.parent else { return Ok(None) };
    store::hold(tx, &BTreeSet::from([parent.as_str()])).await?;
    Ok(store::find(tx, parent).await?.map(|record| record.task.state))
}

impl Supervision {
    /// How the sub-tasks of a task stand, those that the caller may see.
    pub(crate) async fn sub_tasks(&self, call: &Call, record: &Record) -> Result<RollUp, Error> {
        let now = self.now();
        let scope = self.scope(call, now)?;
        Ok(store::roll_up(self.db.reader(), &scope, &record.task.name, now).await?)
    }
}
