//! Duty rosters (值班): who keeps watch when, by rule.
//!
//! A roster has a season, the times of day at which one team hands over to the next, and the
//! teams in the order of their turns. Its shifts are computed and never stored. A change holds
//! from an instant on, and the turns begin anew there; a swap (换班) puts others on one shift, or,
//! when it runs already, on the rest of it.

mod admit;
mod shifts;
#[cfg(test)]
mod tests;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

pub use admit::{admit_duty_change, admit_duty_roster, admit_duty_swap};
pub use shifts::{DutyShift, duty_gaps, duty_shifts};

/// Those who are on duty together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DutyTeam {
    /// The leader on duty (带班领导), `officials/{id}`; unset only where a swap leaves a shift
    /// empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// The others, `officials/{id}` each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

impl DutyTeam {
    /// Everybody in it, the leader first.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        self.leader.iter().chain(&self.members).map(String::as_str)
    }
}

/// Who keeps watch when, as it holds from an instant on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DutyRoster {
    /// `dutyRosters/{id}`.
    pub name: String,
    /// For example 市防汛抗旱指挥部办公室值班表.
    pub display_name: String,
    /// The unit that keeps the watch, `units/{slug}`.
    pub unit: String,
    /// First instant of the season.
    pub start_time: Timestamp,
    /// First instant after it.
    pub end_time: Timestamp,
    /// Minutes after midnight, Asia/Shanghai, at which one team hands over to the next; rising.
    pub handovers: Vec<u16>,
    /// In the order of their turns.
    pub teams: Vec<DutyTeam>,
    /// Place in `teams` of the one that is on duty first, counted from 0.
    #[serde(default)]
    pub first_team: usize,
}

/// Others take one shift (换班), from its start or, when it runs already, from when the roster
/// learns of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DutySwap {
    /// `dutyRosters/{id}`.
    pub duty_roster: String,
    /// First instant of the shift.
    pub shift_start_time: Timestamp,
    /// Who takes it; nobody leaves it empty.
    pub team: DutyTeam,
    /// On what ground.
    pub ground: String,
    /// When the roster learned of it.
    pub recorded_at: Timestamp,
}
