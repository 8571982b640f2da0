//! Instructions of leaders on tasks, end to end.

use domain_calendar::Timestamp;
use domain_roster::{Account, Mandate, MandateKind, Official, RosterEvent};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};
use xietong_proto::supervision::instruction_service_client::InstructionServiceClient;

use crate::city::{Bearer, City, START, Store, at, clerk, leader, refusal, supervisor, task, task_of};
use crate::extension::deployed;
use crate::on_both;

on_both!(
    an_instruction_stands_first_and_is_signed_for_by_each_it_is_addressed_to,
    only_a_leader_gives_one_and_in_his_own_charge,
    a_secretary_enters_one_in_the_leaders_name,
    who_owes_something_when_it_is_due_is_urged_once,
    an_instruction_becomes_one_task,
    what_no_leader_can_write_is_refused,
);

type Client = InstructionServiceClient<InterceptedService<Channel, Bearer>>;

fn instructions(city: &City, who: &Principal) -> Client {
    let (channel, bearer) = city.as_caller(who);
    InstructionServiceClient::with_interceptor(channel, bearer)
}

fn asked(task: &str, units: &[&str]) -> proto::CreateInstructionRequest {
    proto::CreateInstructionRequest {
        parent: task.to_owned(),
        text: "请能源局抓紧落实，月底前报结果。".to_owned(),
        units: units.iter().map(|unit| format!("units/{unit}")).collect(),
        ..Default::default()
    }
}

async fn sign(city: &City, who: &Principal, name: &str) -> Result<Response<proto::Instruction>, Status> {
    let request = proto::SignInstructionRequest { name: name.to_owned(), ..Default::default() };
    instructions(city, who).sign_instruction(request).await
}

async fn an_instruction_stands_first_and_is_signed_for_by_each_it_is_addressed_to(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task("管网", &[("energy", Lead), ("water", Cooperating)])).await;
    let request = proto::CreateInstructionRequest {
        officials: vec!["officials/second".to_owned()],
        request_id: "write".to_owned(),
        ..asked(&task.name, &["energy", "water"])
    };
    let mut first = instructions(&city, &leader("first"));
    let given = first.create_instruction(request.clone()).await.unwrap().into_inner();
    assert_eq!((given.leader.as_str(), given.leader_name.as_str()), ("officials/first", "副市长一"));
    assert_eq!(given.unsigned_addressees, ["units/energy", "units/water", "officials/second"]);
    assert_eq!(first.create_instruction(request).await.unwrap().into_inner(), given, "once for a request id");

    let timeline = proto::GetTimelineRequest { name: task.name.clone(), ..Default::default() };
    let timeline = city.supervisor().get_timeline(timeline).await.unwrap().into_inner();
    assert_eq!(timeline.instructions, std::slice::from_ref(&given));
    let entry = timeline.entries.last().unwrap();
    assert_eq!(entry.text, "副市长一批示市能源局、市水利局、副市长二：请能源局抓紧落实，月底前报结果。");
    assert_eq!(entry.ground, "名册记录第10号：分管领导");

    let signed = sign(&city, &clerk("energy"), &given.name).await.unwrap().into_inner();
    assert_eq!(signed.unsigned_addressees, ["units/water", "officials/second"]);
    let (code, error) = refusal(sign(&city, &clerk("energy"), &given.name).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "INSTRUCTION_SIGNED"));
    for who in [clerk("industry"), leader("first"), supervisor()] {
        let refused = sign(&city, &who, &given.name).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied, "{who}: it is not addressed to him");
    }
    sign(&city, &leader("second"), &given.name).await.unwrap();
    let texts = city.timeline(&task.name).await;
    assert_eq!(texts.last().unwrap().text, "副市长二签收批示");

    let listed = proto::ListInstructionsRequest { parent: task.name.clone(), ..Default::default() };
    let listed = instructions(&city, &clerk("water")).list_instructions(listed.clone()).await.unwrap();
    let [listed] = listed.into_inner().instructions.try_into().unwrap();
    assert_eq!(listed.unsigned_addressees, ["units/water"], "and everybody concerned sees it");
    assert_eq!(listed.signatures.len(), 2);
    let strange = proto::ListInstructionsRequest { parent: task.name.clone(), ..Default::default() };
    let strange = instructions(&city, &clerk("health")).list_instructions(strange).await;
    assert_eq!(refusal(strange).0, Code::PermissionDenied);
}

