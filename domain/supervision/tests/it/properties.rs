//! What holds for every sequence of commands at any pace, timers firing or not.

use std::time::Duration;

use domain_calendar::Timestamp;
use domain_supervision::{
    AssignmentCommand, AssignmentState, ClockPhase, Command, Content, Grade, Light, Role, Task, TaskEvent,
    TaskState, TimerKind, fire,
};
use proptest::prelude::*;
use time::macros::date;

use crate::ledger::{Ledger, answer, ask_until, draft, name, report, submit, verify};

#[derive(Debug, Clone)]
enum Happening {
    Command(Command),
    /// Whatever the timer finds, at whatever moment it is looked at.
    Timer(usize, TimerKind),
    /// Another wording, and another last day.
    Revise(Option<u8>),
}

fn happening() -> impl Strategy<Value = Happening> {
    let on_unit = (0..3_usize, 0..9_usize, 0_i64..200).prop_map(|(index, which, days)| {
        let command = match which {
            0 => AssignmentCommand::Sign,
            1 => AssignmentCommand::Deploy { plan: String::new() },
            2 => report("进展"),
            3 => submit(),
            4 => verify(true),
            5 => verify(false),
            6 => ask_until(date!(2023 - 09 - 20) + time::Duration::days(days)),
            7 => answer(true),
            _ => answer(false),
        };
        Happening::Command(Command::Assignment { name: name(index), command })
    });
    prop_oneof![
        20 => on_unit,
        4 => (0..3_usize, 0..5_usize).prop_map(|(index, kind)| Happening::Timer(index, TimerKind::ALL[kind])),
        1 => Just(Happening::Command(Command::Issue { with_document: false })),
        1 => proptest::option::of(0_u8..200).prop_map(Happening::Revise),
        1 => Just(Happening::Command(Command::Withdraw { ground: "撤销".to_owned() })),
    ]
}

fn concerns_an_extension(command: &Command) -> bool {
    matches!(
        command,
        Command::Assignment {
            command: AssignmentCommand::RequestExtension { .. } | AssignmentCommand::DecideExtension { .. },
            ..
        }
    )
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Lead), Just(Role::Cooperating), Just(Role::Responsible)]
}

fn grade() -> impl Strategy<Value = Grade> {
    prop_oneof![Just(Grade::Ordinary), Just(Grade::Major), Just(Grade::LongTerm)]
}

fn check(ledger: &Ledger, roles: &[Role]) -> Result<(), TestCaseError> {
    let task = &ledger.task;
    let names: Vec<_> = task.assignments.iter().map(|one| one.name.clone()).collect();
    prop_assert_eq!(names, (0..roles.len()).map(name).collect::<Vec<_>>(), "no assignment is lost");

    if task.state == TaskState::StruckOff {
        prop_assert!(task.assignments.iter().all(|one| one.state == AssignmentState::StruckOff));
    } else {
        let all_settled = task.settling_assignments().all(|one| one.state == AssignmentState::StruckOff);
        prop_assert!(!all_settled, "a settled task is struck off");
    }
    for (index, one) in task.assignments.iter().enumerate() {
        prop_assert_eq!(one.state == AssignmentState::StruckOff, one.completed_at.is_some());
        prop_assert_eq!(one.state == AssignmentState::StruckOff, ledger.light(index) == Light::Blue);
        let clocks = ledger.clocks(index);
        if clocks.phase == ClockPhase::Running {
            prop_assert_eq!(clocks.red_at, clocks.due.settle);
        }
        if let Some(pending) = &one.extension_request {
            prop_assert_eq!(clocks.phase, ClockPhase::Held, "a request holds the clock");
            prop_assert_eq!(clocks.owed.settle, None);
            for reached in [clocks.yellow_at, clocks.red_at].into_iter().flatten() {
                prop_assert!(reached <= pending.requested_at, "nothing more is reached");
            }
        }
        if let Some(extended) = one.extended {
            let granted = Timestamp::start_of_day(extended.last_day.next_day().unwrap());
            prop_assert!(clocks.due.settle.is_some_and(|due| due >= granted), "what was granted is kept");
        }
    }

    prop_assert_eq!(task.version, i64::try_from(ledger.log.len()).unwrap());
    let replayed = Task::replay(&ledger.log).unwrap();
    prop_assert_eq!(replayed.as_ref(), Some(task), "the log is the task");
    for event in &ledger.log {
        let payload = event.to_payload().unwrap();
        let read = TaskEvent::from_payload(event.event_type(), &payload).unwrap();
        prop_assert_eq!(read.as_ref(), Some(event));
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_sequence_loses_an_assignment_or_strikes_off_with_an_open_lead(
        grade in grade(),
        mut roles in proptest::collection::vec(role(), 2),
        settling in prop_oneof![Just(Role::Lead), Just(Role::Responsible)],
        due_in_days in proptest::option::of(0_i64..90),
        happenings in proptest::collection::vec((happening(), 0_u64..200), 1..60),
    ) {
        // At least one that can settle the task, with and without a lead.
        roles.push(settling);
        let mut draft = draft(grade, &roles);
        draft.due_date = due_in_days.map(|days| date!(2023 - 09 - 20) + time::Duration::days(days));
        let mut ledger = Ledger::issued(draft, "2023-09-20T10:00+08:00");
        for (happening, hours) in happenings {
            ledger.now = ledger.now.saturating_add(Duration::from_secs(hours * 3_600));
            match happening {
                Happening::Revise(days) => {
                    let before = ledger.task.clone();
                    let mut content = Content::of(&before);
                    content.title.push('改');
                    content.due_date =
                        days.map(|days| date!(2023 - 09 - 20) + time::Duration::days(i64::from(days)));
                    let (content, ground) = (Box::new(content), "会议纪要".to_owned());
                    match ledger.task(Command::Revise { content, ground }) {
                        Ok(_) => prop_assert_eq!(ledger.task.state, before.state),
                        Err(_) => prop_assert_eq!(&ledger.task, &before),
                    }
                }
                Happening::Command(command) => {
                    let before = ledger.task.clone();
                    let lights = (0..roles.len()).map(|index| ledger.light(index)).collect::<Vec<_>>();
                    match ledger.task(command.clone()) {
                        Err(refusal) => {
                            prop_assert_eq!(&ledger.task, &before);
                            prop_assert!(!refusal.chinese().is_empty());
                        }
                        // Neither asking for time nor the answer makes a light worse then and there.
                        Ok(_) if concerns_an_extension(&command) => {
                            for (index, light) in lights.into_iter().enumerate() {
                                prop_assert!(ledger.light(index) <= light, "{command:?}");
                            }
                        }
                        Ok(_) => {}
                    }
                }
                Happening::Timer(index, kind) => {
                    let due = ledger.clocks(index).owed;
                    let events = fire(&ledger.task, ledger.assignment(index), kind, &ledger.context());
                    for event in &events {
                        let promised = match kind {
                            TimerKind::SignDue => due.sign,
                            TimerKind::DeployDue => due.deploy,
                            TimerKind::ReportDue => due.report,
                            TimerKind::Yellow => ledger.clocks(index).yellow_at,
                            TimerKind::SettleDue => due.settle,
                        };
                        prop_assert!(promised.is_some_and(|promised| promised <= ledger.now), "never early");
                        ledger.task.apply(event).unwrap();
                        ledger.log.push(event.clone());
                    }
                    let again = fire(&ledger.task, ledger.assignment(index), kind, &ledger.context());
                    prop_assert!(again.is_empty(), "never twice");
                }
            }
        }
        check(&ledger, &roles)?;
    }
}
