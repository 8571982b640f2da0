//! The roster in memory.

mod absences;
mod alarms;
mod calendars;
mod divisions;
mod duties;
mod entries;
mod people;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain_calendar::{Calendar, Timestamp};
use serde::{Deserialize, Serialize};

use crate::absence::{Absence, AbsenceChange};
use crate::account::Account;
use crate::acting::ActingPart;
use crate::alarm::{GapChanged, GapFacts};
use crate::collective::Collective;
use crate::division::Division;
use crate::duty::{DutyRoster, DutySwap};
use crate::error::RosterError;
use crate::event::RosterEvent;
use crate::interval::Interval;
use crate::mandate::Mandate;
use crate::official::{Official, PostKind};
use crate::published_calendar::PublishedCalendar;
use crate::stand_in_list::StandInList;
use crate::unit::Unit;
use crate::view::View;

use absences::Absences;
use alarms::Alarms;
use calendars::Calendars;
use divisions::Divisions;
use duties::Duties;
use entries::Entries;
use people::{Callings, People};

pub(crate) use divisions::{Filed, Text};
pub use entries::Version;
pub(crate) use people::Calling;

/// The roster in memory: everything the log says, with when each part was recorded. Serialises,
/// so that a copy can start from a snapshot at a log position and read on from there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Snapshot")]
pub struct Book {
    units: Entries<Unit>,
    collectives: Entries<Collective>,
    officials: Entries<Official>,
    accounts: Entries<Account>,
    divisions: Divisions,
    absences: Absences,
    stand_in_lists: Vec<Arc<StandInList>>,
    mandates: Vec<Arc<Mandate>>,
    duties: Duties,
    alarms: Alarms,
    /// By absence, who was last told to act.
    told_acting: BTreeMap<String, Vec<ActingPart>>,
    calendars: Calendars,
    /// Follows from `units`.
    #[serde(skip)]
    callings: Arc<Callings>,
    /// Follows from `officials`.
    #[serde(skip)]
    people: Arc<People>,
    /// Unit → places in `stand_in_lists`, which it follows from.
    #[serde(skip)]
    lists_by_unit: Arc<HashMap<String, Vec<usize>>>,
}

/// What is stored of a book.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Snapshot {
    units: Entries<Unit>,
    collectives: Entries<Collective>,
    officials: Entries<Official>,
    accounts: Entries<Account>,
    divisions: Divisions,
    absences: Absences,
    stand_in_lists: Vec<Arc<StandInList>>,
    mandates: Vec<Arc<Mandate>>,
    duties: Duties,
    alarms: Alarms,
    told_acting: BTreeMap<String, Vec<ActingPart>>,
    calendars: Calendars,
}

impl From<Snapshot> for Book {
    fn from(snapshot: Snapshot) -> Self {
        let Snapshot {
            units,
            collectives,
            officials,
            accounts,
            divisions,
            absences,
            stand_in_lists,
            mandates,
            duties,
            alarms,
            told_acting,
            calendars,
        } = snapshot;
        let mut lists_by_unit: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, list) in stand_in_lists.iter().enumerate() {
            lists_by_unit.entry(list.unit.clone()).or_default().push(place);
        }
        let (mut callings, mut people) = (Callings::default(), People::default());
        for name in units.names() {
            let versions = units.versions(name).enumerate();
            versions.for_each(|(place, version)| callings.note(&version.value, place));
        }
        for name in officials.names() {
            officials.versions(name).for_each(|version| people.note(&version.value));
        }
        Book {
            units,
            collectives,
            officials,
            accounts,
            divisions,
            absences,
            stand_in_lists,
            mandates,
            duties,
            alarms,
            told_acting,
            lists_by_unit: Arc::new(lists_by_unit),
            calendars,
            callings: Arc::new(callings),
            people: Arc::new(people),
        }
    }
}

