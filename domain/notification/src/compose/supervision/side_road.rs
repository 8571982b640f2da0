//! What is told of the side roads of an assignment.

use domain_roster::Book;
use domain_supervision::{AssignmentEvent, AssignmentFacts, Role, SideRoad, TaskFacts};

use super::{Ended, Ending, Matter, assigned, in_charge_of, overseers, settle_by, told};
use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{before, called, day, quoted, unit};

/// What it ends: nobody is asked for, and nobody climbs over what a unit gave back or may leave for now.
pub(super) fn ended_by(task: &TaskFacts, assignment: &AssignmentFacts, road: &SideRoad) -> Option<Ended> {
    let of_unit =
        |unit: &str, ending| Some(Ended { task: task.name.clone(), unit: Some(unit.to_owned()), ending });
    match road {
        SideRoad::Returned { .. } => of_unit(&assignment.unit, Ending::Returned),
        SideRoad::Suspended { .. } => of_unit(&assignment.unit, Ending::Suspended),
        SideRoad::Reassigned { from, .. } => of_unit(from, Ending::Reassigned),
        SideRoad::ReturnRefused { .. }
        | SideRoad::Resumed { .. }
        | SideRoad::WaitRequested { .. }
        | SideRoad::WaitHeld { .. }
        | SideRoad::WaitRefused { .. }
        | SideRoad::WaitEnded { .. }
        | SideRoad::Rechecked { .. }
        | SideRoad::Reopened { .. } => None,
    }
}

/// The notices of what happened on a side road.
pub(super) fn of_side_road(
    event: &AssignmentEvent,
    road: &SideRoad,
    matter: &Matter,
    book: &Book,
) -> Vec<Notice> {
    let (task, assignment) = (&event.task, &event.assignment);
    let heading = called(task);
    let holder = unit(book, &assignment.unit);
    let liaison = |unit: &str| Audience::UnitLiaison(unit.to_owned());
    let to_overseers = || overseers(task, assignment, matter);
    let with_unit = || std::iter::once(liaison(&assignment.unit)).chain(to_overseers()).collect::<Vec<_>>();
    // Whoever is waited for hears of it beside those it concerns anyway.
    let with_other = |other: &str, mut audiences: Vec<Audience>| {
        let other = liaison(other);
        if !audiences.contains(&other) {
            audiences.push(other);
        }
        audiences
    };
    let decided = |what: &str, body: String, audiences: Vec<Audience>| {
        vec![told(task, NoticeKind::Decision, what, body, audiences)]
    };
    match road {
        SideRoad::Returned { reason } => {
            let body =
                format!("{holder}认为{heading}不属本单位职责，予以退回，请决定：{}", quoted(task, reason));
            vec![told(task, NoticeKind::Progress, "退回", body, to_overseers())]
        }
        SideRoad::ReturnRefused { note } => {
            let body =
                format!("{heading}仍由{holder}办理，{}：{}", settle_by(assignment), quoted(task, note));
            decided("不同意退回", body, with_unit())
        }
        SideRoad::Reassigned { from, ground, .. } => {
            let to_former = format!(
                "{heading}已由{}改派至{holder}，不再由{}办理：{}",
                unit(book, from),
                unit(book, from),
                quoted(task, ground)
            );
            let mut notices = vec![assigned(task, assignment, matter, book)];
            if assignment.role == Role::Lead {
                let body = format!("{heading}改派至您分管的{holder}牵头办理，{}。", settle_by(assignment));
                notices.push(told(
                    task,
                    NoticeKind::Assignment,
                    "改派",
                    body,
                    vec![in_charge_of(&assignment.unit)],
                ));
            }
            notices.push(told(
                task,
                NoticeKind::Outcome,
                "改派",
                to_former,
                with_other(from, to_overseers()),
            ));
            notices
        }
        SideRoad::Suspended { ground, review_date } => {
            let body =
                format!("{holder}承担的{heading}挂账，{}复核：{}", day(*review_date), quoted(task, ground));
            decided("挂账", body, with_unit())
        }
        SideRoad::Resumed { note } => {
            let note = if note.is_empty() { String::new() } else { format!("{}。", quoted(task, note)) };
            let body = format!("{holder}承担的{heading}恢复办理，{}。{note}", settle_by(assignment));
            decided("恢复办理", body, with_unit())
        }
        SideRoad::WaitRequested { on, need, accept_before } => {
            let other = unit(book, on);
            let body = format!(
                "{holder}办理{heading}须等待{other}：{}。请{other}于{}确认，逾期由督查机构裁定。",
                quoted(task, need),
                before(*accept_before)
            );
            vec![told(task, NoticeKind::Progress, "申请等待", body, with_other(on, to_overseers()))]
        }
        SideRoad::WaitHeld { on, .. } => {
            let other = unit(book, on);
            let body = format!("{holder}办理{heading}等待{other}，自申请时起暂停计时，时间计入{other}。");
            decided("等待", body, with_other(on, with_unit()))
        }
        SideRoad::WaitRefused { on, note } => {
            let other = unit(book, on);
            let body = format!("{holder}办理{heading}不等待{other}，计时照常：{}", quoted(task, note));
            decided("不同意等待", body, with_other(on, with_unit()))
        }
        SideRoad::WaitEnded { on, answer } => {
            let body = format!(
                "{holder}办理{heading}不再等待{}，{}：{}",
                unit(book, on),
                settle_by(assignment),
                quoted(task, answer)
            );
            vec![told(task, NoticeKind::Progress, "等待结束", body, with_other(on, with_unit()))]
        }
        SideRoad::Rechecked { finding } => {
            let body = format!("对{holder}办结的{heading}回头看：{}", quoted(task, finding));
            vec![told(task, NoticeKind::Outcome, "回头看", body, vec![liaison(&assignment.unit)])]
        }
        SideRoad::Reopened { ground, .. } => {
            let body = format!(
                "{heading}销号后重新办理，{}。请签收本通知：{}",
                settle_by(assignment),
                quoted(task, ground)
            );
            vec![
                told(task, NoticeKind::Assignment, "重新办理", body, vec![liaison(&assignment.unit)])
                    .requiring_signature(matter.ladder(assignment)),
            ]
        }
    }
}
