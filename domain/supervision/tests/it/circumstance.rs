//! What sets a task apart: an event it waits for, the minute at which an emergency occurred, the
//! leader whom the mayor designated.

use domain_supervision::{
    AssignmentCommand, AssignmentState, Awaited, CircumstanceCommand, Command, Decides, Grade, Light,
    NotEmpty, Role, Span, Stage, SupervisionError, Task, TaskDraft, TaskEvent, TaskKind, Terms, create,
    explain,
};
use time::macros::date;

use crate::attachment::file;
use crate::ledger::{Ledger, at, draft, report, submit};
use crate::life::{bring_to, types};

/// Evaluates a rectification ten months to a year after its case is closed.
fn evaluation() -> TaskDraft {
    let awaits =
        Awaited { event: "案件结案".to_owned(), earliest: Span::Months(10), latest: Span::Months(12) };
    let terms = Terms { kind: Some(TaskKind::Approval), awaits: Some(awaits), ..Terms::default() };
    TaskDraft { terms, ..draft(Grade::Ordinary, &[Role::Lead]) }
}

/// A dyke broke on a Saturday night at ten past eleven.
fn emergency() -> TaskDraft {
    let occurred_at = Some(at("2023-07-22T23:10+08:00"));
    let terms = Terms { kind: Some(TaskKind::Emergency), occurred_at, ..Terms::default() };
    TaskDraft { terms, ..draft(Grade::Ordinary, &[Role::Lead]) }
}

fn happened(ledger: &mut Ledger, on: time::Date) -> Result<Vec<TaskEvent>, SupervisionError> {
    let ground = "结案通知书".to_owned();
    ledger.task(Command::Circumstance(CircumstanceCommand::RecordEvent { on, ground }))
}

fn occurred(ledger: &mut Ledger, when: &str) -> Result<Vec<TaskEvent>, SupervisionError> {
    let ground = "现场核实".to_owned();
    ledger.task(Command::Circumstance(CircumstanceCommand::CorrectOccurrence { at: at(when), ground }))
}

#[test]
fn no_clock_runs_before_the_event_and_then_the_latest_day_is_the_due_one() {
    let mut ledger = Ledger::issued(evaluation(), "2023-06-01T09:00+08:00");
    ledger.until("2023-08-12T10:00+08:00");
    assert_eq!((ledger.light(0), ledger.alarms()), (Light::Grey, vec![]));
    bring_to(&mut ledger, 0, AssignmentState::Deployed);
    let early = ledger.unit(0, submit());
    assert_eq!(early, Err(SupervisionError::StillAwaited { event: "案件结案".to_owned() }));

    let events = happened(&mut ledger, date!(2023 - 08 - 10)).unwrap();
    assert_eq!(types(&events), ["supervision.task.event_recorded"]);
    assert_eq!(ledger.light(0), Light::Green);
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2024-08-11T00:00+08:00")));
    assert_eq!(ledger.clocks(0).due.report, None, "there is nothing to report on before it is due");
    ledger.until("2024-06-09T18:00+08:00");
    let early = ledger.unit(0, submit());
    assert_eq!(early, Err(SupervisionError::TooEarly { first_day: date!(2024 - 06 - 10) }));
    ledger.until("2024-06-10T09:00+08:00");
    ledger.unit(0, submit()).unwrap();
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));
}

#[test]
fn the_day_of_the_event_can_be_corrected_with_what_was_said_before() {
    let mut ledger = Ledger::issued(evaluation(), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::Signed);
    ledger.now = at("2023-08-12T10:00+08:00");
    happened(&mut ledger, date!(2023 - 08 - 10)).unwrap();
    assert_eq!(happened(&mut ledger, date!(2023 - 08 - 10)), Ok(vec![]), "known already");
    ledger.now = at("2023-09-01T10:00+08:00");
    let events = happened(&mut ledger, date!(2023 - 08 - 01)).unwrap();
    let told = domain_supervision::describe(&events[0], &|unit| unit.to_owned());
    assert_eq!(told, "更正案件结案的日期：由2023年8月10日改为2023年8月1日（依据：结案通知书）");
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2024-08-02T00:00+08:00")));
    let steps = explain(&ledger.task, ledger.assignment(0), &ledger.log, &ledger.rule, &ledger.calendar);
    let steps = steps.unwrap().steps();
    assert_eq!(steps[0], "2023年6月1日09:00交办，2023年8月1日案件结案，自2023年8月12日10:00起计时");
    assert!(steps.contains(&"办结：事件发生后最迟12个月，至2024年8月1日24时".to_owned()), "{steps:?}");
}

