//! Gaps of posts inside units: a head who is away, or somebody the unit's own AB list covers,
//! and nobody to act.

use domain_calendar::Timestamp;

use super::GapCause;
use super::cuts::{Collected, pieces, unit_changes};
use super::gather::{Gather, Subject};
use crate::book::Book;
use crate::interval::Interval;
use crate::moments::{moments_of, units_of};
use crate::official::{Official, PostKind};
use crate::scope::Matter;
use crate::stand_in::{acting, passed_over};
use crate::trace::Trace;
use crate::view::View;

/// Each absence is walked by itself, between the instants at which an answer about its official's
/// posts can change, whoever else comes and goes meanwhile.
pub(super) fn gaps<'a>(book: &'a Book, window: Interval, known_at: Timestamp, gather: &mut Gather<'a>) {
    let divisions: Vec<Timestamp> = book
        .divisions()
        .filter(|division| division.record_time <= known_at)
        .map(|division| division.effective_time)
        .collect();
    for absence in book.absences() {
        let time = absence.interval(known_at).and_then(|known| known.overlap(window));
        let Some(time) = time else { continue };
        let units = concerned(book, &absence.official);
        if units.is_empty() {
            continue;
        }
        for piece in pieces(&own_cuts(book, &absence.official, &units, time, known_at, &divisions)) {
            let view = book.view(piece.start, known_at);
            let away = view.away(&absence.official).is_some_and(|away| away.name == absence.name);
            if let Some(official) = view.official(&absence.official).filter(|_| away) {
                of_official(view, official, piece, gather);
            }
        }
    }
}

/// The gaps that somebody who is away leaves in a time in which no answer changes.
fn of_official<'a>(view: View<'a>, official: &'a Official, piece: Interval, gather: &mut Gather<'a>) {
    for (unit, is_head) in posts(view, official) {
        let substitutes = substitutes(view, official, unit);
        let acts = |one: &str| acting(view, one, &Matter::Whole, &substitutes, &mut Trace::Off).is_some();
        let covered = acts(&official.name)
            || is_head && view.holders(PostKind::UnitHead, Some(unit)).iter().any(|head| acts(&head.name));
        if !covered {
            let cause = GapCause::PostVacant { unit: unit.to_owned(), official: official.name.clone() };
            gather.add(cause.clone(), Subject::Post, piece);
            gather.pass_over(cause, piece, passed_over(view, &official.name, &substitutes));
        }
    }
}

/// The units that an official was ever the head of, or whose own list ever named a stand-in for
/// the official.
fn concerned<'a>(book: &'a Book, official: &str) -> Vec<&'a str> {
    let headed = |unit: &str| {
        let posts = book.official_versions(official).flat_map(|version| &version.value.posts);
        posts.filter(|post| post.kind == PostKind::UnitHead).any(|post| post.unit.as_deref() == Some(unit))
    };
    let listed = |unit: &str| book.stand_in_lists_of(unit).any(|list| list.stand_in(official).is_some());
    units_of(book, official).into_iter().filter(|unit| headed(unit) || listed(unit)).collect()
}

/// The instants in a time at which it can change whether an official's posts are covered.
fn own_cuts(
    book: &Book,
    official: &str,
    units: &[&str],
    time: Interval,
    known_at: Timestamp,
    divisions: &[Timestamp],
) -> Vec<Timestamp> {
    let mut cuts = Collected::within(time);
    divisions.iter().for_each(|at| cuts.add(*at));
    moments_of(book, official, time, known_at).into_iter().for_each(|at| cuts.add(at));
    for unit in units {
        unit_changes(book, unit, known_at).for_each(|at| cuts.add(at));
        // Another head of the unit, and a substitute of its liaison officer.
        for other in book.people_of_unit(unit).iter().filter(|other| *other != official) {
            let posts = book.official_versions(other).flat_map(|version| &version.value.posts);
            let counts = [PostKind::UnitHead, PostKind::LiaisonSubstitute];
            if posts.into_iter().any(|post| counts.contains(&post.kind)) {
                moments_of(book, other, time, known_at).into_iter().for_each(|at| cuts.add(at));
            }
        }
    }
    cuts.ordered()
}

/// The units whose head an official is, or whose own list names a stand-in for the official, and
/// which of the two.
fn posts<'a>(view: View<'a>, official: &'a Official) -> Vec<(&'a str, bool)> {
    let mut found: Vec<(&str, bool)> = Vec::new();
    for post in official.posts.iter().filter(|post| post.held_at(view.at())) {
        let Some(unit) = post.unit.as_deref() else { continue };
        let exists = view.unit(unit).is_some_and(|known| known.exists_at(view.at()));
        let is_head = official.holds(PostKind::UnitHead, Some(unit), view.at());
        let listed = || view.stand_in_list(unit).is_some_and(|list| list.stand_in(&official.name).is_some());
        if exists && found.iter().all(|(seen, _)| *seen != unit) && (is_head || listed()) {
            found.push((unit, is_head));
        }
    }
    found
}

/// Those who stand in for a liaison officer.
fn substitutes<'a>(view: View<'a>, official: &Official, unit: &str) -> Vec<&'a str> {
    if !official.holds(PostKind::Liaison, Some(unit), view.at()) {
        return Vec::new();
    }
    let holders = view.holders(PostKind::LiaisonSubstitute, Some(unit));
    holders.into_iter().map(|substitute| substitute.name.as_str()).collect()
}
