//! Why an assignment is due when it is due.

use domain_supervision::{AssignmentChange, Explanation, TaskEvent, explain};
use xietong_mesh::{Call, Error};
use xietong_store::StoreError;

use super::Supervision;
use crate::error::unreadable;

/// Events that are read at a time.
const PORTION: u64 = 200;

impl Supervision {
    /// Explains the deadline of an assignment of a task the caller may see.
    pub(crate) async fn explain(&self, call: &Call, task: &str, name: &str) -> Result<Explanation, Error> {
        let record = self.get(call, task).await?;
        let Ok(assignment) = record.task.assignment(name) else {
            return Err(call.scope()?.missing(name));
        };
        let (mut log, mut after) = (Vec::new(), 0);
        // As far as the task that is explained goes, and no further.
        while after < record.task.version {
            let events = self.log.of_aggregate_after(task, after, PORTION).await?;
            let Some(last) = events.last() else { break };
            after = last.version;
            for event in events.iter().filter(|event| event.version <= record.task.version) {
                let payload = serde_json::from_str(&event.payload)
                    .map_err(|error| StoreError::corrupt("event", error))?;
                let read = TaskEvent::from_payload(&event.event_type, &payload).map_err(unreadable)?;
                log.extend(read.filter(moves_a_clock));
            }
        }
        let regulation = self.regulation();
        // What is done is explained by the rule that held then.
        let closed = assignment.closed_rule.and_then(|version| regulation.rule(version));
        let rule = closed.unwrap_or_else(|| regulation.rule_of(&record.task, self.now()));
        explain(&record.task, assignment, &log, rule, regulation.calendar()).ok_or_else(|| {
            let english = "no clock of this assignment has started";
            let chinese = match record.task.awaited() {
                Some(awaited) => format!("尚未记录“{}”的发生日期，没有开始计时", awaited.event),
                None => "该事项尚未交办，没有开始计时".to_owned(),
            };
            Error::failed_precondition("NO_CLOCK", english, chinese)
        })
    }
}

/// Reports may be long and many, and move no clock that is explained by its history.
fn moves_a_clock(event: &TaskEvent) -> bool {
    match event {
        TaskEvent::Task(_) => false,
        TaskEvent::Assignment(event) => !matches!(event.change, AssignmentChange::Reported { .. }),
    }
}
