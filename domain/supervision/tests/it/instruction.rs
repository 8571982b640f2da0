//! Instructions of leaders, and units that are added.

use std::collections::BTreeSet;

use domain_supervision::{
    AssignmentState, Command, Grade, Instruction, Light, NotEmpty, Role, SupervisionError, TaskChange,
    TaskEvent, TaskState, describe,
};

use crate::ledger::{Ledger, at, draft, name, report};

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
    assert_eq!(refused.chinese(), "任务尚未交办,不能批示");
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

    ledger.now = at("2023-06-02T23:59:59.999999+08:00");
    assert_eq!(given.fire(&ledger.task, &ledger.context()), None);
    ledger.now = at(due);
    let urged = given.fire(&ledger.task, &ledger.context()).unwrap();
    given.apply(&urged);
    let TaskEvent::Task(event) = &urged else { panic!("an event of the task") };
    let TaskChange::InstructionDue { owing, unsigned, unreported, .. } = &event.change else {
        panic!("urging")
    };
    assert_eq!(owing, &["units/1"], "it has signed, and reported nothing since");
    assert_eq!(unsigned.as_deref(), Some(&[][..]), "it is not asked to sign again");
    assert_eq!(unreported.as_deref(), Some(&["units/1".to_owned()][..]));
    assert_eq!(given.fire(&ledger.task, &ledger.context()), None, "once");
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
    assert_eq!(refused.chinese(), "任务已经撤销,不能增加配合单位");
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
