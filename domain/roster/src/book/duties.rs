//! [`Duties`]: the duty rosters over time, and the swaps of their shifts.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use super::entries::Entries;
use crate::duty::{DutyRoster, DutySwap};

/// Duty rosters, and by roster the swaps in the order of recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Duties {
    pub(super) rosters: Entries<DutyRoster>,
    swaps: BTreeMap<String, Vec<DutySwap>>,
}

impl Duties {
    /// Takes in a swap; the same again changes nothing.
    pub(super) fn swap(&mut self, swap: &DutySwap, recorded_at: Timestamp) {
        let swap = DutySwap { recorded_at, ..swap.clone() };
        let swaps = self.swaps.entry(swap.duty_roster.clone()).or_default();
        if !swaps.contains(&swap) {
            swaps.push(swap);
        }
    }

    pub(super) fn swaps_of(&self, roster: &str) -> &[DutySwap] {
        self.swaps.get(roster).map(Vec::as_slice).unwrap_or_default()
    }
}
