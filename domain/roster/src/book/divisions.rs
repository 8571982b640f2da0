//! [`Divisions`]: the divisions of work, and which is in force when.

use std::collections::HashMap;
use std::sync::Arc;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::division::{Division, Relation};

/// A division with what it says at a glance.
#[derive(Debug)]
pub(crate) struct Filed {
    division: Division,
    /// Unit → the place of the portfolio in charge, and by which relation.
    in_charge: HashMap<String, (usize, Relation)>,
    presider: Option<usize>,
    /// Official → standing B.
    standing: HashMap<String, String>,
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
        let mut standing = HashMap::new();
        for pair in &division.pairs {
            standing.entry(pair.official.clone()).or_insert_with(|| pair.stand_in.clone());
            if pair.mutual {
                standing.entry(pair.stand_in.clone()).or_insert_with(|| pair.official.clone());
            }
        }
        let presider = division.portfolios.iter().position(|portfolio| portfolio.presides);
        Filed { division, in_charge, presider, standing }
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
