//! The change feed: what of the other services' events other systems may read, and as what.
//!
//! [`feed_entry`] sorts an event under a [`FeedKind`], which names the action by which its own
//! service lets somebody read such a record, and under the record whose [`FeedAudience`] decides
//! who sees it. An event that this version cannot read, a newer writer's for example, is
//! [`FeedKind::Unknown`]: nobody but administration sees it, whatever it holds.

mod audience;
mod kind;

use domain_roster::RosterEvent;
use domain_supervision::{
    BulletinEvent, COMMENT_MADE, CommentMade, DOCUMENT_ISSUED, Delegate, DelegationEvent, DraftEvent,
    HANDOVER_LISTED, InspectionEvent, JointMatterEvent, MATTER_REPORTED, PAPER_ISSUED, PROPOSAL_DISMISSED,
    PaperIssued, TaskEvent, Visibility,
};
use domain_workgroup::WorkgroupEvent;
use serde_json::Value;

pub use audience::{FeedAudience, FeedFacts};
pub use kind::{FeedKind, UnknownFeedKind};

/// Events that are no entry of the feed. Each is a service's own book-keeping: what it tells, the
/// events of its records tell one by one to those who may see each of them, or it is somebody's
/// own.
pub const LEFT_OUT: [&str; 6] = [
    // All that a document gives one unit, for one notice: every task has an event of its own.
    DOCUMENT_ISSUED,
    // One report on several tasks, for one notice: every task has an event of its own.
    MATTER_REPORTED,
    // What changes hands, for one leader's notice: the roster tells that the division took effect.
    HANDOVER_LISTED,
    // A supervisor's note that he need not be asked again.
    PROPOSAL_DISMISSED,
    // How a unit releases what it says is its own affair.
    RELEASE_SETTING_CHANGED,
    // What was done for somebody who was away is read by him.
    "roster.absence.acts_arrived",
];

const RELEASE_SETTING_CHANGED: &str = "supervision.release_setting.changed";
const RULE_ADDED: &str = "supervision.rule.added";
const SCORE_RULE_ADDED: &str = "supervision.score_rule.added";

/// What stands in the payload of an absence and is nobody's to read here: why somebody is away,
/// and what was done for him.
const PERSONAL_OF_ABSENCES: [&str; 3] = ["reason", "acts", "changes"];

/// An event as an entry of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedEntry {
    /// As what it is read.
    pub kind: FeedKind,
    /// The record whose audience sees it, for example `tasks/{id}` for a remark on the task.
    pub record: String,
    /// What it says: a JSON object, without what is personal.
    pub data: Value,
    /// What it says of that record's audience, if anything.
    pub facts: Option<FeedFacts>,
}

/// An event as an entry of the feed; none when it is [`LEFT_OUT`].
pub fn feed_entry(event_type: &str, aggregate: &str, payload: &str) -> Option<FeedEntry> {
    if LEFT_OUT.contains(&event_type) {
        return None;
    }
    let data: Value = serde_json::from_str(payload).unwrap_or_default();
    let sorted = Sorted::read(event_type, &data, payload).unwrap_or(Sorted::of(FeedKind::Unknown));
    let mut data = match data {
        Value::Object(members) => members,
        other => serde_json::Map::from_iter([("value".to_owned(), other)]),
    };
    if sorted.kind == FeedKind::Directory && event_type.starts_with("roster.absence.") {
        for personal in PERSONAL_OF_ABSENCES {
            data.remove(personal);
        }
    }
    if let Some(change) = data.get_mut("change").and_then(Value::as_object_mut) {
        // Whoever sees the task need not see the tasks it resembles.
        change.remove("known");
    }
    Some(FeedEntry {
        kind: sorted.kind,
        record: sorted.record.unwrap_or_else(|| aggregate.to_owned()),
        data: Value::Object(data),
        facts: sorted.facts,
    })
}

/// What an event is found to be.
struct Sorted {
    kind: FeedKind,
    /// Unset: the event's own aggregate.
    record: Option<String>,
    facts: Option<FeedFacts>,
}

impl Sorted {
    fn of(kind: FeedKind) -> Self {
        Sorted { kind, record: None, facts: None }
    }

