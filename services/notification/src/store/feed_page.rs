//! The change feed: reading it, page by page after a position.
//!
//! The query finds by index what is within reach of a [`FeedScope`], a little more at times;
//! whether each entry may be seen is then asked of the scope itself, by the record as it is now.

use domain_calendar::Timestamp;
use domain_notification::FeedKind;
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult};
use xietong_store::{Parameters, ROWS, StoreError, statement};

use super::feed::{EVERYBODY, read_audience};
use super::feed_scope::FeedScope;

/// More units than this hold so much of the feed that it is read itself.
const MOST_UNITS: usize = 32;
/// Positions that a page looks through for what a filter asks for, at most.
const WINDOW: i64 = 20_000;

/// An entry as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredEntry {
    /// Its place in the feed, dense from 1.
    pub(crate) position: i64,
    /// The event's id.
    pub(crate) id: String,
    /// The service that recorded it.
    pub(crate) source: String,
    /// The event's type.
    pub(crate) event_type: String,
    /// The aggregate it is an event of.
    pub(crate) subject: String,
    /// Version of the aggregate.
    pub(crate) sequence: i64,
    /// Who acted.
    pub(crate) actor: String,
    /// Official acted for.
    pub(crate) acting_for: Option<String>,
    /// On what ground.
    pub(crate) ground: Option<String>,
    /// Business time of the act.
    pub(crate) occurred_at: Timestamp,
    /// W3C trace context.
    pub(crate) traceparent: Option<String>,
    /// Id of the event that caused it.
    pub(crate) causation_id: Option<String>,
    /// A JSON object.
    pub(crate) data: String,
}

/// What is asked for of the feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FeedFilter {
    /// Of any of these types; empty: of all.
    pub(crate) types: Vec<TypePattern>,
    /// Of one aggregate.
    pub(crate) subject: Option<String>,
    /// Of one service.
    pub(crate) source: Option<String>,
}

/// Types of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TypePattern {
    /// One type.
    Exactly(String),
    /// All that begin with these words, the last dot included.
    Beginning(String),
}

/// What was found after a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeedPage {
    /// In order of position.
    pub(crate) entries: Vec<StoredEntry>,
    /// Up to here nothing else is to be seen; where the next page goes on after. Not above the
    /// last position that is given out.
    pub(crate) looked_to: i64,
}

/// The last position that is given out.
pub(crate) async fn feed_head(reader: &DatabaseConnection) -> Result<i64, StoreError> {
    let sql = "SELECT last_position FROM feed_counter";
    let row = reader.query_one_raw(statement(reader, sql, [])).await?;
    Ok(row.map(|row| row.try_get_by("last_position")).transpose()?.unwrap_or(0))
}

/// The next entries after a position, at most `limit`, that a scope permits and a filter asks for.
/// There may be fewer although more follow: the end is reached when `looked_to` grows no more.
pub(crate) async fn feed_after(
    reader: &DatabaseConnection,
    scope: &FeedScope,
    filter: &FeedFilter,
    after: i64,
    limit: u64,
) -> Result<FeedPage, StoreError> {
    // Read first: what the query does not find up to here is not there.
    let head = feed_head(reader).await?;
    if after >= head {
        return Ok(FeedPage { entries: Vec::new(), looked_to: after });
    }
    let window = if filter.subject.is_none() && !(filter.types.is_empty() && filter.source.is_none()) {
        head.min(after.saturating_add(WINDOW))
    } else {
        head
    };
    let (sql, parameters) = query(scope, filter, (after, window), limit);
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    let full = rows.len() as u64 >= limit;
    let mut looked_to = window;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        let entry = read(row)?;
        if full {
            looked_to = entry.position;
        }
        if permitted(row, scope)? {
            entries.push(entry);
        }
    }
    Ok(FeedPage { entries, looked_to })
}

/// The entries at these positions that a scope permits.
pub(crate) async fn feed_at(
    reader: &DatabaseConnection,
    scope: &FeedScope,
    positions: &[i64],
) -> Result<Vec<StoredEntry>, StoreError> {
    let mut entries = Vec::with_capacity(positions.len());
    for chunk in positions.chunks(ROWS) {
        let mut parameters = Parameters::default();
        let sql = format!(
            "SELECT feed.*, feed_records.audience FROM feed
             JOIN feed_records ON feed_records.record = feed.record WHERE feed.position IN ({})",
            parameters.bind_all(chunk.iter().copied())
        );
        for row in reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await? {
            if permitted(&row, scope)? {
                entries.push(read(&row)?);
            }
        }
    }
    Ok(entries)
}

fn permitted(row: &QueryResult, scope: &FeedScope) -> Result<bool, StoreError> {
    let kind: String = row.try_get_by("kind")?;
    let kind: FeedKind =
        kind.parse().map_err(|why| StoreError::corrupt("kind of an entry of the feed", why))?;
    let audience: String = row.try_get_by("audience")?;
    Ok(scope.permits(kind, &read_audience(&audience)?))
}

