//! Taking in what other services recorded: each event is told once to each person.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;

use async_trait::async_trait;
use domain_notification::{
    Matter, ended_by, of_comment, of_delegation, of_document, of_draft, of_handover, of_roster, of_task,
    of_workgroup,
};
use domain_roster::RosterEvent;
use domain_supervision::{
    CommentMade, DelegationEvent, DocumentIssued, DraftEvent, HandoverList, TaskChange, TaskEvent,
    WholeTaskEvent,
};
use domain_workgroup::WorkgroupEvent;
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xietong_events::{ApplyError, Event, EventHandler};
use xietong_mesh::ServiceName;

use super::desk::Desk;
use super::outbox::Outbox;
use crate::store::{load_matters, save_matters};

/// Tells of tasks and their assignments, and of what changes hands between leaders.
pub(crate) struct SupervisionIntake {
    desk: Arc<Desk>,
}

/// Tells of what working groups decide.
pub(crate) struct WorkgroupIntake {
    desk: Arc<Desk>,
}

/// Tells of who stands in.
pub(crate) struct RosterIntake {
    desk: Arc<Desk>,
}

/// An event of supervision that something is told of.
enum Known {
    Task(Box<TaskEvent>),
    Document(DocumentIssued),
    Handover(HandoverList),
    Comment(CommentMade),
    Draft(DraftEvent),
    Delegation(DelegationEvent),
}

impl Known {
    /// An event of a kind this reader does not know is a newer writer's: it gives none.
    fn read(event: &Event) -> Result<Option<Self>, ApplyError> {
        let payload: Value = serde_json::from_str(&event.payload).map_err(ApplyError::new)?;
        let kind = event.event_type.as_str();
        if let Some(document) = DocumentIssued::from_payload(kind, &payload).map_err(ApplyError::new)? {
            return Ok(Some(Known::Document(document)));
        }
        if let Some(list) = HandoverList::from_payload(kind, &payload).map_err(ApplyError::new)? {
            return Ok(Some(Known::Handover(list)));
        }
        if let Some(made) = CommentMade::from_payload(kind, &payload).map_err(ApplyError::new)? {
            return Ok(Some(Known::Comment(made)));
        }
        if let Some(draft) = DraftEvent::from_payload(kind, &payload).map_err(ApplyError::new)? {
            return Ok(Some(Known::Draft(draft)));
        }
        if let Some(passed) = DelegationEvent::from_payload(kind, &payload).map_err(ApplyError::new)? {
            return Ok(Some(Known::Delegation(passed)));
        }
        Ok(TaskEvent::from_payload(kind, &payload)
            .map_err(ApplyError::new)?
            .map(|event| Known::Task(Box::new(event))))
    }

    fn task(&self) -> Option<&str> {
        match self {
            Known::Task(event) => Some(&event.task().name),
            Known::Document(_)
            | Known::Handover(_)
            | Known::Comment(_)
            | Known::Draft(_)
            | Known::Delegation(_) => None,
        }
    }
}

impl SupervisionIntake {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        SupervisionIntake { desk }
    }
}

impl WorkgroupIntake {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        WorkgroupIntake { desk }
    }
}

impl RosterIntake {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        RosterIntake { desk }
    }
}

#[async_trait]
impl EventHandler for SupervisionIntake {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        let Some(last) = events.last() else { return Ok(()) };
        let roster = self.desk.roster.since(last.recorded_at).await.map_err(ApplyError::new)?;
        let mut decoded = Vec::with_capacity(events.len());
        for event in events {
            decoded.extend(Known::read(event)?.map(|known| (event, known)));
        }
        let tasks: Vec<&str> = decoded.iter().filter_map(|(_, known)| known.task()).collect();
        let mut matters = load_matters(tx, &tasks).await?;
        // The last that was made known of each.
        let mut issued: BTreeMap<String, Matter> = BTreeMap::new();
        let mut outbox = Outbox::new(&self.desk, self.desk.now());
        for (event, known) in &decoded {
            let task = match known {
                Known::Task(task) => task,
                Known::Document(document) => {
                    let notices = of_document(document, &roster.book);
                    let tasks = document.items.iter().map(|item| item.task.name.clone()).collect();
                    outbox.tell_of(tasks, event, &notices, &roster.book);
                    continue;
                }
                Known::Handover(list) => {
                    let notice = of_handover(list, &roster.book);
                    outbox.tell(ServiceName::Supervision.as_str(), event, &[notice], &roster.book);
                    continue;
                }
                Known::Comment(made) => {
                    let notices = of_comment(made);
                    outbox.tell(ServiceName::Supervision.as_str(), event, &notices, &roster.book);
                    continue;
                }
                Known::Draft(draft) => {
                    let notices = of_draft(draft, &roster.book);
                    outbox.tell(ServiceName::Supervision.as_str(), event, &notices, &roster.book);
                    continue;
                }
                Known::Delegation(passed) => {
                    let notices = of_delegation(passed, &roster.book);
                    outbox.tell(ServiceName::Supervision.as_str(), event, &notices, &roster.book);
                    continue;
                }
            };
            let name = &task.task().name;
            if let Some(matter) = Matter::issued_by(task) {
                matters.insert(name.clone(), matter.clone());
                issued.insert(name.clone(), matter);
            }
            let notices = of_task(task, matters.get(name), &roster.book);
            if is_instruction(task) {
                // The notice is about the instruction, and is asked of nobody once the task is over.
                outbox.tell_of(BTreeSet::from([name.clone()]), event, &notices, &roster.book);
            } else {
                outbox.tell(ServiceName::Supervision.as_str(), event, &notices, &roster.book);
            }
            for ended in ended_by(task) {
                outbox.end(ended);
            }
        }
        save_matters(tx, &issued.into_iter().collect::<Vec<_>>()).await?;
        outbox.post(tx).await.map_err(ApplyError::new)
    }
}

fn is_instruction(event: &TaskEvent) -> bool {
    matches!(event, TaskEvent::Task(WholeTaskEvent { change: TaskChange::Instructed { .. }, .. }))
}

#[async_trait]
impl EventHandler for WorkgroupIntake {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        let Some(last) = events.last() else { return Ok(()) };
        let roster = self.desk.roster.since(last.recorded_at).await.map_err(ApplyError::new)?;
        let mut outbox = Outbox::new(&self.desk, self.desk.now());
        for event in events {
            let known =
                WorkgroupEvent::from_payload(&event.event_type, &event.payload).map_err(ApplyError::new)?;
            if let Some(known) = known {
                let notices = of_workgroup(&known, &roster.book);
                outbox.tell(ServiceName::Workgroup.as_str(), event, &notices, &roster.book);
            }
        }
        outbox.post(tx).await.map_err(ApplyError::new)
    }
}

#[async_trait]
impl EventHandler for RosterIntake {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        let Some(last) = events.last() else { return Ok(()) };
        let roster = self.desk.roster.holding(last).await.map_err(ApplyError::new)?;
        let mut outbox = Outbox::new(&self.desk, self.desk.now());
        for event in events {
            let known =
                RosterEvent::from_payload(&event.event_type, &event.payload).map_err(ApplyError::new)?;
            if let Some(known) = known {
                let notices = of_roster(&known, &roster.book);
                outbox.tell(ServiceName::Roster.as_str(), event, &notices, &roster.book);
            }
        }
        outbox.post(tx).await.map_err(ApplyError::new)
    }
}
