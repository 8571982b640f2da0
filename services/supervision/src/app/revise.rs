//! [`Revision`]: the fields of a task that a caller changes.

use domain_attachment::Attachment;
use domain_supervision::{AssignmentDraft, Content, Grade, Milestone, OpenPoint, Role, Target, Task};
use time::Date;
use xietong_mesh::Error;
use xietong_mesh::attachments::Named;

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
    /// The files of its source.
    pub(crate) attachments: Option<Vec<Named>>,
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
        if let Some(named) = &self.attachments {
            content.attachments = named.iter().filter_map(|one| file(task, one)).collect();
        }
        content
    }

    /// Refuses files that come without a receipt, and that the task does not have.
    pub(super) fn check_kept(&self, task: &Task) -> Result<(), Error> {
        let mut named = self.attachments.iter().flatten().enumerate();
        match named.find(|(_, one)| file(task, one).is_none()) {
            None => Ok(()),
            Some((at, _)) => Err(Error::invalid(
                format!("task.attachments[{at}].receipt"),
                "is required for a file that the task does not have",
                "任务没有此附件，请先上传文件，并附上上传回执（receipt）",
            )),
        }
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
        for (at, target) in self.targets.iter().flatten().enumerate() {
            named.extend(target.source_unit.iter().map(|unit| NamedUnit {
                unit,
                place: "task",
                list: List::Targets,
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

/// The file that is named: as it was uploaded, or as the task has it.
fn file(task: &Task, named: &Named) -> Option<Attachment> {
    match named {
        Named::Uploaded(attachment) => Some(attachment.clone()),
        Named::Kept(digest) => task.attachments.iter().find(|one| one.digest == *digest).cloned(),
    }
}

fn set<T: Clone>(field: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}
