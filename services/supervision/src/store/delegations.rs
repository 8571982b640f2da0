//! What units passed down.

use domain_supervision::Delegation;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use xietong_store::StoreError;

use super::Portion;
use super::word::Table;

const TABLE: Table =
    Table { table: "delegations", columns: &["holder", "unit", "assignment", "version"], what: "delegation" };

/// Which delegations; `None` asks for all.
#[derive(Debug, Default)]
pub(crate) struct DelegationFilter {
    /// Passed down by this unit.
    pub(crate) holder: Option<String>,
    /// Passed down to this unit.
    pub(crate) unit: Option<String>,
    /// Of this assignment.
    pub(crate) assignment: Option<String>,
}

/// The delegation of this name.
pub(crate) async fn find_delegation<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<Delegation>, StoreError> {
    TABLE.find(connection, name).await
}

/// Delegations, the newest first.
pub(crate) async fn delegations(
    reader: &DatabaseConnection,
    filter: &DelegationFilter,
    portion: Portion,
) -> Result<Vec<(i64, Delegation)>, StoreError> {
    let asked = [
        ("holder", filter.holder.as_deref()),
        ("unit", filter.unit.as_deref()),
        ("assignment", filter.assignment.as_deref()),
    ];
    TABLE.list(reader, &asked, portion).await
}

/// Keeps a new delegation.
pub(crate) async fn keep_delegation(tx: &DatabaseTransaction, given: &Delegation) -> Result<(), StoreError> {
    let values = vec![
        given.holder.as_str().into(),
        given.delegate_unit().map(str::to_owned).into(),
        given.assignment.as_str().into(),
        given.version.into(),
    ];
    TABLE.insert(tx, &given.name, values, given).await
}

/// Writes what a delegation became. [`StoreError::Stale`] when somebody else changed it meanwhile.
pub(crate) async fn save_delegation(
    tx: &DatabaseTransaction,
    before: &Delegation,
    after: &Delegation,
) -> Result<(), StoreError> {
    TABLE.update(tx, &after.name, Some((before.version, after.version)), vec![], after).await
}
