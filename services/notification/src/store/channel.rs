//! How channels stand: whether each rests, and how much of its rate is used; shared by all replicas.

use domain_channel::{Breaker, Bucket};
use domain_notification::Channel;
use domain_webhook::Moment;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{Backend, StoreError, statement};

use super::endpoint::Patience;
use super::texts;

/// How a channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChannelStanding {
    pub(crate) breaker: Breaker,
    pub(crate) bucket: Bucket,
}

const CLOSED: &str = "closed";
const OPEN: &str = "open";
const HALF_OPEN: &str = "half_open";

/// How a channel stands.
pub(crate) async fn channel_standing<C: ConnectionTrait>(
    connection: &C,
    channel: Channel,
) -> Result<Option<ChannelStanding>, StoreError> {
    let sql = "SELECT * FROM channels WHERE channel = $1";
    let row = connection.query_one_raw(statement(connection, sql, texts([channel.as_str()]))).await?;
    row.as_ref().map(read).transpose()
}

/// The same, kept until the transaction ends; none when somebody else keeps it and is not waited for.
pub(crate) async fn locked_channel(
    tx: &DatabaseTransaction,
    channel: Channel,
    patience: Patience,
) -> Result<Option<ChannelStanding>, StoreError> {
    let lock = match (Backend::from(tx.get_database_backend()), patience) {
        (Backend::Sqlite, _) => "",
        (Backend::Postgres, Patience::Wait) => "FOR UPDATE",
        (Backend::Postgres, Patience::Skip) => "FOR UPDATE SKIP LOCKED",
    };
    let sql = format!("SELECT * FROM channels WHERE channel = $1 {lock}");
    let row = tx.query_one_raw(statement(tx, &sql, texts([channel.as_str()]))).await?;
    row.as_ref().map(read).transpose()
}

/// Stores how a locked channel stands.
pub(crate) async fn save_channel(
    tx: &DatabaseTransaction,
    channel: Channel,
    standing: ChannelStanding,
) -> Result<(), StoreError> {
    let zero = Moment::from_micros(0);
    let (word, failures, since, until, rests) = match standing.breaker {
        Breaker::Closed { failures, since } => (CLOSED, failures, since, zero, 0),
        Breaker::Open { until, rests } => (OPEN, 0, zero, until, rests),
        Breaker::HalfOpen { until, rests } => (HALF_OPEN, 0, zero, until, rests),
    };
    let sql = "UPDATE channels SET breaker = $2, failures = $3, since_at = $4, until_at = $5, rests = $6,
               full_at = $7 WHERE channel = $1";
    let values: [Value; 7] = [
        channel.as_str().into(),
        word.into(),
        i64::from(failures).into(),
        since.as_micros().into(),
        until.as_micros().into(),
        i64::from(rests).into(),
        standing.bucket.when_full().as_micros().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

fn read(row: &QueryResult) -> Result<ChannelStanding, StoreError> {
    let number = |column: &str| -> Result<u32, StoreError> {
        Ok(u32::try_from(row.try_get_by::<i64, _>(column)?).unwrap_or(u32::MAX))
    };
    let instant =
        |column: &str| -> Result<Moment, StoreError> { Ok(Moment::from_micros(row.try_get_by(column)?)) };
    let word: String = row.try_get_by("breaker")?;
    let breaker = match word.as_str() {
        CLOSED => Breaker::Closed { failures: number("failures")?, since: instant("since_at")? },
        OPEN => Breaker::Open { until: instant("until_at")?, rests: number("rests")? },
        HALF_OPEN => Breaker::HalfOpen { until: instant("until_at")?, rests: number("rests")? },
        other => return Err(StoreError::corrupt("breaker of a channel", other)),
    };
    Ok(ChannelStanding { breaker, bucket: Bucket::full_at(instant("full_at")?) })
}