    /// None when it cannot be read.
    fn read(event_type: &str, data: &Value, payload: &str) -> Option<Self> {
        match event_type {
            RULE_ADDED | SCORE_RULE_ADDED => return Some(Self::of(FeedKind::Rule)),
            PAPER_ISSUED => return serde_json::from_str(payload).ok().map(of_paper),
            COMMENT_MADE => return CommentMade::from_payload(event_type, data).ok()?.map(of_comment),
            _ => {}
        }
        if let Some(event) = TaskEvent::from_payload(event_type, data).ok()? {
            let facts = Some(FeedFacts::of_task(&event));
            return Some(Sorted {
                facts,
                record: Some(event.task().name.clone()),
                ..Self::of(FeedKind::Task)
            });
        }
        if let Some(event) = RosterEvent::from_payload(event_type, payload).ok()? {
            return Some(Self::of(of_roster(&event)));
        }
        if WorkgroupEvent::from_payload(event_type, payload).ok()?.is_some() {
            return Some(Self::of(FeedKind::Group));
        }
        if let Some(event) = DraftEvent::from_payload(event_type, data).ok()? {
            let facts = Some(FeedFacts::held_by([event.unit]));
            return Some(Sorted { facts, ..Self::of(FeedKind::Draft) });
        }
        if let Some(event) = DelegationEvent::from_payload(event_type, data).ok()? {
            return Some(of_delegation(event));
        }
        if BulletinEvent::from_payload(event_type, data).ok()?.is_some() {
            return Some(Self::of(FeedKind::Bulletin));
        }
        if InspectionEvent::from_payload(event_type, data).ok()?.is_some() {
            return Some(Self::of(FeedKind::Inspection));
        }
        JointMatterEvent::from_payload(event_type, data).ok()?.map(|_| Self::of(FeedKind::Matter))
    }
}

/// A paper about a task is seen by whoever sees the task; a bulletin (通报) by all.
fn of_paper(paper: PaperIssued) -> Sorted {
    let (record, facts) = match paper.task {
        Some(task) => (Some(task.name.clone()), FeedFacts::of_facts(&task)),
        None => (None, FeedFacts::seen_as(Visibility::Public)),
    };
    Sorted { record, facts: Some(facts), ..Sorted::of(FeedKind::Paper) }
}

fn of_comment(made: CommentMade) -> Sorted {
    let facts = Some(FeedFacts::of_facts(&made.task));
    Sorted { record: Some(made.task.name), facts, ..Sorted::of(FeedKind::Comment) }
}

/// What is passed down is between the holder and the delegate.
fn of_delegation(event: DelegationEvent) -> Sorted {
    let delegate = match event.to {
        Delegate::Unit(unit) => Some(unit),
        Delegate::Section(_) => None,
    };
    let facts = Some(FeedFacts::held_by(std::iter::once(event.holder).chain(delegate)));
    Sorted { facts, ..Sorted::of(FeedKind::Delegation) }
}

fn of_roster(event: &RosterEvent) -> FeedKind {
    match event {
        RosterEvent::AccountCreated(_) => FeedKind::Account,
        RosterEvent::UnitCreated(_)
        | RosterEvent::CollectiveCreated(_)
        | RosterEvent::OfficialCreated(_)
        | RosterEvent::DivisionCreated(_)
        | RosterEvent::DivisionTookEffect(_)
        | RosterEvent::AbsenceCreated(_)
        | RosterEvent::AbsenceStarted(_)
        | RosterEvent::AbsenceActingChanged(_)
        | RosterEvent::AbsenceEnded(_)
        | RosterEvent::AbsenceCancelled(_)
        | RosterEvent::AbsenceExtended(_)
        | RosterEvent::AbsenceCorrected(_)
        | RosterEvent::AbsenceActsArrived(_)
        | RosterEvent::AbsenceAcknowledged(_)
        | RosterEvent::MandateCreated(_)
        | RosterEvent::MandateRevoked(_)
        | RosterEvent::UnitChanged(_)
        | RosterEvent::CollectiveChanged(_)
        | RosterEvent::OfficialChanged(_)
        | RosterEvent::StandInListCreated(_)
        | RosterEvent::DutyRosterCreated(_)
        | RosterEvent::DutyRosterChanged(_)
        | RosterEvent::DutyShiftSwapped(_)
        | RosterEvent::GapOpened(_)
        | RosterEvent::GapChanged(_)
        | RosterEvent::GapClosed(_)
        | RosterEvent::CalendarPublished(_) => FeedKind::Directory,
    }
}

#[cfg(test)]
mod tests;