#[test]
fn an_event_is_recorded_with_a_ground_and_not_ahead_and_only_where_one_is_awaited() {
    let mut ledger = Ledger::issued(evaluation(), "2023-06-01T09:00+08:00");
    let ahead = happened(&mut ledger, date!(2023 - 06 - 02));
    assert_eq!(ahead, Err(SupervisionError::EventAhead { day: date!(2023 - 06 - 02) }));
    let silent = CircumstanceCommand::RecordEvent { on: date!(2023 - 06 - 01), ground: " ".to_owned() };
    let silent = ledger.task(Command::Circumstance(silent));
    assert_eq!(silent, Err(SupervisionError::Empty(NotEmpty::EventGround)));
    let mut plain = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    assert_eq!(happened(&mut plain, date!(2023 - 06 - 01)), Err(SupervisionError::AwaitsNothing));
    let mut entered = Ledger::created(evaluation(), "2023-06-01T09:00+08:00");
    let draft = happened(&mut entered, date!(2023 - 06 - 01));
    assert!(matches!(draft, Err(SupervisionError::TaskRefused { .. })));
}

#[test]
fn terms_that_cannot_be_meant_are_refused() {
    let now = at("2023-06-01T09:00+08:00");
    let awaits = |earliest, latest| Some(Awaited { event: "结案".to_owned(), earliest, latest });
    let wrongly = [
        Terms { awaits: awaits(Span::Months(12), Span::Months(10)), ..Terms::default() },
        Terms { awaits: awaits(Span::Months(1), Span::Minutes(30)), ..Terms::default() },
        Terms { awaits: awaits(Span::Days(0), Span::Days(0)), ..Terms::default() },
        Terms { awaits: awaits(Span::Days(1), Span::Months(1_000)), ..Terms::default() },
    ];
    for terms in wrongly {
        let entered = create(TaskDraft { terms, ..evaluation() }, now);
        assert_eq!(entered.err(), Some(SupervisionError::AwaitedWrongly));
    }
    let dated = TaskDraft { due_date: Some(date!(2023 - 12 - 31)), ..evaluation() };
    assert_eq!(create(dated, now).err(), Some(SupervisionError::AwaitedWrongly));
    assert!(matches!(create(emergency(), now), Err(SupervisionError::OccurrenceAhead { .. })));
    let kind = Some(TaskKind::Emergency);
    let nowhen = TaskDraft { terms: Terms { kind, ..Terms::default() }, ..evaluation() };
    assert_eq!(create(nowhen, now).err(), Some(SupervisionError::NoOccurrence));
    let occurred_at = Some(now);
    let plain = TaskDraft { terms: Terms { occurred_at, ..Terms::default() }, ..evaluation() };
    assert_eq!(create(plain, now).err(), Some(SupervisionError::OccurrenceOfNone));
}

#[test]
fn an_emergency_is_counted_in_minutes_from_its_occurrence_by_night() {
    let mut ledger = Ledger::issued(emergency(), "2023-07-22T23:20+08:00");
    let due = ledger.clocks(0).due;
    assert_eq!(due.report, Some(at("2023-07-22T23:40+08:00")), "by phone within half an hour");
    assert_eq!(due.settle, Some(at("2023-07-23T00:10+08:00")), "in writing within the hour");
    assert_eq!(ledger.clocks(0).yellow_at, None, "too short for yellow");
    ledger.until("2023-07-22T23:39:59+08:00");
    assert_eq!(ledger.light(0), Light::Green);
    ledger.until("2023-07-22T23:40+08:00");
    assert_eq!(ledger.light(0), Light::Yellow, "a step was missed");
    ledger.until("2023-07-23T00:10+08:00");
    assert_eq!(ledger.light(0), Light::Red);
    assert_eq!(
        ledger.alarms(),
        [
            ("2023-07-22T23:40:00+08:00".to_owned(), "supervision.assignment.urged"),
            ("2023-07-23T00:10:00+08:00".to_owned(), "supervision.assignment.overdue"),
        ]
    );
    let explained = explain(&ledger.task, ledger.assignment(0), &ledger.log, &ledger.rule, &ledger.calendar);
    let explained = explained.unwrap();
    assert_eq!(explained.add_up().0, due.settle);
    let steps = explained.steps();
    assert_eq!(steps[0], "2023年7月22日23:10发生，2023年7月22日23:20交办，自发生时起计时");
    assert!(steps.contains(&"办结：60分钟，至2023年7月23日00:10".to_owned()), "{steps:?}");
}

