//! [`Ways`]: how the tasks of a list are found, newest first, each way by an index.
//!
//! "Red, and of one of these units" is the order of no index: read in the order of the ledger
//! until a page is full, a ledger of a million tasks could be read whole for the few that are red.
//! So a list is put together from ways in that have an index each, and each gives its newest.

use domain_calendar::Timestamp;
use domain_supervision::Light;
use sea_orm::{ConnectionTrait, DatabaseConnection, Value};
use xietong_mesh::Scope;
use xietong_store::{Parameters, SqlMigration, StoreError, statement};

use super::list::{ListFilter, shows};

/// More units than this hold so much of a ledger that it is read itself.
const MOST_UNITS: usize = 32;
/// Where more instants than this have passed, few tasks share one of them.
const MOST_INSTANTS: usize = 16;
/// The same of one unit, of which there may be [`MOST_UNITS`].
const MOST_INSTANTS_OF_A_UNIT: usize = 2;

/// When the task of an assignment turns, beside its light: of a unit's thousands those that have
/// turned since they were written are found by an index of their instants.
pub(super) const TURNING: SqlMigration = SqlMigration {
    name: "supervision_0019_turning",
    statements: &[
        "ALTER TABLE assignments ADD COLUMN task_yellow_at BIGINT",
        "ALTER TABLE assignments ADD COLUMN task_red_at BIGINT",
        "UPDATE assignments SET task_yellow_at = tasks.yellow_at, task_red_at = tasks.red_at FROM tasks
         WHERE tasks.ledger_number = assignments.ledger_number",
        "CREATE INDEX assignments_turning_yellow ON assignments (unit, task_yellow_at, ledger_number)
         WHERE task_light = 'green'",
        "CREATE INDEX assignments_turning_red ON assignments (unit, task_red_at, ledger_number)
         WHERE task_light IN ('green', 'yellow')",
    ],
};

