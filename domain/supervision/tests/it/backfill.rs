//! Work that was under way before it was entered.

use domain_supervision::{
    Backfill, Grade, Light, Role, StandingThen, SupervisionError, Task, TaskEvent, TaskState, backfill,
};
use time::macros::date;

use crate::ledger::{Ledger, at, draft, report, submit, verify};

fn entered(roles: &[Role], standings: &[StandingThen]) -> Result<Ledger, SupervisionError> {
    let mut draft = draft(Grade::LongTerm, roles);
    draft.due_date = Some(date!(2023 - 12 - 31));
    let mut ledger = Ledger::created(draft, "2023-06-01T09:00+08:00");
    let then = Backfill { issued_at: at("2023-04-20T00:00+08:00"), standings: standings.to_vec() };
    let event = backfill(&ledger.task, &then, &ledger.context())?;
    ledger.task.apply(&event)?;
    ledger.log.push(event);
    Ok(ledger)
}

#[test]
fn nothing_that_was_due_before_the_entry_is_owed_or_late() {
    for standing in
        [StandingThen::Assigned, StandingThen::Signed, StandingThen::Deployed, StandingThen::InProgress]
    {
        let mut ledger = entered(&[Role::Lead], &[standing]).unwrap();
        assert_eq!((ledger.task.state, ledger.light(0)), (TaskState::Issued, Light::Green));
        assert_eq!(ledger.task.issue_time, Some(at("2023-04-20T00:00+08:00")));
        // The cycle of 20 May is over; the one of 20 June is the first that is asked for.
        assert_eq!(ledger.clocks(0).owed.report, Some(at("2023-06-21T00:00+08:00")));
        ledger.until("2023-06-20T23:59+08:00");
        assert_eq!(ledger.alarms(), [], "{standing:?}");
        ledger.until("2023-06-21T08:00+08:00");
        assert_eq!(
            ledger.alarms(),
            [("2023-06-21T08:00:00+08:00".to_owned(), "supervision.assignment.urged")]
        );
    }
}

#[test]
fn work_under_way_goes_on_like_any_other() {
    let mut ledger = entered(&[Role::Lead], &[StandingThen::InProgress]).unwrap();
    ledger.unit(0, report("已完成七成")).unwrap();
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();
    assert_eq!(ledger.task.state, TaskState::StruckOff);
    assert!(!ledger.assignment(0).was_late());
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));
    for event in &ledger.log {
        let read = TaskEvent::from_payload(event.event_type(), &event.to_payload().unwrap()).unwrap();
        assert_eq!(read.as_ref(), Some(event));
    }
}

#[test]
fn what_settled_before_closes_the_task_and_whoever_only_cooperates() {
    let done = StandingThen::StruckOff { completed_at: at("2023-05-10T10:00+08:00") };
    let ledger = entered(&[Role::Lead, Role::Cooperating], &[done, StandingThen::Signed]).unwrap();
    assert_eq!(ledger.task.state, TaskState::StruckOff);
    assert_eq!([ledger.light(0), ledger.light(1)], [Light::Blue, Light::Blue]);
    let ledger = entered(&[Role::Lead, Role::Lead], &[done, StandingThen::Signed]).unwrap();
    assert_eq!((ledger.task.state, ledger.light(1)), (TaskState::Issued, Light::Green));
}

#[test]
fn what_lies_ahead_is_refused_and_what_is_past_its_date_is_red_but_not_late() {
    let ahead = StandingThen::StruckOff { completed_at: at("2023-07-01T00:00+08:00") };
    assert!(matches!(entered(&[Role::Lead], &[ahead]), Err(SupervisionError::Ahead { .. })));
    assert_eq!(entered(&[Role::Lead], &[]).err(), Some(SupervisionError::NoStanding));

    let mut draft = draft(Grade::LongTerm, &[Role::Lead]);
    draft.due_date = Some(date!(2023 - 05 - 31));
    let mut ledger = Ledger::created(draft, "2023-06-01T09:00+08:00");
    let standings = vec![StandingThen::InProgress];
    let then = Backfill { issued_at: at("2023-04-20T00:00+08:00"), standings };
    let event = backfill(&ledger.task, &then, &ledger.context()).unwrap();
    ledger.task.apply(&event).unwrap();
    ledger.log.push(event);
    assert_eq!(ledger.light(0), Light::Red);
    ledger.until("2023-08-01T00:00+08:00");
    assert_eq!(ledger.alarms(), [], "nobody is told");
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();
    assert!(!ledger.assignment(0).was_late());
}
