//! Rows of the roster's tables.

use domain_calendar::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{StoreError, statement};

/// What a record is; each kind has its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Unit,
    Collective,
    Official,
    Account,
    Division,
    StandInList,
    Absence,
    Mandate,
    DutyRoster,
    Alarm,
    Calendar,
}

impl Kind {
    /// Every kind, those others refer to first.
    pub(crate) const ALL: [Kind; 11] = [
        Kind::Unit,
        Kind::Collective,
        Kind::Official,
        Kind::Account,
        Kind::Division,
        Kind::StandInList,
        Kind::Absence,
        Kind::Mandate,
        Kind::DutyRoster,
        Kind::Alarm,
        Kind::Calendar,
    ];

    fn table(self) -> &'static str {
        match self {
            Kind::Unit => "units",
            Kind::Collective => "collectives",
            Kind::Official => "officials",
            Kind::Account => "accounts",
            Kind::Division => "divisions",
            Kind::StandInList => "stand_in_lists",
            Kind::Absence => "absences",
            Kind::Mandate => "mandates",
            Kind::DutyRoster => "duty_rosters",
            Kind::Alarm => "coverage_alarms",
            Kind::Calendar => "calendars",
        }
    }
}

/// A row: one record of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Resource name.
    pub(crate) name: String,
    /// Version of its last event.
    pub(crate) version: i64,
    /// When the roster learned of it, in business time.
    pub(crate) recorded_at: Timestamp,
    /// The domain's record as JSON.
    pub(crate) body: String,
}

/// Records written or changed after a version of the head, in the order of being created.
pub(crate) async fn changed_since<C: ConnectionTrait>(
    connection: &C,
    kind: Kind,
    revision: i64,
) -> Result<Vec<Record>, StoreError> {
    let sql = format!(
        "SELECT name, version, recorded_at, body FROM {} WHERE revision > $1 ORDER BY created_revision",
        kind.table()
    );
    let rows = connection.query_all_raw(statement(connection, &sql, [revision.into()])).await?;
    rows.iter().map(read).collect()
}

/// Writes a new record at a version of the head.
pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    kind: Kind,
    record: Record,
    revision: i64,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO {} (name, version, created_revision, revision, recorded_at, body)
         VALUES ($1, $2, $3, $4, $5, $6)",
        kind.table()
    );
    let values: [Value; 6] = [
        record.name.into(),
        record.version.into(),
        revision.into(),
        revision.into(),
        record.recorded_at.as_micros().into(),
        record.body.into(),
    ];
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}

/// Changes a record that is still at version `expected`; when it was recorded stays.
pub(crate) async fn update(
    tx: &DatabaseTransaction,
    kind: Kind,
    record: Record,
    expected: i64,
    revision: i64,
) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE {} SET version = $1, revision = $2, body = $3 WHERE name = $4 AND version = $5",
        kind.table()
    );
    let name = record.name.clone();
    let values: [Value; 5] =
        [record.version.into(), revision.into(), record.body.into(), record.name.into(), expected.into()];
    let result = tx.execute_raw(statement(tx, &sql, values)).await?;
    if result.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale(name)) }
}

fn read(row: &QueryResult) -> Result<Record, StoreError> {
    Ok(Record {
        name: row.try_get_by("name")?,
        version: row.try_get_by("version")?,
        recorded_at: Timestamp::from_micros(row.try_get_by("recorded_at")?),
        body: row.try_get_by("body")?,
    })
}
