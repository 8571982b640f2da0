//! What was known, what held, and what a text stands for.

use domain_calendar::Timestamp;
use domain_roster::{Absence, Division, Official, Post, PostKind, RosterEvent, Unit};

use super::{Oracle, Stop, one};

impl<'a> Oracle<'a> {
    pub(super) fn known(&self) -> impl Iterator<Item = &'a RosterEvent> {
        self.log.iter().filter(|(_, recorded_at)| *recorded_at <= self.known_at).map(|(event, _)| event)
    }

    /// The unit as it is: its last change to have come, else as it was founded.
    pub(super) fn unit(&self, name: &str) -> Option<&'a Unit> {
        let mut latest: Option<(&Unit, Option<Timestamp>)> = None;
        for event in self.known() {
            let (unit, since) = match event {
                RosterEvent::UnitCreated(unit) => (unit, None),
                RosterEvent::UnitChanged(changed) => (&changed.value, Some(changed.effective_time)),
                _ => continue,
            };
            let has_come = since.is_none_or(|since| since <= self.at);
            if unit.name == name && has_come && latest.is_none_or(|(_, before)| before <= since) {
                latest = Some((unit, since));
            }
        }
        latest.map(|(unit, _)| unit)
    }

    pub(super) fn units(&self) -> Vec<&'a Unit> {
        let mut units = Vec::new();
        for event in self.known() {
            if let RosterEvent::UnitCreated(unit) = event {
                units.extend(self.unit(&unit.name));
            }
        }
        units
    }

    pub(super) fn official(&self, name: &str) -> Option<&'a Official> {
        let mut latest = None;
        for event in self.known() {
            if let RosterEvent::OfficialCreated(official) | RosterEvent::OfficialChanged(official) = event
                && official.name == name
            {
                latest = Some(official);
            }
        }
        latest
    }

    pub(super) fn officials(&self) -> Vec<&'a Official> {
        let mut officials = Vec::new();
        for event in self.known() {
            if let RosterEvent::OfficialCreated(official) = event {
                officials.extend(self.official(&official.name));
            }
        }
        officials
    }

    /// The division that was last to take effect, of two at one instant the one recorded last. A
    /// correction takes the place of what it corrects, whatever the hour.
    pub(super) fn division(&self) -> Option<&'a Division> {
        let all = || {
            self.known().filter_map(|event| match event {
                RosterEvent::DivisionCreated(division) => Some(division),
                _ => None,
            })
        };
        let mut latest: Option<&Division> = None;
        for division in all() {
            let corrected = all().any(|other| other.corrects.as_ref() == Some(&division.name));
            if division.effective_time <= self.at
                && !corrected
                && latest.is_none_or(|before| before.effective_time <= division.effective_time)
            {
                latest = Some(division);
            }
        }
        latest
    }

    /// The absence somebody is away on.
    pub(super) fn away(&self, official: &str) -> Option<&'a Absence> {
        self.known().find_map(|event| match event {
            RosterEvent::AbsenceCreated(absence) if absence.official == official && self.lasts(absence) => {
                Some(absence)
            }
            _ => None,
        })
    }

    /// Whether an absence holds the instant, after all that was done to it.
    pub(super) fn lasts(&self, absence: &Absence) -> bool {
        let (mut start, mut end) = (absence.start_time, absence.end_time);
        for event in self.known() {
            match event {
                RosterEvent::AbsenceEnded(ended) if ended.absence == absence.name && ended.early => {
                    end = ended.end_time;
                }
                RosterEvent::AbsenceExtended(extended) if extended.absence == absence.name => {
                    end = extended.end_time;
                }
                RosterEvent::AbsenceCorrected(corrected) if corrected.absence == absence.name => {
                    (start, end) = (corrected.start_time, corrected.end_time);
                }
                RosterEvent::AbsenceCancelled(cancelled) if cancelled.absence == absence.name => {
                    return false;
                }
                _ => {}
            }
        }
        start <= self.at && self.at < end
    }

    pub(super) fn exists(&self, unit: &Unit) -> bool {
        unit.start_time.is_none_or(|start| start <= self.at) && unit.end_time.is_none_or(|end| self.at < end)
    }

    pub(super) fn holds(&self, post: &Post) -> bool {
        post.start_time.is_none_or(|start| start <= self.at) && post.end_time.is_none_or(|end| self.at < end)
    }

    // What a text stands for.

    /// The unit of a resource name or of a name people use.
    pub(super) fn find_unit(&self, text: &str) -> Result<&'a Unit, Stop> {
        if let Some(unit) = self.unit(text) {
            return Ok(unit);
        }
        let called = |text: &str| -> Vec<&'a Unit> {
            self.units()
                .into_iter()
                .filter(|unit| self.exists(unit) && names(unit).contains(&plain(text)))
                .collect()
        };
        let mut found = called(text);
        if let (true, Some((name, signboard))) = (found.is_empty(), brackets(&plain(text))) {
            found = called(&name);
            if !found.is_empty() {
                found.extend(called(&signboard));
            }
        }
        if found.is_empty() {
            found = self.formerly(&plain(text));
        }
        found.sort_by_key(|unit| &unit.name);
        found.dedup_by_key(|unit| &unit.name);
        match found.as_slice() {
            [] => Err(Stop::Unknown),
            [only] => Ok(only),
            _ => Err(Stop::Ambiguous),
        }
    }

    /// The units that at some time are called so, or whoever they were merged into.
    pub(super) fn formerly(&self, name: &str) -> Vec<&'a Unit> {
        let mut found = Vec::new();
        for event in self.known() {
            let unit = match event {
                RosterEvent::UnitCreated(unit) => unit,
                RosterEvent::UnitChanged(changed) => &changed.value,
                _ => continue,
            };
            if !names(unit).contains(&name.to_owned()) {
                continue;
            }
            let mut successor = self.unit(&unit.name);
            let mut seen = Vec::new();
            while let Some(unit) = successor {
                if self.exists(unit) {
                    found.push(unit);
                    break;
                }
                if seen.contains(&&unit.name) {
                    break;
                }
                seen.push(&unit.name);
                successor = unit.successor.as_ref().and_then(|successor| self.unit(successor));
            }
        }
        found
    }

    pub(super) fn find_official(&self, text: &str) -> Result<String, Stop> {
        if self.official(text).is_some() {
            return Ok(text.to_owned());
        }
        one(self.officials().into_iter().filter(|official| official.display_name == text))?
            .ok_or(Stop::Unknown)
    }

    pub(super) fn holders(&self, kind: PostKind, unit: Option<&Unit>) -> Vec<&'a Official> {
        let held = |post: &Post| {
            post.kind == kind
                && self.holds(post)
                && unit.is_none_or(|unit| post.unit.as_ref() == Some(&unit.name))
        };
        self.officials().into_iter().filter(|official| official.posts.iter().any(held)).collect()
    }
}

/// A unit's name without the city's own name.
pub(super) fn plain(name: &str) -> String {
    name.replace("临汾市", "市")
}

fn brackets(name: &str) -> Option<(String, String)> {
    let (own, rest) = name.split_once('(')?;
    Some((own.to_owned(), rest.trim_end_matches(')').to_owned()))
}

fn names(unit: &Unit) -> Vec<String> {
    let mut names = Vec::new();
    for name in std::iter::once(&unit.display_name).chain(&unit.aliases) {
        let name = plain(name);
        if let Some((own, signboard)) = brackets(&name) {
            names.extend([own, signboard]);
        }
        names.push(name);
    }
    names
}
