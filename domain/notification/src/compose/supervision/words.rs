//! The built-in words of every notice that has a template, as they have always been.

use std::time::Duration;

use domain_supervision::{
    Clause, DocumentIssued, DueTimes, Instrument, InstrumentUse, IssuedItem, MilestoneChange, Visibility,
};
use time::macros::date;

use super::*;
use crate::compose::document::of_document;
use crate::fixture::{Roster, at};

const TITLE: &str = "绿色能源输配管网";

fn task(visibility: Visibility) -> TaskFacts {
    TaskFacts {
        name: "tasks/1".into(),
        ledger_number: 147,
        title: TITLE.into(),
        created_by: "supervisor".into(),
        visibility,
        restricted_units: vec![],
        origin: None,
        urgent: false,
        designated: None,
    }
}

fn assignment(unit: &str, role: Role, settles: bool) -> AssignmentFacts {
    let limits = DueTimes {
        sign: Some(at("2023-06-02T00:00+08:00")),
        deploy: Some(at("2023-06-02T17:30+08:00")),
        settle: Some(at("2023-06-09T00:00+08:00")),
        ..DueTimes::default()
    };
    let due = if settles { limits } else { DueTimes::default() };
    AssignmentFacts { name: format!("tasks/1/assignments/{unit}"), unit: format!("units/{unit}"), role, due }
}

/// Title and body of each notice of an event.
fn told(event: &TaskEvent) -> Vec<(String, String)> {
    let matter = Matter { lead_unit: Some("units/water".into()) };
    let notices = of_task(event, Some(&matter), &Roster::new().book);
    notices.into_iter().map(|notice| (notice.title, notice.body)).collect()
}

fn of_the_task(visibility: Visibility, change: TaskChange) -> Vec<(String, String)> {
    let at = at("2023-06-05T10:00+08:00");
    told(&TaskEvent::Task(WholeTaskEvent { task: task(visibility), at, change }))
}

fn of_unit(visibility: Visibility, settles: bool, change: AssignmentChange) -> Vec<(String, String)> {
    let assignment = assignment("water", Role::Lead, settles);
    let at = at("2023-06-05T10:00+08:00");
    told(&TaskEvent::Assignment(AssignmentEvent {
        task: task(visibility),
        assignment,
        at,
        late: vec![],
        change,
    }))
}

fn clause(text: &str) -> Clause {
    Clause { number: 1, last_day: date!(2023 - 06 - 30), text: text.into() }
}

fn urged(ground: &str) -> AssignmentChange {
    AssignmentChange::Pressed(InstrumentUse {
        instrument: Instrument::Urging,
        ground: ground.into(),
        decision: String::new(),
        by_leader: false,
        skip_lighter: false,
        paper: None,
    })
}

