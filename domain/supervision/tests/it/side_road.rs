//! The side roads: returned, reassigned, suspended, waiting, rechecked, reopened.

use std::time::Duration;

use domain_supervision::{
    AssignmentState, ChargeKind, ChargedPause, ChargedTo, ClockPhase, Command, Grade, Light, NotEmpty, Role,
    SideRoadCommand, Stage, SupervisionError, TaskState, days_overdue,
};
use time::macros::date;

use crate::ledger::{Ledger, answer, ask_until, at, draft, name, report, side_road, submit, verify};
use crate::life::{bring_to, types};

const DAY: u64 = 86_400;

/// An ordinary matter of one lead unit, issued on Thursday 1 June: due by the end of 8 June.
fn issued() -> Ledger {
    Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00")
}

fn standing_at(state: AssignmentState) -> Ledger {
    let mut ledger = issued();
    bring_to(&mut ledger, 0, state);
    ledger
}

fn give(
    ledger: &mut Ledger,
    command: SideRoadCommand,
) -> Result<Vec<domain_supervision::TaskEvent>, SupervisionError> {
    ledger.unit(0, side_road(command))
}

fn return_it() -> SideRoadCommand {
    SideRoadCommand::Return { reason: "属市水利局职责".to_owned() }
}

fn reassign(unit: &str) -> SideRoadCommand {
    SideRoadCommand::Reassign { unit: unit.to_owned(), ground: "职责调整".to_owned() }
}

fn suspend() -> SideRoadCommand {
    SideRoadCommand::Suspend {
        ground: "等待省级规划批复".to_owned(), review_date: date!(2023 - 09 - 01)
    }
}

fn wait() -> SideRoadCommand {
    SideRoadCommand::Wait { on: "units/land".to_owned(), need: "出具用地预审意见".to_owned() }
}

fn rule(hold: bool) -> SideRoadCommand {
    SideRoadCommand::RuleOnWait { hold, note: "应自行协调".to_owned() }
}

fn end_wait() -> SideRoadCommand {
    SideRoadCommand::EndWait { answer: "意见已出具".to_owned() }
}

fn reopen() -> SideRoadCommand {
    SideRoadCommand::Reopen { ground: "问题反弹".to_owned(), last_day: date!(2023 - 07 - 10) }
}

fn charged(ledger: &Ledger) -> Vec<(ChargeKind, ChargedTo, u64)> {
    let charges = ledger.assignment(0).charges.iter();
    charges.map(|one| (one.kind, one.to.clone(), one.moved.as_secs() / 3_600)).collect()
}

#[test]
fn a_return_holds_the_light_until_it_is_decided() {
    let mut ledger = standing_at(AssignmentState::Signed);
    ledger.until("2023-06-01T15:00+08:00");
    assert_eq!(types(&give(&mut ledger, return_it()).unwrap()), ["supervision.assignment.returned"]);
    ledger.until("2023-06-20T09:00+08:00");
    assert_eq!((ledger.light(0), ledger.clocks(0).phase), (Light::Green, ClockPhase::Held));
    assert_eq!(ledger.alarms(), [], "nobody is urged over what he returned");
}

#[test]
fn what_was_late_before_it_was_returned_stays_yellow() {
    let mut ledger = standing_at(AssignmentState::Signed);
    ledger.until("2023-06-02T09:00+08:00");
    give(&mut ledger, return_it()).unwrap();
    ledger.until("2023-06-20T09:00+08:00");
    assert_eq!(ledger.light(0), Light::Yellow, "the deployment was missed, and nothing more");
    assert_eq!(ledger.assignment(0).late.iter().collect::<Vec<_>>(), [&Stage::Deploy]);
}

#[test]
fn no_day_is_added_while_others_are_to_act() {
    let overdue = |ledger: &Ledger| days_overdue(ledger.assignment(0), &ledger.clocks(0), ledger.now);
    let sides = [(AssignmentState::Signed, return_it()), (AssignmentState::InProgress, suspend())];
    for (state, command) in sides {
        let mut ledger = standing_at(state);
        ledger.until("2023-06-12T09:00+08:00");
        assert_eq!(overdue(&ledger), 4, "9 to 12 June");
        give(&mut ledger, command).unwrap();
        ledger.until("2023-06-20T09:00+08:00");
        assert_eq!(overdue(&ledger), 4, "{state:?}");
    }
}

