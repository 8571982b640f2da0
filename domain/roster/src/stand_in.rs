//! Who acts for an official who is away.
//!
//! The order is: the B named for the absence (for the part in question, else for the rest), a
//! liaison officer's substitute, the standing B of the division or of the unit's own list, the
//! third stand-in (C角), the configured fallback. Whoever is away is skipped, and so is every
//! stand-in but the fallback for what is not delegated. Every candidate comes from the official's
//! own entries, never from a candidate's: standing in is not transitive.

use domain_calendar::Timestamp;

use crate::absence::Absence;
use crate::book::{Book, Filed};
use crate::division::Fallback;
use crate::interval::chinese_instant;
use crate::resolution::{Rule, Step};
use crate::scope::{Matter, Scope};
use crate::stand_in_list::StandInList;
use crate::trace::Trace;
use crate::view::View;

/// Why somebody may stand in.
#[derive(Debug, Clone, Copy)]
enum Ground<'a> {
    /// Named for a part of the duties in this absence.
    Share(&'a Scope),
    /// Named for this absence.
    Named,
    /// A liaison officer's substitute.
    Substitute,
    /// The standing B of the division.
    Standing(&'a Filed),
    /// The standing B of the unit's own list.
    List(&'a StandInList),
    /// The third stand-in.
    Third(&'a Filed),
    /// What the city has decided for when no pair helps.
    Fallback(&'a Fallback),
}

/// Somebody who may stand in.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    official: &'a str,
    ground: Ground<'a>,
}

/// Who acts for an official in a matter at the instant of the view; nobody when unresolved.
/// `substitutes` are those of the post asked for.
pub(crate) fn acting<'a>(
    view: View<'a>,
    official: &'a str,
    matter: &Matter<'_>,
    substitutes: &[&'a str],
    trace: &mut Trace,
) -> Option<&'a str> {
    let label = || view.official_label(official);
    let Some(absence) = view.away(official) else {
        trace.note(|| Step::chosen(Rule::Present, official, format!("{}在岗，由本人办理", label())));
        return Some(official);
    };
    trace.note(|| Step::skipped(Rule::Absent, official, away_basis(view, absence)));
    let filed = view.filed();
    let excluded = exclusion(filed, absence, matter);
    let parts = absence.shares.iter().filter(|share| share.scope.covers(matter));
    let parts =
        parts.map(|share| Candidate { official: &share.stand_in, ground: Ground::Share(&share.scope) });
    for candidate in parts.chain(candidates(view, filed, absence, substitutes)) {
        let note = |remark: &str| {
            let basis = format!("{}{remark}", basis(view, official, candidate));
            Step::skipped(candidate.ground.rule(), candidate.official, basis)
        };
        if let Some(why) = excluded.filter(|_| !candidate.ground.is_fallback()) {
            trace.note(|| note(&format!("；{why}，不授权代行")));
        } else if candidate.official == official {
            trace.note(|| note("；即不在岗的本人"));
        } else if let Some(absence) = view.away(candidate.official) {
            trace.note(|| note(&format!("；{}", away_basis(view, absence))));
        } else {
            trace.note(|| {
                let basis = basis(view, official, candidate);
                Step::chosen(candidate.ground.rule(), candidate.official, basis)
            });
            return Some(candidate.official);
        }
    }
    trace.note(|| {
        let basis = format!("{}不在岗且无人可以代行，须由市长指定", label());
        Step::none(Rule::Unresolved, basis)
    });
    None
}

/// Whoever could act for an absent official, whatever the matter, in the order of being asked:
/// where nobody acts, those who are away too or may not act.
pub(crate) fn passed_over<'a>(view: View<'a>, official: &'a str, substitutes: &[&'a str]) -> Vec<&'a str> {
    let Some(absence) = view.away(official) else { return Vec::new() };
    let parts = absence.shares.iter().map(|share| share.stand_in.as_str());
    let others = candidates(view, view.filed(), absence, substitutes).map(|candidate| candidate.official);
    parts.chain(others).filter(|candidate| *candidate != official).collect()
}

/// Who acts for all of an official's duties at an instant, as far as it was known at another.
pub(crate) fn acting_as_known<'a>(
    book: &'a Book,
    official: &'a str,
    at: Timestamp,
    known_at: Timestamp,
) -> Option<&'a str> {
    acting(book.view(at, known_at), official, &Matter::Whole, &[], &mut Trace::Off)
}

