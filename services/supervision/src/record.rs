//! [`Record`]: a task as this service keeps it.

use std::collections::BTreeMap;

use domain_attachment::Attachment;
use domain_calendar::Timestamp;
use domain_supervision::{
    Assignment, AssignmentChange, LAST_REPORT, MilestoneChange, Role, SideRoad, SupervisionError, Task,
    TaskChange, TaskDraft, TaskEvent, TaskState, UnitDraft, Visibility,
};
use serde::{Deserialize, Serialize};
use xietong_mesh::Resource;
use xietong_mesh::authorize::Visibility as Seen;

/// Files of a unit's last report that a task shows. The timeline shows all.
pub(crate) const LAST_ATTACHMENTS: usize = 3;

/// A task and what the API shows of its events beside it. Stored whole, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// The aggregate.
    pub(crate) task: Task,
    /// When it was entered.
    pub(crate) created_at: Timestamp,
    /// When it was struck off; its completion may have been earlier.
    pub(crate) struck_off_at: Option<Timestamp>,
    /// How what each unit last said, in a report or a submission, begins: at most
    /// [`LAST_REPORT`] characters, by assignment name.
    pub(crate) last_reports: BTreeMap<String, String>,
    /// The first files that came with it, at most [`LAST_ATTACHMENTS`], by assignment name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) last_attachments: BTreeMap<String, Vec<Attachment>>,
    /// The version of the calendar that its due times were last counted by, from its row; none
    /// when they do not depend on it.
    #[serde(skip)]
    pub(crate) calendar_version: Option<u32>,
    /// What the caller said by this, where it awaits the release of the unit's approver; then
    /// nothing else has changed. Never stored with the task.
    #[serde(skip)]
    pub(crate) drafted: Option<UnitDraft>,
}

impl Record {
    /// What a draft entered at an instant becomes.
    pub(crate) fn of_draft(draft: &TaskDraft, created_at: Timestamp) -> Self {
        Record {
            task: Task::from_draft(draft),
            created_at,
            struck_off_at: None,
            last_reports: BTreeMap::new(),
            last_attachments: BTreeMap::new(),
            calendar_version: None,
            drafted: None,
        }
    }

    /// Takes in events, in order.
    pub(crate) fn apply(&mut self, events: &[TaskEvent]) -> Result<(), SupervisionError> {
        events.iter().try_for_each(|event| {
            self.note(event);
            self.task.apply(event)?;
            // Work that was done before it was entered was struck off when it was completed.
            if self.task.state == TaskState::StruckOff && self.struck_off_at.is_none() {
                self.struck_off_at =
                    self.task.settling_assignments().filter_map(|one| one.completed_at).max();
            }
            Ok(())
        })
    }

    fn note(&mut self, event: &TaskEvent) {
        match event {
            TaskEvent::Task(event) => match &event.change {
                TaskChange::StruckOff { .. } => self.struck_off_at = Some(event.at),
                TaskChange::Reopened { .. } => self.struck_off_at = None,
                TaskChange::Backfilled { .. }
                | TaskChange::Circumstance { .. }
                | TaskChange::Created { .. }
                | TaskChange::Issued { .. }
                | TaskChange::Revised { .. }
                | TaskChange::Rebased { .. }
                | TaskChange::Withdrawn { .. }
                | TaskChange::JoinedMatter { .. }
                | TaskChange::LeftMatter { .. }
                | TaskChange::Instructed { .. }
                | TaskChange::InstructionSigned { .. }
                | TaskChange::InstructionDue { .. }
                | TaskChange::Figure(_)
                | TaskChange::CooperatingAdded { .. } => {}
            },
            TaskEvent::Assignment(event) => match &event.change {
                AssignmentChange::Reported { text, attachments, .. }
                | AssignmentChange::Milestone(MilestoneChange::Reached { text, attachments, .. })
                | AssignmentChange::Submitted { text, attachments, .. } => {
                    let name = &event.assignment.name;
                    let beginning = text.chars().take(LAST_REPORT).collect();
                    self.last_reports.insert(name.clone(), beginning);
                    let first: Vec<Attachment> = attachments.iter().take(LAST_ATTACHMENTS).cloned().collect();
                    if first.is_empty() {
                        self.last_attachments.remove(name);
                    } else {
                        self.last_attachments.insert(name.clone(), first);
                    }
                }
                // What the former unit said is not the new one's.
                AssignmentChange::SideRoad(SideRoad::Reassigned { .. }) => {
                    self.last_reports.remove(&event.assignment.name);
                    self.last_attachments.remove(&event.assignment.name);
                }
                AssignmentChange::SideRoad(_)
                | AssignmentChange::Milestone(
                    MilestoneChange::SentBack { .. }
                    | MilestoneChange::Reminded { .. }
                    | MilestoneChange::Missed { .. },
                )
                | AssignmentChange::Pressed(_)
                | AssignmentChange::Signed
                | AssignmentChange::Deployed { .. }
                | AssignmentChange::Verified { .. }
                | AssignmentChange::SentBack { .. }
                | AssignmentChange::ExtensionRequested { .. }
                | AssignmentChange::ExtensionGranted { .. }
                | AssignmentChange::ExtensionRefused { .. }
                | AssignmentChange::StruckOff { .. }
                | AssignmentChange::DeadlineRecomputed { .. }
                | AssignmentChange::Overdue
                | AssignmentChange::Reminded
                | AssignmentChange::Urged { .. } => {}
            },
        }
    }

