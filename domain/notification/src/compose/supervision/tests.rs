//! One table: what each event tells, and whom.

use std::time::Duration;

use domain_supervision::{
    AskedTarget, Circumstance, Clause, Direction, DueTimes, FigureChange, Instruction, MilestoneChange,
    SideRoad, Target, TargetFigure, Visibility,
};

use super::*;
use crate::fixture::{Roster, at};
use crate::notice::NoticeKind as K;

fn facts(visibility: Visibility) -> TaskFacts {
    TaskFacts {
        name: "tasks/1".into(),
        ledger_number: 147,
        title: "绿色能源输配管网".into(),
        created_by: "supervisor".into(),
        visibility,
        restricted_units: vec![],
        origin: None,
        urgent: false,
        designated: None,
    }
}

fn assignment(unit: &str, role: Role) -> AssignmentFacts {
    let due = DueTimes {
        sign: Some(at("2023-06-02T00:00+08:00")),
        settle: Some(at("2023-06-09T00:00+08:00")),
        ..DueTimes::default()
    };
    AssignmentFacts { name: format!("tasks/1/assignments/{unit}"), unit: format!("units/{unit}"), role, due }
}

fn all() -> Vec<AssignmentFacts> {
    vec![
        assignment("water", Role::Lead),
        assignment("finance", Role::Cooperating),
        assignment("yaodu", Role::Responsible),
    ]
}

fn of_the_task(change: TaskChange) -> TaskEvent {
    let at = at("2023-06-05T10:00+08:00");
    TaskEvent::Task(WholeTaskEvent { task: facts(Visibility::Internal), at, change })
}

fn of_unit(assignment: AssignmentFacts, change: AssignmentChange) -> TaskEvent {
    let at = at("2023-06-05T10:00+08:00");
    TaskEvent::Assignment(AssignmentEvent {
        task: facts(Visibility::Internal),
        assignment,
        at,
        late: vec![],
        change,
    })
}

fn clause() -> Clause {
    Clause { number: 1, last_day: time::macros::date!(2023 - 06 - 30), text: "完成六成".into() }
}

/// What a binding target came to, as its source unit says.
fn figure(value: &str) -> TaskEvent {
    let target = Target {
        measure: "财政收入增速".into(),
        value: "6.5".into(),
        unit: "%".into(),
        direction: Direction::AtLeast,
        binding: true,
        source_unit: Some("units/finance".into()),
        figure_day: None,
    };
    let given_at = at("2023-06-05T10:00+08:00");
    let given = TargetFigure {
        value: value.into(),
        as_of: time::macros::date!(2023 - 05 - 31),
        text: String::new(),
        given_at,
        since: given_at,
    };
    let (met, assignments) = (target.is_met_by(value), vec![assignment("water", Role::Lead)]);
    of_the_task(TaskChange::Figure(FigureChange::Given {
        number: 1,
        target: Box::new(target),
        given: Box::new(given),
        previous: None,
        met,
        assignments,
    }))
}

fn issued() -> TaskEvent {
    of_the_task(TaskChange::Issued { rule_version: 1, assignments: all(), with_document: false })
}

fn notices(event: &TaskEvent) -> Vec<Notice> {
    let matter = Matter { lead_unit: Some("units/water".into()) };
    of_task(event, Some(&matter), &Roster::new().book)
}

/// Kind, whether it must be signed for, and the audiences, written short.
fn told(event: &TaskEvent) -> Vec<(K, bool, String)> {
    notices(event)
        .into_iter()
        .map(|notice| {
            let audiences: Vec<_> = notice
                .audiences
                .iter()
                .map(|audience| match audience {
                    Audience::UnitLiaison(unit) => {
                        format!("liaison of {}", unit.trim_start_matches("units/"))
                    }
                    Audience::LeaderInCharge(unit) => {
                        format!("leader of {}", unit.trim_start_matches("units/"))
                    }
                    Audience::Account(subject) => subject.clone(),
                    Audience::WhoeverWasTold => "whoever was told".to_owned(),
                    other => format!("{other:?}"),
                })
                .collect();
            (notice.kind, notice.requires_acknowledgement(), audiences.join(", "))
        })
        .collect()
}

