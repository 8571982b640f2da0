//! [`Searching`]: follows this service's own log and writes what is searched of each task.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain_roster::Book;
use domain_supervision::{AssignmentChange, MilestoneChange, TaskChange, TaskEvent, searchable};
use sea_orm::DatabaseTransaction;
use xietong_events::{ApplyError, Event, EventHandler};
use xietong_mesh::RosterCopy;

use crate::record::Record;
use crate::store;

/// Characters of a task and its reports that are searched; of more, the oldest reports are not.
const MOST: usize = 60_000;

/// What is entered one by one is searched a moment later, together.
const GATHER: Duration = Duration::from_millis(200);

const CREATED: &str = "supervision.task.created";
const REVISED: &str = "supervision.task.revised";
const REPORTED: &str = "supervision.assignment.reported";
const REACHED: &str = "supervision.assignment.milestone_reached";
const SUBMITTED: &str = "supervision.assignment.submitted";
const REASSIGNED: &str = "supervision.assignment.reassigned";
const ADDED: &str = "supervision.task.cooperating_added";
const INSTRUCTED: &str = "supervision.task.instructed";
/// Events after which something else is searched of a task.
const CHANGES: [&str; 8] = [CREATED, REVISED, REPORTED, REACHED, SUBMITTED, REASSIGNED, ADDED, INSTRUCTED];
/// Those whose payload is searched itself.
const WORDS: [&str; 4] = [REPORTED, SUBMITTED, REACHED, INSTRUCTED];

/// Searched of a task: its title and text, its document and part, its tags, the names of its units,
/// what these reported, of milestones too, and submitted, and what leaders wrote on it (批示), which whoever sees the task
/// may read. What is written follows from the task, its log and the names that the copy of the roster
/// has then, so that it does not matter how often it is written, nor after how many events. A unit
/// that was renamed is found by the name it had when the task was last written on.
pub(crate) struct Searching(pub(crate) Arc<RosterCopy>);

#[async_trait]
impl EventHandler for Searching {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        let of_type = |types: &[&str], event: &Event| types.contains(&event.event_type.as_str());
        let tasks_of = |types: &[&str]| -> BTreeSet<&str> {
            events
                .iter()
                .filter(|event| of_type(types, event))
                .map(|event| event.aggregate.as_str())
                .collect()
        };
        let tasks = tasks_of(&CHANGES);
        if tasks.is_empty() {
            return Ok(());
        }
        let new = tasks_of(&[CREATED]);
        let mut reports: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // Nothing was said of a new task before these events, which is most of what is read here.
        for event in events.iter().rev().filter(|event| of_type(&WORDS, event)) {
            if new.contains(event.aggregate.as_str()) {
                reports.entry(event.aggregate.clone()).or_default().extend(said(&event.payload)?);
            }
        }
        let known: Vec<&str> = tasks.difference(&new).copied().collect();
        for (task, payload) in store::payloads_of(tx, &known, &WORDS).await? {
            reports.entry(task).or_default().extend(said(&payload)?);
        }
        let tasks: Vec<&str> = tasks.into_iter().collect();
        let records = store::find_all(tx, &tasks).await?;
        let none = Vec::new();
        let book = self.0.view().book;
        let texts = records.iter().map(|(name, record)| {
            (record.task.ledger_number, text(record, reports.get(name).unwrap_or(&none), &book))
        });
        Ok(store::keep_texts(tx, &texts.collect()).await?)
    }

    fn gather(&self) -> Duration {
        GATHER
    }
}

/// What a unit reported, reached or submitted by an event, or a leader wrote.
fn said(payload: &str) -> Result<Option<String>, ApplyError> {
    let payload = serde_json::from_str(payload).map_err(ApplyError::new)?;
    for event_type in [REPORTED, SUBMITTED, REACHED] {
        // One of them it is.
        if let Ok(Some(TaskEvent::Assignment(event))) = TaskEvent::from_payload(event_type, &payload)
            && let AssignmentChange::Reported { text, .. }
            | AssignmentChange::Submitted { text, .. }
            | AssignmentChange::Milestone(MilestoneChange::Reached { text, .. }) = event.change
        {
            return Ok(Some(text));
        }
    }
    if let Ok(Some(TaskEvent::Task(event))) = TaskEvent::from_payload(INSTRUCTED, &payload)
        && let TaskChange::Instructed { instruction, .. } = event.change
    {
        return Ok(Some(instruction.text));
    }
    Ok(None)
}

fn text(record: &Record, reports: &[String], book: &Book) -> String {
    let task = &record.task;
    let fields = [&task.title, &task.text, &task.source.document_number, &task.source.part];
    let units = task.assignments.iter().filter_map(|one| book.unit(&one.unit));
    let units = units.flat_map(|unit| std::iter::once(&unit.display_name).chain(&unit.aliases));
    let fields = fields.into_iter().chain(&task.tags).chain(units).chain(reports);
    searchable(fields.map(String::as_str), MOST)
}
