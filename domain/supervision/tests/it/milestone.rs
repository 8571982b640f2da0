//! Milestones: their clock, their reports, and what the timers tell of them.

use domain_supervision::{
    AssignmentCommand, AssignmentState, ClockPhase, Command, Content, Grade, Light, Milestone,
    MilestoneCommand, NamedMilestone, NotEmpty, Role, SideRoadCommand, Stage, SupervisionError, Task,
    TaskDraft, TaskEvent, explain,
};
use time::Date;
use time::macros::date;

use crate::ledger::{Ledger, answer, ask_until, at, draft, side_road, submit, verify};
use crate::life::{bring_to, types};

const JUNE: Date = date!(2023 - 06 - 30);
const SEPTEMBER: Date = date!(2023 - 09 - 30);

pub(crate) fn milestone(last_day: Date, text: &str, units: &[&str]) -> Milestone {
    let units = units.iter().map(|unit| (*unit).to_owned()).collect();
    Milestone { last_day, text: text.to_owned(), units }
}

pub(crate) fn reach(last_day: Date) -> AssignmentCommand {
    let which = NamedMilestone { last_day, clause: String::new() };
    let text = "已完成".to_owned();
    AssignmentCommand::Milestone(MilestoneCommand::Reach { which, text, attachments: vec![] })
}

pub(crate) fn send_back(last_day: Date) -> AssignmentCommand {
    let which = NamedMilestone { last_day, clause: String::new() };
    AssignmentCommand::Milestone(MilestoneCommand::SendBack { which, note: "工程量不足".to_owned() })
}

/// Half a year with two milestones, to be settled at the end of the year.
fn dated(roles: &[Role]) -> TaskDraft {
    TaskDraft {
        due_date: Some(date!(2023 - 12 - 31)),
        milestones: vec![milestone(JUNE, "完成六成", &[]), milestone(SEPTEMBER, "全部完工", &[])],
        ..draft(Grade::LongTerm, roles)
    }
}

fn in_progress(draft: TaskDraft) -> Ledger {
    let mut ledger = Ledger::issued(draft, "2023-04-20T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    ledger
}

/// What the timers told of milestones from an instant on.
fn told(ledger: &Ledger, from: &str) -> Vec<(String, &'static str)> {
    let of_milestones =
        |(when, what): &(String, &'static str)| when.as_str() > from && what.contains("milestone");
    ledger.alarms().into_iter().filter(of_milestones).collect()
}

#[test]
fn the_next_milestone_turns_the_light_yellow_and_then_red() {
    let mut ledger = in_progress(dated(&[Role::Lead]));
    assert_eq!(ledger.clocks(0).due.milestone, Some(at("2023-07-01T00:00+08:00")));
    // 71 days and 15 hours: a fifth is 14 days, 7 hours and 48 minutes.
    ledger.now = at("2023-06-16T16:11:59+08:00");
    ledger.unit(0, crate::ledger::report("进展")).unwrap();
    assert_eq!(ledger.light(0), Light::Green);
    ledger.until("2023-06-16T16:12+08:00");
    assert_eq!(ledger.light(0), Light::Yellow);
    ledger.until("2023-06-30T23:59:59.999999+08:00");
    assert_eq!(ledger.light(0), Light::Yellow);
    ledger.until("2023-07-01T00:00+08:00");
    assert_eq!(ledger.light(0), Light::Red);
    ledger.until("2023-07-03T12:00+08:00");
    assert_eq!(
        told(&ledger, "2023-04"),
        [
            ("2023-06-16T16:12:00+08:00".to_owned(), "supervision.assignment.milestone_reminded"),
            ("2023-07-01T00:00:00+08:00".to_owned(), "supervision.assignment.milestone_missed"),
        ]
    );
    let events = ledger.unit(0, reach(JUNE)).unwrap();
    assert_eq!(types(&events), ["supervision.assignment.milestone_reached"]);
    assert_eq!(ledger.light(0), Light::Green);
    assert!(ledger.assignment(0).late.contains(&Stage::Milestone), "it was late, and that stays");
    assert_eq!(ledger.assignment(0).last_report_at, Some(ledger.now), "it is a report, too");
    assert_eq!(ledger.clocks(0).due.milestone, Some(at("2023-10-01T00:00+08:00")), "the next one");
}

#[test]
fn a_milestone_reached_in_time_is_told_of_to_nobody_and_sent_back_it_is_red_if_it_is_past() {
    let mut ledger = in_progress(dated(&[Role::Lead]));
    ledger.unit(0, reach(JUNE)).unwrap();
    ledger.until("2023-07-10T09:00+08:00");
    assert_eq!((told(&ledger, "2023-04"), ledger.light(0)), (vec![], Light::Yellow), "a report is owed");
    ledger.unit(0, crate::ledger::report("进展")).unwrap();
    assert_eq!(ledger.light(0), Light::Green);
    let events = ledger.unit(0, send_back(JUNE)).unwrap();
    assert_eq!(types(&events), ["supervision.assignment.milestone_sent_back"]);
    assert_eq!(ledger.light(0), Light::Red);
    ledger.until("2023-07-20T09:00+08:00");
    assert_eq!(told(&ledger, "2023-07").len(), 1, "red is told once");
    ledger.unit(0, reach(JUNE)).unwrap();
    ledger.unit(0, send_back(JUNE)).unwrap();
    ledger.until("2023-08-01T09:00+08:00");
    assert_eq!(told(&ledger, "2023-07").len(), 1, "and not again");
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));
}

