//! The real change of 14 May 2023, in the sample city: exactly what 12号 moved changes hands at
//! 00:00 Asia/Shanghai, with its open tasks and the seats by post; nothing else does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use xietong_mesh::ServiceName;
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::ADMINISTRATOR;

use crate::city::inbox;
use crate::world::{SOON, World};

const EVE: &str = "2023-05-13T23:59:59.999999+08:00";
const DAY: &str = "2023-05-14T00:00:00+08:00";
const PARTS: [&str; 4] = ["received", "given", "noLongerStated", "firstStated"];
const MAYOR: &str = "officials/wangyanfeng";

/// Who answered and who answers, by unit or field.
type Moves = BTreeMap<String, (Option<String>, Option<String>)>;

pub(crate) async fn the_division_of_14_may_moved_what_it_says(world: &World, supervisor: &Api) {
    let effect = effect(world).await;
    let units = moves(&effect["handovers"], "unit");
    let fields = moves(&effect["fieldHandovers"], "field");
    assert_named_in_the_notices(&units, &fields);
    units_changed_hands_and_no_others(supervisor, &units).await;
    fields_changed_hands(supervisor, &fields).await;
    seats_by_post_followed(supervisor, &effect).await;
    each_leader_has_one_list_with_the_work_under_way(world, supervisor, &effect).await;
}

