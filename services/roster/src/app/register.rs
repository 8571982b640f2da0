//! The roster as this process knows it: the book and the versions of its records, kept in
//! memory and brought up to date from the tables.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain_calendar::Timestamp;
use domain_roster::{Absence, AbsenceCancelled, AbsenceChange, AbsenceEnded, Book, RosterEvent};
use sea_orm::{AccessMode, ConnectionTrait, IsolationLevel, TransactionOptions, TransactionTrait};
use serde::de::DeserializeOwned;
use xietong_store::{Backend, Db, StoreError};

use crate::store::head;
use crate::store::records::{self, Kind, Record};

/// The book at a version of the head, with the version of each record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Register {
    pub(crate) book: Book,
    versions: BTreeMap<String, i64>,
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

    /// Notes that a record is at a new version.
    pub(crate) fn at_version(&mut self, name: &str, version: i64) {
        self.versions.insert(name.to_owned(), version);
    }

    /// Takes in a row, new or changed.
    fn take_in(&mut self, kind: Kind, record: &Record) -> Result<(), StoreError> {
        match kind {
            Kind::Unit => self.created(record, RosterEvent::UnitCreated)?,
            Kind::Collective => self.created(record, RosterEvent::CollectiveCreated)?,
            Kind::Official => self.created(record, RosterEvent::OfficialCreated)?,
            Kind::Account => self.created(record, RosterEvent::AccountCreated)?,
            Kind::Division => self.created(record, RosterEvent::DivisionCreated)?,
            Kind::Absence => {
                let absence: Absence = parse(record)?;
                self.created(record, RosterEvent::AbsenceCreated)?;
                for change in &absence.changes {
                    let (event, recorded_at) = change_event(&absence, change);
                    self.apply(&event, recorded_at)?;
                }
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
    match *change {
        AbsenceChange::EndedEarly { end_time, recorded_at } => {
            let ended = AbsenceEnded {
                absence: absence.name.clone(),
                official: absence.official.clone(),
                acting: None,
                start_time: absence.start_time,
                end_time,
                early: true,
            };
            (RosterEvent::AbsenceEnded(ended), recorded_at)
        }
        AbsenceChange::Cancelled { recorded_at } => {
            let cancelled = AbsenceCancelled {
                absence: absence.name.clone(),
                official: absence.official.clone(),
                start_time: absence.start_time,
                end_time: absence.end_time,
            };
            (RosterEvent::AbsenceCancelled(cancelled), recorded_at)
        }
    }
}
