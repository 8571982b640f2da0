//! Papers as they were issued.

use domain_calendar::Timestamp;
use domain_supervision::{Assignment, Paper, PaperKind, PaperNumber};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{SqlMigration, StoreError, statement};

/// A paper that was issued.
#[derive(Debug, Clone)]
pub(crate) struct KeptPaper {
    /// `papers/{id}`.
    pub(crate) name: String,
    /// The assignment it is about; empty for a bulletin.
    pub(crate) subject: String,
    /// Whose assignment it was then, `units/{slug}`; empty for a bulletin, and where that was not kept.
    pub(crate) unit: String,
    /// When.
    pub(crate) issued_at: Timestamp,
    /// What it says.
    pub(crate) paper: Paper,
}

const COLUMNS: &str = "name, subject, unit, issued_at, body";

/// An assignment that is given to another unit keeps its name, and not its papers.
pub(super) const PAPERS_OF_UNITS: SqlMigration = SqlMigration {
    name: "supervision_0022_papers_of_units",
    statements: &["ALTER TABLE papers ADD COLUMN unit TEXT NOT NULL DEFAULT ''"],
};

impl KeptPaper {
    /// Whether it is about an assignment as its unit now holds it: issued to that unit, since it
    /// was given to it.
    pub(crate) fn is_for(&self, assignment: &Assignment) -> bool {
        (self.unit.is_empty() || self.unit == assignment.unit)
            && assignment.assigned_at.is_some_and(|assigned| self.issued_at >= assigned)
    }
}

/// The next number of a kind in a year. Whoever asks for one at the same moment waits for it, where
/// the year has one already; the first of a year may be asked for twice, and is kept once.
pub(crate) async fn next_number(
    tx: &DatabaseTransaction,
    kind: PaperKind,
    year: i32,
) -> Result<PaperNumber, StoreError> {
    let last = "UPDATE papers SET number = number WHERE kind = $1 AND year = $2
                AND number = (SELECT MAX(number) FROM papers WHERE kind = $1 AND year = $2)";
    let values = || -> [Value; 2] { [kind.as_str().into(), i64::from(year).into()] };
    tx.execute_raw(statement(tx, last, values())).await?;
    let sql = "SELECT COALESCE(MAX(number), 0) + 1 AS number FROM papers WHERE kind = $1 AND year = $2";
    let row = tx.query_one_raw(statement(tx, sql, values())).await?;
    let number = row.map(|row| row.try_get_by("number")).transpose()?.unwrap_or(1);
    Ok(PaperNumber { year, number })
}

/// Keeps a paper. [`StoreError::Stale`] when somebody else was given its number meanwhile.
pub(crate) async fn keep_paper(
    tx: &DatabaseTransaction,
    kept: &KeptPaper,
    number: PaperNumber,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO papers (name, kind, year, number, subject, unit, issued_at, body)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (kind, year, number) DO NOTHING";
    let body = serde_json::to_string(&kept.paper).map_err(|error| StoreError::corrupt("paper", error))?;
    let values: [Value; 8] = [
        kept.name.as_str().into(),
        kept.paper.kind.as_str().into(),
        i64::from(number.year).into(),
        number.number.into(),
        kept.subject.as_str().into(),
        kept.unit.as_str().into(),
        kept.issued_at.as_micros().into(),
        body.into(),
    ];
    match tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() {
        0 => Err(StoreError::Stale(kept.paper.kind.printed(number))),
        _ => Ok(()),
    }
}

/// The paper of this name.
pub(crate) async fn find_paper<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<KeptPaper>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM papers WHERE name = $1");
    let row = connection.query_one_raw(statement(connection, &sql, [name.into()])).await?;
    row.as_ref().map(kept).transpose()
}

/// The latest paper of a kind about an assignment.
pub(crate) async fn latest_paper<C: ConnectionTrait>(
    connection: &C,
    subject: &str,
    kind: PaperKind,
) -> Result<Option<KeptPaper>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM papers WHERE subject = $1 AND kind = $2 ORDER BY year DESC, number DESC LIMIT 1"
    );
    let values: [Value; 2] = [subject.into(), kind.as_str().into()];
    let row = connection.query_one_raw(statement(connection, &sql, values)).await?;
    row.as_ref().map(kept).transpose()
}

/// The names of the papers about an assignment, in the order of issue.
pub(crate) async fn papers_about<C: ConnectionTrait>(
    connection: &C,
    subject: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT name FROM papers WHERE subject = $1 ORDER BY issued_at, kind, number";
    let rows = connection.query_all_raw(statement(connection, sql, [subject.into()])).await?;
    rows.iter().map(|row| Ok(row.try_get_by("name")?)).collect()
}

fn kept(row: &QueryResult) -> Result<KeptPaper, StoreError> {
    let body: String = row.try_get_by("body")?;
    Ok(KeptPaper {
        name: row.try_get_by("name")?,
        subject: row.try_get_by("subject")?,
        unit: row.try_get_by("unit")?,
        issued_at: Timestamp::from_micros(row.try_get_by("issued_at")?),
        paper: serde_json::from_str(&body).map_err(|error| StoreError::corrupt("paper", error))?,
    })
}
