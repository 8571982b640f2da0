//! How officials want to be told, how much they are told, and what is measured of it, over REST.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use xietong_testkit::api::Protocol;
use xietong_testkit::cluster::ADMINISTRATOR;

use crate::load::task;
use crate::world::{SOON, SUPERVISOR, World};

const LIAISON: &str = "shuiliju-lianluoyuan";
const OFFICIAL: &str = "officials/shuiliju-lianluoyuan";

/// A call as it goes over the wire: status, and the answer.
async fn rest(
    world: &World,
    subject: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let request = Client::new().request(method, world.url(path)).bearer_auth(world.token(subject));
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// Status, reason or code, and what is said in Chinese, of a refusal.
fn refusal(answer: &(StatusCode, Value)) -> (u16, &str, Vec<&str>) {
    let error = &answer.1["error"];
    let details = error["details"].as_array().into_iter().flatten();
    let chinese = details.flat_map(|detail| {
        let violations = detail["fieldViolations"].as_array().into_iter().flatten();
        let localized = violations.map(|one| &one["localizedMessage"]["message"]);
        localized.chain([&detail["message"]]).filter_map(Value::as_str).collect::<Vec<_>>()
    });
    (answer.0.as_u16(), error["status"].as_str().unwrap_or_default(), chinese.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_are_read_changed_and_refused_over_rest() {
    let world = World::simulated().await;
    let of = async |method: Method, path: &str, body: Option<Value>| {
        rest(&world, LIAISON, method, path, body).await
    };
    let (status, before) = of(Method::GET, "/v1/preferences", None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&before["official"], &before["muted"]), (&json!(OFFICIAL), &json!([])), "{before}");

    let muted = json!([{"kind": "MESSAGE_KIND_PROGRESS", "channel": "CHANNEL_INBOX"}]);
    let quiet = json!({"start": "21:00", "end": "07:30", "restDays": true});
    let wanted = json!({"muted": muted, "quietHours": quiet});
    let path = "/v1/preferences?updateMask=muted,quietHours";
    let (status, changed) = of(Method::PATCH, path, Some(wanted)).await;
    assert_eq!((status, &changed["muted"], &changed["quietHours"]), (StatusCode::OK, &muted, &quiet));
    assert_ne!(changed["etag"], before["etag"]);
    let (_, read) = of(Method::GET, "/v1/preferences", None).await;
    assert_eq!(read, changed);

    // What is turned off is filed without a sound: nothing is unread but what obliges.
    let supervisor = world.api(Protocol::Rest, SUPERVISOR).await;
    let made = supervisor.call("TaskService/CreateTask", task("preferences-1")).await.unwrap();
    let remark = json!({"parent": made["name"], "text": "请报进展", "units": ["units/shuiliju"]});
    supervisor.call("CommentService/CreateComment", remark).await.unwrap();
    world.databases().await.settle(SOON).await.unwrap();
    let (_, unread) = of(Method::GET, "/v1/inbox/unread", None).await;
    assert_eq!((&unread["unread"], &unread["unsigned"]), (&json!("1"), &json!("1")), "{unread}");

    let muting = |kind: &str| json!({"muted": [{"kind": kind, "channel": "CHANNEL_INBOX"}]});
    let (mute, digest) = ("/v1/preferences?updateMask=muted", "/v1/preferences?updateMask=dailyDigest");
    for (path, body, chinese) in [
        (mute, muting("MESSAGE_KIND_ASSIGNMENT"), "交办类通知须送达本人，不能关闭"),
        (digest, json!({"dailyDigest": {"time": "08:30", "kinds": []}}), "请至少选择一类需要汇总的通知"),
        (
            digest,
            json!({"dailyDigest": {"time": "八点", "kinds": ["MESSAGE_KIND_PROGRESS"]}}),
            "须为“时:分”形式的时刻，例如08:30",
        ),
    ] {
        let refused = of(Method::PATCH, path, Some(body)).await;
        let (status, code, said) = refusal(&refused);
        assert_eq!((status, code), (400, "INVALID_ARGUMENT"), "{refused:?}");
        assert!(said.iter().any(|said| said.contains(chinese)), "{chinese}: {refused:?}");
    }
    let mut stale = muting("MESSAGE_KIND_OUTCOME");
    stale["etag"] = json!("99");
    let refused = of(Method::PATCH, mute, Some(stale)).await;
    assert_eq!(refusal(&refused).1, "ABORTED", "{refused:?}");
    let (_, read) = of(Method::GET, "/v1/preferences", None).await;
    assert_eq!(read, changed, "what was refused changed nothing");

    let unknown = rest(&world, "nobody", Method::GET, "/v1/preferences", None).await;
    assert!([401, 403].contains(&refusal(&unknown).0), "{unknown:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_burden_is_read_and_refused_over_rest_and_shown_on_the_page_of_metrics() {
    let world = World::simulated().await;
    let supervisor = world.api(Protocol::Rest, SUPERVISOR).await;
    for request in ["burden-1", "burden-2"] {
        supervisor.call("TaskService/CreateTask", task(request)).await.unwrap();
    }
    world.databases().await.settle(SOON).await.unwrap();

    let path = "/v1/burden?unit=units%2Fshuiliju";
    let (status, answer) = rest(&world, SUPERVISOR, Method::GET, path, None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let weeks = answer["weeks"].as_array().unwrap();
    let of_liaison = weeks.iter().find(|week| week["official"] == OFFICIAL).expect("the liaison was told");
    assert_eq!((&of_liaison["notices"], &of_liaison["asks"]), (&json!("2"), &json!("2")), "{of_liaison}");
    let cause = json!({
        "kind": "MESSAGE_KIND_ASSIGNMENT",
        "producer": "supervision",
        "eventType": "supervision.task.issued",
        "notices": "2",
        "asks": "2",
    });
    assert_eq!(of_liaison["causes"], json!([cause]));

    // Each sees what is his: a liaison nothing of another unit, whatever he asks for.
    let (status, own) = rest(&world, LIAISON, Method::GET, "/v1/burden", None).await;
    assert_eq!(status, StatusCode::OK);
    let units: Vec<&Value> = own["weeks"].as_array().unwrap().iter().map(|week| &week["unit"]).collect();
    assert!(!units.is_empty() && units.iter().all(|unit| **unit == "units/shuiliju"), "{own}");
    let other = "/v1/burden?unit=units%2Fnengyuanju";
    let (_, others) = rest(&world, LIAISON, Method::GET, other, None).await;
    assert_eq!(others["weeks"], json!([]));

    let long = "/v1/burden?startTime=2021-01-01T00:00:00%2B08:00&endTime=2023-01-01T00:00:00%2B08:00";
    let refused = rest(&world, SUPERVISOR, Method::GET, long, None).await;
    let (status, code, said) = refusal(&refused);
    assert_eq!((status, code), (400, "INVALID_ARGUMENT"), "{refused:?}");
    assert!(said.iter().any(|said| said.contains("最多相隔366天")), "{refused:?}");
    let refused = rest(&world, SUPERVISOR, Method::GET, "/v1/burden?pageToken=x", None).await;
    assert_eq!(refusal(&refused).0, 400, "{refused:?}");

    the_page_of_metrics_shows_every_service(&world).await;
    world.end().await;
}

async fn the_page_of_metrics_shows_every_service(world: &World) {
    // Every job has a turn before the clock stands where it was sent to.
    let administrator = world.api(Protocol::Rest, ADMINISTRATOR).await;
    administrator.call("ClockService/AdvanceClock", json!({"duration": "1s"})).await.unwrap();
    let page = Client::new().get(world.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let line = "burden_asks{service_name=\"notification\",unit=\"units/shuiliju\",kind=\"assignment\"} 2";
    assert!(page.lines().any(|shown| shown == line), "{page}");
    for service in ["gateway", "roster", "supervision", "notification"] {
        let calls = format!("rpc_server_call_duration_seconds_count{{service_name=\"{service}\"");
        assert!(page.contains(&calls), "{service}: {page}");
    }
    assert!(page.contains("webhook_endpoints{service_name=\"notification\",state=\"enabled\"} 0"), "{page}");
    let described = page.lines().filter(|line| line.starts_with("# TYPE rpc_server_call_duration_seconds "));
    assert_eq!(described.count(), 1, "each metric is described once");
    assert!(page.ends_with("# EOF\n"));
}