/// Of an open task and of a restricted one, what is told by each event that has a template.
#[test]
fn they_are_what_officials_have_always_read() {
    use AssignmentChange as C;
    let open = |what: &str, body: &str| {
        (format!("{what}：第147号《{TITLE}》"), body.replace("@", "第147号《绿色能源输配管网》"))
    };
    let closed = |what: &str, body: &str| {
        (format!("{what}：第147号（限定单位）"), body.replace("@", "第147号（限定单位）"))
    };
    let (internal, restricted) = (Visibility::Internal, Visibility::Restricted);
    let done = at("2023-06-05T10:00+08:00");
    let issued = |settles| TaskChange::Issued {
        rule_version: 1,
        assignments: vec![
            assignment("water", Role::Lead, settles),
            assignment("finance", Role::Cooperating, settles),
        ],
        with_document: false,
    };
    let all = || vec![assignment("water", Role::Lead, true)];
    assert_eq!(
        of_the_task(internal, issued(true)),
        [
            open(
                "交办",
                "市水利局为@的牵头单位。2023年6月1日24时前签收，2023年6月2日17时30分前部署，2023年6月8日24时前办结。请及时签收。"
            ),
            open(
                "交办",
                "市财政局为@的配合单位。2023年6月1日24时前签收，2023年6月2日17时30分前部署，2023年6月8日24时前办结。请及时签收。"
            ),
            open("交办", "您分管的市水利局牵头办理@，办结时限为2023年6月8日24时前。"),
        ]
    );
    assert_eq!(
        of_the_task(restricted, issued(false)),
        [
            closed("交办", "市水利局为@的牵头单位。按台账推进。请及时签收。"),
            closed("交办", "市财政局为@的配合单位。按台账推进。请及时签收。"),
            closed("交办", "您分管的市水利局牵头办理@，按台账推进。"),
        ]
    );
    let withdrawn = || TaskChange::Withdrawn { ground: "与第12号重复".into(), assignments: all() };
    assert_eq!(of_the_task(internal, withdrawn()), [open("撤销", "@已撤销，不再办理。理由：与第12号重复")]);
    assert_eq!(
        of_the_task(restricted, withdrawn()),
        [closed("撤销", "@已撤销，不再办理。理由：内容请在系统内查看")]
    );
    let struck_off = TaskChange::StruckOff { completed_at: done, assignments: all() };
    assert_eq!(of_the_task(internal, struck_off), [open("销号", "@已于2023年6月5日10时办结，现予销号。")]);

    let part = |with_task| C::StruckOff { completed_at: done, with_task, counted_from: None };
    let missed = || {
        C::Milestone(MilestoneChange::Missed {
            milestones: vec![clause("完成六成"), clause("完成主体")]
        })
    };
    let reminded = || C::Milestone(MilestoneChange::Reminded { milestone: clause("完成六成") });
    let steps = C::Urged { stages: vec![Stage::Sign, Stage::Deploy], again: vec![] };
    let sent_back = C::SentBack { note: "材料不全".into(), waited: Duration::from_secs(60) };
    for (visibility, settles, change, expected) in [
        (internal, true, part(true), vec![open("销号", "@已由牵头单位办结，市水利局承担的工作随任务销号。")]),
        (
            internal,
            true,
            part(false),
            vec![open("销号", "@经核验通过，市水利局承担的工作已于2023年6月5日10时办结，现予销号。")],
        ),
        (internal, true, sent_back, vec![open("退回", "@的办结申请未通过核验，退回返工：材料不全")]),
        (
            internal,
            true,
            urged("三次未反馈\n请立即办理"),
            vec![open("催办", "请抓紧办理@，办结时限为2023年6月8日24时前：三次未反馈\n请立即办理")],
        ),
        (
            restricted,
            false,
            urged("三次未反馈"),
            vec![closed("催办", "请抓紧办理@，按台账推进：内容请在系统内查看")],
        ),
        (
            internal,
            true,
            C::Overdue,
            vec![
                open("红灯", "@已逾期，办结时限为2023年6月8日24时前。请抓紧办理并签收本通知。"),
                open("红灯", "市水利局办理@已逾期，办结时限为2023年6月8日24时前。"),
            ],
        ),
        (
            restricted,
            false,
            C::Overdue,
            vec![
                closed("红灯", "@已逾期，按台账推进。请抓紧办理并签收本通知。"),
                closed("红灯", "市水利局办理@已逾期，按台账推进。"),
            ],
        ),
        (internal, true, C::Reminded, vec![open("提醒", "@临近办结时限，办结时限为2023年6月8日24时前。")]),
        (internal, true, steps, vec![open("催办", "@尚未签收、部署，已超过规定时限，请立即办理。")]),
        (internal, true, reminded(), vec![open("提醒", "@临近节点时限：2023年6月30日前完成六成。")]),
        (
            restricted,
            true,
            reminded(),
            vec![closed("提醒", "@临近节点时限：2023年6月30日前内容请在系统内查看。")],
        ),
        (
            internal,
            true,
            missed(),
            vec![
                open(
                    "红灯",
                    "@的节点已逾期：2023年6月30日前完成六成；2023年6月30日前完成主体。请抓紧办理并签收本通知。",
                ),
                open("红灯", "市水利局办理@的节点已逾期：2023年6月30日前完成六成；2023年6月30日前完成主体。"),
            ],
        ),
    ] {
        assert_eq!(of_unit(visibility, settles, change), expected);
    }
}

#[test]
fn a_document_lists_its_items_as_ever() {
    let item = |label: &str, visibility, role, settles| IssuedItem {
        item: label.into(),
        task: task(visibility),
        assignment: assignment("water", role, settles),
        lead_unit: None,
    };
    let issued = DocumentIssued {
        document_number: "临政办发〔2023〕8号".into(),
        unit: "units/water".into(),
        items: vec![
            item("7", Visibility::Internal, Role::Lead, true),
            item("（二）", Visibility::Restricted, Role::Cooperating, false),
        ],
        at: at("2023-06-05T10:00+08:00"),
    };
    let notices = of_document(&issued, &Roster::new().book);
    let told: Vec<_> = notices.iter().map(|notice| (notice.title.as_str(), notice.body.as_str())).collect();
    let title = "交办：临政办发〔2023〕8号，共2项";
    assert_eq!(
        told,
        [
            (
                title,
                "临政办发〔2023〕8号交市水利局办理2项：\n第7项《绿色能源输配管网》（台账第147号，牵头单位，2023年6月8日24时前办结）\n（二）（限定单位）（台账第147号，配合单位）\n请及时签收。"
            ),
            (
                title,
                "您分管的市水利局牵头办理临政办发〔2023〕8号1项：\n第7项《绿色能源输配管网》（台账第147号，牵头单位，2023年6月8日24时前办结）"
            ),
        ]
    );
}
