//! The driver: writes the rows that the burst wrote, to as many other tasks, by multi-row
//! statements, and does nothing else.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use tokio::task::JoinSet;
use xietong_store::{Db, Parameters, statement};
use xietong_timers::{Clock, MachineClock};

use super::burst::settle_key;
use super::mesh::LedgerMesh;

/// As a replica claims.
const BATCH: usize = 500;
/// As many as there are replicas.
const WRITERS: usize = 2;

/// A task the driver writes to, and a task of the burst whose rows it writes.
struct Copied {
    ledger_number: i64,
    task: String,
    assignment: String,
    key: String,
    version: i64,
    sibling: Arc<Sibling>,
}

/// What the burst left of a task.
struct Sibling {
    task: String,
    assignment: String,
    body: String,
    red_at: i64,
    yellow_at: i64,
    event: Event,
}

struct Event {
    actor: String,
    ground: String,
    payload: String,
}

/// Writes and says how many seconds that took.
pub(super) async fn write(mesh: &LedgerMesh, due: u32) -> anyhow::Result<f64> {
    let siblings = siblings(mesh).await?;
    let copies = Arc::new(copies(mesh, due, &siblings).await?);
    ensure!(copies.len() == usize::try_from(due)?, "{} tasks to write to, not {due}", copies.len());
    mesh.execute("CHECKPOINT").await?;
    let started = Instant::now();
    let mut side_by_side = JoinSet::new();
    for number in 0..WRITERS {
        let (copies, db) = (copies.clone(), mesh.db.clone());
        side_by_side.spawn(async move {
            for batch in copies.chunks(BATCH).skip(number).step_by(WRITERS) {
                write_batch(&db, batch).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(finished) = side_by_side.join_next().await {
        finished??;
    }
    Ok(started.elapsed().as_secs_f64())
}

async fn write_batch(db: &Db, batch: &[Copied]) -> anyhow::Result<()> {
    let tx = db.begin().await?;
    let mut parameters = Parameters::default();
    let keys = parameters.bind_all(batch.iter().map(|copy| copy.key.as_str()));
    let sql = format!("DELETE FROM timers WHERE kind = 'supervision.stage_due' AND timer_key IN ({keys})");
    tx.execute_raw(statement(&tx, &sql, parameters.into_values())).await?;

    let rows = batch.iter().map(|copy| -> [Value; 5] {
        let body = copy.sibling.body.replace(&copy.sibling.task, &copy.task);
        [
            copy.ledger_number.into(),
            copy.sibling.yellow_at.into(),
            copy.sibling.red_at.into(),
            (copy.version + 1).into(),
            body.into(),
        ]
    });
    let sql = "WITH new (number, yellow_at, red_at, version, body) AS (VALUES {rows})
               UPDATE tasks SET state = 'issued', yellow_at = new.yellow_at, red_at = new.red_at, paused = FALSE,
               closed = FALSE, written_light = 'red', version = new.version, body = new.body FROM new WHERE ledger_number = new.number";
    execute(&tx, sql, ["BIGINT", "BIGINT", "BIGINT", "BIGINT", "TEXT"], rows).await?;

    let rows = batch.iter().map(|copy| -> [Value; 3] {
        [copy.assignment.as_str().into(), copy.sibling.yellow_at.into(), copy.sibling.red_at.into()]
    });
    let sql = "WITH new (name, yellow_at, red_at) AS (VALUES {rows})
               UPDATE assignments SET yellow_at = new.yellow_at, red_at = new.red_at, paused = FALSE, closed = FALSE,
               task_light = 'red', task_yellow_at = new.yellow_at, task_red_at = new.red_at
               FROM new WHERE assignments.name = new.name";
    execute(&tx, sql, ["TEXT", "BIGINT", "BIGINT"], rows).await?;

    let now = Clock::real().now().as_micros();
    let rows = batch.iter().map(|copy| -> [Value; 9] {
        let Sibling { task, assignment, event, .. } = &*copy.sibling;
        let payload = event.payload.replace(assignment, &copy.assignment).replace(task, &copy.task);
        [
            MachineClock::system().new_id().to_string().into(),
            copy.task.as_str().into(),
            (copy.version + 1).into(),
            event.actor.as_str().into(),
            event.ground.as_str().into(),
            now.into(),
            payload.into(),
            vec![1_u8; 32].into(),
            vec![2_u8; 32].into(),
        ]
    });
    let sql = "INSERT INTO events (id, aggregate, version, type, actor, ground, occurred_at, recorded_at, payload,
                                   prev_hash, hash)
               SELECT id, aggregate, version, 'supervision.assignment.overdue', actor, ground, at, at, payload,
                      prev_hash, hash
               FROM (VALUES {rows}) AS new (id, aggregate, version, actor, ground, at, payload, prev_hash, hash)";
    let types = ["TEXT", "TEXT", "BIGINT", "TEXT", "TEXT", "BIGINT", "TEXT", "BYTEA", "BYTEA"];
    execute(&tx, sql, types, rows).await?;
    Ok(tx.commit().await?)
}

/// One statement over many rows of parameters of these types.
async fn execute<const WIDTH: usize>(
    tx: &impl ConnectionTrait,
    sql: &str,
    types: [&str; WIDTH],
    rows: impl Iterator<Item = [Value; WIDTH]>,
) -> anyhow::Result<()> {
    let mut parameters = Parameters::default();
    let rows: Vec<String> = rows
        .map(|row| {
            let bound: Vec<String> = row
                .into_iter()
                .zip(types)
                .map(|(value, kind)| format!("{}::{kind}", parameters.bind(value)))
                .collect();
            format!("({})", bound.join(", "))
        })
        .collect();
    let sql = sql.replace("{rows}", &rows.join(", "));
    tx.execute_raw(statement(tx, &sql, parameters.into_values())).await?;
    Ok(())
}

async fn siblings(mesh: &LedgerMesh) -> anyhow::Result<Vec<Arc<Sibling>>> {
    let sql = format!(
        "SELECT tasks.name AS task, assignments.name AS assignment, body, tasks.red_at, tasks.yellow_at, actor, ground,
                payload
         FROM tasks JOIN assignments USING (ledger_number)
         JOIN events ON aggregate = tasks.name AND events.version = tasks.version
         WHERE ledger_number <= {BATCH} AND role = 'lead' ORDER BY ledger_number"
    );
    let read = |row: &QueryResult| -> anyhow::Result<Arc<Sibling>> {
        Ok(Arc::new(Sibling {
            task: row.try_get_by("task")?,
            assignment: row.try_get_by("assignment")?,
            body: row.try_get_by("body")?,
            red_at: row.try_get_by("red_at")?,
            yellow_at: row.try_get_by("yellow_at")?,
            event: Event {
                actor: row.try_get_by("actor")?,
                ground: row.try_get_by("ground")?,
                payload: row.try_get_by("payload")?,
            },
        }))
    };
    let reader = mesh.db.reader();
    reader.query_all_raw(statement(reader, &sql, [])).await?.iter().map(read).collect()
}

/// As many tasks after those of the burst.
async fn copies(mesh: &LedgerMesh, due: u32, siblings: &[Arc<Sibling>]) -> anyhow::Result<Vec<Copied>> {
    let sql = format!(
        "SELECT ledger_number, tasks.name AS task, assignments.name AS assignment, tasks.version, {} AS key
         FROM tasks JOIN assignments USING (ledger_number)
         WHERE ledger_number > {due} AND ledger_number <= 2 * {due} AND role = 'lead' ORDER BY ledger_number",
        settle_key(Clock::real().now()),
    );
    let reader = mesh.db.reader();
    let rows = reader.query_all_raw(statement(reader, &sql, [])).await?;
    let read = |(row, at): (&QueryResult, usize)| -> anyhow::Result<Copied> {
        Ok(Copied {
            ledger_number: row.try_get_by("ledger_number")?,
            task: row.try_get_by("task")?,
            assignment: row.try_get_by("assignment")?,
            key: row.try_get_by("key")?,
            version: row.try_get_by("version")?,
            sibling: siblings.get(at % siblings.len().max(1)).context("a task of the burst")?.clone(),
        })
    };
    rows.iter().zip(0..).map(read).collect()
}