#[test]
fn a_second_missed_milestone_is_told_of_while_the_first_is_open() {
    let mut ledger = in_progress(dated(&[Role::Lead]));
    ledger.until("2023-10-02T09:00+08:00");
    let missed = |(_, what): &&(String, &str)| what.ends_with("missed");
    let told = told(&ledger, "2023-04");
    let days: Vec<&str> = told.iter().filter(missed).map(|(when, _)| when.as_str()).collect();
    assert_eq!(days, ["2023-07-01T00:00:00+08:00", "2023-10-01T00:00:00+08:00"]);
}

#[test]
fn a_milestone_concerns_the_units_it_names_or_those_that_settle_the_task() {
    let mut draft = dated(&[Role::Lead, Role::Responsible, Role::Cooperating]);
    draft.milestones.push(milestone(date!(2023 - 05 - 31), "完成土建", &["units/1"]));
    let ledger = Ledger::issued(draft, "2023-04-20T09:00+08:00");
    let next = |index| ledger.clocks(index).due.milestone;
    assert_eq!(next(0), Some(at("2023-07-01T00:00+08:00")));
    assert_eq!(next(1), Some(at("2023-06-01T00:00+08:00")));
    assert_eq!(next(2), None);
}

#[test]
fn without_a_day_of_its_own_a_task_is_due_with_its_last_milestone() {
    let mut ledger = in_progress(TaskDraft { due_date: None, ..dated(&[Role::Lead]) });
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-10-01T00:00+08:00")));
    ledger.unit(0, reach(JUNE)).unwrap();
    assert_eq!(ledger.clocks(0).due.milestone, None, "settling the matter answers for the last");
    let late = TaskDraft { due_date: None, ..dated(&[Role::Lead]) };
    let mut late = Ledger::created(late, "2023-10-02T09:00+08:00");
    let refused = late.task(Command::Issue { with_document: false });
    assert!(matches!(refused, Err(SupervisionError::DueBeforeIssue { .. })));
}

#[test]
fn a_milestone_that_was_over_before_the_clock_started_is_not_asked_for() {
    let ledger = Ledger::issued(dated(&[Role::Lead]), "2023-07-05T09:00+08:00");
    assert_eq!(ledger.clocks(0).due.milestone, Some(at("2023-10-01T00:00+08:00")));
}

