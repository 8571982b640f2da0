//! [`Outbox`]: collects what one transaction sends and ends, and writes it in one go.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_notification::{
    Audience, Channel, Delivery, DigestSent, Ended, Letter, MessageClimbed, MessageFacts, Notice,
    NotificationEvent, PayloadError, Receipt, Rung, Unaddressed, address, to_whoever_was_told,
};
use domain_roster::Book;
use sea_orm::DatabaseTransaction;
use xietong_events::{Act, Append, Draft, Event};
use xietong_mesh::ServiceName;
use xietong_store::StoreError;
use xietong_timers::{MachineClock, Timer, schedule};

use super::channel_post::{ChannelPost, take_back};
use super::city_words::CityWords;
use super::desk::Desk;
use super::recall::{Outgoing, Recalls, concerned};
use crate::store::{
    Burden, EndedAt, Growth, HeldRow, LadderRow, StoredMessage, Waiting, aggregate_of, arrived,
    copy_concerns, drop_entries, drop_held, end_ladders, grow, hold, insert_concerns, insert_ladders,
    insert_messages, insert_words, link_messages, open_ladders, preferences_of, told_of, wait,
    waited_for_last,
};

/// The timer that lets an unsigned message climb; its key is the ladder, its payload the
/// rung that it leaves.
pub(crate) const CLIMB: &str = "notification.climb";

/// The timer that tells what was held until people work; its key is the instant in microseconds,
/// its payload nothing.
pub(crate) const TELL: &str = "notification.tell";

/// The timer that sums up what waited, as an official prefers; its key is `officials/{id}/{due}`, its
/// payload the official.
pub(crate) const WINDOW: &str = "notification.window";

/// Letters of one source.
struct Parcel {
    source: String,
    act: Act,
    letters: Vec<Outgoing>,
    origin: Origin,
}

/// Notices to whoever was told of a task before. Who that is is known when nothing more climbs.
struct Retold {
    task: String,
    position: i64,
    notices: Vec<Notice>,
    /// The parcel that they fill, which is empty until then.
    parcel: usize,
}

/// What a parcel comes from.
pub(crate) enum Origin {
    /// An event: the ladders its letters begin are named after it.
    Event {
        /// Sorts in the order of the events.
        prefix: String,
        /// The service that recorded it.
        producer: String,
        /// Its type.
        event_type: String,
    },
    /// A step of a ladder.
    Climb {
        /// Which.
        ladder: String,
        /// The unit that did not sign.
        unit: String,
        /// Where it is now.
        rung: Rung,
    },
    /// A window of digests.
    Digest {
        /// How many things it lists.
        entries: usize,
    },
}

/// What one transaction sends. Nothing is written before [`Outbox::post`].
pub(crate) struct Outbox<'a> {
    desk: &'a Desk,
    now: Timestamp,
    parcels: Vec<Parcel>,
    ladders: BTreeMap<String, LadderRow>,
    ended: Vec<(EndedAt, Act)>,
    retold: Vec<Retold>,
    held: Vec<HeldRow>,
    alarms: Vec<(Act, Vec<Unaddressed>)>,
    words: CityWords,
}

impl<'a> Outbox<'a> {
    /// An outbox whose letters are sent at `now`.
    pub(crate) fn new(desk: &'a Desk, now: Timestamp) -> Self {
        Outbox {
            desk,
            now,
            parcels: Vec::new(),
            ladders: BTreeMap::new(),
            ended: Vec::new(),
            retold: Vec::new(),
            held: Vec::new(),
            alarms: Vec::new(),
            words: CityWords::default(),
        }
    }

    /// The same, which tells in these words.
    pub(crate) fn in_words(self, words: CityWords) -> Self {
        Outbox { words, ..self }
    }

    /// Addresses and sends the notices of a document, which a unit signs for once: its ladder
    /// ends when it does, or when each of the tasks needs no signature of the unit any more.
    pub(crate) fn tell_of(
        &mut self,
        tasks: BTreeSet<String>,
        event: &Event,
        notices: &[Notice],
        book: &Book,
    ) {
        let begun: BTreeSet<String> = self.ladders.keys().cloned().collect();
        self.tell(ServiceName::Supervision.as_str(), event, notices, book);
        for (_, row) in self.ladders.iter_mut().filter(|(id, _)| !begun.contains(*id)) {
            row.waits_for.clone_from(&tasks);
        }
    }

