//! What of the messages of one transaction also goes out on other channels, and what of it is taken
//! back; in that transaction.

use std::collections::BTreeMap;

use domain_calendar::{Calendar, Timestamp};
use domain_channel::{
    Contact, Purpose, SendingEvent, is_followed_up, may_have_arrived, not_before, schedule,
};
use domain_notification::{Delivery, Ending, Letter, Preference};
use domain_webhook::Moment;
use sea_orm::DatabaseTransaction;
use xietong_store::StoreError;
use xietong_timers::MachineClock;

use super::channel::ChannelPlan;
use super::endpoint::moment;
use crate::store::{Recall, StoredSending, contacts_of, insert_sendings, locked_notices, save_sending};

/// What goes out of the messages of one transaction.
pub(super) struct ChannelPost<'a> {
    plan: &'a ChannelPlan,
    now: Timestamp,
    machine: Moment,
    contacts: BTreeMap<String, Contact>,
    sendings: Vec<StoredSending>,
}

impl<'a> ChannelPost<'a> {
    /// Looks up where these officials are reached.
    pub(super) async fn to(
        tx: &DatabaseTransaction,
        plan: &'a ChannelPlan,
        officials: &[&str],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let contacts =
            if plan.kinds.is_empty() { BTreeMap::new() } else { contacts_of(tx, officials).await? };
        let machine = moment(MachineClock::system());
        Ok(ChannelPost { plan, now, machine, contacts, sendings: Vec::new() })
    }

    /// A message that enters an inbox goes out on the channels that reach its reader, as he prefers.
    pub(super) fn add(
        &mut self,
        message: &str,
        letter: &Letter,
        preference: Option<&Preference>,
        in_the_inbox: Delivery,
        calendar: &Calendar,
    ) {
        let official = &letter.recipient.official;
        let Some(contact) = self.contacts.get(official) else { return };
        let anything = Preference::default();
        let preference = preference.unwrap_or(&anything);
        for (channel, kinds) in &self.plan.kinds {
            let goes_out = letter.urgent || kinds.contains(&letter.kind);
            if !goes_out || contact.reached(*channel).is_none() {
                continue;
            }
            let stakes = letter.stakes();
            if let Some(from) = not_before(preference, stakes, *channel, in_the_inbox, self.now, calendar) {
                let key = (message.to_owned(), *channel, Purpose::Notice);
                let sending = StoredSending::new(key, official.clone(), letter.urgent, from, self.machine);
                self.sendings.push(sending);
            }
        }
    }

    /// Writes what goes out.
    pub(super) async fn write(self, tx: &DatabaseTransaction) -> Result<(), StoreError> {
        insert_sendings(tx, &self.sendings).await
    }
}

/// Takes back what was to be sent of messages that ask nothing any more, and follows up what may have
/// arrived: once, however often it is done. Whoever has signed knows of it, and is not written to; what
/// another system keeps for him is closed. Whoever calls holds the inboxes.
pub(super) async fn take_back(
    tx: &DatabaseTransaction,
    plan: &ChannelPlan,
    over: &BTreeMap<String, Recall>,
    now: Timestamp,
    calendar: &Calendar,
) -> Result<(), StoreError> {
    let messages: Vec<&str> = over.keys().map(String::as_str).collect();
    let at = moment(MachineClock::system());
    let mut follow_ups = Vec::new();
    for mut notice in locked_notices(tx, &messages).await? {
        let Some(Recall { ending, signed, .. }) = over.get(&notice.message) else { continue };
        let ending = *ending;
        let under_way = notice.claim.is_some();
        let arrived = may_have_arrived(notice.state, under_way, notice.broke_off);
        notice.state = notice.state.after(SendingEvent::Recalled { at }, &schedule());
        notice.ending = Some(ending);
        // It keeps its claim: whoever makes the attempt says what came of it.
        save_sending(tx, &notice).await?;
        if arrived {
            // Not before an attempt under way has told whether it arrived.
            let due = if under_way { notice.claimed_until.max(at) } else { at };
            follow_ups.extend(follow_up(plan, &notice, (ending, *signed), (now, due), calendar));
        }
    }
    insert_sendings(tx, &follow_ups).await
}

fn follow_up(
    plan: &ChannelPlan,
    notice: &StoredSending,
    (ending, signed): (Ending, bool),
    (now, due): (Timestamp, Moment),
    calendar: &Calendar,
) -> Option<StoredSending> {
    let (purpose, not_before) = if plan.closing.contains(&notice.channel) {
        // A to-do that disappears wakes nobody.
        (Purpose::Close, now)
    } else if is_followed_up(ending) && !signed {
        let from = if notice.urgent { now } else { calendar.next_working_moment(now) };
        (Purpose::FollowUp, from)
    } else {
        return None;
    };
    let key = (notice.message.clone(), notice.channel, purpose);
    let sending = StoredSending::new(key, notice.recipient.clone(), notice.urgent, not_before, due);
    Some(StoredSending { ending: Some(ending), ..sending })
}
