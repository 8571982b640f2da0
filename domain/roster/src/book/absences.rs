//! [`Absences`]: the absences of each official, and who is away now at a glance.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::absence::Absence;

/// Every absence by official, in the order of recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Vec<Absence>>", into = "BTreeMap<String, Vec<Absence>>")]
pub(super) struct Absences(BTreeMap<String, Leave>);

/// One official's absences.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Leave {
    all: Vec<Absence>,
    /// By all that is known, in order of time: start, end and place in `all`. Absences of one
    /// official do not overlap, so that one look finds the one that holds an instant; where a
    /// log says that some do, this is left empty and all of them are looked at.
    known: Vec<(Timestamp, Timestamp, usize)>,
    /// From when on nothing more was recorded.
    settled_at: Timestamp,
}

impl From<BTreeMap<String, Vec<Absence>>> for Absences {
    fn from(all: BTreeMap<String, Vec<Absence>>) -> Self {
        let leave = |all: Vec<Absence>| {
            let mut leave = Leave { all, known: Vec::new(), settled_at: Timestamp::MIN };
            leave.settle();
            leave
        };
        Absences(all.into_iter().map(|(official, all)| (official, leave(all))).collect())
    }
}

impl From<Absences> for BTreeMap<String, Vec<Absence>> {
    fn from(absences: Absences) -> Self {
        absences.0.into_iter().map(|(official, leave)| (official, leave.all)).collect()
    }
}

impl Absences {
    pub(super) fn add(&mut self, absence: Absence) {
        let none = Leave { all: Vec::new(), known: Vec::new(), settled_at: Timestamp::MIN };
        let leave = self.0.entry(absence.official.clone()).or_insert(none);
        leave.all.push(absence);
        leave.settle();
    }

    /// Changes an absence; false when there is none of the name.
    pub(super) fn change(&mut self, official: &str, name: &str, change: impl FnOnce(&mut Absence)) -> bool {
        let Some(leave) = self.0.get_mut(official) else { return false };
        let Some(absence) = leave.all.iter_mut().find(|absence| absence.name == name) else { return false };
        change(absence);
        leave.settle();
        true
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Absence> {
        self.0.values().flat_map(|leave| &leave.all)
    }

    pub(super) fn of(&self, official: &str) -> impl Iterator<Item = &Absence> + use<'_> {
        self.0.get(official).into_iter().flat_map(|leave| &leave.all)
    }

    /// The absence of an official that holds an instant, as far as it was known at another.
    pub(super) fn away(&self, official: &str, at: Timestamp, known_at: Timestamp) -> Option<&Absence> {
        self.0.get(official).and_then(|leave| leave.away(at, known_at))
    }

    /// Who is away at an instant, as far as it was known at another.
    pub(super) fn absentees(&self, at: Timestamp, known_at: Timestamp) -> impl Iterator<Item = &Absence> {
        self.0.values().filter_map(move |leave| leave.away(at, known_at))
    }
}

impl Leave {
    fn away(&self, at: Timestamp, known_at: Timestamp) -> Option<&Absence> {
        if known_at < self.settled_at || self.known.is_empty() {
            return self
                .all
                .iter()
                .find(|absence| absence.interval(known_at).is_some_and(|interval| interval.contains(at)));
        }
        let next = self.known.partition_point(|(start, _, _)| *start <= at);
        let (_, end, place) = self.known.get(next.checked_sub(1)?)?;
        (at < *end).then(|| self.all.get(*place)).flatten()
    }

    fn settle(&mut self) {
        let intervals = self.all.iter().enumerate().filter_map(|(place, absence)| {
            let known = absence.known()?;
            (known.start < known.end).then_some((known.start, known.end, place))
        });
        self.known = intervals.collect();
        self.known.sort_unstable();
        let overlap = self.known.iter().zip(self.known.iter().skip(1)).any(|(one, next)| next.0 < one.1);
        if overlap {
            self.known.clear();
        }
        let changed = self.all.iter().flat_map(|absence| {
            absence.changes.iter().map(|change| change.recorded_at()).chain([absence.recorded_at])
        });
        self.settled_at = changed.max().unwrap_or(Timestamp::MIN);
    }
}
