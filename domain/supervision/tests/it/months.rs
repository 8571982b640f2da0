//! Month-long cases with every timer fired.

use std::collections::BTreeSet;

use domain_calendar::{Calendar, Holiday, YearArrangement};
use domain_supervision::{
    AssignmentChange, AssignmentCommand, ClockStart, Command, Context, Cycle, DayKind, DueTimes, Grade,
    Light, Rebasing, Role, Rule, Span, Stage, Task, TaskEvent, TaskState, rebase, recount,
};
use time::macros::date;

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

    // The second lead does not report in three days. That is a Saturday night: the light is
    // yellow at once, and a unit that catches up on Sunday is not urged on Monday.
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
            // 30 days and 14 hours: a fifth is 6 days, 2 hours and 48 minutes, on a Saturday night.
            ("2023-10-16T08:00:00+08:00".to_owned(), "supervision.assignment.reminded"),
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
            ("2023-06-21T08:00:00+08:00".to_owned(), "supervision.assignment.urged"),
            // 3926 hours: a fifth is 32 days, 17 hours and 12 minutes.
            ("2023-08-29T08:00:00+08:00".to_owned(), "supervision.assignment.reminded"),
            ("2023-09-21T08:00:00+08:00".to_owned(), "supervision.assignment.urged"),
            ("2023-10-01T00:00:00+08:00".to_owned(), "supervision.assignment.overdue"),
        ]
    );
}

/// Spring Festival of 2027, and the make-up workday that pays for it, as a notice might have it.
fn published(calendar: Calendar) -> Calendar {
    let holiday = |name: &str, first_day, last_day| Holiday { name: name.to_owned(), first_day, last_day };
    calendar
        .with_year(YearArrangement {
            year: 2027,
            source: "放假通知".to_owned(),
            holidays: vec![
                holiday("元旦", date!(2027 - 01 - 01), date!(2027 - 01 - 03)),
                holiday("春节", date!(2027 - 02 - 05), date!(2027 - 02 - 11)),
            ],
            make_up_days: BTreeSet::from([date!(2027 - 02 - 14)]),
        })
        .unwrap()
}

#[test]
fn a_month_across_national_day_in_working_days_ends_on_a_day_that_is_worked() {
    let mut ledger = Ledger::created(draft(Grade::Major, &[Role::Lead]), "2023-09-01T10:00+08:00");
    ledger.rule = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
    ledger.task(Command::Issue { with_document: false }).unwrap();
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger.unit(0, report("已进场")).unwrap();
    // 1 October is off; Saturday, 7 October, is worked for it.
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-10-08T00:00+08:00")));
    assert!(!ledger.clocks(0).provisional);
    ledger.until("2023-10-07T23:59:59+08:00");
    assert_eq!(ledger.light(0), Light::Yellow);
    ledger.until("2023-10-08T00:00+08:00");
    assert_eq!(ledger.light(0), Light::Red);
}

