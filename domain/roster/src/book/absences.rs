//! [`Absences`]: the absences of each official, and who is away now at a glance.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::absence::Absence;

/// Every absence by official, in the order of recording.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Vec<Absence>>", into = "BTreeMap<String, Vec<Absence>>")]
pub(super) struct Absences {
    by_official: BTreeMap<String, Arc<Leave>>,
    /// Absence → official.
    named: Arc<HashMap<String, String>>,
}

/// One official's absences.
#[derive(Debug, Clone, Default)]
struct Leave {
    all: Vec<Absence>,
    /// In order of start: when an absence was ever said to start at the earliest and to end at
    /// the latest, and its place in `all`.
    spans: Vec<Span>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    start: Timestamp,
    end: Timestamp,
    place: usize,
    /// The latest end of this span and of those before it.
    reach: Timestamp,
}

impl PartialEq for Absences {
    fn eq(&self, other: &Self) -> bool {
        self.all().eq(other.all())
    }
}

impl Eq for Absences {}

impl From<BTreeMap<String, Vec<Absence>>> for Absences {
    fn from(all: BTreeMap<String, Vec<Absence>>) -> Self {
        let mut absences = Absences::default();
        all.into_values().flatten().for_each(|absence| absences.add(absence));
        absences
    }
}

impl From<Absences> for BTreeMap<String, Vec<Absence>> {
    fn from(absences: Absences) -> Self {
        let own = |leave: Arc<Leave>| Arc::unwrap_or_clone(leave).all;
        absences.by_official.into_iter().map(|(official, leave)| (official, own(leave))).collect()
    }
}

impl Absences {
    pub(super) fn add(&mut self, absence: Absence) {
        Arc::make_mut(&mut self.named).insert(absence.name.clone(), absence.official.clone());
        let leave = self.by_official.entry(absence.official.clone()).or_default();
        Arc::make_mut(leave).add(absence);
    }

    /// Changes an absence; false when there is none of the name.
    pub(super) fn change(&mut self, official: &str, name: &str, change: impl FnOnce(&mut Absence)) -> bool {
        let Some(leave) = self.by_official.get_mut(official) else { return false };
        let Some(place) = leave.all.iter().position(|absence| absence.name == name) else { return false };
        Arc::make_mut(leave).change(place, change);
        true
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Absence> {
        self.by_official.values().flat_map(|leave| &leave.all)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Absence> {
        self.of(self.named.get(name)?).find(|absence| absence.name == name)
    }

    pub(super) fn of(&self, official: &str) -> impl Iterator<Item = &Absence> + use<'_> {
        self.by_official.get(official).into_iter().flat_map(|leave| &leave.all)
    }

    /// The absence of an official that holds an instant, as far as it was known at another.
    pub(super) fn away(&self, official: &str, at: Timestamp, known_at: Timestamp) -> Option<&Absence> {
        self.by_official.get(official).and_then(|leave| leave.away(at, known_at))
    }

    /// Who is away at an instant, as far as it was known at another.
    pub(super) fn absentees(&self, at: Timestamp, known_at: Timestamp) -> impl Iterator<Item = &Absence> {
        self.by_official.values().filter_map(move |leave| leave.away(at, known_at))
    }
}

impl Leave {
    /// Absences of one official do not overlap as they are known at any instant, so that few were
    /// ever said to hold one; where a log says that several do, the first recorded is taken.
    fn away(&self, at: Timestamp, known_at: Timestamp) -> Option<&Absence> {
        let begun = self.spans.partition_point(|span| span.start <= at);
        let may_hold = self.spans.get(..begun)?.iter().rev().take_while(|span| at < span.reach);
        let holding = may_hold.filter(|span| at < span.end).filter_map(|span| {
            let absence = self.all.get(span.place)?;
            let known = absence.interval(known_at)?;
            known.contains(at).then_some((span.place, absence))
        });
        holding.min_by_key(|(place, _)| *place).map(|(_, absence)| absence)
    }

    fn add(&mut self, absence: Absence) {
        let place = self.all.len();
        self.all.push(absence);
        self.span(place);
    }

    fn change(&mut self, place: usize, change: impl FnOnce(&mut Absence)) {
        if let Some(absence) = self.all.get_mut(place) {
            change(absence);
        }
        self.spans.retain(|span| span.place != place);
        self.span(place);
    }

    /// Puts the span of an absence in its place.
    fn span(&mut self, place: usize) {
        let Some(absence) = self.all.get(place) else { return };
        let (start, end) = absence.ever();
        let at = self.spans.partition_point(|other| (other.start, other.place) < (start, place));
        self.spans.insert(at, Span { start, end, place, reach: end });
        let mut reach = Timestamp::MIN;
        for span in &mut self.spans {
            reach = reach.max(span.end);
            span.reach = reach;
        }
    }
}
