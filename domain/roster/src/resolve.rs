//! Who answers for a unit, a field of work, a post or an official at an instant, and why.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;

use crate::book::{Book, Filed};
use crate::charge::{self, FieldMatch, field_key, rule_of};
use crate::error::{Candidate, RosterError};
use crate::interval::chinese_instant;
use crate::lookup::Lookup;
use crate::names::check_present;
use crate::post::{self, PostQuery};
use crate::resolution::{Outcome, Resolution, Rule, Step};
use crate::scope::Matter;
use crate::stand_in;
use crate::trace::Trace;
use crate::view::View;

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A unit, by resource name or any of its names.
    Unit(String),
    /// A field of work, for example 水利.
    Field(String),
    /// A post as people write it, for example 市水利局主要负责人.
    Post(String),
    /// An official, by resource name or name.
    Official(String),
}

/// Who is accountable and who acts, without the steps that led there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who<'a> {
    /// `officials/{id}` of the accountable one.
    pub accountable: Option<&'a str>,
    /// `officials/{id}` of whoever acts; none when nobody does, which is an alarm.
    pub acting: Option<&'a str>,
}

/// Who is accountable, in what, and who may stand in for the post.
struct Accountable<'a> {
    official: Option<&'a str>,
    matter: Matter<'a>,
    substitutes: Vec<&'a str>,
}

impl<'a> Accountable<'a> {
    fn of(official: Option<&'a str>, matter: Matter<'a>) -> Self {
        Accountable { official, matter, substitutes: Vec::new() }
    }
}

/// Who answers for a subject at an instant, as far as it was known at another, with every step.
///
/// # Errors
/// When the subject is not known, or stands for several.
pub fn resolve(
    book: &Book,
    subject: &Subject,
    at: Timestamp,
    known_at: Timestamp,
) -> Result<Resolution, RosterError> {
    let view = book.view(at, known_at);
    let mut trace = Trace::On(Vec::new());
    let who = find(view, subject, &mut trace)?;
    Ok(Resolution {
        accountable: who.accountable.map(|official| view.person(official)),
        acting: who.acting.map(|official| view.person(official)),
        stand_in: who.acting.is_some() && who.acting != who.accountable,
        steps: trace.into_steps(),
    })
}

/// The same answer without its steps, for whoever asks often.
///
/// # Errors
/// As [`resolve`].
pub fn who<'a>(
    book: &'a Book,
    subject: &'a Subject,
    at: Timestamp,
    known_at: Timestamp,
) -> Result<Who<'a>, RosterError> {
    find(book.view(at, known_at), subject, &mut Trace::Off)
}

fn find<'a>(view: View<'a>, subject: &'a Subject, trace: &mut Trace) -> Result<Who<'a>, RosterError> {
    let accountable = match subject {
        Subject::Unit(text) => for_unit(view, text, trace)?,
        Subject::Field(text) => for_field(view, text, trace)?,
        Subject::Post(text) => for_post(view, text, trace)?,
        Subject::Official(text) => {
            let official = view.lookup_official(text).require(text)?;
            trace.note(|| {
                let basis = format!("查询对象为{}本人", official.display_name);
                Step::chosen(Rule::Official, &official.name, basis)
            });
            Accountable::of(Some(official.name.as_str()), Matter::Whole)
        }
    };
    let Accountable { official, matter, substitutes } = accountable;
    let acting = official.and_then(|official| stand_in::acting(view, official, &matter, &substitutes, trace));
    Ok(Who { accountable: official, acting })
}

/// The units whose person in charge an official is, `units/{slug}` each. "Tasks of leader L
/// at T" is this set. Standing in adds nothing to it; see [`stands_in_for`].
pub fn units_of_leader(book: &Book, official: &str, at: Timestamp, known_at: Timestamp) -> BTreeSet<String> {
    let view = book.view(at, known_at);
    let Some(filed) = view.filed() else { return BTreeSet::new() };
    view.units()
        .filter(|unit| charge::of_unit(view, filed, unit).is_some_and(|charge| charge.official == official))
        .map(|unit| unit.name.clone())
        .collect()
}

/// The absent officials whom an official stands in for at an instant, in all of their duties or
/// in a part, each with the units for which he acts. An official whom he stands in for in fields
/// alone has none.
pub fn stands_in_for(
    book: &Book,
    official: &str,
    at: Timestamp,
    known_at: Timestamp,
) -> BTreeMap<String, BTreeSet<String>> {
    let view = book.view(at, known_at);
    let mut found = BTreeMap::new();
    for absence in view.absentees().filter(|absence| absence.official != official) {
        let absent = absence.official.as_str();
        let acts = |matter| stand_in::acting(view, absent, &matter, &[], &mut Trace::Off) == Some(official);
        let led = units_of_leader(book, absent, at, known_at);
        let units: BTreeSet<String> = led
            .into_iter()
            .filter(|name| view.unit(name).is_some_and(|unit| acts(Matter::Unit(view, unit))))
            .collect();
        let in_fields = absence.shares.iter().any(|share| {
            share.stand_in == official && share.scope.fields.iter().any(|field| acts(Matter::field(field)))
        });
        if !units.is_empty() || in_fields || acts(Matter::Whole) {
            found.insert(absence.official.clone(), units);
        }
    }
    found
}

