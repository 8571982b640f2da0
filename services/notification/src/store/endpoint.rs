//! Endpoints of webhooks.
//!
//! The secrets are kept as they are: a symmetric signature needs the key itself, so a digest of it
//! would not do, and this service has no key of its own to encrypt it under that would not lie
//! beside it. Whoever reads this database could sign to receivers; its backups are as secret.

use domain_calendar::Timestamp;
use domain_webhook::{DisabledBy, EndpointState, EventFilter, Keyring, Moment, Outage, Retiring, Secret};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use serde::{Deserialize, Serialize};
use xietong_store::{Backend, SqlMigration, StoreError, statement};

/// `created_at` and `updated_at` are business time, every other instant is machine time, both in
/// microseconds.
pub(super) const ENDPOINTS: SqlMigration = SqlMigration {
    name: "notification_0008_endpoints",
    statements: &[
        "CREATE TABLE endpoints (
            id TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            owner TEXT NOT NULL,
            url TEXT NOT NULL,
            display_name TEXT NOT NULL,
            description TEXT NOT NULL,
            event_filters TEXT NOT NULL,
            ordered BOOLEAN NOT NULL,
            concurrency BIGINT NOT NULL,
            sm3 BOOLEAN NOT NULL,
            keyring TEXT NOT NULL,
            standing TEXT NOT NULL,
            since_at BIGINT,
            failures BIGINT NOT NULL,
            paused_until BIGINT NOT NULL,
            disabled_by TEXT,
            position BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        )",
        "CREATE INDEX endpoints_created ON endpoints (created_at, id)",
        // One event on its way to one endpoint. `attempts` are those of a round, `tried` all.
        "CREATE TABLE deliveries (
            endpoint TEXT NOT NULL,
            position BIGINT NOT NULL,
            event TEXT NOT NULL,
            event_type TEXT NOT NULL,
            subject TEXT NOT NULL,
            state TEXT NOT NULL,
            due_at BIGINT NOT NULL,
            began_at BIGINT,
            attempts BIGINT NOT NULL,
            tried BIGINT NOT NULL,
            ended_at BIGINT,
            claim TEXT,
            claimed_until BIGINT NOT NULL,
            PRIMARY KEY (endpoint, position)
        )",
        "CREATE INDEX deliveries_due ON deliveries (endpoint, due_at, position) WHERE state = 'waiting'",
        "CREATE INDEX deliveries_next ON deliveries (due_at) WHERE state = 'waiting'",
        "CREATE INDEX deliveries_subject ON deliveries (endpoint, subject, position)
            WHERE state = 'waiting'",
        "CREATE INDEX deliveries_state ON deliveries (endpoint, state, position)",
        "CREATE INDEX deliveries_claimed ON deliveries (endpoint, claimed_until) WHERE claimed_until > 0",
        "CREATE TABLE delivery_attempts (
            endpoint TEXT NOT NULL,
            position BIGINT NOT NULL,
            number BIGINT NOT NULL,
            began_at BIGINT NOT NULL,
            took BIGINT NOT NULL,
            status BIGINT,
            outcome TEXT NOT NULL,
            excerpt TEXT NOT NULL,
            PRIMARY KEY (endpoint, position, number)
        )",
        // Ranges of the feed that are sent again: how far each has been worked off.
        "CREATE TABLE replays (
            id TEXT PRIMARY KEY,
            endpoint TEXT NOT NULL,
            position BIGINT NOT NULL,
            up_to BIGINT NOT NULL,
            from_at BIGINT,
            until_at BIGINT
        )",
        "CREATE INDEX replays_endpoint ON replays (endpoint)",
    ],
};

/// An endpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredEndpoint {
    pub(crate) id: String,
    /// Of the aggregate; the etag.
    pub(crate) version: i64,
    /// Subject of the account whose it is.
    pub(crate) owner: String,
    pub(crate) wanted: EndpointWish,
    pub(crate) keyring: Keyring,
    pub(crate) state: EndpointState,
    /// Deliveries have been made out up to this position of the feed.
    pub(crate) position: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// What whoever keeps an endpoint says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointWish {
    pub(crate) url: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) filter: EventFilter,
    pub(crate) ordered: bool,
    pub(crate) concurrency: u32,
    pub(crate) sm3: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredKeyring {
    current: String,
    retiring: Vec<(String, i64)>,
}

