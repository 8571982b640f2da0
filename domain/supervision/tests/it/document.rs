//! What a document gives each unit.

use domain_supervision::{Command, DOCUMENT_ISSUED, DocumentIssued, Grade, Role, TaskEvent};

use crate::ledger::{Ledger, draft};

fn issued(roles: &[Role], item: &str) -> (String, TaskEvent) {
    let mut ledger = Ledger::created(draft(Grade::LongTerm, roles), "2023-06-01T09:00+08:00");
    let events = ledger.task(Command::Issue { with_document: true }).unwrap();
    (item.to_owned(), events.into_iter().next().unwrap())
}

#[test]
fn each_unit_is_given_its_items_once_in_their_order() {
    let tasks = [issued(&[Role::Lead, Role::Cooperating], "7"), issued(&[Role::Responsible], "18")];
    let documents =
        DocumentIssued::of(tasks.iter().map(|(item, event)| ("临政办发〔2023〕8号", item.as_str(), event)));
    let seen: Vec<_> = documents
        .iter()
        .map(|one| (one.unit.as_str(), one.items.iter().map(|item| item.item.as_str()).collect::<Vec<_>>()))
        .collect();
    assert_eq!(seen, [("units/0", vec!["7", "18"]), ("units/1", vec!["7"])]);
    let leads: Vec<_> = documents[0].items.iter().map(|item| item.lead_unit.as_deref()).collect();
    assert_eq!(leads, [Some("units/0"), None]);
    for document in &documents {
        let payload = document.to_payload().unwrap();
        assert_eq!(DocumentIssued::from_payload(DOCUMENT_ISSUED, &payload).unwrap().as_ref(), Some(document));
        assert_eq!(DocumentIssued::from_payload("supervision.task.issued", &payload).unwrap(), None);
    }
}

#[test]
fn a_task_without_a_document_is_in_none() {
    let (item, event) = issued(&[Role::Lead], "1");
    assert_eq!(DocumentIssued::of([("", item.as_str(), &event)]), []);
}
