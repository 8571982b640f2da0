//! Tables of requests and the messages they become, over the mesh's own protos and over
//! `testdata/conformance.proto`, which uses what they do not use yet.

use std::path::PathBuf;
use std::sync::LazyLock;

use http::Method;
use proptest::prelude::*;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value as Json, json};

use super::request::{self, Parts};
use super::template::{Segment, Template};
use super::{Api, Matched, Violation, response};

fn mesh() -> &'static Api {
    static MESH: LazyLock<Api> = LazyLock::new(|| Api::decode(xietong_proto::DESCRIPTORS).unwrap());
    &MESH
}

fn pool(file: &str) -> DescriptorPool {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut compiler = protox::Compiler::new([here.join("testdata"), here.join("../proto")]).unwrap();
    compiler.include_imports(true).open_file(here.join("testdata").join(file)).unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

fn library() -> &'static Api {
    static LIBRARY: LazyLock<Api> = LazyLock::new(|| Api::from_pool(&pool("conformance.proto")).unwrap());
    &LIBRARY
}

/// The gRPC method a request goes to and its message.
fn call(
    api: &Api,
    method: &Method,
    target: &str,
    parts: Parts<'_>,
) -> Result<(String, DynamicMessage), Violation> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match api.find(method, path) {
        Matched::Found(binding, captures) => {
            let message = request::build(binding, Parts { captures: &captures, query, ..parts })?;
            Ok((binding.method.descriptor.name().to_owned(), message))
        }
        other => panic!("{method} {target}: {other:?}"),
    }
}

fn json_of(api: &Api, method: &Method, target: &str, body: &str) -> Result<Json, Violation> {
    let (_, message) = call(api, method, target, Parts { body: body.as_bytes(), ..Parts::default() })?;
    Ok(serde_json::to_value(&message).unwrap())
}

fn refused(api: &Api, method: &Method, target: &str, body: &str) -> String {
    match json_of(api, method, target, body) {
        Ok(message) => panic!("{method} {target} {body} became {message}"),
        Err(violation) => format!("{}: {}", violation.field, violation.english),
    }
}

/// A path that a template matches.
fn sample(template: &Template) -> String {
    let segments = template.segments.iter().map(|segment| match segment {
        Segment::Literal(literal) => format!("/{literal}"),
        Segment::One => "/x-1".to_owned(),
        Segment::Rest => "/a/b".to_owned(),
    });
    let verb = template.verb.iter().map(|verb| format!(":{verb}"));
    segments.chain(verb).collect()
}

#[test]
fn every_public_method_of_the_mesh_is_reached_by_each_of_its_paths() {
    let (api, pool) = (mesh(), DescriptorPool::decode(xietong_proto::DESCRIPTORS).unwrap());
    let mut public = 0;
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let rules = super::rule::rules_of(&method, &pool).unwrap();
        assert_eq!(api.method(&path).is_some(), !rules.is_empty(), "{path}");
        for rule in rules {
            public += 1;
            let super::router::Verb::Only(http_method) = &rule.verb else { panic!("{path} has no method") };
            let target = sample(&rule.template);
            let (found, message) = call(api, http_method, &target, Parts::default()).unwrap();
            assert_eq!(found, method.name(), "{http_method} {target}");
            for variable in &rule.variables {
                let whole = prost_reflect::Value::Message(message.clone());
                let value = variable
                    .iter()
                    .fold(whole, |value, field| value.as_message().unwrap().get_field(field).into_owned());
                assert!(value.as_str().unwrap().contains("x-1"), "{target}");
            }
        }
    }
    assert!(public > 40, "{public} bindings");
}

#[test]
fn internal_methods_have_no_path() {
    let api = mesh();
    assert!(api.method("/xietong.roster.v1.DirectoryService/ResolveAccount").is_none());
    assert!(api.method("/xietong.common.v1.EventLogService/Read").is_none());
    assert!(api.method("/xietong.roster.v1.SnapshotService/ReadSnapshot").is_none());
    assert!(api.method("/xietong.roster.v1.DirectoryService/GetUnit").is_some());
    assert!(library().method("/xietong.conformance.v1.LibraryService/Internal").is_none());
}