impl StoredEndpoint {
    /// `endpoints/{id}`.
    pub(crate) fn name(&self) -> String {
        format!("endpoints/{}", self.id)
    }

    /// As many requests may be under way at once now.
    pub(crate) fn at_once(&self) -> usize {
        self.state.at_once(usize::try_from(self.wanted.concurrency).unwrap_or(1))
    }
}

/// The words that states are stored under.
pub(crate) const ENDPOINT_STANDINGS: [&str; 4] = ["enabled", "slowed", "failing", "disabled"];

/// The columns of a state: standing, since, failures, paused until, disabled by.
fn columns(state: EndpointState) -> (&'static str, Option<i64>, i64, i64, Option<&'static str>) {
    let [enabled, slowed, failing, disabled] = ENDPOINT_STANDINGS;
    let of = |outage: Outage| (Some(outage.since.as_micros()), i64::from(outage.failures));
    match state {
        EndpointState::Enabled { outage } => {
            let (since, failures) = outage.map_or((None, 0), of);
            (enabled, since, failures, 0, None)
        }
        EndpointState::Slowed { outage, until } => {
            let (since, failures) = of(outage);
            (slowed, since, failures, until.as_micros(), None)
        }
        EndpointState::Failing { outage, until } => {
            let (since, failures) = of(outage);
            (failing, since, failures, until.as_micros(), None)
        }
        EndpointState::Disabled { by, at } => {
            let by = match by {
                DisabledBy::Gone => "gone",
                DisabledBy::Failing => "failing",
                DisabledBy::Owner => "owner",
            };
            (disabled, Some(at.as_micros()), 0, 0, Some(by))
        }
    }
}

fn read_state(row: &QueryResult) -> Result<EndpointState, StoreError> {
    let broken = |why: &str| StoreError::corrupt("state of an endpoint", why);
    let standing: String = row.try_get_by("standing")?;
    let since: Option<i64> = row.try_get_by("since_at")?;
    let since = since.map(Moment::from_micros);
    let failures = u32::try_from(row.try_get_by::<i64, _>("failures")?).unwrap_or(u32::MAX);
    let until = Moment::from_micros(row.try_get_by("paused_until")?);
    let outage = since.map(|since| Outage { since, failures });
    let needed = outage.ok_or_else(|| broken("it has no beginning"));
    match standing.as_str() {
        "enabled" => Ok(EndpointState::Enabled { outage }),
        "slowed" => Ok(EndpointState::Slowed { outage: needed?, until }),
        "failing" => Ok(EndpointState::Failing { outage: needed?, until }),
        "disabled" => {
            let by: Option<String> = row.try_get_by("disabled_by")?;
            let by = match by.as_deref() {
                Some("gone") => DisabledBy::Gone,
                Some("failing") => DisabledBy::Failing,
                Some("owner") => DisabledBy::Owner,
                Some(_) | None => return Err(broken("nobody disabled it")),
            };
            Ok(EndpointState::Disabled { by, at: needed?.since })
        }
        other => Err(broken(other)),
    }
}

fn write_keyring(keyring: &Keyring) -> Result<String, StoreError> {
    let retiring = keyring.retiring.iter().map(|one| (one.secret.reveal(), one.until.as_micros()));
    let stored = StoredKeyring { current: keyring.current.reveal(), retiring: retiring.collect() };
    serde_json::to_string(&stored).map_err(|error| StoreError::corrupt("secrets of an endpoint", error))
}

fn read_keyring(text: &str) -> Result<Keyring, StoreError> {
    // What is wrong with a secret is said without showing it.
    let broken = |_| StoreError::corrupt("secrets of an endpoint", "they are no secrets");
    let stored: StoredKeyring = serde_json::from_str(text)
        .map_err(|_| StoreError::corrupt("secrets of an endpoint", "they are no JSON"))?;
    let retiring = stored.retiring.iter().map(|(secret, until)| {
        Ok(Retiring { secret: Secret::parse(secret).map_err(broken)?, until: Moment::from_micros(*until) })
    });
    Ok(Keyring {
        current: Secret::parse(&stored.current).map_err(broken)?,
        retiring: retiring.collect::<Result<_, StoreError>>()?,
    })
}

