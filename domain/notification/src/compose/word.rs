//! What is told of remarks, of drafts inside a unit, and of what a unit passes down.

use domain_roster::Book;
use domain_supervision::{CommentMade, Delegate, DelegationChange, DelegationEvent, DraftChange, DraftEvent};

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{before, called, quoted, unit};

/// A remark is told to the units that it names, and to nobody else.
pub fn of_comment(made: &CommentMade) -> Vec<Notice> {
    let CommentMade { task, comment } = made;
    if comment.units.is_empty() {
        return Vec::new();
    }
    let audiences = comment.units.iter().cloned().map(Audience::UnitLiaison).collect();
    let body = format!("{}有新的留言：{}", called(task), quoted(task, &comment.text));
    vec![Notice::new(NoticeKind::Progress, &task.name, format!("留言：{}", called(task)), body, audiences)]
}

/// A draft is told inside its unit: to the approver when it awaits release, to whoever drafted it when
/// it is decided on. What it says is not repeated.
pub fn of_draft(event: &DraftEvent, book: &Book) -> Vec<Notice> {
    let DraftEvent { ledger_number, what, .. } = event;
    let holder = unit(book, &event.unit);
    let of = |title: &str, body: String, audience: Audience| {
        let title = format!("{title}：第{ledger_number}号事项{what}");
        vec![Notice::new(NoticeKind::Progress, &event.draft, title, body, vec![audience])]
    };
    let drafter = || Audience::Account(event.drafter.clone());
    match event.change {
        DraftChange::Made => {
            let body = format!("{holder}第{ledger_number}号事项的{what}已拟稿，请审核。");
            of("待审核", body, Audience::UnitApprovers(event.unit.clone()))
        }
        DraftChange::SentBack => {
            let body = format!("您拟的第{ledger_number}号事项{what}已退改，意见请在系统内查看。");
            of("已退改", body, drafter())
        }
        DraftChange::Released => {
            let body = format!("您拟的第{ledger_number}号事项{what}已审核发出。");
            of("已审核", body, drafter())
        }
        DraftChange::Withdrawn | DraftChange::Replaced => Vec::new(),
    }
}

