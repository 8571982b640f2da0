//! A division of work, from a notice to the roster's API.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_notice::{Charge, Notice, Relation, Unresolved};
use xietong_mesh::convert::encode_time;
use xietong_mesh::input::LINE;
use xietong_proto::roster::{self, ClassDuty, Division, FieldDuty, Portfolio, StandInPair, UnitDuty};

use super::directory::{KnownUnits, Person};
use super::proposal::cut;

/// The division that a notice states. What it does not name, an order in which others stand
/// in, is not in it.
pub(super) fn of(notice: &Notice, known: &KnownUnits, problems: &mut Vec<Unresolved>) -> Division {
    let mut portfolios = Vec::new();
    for one in &notice.portfolios {
        let Some(official) = official(known, &one.leader, &one.post, one.line, problems) else { continue };
        let (mut fields, mut units, mut classes) = (Vec::new(), Vec::new(), Vec::new());
        for charge in &one.fields {
            fields.push(FieldDuty { field: cut(&charge.subject.text, LINE), relation: relation(charge) });
        }
        for charge in &one.units {
            match &charge.subject.unit {
                Some(unit) => units.push(UnitDuty { unit: unit.clone(), relation: relation(charge) }),
                None if charge.is_class => {
                    classes.push(ClassDuty {
                        text: cut(&charge.subject.text, LINE),
                        relation: relation(charge),
                    });
                }
                // It is among what was not resolved.
                None => {}
            }
        }
        portfolios.push(Portfolio { official, presides: one.presides, fields, units, classes });
    }
    let mut pairs = Vec::new();
    for pair in &notice.pairs {
        // One who has no fixed stand-in is named in no pair.
        let Some(stand_in) = &pair.stand_in else { continue };
        let mut find = |name: &str| official(known, name, "", pair.line, problems);
        if let (Some(official), Some(stand_in)) = (find(&pair.leader), find(stand_in)) {
            pairs.push(StandInPair { official, stand_in, mutual: pair.mutual });
        }
    }
    Division {
        document_number: notice.document.number.clone(),
        title: cut(&notice.document.title, LINE),
        effective_time: notice.document.issue_date.map(Timestamp::start_of_day).map(encode_time),
        portfolios,
        pairs,
        ..Division::default()
    }
}

/// Where a division that is registered and the one of a notice differ in who is in charge of
/// what and who stands in for whom, in whatever order they say it; a line each, in Chinese.
pub(super) fn differences(registered: &Division, notice: &Division) -> Vec<String> {
    let (before, after) = (statements(registered), statements(notice));
    let only = |side: &str, one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).map(|statement| format!("{side}{statement}")).collect::<Vec<_>>()
    };
    let mut all = only("仅已登记的分工有：", &before, &after);
    all.extend(only("仅本件有：", &after, &before));
    if registered.effective_time != notice.effective_time {
        all.push("施行时间不同".to_owned());
    }
    all
}

/// All that a division says, in plain words.
fn statements(division: &Division) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for one in &division.portfolios {
        let who = &one.official;
        if one.presides {
            all.insert(format!("{who}主持全面工作"));
        }
        let fields = one.fields.iter().map(|duty| (duty.relation, &duty.field));
        let classes = one.classes.iter().map(|duty| (duty.relation, &duty.text));
        let units = one.units.iter().map(|duty| (duty.relation, &duty.unit));
        for (relation, what) in fields.chain(classes).chain(units) {
            all.insert(format!("{who}{}{what}", called(relation)));
        }
    }
    for StandInPair { official, stand_in, mutual } in &division.pairs {
        all.insert(format!("{stand_in}为{official}的B角{}", if *mutual { "，互为" } else { "" }));
    }
    all
}

fn called(relation: i32) -> &'static str {
    match roster::Relation::try_from(relation) {
        Ok(roster::Relation::Presides) => "主持",
        Ok(roster::Relation::Directs) => "分管",
        Ok(roster::Relation::AssistsDirecting) => "协助分管",
        Ok(roster::Relation::Liaises) => "联系",
        Ok(roster::Relation::AssistsLiaising) => "协助联系",
        Ok(roster::Relation::Unspecified) | Err(_) => "",
    }
}

fn relation(charge: &Charge) -> i32 {
    let relation = match charge.relation {
        Relation::Presides => roster::Relation::Presides,
        Relation::Directs => roster::Relation::Directs,
        Relation::AssistsDirecting => roster::Relation::AssistsDirecting,
        Relation::Liaises => roster::Relation::Liaises,
        Relation::AssistsLiaising => roster::Relation::AssistsLiaising,
    };
    relation.into()
}

/// The official a name stands for. One who is not known, or not for certain, is told of.
pub(super) fn official(
    known: &KnownUnits,
    name: &str,
    title: &str,
    line: u32,
    problems: &mut Vec<Unresolved>,
) -> Option<String> {
    let (why, candidates) = match known.official(name, title) {
        Person::Found(official) => return Some(official),
        Person::Ambiguous(candidates) => ("姓名对应多个人员", candidates),
        Person::Unknown(candidates) => ("人员名录中没有这个人", candidates),
    };
    problems.push(Unresolved { line, text: name.to_owned(), why: why.to_owned(), candidates });
    None
}
