//! The sample city, compiled in: 临汾市 as its public notices of 2023 have it.
//!
//! Names, posts and figures are of the public record; every sentence is the project's own.

use serde::Deserialize;
use serde_json::Value;

/// Who and what there is: requests of the public API in proto3 JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// `CreateUnitRequest`s.
    pub units: Vec<Value>,
    /// `CreateCollectiveRequest`s.
    #[serde(default)]
    pub collectives: Vec<Value>,
    /// `CreateOfficialRequest`s.
    #[serde(default)]
    pub officials: Vec<Value>,
    /// `CreateAccountRequest`s.
    #[serde(default)]
    pub accounts: Vec<Value>,
    /// `CreateDivisionRequest`s, in the order of their taking effect.
    #[serde(default)]
    pub divisions: Vec<Value>,
}

/// What there is to do in the sample city.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// `CreateGroupRequest`s, with all that the founding notices say.
    pub groups: Vec<Value>,
    /// `CreateTaskRequest`s.
    pub tasks: Vec<Value>,
}

const DIRECTORY: &str = include_str!("../../sample/linfen/directory.json");
/// The yearly plan of 临政办发〔2023〕8号: its 195 tasks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `CreateTaskRequest`s, and beside each, under `extra`, its quantified targets.
    pub tasks: Vec<Value>,
}

const PLAN: &str = include_str!("../../sample/linfen/plan.json");
const WORK: &str = include_str!("../../sample/linfen/work.json");

/// The sample's directory.
///
/// # Errors
/// Never: a test reads it.
pub fn directory() -> serde_json::Result<Directory> {
    serde_json::from_str(DIRECTORY)
}

/// The sample's work.
///
/// # Errors
/// Never: a test reads it.
pub fn work() -> serde_json::Result<Work> {
    serde_json::from_str(WORK)
}

/// The sample's yearly plan.
///
/// # Errors
/// Never: a test reads it.
pub fn plan() -> serde_json::Result<Plan> {
    serde_json::from_str(PLAN)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::{directory, plan, work};

    #[test]
    fn the_plan_has_every_item_once_with_its_units_and_tags() {
        let directory = directory().unwrap();
        let units: BTreeSet<String> = directory
            .units
            .iter()
            .map(|unit| format!("units/{}", unit["unitId"].as_str().unwrap()))
            .collect();
        let plan = plan().unwrap();
        let numbers: Vec<u64> =
            plan.tasks.iter().map(|task| task["task"]["source"]["itemNumber"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=195).collect::<Vec<_>>());
        let leads = |no: usize| plan.tasks[no - 1]["task"]["assignments"].as_array().unwrap().len();
        assert_eq!((leads(16), leads(84)), (2, 3));
        let assignments = plan.tasks.iter().flat_map(|task| task["task"]["assignments"].as_array().unwrap());
        assert!(assignments.clone().all(|one| units.contains(one["unit"].as_str().unwrap())));
        for (tag, count) in [("省政府12件民生实事", 12), ("我市6件民生实事", 6)] {
            let tagged = plan.tasks.iter().filter(|task| {
                task["task"]["tags"].as_array().is_some_and(|tags| tags.iter().any(|one| one == tag))
            });
            assert_eq!(tagged.count(), count, "{tag}");
        }
    }

    #[test]
    fn the_sample_is_whole() {
        let directory = directory().unwrap();
        assert!(directory.units.len() > 130 && directory.divisions.len() == 2);
        let units: BTreeSet<String> = directory
            .units
            .iter()
            .map(|unit| format!("units/{}", unit["unitId"].as_str().unwrap()))
            .collect();
        assert_eq!(units.len(), directory.units.len(), "each once");
        let members = |collective: &Value| -> Vec<String> {
            serde_json::from_value(collective["collective"]["units"].clone()).unwrap()
        };
        let named = |one: &&Value| one["collective"]["displayName"] == "各县（市、区）";
        assert_eq!(members(directory.collectives.iter().find(named).unwrap()).len(), 17);
        assert!(directory.collectives.iter().flat_map(members).all(|unit| units.contains(&unit)));
        let work = work().unwrap();
        assert!(!work.groups.is_empty() && !work.tasks.is_empty());
    }

    /// Entries of a list in a group; none where the group does not have it.
    fn list<'a>(group: &'a Value, name: &str) -> &'a [Value] {
        group.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Texts of a member of each entry; empty where an entry does not have it.
    fn texts<'a>(entries: impl IntoIterator<Item = &'a Value>, name: &str) -> Vec<&'a str> {
        entries.into_iter().map(|entry| entry.get(name).and_then(Value::as_str).unwrap_or_default()).collect()
    }

    #[test]
    fn groups_say_what_their_founding_notices_say() {
        let work = work().unwrap();
        let of_document = |number: &str| -> &Value {
            let mut groups = work.groups.iter().map(|request| &request["group"]);
            groups.find(|group| group["foundingDocument"] == number).unwrap()
        };

        let energy = of_document("临政办函〔2023〕17号");
        let subgroups = texts(list(energy, "subgroups"), "name");
        assert_eq!(
            subgroups,
            ["综合协调组", "手续办理组", "项目施工组", "资金保障组", "督导检查组", "纪律作风组"]
        );
        for subgroup in subgroups {
            let seats: Vec<_> =
                list(energy, "seats").iter().filter(|seat| seat["subgroup"] == subgroup).collect();
            let heads: Vec<_> = seats.iter().filter(|seat| seat["role"] == "SEAT_ROLE_HEAD").collect();
            let [head] = heads.as_slice() else { panic!("{subgroup}: {heads:?}") };
            assert!(head["official"].is_string(), "{subgroup}");
            assert!(seats.iter().any(|seat| seat["role"] == "SEAT_ROLE_MEMBER"), "{subgroup}");
            assert!(list(energy, "duties").iter().any(|duty| duty["subgroup"] == subgroup), "{subgroup}");
        }

        let water = of_document("临政办函〔2023〕21号");
        let numbers: Vec<_> =
            list(water, "duties").iter().map(|duty| duty["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (2..=8).collect::<Vec<_>>());
        for charged in ["unit", "official"] {
            assert!(!texts(list(water, "duties"), charged).contains(&""), "each charges a {charged}");
        }
        let mechanisms = texts(list(water, "mechanisms"), "name");
        assert_eq!(mechanisms, ["会议", "调度", "通报", "督办", "报送"]);

        let flood = of_document("临政办发〔2023〕13号");
        let members = list(flood, "seats").iter().filter(|seat| seat["role"] == "SEAT_ROLE_MEMBER");
        let charged = texts(list(flood, "duties"), "unit");
        assert_eq!(charged, texts(members, "unit"), "each member unit has its duty");
    }
}