    /// What permission on the task as a whole depends on.
    pub(crate) fn resource(&self) -> Resource {
        self.resource_of_units(self.task.assignments.iter())
    }

    /// What permission to act as a lead unit of it depends on.
    pub(crate) fn resource_of_lead_units(&self) -> Resource {
        self.resource_of_units(self.task.assignments.iter().filter(|one| one.role == Role::Lead))
    }

    /// What permission to act on one assignment depends on.
    pub(crate) fn resource_of(&self, assignment: &Assignment) -> Resource {
        self.resource_of_units(std::iter::once(assignment))
    }

    /// What permission to press for one assignment depends on: its unit, and the group whose decision
    /// the task came from.
    pub(crate) fn resource_to_press(&self, assignment: &Assignment) -> Resource {
        self.resource_of(assignment).of_groups(self.group())
    }

    /// The group, `groups/{g}`, whose decision the task came from.
    fn group(&self) -> Option<String> {
        let (group, _) = self.task.origin.as_deref()?.strip_prefix("groups/")?.split_once('/')?;
        Some(format!("groups/{group}"))
    }

    /// What permission of those who settle the task depends on.
    pub(crate) fn resource_of_leads(&self) -> Resource {
        self.resource_of_units(self.task.settling_assignments())
    }

    /// What permission to answer for what another unit waits for depends on: that unit, and who
    /// waits where either may answer. Being asked is reason enough to answer on a matter of named
    /// units.
    pub(crate) fn resource_of_wait(&self, assignment: &Assignment, holder_too: bool) -> Resource {
        match &assignment.wait {
            None => self.resource_of(assignment),
            Some(wait) => {
                let holder = holder_too.then_some(assignment.unit.as_str());
                Resource::new().of_units(std::iter::once(wait.on.as_str()).chain(holder))
            }
        }
    }

    /// What permission to say what a target came to depends on: the unit whose figure counts. Being
    /// asked is reason enough to answer on a matter of named units.
    pub(crate) fn resource_of_source(&self, measure: &str, number: Option<u32>) -> Resource {
        let target = self.task.target_measuring(measure, number).ok();
        Resource::new().of_units(target.and_then(|(_, target)| target.source_unit.as_deref()))
    }

    fn resource_of_units<'a>(&self, assignments: impl Iterator<Item = &'a Assignment>) -> Resource {
        Resource::new()
            .of_units(assignments.map(|one| one.unit.as_str()))
            .created_by(&self.task.created_by)
            .visible_to(seen(self.task.visibility), &self.task.restricted_units)
    }

    /// Changes with every change of the task.
    pub(crate) fn etag(&self) -> String {
        format!("v{}", self.task.version)
    }
}

/// Visibility as the permission matrix has it.
pub(crate) fn seen(visibility: Visibility) -> Seen {
    match visibility {
        Visibility::Public => Seen::Public,
        Visibility::Internal => Seen::Internal,
        Visibility::Restricted => Seen::Restricted,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use domain_supervision::{AssignmentDraft, Grade, Source};

    use super::*;

    /// A task of these units, each in the lead.
    pub(crate) fn draft(units: &[&str]) -> TaskDraft {
        let assignment = |(at, unit): (usize, &&str)| AssignmentDraft {
            name: format!("tasks/1/assignments/{}", at + 1),
            unit: (*unit).to_owned(),
            role: Role::Lead,
        };
        TaskDraft {
            name: "tasks/1".to_owned(),
            ledger_number: 1,
            title: "登月".to_owned(),
            text: String::new(),
            grade: Grade::Ordinary,
            source: Source::default(),
            visibility: Visibility::Internal,
            restricted_units: vec![],
            tags: vec![],
            created_by: "supervisor".to_owned(),
            unclassified: true,
            origin: None,
            terms: domain_supervision::Terms::default(),
            parent: None,
            due_date: None,
            milestones: vec![],
            targets: vec![],
            open_points: vec![],
            attachments: vec![],
            assignments: units.iter().enumerate().map(assignment).collect(),
        }
    }
}
