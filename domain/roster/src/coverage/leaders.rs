//! Gaps of leaders who are away.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;

use super::GapCause;
use super::charges::{Charge, Charges};
use super::cuts::Cuts;
use super::gather::{Gather, Subject, merged};
use crate::absence::Absence;
use crate::book::{Book, Filed};
use crate::interval::Interval;
use crate::scope::Matter;
use crate::stand_in::{acting, passed_over};
use crate::trace::Trace;

/// Which parts of an absence, and which exclusions, something falls under: the answer is the
/// same for all that falls under the same.
type Parts = Vec<bool>;

/// The gaps of a period in which one division is in force.
pub(super) fn gaps<'a>(
    book: &'a Book,
    filed: &'a Filed,
    period: Interval,
    known_at: Timestamp,
    cuts: &Cuts,
    charges: &Charges<'a>,
    gather: &mut Gather<'a>,
) {
    for (leader, charged) in &charges.0 {
        for (absence, pieces) in absences(book, leader, period, known_at, cuts) {
            let span = Interval {
                start: pieces.first().map_or(period.start, |piece| piece.start),
                end: pieces.last().map_or(period.start, |piece| piece.end),
            };
            let mut groups: BTreeMap<Parts, Vec<(Charge<'a>, Matter<'a>)>> = BTreeMap::new();
            for charge in charged {
                let Some(shared) = charge.interval.overlap(span) else { continue };
                let charge = Charge { subject: charge.subject, interval: shared };
                let Some(matter) = matter(book, &charge, known_at) else { continue };
                groups.entry(parts(filed, absence, &matter)).or_default().push((charge, matter));
            }
            for group in groups.into_values() {
                let Some((_, matter)) = group.first() else { continue };
                let uncovered = uncovered(book, leader, matter, &pieces, known_at, gather);
                for (charge, _) in &group {
                    for gap in uncovered.iter().filter_map(|gap| gap.overlap(charge.interval)) {
                        gather.add(cause(leader), charge.subject, gap);
                    }
                }
            }
        }
    }
}

/// A leader's absences in a period, each with the pieces of it in which no answer changes.
fn absences<'a>(
    book: &'a Book,
    leader: &str,
    period: Interval,
    known_at: Timestamp,
    cuts: &Cuts,
) -> Vec<(&'a Absence, Vec<Interval>)> {
    let mut found: Vec<(&Absence, Vec<Interval>)> = Vec::new();
    if book.absences_of(leader).next().is_none() {
        return found;
    }
    for piece in cuts.within(period) {
        let Some(absence) = book.away(leader, piece.start, known_at) else { continue };
        match found.last_mut().filter(|(last, _)| last.name == absence.name) {
            Some((_, pieces)) => pieces.push(piece),
            None => found.push((absence, vec![piece])),
        }
    }
    found
}

/// The pieces in which nobody acts for a leader in a matter, merged.
fn uncovered<'a>(
    book: &'a Book,
    leader: &'a str,
    matter: &Matter<'a>,
    pieces: &[Interval],
    known_at: Timestamp,
    gather: &mut Gather<'a>,
) -> Vec<Interval> {
    let mut uncovered = Vec::new();
    for piece in pieces {
        let view = book.view(piece.start, known_at);
        if acting(view, leader, matter, &[], &mut Trace::Off).is_none() {
            uncovered.push(*piece);
            gather.pass_over(cause(leader), *piece, passed_over(view, leader, &[]));
        }
    }
    merged(uncovered)
}

fn matter<'a>(book: &'a Book, charge: &Charge<'a>, known_at: Timestamp) -> Option<Matter<'a>> {
    match charge.subject {
        Subject::Unit(name) => {
            let view = book.view(charge.interval.start, known_at);
            Some(Matter::Unit(view, view.unit(name)?))
        }
        Subject::Field(field) => Some(Matter::field(field)),
        Subject::Post => None,
    }
}

fn parts(filed: &Filed, absence: &Absence, matter: &Matter<'_>) -> Parts {
    let shares = absence.shares.iter().map(|share| &share.scope);
    let exclusions = filed.division().exclusions.iter();
    let exclusions = exclusions.filter(|exclusion| exclusion.official == absence.official);
    let scopes = shares.chain([&absence.excluded]).chain(exclusions.map(|exclusion| &exclusion.scope));
    scopes.map(|scope| scope.covers(matter)).collect()
}

fn cause(leader: &str) -> GapCause {
    GapCause::LeaderAway { official: leader.to_owned() }
}
