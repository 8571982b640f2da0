//! What a unit passes down, and what it drafts.

use domain_supervision::{
    AssignmentCommand, AssignmentState, Delegate, Delegation, DelegationAction, DelegationState, DraftAction,
    Grade, Handing, NotEmpty, Role, Said, SupervisionError, UnitDraft,
};

use crate::ledger::{Ledger, at, draft, report};

fn ledger() -> Ledger {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    ledger
}

fn handing(to: Delegate, due: &str) -> Handing {
    Handing {
        name: "delegations/1".to_owned(),
        to,
        parent: Some("units/0".to_owned()),
        ask: "请摸清底数".to_owned(),
        due_at: at(due),
    }
}

fn give(ledger: &Ledger, asked: Handing) -> Result<Delegation, SupervisionError> {
    Delegation::give(&ledger.task, ledger.assignment(0), asked, &ledger.context())
}

fn bureau() -> Delegate {
    Delegate::Unit("units/bureau".to_owned())
}

const DUE: &str = "2023-06-07T00:00+08:00";

#[test]
fn an_assignment_is_passed_down_to_ones_own_within_ones_own_time() {
    let ledger = ledger();
    assert_eq!(give(&ledger, handing(bureau(), DUE)).unwrap().state, DelegationState::Open);
    assert!(give(&ledger, handing(Delegate::Section("办公室".to_owned()), DUE)).is_ok());

    let strange = Handing { parent: Some("units/9".to_owned()), ..handing(bureau(), DUE) };
    assert!(matches!(give(&ledger, strange), Err(SupervisionError::NotSubordinate { .. })));
    let orphan = Handing { parent: None, ..handing(bureau(), DUE) };
    assert!(matches!(give(&ledger, orphan), Err(SupervisionError::NotSubordinate { .. })));
    let own = ledger.clocks(0).due.settle.unwrap();
    assert!(give(&ledger, handing(bureau(), &own.to_string())).is_ok(), "as late as one's own");
    let late = give(&ledger, handing(bureau(), "2023-06-10T00:00+08:00"));
    assert_eq!(late, Err(SupervisionError::LaterThanHolder { due: own }));
    let passed = give(&ledger, handing(bureau(), "2023-06-01T09:00+08:00"));
    assert!(matches!(passed, Err(SupervisionError::TimePassed { .. })));
    let silent = Handing { ask: " ".to_owned(), ..handing(bureau(), DUE) };
    assert_eq!(give(&ledger, silent), Err(SupervisionError::Empty(NotEmpty::Ask)));
    let nameless = handing(Delegate::Section(" ".to_owned()), DUE);
    assert_eq!(give(&ledger, nameless), Err(SupervisionError::Empty(NotEmpty::Section)));

    let unsigned = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    assert_eq!(give(&unsigned, handing(bureau(), DUE)).unwrap_err().chinese(), "尚未签收，请先签收再转办");
}

#[test]
fn an_answer_returns_to_the_holder_who_takes_it_into_a_report_or_sends_it_back() {
    let ledger = ledger();
    let held = ledger.assignment(0);
    let given = give(&ledger, handing(bureau(), DUE)).unwrap();
    assert_eq!(given.adopted(held, ""), Err(SupervisionError::NoAnswer));
    let by = ("bureau-clerk", at("2023-06-02T09:00+08:00"));
    assert_eq!(given.answered(held, " ", false, by), Err(SupervisionError::Empty(NotEmpty::DelegateAnswer)));
    let done = given.answered(held, "已摸清底数", true, by).unwrap();
    assert_eq!(done.state, DelegationState::Done);
    assert!(done.answered(held, "再报", false, by).is_err(), "it said that it was done");
    assert_eq!(done.adopted(held, "").unwrap().1, "已摸清底数");
    assert_eq!(done.adopted(held, "区里已摸清底数").unwrap().1, "区里已摸清底数");
    let back = done.turned(DelegationAction::SendBack, "请补充明细").unwrap();
    assert_eq!((back.state, back.version), (DelegationState::Open, 3));
    let withdrawn = back.turned(DelegationAction::Withdraw, "改由本级办理").unwrap();
    assert!(withdrawn.answered(held, "晚了", false, by).is_err());
    let event = done.event(domain_supervision::DelegationChange::Finished, by.1);
    assert_eq!(event.text, "", "what was answered is the holder's");
}

#[test]
fn a_delegate_answers_no_holder_that_holds_the_matter_no_longer() {
    let mut ledger = ledger();
    let given = give(&ledger, handing(bureau(), DUE)).unwrap();
    let by = ("bureau-clerk", ledger.now);
    let mut moved = ledger.assignment(0).clone();
    moved.unit = "units/9".to_owned();
    assert!(matches!(given.answered(&moved, "好", false, by), Err(SupervisionError::HeldByAnother { .. })));
    ledger.task(domain_supervision::Command::Withdraw { ground: "重复".to_owned() }).unwrap();
    let over = given.answered(ledger.assignment(0), "好", false, by).unwrap_err();
    let state = AssignmentState::Withdrawn;
    assert_eq!(
        over,
        SupervisionError::AssignmentRefused { action: domain_supervision::Action::Report, state }
    );
}

#[test]
fn a_draft_is_said_once_by_the_unit_that_still_holds_the_matter() {
    let ledger = ledger();
    let held = ledger.assignment(0);
    let said = Said::of(&report("进展")).unwrap();
    let drafted = UnitDraft::new(
        "drafts/1".to_owned(),
        ("tasks/1", &held.name),
        &held.unit,
        said,
        ("clerk", ledger.now),
    );
    assert_eq!(drafted.word(held).unwrap(), report("进展"));
    let mut moved = held.clone();
    moved.unit = "units/9".to_owned();
    assert!(matches!(drafted.word(&moved), Err(SupervisionError::HeldByAnother { .. })));

    let by = ("approver", ledger.now);
    let silent = drafted.after(DraftAction::SendBack, " ", by);
    assert_eq!(silent, Err(SupervisionError::Empty(NotEmpty::DraftNote)));
    let back = drafted.after(DraftAction::SendBack, "请写明数字", by).unwrap();
    assert_eq!((back.note.as_str(), back.approver.as_deref()), ("请写明数字", Some("approver")));
    assert!(back.after(DraftAction::Release, "", by).is_err());
    let released = drafted.after(DraftAction::Release, "", by).unwrap();
    let payload = released.event(147, ledger.now).to_payload().unwrap().to_string();
    assert!(!payload.contains("\"进展\""), "what was drafted stands in no event: {payload}");
}
