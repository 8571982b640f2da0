//! [`Divisions`]: the divisions of work, and which is in force when.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::charge::field_key;
use crate::division::{Division, Relation, StandInPair};

/// A field or class of a portfolio.
#[derive(Debug)]
pub(crate) struct Text {
    /// As the notice has it.
    pub(crate) text: String,
    pub(crate) relation: Relation,
    /// Its place among the portfolios.
    pub(crate) portfolio: usize,
    key: String,
    letters: u64,
}

/// A division with what it says at a glance.
#[derive(Debug)]
pub(crate) struct Filed {
    division: Division,
    /// Unit → the place of the portfolio in charge, and by which relation.
    in_charge: HashMap<String, (usize, Relation)>,
    /// Unit → the portfolios that assist with it, in the notice's order.
    assisting: HashMap<String, Vec<(usize, Relation)>>,
    /// Every field and class, in the notice's order.
    texts: Vec<Text>,
    /// Key of a field → places in `texts`.
    by_key: HashMap<String, Vec<usize>>,
    presider: Option<usize>,
    /// Leaders who have a portfolio.
    leaders: HashSet<String>,
    /// Official → standing B.
    standing: HashMap<String, String>,
    /// Official → third stand-in.
    third: HashMap<String, String>,
}

/// The letters of a text, each as one of 64 bits: a text has none that one which holds it lacks.
fn letters(text: &str) -> u64 {
    text.chars().fold(0, |letters, letter| letters | 1 << (u32::from(letter) % 64))
}

fn stand_ins(pairs: &[StandInPair]) -> HashMap<String, String> {
    let mut stand_ins = HashMap::new();
    for pair in pairs {
        stand_ins.entry(pair.official.clone()).or_insert_with(|| pair.stand_in.clone());
        if pair.mutual {
            stand_ins.entry(pair.stand_in.clone()).or_insert_with(|| pair.official.clone());
        }
    }
    stand_ins
}

impl Filed {
    pub(crate) fn of(division: Division) -> Self {
        let mut in_charge: HashMap<String, (usize, Relation)> = HashMap::new();
        for relation in Relation::IN_CHARGE {
            for (place, portfolio) in division.portfolios.iter().enumerate() {
                for duty in portfolio.units.iter().filter(|duty| duty.relation == relation) {
                    in_charge.entry(duty.unit.clone()).or_insert((place, relation));
                }
            }
        }
        let mut assisting: HashMap<String, Vec<(usize, Relation)>> = HashMap::new();
        let mut texts = Vec::new();
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, portfolio) in division.portfolios.iter().enumerate() {
            for duty in portfolio.units.iter().filter(|duty| duty.relation.assists()) {
                assisting.entry(duty.unit.clone()).or_default().push((place, duty.relation));
            }
            for (text, relation) in portfolio.texts() {
                let key = field_key(text).into_owned();
                by_key.entry(key.clone()).or_default().push(texts.len());
                let letters = letters(&key);
                texts.push(Text { text: text.to_owned(), relation, portfolio: place, key, letters });
            }
        }
        let (standing, third) = (stand_ins(&division.pairs), stand_ins(&division.third_stand_ins));
        let presider = division.portfolios.iter().position(|portfolio| portfolio.presides);
        let leaders = division.portfolios.iter().map(|portfolio| portfolio.official.clone()).collect();
        Filed { division, in_charge, assisting, texts, by_key, presider, leaders, standing, third }
    }

    /// The division itself.
    pub(crate) fn division(&self) -> &Division {
        &self.division
    }

    /// The leader in charge of a unit that the division names, and by which relation.
    pub(crate) fn named(&self, unit: &str) -> Option<(&str, Relation)> {
        let (place, relation) = self.in_charge.get(unit)?;
        Some((self.division.portfolios.get(*place)?.official.as_str(), *relation))
    }

    /// Who assists with a unit, in the notice's order.
    pub(crate) fn assistants(&self, unit: &str) -> impl Iterator<Item = (&str, Relation)> {
        let assisting = self.assisting.get(unit).into_iter().flatten();
        assisting.map(|(place, relation)| (self.leader(*place), *relation))
    }

    /// Whose the portfolio at a place is.
    pub(crate) fn leader(&self, place: usize) -> &str {
        self.division.portfolios.get(place).map_or("", |portfolio| portfolio.official.as_str())
    }

    /// The fields of exactly this key.
    pub(crate) fn texts_of(&self, key: &str) -> impl Iterator<Item = &Text> {
        self.by_key.get(key).into_iter().flatten().filter_map(|place| self.texts.get(*place))
    }

    /// The fields whose key holds this one or is held by it.
    pub(crate) fn texts_like(&self, key: &str) -> impl Iterator<Item = &Text> {
        let letters = letters(key);
        self.texts.iter().filter(move |text| {
            let common = text.letters & letters;
            (common == letters && text.key.contains(key))
                || (common == text.letters && key.contains(&text.key))
        })
    }

    /// Whether the division gives an official work.
    pub(crate) fn leads(&self, official: &str) -> bool {
        self.leaders.contains(official)
    }

    /// The third stand-in of an official.
    pub(crate) fn third(&self, official: &str) -> Option<&str> {
        self.third.get(official).map(String::as_str)
    }

    /// Who presides over the whole.
    pub(crate) fn presider(&self) -> Option<&str> {
        let portfolio = self.division.portfolios.get(self.presider?)?;
        Some(portfolio.official.as_str())
    }

    /// The standing B of an official.
    pub(crate) fn standing_b(&self, official: &str) -> Option<&str> {
        self.standing.get(official).map(String::as_str)
    }
}

