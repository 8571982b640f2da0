//! [`condition`]: what a [`Scope`] permits, as SQL over `tasks`.

use std::collections::BTreeSet;

use domain_supervision::Visibility;
use xietong_mesh::Scope;
use xietong_store::Parameters;

use super::columns;

/// The condition under which `scope` permits a task: [`Scope::permits`] said in SQL. A test
/// over the API shows that the two agree.
pub(super) fn condition(scope: &Scope, parameters: &mut Parameters) -> String {
    format!("({} AND {})", reaches(scope, parameters), may_see(scope, parameters))
}

fn reaches(scope: &Scope, parameters: &mut Parameters) -> String {
    if scope.all {
        return "TRUE".to_owned();
    }
    let units: BTreeSet<&String> = scope.units.union(&scope.portfolio).collect();
    let mut ways = vec![held_by(&units, parameters), owned(scope, parameters)];
    if scope.reading {
        let public = parameters.bind(columns::visibility(Visibility::Public));
        ways.push(format!("visibility = {public}"));
        let restricted = parameters.bind(columns::visibility(Visibility::Restricted));
        ways.push(format!("(visibility = {restricted} AND {})", shown_to(&units, parameters)));
    }
    format!("({})", ways.join(" OR "))
}

/// The part of [`condition`] that whatever is within reach must meet, too.
pub(super) fn may_see(scope: &Scope, parameters: &mut Parameters) -> String {
    if scope.sees_restricted {
        return "TRUE".to_owned();
    }
    let named: BTreeSet<&String> = scope.named_units.iter().collect();
    let restricted = parameters.bind(columns::visibility(Visibility::Restricted));
    format!(
        "(visibility <> {restricted} OR {} OR {} OR {})",
        held_by(&named, parameters),
        shown_to(&named, parameters),
        owned(scope, parameters),
    )
}

fn owned(scope: &Scope, parameters: &mut Parameters) -> String {
    if scope.own {
        format!("created_by = {}", parameters.bind(scope.subject.as_str()))
    } else {
        "FALSE".to_owned()
    }
}

fn held_by(units: &BTreeSet<&String>, parameters: &mut Parameters) -> String {
    in_table("assignments", units, parameters)
}

fn shown_to(units: &BTreeSet<&String>, parameters: &mut Parameters) -> String {
    in_table("task_viewers", units, parameters)
}

fn in_table(table: &'static str, units: &BTreeSet<&String>, parameters: &mut Parameters) -> String {
    if units.is_empty() {
        return "FALSE".to_owned();
    }
    let units = parameters.bind_all(units.iter().map(|unit| unit.as_str()));
    // Asked of one task after the other: a list ends long before all that its units hold is read.
    format!(
        "EXISTS (SELECT 1 FROM {table} AS held WHERE held.ledger_number = tasks.ledger_number AND unit IN ({units}))"
    )
}
