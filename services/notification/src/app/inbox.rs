//! Reading, signing for and putting away messages.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_notification::{MessageMarked, MessagesMarked, NotificationEvent, Receipt, ReceiptError};
use domain_roster::{acting_ground, authority_over};
use xietong_events::Append;
use xietong_mesh::{Error, RosterView, Stamp, Transaction};
use xietong_store::StoreError;

use super::outbox::{draft, message_name};
use crate::error::refusal;
use crate::store::{
    Growth, StoredMessage, aggregate_of, end_ladders, grow, ladders_of_message, message, read_up_to,
    save_receipt, unread_up_to,
};

/// What its reader does with a message. Doing it again changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// He reads it.
    Read,
    /// He signs for it: it is then read as well, and climbs no further.
    Acknowledge,
    /// He puts it away.
    Archive,
    /// He takes it back out.
    Unarchive,
}

impl Mark {
    fn becomes(self, receipt: Receipt, now: Timestamp) -> Result<Receipt, ReceiptError> {
        match self {
            Self::Read => Ok(receipt.read(now)),
            Self::Acknowledge => receipt.acknowledge(now),
            Self::Archive => receipt.archive(now),
            Self::Unarchive => Ok(receipt.unarchive()),
        }
    }
}

/// Reads every message of an inbox up to a number that is not put away, and says how many were unread.
///
/// It is one event for what is the official's own, and one for each official he stands in for.
pub(crate) async fn read_all(
    transaction: &mut Transaction,
    roster: &RosterView,
    official: &str,
    up_to: i64,
) -> Result<i64, Error> {
    hold(transaction, official).await?;
    let unread = unread_up_to(transaction.tx(), official, up_to).await?;
    if unread.is_empty() {
        return Ok(0);
    }
    let now = transaction.now();
    let count = i64::try_from(unread.len()).unwrap_or(i64::MAX);
    let mut by_authority: BTreeMap<Option<String>, Vec<i64>> = BTreeMap::new();
    for (number, acting_for) in unread {
        by_authority.entry(acting_for).or_default().push(number);
    }
    let events = i64::try_from(by_authority.len()).unwrap_or(i64::MAX);
    let growth = Growth { messages: 0, events, changes: count };
    let counters = grow(transaction.tx(), &BTreeMap::from([(official.to_owned(), growth)])).await?;
    let counters = counters.get(official).copied().unwrap_or_default();
    read_up_to(transaction.tx(), official, up_to, now, counters.last_change).await?;
    for (version, (acting_for, numbers)) in (counters.version..).zip(by_authority) {
        let event = NotificationEvent::ReadTogether(MessagesMarked::of(numbers, now));
        let append = Append {
            aggregate: aggregate_of(official),
            expected_version: version,
            drafts: vec![draft(&event).map_err(Error::internal)?],
        };
        let stamp = stamp(roster, acting_for.as_deref(), official, now);
        transaction.append_stamped(&stamp, &[append]).await?;
    }
    Ok(count)
}

/// From here on nothing else becomes of the messages of an inbox, and none arrives.
async fn hold(transaction: &Transaction, official: &str) -> Result<(), Error> {
    grow(transaction.tx(), &BTreeMap::from([(official.to_owned(), Growth::default())])).await?;
    Ok(())
}

/// Marks a message.
///
/// # Errors
/// FAILED_PRECONDITION when it is not one to sign for, was recalled, or is put away while it must be
/// signed for; ABORTED when somebody else marked it meanwhile.
pub(crate) async fn mark(
    transaction: &Transaction,
    roster: &RosterView,
    found: StoredMessage,
    mark: Mark,
) -> Result<StoredMessage, Error> {
    let now = transaction.now();
    if mark == Mark::Acknowledge && found.receipt.awaits_signature() {
        // Ladders before inboxes: everybody takes them in this order.
        let ladders = ladders_of_message(transaction.tx(), &found.id).await?;
        end_ladders(transaction.tx(), &ladders, now).await?;
    }
    if mark.becomes(found.receipt, now).map_err(refusal)? == found.receipt {
        return Ok(found);
    }
    // Somebody else may have marked it before the inbox was held.
    hold(transaction, &found.recipient).await?;
    let before = message(transaction.tx(), &found.recipient, &found.id).await?;
    let before = before.ok_or_else(|| StoreError::Stale(format!("message {}", found.id)))?;
    let receipt = mark.becomes(before.receipt, now).map_err(refusal)?;
    let events = happened(&before, receipt, now);
    if events.is_empty() {
        return Ok(before);
    }
    let mut drafts = Vec::with_capacity(events.len());
    for event in &events {
        drafts.push(draft(event).map_err(Error::internal)?);
    }
    let count = i64::try_from(drafts.len()).unwrap_or(i64::MAX);
    let growth =
        BTreeMap::from([(before.recipient.clone(), Growth { messages: 0, events: count, changes: 1 })]);
    let counters = grow(transaction.tx(), &growth).await?;
    let counters = counters.get(&before.recipient).copied().unwrap_or_default();
    let change = counters.last_change + 1;
    save_receipt(transaction.tx(), &before, receipt, change).await?;
    let append =
        Append { aggregate: aggregate_of(&before.recipient), expected_version: counters.version, drafts };
    let stamp = stamp(roster, before.acting_for.as_deref(), &before.recipient, now);
    transaction.append_stamped(&stamp, &[append]).await?;
    Ok(StoredMessage { receipt, change, ..before })
}

/// Stamps what a stand-in does with a message that came to him for somebody who is away, as every
/// act for somebody is. Once that person is back he does it for himself.
fn stamp(roster: &RosterView, acting_for: Option<&str>, recipient: &str, now: Timestamp) -> Stamp {
    let authority = acting_for
        .and_then(|official| Some((official, authority_over(&roster.book, official, recipient, None, now)?)));
    let Some((official, authority)) = authority else { return Stamp::default() };
    let person = roster.book.view(now, Timestamp::MAX).person(official);
    let by = Some(authority.name.as_str());
    Stamp {
        acting_for: Some(official.to_owned()),
        ground: Some(acting_ground(roster.position, &person.display_name, by)),
        ..Stamp::default()
    }
}

fn happened(before: &StoredMessage, after: Receipt, now: Timestamp) -> Vec<NotificationEvent> {
    let marked = || MessageMarked { message: message_name(&before.id), number: before.number, at: now };
    let was = before.receipt;
    let read = (was.read_at != after.read_at).then(|| NotificationEvent::Read(marked()));
    let signed =
        (was.acknowledged_at != after.acknowledged_at).then(|| NotificationEvent::Acknowledged(marked()));
    let moved = match (was.archived_at, after.archived_at) {
        (None, Some(_)) => Some(NotificationEvent::Archived(marked())),
        (Some(_), None) => Some(NotificationEvent::Unarchived(marked())),
        (None, None) | (Some(_), Some(_)) => None,
    };
    read.into_iter().chain(signed).chain(moved).collect()
}
