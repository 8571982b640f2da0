//! The roster as this process knows it: the book and the versions of its records, kept in
//! memory and brought up to date from the tables.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain_calendar::Timestamp;
use domain_roster::{
    Absence, AbsenceAcknowledged, AbsenceCancelled, AbsenceChange, AbsenceCorrected, AbsenceEnded,
    AbsenceExtended, AbsenceState, Book, Changed, DutyRoster, Mandate, MandateRevoked, PublishedCalendar,
    RosterEvent,
};
use sea_orm::{AccessMode, ConnectionTrait, IsolationLevel, TransactionOptions, TransactionTrait};
use serde::de::DeserializeOwned;
use xietong_store::{Backend, Db, StoreError};

use crate::store::body::{History, StoredAbsence, StoredAlarm, StoredDutyRoster, Told};
use crate::store::head;
use crate::store::records::{self, Kind, Record};

/// The book at a version of the head, with the version of each record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Register {
    pub(crate) book: Book,
    versions: BTreeMap<String, i64>,
    told: BTreeMap<String, Told>,
    revision: i64,
}

impl Register {
    /// The version of a record; 0 when there is none.
    pub(crate) fn version_of(&self, name: &str) -> i64 {
        self.versions.get(name).copied().unwrap_or(0)
    }

    /// The record's etag, which changes with every change of it.
    pub(crate) fn etag(&self, name: &str) -> String {
        format!("v{}", self.version_of(name))
    }

    /// The version of the head it is of.
    pub(crate) fn revision(&self) -> i64 {
        self.revision
    }

    /// Notes that a record is at a new version.
    pub(crate) fn at_version(&mut self, name: &str, version: i64) {
        self.versions.insert(name.to_owned(), version);
    }

    /// How much of an absence everybody was told.
    pub(crate) fn told(&self, absence: &str) -> Told {
        self.told.get(absence).copied().unwrap_or_default()
    }

    /// Notes what an event tells everybody of an absence; the book holds it already.
    pub(crate) fn tell(&mut self, event: &RosterEvent, now: Timestamp) {
        let (absence, told) = match event {
            RosterEvent::AbsenceStarted(fact) => (&fact.absence, Told::Begun),
            RosterEvent::AbsenceEnded(fact) => (&fact.absence, Told::Ended),
            // A beginning or an end that was told and did not happen is told when it comes.
            RosterEvent::AbsenceCorrected(fact) => {
                let state = self.book.absence(&fact.absence).map(|absence| absence.state(now));
                let reached = match state {
                    Some(AbsenceState::Planned) => Told::Registered,
                    Some(AbsenceState::Active) => Told::Begun,
                    Some(AbsenceState::Ended | AbsenceState::Cancelled) | None => Told::Ended,
                };
                (&fact.absence, self.told(&fact.absence).min(reached))
            }
            RosterEvent::UnitCreated(_)
            | RosterEvent::UnitChanged(_)
            | RosterEvent::CollectiveCreated(_)
            | RosterEvent::CollectiveChanged(_)
            | RosterEvent::OfficialCreated(_)
            | RosterEvent::OfficialChanged(_)
            | RosterEvent::AccountCreated(_)
            | RosterEvent::DivisionCreated(_)
            | RosterEvent::DivisionTookEffect(_)
            | RosterEvent::StandInListCreated(_)
            | RosterEvent::AbsenceCreated(_)
            | RosterEvent::AbsenceActingChanged(_)
            | RosterEvent::AbsenceCancelled(_)
            | RosterEvent::AbsenceExtended(_)
            | RosterEvent::MandateCreated(_)
            | RosterEvent::MandateRevoked(_)
            | RosterEvent::AbsenceActsArrived(_)
            | RosterEvent::AbsenceAcknowledged(_)
            | RosterEvent::DutyRosterCreated(_)
            | RosterEvent::DutyRosterChanged(_)
            | RosterEvent::DutyShiftSwapped(_)
            | RosterEvent::CalendarPublished(_)
            | RosterEvent::GapOpened(_)
            | RosterEvent::GapChanged(_)
            | RosterEvent::GapClosed(_) => return,
        };
        self.told.insert(absence.clone(), told);
    }