async fn only_a_leader_gives_one_and_in_his_own_charge(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task("管网", &[("energy", Lead), ("water", Cooperating)])).await;
    for who in [supervisor(), clerk("energy")] {
        let denied = instructions(&city, &who).create_instruction(asked(&task.name, &["energy"])).await;
        assert_eq!(refusal(denied).0, Code::PermissionDenied, "{who}");
    }
    let mut second = instructions(&city, &leader("second"));
    let denied = second.create_instruction(asked(&task.name, &["energy"])).await;
    assert_eq!(refusal(denied).0, Code::PermissionDenied, "the lead unit is not in his charge");
    let denied = second.create_instruction(asked(&task.name, &["water", "energy"])).await;
    assert_eq!(refusal(denied).0, Code::PermissionDenied, "nor is one of the two");
    second.create_instruction(asked(&task.name, &["water"])).await.unwrap();

    let mut mayor = instructions(&city, &leader("mayor"));
    mayor.create_instruction(asked(&task.name, &["energy", "water"])).await.unwrap();
    let entry = city.timeline(&task.name).await.pop().unwrap();
    assert_eq!(entry.ground, "名册记录第10号：主持全面工作");

    let missing = asked("tasks/0190b5a0-0000-7000-8000-000000000000", &["energy"]);
    assert_eq!(refusal(mayor.create_instruction(missing).await).0, Code::PermissionDenied);
}

async fn a_secretary_enters_one_in_the_leaders_name(store: Store) {
    let mut city = City::start(store).await;
    let name = "officials/helper".to_owned();
    let official = Official { name: name.clone(), display_name: "甲".to_owned(), posts: vec![] };
    let account = Account {
        name: "accounts/helper".to_owned(),
        subject: "helper".to_owned(),
        official: Some(name.clone()),
        roles: vec![],
        disabled: false,
    };
    let mandate = Mandate {
        name: "mandates/one".to_owned(),
        kind: MandateKind::Secretary,
        leader: "officials/first".to_owned(),
        holder: name.clone(),
        acts: vec!["supervision.instructions.create".to_owned()],
        units: vec![],
        start_time: at(START),
        end_time: None,
        ground: "市政府办公室通知".to_owned(),
        recorded_at: at(START),
        revoked_at: None,
    };
    for event in [
        RosterEvent::OfficialCreated(official),
        RosterEvent::AccountCreated(account),
        RosterEvent::MandateCreated(mandate),
    ] {
        city.roster.record(event, at(START)).await;
    }
    city.follow_roster().await;
    let secretary = Principal::account("helper", Some(name), vec![Grant::of(Role::Secretary)]);
    let task = city.issued(task_of("energy")).await;
    let given = instructions(&city, &secretary).create_instruction(asked(&task.name, &["energy"])).await;
    assert_eq!(given.unwrap().into_inner().leader, "officials/first");
    let entry = city.timeline(&task.name).await.pop().unwrap();
    assert_eq!((entry.acting_for.as_str(), entry.entered_by.as_str()), ("officials/first", "甲"));
    let other = city.issued(task_of("water")).await;
    let denied = instructions(&city, &secretary).create_instruction(asked(&other.name, &["water"])).await;
    assert_eq!(refusal(denied).0, Code::PermissionDenied, "it is another leader's");
}

