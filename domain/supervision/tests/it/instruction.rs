//! Instructions of leaders, and units that are added.

use std::collections::BTreeSet;

use domain_supervision::{
    AssignmentCommand, AssignmentState, Command, Grade, Instruction, Instrument, Light, NotEmpty, Role,
    SupervisionError, TaskChange, TaskEvent, TaskState, describe,
};

use crate::ledger::{Ledger, answer, ask_until, at, draft, name, report};

const NOON: &str = "2023-06-01T12:00+08:00";

fn ledger() -> Ledger {
    Ledger::issued(draft(Grade::Ordinary, &[Role::Lead, Role::Cooperating]), "2023-06-01T09:00+08:00")
}

fn asked(units: &[&str], officials: &[&str], due: Option<&str>) -> Instruction {
    Instruction {
        name: "tasks/1/instructions/1".to_owned(),
        leader: "officials/mayor".to_owned(),
        text: " 请抓紧落实。 ".to_owned(),
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        officials: officials.iter().map(|one| (*one).to_owned()).collect(),
        due_at: due.map(at),
        given_at: at(NOON),
        signatures: vec![],
        urged_at: None,
        urged: Default::default(),
    }
}

fn given(ledger: &mut Ledger, asked: Instruction) -> Result<Instruction, SupervisionError> {
    ledger.now = at(NOON);
    let events = ledger.task(Command::Instruct(Box::new(asked)))?;
    let [TaskEvent::Task(event)] = events.as_slice() else { panic!("one event of the task") };
    let TaskChange::Instructed { instruction, .. } = &event.change else { panic!("an instruction") };
    Ok((**instruction).clone())
}

#[test]
fn an_instruction_changes_nothing_of_the_task_and_is_signed_for_once_by_each() {
    let mut ledger = ledger();
    let before = ledger.task.clone();
    let mut given = given(&mut ledger, asked(&["units/0", "units/0"], &["officials/head"], None)).unwrap();
    assert_eq!(given.text, "请抓紧落实。");
    assert_eq!(given.addressees().collect::<Vec<_>>(), ["units/0", "officials/head"]);
    assert_eq!((ledger.task.version, &ledger.task.assignments), (before.version + 1, &before.assignments));

    let signers = BTreeSet::from(["units/0", "units/1"]);
    let signed = given.sign(&ledger.task, &signers, ledger.now).unwrap();
    given.apply(&signed);
    assert_eq!(given.unsigned().collect::<Vec<_>>(), ["officials/head"]);
    let again = given.sign(&ledger.task, &signers, ledger.now);
    assert_eq!(again, Err(SupervisionError::InstructionSigned));
    assert_eq!(describe(&signed, &|name: &str| name.to_owned()), "units/0签收批示");
}

#[test]
fn what_no_leader_can_write_is_refused() {
    let mut ledger = ledger();
    let mut refusal = |asked| given(&mut ledger, asked).unwrap_err();
    let empty = Instruction { text: "  ".to_owned(), ..asked(&["units/0"], &[], None) };
    assert_eq!(refusal(empty), SupervisionError::Empty(NotEmpty::Instruction));
    assert_eq!(refusal(asked(&[], &[], None)), SupervisionError::NoAddressee);
    let unit = "units/9".to_owned();
    assert_eq!(refusal(asked(&["units/9"], &[], None)), SupervisionError::NotOfTask { unit });
    let passed = SupervisionError::TimePassed { at: at(NOON) };
    assert_eq!(refusal(asked(&["units/0"], &[], Some(NOON))), passed);
    let draft = draft(Grade::Ordinary, &[Role::Lead]);
    let mut draft = Ledger::created(draft, "2023-06-01T09:00+08:00");
    let refused = given(&mut draft, asked(&["units/0"], &[], None)).unwrap_err();
    assert_eq!(refused.chinese(), "任务尚未交办，不能批示");
}

