//! Month-long cases with every timer fired.

use domain_supervision::{AssignmentCommand, DayKind, Grade, Light, Role, Rule, TaskState};

use crate::ledger::{Ledger, at, draft, report, submit, verify};

#[test]
fn a_major_matter_across_national_day_runs_its_month_in_natural_days() {
    let mut ledger = Ledger::issued(draft(Grade::Major, &[Role::Lead, Role::Lead]), "2023-09-20T10:00+08:00");
    for index in [0, 1] {
        ledger.unit(index, AssignmentCommand::Sign).unwrap();
        ledger.unit(index, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    }
    ledger.until("2023-09-23T17:00+08:00");
    ledger.unit(0, report("已完成可研")).unwrap();

    // The second lead does not report: urged at the end of the third day, then caught up.
    ledger.until("2023-09-24T09:00+08:00");
    assert_eq!((ledger.light(0), ledger.light(1)), (Light::Green, Light::Yellow));
    ledger.unit(1, report("正在办理用地手续")).unwrap();
    assert_eq!(ledger.light(1), Light::Green);

    ledger.until("2023-10-12T09:00+08:00");
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();

    ledger.until("2023-10-20T23:59:59+08:00");
    assert_eq!(ledger.light(1), Light::Yellow);
    ledger.until("2023-10-21T00:00+08:00");
    assert_eq!(ledger.light(1), Light::Red);
    assert_eq!(ledger.task.state, TaskState::Issued);
    ledger.unit(1, submit()).unwrap();
    ledger.unit(1, verify(true)).unwrap();
    assert_eq!(ledger.task.state, TaskState::StruckOff);
    assert_eq!(
        ledger.alarms(),
        [
            ("2023-09-24T00:00:00+08:00".to_owned(), "supervision.assignment.urged"),
            // 30 days and 14 hours: a fifth is 6 days, 2 hours and 48 minutes.
            ("2023-10-14T21:12:00+08:00".to_owned(), "supervision.assignment.reminded"),
            ("2023-10-21T00:00:00+08:00".to_owned(), "supervision.assignment.overdue"),
        ]
    );
    assert!(!ledger.assignment(0).was_late());
    assert!(ledger.assignment(1).was_late());
}

#[test]
fn in_working_days_seven_days_reach_over_national_day_and_its_make_up_weekend() {
    let mut ledger = Ledger::created(draft(Grade::Ordinary, &[Role::Lead]), "2023-09-27T10:00+08:00");
    ledger.rule = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
    ledger.task(domain_supervision::Command::Issue { with_document: false }).unwrap();
    assert_eq!(ledger.task.rule_version, Some(2));
    assert_eq!(ledger.clocks(0).due.report, Some(at("2023-10-09T00:00+08:00")));
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-10-13T00:00+08:00")));
}

#[test]
fn a_long_term_matter_is_asked_for_one_report_a_month_until_its_date() {
    let mut plan = draft(Grade::Ordinary, &[Role::Lead]);
    plan.due_date = Some(at("2023-09-30T00:00+08:00").day());
    let mut ledger = Ledger::issued(plan, "2023-04-20T10:00+08:00");
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    ledger.until("2023-05-10T10:00+08:00");
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger.unit(0, report("四月进展")).unwrap();
    ledger.until("2023-06-25T10:00+08:00");
    assert_eq!(ledger.light(0), Light::Yellow, "the report of the second month is missing");
    ledger.unit(0, report("六月进展")).unwrap();
    assert_eq!(ledger.light(0), Light::Green);
    ledger.until("2023-07-25T10:00+08:00");
    ledger.unit(0, report("七月进展")).unwrap();
    ledger.until("2023-10-01T00:00+08:00");
    let alarms = ledger.alarms();
    assert_eq!(
        alarms,
        [
            ("2023-06-21T00:00:00+08:00".to_owned(), "supervision.assignment.urged"),
            // 3926 hours: a fifth is 32 days, 17 hours and 12 minutes.
            ("2023-08-29T06:48:00+08:00".to_owned(), "supervision.assignment.reminded"),
            ("2023-09-21T00:00:00+08:00".to_owned(), "supervision.assignment.urged"),
            ("2023-10-01T00:00:00+08:00".to_owned(), "supervision.assignment.overdue"),
        ]
    );
}
