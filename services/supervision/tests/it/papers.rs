//! Official papers: numbered once, kept as they were issued, seen by those who may see the task.

use domain_supervision::{PAPER_ISSUED, PaperIssued};
use sea_orm::ConnectionTrait;
use tonic::{Code, Response, Status, Streaming};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::common::Visibility;
use xietong_proto::google::api::HttpBody;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};
use xietong_store::statement;

use crate::city::{City, Store, account, at, clerk, refusal, task};
use crate::on_both;

on_both!(
    papers_are_numbered_by_kind_in_the_order_of_issue,
    a_repeated_request_gives_no_second_number,
    papers_issued_at_once_get_different_numbers,
    a_paper_stays_as_it_was_issued,
    a_bulletin_says_how_the_units_stand,
    a_paper_is_seen_by_those_who_may_see_the_task,
    what_cannot_be_issued_is_refused,
);

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

fn supervisor() -> Principal {
    account("supervisor", Grant::of(Role::Supervisor))
}

pub(crate) async fn assignment(city: &City) -> String {
    let mut one = task("推进绿色能源输配管网建设", &[("energy", Lead), ("yaodu", Cooperating)]);
    one.source = Some(proto::Source {
        document_number: "临政办发〔2023〕8号".to_owned(),
        item_number: 147,
        ..Default::default()
    });
    city.issued(one).await.assignments[0].name.clone()
}

pub(crate) fn slip(name: &str) -> proto::IssuePaperRequest {
    proto::IssuePaperRequest { name: name.to_owned(), kind: "slip".to_owned(), ..Default::default() }
}

pub(crate) fn letter(name: &str) -> proto::IssuePaperRequest {
    proto::IssuePaperRequest {
        name: name.to_owned(),
        kind: "letter".to_owned(),
        ground: "该项目已列入省级重点工程，进度明显滞后，影响全市供暖安排。".to_owned(),
        time: Some(encode_time(at("2023-06-20T00:00:00+08:00"))),
        ..Default::default()
    }
}

fn interview(name: &str) -> proto::IssuePaperRequest {
    proto::IssuePaperRequest {
        kind: "interview".to_owned(),
        decided_by: "officials/first".to_owned(),
        place: "市政府三楼会议室".to_owned(),
        time: Some(encode_time(at("2023-06-21T15:30:00+08:00"))),
        ..letter(name)
    }
}

fn bulletin() -> proto::IssueBulletinRequest {
    proto::IssueBulletinRequest {
        start_time: Some(encode_time(at("2023-06-01T00:00:00+08:00"))),
        end_time: Some(encode_time(at("2023-07-01T00:00:00+08:00"))),
        decided_by: "officials/mayor".to_owned(),
        ..Default::default()
    }
}

pub(crate) async fn issue(city: &City, request: proto::IssuePaperRequest) -> proto::Paper {
    city.papers(&supervisor()).issue_paper(request).await.unwrap().into_inner()
}

pub(crate) async fn read(
    file: Result<Response<Streaming<HttpBody>>, Status>,
) -> Result<(String, Vec<u8>), Status> {
    let mut stream = file?.into_inner();
    let (mut content_type, mut bytes) = (String::new(), Vec::new());
    while let Some(piece) = stream.message().await? {
        content_type = piece.content_type;
        bytes.extend(piece.data);
    }
    Ok((content_type, bytes))
}

pub(crate) async fn file(
    city: &City,
    reader: &Principal,
    name: &str,
    format: &str,
) -> Result<(String, Vec<u8>), Status> {
    let request = proto::GetPaperFileRequest { name: name.to_owned(), format: format.to_owned() };
    read(city.papers(reader).get_paper_file(request).await).await
}

/// What another reader of the format finds in a file.
pub(crate) fn words(docx: &[u8]) -> String {
    docx_rs::read_docx(docx).unwrap().json()
}

