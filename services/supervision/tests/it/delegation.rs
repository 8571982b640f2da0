//! What a unit passes down, end to end.

use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::Principal;
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::DelegationState;
use xietong_proto::supervision::delegation_service_client::DelegationServiceClient;
use xietong_proto::supervision::unit_draft_service_client::UnitDraftServiceClient;

use crate::city::{Bearer, City, START, Store, approver, at, clerk, leader, refusal, supervisor, task_of};
use crate::extension::deployed;
use crate::on_both;

on_both!(
    a_delegates_answer_is_seen_by_nobody_above_until_the_holder_reports_it,
    an_assignment_is_passed_down_to_ones_own_within_ones_own_time,
    a_section_is_answered_for_by_its_unit_and_a_delegation_can_be_taken_back,
    what_is_adopted_awaits_release_where_the_unit_requires_it,
);

type Client = DelegationServiceClient<InterceptedService<Channel, Bearer>>;

fn delegations(city: &City, who: &Principal) -> Client {
    let (channel, bearer) = city.as_caller(who);
    DelegationServiceClient::with_interceptor(channel, bearer)
}

/// A city with a district's bureau, a task of the district, and its assignment.
async fn district(store: Store) -> (City, proto::Task, String) {
    let mut city = City::start(store).await;
    city.roster.found_below("bureau", "尧都区住建局", "yaodu", at(START)).await;
    city.follow_roster().await;
    let task = city.issued(task_of("yaodu")).await;
    let name = deployed(&city, &task, 0).await;
    (city, task, name)
}

fn to_bureau(name: &str) -> proto::DelegateAssignmentRequest {
    proto::DelegateAssignmentRequest {
        name: name.to_owned(),
        unit: "units/bureau".to_owned(),
        ask: "请摸清底数".to_owned(),
        due_time: Some(encode_time(at("2023-06-05T00:00:00+08:00"))),
        ..Default::default()
    }
}

async fn answer(
    city: &City,
    who: &Principal,
    name: &str,
    done: bool,
) -> Result<Response<proto::Delegation>, Status> {
    let text = "共38处，已摸清".to_owned();
    let request = proto::AnswerDelegationRequest { name: name.to_owned(), text, done, ..Default::default() };
    delegations(city, who).answer_delegation(request).await
}

async fn a_delegates_answer_is_seen_by_nobody_above_until_the_holder_reports_it(store: Store) {
    let (city, task, name) = district(store).await;
    let before = (city.get(&task.name).await, city.timeline(&task.name).await);
    let mut holder = delegations(&city, &clerk("yaodu"));
    let once = proto::DelegateAssignmentRequest { request_id: "down".to_owned(), ..to_bureau(&name) };
    let given = holder.delegate_assignment(once.clone()).await.unwrap().into_inner();
    assert_eq!(holder.delegate_assignment(once).await.unwrap().into_inner(), given);
    assert_eq!((given.state(), given.title.as_str()), (DelegationState::Open, "清洁取暖改造"));

    for who in [clerk("yaodu"), clerk("water"), supervisor(), leader("mayor")] {
        assert_eq!(refusal(answer(&city, &who, &given.name, true).await).0, Code::PermissionDenied, "{who}");
    }
    let done = answer(&city, &clerk("bureau"), &given.name, true).await.unwrap().into_inner();
    assert_eq!((done.state(), done.answerer.as_str()), (DelegationState::Done, "clerk-bureau"));
    assert_eq!((city.get(&task.name).await, city.timeline(&task.name).await), before);
    for who in [supervisor(), leader("mayor"), clerk("water")] {
        let get = proto::GetDelegationRequest { name: given.name.clone() };
        assert_eq!(refusal(delegations(&city, &who).get_delegation(get).await).0, Code::PermissionDenied);
        let holder = "units/yaodu".to_owned();
        let list = proto::ListDelegationsRequest { holder, ..Default::default() };
        assert_eq!(refusal(delegations(&city, &who).list_delegations(list).await).0, Code::PermissionDenied);
    }
    let list = proto::ListDelegationsRequest { unit: "units/bureau".to_owned(), ..Default::default() };
    let listed = delegations(&city, &clerk("bureau")).list_delegations(list).await.unwrap().into_inner();
    assert_eq!(listed.delegations, [done]);
    let get = city.clerk("bureau").get_task(proto::GetTaskRequest { name: task.name.clone() }).await;
    assert_eq!(refusal(get).0, Code::PermissionDenied, "the delegate sees what it was asked, not the task");

    let adopt = proto::AdoptDelegationRequest { name: given.name.clone(), ..Default::default() };
    let denied = delegations(&city, &clerk("bureau")).adopt_delegation(adopt.clone()).await;
    assert_eq!(refusal(denied).0, Code::PermissionDenied);
    let reported = holder.adopt_delegation(adopt).await.unwrap().into_inner();
    assert_eq!((reported.name.as_str(), reported.last_report.as_str()), (name.as_str(), "共38处，已摸清"));
    let entry = city.timeline(&task.name).await.pop().unwrap();
    assert_eq!(entry.text, "尧都区人民政府反馈进展：共38处，已摸清");
}