/// What finds the entries within reach, after the first of two positions and up to the second.
fn query(
    scope: &FeedScope,
    filter: &FeedFilter,
    (after, to): (i64, i64),
    limit: u64,
) -> (String, Parameters) {
    let mut parameters = Parameters::default();
    let between = format!("> {} AND position <= {}", parameters.bind(after), parameters.bind(to));
    let limit = parameters.bind(limit);
    let asked = asked_for(filter, &mut parameters);
    let arms = arms(scope, filter, &mut parameters);
    let arms: Vec<String> = arms
        .into_iter()
        .map(|Arm { table, condition }| {
            let asked = match (&asked, table) {
                (None, _) => String::new(),
                (Some(asked), "feed") => format!(" AND {asked}"),
                (Some(asked), _) => format!(
                    " AND EXISTS (SELECT 1 FROM feed WHERE feed.position = {table}.position AND {asked})"
                ),
            };
            format!(
                "SELECT position FROM (SELECT position FROM {table} WHERE position {between} AND {condition}{asked}
                 ORDER BY position LIMIT {limit}) AS arm"
            )
        })
        .collect();
    let sql = format!(
        "SELECT feed.*, feed_records.audience FROM
         (SELECT position AS place FROM ({}) AS found ORDER BY position LIMIT {limit}) AS page
         JOIN feed ON feed.position = page.place
         JOIN feed_records ON feed_records.record = feed.record
         ORDER BY feed.position",
        arms.join(" UNION ")
    );
    (sql, parameters)
}

/// One way in which entries come within reach, in order of position by an index.
struct Arm {
    table: &'static str,
    condition: String,
}

fn arms(scope: &FeedScope, filter: &FeedFilter, parameters: &mut Parameters) -> Vec<Arm> {
    let of_feed = |condition: String| Arm { table: "feed", condition };
    if let Some(subject) = &filter.subject {
        return vec![of_feed(format!("subject = {}", parameters.bind(subject.as_str())))];
    }
    let whole: Vec<FeedKind> = scope.whole_kinds().collect();
    let words = |kinds: &[FeedKind]| kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>();
    // Most of what happens happens to tasks.
    if whole.contains(&FeedKind::Task) {
        let kinds: Vec<FeedKind> = scope.kinds().collect();
        return vec![of_feed(format!("kind IN ({})", parameters.bind_all(words(&kinds))))];
    }
    let units = scope.units();
    if units.len() > MOST_UNITS {
        let holders = parameters.bind_all(units.into_iter().chain([EVERYBODY]));
        let kinds = parameters.bind_all(words(&whole));
        return vec![of_feed(format!(
            "(kind IN ({kinds}) OR EXISTS (SELECT 1 FROM feed_holders AS held
              WHERE held.position = feed.position AND holder IN ({holders})))"
        ))];
    }
    let of_kinds = whole.iter().map(|kind| format!("kind = '{}'", kind.as_str())).map(of_feed);
    let mut arms: Vec<Arm> = of_kinds.collect();
    for holder in units.into_iter().chain([EVERYBODY]) {
        let condition = format!("holder = {}", parameters.bind(holder));
        arms.push(Arm { table: "feed_holders", condition });
    }
    arms
}

/// The condition over `feed` that an entry is asked for, unless all are.
fn asked_for(filter: &FeedFilter, parameters: &mut Parameters) -> Option<String> {
    let mut conditions = Vec::new();
    if let Some(source) = &filter.source {
        conditions.push(format!("feed.source = {}", parameters.bind(source.as_str())));
    }
    let types: Vec<String> = filter.types.iter().map(|pattern| of_type(pattern, parameters)).collect();
    if !types.is_empty() {
        conditions.push(format!("({})", types.join(" OR ")));
    }
    (!conditions.is_empty()).then(|| conditions.join(" AND "))
}

fn of_type(pattern: &TypePattern, parameters: &mut Parameters) -> String {
    match pattern {
        TypePattern::Exactly(name) => format!("feed.type = {}", parameters.bind(name.as_str())),
        TypePattern::Beginning(words) => {
            let words = words.replace('!', "!!").replace('%', "!%").replace('_', "!_");
            format!("feed.type LIKE {} ESCAPE '!'", parameters.bind(format!("{words}%")))
        }
    }
}

fn read(row: &QueryResult) -> Result<StoredEntry, StoreError> {
    Ok(StoredEntry {
        position: row.try_get_by("position")?,
        id: row.try_get_by("id")?,
        source: row.try_get_by("source")?,
        event_type: row.try_get_by("type")?,
        subject: row.try_get_by("subject")?,
        sequence: row.try_get_by("sequence")?,
        actor: row.try_get_by("actor")?,
        acting_for: row.try_get_by("acting_for")?,
        ground: row.try_get_by("ground")?,
        occurred_at: Timestamp::from_micros(row.try_get_by("occurred_at")?),
        traceparent: row.try_get_by("traceparent")?,
        causation_id: row.try_get_by("causation_id")?,
        data: row.try_get_by("data")?,
    })
}