#[test]
fn a_refused_return_is_charged_to_the_supervisor_and_moves_every_step() {
    let mut ledger = issued();
    ledger.until("2023-06-01T10:00+08:00");
    give(&mut ledger, return_it()).unwrap();
    assert!(ledger.assignment(0).signed_at.is_some(), "whoever returns a matter has seen it");
    ledger.until("2023-06-03T10:00+08:00");
    let refused = SideRoadCommand::RefuseReturn { note: "属你单位职责".to_owned() };
    give(&mut ledger, refused).unwrap();
    assert_eq!(ledger.assignment(0).state, AssignmentState::Signed);
    assert_eq!(charged(&ledger), [(ChargeKind::Return, ChargedTo::Supervisor, 48)]);
    let due = ledger.clocks(0).due;
    assert_eq!(due.deploy, Some(at("2023-06-04T00:00+08:00")));
    assert_eq!(due.report, Some(at("2023-06-07T00:00+08:00")));
    assert_eq!(due.settle, Some(at("2023-06-11T00:00+08:00")));
    assert_eq!(ledger.light(0), Light::Green);
}

#[test]
fn what_is_reassigned_begins_anew_with_the_other_unit() {
    let mut ledger = standing_at(AssignmentState::Signed);
    ledger.until("2023-06-03T09:00+08:00");
    give(&mut ledger, return_it()).unwrap();
    ledger.until("2023-06-05T09:00+08:00");
    give(&mut ledger, reassign("units/water")).unwrap();
    let held = ledger.assignment(0);
    assert_eq!((held.unit.as_str(), held.name.as_str()), ("units/water", name(0).as_str()));
    assert_eq!((held.state, held.was_late()), (AssignmentState::Assigned, false));
    assert_eq!(charged(&ledger), [], "its time begins now, so nothing was lost");
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-13T00:00+08:00")));
    assert_eq!(
        give(&mut ledger, reassign("units/water")),
        Err(SupervisionError::UnitTwice { unit: "units/water".to_owned() })
    );
}

#[test]
fn a_named_last_day_moves_by_the_time_a_misdirected_matter_lay_elsewhere() {
    let mut dated = draft(Grade::Ordinary, &[Role::Lead]);
    dated.due_date = Some(date!(2023 - 06 - 20));
    let mut ledger = Ledger::issued(dated, "2023-06-01T09:00+08:00");
    ledger.until("2023-06-04T09:00+08:00");
    give(&mut ledger, reassign("units/water")).unwrap();
    assert_eq!(charged(&ledger), [(ChargeKind::Misdirection, ChargedTo::Supervisor, 72)]);
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-24T00:00+08:00")));
    assert_eq!(ledger.clocks(0).due.sign, Some(at("2023-06-05T00:00+08:00")), "steps begin with the clock");
}

#[test]
fn suspended_no_clock_runs_and_resuming_moves_the_dates() {
    let mut ledger = standing_at(AssignmentState::Deployed);
    ledger.until("2023-06-02T09:00+08:00");
    give(&mut ledger, suspend()).unwrap();
    ledger.until("2023-08-01T09:00+08:00");
    assert_eq!((ledger.light(0), ledger.alarms()), (Light::Grey, vec![]));
    give(&mut ledger, SideRoadCommand::Resume { note: String::new() }).unwrap();
    assert_eq!((ledger.light(0), ledger.assignment(0).state), (Light::Green, AssignmentState::InProgress));
    assert_eq!(charged(&ledger), [(ChargeKind::Suspension, ChargedTo::Nobody, 60 * 24)]);
    let due = ledger.clocks(0).due;
    assert_eq!(due.settle, Some(at("2023-06-09T00:00+08:00").saturating_add(Duration::from_secs(60 * DAY))));
    assert_eq!(due.report, Some(at("2023-06-05T00:00+08:00").saturating_add(Duration::from_secs(60 * DAY))));
    assert_eq!(due.deploy, Some(at("2023-06-02T00:00+08:00")), "what was due before does not move");
}