/// Something that moves every due time.
fn known(circumstance: Circumstance) -> TaskEvent {
    let without = |one: AssignmentFacts| AssignmentFacts { due: DueTimes::default(), ..one };
    let before = all().into_iter().map(without).collect();
    of_the_task(TaskChange::Circumstance { circumstance, before, assignments: all() })
}

fn pressed(instrument: Instrument) -> AssignmentChange {
    AssignmentChange::Pressed(InstrumentUse {
        instrument,
        ground: "逾期未办结".into(),
        decision: String::new(),
        by_leader: true,
        skip_lighter: false,
        paper: None,
    })
}

fn instruction() -> Instruction {
    Instruction {
        name: "tasks/1/instructions/1".into(),
        leader: "officials/qiao-feihong".into(),
        text: "请抓紧落实。".into(),
        units: vec!["units/water".into()],
        officials: vec!["officials/wang-yuan".into()],
        due_at: None,
        given_at: at("2023-06-05T10:00+08:00"),
        signatures: vec![],
        urged_at: None,
        urged: Default::default(),
    }
}

#[test]
fn an_instruction_is_told_under_its_own_name_and_a_signature_ends_that_notice_alone() {
    let given = of_the_task(TaskChange::Instructed {
        instruction: Box::new(instruction()),
        assignments: vec![assignment("water", Role::Lead)],
    });
    let notices = notices(&given);
    assert!(notices.iter().all(|notice| notice.subject == "tasks/1/instructions/1"));
    assert!(notices[0].body.ends_with("请抓紧落实。"), "{}", notices[0].body);
    let signed = of_the_task(TaskChange::InstructionSigned {
        instruction: instruction().name,
        signed: vec!["units/water".into(), "officials/wang-yuan".into()],
    });
    let ended = |unit: &str| Ended {
        task: instruction().name,
        unit: Some(unit.into()),
        ending: Ending::InstructionSigned,
    };
    assert_eq!(ended_by(&signed), [ended("units/water"), ended("officials/wang-yuan")]);
}

