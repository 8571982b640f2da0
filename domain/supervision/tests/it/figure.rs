//! Figures of targets: given, corrected and asked for, and what they do to the light.

use domain_supervision::{
    AssignmentState, Command, Content, Direction, FigureChange, GiveFigure, Grade, Light, NotEmpty, Role,
    SideRoadCommand, SupervisionError, Target, Task, TaskChange, TaskDraft, TaskEvent, TaskState,
    ask_for_figures, figure_timers,
};
use time::macros::date;

use crate::ledger::{Ledger, at, draft, side_road, submit, verify};
use crate::life::{bring_to, types};

const GROWTH: &str = "地区生产总值增速";

pub(crate) fn target(measure: &str, binding: bool) -> Target {
    Target {
        measure: measure.to_owned(),
        value: "6.5".to_owned(),
        unit: "%".to_owned(),
        direction: Direction::AtLeast,
        binding,
        source_unit: Some("units/statistics".to_owned()),
        figure_day: Some(date!(2024 - 01 - 20)),
    }
}

pub(crate) fn figure(measure: &str, value: &str) -> GiveFigure {
    GiveFigure {
        measure: measure.to_owned(),
        number: None,
        value: value.to_owned(),
        as_of: date!(2023 - 05 - 31),
        text: "统计快报".to_owned(),
    }
}

fn give(ledger: &mut Ledger, asked: GiveFigure) -> Result<Vec<TaskEvent>, SupervisionError> {
    ledger.task(Command::GiveFigure(asked))
}

fn aiming(roles: &[Role]) -> Ledger {
    let draft = TaskDraft {
        due_date: Some(date!(2023 - 12 - 31)),
        targets: vec![target(GROWTH, true), target("投资增速", false)],
        ..draft(Grade::LongTerm, roles)
    };
    Ledger::issued(draft, "2023-06-01T09:00+08:00")
}

#[test]
fn a_missed_binding_target_is_red_for_those_who_settle_the_task_and_one_striven_for_is_not() {
    let mut ledger = aiming(&[Role::Lead, Role::Cooperating]);
    assert_eq!(
        types(&give(&mut ledger, figure("投资增速", "1")).unwrap()),
        ["supervision.task.figure_given"]
    );
    assert_eq!((ledger.light(0), ledger.light(1)), (Light::Green, Light::Green));
    give(&mut ledger, figure(GROWTH, "6.49")).unwrap();
    assert_eq!((ledger.light(0), ledger.light(1)), (Light::Red, Light::Green));
    assert!(!ledger.assignment(0).was_late(), "no date was missed");
    let since = ledger.task.target_missed_at();
    ledger.now = at("2023-06-01T10:00+08:00");
    give(&mut ledger, figure(GROWTH, "6.4")).unwrap();
    assert_eq!(ledger.task.target_missed_at(), since, "it is missed since then");
    assert_eq!(
        types(&give(&mut ledger, figure(GROWTH, "6.50")).unwrap()),
        ["supervision.task.figure_corrected"]
    );
    assert_eq!(ledger.light(0), Light::Green);
    assert_eq!(give(&mut ledger, figure(GROWTH, "6.50")), Ok(vec![]), "what was said already");
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));
    for event in &ledger.log {
        let read = TaskEvent::from_payload(event.event_type(), &event.to_payload().unwrap()).unwrap();
        assert_eq!(read.as_ref(), Some(event));
    }
}

#[test]
fn nothing_holds_a_missed_target_but_no_clock_shows_none() {
    let mut ledger = aiming(&[Role::Lead]);
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    ledger.unit(0, submit()).unwrap();
    give(&mut ledger, figure(GROWTH, "6")).unwrap();
    assert_eq!(ledger.light(0), Light::Red, "while it is verified, too");
    ledger.unit(0, verify(false)).unwrap();
    let suspend =
        SideRoadCommand::Suspend { ground: "政策调整".to_owned(), review_date: date!(2023 - 07 - 01) };
    ledger.unit(0, side_road(suspend)).unwrap();
    assert_eq!(ledger.light(0), Light::Grey);
    ledger.unit(0, side_road(SideRoadCommand::Resume { note: String::new() })).unwrap();
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();
    assert_eq!((ledger.task.state, ledger.light(0)), (TaskState::StruckOff, Light::Blue));
    // A year's figure may come after the matter is over.
    give(&mut ledger, figure(GROWTH, "6.6")).unwrap();
    assert_eq!(ledger.light(0), Light::Blue);
}

