//! The words that stand in columns.

use domain_calendar::Timestamp;
use domain_supervision::{AssignmentState, Role, StoredClock, TaskState, Visibility, light};

pub(super) fn task_state(state: TaskState) -> &'static str {
    match state {
        TaskState::Draft => "draft",
        TaskState::Issued => "issued",
        TaskState::StruckOff => "struck_off",
        TaskState::Withdrawn => "withdrawn",
    }
}

pub(super) fn assignment_state(state: AssignmentState) -> &'static str {
    match state {
        AssignmentState::Pending => "pending",
        AssignmentState::Assigned => "assigned",
        AssignmentState::Signed => "signed",
        AssignmentState::Deployed => "deployed",
        AssignmentState::InProgress => "in_progress",
        AssignmentState::Submitted => "submitted",
        AssignmentState::Returned => "returned",
        AssignmentState::Suspended => "suspended",
        AssignmentState::StruckOff => "struck_off",
        AssignmentState::Withdrawn => "withdrawn",
    }
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Lead => "lead",
        Role::Cooperating => "cooperating",
        Role::Responsible => "responsible",
    }
}

pub(super) fn visibility(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "public",
        Visibility::Internal => "internal",
        Visibility::Restricted => "restricted",
    }
}

/// The light that a task showed when its row was written, by which lists find it: a hint, never
/// an answer. Time alone turns a light from green to yellow to red, so what is red stays red until
/// it is written again, and what may have turned meanwhile is found by its instants.
pub(super) fn written_light(state: TaskState, clock: &StoredClock, now: Timestamp) -> &'static str {
    match state {
        TaskState::Draft => "draft",
        TaskState::Issued | TaskState::StruckOff | TaskState::Withdrawn => light(clock, now).as_str(),
    }
}
