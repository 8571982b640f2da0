//! [`days_overdue`]: for how long a settle date has been missed.

use domain_calendar::Timestamp;

use crate::assignment::{Assignment, AssignmentState};
use crate::deadline::{Clocks, hold};

const MICROS_PER_DAY: u128 = 86_400_000_000;

/// For how many days an assignment was or is past its settle date, each day begun counted, as
/// its clock counts: time for which others kept it waiting is not in it. Zero when it is in time,
/// and when no clock runs (a draft, withdrawn).
pub fn days_overdue(assignment: &Assignment, clocks: &Clocks, now: Timestamp) -> u32 {
    match (clocks.due.settle, worked_until(assignment, now)) {
        (Some(due), Some(until)) => days_past(due, until),
        (None, _) | (_, None) => 0,
    }
}

/// How many days after a due time (exclusive) an instant is, each day begun counted.
pub fn days_past(due: Timestamp, until: Timestamp) -> u32 {
    if until < due {
        return 0;
    }
    let whole = until.since(due).as_micros() / MICROS_PER_DAY;
    u32::try_from(whole).unwrap_or(u32::MAX).saturating_add(1)
}

/// Until when the unit's clock has run; none when it never did or does not count.
pub(crate) fn worked_until(assignment: &Assignment, now: Timestamp) -> Option<Timestamp> {
    match assignment.state {
        AssignmentState::Pending | AssignmentState::Withdrawn => None,
        AssignmentState::Suspended => assignment.suspension.as_ref().map(|one| one.since),
        AssignmentState::StruckOff => assignment.completed_at,
        AssignmentState::Assigned
        | AssignmentState::Signed
        | AssignmentState::Deployed
        | AssignmentState::InProgress
        | AssignmentState::Submitted
        | AssignmentState::Returned => Some(hold(assignment).map_or(now, |hold| hold.since)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_overdue_from_its_first_instant() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let due = at("2023-06-09T00:00:00+08:00");
        for (until, days) in [
            ("2023-06-08T23:59:59.999999+08:00", 0),
            ("2023-06-09T00:00:00+08:00", 1),
            ("2023-06-09T23:59:59.999999+08:00", 1),
            ("2023-06-10T00:00:00+08:00", 2),
            ("2023-07-09T00:00:00+08:00", 31),
        ] {
            assert_eq!(days_past(due, at(until)), days, "{until}");
        }
    }
}
