//! What changes hands when a division of work takes effect.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::book::{Book, Filed};
use crate::charge::{Charge, field_key, of_field, of_unit};
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

/// A field of work, or a class of units, whose person in charge changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldHandover {
    /// As the new division has it, or the old one what the new one does not have.
    pub field: String,
    /// Who answered for it until then; unset when the old division did not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who answers from then on; unset when the new division does not state it any longer. It
    /// then falls to whoever presides over the whole, but whether it is meant to, or only called
    /// otherwise, is for a person to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Everything that changes hands between two divisions. What has no `from` does not change
/// hands but is stated for the first time; a field without `to` is no longer stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Units, in order of resource name.
    pub units: Vec<Handover>,
    /// Fields and classes, in the order of the new division, then of the old one.
    pub fields: Vec<FieldHandover>,
}

/// What changes hands between two divisions, as the units stand when the new one takes effect.
///
/// What the new division states and the old one did not is first stated: it has no `from`, for
/// the old division said nothing of it. A unit neither states changes hands only when another
/// presides over the whole.
pub fn changes(book: &Book, old: Option<&Division>, new: &Division) -> Changes {
    let (old, new) = (old.cloned().map(Filed::of), Filed::of(new.clone()));
    Changes { units: units(book, old.as_ref(), &new), fields: fields(old.as_ref(), &new) }
}

fn units(book: &Book, old: Option<&Filed>, new: &Filed) -> Vec<Handover> {
    let view = book.view(new.division().effective_time, Timestamp::MAX);
    let mut found = Vec::new();
    for unit in view.units() {
        let before = old.and_then(|old| of_unit(view, old, unit));
        let after = of_unit(view, new, unit);
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

/// A field may be worded anew, or stand for several of before: it comes from whoever had a part
/// of it. What the new division words otherwise is found under its new wording; only what it
/// does not have at all is no longer stated.
fn fields(old: Option<&Filed>, new: &Filed) -> Vec<FieldHandover> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (field, to) in texts_in_charge(new.division()) {
        let key = field_key(field);
        if !seen.insert(key.clone()) {
            continue;
        }
        let before = old.map(|old| of_field(old, &key)).unwrap_or_default();
        let to = Some(to.to_owned());
        if before.is_empty() {
            found.push(FieldHandover { field: field.to_owned(), from: None, to });
            continue;
        }
        let givers = before.iter().map(|one| one.official).filter(|giver| Some(*giver) != to.as_deref());
        found.extend(givers.map(|giver| FieldHandover {
            field: field.to_owned(),
            from: Some(giver.to_owned()),
            to: to.clone(),
        }));
    }
    if new.division().partial {
        return found;
    }
    for (field, from) in old.into_iter().flat_map(|old| texts_in_charge(old.division())) {
        let key = field_key(field);
        if of_field(new, &key).is_empty() && seen.insert(key) {
            found.push(FieldHandover { field: field.to_owned(), from: Some(from.to_owned()), to: None });
        }
    }
    found
}

/// Fields and classes with the leader in charge.
fn texts_in_charge(division: &Division) -> impl Iterator<Item = (&str, &str)> {
    division.portfolios.iter().flat_map(|portfolio| {
        let texts = portfolio.texts().filter(|(_, relation)| !relation.assists());
        texts.map(|(text, _)| (text, portfolio.official.as_str()))
    })
}

/// What the timer at a division's effective time says; nothing before it, of an unknown one, or of
/// one that was corrected before it took effect.
pub fn took_effect(book: &Book, division: &str, now: Timestamp) -> Option<RosterEvent> {
    let new = book.division(division).filter(|new| new.effective_time <= now && book.holds_ever(new))?;
    let Changes { units, fields } = changes(book, book.division_before(division), new);
    Some(RosterEvent::DivisionTookEffect(DivisionTookEffect {
        division: new.name.clone(),
        document: new.label().to_owned(),
        effective_time: new.effective_time,
        superseded_time: book.division_after(division, now).map(|next| next.effective_time),
        handovers: units,
        field_handovers: fields,
    }))
}

fn person(charge: Charge<'_>) -> String {
    charge.official.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{FieldHandover, Handover, changes, took_effect};
    use crate::event::RosterEvent;
    use crate::fixture::{Roster, at, division_8, division_12};

    fn handover(unit: &str, from: Option<&str>, to: &str) -> Handover {
        let official = |slug: &str| format!("officials/{slug}");
        Handover { unit: format!("units/{unit}"), from: from.map(official), to: Some(official(to)) }
    }

    #[test]
    fn units_of_another_leader_change_hands_and_new_ones_are_first_stated() {
        let roster = Roster::linfen();
        let found = changes(&roster.book, Some(&division_8()), &division_12()).units;
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
        let found = changes(&roster.book, None, &division_12()).units;
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
        let found = changes(&roster.book, Some(&division_12()), &next).units;
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

    fn field(field: &str, from: Option<&str>, to: &str) -> FieldHandover {
        let official = |slug: &str| format!("officials/{slug}");
        FieldHandover { field: field.into(), from: from.map(official), to: Some(official(to)) }
    }

    #[test]
    fn fields_change_hands_and_new_ones_are_first_stated() {
        let roster = Roster::linfen();
        let found = changes(&roster.book, Some(&division_8()), &division_12()).fields;
        let (moved, first): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.from.is_some());
        assert_eq!(
            moved,
            [
                field("民政", Some("wang-yun"), "li-yanping"),
                field("卫生健康", Some("qiao-feihong"), "li-yanping"),
                field("妇女儿童", Some("wang-yun"), "li-yanping"),
            ]
        );
        assert!(first.contains(&field("审计", None, "wang-yanfeng")), "{first:?}");
        for kept in ["水利", "财政", "公安", "政府专项债券"] {
            assert!(first.iter().all(|one| one.field != kept), "{kept}: stated before, or assisted with");
        }
    }

    #[test]
    fn a_field_comes_from_everybody_who_had_a_part_of_it() {
        let roster = Roster::linfen();
        let mut next = division_12();
        next.portfolios[1].fields[0].field = "教育、体育".into();
        let found = changes(&roster.book, Some(&division_12()), &next).fields;
        for expected in [
            field("教育、体育", Some("wang-yun"), "wang-yuan"),
            field("教育、体育", Some("qiao-feihong"), "wang-yuan"),
            FieldHandover { to: None, ..field("市政府机关", Some("wang-yuan"), "") },
        ] {
            assert!(found.contains(&expected), "{expected:?} in {found:?}");
        }
        assert_eq!(found.len(), 3);
        next.partial = true;
        let found = changes(&roster.book, Some(&division_12()), &next).fields;
        assert!(found.iter().all(|one| one.field != "市政府机关"), "it may state that elsewhere");
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
        let changes = changes(&Roster::linfen().book, Some(&division_8()), &division_12()).units.len();

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
