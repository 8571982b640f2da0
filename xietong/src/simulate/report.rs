//! What is said of the city in the end: lights, a scoreboard, what was done.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_supervision::days_past;
use serde::Serialize;
use xietong_proto::supervision::{Assignment, AssignmentState, Light, Task, TaskState};

use super::life::{Memory, instant};
use super::notices::Notices;
use super::people::People;

/// What a simulation was asked for and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// From this instant.
    pub from: String,
    /// Until this one.
    pub to: String,
    /// What chance was drawn from.
    pub seed: u64,
    /// The lights at the end of each month, and in the end.
    pub lights: Vec<Lights>,
    /// The units, the best first.
    pub scoreboard: Vec<Score>,
    /// How often each thing was done.
    pub acts: Acts,
    /// What people were told.
    pub notices: Notices,
}

/// How many tasks show each light.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lights {
    /// The day.
    pub day: String,
    /// 绿.
    pub green: u32,
    /// 黄.
    pub yellow: u32,
    /// 红.
    pub red: u32,
    /// 蓝: struck off.
    pub blue: u32,
    /// 灰.
    pub grey: u32,
}

/// How a unit did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// `units/{slug}`.
    pub unit: String,
    /// What people call it.
    pub display_name: String,
    /// 在办.
    pub open: u32,
    /// 办结.
    pub settled: u32,
    /// 按时率 in percent: of what is settled or overdue, what was settled in time.
    pub on_time_percent: Option<u32>,
    /// 逾期天数, in all.
    pub days_overdue: u64,
    /// 延期次数.
    pub extensions: u32,
}

/// How often each thing was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Acts {
    /// 签收.
    pub signed: u32,
    /// 部署.
    pub deployed: u32,
    /// 反馈.
    pub reported: u32,
    /// 申请延期.
    pub asked: u32,
    /// 同意延期.
    pub granted: u32,
    /// 不同意延期.
    pub refused: u32,
    /// Of those, decided by whoever acted for an absent leader: 代行.
    pub decided_standing_in: u32,
    /// 申请办结.
    pub submitted: u32,
    /// 核验通过.
    pub verified: u32,
    /// 退回.
    pub sent_back: u32,
    /// 外出.
    pub absences: u32,
    /// 外出 that was not registered, since the other of the pair was away.
    pub absences_refused: u32,
    /// 议定事项 that became tasks.
    pub escalated: u32,
    /// 批示 with a date.
    pub instructed: u32,
}

impl Lights {
    /// The lights of a ledger.
    pub(super) fn of(day: String, ledger: &[Task]) -> Self {
        let count = |light: Light| {
            let shown =
                ledger.iter().filter(|task| task.state() != TaskState::Draft && task.light() == light);
            u32::try_from(shown.count()).unwrap_or(u32::MAX)
        };
        Lights {
            day,
            green: count(Light::Green),
            yellow: count(Light::Yellow),
            red: count(Light::Red),
            blue: count(Light::Blue),
            grey: count(Light::Grey),
        }
    }
}

/// What is counted of a unit.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    open: u32,
    settled: u32,
    open_overdue: u32,
    settled_late: u32,
    days_overdue: u64,
    extensions: u32,
}

/// How each unit with an assignment did, by an instant. Results are ranked: on time first, then
/// the fewest days overdue.
pub(super) fn scoreboard(
    ledger: &[Task],
    memories: &BTreeMap<String, Memory>,
    people: &People<'_>,
    now: Timestamp,
) -> anyhow::Result<Vec<Score>> {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for assignment in ledger.iter().flat_map(|task| &task.assignments) {
        let memory = memories.get(&assignment.name);
        let Some(ended) = ended(assignment, memory, now)? else { continue };
        let tally = tallies.entry(&assignment.unit).or_default();
        let overdue = days_past(instant(assignment.settle_due_time.as_ref())?, ended);
        if assignment.state() == AssignmentState::StruckOff {
            tally.settled += 1;
            tally.settled_late += u32::from(overdue > 0);
        } else {
            tally.open += 1;
            tally.open_overdue += u32::from(overdue > 0);
        }
        tally.days_overdue += u64::from(overdue);
        tally.extensions += memory.map_or(0, |memory| memory.granted);
    }
    let mut scores: Vec<Score> = tallies
        .into_iter()
        .map(|(unit, tally)| Score {
            unit: unit.to_owned(),
            display_name: people.called(unit).to_owned(),
            open: tally.open,
            settled: tally.settled,
            on_time_percent: tally.on_time_percent(),
            days_overdue: tally.days_overdue,
            extensions: tally.extensions,
        })
        .collect();
    scores.sort_by(|one, other| {
        (other.on_time_percent, one.days_overdue, &one.unit).cmp(&(
            one.on_time_percent,
            other.days_overdue,
            &other.unit,
        ))
    });
    Ok(scores)
}

impl Tally {
    /// None while there is nothing to judge by.
    fn on_time_percent(self) -> Option<u32> {
        let on_time = self.settled.saturating_sub(self.settled_late);
        on_time.saturating_mul(100).checked_div(self.settled.saturating_add(self.open_overdue))
    }
}

/// Until when an assignment's clock ran against the unit; none if it never did.
fn ended(
    assignment: &Assignment,
    memory: Option<&Memory>,
    now: Timestamp,
) -> anyhow::Result<Option<Timestamp>> {
    Ok(match assignment.state() {
        AssignmentState::StruckOff => Some(instant(assignment.complete_time.as_ref())?),
        AssignmentState::Submitted => {
            Some(memory.and_then(|memory| memory.submitted).map_or(now, Timestamp::start_of_day))
        }
        AssignmentState::Assigned
        | AssignmentState::Signed
        | AssignmentState::Deployed
        | AssignmentState::InProgress => match &assignment.extension_request {
            Some(request) => Some(instant(request.request_time.as_ref())?),
            None => Some(now),
        },
        AssignmentState::Unspecified
        | AssignmentState::Pending
        | AssignmentState::Returned
        | AssignmentState::Suspended
        | AssignmentState::Withdrawn => None,
    })
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn the_rate_counts_what_is_settled_and_what_is_overdue() {
        assert_eq!(Tally { open: 3, ..Tally::default() }.on_time_percent(), None);
        let tally = Tally { open: 3, settled: 3, open_overdue: 1, settled_late: 1, ..Tally::default() };
        assert_eq!(tally.on_time_percent(), Some(50));
    }
}
