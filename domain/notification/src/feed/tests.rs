use domain_roster::{Account, RosterEvent};
use domain_supervision::{
    AssignmentChange, AssignmentEvent, AssignmentFacts, BulletinChange, BulletinEvent, BulletinFacts,
    COMMENT_MADE, Comment, CommentMade, Delegate, DelegationChange, DelegationEvent, DraftChange, DraftEvent,
    DueTimes, InspectionChange, InspectionEvent, JointMatterChange, JointMatterEvent, PAPER_ISSUED,
    PaperIssued, PaperKind, Period, Role, SideRoad, TaskChange, TaskEvent, TaskFacts, Visibility,
    WholeTaskEvent,
};
use serde_json::{Value, json};

use super::{FeedAudience, FeedEntry, FeedKind, LEFT_OUT, feed_entry};
use crate::fixture::{Roster, at};

const NOON: &str = "2023-06-05T12:00+08:00";

fn facts(visibility: Visibility, shown: &[&str]) -> TaskFacts {
    TaskFacts {
        name: "tasks/1".into(),
        ledger_number: 147,
        title: "推进绿色能源输配管网建设".into(),
        created_by: "supervisor".into(),
        visibility,
        restricted_units: shown.iter().map(|unit| (*unit).to_owned()).collect(),
        origin: None,
        urgent: false,
        designated: None,
    }
}

fn assignment(number: u8, unit: &str) -> AssignmentFacts {
    AssignmentFacts {
        name: format!("tasks/1/assignments/{number}"),
        unit: format!("units/{unit}"),
        role: Role::Lead,
        due: DueTimes::default(),
    }
}

fn task(task: TaskFacts, change: TaskChange) -> FeedEntry {
    let event = TaskEvent::Task(WholeTaskEvent { task, at: at(NOON), change });
    entry(event.event_type(), "tasks/1", &event.to_payload().unwrap())
}

fn entry(event_type: &str, aggregate: &str, payload: &Value) -> FeedEntry {
    feed_entry(event_type, aggregate, &payload.to_string()).unwrap()
}

/// The units that see a record after some of its events.
fn after(entries: &[FeedEntry]) -> FeedAudience {
    let facts = entries.iter().filter_map(|entry| entry.facts.clone());
    facts.fold(FeedAudience::default(), FeedAudience::after)
}

#[test]
fn a_task_belongs_to_the_units_that_have_its_assignments_now() {
    let internal = facts(Visibility::Internal, &[]);
    let assignments = vec![assignment(1, "water"), assignment(2, "industry")];
    let issued = TaskChange::Issued { rule_version: 1, assignments, with_document: false };
    let issued = task(internal.clone(), issued);
    assert_eq!((issued.kind, issued.record.as_str()), (FeedKind::Task, "tasks/1"));
    let reassigned = TaskEvent::Assignment(AssignmentEvent {
        task: internal,
        assignment: assignment(2, "energy"),
        at: at(NOON),
        late: vec![],
        change: AssignmentChange::SideRoad(SideRoad::Reassigned {
            from: "units/industry".into(),
            to: "units/energy".into(),
            ground: "职责调整".into(),
            lead_unit: None,
            dated: false,
        }),
    });
    let reassigned = entry(reassigned.event_type(), "tasks/1", &reassigned.to_payload().unwrap());
    let added =
        TaskChange::CooperatingAdded { ground: String::new(), assignments: vec![assignment(3, "yaodu")] };
    // It becomes restricted as it goes.
    let added = task(facts(Visibility::Restricted, &["units/audit"]), added);

    let had = after(std::slice::from_ref(&issued));
    assert_eq!(had.units().into_iter().collect::<Vec<_>>(), ["units/industry", "units/water"]);
    assert_eq!(had.visibility, Visibility::Internal);
    let has = after(&[issued, reassigned, added]);
    let units: Vec<&str> = has.held.values().map(String::as_str).collect();
    assert_eq!(units, ["units/water", "units/energy", "units/yaodu"]);
    assert!(has.units().contains("units/audit"));
    assert_eq!(has.visibility, Visibility::Restricted);
}

#[test]
fn what_is_said_of_a_task_is_seen_by_whoever_sees_the_task() {
    let restricted = facts(Visibility::Restricted, &["units/audit"]);
    let made = CommentMade {
        task: restricted.clone(),
        comment: Comment {
            name: "tasks/1/comments/1".into(),
            text: "请注意进度".into(),
            units: vec![],
            author: "supervisor".into(),
            made_at: at(NOON),
        },
    };
    let comment = entry(COMMENT_MADE, "tasks/1/comments/1", &made.to_payload().unwrap());
    assert_eq!((comment.kind, comment.record.as_str()), (FeedKind::Comment, "tasks/1"));
    assert_eq!(after(&[comment]).visibility, Visibility::Restricted);

    let paper = |task: Option<TaskFacts>| PaperIssued {
        name: "papers/1".into(),
        kind: PaperKind::Letter,
        number: "临督函〔2023〕1号".into(),
        task,
        assignment: None,
        unit: None,
        decided_by: None,
        at: at(NOON),
    };
    let paper = |task| entry(PAPER_ISSUED, "papers/1", &serde_json::to_value(paper(task)).unwrap());
    assert_eq!(paper(Some(restricted)).record, "tasks/1");
    let bulletin = paper(None);
    assert_eq!((bulletin.kind, bulletin.record.as_str()), (FeedKind::Paper, "papers/1"));
    assert_eq!(after(&[bulletin]).visibility, Visibility::Public);
}

