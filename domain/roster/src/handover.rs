//! What changes hands when a division of work takes effect.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::book::{Book, Filed};
use crate::charge::{Charge, of_unit};
use crate::division::Division;
use crate::event::{DivisionTookEffect, RosterEvent};

/// A unit whose person in charge changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handover {
    /// `units/{slug}`.
    pub unit: String,
    /// Who answered for it until then; unset when the old division did not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who answers from then on; unset when the new division leaves nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The units whose person in charge differs between two divisions, in order of resource name, as
/// the units stand when the new one takes effect.
///
/// A unit the new division states and the old one did not is first stated: it has no `from`, for
/// the old division said nothing of it. A unit neither states changes hands only when another
/// presides over the whole.
pub fn handovers(book: &Book, old: Option<&Division>, new: &Division) -> Vec<Handover> {
    let view = book.view(new.effective_time, Timestamp::MAX);
    let (old, new) = (old.cloned().map(Filed::of), Filed::of(new.clone()));
    let mut found = Vec::new();
    for unit in view.units() {
        let before = old.as_ref().and_then(|old| of_unit(view, old, unit));
        let after = of_unit(view, &new, unit);
        let first_stated =
            after.is_some_and(|charge| charge.stated()) && !before.is_some_and(|charge| charge.stated());
        let from = if first_stated { None } else { before.map(person) };
        let to = after.map(person);
        // Without a predecessor, what merely falls to whoever presides over the whole is no news.
        if from != to && (first_stated || before.is_some()) {
            found.push(Handover { unit: unit.name.clone(), from, to });
        }
    }
    found
}

/// What the timer at a division's effective time says; nothing before it, of an unknown one, or of
/// one that was corrected before it took effect.
pub fn took_effect(book: &Book, division: &str, now: Timestamp) -> Option<RosterEvent> {
    let new = book.division(division).filter(|new| new.effective_time <= now && book.holds_ever(new))?;
    Some(RosterEvent::DivisionTookEffect(DivisionTookEffect {
        division: new.name.clone(),
        effective_time: new.effective_time,
        handovers: handovers(book, book.division_before(division), new),
    }))
}

fn person(charge: Charge<'_>) -> String {
    charge.official.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Handover, handovers, took_effect};
    use crate::event::RosterEvent;
    use crate::fixture::{Roster, at, division_8, division_12};

    fn handover(unit: &str, from: Option<&str>, to: &str) -> Handover {
        let official = |slug: &str| format!("officials/{slug}");
        Handover { unit: format!("units/{unit}"), from: from.map(official), to: Some(official(to)) }
    }

    #[test]
    fn units_of_another_leader_change_hands_and_new_ones_are_first_stated() {
        let roster = Roster::linfen();
        let found = handovers(&roster.book, Some(&division_8()), &division_12());
        for expected in [
            handover("health", Some("qiao-feihong"), "li-yanping"),
            handover("civil-affairs", Some("wang-yun"), "li-yanping"),
            handover("disabled-federation", Some("wang-yun"), "li-yanping"),
            handover("audit", None, "wang-yanfeng"),
        ] {
            assert!(found.contains(&expected), "{expected:?} in {found:?}");
        }
        for kept in ["units/water", "units/industry", "units/yaodu"] {
            assert!(found.iter().all(|handover| handover.unit != kept), "{kept} stays where it was");
        }
    }

    #[test]
    fn the_first_division_states_what_it_names_and_nothing_else() {
        let roster = Roster::linfen();
        let found = handovers(&roster.book, None, &division_12());
        assert!(found.iter().all(|handover| handover.from.is_none()));
        assert!(found.contains(&handover("water", None, "qiao-feihong")));
        assert!(found.iter().all(|handover| handover.unit != "units/yaodu"));
    }

    #[test]
    fn a_new_mayor_takes_over_what_nobody_is_named_for() {
        let roster = Roster::linfen();
        let mut next = division_12();
        next.portfolios[0].presides = false;
        next.portfolios[1].presides = true;
        let found = handovers(&roster.book, Some(&division_12()), &next);
        assert!(found.contains(&handover("yaodu", Some("wang-yanfeng"), "wang-yuan")), "{found:?}");
        assert!(found.iter().all(|handover| handover.unit != "units/audit"));
    }

    #[test]
    fn a_division_takes_effect_at_its_instant_and_not_before() {
        let roster = Roster::linfen();
        assert_eq!(
            took_effect(&roster.book, "divisions/no-12", at("2023-05-13T23:59:59.999999+08:00")),
            None
        );
        let Some(RosterEvent::DivisionTookEffect(fact)) =
            took_effect(&roster.book, "divisions/no-12", at("2023-05-14T00:00+08:00"))
        else {
            panic!("it takes effect on 14 May");
        };
        assert!(fact.handovers.contains(&handover("health", Some("qiao-feihong"), "li-yanping")));
        assert_eq!(took_effect(&roster.book, "divisions/none", at("2023-05-14T00:00+08:00")), None);
    }

    #[test]
    fn a_correction_is_told_against_what_held_and_what_never_held_is_not_told() {
        let corrected = |recorded: &str, effective: &str| {
            let mut roster = Roster::linfen();
            let mut correction = division_12();
            correction.name = "divisions/corrected".into();
            correction.corrects = Some("divisions/no-12".into());
            correction.effective_time = at(effective);
            roster.record(&RosterEvent::DivisionCreated(correction), at(recorded));
            roster
        };
        let told = |roster: &Roster, division: &str| {
            let Some(RosterEvent::DivisionTookEffect(fact)) =
                took_effect(&roster.book, division, at("2023-06-01T00:00+08:00"))
            else {
                return None;
            };
            Some(fact.handovers.len())
        };
        let changes = handovers(&Roster::linfen().book, Some(&division_8()), &division_12()).len();

        let before = corrected("2023-05-13T09:00+08:00", "2023-05-14T06:00+08:00");
        assert_eq!(told(&before, "divisions/no-12"), None, "it was corrected before it took effect");
        assert_eq!(told(&before, "divisions/corrected"), Some(changes), "against the one of 8号");

        for effective in ["2023-05-14T00:00+08:00", "2023-05-14T06:00+08:00"] {
            let after = corrected("2023-05-20T09:00+08:00", effective);
            assert_eq!(told(&after, "divisions/no-12"), Some(changes), "it had taken effect");
            assert_eq!(told(&after, "divisions/corrected"), Some(0), "it says the same");
        }
    }
}
