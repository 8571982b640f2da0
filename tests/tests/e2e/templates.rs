//! A city words its notices over REST, is told in its words, and goes back to the built-in ones.

use serde_json::{Value, json};
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::ADMINISTRATOR;
use xietong_testkit::wait::wait_for_value;

use crate::world::{SOON, SUPERVISOR, World};

const TEMPLATE: &str = "templates/assignment";

/// Issues a task and returns what the unit is told of it: title and body.
async fn told(supervisor: &Api, liaison: &Api, title: &str) -> (String, String) {
    let task = json!({
        "title": title,
        "text": "全文",
        "unclassified": true,
        "assignments": [{"unit": "units/shuiliju", "role": "ASSIGNMENT_ROLE_LEAD"}],
    });
    let task = supervisor.call("TaskService/CreateTask", json!({"task": task, "issue": true})).await.unwrap();
    let subject = task["name"].as_str().unwrap();
    let found = wait_for_value("the notice of the task", SOON, async || {
        let asked = json!({"subject": subject});
        let listed = liaison.call("InboxService/ListMessages", asked).await.unwrap();
        listed["messages"].as_array().and_then(|messages| messages.first()).cloned()
    });
    let found = found.await.unwrap();
    let text = |field: &str| found[field].as_str().unwrap().to_owned();
    (text("title"), text("body"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_words_its_assignments_and_goes_back_to_the_built_in_words() {
    let world = World::simulated().await;
    let administrator = world.api(Protocol::Rest, ADMINISTRATOR).await;
    let supervisor = world.api(Protocol::Rest, SUPERVISOR).await;
    let liaison = world.api(Protocol::Rest, "shuiliju-lianluoyuan").await;
    let call = async |method: &str, request: Value| {
        let answer = administrator.call(&format!("TemplateService/{method}"), request.clone()).await;
        answer.unwrap_or_else(|error| panic!("{method} {request}: {error}"))
    };

    let listed = call("ListTemplates", json!({})).await;
    let listed = listed["templates"].as_array().unwrap();
    assert_eq!(listed.len(), 16);
    assert!(listed.iter().any(|one| one["name"] == TEMPLATE && one["builtIn"] == true), "{listed:?}");
    let fields = call("GetTemplate", json!({"name": TEMPLATE})).await;
    let fields = fields["fields"].as_array().unwrap().clone();
    assert!(fields.iter().any(|one| one["name"] == "limits.before" && one["meaning"] == "该步骤的时限"));

    let words = json!({
        "title": "【督办】{{ task }}",
        "body": "{{ unit }}：\n请于{% for limit in limits %}{{ limit.before }}{{ limit.step }}{% if not loop.last %}、{% endif %}{% endfor %}。",
    });
    let with = |mut request: Value| {
        for field in ["title", "body"] {
            request[field] = words[field].clone();
        }
        request
    };
    let preview = call("PreviewTemplate", with(json!({"name": TEMPLATE}))).await;
    let preview = preview["renderings"].as_array().unwrap();
    assert_eq!(preview.len(), 3);
    assert_eq!(preview[0]["title"], "【督办】第147号《汾河流域堤防加固》");
    assert_eq!(preview[0]["builtInTitle"], "交办：第147号《汾河流域堤防加固》");

    let (title, _) = told(&supervisor, &liaison, "水库隐患排查").await;
    assert!(title.starts_with("交办：第") && title.ends_with("号《水库隐患排查》"), "{title}");
    let request = with(json!({"parent": TEMPLATE, "ground": "统一全市通知口径", "requestId": "e2e/words/1"}));
    let added = call("CreateTemplateVersion", request.clone()).await;
    assert_eq!(added["version"]["name"], "templates/assignment/versions/1");
    assert_eq!(call("CreateTemplateVersion", request).await, added, "once");
    let (title, body) = told(&supervisor, &liaison, "河道清障").await;
    assert!(title.starts_with("【督办】第") && title.ends_with("号《河道清障》"), "{title}");
    assert!(body.starts_with("市水利局：\n请于20") && body.contains("签收、"), "{body}");

    for (title, body, chinese) in [
        ("{{ task }}", "{{ leader }}", "没有的字段“leader”"),
        ("{{ task }}", "{% for i in range(1000000000) %}{{ i }}{% endfor %}", "没有的字段“range”"),
        ("{{ task }}", "{{ 'a' * 100000000 }}", "运算量过大"),
        ("{{ task }}", &"字".repeat(8_001), "过长"),
        ("交办\n{{ task }}", "请签收。", "只能有一行"),
    ] {
        let request = json!({"parent": TEMPLATE, "title": title, "body": body, "ground": "试用"});
        let refused = administrator.call("TemplateService/CreateTemplateVersion", request).await.unwrap_err();
        assert_eq!(refused.code, "INVALID_ARGUMENT", "{refused}");
        assert!(refused.chinese.contains(chinese), "{refused:?}");
    }
    let revert = json!({"name": TEMPLATE, "version": "0", "ground": "恢复原有口径"});
    let refused = supervisor.call("TemplateService/RevertTemplate", revert.clone()).await.unwrap_err();
    assert_eq!(refused.code, "PERMISSION_DENIED", "{refused}");
    let refused = liaison.call("TemplateService/ListTemplates", json!({})).await.unwrap_err();
    assert_eq!(refused.code, "PERMISSION_DENIED", "{refused}");

    let reverted = call("RevertTemplate", revert).await;
    assert_eq!((&reverted["version"], &reverted["builtIn"]), (&json!("2"), &json!(true)), "{reverted}");
    let (title, body) = told(&supervisor, &liaison, "灌区改造").await;
    assert!(title.starts_with("交办：第"), "{title}");
    assert!(body.starts_with("市水利局为第") && body.ends_with("请及时签收。"), "{body}");
    let versions = supervisor.call("TemplateService/ListTemplateVersions", json!({"parent": TEMPLATE})).await;
    let versions: Vec<Value> =
        versions.unwrap()["versions"].as_array().unwrap().iter().map(|one| one["version"].clone()).collect();
    assert_eq!(versions, ["2", "1", "0"]);
    world.end().await;
}
