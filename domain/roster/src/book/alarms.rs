//! [`Alarms`]: which gaps in coverage were told.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alarm::GapFacts;
use crate::interval::Interval;

/// By subject, the gaps that were told and not called off, in order of time. Those that are over
/// are forgotten with the subject's next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Alarms(BTreeMap<String, Vec<GapFacts>>);

impl Alarms {
    pub(super) fn open(&mut self, gap: &GapFacts, recorded_at: Timestamp) {
        self.put(gap, recorded_at);
    }

    /// A gap takes the place of what it holds of one that was told with these times, and of all
    /// that it holds in its own time.
    pub(super) fn change(&mut self, gap: &GapFacts, previous: Interval, recorded_at: Timestamp) {
        let told = self.current(gap, recorded_at);
        take_out(told, gap, |told| told.interval() == previous);
        self.put(gap, recorded_at);
    }

    pub(super) fn close(&mut self, gap: &GapFacts, recorded_at: Timestamp) {
        let told = self.current(gap, recorded_at);
        take_out(told, gap, |told| told.interval() == gap.interval());
    }

    pub(super) fn restore(&mut self, subject: &str, gaps: Vec<GapFacts>) {
        self.0.insert(subject.to_owned(), gaps);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &[GapFacts])> {
        self.0.iter().map(|(subject, gaps)| (subject.as_str(), gaps.as_slice()))
    }

    pub(super) fn of(&self, subject: &str) -> &[GapFacts] {
        self.0.get(subject).map(Vec::as_slice).unwrap_or_default()
    }

    fn put(&mut self, gap: &GapFacts, recorded_at: Timestamp) {
        let gaps = self.current(gap, recorded_at);
        take_out(gaps, gap, |told| told.interval().overlap(gap.interval()).is_some());
        gaps.push(gap.clone());
        gaps.sort_by_key(|gap| (gap.start_time, gap.interval().end));
    }

    fn current(&mut self, gap: &GapFacts, recorded_at: Timestamp) -> &mut Vec<GapFacts> {
        let gaps = self.0.entry(gap.subject.clone()).or_default();
        gaps.retain(|told| recorded_at < told.interval().end);
        gaps
    }
}

/// Takes what a gap holds out of those that were told and meet a condition.
fn take_out(told: &mut Vec<GapFacts>, gap: &GapFacts, meets: impl Fn(&GapFacts) -> bool) {
    let all = std::mem::take(told).into_iter();
    told.extend(all.filter_map(|told| if meets(&told) { told.without(gap) } else { Some(told) }));
}
