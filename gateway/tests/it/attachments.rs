//! Files come in, are kept, and are given out to whoever has a grant.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use prost::bytes::Bytes;
use reqwest::{Body, RequestBuilder, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use xietong_mesh::Error;
use xietong_proto::gateway::attachment_service_client::AttachmentServiceClient;
use xietong_proto::gateway::{DownloadAttachmentRequest, UploadAttachmentRequest};
use xietong_proto::google::api::HttpBody;
use xietong_testkit::wait::wait_for;

use crate::world::{World, answer};

/// SHA-256 of "hello\n".
const HELLO: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

const SOON: Duration = Duration::from_secs(30);

fn upload(
    world: &World,
    subject: &str,
    path: &str,
    media_type: &str,
    body: impl Into<Body>,
) -> RequestBuilder {
    let request = world.http.post(world.url(path)).bearer_auth(world.token(subject)).body(body);
    request.header("content-type", media_type)
}

/// Uploads a text file.
async fn uploaded(world: &World, text: &str, name: &str) -> Value {
    let path = format!("/v1/attachments?name={name}");
    let (status, file) = answer(upload(world, "clerk", &path, "text/plain", text.to_owned())).await;
    assert_eq!(status, 200, "{file}");
    file
}

/// The files that are whole, and those that arrive.
fn kept(world: &World) -> (Vec<PathBuf>, Vec<PathBuf>) {
    fn files(folder: PathBuf) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()));
        let entries: Vec<PathBuf> = entries.into_iter().flatten().collect();
        entries.into_iter().flat_map(|path| if path.is_dir() { files(path) } else { vec![path] }).collect()
    }
    (files(world.files.path().join("objects")), files(world.files.path().join("uploads")))
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// `(status, reason, field)` of a refusal.
fn refusal((status, body): (u16, Value)) -> (u16, String, String) {
    let details = body["error"]["details"].as_array().unwrap_or_else(|| panic!("{body}"));
    assert_eq!(details[1]["locale"], "zh-CN", "{body}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        status,
        text(&details[0]["reason"]),
        details.get(2).map_or(String::new(), |one| text(&one["fieldViolations"][0]["field"])),
    )
}

#[tokio::test]
async fn a_file_is_kept_under_its_digest_and_answered_with_what_a_record_takes() {
    let world = World::begin().await;
    let request = upload(&world, "clerk", "/v1/attachments", "Text/Plain; charset=utf-8", "hello\n")
        .header("content-disposition", "attachment; filename*=UTF-8''%E8%BF%9B%E5%B1%95.txt");
    let (status, file) = answer(request).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!(file["name"], format!("attachments/{HELLO}"));
    assert_eq!((&file["digest"], &file["displayName"]), (&HELLO.into(), &"进展.txt".into()));
    assert_eq!(
        (&file["size"], &file["mediaType"], &file["grant"]),
        (&"6".into(), &"text/plain".into(), &"".into())
    );
    assert!(world.is_receipt(&file, "clerk") && !world.is_receipt(&file, "administrator"));
    let (whole, arriving) = kept(&world);
    assert_eq!(whole, [world.files.path().join("objects/58").join(HELLO)]);
    assert_eq!(std::fs::read(&whole[0]).unwrap(), b"hello\n");
    assert!(arriving.is_empty());

    // The same bytes under another name are the same object.
    let again = uploaded(&world, "hello\n", "other.txt").await;
    assert_eq!((&again["name"], &again["displayName"]), (&file["name"], &"other.txt".into()));
    assert_eq!(kept(&world).0, whole);
}

