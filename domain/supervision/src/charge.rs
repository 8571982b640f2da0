//! [`ChargedPause`]: time that a unit lost to others, and who answers for it.
//!
//! Every pause of an assignment's clock ends as one of these. The due times move by them, so
//! they say why a date is what it is, and the time is counted against whoever caused it.

use std::time::Duration;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::assignment::Assignment;

const MICROS_PER_MINUTE: i64 = 60_000_000;

/// A pause of an assignment's clock that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargedPause {
    /// What was waited for.
    pub kind: ChargeKind,
    /// Who answers for the time.
    pub to: ChargedTo,
    /// When the pause began.
    pub from: Timestamp,
    /// When it was over.
    pub until: Timestamp,
    /// By how much the settle date moved: the pause itself, or as much of it as the unit lost.
    pub moved: Duration,
}

/// What a unit waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChargeKind {
    /// A submission that was sent back had waited to be verified.
    Verification,
    /// A request for an extension had waited in vain, or too long.
    Extension,
    /// A return as misdirected that was refused had waited.
    Return,
    /// The assignment lay with a unit it was not meant for.
    Misdirection,
    /// 挂账.
    Suspension,
    /// Another unit had to do its part first.
    Waiting,
}

/// Who answers for lost time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChargedTo {
    /// Whoever verifies.
    Verifier,
    /// Whoever decides on the assignment: the leader in charge.
    Decider,
    /// The supervisor.
    Supervisor,
    /// Another unit, `units/{slug}`.
    Unit(String),
    /// Nobody: it was decided that no time runs.
    Nobody,
}

/// A due time as it is moved by time that others took. It is rounded up to the whole minute, never
/// down: a limit is written to the minute, and what is written must not be more than the unit has,
/// nor what the unit has less than it lost. What nothing moves stays as it is.
pub(crate) fn moved(due: Timestamp, by: Duration) -> Timestamp {
    if by.is_zero() {
        return due;
    }
    let late = due.saturating_add(by);
    match late.as_micros().rem_euclid(MICROS_PER_MINUTE) {
        0 => late,
        past => Timestamp::from_micros(late.as_micros().saturating_add(MICROS_PER_MINUTE - past)),
    }
}

impl ChargeKind {
    /// Whether every step of the assignment stood still, and not its settle date alone.
    fn stops_steps(self) -> bool {
        match self {
            Self::Return | Self::Suspension => true,
            Self::Verification | Self::Extension | Self::Misdirection | Self::Waiting => false,
        }
    }
}

impl Assignment {
    /// How long others have kept the unit waiting, in all: by how much its settle date moved.
    pub fn waited(&self) -> Duration {
        let others = self.charges.iter().filter(|one| match one.kind {
            // These are summed beside the list, which began later than they did.
            ChargeKind::Verification | ChargeKind::Extension => false,
            ChargeKind::Return | ChargeKind::Misdirection | ChargeKind::Suspension | ChargeKind::Waiting => {
                true
            }
        });
        others
            .map(|one| one.moved)
            .fold(self.verifier_wait.saturating_add(self.decider_wait), Duration::saturating_add)
    }

    /// When a step is due that would be due at an instant if nothing had stood still.
    pub(crate) fn step_due(&self, due: Timestamp) -> Timestamp {
        let stopped = self.charges.iter().filter(|one| one.kind.stops_steps());
        stopped.fold(due, |due, one| if one.from < due { moved(due, one.moved) } else { due })
    }

    /// When the last pause ended that every step stood still for: cycles before are not owed.
    pub(crate) fn steps_resumed_at(&self) -> Option<Timestamp> {
        self.charges.iter().filter(|one| one.kind.stops_steps()).map(|one| one.until).max()
    }

    /// When the last pause ended during which the matter would have been due, as things stood then.
    /// By it the matter is due later, at `settle`; but no report was asked for after it had been due,
    /// so cycles that ended before are not owed. Pauses of `waited_before` were known when the last
    /// day was set.
    pub(crate) fn resumed_after_due(&self, settle: Timestamp, waited_before: Duration) -> Option<Timestamp> {
        let mut waited = self.waited().saturating_sub(waited_before);
        let mut stood = settle;
        for pause in self.charges.iter().rev() {
            if waited.is_zero() {
                return None;
            }
            waited = waited.saturating_sub(pause.moved);
            stood = stood.saturating_sub(pause.moved);
            if stood <= pause.until {
                return Some(pause.until);
            }
        }
        None
    }

    /// Notes a pause that is over; one that cost nothing is none.
    pub(crate) fn charge(&mut self, charge: ChargedPause) {
        let sum = match charge.kind {
            ChargeKind::Verification => Some(&mut self.verifier_wait),
            ChargeKind::Extension => Some(&mut self.decider_wait),
            ChargeKind::Return | ChargeKind::Misdirection | ChargeKind::Suspension | ChargeKind::Waiting => {
                None
            }
        };
        if let Some(sum) = sum {
            *sum = sum.saturating_add(charge.moved);
        }
        if !charge.moved.is_zero() {
            self.charges.push(charge);
        }
    }

    /// Notes a pause that moves the settle date by all of it.
    pub(crate) fn charge_whole(
        &mut self,
        kind: ChargeKind,
        to: ChargedTo,
        from: Timestamp,
        until: Timestamp,
    ) {
        self.charge(ChargedPause { kind, to, from, until, moved: until.since(from) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_limit_is_on_the_minute_and_never_earlier() {
        let due = Timestamp::parse("2023-06-09T00:00+08:00").unwrap();
        let day = Duration::from_secs(86_400);
        for (by, expected) in [
            (Duration::ZERO, "2023-06-09T00:00+08:00"),
            (day, "2023-06-10T00:00+08:00"),
            (day + Duration::from_micros(1), "2023-06-10T00:01+08:00"),
            (day - Duration::from_secs(1), "2023-06-10T00:00+08:00"),
            (day + Duration::from_secs(3 * 3_600 + 5 * 60 + 1), "2023-06-10T03:06+08:00"),
        ] {
            assert_eq!(moved(due, by), Timestamp::parse(expected).unwrap());
        }
        let odd = Timestamp::parse("2023-06-09T09:00:30+08:00").unwrap();
        assert_eq!(moved(odd, Duration::ZERO), odd, "an emergency's clock has its own second");
    }
}
