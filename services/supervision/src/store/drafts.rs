//! What clerks drafted in a unit's name, and whether its approver must release it.

use domain_supervision::{DraftState, UnitDraft};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Value};
use xietong_store::{StoreError, statement};

use super::Portion;
use super::word::Table;

const TABLE: Table =
    Table { table: "drafts", columns: &["unit", "assignment", "state", "version"], what: "draft" };

/// Whether a unit's approver must release what its clerks say, and the version of that setting: zero
/// when there is none.
pub(crate) async fn release_setting<C: ConnectionTrait>(
    connection: &C,
    unit: &str,
) -> Result<(bool, i64), StoreError> {
    let sql = "SELECT required, version FROM release_settings WHERE unit = $1";
    let row = connection.query_one_raw(statement(connection, sql, [unit.into()])).await?;
    row.map_or(Ok((false, 0)), |row| Ok((row.try_get_by("required")?, row.try_get_by("version")?)))
}

/// Changes a unit's setting. [`StoreError::Stale`] when it is no longer at that version.
pub(crate) async fn save_release_setting(
    tx: &DatabaseTransaction,
    unit: &str,
    required: bool,
    before: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO release_settings (unit, required, version) VALUES ($1, $2, $3 + 1)
               ON CONFLICT (unit) DO UPDATE SET required = excluded.required, version = excluded.version
               WHERE release_settings.version = $3";
    let values: [Value; 3] = [unit.into(), required.into(), before.into()];
    match tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() {
        0 => Err(StoreError::Stale(unit.to_owned())),
        _ => Ok(()),
    }
}

/// The draft of this name.
pub(crate) async fn find_draft<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<UnitDraft>, StoreError> {
    TABLE.find(connection, name).await
}

/// Drafts of a unit, the newest first.
pub(crate) async fn drafts_of(
    reader: &DatabaseConnection,
    unit: &str,
    state: Option<DraftState>,
    portion: Portion,
) -> Result<Vec<(i64, UnitDraft)>, StoreError> {
    TABLE.list(reader, &[("unit", Some(unit)), ("state", state.map(column))], portion).await
}

/// Drafts on an assignment that are not done with: awaiting release or sent back.
pub(crate) async fn open_drafts(
    tx: &DatabaseTransaction,
    assignment: &str,
) -> Result<Vec<UnitDraft>, StoreError> {
    let sql = "SELECT body FROM drafts WHERE assignment = $1 AND state IN ($2, $3) ORDER BY number";
    let states = [DraftState::Awaiting, DraftState::SentBack].map(column);
    let values: [Value; 3] = [assignment.into(), states[0].into(), states[1].into()];
    let rows = tx.query_all_raw(statement(tx, sql, values)).await?;
    rows.iter().map(|row| TABLE.read(&row.try_get_by::<String, _>("body")?)).collect()
}

/// Keeps a new draft.
pub(crate) async fn keep_draft(tx: &DatabaseTransaction, draft: &UnitDraft) -> Result<(), StoreError> {
    let values = vec![
        draft.unit.as_str().into(),
        draft.assignment.as_str().into(),
        column(draft.state).into(),
        draft.version.into(),
    ];
    TABLE.insert(tx, &draft.name, values, draft).await
}

/// Writes what a draft became. [`StoreError::Stale`] when somebody else changed it meanwhile.
pub(crate) async fn save_draft(
    tx: &DatabaseTransaction,
    before: &UnitDraft,
    after: &UnitDraft,
) -> Result<(), StoreError> {
    let set = vec![("state", column(after.state).into())];
    TABLE.update(tx, &after.name, Some((before.version, after.version)), set, after).await
}

fn column(state: DraftState) -> &'static str {
    match state {
        DraftState::Awaiting => "awaiting",
        DraftState::SentBack => "sent_back",
        DraftState::Released => "released",
        DraftState::Withdrawn => "withdrawn",
        DraftState::Replaced => "replaced",
    }
}
