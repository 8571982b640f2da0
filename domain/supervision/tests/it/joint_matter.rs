//! Tasks that are one matter, and reports that answer all of them.

use domain_supervision::{
    Answerable, AssignmentChange, AssignmentCommand, Command, Grade, JointMatter, JointMatterEvent,
    MOST_LINKED, NotEmpty, Role, SharedReport, SupervisionError, TaskEvent, Visibility, answerable,
};
use proptest::prelude::*;

use crate::ledger::{Ledger, at, draft, name, submit};

const MATTER: (&str, &str) = ("matters/1", "创建国家级城市名片");
const WHY: (&str, &str) = ("supervisor", "文字相同");
const NOW: &str = "2023-06-01T09:00:00+08:00";

fn tasks(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("tasks/{name}")).collect()
}

fn held(matter: &JointMatter) -> Vec<&str> {
    matter.links.iter().map(|link| link.task.as_str()).collect()
}

#[test]
fn a_matter_holds_each_task_once_with_who_linked_it_and_why() {
    let (mut matter, created) = JointMatter::create(MATTER, &tasks(&["7", "18", "7"]), WHY, at(NOW)).unwrap();
    assert_eq!(held(&matter), ["tasks/7", "tasks/18"]);
    let linked = matter.link(&tasks(&["18", "90"]), ("other", "部分相同"), at(NOW)).unwrap().unwrap();
    matter.apply(&linked);
    let last = matter.links.last().unwrap();
    assert_eq!(
        (last.task.as_str(), last.linked_by.as_str(), last.ground.as_str()),
        ("tasks/90", "other", "部分相同")
    );
    assert_eq!(matter.link(&tasks(&["7"]), WHY, at(NOW)).unwrap(), None, "all of them are linked");
    let unlinked = matter.unlink(&tasks(&["7", "7"]), WHY, at(NOW)).unwrap();
    matter.apply(&unlinked);
    assert_eq!((held(&matter), matter.version), (vec!["tasks/18", "tasks/90"], 3));
    for event in [created, linked, unlinked] {
        let payload = event.to_payload().unwrap();
        assert_eq!(JointMatterEvent::from_payload(event.event_type(), &payload).unwrap(), Some(event));
    }
}

#[test]
fn a_matter_without_title_tasks_or_ground_is_refused() {
    let some = tasks(&["1"]);
    let refused = |title: &str, tasks: &[String], ground: &str| {
        JointMatter::create(("matters/1", title), tasks, ("supervisor", ground), at(NOW)).unwrap_err()
    };
    assert_eq!(refused(" ", &some, "依据"), SupervisionError::Empty(NotEmpty::MatterTitle));
    assert_eq!(refused("题", &[], "依据"), SupervisionError::Empty(NotEmpty::LinkedTask));
    assert_eq!(refused("题", &some, " "), SupervisionError::Empty(NotEmpty::LinkGround));
    let many: Vec<String> = (0..=MOST_LINKED).map(|number| format!("tasks/{number}")).collect();
    assert_eq!(refused("题", &many, "依据"), SupervisionError::TooManyLinked { most: MOST_LINKED });
    let (matter, _) = JointMatter::create(MATTER, &some, WHY, at(NOW)).unwrap();
    assert_eq!(matter.link(&[], WHY, at(NOW)).unwrap_err(), SupervisionError::Empty(NotEmpty::LinkedTask));
    let unknown = matter.unlink(&tasks(&["2"]), WHY, at(NOW)).unwrap_err();
    assert_eq!(unknown, SupervisionError::NotInMatter { task: "tasks/2".to_owned() });
    let silent = matter.unlink(&some, ("supervisor", ""), at(NOW)).unwrap_err();
    assert_eq!(silent, SupervisionError::Empty(NotEmpty::UnlinkGround));
}

fn join(matter: &str) -> Command {
    Command::JoinMatter { matter: matter.to_owned(), title: "题".to_owned(), ground: "依据".to_owned() }
}

fn leave(matter: &str) -> Command {
    Command::LeaveMatter { matter: matter.to_owned(), title: "题".to_owned(), ground: "依据".to_owned() }
}