fn for_unit<'a>(view: View<'a>, text: &str, trace: &mut Trace) -> Result<Accountable<'a>, RosterError> {
    check_present("unit", text)?;
    let unit = view.lookup_unit(text).require(text)?;
    let matter = Matter::Unit(view, unit);
    if !unit.exists_at(view.at()) {
        trace.note(|| Step::none(Rule::Unit, format!("{}当时不存在", unit.display_name)));
        return Ok(Accountable::of(None, matter));
    }
    let official = in_force(view, trace).and_then(|filed| charge::explain_unit(view, filed, unit, trace));
    Ok(Accountable::of(official, matter))
}

fn for_field<'a>(view: View<'a>, text: &'a str, trace: &mut Trace) -> Result<Accountable<'a>, RosterError> {
    check_present("field", text)?;
    let key = field_key(text);
    let matter = Matter::Field(key.clone());
    let Some(filed) = in_force(view, trace) else { return Ok(Accountable::of(None, matter)) };
    let official = match in_charge_of_field(view, filed, text, &key, trace)? {
        Some(official) => Some(official),
        None => charge::explain_presider(view, filed, trace),
    };
    Ok(Accountable::of(official, matter))
}

fn for_post<'a>(view: View<'a>, text: &'a str, trace: &mut Trace) -> Result<Accountable<'a>, RosterError> {
    check_present("post", text)?;
    match post::read(view, text)? {
        PostQuery::InCharge(what) => {
            let Some(filed) = in_force(view, trace) else {
                return Ok(Accountable::of(None, Matter::Whole));
            };
            // A post follows its field or unit; it never falls to whoever presides over the whole.
            let (official, matter) = match view.lookup_unit(&what) {
                Lookup::Found(unit) => {
                    let stated = unit.exists_at(view.at())
                        && charge::of_unit(view, filed, unit).is_some_and(|charge| charge.stated());
                    let official = if stated { charge::explain_unit(view, filed, unit, trace) } else { None };
                    (official, Matter::Unit(view, unit))
                }
                Lookup::Unknown => {
                    let key = field_key(&what).into_owned();
                    let official = in_charge_of_field(view, filed, &what, &key, trace)?;
                    (official, Matter::Field(key.into()))
                }
                ambiguous @ Lookup::Ambiguous(_) => {
                    return ambiguous.require(&what).map(|_| Accountable::of(None, Matter::Whole));
                }
            };
            if official.is_none() {
                trace.note(|| Step::none(Rule::Post, format!("当时没有“{text}”")));
            }
            Ok(Accountable::of(official, matter))
        }
        PostQuery::Held(held) => {
            let holder = held.holder(text)?;
            trace.note(|| match holder {
                Some(official) => {
                    let basis = format!("“{text}”为{}", official.display_name);
                    Step::chosen(Rule::Post, &official.name, basis)
                }
                None => Step::none(Rule::Post, format!("“{text}”当时空缺")),
            });
            Ok(Accountable {
                official: holder.map(|official| official.name.as_str()),
                matter: Matter::Whole,
                substitutes: held.substitutes,
            })
        }
    }
}

/// The division in force, as the first step of an answer.
fn in_force<'a>(view: View<'a>, trace: &mut Trace) -> Option<&'a Filed> {
    let filed = view.filed();
    trace.note(|| match filed.map(Filed::division) {
        Some(division) => Step {
            rule: Rule::Division,
            official: None,
            outcome: Outcome::Chosen,
            basis: format!("适用{}，自{}起执行", division.label(), chinese_instant(division.effective_time)),
        },
        None => Step::none(Rule::Division, "当时没有已知的分工".to_owned()),
    });
    filed
}

/// The one leader in charge of a field; nobody when no portfolio states it.
fn in_charge_of_field<'a>(
    view: View<'a>,
    filed: &'a Filed,
    text: &str,
    key: &str,
    trace: &mut Trace,
) -> Result<Option<&'a str>, RosterError> {
    let division = filed.division();
    let document = division.label();
    if let Trace::On(_) = trace {
        for FieldMatch { official, relation, field } in charge::assistants(filed, key) {
            let label = view.official_label(official);
            let basis = format!("{document}：{label}{}“{field}”，协助不作为负责人", relation.chinese());
            trace.note(|| Step::skipped(Rule::Assists, official, basis));
        }
    }
    match charge::of_field(filed, key).as_slice() {
        [] => {
            trace.note(|| {
                let basis = format!("{document}未列“{text}”{}", charge::partial_note(division));
                Step::none(Rule::Directs, basis)
            });
            Ok(None)
        }
        [FieldMatch { official, relation, field }] => {
            trace.note(|| {
                let label = view.official_label(official);
                let basis = format!("{document}：{label}{}“{field}”", relation.chinese());
                Step::chosen(rule_of(*relation), official, basis)
            });
            Ok(Some(*official))
        }
        several => {
            let candidates = several.iter().map(|found| Candidate {
                name: found.official.to_owned(),
                display_name: format!("{}（{}）", view.official_label(found.official), found.field),
            });
            Err(RosterError::FieldAmbiguous { text: text.to_owned(), candidates: candidates.collect() })
        }
    }
}

#[cfg(test)]
mod delegation;
#[cfg(test)]
mod over_time;
#[cfg(test)]
mod published_rules;
#[cfg(test)]
mod tests;
