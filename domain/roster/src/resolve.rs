//! Who answers for a unit, a field of work, a post or an official at an instant, and why.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;

use crate::book::Book;
use crate::charge::{self, FieldMatch, rule_of};
use crate::division::Division;
use crate::error::{Candidate, RosterError};
use crate::interval::chinese_instant;
use crate::lookup::Lookup;
use crate::names::check_present;
use crate::post::{self, PostQuery};
use crate::resolution::{Outcome, Resolution, Rule, Step};
use crate::stand_in;
use crate::view::View;

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A unit: `units/{slug}` or any of its names.
    Unit(String),
    /// A field of work, for example 水利.
    Field(String),
    /// A post, for example 分管水利工作的副市长 or 市水利局主要负责人.
    Post(String),
    /// An official: `officials/{id}` or a person's name.
    Official(String),
}

/// Who is accountable, and who substitutes by reason of the post asked for.
#[derive(Default)]
struct Accountable<'a> {
    official: Option<&'a str>,
    substitutes: Vec<&'a str>,
}

impl<'a> From<Option<&'a str>> for Accountable<'a> {
    fn from(official: Option<&'a str>) -> Self {
        Accountable { official, substitutes: Vec::new() }
    }
}

/// Says who answers for a subject at `at`, as far as known at `known_at`.
///
/// A pure function of the divisions, pairs, absences and posts in the book. The error is a subject
/// that stands for nothing or for several; nobody to answer is no error but an answer without a
/// person, which is an alarm.
pub fn resolve(
    book: &Book,
    subject: &Subject,
    at: Timestamp,
    known_at: Timestamp,
) -> Result<Resolution, RosterError> {
    let view = book.view(at, known_at);
    let mut steps = Vec::new();
    let accountable = match subject {
        Subject::Unit(text) => for_unit(view, text, &mut steps)?.into(),
        Subject::Field(text) => for_field(view, text, &mut steps)?.into(),
        Subject::Post(text) => for_post(view, text, &mut steps)?,
        Subject::Official(text) => {
            let official = view.lookup_official(text).require(text)?;
            let basis = format!("查询对象为{}本人", official.display_name);
            steps.push(Step::chosen(Rule::Official, &official.name, basis));
            Some(official.name.as_str()).into()
        }
    };
    let acting = accountable
        .official
        .and_then(|official| stand_in::acting(view, official, &accountable.substitutes, &mut steps));
    Ok(Resolution {
        accountable: accountable.official.map(|official| view.person(official)),
        acting: acting.map(|official| view.person(official)),
        stand_in: acting.is_some() && acting != accountable.official,
        steps,
    })
}

/// The units an official is accountable for at an instant, as resource names: "tasks of leader L
/// at T" is this set. Standing in adds nothing to it; see [`stands_in_for`].
pub fn units_of_leader(book: &Book, official: &str, at: Timestamp, known_at: Timestamp) -> BTreeSet<String> {
    let view = book.view(at, known_at);
    let Some(division) = view.division() else { return BTreeSet::new() };
    view.units()
        .filter(|unit| {
            charge::of_unit(view, division, unit).is_some_and(|charge| charge.official == official)
        })
        .map(|unit| unit.name.clone())
        .collect()
}

/// The officials for whom this one acts at an instant because they are away.
pub fn stands_in_for(book: &Book, official: &str, at: Timestamp, known_at: Timestamp) -> BTreeSet<String> {
    let view = book.view(at, known_at);
    view.absentees()
        .filter(|absence| absence.official != official)
        .filter(|absence| stand_in::acting(view, &absence.official, &[], &mut Vec::new()) == Some(official))
        .map(|absence| absence.official.clone())
        .collect()
}

