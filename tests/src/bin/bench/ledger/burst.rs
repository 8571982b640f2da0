//! A burst: settle dates of many tasks are missed in one second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use domain_calendar::Timestamp;
use sea_orm::ConnectionTrait;
use xietong_store::statement;
use xietong_testkit::wait::wait_for;
use xietong_timers::Clock;

use super::fill::{FAR, midnight};
use super::lists::{Read, Reading};
use super::mesh::LedgerMesh;

/// The timers are set this far ahead, so that all are there before the first is due.
const AHEAD: Duration = Duration::from_secs(3);
const WORKED_OFF_WITHIN: Duration = Duration::from_secs(1_800);

/// How long the timers took, and the lists meanwhile.
pub(super) struct Work {
    pub(super) seconds: f64,
    pub(super) reads: Read,
}

/// The key of the settle timer of an assignment in the burst, as SQL over `assignments`.
pub(super) fn settle_key(now: Timestamp) -> String {
    // A last day ends with the midnight after it.
    format!("assignments.name || '/settleDue/{}'", midnight(now, FAR).as_micros())
}

/// Makes the last day of the first tasks yesterday, as if they had been entered so long before,
/// in what is stored of the task: not in its clock's columns, by which lists read.
pub(super) async fn prepare(mesh: &LedgerMesh, due: u32) -> anyhow::Result<()> {
    let now = Clock::real().now();
    let day = |at: Timestamp| at.saturating_sub(Duration::from_secs(1)).day().to_string();
    let (far, yesterday) = (day(midnight(now, FAR)), day(midnight(now, 0)));
    let sql = format!(
        "UPDATE tasks SET body = regexp_replace(
             replace(body, '\"dueDate\":\"{far}\"', '\"dueDate\":\"{yesterday}\"'),
             '\"countedFrom\":[^,}}]*', '\"countedFrom\":null', 'g')
         WHERE ledger_number <= {due}"
    );
    mesh.execute(&sql).await?;
    let changed = format!(
        "SELECT COUNT(*) AS value FROM tasks WHERE ledger_number <= {due} AND body LIKE '%\"dueDate\":\"{yesterday}\"%'"
    );
    let changed = mesh.number(&changed).await?;
    ensure!(changed == i64::from(due), "{changed} tasks are to fall due, not {due}");
    mesh.execute("VACUUM ANALYZE tasks").await?;
    mesh.execute("CHECKPOINT").await
}

/// Lets the first tasks turn red, sets the timers of their lead assignments to one second, and
/// waits until they are worked off while lists are read.
pub(super) async fn work_off(mesh: &mut LedgerMesh, due: u32, reads: u32) -> anyhow::Result<Work> {
    let started = Clock::real().now().saturating_add(AHEAD + Duration::from_secs(u64::from(due) / 4_000));
    let red = midnight(Clock::real().now(), 0).as_micros();
    for (table, column) in [("tasks", "red_at"), ("assignments", "task_red_at")] {
        mesh.execute(&format!("UPDATE {table} SET {column} = {red} WHERE ledger_number <= {due}")).await?;
    }
    let sql = format!(
        "UPDATE timers SET due_at = {} + assignments.ledger_number * 1000000 / {due}
         FROM assignments WHERE ledger_number <= {due} AND role = 'lead'
         AND timers.kind = 'supervision.stage_due' AND timer_key = {}",
        started.as_micros(),
        settle_key(Clock::real().now()),
    );
    let writer = mesh.db.writer();
    let set = writer.execute_raw(statement(writer, &sql, [])).await?.rows_affected();
    ensure!(set == u64::from(due), "{set} timers were set, not {due}");
    ensure!(Clock::real().now() < started, "setting the timers took too long");

    let done = Arc::new(AtomicBool::new(false));
    let reading = {
        let (reading, done) = (Reading::new(mesh).await?, done.clone());
        let begin = Instant::now() + started.since(Clock::real().now());
        tokio::spawn(async move {
            tokio::time::sleep_until(begin.into()).await;
            reading.read(reads, |_| done.load(Ordering::Relaxed)).await
        })
    };
    tokio::time::sleep(started.since(Clock::real().now()) + Duration::from_secs(1)).await;
    let left = format!(
        "SELECT COUNT(*) AS value FROM (SELECT 1 FROM timers WHERE due_at <= {} LIMIT 1) AS one",
        started.saturating_add(Duration::from_secs(1)).as_micros(),
    );
    wait_for("the timers to be worked off", WORKED_OFF_WITHIN, async || {
        mesh.number(&left).await.is_ok_and(|count| count == 0)
    })
    .await?;
    let seconds = Clock::real().now().since(started).as_secs_f64();
    done.store(true, Ordering::Relaxed);
    let reads = reading.await??;

    once_each(mesh, due).await?;
    Ok(Work { seconds, reads })
}

/// Each of them was told once that it is overdue, and no other.
async fn once_each(mesh: &LedgerMesh, due: u32) -> anyhow::Result<()> {
    let overdue = "SELECT COUNT(*) AS value FROM events WHERE type = 'supervision.assignment.overdue'";
    let tasks =
        "SELECT COUNT(DISTINCT aggregate) AS value FROM events WHERE type = 'supervision.assignment.overdue'";
    let (overdue, tasks) = (mesh.number(overdue).await?, mesh.number(tasks).await?);
    ensure!(
        (overdue, tasks) == (i64::from(due), i64::from(due)),
        "{overdue} were overdue, of {tasks} tasks, not {due}"
    );
    Ok(())
}
