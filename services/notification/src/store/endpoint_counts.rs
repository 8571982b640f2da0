//! How many deliveries of each endpoint wait, are held or were given up.

use sea_orm::ConnectionTrait;
use xietong_store::{StoreError, statement};

/// Of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointCounts {
    /// `endpoints/{id}`.
    pub(crate) endpoint: String,
    /// The word that its state is stored under.
    pub(crate) standing: String,
    pub(crate) waiting: i64,
    pub(crate) held: i64,
    pub(crate) dead_letters: i64,
}

/// Of every endpoint. Each count is a range of an index by endpoint and state: what was delivered, which
/// is most of the table, is not looked at.
pub(crate) async fn endpoint_counts<C: ConnectionTrait>(
    connection: &C,
) -> Result<Vec<EndpointCounts>, StoreError> {
    let sql = "SELECT id, standing,
        (SELECT COUNT(*) FROM deliveries WHERE endpoint = endpoints.id AND state = 'waiting') AS waiting,
        (SELECT COUNT(*) FROM deliveries WHERE endpoint = endpoints.id AND state = 'held') AS held,
        (SELECT COUNT(*) FROM deliveries WHERE endpoint = endpoints.id AND state = 'dead_letter') AS dead
        FROM endpoints ORDER BY id";
    let rows = connection.query_all_raw(statement(connection, sql, [])).await?;
    rows.iter()
        .map(|row| {
            Ok(EndpointCounts {
                endpoint: format!("endpoints/{}", row.try_get_by::<String, _>("id")?),
                standing: row.try_get_by("standing")?,
                waiting: row.try_get_by("waiting")?,
                held: row.try_get_by("held")?,
                dead_letters: row.try_get_by("dead")?,
            })
        })
        .collect()
}
