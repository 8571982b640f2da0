//! [`LadderRule`]: what of the instruments' ladder a timer may use by itself, and who signs the
//! rest.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::instrument::Instrument;
use crate::rule::RuleError;

/// The ladder of instruments, as a version of the rule has it. A timer never uses more than the
/// reminder (提醒) and the urging (催办).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LadderRule {
    /// A timer reminds once when the time left becomes short.
    pub remind_at_yellow: bool,
    /// How often a timer urges of one missed step, at most; 0: never.
    pub most_urgings: u32,
    /// Hours between two urgings of one assignment, whoever urges.
    pub cool_down_hours: u32,
    /// What needs the decision of a named leader. Interview, public notice and referral always
    /// do; a rule may only add to them.
    pub leader_signs: BTreeSet<Instrument>,
}

impl LadderRule {
    /// Time between two urgings of one assignment.
    pub fn cool_down(&self) -> Duration {
        Duration::from_secs(u64::from(self.cool_down_hours) * 3_600)
    }

    /// Refuses a ladder that could not be meant.
    pub(crate) fn check(&self) -> Result<(), RuleError> {
        let left_out =
            |instrument: &Instrument| instrument.needs_leader() && !self.leader_signs.contains(instrument);
        if self.most_urgings > 10 || !(1..=720).contains(&self.cool_down_hours) {
            Err(RuleError::Urgings)
        } else if Instrument::ALL.iter().any(left_out) {
            Err(RuleError::LeaderSigns)
        } else {
            Ok(())
        }
    }
}

impl Default for LadderRule {
    fn default() -> Self {
        LadderRule {
            remind_at_yellow: true,
            most_urgings: 1,
            cool_down_hours: 24,
            leader_signs: Instrument::ALL.into_iter().filter(|one| one.needs_leader()).collect(),
        }
    }
}
