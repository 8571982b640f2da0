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

use crate::city::{City, Store, account, at, clerk, leader, refusal, task, task_of};
use crate::extension::deployed;
use crate::on_both;

on_both!(
    papers_are_numbered_by_kind_in_the_order_of_issue,
    a_repeated_request_gives_no_second_number,
    papers_issued_at_once_get_different_numbers,
    a_paper_stays_as_it_was_issued,
    a_bulletin_says_how_the_units_stand_and_is_not_issued_unchecked,
    one_slip_is_issued_whoever_asks_at_once,
    the_ladder_decides_on_a_letter_and_an_interview,
    who_is_given_the_work_gets_papers_of_its_own,
    a_limit_moved_by_hours_is_printed_with_its_hour,
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

pub(crate) fn letter(name: &str) -> proto::SendLetterRequest {
    proto::SendLetterRequest {
        name: name.to_owned(),
        ground: "该项目已列入省级重点工程，进度明显滞后，影响全市供暖安排。".to_owned(),
        ..Default::default()
    }
}

fn interview(name: &str) -> proto::EscalateAssignmentRequest {
    proto::EscalateAssignmentRequest {
        name: name.to_owned(),
        instrument: proto::Instrument::Interview.into(),
        ground: "该项目已列入省级重点工程，进度明显滞后，影响全市供暖安排。".to_owned(),
        decision: "市政府常务会议纪要〔2023〕6号".to_owned(),
        decided_by: "officials/first".to_owned(),
        place: "市政府三楼会议室".to_owned(),
        time: Some(encode_time(at("2023-06-21T15:30:00+08:00"))),
        ..Default::default()
    }
}

fn asking(name: &str, kind: &str) -> proto::IssuePaperRequest {
    proto::IssuePaperRequest { name: name.to_owned(), kind: kind.to_owned(), ..Default::default() }
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

/// The paper that an answer names for an instrument.
fn named(answer: proto::Assignment, instrument: proto::Instrument) -> (String, String) {
    let mut used = answer.used_instruments.into_iter();
    let used = used.find(|one| one.instrument() == instrument).unwrap();
    (used.paper, used.paper_number)
}

/// Sends a letter: the paper and its number.
pub(crate) async fn send(city: &City, request: proto::SendLetterRequest) -> (String, String) {
    let sent = city.instruments(&supervisor()).send_letter(request).await.unwrap().into_inner();
    named(sent, proto::Instrument::Letter)
}

/// Calls to an interview: the paper and its number.
async fn call(city: &City, request: proto::EscalateAssignmentRequest) -> (String, String) {
    let called = city.instruments(&supervisor()).escalate_assignment(request).await.unwrap().into_inner();
    named(called, proto::Instrument::Interview)
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
    for request in [slip(&one), slip(&other), slip(&one)] {
        numbers.push(issue(&city, request).await.number);
    }
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    numbers.push(send(&city, letter(&one)).await.1);
    numbers.push(call(&city, interview(&one)).await.1);
    numbers.push(send(&city, letter(&other)).await.1);
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
    assert_eq!(send(&city, letter(&one)).await.1, "督函〔2024〕1号");

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
    assert_eq!(told[3].number, "督约〔2023〕1号");
    assert_eq!(told[3].unit.as_deref(), Some("units/energy"));
}

async fn a_repeated_request_gives_no_second_number(store: Store) {
    let city = City::start(store).await;
    let name = assignment(&city).await;
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    let request = proto::SendLetterRequest { request_id: "once".to_owned(), ..letter(&name) };
    let first = send(&city, request.clone()).await;
    assert_eq!(send(&city, request).await, first);
    assert_eq!(send(&city, letter(&name)).await.1, "督函〔2023〕2号");
}

async fn papers_issued_at_once_get_different_numbers(store: Store) {
    let city = City::start(store).await;
    let mut names = Vec::new();
    for title in ["一", "二", "三"] {
        names.push(city.issued(task(title, &[("energy", Lead)])).await.assignments[0].name.clone());
    }
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    let (one, two, three) = tokio::join!(
        send(&city, letter(&names[0])),
        send(&city, letter(&names[1])),
        send(&city, letter(&names[2]))
    );
    let mut numbers = [one.1, two.1, three.1];
    numbers.sort();
    assert_eq!(numbers, ["督函〔2023〕1号", "督函〔2023〕2号", "督函〔2023〕3号"]);
}

async fn one_slip_is_issued_whoever_asks_at_once(store: Store) {
    let city = City::start(store).await;
    for number in 1..=5 {
        let task = city.issued(task(&format!("第{number}件"), &[("energy", Lead)])).await;
        let name = &task.assignments[0].name;
        let asked = || issue(&city, slip(name));
        let (one, two, three, four) = tokio::join!(asked(), asked(), asked(), asked());
        assert_eq!(one.number, format!("督交〔2023〕{number}号"));
        for other in [two, three, four] {
            assert_eq!(other, one);
        }
    }
}

async fn the_ladder_decides_on_a_letter_and_an_interview(store: Store) {
    let mut city = City::start(store).await;
    let name = assignment(&city).await;
    let mut papers = city.papers(&supervisor());
    let mut office = city.instruments(&supervisor());
    for (kind, verb) in [("letter", "发督办函"), ("interview", "约谈")] {
        let (code, error) = refusal(papers.issue_paper(asking(&name, kind)).await);
        assert_eq!((code, error.reason()), (Code::FailedPrecondition, "NOT_SENT"), "{kind}");
        assert!(error.chinese().contains(verb), "{}", error.chinese());
    }
    let (_, error) = refusal(office.send_letter(letter(&name)).await);
    assert_eq!(error.reason(), "NOT_DUE_YET", "the light is green");
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    let (_, error) = refusal(office.escalate_assignment(interview(&name)).await);
    assert_eq!(error.reason(), "LIGHTER_FIRST");

    let (paper, number) = send(&city, letter(&name)).await;
    assert_eq!(number, "督函〔2023〕1号", "no number was lost");
    let same = issue(&city, asking(&name, "letter")).await;
    assert_eq!((same.name, same.number), (paper, number));
    let task = name.split_once("/assignments").unwrap().0;
    let said = city.timeline(task).await.pop().unwrap().text;
    assert!(said.starts_with("向市能源局发督办函（督函〔2023〕1号）："), "{said}");

    city.add_liaison("energy").await;
    // By a leader of the government, on a document, and with the rest told later.
    let liaison = proto::EscalateAssignmentRequest {
        decided_by: "officials/energy-liaison".to_owned(),
        ..interview(&name)
    };
    let (code, error) = refusal(office.escalate_assignment(liaison).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "decided_by"));
    let bulletin = proto::CreateBulletinRequest {
        start_time: bulletin().start_time,
        end_time: bulletin().end_time,
        leader: "officials/energy-liaison".to_owned(),
        ..Default::default()
    };
    let (code, error) = refusal(city.bulletins(&supervisor()).create_bulletin(bulletin).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "leader"));
    let bare = proto::EscalateAssignmentRequest {
        decided_by: String::new(),
        time: None,
        place: String::new(),
        ..interview(&name)
    };
    let (paper, number) = call(&city, bare).await;
    let (_, markdown) = file(&city, &clerk("energy"), &paper, "markdown").await.unwrap();
    let markdown = String::from_utf8(markdown).unwrap();
    assert!(markdown.contains("根据市政府常务会议纪要〔2023〕6号，就上述事项约谈"), "{markdown}");
    assert!(markdown.contains("时间、地点另行通知"), "{markdown}");
    assert_eq!(issue(&city, asking(&name, "interview")).await.number, number);
    let mut first = city.instruments(&leader("first"));
    let own = proto::EscalateAssignmentRequest {
        decided_by: String::new(),
        decision: String::new(),
        ..interview(&name)
    };
    let (paper, _) =
        named(first.escalate_assignment(own).await.unwrap().into_inner(), proto::Instrument::Interview);
    let (_, markdown) = file(&city, &clerk("energy"), &paper, "markdown").await.unwrap();
    assert!(String::from_utf8(markdown).unwrap().contains("经副市长一同意，定于2023年6月21日15:30"));
}

