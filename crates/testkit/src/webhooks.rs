//! Holding what a receiver of webhooks got against what happened.

use std::collections::{BTreeMap, BTreeSet};

use domain_webhook::{Algorithm, ID_HEADER, Moment, Secret, TIMESTAMP_HEADER};
use serde_json::Value;

use crate::history::Violations;
use crate::receiver::ReceivedRequest;

/// An event that an endpoint must have been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEvent {
    /// The event's id.
    pub id: String,
    /// Its aggregate.
    pub subject: String,
}

/// Whether an endpoint asked for the order of each subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they come.
    Any,
    /// No event of a subject before an earlier one was taken.
    BySubject,
}

/// Checks that everything that was due, given in the order in which it happened, was taken at least
/// once, each event under its own id and no other, that nothing else came, and that every request was
/// signed with the secret when it was sent.
///
/// # Errors
/// Everything that is lost, undue, not signed, under another id or out of order.
pub fn check_webhooks(
    due: &[DueEvent],
    received: &[ReceivedRequest],
    secret: &Secret,
    order: Order,
) -> Result<(), Violations> {
    let places: BTreeMap<&str, usize> = due.iter().map(|one| one.id.as_str()).zip(0..).collect();
    let mut found = Vec::new();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut sequences: BTreeMap<String, &str> = BTreeMap::new();
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for request in received {
        let id = request.header(ID_HEADER).unwrap_or_default();
        if let Err(error) = request.verify(Algorithm::Sha256, secret, sent_at(request)) {
            found.push(format!("{id}: {error:?}"));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if body["id"] != id {
            found.push(format!("{id}: it is the message {}", body["id"]));
        }
        // The place in the feed is the event's own: one of another id would be the same event again.
        let sequence = body["sequence"].to_string();
        if let Some(other) = sequences.insert(sequence, id).filter(|other| *other != id) {
            found.push(format!("{id}: the same event came as {other}"));
        }
        let Some((place, event)) = places.get(id).and_then(|place| Some((*place, due.get(*place)?))) else {
            found.push(format!("{id}: it was not due"));
            continue;
        };
        if request.taken {
            taken.insert(id);
        }
        let before = last.insert(event.subject.as_str(), place);
        if order == Order::BySubject && before.is_some_and(|before| before > place) {
            found.push(format!("{id}: it came after a later event of {}", event.subject));
        }
    }
    let lost = due.iter().filter(|one| !taken.contains(one.id.as_str()));
    found.extend(lost.map(|one| format!("{}: an event of {} was lost", one.id, one.subject)));
    Violations::unless_empty(found)
}

/// When a request says that it was sent: what is checked here may be old by now.
fn sent_at(request: &ReceivedRequest) -> Moment {
    let seconds = request.header(TIMESTAMP_HEADER).and_then(|seconds| seconds.parse().ok());
    Moment::from_seconds(seconds.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use domain_webhook::{ID_HEADER, Keyring, MessageId, Moment, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
    use serde_json::json;

    use super::{DueEvent, Order, check_webhooks};
    use crate::receiver::ReceivedRequest;

    fn secret(byte: u8) -> Secret {
        Secret::from_bytes(vec![byte; 32]).unwrap()
    }

    /// A message that says that it is `id`, with the event `event` in it.
    fn message(id: &str, event: &str, sequence: u64, by: u8) -> ReceivedRequest {
        let body = json!({"id": event, "sequence": sequence}).to_string().into_bytes();
        let signed = Keyring::new(secret(by)).sign(
            &MessageId::parse(id).unwrap(),
            Moment::from_seconds(1_700_000_000),
            &body,
            false,
        );
        let header = |name: &str, value: String| (name.to_owned(), value);
        ReceivedRequest {
            method: "POST".into(),
            path: "/".into(),
            headers: vec![
                header(ID_HEADER, signed.id),
                header(TIMESTAMP_HEADER, signed.timestamp),
                header(SIGNATURE_HEADER, signed.signature),
            ],
            body,
            connection: 1,
            arrived: Instant::now(),
            taken: true,
        }
    }

    fn right(id: &str, sequence: u64) -> ReceivedRequest {
        message(id, id, sequence, 1)
    }

    fn due() -> Vec<DueEvent> {
        let due = |id: &str, subject: &str| DueEvent { id: id.into(), subject: subject.into() };
        vec![due("a-1", "tasks/a"), due("b-1", "tasks/b"), due("a-2", "tasks/a")]
    }

    #[test]
    fn what_came_at_least_once_and_in_order_is_right() {
        let repeated = [right("a-1", 1), right("a-1", 1), right("a-2", 3), right("b-1", 2), right("a-2", 3)];
        check_webhooks(&due(), &repeated, &secret(1), Order::BySubject).unwrap();
        let turned = [right("a-2", 3), right("a-1", 1), right("b-1", 2)];
        check_webhooks(&due(), &turned, &secret(1), Order::Any).unwrap();
        check_webhooks(&due(), &turned, &secret(1), Order::BySubject).unwrap_err();
    }

    #[test]
    fn what_is_lost_undue_unsigned_or_renamed_is_found() {
        let all = [right("a-1", 1), right("b-1", 2), right("a-2", 3)];
        let wrong = |change: &dyn Fn(&mut Vec<ReceivedRequest>)| {
            let mut received = all.to_vec();
            change(&mut received);
            check_webhooks(&due(), &received, &secret(1), Order::Any).unwrap_err().to_string()
        };
        assert!(wrong(&|all| drop(all.remove(1))).contains("b-1: an event of tasks/b was lost"));
        assert!(wrong(&|all| all[1].taken = false).contains("b-1: an event of tasks/b was lost"));
        assert!(wrong(&|all| all.push(right("c-1", 4))).contains("c-1: it was not due"));
        assert!(wrong(&|all| all[0] = message("a-1", "a-1", 1, 2)).contains("a-1: "), "by another secret");
        assert!(wrong(&|all| all.push(message("a-1", "b-1", 1, 1))).contains("it is the message"));
        assert!(wrong(&|all| all.push(message("a-2", "a-2", 1, 1))).contains("the same event came as"));
    }
}
