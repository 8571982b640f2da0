//! Counting what became of operations while it happens.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use xietong_testkit::api::ApiError;
use xietong_testkit::history::Outcome;

/// What became of the attempts so far.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

/// How often what happened to an attempt.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counts {
    /// Attempts that were acknowledged.
    pub(crate) acknowledged: u64,
    /// Refusals by code and reason.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Lost answers by code and reason.
    pub(crate) lost: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn count(&self, outcome: &Outcome) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = |error: &ApiError| format!("{} {}", error.code, error.reason);
        match outcome {
            Outcome::Invoked => {}
            Outcome::Acknowledged(_) => counts.acknowledged += 1,
            Outcome::Refused(error) => *counts.refused.entry(kind(error)).or_default() += 1,
            Outcome::Unknown(error) => *counts.lost.entry(kind(error)).or_default() += 1,
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        let (refused, lost): (u64, u64) = (counts.refused.values().sum(), counts.lost.values().sum());
        write!(f, "{} acknowledged, {refused} refused, {lost} answers lost", counts.acknowledged)
    }
}
