//! 延期: asking for a later last day, and the answer.

use std::time::Duration;

use domain_supervision::{
    AssignmentChange, AssignmentCommand, AssignmentState, ClockPhase, Command, Content, Decides, Grade,
    Light, NotEmpty, Role, Stage, SupervisionError, TaskDraft, TaskEvent, TimerKind, fire,
};
use time::macros::date;

use crate::ledger::{Ledger, answer, ask_until, at, draft, report, submit, verify};
use crate::life::{bring_to, types};

/// An ordinary matter in progress: due by the end of 8 June, yellow from 7 June, 11:24.
fn in_progress() -> Ledger {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    ledger
}

/// The same, with an extension until 20 June asked for on the evening of 6 June.
fn asked() -> Ledger {
    let mut ledger = in_progress();
    ledger.until("2023-06-06T18:00+08:00");
    let events = ledger.unit(0, ask_until(date!(2023 - 06 - 20))).unwrap();
    assert_eq!(types(&events), ["supervision.assignment.extension_requested"]);
    ledger
}

#[test]
fn a_request_holds_the_light_and_silences_the_timers_until_it_is_decided() {
    let mut ledger = asked();
    ledger.until("2023-06-12T09:00+08:00");
    assert_eq!(ledger.clocks(0).phase, ClockPhase::Held);
    assert_eq!(ledger.light(0), Light::Green, "neither yellow nor red was reached before the request");
    assert_eq!(ledger.alarms(), []);
    for kind in TimerKind::ALL {
        assert!(fire(&ledger.task, ledger.assignment(0), kind, &ledger.context()).is_empty(), "{kind:?}");
    }
}

#[test]
fn a_light_that_was_yellow_stays_yellow_while_the_request_waits() {
    let mut ledger = in_progress();
    ledger.until("2023-06-08T09:00+08:00");
    ledger.unit(0, ask_until(date!(2023 - 06 - 20))).unwrap();
    ledger.until("2023-06-30T09:00+08:00");
    assert_eq!(ledger.light(0), Light::Yellow);
    ledger.now = at("2023-06-08T10:00+08:00");
    ledger.unit(0, answer(true)).unwrap();
    assert_eq!(ledger.light(0), Light::Green, "there is time again");
}

