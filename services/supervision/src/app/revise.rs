//! [`Revision`]: the fields of a task that a caller changes.

use domain_supervision::{AssignmentDraft, Content, Grade, Milestone, OpenPoint, Role, Target, Task};
use time::Date;

use super::Supervision;
use super::create::{List, NamedUnit, unknown_units};

/// What changes; `None` stays as it is.
#[derive(Debug, Default)]
pub(crate) struct Revision {
    /// One line.
    pub(crate) title: Option<String>,
    /// The wording.
    pub(crate) text: Option<String>,
    /// Chooses the clock.
    pub(crate) grade: Option<Grade>,
    /// Tags to filter by.
    pub(crate) tags: Option<Vec<String>>,
    /// Last day; `Some(None)`: by the rule.
    pub(crate) due_date: Option<Option<Date>>,
    /// Its dated clauses.
    pub(crate) milestones: Option<Vec<Milestone>>,
    /// Its quantified targets.
    pub(crate) targets: Option<Vec<Target>>,
    /// What must be settled before it can be issued.
    pub(crate) open_points: Option<Vec<OpenPoint>>,
    /// Its units, each in its role.
    pub(crate) assignments: Option<Vec<(String, Role)>>,
    /// The task that it is a part of; `Some(None)`: of none.
    pub(crate) parent: Option<Option<String>>,
}

impl Revision {
    /// What a task says with this changed.
    pub(crate) fn of(&self, task: &Task) -> Content {
        let mut content = Content::of(task);
        set(&mut content.title, &self.title);
        set(&mut content.text, &self.text);
        set(&mut content.grade, &self.grade);
        set(&mut content.tags, &self.tags);
        set(&mut content.due_date, &self.due_date);
        set(&mut content.milestones, &self.milestones);
        set(&mut content.targets, &self.targets);
        set(&mut content.open_points, &self.open_points);
        set(&mut content.parent, &self.parent);
        if let Some(units) = &self.assignments {
            let numbered = units.iter().enumerate();
            content.assignments = numbered
                .map(|(at, (unit, role))| AssignmentDraft {
                    name: format!("{}/assignments/{}", task.name, at + 1),
                    unit: unit.clone(),
                    role: *role,
                })
                .collect();
        }
        content
    }

    /// The units that it names.
    pub(super) fn units(&self) -> Vec<NamedUnit<'_>> {
        let assigned = self.assignments.iter().flatten().enumerate();
        let mut named: Vec<_> = assigned
            .map(|(at, (unit, _))| NamedUnit { unit, place: "task", list: List::Assignments, at })
            .collect();
        for (at, milestone) in self.milestones.iter().flatten().enumerate() {
            named.extend(milestone.units.iter().map(|unit| NamedUnit {
                unit,
                place: "task",
                list: List::Milestones,
                at,
            }));
        }
        named
    }
}

impl Supervision {
    /// Asks the roster if a revision names a unit that the copy of it does not know, before the
    /// transaction begins, see [`super::roster`].
    pub(crate) async fn prepare_revision(&self, revision: &Revision) {
        if unknown_units(&self.roster.view(), revision.units(), self.now()).next().is_some() {
            self.roster.ask().await;
        }
    }
}

fn set<T: Clone>(field: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}
