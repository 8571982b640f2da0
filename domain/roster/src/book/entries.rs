//! [`Entries`]: records over time, both as it was and as it was known.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

/// A record as it is from some time on, and when the roster learned of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version<T> {
    /// The record, whole.
    pub value: T,
    /// From when it is so; unset: as far back as the record goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_time: Option<Timestamp>,
    /// When the roster learned of it.
    pub recorded_at: Timestamp,
}

/// The versions of each record by resource name, in the order of recording. They are shared
/// between copies of a book: copying one is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Entries<T>(BTreeMap<String, Vec<Arc<Version<T>>>>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Entries(BTreeMap::new())
    }
}

impl<T: Clone + PartialEq> Entries<T> {
    /// Adds a record; one that is there already stays. Returns the place of what was added among
    /// the versions.
    pub(super) fn create(&mut self, name: &str, value: &T, recorded_at: Timestamp) -> Option<usize> {
        let versions = self.0.entry(name.to_owned()).or_default();
        versions.is_empty().then(|| {
            versions.push(Arc::new(Version { value: value.clone(), effective_time: None, recorded_at }));
            0
        })
    }

    /// Adds what a record is from an instant on; unset: as far back as it goes. The same again
    /// changes nothing. Returns the place of what was added among the versions.
    pub(super) fn change(
        &mut self,
        name: &str,
        value: &T,
        effective_time: Option<Timestamp>,
        recorded_at: Timestamp,
    ) -> Option<usize> {
        let version = Version { value: value.clone(), effective_time, recorded_at };
        let versions = self.0.entry(name.to_owned()).or_default();
        (!versions.iter().any(|one| **one == version)).then(|| {
            versions.push(Arc::new(version));
            versions.len() - 1
        })
    }
}

impl<T> Entries<T> {
    /// A record as it was last recorded, from whenever that holds.
    pub(super) fn latest(&self, name: &str) -> Option<&T> {
        self.0.get(name).and_then(|versions| versions.last()).map(|version| &version.value)
    }

    /// Every record as it was last recorded, in order of resource name.
    pub(super) fn all_latest(&self) -> impl Iterator<Item = &T> {
        self.0.values().filter_map(|versions| versions.last()).map(|version| &version.value)
    }

    /// A record as it is at an instant, as far as that was known at another. One whose first
    /// change lies ahead is as it was created.
    pub(super) fn at(&self, name: &str, at: Timestamp, known_at: Timestamp) -> Option<&T> {
        self.place_at(name, at, known_at).map(|(_, value)| value)
    }

    /// The same, with its place among the versions.
    pub(super) fn place_at(&self, name: &str, at: Timestamp, known_at: Timestamp) -> Option<(usize, &T)> {
        self.0.get(name).and_then(|versions| version_at(versions, at, known_at))
    }

    /// Every record as it is at an instant, as far as that was known at another.
    pub(super) fn all_at(&self, at: Timestamp, known_at: Timestamp) -> impl Iterator<Item = &T> {
        self.0.values().filter_map(move |versions| version_at(versions, at, known_at)).map(|(_, value)| value)
    }

    /// Whether a version of a record was known at an instant.
    pub(super) fn was_known(&self, name: &str, place: usize, known_at: Timestamp) -> bool {
        let version = self.0.get(name).and_then(|versions| versions.get(place));
        version.is_some_and(|version| version.recorded_at <= known_at)
    }

    /// The versions of a record, in the order of recording.
    pub(super) fn versions(&self, name: &str) -> impl Iterator<Item = &Version<T>> {
        self.0.get(name).into_iter().flatten().map(Arc::as_ref)
    }

    /// The resource names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Of the versions known, the one that took effect last; of several at one instant, the one
/// recorded last.
fn version_at<T>(versions: &[Arc<Version<T>>], at: Timestamp, known_at: Timestamp) -> Option<(usize, &T)> {
    // Most records never change.
    if let [only] = versions {
        return (only.recorded_at <= known_at).then_some((0, &only.value));
    }
    let known = versions.iter().enumerate().filter(|(_, version)| version.recorded_at <= known_at);
    known
        .filter(|(_, version)| version.effective_time.is_none_or(|effective| effective <= at))
        .max_by_key(|(place, version)| (version.effective_time, *place))
        .map(|(place, version)| (place, &version.value))
}
