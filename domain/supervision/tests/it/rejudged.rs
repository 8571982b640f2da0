//! Another rule or another calendar judges nobody anew, and what was told once is not told again.

use std::collections::BTreeSet;

use domain_calendar::{Calendar, Holiday, YearArrangement};
use domain_supervision::{
    AssignmentCommand, AssignmentState, Backfill, Command, Content, DayKind, Grade, Light, Rebasing, Role,
    Rule, SideRoadCommand, Span, Stage, StandingThen, Task, backfill, days_overdue, rebase, recount,
};
use time::macros::date;

use crate::ledger::{Ledger, at, draft, report, side_road, submit, verify};
use crate::life::bring_to;

/// Ordinary matters are settled within so many days.
fn within(version: u32, days: u32) -> Rule {
    Rule { version, ordinary_settled_within: Span::Days(days), ..Rule::version_1() }
}

fn issued(leads: usize) -> Ledger {
    Ledger::issued(draft(Grade::Ordinary, &vec![Role::Lead; leads]), "2023-06-01T09:00+08:00")
}

fn overdue(ledger: &Ledger) -> Vec<String> {
    let overdue = ledger.alarms().into_iter().filter(|(_, what)| what.ends_with("overdue"));
    overdue.map(|(when, _)| when).collect()
}

#[test]
fn a_submission_that_was_in_time_is_not_late_by_a_rule_that_came_after_it() {
    for (pause, until) in [
        (submit(), verify(true)),
        (
            side_road(SideRoadCommand::Suspend {
                ground: "汛期".to_owned(),
                review_date: date!(2023 - 06 - 30),
            }),
            side_road(SideRoadCommand::Resume { note: String::new() }),
        ),
    ] {
        let mut ledger = issued(1);
        bring_to(&mut ledger, 0, AssignmentState::InProgress);
        ledger.now = at("2023-06-06T09:00+08:00");
        ledger.unit(0, pause).unwrap();
        ledger.now = at("2023-06-07T09:00+08:00");
        let refused = rebase(&ledger.task, &within(2, 3), "通知", &ledger.context());
        assert_eq!(refused, Rebasing::WouldBeLate(vec![Stage::Settle]));
        // Five days are over on the seventh, but were not when it was submitted.
        let Rebasing::Rebased(event) = rebase(&ledger.task, &within(2, 5), "通知", &ledger.context())
        else {
            panic!("rebased")
        };
        ledger.keep(vec![*event]);
        ledger.rule = within(2, 5);
        assert_ne!(ledger.light(0), Light::Red);
        ledger.unit(0, until).unwrap();
        assert_ne!(ledger.light(0), Light::Red);
        assert!(!ledger.assignment(0).was_late());
    }
}

#[test]
fn work_that_was_under_way_before_it_was_entered_is_not_red_by_a_rule_that_came_after_it() {
    let mut ledger = Ledger::created(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-06T09:00+08:00");
    let then = Backfill { issued_at: at("2023-06-01T09:00+08:00"), standings: vec![StandingThen::Deployed] };
    ledger.keep(vec![backfill(&ledger.task, &then, &ledger.context()).unwrap()]);
    let refused = rebase(&ledger.task, &within(2, 3), "通知", &ledger.context());
    assert_eq!(refused, Rebasing::WouldBeLate(vec![Stage::Settle]));
}

#[test]
fn what_is_struck_off_stays_due_when_it_was() {
    let mut ledger = issued(2);
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    bring_to(&mut ledger, 1, AssignmentState::InProgress);
    ledger.now = at("2023-06-05T09:00+08:00");
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();
    let then = ledger.clocks(0).due;
    let Rebasing::Rebased(event) = rebase(&ledger.task, &within(2, 4), "通知", &ledger.context()) else {
        panic!("rebased")
    };
    ledger.keep(vec![*event]);
    ledger.rule = within(2, 4);
    assert_eq!(ledger.clocks(1).due.settle, Some(at("2023-06-06T00:00+08:00")));
    assert_eq!(ledger.clocks(0).due, then);
    assert_eq!(days_overdue(ledger.assignment(0), &ledger.clocks(0), ledger.now), 0);
    let mut content = Content::of(&ledger.task);
    content.due_date = Some(date!(2023 - 07 - 31));
    ledger.task(Command::Revise { content: Box::new(content), ground: "会议纪要".to_owned() }).unwrap();
    assert_eq!(ledger.clocks(0).due, then, "whatever the task says later");
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));

    // Put right after a recheck it has a day of its own, and is judged by that.
    let reopen = SideRoadCommand::Reopen { ground: "回头看".to_owned(), last_day: date!(2023 - 08 - 10) };
    ledger.unit(0, side_road(reopen)).unwrap();
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-08-11T00:00+08:00")));
}

#[test]
fn a_calendar_that_comes_late_makes_nobody_late() {
    let mut ledger = Ledger::created(draft(Grade::Ordinary, &[Role::Lead]), "2027-02-03T10:00+08:00");
    ledger.rule = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
    ledger.task(Command::Issue { with_document: false }).unwrap();
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2027-02-13T00:00+08:00")));
    // On Friday, 12 February, it becomes known that a Saturday and a Sunday were worked.
    ledger.now = at("2027-02-12T09:00+08:00");
    let before = ledger.calendar.clone();
    let notice = YearArrangement {
        year: 2027,
        source: "放假通知".to_owned(),
        holidays: vec![Holiday {
            name: "春节".to_owned(),
            first_day: date!(2027 - 02 - 15),
            last_day: date!(2027 - 02 - 21),
        }],
        make_up_days: BTreeSet::from([date!(2027 - 02 - 06), date!(2027 - 02 - 07)]),
    };
    ledger.calendar = Calendar::built_in().with_year(notice).unwrap();
    let events = recount(&ledger.task, &before, &ledger.context());
    assert_eq!(events.len(), 1);
    ledger.keep(events);
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2027-02-13T00:00+08:00")), "as it was");
    assert_ne!(ledger.light(0), Light::Red);
    ledger.unit(0, submit()).unwrap();
    ledger.now = at("2027-02-14T09:00+08:00");
    ledger.unit(0, verify(false)).unwrap();
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2027-02-15T00:00+08:00")), "and moves as ever");
    assert!(!ledger.assignment(0).was_late());
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));
}

#[test]
fn one_missed_date_is_told_once_and_a_later_one_again() {
    let mut ledger = issued(1);
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    ledger.until("2023-06-10T09:00+08:00");
    ledger.unit(0, submit()).unwrap();
    ledger.until("2023-06-12T09:00+08:00");
    ledger.unit(0, verify(false)).unwrap();
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-06-11T00:00+08:00")));
    assert_eq!(ledger.light(0), Light::Red);
    ledger.until("2023-06-14T09:00+08:00");
    assert_eq!(overdue(&ledger), ["2023-06-09T00:00:00+08:00"]);
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));

    let mut content = Content::of(&ledger.task);
    content.due_date = Some(date!(2023 - 06 - 20));
    ledger.task(Command::Revise { content: Box::new(content), ground: "会议纪要".to_owned() }).unwrap();
    ledger.unit(0, report("继续推进")).unwrap();
    assert_ne!(ledger.light(0), Light::Red);
    ledger.until("2023-06-30T09:00+08:00");
    assert_eq!(overdue(&ledger), ["2023-06-09T00:00:00+08:00", "2023-06-23T00:00:00+08:00"]);
    ledger.unit(0, AssignmentCommand::Sign).unwrap_err();
}
