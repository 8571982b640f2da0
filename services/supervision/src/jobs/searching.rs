//! [`Searching`]: follows this service's own log and writes what is searched of each task.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use domain_supervision::{AssignmentChange, MilestoneChange, TaskEvent, searchable};
use sea_orm::DatabaseTransaction;
use xietong_events::{ApplyError, Event, EventHandler};

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

/// Searched of a task: its title and text, its document and part, its tags, and what its units
/// reported, of milestones too, and submitted. What is written follows from the task and its log alone, so that it does
/// not matter how often it is written, nor after how many events.
pub(crate) struct Searching;

#[async_trait]
impl EventHandler for Searching {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        let changes = |event: &&Event| {
            [CREATED, REVISED, REPORTED, SUBMITTED, REACHED].contains(&event.event_type.as_str())
        };
        let tasks: BTreeSet<&str> =
            events.iter().filter(changes).map(|event| event.aggregate.as_str()).collect();
        if tasks.is_empty() {
            return Ok(());
        }
        let tasks: Vec<&str> = tasks.into_iter().collect();
        let records = store::find_all(tx, &tasks).await?;
        let mut reports: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (task, payload) in store::payloads_of(tx, &tasks, &[REPORTED, SUBMITTED, REACHED]).await? {
            reports.entry(task).or_default().extend(said(&payload)?);
        }
        let none = Vec::new();
        let texts = records.iter().map(|(name, record)| {
            (record.task.ledger_number, text(record, reports.get(name).unwrap_or(&none)))
        });
        Ok(store::keep_texts(tx, &texts.collect()).await?)
    }

    fn gather(&self) -> Duration {
        GATHER
    }
}

/// What a unit reported, reached or submitted by an event.
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
    Ok(None)
}

fn text(record: &Record, reports: &[String]) -> String {
    let task = &record.task;
    let fields = [&task.title, &task.text, &task.source.document_number, &task.source.part];
    let fields = fields.into_iter().chain(&task.tags).chain(reports);
    searchable(fields.map(String::as_str), MOST)
}
