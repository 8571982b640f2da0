use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use prost_types::Timestamp as ProtoTimestamp;
use serde_json::Value;
use xietong_mesh::convert::encode_time;
use xietong_proto::supervision::{Direction, Task};

use super::{Act, Verb, directory, history, plan, work};
use crate::json::Json;

const DOCUMENT: &str = "临政办发〔2023〕8号";

/// The plan's tasks as the API has them.
fn tasks() -> Vec<Task> {
    let json = Json::new().unwrap();
    plan().unwrap().tasks.into_iter().map(|task| json.read(task).unwrap()).collect()
}

fn item(task: &Task) -> i32 {
    task.source.as_ref().unwrap().item_number
}

fn at(text: &str) -> Option<ProtoTimestamp> {
    Some(encode_time(Timestamp::parse(text).unwrap()))
}

#[test]
fn the_plan_has_every_item_once_with_its_units_and_tags() {
    let directory = directory().unwrap();
    let units: BTreeSet<String> =
        directory.units.iter().map(|unit| format!("units/{}", unit["unitId"].as_str().unwrap())).collect();
    let tasks = tasks();
    assert_eq!(tasks.iter().map(item).collect::<Vec<_>>(), (1..=195).collect::<Vec<_>>());
    let sources = tasks.iter().map(|task| task.source.as_ref().unwrap());
    assert!(sources.into_iter().all(|source| source.document_number == DOCUMENT && source.part.is_empty()));
    let leads = |number: usize| tasks[number - 1].assignments.len();
    assert_eq!((leads(16), leads(84)), (2, 3));
    let holders: BTreeSet<_> = tasks.iter().flat_map(|task| &task.assignments).map(|one| &one.unit).collect();
    assert_eq!(holders.len(), 39);
    assert!(holders.into_iter().all(|unit| units.contains(unit)));
    for (tag, count) in [("省政府12件民生实事", 12), ("我市6件民生实事", 6)] {
        let tagged = tasks.iter().filter(|task| task.tags.iter().any(|one| one == tag));
        assert_eq!(tagged.count(), count, "{tag}");
    }
}

#[test]
fn every_target_of_the_plan_is_measured_by_a_number_in_one_direction() {
    let tasks = tasks();
    let mut count = 0;
    for task in &tasks {
        let mut measures = BTreeSet::new();
        for target in &task.targets {
            let item = item(task);
            assert!(!target.unit.is_empty() && target.value.parse::<f64>().is_ok(), "{item}: {target:?}");
            assert_ne!(target.direction(), Direction::Unspecified, "{item}: {target:?}");
            assert!(measures.insert(&target.measure) && !target.measure.is_empty(), "{item}: {target:?}");
            count += 1;
        }
    }
    assert_eq!(count, 111);
    let of = |number: usize| -> Vec<_> {
        let targets = tasks[number - 1].targets.iter();
        targets.map(|one| (one.value.as_str(), one.direction(), one.binding)).collect()
    };
    assert_eq!(of(34), [("7.5", Direction::AtLeast, false)], "about 7.5 is striven for");
    assert_eq!(of(157), [("5.5", Direction::AtMost, true)]);
    assert_eq!(of(75), [("65", Direction::AtLeast, false)]);
}

#[test]
fn an_item_with_a_date_has_it_as_a_milestone_and_is_due_with_the_last_one() {
    let (june, year) = (at("2023-07-01T00:00+08:00"), at("2024-01-01T00:00+08:00"));
    let tasks = tasks();
    let dated = tasks.iter().filter(|task| !task.milestones.is_empty() || task.due_time.is_some());
    let mut numbers = Vec::new();
    for task in dated {
        let number = item(task);
        let last = task.milestones.iter().filter_map(|one| one.due_time).map(|due| due.seconds).max();
        assert_eq!(last, task.due_time.map(|due| due.seconds), "{number}");
        assert_eq!(task.due_time, if number == 16 { june } else { year }, "{number}");
        assert!(task.milestones.iter().all(|one| !one.text.is_empty()), "{number}");
        numbers.push(number);
    }
    assert_eq!(numbers, [16, 48, 50, 51, 57, 58, 59, 60, 61, 101]);
}

#[test]
fn the_history_is_one_that_the_plan_allows() {
    let held: BTreeMap<(i32, String), BTreeSet<Verb>> = tasks()
        .iter()
        .flat_map(|task| task.assignments.iter().map(|one| ((item(task), one.unit.clone()), BTreeSet::new())))
        .collect();
    let (mut done, mut before, mut signed) = (held, Timestamp::from_micros(0), BTreeSet::new());
    for moment in history().unwrap().moments {
        let time = Timestamp::parse(&moment.time).unwrap();
        assert!(time > before, "{}", moment.time);
        before = time;
        let mut touched = BTreeSet::new();
        for Act { act, unit, items, text } in moment.acts {
            let told = format!("{} {act:?} {unit}", moment.time);
            if act == Verb::Sign {
                assert!(items.is_empty() && signed.insert(unit.clone()), "{told}");
                continue;
            }
            assert!(signed.contains(&unit) && !items.is_empty(), "{told}");
            assert_eq!(text.is_empty(), act == Verb::Verify, "{told}");
            for item in items {
                let key = (item, unit.clone());
                let steps = done.get_mut(&key).unwrap_or_else(|| panic!("{told} {item}: holds it not"));
                assert!(touched.insert(key), "{told} {item}: twice at one instant");
                assert!(steps.last().is_none_or(|last| *last < act), "{told} {item}: after {steps:?}");
                assert!(act != Verb::Verify || steps.contains(&Verb::Submit), "{told} {item}");
                assert!(steps.insert(act), "{told} {item}");
            }
        }
    }
    assert_eq!(signed.len(), 39, "all have signed");
    let count = |verb| done.values().filter(|steps| steps.contains(&verb)).count();
    assert_eq!((count(Verb::Report), count(Verb::Submit), count(Verb::Verify)), (186, 12, 10));
}

#[test]
fn the_sample_is_whole() {
    let directory = directory().unwrap();
    assert!(directory.units.len() > 130 && directory.divisions.len() == 2);
    let units: BTreeSet<String> =
        directory.units.iter().map(|unit| format!("units/{}", unit["unitId"].as_str().unwrap())).collect();
    assert_eq!(units.len(), directory.units.len(), "each once");
    let members = |collective: &Value| -> Vec<String> {
        serde_json::from_value(collective["collective"]["units"].clone()).unwrap()
    };
    let named = |one: &&Value| one["collective"]["displayName"] == "各县（市、区）";
    assert_eq!(members(directory.collectives.iter().find(named).unwrap()).len(), 17);
    assert!(directory.collectives.iter().flat_map(members).all(|unit| units.contains(&unit)));
    let work = work().unwrap();
    assert!(!work.groups.is_empty());
    let of_the_plan = |task: &Value| task["task"]["source"]["documentNumber"] == DOCUMENT;
    assert!(work.tasks.len() == 2 && !work.tasks.iter().any(of_the_plan));
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
    let numbers: Vec<_> = list(water, "duties").iter().map(|duty| duty["number"].as_u64().unwrap()).collect();
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
