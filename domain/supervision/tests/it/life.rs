//! What each command brings about, and what is refused.

use domain_supervision::{
    AssignmentCommand, AssignmentState, CircumstanceCommand, Command, Content, Grade, Instruction,
    Instrument, InstrumentUse, Light, NotEmpty, Role, SharedReport, SideRoadCommand, Stage, SupervisionError,
    TaskChange, TaskDraft, TaskEvent, TaskState, TimerKind, Visibility, create, fire,
};

use time::macros::date;

use crate::figure::{figure, target};
use crate::ledger::{Ledger, answer, ask_until, at, draft, name, report, side_road, submit, verify};
use crate::milestone::{milestone, reach, send_back};

pub(crate) fn types(events: &[TaskEvent]) -> Vec<&'static str> {
    events.iter().map(TaskEvent::event_type).collect()
}

pub(crate) fn bring_to(ledger: &mut Ledger, index: usize, state: AssignmentState) {
    let steps = [
        (AssignmentState::Signed, AssignmentCommand::Sign),
        (AssignmentState::Deployed, AssignmentCommand::Deploy { plan: String::new() }),
        (AssignmentState::InProgress, report("已进场")),
        (AssignmentState::Submitted, submit()),
        (AssignmentState::StruckOff, verify(true)),
    ];
    for (reached, command) in steps.into_iter().filter(|(reached, _)| *reached <= state) {
        ledger.unit(index, command).unwrap();
        assert_eq!(ledger.assignment(index).state, reached);
    }
}

/// Every command (columns) on every state of an assignment (rows, in the order of
/// [`AssignmentState::ALL`]): the index of the state reached, or `-` when it is refused. Columns:
/// sign, deploy, report, submit, verify (accept, send back), request an extension; return,
/// refuse a return, reassign, suspend, resume, wait, recheck, reopen. What answers something that was
/// asked or said before is in the next table.
#[test]
fn every_command_has_a_defined_answer_in_every_state() {
    use AssignmentState as S;
    use SideRoadCommand as R;
    let said = || "情况属实".to_owned();
    let day = date!(2023 - 09 - 01);
    let table = [
        (S::Pending, "--------", "-------"),
        (S::Assigned, "2------6", "-1-----"),
        (S::Signed, "-3----26", "-1--2--"),
        (S::Deployed, "--45--3-", "-17-3--"),
        (S::InProgress, "--45--4-", "-17-4--"),
        (S::Submitted, "----84--", "-------"),
        (S::Returned, "--------", "21-----"),
        (S::Suspended, "--------", "-1-4---"),
        (S::StruckOff, "--------", "-----84"),
        (S::Withdrawn, "--------", "-------"),
    ];
    assert_eq!(table.map(|(state, ..)| state), S::ALL);
    for (state, first, rest) in table {
        let commands = [
            AssignmentCommand::Sign,
            AssignmentCommand::Deploy { plan: String::new() },
            report("进展"),
            submit(),
            verify(true),
            verify(false),
            ask_until(date!(2023 - 06 - 20)),
            side_road(R::Return { reason: said() }),
            side_road(R::RefuseReturn { note: said() }),
            side_road(R::Reassign { unit: "units/water".to_owned(), ground: said() }),
            side_road(R::Suspend { ground: said(), review_date: day }),
            side_road(R::Resume { note: said() }),
            side_road(R::Wait { on: "units/water".to_owned(), need: said() }),
            side_road(R::Recheck { finding: said() }),
            side_road(R::Reopen { ground: said(), last_day: day }),
        ];
        let answers: Vec<_> = first
            .chars()
            .chain(rest.chars())
            .map(|cell| cell.to_digit(10).map(|index| S::ALL[index as usize]))
            .collect();
        assert_eq!(answers.len(), commands.len());
        for (command, expected) in commands.into_iter().zip(answers) {
            let mut ledger = in_state(draft(Grade::Ordinary, &[Role::Lead, Role::Lead]), state);
            let before = ledger.task.clone();
            let answer = ledger.unit(0, command.clone());
            match expected {
                Some(reached) => {
                    assert!(answer.is_ok(), "{command:?} in {state:?}: {answer:?}");
                    assert_eq!(ledger.assignment(0).state, reached, "{command:?} in {state:?}");
                }
                None => {
                    assert!(
                        matches!(answer, Err(SupervisionError::AssignmentRefused { state: found, .. }) if found == state),
                        "{command:?} in {state:?}: {answer:?}"
                    );
                    assert_eq!(ledger.task, before, "a refusal changes nothing");
                }
            }
        }
    }
}

