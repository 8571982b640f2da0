//! [`summarise`]: how many show each light, counted by the database.

use domain_calendar::Timestamp;
use domain_supervision::{Light, light_sql};
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult};
use xietong_mesh::Scope;
use xietong_store::{Backend, Parameters, StoreError, statement};

use super::list::{ListFilter, conditions, not_a_draft};

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grouping {
    /// Tasks of one light.
    Light,
    /// The assignments of one unit, with their own lights.
    Unit,
    /// Tasks of one document.
    Document,
    /// Tasks with one tag.
    Tag,
    /// Tasks that the units of one leader settle. Which these are, as (unit, leader).
    Leader(Vec<(String, String)>),
    /// Tasks that one working group escalated, in a database of this kind.
    Group(Backend),
}

/// How many under one key show one light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    /// What is counted together; empty in a [`total`].
    pub(crate) key: String,
    /// What they show.
    pub(crate) light: Light,
    /// How many.
    pub(crate) number: i64,
    /// Of red ones, since when the oldest is, and the ledger number of its task.
    pub(crate) oldest_red: Option<(Timestamp, i64)>,
}

/// All tasks that `permitted` permits and `filter` asks for, drafts left out, each once.
pub(crate) async fn total(
    reader: &DatabaseConnection,
    permitted: &Scope,
    filter: &ListFilter,
    now: Timestamp,
) -> Result<Vec<Count>, StoreError> {
    let one = |tasks: &str, light: &str, _: &mut Parameters| {
        format!("SELECT '' AS grouped, ledger_number, red_at, {light} AS light FROM tasks WHERE {tasks}")
    };
    counted(reader, permitted, filter, now, one).await
}

/// The same, counted together.
pub(crate) async fn summarise(
    reader: &DatabaseConnection,
    permitted: &Scope,
    filter: &ListFilter,
    grouping: &Grouping,
    now: Timestamp,
) -> Result<Vec<Count>, StoreError> {
    if matches!(grouping, Grouping::Leader(charges) if charges.is_empty()) {
        return Ok(Vec::new());
    }
    let shown = |tasks: &str, light: &str, parameters: &mut Parameters| match grouping {
        Grouping::Light => {
            format!(
                "SELECT {light} AS grouped, ledger_number, red_at, {light} AS light FROM tasks WHERE {tasks}"
            )
        }
        Grouping::Unit => format!(
            "SELECT unit AS grouped, ledger_number, red_at, {light} AS light FROM assignments
             WHERE ledger_number IN (SELECT ledger_number FROM tasks WHERE {tasks})"
        ),
        Grouping::Document => format!(
            "SELECT document_number AS grouped, ledger_number, red_at, {light} AS light FROM tasks WHERE {tasks}"
        ),
        Grouping::Tag => format!(
            "SELECT tag AS grouped, ledger_number, red_at, light FROM task_tags
             JOIN (SELECT ledger_number AS number, red_at, {light} AS light FROM tasks WHERE {tasks}) AS told
               ON told.number = task_tags.ledger_number"
        ),
        Grouping::Group(backend) => {
            // `groups/{g}` of `groups/{g}/meetings/…`.
            let group = match backend {
                Backend::Postgres => "'groups/' || SPLIT_PART(origin, '/', 2)",
                Backend::Sqlite => "SUBSTR(origin, 1, 6 + INSTR(SUBSTR(origin, 8) || '/', '/'))",
            };
            format!(
                "SELECT {group} AS grouped, told.number AS ledger_number, told.red_at, told.light
                 FROM (SELECT ledger_number AS number, red_at, {light} AS light FROM tasks WHERE {tasks}) AS told
                 JOIN task_origins ON task_origins.ledger_number = told.number
                 WHERE origin LIKE 'groups/%'"
            )
        }
        Grouping::Leader(charges) => {
            let charges: Vec<String> = charges
                .iter()
                .map(|(unit, leader)| {
                    format!("({}, {})", parameters.bind(unit.as_str()), parameters.bind(leader.as_str()))
                })
                .collect();
            // Two units of one leader may settle a task: it is counted once.
            format!(
                "SELECT DISTINCT charges.leader AS grouped, told.number AS ledger_number, told.red_at, told.light
                 FROM (SELECT ledger_number AS number, red_at, {light} AS light FROM tasks WHERE {tasks}) AS told
                 JOIN assignments ON assignments.ledger_number = told.number AND assignments.settles
                 JOIN (SELECT column1 AS unit, column2 AS leader FROM (VALUES {}) AS pairs) AS charges
                   ON charges.unit = assignments.unit",
                charges.join(", ")
            )
        }
    };
    counted(reader, permitted, filter, now, shown).await
}

/// Counts what `shown` selects: `grouped`, `ledger_number`, `red_at` and `light`, given the
/// condition over `tasks` and the light.
async fn counted(
    reader: &DatabaseConnection,
    permitted: &Scope,
    filter: &ListFilter,
    now: Timestamp,
    shown: impl FnOnce(&str, &str, &mut Parameters) -> String,
) -> Result<Vec<Count>, StoreError> {
    let mut parameters = Parameters::default();
    let Some(mut conditions) = conditions(permitted, filter, &mut parameters) else { return Ok(Vec::new()) };
    conditions.push(not_a_draft(&mut parameters));
    let light = light_sql(&parameters.bind(now.as_micros()));
    let shown = shown(&conditions.join(" AND "), &light, &mut parameters);
    let red = Light::Red.as_str();
    let sql = format!(
        "WITH shown AS ({shown}),
              counts AS (SELECT grouped, light, COUNT(*) AS number, MIN(red_at) AS since FROM shown
                         GROUP BY grouped, light)
         SELECT counts.grouped, counts.light, counts.number, counts.since, MIN(shown.ledger_number) AS oldest
         FROM counts LEFT JOIN shown ON counts.light = '{red}' AND shown.light = '{red}'
           AND shown.grouped = counts.grouped AND shown.red_at = counts.since
         GROUP BY counts.grouped, counts.light, counts.number, counts.since"
    );
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter().map(count).collect()
}

fn count(row: &QueryResult) -> Result<Count, StoreError> {
    let word: String = row.try_get_by("light")?;
    let light = Light::ALL.into_iter().find(|light| light.as_str() == word);
    let since: Option<i64> = row.try_get_by("since")?;
    let oldest: Option<i64> = row.try_get_by("oldest")?;
    Ok(Count {
        key: row.try_get_by("grouped")?,
        light: light.ok_or_else(|| StoreError::corrupt("light", word))?,
        number: row.try_get_by("number")?,
        oldest_red: since.map(Timestamp::from_micros).zip(oldest),
    })
}