fn read(row: &QueryResult) -> Result<StoredEndpoint, StoreError> {
    let filters: String = row.try_get_by("event_filters")?;
    let filters: Vec<String> = serde_json::from_str(&filters)
        .map_err(|error| StoreError::corrupt("filters of an endpoint", error))?;
    let keyring: String = row.try_get_by("keyring")?;
    Ok(StoredEndpoint {
        id: row.try_get_by("id")?,
        version: row.try_get_by("version")?,
        owner: row.try_get_by("owner")?,
        wanted: EndpointWish {
            url: row.try_get_by("url")?,
            display_name: row.try_get_by("display_name")?,
            description: row.try_get_by("description")?,
            filter: EventFilter::parse(&filters)
                .map_err(|error| StoreError::corrupt("filters of an endpoint", error))?,
            ordered: row.try_get_by("ordered")?,
            concurrency: u32::try_from(row.try_get_by::<i64, _>("concurrency")?).unwrap_or(1),
            sm3: row.try_get_by("sm3")?,
        },
        keyring: read_keyring(&keyring)?,
        state: read_state(row)?,
        position: row.try_get_by("position")?,
        created_at: Timestamp::from_micros(row.try_get_by("created_at")?),
        updated_at: Timestamp::from_micros(row.try_get_by("updated_at")?),
    })
}