#[test]
fn what_units_keep_to_themselves_is_theirs_alone() {
    let draft = DraftEvent {
        draft: "drafts/1".into(),
        ledger_number: 147,
        unit: "units/water".into(),
        what: "反馈".into(),
        drafter: "clerk".into(),
        at: at(NOON),
        change: DraftChange::Made,
    };
    let draft = entry(draft.event_type(), "drafts/1", &draft.to_payload().unwrap());
    assert_eq!(draft.kind, FeedKind::Draft);
    assert_eq!(after(&[draft]).units().into_iter().collect::<Vec<_>>(), ["units/water"]);
    let passed = DelegationEvent {
        delegation: "delegations/1".into(),
        task: facts(Visibility::Internal, &[]),
        holder: "units/water".into(),
        to: Delegate::Unit("units/yaodu".into()),
        text: "请于月底前报送".into(),
        due_at: at(NOON),
        at: at(NOON),
        change: DelegationChange::Given,
    };
    let passed = entry(passed.event_type(), "delegations/1", &passed.to_payload().unwrap());
    assert_eq!(passed.kind, FeedKind::Delegation);
    assert_eq!(after(&[passed]).units().into_iter().collect::<Vec<_>>(), ["units/water", "units/yaodu"]);
}

#[test]
fn bulletins_inspections_and_matters_are_told_apart() {
    let bulletin = BulletinEvent {
        bulletin: BulletinFacts {
            name: "bulletins/1".into(),
            title: "督查通报".into(),
            period: Period { start: at("2023-05-01T00:00+08:00"), end: at("2023-06-01T00:00+08:00") },
            leader: "officials/wang-yuan".into(),
            created_by: "supervisor".into(),
        },
        at: at(NOON),
        change: BulletinChange::Ready,
    };
    let found = entry(bulletin.event_type(), "bulletins/1", &bulletin.to_payload().unwrap());
    assert_eq!((found.kind, found.facts), (FeedKind::Bulletin, None));
    let inspection = InspectionEvent {
        inspection: "inspections/1".into(),
        title: "防汛督查".into(),
        at: at(NOON),
        change: InspectionChange::Cancelled { ground: "改期".into() },
    };
    let found = entry(inspection.event_type(), "inspections/1", &inspection.to_payload().unwrap());
    assert_eq!(found.kind, FeedKind::Inspection);
    let matter = JointMatterEvent {
        matter: "matters/1".into(),
        title: "管网建设".into(),
        by: "supervisor".into(),
        at: at(NOON),
        change: JointMatterChange::Linked { tasks: vec![], ground: "同一事项".into() },
    };
    let found = entry(matter.event_type(), "matters/1", &matter.to_payload().unwrap());
    assert_eq!(found.kind, FeedKind::Matter);
    for rule in ["supervision.rule.added", "supervision.score_rule.added"] {
        assert_eq!(entry(rule, "rules/1", &json!({})).kind, FeedKind::Rule);
    }
    let founded = json!({"name": "groups/1", "displayName": "防汛抗旱指挥部", "colour": "blue"});
    let unread = entry("workgroup.group.founded", "groups/1", &founded);
    assert_eq!(unread.kind, FeedKind::Unknown, "a group says more than that");
}

#[test]
fn an_account_is_administrations_and_why_somebody_is_away_is_nobodys() {
    let account = RosterEvent::AccountCreated(Account {
        name: "accounts/1".into(),
        subject: "clerk".into(),
        official: None,
        roles: vec![],
        disabled: false,
    });
    let payload: Value = serde_json::from_str(&account.to_payload().unwrap()).unwrap();
    assert_eq!(entry(account.event_type(), "accounts/1", &payload).kind, FeedKind::Account);
    assert_eq!(FeedKind::Account.action(), "roster.accounts.list");

    let mut roster = Roster::new();
    roster.away("cui-yuanbin", None);
    let absence = roster.book.absences().next().unwrap().clone();
    let mut payload = serde_json::to_value(&absence).unwrap();
    payload["reason"] = json!("住院治疗");
    let away = entry("roster.absence.created", &absence.name, &payload);
    assert_eq!(away.kind, FeedKind::Directory);
    assert_eq!(away.data["official"], "officials/cui-yuanbin");
    assert!(!away.data.to_string().contains("住院"), "{}", away.data);
}

#[test]
fn what_this_version_cannot_read_is_administrations_and_keeps_its_record() {
    for (event_type, payload) in [
        ("supervision.task.painted", r#"{"colour":"blue"}"#),
        ("supervision.task.issued", r#"{"colour":"blue"}"#),
        ("roster.official.phone_changed", r#"{"phone":"1"}"#),
        ("supervision.task.issued", "no JSON"),
        ("supervision.task.issued", "[1]"),
    ] {
        let found = feed_entry(event_type, "tasks/1", payload).unwrap();
        assert_eq!((found.kind, found.record.as_str()), (FeedKind::Unknown, "tasks/1"), "{event_type}");
        assert_eq!(found.facts, None);
        assert!(found.data.is_object());
    }
    assert_eq!(FeedKind::Unknown.action(), FeedKind::Account.action());
}

#[test]
fn book_keeping_is_left_out() {
    for event_type in LEFT_OUT {
        assert_eq!(feed_entry(event_type, "reports/1", "{}"), None);
    }
}

#[test]
fn the_word_of_every_kind_reads_back() {
    for kind in FeedKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    assert!("nothing".parse::<FeedKind>().is_err());
}

#[test]
fn the_tasks_that_a_new_one_resembles_are_not_told() {
    let payload = json!({"change": {"kind": "created", "known": [{"task": "tasks/2"}]}});
    let found = feed_entry("supervision.task.created", "tasks/1", &payload.to_string()).unwrap();
    assert_eq!(found.data, json!({"change": {"kind": "created"}}));
}
