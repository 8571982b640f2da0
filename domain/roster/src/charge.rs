//! Who is in charge of a unit or a field under one division of work.
//!
//! Whoever directs it (主管, 分管), else presides over it (主持), else liaises with it (联系); a unit
//! no portfolio names is answered for with its parent unit; what is left falls to whoever presides
//! over the whole. Assisting (协助) never makes one the person in charge.

use std::borrow::Cow;

use crate::book::{Filed, Text};
use crate::division::{Division, Relation};
use crate::names::half_width;
use crate::resolution::{Rule, Step};
use crate::trace::Trace;
use crate::unit::Unit;
use crate::view::View;

/// The leader in charge, and how that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Charge<'d> {
    pub(crate) official: &'d str,
    pub(crate) rule: Rule,
}

impl Charge<'_> {
    /// Whether the division states it, of the unit or of a parent, rather than leaving it to
    /// whoever presides over the whole.
    pub(crate) fn stated(&self) -> bool {
        self.rule != Rule::PresidesOverAll
    }
}

/// Who is in charge of a unit.
pub(crate) fn of_unit<'a>(view: View<'a>, filed: &'a Filed, unit: &'a Unit) -> Option<Charge<'a>> {
    let mut named = None;
    view.climb(unit, |link| {
        named = filed.named(&link.name).map(|(official, relation)| {
            let rule = if link.name == unit.name { rule_of(relation) } else { Rule::ParentUnit };
            Charge { official, rule }
        });
        named.is_none()
    });
    named.or_else(|| filed.presider().map(|official| Charge { official, rule: Rule::PresidesOverAll }))
}

/// Who is in charge of a unit, with each step taken.
pub(crate) fn explain_unit<'a>(
    view: View<'a>,
    filed: &'a Filed,
    unit: &'a Unit,
    trace: &mut Trace,
) -> Option<&'a str> {
    if let Trace::Off = trace {
        return of_unit(view, filed, unit).map(|charge| charge.official);
    }
    let division = filed.division();
    let document = division.label();
    for link in view.lineage(unit) {
        let own = link.name == unit.name;
        let called = &link.display_name;
        for (official, relation) in filed.assistants(&link.name) {
            let label = view.official_label(official);
            let basis = format!("{document}：{label}{}{called}，协助不作为负责人", relation.chinese());
            trace.note(|| Step::skipped(Rule::Assists, official, basis));
        }
        match filed.named(&link.name) {
            Some((official, relation)) => {
                let (label, relation_text) = (view.official_label(official), relation.chinese());
                let (rule, basis) = if own {
                    (rule_of(relation), format!("{document}：{label}{relation_text}{called}"))
                } else {
                    let basis = format!(
                        "{document}未列{}，由其上级单位{called}的{relation_text}领导{label}负责{}",
                        unit.display_name,
                        partial_note(division)
                    );
                    (Rule::ParentUnit, basis)
                };
                trace.note(|| Step::chosen(rule, official, basis));
                return Some(official);
            }
            None => {
                let rule = if own { Rule::Directs } else { Rule::ParentUnit };
                let note = partial_note(division);
                let basis = if own {
                    format!("{document}未列{called}{note}")
                } else {
                    format!("{document}也未列上级单位{called}{note}")
                };
                trace.note(|| Step::none(rule, basis));
            }
        }
    }
    explain_presider(view, filed, trace)
}

/// Falls to whoever presides over the whole.
pub(crate) fn explain_presider<'a>(view: View<'a>, filed: &'a Filed, trace: &mut Trace) -> Option<&'a str> {
    let division = filed.division();
    let (document, note) = (division.label(), partial_note(division));
    let presider = filed.presider();
    trace.note(|| match presider {
        Some(official) => Step::chosen(
            Rule::PresidesOverAll,
            official,
            format!("{document}：由主持全面工作的{}负责{note}", view.official_label(official)),
        ),
        None => Step::none(Rule::PresidesOverAll, format!("{document}没有主持全面工作的领导{note}")),
    });
    presider
}

/// A leader whose fields or classes of units match a text, with the text as the division has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldMatch<'d> {
    pub(crate) official: &'d str,
    pub(crate) relation: Relation,
    pub(crate) field: &'d str,
}

/// The leaders in charge of a field by its key, one match a leader: by exact text first, then by
/// containment either way; within each by the strongest relation. Several leaders mean the text
/// is ambiguous.
pub(crate) fn of_field<'d>(filed: &'d Filed, key: &str) -> Vec<FieldMatch<'d>> {
    if key.is_empty() {
        return Vec::new();
    }
    for relation in Relation::IN_CHARGE {
        let found = one_a_leader(filed, filed.texts_of(key).filter(|text| text.relation == relation));
        if !found.is_empty() {
            return found;
        }
    }
    let matching: Vec<&Text> = filed.texts_like(key).collect();
    for relation in Relation::IN_CHARGE {
        let found = one_a_leader(filed, matching.iter().copied().filter(|text| text.relation == relation));
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The leaders who merely assist with exactly this field, by its key.
pub(crate) fn assistants<'d>(filed: &'d Filed, key: &str) -> Vec<FieldMatch<'d>> {
    one_a_leader(filed, filed.texts_of(key).filter(|text| text.relation.assists()))
}

/// The texts come in the order of the portfolios.
fn one_a_leader<'d>(filed: &'d Filed, texts: impl Iterator<Item = &'d Text>) -> Vec<FieldMatch<'d>> {
    let mut found: Vec<FieldMatch<'d>> = Vec::new();
    for text in texts {
        let official = filed.leader(text.portfolio);
        if found.last().is_none_or(|last| last.official != official) {
            found.push(FieldMatch { official, relation: text.relation, field: &text.text });
        }
    }
    found
}

/// The key under which two writings of one field are equal: 水利方面的工作 is 水利.
pub(crate) fn field_key(text: &str) -> Cow<'_, str> {
    fn bare(key: &str) -> &str {
        let key = key.strip_suffix("工作").unwrap_or(key);
        let key = key.strip_suffix('的').unwrap_or(key);
        key.strip_suffix("方面").unwrap_or(key)
    }
    match half_width(text) {
        Cow::Borrowed(key) => Cow::Borrowed(bare(key)),
        Cow::Owned(key) => Cow::Owned(bare(&key).to_owned()),
    }
}

/// The rule by which a relation puts a leader in charge.
pub(crate) fn rule_of(relation: Relation) -> Rule {
    match relation {
        Relation::Presides => Rule::Presides,
        Relation::Directs => Rule::Directs,
        Relation::Liaises => Rule::Liaises,
        Relation::AssistsDirecting | Relation::AssistsLiaising => Rule::Assists,
    }
}

/// What an answer adds when it did not find the subject in a division known only in part.
pub(crate) fn partial_note(division: &Division) -> &'static str {
    if division.partial { "（分工不完整）" } else { "" }
}