#[test]
fn a_long_matter_owes_no_report_for_the_cycles_it_was_suspended() {
    let mut long = draft(Grade::LongTerm, &[Role::Lead]);
    long.due_date = Some(date!(2023 - 12 - 31));
    let mut ledger = Ledger::issued(long, "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    give(&mut ledger, suspend()).unwrap();
    ledger.until("2023-09-15T09:00+08:00");
    give(&mut ledger, SideRoadCommand::Resume { note: String::new() }).unwrap();
    assert_eq!(ledger.clocks(0).owed.report, Some(at("2023-10-02T00:00+08:00")));
    assert_eq!(ledger.light(0), Light::Green);
}

#[test]
fn the_clock_goes_on_until_the_other_unit_accepts_and_then_stands_still_from_the_request() {
    let mut ledger = standing_at(AssignmentState::InProgress);
    ledger.until("2023-06-06T09:00+08:00");
    give(&mut ledger, wait()).unwrap();
    assert_eq!(ledger.clocks(0).phase, ClockPhase::Running);
    ledger.until("2023-06-07T09:00+08:00");
    give(&mut ledger, SideRoadCommand::AcceptWait).unwrap();
    assert_eq!(give(&mut ledger, rule(true)), Err(SupervisionError::WaitDecided));
    ledger.until("2023-06-16T09:00+08:00");
    assert_eq!((ledger.light(0), ledger.clocks(0).phase), (Light::Green, ClockPhase::Held));
    give(&mut ledger, end_wait()).unwrap();
    assert_eq!(
        ledger.assignment(0).charges,
        [ChargedPause {
            kind: ChargeKind::Waiting,
            to: ChargedTo::Unit("units/land".to_owned()),
            from: at("2023-06-06T09:00+08:00"),
            until: at("2023-06-16T09:00+08:00"),
            moved: Duration::from_secs(10 * DAY),
        }]
    );
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-19T00:00+08:00")));
    assert_eq!(give(&mut ledger, end_wait()), Err(SupervisionError::NoWait));
}

#[test]
fn after_a_working_day_only_the_supervisor_rules_on_a_wait() {
    let mut ledger = standing_at(AssignmentState::InProgress);
    // A Friday: the next working day is Monday 5 June.
    ledger.until("2023-06-02T17:00+08:00");
    give(&mut ledger, wait()).unwrap();
    ledger.now = at("2023-06-06T00:00+08:00");
    let limit = at("2023-06-06T00:00+08:00");
    assert_eq!(give(&mut ledger, SideRoadCommand::AcceptWait), Err(SupervisionError::WaitLapsed { limit }));
    ledger.until("2023-06-10T09:00+08:00");
    assert_eq!(ledger.light(0), Light::Red);
    assert!(ledger.assignment(0).late.contains(&Stage::Settle));
    give(&mut ledger, rule(true)).unwrap();
    assert_eq!(ledger.light(0), Light::Green, "the clock has stood still since the request");
    assert!(!ledger.assignment(0).was_late(), "it was late only by the time the ruling took");
    ledger.unit(0, submit()).unwrap();
    assert_eq!(charged(&ledger).len(), 1, "submitting ends the wait");
}

#[test]
fn a_wait_that_is_not_granted_costs_nobody_anything() {
    let mut ledger = standing_at(AssignmentState::InProgress);
    give(&mut ledger, wait()).unwrap();
    let silent = SideRoadCommand::RuleOnWait { hold: false, note: String::new() };
    assert_eq!(give(&mut ledger, silent), Err(SupervisionError::Empty(NotEmpty::WaitRefusalNote)));
    give(&mut ledger, rule(false)).unwrap();
    assert_eq!((&ledger.assignment(0).wait, charged(&ledger).len()), (&None, 0));
    // Nor one that the unit takes back before anybody answered.
    give(&mut ledger, wait()).unwrap();
    ledger.until("2023-06-03T09:00+08:00");
    give(&mut ledger, end_wait()).unwrap();
    assert_eq!(charged(&ledger), []);
}

#[test]
fn one_pause_at_a_time() {
    let mut ledger = standing_at(AssignmentState::InProgress);
    ledger.unit(0, ask_until(date!(2023 - 06 - 20))).unwrap();
    for command in [wait(), suspend()] {
        assert!(matches!(give(&mut ledger, command), Err(SupervisionError::ExtensionPending { .. })));
    }
    ledger.unit(0, answer(false)).unwrap();
    give(&mut ledger, wait()).unwrap();
    let open = SupervisionError::WaitOpen { on: "units/land".to_owned() };
    assert_eq!(give(&mut ledger, suspend()), Err(open.clone()));
    assert_eq!(give(&mut ledger, wait()), Err(open.clone()));
    assert_eq!(ledger.unit(0, ask_until(date!(2023 - 06 - 20))), Err(open));
    let own = SideRoadCommand::Wait { on: "units/0".to_owned(), need: "材料".to_owned() };
    give(&mut ledger, end_wait()).unwrap();
    assert_eq!(give(&mut ledger, own), Err(SupervisionError::WaitOnItself { unit: "units/0".to_owned() }));
}

#[test]
fn a_struck_off_matter_is_rechecked_and_reopened_with_its_task() {
    let mut ledger = standing_at(AssignmentState::InProgress);
    ledger.until("2023-06-12T09:00+08:00");
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();
    assert_eq!(ledger.task.state, TaskState::StruckOff);
    ledger.until("2023-07-01T09:00+08:00");
    give(&mut ledger, SideRoadCommand::Recheck { finding: "问题反弹".to_owned() }).unwrap();
    assert_eq!((ledger.task.state, ledger.light(0)), (TaskState::StruckOff, Light::Blue));

    let past = SideRoadCommand::Reopen { ground: "问题反弹".to_owned(), last_day: date!(2023 - 07 - 01) };
    assert_eq!(give(&mut ledger, past), Err(SupervisionError::DayPassed { day: date!(2023 - 07 - 01) }));
    let events = give(&mut ledger, reopen()).unwrap();
    assert_eq!(types(&events), ["supervision.assignment.reopened", "supervision.task.reopened"]);
    assert_eq!(
        (ledger.task.state, ledger.assignment(0).state),
        (TaskState::Issued, AssignmentState::InProgress)
    );
    assert_eq!((ledger.light(0), ledger.assignment(0).completed_at), (Light::Green, None));
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-07-11T00:00+08:00")));
    assert!(ledger.assignment(0).late.contains(&Stage::Settle), "was late survives");

    ledger.unit(0, report("已整改")).unwrap();
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();
    assert_eq!(ledger.task.state, TaskState::StruckOff);
}

#[test]
fn a_cooperating_unit_is_not_reopened_alone_in_a_task_that_is_struck_off() {
    let roles = [Role::Lead, Role::Cooperating];
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &roles), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::StruckOff);
    let refused = ledger.unit(1, side_road(reopen()));
    assert!(matches!(refused, Err(SupervisionError::TaskRefused { state: TaskState::StruckOff, .. })));
    ledger.unit(0, side_road(reopen())).unwrap();
    ledger.unit(1, side_road(reopen())).unwrap();
    assert_eq!(ledger.light(1), Light::Green, "it was closed before it had signed, and owes no step for it");
}

#[test]
fn a_task_may_be_withdrawn_whatever_pause_there_is() {
    for command in [return_it(), suspend(), wait()] {
        let state = match command {
            SideRoadCommand::Return { .. } => AssignmentState::Assigned,
            _ => AssignmentState::Deployed,
        };
        let mut ledger = if state == AssignmentState::Assigned { issued() } else { standing_at(state) };
        give(&mut ledger, command).unwrap();
        ledger.task(Command::Withdraw { ground: "政策调整".to_owned() }).unwrap();
        let held = ledger.assignment(0);
        assert_eq!(held.state, AssignmentState::Withdrawn);
        assert_eq!((&held.misdirection, &held.suspension, &held.wait), (&None, &None, &None));
    }
}
