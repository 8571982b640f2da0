//! What holds for every sequence of commands at any pace, timers firing or not.

use std::collections::BTreeSet;
use std::time::Duration;

use domain_calendar::{Calendar, Holiday, Timestamp, YearArrangement};
use domain_supervision::{
    AssignmentChange, AssignmentCommand, AssignmentState, Awaited, Backfill, ChargeKind, CircumstanceCommand,
    ClockPhase, Command, Content, DayKind, DueTimes, Grade, Instruction, Instrument, InstrumentUse, Light,
    MilestoneChange, Rebasing, Role, Rule, SideRoadCommand, Span, Stage, StandingThen, SupervisionError,
    Task, TaskEvent, TaskKind, TaskState, Terms, TimerKind, backfill, check_family, fire, rebase, recount,
};
use proptest::prelude::*;
use time::Date;
use time::macros::date;

use crate::ledger::{Ledger, answer, ask_until, at, draft, name, report, side_road, submit, verify};
use crate::milestone::{milestone, reach, send_back};
use crate::naive;

#[derive(Debug, Clone)]
enum Happening {
    Command(Command),
    /// Whatever the timer finds, at whatever moment it is looked at.
    Timer(usize, TimerKind),
    /// Another wording, and another last day.
    Revise(Option<u8>),
    /// Something becomes known.
    Known(u8, i64),
    /// So many of its sub-tasks are open from now on.
    SubTasks(u64),
    /// It is put under another rule, if that makes nobody late.
    Rebase(usize),
    /// A calendar is published.
    Publish,
}

fn happening() -> impl Strategy<Value = Happening> {
    let on_unit = (0..3_usize, 0..25_usize, 0_i64..200).prop_map(|(index, which, days)| {
        let command = match which {
            0 => AssignmentCommand::Sign,
            1 => AssignmentCommand::Deploy { plan: String::new() },
            2 => report("进展"),
            3 => submit(),
            4 => verify(true),
            5 => verify(false),
            6 => ask_until(date!(2023 - 09 - 20) + time::Duration::days(days)),
            7 => answer(true),
            8 => answer(false),
            20 => AssignmentCommand::Press(InstrumentUse {
                instrument: Instrument::ALL[(days % 5) as usize],
                ground: "逾期".to_owned(),
                decision: String::new(),
                by_leader: days % 2 == 0,
                skip_lighter: days % 3 == 0,
                paper: None,
            }),
            21 | 22 => reach(day_of_milestone(days)),
            23 | 24 => send_back(day_of_milestone(days)),
            which => side_road(side_road_of(which, days)),
        };
        Happening::Command(Command::Assignment { name: name(index), command })
    });
    prop_oneof![
        20 => on_unit,
        4 => (0..3_usize, 0..7_usize).prop_map(|(index, kind)| Happening::Timer(index, TimerKind::ALL[kind])),
        1 => Just(Happening::Command(Command::Issue { with_document: false })),
        1 => proptest::option::of(0_u8..200).prop_map(Happening::Revise),
        3 => (0_u8..3, -200_i64..200).prop_map(|(which, hours)| Happening::Known(which, hours)),
        1 => Just(Happening::Command(Command::Withdraw { ground: "撤销".to_owned() })),
        1 => (0..5_usize).prop_map(|one| Happening::Command(add_cooperating(one))),
        1 => (0..3_usize, proptest::bool::ANY).prop_map(|one| Happening::Command(instruct(one))),
        1 => (0..3_u64).prop_map(Happening::SubTasks),
        1 => (0..3_usize).prop_map(Happening::Rebase),
        1 => Just(Happening::Publish),
    ]
}

/// One of the days that milestones have.
fn day_of_milestone(days: i64) -> Date {
    date!(2023 - 09 - 20) + time::Duration::days(days % 4 * 25)
}

fn add_cooperating(which: usize) -> Command {
    Command::AddCooperating { units: vec![format!("units/added-{which}")], ground: String::new() }
}