/// A ledger whose first assignment is in a state; a second lead keeps the task open when the first is
/// struck off.
fn in_state(draft: TaskDraft, state: AssignmentState) -> Ledger {
    use AssignmentState as S;
    let said = || "情况属实".to_owned();
    let mut ledger = Ledger::created(draft, "2023-06-01T09:00+08:00");
    match state {
        S::Pending => return ledger,
        S::Withdrawn => {
            ledger.task(Command::Withdraw { ground: "重复交办".to_owned() }).unwrap();
            return ledger;
        }
        S::Assigned
        | S::Signed
        | S::Deployed
        | S::InProgress
        | S::Submitted
        | S::StruckOff
        | S::Returned
        | S::Suspended => drop(ledger.task(Command::Issue { with_document: false }).unwrap()),
    }
    match state {
        S::Pending | S::Withdrawn => {}
        S::Assigned | S::Signed | S::Deployed | S::InProgress | S::Submitted | S::StruckOff => {
            bring_to(&mut ledger, 0, state);
        }
        S::Returned => drop(ledger.unit(0, side_road(SideRoadCommand::Return { reason: said() })).unwrap()),
        S::Suspended => {
            bring_to(&mut ledger, 0, S::InProgress);
            let review_date = date!(2023 - 09 - 01);
            ledger.unit(0, side_road(SideRoadCommand::Suspend { ground: said(), review_date })).unwrap();
        }
    }
    ledger
}

/// The same of what answers something: columns are to grant an extension and to refuse it, to accept a
/// wait, to rule on it and to end it, to urge, to report with a matter, to reach a milestone and to
/// send it back. What is answered was asked before, as far as it can be asked in that state.
#[test]
fn every_answer_has_a_defined_answer_in_every_state() {
    use AssignmentState as S;
    use SideRoadCommand as R;
    let said = || "情况属实".to_owned();
    let shared = SharedReport {
        report: "reports/1".to_owned(),
        matter: "matters/1".to_owned(),
        title: "清水".to_owned(),
        reported_on: name(0),
        told_together: false,
    };
    let urge = AssignmentCommand::Press(InstrumentUse {
        instrument: Instrument::Urging,
        ground: said(),
        decision: String::new(),
        by_leader: false,
        skip_lighter: false,
        paper: None,
    });
    let wait = || Some(side_road(R::Wait { on: "units/water".to_owned(), need: said() }));
    let ask = || Some(ask_until(date!(2023 - 07 - 20)));
    let day = date!(2023 - 06 - 10);
    let answers = [
        (answer(true), ask(), "--234-----"),
        (answer(false), ask(), "--234-----"),
        (side_road(R::AcceptWait), wait(), "--234-----"),
        (side_road(R::RuleOnWait { hold: true, note: said() }), wait(), "--234-----"),
        (side_road(R::EndWait { answer: said() }), wait(), "--234-----"),
        (urge, None, "-1234-----"),
        (
            AssignmentCommand::ReportWithMatter { text: said(), shared, attachments: vec![] },
            None,
            "---44-----",
        ),
        (reach(day), None, "---44-----"),
        (send_back(day), Some(reach(day)), "----4--7--"),
    ];
    let dated = || {
        let mut draft = draft(Grade::Ordinary, &[Role::Lead, Role::Lead]);
        draft.due_date = Some(date!(2023 - 06 - 30));
        draft.milestones = vec![milestone(day, "完成六成", &[])];
        draft
    };
    for (command, asked, row) in answers {
        for (state, cell) in S::ALL.into_iter().zip(row.chars()) {
            let mut ledger = in_state(dated(), state);
            let expected = cell.to_digit(10).map(|index| S::ALL[index as usize]);
            if matches!(command, AssignmentCommand::Press(_)) {
                // Nobody is urged before something is due.
                ledger.now = at("2023-06-12T09:00+08:00");
            }
            if expected.is_some() && asked.is_some() {
                let bare = ledger.unit(0, command.clone());
                assert!(bare.is_err(), "{command:?} in {state:?} without what it answers: {bare:?}");
            }
            if let Some(asked) = asked.clone().filter(|_| expected.is_some()) {
                if state == S::Suspended {
                    // Reached before it was suspended.
                    ledger.unit(0, side_road(R::Resume { note: String::new() })).unwrap();
                    drop(ledger.unit(0, asked));
                    let review_date = date!(2023 - 09 - 01);
                    drop(ledger.unit(0, side_road(R::Suspend { ground: said(), review_date })));
                } else {
                    drop(ledger.unit(0, asked));
                }
            }
            let before = ledger.task.clone();
            let answer = ledger.unit(0, command.clone());
            match expected {
                Some(reached) => {
                    assert!(answer.is_ok(), "{command:?} in {state:?}: {answer:?}");
                    assert_eq!(ledger.assignment(0).state, reached, "{command:?} in {state:?}");
                }
                None => {
                    assert!(
                        matches!(answer, Err(SupervisionError::AssignmentRefused { state: found, .. }) if found == state),
                        "{command:?} in {state:?}: {answer:?}"
                    );
                    assert_eq!(ledger.task, before, "a refusal changes nothing");
                }
            }
        }
    }
}

