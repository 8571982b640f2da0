//! Taking in what other services recorded: each event is told once to each person.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use domain_notification::{
    Matter, NoticeKind, ended_by, of_bulletin, of_comment, of_delegation, of_document, of_draft, of_handover,
    of_inspection, of_matter_report, of_roster, of_task, of_workgroup, told_from, waits,
};
use domain_roster::{Book, RosterEvent};
use domain_supervision::{
    BulletinEvent, CommentMade, DelegationEvent, DocumentIssued, DraftEvent, HandoverList, InspectionEvent,
    MatterReported, TaskChange, TaskEvent, WholeTaskEvent,
};
use domain_workgroup::WorkgroupEvent;
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xietong_events::{ApplyError, Event, EventHandler};
use xietong_mesh::ServiceName;

use super::desk::Desk;
use super::outbox::Outbox;
use crate::store::{HeldRow, load_matters, save_matters};

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
pub(super) enum Known {
    Task(Box<TaskEvent>),
    Document(DocumentIssued),
    Handover(HandoverList),
    Bulletin(Box<BulletinEvent>),
    MatterReport(MatterReported),
    Inspection(InspectionEvent),
    Comment(CommentMade),
    Draft(DraftEvent),
    Delegation(DelegationEvent),
}

impl Known {
    /// An event of a kind this reader does not know is a newer writer's: it gives none.
    pub(super) fn read(event: &Event) -> Result<Option<Self>, ApplyError> {
        let payload: Value = serde_json::from_str(&event.payload).map_err(ApplyError::new)?;
        let kind = event.event_type.as_str();
        if let Some(document) = DocumentIssued::from_payload(kind, &payload).map_err(ApplyError::new)? {
            return Ok(Some(Known::Document(document)));
        }
        if let Some(list) = HandoverList::from_payload(kind, &payload).map_err(ApplyError::new)? {
            return Ok(Some(Known::Handover(list)));
        }
        if let Some(bulletin) = BulletinEvent::from_payload(kind, &payload).map_err(ApplyError::new)? {
            return Ok(Some(Known::Bulletin(Box::new(bulletin))));
        }
        if let Some(told) = MatterReported::from_payload(kind, &payload).map_err(ApplyError::new)? {
            return Ok(Some(Known::MatterReport(told)));
        }
        if let Some(inspection) = InspectionEvent::from_payload(kind, &payload).map_err(ApplyError::new)? {
            return Ok(Some(Known::Inspection(inspection)));
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
            | Known::Bulletin(_)
            | Known::MatterReport(_)
            | Known::Inspection(_)
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
        let words = self.desk.templates.words(tx).await?;
        let mut outbox = Outbox::new(&self.desk, self.desk.now()).in_words(words);
        for (event, known) in &decoded {
            let task = match known {
                Known::Task(task) => task,
                Known::Document(document) => {
                    let notices = of_document(document, &roster.book);
                    let tasks = document.items.iter().map(|item| item.task.name.clone()).collect();
                    outbox.tell_of(tasks, event, &notices, &roster.book);
                    continue;
                }
                Known::MatterReport(told) => {
                    let notice = of_matter_report(told, &roster.book);
                    outbox.tell(ServiceName::Supervision.as_str(), event, &[notice], &roster.book);
                    continue;
                }
                Known::Inspection(inspection) => {
                    let notices = of_inspection(inspection, &roster.book);
                    outbox.tell(ServiceName::Supervision.as_str(), event, &notices, &roster.book);
                    continue;
                }
                Known::Handover(list) => {
                    if let Some(due_at) = told_from(event.occurred_at, roster.book.calendar()) {
                        outbox.hold(held(event, due_at, &list.division));
                        continue;
                    }
                    let notice = of_handover(list, &roster.book);
                    outbox.tell(ServiceName::Supervision.as_str(), event, &[notice], &roster.book);
                    continue;
                }
                Known::Bulletin(bulletin) => {
                    let notices = of_bulletin(bulletin, &roster.book);
                    outbox.tell(ServiceName::Supervision.as_str(), event, &notices, &roster.book);
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
            let waits = waits(task).filter(|_| matters.contains_key(name));
            let later = waits.zip(told_from(event.occurred_at, roster.book.calendar()));
            if let (Some((kind, due_at)), TaskEvent::Assignment(told)) = (later, &**task) {
                let unit = told.assignment.unit.clone();
                outbox.hold(HeldRow { kind, unit, ..held(event, due_at, name) });
            } else {
                let notices = of_task(task, matters.get(name), &roster.book);
                if is_instruction(task) {
                    // The notice is about the instruction, and is asked of nobody once the task is over.
                    outbox.tell_of(BTreeSet::from([name.clone()]), event, &notices, &roster.book);
                } else {
                    outbox.tell(ServiceName::Supervision.as_str(), event, &notices, &roster.book);
                }
            }
            for ended in ended_by(task) {
                outbox.end(event, ended);
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

/// An event that is told later.
fn held(event: &Event, due_at: Timestamp, subject: &str) -> HeldRow {
    HeldRow {
        producer: ServiceName::Supervision.as_str().to_owned(),
        event: event.clone(),
        due_at,
        subject: subject.to_owned(),
        unit: String::new(),
        kind: NoticeKind::Handover,
    }
}

/// Tells what was held.
pub(super) async fn tell_held(
    tx: &DatabaseTransaction,
    held: &[(String, Event)],
    book: &Book,
    outbox: &mut Outbox<'_>,
) -> Result<(), ApplyError> {
    for (producer, event) in held {
        match Known::read(event)? {
            Some(Known::Task(task)) => {
                let name = task.task().name.as_str();
                let matters = load_matters(tx, &[name]).await.map_err(ApplyError::new)?;
                outbox.tell(producer, event, &of_task(&task, matters.get(name), book), book);
            }
            Some(Known::Handover(list)) => outbox.tell(producer, event, &[of_handover(&list, book)], book),
            // A person's act is told at once.
            Some(
                Known::Document(_)
                | Known::Inspection(_)
                | Known::Bulletin(_)
                | Known::MatterReport(_)
                | Known::Comment(_)
                | Known::Draft(_)
                | Known::Delegation(_),
            )
            | None => {}
        }
    }
    Ok(())
}
