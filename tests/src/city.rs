//! A small city for load: units with a liaison and a clerk each, and a supervisor.

use anyhow::Context;
use serde_json::{Value, json};
use xietong_testkit::api::Api;

/// Subject of the account that enters, issues and verifies tasks.
pub const SUPERVISOR: &str = "duchashi";

/// What was founded.
#[derive(Debug, Clone)]
pub struct City {
    /// Its units, in the order of their numbers.
    pub units: Vec<Unit>,
}

/// A unit of the city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// `units/{slug}`.
    pub name: String,
    /// Subject of the account that does its work.
    pub clerk: String,
    /// `officials/{id}` of its liaison, whom its notices reach.
    pub liaison: String,
}

impl City {
    /// Founds a city of so many units, as its administrator. Every request has an id of its
    /// own: founding the same city again changes nothing.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn found(administrator: &Api, units: usize) -> anyhow::Result<City> {
        let mut city = City { units: Vec::with_capacity(units) };
        let supervisor = json!({"subject": SUPERVISOR, "roles": [{"role": "ROLE_SUPERVISOR"}]});
        account(administrator, SUPERVISOR, supervisor).await?;
        for number in 1..=units {
            let (slug, official) = (format!("unit-{number}"), format!("liaison-{number}"));
            let unit = Unit {
                name: format!("units/{slug}"),
                clerk: format!("clerk-{number}"),
                liaison: format!("officials/{official}"),
            };
            let named = json!({"displayName": format!("第{number}局"), "kind": "UNIT_KIND_DEPARTMENT"});
            let request = json!({"unitId": slug, "unit": named, "requestId": format!("city/{slug}")});
            administrator.call("DirectoryService/CreateUnit", request).await.with_context(|| slug)?;

            let post = json!({"kind": "POST_KIND_LIAISON", "unit": unit.name, "title": "联络员"});
            let named = json!({"displayName": format!("第{number}局联络员"), "posts": [post]});
            let id = format!("city/{official}");
            let request = json!({"officialId": official, "official": named, "requestId": id});
            administrator.call("DirectoryService/CreateOfficial", request).await.with_context(|| id)?;

            let role = json!({"role": "ROLE_UNIT_CLERK", "units": [unit.name]});
            let clerk = json!({"subject": unit.clerk, "roles": [role]});
            account(administrator, &unit.clerk, clerk).await?;
            let liaison = json!({"subject": official, "official": unit.liaison, "roles": [{"role": "ROLE_LIAISON", "units": [unit.name]}]});
            account(administrator, &official, liaison).await?;
            city.units.push(unit);
        }
        Ok(city)
    }
}

async fn account(administrator: &Api, subject: &str, account: Value) -> anyhow::Result<()> {
    let request = json!({"account": account, "requestId": format!("city/accounts/{subject}")});
    administrator
        .call("DirectoryService/CreateAccount", request)
        .await
        .with_context(|| format!("the account {subject}"))?;
    Ok(())
}
