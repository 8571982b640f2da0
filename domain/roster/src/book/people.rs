//! [`Calling`] and [`People`]: where to look for a unit by a name, and for an official by a name or
//! a post. They follow from the records, are not stored, and say where to look: whether it holds
//! at an instant, the record says.

use std::collections::HashMap;

use crate::names::{half_width, normalise};
use crate::official::{Official, PostKind, title_parts};
use crate::unit::Unit;

/// A unit that is, was or will be called so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Calling {
    /// `units/{slug}`.
    pub(crate) unit: String,
    /// The places of the versions that are called so.
    pub(crate) versions: Vec<usize>,
}

/// Units by normalised name, in order of resource name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Callings(HashMap<String, Vec<Calling>>);

impl Callings {
    pub(super) fn note(&mut self, unit: &Unit, version: usize) {
        for key in unit.keys() {
            let callings = self.0.entry(key).or_default();
            let place = callings.binary_search_by(|one| one.unit.as_str().cmp(&unit.name));
            let place = place.unwrap_or_else(|place| {
                callings.insert(place, Calling { unit: unit.name.clone(), versions: Vec::new() });
                place
            });
            if let Some(calling) = callings.get_mut(place)
                && !calling.versions.contains(&version)
            {
                calling.versions.push(version);
            }
        }
    }

    pub(super) fn of(&self, key: &str) -> &[Calling] {
        self.0.get(key).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Resource names of officials, in order, by what they are, were or will be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct People {
    by_name: HashMap<String, Vec<String>>,
    by_unit: HashMap<String, Vec<String>>,
    by_kind: HashMap<PostKind, Vec<String>>,
    /// By the key of each part of a title that is held in no unit.
    by_title: HashMap<String, Vec<String>>,
}

impl People {
    pub(super) fn note(&mut self, official: &Official) {
        let key = half_width(&official.display_name).into_owned();
        add(self.by_name.entry(key).or_default(), &official.name);
        for post in &official.posts {
            add(self.by_kind.entry(post.kind).or_default(), &official.name);
            match &post.unit {
                Some(unit) => add(self.by_unit.entry(unit.clone()).or_default(), &official.name),
                None => {
                    let title = half_width(&post.title);
                    for part in title_parts(&title) {
                        add(self.by_title.entry(normalise(part)).or_default(), &official.name);
                    }
                }
            }
        }
    }

    /// Those of a name as [`half_width`] has it.
    pub(super) fn called(&self, key: &str) -> &[String] {
        self.by_name.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those with a post in a unit.
    pub(super) fn of_unit(&self, unit: &str) -> &[String] {
        self.by_unit.get(unit).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those with a post of a kind.
    pub(super) fn of_kind(&self, kind: PostKind) -> &[String] {
        self.by_kind.get(&kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those with a title in no unit, by its normalised text.
    pub(super) fn titled(&self, key: &str) -> &[String] {
        self.by_title.get(key).map(Vec::as_slice).unwrap_or_default()
    }
}

fn add(names: &mut Vec<String>, name: &String) {
    if let Err(place) = names.binary_search(name) {
        names.insert(place, name.clone());
    }
}