#[test]
fn spring_festival_moves_deadlines_once_its_calendar_is_published_and_nothing_fires_early() {
    let mut ledger =
        Ledger::created(draft(Grade::Ordinary, &[Role::Lead, Role::Cooperating]), "2027-02-03T10:00+08:00");
    ledger.rule = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
    ledger.task(Command::Issue { with_document: false }).unwrap();
    for index in [0, 1] {
        ledger.unit(index, AssignmentCommand::Sign).unwrap();
        ledger.unit(index, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
        ledger.unit(index, report("已进场")).unwrap();
    }
    // The plain week: the seventh working day after Wednesday, 3 February, is Friday, 12 February.
    let plain = ledger.clocks(0);
    assert_eq!((plain.due.settle, plain.provisional), (Some(at("2027-02-13T00:00+08:00")), true));

    ledger.now = at("2027-02-04T09:00+08:00");
    let unpublished = ledger.calendar.clone();
    ledger.calendar = published(ledger.calendar.clone());
    let events = recount(&ledger.task, &unpublished, &ledger.context());
    assert_eq!(events.len(), 2, "one record an assignment");
    for event in events {
        let TaskEvent::Assignment(fact) = &event else { panic!("{event:?}") };
        // 4, then 12, 14 (made up), 15, 16, 17 and 18 February.
        assert_eq!(fact.assignment.due.settle, Some(at("2027-02-19T00:00+08:00")));
        let AssignmentChange::DeadlineRecomputed { before, calendar_version, provisional, kept } =
            fact.change
        else {
            panic!("{event:?}")
        };
        assert_eq!((before, calendar_version, provisional), (plain.due, 2, false));
        assert_eq!(kept, DueTimes::default(), "nothing would have passed");
        ledger.task.apply(&event).unwrap();
        ledger.log.push(event);
    }
    assert_eq!(recount(&ledger.task, &ledger.calendar.clone(), &ledger.context()), [], "once");
    ledger.until("2027-02-18T23:59:59+08:00");
    assert_eq!(ledger.light(0), Light::Yellow);
    ledger.until("2027-02-19T00:00+08:00");
    let overdue: Vec<_> = ledger.alarms().into_iter().filter(|(_, what)| what.ends_with("overdue")).collect();
    assert_eq!(overdue, vec![("2027-02-19T00:00:00+08:00".to_owned(), "supervision.assignment.overdue"); 2]);
}

#[test]
fn a_named_day_and_natural_days_are_never_provisional() {
    let mut named = draft(Grade::Ordinary, &[Role::Lead]);
    named.due_date = Some(date!(2027 - 02 - 10));
    let mut ledger = Ledger::created(named, "2026-10-10T10:00+08:00");
    ledger.rule = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
    ledger.task(Command::Issue { with_document: false }).unwrap();
    assert!(!ledger.clocks(0).provisional);
    let ledger = Ledger::issued(draft(Grade::Major, &[Role::Lead]), "2026-12-20T10:00+08:00");
    assert!(!ledger.clocks(0).provisional);
    let published = published(Calendar::built_in());
    let context = Context { calendar: &published, ..ledger.context() };
    assert_eq!(recount(&ledger.task, &Calendar::built_in(), &context), []);
}

#[test]
fn what_is_issued_at_night_starts_in_office_hours_where_the_rule_says_so() {
    let mut ledger = Ledger::created(draft(Grade::Ordinary, &[Role::Lead]), "2023-09-28T20:00+08:00");
    ledger.rule = Rule { version: 2, clock_start: ClockStart::NextWorkingMoment, ..Rule::version_1() };
    ledger.task(Command::Issue { with_document: false }).unwrap();
    assert_eq!(ledger.clocks(0).due.sign, Some(at("2023-10-08T00:00+08:00")));
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-10-15T00:00+08:00")));
}

#[test]
fn a_running_task_is_put_under_another_rule_with_a_record_and_nobody_is_made_late() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-09-27T10:00+08:00");
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger.unit(0, report("已进场")).unwrap();
    ledger.now = at("2023-09-28T10:00+08:00");
    let working = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
    let strict = Rule { version: 3, ordinary_settled_within: Span::Days(0), ..Rule::version_1() };
    let context = ledger.context();
    assert_eq!(rebase(&ledger.task, &strict, "通知", &context), Rebasing::WouldBeLate(vec![Stage::Settle]));
    assert_eq!(rebase(&ledger.task, &Rule::version_1(), "通知", &context), Rebasing::Nothing);
    let Rebasing::Rebased(event) = rebase(&ledger.task, &working, "通知", &context) else {
        panic!("rebased")
    };
    ledger.task.apply(&event).unwrap();
    ledger.log.push(*event);
    ledger.rule = working.clone();
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-10-13T00:00+08:00")));
    assert_eq!(ledger.task.rule_version, Some(2));
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));
    let draft = Ledger::created(draft(Grade::Ordinary, &[Role::Lead]), "2023-09-27T10:00+08:00");
    assert_eq!(rebase(&draft.task, &working, "通知", &draft.context()), Rebasing::Nothing);
}

#[test]
fn cycles_that_were_closed_before_the_rule_changed_stay_closed() {
    let mut ledger = Ledger::issued(draft(Grade::LongTerm, &[Role::Lead]), "2023-04-20T10:00+08:00");
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger.unit(0, report("四月进展")).unwrap();
    ledger.now = at("2023-05-15T10:00+08:00");
    let weekly = Rule { version: 2, long_term_cycle: Cycle::Weekly, ..Rule::version_1() };
    let Rebasing::Rebased(event) = rebase(&ledger.task, &weekly, "通知", &ledger.context()) else {
        panic!("rebased")
    };
    ledger.task.apply(&event).unwrap();
    ledger.rule = weekly;
    // Weeks end on 27 April, 4, 11, 18 May: those before 15 May are not asked for.
    assert_eq!(ledger.clocks(0).owed.report, Some(at("2023-05-19T00:00+08:00")));
}