    /// Addresses and sends the notices of a producer's event.
    pub(crate) fn tell(&mut self, producer: &str, event: &Event, notices: &[Notice], book: &Book) {
        if notices.is_empty() {
            return;
        }
        let notices = self.words.of(event, notices);
        let mail = address(&notices, book, self.now);
        let act = self.desk.act(self.now, &event.aggregate, Some(event));
        if !mail.unaddressed.is_empty() {
            let lost = mail.unaddressed.iter().map(|notice| unaddressed(notice, &event.id)).collect();
            self.alarms.push((act.clone(), lost));
        }
        let prefix = format!("{producer}/{:012}/{}", event.position, event.id);
        for letter in &mail.letters {
            for ladder in &letter.ladders {
                let id = ladder_id(&prefix, &ladder.unit);
                self.ladders.entry(id.clone()).or_insert_with(|| LadderRow {
                    id,
                    ladder: ladder.clone(),
                    subject: letter.subject.clone(),
                    kind: letter.kind,
                    title: letter.title.clone(),
                    body: letter.body.clone(),
                    sent_at: self.now,
                    ended_at: None,
                    waits_for: BTreeSet::new(),
                });
            }
        }
        let (producer, event_type) = (producer.to_owned(), event.event_type.clone());
        let origin = Origin::Event { prefix, producer, event_type };
        let letters: Vec<Outgoing> =
            mail.letters.into_iter().map(|letter| Outgoing::of(letter, event.position, self.now)).collect();
        let was_told = |notice: &Notice| notice.audiences.contains(&Audience::WhoeverWasTold);
        if let Some(task) = notices.iter().find(|one| was_told(one)).map(|one| one.subject.clone()) {
            let (position, parcel) = (event.position, self.parcels.len());
            self.retold.push(Retold { task, position, notices: notices.to_vec(), parcel });
        } else if letters.is_empty() {
            return;
        }
        self.parcels.push(Parcel { source: event.id.clone(), act, letters, origin });
    }

    /// Holds an event back that is told later, unless it has become moot by then.
    pub(crate) fn hold(&mut self, row: HeldRow) {
        self.held.push(row);
    }

    /// Sends letters that are addressed already.
    pub(crate) fn send(&mut self, source: String, act: Act, letters: Vec<Letter>, origin: Origin) {
        if !letters.is_empty() {
            let letters = letters.into_iter().map(|letter| Outgoing::of(letter, 0, self.now)).collect();
            self.parcels.push(Parcel { source, act, letters, origin });
        }
    }

    /// Ends what an event ends: ladders and asks of events before it, in this outbox or before it.
    pub(crate) fn end(&mut self, event: &Event, ended: Ended) {
        let concerned = |row: &&mut LadderRow| ended.ends(&row.ladder.unit, row.kind, false);
        for row in self.ladders.values_mut().filter(concerned) {
            let was_last = row.waits_for.remove(&ended.task) && row.waits_for.is_empty();
            if row.subject == ended.task || was_last {
                row.ended_at.get_or_insert(self.now);
            }
        }
        self.held.retain(|row| !row.is_ended_by(&ended));
        let at = EndedAt { ended, position: event.position };
        for outgoing in self.parcels.iter_mut().flat_map(|parcel| &mut parcel.letters) {
            outgoing.end(&at, self.now);
        }
        self.ended.push((at, self.desk.act(self.now, &event.aggregate, Some(event))));
    }

    /// Writes everything: ladders, messages with their numbers, events and timers.
    pub(crate) async fn post(mut self, tx: &DatabaseTransaction) -> Result<(), PostError> {
        self.write_ladders(tx).await?;
        self.address_retold(tx).await?;
        let messages = self.write_messages(tx).await?;
        self.write_alarms(tx).await?;
        hold(tx, &self.held).await?;
        self.link_and_schedule(tx, &messages).await?;
        self.words.write_failures(tx, self.desk, self.now).await
    }

    async fn write_ladders(&self, tx: &DatabaseTransaction) -> Result<(), StoreError> {
        let mut ids = BTreeSet::new();
        for (at, _) in &self.ended {
            ids.extend(open_ladders(tx, &at.ended).await?);
            ids.extend(waited_for_last(tx, &at.ended).await?);
        }
        end_ladders(tx, &ids, self.now).await?;
        for (at, _) in &self.ended {
            drop_held(tx, &at.ended).await?;
        }
        drop_entries(tx, &ids).await?;
        let rows: Vec<_> = self.ladders.values().cloned().collect();
        insert_ladders(tx, &rows).await
    }

