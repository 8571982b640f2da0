//! Instructions of leaders on tasks.

use domain_supervision::Instruction;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use xietong_store::{StoreError, statement};

use super::Portion;
use super::word::Table;

const TABLE: Table = Table { table: "instructions", columns: &["task"], what: "instruction" };

/// The instruction of this name.
pub(crate) async fn find_instruction<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<Instruction>, StoreError> {
    TABLE.find(connection, name).await
}

/// Instructions on a task, the newest first.
pub(crate) async fn instructions_of(
    reader: &DatabaseConnection,
    task: &str,
    portion: Portion,
) -> Result<Vec<(i64, Instruction)>, StoreError> {
    TABLE.list(reader, &[("task", Some(task))], portion).await
}

/// Keeps a new instruction on a task.
pub(crate) async fn keep_instruction(
    tx: &DatabaseTransaction,
    task: &str,
    instruction: &Instruction,
) -> Result<(), StoreError> {
    TABLE.insert(tx, &instruction.name, vec![task.into()], instruction).await
}

/// Writes what an instruction became. Whoever changes one changes its task in the same transaction,
/// which keeps two changes apart.
pub(crate) async fn save_instruction(
    tx: &DatabaseTransaction,
    instruction: &Instruction,
) -> Result<(), StoreError> {
    TABLE.update(tx, &instruction.name, None, vec![], instruction).await
}

/// The task that was created from an origin, `tasks/{id}`.
pub(crate) async fn task_from<C: ConnectionTrait>(
    connection: &C,
    origin: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT name FROM task_origins
               JOIN tasks ON tasks.ledger_number = task_origins.ledger_number WHERE origin = $1";
    let row = connection.query_one_raw(statement(connection, sql, [origin.into()])).await?;
    row.map(|row| Ok(row.try_get_by("name")?)).transpose()
}
