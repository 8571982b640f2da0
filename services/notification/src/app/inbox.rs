//! Reading and signing for a message.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_notification::{MessageMarked, NotificationEvent, Receipt};
use domain_roster::{acting_ground, authority_over};
use xietong_mesh::{Error, RosterView, Transaction};

use super::outbox::{draft, message_name};
use crate::error::refusal;
use crate::store::{
    Growth, StoredMessage, aggregate_of, end_ladders, grow, ladders_of_message, save_receipt,
};

/// Reads a message. Reading it again changes nothing.
///
/// # Errors
/// ABORTED when somebody else marked it meanwhile.
pub(crate) async fn read(
    transaction: &mut Transaction,
    roster: &RosterView,
    message: StoredMessage,
) -> Result<StoredMessage, Error> {
    let after = message.receipt.read(transaction.now());
    mark(transaction, roster, message, after).await
}

/// Signs for a message, which is then read as well and climbs no further. Signing again
/// changes nothing.
///
/// # Errors
/// FAILED_PRECONDITION when it is not one to sign for; ABORTED when somebody else marked it
/// meanwhile.
pub(crate) async fn acknowledge(
    transaction: &mut Transaction,
    roster: &RosterView,
    message: StoredMessage,
) -> Result<StoredMessage, Error> {
    let after = message.receipt.acknowledge(transaction.now()).map_err(refusal)?;
    if after != message.receipt {
        // Ladders before inboxes: everybody takes them in this order.
        let ladders = ladders_of_message(transaction.tx(), &message.id).await?;
        end_ladders(transaction.tx(), &ladders, transaction.now()).await?;
    }
    mark(transaction, roster, message, after).await
}

async fn mark(
    transaction: &mut Transaction,
    roster: &RosterView,
    before: StoredMessage,
    receipt: Receipt,
) -> Result<StoredMessage, Error> {
    let events = happened(&before, receipt, transaction.now());
    if events.is_empty() {
        return Ok(before);
    }
    stamp(transaction, roster, &before);
    let mut drafts = Vec::with_capacity(events.len());
    for event in &events {
        drafts.push(draft(event).map_err(Error::internal)?);
    }
    let count = i64::try_from(drafts.len()).unwrap_or(i64::MAX);
    let growth = BTreeMap::from([(before.recipient.clone(), Growth { messages: 0, events: count })]);
    let counters = grow(transaction.tx(), &growth).await?;
    let version = counters.get(&before.recipient).map_or(0, |counters| counters.version);
    save_receipt(transaction.tx(), &before, receipt).await?;
    transaction.append(&aggregate_of(&before.recipient), version, drafts).await?;
    Ok(StoredMessage { receipt, ..before })
}

/// Stamps what a stand-in does with a message that came to him for somebody who is away, as every
/// act for somebody is. Once that person is back he does it for himself.
fn stamp(transaction: &mut Transaction, roster: &RosterView, message: &StoredMessage) {
    let (Some(official), now) = (&message.acting_for, transaction.now()) else { return };
    if let Some(authority) = authority_over(&roster.book, official, &message.recipient, None, now) {
        let person = roster.book.view(now, Timestamp::MAX).person(official);
        transaction.acting_for(official.as_str());
        let by = Some(authority.name.as_str());
        transaction.on_ground(acting_ground(roster.position, &person.display_name, by));
    }
}

fn happened(before: &StoredMessage, after: Receipt, now: Timestamp) -> Vec<NotificationEvent> {
    let marked = || MessageMarked { message: message_name(&before.id), number: before.number, at: now };
    let read = (before.receipt.read_at != after.read_at).then(|| NotificationEvent::Read(marked()));
    let signed = (before.receipt.acknowledged_at != after.acknowledged_at)
        .then(|| NotificationEvent::Acknowledged(marked()));
    read.into_iter().chain(signed).collect()
}
