//! How much is told to whom: counted from the messages, by ISO week of Asia/Shanghai.

use domain_calendar::Timestamp;
use domain_notification::NoticeKind;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde::{Deserialize, Serialize};
use xietong_store::{Parameters, SqlMigration, StoreError, statement};

/// What brought a message about, and how many it would have been. Messages from before name no cause.
pub(super) const CAUSES: SqlMigration = SqlMigration {
    name: "notification_0203_causes",
    statements: &[
        "ALTER TABLE messages ADD COLUMN producer TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE messages ADD COLUMN event_type TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE messages ADD COLUMN unit TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE messages ADD COLUMN told_as_one BIGINT NOT NULL DEFAULT 1",
        "CREATE INDEX messages_sent ON messages (sent_at)",
    ],
};

/// Microseconds in a week.
const WEEK: i64 = 7 * 24 * 3_600 * 1_000_000;
/// Monday 1970-01-05 00:00 Asia/Shanghai, in microseconds since the epoch. Asia/Shanghai has been at
/// UTC+8 throughout since 1991.
const FIRST_MONDAY: i64 = (4 * 24 - 8) * 3_600 * 1_000_000;

/// Whose messages are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BurdenFilter {
    /// Sent at this instant or later.
    pub(crate) from: Timestamp,
    /// Sent before this instant.
    pub(crate) until: Timestamp,
    /// To those who served this unit.
    pub(crate) unit: Option<String>,
    /// To this official.
    pub(crate) official: Option<String>,
    /// Who asks may see only what is told in these units, and to this official; none: everything.
    pub(crate) within: Option<(Vec<String>, Option<String>)>,
}

/// A week of an official in a unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct BurdenKey {
    /// Weeks since the one of 1970-01-05.
    pub(crate) week: i64,
    /// `units/{slug}`; empty for those who served none.
    pub(crate) unit: String,
    /// `officials/{id}`.
    pub(crate) official: String,
}

/// Messages of one kind and cause in a week of an official.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BurdenRow {
    pub(crate) key: BurdenKey,
    pub(crate) kind: NoticeKind,
    pub(crate) producer: String,
    pub(crate) event_type: String,
    /// Messages.
    pub(crate) notices: i64,
    /// Of these, those to be signed for.
    pub(crate) asks: i64,
    /// Messages that were spared, since several were told as one.
    pub(crate) avoided: i64,
}

impl BurdenKey {
    /// The week of an instant, of nobody.
    pub(crate) fn week_of(at: Timestamp) -> Self {
        let week = (at.as_micros() - FIRST_MONDAY).div_euclid(WEEK);
        BurdenKey { week, unit: String::new(), official: String::new() }
    }

    /// The first instant of the week.
    pub(crate) fn begins(&self) -> Timestamp {
        Timestamp::from_micros(FIRST_MONDAY + self.week * WEEK)
    }
}

/// What was told in the weeks after a key, by kind and cause, of at most `limit` keys in order.
pub(crate) async fn burden(
    reader: &DatabaseConnection,
    filter: &BurdenFilter,
    after: Option<&BurdenKey>,
    limit: u64,
) -> Result<Vec<BurdenRow>, StoreError> {
    let mut parameters = Parameters::default();
    let from = parameters.bind(filter.from.as_micros());
    let until = parameters.bind(filter.until.as_micros());
    let mut conditions = format!("sent_at >= {from} AND sent_at < {until}");
    for (column, value) in [("unit", &filter.unit), ("recipient", &filter.official)] {
        if let Some(value) = value {
            conditions = format!("{conditions} AND {column} = {}", parameters.bind(value.as_str()));
        }
    }
    if let Some((units, official)) = &filter.within {
        let units = parameters.bind_all(units.iter().map(String::as_str));
        let official = parameters.bind(official.as_deref().unwrap_or_default());
        conditions = format!("{conditions} AND (unit IN ({units}) OR recipient = {official})");
    }
    let past = after.map(|key| {
        let week = parameters.bind(key.week);
        let (unit, official) = (parameters.bind(key.unit.as_str()), parameters.bind(key.official.as_str()));
        format!("WHERE (week, unit, recipient) > ({week}, {unit}, {official})")
    });
    let limit = parameters.bind(limit);
    let sql = format!(
        "WITH sent AS (
             SELECT (sent_at - {FIRST_MONDAY}) / {WEEK} AS week, unit, recipient, kind, producer, event_type,
                 requires_acknowledgement, told_as_one
             FROM messages WHERE {conditions}
         ), page AS (
             SELECT DISTINCT week, unit, recipient FROM sent {}
             ORDER BY week, unit, recipient LIMIT {limit}
         )
         SELECT week, unit, recipient, kind, producer, event_type, COUNT(*) AS notices,
             COUNT(*) FILTER (WHERE requires_acknowledgement) AS asks,
             CAST(SUM(told_as_one - 1) AS BIGINT) AS avoided
         FROM sent JOIN page USING (week, unit, recipient)
         GROUP BY week, unit, recipient, kind, producer, event_type
         ORDER BY week, unit, recipient, kind, producer, event_type",
        past.unwrap_or_default()
    );
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter()
        .map(|row| {
            let kind: String = row.try_get_by("kind")?;
            Ok(BurdenRow {
                key: BurdenKey {
                    week: row.try_get_by("week")?,
                    unit: row.try_get_by("unit")?,
                    official: row.try_get_by("recipient")?,
                },
                kind: kind.parse().map_err(|why| StoreError::corrupt("kind of a message", why))?,
                producer: row.try_get_by("producer")?,
                event_type: row.try_get_by("event_type")?,
                notices: row.try_get_by("notices")?,
                asks: row.try_get_by("asks")?,
                avoided: row.try_get_by("avoided")?,
            })
        })
        .collect()
}

/// What was told in a unit, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitBurden {
    pub(crate) unit: String,
    pub(crate) kind: NoticeKind,
    pub(crate) notices: i64,
    pub(crate) asks: i64,
    pub(crate) avoided: i64,
}

/// What was told from an instant on, by unit and kind.
pub(crate) async fn burden_by_unit(
    reader: &DatabaseConnection,
    from: Timestamp,
) -> Result<Vec<UnitBurden>, StoreError> {
    let sql = "SELECT unit, kind, COUNT(*) AS notices,
                   COUNT(*) FILTER (WHERE requires_acknowledgement) AS asks,
                   CAST(SUM(told_as_one - 1) AS BIGINT) AS avoided
               FROM messages WHERE sent_at >= $1 GROUP BY unit, kind";
    let rows = reader.query_all_raw(statement(reader, sql, [from.as_micros().into()])).await?;
    rows.iter()
        .map(|row| {
            let kind: String = row.try_get_by("kind")?;
            Ok(UnitBurden {
                unit: row.try_get_by("unit")?,
                kind: kind.parse().map_err(|why| StoreError::corrupt("kind of a message", why))?,
                notices: row.try_get_by("notices")?,
                asks: row.try_get_by("asks")?,
                avoided: row.try_get_by("avoided")?,
            })
        })
        .collect()
}