async fn a_limit_moved_by_hours_is_printed_with_its_hour(store: Store) {
    let city = City::start(store).await;
    let name = deployed(&city, &city.issued(task_of("energy")).await, 0).await;
    let asking = proto::RequestExtensionRequest {
        name: name.clone(),
        until: Some(encode_time(at("2023-06-20T00:00:00+08:00"))),
        reason: "用地手续未办结".to_owned(),
        ..Default::default()
    };
    city.wait_until("2023-06-05T09:00:00+08:00").await;
    city.clerk("energy").request_extension(asking).await.unwrap();
    // Two days and a little more than three hours: the minute that has begun is the unit's.
    city.wait_until("2023-06-07T12:04:20+08:00").await;
    let (grant, note) = (false, "按原时限推进".to_owned());
    let refusing = proto::DecideExtensionRequest { name: name.clone(), grant, note, ..Default::default() };
    let moved = city.leader("first").decide_extension(refusing).await.unwrap().into_inner();
    assert_eq!(moved.settle_due_time, Some(encode_time(at("2023-06-11T03:05:00+08:00"))));
    let paper = issue(&city, slip(&name)).await.name;
    let (_, markdown) = file(&city, &supervisor(), &paper, "markdown").await.unwrap();
    let markdown = String::from_utf8(markdown).unwrap();
    assert!(markdown.contains("| 办结时限 | 2023年6月11日3时05分 |"), "{markdown}");
    let request = proto::ExportLedgerRequest { format: "csv".to_owned(), ..Default::default() };
    let (_, table) = read(city.ledger(&supervisor()).export_ledger(request).await).await.unwrap();
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains("2023-06-11 03:05"), "{table}");
    let request = proto::ExplainDeadlineRequest { name };
    let explained = city.explanations(&supervisor()).explain_deadline(request).await.unwrap().into_inner();
    assert!(explained.steps.last().unwrap().contains("2023年6月11日3时05分"), "{:?}", explained.steps);
}

