//! Gaps of posts inside units: a head who is away, or somebody the unit's own AB list covers,
//! and nobody to act.

use domain_calendar::Timestamp;

use super::GapCause;
use super::cuts::Cuts;
use super::gather::{Gather, Subject};
use crate::book::Book;
use crate::official::{Official, PostKind};
use crate::scope::Matter;
use crate::stand_in::{acting, passed_over};
use crate::trace::Trace;
use crate::view::View;

pub(super) fn gaps<'a>(book: &'a Book, known_at: Timestamp, cuts: &Cuts, gather: &mut Gather<'a>) {
    for piece in cuts.all() {
        let view = book.view(piece.start, known_at);
        for absence in view.absentees() {
            let Some(official) = view.official(&absence.official) else { continue };
            for (unit, is_head) in posts(view, official) {
                let substitutes = substitutes(view, official, unit);
                let acts =
                    |one: &str| acting(view, one, &Matter::Whole, &substitutes, &mut Trace::Off).is_some();
                let covered = acts(&official.name)
                    || is_head
                        && view.holders(PostKind::UnitHead, Some(unit)).iter().any(|head| acts(&head.name));
                if !covered {
                    let cause =
                        GapCause::PostVacant { unit: unit.to_owned(), official: official.name.clone() };
                    gather.add(cause.clone(), Subject::Post, piece);
                    gather.pass_over(cause, piece, passed_over(view, &official.name, &substitutes));
                }
            }
        }
    }
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
