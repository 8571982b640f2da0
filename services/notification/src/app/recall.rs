//! Recalling what asks for what is done or no longer wanted, in the transaction of the event that
//! ends it.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_notification::{Ending, Letter, MessagesMarked, NotificationEvent};
use sea_orm::DatabaseTransaction;
use xietong_events::{Act, Append};
use xietong_store::StoreError;

use super::outbox::{PostError, draft};
use crate::store::{
    Concern, Counters, EndedAt, Growth, Recall, aggregate_of, asked, end_asks, grow, recall, to_recall,
};

/// A letter on its way, with the tasks it is of.
pub(super) struct Outgoing {
    pub(super) letter: Letter,
    /// Empty when it asks nothing and its subject says of what it is.
    pub(super) concerns: Vec<Concern>,
    /// How what it asks ended before it was written.
    pub(super) recalled_by: Option<Ending>,
}

impl Outgoing {
    /// A letter of the event at `position`.
    pub(super) fn of(letter: Letter, position: i64, now: Timestamp) -> Self {
        let subject = &letter.subject;
        let says_it = letter.tasks.is_empty() || letter.tasks.iter().eq([subject]);
        let concern = |task: &String| Concern {
            task: task.clone(),
            subject: subject.clone(),
            unit: String::new(),
            kind: letter.kind,
            outlasts: false,
            position,
            ended_at: Some(now),
        };
        let concerns = if letter.asks.is_empty() {
            letter.tasks.iter().filter(|_| !says_it).map(concern).collect()
        } else {
            let asked = |task| {
                letter.asks.iter().map(move |ask| Concern {
                    unit: ask.unit.clone(),
                    kind: ask.kind,
                    outlasts: ask.outlasts,
                    ended_at: None,
                    ..concern(task)
                })
            };
            letter.tasks.iter().flat_map(asked).collect()
        };
        Outgoing { letter, concerns, recalled_by: None }
    }

    /// Whether it is of a task.
    pub(super) fn is_of(&self, task: &str) -> bool {
        self.letter.subject == task || self.letter.tasks.contains(task)
    }

    /// Ends what it asks, as it would have ended had the letter been written before.
    pub(super) fn end(&mut self, at: &EndedAt, now: Timestamp) {
        let mut touched = false;
        for concern in self.concerns.iter_mut().filter(|concern| concern.is_ended_by(at)) {
            concern.ended_at = Some(now);
            touched = true;
        }
        if touched && self.concerns.iter().all(|concern| concern.ended_at.is_some()) {
            self.recalled_by = Some(at.ended.ending);
        }
    }
}

/// What was written before and is recalled by this batch.
#[derive(Default)]
pub(super) struct Recalls {
    /// In order of recipient and number; none was signed for.
    found: Vec<Recall>,
    /// Those that were.
    signed: Vec<Recall>,
    /// The acts that ended it, by recipient: the last of each.
    acts: BTreeMap<String, Act>,
    /// Numbers of what this batch itself wrote as recalled, by recipient.
    late: BTreeMap<String, Vec<i64>>,
}

/// Those who may have something to recall. Ladders that end must have ended before: nothing climbs
/// meanwhile.
pub(super) async fn concerned(
    tx: &DatabaseTransaction,
    ended: &[(EndedAt, Act)],
) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
    let records: BTreeSet<&str> = ended.iter().map(|(at, _)| at.ended.task.as_str()).collect();
    asked(tx, &records).await
}

impl Recalls {
    /// Ends what is asked, and finds what is recalled by it. The inboxes of everybody concerned must be
    /// held.
    pub(super) async fn find(
        tx: &DatabaseTransaction,
        ended: &[(EndedAt, Act)],
        concerned: &BTreeMap<String, BTreeSet<String>>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut touched: BTreeMap<String, (Ending, &Act)> = BTreeMap::new();
        for (at, act) in ended.iter().filter(|(at, _)| concerned.contains_key(&at.ended.task)) {
            for message in end_asks(tx, at, now).await? {
                touched.insert(message, (at.ended.ending, act));
            }
        }
        let endings = touched.iter().map(|(message, (ending, _))| (message.clone(), *ending)).collect();
        let (signed, found): (Vec<_>, Vec<_>) =
            to_recall(tx, &endings).await?.into_iter().partition(|one| one.signed);
        let act = |one: &Recall| Some((one.recipient.clone(), touched.get(&one.id)?.1.clone()));
        let acts = found.iter().filter_map(act).collect();
        Ok(Recalls { found, signed, acts, late: BTreeMap::new() })
    }

    /// A message of this batch that was written as recalled.
    pub(super) fn add(&mut self, recipient: &str, number: i64, act: &Act) {
        self.late.entry(recipient.to_owned()).or_default().push(number);
        self.acts.insert(recipient.to_owned(), act.clone());
    }

    /// What asks nothing any more, recalled or signed for before, by the id of the message.
    pub(super) fn over(&self) -> BTreeMap<String, Recall> {
        self.found.iter().chain(&self.signed).map(|one| (one.id.clone(), one.clone())).collect()
    }

    /// By how much each inbox grows: an event, and a change for each message that had been told.
    fn growths(&self) -> BTreeMap<String, Growth> {
        let event = Growth { events: 1, ..Growth::default() };
        let mut growths: BTreeMap<String, Growth> =
            self.late.keys().map(|recipient| (recipient.clone(), event)).collect();
        for one in &self.found {
            growths.entry(one.recipient.clone()).or_insert(event).changes += 1;
        }
        growths
    }

    /// Recalls what was found, and returns the events to append, one an inbox.
    pub(super) async fn write(
        self,
        tx: &DatabaseTransaction,
        now: Timestamp,
    ) -> Result<Vec<(Act, Append)>, PostError> {
        let mut counters = grow(tx, &self.growths()).await?;
        let mut numbers: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        let mut changed = Vec::with_capacity(self.found.len());
        for one in self.found {
            let change = next_change(&mut counters, &one.recipient)?;
            numbers.entry(one.recipient.clone()).or_default().push(one.number);
            changed.push((one, change));
        }
        recall(tx, &changed, now).await?;
        // What this batch wrote has higher numbers than anything before it.
        for (recipient, late) in self.late {
            numbers.entry(recipient).or_default().extend(late);
        }
        let mut appends = Vec::with_capacity(numbers.len());
        for (recipient, numbers) in numbers {
            let (Some(counter), Some(act)) = (counters.get(&recipient), self.acts.get(&recipient)) else {
                continue;
            };
            let event = NotificationEvent::Recalled(MessagesMarked::of(numbers, now));
            let append = Append {
                aggregate: aggregate_of(&recipient),
                expected_version: counter.version,
                drafts: vec![draft(&event)?],
            };
            appends.push((act.clone(), append));
        }
        Ok(appends)
    }
}

fn next_change(counters: &mut BTreeMap<String, Counters>, recipient: &str) -> Result<i64, StoreError> {
    let counter =
        counters.get_mut(recipient).ok_or_else(|| StoreError::corrupt("inbox", "it was not counted"))?;
    counter.last_change += 1;
    Ok(counter.last_change)
}