/// Divisions in the order of recording.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Division>", into = "Vec<Division>")]
pub(super) struct Divisions {
    recorded: Vec<Arc<Filed>>,
    /// Places in `recorded`, in the order of taking effect and then of recording.
    by_effect: Vec<usize>,
    /// From when on each was known to be corrected by another, by its place.
    corrected_at: Vec<Option<Timestamp>>,
}

impl PartialEq for Divisions {
    fn eq(&self, other: &Self) -> bool {
        self.all().eq(other.all())
    }
}

impl Eq for Divisions {}

impl From<Vec<Division>> for Divisions {
    fn from(all: Vec<Division>) -> Self {
        let mut divisions = Divisions::default();
        all.into_iter().for_each(|division| divisions.add(division));
        divisions
    }
}

impl From<Divisions> for Vec<Division> {
    fn from(divisions: Divisions) -> Self {
        divisions.all().cloned().collect()
    }
}

impl Divisions {
    pub(super) fn add(&mut self, division: Division) {
        let place = self.recorded.len();
        let order = (division.effective_time, division.record_time);
        if let Some(corrects) = &division.corrects
            && let Some(corrected) = self.recorded.iter().position(|other| other.division.name == *corrects)
            && let Some(corrected_at) = self.corrected_at.get_mut(corrected)
        {
            corrected_at.get_or_insert(division.record_time);
        }
        self.corrected_at.push(None);
        self.recorded.push(Arc::new(Filed::of(division)));
        let recorded = &self.recorded;
        let at = self.by_effect.partition_point(|other| {
            recorded
                .get(*other)
                .is_some_and(|other| (other.division.effective_time, other.division.record_time) <= order)
        });
        self.by_effect.insert(at, place);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Division> {
        self.recorded.iter().map(|filed| &filed.division)
    }

    pub(super) fn filed(&self) -> impl Iterator<Item = &Filed> {
        self.recorded.iter().map(Arc::as_ref)
    }

    /// The one in force at an instant, as far as it was known at another: the last to take
    /// effect, of several at one instant the one recorded last. One that was corrected counts no
    /// more, at whatever hour of the day the correction takes effect.
    pub(super) fn in_force(&self, at: Timestamp, known_at: Timestamp) -> Option<&Filed> {
        let filed = |place: &usize| self.recorded.get(*place).map(Arc::as_ref);
        let ahead = self
            .by_effect
            .partition_point(|one| filed(one).is_some_and(|filed| filed.division.effective_time <= at));
        let stands = |place: &&usize| {
            let corrected_at = self.corrected_at.get(**place).copied().flatten();
            corrected_at.is_none_or(|corrected_at| known_at < corrected_at)
        };
        let in_effect = self.by_effect.get(..ahead)?.iter().rev().filter(stands);
        in_effect.filter_map(filed).find(|filed| filed.division.record_time <= known_at)
    }
}