#[test]
fn a_corrected_occurrence_moves_the_clock_and_what_was_not_late_by_it_is_not() {
    let mut ledger = Ledger::issued(emergency(), "2023-07-22T23:20+08:00");
    ledger.until("2023-07-22T23:45+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    assert!(ledger.assignment(0).late.contains(&Stage::Report));
    let ahead = occurred(&mut ledger, "2023-07-22T23:46+08:00");
    assert!(matches!(ahead, Err(SupervisionError::OccurrenceAhead { .. })));
    // It occurred later than was first said: everything was in time.
    let events = occurred(&mut ledger, "2023-07-22T23:18+08:00").unwrap();
    assert_eq!(types(&events), ["supervision.task.occurrence_corrected"]);
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-07-23T00:18+08:00")));
    assert!(!ledger.assignment(0).was_late());
    // It occurred earlier: what was done stays in time, what is owed is due earlier.
    occurred(&mut ledger, "2023-07-22T22:40+08:00").unwrap();
    assert_eq!((ledger.light(0), ledger.assignment(0).was_late()), (Light::Red, false));
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));
    let mut plain = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    let none = occurred(&mut plain, "2023-06-01T08:00+08:00");
    assert_eq!(none, Err(SupervisionError::OccurrenceOfNone));
}

#[test]
fn whom_the_mayor_designated_decides_on_every_assignment() {
    let roles = [Role::Lead, Role::Lead, Role::Cooperating];
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &roles), "2023-06-01T09:00+08:00");
    let decides = |ledger: &Ledger, index| match ledger.task.decides(ledger.assignment(index), &ledger.rule) {
        Decides::Leader(official) => official.to_owned(),
        Decides::InChargeOf(unit) => unit.to_owned(),
    };
    let all = |ledger: &Ledger| [0, 1, 2].map(|index| decides(ledger, index));
    assert_eq!(all(&ledger), ["units/0", "units/1", "units/0"]);
    let designate = |official: Option<&str>| {
        let official = official.map(str::to_owned);
        Command::Circumstance(CircumstanceCommand::Designate { official, ground: String::new() })
    };
    ledger.task(designate(Some("officials/wang"))).unwrap();
    assert_eq!(all(&ledger), ["officials/wang"; 3]);
    assert_eq!(ledger.task(designate(Some("officials/wang"))), Ok(vec![]), "known already");
    ledger.task(designate(None)).unwrap();
    assert_eq!(all(&ledger), ["units/0", "units/1", "units/0"]);
}

#[test]
fn a_report_or_a_completion_without_evidence_is_refused_where_it_is_wanted() {
    let plain = draft(Grade::Ordinary, &[Role::Lead]);
    let mut ledger = Ledger::issued(plain, "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::Deployed);
    ledger.rule.evidence_at = [Stage::Report].into();
    let bare = ledger.unit(0, report("已进场"));
    assert_eq!(bare, Err(SupervisionError::EvidenceWanted { stage: Stage::Report }));
    let proven = AssignmentCommand::Report { text: "已进场".to_owned(), attachments: vec![file(1)] };
    let events = ledger.unit(0, proven).unwrap();
    let told = domain_supervision::describe(&events[0], &|unit| unit.to_owned());
    assert_eq!(told, "units/0反馈进展：已进场（附件1个）");
    ledger.unit(0, submit()).unwrap();

    let terms = Terms { evidence: true, ..Terms::default() };
    let demanding = TaskDraft { terms, ..draft(Grade::Ordinary, &[Role::Lead]) };
    let mut ledger = Ledger::issued(demanding, "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    let bare = ledger.unit(0, submit());
    assert_eq!(bare, Err(SupervisionError::EvidenceWanted { stage: Stage::Settle }));
}