impl Book {
    /// An empty roster.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one event, in log order. Taking in the same event again changes nothing.
    ///
    /// # Errors
    /// When it belongs to an absence or a mandate the book does not know: the log is then of another roster.
    pub fn apply(&mut self, event: &RosterEvent, recorded_at: Timestamp) -> Result<(), RosterError> {
        match event {
            RosterEvent::UnitCreated(unit) => {
                let place = self.units.create(&unit.name, unit, recorded_at);
                self.note_names(unit, place);
            }
            RosterEvent::UnitChanged(changed) => {
                let (unit, effective) = (&changed.value, Some(changed.effective_time));
                let place = self.units.change(&unit.name, unit, effective, recorded_at);
                self.note_names(unit, place);
            }
            RosterEvent::CollectiveCreated(collective) => {
                self.collectives.create(&collective.name, collective, recorded_at);
            }
            RosterEvent::CollectiveChanged(changed) => {
                let (collective, effective) = (&changed.value, Some(changed.effective_time));
                self.collectives.change(&collective.name, collective, effective, recorded_at);
            }
            RosterEvent::OfficialCreated(official) => {
                self.officials.create(&official.name, official, recorded_at);
                Arc::make_mut(&mut self.people).note(official);
            }
            // Its posts say from when to when they are held.
            RosterEvent::OfficialChanged(official) => {
                self.officials.change(&official.name, official, None, recorded_at);
                Arc::make_mut(&mut self.people).note(official);
            }
            RosterEvent::AccountCreated(account) => {
                self.accounts.create(&account.name, account, recorded_at);
            }
            RosterEvent::DivisionCreated(division) => {
                if self.division(&division.name).is_none() {
                    self.divisions.add(Division { record_time: recorded_at, ..division.clone() });
                }
            }
            RosterEvent::StandInListCreated(list) => {
                if self.stand_in_lists_of(&list.unit).all(|one| one.name != list.name) {
                    let by_unit = Arc::make_mut(&mut self.lists_by_unit);
                    by_unit.entry(list.unit.clone()).or_default().push(self.stand_in_lists.len());
                    self.stand_in_lists.push(Arc::new(StandInList { recorded_at, ..list.clone() }));
                }
            }
            RosterEvent::MandateCreated(mandate) => {
                if self.mandate(&mandate.name).is_none() {
                    let mandate = Mandate { recorded_at, revoked_at: None, ..mandate.clone() };
                    self.mandates.push(Arc::new(mandate));
                }
            }
            RosterEvent::MandateRevoked(revoked) => {
                let mut all = self.mandates.iter_mut();
                let Some(mandate) = all.find(|mandate| mandate.name == revoked.mandate) else {
                    return Err(RosterError::MandateUnknown { name: revoked.mandate.clone() });
                };
                if mandate.revoked_at.is_none() {
                    Arc::make_mut(mandate).revoked_at = Some(recorded_at);
                }
            }
            RosterEvent::AbsenceCreated(absence) => {
                if self.absence(&absence.name).is_none() {
                    self.absences.add(Absence { recorded_at, changes: Vec::new(), ..absence.clone() });
                }
            }
            RosterEvent::AbsenceEnded(ended) => {
                let change = AbsenceChange::EndedEarly { end_time: ended.end_time, recorded_at };
                return self.change_absence(&ended.official, &ended.absence, change, |absence| {
                    // One that ended at its end changes nothing, whatever was recorded of it since.
                    ended.early && absence.known().is_some_and(|known| ended.end_time < known.end)
                });
            }
            RosterEvent::AbsenceExtended(extended) => {
                let change = AbsenceChange::Extended {
                    end_time: extended.end_time,
                    approval: extended.approval.clone(),
                    reassignment: extended.reassignment.clone(),
                    recorded_at,
                };
                return self.change_absence(&extended.official, &extended.absence, change, |_| true);
            }
            RosterEvent::AbsenceCorrected(corrected) => {
                let (start_time, end_time) = (corrected.start_time, corrected.end_time);
                let (approval, reassignment) = (corrected.approval.clone(), corrected.reassignment.clone());
                let change =
                    AbsenceChange::Corrected { start_time, end_time, approval, reassignment, recorded_at };
                return self.change_absence(&corrected.official, &corrected.absence, change, |_| true);
            }
            RosterEvent::AbsenceCancelled(cancelled) => {
                let change = AbsenceChange::Cancelled { recorded_at };
                return self.change_absence(&cancelled.official, &cancelled.absence, change, |_| true);
            }
            RosterEvent::AbsenceAcknowledged(acknowledged) => {
                let change = AbsenceChange::Acknowledged { acts: acknowledged.acts, recorded_at };
                let (official, name) = (&acknowledged.official, &acknowledged.absence);
                return self.change_absence(official, name, change, |_| true);
            }
            RosterEvent::DutyRosterCreated(roster) => {
                self.duties.rosters.create(&roster.name, roster, recorded_at);
            }
            RosterEvent::DutyRosterChanged(changed) => {
                let (roster, effective) = (&changed.value, Some(changed.effective_time));
                self.duties.rosters.change(&roster.name, roster, effective, recorded_at);
            }
            RosterEvent::DutyShiftSwapped(swap) => self.duties.swap(swap, recorded_at),
            RosterEvent::GapOpened(gap) => self.alarms.open(gap, recorded_at),
            RosterEvent::GapChanged(GapChanged { gap, previous_start_time, previous_end_time }) => {
                let (start, end) = (*previous_start_time, previous_end_time.unwrap_or(Timestamp::MAX));
                self.alarms.change(gap, Interval { start, end }, recorded_at);
            }
            RosterEvent::GapClosed(gap) => self.alarms.close(gap, recorded_at),
            RosterEvent::AbsenceStarted(started) => {
                self.restore_told_acting(&started.absence, started.parts());
            }
            RosterEvent::AbsenceActingChanged(changed) => {
                self.restore_told_acting(&changed.absence, changed.authorities.clone());
            }
            RosterEvent::CalendarPublished(published) => {
                self.calendars.publish(PublishedCalendar { recorded_at, ..published.clone() });
            }
            // They follow from times already in the book, or from other services' logs.
            RosterEvent::DivisionTookEffect(_) | RosterEvent::AbsenceActsArrived(_) => {}
        }
        Ok(())
    }

