//! [`Task::apply`]: the only way a task changes.

use domain_calendar::Timestamp;

use crate::assignment::{Assignment, AssignmentState, Stage};
use crate::charge::{ChargeKind, ChargedPause, ChargedTo};
use crate::error::SupervisionError;
use crate::event::{AssignmentChange, AssignmentFacts, TaskChange, TaskEvent};
use crate::extension::ExtensionRequest;
use crate::milestone::MilestoneChange;
use crate::task::{AssignmentDraft, Task, TaskState};
use crate::timers::TimerKind;

impl Task {
    /// Takes in one event. It was decided before and is not questioned now; only an
    /// assignment the task does not hold is refused, since the log is then of another task.
    pub fn apply(&mut self, event: &TaskEvent) -> Result<(), SupervisionError> {
        match event {
            TaskEvent::Task(event) => match &event.change {
                TaskChange::Created { draft, .. } => {
                    *self = Task::from_draft(draft);
                    return Ok(());
                }
                TaskChange::Issued { rule_version, assignments, with_document: _ } => {
                    self.each(assignments, |one, _| one.issue(event.at))?;
                    self.state = TaskState::Issued;
                    self.issue_time = Some(event.at);
                    self.rule_version = Some(*rule_version);
                }
                TaskChange::Backfilled { rule_version, issued_at, assignments } => {
                    for one in assignments {
                        let assignment = self.assignment_mut(&one.facts.name)?;
                        assignment.backfill(one.standing, *issued_at, event.at);
                        if assignment.state == AssignmentState::StruckOff {
                            assignment.close(one.facts.due, Some(*rule_version));
                        }
                    }
                    self.state = self.state_after_backfill();
                    self.issue_time = Some(*issued_at);
                    self.rule_version = Some(*rule_version);
                }
                TaskChange::Revised { before: _, after, ground: _, assignments } => {
                    self.take_content(after);
                    self.note_told(assignments, event.at);
                }
                TaskChange::Rebased { from: _, to, ground: _, before, assignments } => {
                    self.take_rebase(*to, before, event.at);
                    self.note_told(assignments, event.at);
                }
                TaskChange::Withdrawn { ground: _, assignments } => {
                    self.each(assignments, |one, _| {
                        one.state = AssignmentState::Withdrawn;
                        one.drop_pauses();
                    })?;
                    self.state = TaskState::Withdrawn;
                }
                TaskChange::StruckOff { .. } => self.state = TaskState::StruckOff,
                TaskChange::Reopened { ground: _, assignments } => {
                    self.state = TaskState::Issued;
                    self.note_told(assignments, event.at);
                }
                TaskChange::JoinedMatter { matter, .. } => self.matter = Some(matter.clone()),
                TaskChange::LeftMatter { .. } => self.matter = None,
                TaskChange::Circumstance { circumstance, before: _, assignments } => {
                    self.take_circumstance(circumstance, event.at);
                    self.note_told(assignments, event.at);
                    let rule_version = self.rule_version;
                    // What was known wrongly was so when it was struck off, too.
                    self.each(assignments, |one, facts| {
                        if one.state == AssignmentState::StruckOff {
                            one.close(facts.due, rule_version);
                        }
                    })?;
                }
                // What was written is kept beside the task.
                TaskChange::Instructed { .. }
                | TaskChange::InstructionSigned { .. }
                | TaskChange::InstructionDue { .. } => {}
                TaskChange::Figure(change) => self.take_figure(change),
                TaskChange::CooperatingAdded { ground: _, assignments } => {
                    for AssignmentFacts { name, unit, role, due: _ } in assignments {
                        let draft = AssignmentDraft { name: name.clone(), unit: unit.clone(), role: *role };
                        let mut added = Assignment::from_draft(&draft);
                        added.issue(event.at);
                        self.assignments.push(added);
                    }
                }
            },
            TaskEvent::Assignment(event) => {
                let rule_version = self.rule_version;
                let assignment = self.assignment_mut(&event.assignment.name)?;
                assignment.late.extend(&event.late);
                assignment.apply(&event.change, event.at);
                if let AssignmentChange::StruckOff { .. } = event.change {
                    assignment.close(event.assignment.due, rule_version);
                }
                assignment.note_told(&event.assignment, event.at);
            }
        }
        self.version += 1;
        Ok(())
    }