/// Every command (rows) on the task as a whole in every state: a draft, issued, struck off, withdrawn.
/// `+` is an answer, `-` a refusal.
#[test]
fn the_task_as_a_whole_answers_every_command_in_every_state() {
    let ground = || "上级通知".to_owned();
    let link = |joins: bool| {
        let (matter, title, ground) = ("matters/1".to_owned(), "清水".to_owned(), ground());
        if joins {
            Command::JoinMatter { matter, title, ground }
        } else {
            Command::LeaveMatter { matter, title, ground }
        }
    };
    let instruction = Instruction {
        name: "tasks/1/instructions/1".to_owned(),
        leader: "officials/mayor".to_owned(),
        text: "请抓紧落实".to_owned(),
        units: vec!["units/0".to_owned()],
        officials: vec!["officials/wang".to_owned()],
        due_at: None,
        given_at: at("2023-06-01T09:00+08:00"),
        signatures: vec![],
        urged_at: None,
        urged: std::collections::BTreeSet::new(),
    };
    let to_officials = Instruction { units: vec![], ..instruction.clone() };
    let designate =
        CircumstanceCommand::Designate { official: Some("officials/wang".to_owned()), ground: ground() };
    let table = [
        (Command::Issue { with_document: false }, "+---"),
        (Command::Withdraw { ground: ground() }, "++--"),
        (link(true), "++++"),
        (link(false), "++++"),
        (Command::Circumstance(designate), "-+--"),
        (Command::Instruct(Box::new(instruction)), "-+--"),
        (Command::Instruct(Box::new(to_officials)), "-+--"),
        (Command::AddCooperating { units: vec!["units/9".to_owned()], ground: ground() }, "-+--"),
        (Command::GiveFigure(figure("产值", "7")), "-++-"),
    ];
    let states = [TaskState::Draft, TaskState::Issued, TaskState::StruckOff, TaskState::Withdrawn];
    for state in states {
        let in_state = || {
            let mut draft = draft(Grade::Ordinary, &[Role::Lead]);
            draft.targets = vec![target("产值", true)];
            let mut ledger = Ledger::created(draft, "2023-06-01T09:00+08:00");
            match state {
                TaskState::Draft => {}
                TaskState::Issued => drop(ledger.task(Command::Issue { with_document: false }).unwrap()),
                TaskState::StruckOff => {
                    ledger.task(Command::Issue { with_document: false }).unwrap();
                    bring_to(&mut ledger, 0, AssignmentState::StruckOff);
                }
                TaskState::Withdrawn => drop(ledger.task(Command::Withdraw { ground: ground() }).unwrap()),
            }
            assert_eq!(ledger.task.state, state);
            ledger
        };
        let column = states.iter().position(|one| *one == state).unwrap();
        let answers = table.iter().map(|(command, row)| (command.clone(), row.as_bytes()[column] == b'+'));
        let mut revised = Content::of(&in_state().task);
        revised.title.push('改');
        let revise = Command::Revise { content: Box::new(revised), ground: ground() };
        let revisable = matches!(state, TaskState::Draft | TaskState::Issued);
        for (command, allowed) in answers.chain([(revise, revisable)]) {
            let mut ledger = in_state();
            if command == link(false) {
                ledger.task(link(true)).unwrap();
            }
            let before = ledger.task.clone();
            let answer = ledger.task(command.clone());
            assert_eq!(answer.is_ok(), allowed, "{command:?} in {state:?}: {answer:?}");
            if let Err(refusal) = answer {
                assert!(
                    matches!(refusal, SupervisionError::TaskRefused { state: found, .. } if found == state)
                );
                assert!(!refusal.chinese().is_empty());
                assert_eq!(ledger.task, before, "a refusal changes nothing");
            }
        }
    }
}