#[test]
fn granted_the_assignment_has_a_last_day_of_its_own() {
    let mut ledger =
        Ledger::issued(draft(Grade::Ordinary, &[Role::Lead, Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    bring_to(&mut ledger, 1, AssignmentState::InProgress);
    ledger.until("2023-06-06T18:00+08:00");
    ledger.unit(0, ask_until(date!(2023 - 06 - 20))).unwrap();
    ledger.until("2023-06-12T09:00+08:00");
    let note = AssignmentCommand::DecideExtension { grant: true, note: String::new() };
    let events = ledger.unit(0, note).unwrap();
    let [TaskEvent::Assignment(event)] = events.as_slice() else { panic!("one event: {events:?}") };
    assert_eq!(
        event.change,
        AssignmentChange::ExtensionGranted {
            last_day: date!(2023 - 06 - 20),
            note: String::new(),
            waited: Duration::from_secs((5 * 24 + 15) * 3_600),
            charged: Duration::ZERO,
            moved: Duration::from_secs(12 * 86_400),
        }
    );
    assert_eq!(event.assignment.due.settle, Some(at("2023-06-21T00:00+08:00")));
    assert_eq!(ledger.task.due_date, None, "the task's own date stays");
    assert_eq!(ledger.clocks(1).due.settle, Some(at("2023-06-09T00:00+08:00")), "and the other unit's");
    assert_eq!(ledger.assignment(0).decider_wait, Duration::ZERO, "nobody lost time");

    ledger.until("2023-06-30T00:00+08:00");
    let of_the_first: Vec<_> =
        ledger.alarms().into_iter().filter(|(at, _)| at.as_str() > "2023-06-12").collect();
    assert_eq!(
        of_the_first,
        [
            // 19 days and 15 hours: a fifth is 3 days, 22 hours and 12 minutes. Yellow from Saturday,
            // 1:48 on, the unit is told on Monday morning.
            ("2023-06-19T08:00:00+08:00".to_owned(), "supervision.assignment.reminded"),
            ("2023-06-21T00:00:00+08:00".to_owned(), "supervision.assignment.overdue"),
        ]
    );
    assert!(ledger.assignment(0).late.contains(&Stage::Settle));
}

#[test]
fn a_granted_day_more_than_a_month_off_is_reported_on_every_month() {
    let mut ledger = in_progress();
    ledger.unit(0, ask_until(date!(2023 - 09 - 30))).unwrap();
    ledger.unit(0, answer(true)).unwrap();
    assert_eq!(ledger.clocks(0).owed.report, Some(at("2023-08-02T00:00+08:00")));
}

/// A matter of cycles that is due on 20 July, reported on in time, before its next cycle ends.
fn of_cycles() -> Ledger {
    let matter = TaskDraft { due_date: Some(date!(2023 - 07 - 20)), ..draft(Grade::Ordinary, &[Role::Lead]) };
    let mut ledger = Ledger::issued(matter, "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    ledger.until("2023-06-20T09:00+08:00");
    ledger.unit(0, report("主管道铺设过半")).unwrap();
    assert_eq!(ledger.clocks(0).owed.report, None, "the next cycle ends on 1 August, after it is due");
    ledger
}

#[test]
fn what_is_granted_after_the_day_was_over_asks_for_no_cycle_in_between() {
    let mut ledger = of_cycles();
    ledger.unit(0, ask_until(date!(2023 - 10 - 31))).unwrap();
    ledger.until("2023-08-15T09:00+08:00");
    assert_eq!(ledger.light(0), Light::Green, "held");
    ledger.unit(0, answer(true)).unwrap();
    assert_eq!(ledger.clocks(0).owed.report, Some(at("2023-09-02T00:00+08:00")), "not that of 1 August");
    assert_eq!(ledger.light(0), Light::Green);
    // Another grant, in time, does not bring it back.
    ledger.unit(0, ask_until(date!(2023 - 12 - 31))).unwrap();
    ledger.unit(0, answer(true)).unwrap();
    assert_eq!(ledger.clocks(0).owed.report, Some(at("2023-09-02T00:00+08:00")));
}

#[test]
fn what_is_refused_after_the_day_was_over_asks_for_no_cycle_in_between() {
    let mut ledger = of_cycles();
    ledger.unit(0, ask_until(date!(2023 - 10 - 31))).unwrap();
    ledger.until("2023-08-15T09:00+08:00");
    ledger.unit(0, answer(false)).unwrap();
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-09-15T00:00+08:00")), "56 days later");
    assert_eq!(ledger.clocks(0).owed.report, Some(at("2023-09-02T00:00+08:00")), "not that of 1 August");
    assert_eq!(ledger.light(0), Light::Green);
}

#[test]
fn refused_the_wait_is_charged_to_whoever_decided() {
    let mut ledger = asked();
    ledger.until("2023-06-12T18:00+08:00");
    let events = ledger.unit(0, answer(false)).unwrap();
    assert_eq!(types(&events), ["supervision.assignment.extension_refused"]);
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-15T00:00+08:00")), "six days later");
    assert_eq!(ledger.light(0), Light::Green);
    let held = ledger.assignment(0);
    assert_eq!((held.decider_wait, held.verifier_wait), (Duration::from_secs(6 * 86_400), Duration::ZERO));

    ledger.until("2023-06-15T00:00+08:00");
    assert_eq!(ledger.light(0), Light::Red);
    let after = ledger.unit(0, ask_until(date!(2023 - 07 - 20)));
    assert_eq!(after, Err(SupervisionError::PastDue { due: at("2023-06-15T00:00+08:00") }));
}

#[test]
fn a_late_grant_leaves_the_unit_no_worse_off_than_a_refusal() {
    let mut ledger = in_progress();
    ledger.until("2023-06-06T18:00+08:00");
    ledger.unit(0, ask_until(date!(2023 - 06 - 10))).unwrap();
    ledger.until("2023-06-12T18:00+08:00");
    ledger.unit(0, answer(true)).unwrap();
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-15T00:00+08:00")), "six days after 9 June");
    assert_eq!(ledger.assignment(0).decider_wait, Duration::from_secs(4 * 86_400));
    assert_eq!(ledger.light(0), Light::Green);
}

#[test]
fn waits_before_a_granted_day_do_not_move_it_and_later_ones_do() {
    let mut ledger = in_progress();
    ledger.unit(0, submit()).unwrap();
    ledger.until("2023-06-03T09:00+08:00");
    ledger.unit(0, verify(false)).unwrap();
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-11T00:00+08:00")), "two days later");
    ledger.unit(0, ask_until(date!(2023 - 06 - 20))).unwrap();
    ledger.until("2023-06-04T09:00+08:00");
    ledger.unit(0, answer(true)).unwrap();
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-21T00:00+08:00")), "the day that was granted");
    ledger.unit(0, submit()).unwrap();
    ledger.until("2023-06-07T09:00+08:00");
    ledger.unit(0, verify(false)).unwrap();
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-24T00:00+08:00")));
}

#[test]
fn submitting_withdraws_the_request_and_is_not_late_by_its_wait() {
    let mut ledger = asked();
    ledger.until("2023-06-12T18:00+08:00");
    let events = ledger.unit(0, submit()).unwrap();
    let [TaskEvent::Assignment(event)] = events.as_slice() else { panic!("one event: {events:?}") };
    let AssignmentChange::Submitted { request_waited, .. } = &event.change else { panic!("{event:?}") };
    assert_eq!(*request_waited, Some(Duration::from_secs(6 * 86_400)));
    assert_eq!(event.late, []);
    assert_eq!(ledger.assignment(0).extension_request, None);
    assert_eq!(ledger.light(0), Light::Green);
    assert!(matches!(
        ledger.unit(0, answer(true)),
        Err(SupervisionError::AssignmentRefused { state: AssignmentState::Submitted, .. })
    ));
    ledger.unit(0, verify(true)).unwrap();
    assert!(!ledger.assignment(0).was_late());
}

#[test]
fn the_steps_of_a_unit_stay_owed_while_its_request_waits() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::Signed);
    ledger.unit(0, ask_until(date!(2023 - 06 - 20))).unwrap();
    ledger.until("2023-06-10T00:00+08:00");
    assert_eq!(ledger.light(0), Light::Yellow);
    assert_eq!(
        ledger.alarms(),
        [
            ("2023-06-02T08:00:00+08:00".to_owned(), "supervision.assignment.urged"),
            ("2023-06-05T08:00:00+08:00".to_owned(), "supervision.assignment.urged"),
        ]
    );
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger.unit(0, report("已进场")).unwrap();
    assert_eq!(ledger.light(0), Light::Green);
    assert!(ledger.assignment(0).extension_request.is_some(), "it still waits");
}

#[test]
fn one_request_at_a_time_and_another_after_the_answer() {
    let mut ledger = asked();
    let again = ledger.unit(0, ask_until(date!(2023 - 06 - 25)));
    assert_eq!(again, Err(SupervisionError::ExtensionPending { last_day: date!(2023 - 06 - 20) }));
    for (grant, next) in [(false, date!(2023 - 06 - 25)), (true, date!(2023 - 06 - 30))] {
        ledger.unit(0, answer(grant)).unwrap();
        assert_eq!(ledger.unit(0, answer(grant)), Err(SupervisionError::NoExtensionRequest));
        ledger.unit(0, ask_until(next)).unwrap();
    }
}

#[test]
fn a_request_asks_for_a_later_day_with_a_reason_and_a_refusal_has_one() {
    let mut ledger = in_progress();
    let due = at("2023-06-09T00:00+08:00");
    let last_day = date!(2023 - 06 - 08);
    assert_eq!(ledger.unit(0, ask_until(last_day)), Err(SupervisionError::NotLater { last_day, due }));
    let silent =
        AssignmentCommand::RequestExtension { last_day: date!(2023 - 06 - 09), reason: "\n".to_owned() };
    assert_eq!(ledger.unit(0, silent), Err(SupervisionError::Empty(NotEmpty::ExtensionReason)));
    ledger.unit(0, ask_until(date!(2023 - 06 - 09))).unwrap();
    let silent = AssignmentCommand::DecideExtension { grant: false, note: " ".to_owned() };
    assert_eq!(ledger.unit(0, silent), Err(SupervisionError::Empty(NotEmpty::ExtensionRefusalNote)));
}

#[test]
fn deciding_has_a_defined_answer_in_every_state() {
    use AssignmentState as S;
    for (state, asked_before) in [(S::Signed, true), (S::Deployed, true), (S::InProgress, true)] {
        let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
        bring_to(&mut ledger, 0, state);
        assert_eq!(ledger.unit(0, answer(true)), Err(SupervisionError::NoExtensionRequest), "{state:?}");
        assert_eq!(ledger.unit(0, ask_until(date!(2023 - 06 - 20))).is_ok(), asked_before);
        ledger.unit(0, answer(true)).unwrap();
        assert_eq!(ledger.assignment(0).state, state);
    }
    for state in [S::Assigned, S::Submitted, S::StruckOff] {
        let roles = [Role::Lead, Role::Lead];
        let mut ledger = Ledger::issued(draft(Grade::Ordinary, &roles), "2023-06-01T09:00+08:00");
        bring_to(&mut ledger, 0, state);
        let refused = ledger.unit(0, answer(true));
        assert!(
            matches!(refused, Err(SupervisionError::AssignmentRefused { state: found, .. }) if found == state)
        );
    }
}

#[test]
fn a_request_ends_with_its_assignment() {
    let roles = [Role::Lead, Role::Cooperating];
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &roles), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 1, AssignmentState::InProgress);
    ledger.unit(1, ask_until(date!(2023 - 06 - 20))).unwrap();
    let mut withdrawn = Ledger { task: ledger.task.clone(), log: vec![], ..asked() };
    withdrawn.task(Command::Withdraw { ground: "重复交办".to_owned() }).unwrap();
    assert_eq!(withdrawn.assignment(1).extension_request, None);
    assert!(withdrawn.timers(1).is_empty());

    ledger.until("2023-06-12T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::StruckOff);
    let closed = ledger.assignment(1);
    assert_eq!((closed.state, &closed.extension_request), (AssignmentState::StruckOff, &None));
    assert!(!closed.late.contains(&Stage::Settle), "it had asked in time");
}

#[test]
fn a_later_date_of_the_task_is_not_cut_short_by_an_extension() {
    let mut ledger = asked();
    ledger.unit(0, answer(true)).unwrap();
    for (due_date, settle) in
        [(date!(2023 - 06 - 25), "2023-06-26T00:00+08:00"), (date!(2023 - 06 - 15), "2023-06-21T00:00+08:00")]
    {
        let content = Box::new(Content { due_date: Some(due_date), ..Content::of(&ledger.task) });
        ledger.task(Command::Revise { content, ground: "会议纪要".to_owned() }).unwrap();
        assert_eq!(ledger.clocks(0).due.settle, Some(at(settle)));
    }
}

#[test]
fn what_a_revision_has_already_given_is_not_granted() {
    let mut ledger = asked();
    let content = Content { due_date: Some(date!(2023 - 06 - 20)), ..Content::of(&ledger.task) };
    let (content, ground) = (Box::new(content), "会议纪要".to_owned());
    ledger.task(Command::Revise { content, ground }).unwrap();
    ledger.until("2023-06-08T18:00+08:00");
    let (last_day, due) = (date!(2023 - 06 - 20), at("2023-06-21T00:00+08:00"));
    assert_eq!(ledger.unit(0, answer(true)), Err(SupervisionError::NotLater { last_day, due }));
    ledger.unit(0, answer(false)).unwrap();
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-23T00:00+08:00")), "the wait is given back");
}

#[test]
fn an_extension_is_decided_where_the_matter_is_led() {
    let deciding = |roles: &[Role]| {
        let ledger = Ledger::created(draft(Grade::Ordinary, roles), "2023-06-01T09:00+08:00");
        let unit = |one| match ledger.task.decides(one, &ledger.rule) {
            Decides::InChargeOf(unit) => unit.to_owned(),
            Decides::Leader(official) => panic!("nobody designated {official}"),
        };
        let units = ledger.task.assignments.iter().map(unit);
        units.collect::<Vec<_>>()
    };
    let led = [Role::Responsible, Role::Lead, Role::Cooperating, Role::Lead];
    assert_eq!(deciding(&led), ["units/1", "units/1", "units/1", "units/3"]);
    assert_eq!(deciding(&[Role::Responsible, Role::Cooperating]), ["units/0", "units/1"]);
}
