//! [`Cuts`]: the instants in a window at which an answer can change.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;

use crate::book::Book;
use crate::interval::Interval;
use crate::unit::Unit;

/// Instants in order; the first is the window's start, the last its end.
pub(super) struct Cuts {
    /// When another division takes effect.
    divisions: Vec<Timestamp>,
    /// When that or anything else changes.
    all: Vec<Timestamp>,
}

impl Cuts {
    pub(super) fn of(book: &Book, window: Interval, known_at: Timestamp) -> Self {
        let mut divisions = Collected::within(window);
        book.divisions()
            .filter(|division| division.record_time <= known_at)
            .for_each(|division| divisions.add(division.effective_time));
        let mut all = Collected { found: divisions.found.clone(), window };
        for absence in book.absences() {
            all.add_both(absence.interval(known_at).filter(|known| known.overlap(window).is_some()));
        }
        book.stand_in_lists()
            .filter(|list| list.recorded_at <= known_at)
            .for_each(|list| all.add(list.effective_time));
        for official in book.officials_at(window.start, known_at) {
            let times = official.posts.iter().flat_map(|post| [post.start_time, post.end_time]);
            times.flatten().for_each(|at| all.add(at));
        }
        for unit in book.units() {
            unit_changes(book, &unit.name, known_at).for_each(|at| all.add(at));
        }
        Cuts { divisions: divisions.ordered(), all: all.ordered() }
    }

    /// The times in which one division, or none, is in force.
    pub(super) fn periods(&self) -> impl Iterator<Item = Interval> {
        pieces(&self.divisions)
    }

    /// The times in a period in which no answer changes, but for what becomes of units.
    pub(super) fn within(&self, period: Interval) -> impl Iterator<Item = Interval> {
        let first = self.all.partition_point(|at| *at < period.start);
        let end = self.all.partition_point(|at| *at <= period.end);
        pieces(self.all.get(first..end).unwrap_or_default())
    }
}

/// The times between instants in order.
pub(super) fn pieces(cuts: &[Timestamp]) -> impl Iterator<Item = Interval> {
    cuts.windows(2).filter_map(|pair| Some(Interval { start: *pair.first()?, end: *pair.last()? }))
}

/// When a unit begins, ends or becomes another.
pub(super) fn unit_changes(book: &Book, unit: &str, known_at: Timestamp) -> impl Iterator<Item = Timestamp> {
    let versions = book.unit_versions(unit).filter(move |version| version.recorded_at <= known_at);
    let times = versions.flat_map(|version| {
        let Unit { start_time, end_time, .. } = version.value;
        [version.effective_time, start_time, end_time]
    });
    times.flatten()
}

/// The instants in a window at which it can change who answers for a unit: those of the unit
/// and of all it ever belonged to.
pub(super) fn unit_cuts(book: &Book, unit: &str, window: Interval, known_at: Timestamp) -> Vec<Timestamp> {
    let mut cuts = Collected::within(window);
    let (mut seen, mut open) = (BTreeSet::new(), vec![unit]);
    while let Some(unit) = open.pop() {
        if seen.insert(unit) {
            unit_changes(book, unit, known_at).for_each(|at| cuts.add(at));
            open.extend(book.unit_versions(unit).filter_map(|version| version.value.parent.as_deref()));
        }
    }
    cuts.ordered()
}

/// Instants on their way into order.
pub(super) struct Collected {
    found: Vec<Timestamp>,
    window: Interval,
}

impl Collected {
    pub(super) fn within(window: Interval) -> Self {
        Collected { found: vec![window.start, window.end], window }
    }

    pub(super) fn add(&mut self, at: Timestamp) {
        if self.window.contains(at) {
            self.found.push(at);
        }
    }

    fn add_both(&mut self, interval: Option<Interval>) {
        if let Some(Interval { start, end }) = interval {
            self.add(start);
            self.add(end);
        }
    }

    pub(super) fn ordered(mut self) -> Vec<Timestamp> {
        self.found.sort_unstable();
        self.found.dedup();
        self.found
    }
}