#[test]
fn the_inbox_stream_can_be_resumed() {
    let api = mesh();
    let method = api.method("/xietong.notification.v1.InboxService/StreamInbox").unwrap();
    assert_eq!(method.owner, "notification");
    let resume = method.resume.as_ref().unwrap();
    let mut event = DynamicMessage::new(method.descriptor.output());
    assert_eq!(resume.number_of(&event), None);
    event
        .transcode_from(&xietong_proto::notification::StreamInboxResponse {
            message: Some(xietong_proto::notification::Message { number: 7, ..Default::default() }),
            ..Default::default()
        })
        .unwrap();
    assert_eq!(resume.number_of(&event), Some(7));
    let list = api.method("/xietong.notification.v1.InboxService/ListMessages").unwrap();
    assert!(list.resume.is_none());
}

#[test]
fn the_change_feed_can_be_resumed_by_position() {
    let api = mesh();
    let method = api.method("/xietong.notification.v1.FeedService/StreamEvents").unwrap();
    let resume = method.resume.as_ref().unwrap();
    let mut message = DynamicMessage::new(method.descriptor.output());
    let event = xietong_proto::notification::Event { position: 7, ..Default::default() };
    message
        .transcode_from(&xietong_proto::notification::StreamEventsResponse { event: Some(event) })
        .unwrap();
    assert_eq!(resume.number_of(&message), Some(7));
}

#[test]
fn requests_of_the_mesh_become_its_messages() {
    let table: &[(Method, &str, &str, Json)] = &[
        (
            Method::GET,
            "/v1/tasks?pageSize=20&light=LIGHT_RED&state=2&document_number=%E4%B8%B48&pageToken=a%2Bb",
            "",
            json!({"pageSize": 20, "light": "LIGHT_RED", "state": "TASK_STATE_ISSUED", "documentNumber": "临8",
                "pageToken": "a+b"}),
        ),
        (Method::GET, "/v1/tasks", "", json!({})),
        (Method::GET, "/v1/tasks?pageSize=0&unit=", "", json!({})),
        (Method::GET, "/v1/inbox/messages?unread=true&", "", json!({"unread": true})),
        (Method::GET, "/v1/inbox:stream?resume_after=7", "", json!({"resumeAfter": "7"})),
        (
            Method::GET,
            "/v1/events?after=7&types=supervision.task.*&types=roster.unit.created&source=supervision&subject=tasks/1",
            "",
            json!({"after": "7", "types": ["supervision.task.*", "roster.unit.created"],
                "source": "supervision", "subject": "tasks/1"}),
        ),
        (Method::GET, "/v1/events:stream?resumeAfter=7", "", json!({"resumeAfter": "7"})),
        (
            Method::GET,
            "/v1/roster:resolve?field=水利&at=2023-06-01T09:00:00+08:00&knownAt=2023-06-01T01:00:00Z",
            "",
            json!({"field": "水利", "at": "2023-06-01T01:00:00Z", "knownAt": "2023-06-01T01:00:00Z"}),
        ),
        (Method::GET, "/v1/units:lookup?name=市工信局", "", json!({"name": "市工信局"})),
        (
            Method::POST,
            "/v1/tasks?issue=true&requestId=k1",
            r#"{"title":"修桥","grade":"GRADE_MAJOR","source":{"itemNumber":3},"ledgerNumber":"9007199254740993",
                "dueTime":"2023-06-01T09:00:00+08:00","assignments":[{"unit":"units/a","role":1}],"tags":["a","b"]}"#,
            json!({"task": {"title": "修桥", "grade": "GRADE_MAJOR", "source": {"itemNumber": 3},
                "ledgerNumber": "9007199254740993", "dueTime": "2023-06-01T01:00:00Z",
                "assignments": [{"unit": "units/a", "role": "ASSIGNMENT_ROLE_LEAD"}], "tags": ["a", "b"]},
                "issue": true, "requestId": "k1"}),
        ),
        (
            Method::POST,
            "/v1/tasks/1/assignments/2:verify",
            r#"{"accept":true,"note":null,"name":"tasks/1/assignments/2","request_id":"k"}"#,
            json!({"name": "tasks/1/assignments/2", "accept": true, "requestId": "k"}),
        ),
        (Method::POST, "/v1/tasks/1:issue", "", json!({"name": "tasks/1"})),
        (Method::POST, "/v1/clock:advance", r#"{"duration":"86400s"}"#, json!({"duration": "86400s"})),
    ];
    let api = mesh();
    for (method, target, body, message) in table {
        assert_eq!(json_of(api, method, target, body).as_ref(), Ok(message), "{method} {target} {body}");
    }
}