#[test]
fn each_event_is_told_to_those_it_concerns() {
    use AssignmentChange as C;
    let lead = || assignment("water", Role::Lead);
    let county = || assignment("yaodu", Role::Responsible);
    let done = at("2023-06-05T10:00+08:00");
    let (last_day, waited) = (at("2023-06-20T00:00+08:00").day(), Duration::from_secs(60));
    type Row = (TaskEvent, Vec<(K, bool, &'static str)>);
    let table: Vec<Row> = vec![
        (
            of_the_task(TaskChange::Instructed {
                instruction: Box::new(instruction()),
                assignments: vec![assignment("water", Role::Lead)],
            }),
            vec![
                (K::Instruction, true, "liaison of water"),
                (K::Instruction, false, "Official(\"officials/wang-yuan\")"),
            ],
        ),
        (
            of_the_task(TaskChange::InstructionSigned {
                instruction: instruction().name,
                signed: vec!["units/water".into()],
            }),
            vec![(K::Progress, false, "supervisor")],
        ),
        (
            of_the_task(TaskChange::InstructionDue {
                instruction: instruction().name,
                leader: instruction().leader,
                text: instruction().text,
                owing: vec!["units/water".into(), "officials/wang-yuan".into()],
                unsigned: Some(vec!["officials/wang-yuan".into()]),
                unreported: Some(vec!["units/water".into()]),
                assignments: vec![assignment("water", Role::Lead)],
            }),
            vec![
                (K::Urging, false, "Official(\"officials/wang-yuan\")"),
                (K::Urging, false, "liaison of water"),
            ],
        ),
        (
            of_the_task(TaskChange::CooperatingAdded {
                ground: "需要资金保障".into(),
                assignments: vec![assignment("finance", Role::Cooperating)],
            }),
            vec![
                (K::Assignment, true, "liaison of finance"),
                (K::Decision, false, "supervisor, liaison of water"),
            ],
        ),
        (
            issued(),
            vec![
                (K::Assignment, true, "liaison of water"),
                (K::Assignment, true, "liaison of finance"),
                (K::Assignment, true, "liaison of yaodu"),
                (K::Assignment, false, "leader of water"),
            ],
        ),
        (
            of_the_task(TaskChange::Withdrawn { ground: "重复".into(), assignments: all() }),
            vec![(K::Outcome, false, "whoever was told")],
        ),
        (
            of_the_task(TaskChange::StruckOff { completed_at: done, assignments: all() }),
            vec![(K::Outcome, false, "supervisor, leader of water")],
        ),
        (of_unit(lead(), C::Signed), vec![(K::Progress, false, "supervisor")]),
        (of_unit(county(), C::Signed), vec![(K::Progress, false, "supervisor, liaison of water")]),
        (of_unit(lead(), C::Deployed { plan: String::new() }), vec![(K::Progress, false, "supervisor")]),
        (
            of_unit(lead(), C::Reported { text: "已进场".into(), shared: None, attachments: vec![] }),
            vec![(K::Progress, false, "supervisor, leader of water")],
        ),
        // Told once, with all that the report answers.
        (
            of_unit(
                lead(),
                C::Reported { text: "已进场".into(), shared: Some(shared(true)), attachments: vec![] },
            ),
            vec![],
        ),
        (
            of_unit(
                lead(),
                C::Reported { text: "已进场".into(), shared: Some(shared(false)), attachments: vec![] },
            ),
            vec![(K::Progress, false, "supervisor, leader of water")],
        ),
        (
            of_unit(
                county(),
                C::Submitted { text: "已完成".into(), request_waited: None, attachments: vec![] },
            ),
            vec![(K::Progress, false, "supervisor, liaison of water, leader of water")],
        ),
        (of_unit(lead(), C::Verified { note: String::new(), completed_at: done }), vec![]),
        (
            of_unit(lead(), C::SentBack { note: "材料不全".into(), waited: Duration::from_secs(60) }),
            vec![(K::Outcome, false, "liaison of water")],
        ),
        (
            of_unit(county(), C::ExtensionRequested { last_day, reason: "征地未完成".into() }),
            vec![(K::Progress, false, "supervisor, liaison of water, leader of water")],
        ),
        (
            of_unit(
                county(),
                C::ExtensionGranted { last_day, note: String::new(), waited, charged: waited, moved: waited },
            ),
            vec![(K::Decision, false, "liaison of yaodu, supervisor, liaison of water")],
        ),
        (
            of_unit(lead(), C::ExtensionRefused { last_day, note: "抓紧办理".into(), waited }),
            vec![(K::Decision, false, "liaison of water, supervisor")],
        ),
        (
            of_unit(county(), C::StruckOff { completed_at: done, with_task: true, counted_from: None }),
            vec![(K::Outcome, false, "liaison of yaodu")],
        ),
        (
            of_unit(county(), C::Overdue),
            vec![(K::Light, true, "liaison of yaodu"), (K::Light, false, "supervisor, liaison of water")],
        ),
        (
            of_unit(county(), C::SideRoad(SideRoad::Returned { reason: "不属职责".into() })),
            vec![(K::Progress, false, "supervisor, liaison of water")],
        ),
        (
            of_unit(county(), C::SideRoad(SideRoad::ReturnRefused { note: "属你单位".into() })),
            vec![(K::Decision, false, "liaison of yaodu, supervisor, liaison of water")],
        ),
        (
            of_unit(
                assignment("industry", Role::Lead),
                C::SideRoad(SideRoad::Reassigned {
                    from: "units/water".into(),
                    to: "units/industry".into(),
                    ground: "职责调整".into(),
                    lead_unit: Some("units/industry".into()),
                    dated: false,
                }),
            ),
            vec![
                (K::Assignment, true, "liaison of industry"),
                (K::Assignment, false, "leader of industry"),
                (K::Outcome, false, "supervisor, liaison of water"),
            ],
        ),
        (
            of_unit(
                lead(),
                C::SideRoad(SideRoad::Suspended { ground: "待批".into(), review_date: last_day }),
            ),
            vec![(K::Decision, false, "liaison of water, supervisor")],
        ),
        (
            of_unit(lead(), C::SideRoad(SideRoad::Resumed { note: String::new() })),
            vec![(K::Decision, false, "liaison of water, supervisor")],
        ),
        (
            of_unit(
                lead(),
                C::SideRoad(SideRoad::WaitRequested {
                    on: "units/finance".into(),
                    need: "拨付资金".into(),
                    accept_before: done,
                }),
            ),
            vec![(K::Progress, false, "supervisor, liaison of finance")],
        ),
        (
            of_unit(
                county(),
                C::SideRoad(SideRoad::WaitHeld {
                    on: "units/water".into(),
                    ruled: true,
                    note: String::new(),
                }),
            ),
            vec![(K::Decision, false, "liaison of yaodu, supervisor, liaison of water")],
        ),
        (
            of_unit(
                lead(),
                C::SideRoad(SideRoad::WaitRefused {
                    on: "units/finance".into(), note: "自行协调".into()
                }),
            ),
            vec![(K::Decision, false, "liaison of water, supervisor, liaison of finance")],
        ),
        (
            of_unit(
                lead(),
                C::SideRoad(SideRoad::WaitEnded { on: "units/finance".into(), answer: "已拨付".into() }),
            ),
            vec![(K::Progress, false, "liaison of water, supervisor, liaison of finance")],
        ),
        (
            of_unit(lead(), C::SideRoad(SideRoad::Rechecked { finding: "未反弹".into() })),
            vec![(K::Outcome, false, "liaison of water")],
        ),
        (
            of_unit(lead(), C::SideRoad(SideRoad::Reopened { ground: "反弹".into(), last_day })),
            vec![(K::Assignment, true, "liaison of water")],
        ),
        (
            of_the_task(TaskChange::Reopened { ground: "反弹".into(), assignments: all() }),
            vec![(K::Outcome, false, "supervisor, leader of water")],
        ),
        (of_unit(county(), pressed(Instrument::Urging)), vec![(K::Urging, false, "liaison of yaodu")]),
        (of_unit(county(), pressed(Instrument::Letter)), vec![(K::Urging, true, "liaison of yaodu")]),
        (
            of_unit(county(), pressed(Instrument::Interview)),
            vec![
                (K::Urging, true, "liaison of yaodu"),
                (K::Decision, false, "supervisor, liaison of water, leader of water"),
            ],
        ),
        (
            of_unit(lead(), pressed(Instrument::PublicNotice)),
            vec![(K::Urging, true, "liaison of water"), (K::Decision, false, "supervisor, leader of water")],
        ),
        (
            of_unit(lead(), pressed(Instrument::Accountability)),
            vec![(K::Decision, false, "supervisor, leader of water")],
        ),
        (of_unit(lead(), C::Reminded), vec![(K::Reminder, false, "liaison of water")]),
        (
            of_unit(
                lead(),
                C::Milestone(MilestoneChange::Reached {
                    milestone: clause(),
                    text: "已完成".into(),
                    attachments: vec![],
                }),
            ),
            vec![(K::Progress, false, "supervisor, leader of water")],
        ),
        (
            of_unit(
                lead(),
                C::Milestone(MilestoneChange::SentBack {
                    milestone: clause(),
                    note: "工程量不足".into(),
                    past: false,
                }),
            ),
            vec![(K::Outcome, false, "liaison of water")],
        ),
        (
            of_unit(lead(), C::Milestone(MilestoneChange::Reminded { milestone: clause() })),
            vec![(K::Reminder, false, "liaison of water")],
        ),
        (
            of_unit(lead(), C::Milestone(MilestoneChange::Missed { milestones: vec![clause()] })),
            vec![(K::Light, true, "liaison of water"), (K::Light, false, "supervisor")],
        ),
        (
            of_the_task(TaskChange::Figure(FigureChange::Asked {
                unit: "units/finance".into(),
                targets: vec![AskedTarget {
                    number: 1,
                    measure: "财政收入增速".into(),
                    figure_day: time::macros::date!(2023 - 06 - 30),
                }],
            })),
            vec![(K::Reminder, false, "liaison of finance")],
        ),
        (figure("6.4"), vec![(K::Light, false, "supervisor, liaison of water, leader of water")]),
        (figure("6.5"), vec![(K::Progress, false, "supervisor, liaison of water")]),
        (
            known(Circumstance::EventRecorded {
                event: "案件结案".into(),
                on: last_day,
                previous: None,
                ground: "结案通知书".into(),
                in_time: [].into(),
            }),
            vec![
                (K::Decision, false, "liaison of water"),
                (K::Decision, false, "liaison of finance"),
                (K::Decision, false, "liaison of yaodu"),
                (K::Progress, false, "supervisor, leader of water"),
            ],
        ),
        (
            known(Circumstance::OccurrenceCorrected {
                from: done,
                to: at("2023-06-05T09:00+08:00"),
                ground: "现场核实".into(),
                in_time: [].into(),
            }),
            vec![
                (K::Decision, false, "liaison of water"),
                (K::Decision, false, "liaison of finance"),
                (K::Decision, false, "liaison of yaodu"),
                (K::Progress, false, "supervisor"),
            ],
        ),
        (
            known(Circumstance::Designated {
                official: Some("officials/wang".into()),
                previous: Some("officials/li".into()),
                ground: String::new(),
            }),
            vec![
                (K::Decision, false, r#"Official("officials/wang")"#),
                (K::Decision, false, r#"Official("officials/li")"#),
            ],
        ),
        (
            of_unit(lead(), C::Urged { stages: vec![Stage::Sign, Stage::Deploy], again: vec![] }),
            vec![(K::Urging, false, "liaison of water")],
        ),
    ];
    for (event, expected) in table {
        let expected: Vec<_> =
            expected.into_iter().map(|(kind, signed, whom)| (kind, signed, whom.to_owned())).collect();
        assert_eq!(told(&event), expected, "{}", event.event_type());
    }
}

#[test]
fn notices_say_what_is_to_be_done_and_by_when() {
    let water = &notices(&issued())[0];
    assert_eq!(water.title, "交办：第147号《绿色能源输配管网》");
    assert_eq!(
        water.body,
        "市水利局为第147号《绿色能源输配管网》的牵头单位。2023年6月1日24时前签收，2023年6月8日24时前办结。请及时签收。"
    );
    let urged = AssignmentChange::Urged { stages: vec![Stage::Sign, Stage::Deploy], again: vec![] };
    let urged = &notices(&of_unit(assignment("water", Role::Lead), urged))[0];
    assert_eq!(urged.body, "第147号《绿色能源输配管网》尚未签收、部署，已超过规定时限，请立即办理。");
}

#[test]
fn whoever_was_designated_decides_in_the_place_of_the_leader_in_charge() {
    let last_day = at("2023-06-20T00:00+08:00").day();
    let asked = AssignmentChange::ExtensionRequested { last_day, reason: "征地未完成".into() };
    let TaskEvent::Assignment(mut event) = of_unit(assignment("water", Role::Lead), asked) else {
        panic!("an assignment's event")
    };
    event.task.designated = Some("officials/wang".into());
    let expected = (K::Progress, false, r#"supervisor, Official("officials/wang")"#.to_owned());
    assert_eq!(told(&TaskEvent::Assignment(event)), [expected]);
}

#[test]
fn a_missed_date_waits_for_office_hours_unless_it_is_urgent() {
    let TaskEvent::Assignment(mut event) =
        of_unit(assignment("water", Role::Lead), AssignmentChange::Overdue)
    else {
        panic!("an assignment's event")
    };
    assert_eq!(crate::waits(&TaskEvent::Assignment(event.clone())), Some(K::Light));
    event.task.urgent = true;
    assert_eq!(crate::waits(&TaskEvent::Assignment(event)), None);
    assert_eq!(crate::waits(&of_unit(assignment("water", Role::Lead), AssignmentChange::Signed)), None);
}

#[test]
fn a_request_for_more_time_says_until_when_and_the_answer_what_holds_now() {
    let last_day = at("2023-06-20T00:00+08:00").day();
    let body = |change| notices(&of_unit(assignment("water", Role::Lead), change))[0].body.clone();
    assert_eq!(
        body(AssignmentChange::ExtensionRequested { last_day, reason: "征地未完成".into() }),
        "市水利局申请将第147号《绿色能源输配管网》延期至2023年6月20日，请决定：征地未完成"
    );
    let waited = Duration::from_secs(60);
    let note = "抓紧办理".to_owned();
    assert_eq!(
        body(AssignmentChange::ExtensionGranted {
            last_day,
            note: note.clone(),
            waited,
            charged: Duration::ZERO,
            moved: Duration::ZERO,
        }),
        "同意市水利局延期办理第147号《绿色能源输配管网》，办结时限为2023年6月8日24时前。抓紧办理。"
    );
    assert_eq!(
        body(AssignmentChange::ExtensionRefused { last_day, note, waited }),
        "不同意市水利局将第147号《绿色能源输配管网》延期至2023年6月20日，办结时限为2023年6月8日24时前：抓紧办理"
    );
}

#[test]
fn a_restricted_matter_is_called_by_its_number_alone() {
    let matter = Matter { lead_unit: Some("units/water".into()) };
    let TaskEvent::Assignment(mut event) = of_unit(
        assignment("water", Role::Lead),
        AssignmentChange::Reported { text: "细节".into(), shared: None, attachments: vec![] },
    ) else {
        panic!("an assignment's event")
    };
    event.task.visibility = Visibility::Restricted;
    for notice in of_task(&TaskEvent::Assignment(event), Some(&matter), &Roster::new().book) {
        let text = notice.title + &notice.body;
        assert!(!text.contains("管网") && !text.contains("细节"), "{text}");
        assert!(text.contains("第147号（限定单位）"), "{text}");
    }
}

#[test]
fn nobody_hears_of_a_draft_that_was_never_issued() {
    let withdrawn = of_the_task(TaskChange::Withdrawn { ground: "误录".into(), assignments: all() });
    assert_eq!(of_task(&withdrawn, None, &Roster::new().book), []);
    assert_eq!(Matter::issued_by(&withdrawn), None);
    let issued = Matter::issued_by(&issued()).unwrap();
    assert_eq!(issued.lead_unit.as_deref(), Some("units/water"));
}

#[test]
fn those_who_do_not_lead_climb_to_the_leader_of_the_first_lead_unit() {
    let ladders: Vec<_> = notices(&issued())
        .into_iter()
        .filter_map(|notice| notice.ladder)
        .map(|ladder| (ladder.unit, ladder.decider))
        .collect();
    let water = || "units/water".to_owned();
    let expected = [(water(), water()), ("units/finance".into(), water()), ("units/yaodu".into(), water())];
    assert_eq!(ladders, expected);
}

#[test]
fn whoever_takes_over_the_lead_is_who_the_others_report_to() {
    let reassigned = AssignmentChange::SideRoad(SideRoad::Reassigned {
        from: "units/water".into(),
        to: "units/industry".into(),
        ground: "职责调整".into(),
        lead_unit: Some("units/industry".into()),
        dated: false,
    });
    let event = of_unit(assignment("industry", Role::Lead), reassigned);
    assert_eq!(Matter::issued_by(&event), Some(Matter { lead_unit: Some("units/industry".into()) }));
    assert_eq!(ended_by(&event).remove(0).unit.as_deref(), Some("units/water"), "nobody climbs over it");
}

#[test]
fn doing_what_was_asked_ends_the_ladder() {
    let lead = || assignment("water", Role::Lead);
    let signed = ended_by(&of_unit(lead(), AssignmentChange::Signed)).remove(0);
    assert_eq!((signed.unit.as_deref(), signed.ending), (Some("units/water"), Ending::Signed));
    let submitted = ended_by(&of_unit(
        lead(),
        AssignmentChange::Submitted { text: "好".into(), request_waited: None, attachments: vec![] },
    ))
    .remove(0);
    assert_eq!((submitted.unit.as_deref(), submitted.ending), (Some("units/water"), Ending::Submitted));
    let returned = AssignmentChange::SideRoad(SideRoad::Returned { reason: "不属职责".into() });
    let returned = ended_by(&of_unit(lead(), returned)).remove(0);
    assert_eq!((returned.unit.as_deref(), returned.ending), (Some("units/water"), Ending::Returned));
    let withdrawn = TaskChange::Withdrawn { ground: "重复".into(), assignments: all() };
    let all_of_it = Ended { task: "tasks/1".into(), unit: None, ending: Ending::Withdrawn };
    assert_eq!(ended_by(&of_the_task(withdrawn)), [all_of_it]);
    assert_eq!(ended_by(&of_unit(lead(), AssignmentChange::Overdue)), []);
}

fn shared(told_together: bool) -> domain_supervision::SharedReport {
    domain_supervision::SharedReport {
        report: "reports/1".into(),
        matter: "matters/1".into(),
        title: "绿色能源输配".into(),
        reported_on: "tasks/1/assignments/1".into(),
        told_together,
    }
}