#[test]
fn pauses_and_extensions_move_what_was_not_missed_before_them() {
    let day = 86_400;
    let mut ledger = in_progress(dated(&[Role::Lead]));
    ledger.until("2023-05-01T09:00+08:00");
    let suspend =
        SideRoadCommand::Suspend { ground: "汛期".to_owned(), review_date: date!(2023 - 05 - 10) };
    ledger.unit(0, side_road(suspend)).unwrap();
    assert_eq!((ledger.clocks(0).phase, ledger.light(0)), (ClockPhase::Off, Light::Grey));
    ledger.now = at("2023-05-11T09:00+08:00");
    ledger.unit(0, side_road(SideRoadCommand::Resume { note: String::new() })).unwrap();
    assert_eq!(ledger.clocks(0).due.milestone, Some(at("2023-07-11T00:00+08:00")), "ten days");
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2024-01-11T00:00+08:00")), "as the settle date");

    // Missed, and then more time: the second moves, the first stays missed.
    ledger.until("2023-07-12T09:00+08:00");
    ledger.unit(0, ask_until(date!(2024 - 01 - 20))).unwrap();
    assert_eq!(ledger.light(0), Light::Red, "what was reached before the request stays");
    ledger.unit(0, answer(true)).unwrap();
    assert_eq!(ledger.clocks(0).due.milestone, Some(at("2023-07-11T00:00+08:00")));
    assert_eq!(ledger.light(0), Light::Red);
    ledger.unit(0, reach(JUNE)).unwrap();
    let (due, settle) = (ledger.clocks(0).due.milestone.unwrap(), ledger.clocks(0).due.settle.unwrap());
    assert_eq!(due, at("2023-10-21T00:00+08:00"));
    assert_eq!(settle.since(due).as_secs(), 92 * day, "as far apart as the document has them");
}

#[test]
fn a_held_clock_misses_no_milestone() {
    let mut ledger = in_progress(dated(&[Role::Lead]));
    ledger.until("2023-06-10T09:00+08:00");
    ledger.unit(0, submit()).unwrap();
    ledger.until("2023-07-10T09:00+08:00");
    assert_eq!((ledger.light(0), told(&ledger, "2023-06")), (Light::Green, vec![]));
    ledger.unit(0, verify(false)).unwrap();
    assert_eq!(ledger.clocks(0).due.milestone, Some(at("2023-07-31T00:00+08:00")), "thirty days later");
}

#[test]
fn the_part_of_a_unit_goes_to_another_with_its_milestones_and_the_time_that_was_lost() {
    let mut draft = dated(&[Role::Lead]);
    draft.milestones[0].units = vec!["units/0".to_owned()];
    let mut ledger = in_progress(draft);
    ledger.unit(0, reach(JUNE)).unwrap();
    ledger.now = at("2023-04-30T09:00+08:00");
    let reassign =
        SideRoadCommand::Reassign { unit: "units/9".to_owned(), ground: "职责调整".to_owned() };
    ledger.unit(0, side_road(reassign)).unwrap();
    assert_eq!(ledger.clocks(0).due.milestone, Some(at("2023-07-11T00:00+08:00")));
}

#[test]
fn what_is_struck_off_and_reopened_has_its_milestones_behind_it() {
    let mut ledger = in_progress(dated(&[Role::Lead, Role::Lead]));
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();
    assert_eq!(ledger.light(0), Light::Blue);
    let reopen = SideRoadCommand::Reopen {
        ground: "回头看发现问题".to_owned(),
        last_day: date!(2023 - 08 - 01),
    };
    ledger.unit(0, side_road(reopen)).unwrap();
    assert_eq!(ledger.clocks(0).due.milestone, None);
}

fn revise(
    ledger: &mut Ledger,
    change: impl FnOnce(&mut Content),
) -> Result<Vec<TaskEvent>, SupervisionError> {
    let mut content = Content::of(&ledger.task);
    change(&mut content);
    ledger.task(Command::Revise { content: Box::new(content), ground: "会议纪要".to_owned() })
}