/// Who acts for all of an official's duties at an instant, by all that is known.
pub(crate) fn acting_for(book: &Book, official: &str, at: Timestamp) -> Option<String> {
    acting_as_known(book, official, at, Timestamp::MAX).map(str::to_owned)
}

/// Why a matter is not delegated to any stand-in; none when it is.
fn exclusion<'a>(filed: Option<&'a Filed>, absence: &'a Absence, matter: &Matter<'_>) -> Option<&'a str> {
    if absence.excluded.covers(matter) {
        return Some("本次不在岗登记");
    }
    let exclusions = filed.into_iter().flat_map(|filed| &filed.division().exclusions);
    let mut own = exclusions.filter(|exclusion| exclusion.official == absence.official);
    own.find(|exclusion| exclusion.scope.covers(matter)).map(|exclusion| exclusion.basis.as_str())
}

fn candidates<'a>(
    view: View<'a>,
    filed: Option<&'a Filed>,
    absence: &'a Absence,
    substitutes: &[&'a str],
) -> impl Iterator<Item = Candidate<'a>> {
    let official = absence.official.as_str();
    let named = absence.stand_in.as_deref().map(|official| Candidate { official, ground: Ground::Named });
    let substitutes = substitutes.iter().map(|official| Candidate { official, ground: Ground::Substitute });
    let standing = filed.and_then(|filed| {
        let official = filed.standing_b(official)?;
        Some(Candidate { official, ground: Ground::Standing(filed) })
    });
    let list = move || {
        let (list, official) = view.list_stand_in(official)?;
        Some(Candidate { official, ground: Ground::List(list) })
    };
    let third = filed.and_then(|filed| {
        let official = filed.third(official)?;
        Some(Candidate { official, ground: Ground::Third(filed) })
    });
    // The fallback is for those the division gives work to: it never signs for a bureau's head.
    let fallback =
        filed.filter(|filed| filed.leads(official)).and_then(|filed| filed.division().fallback.as_ref());
    let fallback = fallback.into_iter().flat_map(|fallback| {
        let officials = fallback.officials.iter();
        officials.map(move |official| Candidate { official, ground: Ground::Fallback(fallback) })
    });
    let substitutes: Vec<Candidate<'a>> = substitutes.collect();
    named
        .into_iter()
        .chain(substitutes)
        .chain(standing)
        .chain(std::iter::once_with(list).flatten())
        .chain(third)
        .chain(fallback)
}

impl Ground<'_> {
    fn rule(self) -> Rule {
        match self {
            Ground::Share(_) | Ground::Named => Rule::NamedB,
            Ground::Substitute => Rule::LiaisonSubstitute,
            Ground::Standing(_) | Ground::List(_) => Rule::StandingB,
            Ground::Third(_) => Rule::ThirdStandIn,
            Ground::Fallback(_) => Rule::Fallback,
        }
    }

    fn is_fallback(self) -> bool {
        match self {
            Ground::Fallback(_) => true,
            Ground::Share(_)
            | Ground::Named
            | Ground::Substitute
            | Ground::Standing(_)
            | Ground::List(_)
            | Ground::Third(_) => false,
        }
    }
}

/// Why somebody may stand in for an official, as people read it.
fn basis(view: View<'_>, official: &str, candidate: Candidate<'_>) -> String {
    let (label, name) = (view.official_label(official), view.official_label(candidate.official));
    match candidate.ground {
        Ground::Share(scope) => format!("本次不在岗指定由{name}代行{}", scope.chinese(view)),
        Ground::Named => format!("本次不在岗指定由{name}代行"),
        Ground::Substitute => format!("联络员不在岗，由替补{name}代行"),
        Ground::Standing(filed) => format!("{}：{name}为{label}的B角", filed.division().label()),
        Ground::List(list) => format!("{}内部AB角：{name}为{label}的B角", view.unit_label(&list.unit)),
        Ground::Third(filed) => format!("{}：{name}为{label}的C角", filed.division().label()),
        Ground::Fallback(fallback) => format!("{}：由{name}代行", fallback.basis),
    }
}

fn away_basis(view: View<'_>, absence: &Absence) -> String {
    let label = view.official_label(&absence.official);
    let reason = if absence.reason.is_empty() { String::new() } else { format!("（{}）", absence.reason) };
    match absence.interval(view.known_at()) {
        Some(known) => {
            format!("{label}{}至{}不在岗{reason}", chinese_instant(known.start), chinese_instant(known.end))
        }
        None => format!("{label}不在岗{reason}"),
    }
}