#[test]
fn a_task_is_struck_off_only_with_its_last_lead_and_takes_the_others_along() {
    let roles = [Role::Lead, Role::Cooperating, Role::Lead, Role::Responsible];
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &roles), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::Submitted);
    assert_eq!(
        types(&ledger.unit(0, verify(true)).unwrap()),
        ["supervision.assignment.verified", "supervision.assignment.struck_off"]
    );
    assert_eq!(ledger.task.state, TaskState::Issued);

    bring_to(&mut ledger, 2, AssignmentState::Submitted);
    let events = ledger.unit(2, verify(true)).unwrap();
    assert_eq!(
        types(&events),
        [
            "supervision.assignment.verified",
            "supervision.assignment.struck_off",
            "supervision.assignment.struck_off",
            "supervision.assignment.struck_off",
            "supervision.task.struck_off",
        ]
    );
    assert_eq!(ledger.task.state, TaskState::StruckOff);
    assert!(ledger.task.assignments.iter().all(|one| one.state == AssignmentState::StruckOff));
    assert!((0..4).all(|index| ledger.light(index) == Light::Blue));
}

#[test]
fn without_a_lead_every_responsible_unit_completes_for_itself() {
    let roles = [Role::Responsible, Role::Responsible, Role::Cooperating];
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &roles), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 2, AssignmentState::StruckOff);
    bring_to(&mut ledger, 0, AssignmentState::StruckOff);
    assert_eq!(ledger.task.state, TaskState::Issued);
    bring_to(&mut ledger, 1, AssignmentState::StruckOff);
    assert_eq!(ledger.task.state, TaskState::StruckOff);
}

#[test]
fn a_holder_never_verifies_its_own_work() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::Submitted);
    for accept in [true, false] {
        let own = AssignmentCommand::Verify {
            accept,
            note: "同意".to_owned(),
            verifier_units: vec!["units/supervisor".to_owned(), "units/0".to_owned()],
        };
        assert_eq!(ledger.unit(0, own), Err(SupervisionError::OwnWork { unit: "units/0".to_owned() }));
    }
}

#[test]
fn texts_that_must_say_something_are_asked_for() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::Deployed);
    assert_eq!(ledger.unit(0, report(" ")), Err(SupervisionError::Empty(NotEmpty::Report)));
    let empty = AssignmentCommand::Submit { text: String::new(), attachments: vec![] };
    assert_eq!(ledger.unit(0, empty), Err(SupervisionError::Empty(NotEmpty::Submission)));
    ledger.unit(0, submit()).unwrap();
    let silent = AssignmentCommand::Verify { accept: false, note: String::new(), verifier_units: vec![] };
    assert_eq!(ledger.unit(0, silent), Err(SupervisionError::Empty(NotEmpty::SendBackNote)));
    let groundless = Command::Withdraw { ground: "\n".to_owned() };
    assert_eq!(ledger.task(groundless), Err(SupervisionError::Empty(NotEmpty::WithdrawalGround)));
}

