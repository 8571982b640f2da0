//! What is told of leaders' instructions on a task.

use domain_roster::Book;
use domain_supervision::{AssignmentFacts, Instruction, TaskFacts};

use super::{Ended, Ending, Matter, creator};
use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{before, called, official, quoted, unit};

/// To each addressed unit, to be signed for; to each addressed official, to be read.
pub(super) fn given(
    task: &TaskFacts,
    instruction: &Instruction,
    assignments: &[AssignmentFacts],
    matter: &Matter,
    book: &Book,
) -> Vec<Notice> {
    let leader = official(book, &instruction.leader);
    let by = instruction.due_at.map_or_else(String::new, |due| format!("，请于{}落实", before(due)));
    let text = quoted(task, &instruction.text);
    let body = format!("{leader}对{}作出批示{by}，请签收：{text}", called(task));
    let of = |audience| told(&instruction.name, task, NoticeKind::Instruction, body.clone(), vec![audience]);
    let to_units = assignments
        .iter()
        .map(|one| of(Audience::UnitLiaison(one.unit.clone())).requiring_signature(matter.ladder(one)));
    let to_officials = instruction.officials.iter().map(|one| of(Audience::Official(one.clone())));
    to_units.chain(to_officials).collect()
}

/// To whoever keeps the task.
pub(super) fn signed(task: &TaskFacts, instruction: &str, signed: &[String], book: &Book) -> Notice {
    let body = format!("{}已签收对{}的批示。", names(signed, book), called(task));
    told(instruction, task, NoticeKind::Progress, body, vec![creator(task)])
}

/// Who owes something, and what, as far as it was said.
pub(super) struct Owed<'a> {
    pub(super) owing: &'a [String],
    pub(super) unsigned: Option<&'a [String]>,
    pub(super) unreported: Option<&'a [String]>,
}

/// To those who owe something, once, and no more than what they owe.
pub(super) fn due(
    task: &TaskFacts,
    instruction: &str,
    (leader, text): (&str, &str),
    owed: &Owed<'_>,
    book: &Book,
) -> Vec<Notice> {
    let leader = official(book, leader);
    let among = |names: Option<&[String]>, one: &String| names.is_none_or(|names| names.contains(one));
    let audience = |one: &String| {
        if one.starts_with("officials/") {
            Audience::Official(one.clone())
        } else {
            Audience::UnitLiaison(one.clone())
        }
    };
    let asked =
        [(true, true, "请签收并反馈落实情况"), (true, false, "请签收"), (false, true, "请反馈落实情况")];
    let notices = asked.into_iter().filter_map(|(to_sign, to_report, what)| {
        let owes =
            |one: &&String| among(owed.unsigned, one) == to_sign && among(owed.unreported, one) == to_report;
        let audiences: Vec<Audience> = owed.owing.iter().filter(owes).map(audience).collect();
        let body = format!("{leader}对{}的批示已到时限，{what}：{}", called(task), quoted(task, text));
        (!audiences.is_empty()).then(|| told(instruction, task, NoticeKind::Urging, body, audiences))
    });
    notices.collect()
}

/// The ladders that a signature ends: those of the notices of that instruction.
pub(super) fn ended_by(instruction: &str, signed: &[String]) -> Vec<Ended> {
    let ended = |one: &String| Ended {
        task: instruction.to_owned(),
        unit: Some(one.clone()),
        ending: Ending::InstructionSigned,
    };
    signed.iter().map(ended).collect()
}

/// The notice is about the instruction: signing for one says nothing of another on the same task.
fn told(
    instruction: &str,
    task: &TaskFacts,
    kind: NoticeKind,
    body: String,
    audiences: Vec<Audience>,
) -> Notice {
    Notice::new(kind, instruction, format!("批示：{}", called(task)), body, audiences)
}

fn names(all: &[String], book: &Book) -> String {
    let named = all.iter().map(|one| match book.unit(one) {
        Some(known) => known.display_name.as_str(),
        None => official(book, unit(book, one)),
    });
    named.collect::<Vec<_>>().join("、")
}