async fn who_is_given_the_work_gets_papers_of_its_own(store: Store) {
    let city = City::start(store).await;
    let name = assignment(&city).await;
    let first = issue(&city, slip(&name)).await;
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    send(&city, letter(&name)).await;
    let reassign = proto::ReassignAssignmentRequest {
        name: name.clone(),
        unit: "units/industry".to_owned(),
        ground: "职责调整".to_owned(),
        ..Default::default()
    };
    city.side_roads(&supervisor()).reassign_assignment(reassign).await.unwrap();
    let second = issue(&city, slip(&name)).await;
    assert_eq!((first.number.as_str(), second.number.as_str()), ("督交〔2023〕1号", "督交〔2023〕2号"));
    let (_, markdown) = file(&city, &supervisor(), &second.name, "markdown").await.unwrap();
    assert!(String::from_utf8(markdown).unwrap().contains("市工业和信息化局（牵头单位）"));
    let refused = city.papers(&supervisor()).issue_paper(asking(&name, "letter")).await;
    assert_eq!(refusal(refused).1.reason(), "NOT_SENT", "that letter was another unit's");
}

async fn a_paper_stays_as_it_was_issued(store: Store) {
    let city = City::start(store).await;
    let name = assignment(&city).await;
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    let mut papers = Vec::new();
    let slip = issue(&city, slip(&name)).await;
    let (letter, letter_number) = send(&city, letter(&name)).await;
    let (interview, interview_number) = call(&city, interview(&name)).await;
    for (kind, issued, number, parts) in [
        (
            "slip",
            slip.name,
            slip.number,
            vec!["督交〔2023〕1号", "市能源局（牵头单位）", "临政办发〔2023〕8号第147项", "2023年6月8日"],
        ),
        (
            "letter",
            letter,
            letter_number,
            vec![
                "督函〔2023〕1号",
                "市能源局：",
                "已逾期4天",
                "2023年6月15日前",
                "进度明显滞后",
                "2023年6月12日",
            ],
        ),
        (
            "interview",
            interview,
            interview_number,
            vec!["督约〔2023〕1号", "经副市长一同意", "2023年6月21日15:30在市政府三楼会议室"],
        ),
    ] {
        let (content_type, first) = file(&city, &supervisor(), &issued, "").await.unwrap();
        assert_eq!(content_type, DOCX);
        let found = words(&first);
        for part in parts {
            assert!(found.contains(part), "{kind}: {part}");
        }
        let (_, markdown) = file(&city, &supervisor(), &issued, "markdown").await.unwrap();
        assert!(String::from_utf8(markdown).unwrap().starts_with(&format!("{number}\n\n# ")));
        papers.push((kind.to_owned(), found));
    }
    city.wait_until("2023-07-12T09:00:00+08:00").await;
    for (kind, issued) in papers {
        let request = proto::GetAssignmentPaperRequest { name: name.clone(), kind: kind.clone() };
        let later = read(city.papers(&supervisor()).get_assignment_paper(request).await).await.unwrap();
        assert_eq!(words(&later.1), issued, "{kind}");
    }
}