async fn papers_are_numbered_by_kind_in_the_order_of_issue(store: Store) {
    let city = City::start(store).await;
    let (one, other) = (assignment(&city).await, city.issued(task("二", &[("water", Lead)])).await);
    let other = other.assignments[0].name.clone();
    let mut numbers = Vec::new();
    for request in [slip(&one), slip(&other), slip(&one), letter(&one), interview(&one), letter(&one)] {
        numbers.push(issue(&city, request).await.number);
    }
    let expected = [
        "督交〔2023〕1号",
        "督交〔2023〕2号",
        "督交〔2023〕1号",
        "督函〔2023〕1号",
        "督约〔2023〕1号",
        "督函〔2023〕2号",
    ];
    assert_eq!(numbers, expected, "an assignment has one slip");
    city.wait_until("2024-01-02T09:00:00+08:00").await;
    let mut next = letter(&one);
    next.time = Some(encode_time(at("2024-01-10T00:00:00+08:00")));
    assert_eq!(issue(&city, next).await.number, "督函〔2024〕1号");

    let reader = city.service.db.reader();
    let sql = "SELECT aggregate, payload FROM events WHERE type = $1 ORDER BY entry";
    let rows = reader.query_all_raw(statement(reader, sql, [PAPER_ISSUED.into()])).await.unwrap();
    let told: Vec<PaperIssued> = rows
        .iter()
        .map(|row| {
            let event: PaperIssued =
                serde_json::from_str(&row.try_get_by::<String, _>("payload").unwrap()).unwrap();
            assert_eq!(event.name, row.try_get_by::<String, _>("aggregate").unwrap());
            event
        })
        .collect();
    assert_eq!(told.len(), 6, "the slip that was there is not told again");
    assert_eq!(told[3].decided_by.as_deref(), Some("officials/first"));
    assert_eq!(told[3].unit.as_deref(), Some("units/energy"));
}

async fn a_repeated_request_gives_no_second_number(store: Store) {
    let city = City::start(store).await;
    let name = assignment(&city).await;
    let request = proto::IssuePaperRequest { request_id: "once".to_owned(), ..letter(&name) };
    let first = issue(&city, request.clone()).await;
    assert_eq!(issue(&city, request).await, first);
    assert_eq!(issue(&city, letter(&name)).await.number, "督函〔2023〕2号");
}

async fn papers_issued_at_once_get_different_numbers(store: Store) {
    let city = City::start(store).await;
    let name = assignment(&city).await;
    let (one, two, three) =
        tokio::join!(issue(&city, letter(&name)), issue(&city, letter(&name)), issue(&city, letter(&name)));
    let mut numbers = [one.number, two.number, three.number];
    numbers.sort();
    assert_eq!(numbers, ["督函〔2023〕1号", "督函〔2023〕2号", "督函〔2023〕3号"]);
}

async fn a_paper_stays_as_it_was_issued(store: Store) {
    let city = City::start(store).await;
    let name = assignment(&city).await;
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    let mut papers = Vec::new();
    for (request, parts) in [
        (
            slip(&name),
            vec!["督交〔2023〕1号", "市能源局（牵头单位）", "临政办发〔2023〕8号第147项", "2023年6月8日"],
        ),
        (
            letter(&name),
            vec![
                "督函〔2023〕1号",
                "市能源局：",
                "已逾期4天",
                "2023年6月19日前",
                "进度明显滞后",
                "2023年6月12日",
            ],
        ),
        (interview(&name), vec!["督约〔2023〕1号", "经副市长一同意", "2023年6月21日15:30在市政府三楼会议室"]),
    ] {
        let kind = request.kind.clone();
        let issued = issue(&city, request).await;
        let (content_type, first) = file(&city, &supervisor(), &issued.name, "").await.unwrap();
        assert_eq!(content_type, DOCX);
        let found = words(&first);
        for part in parts {
            assert!(found.contains(part), "{kind}: {part}");
        }
        let (_, markdown) = file(&city, &supervisor(), &issued.name, "markdown").await.unwrap();
        assert!(String::from_utf8(markdown).unwrap().starts_with(&format!("{}\n\n# ", issued.number)));
        papers.push((kind, found));
    }
    city.wait_until("2023-07-12T09:00:00+08:00").await;
    for (kind, issued) in papers {
        let request = proto::GetAssignmentPaperRequest { name: name.clone(), kind: kind.clone() };
        let later = read(city.papers(&supervisor()).get_assignment_paper(request).await).await.unwrap();
        assert_eq!(words(&later.1), issued, "{kind}");
    }
}