#[test]
fn drafts_that_cannot_be_carried_out_are_refused() {
    let sound = || draft(Grade::Ordinary, &[Role::Lead, Role::Cooperating]);
    let refused = |change: &dyn Fn(&mut domain_supervision::TaskDraft)| {
        let mut draft = sound();
        change(&mut draft);
        let refusal = create(draft, at("2023-06-01T09:00+08:00")).unwrap_err();
        assert!(!refusal.chinese().is_empty());
        refusal
    };
    assert!(create(sound(), at("2023-06-01T09:00+08:00")).is_ok());
    assert_eq!(refused(&|d| d.unclassified = false), SupervisionError::NotDeclaredUnclassified);
    assert_eq!(refused(&|d| d.title.clear()), SupervisionError::Empty(NotEmpty::Title));
    assert_eq!(refused(&|d| d.visibility = Visibility::Restricted), SupervisionError::RestrictedToNobody);
    assert_eq!(refused(&|d| d.assignments.clear()), SupervisionError::NoAssignment);
    assert_eq!(refused(&|d| drop(d.assignments.remove(0))), SupervisionError::OnlyCooperatingUnits);
    assert_eq!(
        refused(&|d| d.assignments[1].unit = "units/0".to_owned()),
        SupervisionError::UnitTwice { unit: "units/0".to_owned() }
    );
    assert_eq!(
        refused(&|d| d.assignments[1].name = name(0)),
        SupervisionError::AssignmentNameTwice { name: name(0) }
    );
    assert_eq!(refused(&|d| d.assignments[0].unit.clear()), SupervisionError::Empty(NotEmpty::Unit));
}

#[test]
fn a_last_day_before_the_issue_is_reported_and_not_issued() {
    let mut late = draft(Grade::Ordinary, &[Role::Lead]);
    late.due_date = Some(at("2023-05-31T00:00+08:00").day());
    let mut ledger = Ledger::created(late.clone(), "2023-06-01T09:00+08:00");
    assert!(matches!(
        ledger.task(Command::Issue { with_document: false }),
        Err(SupervisionError::DueBeforeIssue { .. })
    ));
    late.due_date = Some(at("2023-06-01T00:00+08:00").day());
    let mut ledger = Ledger::created(late, "2023-06-01T09:00+08:00");
    assert!(
        ledger.task(Command::Issue { with_document: false }).is_ok(),
        "the day of issue itself is possible"
    );
}

#[test]
fn issuing_tells_every_unit_its_due_times_in_one_event() {
    let mut ledger =
        Ledger::created(draft(Grade::Ordinary, &[Role::Lead, Role::Cooperating]), "2023-06-01T09:00+08:00");
    let events = ledger.task(Command::Issue { with_document: false }).unwrap();
    let [TaskEvent::Task(issued)] = events.as_slice() else { panic!("one event: {events:?}") };
    let TaskChange::Issued { rule_version: 1, assignments, .. } = &issued.change else {
        panic!("{issued:?}")
    };
    assert_eq!(assignments.len(), 2);
    assert!(assignments.iter().all(|one| one.due.settle == Some(at("2023-06-09T00:00+08:00"))));
    assert_eq!(issued.task.ledger_number, 147);
}

