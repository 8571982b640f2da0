//! Coverage: when some unit, field of work, post or watch is unanswered for.
//!
//! A gap is a time in which [`crate::who`] names nobody who acts. It is looked for between
//! boundaries only: the instants at which a division, an absence, a unit's AB list, a post or a
//! unit begins, ends or changes. Units are grouped by who is accountable for them and by the
//! parts of an absence they fall under, so that a question is asked once a group and not once a
//! unit.

mod charges;
mod cuts;
mod gather;
mod leaders;
mod posts;

use domain_calendar::Timestamp;

use crate::book::Book;
use crate::duty::duty_gaps;
use crate::interval::Interval;

use charges::Charges;
use cuts::Cuts;
use gather::{Gather, Subject};

pub(crate) use gather::merged;

/// Why nobody answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapCause {
    /// No division of work is known that holds then.
    NoDivision,
    /// The division names nobody: it has nobody who presides over the whole, or leaves a field
    /// to several.
    NobodyInCharge {
        /// `divisions/{id}`.
        division: String,
    },
    /// The leader in charge is away, and so is everybody who could act, or may not act.
    LeaderAway {
        /// `officials/{id}`.
        official: String,
    },
    /// Somebody a unit cannot do without is away, its head or one its own AB list covers, and
    /// nobody acts for the post.
    PostVacant {
        /// `units/{slug}`.
        unit: String,
        /// `officials/{id}`.
        official: String,
    },
    /// Nobody who is on duty is there.
    DutyUnmanned {
        /// `dutyRosters/{id}`.
        duty_roster: String,
    },
}

/// A time in which something is unanswered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageGap {
    /// Why.
    pub cause: GapCause,
    /// First instant of the gap.
    pub start_time: Timestamp,
    /// First instant after it.
    pub end_time: Timestamp,
    /// Units nobody answers for, `units/{slug}` each, in order.
    pub units: Vec<String>,
    /// Fields of work nobody answers for, as the division has them, in order.
    pub fields: Vec<String>,
    /// Whom it fell through to: those who were asked to act in turn and cannot, `officials/{id}`
    /// each, in the order of being asked.
    pub passed_over: Vec<String>,
}

impl CoverageGap {
    /// Why nobody answers, as officials read it.
    pub fn chinese(&self, book: &Book) -> String {
        let label = |official: &str| {
            book.official(official).map_or(official.to_owned(), |known| known.display_name.clone())
        };
        let passed_over: Vec<String> = self.passed_over.iter().map(|official| label(official)).collect();
        let passed_over = match passed_over.as_slice() {
            [] => "没有代行人".to_owned(),
            names => format!("{}不在岗或不能代行", names.join("、")),
        };
        match &self.cause {
            GapCause::NoDivision => "没有已知的分工".to_owned(),
            GapCause::NobodyInCharge { division } => {
                let division = book.division(division).map_or(division.as_str(), |known| known.label());
                format!("{division}没有确定负责人")
            }
            GapCause::LeaderAway { official } => format!("{}不在岗，{passed_over}", label(official)),
            GapCause::DutyUnmanned { duty_roster } => {
                let called = book.duty_roster(duty_roster).map(|known| known.display_name.as_str());
                format!("{}无人值班", called.unwrap_or(duty_roster))
            }
            GapCause::PostVacant { unit, official } => {
                let unit = book.unit(unit).map_or(unit.as_str(), |known| known.display_name.as_str());
                format!("{unit}{}不在岗，{passed_over}", label(official))
            }
        }
    }

    /// When.
    pub fn interval(&self) -> Interval {
        Interval { start: self.start_time, end: self.end_time }
    }
}

/// Every gap in a window, as far as it was known at an instant, by start and then by cause. Each
/// is as long as it lasts within the window; things that are unanswered for in the same time and
/// for the same cause are one gap.
pub fn coverage(book: &Book, window: Interval, known_at: Timestamp) -> Vec<CoverageGap> {
    let cuts = Cuts::of(book, window, known_at);
    let mut gather = Gather::default();
    for period in cuts.periods() {
        let filed = book.in_force(period.start, known_at);
        let charges = Charges::of(book, filed, period, known_at, &mut gather);
        if let Some(filed) = filed {
            leaders::gaps(book, filed, period, known_at, &cuts, &charges, &mut gather);
        }
    }
    posts::gaps(book, window, known_at, &mut gather);
    let duties: Vec<_> = book
        .duty_rosters()
        .map(|roster| (&roster.name, duty_gaps(book, &roster.name, window, known_at)))
        .collect();
    for (name, (interval, team)) in
        duties.iter().flat_map(|(name, gaps)| gaps.iter().map(move |gap| (name, gap)))
    {
        let cause = GapCause::DutyUnmanned { duty_roster: (*name).clone() };
        gather.add(cause.clone(), Subject::Post, *interval);
        gather.pass_over(cause, *interval, team.people().collect());
    }
    gather.gaps()
}

#[cfg(test)]
mod scale;
#[cfg(test)]
mod tests;