    /// The book at an instant, as far as it was known at another.
    pub fn view(&self, at: Timestamp, known_at: Timestamp) -> View<'_> {
        View::new(self, at, known_at)
    }

    /// A unit by resource name, as it was last recorded. [`Book::view`] says what it is when.
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.units.latest(name)
    }

    /// Units in order of resource name, as they were last recorded.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.all_latest()
    }

    /// All that a unit was, is and will be, in the order of recording.
    pub fn unit_versions(&self, name: &str) -> impl Iterator<Item = &Version<Unit>> {
        self.units.versions(name)
    }

    /// A collective by resource name, as it was last recorded.
    pub fn collective(&self, name: &str) -> Option<&Collective> {
        self.collectives.latest(name)
    }

    /// Collectives in order of resource name, as they were last recorded.
    pub fn collectives(&self) -> impl Iterator<Item = &Collective> {
        self.collectives.all_latest()
    }

    /// All that a collective was, is and will be, in the order of recording.
    pub fn collective_versions(&self, name: &str) -> impl Iterator<Item = &Version<Collective>> {
        self.collectives.versions(name)
    }

    /// An official by resource name, as last recorded.
    pub fn official(&self, name: &str) -> Option<&Official> {
        self.officials.latest(name)
    }

    /// Officials in order of resource name, as last recorded.
    pub fn officials(&self) -> impl Iterator<Item = &Official> {
        self.officials.all_latest()
    }

    /// All that was ever recorded of an official, in the order of recording.
    pub fn official_versions(&self, name: &str) -> impl Iterator<Item = &Version<Official>> {
        self.officials.versions(name)
    }

    /// An account by resource name.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.latest(name)
    }

    /// The account of an identity provider's subject.
    pub fn account_of_subject(&self, subject: &str) -> Option<&Account> {
        self.accounts().find(|account| account.subject == subject)
    }

    /// Accounts in order of resource name.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.all_latest()
    }

    /// A division by resource name.
    pub fn division(&self, name: &str) -> Option<&Division> {
        self.divisions().find(|division| division.name == name)
    }

    /// Divisions in the order of recording.
    pub fn divisions(&self) -> impl Iterator<Item = &Division> {
        self.divisions.all()
    }

    /// The division that was, or will be, in force until this one took, or takes, effect: the
    /// one that it corrects, when that had taken effect already.
    pub fn division_before(&self, name: &str) -> Option<&Division> {
        let precedence =
            |(index, division): &(usize, &Division)| (division.effective_time, division.record_time, *index);
        let own = self.divisions().enumerate().find(|(_, division)| division.name == name)?;
        let corrected = own.1.corrects.as_ref().and_then(|corrects| self.division(corrects));
        if let Some(corrected) = corrected.filter(|corrected| corrected.effective_time < own.1.record_time) {
            return Some(corrected);
        }
        self.divisions()
            .enumerate()
            .filter(|other| precedence(other) < precedence(&own) && self.holds_ever(other.1))
            .max_by_key(precedence)
            .map(|(_, division)| division)
    }

    /// The division that has taken the place of this one by an instant.
    pub(crate) fn division_after(&self, name: &str, now: Timestamp) -> Option<&Division> {
        let own = self.division(name)?;
        let later =
            |other: &&Division| own.effective_time < other.effective_time && other.effective_time <= now;
        let later = self.divisions().filter(later).filter(|other| self.holds_ever(other));
        later.min_by_key(|other| (other.effective_time, other.record_time))
    }

    /// Whether a division takes effect at all: one that was corrected before does not.
    pub(crate) fn holds_ever(&self, division: &Division) -> bool {
        let mut corrections =
            self.divisions().filter(|other| other.corrects.as_ref() == Some(&division.name));
        corrections.all(|correction| division.effective_time < correction.record_time)
    }

    /// Units' own AB lists in the order of recording.
    pub fn stand_in_lists(&self) -> impl Iterator<Item = &StandInList> {
        self.stand_in_lists.iter().map(Arc::as_ref)
    }

    /// A unit's own AB lists in the order of recording.
    pub(crate) fn stand_in_lists_of(&self, unit: &str) -> impl Iterator<Item = &StandInList> + use<'_> {
        let places = self.lists_by_unit.get(unit).into_iter().flatten();
        places.filter_map(|place| self.stand_in_lists.get(*place)).map(Arc::as_ref)
    }

    /// Mandates in the order of recording.
    pub fn mandates(&self) -> impl Iterator<Item = &Mandate> {
        self.mandates.iter().map(Arc::as_ref)
    }

    /// A mandate by resource name.
    pub fn mandate(&self, name: &str) -> Option<&Mandate> {
        self.mandates().find(|mandate| mandate.name == name)
    }

    /// A duty roster by resource name, as it was last recorded.
    pub fn duty_roster(&self, name: &str) -> Option<&DutyRoster> {
        self.duties.rosters.latest(name)
    }

    /// Duty rosters in order of resource name, as they were last recorded.
    pub fn duty_rosters(&self) -> impl Iterator<Item = &DutyRoster> {
        self.duties.rosters.all_latest()
    }

    /// All that a duty roster was, is and will be, in the order of recording.
    pub fn duty_roster_versions(&self, name: &str) -> impl Iterator<Item = &Version<DutyRoster>> {
        self.duties.rosters.versions(name)
    }

    /// The swaps of a duty roster's shifts, in the order of recording.
    pub fn duty_swaps(&self, name: &str) -> &[DutySwap] {
        self.duties.swaps_of(name)
    }

    /// The gaps that were told and not called off, by subject.
    pub fn told_gaps(&self) -> impl Iterator<Item = (&str, &[GapFacts])> {
        self.alarms.all()
    }

    /// The gaps of a subject that were told and not called off; some may be over.
    pub fn told_gaps_of(&self, subject: &str) -> &[GapFacts] {
        self.alarms.of(subject)
    }

    /// Puts in what was told of a subject's gaps as it stands, for whoever keeps that and not
    /// how it came about.
    pub fn restore_told_gaps(&mut self, subject: &str, gaps: Vec<GapFacts>) {
        self.alarms.restore(subject, gaps);
    }

    /// Who was last told to act in an absence, and in what; nobody before it began.
    pub fn told_acting(&self, absence: &str) -> &[ActingPart] {
        self.told_acting.get(absence).map(Vec::as_slice).unwrap_or_default()
    }

    /// Puts in who was last told to act in an absence, for whoever keeps that and not how it came
    /// about.
    pub fn restore_told_acting(&mut self, absence: &str, parts: Vec<ActingPart>) {
        if parts.is_empty() {
            self.told_acting.remove(absence);
        } else {
            self.told_acting.insert(absence.to_owned(), parts);
        }
    }

    /// The city's working days: the years compiled in, and those recorded since.
    pub fn calendar(&self) -> &Calendar {
        self.calendars.calendar()
    }

    /// All that was recorded of a year's calendar, `calendars/{year}`, in the order of recording.
    pub fn published_calendars(&self, name: &str) -> impl Iterator<Item = &PublishedCalendar> {
        self.calendars.published().iter().filter(move |one| one.name == name)
    }

    /// An absence by resource name.
    pub fn absence(&self, name: &str) -> Option<&Absence> {
        self.absences.get(name)
    }

    /// Every absence, by official.
    pub fn absences(&self) -> impl Iterator<Item = &Absence> {
        self.absences.all()
    }

    /// The absences of one official, in the order of recording.
    pub fn absences_of(&self, official: &str) -> impl Iterator<Item = &Absence> + use<'_> {
        self.absences.of(official)
    }

    /// The absence of an official that holds an instant, as far as it was known at another.
    pub(crate) fn away(&self, official: &str, at: Timestamp, known_at: Timestamp) -> Option<&Absence> {
        self.absences.away(official, at, known_at)
    }

    /// Who is away at an instant, as far as it was known at another.
    pub(crate) fn absentees(&self, at: Timestamp, known_at: Timestamp) -> impl Iterator<Item = &Absence> {
        self.absences.absentees(at, known_at)
    }

    /// The division in force at an instant, as far as it was known at another.
    pub(crate) fn in_force(&self, at: Timestamp, known_at: Timestamp) -> Option<&Filed> {
        self.divisions.in_force(at, known_at)
    }

    /// Divisions with what they say at a glance, in the order of recording.
    pub(crate) fn filed(&self) -> impl Iterator<Item = &Filed> {
        self.divisions.filed()
    }

    /// Units as they are at an instant, as far as that was known at another.
    pub(crate) fn units_at(&self, at: Timestamp, known_at: Timestamp) -> impl Iterator<Item = &Unit> {
        self.units.all_at(at, known_at)
    }

    /// Collectives as they are at an instant, as far as that was known at another.
    pub(crate) fn collectives_at(
        &self,
        at: Timestamp,
        known_at: Timestamp,
    ) -> impl Iterator<Item = &Collective> {
        self.collectives.all_at(at, known_at)
    }

    /// Officials as known at an instant.
    pub(crate) fn officials_at(&self, at: Timestamp, known_at: Timestamp) -> impl Iterator<Item = &Official> {
        self.officials.all_at(at, known_at)
    }

    /// A unit as it is at an instant, as far as that was known at another.
    pub(crate) fn unit_at(&self, name: &str, at: Timestamp, known_at: Timestamp) -> Option<&Unit> {
        self.units.at(name, at, known_at)
    }

    /// A collective as it is at an instant, as far as that was known at another.
    pub(crate) fn collective_at(
        &self,
        name: &str,
        at: Timestamp,
        known_at: Timestamp,
    ) -> Option<&Collective> {
        self.collectives.at(name, at, known_at)
    }

    /// An official as known at an instant.
    pub(crate) fn official_at(&self, name: &str, at: Timestamp, known_at: Timestamp) -> Option<&Official> {
        self.officials.at(name, at, known_at)
    }

    /// A unit as it is at an instant, if that version of it is one of a calling's.
    pub(crate) fn unit_called(&self, calling: &Calling, at: Timestamp, known_at: Timestamp) -> Option<&Unit> {
        let (place, unit) = self.units.place_at(&calling.unit, at, known_at)?;
        calling.versions.contains(&place).then_some(unit)
    }

    /// Whether it was known at an instant that a unit is, was or will be called so.
    pub(crate) fn was_called(&self, calling: &Calling, known_at: Timestamp) -> bool {
        calling.versions.iter().any(|place| self.units.was_known(&calling.unit, *place, known_at))
    }

    /// The units that are, were or will be called by a normalised name.
    pub(crate) fn ever_called(&self, key: &str) -> &[Calling] {
        self.callings.of(key)
    }

    /// The officials who are, were or will be called so, in half-width.
    pub(crate) fn people_called(&self, key: &str) -> &[String] {
        self.people.called(key)
    }

    /// The officials who at some time hold a post in a unit.
    pub(crate) fn people_of_unit(&self, unit: &str) -> &[String] {
        self.people.of_unit(unit)
    }

    /// The officials who at some time hold a post of a kind.
    pub(crate) fn people_of_kind(&self, kind: PostKind) -> &[String] {
        self.people.of_kind(kind)
    }

    /// The officials who at some time have a title in no unit, by its normalised text.
    pub(crate) fn people_titled(&self, key: &str) -> &[String] {
        self.people.titled(key)
    }

    fn note_names(&mut self, unit: &Unit, version: Option<usize>) {
        if let Some(version) = version {
            Arc::make_mut(&mut self.callings).note(unit, version);
        }
    }

    fn change_absence(
        &mut self,
        official: &str,
        name: &str,
        change: AbsenceChange,
        applies: impl FnOnce(&Absence) -> bool,
    ) -> Result<(), RosterError> {
        let found = self.absences.change(official, name, |absence| {
            if !absence.changes.contains(&change) && applies(absence) {
                absence.changes.push(change);
            }
        });
        if found { Ok(()) } else { Err(RosterError::AbsenceUnknown { name: name.to_owned() }) }
    }
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