/// One endpoint.
pub(crate) async fn endpoint<C: ConnectionTrait>(
    connection: &C,
    id: &str,
) -> Result<Option<StoredEndpoint>, StoreError> {
    let sql = "SELECT * FROM endpoints WHERE id = $1";
    let row = connection.query_one_raw(statement(connection, sql, [id.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// How long to wait for an endpoint that somebody else has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until it is free.
    Wait,
    /// Not at all: it is as if it were not there.
    Skip,
}

/// One endpoint, kept until the transaction ends. Whoever takes deliveries or inboxes as well takes
/// it first.
pub(crate) async fn locked_endpoint(
    tx: &DatabaseTransaction,
    id: &str,
    patience: Patience,
) -> Result<Option<StoredEndpoint>, StoreError> {
    let lock = match (Backend::from(tx.get_database_backend()), patience) {
        (Backend::Sqlite, _) => "",
        (Backend::Postgres, Patience::Wait) => "FOR UPDATE",
        (Backend::Postgres, Patience::Skip) => "FOR UPDATE SKIP LOCKED",
    };
    let sql = format!("SELECT * FROM endpoints WHERE id = $1 {lock}");
    let row = tx.query_one_raw(statement(tx, &sql, [id.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// Endpoints after one in order of registering, of one owner or of all.
pub(crate) async fn endpoints_after<C: ConnectionTrait>(
    connection: &C,
    owner: Option<&str>,
    after: Option<&(i64, String)>,
    limit: u64,
) -> Result<Vec<StoredEndpoint>, StoreError> {
    let (created_at, id) = after.map_or((i64::MIN, ""), |(created_at, id)| (*created_at, id.as_str()));
    let sql = "SELECT * FROM endpoints WHERE (created_at > $1 OR (created_at = $1 AND id > $2))
               AND ($3 = '' OR owner = $3) ORDER BY created_at, id LIMIT $4";
    let values: [Value; 4] = [created_at.into(), id.into(), owner.unwrap_or_default().into(), limit.into()];
    connection.query_all_raw(statement(connection, sql, values)).await?.iter().map(read).collect()
}

/// Endpoints that are sent to and have not been given everything up to a position of the feed.
pub(crate) async fn endpoints_behind<C: ConnectionTrait>(
    connection: &C,
    head: i64,
) -> Result<Vec<StoredEndpoint>, StoreError> {
    let sql = "SELECT * FROM endpoints WHERE standing <> 'disabled' AND position < $1 ORDER BY position";
    connection.query_all_raw(statement(connection, sql, [head.into()])).await?.iter().map(read).collect()
}

/// Endpoints that something can be sent to at an instant.
pub(crate) async fn endpoints_due<C: ConnectionTrait>(
    connection: &C,
    now: Moment,
) -> Result<Vec<StoredEndpoint>, StoreError> {
    let sql = "SELECT * FROM endpoints WHERE standing <> 'disabled' AND paused_until <= $1
               AND EXISTS (SELECT 1 FROM deliveries WHERE endpoint = endpoints.id AND state = 'waiting'
                           AND due_at <= $1 AND claimed_until <= $1) ORDER BY id";
    let values = [now.as_micros().into()];
    connection.query_all_raw(statement(connection, sql, values)).await?.iter().map(read).collect()
}

/// Whether there is any.
pub(crate) async fn has_endpoints<C: ConnectionTrait>(connection: &C) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS one FROM endpoints LIMIT 1";
    Ok(connection.query_one_raw(statement(connection, sql, [])).await?.is_some())
}

/// Stores a new endpoint.
pub(crate) async fn insert_endpoint(
    tx: &DatabaseTransaction,
    endpoint: &StoredEndpoint,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO endpoints (id, version, owner, url, display_name, description, event_filters,
               ordered, concurrency, sm3, keyring, standing, since_at, failures, paused_until, disabled_by,
               position, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
    let mut values: Vec<Value> =
        vec![endpoint.id.as_str().into(), endpoint.version.into(), endpoint.owner.as_str().into()];
    values.extend(said(endpoint)?);
    values.extend([endpoint.position.into(), endpoint.created_at.as_micros().into()]);
    values.push(endpoint.updated_at.as_micros().into());
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// The values from `url` to `disabled_by`.
fn said(endpoint: &StoredEndpoint) -> Result<Vec<Value>, StoreError> {
    let EndpointWish { url, display_name, description, filter, ordered, concurrency, sm3 } = &endpoint.wanted;
    let filters = serde_json::to_string(filter.patterns())
        .map_err(|error| StoreError::corrupt("filters of an endpoint", error))?;
    let (standing, since, failures, until, by) = columns(endpoint.state);
    Ok(vec![
        url.as_str().into(),
        display_name.as_str().into(),
        description.as_str().into(),
        filters.into(),
        (*ordered).into(),
        i64::from(*concurrency).into(),
        (*sm3).into(),
        write_keyring(&endpoint.keyring)?.into(),
        standing.into(),
        since.into(),
        failures.into(),
        until.into(),
        by.map(str::to_owned).into(),
    ])
}

/// Stores an endpoint that is locked, all but its position.
pub(crate) async fn save_endpoint(
    tx: &DatabaseTransaction,
    endpoint: &StoredEndpoint,
) -> Result<(), StoreError> {
    let sql = "UPDATE endpoints SET version = $2, url = $3, display_name = $4, description = $5,
               event_filters = $6, ordered = $7, concurrency = $8, sm3 = $9, keyring = $10, standing = $11,
               since_at = $12, failures = $13, paused_until = $14, disabled_by = $15, updated_at = $16
               WHERE id = $1";
    let mut values: Vec<Value> = vec![endpoint.id.as_str().into(), endpoint.version.into()];
    values.extend(said(endpoint)?);
    values.push(endpoint.updated_at.as_micros().into());
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Moves the position of an endpoint that is locked.
pub(crate) async fn move_endpoint(tx: &DatabaseTransaction, id: &str, to: i64) -> Result<(), StoreError> {
    let sql = "UPDATE endpoints SET position = $2 WHERE id = $1";
    tx.execute_raw(statement(tx, sql, [id.into(), to.into()])).await?;
    Ok(())
}

/// Removes an endpoint with everything that was sent to it.
pub(crate) async fn remove_endpoint(tx: &DatabaseTransaction, id: &str) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM delivery_attempts WHERE endpoint = $1",
        "DELETE FROM deliveries WHERE endpoint = $1",
        "DELETE FROM replays WHERE endpoint = $1",
        "DELETE FROM endpoints WHERE id = $1",
    ] {
        tx.execute_raw(statement(tx, sql, [id.into()])).await?;
    }
    Ok(())
}