#[tokio::test]
async fn what_is_given_out_is_the_file_and_says_what_it_is() {
    let world = World::begin().await;
    uploaded(&world, "hello\n", "进展.txt").await;
    let path = world.granted_path(HELLO, 6, "进展 1.txt", "administrator");
    let response = world.get("administrator", &path).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let etag = format!("\"{HELLO}\"");
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-length", "6"),
        ("etag", &etag),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-cache"),
        (
            "content-disposition",
            "attachment; filename=\"__ 1.txt\"; filename*=UTF-8''%E8%BF%9B%E5%B1%95%201.txt",
        ),
    ] {
        assert_eq!(header(&response, name), value, "{name}");
    }
    assert_eq!(response.text().await.unwrap(), "hello\n");
    let head =
        world.http.head(world.url(&path)).bearer_auth(world.token("administrator")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, "6"));
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_part_is_given_out_and_a_known_file_is_not_sent_again() {
    let world = World::begin().await;
    uploaded(&world, "hello\n", "a.txt").await;
    let path = world.granted_path(HELLO, 6, "a.txt", "clerk");
    let etag = format!("\"{HELLO}\"");
    let ask = async |headers: &[(&str, &str)]| {
        let request = headers
            .iter()
            .fold(world.get("clerk", &path), |request, (name, value)| request.header(*name, *value));
        let response = request.send().await.unwrap();
        let range = header(&response, "content-range").to_owned();
        (response.status().as_u16(), range, response.text().await.unwrap())
    };
    let part = |range: &str, text: &str| (206, range.to_owned(), text.to_owned());
    assert_eq!(ask(&[("range", "bytes=1-3")]).await, part("bytes 1-3/6", "ell"));
    assert_eq!(ask(&[("range", "bytes=-2")]).await, part("bytes 4-5/6", "o\n"));
    assert_eq!(ask(&[("range", "bytes=2-"), ("if-range", &etag)]).await, part("bytes 2-5/6", "llo\n"));
    let whole = (200, String::new(), "hello\n".to_owned());
    assert_eq!(ask(&[("range", "bytes=1-3"), ("if-range", "\"other\"")]).await, whole);
    assert_eq!(ask(&[("range", "bytes=0-1,3-4")]).await, whole);
    let (status, range, body) = ask(&[("range", "bytes=6-")]).await;
    assert_eq!((status, range.as_str()), (416, "bytes */6"));
    assert!(body.contains("RANGE_NOT_SATISFIABLE"), "{body}");
    assert_eq!(ask(&[("if-none-match", &etag)]).await, (304, String::new(), String::new()));
    assert_eq!(ask(&[("if-none-match", "\"other\"")]).await, whole);
}