fn instruct((unit, dated): (usize, bool)) -> Command {
    let given_at = Timestamp::parse("2023-09-20T10:00+08:00").unwrap();
    Command::Instruct(Box::new(Instruction {
        name: "tasks/1/instructions/1".to_owned(),
        leader: "officials/mayor".to_owned(),
        text: "请抓紧落实".to_owned(),
        units: vec![format!("units/{unit}")],
        officials: vec![],
        due_at: dated.then(|| Timestamp::parse("2024-01-01T00:00+08:00").unwrap()),
        given_at,
        signatures: vec![],
        urged_at: None,
        urged: Default::default(),
    }))
}

fn side_road_of(which: usize, days: i64) -> SideRoadCommand {
    let text = "情况属实".to_owned();
    let day = date!(2023 - 09 - 20) + time::Duration::days(days);
    match which {
        9 => SideRoadCommand::Return { reason: text },
        10 => SideRoadCommand::RefuseReturn { note: text },
        11 => SideRoadCommand::Reassign { unit: format!("units/{}", 3 + days % 4), ground: text },
        12 => SideRoadCommand::Suspend { ground: text, review_date: day },
        13 => SideRoadCommand::Resume { note: text },
        14 => SideRoadCommand::Wait { on: "units/land".to_owned(), need: text },
        15 => SideRoadCommand::AcceptWait,
        16 => SideRoadCommand::RuleOnWait { hold: days % 2 == 0, note: text },
        17 => SideRoadCommand::EndWait { answer: text },
        18 => SideRoadCommand::Recheck { finding: text },
        _ => SideRoadCommand::Reopen { ground: text, last_day: day },
    }
}

/// What makes no light worse then and there: asking for a pause, and the answer.
fn never_makes_a_light_worse(command: &Command) -> bool {
    if matches!(command, Command::Instruct(_) | Command::AddCooperating { .. }) {
        return true;
    }
    let Command::Assignment { command, .. } = command else { return false };
    matches!(
        command,
        AssignmentCommand::RequestExtension { .. }
            | AssignmentCommand::DecideExtension { .. }
            | AssignmentCommand::Press(_)
            | AssignmentCommand::SideRoad(
                SideRoadCommand::Return { .. }
                    | SideRoadCommand::RefuseReturn { .. }
                    | SideRoadCommand::Suspend { .. }
                    | SideRoadCommand::Wait { .. }
                    | SideRoadCommand::AcceptWait
                    | SideRoadCommand::RuleOnWait { .. }
                    | SideRoadCommand::EndWait { .. }
                    | SideRoadCommand::Recheck { .. }
            )
    )
}

fn grants(command: &Command) -> bool {
    let Command::Assignment { command, .. } = command else { return false };
    matches!(command, AssignmentCommand::DecideExtension { grant: true, .. })
}

/// Whether a light is yellow because the time is short, whatever step may be late.
fn little_is_left(ledger: &Ledger, index: usize) -> bool {
    let clocks = ledger.clocks(index);
    let short = [clocks.yellow_at, clocks.milestone_yellow_at].into_iter().flatten().min();
    ledger.light(index) == Light::Yellow && short.is_some_and(|at| at <= ledger.now)
}

/// The last of the days that an event says are over, if all are at an instant: a pause or an extension
/// only ever makes them later.
fn told_missed(event: &TaskEvent, now: Timestamp) -> Option<Timestamp> {
    let TaskEvent::Assignment(event) = event else { return None };
    let AssignmentChange::Milestone(MilestoneChange::Missed { milestones }) = &event.change else {
        return None;
    };
    let ends = milestones.iter().map(|one| Timestamp::start_of_day(one.last_day.next_day().unwrap()));
    ends.max().filter(|last| *last <= now)
}

/// What the tasks below allow.
fn within_family(ledger: &Ledger, command: &Command, open: u64) -> Result<(), SupervisionError> {
    let Command::Assignment { name, command } = command else { return Ok(()) };
    let held = ledger.task.assignment(name)?;
    check_family(&ledger.task, held, command, open, None)
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Lead), Just(Role::Cooperating), Just(Role::Responsible)]
}