/// The ways in which tasks come into a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ways<'a> {
    /// They are on the ledger.
    Ledger,
    /// They are held by a unit that is asked for.
    OfTheAsked(Vec<Way<'a>>),
    /// They are within reach of whoever asks. Whether he may see them is to be asked yet.
    OfThePermitted(Vec<Way<'a>>),
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way<'a> {
    /// A unit has an assignment of them; one that settles them, if that is asked for.
    Held { unit: &'a str, settling: bool },
    /// They are shown to a unit.
    Shown { unit: &'a str },
    /// All may see them.
    Public,
    /// Somebody entered them.
    Entered { subject: &'a str },
}

/// When tasks turned to a light after their rows were written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Turned {
    /// The first instants.
    instants: Vec<i64>,
    /// There are more.
    more: bool,
}

/// The ways in which what is permitted and asked for comes.
pub(super) fn of<'a>(permitted: &'a Scope, filter: &'a ListFilter) -> Ways<'a> {
    let held = |settling: bool| move |unit: &'a String| Way::Held { unit, settling };
    // Words have an index that finds few enough, and so has what is narrow below.
    if filter.text.is_some() {
        return Ways::Ledger;
    }
    if let Some(units) = &filter.settled_by {
        return few(units.iter())
            .map_or(Ways::Ledger, |units| Ways::OfTheAsked(units.map(held(true)).collect()));
    }
    if let Some(unit) = &filter.unit {
        return Ways::OfTheAsked(vec![Way::Held { unit, settling: false }]);
    }
    let narrow = [&filter.document_number, &filter.tag, &filter.parent, &filter.matter];
    if permitted.all || narrow.into_iter().any(Option::is_some) {
        return Ways::Ledger;
    }
    let Some(units) = few(permitted.units.union(&permitted.portfolio)) else { return Ways::Ledger };
    let mut ways: Vec<Way<'a>> = units.clone().map(held(false)).collect();
    if permitted.own {
        ways.push(Way::Entered { subject: &permitted.subject });
    }
    if permitted.reading {
        ways.push(Way::Public);
        ways.extend(units.map(|unit| Way::Shown { unit }));
    }
    Ways::OfThePermitted(ways)
}

/// The instants at which tasks turned to a light since they were written, up to `now`.
pub(super) async fn turned(
    reader: &DatabaseConnection,
    light: Light,
    now: Timestamp,
) -> Result<Turned, StoreError> {
    let Some(Turning { at, before }) = turning(light) else { return Ok(Turned::default()) };
    // From one instant to the next by the index, however many tasks turned at each.
    let sql = format!(
        "WITH RECURSIVE turned (instant) AS (
             SELECT MIN({at}) FROM tasks WHERE written_light {before} AND {at} <= $1
             UNION ALL
             SELECT (SELECT MIN({at}) FROM tasks
                     WHERE written_light {before} AND {at} > turned.instant AND {at} <= $1)
             FROM turned WHERE turned.instant IS NOT NULL
         )
         SELECT instant FROM turned WHERE instant IS NOT NULL LIMIT $2"
    );
    let values: [Value; 2] = [now.as_micros().into(), (MOST_INSTANTS as u64 + 1).into()];
    let rows = reader.query_all_raw(statement(reader, &sql, values)).await?;
    let mut instants = rows.iter().map(|row| row.try_get_by("instant")).collect::<Result<Vec<i64>, _>>()?;
    let more = instants.len() > MOST_INSTANTS;
    instants.truncate(MOST_INSTANTS);
    Ok(Turned { instants, more })
}

/// The condition over `tasks` that a task is one of the newest that come in these ways and meet
/// `conditions`, which need not ask for the light.
pub(super) fn newest(
    ways: &Ways<'_>,
    light: Option<(Light, Timestamp)>,
    turned: &Turned,
    conditions: &[String],
    limit: &str,
    parameters: &mut Parameters,
) -> String {
    let arms: Vec<String> = match (ways, light) {
        (Ways::Ledger, None) => return conditions.join(" AND "),
        (Ways::Ledger, Some(light)) => written(OF_TASKS, light, turned, parameters)
            .into_iter()
            .map(|Written { rows, now }| of_tasks(&rows, &now))
            .collect(),
        (Ways::OfTheAsked(ways) | Ways::OfThePermitted(ways), light) => {
            ways.iter().flat_map(|way| arms(*way, light, turned, parameters)).collect()
        }
    };
    let conditions = conditions.join(" AND ");
    let arms: Vec<String> = arms
        .into_iter()
        .map(|arm| {
            format!("SELECT * FROM ({arm} AND {conditions} ORDER BY number DESC LIMIT {limit}) AS newest")
        })
        .collect();
    format!(
        "ledger_number IN (SELECT number FROM ({}) AS found ORDER BY number DESC LIMIT {limit})",
        arms.join(" UNION ")
    )
}

/// What one way reads, up to where its conditions go on.
fn arms(
    way: Way<'_>,
    light: Option<(Light, Timestamp)>,
    turned: &Turned,
    parameters: &mut Parameters,
) -> Vec<String> {
    let or_true = |condition: Option<String>| condition.unwrap_or_else(|| "TRUE".to_owned());
    match (way, light) {
        (Way::Held { unit, settling }, light) => {
            let unit = parameters.bind(unit);
            let settling = if settling { " AND settles" } else { "" };
            let held =
                |of: &str, now: &str| held("assignments", &format!("unit = {unit}{settling}{of}"), now);
            match light {
                None => vec![held("", "TRUE")],
                Some(light) => written(OF_ASSIGNMENTS, light, turned, parameters)
                    .into_iter()
                    .map(|Written { rows, now }| held(&format!(" AND {rows}"), &now))
                    .collect(),
            }
        }
        (Way::Shown { unit }, light) => {
            let unit = parameters.bind(unit);
            vec![held("task_viewers", &format!("unit = {unit}"), &or_true(shows(light, parameters)))]
        }
        (Way::Public, light) => vec![of_tasks("visibility = 'public'", &or_true(shows(light, parameters)))],
        (Way::Entered { subject }, light) => {
            let subject = parameters.bind(subject);
            vec![of_tasks(&format!("created_by = {subject}"), &or_true(shows(light, parameters)))]
        }
    }
}

fn of_tasks(conditions: &str, now: &str) -> String {
    format!("SELECT ledger_number AS number FROM tasks WHERE {conditions} AND {now}")
}

fn held(table: &str, conditions: &str, now: &str) -> String {
    format!(
        "SELECT number FROM (SELECT ledger_number AS number FROM {table} WHERE {conditions}) AS held
         JOIN tasks ON ledger_number = number WHERE {now}"
    )
}

/// Where rows keep how a task stood when it was written.
#[derive(Clone, Copy)]
struct Kept {
    /// The column of its light.
    light: &'static str,
    /// What stands before the names of the columns of its instants.
    instants: &'static str,
    /// Instants that are looked at one by one.
    most_instants: usize,
}

const OF_TASKS: Kept = Kept { light: "written_light", instants: "", most_instants: MOST_INSTANTS };
const OF_ASSIGNMENTS: Kept =
    Kept { light: "task_light", instants: "task_", most_instants: MOST_INSTANTS_OF_A_UNIT };

/// Rows that were written with some lights, and what makes them show the light that is asked for.
struct Written {
    /// A condition on what the rows keep.
    rows: String,
    /// A condition over `tasks`.
    now: String,
}

/// The rows that show a light, by the light they were written with, which time alone turns from
/// green to yellow and to red, and never back.
fn written(
    kept: Kept,
    (light, now): (Light, Timestamp),
    turned: &Turned,
    parameters: &mut Parameters,
) -> Vec<Written> {
    let now = parameters.bind(now.as_micros());
    let not_yet = |at: &str| format!("({at} IS NULL OR {at} > {now})");
    let still = match light {
        Light::Blue | Light::Grey | Light::Red => "TRUE".to_owned(),
        Light::Yellow => not_yet("red_at"),
        Light::Green => format!("{} AND {}", not_yet("yellow_at"), not_yet("red_at")),
    };
    let column = kept.light;
    let mut rows = vec![Written { rows: format!("{column} = '{}'", light.as_str()), now: still.clone() }];
    let Some(Turning { at, before }) = turning(light) else { return rows };
    let mut turn = |condition: String| {
        let condition = format!("{column} {before} AND {}{at} {condition}", kept.instants);
        rows.push(Written { rows: condition, now: still.clone() });
    };
    let one_by_one = turned.instants.get(..kept.most_instants).unwrap_or(&turned.instants);
    for instant in one_by_one {
        turn(format!("= {}", parameters.bind(*instant)));
    }
    let more = turned.more || turned.instants.len() > one_by_one.len();
    if let Some(last) = one_by_one.last().filter(|_| more) {
        turn(format!("BETWEEN {} AND {now}", parameters.bind(*last + 1)));
    }
    rows
}

/// How time turns a task to a light.
struct Turning {
    /// The column of the instant.
    at: &'static str,
    /// The lights it turns from, in the words of the indexes.
    before: &'static str,
}

fn turning(light: Light) -> Option<Turning> {
    match light {
        Light::Red => Some(Turning { at: "red_at", before: "IN ('green', 'yellow')" }),
        Light::Yellow => Some(Turning { at: "yellow_at", before: "= 'green'" }),
        Light::Green | Light::Grey | Light::Blue => None,
    }
}

/// These, unless they are too many.
fn few<I: Iterator + Clone>(these: I) -> Option<I> {
    (these.clone().take(MOST_UNITS + 1).count() <= MOST_UNITS).then_some(these)
}