#[test]
fn what_the_mesh_does_not_know_is_refused_by_name() {
    let table: &[(Method, &str, &str, &str)] = &[
        (Method::GET, "/v1/tasks?pagesize=1", "", "pagesize: is not a known field"),
        (Method::GET, "/v1/tasks?pageSize=many", "", "page_size: is not a 32-bit integer"),
        (Method::GET, "/v1/tasks?pageSize=99999999999", "", "page_size: is not a 32-bit integer"),
        (Method::GET, "/v1/tasks?pageSize=1&page_size=1", "", "page_size: is given twice"),
        (Method::GET, "/v1/tasks?light=RED", "", "light: is not one of the values of its enumeration"),
        (Method::GET, "/v1/tasks?q=%ff", "", "q: is not percent-encoded UTF-8"),
        (Method::GET, "/v1/tasks/1?name=tasks/2", "", "name: is given by the path"),
        (Method::GET, "/v1/tasks/1", "{}", "body: is not taken by this method"),
        (Method::GET, "/v1/inbox/messages?unread=yes", "", "unread: is not true or false"),
        (
            Method::GET,
            "/v1/roster:resolve?at=yesterday",
            "",
            "at: is not an RFC 3339 instant such as 2023-06-01T09:00:00+08:00",
        ),
        (Method::GET, "/v1/roster:resolve?at.seconds=1", "", "at.seconds: is not a known field"),
        (Method::POST, "/v1/tasks?task.title=x", "", "task.title: belongs in the body"),
        (Method::POST, "/v1/tasks/1:issue?etag=x", "", "etag: belongs in the body"),
        (Method::POST, "/v1/tasks/1:issue", "{", "body: is not JSON: line 1, column 1"),
        (Method::POST, "/v1/tasks/1:issue", "{} {}", "body: is not JSON: line 1, column 4"),
        (Method::POST, "/v1/tasks/1:issue", "[]", "body: is not an object"),
        (Method::POST, "/v1/tasks/1:issue", "null", "body: is not an object"),
        (Method::POST, "/v1/tasks/1:issue", r#"{"tag":1}"#, "tag: is not a known field"),
        (Method::POST, "/v1/tasks/1:issue", r#"{"etag":1}"#, "etag: is not a string"),
        (Method::POST, "/v1/tasks/1:issue", r#"{"name":"tasks/2"}"#, "name: differs from the path"),
        (Method::POST, "/v1/tasks", r#"{"titel":"x"}"#, "task.titel: is not a known field"),
        (
            Method::POST,
            "/v1/tasks",
            r#"{"source":{"line":1.5}}"#,
            "task.source.line: is not a 32-bit integer",
        ),
        (Method::POST, "/v1/tasks", r#"{"source":[]}"#, "task.source: is not an object"),
        (Method::POST, "/v1/tasks", r#"{"tags":"x"}"#, "task.tags: is not a list"),
        (Method::POST, "/v1/tasks", r#"{"tags":["x",1]}"#, "task.tags[1]: is not a string"),
        (
            Method::POST,
            "/v1/tasks:batchCreate",
            r#"{"tasks":[{},{"assignments":[{"unit":"a"},{"units":"b"}]}]}"#,
            "tasks[1].assignments[1].units: is not a known field",
        ),
        (
            Method::POST,
            "/v1/tasks",
            r#"{"grade":"GRADE_HUGE"}"#,
            "task.grade: is not one of the values of its enumeration",
        ),
        (
            Method::POST,
            "/v1/clock:advance",
            r#"{"duration":"1d"}"#,
            "duration: is not a duration in seconds such as 86400s",
        ),
    ];
    let api = mesh();
    for (method, target, body, refusal) in table {
        assert_eq!(&refused(api, method, target, body), refusal, "{method} {target} {body}");
    }
}

#[test]
fn the_whole_of_the_mapping_is_served() {
    let table: &[(Method, &str, &str, Json)] = &[
        (Method::GET, "/v1/shelves/1/books/2", "", json!({"name": "shelves/1/books/2"})),
        (Method::GET, "/v1/books/42", "", json!({"number": "42"})),
        (
            Method::from_bytes(b"LINK").unwrap(),
            "/v1/books/x%2Fy/link",
            "",
            json!({"author": {"name": "x/y"}}),
        ),
        (
            Method::GET,
            "/v1/books/1?tags=a&tags=b&author.name=n&author.born=1900&genres=1&genres=GENRE_LAW&rare=true\
             &loan=1.5s&cover=aGk&weight=1e3&lent=false&volume=0&desk=d&pages=4294967295&sequel.sequel.title=t",
            "",
            json!({"number": "1", "tags": ["a", "b"], "author": {"name": "n", "born": 1900},
                "genres": ["GENRE_LAW", "GENRE_LAW"], "rare": true, "loan": "1.500s", "cover": "aGk=",
                "weight": 1000.0, "volume": 0, "desk": "d", "pages": 4294967295_u32,
                "sequel": {"sequel": {"title": "t"}}}),
        ),
        (
            Method::POST,
            "/v1/shelves/1/books?validateOnly=true",
            r#"{"number":7,"notes":{"a":"b"},"editors":[{"name":"e"}],"weight":"NaN"}"#,
            json!({"parent": "shelves/1", "validateOnly": true, "book": {"number": "7", "notes": {"a": "b"},
                "editors": [{"name": "e"}], "weight": "NaN"}}),
        ),
        (Method::POST, "/v1/books:tag", r#"["a","b"]"#, json!({"tags": ["a", "b"]})),
        (Method::POST, "/v1/books:tag", "", json!({})),
        (
            Method::PUT,
            "/v1/shelves/1/books/2",
            r#"{"title":"t","shelf":null,"desk":"d"}"#,
            json!({"name": "shelves/1/books/2", "title": "t", "desk": "d"}),
        ),
    ];
    let api = library();
    for (method, target, body, message) in table {
        assert_eq!(json_of(api, method, target, body).as_ref(), Ok(message), "{method} {target} {body}");
    }
}

#[test]
fn what_the_mapping_does_not_allow_is_refused() {
    let table: &[(Method, &str, &str, &str)] = &[
        (Method::GET, "/v1/books/abc", "", "number: is not a 64-bit integer"),
        (Method::GET, "/v1/books/1?author=x", "", "author: is not a known field"),
        (Method::GET, "/v1/books/1?author.name.x=x", "", "author.name.x: is not a known field"),
        (Method::GET, "/v1/books/1?notes.a=x", "", "notes.a: is not a known field"),
        (Method::GET, "/v1/books/1?editors.name=x", "", "editors.name: is not a known field"),
        (Method::GET, "/v1/books/1?shelf=a&desk=b", "", "desk: excludes shelf"),
        (Method::GET, "/v1/books/1?pages=-1", "", "pages: is not an unsigned 32-bit integer"),
        (Method::GET, "/v1/books/1?cover=!", "", "cover: is not base64"),
        (Method::POST, "/v1/books:tag", "1", "tags: is not a list"),
        (
            Method::PUT,
            "/v1/shelves/1/books/2",
            r#"{"shelf":"a","desk":"b"}"#,
            "body: cannot be read: multiple fields provided for oneof 'place' at line 1 column 24",
        ),
        (Method::PUT, "/v1/shelves/1/books/2", r#"{"notes":{"a":1}}"#, "notes: is not a map of its type"),
    ];
    let api = library();
    for (method, target, body, refusal) in table {
        assert_eq!(&refused(api, method, target, body), refusal, "{method} {target} {body}");
    }
}

#[test]
fn deep_nesting_in_a_query_is_no_field() {
    let name = vec!["sequel"; 40].join(".");
    let refusal = refused(library(), &Method::GET, &format!("/v1/books/1?{name}.title=t"), "");
    assert!(refusal.ends_with("is not a known field"), "{refusal}");
}

#[test]
fn a_patch_without_a_mask_changes_what_its_body_names() {
    let patch = |target: &str, body: &str| {
        json_of(library(), &Method::PATCH, target, body).unwrap()["updateMask"].clone()
    };
    let target = "/v1/shelves/1/books/2";
    let body =
        r#"{"title":"t","author":{"born":1},"printTime":null,"tags":[],"notes":{},"editors":[{"name":"e"}]}"#;
    assert_eq!(patch(target, body), json!("author.born,editors,notes,printTime,tags,title"));
    assert_eq!(
        patch(&format!("{target}?updateMask=author.born,printTime"), body),
        json!("author.born,printTime")
    );
    assert_eq!(patch(&format!("{target}?update_mask=print_time"), body), json!("printTime"));
    assert_eq!(patch(target, ""), Json::Null);
}

#[test]
fn an_idempotency_key_becomes_the_request_id() {
    let keyed = |target: &str, body: &str| {
        let parts = Parts { body: body.as_bytes(), idempotency_key: Some("k"), ..Parts::default() };
        call(mesh(), &Method::POST, target, parts).map(|(_, message)| serde_json::to_value(message).unwrap())
    };
    assert_eq!(keyed("/v1/tasks/1:issue", ""), Ok(json!({"name": "tasks/1", "requestId": "k"})));
    assert_eq!(keyed("/v1/tasks/1:issue", r#"{"requestId":"k"}"#).unwrap()["requestId"], "k");
    assert_eq!(keyed("/v1/tasks?requestId=k", "").unwrap()["requestId"], "k");
    for (target, body) in
        [("/v1/tasks/1:issue", r#"{"requestId":"other"}"#), ("/v1/tasks?requestId=other", "")]
    {
        assert_eq!(keyed(target, body).unwrap_err().field, "request_id", "{target}");
    }
    assert_eq!(keyed("/v1/clock:advance", ""), Ok(json!({"requestId": "k"})));
}

#[test]
fn a_key_that_nobody_would_heed_is_refused_unless_nothing_changes() {
    let parts = Parts { idempotency_key: Some("k"), ..Parts::default() };
    let refused = call(library(), &Method::PATCH, "/v1/shelves/1/books/2", parts).unwrap_err();
    assert_eq!(refused.field, "Idempotency-Key");
    assert!(call(library(), &Method::GET, "/v1/books/1", parts).is_ok());
}

#[test]
fn the_last_event_id_resumes_a_stream() {
    let parts = Parts { last_event_id: Some(9), ..Parts::default() };
    let (_, message) = call(mesh(), &Method::GET, "/v1/inbox:stream?resumeAfter=3", parts).unwrap();
    assert_eq!(serde_json::to_value(&message).unwrap(), json!({"resumeAfter": "9"}));
}

#[test]
fn answers_have_a_stable_shape() {
    let api = library();
    let (_, book) = call(api, &Method::GET, "/v1/books/9007199254740993?volume=0", Parts::default()).unwrap();
    let json: Json = serde_json::from_slice(&response::to_json(&book, None).unwrap()).unwrap();
    let shape = json!({"name": "", "number": "9007199254740993", "title": "", "tags": [], "genre": "GENRE_UNSPECIFIED",
        "cover": "", "weight": 0, "lent": false, "volume": 0, "notes": {}, "editors": [], "pages": 0, "genres": []});
    assert_eq!(json, shape);
}

#[test]
fn one_field_can_be_the_whole_answer() {
    let api = library();
    let Matched::Found(binding, _) = api.find(&Method::POST, "/v1/shelves/1/books") else {
        panic!("no route")
    };
    let mut book = DynamicMessage::new(binding.method.descriptor.output());
    book.set_field_by_name("title", prost_reflect::Value::String("水经注".into()));
    let json = response::to_json(&book, binding.rule.response_body.as_ref()).unwrap();
    assert_eq!(String::from_utf8(json).unwrap(), "\"水经注\"");
}

#[test]
fn head_finds_what_get_would() {
    assert!(matches!(mesh().find(&Method::HEAD, "/v1/units"), Matched::Found(..)));
    assert!(matches!(mesh().find(&Method::HEAD, "/v1/units:nothing"), Matched::Nothing));
}

proptest! {
    #[test]
    fn no_query_panics(query in "[a-zA-Z.=&%+_0-9水:-]{0,60}") {
        let _ = call(library(), &Method::GET, &format!("/v1/books/1?{query}"), Parts::default());
    }

    #[test]
    fn no_value_panics(name in prop::sample::select(vec!["printTime", "loan", "cover", "weight", "genre", "rare"]),
                       value in "[-0-9.eTZs:+aA=/_]{0,24}") {
        let _ = call(library(), &Method::GET, &format!("/v1/books/1?{name}={value}"), Parts::default());
    }

    #[test]
    fn no_body_panics(body in "[{}\\[\\]\",:a-zT0-9.\\\\-]{0,60}") {
        let _ = json_of(library(), &Method::PUT, "/v1/shelves/1/books/2", &body);
    }

    #[test]
    fn an_integer_survives_path_query_and_answer(number in any::<i64>(), born in any::<i32>()) {
        let api = library();
        let target = format!("/v1/books/{number}?author.born={born}");
        let (_, book) = call(api, &Method::GET, &target, Parts::default()).unwrap();
        let json: Json = serde_json::from_slice(&response::to_json(&book, None).unwrap()).unwrap();
        prop_assert_eq!(&json["number"], &json!(number.to_string()));
        prop_assert_eq!(&json["author"]["born"], &json!(born));
    }
}