#[test]
fn whoever_owes_something_is_urged_once_and_never_early() {
    let mut ledger = ledger();
    let due = "2023-06-03T00:00+08:00";
    let asked = asked(&["units/0", "units/1"], &["officials/head"], Some(due));
    let mut given = given(&mut ledger, asked).unwrap();
    let everybody = BTreeSet::from(["units/0", "units/1", "officials/head"]);
    let signed = given.sign(&ledger.task, &everybody, ledger.now).unwrap();
    given.apply(&signed);
    ledger.unit(0, domain_supervision::AssignmentCommand::Sign).unwrap();
    ledger.unit(0, domain_supervision::AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger.unit(0, report("已落实")).unwrap();

    // The day ends on a Friday night; people are back on Monday.
    assert_eq!(given.looked_at(&ledger.task, &ledger.calendar), Some(at("2023-06-05T08:00+08:00")));
    for (early, again) in [
        ("2023-06-02T23:59:59.999999+08:00", None),
        (due, Some("2023-06-05T08:00+08:00")),
        ("2023-06-05T07:59+08:00", Some("2023-06-05T08:00+08:00")),
    ] {
        ledger.now = at(early);
        assert_eq!(given.fire(&ledger.task, &ledger.context()), None, "{early}");
        assert_eq!(given.postponed(&ledger.task, &ledger.context()), again.map(at), "{early}");
    }
    ledger.now = at("2023-06-05T08:00+08:00");
    assert_eq!(urged(&ledger, &mut given), ["units/1"], "it has signed, and reported nothing since");
    assert_eq!(urged(&ledger, &mut given), [""; 0], "once");
    assert_eq!(given.postponed(&ledger.task, &ledger.context()), None);
}

/// Whom an instruction urges now.
fn urged(ledger: &Ledger, given: &mut Instruction) -> Vec<String> {
    let Some(urged) = given.fire(&ledger.task, &ledger.context()) else { return vec![] };
    given.apply(&urged);
    let TaskEvent::Task(event) = &urged else { panic!("an event of the task") };
    let TaskChange::InstructionDue { owing, unsigned, unreported, .. } = &event.change else {
        panic!("urging")
    };
    let (unsigned, unreported) = (unsigned.as_deref().unwrap(), unreported.as_deref().unwrap());
    assert!(owing.iter().all(|one| unsigned.contains(one) || unreported.contains(one)), "{event:?}");
    let signed = |one: &String| given.signatures.iter().any(|by| by.addressee == *one);
    assert!(!unsigned.iter().any(signed), "nobody is asked to sign again");
    owing.clone()
}

#[test]
fn whoever_was_urged_just_now_or_waits_for_others_is_urged_later() {
    let mut ledger = ledger();
    let due = "2023-06-02T12:00+08:00";
    let mut given =
        given(&mut ledger, asked(&["units/0", "units/1"], &["officials/head"], Some(due))).unwrap();
    for index in [0, 1] {
        ledger.unit(index, AssignmentCommand::Sign).unwrap();
        ledger.unit(index, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    }
    ledger.unit(0, ask_until(time::macros::date!(2023 - 06 - 20))).unwrap();
    ledger.task.assignments[1].instruments.insert(Instrument::Urging, at("2023-06-02T09:00+08:00"));
    ledger.now = at(due);
    assert_eq!(urged(&ledger, &mut given), ["officials/head"]);
    let again = given.postponed(&ledger.task, &ledger.context());
    assert_eq!(again, Some(at("2023-06-05T08:00+08:00")), "a day later is a Saturday");
    ledger.now = at("2023-06-05T08:00+08:00");
    assert_eq!(urged(&ledger, &mut given), ["units/1"], "the other still asks for an extension");
    assert_eq!(given.postponed(&ledger.task, &ledger.context()), Some(at("2023-06-06T08:00+08:00")));
    ledger.unit(0, answer(false)).unwrap();
    ledger.now = at("2023-06-06T08:00+08:00");
    assert_eq!(urged(&ledger, &mut given), ["units/0"]);
    assert_eq!(given.postponed(&ledger.task, &ledger.context()), None);
}

#[test]
fn a_unit_that_holds_the_task_no_longer_owes_nothing() {
    let mut ledger = ledger();
    let due = "2023-06-02T12:00+08:00";
    let given = given(&mut ledger, asked(&["units/0"], &[], Some(due))).unwrap();
    ledger.task.assignments[0].unit = "units/other".to_owned();
    ledger.now = at(due);
    assert_eq!(given.owing(&ledger.task, ledger.now), [""; 0]);
    assert_eq!(given.postponed(&ledger.task, &ledger.context()), None);
}

#[test]
fn an_added_units_clock_starts_when_it_is_added() {
    let mut ledger = ledger();
    ledger.now = at("2023-06-05T10:00+08:00");
    let add = |units: &[&str]| Command::AddCooperating {
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        ground: "需要资金保障".to_owned(),
    };
    let events = ledger.task(add(&["units/finance", "units/land"])).unwrap();
    let called = |name: &str| name.to_owned();
    assert_eq!(describe(&events[0], &called), "增加配合单位units/finance、units/land：需要资金保障");
    let added = ledger.assignment(2);
    assert_eq!((added.name.as_str(), added.role), (name(2).as_str(), Role::Cooperating));
    assert_eq!((added.state, added.assigned_at), (AssignmentState::Assigned, Some(ledger.now)));
    assert_eq!(ledger.clocks(2).due.settle, Some(at("2023-06-13T00:00+08:00")));
    assert_eq!(ledger.light(2), Light::Green);
    assert_eq!(ledger.assignment(3).name, name(3));

    let twice = SupervisionError::UnitTwice { unit: "units/land".to_owned() };
    assert_eq!(ledger.task(add(&["units/land"])), Err(twice));
    assert_eq!(ledger.task(add(&[])), Err(SupervisionError::Empty(NotEmpty::Unit)));
    let many: Vec<String> = (0..199).map(|number| format!("units/more-{number}")).collect();
    let many = Command::AddCooperating { units: many, ground: String::new() };
    assert_eq!(ledger.task(many), Err(SupervisionError::TooManyUnits { most: 200 }));
    ledger.task(Command::Withdraw { ground: "重复".to_owned() }).unwrap();
    let refused = ledger.task(add(&["units/audit"])).unwrap_err();
    assert_eq!(refused.chinese(), "任务已经撤销，不能增加配合单位");
    assert_eq!(ledger.task.state, TaskState::Withdrawn);
}

#[test]
fn no_unit_is_added_to_a_task_that_was_due_already() {
    let mut draft = draft(Grade::Ordinary, &[Role::Lead]);
    draft.due_date = Some(time::macros::date!(2023 - 06 - 10));
    let mut ledger = Ledger::issued(draft, "2023-06-01T09:00+08:00");
    ledger.now = at("2023-06-11T09:00+08:00");
    let add = Command::AddCooperating { units: vec!["units/land".to_owned()], ground: String::new() };
    assert!(matches!(ledger.task(add), Err(SupervisionError::DueBeforeIssue { .. })));
}
