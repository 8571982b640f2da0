//! How units, and leaders, keep their dates.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain_calendar::Timestamp;
use domain_supervision::{AssignmentChange, Board, Line, Period, ScoreRule, sum};
use xietong_mesh::{Call, Error, Scope};

use super::ledger::{charges, unit_name};
use super::{Supervision, authority::portfolio};
use crate::store::{self, Scored};

/// The longest period that is scored: five years, leap days included.
const LONGEST: Duration = Duration::from_secs((5 * 365 + 2) * 86_400);
/// Events that are read at a time, with the tasks of those that end an assignment.
const PORTION: u64 = 500;

/// What a scoreboard is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scoring {
    /// Units; of one, if it is named.
    Units(Option<String>),
    /// Leaders; one, if he is named.
    Leaders(Option<String>),
}

/// A line of a scoreboard.
#[derive(Debug)]
pub(crate) struct ScoredLine {
    /// `units/{slug}` or `officials/{id}`.
    pub(crate) key: String,
    /// What people call it.
    pub(crate) display_name: String,
    /// Place among all units, if it has one.
    pub(crate) rank: Option<usize>,
    /// Its figures.
    pub(crate) line: Line,
}

/// A scoreboard.
#[derive(Debug)]
pub(crate) struct Scoreboard {
    /// By what it was scored.
    pub(crate) rule: ScoreRule,
    /// The best first where ranked, else by key.
    pub(crate) lines: Vec<ScoredLine>,
    /// Of what it is.
    pub(crate) period: Period,
    /// When the roster was last known to be current, if the answer depends on it.
    pub(crate) roster_as_of: Option<Timestamp>,
}

impl Supervision {
    /// The scoreboard of a period, of what the caller may see.
    pub(crate) async fn scoreboard(
        &self,
        call: &Call,
        scoring: Scoring,
        period: Period,
        rule_version: Option<u32>,
    ) -> Result<Scoreboard, Error> {
        let now = self.now();
        let period = self.past(period)?;
        if let Scoring::Units(Some(key)) | Scoring::Leaders(Some(key)) = &scoring {
            self.known("key", key).await?;
        }
        // Taken before anything is resolved with it: what is said of the answer then holds.
        let as_of = self.roster.view().as_of();
        let scope = self.scope(call, now)?;
        let by_roster = scope.portfolio_of.is_some() || scope.mandate_of.is_some();
        let (scope, leaders) = match &scoring {
            Scoring::Units(_) => (scope, None),
            Scoring::Leaders(one) => {
                let leaders = self.leaders(call, one.as_deref(), period)?;
                // Whoever is responsible for it sees all that it is made of, and no texts of it.
                (Scope { all: true, ..scope }, Some(leaders))
            }
        };
        let rule = self.score_rule(rule_version, period).await?;
        let units = self.board(&scope, rule.clone(), period, now).await?;
        let sees_all = scope.all;
        let book = self.roster.view().book;
        let lines = match leaders {
            None => {
                let lines = units.into_iter().map(|(unit, line)| ScoredLine {
                    display_name: unit_name(&book, &unit).to_owned(),
                    key: unit,
                    rank: None,
                    line,
                });
                let lines = if sees_all { ranked(lines.collect()) } else { lines.collect() };
                lines.into_iter().filter(|line| scoring.asks_for(&line.key)).collect()
            }
            Some(leaders) => leaders
                .into_iter()
                .map(|(leader, led)| {
                    let mut line = Line::default();
                    led.iter().filter_map(|unit| units.get(unit)).for_each(|one| line.add(one.clone()));
                    let called = book.official(&leader).map(|official| official.display_name.clone());
                    let display_name = called.unwrap_or_else(|| leader.clone());
                    ScoredLine { key: leader, display_name, rank: None, line }
                })
                .collect(),
        };
        let depends = by_roster || matches!(scoring, Scoring::Leaders(_));
        Ok(Scoreboard { rule, lines, period, roster_as_of: as_of.filter(|_| depends) })
    }

    /// A period, no longer than until now. INVALID_ARGUMENT when nothing of it is past, and when it
    /// is longer than five years.
    pub(super) fn past(&self, period: Period) -> Result<Period, Error> {
        let period = Period { end: period.end.min(self.now()), ..period };
        if period.end <= period.start {
            let english = "must be later than start_time, which must be past";
            return Err(Error::invalid("end_time", english, "结束时间应晚于开始时间，且开始时间应早于现在"));
        }
        if period.end.since(period.start) > LONGEST {
            let english = "must be at most five years after start_time";
            return Err(Error::invalid("end_time", english, "统计期间最长为五年，请缩短后分次查询"));
        }
        Ok(period)
    }