#[test]
fn a_figure_is_given_of_a_target_of_an_issued_task_as_a_number_and_not_ahead() {
    let mut ledger = aiming(&[Role::Lead]);
    let no_target = give(&mut ledger, figure("人口", "1"));
    assert_eq!(no_target, Err(SupervisionError::NoTarget { measure: "人口".to_owned() }));
    let no_number = give(&mut ledger, figure(GROWTH, "约6"));
    assert_eq!(no_number, Err(SupervisionError::FigureNoNumber { value: "约6".to_owned() }));
    let ahead = GiveFigure { as_of: date!(2023 - 06 - 02), ..figure(GROWTH, "6") };
    assert_eq!(give(&mut ledger, ahead), Err(SupervisionError::FigureAhead { day: date!(2023 - 06 - 02) }));
    give(&mut ledger, figure(GROWTH, "6")).unwrap();
    let silent = GiveFigure { text: " ".to_owned(), ..figure(GROWTH, "7") };
    assert_eq!(give(&mut ledger, silent), Err(SupervisionError::Empty(NotEmpty::FigureCorrection)));

    let mut twice = draft(Grade::LongTerm, &[Role::Lead]);
    twice.targets = vec![target(GROWTH, true), target(GROWTH, false)];
    let mut ledger = Ledger::issued(twice.clone(), "2023-06-01T09:00+08:00");
    let unclear = give(&mut ledger, figure(GROWTH, "6"));
    assert_eq!(unclear, Err(SupervisionError::TargetUnclear { measure: GROWTH.to_owned() }));
    give(&mut ledger, GiveFigure { number: Some(2), ..figure(GROWTH, "6") }).unwrap();
    assert!(ledger.task.figure(1).is_none() && ledger.task.figure(2).is_some());

    for command in [None, Some(Command::Withdraw { ground: "重复".to_owned() })] {
        let mut ledger = Ledger::created(twice.clone(), "2023-06-01T09:00+08:00");
        command.map(|command| ledger.task(command).unwrap());
        let refused = give(&mut ledger, GiveFigure { number: Some(2), ..figure(GROWTH, "6") });
        assert!(matches!(refused, Err(SupervisionError::TaskRefused { .. })), "{refused:?}");
    }
}

#[test]
fn a_source_unit_is_asked_once_for_all_its_figures_when_people_are_at_work() {
    let mut ledger = aiming(&[Role::Lead]);
    // 20 January 2024 is a Saturday.
    let timers = figure_timers(&ledger.task, &ledger.calendar);
    assert_eq!(timers.iter().map(|one| one.due_at).collect::<Vec<_>>(), [at("2024-01-22T08:00+08:00")]);
    for (too_early_or_at_night, asks) in [
        ("2024-01-19T10:00+08:00", false),
        ("2024-01-21T10:00+08:00", false),
        ("2024-01-22T23:00+08:00", false),
        ("2024-01-22T08:00+08:00", true),
    ] {
        ledger.now = at(too_early_or_at_night);
        assert_eq!(ask_for_figures(&ledger.task, &ledger.context()).is_empty(), !asks);
    }
    let events = ask_for_figures(&ledger.task, &ledger.context());
    let [TaskEvent::Task(event)] = events.as_slice() else { panic!("one event: {events:?}") };
    let TaskChange::Figure(FigureChange::Asked { unit, targets }) = &event.change else {
        panic!("{event:?}")
    };
    assert_eq!((unit.as_str(), targets.len()), ("units/statistics", 2));
    ledger.keep(events);
    assert_eq!(ask_for_figures(&ledger.task, &ledger.context()), [], "once");
    assert_eq!(figure_timers(&ledger.task, &ledger.calendar), []);
}

#[test]
fn a_revision_keeps_a_figure_with_what_it_measures_and_asks_anew_whom_it_names() {
    let mut ledger = aiming(&[Role::Lead]);
    give(&mut ledger, figure(GROWTH, "6")).unwrap();
    let revise = |ledger: &mut Ledger, change: &dyn Fn(&mut Content)| {
        let mut content = Content::of(&ledger.task);
        change(&mut content);
        ledger.task(Command::Revise { content: Box::new(content), ground: "会议纪要".to_owned() }).unwrap();
    };
    revise(&mut ledger, &|content| content.targets.insert(0, target("就业人数", true)));
    assert_eq!(ledger.task.figure(2).map(|one| one.value.as_str()), Some("6"));
    assert_eq!(ledger.light(0), Light::Red);
    revise(&mut ledger, &|content| content.targets[1].value = "5.5".to_owned());
    assert_eq!(ledger.light(0), Light::Green, "it meets what is asked now");
    ledger.now = at("2024-01-22T09:00+08:00");
    let events = ask_for_figures(&ledger.task, &ledger.context());
    ledger.keep(events);
    assert_eq!(figure_timers(&ledger.task, &ledger.calendar).len(), 0);
    revise(&mut ledger, &|content| content.targets[0].source_unit = Some("units/employment".to_owned()));
    assert_eq!(figure_timers(&ledger.task, &ledger.calendar).len(), 1);
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));
}
