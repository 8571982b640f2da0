//! Who may ever act for an official, and the instants at which it can change who does: so that
//! nobody else's comings and goings have to be looked at.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;

use crate::absence::Absence;
use crate::book::Book;
use crate::interval::Interval;

/// The units in which an official ever had a post.
pub(crate) fn units_of<'a>(book: &'a Book, official: &str) -> BTreeSet<&'a str> {
    let posts = book.official_versions(official).flat_map(|version| &version.value.posts);
    posts.filter_map(|post| post.unit.as_deref()).collect()
}

/// Whoever some division, some list of a unit's own or some absence in a time names to act for an
/// official.
pub(crate) fn may_act<'a>(book: &'a Book, official: &str, during: Interval) -> BTreeSet<&'a str> {
    let absences = book.absences_of(official).filter(|absence| {
        let (start, end) = absence.ever();
        Interval { start, end }.overlap(during).is_some()
    });
    let mut found: BTreeSet<&str> = absences.flat_map(named).collect();
    for filed in book.filed() {
        found.extend(filed.standing_b(official).into_iter().chain(filed.third(official)));
        if filed.leads(official) {
            let fallback = filed.division().fallback.iter().flat_map(|fallback| &fallback.officials);
            found.extend(fallback.map(String::as_str));
        }
    }
    let lists = units_of(book, official).into_iter().flat_map(|unit| book.stand_in_lists_of(unit));
    found.extend(lists.filter_map(|list| list.stand_in(official)));
    found
}

/// Whom an absence names.
fn named(absence: &Absence) -> impl Iterator<Item = &str> {
    let shares = absence.shares.iter().map(|share| share.stand_in.as_str());
    absence.stand_in.as_deref().into_iter().chain(shares)
}

/// The instants at which it can change who acts for an official in a time, as far as the roster
/// was known at another; not in order, and some of them outside of that time. When a division
/// takes effect, and what becomes of units, is not among them.
pub(crate) fn moments_of(
    book: &Book,
    official: &str,
    during: Interval,
    known_at: Timestamp,
) -> Vec<Timestamp> {
    let posts = book.official_versions(official).flat_map(|version| &version.value.posts);
    let posts = posts.flat_map(|post| [post.start_time, post.end_time]).flatten();
    let lists = units_of(book, official).into_iter().flat_map(|unit| book.stand_in_lists_of(unit));
    let lists = lists.map(|list| list.effective_time);
    let others = may_act(book, official, during).into_iter().chain([official]);
    let absences = others.flat_map(|other| book.absences_of(other));
    let absences = absences.filter_map(|absence| absence.interval(known_at)?.overlap(during));
    let absences = absences.flat_map(|known| [known.start, known.end]);
    posts.chain(lists).chain(absences).collect()
}
