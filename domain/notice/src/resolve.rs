//! Finding the units that a notice names. What is unknown, ambiguous or needs a person's
//! choice is told of, never guessed.

use crate::notice::{Holder, Notice, Party, Unresolved};

/// Knows the city's units.
pub trait Directory {
    /// What a name means.
    fn find(&self, name: &str) -> Meaning;

    /// The units whose names stand in a text, in order; each once.
    fn mentioned(&self, text: &str) -> Vec<String>;
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// One unit or collective: its resource name.
    One(String),
    /// Several have the name.
    Ambiguous(Vec<String>),
    /// Nobody has it; these are called something like it, the likeliest first.
    Unknown(Vec<String>),
}

/// Parts of names that only a person can say the meaning of.
const CHOICE: [&str; 10] = [
    "有关县",
    "各有关县",
    "相关县",
    "各相关县",
    "有关部门",
    "相关部门",
    "有关单位",
    "相关单位",
    "有关成员单位",
    "相关成员单位",
];

/// Fills in the units of a notice and notes what has none.
pub fn resolve(notice: &mut Notice, directory: &dyn Directory) {
    let mut unresolved = Vec::new();
    for item in &mut notice.items {
        for party in item.lead.iter_mut().chain(&mut item.cooperating).chain(&mut item.responsible) {
            settle(party, item.line, directory, &mut unresolved);
        }
        for milestone in &mut item.milestones {
            milestone.units = directory.mentioned(&milestone.text);
        }
    }
    for seat in &mut notice.seats {
        match &mut seat.holder {
            Holder::Unit { unit } => settle(unit, seat.line, directory, &mut unresolved),
            Holder::Post { unit: Some(unit), .. } => settle(unit, seat.line, directory, &mut unresolved),
            Holder::Post { unit: None, .. } | Holder::Person { .. } | Holder::OpenClass { .. } => {}
        }
    }
    for duty in &mut notice.duties {
        if let Some(unit) = &mut duty.unit {
            settle(unit, duty.line, directory, &mut unresolved);
        }
    }
    for portfolio in &mut notice.portfolios {
        for charge in &mut portfolio.units {
            if let Meaning::One(unit) = directory.find(&charge.subject.text) {
                charge.subject.unit = Some(unit);
                charge.is_class = false;
            } else if !charge.is_class {
                settle(&mut charge.subject, portfolio.line, directory, &mut unresolved);
            }
        }
    }
    notice.unresolved.extend(unresolved);
    notice.unresolved.sort_by_key(|one| one.line);
}

fn settle(party: &mut Party, line: u32, directory: &dyn Directory, unresolved: &mut Vec<Unresolved>) {
    let (why, candidates) = match directory.find(&party.text) {
        Meaning::One(unit) => {
            party.unit = Some(unit);
            return;
        }
        Meaning::Ambiguous(candidates) => ("名称对应多个单位", candidates),
        Meaning::Unknown(_) if CHOICE.iter().any(|choice| party.text.contains(choice)) => {
            ("需要人工确定具体单位", Vec::new())
        }
        Meaning::Unknown(candidates) => ("单位名录中没有这个名称", candidates),
    };
    unresolved.push(Unresolved { line, text: party.text.clone(), why: why.to_owned(), candidates });
}
