//! The roster in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::absence::{Absence, AbsenceChange};
use crate::account::Account;
use crate::collective::Collective;
use crate::division::Division;
use crate::error::RosterError;
use crate::event::RosterEvent;
use crate::official::Official;
use crate::unit::Unit;
use crate::view::View;

/// A directory entry and when the roster learned of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded<T> {
    value: T,
    recorded_at: Timestamp,
}

/// Directory entries by resource name.
type Entries<T> = BTreeMap<String, Arc<Recorded<T>>>;

/// Units, collectives, officials, accounts, divisions and absences, each with the time it was recorded.
///
/// It is what its events made it, in log order, and serialises as a snapshot. The roster service
/// decides with it; every other service keeps one as its local copy. Cloning shares the entries:
/// who reads keeps the book he began with while the next event makes another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Book {
    units: Entries<Unit>,
    collectives: Entries<Collective>,
    officials: Entries<Official>,
    accounts: Entries<Account>,
    /// In log order, which breaks the last tie between two divisions.
    divisions: Vec<Arc<Division>>,
    /// By official, in log order: every question about absences is about one official.
    absences: BTreeMap<String, Vec<Absence>>,
}

impl Book {
    /// An empty roster.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next event of the log. `recorded_at` is the log's own time of recording and
    /// overrides what the payload says of it.
    ///
    /// An event applied again changes nothing. Fails only on a log that cannot be: the end or
    /// cancellation of an absence that was never created.
    pub fn apply(&mut self, event: &RosterEvent, recorded_at: Timestamp) -> Result<(), RosterError> {
        match event {
            RosterEvent::UnitCreated(unit) => record(&mut self.units, &unit.name, unit, recorded_at),
            RosterEvent::CollectiveCreated(collective) => {
                record(&mut self.collectives, &collective.name, collective, recorded_at);
            }
            RosterEvent::OfficialCreated(official) => {
                record(&mut self.officials, &official.name, official, recorded_at);
            }
            RosterEvent::AccountCreated(account) => {
                record(&mut self.accounts, &account.name, account, recorded_at);
            }
            RosterEvent::DivisionCreated(division) => {
                if self.division(&division.name).is_none() {
                    self.divisions.push(Arc::new(Division { record_time: recorded_at, ..division.clone() }));
                }
            }
            RosterEvent::AbsenceCreated(absence) => {
                if self.absence(&absence.name).is_none() {
                    let absence = Absence { recorded_at, changes: Vec::new(), ..absence.clone() };
                    self.absences.entry(absence.official.clone()).or_default().push(absence);
                }
            }
            RosterEvent::AbsenceEnded(ended) => {
                let change = AbsenceChange::EndedEarly { end_time: ended.end_time, recorded_at };
                let absence = self.absence_mut(&ended.official, &ended.absence)?;
                if ended.end_time < absence.end_time && !absence.changes.contains(&change) {
                    absence.changes.push(change);
                }
            }
            RosterEvent::AbsenceCancelled(cancelled) => {
                let change = AbsenceChange::Cancelled { recorded_at };
                let absence = self.absence_mut(&cancelled.official, &cancelled.absence)?;
                if !absence.changes.contains(&change) {
                    absence.changes.push(change);
                }
            }
            // Both follow from times already in the book.
            RosterEvent::DivisionTookEffect(_) | RosterEvent::AbsenceStarted(_) => {}
        }
        Ok(())
    }