    /// The leaders whose lines the caller may see, with the units each answers for at the end of
    /// the period: all of them for whoever presides over the whole, else himself alone.
    fn leaders(
        &self,
        call: &Call,
        one: Option<&str>,
        period: Period,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
        self.leaders_seen(call, one, Timestamp::from_micros(period.end.as_micros() - 1))
    }

    /// The same, with the units each answers for at an instant.
    pub(super) fn leaders_seen(
        &self,
        call: &Call,
        one: Option<&str>,
        last: Timestamp,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
        let denied = || Error::permission_denied(call.action);
        let view = self.roster()?;
        let caller = call.scope()?.portfolio_of.ok_or_else(denied)?;
        let division = view.book.view(self.now(), Timestamp::MAX).division();
        let presides = division.and_then(|division| division.presider()) == Some(caller.as_str());
        let mut leaders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if !presides {
            if one.is_some_and(|one| one != caller) {
                return Err(denied());
            }
            leaders.insert(caller.clone(), portfolio(&view, &caller, last));
            return Ok(leaders);
        }
        for (unit, leader) in charges(&view, last) {
            if one.is_none_or(|one| one == leader) {
                leaders.entry(leader).or_default().insert(unit);
            }
        }
        Ok(leaders)
    }

    /// The figures of each unit over a period, of what a scope permits, without what was corrected.
    pub(super) async fn board(
        &self,
        scope: &Scope,
        rule: ScoreRule,
        period: Period,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Line>, Error> {
        let reader = self.db.reader();
        let mut board = Board::new(rule, period);
        // Whatever ended after the period began may have been open in it.
        let mut after = (period.start.as_micros(), -1);
        loop {
            let events = store::scored(reader, scope, period.end, after, PORTION).await?;
            let ends = |scored: &&Scored| matches!(scored.event.change, AssignmentChange::StruckOff { .. });
            let numbers = events.iter().filter(ends).map(|scored| scored.event.task.ledger_number);
            let records = store::find_numbered(reader, &numbers.collect()).await?;
            for Scored { event, version, .. } in &events {
                if matches!(event.change, AssignmentChange::StruckOff { .. }) {
                    let record = records.get(&event.task.ledger_number);
                    let now_counted = record
                        .and_then(|record| record.task.assignment(&event.assignment.name).ok())
                        .and_then(|one| one.counted_from);
                    // A later one is of its reopening.
                    let counted_from = now_counted.filter(|from| *from <= event.at);
                    board.judge_struck_off(event, *version, counted_from);
                }
                board.happened(event, *version);
            }
            match events.last() {
                Some(last) if events.len() as u64 == PORTION => after = last.place,
                Some(_) | None => break,
            }
        }
        let mut after = 0;
        loop {
            let records = store::past_due(reader, scope, period.end, after, PORTION).await?;
            for record in &records {
                for one in &record.task.assignments {
                    board.judge_open(one, &self.regulation().clocks(&record.task, one), now);
                }
            }
            match records.last() {
                Some(last) if records.len() as u64 == PORTION => after = last.task.ledger_number,
                Some(_) | None => break,
            }
        }
        let corrections = store::corrections(reader).await?;
        let mut lines = board.into_lines();
        lines.values_mut().for_each(|line| line.correct(&corrections));
        Ok(lines)
    }
}

impl Scoring {
    fn asks_for(&self, key: &str) -> bool {
        match self {
            Scoring::Units(one) | Scoring::Leaders(one) => one.as_ref().is_none_or(|one| one == key),
        }
    }
}

/// The rule in force at the last instant of a period.
pub(super) fn in_force_at_end(rules: &[ScoreRule], period: Period) -> ScoreRule {
    ScoreRule::in_force(rules, Timestamp::from_micros(period.end.as_micros() - 1))
}

/// The best first: by the rate, then by the fewest days overdue; equals share their place.
pub(super) fn ranked(mut lines: Vec<ScoredLine>) -> Vec<ScoredLine> {
    let merit = |line: &ScoredLine| {
        let days = Reverse(sum(&line.line.days_overdue));
        line.line.on_time_rate().map(|rate| (rate, days))
    };
    // The sort is stable: equals stay in the order of their keys. What has no rate comes last.
    lines.sort_by_key(|line| Reverse(merit(line)));
    let mut last = None;
    for place in 0..lines.len() {
        let Some(line) = lines.get_mut(place) else { break };
        let Some(merit) = merit(line) else { break };
        let rank = match last {
            Some((before, rank)) if before == merit => rank,
            Some(_) | None => place + 1,
        };
        line.rank = Some(rank);
        last = Some((merit, rank));
    }
    lines
}
