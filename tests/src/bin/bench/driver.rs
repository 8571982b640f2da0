//! The driver: writes the rows of a creation, and does nothing else. What a service adds to
//! it in time is what the service costs.

use std::sync::Arc;

use anyhow::Context;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{Db, statement};
use xietong_timers::MachineClock;

use crate::footprint::{Footprint, Rows};
use crate::runs::Worker;

/// Writes creations, one after the other, over a pool that it shares with others.
#[derive(Clone)]
pub(crate) struct Driver {
    db: Db,
    plan: Arc<Plan>,
}

/// The statements of a creation, in the order in which the service writes them.
struct Plan {
    footprint: Footprint,
    claim: String,
    claimed: Vec<usize>,
    sources: String,
    tasks: String,
    assignments: String,
    ledger_number: usize,
    likeness: String,
    likeness_key: usize,
    likeness_number: usize,
    events: String,
    event_id: usize,
    timers: String,
    answer: usize,
}

const ANSWER: &str =
    "UPDATE idempotency SET response = $4 WHERE principal = $1 AND method = $2 AND request_id = $3";

impl Driver {
    /// A driver that writes copies of these rows to `db`, whose schema is the service's.
    pub(crate) fn new(db: Db, footprint: Footprint) -> anyhow::Result<Self> {
        let Footprint { idempotency, assignments, likeness, events, .. } = &footprint;
        let answer = idempotency.place("response")?;
        // The answer is written at the end: it is known only then.
        let claimed: Vec<usize> = (0..idempotency.columns.len()).filter(|column| *column != answer).collect();
        let claim = Rows {
            table: idempotency.table,
            columns: pick(&idempotency.columns, &claimed),
            rows: vec![Vec::new()],
        };
        let plan = Plan {
            claim: format!("{} ON CONFLICT (principal, method, request_id) DO NOTHING", claim.insertion()),
            claimed,
            sources: footprint.sources.insertion(),
            tasks: format!("{} RETURNING ledger_number", footprint.tasks.insertion()),
            assignments: assignments.insertion(),
            ledger_number: assignments.place("ledger_number")?,
            likeness: likeness.insertion(),
            likeness_key: likeness.place("likeness")?,
            likeness_number: likeness.place("ledger_number")?,
            events: events.insertion(),
            event_id: events.place("id")?,
            timers: format!(
                "{} ON CONFLICT (kind, timer_key) DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload",
                footprint.timers.insertion()
            ),
            answer,
            footprint,
        };
        Ok(Driver { db, plan: Arc::new(plan) })
    }

    async fn write(&self) -> anyhow::Result<()> {
        let plan = &*self.plan;
        let footprint = &plan.footprint;
        let copy = Copy::new(footprint);
        let tx = self.db.begin().await?;

        let idempotency = copy.of(&footprint.idempotency).next().context("a request to remember")?;
        execute(&tx, &plan.claim, pick(&idempotency, &plan.claimed)).await?;

        execute(&tx, &plan.sources, copy.of(&footprint.sources).flatten()).await?;
        let tasks = copy.of(&footprint.tasks).flatten();
        let row = tx.query_one_raw(statement(&tx, &plan.tasks, tasks)).await?;
        let ledger_number: i64 = row.context("a task without a number")?.try_get_by("ledger_number")?;

        let assignments = copy.of(&footprint.assignments).flat_map(|mut row| {
            put(&mut row, plan.ledger_number, ledger_number.into());
            row
        });
        execute(&tx, &plan.assignments, assignments).await?;

        let likeness = copy.of(&footprint.likeness).flat_map(|mut row| {
            // Tasks that do not resemble one another share no key.
            put(&mut row, plan.likeness_key, key().into());
            put(&mut row, plan.likeness_number, ledger_number.into());
            row
        });
        execute(&tx, &plan.likeness, likeness).await?;

        let events = copy.of(&footprint.events).flat_map(|mut row| {
            put(&mut row, plan.event_id, MachineClock::system().new_id().to_string().into());
            row
        });
        execute(&tx, &plan.events, events).await?;
        if !footprint.timers.rows.is_empty() {
            execute(&tx, &plan.timers, copy.of(&footprint.timers).flatten()).await?;
        }
        let place = |column| footprint.idempotency.place(column);
        let answered = [place("principal")?, place("method")?, place("request_id")?, plan.answer];
        execute(&tx, ANSWER, pick(&idempotency, &answered)).await?;
        Ok(tx.commit().await?)
    }
}

impl Worker for Driver {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.write().await
    }
}

async fn execute(
    tx: &DatabaseTransaction,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> anyhow::Result<()> {
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// One more creation like that of a footprint: the same rows under other names of the same
/// length.
struct Copy<'a> {
    names: [(&'a str, String); 3],
}

impl<'a> Copy<'a> {
    fn new(footprint: &'a Footprint) -> Self {
        let id = || MachineClock::system().new_id().to_string();
        let (task, request_id) = (format!("tasks/{}", id()), id());
        // The task's part is called by the last digits of the request.
        let part = last_digits(&request_id).to_owned();
        Copy {
            names: [
                (&footprint.task, task),
                (&footprint.request_id, request_id),
                (last_digits(&footprint.request_id), part),
            ],
        }
    }

    fn of<'c>(&'c self, rows: &'c Rows) -> impl Iterator<Item = Vec<Value>> + 'c {
        rows.rows.iter().map(|row| row.iter().map(|value| self.renamed(value)).collect())
    }

    fn renamed(&self, value: &Value) -> Value {
        match value {
            Value::String(Some(text)) => {
                let renamed =
                    self.names.iter().fold(text.to_string(), |text, (old, new)| text.replace(old, new));
                renamed.into()
            }
            Value::Bytes(Some(bytes)) => {
                let mut bytes = bytes.to_vec();
                for (old, new) in &self.names {
                    replace(&mut bytes, old.as_bytes(), new.as_bytes());
                }
                bytes.into()
            }
            other => other.clone(),
        }
    }
}

fn last_digits(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(_, digits)| digits)
}

/// Any number.
fn key() -> i32 {
    // The last digits of an id are random.
    let [.., first, second, third, fourth] = *MachineClock::system().new_id().as_bytes();
    i32::from_le_bytes([first, second, third, fourth])
}

/// Replaces every `old` by a `new` of the same length.
fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    let mut from = 0;
    while let Some(found) =
        bytes.get(from..).and_then(|rest| rest.windows(old.len()).position(|part| part == old))
    {
        let place = from + found;
        if let Some(part) = bytes.get_mut(place..place + old.len()) {
            part.copy_from_slice(new);
        }
        from = place + old.len();
    }
}

fn pick<T: Clone>(row: &[T], places: &[usize]) -> Vec<T> {
    places.iter().filter_map(|place| row.get(*place).cloned()).collect()
}

fn put(row: &mut [Value], place: usize, value: Value) {
    if let Some(cell) = row.get_mut(place) {
        *cell = value;
    }
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn every_occurrence_is_renamed_and_nothing_else() {
        let mut bytes = b"\x0a\x07tasks/1, tasks/1, tasks/2".to_vec();
        replace(&mut bytes, b"tasks/1", b"tasks/9");
        assert_eq!(bytes, b"\x0a\x07tasks/9, tasks/9, tasks/2");
    }
}