fn for_unit<'a>(view: View<'a>, text: &str, steps: &mut Vec<Step>) -> Result<Option<&'a str>, RosterError> {
    check_present("unit", text)?;
    let unit = view.lookup_unit(text).require(text)?;
    if !unit.exists_at(view.at()) {
        steps.push(Step::none(Rule::Unit, format!("{}当时不存在", unit.display_name)));
        return Ok(None);
    }
    Ok(in_force(view, steps).and_then(|division| charge::explain_unit(view, division, unit, steps)))
}

fn for_field<'a>(view: View<'a>, text: &str, steps: &mut Vec<Step>) -> Result<Option<&'a str>, RosterError> {
    check_present("field", text)?;
    let Some(division) = in_force(view, steps) else { return Ok(None) };
    match in_charge_of_field(view, division, text, steps)? {
        Some(official) => Ok(Some(official)),
        None => Ok(charge::explain_presider(view, division, steps)),
    }
}

fn for_post<'a>(view: View<'a>, text: &str, steps: &mut Vec<Step>) -> Result<Accountable<'a>, RosterError> {
    check_present("post", text)?;
    match post::read(view, text)? {
        PostQuery::InCharge(what) => {
            let Some(division) = in_force(view, steps) else { return Ok(Accountable::default()) };
            // A post follows its field or unit; it never falls to whoever presides over the whole.
            let official = match view.lookup_unit(&what) {
                Lookup::Found(unit) => {
                    let stated = charge::of_unit(view, division, unit).is_some_and(|charge| charge.stated());
                    if stated { charge::explain_unit(view, division, unit, steps) } else { None }
                }
                Lookup::Unknown => in_charge_of_field(view, division, &what, steps)?,
                ambiguous @ Lookup::Ambiguous(_) => {
                    return ambiguous.require(&what).map(|_| None::<&str>.into());
                }
            };
            if official.is_none() {
                steps.push(Step::none(Rule::Post, format!("当时没有“{text}”")));
            }
            Ok(official.into())
        }
        PostQuery::Held(held) => {
            let holder = held.holder(text)?;
            steps.push(match holder {
                Some(official) => {
                    let basis = format!("“{text}”为{}", official.display_name);
                    Step::chosen(Rule::Post, &official.name, basis)
                }
                None => Step::none(Rule::Post, format!("“{text}”当时空缺")),
            });
            Ok(Accountable {
                official: holder.map(|official| official.name.as_str()),
                substitutes: held.substitutes,
            })
        }
    }
}

/// The division in force, as the first step of an answer.
fn in_force<'a>(view: View<'a>, steps: &mut Vec<Step>) -> Option<&'a Division> {
    let division = view.division();
    steps.push(match division {
        Some(division) => Step {
            rule: Rule::Division,
            official: None,
            outcome: Outcome::Chosen,
            basis: format!("适用{}，自{}起执行", division.label(), chinese_instant(division.effective_time)),
        },
        None => Step::none(Rule::Division, "当时没有已知的分工".to_owned()),
    });
    division
}

/// The one leader in charge of a field; nobody when no portfolio states it.
fn in_charge_of_field<'a>(
    view: View<'a>,
    division: &'a Division,
    text: &str,
    steps: &mut Vec<Step>,
) -> Result<Option<&'a str>, RosterError> {
    let document = division.label();
    for FieldMatch { official, relation, field } in charge::assistants(division, text) {
        let label = view.official_label(official);
        let basis = format!("{document}：{label}{}“{field}”，协助不作为负责人", relation.chinese());
        steps.push(Step::skipped(Rule::Assists, official, basis));
    }
    match charge::of_field(division, text).as_slice() {
        [] => {
            let basis = format!("{document}未列“{text}”{}", charge::partial_note(division));
            steps.push(Step::none(Rule::Directs, basis));
            Ok(None)
        }
        [FieldMatch { official, relation, field }] => {
            let label = view.official_label(official);
            let basis = format!("{document}：{label}{}“{field}”", relation.chinese());
            steps.push(Step::chosen(rule_of(*relation), official, basis));
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
mod tests;