    /// Addresses what goes to whoever was told before, by the messages that were sent.
    async fn address_retold(&mut self, tx: &DatabaseTransaction) -> Result<(), StoreError> {
        let book = self.desk.roster.book();
        for retold in std::mem::take(&mut self.retold) {
            let mut told = told_of(tx, &retold.task).await?;
            let on_their_way = self.parcels.iter().take(retold.parcel).flat_map(|parcel| &parcel.letters);
            let of_it = on_their_way.filter(|one| one.is_of(&retold.task));
            told.extend(of_it.map(|one| one.letter.recipient.official.clone()));
            let mail = address(&to_whoever_was_told(retold.notices, &told), &book, self.now);
            if let Some(parcel) = self.parcels.get_mut(retold.parcel) {
                let outgoing = |letter| Outgoing::of(letter, retold.position, self.now);
                parcel.letters = mail.letters.into_iter().map(outgoing).collect();
            }
        }
        Ok(())
    }

    /// Numbers and stores each letter that has not arrived before, with its event.
    async fn write_messages(
        &self,
        tx: &DatabaseTransaction,
    ) -> Result<Vec<(StoredMessage, &Origin)>, PostError> {
        let sources: Vec<&str> = self.parcels.iter().map(|parcel| parcel.source.as_str()).collect();
        let arrived = arrived(tx, &sources).await?;
        let fresh: Vec<Vec<&Outgoing>> = self
            .parcels
            .iter()
            .map(|parcel| {
                let is_fresh = |one: &&Outgoing| {
                    !arrived.contains(&(parcel.source.clone(), one.letter.recipient.official.clone()))
                };
                parcel.letters.iter().filter(is_fresh).collect()
            })
            .collect();

        let mut growths: BTreeMap<String, Growth> = BTreeMap::new();
        for one in fresh.iter().flatten() {
            let growth = growths.entry(one.letter.recipient.official.clone()).or_default();
            growth.messages += 1;
            growth.events += 1;
        }
        let officials: Vec<String> = growths.keys().cloned().collect();
        let officials: Vec<&str> = officials.iter().map(String::as_str).collect();
        // Whoever has something recalled is held in the same order.
        let concerned = concerned(tx, &self.ended).await?;
        for official in concerned.values().flatten() {
            growths.entry(official.clone()).or_default();
        }
        let mut counters = grow(tx, &growths).await?;
        let mut recalls = Recalls::find(tx, &self.ended, &concerned, self.now).await?;
        let preferences = preferences_of(tx, &officials).await?;
        let mut post = ChannelPost::to(tx, &self.desk.channels, &officials, self.now).await?;
        let book = self.desk.roster.book();

        let (mut messages, mut appends, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        let (mut concerns, mut words) = (Vec::new(), Vec::new());
        for (parcel, letters) in self.parcels.iter().zip(fresh) {
            for outgoing in letters {
                let letter = &outgoing.letter;
                let official = &letter.recipient.official;
                let counter = counters
                    .get_mut(official)
                    .ok_or_else(|| StoreError::corrupt("inbox", "it was not counted"))?;
                counter.last_number += 1;
                let delivery = match (&parcel.origin, preferences.get(official)) {
                    (Origin::Event { .. }, Some(preference)) => {
                        preference.delivery(letter.stakes(), Channel::Inbox, self.now, book.calendar())
                    }
                    (Origin::Event { .. } | Origin::Climb { .. } | Origin::Digest { .. }, _) => {
                        Delivery::AtOnce
                    }
                };
                let message = self.message(parcel, outgoing, counter.last_number, delivery, &book);
                concerns.extend(outgoing.concerns.iter().map(|one| (message.id.clone(), one.clone())));
                if let Some(data) = &letter.data {
                    let data = serde_json::to_string(data);
                    let data = data.map_err(|error| StoreError::corrupt("words of a message", error))?;
                    words.push((message.id.clone(), data));
                }
                if outgoing.recalled_by.is_some() {
                    let by = self.ended.iter().rev().find(|(at, _)| outgoing.is_of(&at.ended.task));
                    recalls.add(official, message.number, by.map_or(&parcel.act, |(_, act)| act));
                } else {
                    post.add(&message.id, letter, preferences.get(official), delivery, book.calendar());
                }
                if let Delivery::Later(due_at) = delivery {
                    waiting.push(Waiting { official: official.clone(), due_at, message: message.id.clone() });
                }
                let append = Append {
                    aggregate: aggregate_of(official),
                    expected_version: counter.version,
                    drafts: vec![draft(&event_of(&parcel.origin, &message))?],
                };
                appends.push((&parcel.act, append));
                counter.version += 1;
                messages.push((message, &parcel.origin));
            }
        }
        let over = recalls.over();
        let recalled = recalls.write(tx, self.now).await?;
        let recalled = recalled.iter().map(|(act, append)| (act, append));
        let appends = appends.iter().map(|(act, append)| (*act, append)).chain(recalled);
        self.desk.log.append_acts(tx, appends).await?;
        let rows: Vec<_> = messages.iter().map(|(message, _)| message.clone()).collect();
        insert_messages(tx, &rows).await?;
        insert_concerns(tx, &concerns).await?;
        insert_words(tx, &words).await?;
        self.wait(tx, &waiting).await?;
        post.write(tx).await?;
        take_back(tx, &self.desk.channels, &over, self.now, book.calendar()).await?;
        Ok(messages)
    }

    /// Notes what is summed up later, with a timer for each official and window.
    async fn wait(&self, tx: &DatabaseTransaction, waiting: &[Waiting]) -> Result<(), PostError> {
        wait(tx, waiting).await?;
        let windows: BTreeSet<(&str, Timestamp)> =
            waiting.iter().map(|one| (one.official.as_str(), one.due_at)).collect();
        let timers = windows.into_iter().map(|(official, due_at)| Timer {
            kind: WINDOW.to_owned(),
            key: format!("{official}/{}", due_at.as_micros()),
            due_at,
            payload: serde_json::Value::from(official).to_string(),
        });
        Ok(schedule(tx, &timers.collect::<Vec<_>>()).await?)
    }

    fn message(
        &self,
        parcel: &Parcel,
        outgoing: &Outgoing,
        number: i64,
        delivery: Delivery,
        book: &Book,
    ) -> StoredMessage {
        let letter = &outgoing.letter;
        let (producer, event_type) = match &parcel.origin {
            Origin::Event { producer, event_type, .. } => (producer.as_str(), event_type.as_str()),
            Origin::Climb { .. } => (ServiceName::Notification.as_str(), "notification.message.climbed"),
            Origin::Digest { .. } => (ServiceName::Notification.as_str(), "notification.digest.sent"),
        };
        let official = book.view(self.now, Timestamp::MAX).official(&letter.recipient.official);
        let posts = official.iter().flat_map(|official| &official.posts);
        let unit = posts.filter(|post| post.held_at(self.now)).find_map(|post| post.unit.clone());
        StoredMessage {
            id: MachineClock::system().new_id().to_string(),
            recipient: letter.recipient.official.clone(),
            number,
            source: parcel.source.clone(),
            kind: letter.kind,
            title: letter.title.clone(),
            body: letter.body.clone(),
            subject: letter.subject.clone(),
            capacity: letter.recipient.capacity.clone(),
            acting_for: letter.recipient.acting_for.clone(),
            sent_at: self.now,
            receipt: Receipt {
                requires_acknowledgement: letter.requires_acknowledgement,
                read_at: None,
                acknowledged_at: None,
                archived_at: match delivery {
                    Delivery::AtOnce => None,
                    Delivery::Muted | Delivery::Later(_) => Some(self.now),
                },
                recalled_at: outgoing.recalled_by.map(|_| self.now),
            },
            recalled_by: outgoing.recalled_by,
            change: 0,
            burden: Burden {
                producer: producer.to_owned(),
                event_type: event_type.to_owned(),
                unit: unit.unwrap_or_default(),
                told_as_one: i64::try_from(letter.told_as_one).unwrap_or(i64::MAX),
            },
        }
    }

    async fn write_alarms(&self, tx: &DatabaseTransaction) -> Result<(), PostError> {
        for (act, lost) in &self.alarms {
            let Some(first) = lost.first() else { continue };
            tracing::error!(source = first.source, subject = first.subject, "a notice reached nobody");
            let drafts = lost.iter().map(|one| draft(&NotificationEvent::Unaddressed(one.clone())));
            let append = Append {
                aggregate: format!("notices/{}", first.source),
                expected_version: 0,
                drafts: drafts.collect::<Result<_, _>>()?,
            };
            self.desk.log.append(tx, act, &[append]).await?;
        }
        Ok(())
    }

    async fn link_and_schedule(
        &self,
        tx: &DatabaseTransaction,
        messages: &[(StoredMessage, &Origin)],
    ) -> Result<(), PostError> {
        let letters: BTreeMap<(&str, &str), &Letter> = self
            .parcels
            .iter()
            .flat_map(|parcel| parcel.letters.iter().map(move |one| (parcel, &one.letter)))
            .map(|(parcel, letter)| ((parcel.source.as_str(), letter.recipient.official.as_str()), letter))
            .collect();
        let mut links = Vec::new();
        for (message, origin) in messages {
            let letter = letters.get(&(message.source.as_str(), message.recipient.as_str()));
            let ladders: Vec<String> = match origin {
                Origin::Event { prefix, .. } => letter
                    .map(|letter| {
                        letter.ladders.iter().map(|ladder| ladder_id(prefix, &ladder.unit)).collect()
                    })
                    .unwrap_or_default(),
                Origin::Climb { ladder, .. } => vec![ladder.clone()],
                Origin::Digest { .. } => Vec::new(),
            };
            links.extend(ladders.into_iter().map(|ladder| (message.id.clone(), ladder)));
        }
        link_messages(tx, &links).await?;
        let climbed = messages.iter().filter_map(|(message, origin)| match origin {
            Origin::Climb { ladder, .. } => Some((message.id.as_str(), ladder.as_str())),
            Origin::Event { .. } | Origin::Digest { .. } => None,
        });
        copy_concerns(tx, &climbed.collect::<Vec<_>>()).await?;

        // A ladder none of whose messages is new was begun before, and has its timer.
        let begun: BTreeSet<&str> = links.iter().map(|(_, ladder)| ladder.as_str()).collect();
        let is_begun = |row: &&LadderRow| row.ended_at.is_none() && begun.contains(row.id.as_str());
        let begun = self.ladders.values().filter(is_begun);
        let begun = begun.map(|row| (row.id.as_str(), Rung::Liaison));
        let moved = self.parcels.iter().filter_map(|parcel| match &parcel.origin {
            Origin::Climb { ladder, rung, .. } => Some((ladder.as_str(), *rung)),
            Origin::Event { .. } | Origin::Digest { .. } => None,
        });
        let book = self.desk.roster.book();
        let moments: BTreeSet<Timestamp> = self.held.iter().map(|row| row.due_at).collect();
        let told = moments.into_iter().map(|due_at| Timer {
            kind: TELL.to_owned(),
            key: due_at.as_micros().to_string(),
            due_at,
            payload: "null".to_owned(),
        });
        let timers: Vec<Timer> = begun
            .chain(moved)
            .filter_map(|(ladder, rung)| {
                let due_at = self.desk.rule.climbs_at(rung, self.now, book.calendar())?;
                let payload = format!("\"{rung}\"");
                Some(Timer { kind: CLIMB.to_owned(), key: ladder.to_owned(), due_at, payload })
            })
            .chain(told)
            .collect();
        Ok(schedule(tx, &timers).await?)
    }
}

/// What is sent could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

pub(crate) fn draft(event: &NotificationEvent) -> Result<Draft, PayloadError> {
    Ok(Draft { event_type: event.event_type().to_owned(), payload: event.to_payload()? })
}

/// `inbox/messages/{id}`.
pub(crate) fn message_name(id: &str) -> String {
    format!("inbox/messages/{id}")
}

fn ladder_id(prefix: &str, unit: &str) -> String {
    format!("{prefix}/{unit}")
}

fn unaddressed(notice: &Notice, source: &str) -> Unaddressed {
    Unaddressed {
        kind: notice.kind,
        subject: notice.subject.clone(),
        unit: notice.ladder.as_ref().map(|ladder| ladder.unit.clone()).unwrap_or_default(),
        source: source.to_owned(),
    }
}

fn event_of(origin: &Origin, message: &StoredMessage) -> NotificationEvent {
    let facts = MessageFacts {
        message: message_name(&message.id),
        number: message.number,
        recipient: message.recipient.clone(),
        kind: message.kind,
        subject: message.subject.clone(),
        capacity: message.capacity.clone(),
        acting_for: message.acting_for.clone(),
        requires_acknowledgement: message.receipt.requires_acknowledgement,
        source: message.source.clone(),
        filed: message.receipt.archived_at.is_some(),
    };
    match origin {
        Origin::Event { .. } => NotificationEvent::Sent(facts),
        Origin::Climb { unit, rung, .. } => {
            NotificationEvent::Climbed(MessageClimbed { message: facts, unit: unit.clone(), rung: *rung })
        }
        Origin::Digest { entries } => {
            NotificationEvent::DigestSent(DigestSent { message: facts, entries: *entries })
        }
    }
}
