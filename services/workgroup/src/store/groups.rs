//! Groups.

use domain_workgroup::Group;
use sea_orm::{ConnectionTrait, Value};
use xietong_mesh::Scope;
use xietong_store::{Parameters, StoreError, statement};

use super::{Stored, json};

/// Adds a group at version 1, or says which group there is already in its place: one of its
/// name, or one that the same document founded under the same display name. Whoever founds at
/// the same moment waits, so that one of them is told of the other.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    group: &Group,
) -> Result<Option<String>, StoreError> {
    let founded_as = (!group.founding_document.is_empty()).then(|| group.display_name.clone());
    let sql = "INSERT INTO groups (name, founding_document, founded_as, office_unit, version, body)
               VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT DO NOTHING";
    let values: [Value; 5] = [
        group.name.clone().into(),
        group.founding_document.clone().into(),
        founded_as.clone().into(),
        group.office_unit.clone().into(),
        json(group)?.into(),
    ];
    let result = connection.execute_raw(statement(connection, sql, values)).await?;
    if result.rows_affected() == 1 {
        return Ok(None);
    }
    let sql = "SELECT name FROM groups WHERE name = $1 OR (founding_document = $2 AND founded_as = $3)
               ORDER BY CASE WHEN name = $1 THEN 0 ELSE 1 END LIMIT 1";
    let values: [Value; 3] =
        [group.name.clone().into(), group.founding_document.clone().into(), founded_as.into()];
    let row = connection.query_one_raw(statement(connection, sql, values)).await?;
    // No group is ever removed, so there is one.
    let row = row.ok_or_else(|| StoreError::Stale(group.name.clone()))?;
    Ok(Some(row.try_get_by("name")?))
}

/// A group by name.
pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<Stored<Group>>, StoreError> {
    let sql = "SELECT version, body FROM groups WHERE name = $1";
    let row = connection.query_one_raw(statement(connection, sql, [name.into()])).await?;
    row.as_ref().map(Stored::read).transpose()
}

/// The first groups after a name that are within a scope and, if one is given, were founded by
/// a document; in order of name. Says in SQL what [`Scope::permits`] says of
/// [`crate::app::group::resource`].
pub(crate) async fn list_in_scope<C: ConnectionTrait>(
    connection: &C,
    scope: &Scope,
    founding_document: Option<&str>,
    after: &str,
    limit: u64,
) -> Result<Vec<Stored<Group>>, StoreError> {
    let mut parameters = Parameters::default();
    let after = parameters.bind(after);
    let permitted = if scope.all {
        "TRUE".to_owned()
    } else {
        let units = scope.units.union(&scope.portfolio);
        let groups = parameters.bind_all(scope.groups.iter().map(String::as_str));
        let units = parameters.bind_all(units.map(String::as_str));
        format!("(name IN ({groups}) OR office_unit IN ({units}))")
    };
    let asked_for = match founding_document {
        Some(document) => format!("founding_document = {}", parameters.bind(document)),
        None => "TRUE".to_owned(),
    };
    let limit = parameters.bind(limit);
    let sql = format!(
        "SELECT version, body FROM groups WHERE name > {after} AND {permitted} AND {asked_for}
         ORDER BY name LIMIT {limit}"
    );
    let rows = connection.query_all_raw(statement(connection, &sql, parameters.into_values())).await?;
    rows.iter().map(Stored::read).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use xietong_mesh::principal::{Grant, Role};
    use xietong_mesh::{Principal, Scope, authorize};

    use super::{insert, list_in_scope};
    use crate::app::group::resource;
    use crate::store::tests::{group, scratch};

    const GROUPS: [&str; 4] = ["a", "b", "c", "d"];
    const UNITS: [&str; 2] = ["units/energy", "units/water"];

    fn names(prefix: &str, picked: &[bool]) -> BTreeSet<String> {
        let all = GROUPS.iter().zip(picked);
        all.filter(|(_, picked)| **picked).map(|(name, _)| format!("{prefix}{name}")).collect()
    }

    fn units(picked: &[bool]) -> BTreeSet<String> {
        let all = UNITS.iter().zip(picked);
        all.filter(|(_, picked)| **picked).map(|(unit, _)| (*unit).to_owned()).collect()
    }

    fn scope(all: bool, groups: &[bool], named: &[bool], portfolio: &[bool]) -> Scope {
        let reader = Principal::account("reader", None, vec![Grant::of(Role::UnitClerk)]);
        let scope = authorize::scope(&reader, "workgroup.groups.list").unwrap();
        Scope {
            all,
            groups: names("groups/", groups),
            units: units(named),
            portfolio_of: Some("officials/1".into()),
            portfolio: units(portfolio),
            ..scope
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_listed_is_what_the_scope_permits(
            all in proptest::bool::weighted(0.1),
            groups in prop::array::uniform4(any::<bool>()),
            named in prop::array::uniform2(any::<bool>()),
            portfolio in prop::array::uniform2(any::<bool>()),
            offices in prop::array::uniform4(prop::option::of(0..UNITS.len())),
        ) {
            let scope = scope(all, &groups, &named, &portfolio);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let (listed, permitted) = runtime.block_on(async {
                let db = scratch().await;
                let mut permitted = Vec::new();
                for (id, office) in GROUPS.iter().zip(offices) {
                    let group = group(id, office.map(|index| UNITS[index]));
                    insert(db.writer(), &group).await.unwrap();
                    if scope.permits(&resource(&group)) {
                        permitted.push(group);
                    }
                }
                let listed = list_in_scope(db.reader(), &scope, None, "", 10).await.unwrap();
                (listed.into_iter().map(|stored| stored.record).collect::<Vec<_>>(), permitted)
            });
            prop_assert_eq!(listed, permitted);
        }
    }
}
