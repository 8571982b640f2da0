//! Who may come in.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use crate::world::{World, answer};

#[tokio::test]
async fn without_a_good_token_nothing_is_answered() {
    let world = World::begin().await;
    let foreign = EncodingKey::from_secret(b"x");
    let claims = json!({"iss": "local", "aud": "xietong", "sub": "administrator", "exp": 4_000_000_000_i64});
    let forged = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &foreign).unwrap();
    let table = [
        (None, "TOKEN_MISSING", r#"Bearer realm="xietong""#),
        (Some(forged), "TOKEN_NOT_TRUSTED", r#"Bearer realm="xietong", error="invalid_token""#),
        (Some("x.y.z".to_owned()), "TOKEN_MALFORMED", r#"Bearer realm="xietong", error="invalid_token""#),
        (
            Some(world.token("stranger")),
            "ACCOUNT_UNKNOWN",
            r#"Bearer realm="xietong", error="invalid_token""#,
        ),
        (
            Some(world.token("disabled")),
            "ACCOUNT_DISABLED",
            r#"Bearer realm="xietong", error="invalid_token""#,
        ),
    ];
    for (token, reason, challenge) in table {
        let mut request = world.http.get(world.url("/v1/units"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 401, "{reason}");
        assert_eq!(response.headers()["www-authenticate"], challenge, "{reason}");
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["error"]["details"][0]["reason"], reason);
    }
}

#[tokio::test]
async fn who_calls_is_asked_before_what_is_sent_is_read() {
    let world = World::begin().await;
    let request = world.http.post(world.url("/v1/units")).header("content-type", "text/plain").body("{");
    assert_eq!(answer(request).await.0, 401);
}

#[tokio::test]
async fn a_token_is_good_for_many_calls() {
    let world = World::begin().await;
    let token = world.token_for("clerk", Duration::from_secs(60));
    for _ in 0..3 {
        let request = world.http.get(world.url("/v1/inbox/unread")).bearer_auth(&token);
        assert_eq!(answer(request).await.0, 200);
    }
}

#[tokio::test]
async fn a_calendar_program_says_the_token_as_a_password() {
    let world = World::begin().await;
    let ask = |path: &str| world.http.get(world.url(path));
    let feed = "/v1/roster/calendar.ics?official=officials/wei";
    let refused = ask(feed).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 401);
    let challenges: Vec<_> = refused.headers().get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, [r#"Bearer realm="xietong""#, r#"Basic realm="xietong", charset="UTF-8""#]);

    let token = world.token("clerk");
    // It is let in, and the service behind has no calendars here.
    assert_eq!(answer(ask(feed).basic_auth("calendar", Some(&token))).await.0, 501);
    assert_eq!(answer(ask(feed).basic_auth("calendar", Some("x.y.z"))).await.0, 401);
    assert_eq!(answer(ask("/v1/units").basic_auth("calendar", Some(&token))).await.0, 401);
}
