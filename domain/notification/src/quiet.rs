//! What comes about by itself, at whatever hour, is told when people are at work.
//!
//! A settle date is missed at midnight and a division of work takes effect at midnight: both are
//! facts from then on, and nobody need be woken for them. What a person does is told at once,
//! whenever it is done; so is whose authority begins or ends, since that holds at night, too, and
//! whatever is urgent. Reminders and urgings are never written at night to begin with
//! (`domain_supervision::fire`).

use domain_calendar::{Calendar, Timestamp};
use domain_supervision::{AssignmentChange, MilestoneChange, TaskEvent};

use crate::notice::NoticeKind;

/// The kind of notice of a task that waits for the next working moment; none when it does not.
pub fn waits(event: &TaskEvent) -> Option<NoticeKind> {
    let TaskEvent::Assignment(event) = event else { return None };
    if event.task.urgent {
        return None;
    }
    match event.change {
        AssignmentChange::Overdue | AssignmentChange::Milestone(MilestoneChange::Missed { .. }) => {
            Some(NoticeKind::Light)
        }
        // A person's act, or written in office hours.
        AssignmentChange::Signed
        | AssignmentChange::Deployed { .. }
        | AssignmentChange::Reported { .. }
        | AssignmentChange::Submitted { .. }
        | AssignmentChange::Verified { .. }
        | AssignmentChange::SentBack { .. }
        | AssignmentChange::StruckOff { .. }
        | AssignmentChange::ExtensionRequested { .. }
        | AssignmentChange::ExtensionGranted { .. }
        | AssignmentChange::ExtensionRefused { .. }
        | AssignmentChange::DeadlineRecomputed { .. }
        | AssignmentChange::Milestone(
            MilestoneChange::Reached { .. }
            | MilestoneChange::SentBack { .. }
            | MilestoneChange::Reminded { .. },
        )
        | AssignmentChange::SideRoad(_)
        | AssignmentChange::Pressed(_)
        | AssignmentChange::Reminded
        | AssignmentChange::Urged { .. } => None,
    }
}

/// From when on something that waits is told, if that is later than it happened.
pub fn told_from(happened_at: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    let moment = calendar.next_working_moment(happened_at);
    (moment > happened_at).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    #[test]
    fn what_happens_at_night_or_on_a_rest_day_is_told_in_office_hours() {
        let calendar = Calendar::built_in();
        for (happened, told) in [
            ("2023-06-08T18:00+08:00", Some("2023-06-09T08:00+08:00")),
            ("2023-06-10T00:00+08:00", Some("2023-06-12T08:00+08:00")),
            ("2023-09-29T00:00+08:00", Some("2023-10-07T08:00+08:00")),
            ("2023-10-07T09:00+08:00", None),
        ] {
            assert_eq!(told_from(at(happened), &calendar), told.map(at), "{happened}");
        }
    }
}