#[test]
fn a_revision_keeps_what_was_reached_and_makes_nobody_late() {
    let mut ledger = in_progress(dated(&[Role::Lead]));
    ledger.unit(0, reach(JUNE)).unwrap();
    ledger.until("2023-05-10T09:00+08:00");
    let earlier = milestone(date!(2023 - 05 - 31), "完成招标", &[]);
    revise(&mut ledger, |content| content.milestones.insert(0, earlier)).unwrap();
    assert_eq!(ledger.clocks(0).due.milestone, Some(at("2023-06-01T00:00+08:00")));
    ledger.unit(0, reach(date!(2023 - 05 - 31))).unwrap();
    assert_eq!(ledger.clocks(0).due.milestone, Some(at("2023-10-01T00:00+08:00")), "June is still reached");
    revise(&mut ledger, |content| content.milestones[1].last_day = date!(2023 - 07 - 31)).unwrap();
    assert!(ledger.assignment(0).has_reached(2), "on another day, too");
    let passed = |content: &mut Content| content.milestones[2].last_day = date!(2023 - 05 - 09);
    let refused = revise(&mut ledger, passed);
    assert_eq!(refused, Err(SupervisionError::MilestonePassed { last_day: date!(2023 - 05 - 09) }));
    assert_eq!(Task::replay(&ledger.log).unwrap().as_ref(), Some(&ledger.task));
}

#[test]
fn which_milestone_is_meant_must_be_clear_and_each_is_reached_once() {
    let mut draft = dated(&[Role::Lead, Role::Cooperating]);
    draft.milestones.push(milestone(SEPTEMBER, "完成验收", &[]));
    let mut ledger = in_progress(draft);
    bring_to(&mut ledger, 1, AssignmentState::InProgress);
    let nothing = ledger.unit(0, reach(date!(2023 - 07 - 01)));
    assert_eq!(nothing, Err(SupervisionError::NoMilestone { last_day: date!(2023 - 07 - 01) }));
    let others = ledger.unit(1, reach(JUNE));
    assert_eq!(others, Err(SupervisionError::NoMilestone { last_day: JUNE }), "it concerns the lead");
    let unclear = ledger.unit(0, reach(SEPTEMBER));
    assert_eq!(unclear, Err(SupervisionError::MilestoneUnclear { last_day: SEPTEMBER }));
    let which = NamedMilestone { last_day: SEPTEMBER, clause: "完成验收".to_owned() };
    let told = |text: &str| {
        let (which, text) = (which.clone(), text.to_owned());
        AssignmentCommand::Milestone(MilestoneCommand::Reach { which, text, attachments: vec![] })
    };
    assert_eq!(ledger.unit(0, told(" ")), Err(SupervisionError::Empty(NotEmpty::Report)));
    ledger.unit(0, told("已验收")).unwrap();
    assert!(ledger.assignment(0).has_reached(3));
    let twice = ledger.unit(0, told("已验收"));
    assert_eq!(twice, Err(SupervisionError::MilestoneReached { clause: "完成验收".to_owned() }));
    let unreached = ledger.unit(0, send_back(JUNE));
    assert_eq!(unreached, Err(SupervisionError::MilestoneNotReached { clause: "完成六成".to_owned() }));
}

#[test]
fn an_explanation_names_each_milestone_and_the_next() {
    let mut ledger = in_progress(dated(&[Role::Lead]));
    ledger.unit(0, reach(JUNE)).unwrap();
    let told =
        explain(&ledger.task, ledger.assignment(0), &ledger.log, &ledger.rule, &ledger.calendar).unwrap();
    let [first, second] = told.milestones.as_slice() else { panic!("{:?}", told.milestones) };
    assert_eq!((first.reached_at.is_some(), first.next), (true, false));
    assert_eq!((second.reached_at, second.next), (None, true));
    assert_eq!(second.yellow_at, told.clocks.milestone_yellow_at);
    let steps = told.steps().join("\n");
    assert!(steps.contains("节点：2023年6月30日前完成六成，2023年4月20日09:00报告完成"), "{steps}");
    assert!(steps.contains("节点：2023年9月30日前全部完工，为下一节点，"), "{steps}");
}
