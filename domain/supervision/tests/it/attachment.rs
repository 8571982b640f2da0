//! Files that come with a task and with what its units say.

use domain_attachment::{Attachment, Digest};
use domain_supervision::{
    AssignmentCommand, Command, Content, Grade, Role, SupervisionError, Task, TaskEvent, describe,
};
use serde_json::json;

use crate::ledger::{Ledger, draft, submit};

pub(crate) fn file(number: u8) -> Attachment {
    Attachment {
        digest: Digest::of_bytes([number; 32]),
        size: 7,
        media_type: "application/pdf".to_owned(),
        display_name: "验收报告.pdf".to_owned(),
    }
}

fn report(attachments: Vec<Attachment>) -> AssignmentCommand {
    AssignmentCommand::Report { text: "两处已完工".to_owned(), attachments }
}

fn revise(
    ledger: &mut Ledger,
    ground: &str,
    attachments: Vec<Attachment>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    let content = Box::new(Content { attachments, ..Content::of(&ledger.task) });
    ledger.task(Command::Revise { content, ground: ground.to_owned() })
}

fn told(event: &TaskEvent) -> String {
    describe(event, &|unit| unit.to_owned())
}

/// A task under way in one lead unit.
fn in_progress() -> Ledger {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger
}

#[test]
fn evidence_is_in_the_event_that_brought_it_and_is_told() {
    let mut ledger = in_progress();
    let reported = ledger.unit(0, report(vec![file(1), file(2)])).unwrap();
    assert_eq!(reported[0].attachments(), [file(1), file(2)]);
    assert_eq!(told(&reported[0]), "units/0反馈进展：两处已完工（附件2个）");
    let bare = ledger.unit(0, report(vec![])).unwrap();
    assert!(bare[0].attachments().is_empty());
    assert_eq!(told(&bare[0]), "units/0反馈进展：两处已完工");
    let command = AssignmentCommand::Submit { text: "已完成".to_owned(), attachments: vec![file(3)] };
    let submitted = ledger.unit(0, command).unwrap();
    assert_eq!(submitted[0].attachments(), [file(3)]);
    assert_eq!(told(&submitted[0]), "units/0申请办结：已完成（附件1个）");
}

#[test]
fn a_source_comes_with_its_files() {
    let mut entered = draft(Grade::Ordinary, &[Role::Lead]);
    entered.attachments = vec![file(1)];
    let ledger = Ledger::created(entered, "2023-06-01T09:00+08:00");
    assert_eq!(ledger.log[0].attachments(), [file(1)]);
    assert_eq!(ledger.task.attachments, [file(1)]);
    let mut replayed = Task::from_draft(&draft(Grade::Major, &[]));
    replayed.apply(&ledger.log[0]).unwrap();
    assert_eq!(replayed, ledger.task);
}

#[test]
fn the_files_of_an_issued_task_change_on_a_ground_and_on_record() {
    let mut ledger = in_progress();
    assert!(matches!(revise(&mut ledger, "", vec![file(1)]), Err(SupervisionError::Empty(_))));
    let events = revise(&mut ledger, "补扫描件", vec![file(1)]).unwrap();
    assert_eq!(
        (events[0].attachments(), told(&events[0])),
        (&[file(1)][..], "修订：附件有调整（依据：补扫描件）".to_owned())
    );
    assert_eq!(ledger.task.attachments, [file(1)]);
    assert!(revise(&mut ledger, "再次", vec![file(1)]).unwrap().is_empty(), "it says that already");
    let events = revise(&mut ledger, "撤下", vec![]).unwrap();
    assert!(events[0].attachments().is_empty() && ledger.task.attachments.is_empty());
    // Another revision brings no file.
    let content = Box::new(Content { title: "改名".to_owned(), ..Content::of(&ledger.task) });
    let events = ledger.task(Command::Revise { content, ground: "更正".to_owned() }).unwrap();
    assert!(events[0].attachments().is_empty());
}

#[test]
fn an_empty_report_is_refused_whatever_comes_with_it() {
    let mut ledger = in_progress();
    let command = AssignmentCommand::Report { text: " ".to_owned(), attachments: vec![file(1)] };
    assert!(matches!(ledger.unit(0, command), Err(SupervisionError::Empty(_))));
}

#[test]
fn what_was_written_before_there_were_files_is_read_and_written_as_it_was() {
    let mut ledger = in_progress();
    let mut events = ledger.unit(0, report(vec![])).unwrap();
    events.extend(ledger.unit(0, submit()).unwrap());
    events.push(ledger.log[0].clone());
    for event in events {
        let payload = event.to_payload().unwrap();
        assert!(!payload.to_string().contains("attachments"), "{payload}");
        assert_eq!(TaskEvent::from_payload(event.event_type(), &payload).unwrap(), Some(event));
    }
}

#[test]
fn a_file_in_a_payload_is_named_by_its_digest() {
    let mut ledger = in_progress();
    let events = ledger.unit(0, report(vec![file(1)])).unwrap();
    let payload = events[0].to_payload().unwrap();
    assert_eq!(
        payload["change"]["attachments"],
        json!([{
            "digest": "01".repeat(32), "size": 7, "mediaType": "application/pdf", "displayName": "验收报告.pdf",
        }])
    );
    assert_eq!(TaskEvent::from_payload(events[0].event_type(), &payload).unwrap().as_ref(), events.first());
}
