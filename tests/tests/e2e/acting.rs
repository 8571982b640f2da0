//! A leader is away, another acts for him, he is back early: what was done comes back to him.

use serde_json::{Value, json};
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::wait::wait_for_value;

use crate::world::{SOON, SUPERVISOR, World};

const A: &str = "qiaofeihong";
const B: &str = "wangyuan";
const UNIT: &str = "units/shuiliju";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_back_gets_the_digest_of_what_was_done_and_acknowledges_it() {
    let world = World::simulated().await;
    let supervisor = world.api(Protocol::Rest, SUPERVISOR).await;
    let clerk = world.api(Protocol::Grpc, "shuiliju-lianluoyuan").await;
    let (leader, acting) = (world.api(Protocol::Rest, A).await, world.api(Protocol::Rest, B).await);
    let mut held = Vec::new();
    for title in ["水库隐患排查", "河道清障", "灌区改造"] {
        let task = json!({
            "title": title,
            "text": "全文",
            "unclassified": true,
            "assignments": [{"unit": UNIT, "role": "ASSIGNMENT_ROLE_LEAD"}],
        });
        let request = json!({"task": task, "issue": true});
        let task = supervisor.call("TaskService/CreateTask", request).await.unwrap();
        let name = task["assignments"][0]["name"].clone();
        clerk.call("TaskService/SignAssignment", json!({"name": name})).await.unwrap();
        clerk.call("TaskService/DeployAssignment", json!({"name": name, "plan": "专人盯办"})).await.unwrap();
        held.push(name);
    }
    let [extended, verified, late] = held.as_slice() else { panic!("{held:?}") };
    let asked = json!({"name": extended, "until": "2023-07-21T00:00:00+08:00", "reason": "连续降雨"});
    clerk.call("TaskService/RequestExtension", asked).await.unwrap();
    for name in [verified, late] {
        let submitted = json!({"name": name, "text": "已完成"});
        clerk.call("TaskService/SubmitAssignment", submitted).await.unwrap();
    }

    let away = json!({
        "official": format!("officials/{A}"),
        "startTime": "2023-05-25T00:00:00+08:00",
        "endTime": "2023-06-20T00:00:00+08:00",
    });
    let absence = leader.call("RosterService/CreateAbsence", json!({"absence": away})).await.unwrap();
    let absence = absence["name"].clone();
    // Every service hears of the absence by itself: until then B is no more than anybody.
    let granted = wait_for_value("the grant", SOON, async || {
        let grant = json!({"name": extended, "grant": true, "note": "同意"});
        acting.call("TaskService/DecideExtension", grant).await.ok()
    });
    granted.await.unwrap();
    acting.call("TaskService/VerifyAssignment", json!({"name": verified, "accept": true})).await.unwrap();
    let open = async |api: &Api| -> Vec<Value> {
        let listed = api.call("RosterService/ListAbsences", json!({"unacknowledged": true})).await.unwrap();
        let absences = listed["absences"].as_array().cloned().unwrap_or_default();
        absences.into_iter().map(|absence| absence["name"].clone()).collect()
    };
    assert_eq!(open(&leader).await, [json!(null); 0], "he is away");

    leader.call("RosterService/EndAbsence", json!({"name": absence})).await.unwrap();
    let digest = wait_for_value("the digest of both acts", SOON, async || {
        let digest = leader.call("ActingService/GetAbsenceDigest", json!({"name": absence})).await.unwrap();
        (digest["acts"].as_array().is_some_and(|acts| acts.len() == 2)).then_some(digest)
    });
    let digest = digest.await.unwrap();
    for (act, (what, subject)) in digest["acts"]
        .as_array()
        .unwrap()
        .iter()
        .zip([("同意市水利局延期至2023年7月20日", "水库隐患排查"), ("核验通过市水利局", "河道清障")])
    {
        let description = act["description"].as_str().unwrap();
        assert!(description.contains(what) && description.contains(subject), "{act}");
        assert_eq!((&act["actingDisplayName"], &act["beyondAuthority"]), (&json!("王渊"), &json!(false)));
        let (ground, authority) = (act["ground"].as_str().unwrap(), act["authority"].as_str().unwrap());
        assert!(ground.contains("代乔飞鸿行使职权") && ground.ends_with(authority), "{act}");
        assert!(authority.starts_with(absence.as_str().unwrap()), "{act}");
    }
    for api in [&leader, &supervisor] {
        assert_eq!(open(api).await, std::slice::from_ref(&absence));
    }
    assert_eq!(open(&acting).await, [json!(null); 0], "it is not his");

    let inbox = wait_for_value("the notices of both acts", SOON, async || {
        let listed = leader.call("InboxService/ListMessages", json!({"pageSize": 1_000})).await.unwrap();
        let told: Vec<String> = listed["messages"]
            .as_array()?
            .iter()
            .filter(|message| message["subject"] == absence)
            .filter_map(|message| Some(message["body"].as_str()?.to_owned()))
            .collect();
        let times = |what: &str| told.iter().filter(|body| body.contains(what)).count();
        (times("水库隐患排查") > 0 && times("河道清障") > 0)
            .then(|| (times("水库隐患排查"), times("河道清障")))
    });
    assert_eq!(inbox.await.unwrap(), (1, 1), "each act is told once");

    let etag = digest["absence"]["etag"].clone();
    let acknowledged = json!({"name": absence, "etag": etag});
    let done = leader.call("ActingService/AcknowledgeAbsence", acknowledged).await.unwrap();
    assert_eq!((&done["acknowledgedActCount"], &done["unacknowledged"]), (&json!("2"), &json!(false)));
    for api in [&leader, &supervisor] {
        assert_eq!(open(api).await, [json!(null); 0]);
    }
    let refused = wait_for_value("the refusal", SOON, async || {
        // What B does before supervision hears of the return would stand: so the copy is waited for.
        let seen = json!({"name": late.as_str()?.split_once("/assignments/")?.0});
        acting.call("TaskService/GetTask", seen).await.err()
    });
    refused.await.unwrap();
    let refusal = acting.call("TaskService/VerifyAssignment", json!({"name": late, "accept": true})).await;
    assert_eq!(refusal.unwrap_err().code, "PERMISSION_DENIED");
    world.end().await;
}