    /// Takes in a row, new or changed.
    fn take_in(&mut self, kind: Kind, record: &Record) -> Result<(), StoreError> {
        match kind {
            Kind::Unit => self.over_time(record, RosterEvent::UnitCreated, |value, effective_time| {
                RosterEvent::UnitChanged(Changed { value, effective_time })
            })?,
            Kind::Collective => {
                self.over_time(record, RosterEvent::CollectiveCreated, |value, effective_time| {
                    RosterEvent::CollectiveChanged(Changed { value, effective_time })
                })?;
            }
            Kind::Official => self.over_time(record, RosterEvent::OfficialCreated, |official, _| {
                RosterEvent::OfficialChanged(official)
            })?,
            Kind::Account => self.created(record, RosterEvent::AccountCreated)?,
            Kind::Division => self.created(record, RosterEvent::DivisionCreated)?,
            Kind::StandInList => self.created(record, RosterEvent::StandInListCreated)?,
            Kind::Mandate => {
                let mandate: Mandate = parse(record)?;
                let revoked_at = mandate.revoked_at;
                self.apply(&RosterEvent::MandateCreated(mandate), record.recorded_at)?;
                if let Some(revoked_at) = revoked_at {
                    let revoked = MandateRevoked { mandate: record.name.clone() };
                    self.apply(&RosterEvent::MandateRevoked(revoked), revoked_at)?;
                }
            }
            Kind::Absence => {
                let StoredAbsence::<Absence> { absence, told, acting } = parse(record)?;
                let told = told.unwrap_or_else(|| Told::at_version(record.version));
                self.told.insert(record.name.clone(), told);
                let changes: Vec<_> =
                    absence.changes.iter().map(|change| change_event(&absence, change)).collect();
                self.apply(&RosterEvent::AbsenceCreated(absence), record.recorded_at)?;
                for (event, recorded_at) in &changes {
                    self.apply(event, *recorded_at)?;
                }
                self.book.restore_told_acting(&record.name, acting);
            }
            Kind::DutyRoster => {
                let StoredDutyRoster::<DutyRoster> { history, swaps } = parse(record)?;
                self.versions_of(
                    record,
                    history,
                    RosterEvent::DutyRosterCreated,
                    |value, effective_time| RosterEvent::DutyRosterChanged(Changed { value, effective_time }),
                )?;
                for swap in swaps {
                    let recorded_at = swap.recorded_at;
                    self.apply(&RosterEvent::DutyShiftSwapped(swap), recorded_at)?;
                }
            }
            Kind::Calendar => {
                for published in parse::<Vec<PublishedCalendar>>(record)? {
                    let recorded_at = published.recorded_at;
                    self.apply(&RosterEvent::CalendarPublished(published), recorded_at)?;
                }
            }
            Kind::Alarm => {
                let StoredAlarm { subject, told } = parse(record)?;
                self.book.restore_told_gaps(&subject, told);
            }
        }
        self.at_version(&record.name, record.version);
        Ok(())
    }

    fn created<T: DeserializeOwned>(
        &mut self,
        record: &Record,
        event: fn(T) -> RosterEvent,
    ) -> Result<(), StoreError> {
        self.apply(&event(parse(record)?), record.recorded_at)
    }

    /// A record with all that it became.
    fn over_time<T: DeserializeOwned>(
        &mut self,
        record: &Record,
        created: fn(T) -> RosterEvent,
        changed: fn(T, Timestamp) -> RosterEvent,
    ) -> Result<(), StoreError> {
        self.versions_of(record, parse(record)?, created, changed)
    }

    fn versions_of<T>(
        &mut self,
        record: &Record,
        history: History<T>,
        created: fn(T) -> RosterEvent,
        changed: fn(T, Timestamp) -> RosterEvent,
    ) -> Result<(), StoreError> {
        self.apply(&created(history.first), record.recorded_at)?;
        for change in history.changes {
            let effective_time = change.effective_time.unwrap_or(change.recorded_at);
            self.apply(&changed(change.value, effective_time), change.recorded_at)?;
        }
        Ok(())
    }

    fn apply(&mut self, event: &RosterEvent, recorded_at: Timestamp) -> Result<(), StoreError> {
        self.book.apply(event, recorded_at).map_err(|error| StoreError::corrupt(event.aggregate(), error))
    }
}

/// The register of a service, shared by its handlers.
pub(crate) struct Registers {
    db: Db,
    latest: RwLock<Arc<Register>>,
}