#[tokio::test]
async fn without_a_grant_of_ones_own_nothing_is_given_out() {
    let world = World::begin().await;
    let file = uploaded(&world, "hello\n", "a.txt").await;
    let good = world.granted_path(HELLO, 6, "a.txt", "clerk");
    let forged = format!("{}x", good.trim_end_matches(|letter: char| letter != '.'));
    let receipt = file["receipt"].as_str().unwrap();
    let other = world.granted_path(&"0".repeat(64), 6, "a.txt", "clerk").replace(&"0".repeat(64), HELLO);
    for (path, status, reason) in [
        (format!("/v1/attachments/{HELLO}"), 403, "GRANT_MISSING"),
        (format!("/v1/attachments/{HELLO}?grant="), 403, "GRANT_MISSING"),
        (format!("/v1/attachments/{HELLO}?grant=x.y.z"), 403, "GRANT_MALFORMED"),
        (format!("/v1/attachments/{HELLO}?grant={}", "x".repeat(9_000)), 403, "GRANT_MALFORMED"),
        (format!("/v1/attachments/{HELLO}?grant={receipt}"), 403, "GRANT_MALFORMED"),
        (forged, 403, "GRANT_MALFORMED"),
        (world.granted_path(HELLO, 6, "a.txt", "administrator"), 403, "GRANT_OF_ANOTHER"),
        (other, 403, "GRANT_OF_ANOTHER_FILE"),
        (format!("/v1/attachments/..%2F..%2Fetc?grant={receipt}"), 403, "GRANT_MALFORMED"),
        (format!("{good}&grant=x"), 400, "INVALID_FIELD"),
        (format!("{good}&nothing=x"), 400, "INVALID_FIELD"),
        // Whoever has a grant may know whether there is such a file.
        (world.granted_path(&"1".repeat(64), 6, "a.txt", "clerk"), 404, "RESOURCE_NOT_FOUND"),
    ] {
        let (got, told, _) = refusal(answer(world.get("clerk", &path)).await);
        assert_eq!((got, told.as_str()), (status, reason), "{path}");
    }
    assert_eq!(world.get("clerk", &good).send().await.unwrap().status(), 200);
    assert_eq!(world.http.get(world.url(&good)).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn what_is_no_file_to_keep_is_refused_and_leaves_nothing() {
    let world = World::begin().await;
    let text = "text/plain";
    let path = |name: &str| format!("/v1/attachments?name={name}");
    let invalid = |field: &'static str| (400, "INVALID_FIELD", field);
    for (path, media_type, body, expected) in [
        ("/v1/attachments".to_owned(), text, "a", invalid("name")),
        (path(""), text, "a", invalid("display_name")),
        (path("..%2F..%2Fetc%2Fpasswd"), text, "a", invalid("display_name")),
        (path(".."), text, "a", invalid("display_name")),
        (path("C:%5Ca.txt"), text, "a", invalid("display_name")),
        (path("a%00.txt"), text, "a", invalid("display_name")),
        (path("a%0d%0ab.txt"), text, "a", invalid("display_name")),
        (path("a.exe"), text, "a", invalid("display_name")),
        (path(&"a".repeat(256)), text, "a", invalid("display_name")),
        (path("%ff"), text, "a", invalid("name")),
        (path("a.txt&name=b.txt"), text, "a", invalid("name")),
        (path("a.txt&size=1"), text, "a", invalid("size")),
        (path("a.txt"), text, "", invalid("file.data")),
        (path("a.txt"), text, "<!DOCTYPE html><script>alert(1)</script>", invalid("file.data")),
        (path("a.pdf"), "application/pdf", "no PDF", invalid("file.data")),
        (path("a.png"), "image/png", "MZ", invalid("file.data")),
        (path("a.txt"), "text/html", "a", (415, "INVALID_FIELD", "file.content_type")),
        (path("a.txt"), "image/svg+xml", "a", (415, "INVALID_FIELD", "file.content_type")),
        (path("a.txt"), "multipart/form-data; boundary=x", "a", (415, "INVALID_FIELD", "file.content_type")),
        (path("a.txt"), "pdf", "a", (415, "INVALID_FIELD", "file.content_type")),
    ] {
        let refused = refusal(answer(upload(&world, "clerk", &path, media_type, body)).await);
        let (status, reason, field) = expected;
        assert_eq!(refused, (status, reason.to_owned(), field.to_owned()), "{path} {media_type}");
    }
    for (name, value, field) in [
        ("content-type", "text/csv", "Content-Type"),
        ("content-disposition", "attachment; filename=b.txt", "name"),
        ("content-disposition", "attachment; filename=", "Content-Disposition"),
        ("content-encoding", "gzip", "Content-Encoding"),
        ("idempotency-key", "once", "Idempotency-Key"),
    ] {
        let request = upload(&world, "clerk", &path("a.txt"), text, "a").header(name, value);
        assert_eq!(
            refusal(answer(request).await),
            (400, "INVALID_FIELD".to_owned(), field.to_owned()),
            "{name}"
        );
    }
    let twice = upload(&world, "clerk", "/v1/attachments", text, "a")
        .header("content-disposition", "attachment; filename=a.txt")
        .header("content-disposition", "attachment; filename=a.txt");
    assert_eq!(refusal(answer(twice).await).2, "Content-Disposition");
    let untyped = world.http.post(world.url(&path("a.txt"))).bearer_auth(world.token("clerk")).body("a");
    assert_eq!(refusal(answer(untyped).await).1, "UNSUPPORTED_MEDIA_TYPE");
    let stranger = world.http.post(world.url(&path("a.txt"))).body("a");
    assert_eq!(answer(stranger).await.0, 401);
    let auditor = upload(&world, "auditor", &path("a.txt"), text, "a");
    assert_eq!(refusal(answer(auditor).await).1, "PERMISSION_DENIED");
    wait_for("nothing is left", SOON, async || kept(&world) == (vec![], vec![])).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_whether_it_says_so_or_not() {
    let world = World::taking(1_000).await;
    let path = "/v1/attachments?name=a.txt";
    let said = upload(&world, "clerk", path, "text/plain", vec![b'a'; 1_001]);
    let pieces = stream::iter((0..11).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 100])));
    let unsaid = upload(&world, "clerk", path, "text/plain", Body::wrap_stream(pieces));
    for request in [said, unsaid] {
        let (status, reason, _) = refusal(answer(request).await);
        assert_eq!((status, reason.as_str()), (413, "ATTACHMENT_TOO_LARGE"));
    }
    let exactly = upload(&world, "clerk", path, "text/plain", vec![b'a'; 1_000]);
    assert_eq!(answer(exactly).await.0, 200);
    wait_for("nothing else is left", SOON, async || kept(&world).1.is_empty()).await.unwrap();
    assert_eq!(kept(&world).0.len(), 1);
}

/// The bytes of a large file that is no page, no program and never the same.
fn large(pieces: usize) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    stream::iter((0..pieces).map(|number| Ok(Bytes::from(format!("{number:08}").repeat(8_192)))))
}