#[test]
fn a_month_in_working_days_across_national_day_tells_nobody_on_a_day_off() {
    let plan = draft(Grade::Major, &[Role::Lead, Role::Lead]);
    let mut ledger = Ledger::created(plan, "2023-09-06T10:00+08:00");
    ledger.rule = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
    ledger.task(Command::Issue { with_document: false }).unwrap();
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger.unit(0, report("已进场")).unwrap();
    // 6 October is off; Saturday, 7 October, is worked for it. Of 31 days and 14 hours a fifth are
    // 6 days, 7 hours and 36 minutes.
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-10-08T00:00+08:00")));
    assert_eq!(ledger.clocks(0).yellow_at, Some(at("2023-10-01T16:24+08:00")));
    ledger.until("2023-10-01T16:23:59+08:00");
    assert_eq!(ledger.light(0), Light::Green);
    ledger.until("2023-10-01T16:24+08:00");
    assert_eq!(ledger.light(0), Light::Yellow, "the light does not wait for anybody");
    ledger.until("2023-10-07T17:00+08:00");
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();
    ledger.until("2023-10-07T23:59:59+08:00");
    assert_eq!((ledger.light(0), ledger.light(1)), (Light::Blue, Light::Yellow));
    ledger.until("2023-10-08T00:00+08:00");
    assert_eq!(ledger.light(1), Light::Red);
    let alarms = [
        ("2023-09-07T08:00:00+08:00", "urged"),
        // 7, 8 and 11 September are worked.
        ("2023-09-12T08:00:00+08:00", "urged"),
        // Both units, on the first day that is worked.
        ("2023-10-07T08:00:00+08:00", "reminded"),
        ("2023-10-07T08:00:00+08:00", "reminded"),
        ("2023-10-08T00:00:00+08:00", "overdue"),
    ];
    let told = |(at, what): (&str, &str)| (at.to_owned(), format!("supervision.assignment.{what}"));
    let fired: Vec<_> = ledger.alarms().into_iter().map(|(at, what)| (at, what.to_owned())).collect();
    assert_eq!(fired, alarms.map(told));
    assert!(!ledger.assignment(0).was_late());
}

#[test]
fn a_step_missed_on_the_eve_of_a_holiday_is_urged_after_it_unless_it_was_done() {
    for done in [false, true] {
        let plan = draft(Grade::Ordinary, &[Role::Lead]);
        let mut ledger = Ledger::created(plan, "2023-09-25T10:00+08:00");
        ledger.rule = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
        ledger.task(Command::Issue { with_document: false }).unwrap();
        ledger.unit(0, AssignmentCommand::Sign).unwrap();
        ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
        // 26, 27 and 28 September; then eight days off, of which none is a day to urge.
        assert_eq!(ledger.clocks(0).owed.report, Some(at("2023-09-29T00:00+08:00")));
        ledger.until("2023-10-03T09:00+08:00");
        assert_eq!((ledger.alarms(), ledger.light(0)), (vec![], Light::Yellow));
        if done {
            ledger.unit(0, report("节日期间已完成")).unwrap();
            assert!(ledger.assignment(0).late.contains(&Stage::Report), "it was late all the same");
        }
        ledger.until("2023-10-08T09:00+08:00");
        let urged = [("2023-10-07T08:00:00+08:00".to_owned(), "supervision.assignment.urged")];
        let told: Vec<_> = ledger.alarms().into_iter().filter(|(_, what)| what.ends_with("urged")).collect();
        assert_eq!(told, if done { vec![] } else { urged.to_vec() });
    }
}

#[test]
fn a_month_that_reaches_into_an_unpublished_spring_festival_is_counted_anew_and_makes_nobody_late() {
    let mut ledger = Ledger::created(draft(Grade::Major, &[Role::Lead]), "2027-01-05T10:00+08:00");
    ledger.rule = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
    ledger.task(Command::Issue { with_document: false }).unwrap();
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger.unit(0, report("已进场")).unwrap();
    let before = ledger.clocks(0);
    assert_eq!((before.due.settle, before.provisional), (Some(at("2027-02-06T00:00+08:00")), true));
    ledger.until("2027-02-04T09:00+08:00");
    assert_eq!(ledger.light(0), Light::Yellow, "since Saturday, 30 January");

    let unpublished = ledger.calendar.clone();
    ledger.calendar = published(ledger.calendar.clone());
    for event in recount(&ledger.task, &unpublished, &ledger.context()) {
        ledger.task.apply(&event).unwrap();
        ledger.log.push(event);
    }
    // The festival is off until 11 February.
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2027-02-13T00:00+08:00")));
    assert_eq!(ledger.light(0), Light::Green, "the end is further off than it was");
    ledger.until("2027-02-12T23:59:59+08:00");
    assert!(!ledger.assignment(0).was_late());
    ledger.until("2027-02-13T00:00+08:00");
    assert_eq!(
        ledger.alarms(),
        [
            ("2027-02-01T08:00:00+08:00".to_owned(), "supervision.assignment.reminded"),
            // Of the new end, on the first day after the festival.
            ("2027-02-12T08:00:00+08:00".to_owned(), "supervision.assignment.reminded"),
            ("2027-02-13T00:00:00+08:00".to_owned(), "supervision.assignment.overdue"),
        ]
    );
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));
}
