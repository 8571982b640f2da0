//! What was done to an absence, and its times as they were known at an instant.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use super::Absence;
use crate::interval::Interval;

/// What was done to an absence after it was registered, and when the roster learned of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AbsenceChange {
    /// The official came back before the registered end (销假).
    EndedEarly {
        /// First instant back.
        end_time: Timestamp,
        /// When it was recorded.
        recorded_at: Timestamp,
    },
    /// The official comes back later.
    Extended {
        /// First instant back.
        end_time: Timestamp,
        /// By which the mayor approved that A and B are away together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<String>,
        /// Document that formally reassigned the duties.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reassignment: Option<String>,
        /// When it was recorded.
        recorded_at: Timestamp,
    },
    /// Its times had been recorded wrongly.
    Corrected {
        /// First instant away.
        start_time: Timestamp,
        /// First instant back.
        end_time: Timestamp,
        /// By which the mayor approved that A and B are away together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<String>,
        /// Document that formally reassigned the duties.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reassignment: Option<String>,
        /// When it was recorded.
        recorded_at: Timestamp,
    },
    /// The official acknowledged what was done for him.
    Acknowledged {
        /// How many acts, of all of them.
        acts: i64,
        /// When it was recorded.
        recorded_at: Timestamp,
    },
    /// The official did not leave after all.
    Cancelled {
        /// When it was recorded.
        recorded_at: Timestamp,
    },
}

impl AbsenceChange {
    pub(crate) fn recorded_at(&self) -> Timestamp {
        match self {
            AbsenceChange::EndedEarly { recorded_at, .. }
            | AbsenceChange::Extended { recorded_at, .. }
            | AbsenceChange::Corrected { recorded_at, .. }
            | AbsenceChange::Acknowledged { recorded_at, .. }
            | AbsenceChange::Cancelled { recorded_at } => *recorded_at,
        }
    }
}

impl Absence {
    /// From when to when the official is away, as far as it was known at an instant; none before
    /// it was registered, and none when it was cancelled. The interval is empty when the official
    /// came back before, or as, it began.
    pub fn interval(&self, known_at: Timestamp) -> Option<Interval> {
        let registered = Interval { start: self.start_time, end: self.end_time };
        let mut known = self.changes.iter().filter(|change| change.recorded_at() <= known_at);
        (self.recorded_at <= known_at)
            .then(|| {
                known.try_fold(registered, |interval, change| match change {
                    AbsenceChange::EndedEarly { end_time, .. } => {
                        Some(Interval { end: interval.end.min(*end_time), ..interval })
                    }
                    AbsenceChange::Extended { end_time, .. } => {
                        Some(Interval { end: interval.end.max(*end_time), ..interval })
                    }
                    AbsenceChange::Corrected { start_time, end_time, .. } => {
                        Some(Interval { start: *start_time, end: *end_time })
                    }
                    AbsenceChange::Acknowledged { .. } => Some(interval),
                    AbsenceChange::Cancelled { .. } => None,
                })
            })
            .flatten()
    }

    /// From when at the earliest to when at the latest it was ever said to last.
    pub(crate) fn ever(&self) -> (Timestamp, Timestamp) {
        let registered = (self.start_time, self.end_time);
        self.changes.iter().fold(registered, |(start, end), change| match change {
            AbsenceChange::Corrected { start_time, end_time, .. } => {
                (start.min(*start_time), end.max(*end_time))
            }
            AbsenceChange::Extended { end_time, .. } => (start, end.max(*end_time)),
            AbsenceChange::EndedEarly { .. }
            | AbsenceChange::Acknowledged { .. }
            | AbsenceChange::Cancelled { .. } => (start, end),
        })
    }

    /// By which the mayor approved that A and B are away together, as last stated.
    pub fn last_approval(&self) -> Option<&str> {
        self.last_stated(self.approval.as_deref(), |change| match change {
            AbsenceChange::Extended { approval, .. } | AbsenceChange::Corrected { approval, .. } => {
                approval.as_deref()
            }
            AbsenceChange::EndedEarly { .. }
            | AbsenceChange::Acknowledged { .. }
            | AbsenceChange::Cancelled { .. } => None,
        })
    }

    /// The document that formally reassigned the duties, as last stated.
    pub fn last_reassignment(&self) -> Option<&str> {
        self.last_stated(self.reassignment.as_deref(), |change| match change {
            AbsenceChange::Extended { reassignment, .. } | AbsenceChange::Corrected { reassignment, .. } => {
                reassignment.as_deref()
            }
            AbsenceChange::EndedEarly { .. }
            | AbsenceChange::Acknowledged { .. }
            | AbsenceChange::Cancelled { .. } => None,
        })
    }

    /// How many of the acts done for the official he has acknowledged, and when he last did.
    pub fn acknowledged(&self) -> (i64, Option<Timestamp>) {
        self.changes.iter().fold((0, None), |before, change| match change {
            AbsenceChange::Acknowledged { acts, recorded_at } => (*acts, Some(*recorded_at)),
            AbsenceChange::EndedEarly { .. }
            | AbsenceChange::Extended { .. }
            | AbsenceChange::Corrected { .. }
            | AbsenceChange::Cancelled { .. } => before,
        })
    }

    fn last_stated<'a>(
        &'a self,
        registered: Option<&'a str>,
        stated: impl Fn(&'a AbsenceChange) -> Option<&'a str>,
    ) -> Option<&'a str> {
        self.changes.iter().rev().find_map(stated).or(registered)
    }

    /// Whether the last that is known of its end is that the official came back early.
    pub(super) fn ended_early(&self) -> bool {
        self.changes.iter().fold(false, |early, change| match change {
            AbsenceChange::EndedEarly { .. } => true,
            AbsenceChange::Extended { .. } | AbsenceChange::Corrected { .. } => false,
            AbsenceChange::Acknowledged { .. } | AbsenceChange::Cancelled { .. } => early,
        })
    }
}
