//! Checking what a mesh went through against what it ended up with.
//!
//! A [`History`] says of each operation whether it was acknowledged, refused, or left open
//! because the answer was lost. A [`Log`] is what a service wrote. Whatever was killed in
//! between, the two must fit together: an acknowledged creation is there once, a refused
//! one is not, an open one is there at most once, and no log has a gap, a repeat or a break
//! in its chain.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};
use serde_json::Value;
use xietong_events::{Event, verify_chain};
use xietong_mesh::ServiceName;

use crate::api::ApiError;

/// What became of an operation, as its caller knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was sent and nothing came back yet.
    Invoked,
    /// It was acknowledged with this answer.
    Acknowledged(Value),
    /// It was refused: it had no effect.
    Refused(ApiError),
    /// Its answer was lost: it had its effect, or none.
    Unknown(ApiError),
}

/// Operations by a key that their effect carries too, for example the title of a task.
#[derive(Debug, Default)]
pub struct History(Mutex<BTreeMap<String, Outcome>>);

impl History {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that the operation is sent, sends it, and notes what became of it. Sending the
    /// same operation again replaces what became of it, unless it was acknowledged before.
    pub async fn record(
        &self,
        key: &str,
        operation: impl Future<Output = Result<Value, ApiError>>,
    ) -> Outcome {
        self.note(key, Outcome::Invoked);
        let outcome = match operation.await {
            Ok(answer) => Outcome::Acknowledged(answer),
            Err(error) if error.leaves_outcome_unknown() => Outcome::Unknown(error),
            Err(error) => Outcome::Refused(error),
        };
        self.note(key, outcome.clone());
        outcome
    }

    fn note(&self, key: &str, outcome: Outcome) {
        let mut operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(operations.get(key), Some(Outcome::Acknowledged(_))) {
            operations.insert(key.to_owned(), outcome);
        }
    }

    /// Every operation and what became of it.
    pub fn operations(&self) -> BTreeMap<String, Outcome> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Checks the operations against the effects that are there in the end, given by key,
    /// each as often as it is there.
    ///
    /// # Errors
    /// Every operation whose effect is lost, doubled, or there in spite of its refusal, and
    /// every effect that nobody asked for.
    pub fn check(&self, effects: impl IntoIterator<Item = String>) -> Result<(), Violations> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for key in effects {
            *counts.entry(key).or_default() += 1;
        }
        let mut found = Vec::new();
        for (key, outcome) in self.operations() {
            let count = counts.remove(&key).unwrap_or(0);
            let allowed = match &outcome {
                Outcome::Acknowledged(_) => 1..=1,
                Outcome::Refused(_) => 0..=0,
                Outcome::Invoked | Outcome::Unknown(_) => 0..=1,
            };
            if !allowed.contains(&count) {
                found.push(format!("{key}: {count} effects, though it was {outcome:?}"));
            }
        }
        found.extend(
            counts.into_iter().map(|(key, count)| format!("{key}: {count} effects, never asked for")),
        );
        Violations::unless_empty(found)
    }
}

/// What is wrong, a line each.
#[derive(Debug, PartialEq, Eq)]
pub struct Violations(Vec<String>);

impl Violations {
    pub(crate) fn unless_empty(found: Vec<String>) -> Result<(), Self> {
        if found.is_empty() { Ok(()) } else { Err(Violations(found)) }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} violations\n{}", self.0.len(), self.0.join("\n"))
    }
}

impl std::error::Error for Violations {}

/// The event log of one service, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Whose it is.
    pub producer: ServiceName,
    /// In order of position.
    pub events: Vec<Event>,
}

impl Log {
    /// Checks that positions are dense from 1, that the versions of each aggregate come in
    /// order, and that every chain verifies.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> anyhow::Result<()> {
        for (event, expected) in self.events.iter().zip(1..) {
            ensure!(
                event.position == expected,
                "{}: position {} stands where {expected} should",
                self.producer,
                event.position
            );
        }
        let ids: BTreeSet<&str> = self.events.iter().map(|event| event.id.as_str()).collect();
        ensure!(ids.len() == self.events.len(), "{}: two events share an id", self.producer);
        // In order of position: a version that comes before its predecessor breaks the chain.
        for (aggregate, events) in self.by_aggregate() {
            verify_chain(events).with_context(|| format!("{}: {aggregate}", self.producer))?;
        }
        Ok(())
    }

    /// The events of each aggregate, in order of position.
    pub fn by_aggregate(&self) -> BTreeMap<&str, Vec<&Event>> {
        let mut aggregates: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in &self.events {
            aggregates.entry(&event.aggregate).or_default().push(event);
        }
        aggregates
    }

    /// The events of a type, in order of position.
    pub fn of_type<'a>(&'a self, event_type: &'a str) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(move |event| event.event_type == event_type)
    }
}

/// Checks that what was delivered is exactly what was due, each once.
///
/// # Errors
/// Everything that is missing, doubled or undue.
pub fn check_deliveries<T: Ord + fmt::Debug>(
    due: impl IntoIterator<Item = T>,
    delivered: impl IntoIterator<Item = T>,
) -> Result<(), Violations> {
    let mut balance: BTreeMap<T, i64> = BTreeMap::new();
    for one in due {
        *balance.entry(one).or_default() += 1;
    }
    for one in delivered {
        *balance.entry(one).or_default() -= 1;
    }
    let found = balance.into_iter().filter(|(_, left)| *left != 0).map(|(one, left)| {
        if left > 0 {
            format!("{one:?}: missing {left} times")
        } else {
            format!("{one:?}: {} too many", -left)
        }
    });
    Violations::unless_empty(found.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{History, check_deliveries};
    use crate::api::ApiError;

    fn error(code: &str) -> ApiError {
        ApiError { code: code.into(), reason: String::new(), message: String::new(), chinese: String::new() }
    }

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn what_is_lost_doubled_undue_or_unasked_is_found() {
        let history = History::new();
        history.record("done", async { Ok(json!({})) }).await;
        history.record("refused", async { Err(error("NOT_FOUND")) }).await;
        history.record("open", async { Err(error("UNAVAILABLE")) }).await;
        history.check(keys(&["done"])).unwrap();
        history.check(keys(&["done", "open"])).unwrap();
        for wrong in [
            &["open"] as &[_],
            &["done", "done"],
            &["done", "refused"],
            &["done", "open", "open"],
            &["done", "x"],
        ] {
            history.check(keys(wrong)).unwrap_err();
        }
    }

    #[tokio::test]
    async fn a_later_loss_does_not_take_an_acknowledgement_back() {
        let history = History::new();
        history.record("task", async { Ok(json!({})) }).await;
        history.record("task", async { Err(error("UNAVAILABLE")) }).await;
        history.check(keys(&[])).unwrap_err();
    }

    #[test]
    fn deliveries_are_counted_both_ways() {
        check_deliveries([1, 2], [2, 1]).unwrap();
        check_deliveries([1, 2], [1]).unwrap_err();
        check_deliveries([1], [1, 1]).unwrap_err();
        check_deliveries([1], [1, 2]).unwrap_err();
    }
}
