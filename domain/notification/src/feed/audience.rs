//! [`FeedAudience`]: who sees the events of a record, by the latest that is known of it.

use std::collections::{BTreeMap, BTreeSet};

use domain_supervision::{AssignmentFacts, TaskChange, TaskEvent, TaskFacts, Visibility};
use serde::{Deserialize, Serialize};

/// Who sees the events of a record, the earlier ones too: a record that becomes restricted hides
/// what was told of it before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedAudience {
    /// Who may see it beyond the units whose it is.
    pub visibility: Visibility,
    /// `units/{slug}` whose record it is, each under the assignment or the name it has it by.
    pub held: BTreeMap<String, String>,
    /// `units/{slug}` that may see it, too, while it is restricted.
    pub shown: BTreeSet<String>,
}

/// What an event says of the audience of its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFacts {
    visibility: Visibility,
    held: Held,
    shown: BTreeSet<String>,
}

/// Whose record it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Held {
    /// Theirs and nobody else's.
    Whole(BTreeMap<String, String>),
    /// Theirs, and theirs whose it was.
    Also(BTreeMap<String, String>),
}

impl Default for FeedAudience {
    fn default() -> Self {
        FeedAudience { visibility: Visibility::Internal, held: BTreeMap::new(), shown: BTreeSet::new() }
    }
}

impl FeedAudience {
    /// The audience after an event.
    #[must_use]
    pub fn after(mut self, facts: FeedFacts) -> Self {
        self.visibility = facts.visibility;
        self.shown = facts.shown;
        match facts.held {
            Held::Whole(held) => self.held = held,
            Held::Also(held) => self.held.extend(held),
        }
        self
    }

    /// Every unit that may see the record by name.
    pub fn units(&self) -> BTreeSet<&str> {
        self.held.values().chain(&self.shown).map(String::as_str).collect()
    }
}

impl FeedFacts {
    /// The record of these units.
    pub(super) fn held_by(units: impl IntoIterator<Item = String>) -> Self {
        let held = units.into_iter().map(|unit| (unit.clone(), unit)).collect();
        FeedFacts { held: Held::Whole(held), ..Self::seen_as(Visibility::Internal) }
    }

    /// The record of whoever had it, with a visibility.
    pub(super) fn seen_as(visibility: Visibility) -> Self {
        FeedFacts { visibility, held: Held::Also(BTreeMap::new()), shown: BTreeSet::new() }
    }

    /// What every event of a task says.
    pub(super) fn of_facts(task: &TaskFacts) -> Self {
        let shown = task.restricted_units.iter().cloned().collect();
        FeedFacts { shown, ..Self::seen_as(task.visibility) }
    }

    /// What an event of a task says.
    pub(super) fn of_task(event: &TaskEvent) -> Self {
        let held = match event {
            // Whoever it was reassigned from has it no more: an assignment has one unit.
            TaskEvent::Assignment(event) => Held::Also(named([&event.assignment])),
            TaskEvent::Task(event) => match &event.change {
                TaskChange::Created { draft, known: _ } => Held::Whole(
                    draft.assignments.iter().map(|one| (one.name.clone(), one.unit.clone())).collect(),
                ),
                TaskChange::Backfilled { assignments, .. } => {
                    Held::Whole(named(assignments.iter().map(|one| &one.facts)))
                }
                TaskChange::Issued { assignments, .. }
                | TaskChange::Revised { assignments, .. }
                | TaskChange::Rebased { assignments, .. }
                | TaskChange::StruckOff { assignments, .. }
                | TaskChange::Circumstance { assignments, .. }
                | TaskChange::Reopened { assignments, .. } => Held::Whole(named(assignments)),
                // These are some of them.
                TaskChange::Withdrawn { assignments, .. }
                | TaskChange::Instructed { assignments, .. }
                | TaskChange::InstructionDue { assignments, .. }
                | TaskChange::CooperatingAdded { assignments, .. } => Held::Also(named(assignments)),
                TaskChange::JoinedMatter { .. }
                | TaskChange::LeftMatter { .. }
                | TaskChange::InstructionSigned { .. }
                | TaskChange::Figure(_) => Held::Also(BTreeMap::new()),
            },
        };
        FeedFacts { held, ..Self::of_facts(event.task()) }
    }
}

fn named<'a>(assignments: impl IntoIterator<Item = &'a AssignmentFacts>) -> BTreeMap<String, String> {
    assignments.into_iter().map(|one| (one.name.clone(), one.unit.clone())).collect()
}