async fn a_bulletin_says_how_the_units_stand(store: Store) {
    let city = City::start(store).await;
    assignment(&city).await;
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    let draft = proto::DraftBulletinRequest {
        start_time: bulletin().start_time,
        end_time: bulletin().end_time,
        format: "markdown".to_owned(),
    };
    let draft = read(city.papers(&supervisor()).draft_bulletin(draft).await).await.unwrap();
    let draft = String::from_utf8(draft.1).unwrap();
    assert!(draft.starts_with("（代拟稿）\n\n# 关于督办事项办理情况的通报"), "{draft}");
    assert!(draft.contains("| 市能源局 | 0 | 1 | 0.0% | 4 | 0 | 0 |"), "{draft}");
    assert!(draft.contains("目前在办事项1件，其中红灯1件"), "{draft}");
    assert!(draft.contains("以上数据未经各单位核对"), "{draft}");
    let issued = city.papers(&supervisor()).issue_bulletin(bulletin()).await.unwrap().into_inner();
    assert_eq!((issued.number.as_str(), issued.assignment.as_str()), ("督通〔2023〕1号", ""));
    let (_, markdown) = file(&city, &clerk("health"), &issued.name, "markdown").await.unwrap();
    let markdown = String::from_utf8(markdown).unwrap();
    assert_eq!(markdown.replace("督通〔2023〕1号", "（代拟稿）"), draft);
    let (_, docx) = file(&city, &clerk("health"), &issued.name, "docx").await.unwrap();
    assert!(words(&docx).contains("市能源局"));
}

async fn a_paper_is_seen_by_those_who_may_see_the_task(store: Store) {
    let city = City::start(store).await;
    let mut secret = task("一", &[("energy", Lead)]);
    secret.visibility = Visibility::Restricted.into();
    secret.restricted_units = vec!["units/health".to_owned()];
    let name = city.issued(secret).await.assignments[0].name.clone();
    let issued = issue(&city, slip(&name)).await;
    for (unit, sees) in [("energy", true), ("health", true), ("water", false)] {
        let found = file(&city, &clerk(unit), &issued.name, "").await;
        assert_eq!(
            found.map_err(|status| status.code()).err(),
            (!sees).then_some(Code::PermissionDenied),
            "{unit}"
        );
        let request = proto::GetAssignmentPaperRequest { name: name.clone(), kind: "slip".to_owned() };
        let found = read(city.papers(&clerk(unit)).get_assignment_paper(request).await).await;
        assert_eq!(found.is_ok(), sees, "{unit}");
    }
    let refused = city.papers(&clerk("energy")).issue_paper(letter(&name)).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied);
    let refused = city.papers(&clerk("energy")).issue_bulletin(bulletin()).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied);
}

async fn what_cannot_be_issued_is_refused(store: Store) {
    let city = City::start(store).await;
    let name = assignment(&city).await;
    let mut papers = city.papers(&supervisor());
    for (request, field) in [
        (proto::IssuePaperRequest { kind: "bulletin".to_owned(), ..letter(&name) }, "kind"),
        (proto::IssuePaperRequest { ground: " ".to_owned(), ..letter(&name) }, "ground"),
        (proto::IssuePaperRequest { ground: "长".repeat(1_001), ..letter(&name) }, "ground"),
        (proto::IssuePaperRequest { time: None, ..letter(&name) }, "time"),
        (
            proto::IssuePaperRequest {
                time: Some(encode_time(at("2023-06-01T09:00:00+08:00"))),
                ..letter(&name)
            },
            "time",
        ),
        (proto::IssuePaperRequest { place: String::new(), ..interview(&name) }, "place"),
        (proto::IssuePaperRequest { decided_by: String::new(), ..interview(&name) }, "decided_by"),
        (
            proto::IssuePaperRequest { decided_by: "officials/nobody".to_owned(), ..interview(&name) },
            "decided_by",
        ),
        (letter("tasks/1"), "name"),
    ] {
        let (code, error) = refusal(papers.issue_paper(request.clone()).await);
        assert_eq!(
            (code, error.violations()[0].field.as_str()),
            (Code::InvalidArgument, field),
            "{request:?}"
        );
    }
    let draft =
        proto::CreateTaskRequest { task: Some(task("草稿", &[("energy", Lead)])), ..Default::default() };
    let draft = city.supervisor().create_task(draft).await.unwrap().into_inner();
    let (code, error) = refusal(papers.issue_paper(slip(&draft.assignments[0].name)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "NOT_ISSUED"));
    let none = proto::GetAssignmentPaperRequest { name: name.clone(), kind: "letter".to_owned() };
    assert_eq!(read(papers.get_assignment_paper(none).await).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(file(&city, &supervisor(), "papers/none", "").await.unwrap_err().code(), Code::NotFound);
    let withdraw = proto::WithdrawTaskRequest {
        name: name.split_once("/assignments").unwrap().0.to_owned(),
        ground: "重复".to_owned(),
        ..Default::default()
    };
    city.supervisor().withdraw_task(withdraw).await.unwrap();
    let (code, error) = refusal(papers.issue_paper(letter(&name)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "WORK_IS_OVER"));
    assert_eq!(issue(&city, slip(&name)).await.number, "督交〔2023〕1号", "no number was lost");
}