async fn who_owes_something_when_it_is_due_is_urged_once(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task("管网", &[("energy", Lead), ("water", Lead)])).await;
    // A Friday evening: whoever owes something is urged on Monday morning.
    let (due, told) = ("2023-06-02T18:00:00+08:00", "2023-06-05T08:00:00+08:00");
    let water = deployed(&city, &task, 1).await;
    let report = |name: &str| proto::ReportAssignmentRequest {
        name: name.to_owned(),
        text: "已落实".to_owned(),
        ..Default::default()
    };
    city.clerk("water").report_assignment(report(&water)).await.unwrap();
    city.clock.set(at("2023-06-01T10:00:00+08:00"));
    let request = proto::CreateInstructionRequest {
        due_time: Some(encode_time(at(due))),
        ..asked(&task.name, &["energy", "water"])
    };
    let given = instructions(&city, &leader("first")).create_instruction(request).await.unwrap().into_inner();
    let energy = deployed(&city, &task, 0).await;
    sign(&city, &clerk("energy"), &given.name).await.unwrap();
    city.clerk("energy").report_assignment(report(&energy)).await.unwrap();

    let urged = |entries: Vec<proto::TimelineEntry>| {
        let due = entries.into_iter().filter(|entry| entry.r#type == "supervision.task.instruction_due");
        due.map(|entry| (entry.text, entry.time)).collect::<Vec<_>>()
    };
    for early in ["2023-06-02T17:59:59+08:00", due, "2023-06-05T07:59:59+08:00"] {
        city.wait_until(early).await;
        assert_eq!(urged(city.timeline(&task.name).await), [], "never early, nor at night: {early}");
    }
    city.wait_until(told).await;
    let expected = ("催办市水利局：副市长一批示的办理时限已到".to_owned(), Some(encode_time(at(told))));
    assert_eq!(urged(city.timeline(&task.name).await), std::slice::from_ref(&expected));
    city.wait_until("2023-06-20T09:00:00+08:00").await;
    assert_eq!(urged(city.timeline(&task.name).await), [expected], "once");
}

async fn an_instruction_becomes_one_task(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let mut first = instructions(&city, &leader("first"));
    let given = first.create_instruction(asked(&task.name, &["energy"])).await.unwrap().into_inner();
    let create = |origin: &str| proto::CreateTaskRequest {
        task: Some(task_of("industry")),
        issue: true,
        origin: origin.to_owned(),
        ..Default::default()
    };
    let mut office = city.supervisor();
    let became = office.create_task(create(&given.name)).await.unwrap().into_inner();
    assert_eq!(became.origin, given.name);
    let again = office.create_task(create(&given.name)).await.unwrap().into_inner();
    assert_eq!(again.name, became.name, "one task an origin");
    let get = proto::GetInstructionRequest { name: given.name.clone() };
    assert_eq!(first.get_instruction(get).await.unwrap().into_inner().task, became.name);

    let unknown = format!("{}/instructions/none", task.name);
    let (code, error) = refusal(office.create_task(create(&unknown)).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "origin"));
    let group = office.create_task(create("groups/1/meetings/1/decisions/1")).await;
    assert_eq!(refusal(group).0, Code::PermissionDenied);
}

async fn what_no_leader_can_write_is_refused(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let mut first = instructions(&city, &leader("first"));
    let past = Timestamp::parse("2023-05-31T09:00:00+08:00").unwrap();
    let right = || asked(&task.name, &["energy"]);
    let officials = |official: &str| vec![official.to_owned()];
    for (request, field) in [
        (proto::CreateInstructionRequest { text: " ".to_owned(), ..right() }, "text"),
        (proto::CreateInstructionRequest { text: "字".repeat(2_001), ..right() }, "text"),
        (proto::CreateInstructionRequest { units: vec![], ..right() }, "units"),
        (asked(&task.name, &["industry"]), "units"),
        (proto::CreateInstructionRequest { parent: "tasks/".to_owned(), ..right() }, "parent"),
        (
            proto::CreateInstructionRequest { officials: officials("officials/nobody"), ..right() },
            "officials[0]",
        ),
        (proto::CreateInstructionRequest { officials: officials("nobody"), ..right() }, "officials[0]"),
        (proto::CreateInstructionRequest { due_time: Some(encode_time(past)), ..right() }, "due_time"),
    ] {
        let (code, error) = refusal(first.create_instruction(request).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
    let stale = proto::CreateInstructionRequest { etag: "v1".to_owned(), ..right() };
    assert_eq!(refusal(first.create_instruction(stale).await).0, Code::Aborted);
    let draft = proto::CreateTaskRequest {
        task: Some(task_of("energy")),
        confirm_duplicates: true,
        ..Default::default()
    };
    let draft = city.supervisor().create_task(draft).await.unwrap().into_inner();
    let (code, error) = refusal(first.create_instruction(asked(&draft.name, &["energy"])).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "TASK_STATE"));
    assert_eq!(city.timeline(&task.name).await.len(), 2, "nothing was written");
    let (code, _) = refusal(sign(&city, &clerk("energy"), "tasks/1/instructions/").await);
    assert_eq!(code, Code::InvalidArgument);
}