/// So many kilobytes this process has in memory now, or had at most.
fn memory(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_large_file_passes_through_without_being_held_in_memory() {
    let world = World::taking(1 << 30).await;
    uploaded(&world, "warm\n", "a.txt").await;
    let before = memory("VmRSS:");
    // 256 MiB.
    let body = Body::wrap_stream(large(4_096));
    let (status, file) =
        answer(upload(&world, "clerk", "/v1/attachments?name=a.csv", "text/csv", body)).await;
    assert_eq!((status, &file["size"]), (200, &"268435456".into()), "{file}");
    let digest = file["digest"].as_str().unwrap();
    let response =
        world.get("clerk", &world.granted_path(digest, 1 << 28, "a.csv", "clerk")).send().await.unwrap();
    let mut bytes = response.bytes_stream();
    let mut received = 0;
    while let Some(piece) = bytes.next().await {
        received += piece.unwrap().len();
    }
    assert_eq!(received, 1 << 28);
    let grown = memory("VmHWM:").saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} kB more for a file of 262144 kB");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let world = World::begin().await;
    let token = world.token("clerk");
    for framing in ["content-length: 1000000\r\n\r\n", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"] {
        let mut connection = TcpStream::connect(world.address).await.unwrap();
        let head = format!(
            "POST /v1/attachments?name=a.txt HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: text/plain\r\n{framing}"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        if framing.starts_with("content-length") {
            connection.write_all(&[b'a'; 300_000]).await.unwrap();
        }
        wait_for("it arrives", SOON, async || !kept(&world).1.is_empty()).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut told = Vec::new();
        // It may be told why, or not.
        let _ = connection.read_to_end(&mut told).await;
        assert!(!String::from_utf8_lossy(&told).contains("200 OK"));
        drop(connection);
        wait_for("nothing is left", SOON, async || kept(&world) == (vec![], vec![])).await.unwrap();
    }
}

fn piece(data: &[u8], finished: bool) -> UploadAttachmentRequest {
    let file = Some(HttpBody { data: data.to_vec(), ..HttpBody::default() });
    UploadAttachmentRequest { file, finished, ..UploadAttachmentRequest::default() }
}

fn first(name: &str, media_type: &str) -> UploadAttachmentRequest {
    let file = Some(HttpBody { content_type: media_type.to_owned(), ..HttpBody::default() });
    UploadAttachmentRequest { display_name: name.to_owned(), file, finished: false }
}

#[tokio::test]
async fn grpc_takes_in_and_gives_out_the_same_files() {
    let world = World::begin().await;
    let mut grpc = AttachmentServiceClient::new(world.channel("clerk"));
    let pieces = [first("进展.txt", "text/plain"), piece(b"hel", false), piece(b"lo\n", true)];
    let file = grpc.upload_attachment(stream::iter(pieces)).await.unwrap().into_inner();
    let by_rest = uploaded(&world, "hello\n", "进展.txt").await;
    assert_eq!((file.name.as_str(), file.size), (by_rest["name"].as_str().unwrap(), 6));
    assert_eq!((file.display_name.as_str(), file.media_type.as_str()), ("进展.txt", "text/plain"));

    let grant = world.grant(HELLO, 6, "进展.txt", "clerk");
    let request = DownloadAttachmentRequest { name: file.name.clone(), grant: grant.clone() };
    let mut given = grpc.download_attachment(request.clone()).await.unwrap().into_inner();
    let (mut media_type, mut bytes) = (String::new(), Vec::new());
    while let Some(piece) = given.message().await.unwrap() {
        media_type.push_str(&piece.content_type);
        bytes.extend(piece.data);
    }
    assert_eq!((media_type.as_str(), bytes.as_slice()), ("text/plain", &b"hello\n"[..]));

    let mut other = AttachmentServiceClient::new(world.channel("administrator"));
    let refused = other.download_attachment(request).await.unwrap_err();
    assert_eq!(
        (refused.code(), Error::from_status(&refused).reason()),
        (Code::PermissionDenied, "GRANT_OF_ANOTHER")
    );
}

#[tokio::test]
async fn a_stream_that_does_not_end_as_it_should_leaves_nothing() {
    let world = World::begin().await;
    let mut grpc = AttachmentServiceClient::new(world.channel("clerk"));
    for (pieces, field) in [
        (vec![], "finished"),
        (vec![first("a.txt", "text/plain"), piece(b"hello", false)], "finished"),
        (vec![first("", "text/plain"), piece(b"hello", true)], "display_name"),
        (vec![first("a.txt", ""), piece(b"hello", true)], "file.content_type"),
        (vec![first("a.txt", "text/plain"), piece(b"", true)], "file.data"),
        (vec![first("a.txt", "text/plain"), piece(b"<svg>", true)], "file.data"),
    ] {
        let refused = grpc.upload_attachment(stream::iter(pieces)).await.unwrap_err();
        let error = Error::from_status(&refused);
        assert_eq!((refused.code(), error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
    let mut auditor = AttachmentServiceClient::new(world.channel("auditor"));
    let refused = auditor.upload_attachment(stream::iter([first("a.txt", "text/plain")])).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    wait_for("nothing is left", SOON, async || kept(&world) == (vec![], vec![])).await.unwrap();
}