/// A delegation is told between the holder and the delegate. A section is told inside the unit, by the
/// unit itself.
pub fn of_delegation(event: &DelegationEvent, book: &Book) -> Vec<Notice> {
    let heading = called(&event.task);
    let holder = unit(book, &event.holder);
    let (delegate, to_delegate) = match &event.to {
        Delegate::Unit(name) => (unit(book, name), Some(Audience::UnitLiaison(name.clone()))),
        Delegate::Section(section) => (section.as_str(), None),
    };
    let text = quoted(&event.task, &event.text);
    let of = |kind, what: &str, body: String, audience: Option<Audience>| {
        let audiences: Vec<Audience> = audience.into_iter().collect();
        let notice = Notice::new(kind, &event.delegation, format!("{what}：{heading}"), body, audiences)
            .of_tasks([event.task.name.as_str()]);
        if notice.audiences.is_empty() { Vec::new() } else { vec![notice] }
    };
    let to_holder = Some(Audience::UnitLiaison(event.holder.clone()));
    match event.change {
        DelegationChange::Given => {
            let limit = before(event.due_at);
            let body = format!("{holder}将{heading}转办，请于{limit}办理并反馈：{text}");
            of(NoticeKind::Assignment, "转办", body, to_delegate)
        }
        DelegationChange::Answered => {
            let body = format!("{delegate}已反馈{heading}转办事项的办理情况，请在系统内查看。");
            of(NoticeKind::Progress, "转办反馈", body, to_holder)
        }
        DelegationChange::Finished => {
            let body = format!("{delegate}报告{heading}转办事项已办结，请在系统内查看。");
            of(NoticeKind::Progress, "转办报结", body, to_holder)
        }
        DelegationChange::SentBack => {
            let body = format!("{heading}的转办事项退回补充：{text}");
            of(NoticeKind::Outcome, "退回补充", body, to_delegate)
        }
        DelegationChange::Withdrawn => {
            let body = format!("{holder}已收回{heading}的转办事项，不再办理：{text}");
            of(NoticeKind::Outcome, "收回转办", body, to_delegate)
        }
        DelegationChange::Adopted => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use domain_supervision::{Comment, TaskFacts, Visibility};

    use super::*;
    use crate::fixture::{Roster, at};

    fn task(visibility: Visibility) -> TaskFacts {
        TaskFacts {
            name: "tasks/1".into(),
            ledger_number: 147,
            title: "绿色能源输配管网".into(),
            created_by: "supervisor".into(),
            visibility,
            restricted_units: vec![],
            origin: None,
            designated: None,
            urgent: false,
        }
    }

    #[test]
    fn a_remark_is_told_to_the_units_it_names_alone() {
        let made = |units: &[&str], visibility| CommentMade {
            task: task(visibility),
            comment: Comment {
                name: "tasks/1/comments/1".into(),
                text: "请与国土部门会商".into(),
                units: units.iter().map(|unit| (*unit).to_owned()).collect(),
                author: "supervisor".into(),
                made_at: at("2023-06-05T10:00+08:00"),
            },
        };
        assert_eq!(of_comment(&made(&[], Visibility::Internal)), []);
        let told = of_comment(&made(&["units/water"], Visibility::Internal));
        assert_eq!(told[0].audiences, [Audience::UnitLiaison("units/water".into())]);
        assert!(told[0].body.ends_with("请与国土部门会商") && !told[0].requires_acknowledgement());
        let told = of_comment(&made(&["units/water"], Visibility::Restricted));
        assert!(!told[0].body.contains("国土"), "{}", told[0].body);
    }

    #[test]
    fn a_draft_is_told_to_the_approver_and_a_decision_on_it_to_the_drafter() {
        let told = |change| {
            let event = DraftEvent {
                draft: "drafts/1".into(),
                ledger_number: 147,
                unit: "units/water".into(),
                what: "进展反馈".into(),
                drafter: "clerk".into(),
                at: at("2023-06-05T10:00+08:00"),
                change,
            };
            of_draft(&event, &Roster::new().book)
                .into_iter()
                .flat_map(|one| one.audiences)
                .collect::<Vec<_>>()
        };
        assert_eq!(told(DraftChange::Made), [Audience::UnitApprovers("units/water".into())]);
        for decided in [DraftChange::SentBack, DraftChange::Released] {
            assert_eq!(told(decided), [Audience::Account("clerk".into())]);
        }
        for silent in [DraftChange::Withdrawn, DraftChange::Replaced] {
            assert_eq!(told(silent), []);
        }
    }

    #[test]
    fn what_is_passed_down_is_told_to_the_delegate_and_its_answer_to_the_holder() {
        let told = |to: Delegate, change| {
            let event = DelegationEvent {
                delegation: "delegations/1".into(),
                task: task(Visibility::Internal),
                holder: "units/yaodu".into(),
                to,
                text: "请摸清底数".into(),
                due_at: at("2023-06-08T00:00+08:00"),
                at: at("2023-06-05T10:00+08:00"),
                change,
            };
            of_delegation(&event, &Roster::new().book)
                .into_iter()
                .map(|one| (one.kind, one.audiences))
                .collect::<Vec<_>>()
        };
        let liaison = |unit: &str| vec![Audience::UnitLiaison(format!("units/{unit}"))];
        let bureau = || Delegate::Unit("units/water".into());
        let section = || Delegate::Section("办公室".into());
        let given = [(NoticeKind::Assignment, liaison("water"))];
        assert_eq!(told(bureau(), DelegationChange::Given), given);
        assert_eq!(told(section(), DelegationChange::Given), []);
        for answered in [DelegationChange::Answered, DelegationChange::Finished] {
            for to in [bureau(), section()] {
                assert_eq!(told(to, answered), [(NoticeKind::Progress, liaison("yaodu"))]);
            }
        }
        for turned in [DelegationChange::SentBack, DelegationChange::Withdrawn] {
            assert_eq!(told(bureau(), turned), [(NoticeKind::Outcome, liaison("water"))]);
        }
        assert_eq!(told(bureau(), DelegationChange::Adopted), []);
    }
}