async fn an_assignment_is_passed_down_to_ones_own_within_ones_own_time(store: Store) {
    let (city, _, name) = district(store).await;
    let mut holder = delegations(&city, &clerk("yaodu"));
    let right = || to_bureau(&name);
    let due = |text: &str| Some(encode_time(at(text)));
    for (request, field) in [
        (proto::DelegateAssignmentRequest { unit: "units/water".to_owned(), ..right() }, "unit"),
        (proto::DelegateAssignmentRequest { unit: "units/moon".to_owned(), ..right() }, "unit"),
        (proto::DelegateAssignmentRequest { unit: String::new(), ..right() }, "section"),
        (proto::DelegateAssignmentRequest { section: "办公室".to_owned(), ..right() }, "section"),
        (proto::DelegateAssignmentRequest { ask: " ".to_owned(), ..right() }, "ask"),
        (proto::DelegateAssignmentRequest { ask: "字".repeat(2_001), ..right() }, "ask"),
        (proto::DelegateAssignmentRequest { due_time: None, ..right() }, "due_time"),
        (
            proto::DelegateAssignmentRequest { due_time: due("2023-06-01T08:00:00+08:00"), ..right() },
            "due_time",
        ),
        (
            proto::DelegateAssignmentRequest { due_time: due("2023-06-30T00:00:00+08:00"), ..right() },
            "due_time",
        ),
    ] {
        let (code, error) = refusal(holder.delegate_assignment(request).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
    for who in [clerk("water"), clerk("bureau"), supervisor()] {
        let denied = delegations(&city, &who).delegate_assignment(right()).await;
        assert_eq!(refusal(denied).0, Code::PermissionDenied, "{who}");
    }
    let stale = proto::DelegateAssignmentRequest { etag: "v1".to_owned(), ..right() };
    assert_eq!(refusal(holder.delegate_assignment(stale).await).0, Code::Aborted);
    let unsigned = city.issued(task_of("yaodu")).await.assignments[0].name.clone();
    let (code, error) = refusal(holder.delegate_assignment(to_bureau(&unsigned)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "ASSIGNMENT_STATE"));
    let list = refusal(holder.list_delegations(proto::ListDelegationsRequest::default()).await);
    assert_eq!(list.0, Code::InvalidArgument);

    let mut restricted = task_of("yaodu");
    restricted.visibility = Visibility::Restricted.into();
    restricted.restricted_units = vec!["units/yaodu".to_owned()];
    let restricted = city.issued(restricted).await;
    let name = deployed(&city, &restricted, 0).await;
    let given = holder.delegate_assignment(to_bureau(&name)).await.unwrap().into_inner();
    assert_eq!(given.title, "", "a delegate is not among those who may see it");
}

async fn a_section_is_answered_for_by_its_unit_and_a_delegation_can_be_taken_back(store: Store) {
    let (city, _, name) = district(store).await;
    let mut holder = delegations(&city, &clerk("yaodu"));
    let section = proto::DelegateAssignmentRequest {
        unit: String::new(),
        section: "综合科".to_owned(),
        ..to_bureau(&name)
    };
    let section = holder.delegate_assignment(section).await.unwrap().into_inner();
    let bureau = holder.delegate_assignment(to_bureau(&name)).await.unwrap().into_inner();
    assert_eq!(section.section, "综合科");
    answer(&city, &clerk("yaodu"), &section.name, false).await.unwrap();
    let adopt = proto::AdoptDelegationRequest { name: bureau.name.clone(), ..Default::default() };
    assert_eq!(refusal(holder.adopt_delegation(adopt).await).1.reason(), "NO_ANSWER");

    answer(&city, &clerk("bureau"), &bureau.name, true).await.unwrap();
    let again = refusal(answer(&city, &clerk("bureau"), &bureau.name, true).await);
    assert_eq!((again.0, again.1.reason()), (Code::FailedPrecondition, "DELEGATION_STATE"));
    let note = |note: &str| proto::SendBackDelegationRequest {
        name: bureau.name.clone(),
        note: note.to_owned(),
        ..Default::default()
    };
    assert_eq!(refusal(holder.send_back_delegation(note("")).await).0, Code::InvalidArgument);
    let denied = delegations(&city, &clerk("bureau")).send_back_delegation(note("请补充")).await;
    assert_eq!(refusal(denied).0, Code::PermissionDenied);
    let back = holder.send_back_delegation(note("请补充明细")).await.unwrap().into_inner();
    assert_eq!((back.state(), back.note.as_str()), (DelegationState::Open, "请补充明细"));

    let withdraw = proto::WithdrawDelegationRequest {
        name: bureau.name.clone(),
        note: "改由区本级办理".to_owned(),
        ..Default::default()
    };
    let withdrawn = holder.withdraw_delegation(withdraw).await.unwrap().into_inner();
    assert_eq!(withdrawn.state(), DelegationState::Withdrawn);
    let late = refusal(answer(&city, &clerk("bureau"), &bureau.name, false).await).1;
    assert_eq!(late.chinese(), "该转办事项已经收回，不能反馈");
    let of_holder = proto::ListDelegationsRequest {
        holder: "units/yaodu".to_owned(),
        assignment: name,
        page_size: 1,
        ..Default::default()
    };
    let page = holder.list_delegations(of_holder.clone()).await.unwrap().into_inner();
    assert_eq!(page.delegations[0].name, bureau.name, "the newest first");
    let page_token = page.next_page_token;
    let rest = proto::ListDelegationsRequest { page_token, ..of_holder };
    let rest = holder.list_delegations(rest).await.unwrap().into_inner();
    assert_eq!(
        (rest.delegations[0].name.as_str(), rest.next_page_token.as_str()),
        (section.name.as_str(), "")
    );
}

async fn what_is_adopted_awaits_release_where_the_unit_requires_it(store: Store) {
    let (city, task, name) = district(store).await;
    let (channel, bearer) = city.as_caller(&approver("yaodu"));
    let setting = proto::ReleaseSetting {
        name: "units/yaodu/releaseSetting".to_owned(),
        release_required: true,
        ..Default::default()
    };
    let request = proto::UpdateReleaseSettingRequest { setting: Some(setting), ..Default::default() };
    let mut drafts = UnitDraftServiceClient::with_interceptor(channel, bearer);
    drafts.update_release_setting(request).await.unwrap();
    let mut holder = delegations(&city, &clerk("yaodu"));
    let given = holder.delegate_assignment(to_bureau(&name)).await.unwrap().into_inner();
    answer(&city, &clerk("bureau"), &given.name, true).await.unwrap();
    let adopt = proto::AdoptDelegationRequest {
        name: given.name,
        text: "我区共38处，均已摸清".to_owned(),
        ..Default::default()
    };
    let adopted = holder.adopt_delegation(adopt).await.unwrap().into_inner();
    assert_eq!(adopted.draft.unwrap().text, "我区共38处，均已摸清");
    let texts: Vec<_> = city.timeline(&task.name).await.into_iter().map(|entry| entry.text).collect();
    assert!(texts.iter().all(|text| !text.contains("38")), "{texts:?}");
}
