use super::*;
use crate::assignment::Role;
use crate::task::{AssignmentDraft, Grade, Source, TaskDraft, Visibility};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// An issued task of one lead unit and its assignment.
fn issued(grade: Grade, due_date: Option<Date>, when: &str) -> (Task, Assignment) {
    let task = Task::from_draft(&TaskDraft {
        name: "tasks/1".to_owned(),
        ledger_number: 1,
        title: "清洁取暖".to_owned(),
        text: String::new(),
        grade,
        source: Source::default(),
        visibility: Visibility::Internal,
        restricted_units: vec![],
        tags: vec![],
        created_by: "clerk".to_owned(),
        unclassified: true,
        origin: None,
        terms: crate::Terms::default(),
        parent: None,
        due_date,
        milestones: vec![],
        targets: vec![],
        open_points: vec![],
        attachments: vec![],
        assignments: vec![AssignmentDraft {
            name: "tasks/1/assignments/1".to_owned(),
            unit: "units/energy".to_owned(),
            role: Role::Lead,
        }],
    });
    let mut assignment = task.assignments[0].clone();
    assignment.assigned_at = Some(at(when));
    assignment.state = AssignmentState::Assigned;
    (task, assignment)
}

fn version_1(task: &Task, assignment: &Assignment) -> Clocks {
    clocks(task, assignment, &Rule::version_1(), &Calendar::built_in())
}

#[test]
fn an_ordinary_matter_has_the_four_clocks_of_13710() {
    let (task, assignment) = issued(Grade::Ordinary, None, "2023-06-01T12:00+08:00");
    let clocks = version_1(&task, &assignment);
    assert_eq!(clocks.due.sign, Some(at("2023-06-02T00:00+08:00")));
    assert_eq!(clocks.due.deploy, Some(at("2023-06-02T00:00+08:00")));
    assert_eq!(clocks.due.report, Some(at("2023-06-05T00:00+08:00")));
    assert_eq!(clocks.due.settle, Some(at("2023-06-09T00:00+08:00")));
    // 7.5 days: a fifth of it is 36 hours.
    assert_eq!(clocks.yellow_at, Some(at("2023-06-07T12:00+08:00")));
    assert_eq!(clocks.red_at, clocks.due.settle);
}

#[test]
fn yellow_is_never_shorter_than_a_day_and_absent_below_three() {
    let (task, assignment) =
        issued(Grade::Ordinary, Some(time::macros::date!(2023 - 06 - 03)), "2023-06-01T00:00+08:00");
    assert_eq!(version_1(&task, &assignment).yellow_at, Some(at("2023-06-03T00:00+08:00")));
    let (task, assignment) =
        issued(Grade::Ordinary, Some(time::macros::date!(2023 - 06 - 03)), "2023-06-01T00:00:01+08:00");
    assert_eq!(version_1(&task, &assignment).yellow_at, None);
}

#[test]
fn a_report_due_no_earlier_than_the_end_is_not_asked_for() {
    let (task, assignment) =
        issued(Grade::Ordinary, Some(time::macros::date!(2023 - 06 - 04)), "2023-06-01T09:00+08:00");
    assert_eq!(version_1(&task, &assignment).due.report, None);
}

#[test]
fn a_long_term_matter_reports_once_in_every_month() {
    let (task, mut assignment) = issued(Grade::LongTerm, None, "2023-09-10T09:00+08:00");
    let report_due = |assignment: &Assignment| version_1(&task, assignment).owed.report;
    assert_eq!(version_1(&task, &assignment).due.deploy, None);
    assert_eq!(report_due(&assignment), Some(at("2023-10-11T00:00+08:00")));
    assignment.last_report_at = Some(at("2023-09-30T09:00+08:00"));
    assert_eq!(report_due(&assignment), Some(at("2023-11-11T00:00+08:00")));
    assignment.last_report_at = Some(at("2023-10-11T00:00+08:00"));
    assert_eq!(report_due(&assignment), Some(at("2023-12-11T00:00+08:00")), "midnight is the next cycle");
    assignment.last_report_at = Some(at("2023-12-01T00:00+08:00"));
    assert_eq!(report_due(&assignment), None, "the matter ends before the next cycle does");
}

#[test]
fn no_report_is_owed_for_cycles_spent_with_the_verifier() {
    let (task, mut assignment) = issued(Grade::LongTerm, None, "2023-03-10T09:00+08:00");
    assignment.last_report_at = Some(at("2023-04-01T09:00+08:00"));
    assignment.sent_back_at = Some(at("2023-07-01T09:00+08:00"));
    assert_eq!(version_1(&task, &assignment).owed.report, Some(at("2023-07-11T00:00+08:00")));
}

#[test]
fn waiting_for_the_verifier_moves_the_settle_date_and_yellow_with_it() {
    let (task, mut assignment) = issued(Grade::Ordinary, None, "2023-06-01T12:00+08:00");
    assignment.verifier_wait = Duration::from_secs(2 * 86_400);
    let clocks = version_1(&task, &assignment);
    assert_eq!(clocks.due.settle, Some(at("2023-06-11T00:00+08:00")));
    assert_eq!(clocks.yellow_at, Some(at("2023-06-09T12:00+08:00")));
}

#[test]
fn a_held_clock_keeps_what_it_had_reached_and_reaches_nothing_more() {
    let (task, mut assignment) = issued(Grade::Ordinary, None, "2023-06-01T12:00+08:00");
    assignment.state = AssignmentState::Submitted;
    assignment.submitted_at = Some(at("2023-06-08T12:00+08:00"));
    let clocks = version_1(&task, &assignment);
    assert_eq!(clocks.yellow_at, Some(at("2023-06-07T12:00+08:00")));
    assert_eq!(clocks.red_at, None);
    assert_eq!(clocks.owed, DueTimes::default());
}

#[test]
fn a_missed_step_turns_the_stored_clock_yellow_first() {
    let (task, mut assignment) = issued(Grade::Ordinary, None, "2023-06-01T12:00+08:00");
    assert_eq!(version_1(&task, &assignment).stored().yellow_at, Some(at("2023-06-02T00:00+08:00")));
    assignment.signed_at = assignment.assigned_at;
    assignment.deployed_at = assignment.assigned_at;
    assert_eq!(version_1(&task, &assignment).stored().yellow_at, Some(at("2023-06-05T00:00+08:00")));
    assignment.last_report_at = assignment.assigned_at;
    assert_eq!(version_1(&task, &assignment).stored().yellow_at, Some(at("2023-06-07T12:00+08:00")));
}