    /// The roster as it stood at `at`, as far as it was known at `known_at`.
    pub fn view(&self, at: Timestamp, known_at: Timestamp) -> View<'_> {
        View::new(self, at, known_at)
    }

    /// A unit by resource name.
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.units.get(name).map(|entry| &entry.value)
    }

    /// Units in order of resource name.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values().map(|entry| &entry.value)
    }

    /// A collective by resource name.
    pub fn collective(&self, name: &str) -> Option<&Collective> {
        self.collectives.get(name).map(|entry| &entry.value)
    }

    /// Collectives in order of resource name.
    pub fn collectives(&self) -> impl Iterator<Item = &Collective> {
        self.collectives.values().map(|entry| &entry.value)
    }

    /// An official by resource name.
    pub fn official(&self, name: &str) -> Option<&Official> {
        self.officials.get(name).map(|entry| &entry.value)
    }

    /// Officials in order of resource name.
    pub fn officials(&self) -> impl Iterator<Item = &Official> {
        self.officials.values().map(|entry| &entry.value)
    }

    /// An account by resource name.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name).map(|entry| &entry.value)
    }

    /// The account of an identity provider's subject.
    pub fn account_of_subject(&self, subject: &str) -> Option<&Account> {
        self.accounts().find(|account| account.subject == subject)
    }

    /// Accounts in order of resource name.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().map(|entry| &entry.value)
    }

    /// A division by resource name.
    pub fn division(&self, name: &str) -> Option<&Division> {
        self.divisions().find(|division| division.name == name)
    }

    /// Divisions in the order of recording.
    pub fn divisions(&self) -> impl Iterator<Item = &Division> {
        self.divisions.iter().map(Arc::as_ref)
    }

    /// The division that was, or will be, in force until this one took, or takes, effect.
    pub fn division_before(&self, name: &str) -> Option<&Division> {
        let precedence =
            |(index, division): &(usize, &Division)| (division.effective_time, division.record_time, *index);
        let own = self.divisions().enumerate().find(|(_, division)| division.name == name)?;
        self.divisions()
            .enumerate()
            .filter(|other| precedence(other) < precedence(&own))
            .max_by_key(precedence)
            .map(|(_, division)| division)
    }

    /// An absence by resource name.
    pub fn absence(&self, name: &str) -> Option<&Absence> {
        self.absences().find(|absence| absence.name == name)
    }

    /// Every absence, by official.
    pub fn absences(&self) -> impl Iterator<Item = &Absence> {
        self.absences.values().flatten()
    }

    /// The absences of one official, in the order of recording.
    pub fn absences_of(&self, official: &str) -> impl Iterator<Item = &Absence> + use<'_> {
        self.absences.get(official).into_iter().flatten()
    }

    /// Units known at an instant.
    pub(crate) fn units_known(&self, known_at: Timestamp) -> impl Iterator<Item = &Unit> {
        known(&self.units, known_at)
    }

    /// Collectives known at an instant.
    pub(crate) fn collectives_known(&self, known_at: Timestamp) -> impl Iterator<Item = &Collective> {
        known(&self.collectives, known_at)
    }

    /// Officials known at an instant.
    pub(crate) fn officials_known(&self, known_at: Timestamp) -> impl Iterator<Item = &Official> {
        known(&self.officials, known_at)
    }

    /// A unit, if known at an instant.
    pub(crate) fn unit_known(&self, name: &str, known_at: Timestamp) -> Option<&Unit> {
        self.units.get(name).filter(|entry| entry.recorded_at <= known_at).map(|entry| &entry.value)
    }

    /// A collective, if known at an instant.
    pub(crate) fn collective_known(&self, name: &str, known_at: Timestamp) -> Option<&Collective> {
        self.collectives.get(name).filter(|entry| entry.recorded_at <= known_at).map(|entry| &entry.value)
    }

    /// An official, if known at an instant.
    pub(crate) fn official_known(&self, name: &str, known_at: Timestamp) -> Option<&Official> {
        self.officials.get(name).filter(|entry| entry.recorded_at <= known_at).map(|entry| &entry.value)
    }

    fn absence_mut(&mut self, official: &str, name: &str) -> Result<&mut Absence, RosterError> {
        self.absences
            .get_mut(official)
            .and_then(|absences| absences.iter_mut().find(|absence| absence.name == name))
            .ok_or_else(|| RosterError::AbsenceUnknown { name: name.to_owned() })
    }
}

fn record<T: Clone>(entries: &mut Entries<T>, name: &str, value: &T, recorded_at: Timestamp) {
    let entry = || Arc::new(Recorded { value: value.clone(), recorded_at });
    entries.entry(name.to_owned()).or_insert_with(entry);
}

fn known<T>(entries: &Entries<T>, known_at: Timestamp) -> impl Iterator<Item = &T> {
    entries.values().filter(move |entry| entry.recorded_at <= known_at).map(|entry| &entry.value)
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::Book;
    use crate::error::RosterError;
    use crate::fixture::{Roster, at};

    #[test]
    fn a_log_applied_again_changes_nothing() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let during = at("2023-06-11T00:00+08:00");
        let back = roster.absence("one").end(&roster.book, during).unwrap();
        roster.record(&back, during);
        let mut again = roster.book.clone();
        for (event, recorded_at) in &roster.log {
            again.apply(event, *recorded_at).unwrap();
        }
        assert_eq!(again, roster.book);
    }

    #[test]
    fn a_snapshot_reads_back_as_the_book() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let snapshot = serde_json::to_string(&roster.book).unwrap();
        assert_eq!(serde_json::from_str::<Book>(&snapshot).unwrap(), roster.book);
    }

    #[test]
    fn a_snapshot_from_before_there_were_collectives_still_reads() {
        let roster = Roster::linfen();
        let mut snapshot = serde_json::to_value(&roster.book).unwrap();
        assert!(snapshot.as_object_mut().unwrap().remove("collectives").is_some());
        let book: Book = serde_json::from_value(snapshot).unwrap();
        assert_eq!((book.collectives().count(), roster.book.collectives().count()), (0, 1));
        assert!(book.units().eq(roster.book.units()));
    }

    #[test]
    fn the_end_of_an_absence_that_never_was_is_refused() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let back = roster.absence("one").end(&roster.book, at("2023-06-11T00:00+08:00")).unwrap();
        let refused = Book::new().apply(&back, Timestamp::MAX);
        assert_eq!(refused, Err(RosterError::AbsenceUnknown { name: "absences/one".into() }));
    }

    #[test]
    fn the_division_before_is_the_one_it_replaced() {
        let roster = Roster::linfen();
        let before = roster.book.division_before("divisions/no-12");
        assert_eq!(before.map(|division| division.name.as_str()), Some("divisions/no-8"));
        assert_eq!(roster.book.division_before("divisions/no-8"), None);
    }
}
