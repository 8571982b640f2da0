//! A small city for load: units with a liaison and a clerk each, and a supervisor.

use anyhow::Context;
use serde_json::{Value, json};
use xietong_testkit::api::Api;

/// Subject of the account that enters, issues and verifies tasks.
pub const SUPERVISOR: &str = "duchashi";

/// The official of that account, who hears of what becomes of the tasks.
pub const SUPERVISING_OFFICIAL: &str = "officials/duchashi";

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
        official(administrator, SUPERVISOR, json!({"displayName": "督查室经办人"})).await?;
        let role = json!({"role": "ROLE_SUPERVISOR"});
        account(administrator, SUPERVISOR, json!({"official": SUPERVISING_OFFICIAL, "roles": [role]}))
            .await?;

        let mut city = City { units: Vec::with_capacity(units) };
        for number in 1..=units {
            let (slug, liaison) = (format!("unit-{number}"), format!("liaison-{number}"));
            let unit = Unit {
                name: format!("units/{slug}"),
                clerk: format!("clerk-{number}"),
                liaison: format!("officials/{liaison}"),
            };
            let named = json!({"displayName": format!("第{number}局"), "kind": "UNIT_KIND_DEPARTMENT"});
            let request = json!({"unitId": slug, "unit": named, "requestId": format!("city/{slug}")});
            administrator.call("DirectoryService/CreateUnit", request).await.with_context(|| slug)?;
            let post = json!({"kind": "POST_KIND_LIAISON", "unit": unit.name, "title": "联络员"});
            let named = json!({"displayName": format!("第{number}局联络员"), "posts": [post]});
            official(administrator, &liaison, named).await?;
            let role = json!({"role": "ROLE_UNIT_CLERK", "units": [unit.name]});
            account(administrator, &unit.clerk, json!({"roles": [role]})).await?;
            city.units.push(unit);
        }
        Ok(city)
    }

    /// The liaison of a unit.
    pub fn liaison_of(&self, unit: &str) -> Option<&str> {
        self.units.iter().find(|one| one.name == unit).map(|one| one.liaison.as_str())
    }
}

async fn official(administrator: &Api, id: &str, official: Value) -> anyhow::Result<()> {
    let request =
        json!({"officialId": id, "official": official, "requestId": format!("city/officials/{id}")});
    let made = administrator.call("DirectoryService/CreateOfficial", request).await;
    made.with_context(|| format!("the official {id}"))?;
    Ok(())
}

async fn account(administrator: &Api, subject: &str, mut account: Value) -> anyhow::Result<()> {
    if let Some(fields) = account.as_object_mut() {
        fields.insert("subject".to_owned(), subject.into());
    }
    let request = json!({"account": account, "requestId": format!("city/accounts/{subject}")});
    let made = administrator.call("DirectoryService/CreateAccount", request).await;
    made.with_context(|| format!("the account {subject}"))?;
    Ok(())
}