/// What the city government's notices say of the change.
fn assert_named_in_the_notices(units: &Moves, fields: &Moves) {
    let official = |id: &str| Some(format!("officials/{id}"));
    let moved = |moves: &Moves| -> BTreeMap<String, (Option<String>, Option<String>)> {
        moves.iter().filter(|(_, (from, _))| from.is_some()).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let expected = [
        ("units/renshe", "qiaofeihong"),
        ("units/weijianwei", "qiaofeihong"),
        ("units/yibaoju", "qiaofeihong"),
        ("units/minzhengju", "wangyun"),
        ("units/canlian", "wangyun"),
        ("units/hongshizihui", "qiaofeihong"),
    ];
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .map(|(unit, from)| (unit.to_owned(), (official(from), official("liyanping"))))
        .collect();
    assert_eq!(moved(units), expected);
    let (fields, unclear): (Moves, Moves) = moved(fields).into_iter().partition(|(_, (_, to))| to.is_some());
    let expected = [
        ("人力资源和社会保障", "qiaofeihong"),
        ("卫生健康", "qiaofeihong"),
        ("医疗保障", "qiaofeihong"),
        ("民政", "wangyun"),
        ("妇女儿童", "wangyun"),
    ];
    let expected: Moves = expected
        .into_iter()
        .map(|(field, from)| (field.to_owned(), (official(from), official("liyanping"))))
        .collect();
    assert_eq!(fields, expected);
    // 12号 words these otherwise, or not at all: nobody is said to have them now.
    let unclear: Vec<&str> = unclear.keys().map(String::as_str).collect();
    assert_eq!(unclear, ["人防", "国有资产监管", "工信", "扩大开放", "道路交通安全"]);
}

async fn units_changed_hands_and_no_others(supervisor: &Api, expected: &Moves) {
    let listed = supervisor.call("DirectoryService/ListUnits", json!({"pageSize": 1_000})).await.unwrap();
    let units: Vec<&str> =
        listed["units"].as_array().unwrap().iter().map(|unit| unit["name"].as_str().unwrap()).collect();
    assert!(units.len() > 130, "{}", units.len());
    let (before, after) =
        (who(supervisor, "unit", &units, EVE).await, who(supervisor, "unit", &units, DAY).await);
    for unit in units {
        let (from, to) = (before[unit].clone(), after[unit].clone());
        match expected.get(unit) {
            // Until then it was known of nobody, so it fell to the mayor.
            Some((None, first)) => assert_eq!((from.as_deref(), &to), (Some(MAYOR), first), "{unit}"),
            Some(moved) => assert_eq!((&from, &to), (&moved.0, &moved.1), "{unit}"),
            None => assert_eq!(from, to, "{unit} stays where it was"),
        }
    }
}

async fn fields_changed_hands(supervisor: &Api, expected: &Moves) {
    assert!(!expected.is_empty());
    let fields: Vec<&str> = expected.keys().map(String::as_str).collect();
    let (before, after) =
        (who(supervisor, "field", &fields, EVE).await, who(supervisor, "field", &fields, DAY).await);
    for (field, (from, to)) in expected {
        let or_mayor = |leader: &Option<String>| leader.clone().or_else(|| Some(MAYOR.to_owned()));
        let seen = (&before[field.as_str()], &after[field.as_str()]);
        assert_eq!(seen, (&or_mayor(from), &or_mayor(to)), "{field}");
    }
}

/// A seat that another official holds from then on is one by post, of a leader whose charge
/// changed hands.
async fn seats_by_post_followed(supervisor: &Api, effect: &Value) {
    let leaders: BTreeSet<&str> = ["handovers", "fieldHandovers"]
        .iter()
        .flat_map(|part| effect[*part].as_array().unwrap())
        .flat_map(|one| [one["from"].as_str(), one["to"].as_str()])
        .flatten()
        .chain([MAYOR])
        .collect();
    let mut looked_at = 0;
    for group in ["groups/lvse-nengyuan", "groups/yihong-qingshui"] {
        let seats = async |at: &str| {
            let asked = json!({"name": group, "at": at});
            supervisor.call("GroupService/ListSeats", asked).await.unwrap()["seats"]
                .as_array()
                .unwrap()
                .clone()
        };
        let (before, after) = (seats(EVE).await, seats(DAY).await);
        assert_eq!(before.len(), after.len());
        for (was, is) in before.iter().zip(&after) {
            looked_at += 1;
            if was["official"] == is["official"] {
                continue;
            }
            let post = is["seat"]["post"].as_str().unwrap_or_else(|| panic!("{is}"));
            let holder = |seat: &Value| seat["official"].as_str().unwrap().to_owned();
            for official in [holder(was), holder(is)].iter().filter(|official| !official.is_empty()) {
                assert!(leaders.contains(official.as_str()), "{post}: {official}");
            }
            let resolved = who(supervisor, "post", &[post], DAY).await[post].clone();
            assert_eq!(resolved, Some(holder(is)), "{post}");
        }
    }
    assert!(looked_at > 100, "{looked_at}");
    a_seat_by_a_post_that_moved_has_another_holder(supervisor).await;
}

/// Neither of the city's groups of then has a seat by the post of a leader whose field moved, so
/// one is founded that has.
async fn a_seat_by_a_post_that_moved_has_another_holder(supervisor: &Api) {
    let seats: Vec<Value> = ["卫生健康", "水利", "民政"]
        .iter()
        .map(|field| json!({"role": "SEAT_ROLE_MEMBER", "post": format!("市政府分管{field}工作的副市长")}))
        .collect();
    let group = json!({
        "displayName": "健康临汾行动推进委员会", "kind": "GROUP_KIND_PREPARATORY_COMMITTEE",
        "startTime": "2023-05-01T00:00:00+08:00", "officeUnit": "units/weijianwei", "seats": seats,
        "purpose": "统筹推进健康临汾行动", "endCondition": "行动结束",
    });
    let request = json!({"groupId": "jiankang", "group": group});
    supervisor.call("GroupService/CreateGroup", request).await.unwrap();
    let holders = async |at: &str| -> Vec<Value> {
        let asked = json!({"name": "groups/jiankang", "at": at});
        let listed = supervisor.call("GroupService/ListSeats", asked).await.unwrap();
        listed["seats"].as_array().unwrap().iter().map(|seat| seat["official"].clone()).collect()
    };
    let (qiao, wang, li) = ("officials/qiaofeihong", "officials/wangyun", "officials/liyanping");
    assert_eq!(holders(EVE).await, [qiao, qiao, wang]);
    assert_eq!(holders(DAY).await, [li, qiao, li]);
}

/// The list of each leader is one event of supervision and one notice, and counts the tasks that
/// the unit had under way then.
async fn each_leader_has_one_list_with_the_work_under_way(world: &World, supervisor: &Api, effect: &Value) {
    let databases = world.databases().await;
    databases.settle(SOON).await.unwrap();
    let log = databases.log(ServiceName::Supervision).await.unwrap();
    let lists: Vec<Value> = log
        .of_type("supervision.handover.listed")
        .map(|event| serde_json::from_str(&event.payload).unwrap())
        .filter(|list: &Value| list["division"] == effect["division"])
        .collect();
    let leaders: BTreeSet<&str> = lists.iter().map(|list| list["leader"].as_str().unwrap()).collect();
    assert_eq!(leaders.len(), lists.len(), "one a leader");
    let tasks = supervisor.call("TaskService/ListTasks", json!({"pageSize": 1_000})).await.unwrap();
    let under_way = |unit: &str| -> usize {
        let open = |task: &&Value| {
            let issued_before = task["issueTime"].as_str().is_some_and(|time| time < "2023-05-13T16:00:00Z");
            let struck_off = task["strikeOffTime"].as_str().is_some_and(|time| time < "2023-05-13T16:00:00Z");
            let leads = |one: &Value| one["unit"] == unit && one["role"] == "ASSIGNMENT_ROLE_LEAD";
            issued_before && !struck_off && task["assignments"].as_array().unwrap().iter().any(leads)
        };
        tasks["tasks"].as_array().unwrap().iter().filter(open).count()
    };
    let mut counted = 0;
    for list in &lists {
        for part in PARTS {
            for handed in list[part].as_array().into_iter().flatten() {
                let Some(unit) = handed["charge"]["unit"].as_str() else { continue };
                assert_eq!(handed["openTasks"], under_way(unit), "{part} of {}: {unit}", list["leader"]);
                counted += under_way(unit);
            }
        }
        let leader = list["leader"].as_str().unwrap();
        let inbox = inbox(world, leader.trim_start_matches("officials/")).await;
        let of_division = |message: &&Value| message["subject"] == effect["division"];
        let notices: Vec<_> = inbox.iter().filter(of_division).collect();
        let [notice] = notices.as_slice() else { panic!("{leader}: {notices:#?}") };
        let body = notice["body"].as_str().unwrap();
        assert!(body.starts_with("临政办发〔2023〕12号自2023年5月14日0时起施行。\n"), "{body}");
        let rows = PARTS.map(|part| list[part].as_array().map_or(0, Vec::len));
        let headings = rows.iter().filter(|rows| **rows > 0).count();
        assert_eq!(body.lines().count(), 1 + headings + rows.iter().sum::<usize>(), "{body}");
        // 14 May was a Sunday: it holds from then on, and is told on Monday morning.
        assert!(notice["createTime"].as_str().unwrap().starts_with("2023-05-15T00:00:"), "{notice}");
    }
    assert!(counted > 20, "{counted}");
}

/// A division that is only tried out shows what would follow in every service.
pub(crate) async fn a_trial_shows_tasks_notices_and_seats(world: &World, supervisor: &Api) {
    let administrator = world.api(Protocol::Rest, ADMINISTRATOR).await;
    let asked = json!({"documentNumber": "临政办发〔2023〕12号"});
    let listed = supervisor.call("RosterService/ListDivisions", asked).await.unwrap();
    let mut division = listed["divisions"][0].clone();
    division["effectiveTime"] = json!("2023-09-01T00:00:00+08:00");
    division["documentNumber"] = json!("临政办发〔2023〕20号");
    let portfolios = division["portfolios"].as_array_mut().unwrap();
    let mut taken = BTreeMap::new();
    for (part, key, wanted) in [("units", "unit", "units/shuiliju"), ("fields", "field", "水利")] {
        for portfolio in portfolios.iter_mut().filter(|one| one["official"] == "officials/qiaofeihong") {
            let duties = portfolio[part].as_array_mut().unwrap();
            let place = duties.iter().position(|duty| duty[key] == wanted).unwrap();
            taken.insert(part, duties.remove(place));
        }
    }
    for portfolio in portfolios.iter_mut().filter(|one| one["official"] == "officials/liyanping") {
        for (part, duty) in &taken {
            portfolio[*part].as_array_mut().unwrap().push(duty.clone());
        }
    }
    let before = supervisor.call("RosterService/ListDivisions", json!({})).await.unwrap();
    let request = json!({"division": division, "validateOnly": true});
    let tried = administrator.call("RosterService/CreateDivision", request).await.unwrap();
    assert_eq!(tried["unavailable"], json!([]));
    let handovers = tried["handovers"].as_array().unwrap();
    let of_unit = |unit: &str| handovers.iter().find(|one| one["unit"] == unit);
    let water = of_unit("units/shuiliju").unwrap_or_else(|| panic!("{handovers:#?}"));
    assert_eq!(
        (&water["from"], &water["to"]),
        (&json!("officials/qiaofeihong"), &json!("officials/liyanping"))
    );
    let count = water["openTaskCount"].as_u64().unwrap();
    let named = water["openTasks"].as_array().unwrap();
    assert!(count > 0 && named.len() == usize::try_from(count.min(20)).unwrap(), "{water}");
    for task in named {
        let task = supervisor.call("TaskService/GetTask", json!({"name": task})).await.unwrap();
        assert_eq!(task["state"], "TASK_STATE_ISSUED");
    }
    assert!(handovers.iter().any(|one| one["field"] == "水利"), "{handovers:#?}");
    let seats = tried["seats"].as_array().unwrap();
    let headquarters = seats.iter().find(|seat| seat["group"] == "groups/fangxun-kanghan");
    let commander = headquarters.unwrap_or_else(|| panic!("{seats:#?}"));
    assert_eq!((&commander["from"], &commander["to"]), (&water["from"], &water["to"]), "{commander}");
    let after = supervisor.call("RosterService/ListDivisions", json!({})).await.unwrap();
    assert_eq!(before, after, "nothing is stored");
}

async fn effect(world: &World) -> Value {
    let databases = world.databases().await;
    databases.settle(SOON).await.unwrap();
    let log = databases.log(ServiceName::Roster).await.unwrap();
    let effects: Vec<Value> = log
        .of_type("roster.division.took_effect")
        .map(|event| serde_json::from_str(&event.payload).unwrap())
        .filter(|fact: &Value| fact["effectiveTime"] == DAY)
        .collect();
    let [effect] = effects.as_slice() else { panic!("{effects:#?}") };
    effect.clone()
}

fn moves(handovers: &Value, what: &str) -> Moves {
    let official = |one: &Value| one.as_str().map(str::to_owned);
    let handovers = handovers.as_array().unwrap().iter();
    handovers
        .map(|one| (one[what].as_str().unwrap().to_owned(), (official(&one["from"]), official(&one["to"]))))
        .collect()
}

/// Who was accountable for each subject at an instant.
async fn who(api: &Api, kind: &str, subjects: &[&str], at: &str) -> BTreeMap<String, Option<String>> {
    let requests: Vec<Value> = subjects.iter().map(|subject| json!({kind: subject, "at": at})).collect();
    let answer = api.call("RosterService/BatchResolve", json!({"requests": requests})).await.unwrap();
    let outcomes = answer["outcomes"].as_array().unwrap();
    assert_eq!(outcomes.len(), subjects.len());
    let accountable = |outcome: &Value| {
        let answer = &outcome["answer"];
        assert!(answer.is_object(), "{outcome}");
        answer["accountable"]["official"].as_str().map(str::to_owned)
    };
    subjects.iter().zip(outcomes).map(|(subject, one)| ((*subject).to_owned(), accountable(one))).collect()
}