    /// The task that a log of events leaves, oldest first; none if the log is empty or
    /// does not begin with its creation.
    pub fn replay<'a>(
        events: impl IntoIterator<Item = &'a TaskEvent>,
    ) -> Result<Option<Task>, SupervisionError> {
        let mut events = events.into_iter();
        let Some(TaskEvent::Task(first)) = events.next() else { return Ok(None) };
        let mut task = match &first.change {
            TaskChange::Created { draft, .. } => Task::from_draft(draft),
            TaskChange::Issued { .. }
            | TaskChange::Backfilled { .. }
            | TaskChange::Revised { .. }
            | TaskChange::Rebased { .. }
            | TaskChange::Withdrawn { .. }
            | TaskChange::StruckOff { .. }
            | TaskChange::Circumstance { .. }
            | TaskChange::Reopened { .. }
            | TaskChange::JoinedMatter { .. }
            | TaskChange::LeftMatter { .. }
            | TaskChange::Instructed { .. }
            | TaskChange::InstructionSigned { .. }
            | TaskChange::InstructionDue { .. }
            | TaskChange::Figure(_)
            | TaskChange::CooperatingAdded { .. } => return Ok(None),
        };
        events.try_for_each(|event| task.apply(event))?;
        Ok(Some(task))
    }

    fn each(
        &mut self,
        facts: &[AssignmentFacts],
        change: impl Fn(&mut Assignment, &AssignmentFacts),
    ) -> Result<(), SupervisionError> {
        facts.iter().try_for_each(|facts| self.assignment_mut(&facts.name).map(|one| change(one, facts)))
    }

    /// A settle date that was told missed and has moved to an instant that is over, too, is not told
    /// again; one that lies ahead is, if it is missed.
    fn note_told(&mut self, assignments: &[AssignmentFacts], at: Timestamp) {
        for one in &mut self.assignments {
            if let Some(facts) = assignments.iter().find(|facts| facts.name == one.name) {
                one.note_told(facts, at);
            }
        }
    }

    fn assignment_mut(&mut self, name: &str) -> Result<&mut Assignment, SupervisionError> {
        self.assignments
            .iter_mut()
            .find(|one| one.name == name)
            .ok_or_else(|| SupervisionError::UnknownAssignment { name: name.to_owned() })
    }
}

impl Assignment {
    pub(crate) fn issue(&mut self, at: Timestamp) {
        self.state = AssignmentState::Assigned;
        self.assigned_at = Some(at);
    }

    pub(crate) fn apply(&mut self, change: &AssignmentChange, at: Timestamp) {
        match change {
            AssignmentChange::Signed => {
                self.state = AssignmentState::Signed;
                self.signed_at = Some(at);
            }
            AssignmentChange::Deployed { .. } => {
                self.state = AssignmentState::Deployed;
                self.deployed_at = Some(at);
            }
            AssignmentChange::Reported { .. } => {
                self.state = AssignmentState::InProgress;
                self.last_report_at = Some(at);
            }
            AssignmentChange::Submitted { request_waited, .. } => {
                if let Some(waited) = request_waited {
                    self.charge_decider(*waited, at);
                }
                self.end_wait(at);
                self.state = AssignmentState::Submitted;
                self.submitted_at = Some(at);
                self.last_report_at = Some(at);
            }
            // The striking-off that follows in the same decision closes it.
            AssignmentChange::Verified { note: _, completed_at } => self.completed_at = Some(*completed_at),
            AssignmentChange::SentBack { note: _, waited } => {
                self.state = AssignmentState::InProgress;
                self.sent_back_at = Some(at);
                self.charge(ChargedPause {
                    kind: ChargeKind::Verification,
                    to: ChargedTo::Verifier,
                    from: self.submitted_at.unwrap_or(at),
                    until: at,
                    moved: *waited,
                });
            }
            AssignmentChange::StruckOff { completed_at, .. } => {
                self.state = AssignmentState::StruckOff;
                self.completed_at = Some(*completed_at);
                self.drop_pauses();
            }
            AssignmentChange::ExtensionRequested { last_day, reason } => {
                self.extension_request =
                    Some(ExtensionRequest { last_day: *last_day, reason: reason.clone(), requested_at: at });
            }
            AssignmentChange::ExtensionGranted { last_day, note: _, waited: _, charged, moved } => {
                self.extend(*last_day, *moved, at);
                self.charge_decider(*charged, at);
            }
            AssignmentChange::ExtensionRefused { last_day: _, note: _, waited } => {
                self.charge_decider(*waited, at);
            }
            AssignmentChange::Milestone(change) => {
                self.take_milestone(change, at);
                if let MilestoneChange::Missed { .. } = change {
                    self.note_fired(TimerKind::MilestoneDue, at);
                }
            }
            AssignmentChange::SideRoad(change) => self.take_side_road(change, at),
            AssignmentChange::Pressed(used) => {
                self.instruments.insert(used.instrument, at);
                if let Some(paper) = &used.paper {
                    self.papers.insert(used.instrument, paper.clone());
                }
            }
            // Due times are computed, and kept only where nobody is to be late by another calendar.
            AssignmentChange::DeadlineRecomputed { kept, .. } => {
                if !kept.are_none() {
                    self.keep(*kept, at);
                }
            }
            AssignmentChange::Overdue => self.note_fired(TimerKind::SettleDue, at),
            AssignmentChange::Reminded => self.note_fired(TimerKind::Yellow, at),
            AssignmentChange::Urged { stages, again } => {
                for stage in stages {
                    let kind = timer_of(*stage);
                    self.note_fired(kind, at);
                    let times = self.urgings.entry(kind).or_insert(1);
                    *times = if again.contains(stage) { times.saturating_add(1) } else { 1 };
                }
            }
        }
    }

    fn note_told(&mut self, facts: &AssignmentFacts, at: Timestamp) {
        if let (Some(told), Some(due)) = (self.fired.get_mut(&TimerKind::SettleDue), facts.due.settle)
            && due <= at
        {
            *told = due.max(*told);
        }
    }

    fn note_fired(&mut self, kind: TimerKind, at: Timestamp) {
        self.fired.insert(kind, at);
    }
}

fn timer_of(stage: Stage) -> TimerKind {
    match stage {
        Stage::Sign => TimerKind::SignDue,
        Stage::Deploy => TimerKind::DeployDue,
        Stage::Report => TimerKind::ReportDue,
        Stage::Milestone => TimerKind::MilestoneDue,
        Stage::Settle => TimerKind::SettleDue,
    }
}
