//! What leaders and groups do beside the ledger: days away, and decisions that are escalated.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use time::macros::time;
use time::{Date, Month};
use xietong_proto::{roster, workgroup};

use super::behaviour::later;
use super::life::{Life, instant, time_of};

/// In how many of a hundred months a leader is away for some days.
const AWAY_PERCENT: i64 = 75;
/// On how many of a hundred working days a group escalates a decision.
const ESCALATED_PERCENT: i64 = 4;

const REASONS: [&str; 4] = ["赴省城开会", "外出招商", "参加培训", "赴京汇报工作"];
const DECISIONS: [&str; 4] =
    ["限期办结项目用地手续", "限期整改专项检查发现的问题", "限期拨付项目配套资金", "限期打通施工堵点"];

impl Life<'_> {
    /// Registers the leaders' absences of a month, known on the first day that is lived of it. One
    /// that would leave both of a pair away is refused and does not take place.
    pub(super) async fn month(&mut self, today: Date, now: Timestamp) -> anyhow::Result<()> {
        let leaders = self.people.leaders();
        let (presiding, paired) = self.standing(now).await?;
        for leader in &leaders {
            let mut random =
                self.behaviour.chance(&format!("away/{leader}/{}/{}", today.year(), today.month()));
            let first = random.between(1, i64::from(today.month().length(today.year())));
            let days = random.between(1, 4);
            let start = later(today.replace_day(1)?, first - 1);
            let (reason, stand_in) = (random.choose(&REASONS), random.choose(&leaders));
            if !random.percent(AWAY_PERCENT) || start <= today {
                continue;
            }
            // Who has no B is given one for each absence; the mayor has the city's fallback.
            let named = !paired.contains(leader) && !presiding.contains(leader);
            let absence = roster::Absence {
                official: leader.clone(),
                start_time: time_of(Timestamp::start_of_day(start)),
                end_time: time_of(Timestamp::start_of_day(later(start, days))),
                stand_in: stand_in.filter(|other| named && *other != leader).cloned().unwrap_or_default(),
                reason: reason.copied().unwrap_or_default().to_owned(),
                ..Default::default()
            };
            if self.people.away(absence).await? {
                self.acts.absences += 1;
            } else {
                self.acts.absences_refused += 1;
            }
        }
        Ok(())
    }

    /// Who presides over the whole, and who has a B, by the division in force.
    async fn standing(&self, now: Timestamp) -> anyhow::Result<(BTreeSet<String>, BTreeSet<String>)> {
        let mut in_force = None;
        for division in self.people.divisions().await? {
            let effective = instant(division.effective_time.as_ref())?;
            if effective <= now && in_force.as_ref().is_none_or(|(since, _)| *since < effective) {
                in_force = Some((effective, division));
            }
        }
        let Some((_, division)) = in_force else { return Ok((BTreeSet::new(), BTreeSet::new())) };
        let presiding = division.portfolios.into_iter().filter(|one| one.presides).map(|one| one.official);
        let paired = division
            .pairs
            .into_iter()
            .flat_map(|pair| std::iter::once(pair.official).chain(pair.mutual.then_some(pair.stand_in)));
        Ok((presiding.collect(), paired.collect()))
    }

    /// Whether a group escalates a decision on a day.
    pub(super) fn escalates_on(&self, today: Date) -> bool {
        self.behaviour.chance(&format!("escalates/{today}")).percent(ESCALATED_PERCENT)
    }

    /// A group decides something and hands it to supervision.
    pub(super) async fn escalate(&mut self, today: Date) -> anyhow::Result<()> {
        let mut random = self.behaviour.chance(&format!("decision/{today}"));
        let (groups, units) = (self.people.groups().await?, self.people.units());
        let (Some(group), Some(unit)) = (random.choose(&groups), random.choose(&units)) else {
            return Ok(());
        };
        let meeting = workgroup::Meeting {
            title: "工作调度会".to_owned(),
            meet_time: time_of(Timestamp::at(today, time!(14:00))),
            place: "市政府".to_owned(),
            ..Default::default()
        };
        let last_day = later(today, random.between(10, 60));
        let decision = workgroup::Decision {
            text: random.choose(&DECISIONS).copied().unwrap_or_default().to_owned(),
            lead_units: vec![unit.clone()],
            due_time: time_of(Timestamp::start_of_day(later(last_day, 1))),
            ..Default::default()
        };
        self.people.escalate(group, meeting, decision).await?;
        self.acts.escalated += 1;
        Ok(())
    }
}

/// Whether a day is the last of its month.
pub(super) fn ends_month(day: Date) -> bool {
    day.day() == day.month().length(day.year())
}

/// The same time of the same day a year later.
pub(super) fn a_year_after(at: Timestamp) -> Timestamp {
    let day = at.day();
    let next = day.year().saturating_add(1);
    // The 29th of February has its anniversary on the 28th.
    let last = if day.month() == Month::February { day.day().min(28) } else { day.day() };
    let day = Date::from_calendar_date(next, day.month(), last).unwrap_or(Date::MAX);
    Timestamp::at(day, at.time_of_day())
}
