//! The rows that entering one task leaves behind, read from a database that a service has
//! written, so that the driver writes the very same.

use anyhow::{Context, bail, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Value};
use xietong_store::statement;

/// Every row of one creation.
#[derive(Debug, Clone)]
pub(crate) struct Footprint {
    /// `tasks/{id}`, which stands in most of its rows.
    pub(crate) task: String,
    /// The key it was entered with.
    pub(crate) request_id: String,
    pub(crate) idempotency: Rows,
    pub(crate) sources: Rows,
    pub(crate) tasks: Rows,
    pub(crate) assignments: Rows,
    pub(crate) likeness: Rows,
    pub(crate) events: Rows,
    pub(crate) timers: Rows,
}

/// Rows of one table, without the columns that the database fills in.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) table: &'static str,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Footprint {
    /// The rows of this task, which was entered with this request id.
    pub(crate) async fn read(
        database: &DatabaseConnection,
        task: &str,
        request_id: &str,
    ) -> anyhow::Result<Self> {
        let like = format!("{task}%");
        let footprint = Footprint {
            task: task.to_owned(),
            request_id: request_id.to_owned(),
            idempotency: Rows::read(database, "idempotency", &[], "request_id = $1", request_id).await?,
            sources: Rows::read(database, "task_sources", &[], "task = $1", task).await?,
            tasks: Rows::read(database, "tasks", &["ledger_number"], "name = $1", task).await?,
            assignments: Rows::read(database, "assignments", &[], "name LIKE $1", &like).await?,
            likeness: Rows::read(
                database,
                "task_likeness",
                &[],
                "ledger_number = (SELECT ledger_number FROM tasks WHERE name = $1)",
                task,
            )
            .await?,
            events: Rows::read(database, "events", &["entry", "position"], "aggregate = $1", task).await?,
            timers: Rows::read(database, "timers", &[], "timer_key LIKE $1", &like).await?,
        };
        // A draft has no timers yet.
        let always = [
            &footprint.idempotency,
            &footprint.sources,
            &footprint.tasks,
            &footprint.assignments,
            &footprint.likeness,
            &footprint.events,
        ];
        for rows in always {
            ensure!(!rows.rows.is_empty(), "{task} has no row in {}", rows.table);
        }
        Ok(footprint)
    }

    /// How many rows of which table, for the report.
    pub(crate) fn summary(&self) -> String {
        let parts = self.tables().map(|rows| format!("{} {}", rows.rows.len(), rows.table));
        parts.join(", ")
    }

    /// Its tables in the order in which they are written.
    pub(crate) fn tables(&self) -> [&Rows; 7] {
        let Footprint { idempotency, sources, tasks, assignments, likeness, events, timers, .. } = self;
        [idempotency, sources, tasks, assignments, likeness, events, timers]
    }
}

impl Rows {
    async fn read(
        database: &DatabaseConnection,
        table: &'static str,
        filled_in: &[&str],
        which: &str,
        value: &str,
    ) -> anyhow::Result<Self> {
        let sql = "SELECT column_name::text AS name, data_type::text AS kind FROM information_schema.columns
                   WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position";
        let mut columns: Vec<(String, String)> = Vec::new();
        for row in database.query_all_raw(statement(database, sql, [table.into()])).await? {
            columns.push((row.try_get_by("name")?, row.try_get_by("kind")?));
        }
        columns.retain(|(name, _)| !filled_in.contains(&name.as_str()));
        let sql = format!("SELECT * FROM {table} WHERE {which}");
        let mut rows = Vec::new();
        for row in database.query_all_raw(statement(database, &sql, [value.into()])).await? {
            let read = columns.iter().map(|(name, kind)| cell(&row, name, kind));
            rows.push(read.collect::<anyhow::Result<Vec<Value>>>().with_context(|| table)?);
        }
        Ok(Rows { table, columns: columns.into_iter().map(|(name, _)| name).collect(), rows })
    }

    /// Where a column stands.
    pub(crate) fn place(&self, column: &str) -> anyhow::Result<usize> {
        self.columns
            .iter()
            .position(|name| name == column)
            .with_context(|| format!("{} has no column {column}", self.table))
    }

    /// `INSERT INTO …` of all its rows, with a place for each value.
    pub(crate) fn insertion(&self) -> String {
        let width = self.columns.len();
        let row = |row: usize| {
            let places: Vec<String> =
                (1..=width).map(|column| format!("${}", row * width + column)).collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<String> = (0..self.rows.len()).map(row).collect();
        format!("INSERT INTO {} ({}) VALUES {}", self.table, self.columns.join(", "), rows.join(", "))
    }
}

fn cell(row: &QueryResult, name: &str, kind: &str) -> anyhow::Result<Value> {
    Ok(match kind {
        "text" => row.try_get_by::<Option<String>, _>(name)?.into(),
        "integer" => row.try_get_by::<Option<i32>, _>(name)?.into(),
        "bigint" => row.try_get_by::<Option<i64>, _>(name)?.into(),
        "boolean" => row.try_get_by::<Option<bool>, _>(name)?.into(),
        "bytea" => row.try_get_by::<Option<Vec<u8>>, _>(name)?.into(),
        other => bail!("the driver cannot write {name}, which is of type {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn every_value_of_an_insertion_has_its_place() {
        let columns = vec!["unit".to_owned(), "task".to_owned()];
        let rows =
            Rows { table: "held", columns, rows: vec![vec![1.into(), 2.into()], vec![3.into(), 4.into()]] };
        assert_eq!(rows.insertion(), "INSERT INTO held (unit, task) VALUES ($1, $2), ($3, $4)");
    }
}
