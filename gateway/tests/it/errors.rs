//! The gateway's own refusals have the one error shape.

use reqwest::Method;
use serde_json::Value;

use crate::world::{World, answer};

/// What is sent (content type, body) and the `(status, code name, reason)` it is refused with.
type Case = (Method, &'static str, &'static str, &'static str, (u16, &'static str, &'static str));

/// `(status, code name, reason)` of a refusal, once its shape is checked.
fn refusal(status: u16, body: &Value) -> (u16, String, String) {
    let error = &body["error"];
    assert_eq!(error["code"], status, "{body}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    assert_eq!(error["details"][0]["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
    assert_eq!(error["details"][0]["domain"], "xietong");
    assert_eq!(error["details"][1]["locale"], "zh-CN");
    assert!(error["details"][1]["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (status, text(&error["status"]), text(&error["details"][0]["reason"]))
}

#[tokio::test]
async fn each_refusal_says_what_it_is() {
    let json = "application/json";
    let table: &[Case] = &[
        (Method::GET, "/", "", "", (404, "NOT_FOUND", "ROUTE_NOT_FOUND")),
        (Method::GET, "/v1/nothing", "", "", (404, "NOT_FOUND", "ROUTE_NOT_FOUND")),
        (Method::GET, "/v1/units/a/", "", "", (404, "NOT_FOUND", "ROUTE_NOT_FOUND")),
        (Method::POST, "/livez", "", "", (405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED")),
        (Method::DELETE, "/v1/units", "", "", (405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED")),
        (Method::GET, "/v1/units/%ff", "", "", (400, "INVALID_ARGUMENT", "INVALID_FIELD")),
        (Method::GET, "/v1/units?nothing=1", "", "", (400, "INVALID_ARGUMENT", "INVALID_FIELD")),
        (Method::POST, "/v1/units", json, "{", (400, "INVALID_ARGUMENT", "INVALID_FIELD")),
        (Method::POST, "/v1/units", json, r#"{"nothing":1}"#, (400, "INVALID_ARGUMENT", "INVALID_FIELD")),
        (Method::POST, "/v1/units", "text/plain", "{}", (415, "INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE")),
        (
            Method::POST,
            "/v1/units",
            "application/x-www-form-urlencoded",
            "{}",
            (415, "INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE"),
        ),
        (
            Method::POST,
            "/xietong.roster.v1.DirectoryService/GetUnit",
            "application/grpc-web",
            "",
            (404, "NOT_FOUND", "ROUTE_NOT_FOUND"),
        ),
    ];
    let world = World::begin().await;
    for (method, path, content_type, body, (status, code, reason)) in table {
        let mut request =
            world.http.request(method.clone(), world.url(path)).bearer_auth(world.token("administrator"));
        if !content_type.is_empty() {
            request = request.header("content-type", *content_type).body(*body);
        }
        let (got, shown) = answer(request).await;
        let expected = (*status, code.to_string(), reason.to_string());
        assert_eq!(refusal(got, &shown), expected, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_which_are_right() {
    let world = World::begin().await;
    let response = world.http.put(world.url("/v1/units")).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 405);
    assert_eq!(response.headers()["allow"], "GET, POST");
}

#[tokio::test]
async fn an_unknown_field_is_named_in_english_and_chinese() {
    let world = World::begin().await;
    let request = world.post("administrator", "/v1/units", &serde_json::json!({"displayNam": "x"}));
    let (_, body) = answer(request).await;
    let violation = &body["error"]["details"][2]["fieldViolations"][0];
    assert_eq!(violation["field"], "unit.displayNam");
    assert_eq!(violation["description"], "is not a known field");
    assert_eq!(violation["localizedMessage"]["message"], "没有这个字段");
}

#[tokio::test]
async fn a_body_over_four_mebibytes_is_refused() {
    let world = World::begin().await;
    let request =
        world.post("administrator", "/v1/units", &Value::Null).body(vec![b' '; 4 * 1024 * 1024 + 1]);
    let (status, body) = answer(request).await;
    assert_eq!(refusal(status, &body), (413, "RESOURCE_EXHAUSTED".to_owned(), "BODY_TOO_LARGE".to_owned()));
}

#[tokio::test]
async fn an_unanswered_call_ends_at_its_clients_deadline() {
    let world = World::begin().await;
    let (status, body) =
        answer(world.get("clerk", "/v1/inbox/messages/slow").header("grpc-timeout", "50m")).await;
    assert_eq!(refusal(status, &body).1, "DEADLINE_EXCEEDED");
    assert_eq!(status, 504);
}
