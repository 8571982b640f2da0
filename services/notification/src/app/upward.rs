//! What happens when nobody signs: messages climb, and leaders get a daily summary.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use domain_notification::{
    ClimbStep, Rung, Standing, address, climbed_letters, digest, digest_due, next_step, waited,
};
use domain_roster::Book;
use sea_orm::DatabaseTransaction;
use serde::de::DeserializeOwned;
use xietong_store::StoreError;
use xietong_timers::{FireError, MachineClock, Timer, TimerHandler, schedule};

use super::desk::Desk;
use super::intake::tell_held;
use super::outbox::{CLIMB, Origin, Outbox, TELL, WINDOW};
use crate::store::{PendingEntry, add_entries, climb, standing, take_entries, take_held, take_waiting};

/// The timer that sends a leader's summary; its key is `officials/{id}/{due}`, its payload
/// the official.
const DIGEST: &str = "notification.digest";

/// Climbing and summing up, by timers.
pub(crate) struct Upward {
    desk: Arc<Desk>,
}

/// A timer that this service did not schedule.
#[derive(Debug, thiserror::Error)]
enum Foreign {
    #[error("no timer of this service is of the kind {0:?}")]
    Kind(String),
    #[error("timer {key}: {source}")]
    Payload { key: String, source: serde_json::Error },
}

fn payload<T: DeserializeOwned>(timer: &Timer) -> Result<T, FireError> {
    serde_json::from_str(&timer.payload)
        .map_err(|source| FireError::new(Foreign::Payload { key: timer.key.clone(), source }))
}

impl Upward {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        Upward { desk }
    }

    /// The steps that timers ask for, by ladder: those whose ladder is still open and still
    /// on the rung the timer was set for. Each is taken at most once, whoever else tries.
    async fn steps(
        &self,
        tx: &DatabaseTransaction,
        timers: &[Timer],
        book: &Book,
        now: Timestamp,
    ) -> Result<BTreeMap<String, (Standing, ClimbStep)>, FireError> {
        let mut asked: BTreeMap<&str, Rung> = BTreeMap::new();
        for timer in timers.iter().filter(|timer| timer.kind == CLIMB) {
            let rung = payload(timer)?;
            asked.insert(&timer.key, rung);
        }
        let mut taken = BTreeMap::new();
        for (ladder, rung) in asked {
            let Some(standing) = standing(tx, ladder).await?.filter(|standing| standing.rung == rung) else {
                continue;
            };
            let Some(step) = next_step(&standing, book, now) else { continue };
            if climb(tx, ladder, rung, step.rung).await? {
                taken.insert(ladder.to_owned(), (standing, step));
            }
        }
        Ok(taken)
    }

    /// Notes for the next summary what has come to leaders in their own right. Whoever
    /// stands in then gets the leader's summary too.
    async fn note(
        &self,
        tx: &DatabaseTransaction,
        steps: &BTreeMap<String, (Standing, ClimbStep)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let book = self.desk.roster.book();
        let due_at = digest_due(now, book.calendar());
        let mut entries = Vec::new();
        for (ladder, (_, step)) in steps.iter().filter(|(_, (_, step))| step.rung == Rung::Leader) {
            for recipient in step.recipients.iter().filter(|one| one.acting_for.is_none()) {
                let (official, ladder) = (recipient.official.clone(), ladder.clone());
                entries.push(PendingEntry { official, due_at, ladder, climbed_at: now });
            }
        }
        let timers: BTreeMap<&str, Timer> = entries
            .iter()
            .map(|entry| {
                let timer = Timer {
                    kind: DIGEST.to_owned(),
                    key: format!("{}/{}", entry.official, due_at.as_micros()),
                    due_at,
                    payload: serde_json::Value::from(entry.official.as_str()).to_string(),
                };
                (entry.official.as_str(), timer)
            })
            .collect();
        add_entries(tx, &entries).await?;
        schedule(tx, &timers.into_values().collect::<Vec<_>>()).await
    }
}

#[async_trait]
impl TimerHandler for Upward {
    async fn fire(
        &self,
        tx: &DatabaseTransaction,
        timers: &[Timer],
        now: Timestamp,
    ) -> Result<(), FireError> {
        let roster = self.desk.roster.since(MachineClock::system().now()).await.map_err(FireError::new)?;
        let mut steps = self.steps(tx, timers, &roster.book, now).await?;
        self.note(tx, &steps, now).await?;
        let words = self.desk.templates.words(tx).await?;
        let mut outbox = Outbox::new(&self.desk, now).in_words(words);
        for timer in timers {
            match timer.kind.as_str() {
                CLIMB => {
                    let Some((standing, step)) = steps.remove(&timer.key) else { continue };
                    let letters = climbed_letters(&standing, &step, &roster.book);
                    let source = format!("{}/{}", timer.key, step.rung);
                    let origin = Origin::Climb {
                        ladder: timer.key.clone(),
                        unit: standing.ladder.unit,
                        rung: step.rung,
                    };
                    outbox.send(source, self.desk.act(now, &standing.subject, None), letters, origin);
                }
                DIGEST => {
                    let official: String = payload(timer)?;
                    let entries = take_entries(tx, &official, timer.due_at).await?;
                    let Some(notice) = digest(&official, &entries, &roster.book) else { continue };
                    let letters = address(&[notice], &roster.book, now).letters;
                    let source = format!("digests/{}", timer.key);
                    let origin = Origin::Digest { entries: entries.len() };
                    outbox.send(source, self.desk.act(now, "每日汇总", None), letters, origin);
                }
                WINDOW => {
                    let official: String = payload(timer)?;
                    let entries = take_waiting(tx, &official, timer.due_at).await?;
                    let Some(notice) = waited(&official, &entries) else { continue };
                    // It was theirs alone to put off: whoever stands in had each at once.
                    let mut letters = address(&[notice], &roster.book, now).letters;
                    letters.retain(|letter| letter.recipient.official == official);
                    let source = format!("windows/{}", timer.key);
                    let origin = Origin::Digest { entries: entries.len() };
                    outbox.send(source, self.desk.act(now, "通知汇总", None), letters, origin);
                }
                TELL => {
                    let held = take_held(tx, timer.due_at).await?;
                    tell_held(tx, &held, &roster.book, &mut outbox).await.map_err(FireError::new)?;
                }
                other => return Err(FireError::new(Foreign::Kind(other.to_owned()))),
            }
        }
        outbox.post(tx).await.map_err(FireError::new)
    }
}
