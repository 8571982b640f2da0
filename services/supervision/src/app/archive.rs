//! What is kept of a task that is over.

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_roster::Book;
use domain_supervision::{Cover, Outcome, Paper, TaskState, days_overdue};
use xietong_events::Event;
use xietong_mesh::{Call, Code, Error};

use super::{Supervision, unit_name};
use crate::record::Record;
use crate::store;

/// A task that is over, and what is kept of it, to be read part by part.
pub(crate) struct Archive {
    app: Supervision,
    call: Call,
    /// The task.
    pub(crate) record: Record,
    /// What people call units and officials.
    pub(crate) book: Arc<Book>,
    /// When it is made.
    pub(crate) now: Timestamp,
}

impl Supervision {
    /// What is kept of a task the caller may see. FAILED_PRECONDITION while it is not over.
    pub(crate) async fn archive(&self, call: &Call, name: &str) -> Result<Archive, Error> {
        let record = self.get(call, name).await?;
        match record.task.state {
            TaskState::StruckOff | TaskState::Withdrawn => {}
            TaskState::Draft | TaskState::Issued => {
                let english = "only what was struck off or withdrawn is archived";
                let chinese = "任务尚未销号或撤销，不能归档";
                return Err(Error::failed_precondition("STILL_OPEN", english, chinese));
            }
        }
        let (book, now) = (self.roster.view().book, self.now());
        Ok(Archive { app: self.clone(), call: call.clone(), record, book, now })
    }
}

impl Archive {
    /// The cover sheet.
    pub(crate) fn cover(&self) -> Cover {
        let Record { task, created_at, struck_off_at, .. } = &self.record;
        let regulation = self.app.regulation();
        let outcomes: Vec<Outcome<'_>> = task
            .assignments
            .iter()
            .map(|assignment| {
                let clocks = regulation.clocks(task, assignment);
                Outcome {
                    assignment,
                    unit: unit_name(&self.book, &assignment.unit),
                    due: clocks.due.settle,
                    days_overdue: days_overdue(assignment, &clocks, self.now),
                }
            })
            .collect();
        Cover::of(task, &outcomes, (*created_at, *struck_off_at), self.now)
    }

    /// At most `limit` things that happened to it after a version, in order, as far as the task
    /// that is archived goes.
    pub(crate) async fn events(&self, after: i64, limit: u64) -> Result<Vec<Event>, Error> {
        let task = &self.record.task;
        let mut events = self.app.log.of_aggregate_after(&task.name, after, limit).await?;
        events.retain(|event| event.version <= task.version);
        Ok(events)
    }

    /// The names of the papers that were issued about it.
    pub(crate) async fn papers(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for one in &self.record.task.assignments {
            names.extend(store::papers_about(self.app.db.reader(), &one.name).await?);
        }
        Ok(names)
    }

    /// One of them.
    pub(crate) async fn paper(&self, name: &str) -> Result<Paper, Error> {
        let kept = store::find_paper(self.app.db.reader(), name).await?;
        kept.map(|kept| kept.paper).ok_or_else(|| Error::not_found(name))
    }

    /// Why one of its assignments was due when it was, step by step; none when no clock of it ever
    /// started.
    pub(crate) async fn explanation(&self, assignment: &str) -> Result<Option<Vec<String>>, Error> {
        match self.app.explain(&self.call, &self.record.task.name, assignment).await {
            Ok(explanation) => Ok(Some(explanation.steps())),
            Err(error) if error.code() == Code::FailedPrecondition => Ok(None),
            Err(error) => Err(error),
        }
    }
}