async fn a_bulletin_says_how_the_units_stand_and_is_not_issued_unchecked(store: Store) {
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
    #[expect(deprecated, reason = "whoever still calls it is told what to call")]
    let (code, error) = refusal(city.papers(&supervisor()).issue_bulletin(bulletin()).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "CHECK_FIRST"));
    assert!(error.chinese().contains("/v1/bulletins"), "{}", error.chinese());
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
    let refused = city.papers(&clerk("energy")).issue_paper(slip(&name)).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied);
}

async fn what_cannot_be_issued_is_refused(store: Store) {
    let city = City::start(store).await;
    let name = assignment(&city).await;
    let mut papers = city.papers(&supervisor());
    for (request, field) in [(asking(&name, "bulletin"), "kind"), (slip("tasks/1"), "name")] {
        let (code, error) = refusal(papers.issue_paper(request.clone()).await);
        assert_eq!(
            (code, error.violations()[0].field.as_str()),
            (Code::InvalidArgument, field),
            "{request:?}"
        );
    }
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    let (past, mut office) =
        (Some(encode_time(at("2023-06-01T09:00:00+08:00"))), city.instruments(&supervisor()));
    let late = proto::SendLetterRequest { answer_before: past, ..letter(&name) };
    let (code, error) = refusal(office.send_letter(late).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "answer_before"));
    send(&city, letter(&name)).await;
    for (request, field) in [
        (proto::EscalateAssignmentRequest { time: past, ..interview(&name) }, "time"),
        (proto::EscalateAssignmentRequest { place: String::new(), ..interview(&name) }, "place"),
        (proto::EscalateAssignmentRequest { time: None, ..interview(&name) }, "place"),
        (
            proto::EscalateAssignmentRequest {
                decided_by: "officials/nobody".to_owned(),
                ..interview(&name)
            },
            "decided_by",
        ),
    ] {
        let (code, error) = refusal(office.escalate_assignment(request.clone()).await);
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
    let none = proto::GetAssignmentPaperRequest { name: name.clone(), kind: "interview".to_owned() };
    assert_eq!(read(papers.get_assignment_paper(none).await).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(file(&city, &supervisor(), "papers/none", "").await.unwrap_err().code(), Code::NotFound);
    let withdraw = proto::WithdrawTaskRequest {
        name: name.split_once("/assignments").unwrap().0.to_owned(),
        ground: "重复".to_owned(),
        ..Default::default()
    };
    city.supervisor().withdraw_task(withdraw).await.unwrap();
    let (code, _) = refusal(office.send_letter(letter(&name)).await);
    assert_eq!(code, Code::FailedPrecondition, "the work is over");
    assert_eq!(issue(&city, slip(&name)).await.number, "督交〔2023〕1号", "no number was lost");
}
