//! [`Alarms`]: which gaps in coverage were told.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alarm::GapFacts;

/// By subject, the gaps that were told and not called off, in order of time. Those that are over
/// are forgotten with the subject's next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Alarms(BTreeMap<String, Vec<GapFacts>>);

impl Alarms {
    pub(super) fn open(&mut self, gap: &GapFacts, recorded_at: Timestamp) {
        self.put(gap, recorded_at);
    }

    /// A gap takes the place of the one that began at an instant, and of all in its own time.
    pub(super) fn change(&mut self, gap: &GapFacts, previous: Timestamp, recorded_at: Timestamp) {
        self.current(gap, recorded_at).retain(|told| told.start_time != previous);
        self.put(gap, recorded_at);
    }

    pub(super) fn close(&mut self, gap: &GapFacts, recorded_at: Timestamp) {
        self.current(gap, recorded_at).retain(|told| told.start_time != gap.start_time);
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
        gaps.retain(|told| told.interval().overlap(gap.interval()).is_none());
        gaps.push(gap.clone());
        gaps.sort_by_key(|gap| gap.start_time);
    }

    fn current(&mut self, gap: &GapFacts, recorded_at: Timestamp) -> &mut Vec<GapFacts> {
        let gaps = self.0.entry(gap.subject.clone()).or_default();
        gaps.retain(|told| recorded_at < told.interval().end);
        gaps
    }
}
