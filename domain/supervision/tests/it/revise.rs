//! Revising what a task says.

use domain_supervision::{
    AssignmentCommand, AssignmentDraft, AssignmentState, Command, Content, Direction, Grade, Milestone,
    OpenPoint, Role, SupervisionError, Target, TaskChange, TaskEvent, TaskState,
};
use time::macros::date;

use crate::ledger::{Ledger, at, draft, name, submit, verify};

fn revise(
    ledger: &mut Ledger,
    ground: &str,
    change: impl Fn(&mut Content),
) -> Result<usize, SupervisionError> {
    let mut content = Content::of(&ledger.task);
    change(&mut content);
    let command = Command::Revise { content: Box::new(content), ground: ground.to_owned() };
    ledger.task(command).map(|events| events.len())
}

fn open_point() -> OpenPoint {
    OpenPoint {
        text: "有关县市区".to_owned(),
        why: "需要人工确定具体单位".to_owned(),
        line: Some(12),
        candidates: vec![],
    }
}

#[test]
fn a_draft_with_something_open_waits_until_it_is_settled() {
    let mut open = draft(Grade::LongTerm, &[]);
    open.open_points = vec![open_point()];
    let mut ledger = Ledger::created(open, "2023-06-01T09:00+08:00");
    let refused = ledger.task(Command::Issue { with_document: false }).unwrap_err();
    assert_eq!(refused, SupervisionError::StillOpen { first: "有关县市区".to_owned(), count: 1 });

    let settle = |content: &mut Content| content.open_points.clear();
    assert_eq!(revise(&mut ledger, "", settle), Err(SupervisionError::NoAssignment));
    let named = |content: &mut Content| {
        content.open_points.clear();
        content.assignments =
            vec![AssignmentDraft { name: name(0), unit: "units/0".to_owned(), role: Role::Responsible }];
    };
    assert_eq!(revise(&mut ledger, "", named), Ok(1));
    assert_eq!(ledger.task(Command::Issue { with_document: false }).unwrap().len(), 1);
    assert_eq!(ledger.assignment(0).state, AssignmentState::Assigned);
}

#[test]
fn a_revision_after_issuing_keeps_what_it_was_and_why() {
    let mut ledger = Ledger::issued(draft(Grade::LongTerm, &[Role::Lead]), "2023-06-01T09:00+08:00");
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    let change = |content: &mut Content| {
        content.text = "年内完成主管道铺设并试运行。".to_owned();
        content.due_date = Some(date!(2023 - 11 - 30));
        content.milestones =
            vec![Milestone {
                last_day: date!(2023 - 09 - 30), text: "完成焊接".to_owned(), units: vec![]
            }];
    };
    assert!(
        matches!(revise(&mut ledger, " ", change), Err(SupervisionError::Empty(_))),
        "a ground is needed"
    );
    assert_eq!(revise(&mut ledger, "市政府常务会议纪要", change), Ok(1));
    assert_eq!(revise(&mut ledger, "市政府常务会议纪要", change), Ok(0), "it says that already");
    let Some(TaskEvent::Task(event)) = ledger.log.last() else { panic!("no event") };
    let TaskChange::Revised { before, after, ground, assignments } = &event.change else {
        panic!("{event:?}")
    };
    assert_eq!(before.text, "年内完成主管道铺设。");
    assert_eq!((after.milestones.len(), ground.as_str()), (1, "市政府常务会议纪要"));
    assert_eq!(assignments[0].due.settle, Some(at("2023-12-01T00:00+08:00")));
    assert_eq!(ledger.assignment(0).state, AssignmentState::Signed, "what happened stays");
    assert_eq!(ledger.clocks(0).due.settle, Some(at("2023-12-01T00:00+08:00")));
}

#[test]
fn units_and_grade_are_fixed_once_issued_and_everything_once_struck_off() {
    let mut ledger = Ledger::issued(draft(Grade::LongTerm, &[Role::Lead]), "2023-06-01T09:00+08:00");
    for change in [
        (|content: &mut Content| content.assignments.clear()) as fn(&mut Content),
        |content| content.grade = Grade::Ordinary,
        |content| content.open_points.push(open_point()),
    ] {
        assert_eq!(revise(&mut ledger, "依据", change), Err(SupervisionError::FixedOnceIssued));
    }
    let past = |content: &mut Content| content.due_date = Some(date!(2023 - 05 - 31));
    assert!(matches!(revise(&mut ledger, "依据", past), Err(SupervisionError::DueBeforeIssue { .. })));

    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger.unit(0, submit()).unwrap();
    ledger.unit(0, verify(true)).unwrap();
    let title = |content: &mut Content| content.title.push('改');
    assert!(matches!(
        revise(&mut ledger, "依据", title),
        Err(SupervisionError::TaskRefused { state: TaskState::StruckOff, .. })
    ));
}

#[test]
fn a_target_has_a_decimal_value_and_a_milestone_a_text() {
    let target = |value: &str| Target {
        measure: "一般公共预算收入增速".to_owned(),
        value: value.to_owned(),
        unit: "%".to_owned(),
        direction: Direction::AtLeast,
        binding: true,
        source_unit: None,
        figure_day: None,
    };
    let mut ledger = Ledger::created(draft(Grade::LongTerm, &[Role::Lead]), "2023-06-01T09:00+08:00");
    assert_eq!(
        revise(&mut ledger, "", |content| content.targets = vec![target("六")]),
        Err(SupervisionError::NoNumber { value: "六".to_owned() })
    );
    assert_eq!(revise(&mut ledger, "", |content| content.targets = vec![target("6.5")]), Ok(1));
    let empty = |content: &mut Content| {
        content.milestones =
            vec![Milestone { last_day: date!(2023 - 09 - 30), text: " ".to_owned(), units: vec![] }];
    };
    assert!(matches!(revise(&mut ledger, "", empty), Err(SupervisionError::Empty(_))));
}
