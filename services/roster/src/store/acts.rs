//! What was done for officials while they were away, heard from every service's log.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{SqlMigration, StoreError, statement};

pub(crate) const ACTS: SqlMigration = SqlMigration {
    name: "roster_0004_acts",
    statements: &[
        "CREATE TABLE acts (
            absence TEXT NOT NULL,
            number BIGINT NOT NULL,
            producer TEXT NOT NULL,
            event_id TEXT NOT NULL,
            position BIGINT NOT NULL,
            type TEXT NOT NULL,
            subject TEXT NOT NULL,
            actor TEXT NOT NULL,
            acting_official TEXT NOT NULL,
            ground TEXT NOT NULL,
            occurred_at BIGINT NOT NULL,
            description TEXT NOT NULL,
            PRIMARY KEY (absence, number)
        )",
        "CREATE TABLE act_tallies (
            absence TEXT PRIMARY KEY,
            acts BIGINT NOT NULL,
            told BIGINT NOT NULL,
            acknowledged BIGINT NOT NULL
        )",
    ],
};

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act {
    /// `absences/{id}` of whom it was done for.
    pub(crate) absence: String,
    /// Dense in the absence, from 1, in the order of hearing.
    pub(crate) number: i64,
    /// The service in whose log it is.
    pub(crate) producer: String,
    /// The event's id.
    pub(crate) event_id: String,
    /// Its position in that log.
    pub(crate) position: i64,
    /// Its type.
    pub(crate) event_type: String,
    /// The aggregate.
    pub(crate) subject: String,
    /// Subject of the account.
    pub(crate) actor: String,
    /// The account's official; empty: none.
    pub(crate) acting_official: String,
    /// On what ground; empty: none was stated.
    pub(crate) ground: String,
    /// Business time.
    pub(crate) occurred_at: Timestamp,
    /// In Chinese.
    pub(crate) description: String,
}

/// How far an absence's acts are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many were heard of.
    pub(crate) acts: i64,
    /// How many of them the official was told of.
    pub(crate) told: i64,
    /// How many of them the official acknowledged.
    pub(crate) acknowledged: i64,
}

const COLUMNS: &str = "absence, number, producer, event_id, position, type, subject, actor, \
     acting_official, ground, occurred_at, description";

/// Writes one act.
pub(crate) async fn insert(tx: &DatabaseTransaction, act: &Act) -> Result<(), StoreError> {
    let sql =
        format!("INSERT INTO acts ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
    let values: [Value; 12] = [
        act.absence.as_str().into(),
        act.number.into(),
        act.producer.as_str().into(),
        act.event_id.as_str().into(),
        act.position.into(),
        act.event_type.as_str().into(),
        act.subject.as_str().into(),
        act.actor.as_str().into(),
        act.acting_official.as_str().into(),
        act.ground.as_str().into(),
        act.occurred_at.as_micros().into(),
        act.description.as_str().into(),
    ];
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}

/// At most so many acts of an absence after a number, in order.
pub(crate) async fn after<C: ConnectionTrait>(
    connection: &C,
    absence: &str,
    number: i64,
    limit: u64,
) -> Result<Vec<Act>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM acts WHERE absence = $1 AND number > $2 ORDER BY number LIMIT $3");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value; 3] = [absence.into(), number.into(), limit.into()];
    connection.query_all_raw(statement(connection, &sql, values)).await?.iter().map(read).collect()
}

/// How far one absence's acts are.
pub(crate) async fn tally<C: ConnectionTrait>(connection: &C, absence: &str) -> Result<Tally, StoreError> {
    let sql = "SELECT absence, acts, told, acknowledged FROM act_tallies WHERE absence = $1";
    let row = connection.query_one_raw(statement(connection, sql, [absence.into()])).await?;
    Ok(row.as_ref().map(read_tally).transpose()?.map(|(_, tally)| tally).unwrap_or_default())
}

/// How far the acts of every absence are that has any.
pub(crate) async fn tallies<C: ConnectionTrait>(
    connection: &C,
) -> Result<BTreeMap<String, Tally>, StoreError> {
    let sql = "SELECT absence, acts, told, acknowledged FROM act_tallies";
    let rows = connection.query_all_raw(statement(connection, sql, [])).await?;
    rows.iter().map(read_tally).collect()
}

/// Writes how far an absence's acts are.
pub(crate) async fn save(tx: &DatabaseTransaction, absence: &str, tally: Tally) -> Result<(), StoreError> {
    let sql = "INSERT INTO act_tallies (absence, acts, told, acknowledged) VALUES ($1, $2, $3, $4)
               ON CONFLICT (absence) DO UPDATE SET acts = EXCLUDED.acts, told = EXCLUDED.told,
               acknowledged = EXCLUDED.acknowledged";
    let values: [Value; 4] =
        [absence.into(), tally.acts.into(), tally.told.into(), tally.acknowledged.into()];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

fn read(row: &QueryResult) -> Result<Act, StoreError> {
    Ok(Act {
        absence: row.try_get_by("absence")?,
        number: row.try_get_by("number")?,
        producer: row.try_get_by("producer")?,
        event_id: row.try_get_by("event_id")?,
        position: row.try_get_by("position")?,
        event_type: row.try_get_by("type")?,
        subject: row.try_get_by("subject")?,
        actor: row.try_get_by("actor")?,
        acting_official: row.try_get_by("acting_official")?,
        ground: row.try_get_by("ground")?,
        occurred_at: Timestamp::from_micros(row.try_get_by("occurred_at")?),
        description: row.try_get_by("description")?,
    })
}

fn read_tally(row: &QueryResult) -> Result<(String, Tally), StoreError> {
    let tally = Tally {
        acts: row.try_get_by("acts")?,
        told: row.try_get_by("told")?,
        acknowledged: row.try_get_by("acknowledged")?,
    };
    Ok((row.try_get_by("absence")?, tally))
}