fn grade() -> impl Strategy<Value = Grade> {
    prop_oneof![Just(Grade::Ordinary), Just(Grade::Major), Just(Grade::LongTerm)]
}

/// Nothing, an event, or an emergency.
fn terms() -> impl Strategy<Value = Terms> {
    let awaits = Awaited { event: "结案".to_owned(), earliest: Span::Days(3), latest: Span::Months(1) };
    let occurred_at = Some(at("2023-09-20T09:30+08:00"));
    let emergency = Terms { kind: Some(TaskKind::Emergency), occurred_at, ..Terms::default() };
    prop_oneof![
        4 => Just(Terms::default()),
        1 => Just(Terms { awaits: Some(awaits), ..Terms::default() }),
        1 => Just(emergency),
    ]
}

fn known(which: u8, hours: i64, ledger: &Ledger) -> CircumstanceCommand {
    let ago = Duration::from_secs(hours.unsigned_abs() * 3_600);
    let at = if hours < 0 { ledger.now.saturating_add(ago) } else { ledger.now.saturating_sub(ago) };
    let ground = "核实".to_owned();
    match which {
        0 => CircumstanceCommand::RecordEvent { on: at.day(), ground },
        1 => CircumstanceCommand::CorrectOccurrence { at, ground },
        _ => {
            let official = (hours % 2 == 0).then(|| "officials/wang".to_owned());
            CircumstanceCommand::Designate { official, ground }
        }
    }
}

/// The rules that a task is put under: that of the province, a stricter one, and one that counts
/// working days.
fn rules() -> [Rule; 3] {
    let strict = Rule {
        version: 2,
        ordinary_settled_within: Span::Days(3),
        major_settled_within: Span::Days(10),
        report_within: Span::Days(1),
        ..Rule::version_1()
    };
    let working = Rule { version: 3, day_kind: DayKind::Working, ..Rule::version_1() };
    [Rule::version_1(), strict, working]
}

/// The year as it is known when its notice comes late: half of October is off, and its Saturdays
/// are worked.
fn notice() -> YearArrangement {
    YearArrangement {
        year: 2023,
        source: "补充通知".to_owned(),
        holidays: vec![Holiday {
            name: "国庆节".to_owned(),
            first_day: date!(2023 - 10 - 09),
            last_day: date!(2023 - 10 - 13),
        }],
        make_up_days: [date!(2023 - 09 - 23), date!(2023 - 10 - 01), date!(2023 - 11 - 04)].into(),
    }
}

/// What no other way of counting may change: nobody is later by it then and there, and what is struck
/// off stays due when it was.
fn judged(ledger: &Ledger) -> Vec<(Light, BTreeSet<Stage>, Option<DueTimes>)> {
    let all = ledger.task.assignments.iter().enumerate();
    all.map(|(index, one)| {
        let struck_off = one.state == AssignmentState::StruckOff;
        let light = match ledger.light(index) {
            Light::Red => Light::Red,
            // Little time may be left by it.
            Light::Blue | Light::Grey | Light::Green | Light::Yellow => Light::Green,
        };
        (light, one.late.clone(), struck_off.then(|| ledger.clocks(index).due))
    })
    .collect()
}

/// What would be found late if the clocks went on: what is held is not red, and may be by the answer.
fn late_at_once(ledger: &Ledger) -> Vec<bool> {
    let mut ledger = Ledger { task: ledger.task.clone(), log: vec![], ..copy(ledger) };
    (0..ledger.task.assignments.len())
        .map(|index| {
            let state = ledger.assignment(index).state;
            let answer_ = match state {
                AssignmentState::Submitted => verify(false),
                AssignmentState::Returned => {
                    side_road(SideRoadCommand::RefuseReturn { note: "属实".to_owned() })
                }
                AssignmentState::Suspended => side_road(SideRoadCommand::Resume { note: String::new() }),
                AssignmentState::Pending
                | AssignmentState::Assigned
                | AssignmentState::Signed
                | AssignmentState::Deployed
                | AssignmentState::InProgress
                | AssignmentState::StruckOff
                | AssignmentState::Withdrawn => answer(false),
            };
            drop(ledger.unit(index, answer_));
            let due = ledger.clocks(index).due.settle;
            state != AssignmentState::StruckOff && due.is_some_and(|due| due <= ledger.now)
        })
        .collect()
}

