//! Who acts for an official who is away.
//!
//! The order is: the B named for the absence, a liaison officer's substitute, the standing B, the
//! third stand-in (C角), the configured fallback. Whoever is away is skipped. Every candidate comes
//! from the official's own entries, never from a candidate's: standing in is not transitive.

use domain_calendar::Timestamp;

use crate::absence::Absence;
use crate::book::Book;
use crate::division::Division;
use crate::interval::chinese_instant;
use crate::resolution::{Rule, Step};
use crate::view::View;

/// Somebody who may stand in, by which rule, and on what ground.
struct Candidate<'a> {
    rule: Rule,
    official: &'a str,
    basis: String,
}

/// Who acts for an official at the instant of the view; nobody when unresolved. `substitutes` are
/// those of the post asked for.
pub(crate) fn acting<'a>(
    view: View<'a>,
    official: &'a str,
    substitutes: &[&'a str],
    steps: &mut Vec<Step>,
) -> Option<&'a str> {
    let label = view.official_label(official);
    let Some(absence) = view.away(official) else {
        steps.push(Step::chosen(Rule::Present, official, format!("{label}在岗，由本人办理")));
        return Some(official);
    };
    steps.push(Step::skipped(Rule::Absent, official, away_basis(view, absence)));
    let division = view.division();
    for candidate in candidates(view, division, absence, substitutes) {
        let Candidate { rule, official: candidate, basis } = candidate;
        if candidate == official {
            steps.push(Step::skipped(rule, candidate, format!("{basis}；即不在岗的本人")));
        } else if let Some(absence) = view.away(candidate) {
            steps.push(Step::skipped(rule, candidate, format!("{basis}；{}", away_basis(view, absence))));
        } else {
            steps.push(Step::chosen(rule, candidate, basis));
            return Some(candidate);
        }
    }
    let basis = format!("{label}不在岗且无人可以代行，须由市长指定");
    steps.push(Step::none(Rule::Unresolved, basis));
    None
}

/// Who acts for an official at an instant, by all that is known.
pub(crate) fn acting_for(book: &Book, official: &str, at: Timestamp) -> Option<String> {
    acting(book.view(at, Timestamp::MAX), official, &[], &mut Vec::new()).map(str::to_owned)
}

fn candidates<'a>(
    view: View<'a>,
    division: Option<&'a Division>,
    absence: &'a Absence,
    substitutes: &[&'a str],
) -> Vec<Candidate<'a>> {
    let official = absence.official.as_str();
    let label = view.official_label(official);
    let mut found = Vec::new();
    if let Some(named) = absence.stand_in.as_deref() {
        let basis = format!("本次不在岗指定由{}代行", view.official_label(named));
        found.push(Candidate { rule: Rule::NamedB, official: named, basis });
    }
    for substitute in substitutes {
        let basis = format!("联络员不在岗，由替补{}代行", view.official_label(substitute));
        found.push(Candidate { rule: Rule::LiaisonSubstitute, official: substitute, basis });
    }
    let Some(division) = division else { return found };
    let document = division.label();
    if let Some(standing) = division.standing_b(official) {
        let basis = format!("{document}：{}为{label}的B角", view.official_label(standing));
        found.push(Candidate { rule: Rule::StandingB, official: standing, basis });
    }
    if let Some(third) = division.third_stand_in(official) {
        let basis = format!("{document}：{}为{label}的C角", view.official_label(third));
        found.push(Candidate { rule: Rule::ThirdStandIn, official: third, basis });
    }
    // The fallback is for those the division gives work to: it never signs for a bureau's head.
    if let Some(fallback) = &division.fallback
        && division.portfolio(official).is_some()
    {
        found.extend(fallback.officials.iter().map(|official| Candidate {
            rule: Rule::Fallback,
            official,
            basis: format!("{}：由{}代行", fallback.basis, view.official_label(official)),
        }));
    }
    found
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