impl Registers {
    /// Nothing is read until the first question.
    pub(crate) fn new(db: Db) -> Self {
        Registers { db, latest: RwLock::default() }
    }

    /// The roster with everything that was committed before the call. Costs one small query
    /// while nothing changes.
    pub(crate) async fn current(&self) -> Result<Arc<Register>, StoreError> {
        let known = self.known();
        let reader = self.db.reader();
        if head::version(reader).await? == known.revision {
            return Ok(known);
        }
        // The head and the rows must be of one moment.
        let isolation_level = match self.db.backend() {
            Backend::Sqlite => None,
            Backend::Postgres => Some(IsolationLevel::RepeatableRead),
        };
        let access_mode = isolation_level.is_some().then_some(AccessMode::ReadOnly);
        let options = TransactionOptions { isolation_level, access_mode, sqlite_transaction_mode: None };
        let snapshot = reader.begin_with_options(options).await?;
        let revision = head::version(&snapshot).await?;
        let current = catch_up(&snapshot, known, revision).await?;
        snapshot.commit().await?;
        self.keep(&current);
        Ok(current)
    }

    /// The roster as it stands for the write that makes version `revision` of the head, in
    /// that write's transaction and before any row of its own.
    pub(crate) async fn before<C: ConnectionTrait>(
        &self,
        tx: &C,
        revision: i64,
    ) -> Result<Arc<Register>, StoreError> {
        let register = catch_up(tx, self.known(), revision - 1).await?;
        self.keep(&register);
        Ok(register)
    }

    fn known(&self) -> Arc<Register> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, register: &Arc<Register>) {
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        if latest.revision < register.revision {
            *latest = register.clone();
        }
    }
}

/// Brings a register to `revision`, at which the tables stand.
async fn catch_up<C: ConnectionTrait>(
    connection: &C,
    mut register: Arc<Register>,
    revision: i64,
) -> Result<Arc<Register>, StoreError> {
    if register.revision == revision {
        return Ok(register);
    }
    let newer = Arc::make_mut(&mut register);
    for kind in Kind::ALL {
        for record in records::changed_since(connection, kind, newer.revision).await? {
            newer.take_in(kind, &record)?;
        }
    }
    newer.revision = revision;
    Ok(register)
}

fn parse<T: DeserializeOwned>(record: &Record) -> Result<T, StoreError> {
    serde_json::from_str(&record.body).map_err(|error| StoreError::corrupt(&record.name, error))
}

/// What the book has to be told of a change that a stored absence carries.
fn change_event(absence: &Absence, change: &AbsenceChange) -> (RosterEvent, Timestamp) {
    let (name, official) = (absence.name.clone(), absence.official.clone());
    let (start_time, registered_end) = (absence.start_time, absence.end_time);
    match change {
        AbsenceChange::EndedEarly { end_time, recorded_at } => {
            let ended = AbsenceEnded {
                absence: name,
                official,
                acting: None,
                start_time,
                end_time: *end_time,
                early: true,
                acts: None,
            };
            (RosterEvent::AbsenceEnded(ended), *recorded_at)
        }
        AbsenceChange::Extended { end_time, approval, reassignment, recorded_at } => {
            let extended = AbsenceExtended {
                absence: name,
                official,
                start_time,
                end_time: *end_time,
                previous_end_time: registered_end,
                approval: approval.clone(),
                reassignment: reassignment.clone(),
            };
            (RosterEvent::AbsenceExtended(extended), *recorded_at)
        }
        AbsenceChange::Corrected { start_time, end_time, approval, reassignment, recorded_at } => {
            let corrected = AbsenceCorrected {
                absence: name,
                official,
                start_time: *start_time,
                end_time: *end_time,
                reason: String::new(),
                approval: approval.clone(),
                reassignment: reassignment.clone(),
            };
            (RosterEvent::AbsenceCorrected(corrected), *recorded_at)
        }
        AbsenceChange::Acknowledged { acts, recorded_at } => {
            let acknowledged = AbsenceAcknowledged { absence: name, official, acts: *acts };
            (RosterEvent::AbsenceAcknowledged(acknowledged), *recorded_at)
        }
        AbsenceChange::Cancelled { recorded_at } => {
            let cancelled =
                AbsenceCancelled { absence: name, official, start_time, end_time: registered_end };
            (RosterEvent::AbsenceCancelled(cancelled), *recorded_at)
        }
    }
}

#[cfg(test)]
mod tests;
