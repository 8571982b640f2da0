//! Which task may be a part of which, and what follows.

use domain_supervision::{
    Above, AssignmentCommand, Grade, Role, SideRoadCommand, SupervisionError, Task, TaskState, Visibility,
    check_family, check_parent,
};

use crate::ledger::{draft, submit, verify};

fn task(name: &str, visibility: Visibility, seen_by: &[&str]) -> Task {
    let mut draft = draft(Grade::Ordinary, &[Role::Lead, Role::Cooperating]);
    draft.name = format!("tasks/{name}");
    draft.visibility = visibility;
    draft.restricted_units = seen_by.iter().map(|unit| (*unit).to_owned()).collect();
    Task::from_draft(&draft)
}

#[test]
fn a_sub_task_is_seen_by_no_more_than_its_parent_is() {
    use Visibility::{Internal, Public, Restricted};
    for (parent, child, allowed) in [
        (Public, Public, true),
        (Public, Internal, true),
        (Public, Restricted, true),
        (Internal, Public, false),
        (Internal, Internal, true),
        (Internal, Restricted, true),
        (Restricted, Public, false),
        (Restricted, Internal, false),
    ] {
        let outcome = check_parent(
            &task("child", child, &["units/9"]),
            &[Above::of(&task("top", parent, &["units/9"]))],
            1,
        );
        assert_eq!(outcome.is_ok(), allowed, "{child:?} below {parent:?}");
    }
    let above = [Above::of(&task("top", Restricted, &["units/8"]))];
    assert_eq!(check_parent(&task("child", Restricted, &["units/8", "units/0"]), &above, 1), Ok(()));
    let wider = check_parent(&task("child", Restricted, &["units/9"]), &above, 1);
    assert_eq!(wider, Err(SupervisionError::WiderThanParent));
}

#[test]
fn tasks_stand_three_levels_below_one_another_and_never_in_a_circle() {
    let internal = |name: &str| task(name, Visibility::Internal, &[]);
    let above = |names: &[&str]| names.iter().map(|name| Above::of(&internal(name))).collect::<Vec<_>>();
    assert_eq!(check_parent(&internal("child"), &above(&["middle", "top"]), 1), Ok(()));
    for (above, levels) in [(above(&["low", "middle", "top"]), 1), (above(&["middle", "top"]), 2)] {
        let outcome = check_parent(&internal("child"), &above, levels);
        assert_eq!(outcome, Err(SupervisionError::TooDeep { most: 3 }));
    }
    for names in [["child", "top"], ["middle", "child"]] {
        let outcome = check_parent(&internal("child"), &above(&names), 1);
        assert!(matches!(outcome, Err(SupervisionError::ParentBelow { .. })), "{names:?}");
    }
}

#[test]
fn nothing_becomes_a_part_of_what_is_over() {
    for (state, allowed) in [
        (TaskState::Draft, true),
        (TaskState::Issued, true),
        (TaskState::StruckOff, false),
        (TaskState::Withdrawn, false),
    ] {
        let top = Above { state, ..Above::of(&task("top", Visibility::Internal, &[])) };
        let outcome = check_parent(&task("child", Visibility::Internal, &[]), &[top], 1);
        assert_eq!(outcome.is_ok(), allowed, "{state:?}");
    }
}

#[test]
fn a_task_is_not_struck_off_before_its_sub_tasks_nor_reopened_before_its_parent() {
    let mut task = task("one", Visibility::Internal, &[]);
    let (lead, other) = (task.assignments[0].clone(), task.assignments[1].clone());
    let check = |task: &Task, held, command: &AssignmentCommand, open, parent| {
        check_family(task, held, command, open, parent)
    };
    let open = check(&task, &lead, &verify(true), 2, None).unwrap_err();
    assert_eq!(open.chinese(), "尚有2项子任务未办结，请待子任务全部销号或撤销后再核验通过");
    assert_eq!(check(&task, &lead, &verify(true), 0, None), Ok(()));
    assert_eq!(check(&task, &lead, &verify(false), 2, None), Ok(()), "it goes back to work");
    assert_eq!(check(&task, &lead, &submit(), 2, None), Ok(()), "it may be submitted");
    assert_eq!(check(&task, &other, &verify(true), 2, None), Ok(()), "it does not settle the task");

    let last_day = time::macros::date!(2023 - 07 - 01);
    let reopen =
        AssignmentCommand::SideRoad(SideRoadCommand::Reopen { ground: "反弹".to_owned(), last_day });
    task.state = TaskState::StruckOff;
    for (parent, allowed) in [
        (None, true),
        (Some(TaskState::Issued), true),
        (Some(TaskState::StruckOff), false),
        (Some(TaskState::Withdrawn), false),
    ] {
        assert_eq!(check(&task, &lead, &reopen, 0, parent).is_ok(), allowed, "{parent:?}");
    }
}
