//! [`revise`]: a task's wording changes only on record, with what it was before.

use crate::assignment::Action;
use crate::content::{Content, Milestone};
use crate::decide::{Context, facts};
use crate::error::{NotEmpty, SupervisionError};
use crate::event::{TaskChange, TaskEvent, TaskFacts};
use crate::task::{Task, TaskState};

/// The event that gives a task another content; none when it says that already. A draft may
/// be changed in everything. Once it is issued its units, its grade and what was open stay,
/// and a ground is needed.
pub(crate) fn revise(
    task: &Task,
    after: &Content,
    ground: &str,
    context: &Context<'_>,
) -> Result<Option<TaskEvent>, SupervisionError> {
    let before = Content::of(task);
    let ground = ground.trim().to_owned();
    match task.state {
        TaskState::Draft => {}
        TaskState::Issued => {
            if before.assignments != after.assignments
                || before.grade != after.grade
                || before.open_points != after.open_points
                || before.parent != after.parent
            {
                return Err(SupervisionError::FixedOnceIssued);
            }
            if ground.is_empty() && before != *after {
                return Err(SupervisionError::Empty(NotEmpty::RevisionGround));
            }
        }
        state @ (TaskState::StruckOff | TaskState::Withdrawn) => {
            return Err(SupervisionError::TaskRefused { action: Action::Revise, state });
        }
    }
    if before == *after {
        return Ok(None);
    }
    after.check()?;
    if after.due_date.is_some() && task.terms.awaits.is_some() {
        return Err(SupervisionError::AwaitedWrongly);
    }
    let mut revised = task.clone();
    revised.take_content(after);
    if task.state == TaskState::Issued {
        let passed = |day: &time::Date| *day < context.now.day();
        if let Some(due_date) = revised.last_day().filter(passed)
            && task.last_day() != Some(due_date)
        {
            return Err(SupervisionError::DueBeforeIssue { due_date, issue_time: context.now });
        }
        // Nobody is late by a day that he is only told of now.
        let known = |one: &&Milestone| before.milestones.iter().any(|old| old.last_day == one.last_day);
        let new = after.milestones.iter().filter(|one| !known(one)).map(|one| one.last_day);
        if let Some(last_day) = new.filter(passed).min() {
            return Err(SupervisionError::MilestonePassed { last_day });
        }
    }
    let assignments = revised.assignments.iter().map(|one| facts(&revised, one, context)).collect();
    let change =
        TaskChange::Revised { before: Box::new(before), after: Box::new(after.clone()), ground, assignments };
    Ok(Some(TaskEvent::on_task(TaskFacts::of(&revised), context.now, change)))
}

impl Task {
    /// Says what the content says from now on. Assignments that go on keep what happened to
    /// them.
    pub(crate) fn take_content(&mut self, content: &Content) {
        let Content {
            title,
            text,
            grade,
            tags,
            due_date,
            milestones,
            targets,
            open_points,
            assignments,
            attachments,
            parent,
        } = content.clone();
        let dated_otherwise = self.due_date != due_date || self.milestones != milestones;
        let mut before = std::mem::take(&mut self.assignments);
        self.assignments = assignments
            .iter()
            .map(|draft| {
                let kept = before.iter().position(|one| one.name == draft.name && one.unit == draft.unit);
                let mut assignment = kept.map_or_else(
                    || crate::assignment::Assignment::from_draft(draft),
                    |at| before.swap_remove(at),
                );
                assignment.role = draft.role;
                assignment.follow_revision(&self.milestones, &milestones);
                if dated_otherwise {
                    assignment.kept = None;
                }
                assignment
            })
            .collect();
        self.title = title;
        self.text = text;
        self.grade = grade;
        self.tags = tags;
        self.due_date = due_date;
        self.milestones = milestones;
        self.follow_targets(&targets);
        self.targets = targets;
        self.open_points = open_points;
        self.attachments = attachments;
        self.parent = parent;
    }
}