#[test]
fn a_task_is_in_one_matter_at_most() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), NOW);
    assert!(matches!(ledger.task(leave("matters/1")), Err(SupervisionError::NotInMatter { .. })));
    ledger.task(join("matters/1")).unwrap();
    assert_eq!(ledger.task.matter.as_deref(), Some("matters/1"));
    for matter in ["matters/1", "matters/2"] {
        assert!(matches!(ledger.task(join(matter)), Err(SupervisionError::InMatter { .. })));
    }
    assert!(matches!(ledger.task(leave("matters/2")), Err(SupervisionError::NotInMatter { .. })));
    ledger.task(leave("matters/1")).unwrap();
    assert_eq!(ledger.task.matter, None);
    assert_eq!(domain_supervision::Task::replay(&ledger.log).unwrap(), Some(ledger.task));
}

fn shared() -> SharedReport {
    SharedReport {
        report: "reports/1".to_owned(),
        matter: "matters/1".to_owned(),
        title: "题".to_owned(),
        reported_on: "tasks/2/assignments/1".to_owned(),
        told_together: true,
    }
}

#[test]
fn a_shared_report_does_what_a_report_does_and_says_what_it_belongs_to() {
    let mut alone = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), NOW);
    let mut together = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), NOW);
    for ledger in [&mut alone, &mut together] {
        ledger.unit(0, AssignmentCommand::Sign).unwrap();
        ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    }
    let text = "已完工两处".to_owned();
    alone.unit(0, AssignmentCommand::Report { text: text.clone(), attachments: vec![] }).unwrap();
    together
        .unit(
            0,
            AssignmentCommand::ReportWithMatter { text: text.clone(), shared: shared(), attachments: vec![] },
        )
        .unwrap();
    assert_eq!(alone.task, together.task);
    let Some(TaskEvent::Assignment(event)) = together.log.last() else { panic!("no event") };
    assert_eq!(
        event.change,
        AssignmentChange::Reported { text, shared: Some(shared()), attachments: vec![] }
    );
    assert_eq!(event.assignment.name, name(0));
    let empty =
        AssignmentCommand::ReportWithMatter { text: " ".to_owned(), shared: shared(), attachments: vec![] };
    assert_eq!(together.unit(0, empty), Err(SupervisionError::Empty(NotEmpty::Report)));
    together.unit(0, submit()).unwrap();
    let late =
        AssignmentCommand::ReportWithMatter { text: "又".to_owned(), shared: shared(), attachments: vec![] };
    assert!(matches!(together.unit(0, late), Err(SupervisionError::AssignmentRefused { .. })));
}

#[test]
fn a_report_of_before_reads_as_one_of_its_own() {
    let change: AssignmentChange = serde_json::from_str(r#"{"kind":"reported","text":"已进场"}"#).unwrap();
    assert_eq!(
        change,
        AssignmentChange::Reported { text: "已进场".to_owned(), shared: None, attachments: vec![] }
    );
}

#[test]
fn what_is_said_of_a_restricted_task_is_not_carried_over() {
    let mut open = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), NOW);
    let other = &Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), NOW).task.assignments[0];
    assert_eq!(answerable(&open.task, other), Answerable::Yes);
    open.task.visibility = Visibility::Restricted;
    assert_eq!(answerable(&open.task, other), Answerable::Restricted);
    let draft = &Ledger::created(draft(Grade::Ordinary, &[Role::Lead]), NOW).task.assignments[0];
    assert_eq!(answerable(&open.task, draft), Answerable::NotOpen);
}

proptest! {
    #[test]
    fn a_matter_is_what_its_events_make_of_it(
        steps in prop::collection::vec((any::<bool>(), prop::collection::vec(0..8_u8, 1..4)), 0..12),
    ) {
        let names = |some: &[u8]| some.iter().map(|number| format!("tasks/{number}")).collect::<Vec<_>>();
        let (mut matter, created) = JointMatter::create(MATTER, &names(&[0]), WHY, at(NOW)).unwrap();
        let mut events = vec![created];
        for (link, some) in steps {
            let decided = if link {
                matter.link(&names(&some), WHY, at(NOW)).unwrap()
            } else {
                matter.unlink(&names(&some), WHY, at(NOW)).ok()
            };
            if let Some(event) = decided {
                matter.apply(&event);
                events.push(event);
            }
        }
        let mut held: Vec<&str> = held(&matter);
        held.sort_unstable();
        held.dedup();
        prop_assert_eq!(held.len(), matter.links.len(), "none twice");
        let mut again = JointMatter { links: vec![], version: 0, ..matter.clone() };
        events.iter().for_each(|event| again.apply(event));
        prop_assert_eq!(again, matter);
    }
}