#[test]
fn withdrawing_leaves_settled_what_was_settled() {
    let mut ledger =
        Ledger::issued(draft(Grade::Ordinary, &[Role::Lead, Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::StruckOff);
    ledger.task(Command::Withdraw { ground: "政策调整".to_owned() }).unwrap();
    assert_eq!(ledger.assignment(0).state, AssignmentState::StruckOff);
    assert_eq!(ledger.assignment(1).state, AssignmentState::Withdrawn);
    assert_eq!(ledger.light(1), Light::Grey);
    assert!(ledger.timers(1).is_empty());
}

#[test]
fn completion_is_the_moment_of_the_accepted_submission() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    ledger.until("2023-06-08T23:59:59+08:00");
    ledger.unit(0, submit()).unwrap();
    ledger.until("2023-06-20T10:00+08:00");
    assert_eq!(ledger.light(0), Light::Yellow, "the light is held as it was when submitted");
    ledger.unit(0, verify(true)).unwrap();
    assert_eq!(ledger.assignment(0).completed_at, Some(at("2023-06-08T23:59:59+08:00")));
    assert!(!ledger.assignment(0).was_late());
}

#[test]
fn the_wait_of_a_returned_submission_is_charged_to_the_verifier() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    ledger.until("2023-06-06T09:00+08:00");
    ledger.unit(0, submit()).unwrap();
    ledger.until("2023-06-12T09:00+08:00");
    assert_eq!(ledger.light(0), Light::Green);
    let events = ledger.unit(0, verify(false)).unwrap();
    assert_eq!(types(&events), ["supervision.assignment.sent_back"]);
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-15T00:00+08:00")), "six days later");
    assert_eq!(ledger.light(0), Light::Green);

    // Only the last submission counts, and it comes too late.
    ledger.until("2023-06-15T00:00+08:00");
    assert_eq!(ledger.light(0), Light::Red);
    ledger.until("2023-06-16T09:00+08:00");
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();
    assert_eq!(ledger.assignment(0).completed_at, Some(at("2023-06-16T09:00+08:00")));
    assert_eq!(ledger.light(0), Light::Blue);
    assert!(ledger.assignment(0).late.contains(&Stage::Settle), "was late survives completion");
}

#[test]
fn a_unit_that_does_nothing_is_urged_once_for_both_first_day_steps() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    ledger.until("2023-06-30T00:00+08:00");
    assert_eq!(
        ledger.alarms(),
        [
            ("2023-06-02T08:00:00+08:00".to_owned(), "supervision.assignment.urged"),
            ("2023-06-05T08:00:00+08:00".to_owned(), "supervision.assignment.urged"),
            // 183 hours: a fifth is 36 hours and 36 minutes.
            ("2023-06-07T11:24:00+08:00".to_owned(), "supervision.assignment.reminded"),
            ("2023-06-09T00:00:00+08:00".to_owned(), "supervision.assignment.overdue"),
        ]
    );
    assert_eq!(ledger.light(0), Light::Red);
    assert_eq!(ledger.assignment(0).late.len(), 4);
}

#[test]
fn a_missed_step_is_yellow_until_it_is_done_and_counted_ever_after() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::Signed);
    ledger.until("2023-06-02T09:00+08:00");
    assert_eq!(ledger.light(0), Light::Yellow);
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    assert_eq!(ledger.light(0), Light::Green);
    assert_eq!(ledger.assignment(0).late.iter().collect::<Vec<_>>(), [&Stage::Deploy]);
}

#[test]
fn lateness_is_counted_even_if_no_timer_fired_in_time() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    ledger.now = at("2023-06-02T00:00+08:00");
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    assert!(ledger.assignment(0).late.contains(&Stage::Sign));
}

#[test]
fn a_timer_finds_nothing_to_do_when_early_or_when_the_unit_moved_on() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    for kind in TimerKind::ALL {
        assert!(fire(&ledger.task, ledger.assignment(0), kind, &ledger.context()).is_empty(), "{kind:?}");
    }
    bring_to(&mut ledger, 0, AssignmentState::Submitted);
    ledger.now = at("2023-07-01T09:00+08:00");
    for kind in TimerKind::ALL {
        assert!(fire(&ledger.task, ledger.assignment(0), kind, &ledger.context()).is_empty(), "{kind:?}");
    }
}

#[test]
fn a_timer_that_fires_late_fires_once_and_never_reminds_after_the_end() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    ledger.now = at("2023-06-10T09:00+08:00");
    let reminded = fire(&ledger.task, ledger.assignment(0), TimerKind::Yellow, &ledger.context());
    assert!(reminded.is_empty(), "{reminded:?}");
    let overdue = fire(&ledger.task, ledger.assignment(0), TimerKind::SettleDue, &ledger.context());
    assert_eq!(types(&overdue), ["supervision.assignment.overdue"]);
    ledger.task.apply(&overdue[0]).unwrap();
    assert!(fire(&ledger.task, ledger.assignment(0), TimerKind::SettleDue, &ledger.context()).is_empty());
    assert_eq!(ledger.timers(0), []);
}