fn copy(ledger: &Ledger) -> Ledger {
    Ledger {
        task: ledger.task.clone(),
        log: ledger.log.clone(),
        rule: ledger.rule.clone(),
        calendar: ledger.calendar.clone(),
        now: ledger.now,
    }
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
        let by_hand = naive::light(&ledger.log, &one.name, &ledger.rule, &ledger.calendar, ledger.now);
        prop_assert_eq!(ledger.light(index), by_hand, "{}: the light follows from the events", one.name);
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
        prop_assert_eq!(one.state == AssignmentState::Suspended, one.suspension.is_some());
        prop_assert_eq!(one.state == AssignmentState::Returned, one.misdirection.is_some());
        if one.suspension.is_some() {
            prop_assert_eq!(ledger.light(index), Light::Grey);
        }
        if let Some(wait) = one.wait.as_ref().filter(|wait| wait.held_at.is_some()) {
            prop_assert_eq!(clocks.owed.settle, None, "whoever is waited for holds the clock");
            prop_assert!(clocks.red_at.is_none_or(|reached| reached <= wait.requested_at));
        }
        for charge in &one.charges {
            prop_assert!(
                charge.moved <= charge.until.since(charge.from),
                "nobody answers for more than it took"
            );
        }
        // A misdirection spans what came before it; every other pause stands alone.
        let pauses = one.charges.iter().filter(|charge| charge.kind != ChargeKind::Misdirection);
        let pauses: Vec<_> = pauses.collect();
        prop_assert!(pauses.windows(2).all(|two| two[0].until <= two[1].from), "no time is charged twice");
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
        terms in terms(),
        due_in_days in proptest::option::of(0_i64..90),
        backfilled in proptest::option::weighted(0.2, 0_u64..1_000),
        milestones in proptest::collection::vec((0_i64..4, proptest::option::of(0_usize..3)), 0..4),
        happenings in proptest::collection::vec((happening(), 0_u64..200), 1..60),
    ) {
        // At least one that can settle the task, with and without a lead.
        roles.push(settling);
        let mut draft = draft(grade, &roles);
        draft.due_date = due_in_days.map(|days| date!(2023 - 09 - 20) + time::Duration::days(days));
        if terms.awaits.is_some() {
            draft.due_date = None;
        }
        draft.terms = terms;
        draft.milestones = milestones
            .into_iter()
            .map(|(day, unit)| {
                let unit = unit.map(|unit| format!("units/{unit}"));
                milestone(day_of_milestone(day), "完成主体", &unit.iter().map(String::as_str).collect::<Vec<_>>())
            })
            .collect();
        let mut ledger = Ledger::created(draft, "2023-09-20T10:00+08:00");
        match backfilled.filter(|_| ledger.task.terms == Terms::default()) {
            None => ledger.task(Command::Issue { with_document: false }).map(drop).unwrap(),
            Some(hours) => {
                let issued_at = ledger.now.saturating_sub(Duration::from_secs(hours * 3_600));
                let standings = vec![StandingThen::Signed; roles.len()];
                let then = Backfill { issued_at, standings };
                ledger.keep(vec![backfill(&ledger.task, &then, &ledger.context()).unwrap()]);
                prop_assert!(ledger.task.assignments.iter().all(|one| one.late.is_empty()));
            }
        }
        let mut open_sub_tasks = 0;
        for (happening, hours) in happenings {
            ledger.now = ledger.now.saturating_add(Duration::from_secs(hours * 3_600));
            match happening {
                Happening::Revise(days) => {
                    let before = ledger.task.clone();
                    let mut content = Content::of(&before);
                    content.title.push('改');
                    content.due_date =
                        days.map(|days| date!(2023 - 09 - 20) + time::Duration::days(i64::from(days)));
                    let dated_twice = content.due_date.is_some() && before.terms.awaits.is_some();
                    let (content, ground) = (Box::new(content), "会议纪要".to_owned());
                    match ledger.task(Command::Revise { content, ground }) {
                        Ok(_) => {
                            prop_assert!(!dated_twice);
                            prop_assert_eq!(ledger.task.state, before.state);
                        }
                        Err(_) => prop_assert_eq!(&ledger.task, &before),
                    }
                }
                Happening::Known(which, hours) => {
                    let before = ledger.task.clone();
                    match ledger.task(Command::Circumstance(known(which, hours, &ledger))) {
                        Ok(_) => prop_assert_eq!(ledger.task.state, before.state),
                        Err(_) => prop_assert_eq!(&ledger.task, &before),
                    }
                }
                Happening::Command(command) => {
                    let before = ledger.task.clone();
                    let lights = (0..roles.len()).map(|index| ledger.light(index)).collect::<Vec<_>>();
                    let outcome = within_family(&ledger, &command, open_sub_tasks)
                        .and_then(|()| ledger.task(command.clone()));
                    if ledger.task.state == TaskState::StruckOff && before.state != TaskState::StruckOff {
                        prop_assert_eq!(open_sub_tasks, 0, "no task is struck off before its sub-tasks");
                    }
                    if outcome.is_ok() && matches!(command, Command::AddCooperating { .. }) {
                        roles.push(Role::Cooperating);
                    }
                    match outcome {
                        Err(refusal) => {
                            prop_assert_eq!(&ledger.task, &before);
                            prop_assert!(!refusal.chinese().is_empty());
                        }
                        // Neither asking for time nor the answer makes a light worse then and there, but
                        // that little may be left of the longer time that is granted.
                        Ok(_) if never_makes_a_light_worse(&command) => {
                            for (index, light) in lights.into_iter().enumerate() {
                                let little = grants(&command) && little_is_left(&ledger, index);
                                prop_assert!(ledger.light(index) <= light || little, "{command:?}");
                            }
                        }
                        Ok(_) => {}
                    }
                }
                Happening::SubTasks(open) => open_sub_tasks = open,
                Happening::Rebase(which) => {
                    let to = rules()[which].clone();
                    let (judged_before, late_before) = (judged(&ledger), late_at_once(&ledger));
                    if let Rebasing::Rebased(event) = rebase(&ledger.task, &to, "通知", &ledger.context()) {
                        ledger.rule = to;
                        ledger.keep(vec![*event]);
                        for (before, after) in judged_before.into_iter().zip(judged(&ledger)) {
                            prop_assert!(after.0 <= before.0, "a rebase makes nobody red");
                            prop_assert_eq!((after.1, after.2), (before.1, before.2), "or late, or judged anew");
                        }
                        for (before, after) in late_before.into_iter().zip(late_at_once(&ledger)) {
                            prop_assert!(before || !after, "nor when what is held goes on");
                        }
                    }
                }
                Happening::Publish => {
                    let (judged_before, late_before) = (judged(&ledger), late_at_once(&ledger));
                    let before = ledger.calendar.clone();
                    ledger.calendar = Calendar::built_in().with_year(notice()).unwrap();
                    let events = recount(&ledger.task, &before, &ledger.context());
                    ledger.keep(events);
                    for (before, after) in judged_before.into_iter().zip(judged(&ledger)) {
                        prop_assert!(after.0 <= before.0, "a calendar makes nobody red");
                        prop_assert_eq!((after.1, after.2), (before.1, before.2), "or late, or judged anew");
                    }
                    for (before, after) in late_before.into_iter().zip(late_at_once(&ledger)) {
                        prop_assert!(before || !after, "nor when what is held goes on");
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
                            TimerKind::MilestoneYellow => ledger.clocks(index).milestone_yellow_at,
                            TimerKind::MilestoneDue => told_missed(event, ledger.now),
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
