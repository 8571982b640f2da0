//! A write of the roster under way.

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_roster::{Book, GapFacts, RosterEvent};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use xietong_events::{Append, Draft};
use xietong_mesh::{Error, Stamp};

use super::register::{Register, Registers};
use crate::error::refusal;
use crate::store::body::{History, StoredAbsence, StoredAlarm, StoredDutyRoster};
use crate::store::head;
use crate::store::records::{self, Kind, Record};

/// Holds the head until its transaction ends, and the roster as it stands there, with what this
/// write itself has recorded so far.
pub(crate) struct Edit<'t> {
    tx: &'t DatabaseTransaction,
    register: Arc<Register>,
    revision: i64,
    now: Timestamp,
    stamp: Stamp,
}

impl<'t> Edit<'t> {
    /// Begins a write in a transaction. Its business time is what the clock says once it has
    /// the head, and no earlier than that of the write before: what somebody asked meanwhile, as
    /// known at that instant, is not answered otherwise later.
    pub(crate) async fn begin(
        registers: &Registers,
        tx: &'t DatabaseTransaction,
        clock: impl FnOnce() -> Timestamp,
    ) -> Result<Self, Error> {
        let (revision, last) = head::raise(tx).await?;
        let now = clock().max(last);
        head::keep_time(tx, now).await?;
        let register = registers.before(tx, revision).await?;
        let stamp = Stamp { occurred_at: Some(now), ..Stamp::default() };
        Ok(Edit { tx, register, revision, now, stamp })
    }

    /// The act is done for an official, on a ground.
    pub(crate) fn act_for(&mut self, official: &str, ground: String) {
        self.stamp.acting_for = Some(official.to_owned());
        self.stamp.ground = Some(ground);
    }

    /// What the events of this write are stamped with.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// The roster to decide on.
    pub(crate) fn book(&self) -> &Book {
        &self.register.book
    }

    /// The same with the versions of its records.
    pub(crate) fn register(&self) -> &Register {
        &self.register
    }

    /// The same for whoever computes elsewhere; what this write records later is not in it.
    pub(crate) fn shared(&self) -> Arc<Register> {
        self.register.clone()
    }

    /// The transaction of the write.
    pub(crate) fn tx(&self) -> &'t DatabaseTransaction {
        self.tx
    }

    /// Business time of the act.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Writes the row that the events leave behind. They are events of one record, in order;
    /// what is returned has to be appended to the log. Nothing when there are none.
    pub(crate) async fn record(&mut self, events: &[RosterEvent]) -> Result<Option<Append>, Error> {
        let Some(first) = events.first() else { return Ok(None) };
        let (kind, name) = (kind_of(first), first.aggregate().into_owned());
        let expected_version = self.register.version_of(&name);
        let register = Arc::make_mut(&mut self.register);
        let mut drafts = Vec::with_capacity(events.len());
        let mut version = expected_version;
        for event in events {
            register.book.apply(event, self.now).map_err(refusal)?;
            register.tell(event, self.now);
            let payload = event.to_payload().map_err(Error::internal)?;
            drafts.push(Draft { event_type: event.event_type().to_owned(), payload });
            version += 1;
        }
        register.at_version(&name, version);
        let body = body(register, kind, &name)?;
        let record = Record { name: name.clone(), version, recorded_at: self.now, body };
        if expected_version == 0 {
            records::insert(self.tx, kind, record, self.revision).await?;
        } else {
            records::update(self.tx, kind, record, expected_version, self.revision).await?;
        }
        Ok(Some(Append { aggregate: name, expected_version, drafts }))
    }
}

fn kind_of(event: &RosterEvent) -> Kind {
    match event {
        RosterEvent::UnitCreated(_) | RosterEvent::UnitChanged(_) => Kind::Unit,
        RosterEvent::CollectiveCreated(_) | RosterEvent::CollectiveChanged(_) => Kind::Collective,
        RosterEvent::OfficialCreated(_) | RosterEvent::OfficialChanged(_) => Kind::Official,
        RosterEvent::AccountCreated(_) => Kind::Account,
        RosterEvent::DivisionCreated(_) | RosterEvent::DivisionTookEffect(_) => Kind::Division,
        RosterEvent::StandInListCreated(_) => Kind::StandInList,
        RosterEvent::MandateCreated(_) | RosterEvent::MandateRevoked(_) => Kind::Mandate,
        RosterEvent::AbsenceCreated(_)
        | RosterEvent::AbsenceStarted(_)
        | RosterEvent::AbsenceActingChanged(_)
        | RosterEvent::AbsenceEnded(_)
        | RosterEvent::AbsenceCancelled(_)
        | RosterEvent::AbsenceExtended(_)
        | RosterEvent::AbsenceCorrected(_)
        | RosterEvent::AbsenceActsArrived(_)
        | RosterEvent::AbsenceAcknowledged(_) => Kind::Absence,
        RosterEvent::DutyRosterCreated(_)
        | RosterEvent::DutyRosterChanged(_)
        | RosterEvent::DutyShiftSwapped(_) => Kind::DutyRoster,
        RosterEvent::CalendarPublished(_) => Kind::Calendar,
        RosterEvent::GapOpened(_) | RosterEvent::GapChanged(_) | RosterEvent::GapClosed(_) => Kind::Alarm,
    }
}

/// A record of the book as its row holds it.
fn body(register: &Register, kind: Kind, name: &str) -> Result<String, Error> {
    let book = &register.book;
    match kind {
        Kind::Unit => write(History::of(book.unit_versions(name))),
        Kind::Collective => write(History::of(book.collective_versions(name))),
        Kind::Official => write(History::of(book.official_versions(name))),
        Kind::Account => write(book.account(name)),
        Kind::Division => write(book.division(name)),
        Kind::StandInList => write(book.stand_in_lists().find(|list| list.name == name)),
        Kind::Mandate => write(book.mandate(name)),
        Kind::Absence => write(book.absence(name).map(|absence| StoredAbsence {
            absence,
            told: Some(register.told(name)),
            acting: book.told_acting(name).to_vec(),
        })),
        Kind::DutyRoster => write(
            History::of(book.duty_roster_versions(name))
                .map(|history| StoredDutyRoster { history, swaps: book.duty_swaps(name).to_vec() }),
        ),
        Kind::Calendar => write(Some(book.published_calendars(name).collect::<Vec<_>>())),
        Kind::Alarm => write(
            book.told_gaps()
                .find(|(subject, _)| GapFacts::aggregate(subject) == name)
                .map(|(subject, told)| StoredAlarm { subject: subject.to_owned(), told: told.to_vec() }),
        ),
    }
}

fn write<T: Serialize>(record: Option<T>) -> Result<String, Error> {
    let record = record.ok_or(NotInTheBook).map_err(Error::internal)?;
    serde_json::to_string(&record).map_err(Error::internal)
}

/// An event was applied and left no record: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("an event was applied to the book and its record is not there")]
struct NotInTheBook;
