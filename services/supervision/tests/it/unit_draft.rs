//! The unit's word: drafted by a clerk, released by the approver, end to end.

use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::cooperation_service_client::CooperationServiceClient;
use xietong_proto::supervision::unit_draft_service_client::UnitDraftServiceClient;
use xietong_proto::supervision::{AssignmentState, DraftState};

use crate::city::{Bearer, City, Store, account, approver, at, clerk, leader, refusal, supervisor, task_of};
use crate::extension::deployed;
use crate::on_both;

on_both!(
    without_a_setting_a_clerks_word_is_the_units,
    a_draft_is_seen_by_the_unit_alone_until_it_is_released,
    a_released_draft_is_said_then_and_names_both,
    an_approver_and_what_says_nothing_need_no_draft,
    a_draft_that_is_no_longer_possible_stays,
    a_draft_is_sent_back_replaced_or_withdrawn,
    the_setting_is_kept_by_the_units_approver_and_administrators,
    a_plan_and_every_word_of_a_wait_are_drafts_too,
    what_cannot_be_drafted_is_the_approvers,
);

type Client = UnitDraftServiceClient<InterceptedService<Channel, Bearer>>;

fn drafts(city: &City, who: &Principal) -> Client {
    let (channel, bearer) = city.as_caller(who);
    UnitDraftServiceClient::with_interceptor(channel, bearer)
}

fn setting(unit: &str, required: bool) -> proto::UpdateReleaseSettingRequest {
    let setting = proto::ReleaseSetting {
        name: format!("units/{unit}/releaseSetting"),
        release_required: required,
        ..Default::default()
    };
    proto::UpdateReleaseSettingRequest { setting: Some(setting), ..Default::default() }
}

/// A task of the energy bureau, deployed, whose clerk's word the approver must release from now on.
async fn with_release(city: &City) -> (proto::Task, String) {
    let task = city.issued(task_of("energy")).await;
    let name = deployed(city, &task, 0).await;
    drafts(city, &approver("energy")).update_release_setting(setting("energy", true)).await.unwrap();
    (task, name)
}

fn report(name: &str, text: &str) -> proto::ReportAssignmentRequest {
    proto::ReportAssignmentRequest { name: name.to_owned(), text: text.to_owned(), ..Default::default() }
}

/// What a clerk's report of this text becomes.
async fn drafted(city: &City, name: &str, text: &str) -> proto::UnitDraft {
    let answer = city.clerk("energy").report_assignment(report(name, text)).await.unwrap().into_inner();
    answer.draft.unwrap()
}

async fn list(city: &City, who: &Principal, state: DraftState) -> Vec<String> {
    let request = proto::ListDraftsRequest {
        unit: "units/energy".to_owned(),
        state: state.into(),
        ..Default::default()
    };
    let listed = drafts(city, who).list_drafts(request).await.unwrap().into_inner();
    listed.drafts.into_iter().map(|one| one.text).collect()
}

async fn release(
    city: &City,
    who: &Principal,
    draft: &proto::UnitDraft,
) -> Result<Response<proto::UnitDraft>, Status> {
    let request = proto::ReleaseDraftRequest { name: draft.name.clone(), ..Default::default() };
    drafts(city, who).release_draft(request).await
}

async fn without_a_setting_a_clerks_word_is_the_units(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    let answer = city.clerk("energy").report_assignment(report(&name, "过半")).await.unwrap().into_inner();
    assert_eq!((answer.draft, answer.last_report.as_str()), (None, "过半"));
}

async fn a_draft_is_seen_by_the_unit_alone_until_it_is_released(store: Store) {
    let city = City::start(store).await;
    let (task, name) = with_release(&city).await;
    let before = (city.get(&task.name).await, city.timeline(&task.name).await);
    let once =
        proto::ReportAssignmentRequest { request_id: "say".to_owned(), ..report(&name, "机密进展") };
    let answer = city.clerk("energy").report_assignment(once.clone()).await.unwrap().into_inner();
    let draft = answer.draft.clone().unwrap();
    assert_eq!((draft.state(), draft.drafter.as_str()), (DraftState::Awaiting, "clerk-energy"));
    assert_eq!(answer.last_report, "已进场", "nothing of the assignment has changed");
    assert_eq!(city.clerk("energy").report_assignment(once).await.unwrap().into_inner(), answer);

    assert_eq!((city.get(&task.name).await, city.timeline(&task.name).await), before);
    assert_eq!(list(&city, &clerk("energy"), DraftState::Unspecified).await, ["机密进展"]);
    assert_eq!(list(&city, &approver("energy"), DraftState::Awaiting).await, ["机密进展"]);
    assert_eq!(list(&city, &approver("energy"), DraftState::Released).await, [""; 0]);
    let administrator = account("administrator", Grant::of(Role::Administrator));
    for who in [supervisor(), clerk("water"), leader("first"), administrator] {
        let get = proto::GetDraftRequest { name: draft.name.clone() };
        assert_eq!(refusal(drafts(&city, &who).get_draft(get).await).0, Code::PermissionDenied, "{who}");
        let request = proto::ListDraftsRequest { unit: "units/energy".to_owned(), ..Default::default() };
        assert_eq!(refusal(drafts(&city, &who).list_drafts(request).await).0, Code::PermissionDenied);
    }
    for who in [clerk("energy"), approver("water")] {
        assert_eq!(refusal(release(&city, &who, &draft).await).0, Code::PermissionDenied, "{who}");
    }
}

async fn a_released_draft_is_said_then_and_names_both(store: Store) {
    let city = City::start(store).await;
    let (task, name) = with_release(&city).await;
    let submit =
        proto::SubmitAssignmentRequest {
            name: name.clone(), text: "完成".to_owned(), ..Default::default()
        };
    let answer = city.clerk("energy").submit_assignment(submit).await.unwrap().into_inner();
    assert_eq!(answer.state(), AssignmentState::InProgress, "the clock runs on");
    city.wait_until("2023-06-01T15:00:00+08:00").await;
    let released = release(&city, &approver("energy"), &answer.draft.unwrap()).await.unwrap().into_inner();
    assert_eq!((released.state(), released.approver.as_str()), (DraftState::Released, "approver-energy"));
    let entry = city.timeline(&task.name).await.pop().unwrap();
    assert_eq!((entry.actor.as_str(), entry.text.as_str()), ("approver-energy", "市能源局申请办结：完成"));
    assert_eq!(entry.ground, format!("clerk-energy拟稿，approver-energy审核（{}）", released.name));
    assert_eq!(entry.time, Some(encode_time(at("2023-06-01T15:00:00+08:00"))), "not when it was drafted");
    assert_eq!(city.get(&task.name).await.assignments[0].state(), AssignmentState::Submitted);
    let (code, error) = refusal(release(&city, &approver("energy"), &released).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "DRAFT_STATE"));
    assert_eq!(error.chinese(), "该稿已审核，不能审核");
}

async fn an_approver_and_what_says_nothing_need_no_draft(store: Store) {
    let city = City::start(store).await;
    let (task, name) = with_release(&city).await;
    let mut one = city.client(&approver("energy"));
    let said = one.report_assignment(report(&name, "过半")).await.unwrap().into_inner();
    assert_eq!((said.draft, said.last_report.as_str()), (None, "过半"));
    let liaison = account("liaison", Grant::of(Role::Liaison).in_unit("units/energy"));
    let said = city.client(&liaison).report_assignment(report(&name, "联络员报")).await.unwrap();
    assert!(said.into_inner().draft.is_some(), "a liaison is no approver");

    let other = city.issued(task_of("energy")).await.assignments[0].name.clone();
    let sign = proto::SignAssignmentRequest { name: other.clone(), ..Default::default() };
    let signed = city.clerk("energy").sign_assignment(sign).await.unwrap().into_inner();
    assert_eq!((signed.state(), signed.draft), (AssignmentState::Signed, None));
    let deploy = proto::DeployAssignmentRequest { name: other, ..Default::default() };
    let deployed = city.clerk("energy").deploy_assignment(deploy).await.unwrap().into_inner();
    assert_eq!((deployed.state(), deployed.draft), (AssignmentState::Deployed, None));

    let back = city.issued(task_of("energy")).await.assignments[0].name.clone();
    let back = proto::ReturnAssignmentRequest {
        name: back,
        reason: "不属本单位职责".to_owned(),
        ..Default::default()
    };
    let returned = city.side_roads(&clerk("energy")).return_assignment(back).await.unwrap().into_inner();
    assert_eq!(returned.state(), AssignmentState::Assigned);
    assert_eq!(returned.draft.unwrap().kind(), proto::DraftKind::Return);
    let ask = proto::RequestExtensionRequest {
        name,
        until: Some(encode_time(at("2023-06-20T00:00:00+08:00"))),
        reason: "征地未完成".to_owned(),
        ..Default::default()
    };
    let asked = city.clerk("energy").request_extension(ask).await.unwrap().into_inner();
    assert_eq!(asked.extension_request, None);
    assert_eq!(asked.draft.unwrap().until, Some(encode_time(at("2023-06-20T00:00:00+08:00"))));
    assert_eq!(city.get(&task.name).await.assignments[0].extension_request, None);
}

async fn a_draft_that_is_no_longer_possible_stays(store: Store) {
    let city = City::start(store).await;
    let (task, name) = with_release(&city).await;
    let draft = drafted(&city, &name, "过半").await;
    let withdraw =
        proto::WithdrawTaskRequest { name: task.name, ground: "重复".to_owned(), ..Default::default() };
    city.supervisor().withdraw_task(withdraw).await.unwrap();
    let (code, error) = refusal(release(&city, &approver("energy"), &draft).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "ASSIGNMENT_STATE"));
    assert_eq!(error.chinese(), "该事项已经撤销，不能再反馈进展");
    assert_eq!(list(&city, &clerk("energy"), DraftState::Awaiting).await, ["过半"]);
    let impossible = city.clerk("energy").report_assignment(report(&name, "又报")).await;
    assert_eq!(refusal(impossible).1.reason(), "ASSIGNMENT_STATE", "nor is it drafted");

    let moved = city.issued(task_of("energy")).await;
    let name = deployed_by_approver(&city, &moved).await;
    let draft = drafted(&city, &name, "进展").await;
    let reassign = proto::ReassignAssignmentRequest {
        name: name.clone(),
        unit: "units/water".to_owned(),
        ground: "职责调整".to_owned(),
        ..Default::default()
    };
    city.side_roads(&supervisor()).reassign_assignment(reassign).await.unwrap();
    let (_, error) = refusal(release(&city, &approver("energy"), &draft).await);
    assert_eq!(error.reason(), "HELD_BY_ANOTHER");
}

async fn deployed_by_approver(city: &City, task: &proto::Task) -> String {
    let name = task.assignments[0].name.clone();
    let mut one = city.client(&approver("energy"));
    let sign = proto::SignAssignmentRequest { name: name.clone(), ..Default::default() };
    one.sign_assignment(sign).await.unwrap();
    let deploy = proto::DeployAssignmentRequest { name: name.clone(), ..Default::default() };
    one.deploy_assignment(deploy).await.unwrap();
    name
}

async fn a_draft_is_sent_back_replaced_or_withdrawn(store: Store) {
    let city = City::start(store).await;
    let (_, name) = with_release(&city).await;
    let draft = drafted(&city, &name, "初稿").await;
    let back = |note: &str, etag: &str| proto::SendBackDraftRequest {
        name: draft.name.clone(),
        note: note.to_owned(),
        etag: etag.to_owned(),
        ..Default::default()
    };
    let mut one = drafts(&city, &approver("energy"));
    let (code, error) = refusal(one.send_back_draft(back(" ", "")).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "note"));
    assert_eq!(refusal(one.send_back_draft(back("请写明数字", "v9")).await).0, Code::Aborted);
    let denied = drafts(&city, &clerk("energy")).send_back_draft(back("不行", "")).await;
    assert_eq!(refusal(denied).0, Code::PermissionDenied);
    let sent_back = one.send_back_draft(back("请写明数字", &draft.etag)).await.unwrap().into_inner();
    assert_eq!((sent_back.state(), sent_back.note.as_str()), (DraftState::SentBack, "请写明数字"));
    assert_eq!(refusal(release(&city, &approver("energy"), &draft).await).1.reason(), "DRAFT_STATE");

    let second = drafted(&city, &name, "二稿").await;
    assert_eq!(list(&city, &clerk("energy"), DraftState::Replaced).await, ["初稿"]);
    let third = drafted(&city, &name, "三稿").await;
    assert_eq!(list(&city, &clerk("energy"), DraftState::Replaced).await, ["二稿", "初稿"]);
    assert_eq!(refusal(release(&city, &approver("energy"), &second).await).1.reason(), "DRAFT_STATE");

    let withdraw = proto::WithdrawDraftRequest { name: third.name.clone(), ..Default::default() };
    for who in [approver("energy"), clerk("water"), account_of_another_clerk()] {
        let denied = drafts(&city, &who).withdraw_draft(withdraw.clone()).await;
        assert_eq!(refusal(denied).0, Code::PermissionDenied, "{who} did not draft it");
    }
    let withdrawn = drafts(&city, &clerk("energy")).withdraw_draft(withdraw).await.unwrap().into_inner();
    assert_eq!(withdrawn.state(), DraftState::Withdrawn);
    let none = proto::ReleaseDraftRequest { name: "drafts/none".to_owned(), ..Default::default() };
    assert_eq!(refusal(one.release_draft(none).await).0, Code::PermissionDenied, "as if it were not his");
}

fn account_of_another_clerk() -> Principal {
    account("another-clerk", Grant::of(Role::UnitClerk).in_unit("units/energy"))
}

async fn the_setting_is_kept_by_the_units_approver_and_administrators(store: Store) {
    let city = City::start(store).await;
    let get = proto::GetReleaseSettingRequest { name: "units/energy/releaseSetting".to_owned() };
    let before = drafts(&city, &clerk("energy")).get_release_setting(get.clone()).await.unwrap().into_inner();
    assert!(!before.release_required, "existing behaviour stays");
    for who in [clerk("energy"), approver("water"), supervisor(), leader("first")] {
        let denied = drafts(&city, &who).update_release_setting(setting("energy", true)).await;
        assert_eq!(refusal(denied).0, Code::PermissionDenied, "{who}");
    }
    let administrator = account("administrator", Grant::of(Role::Administrator));
    let mut administrator = drafts(&city, &administrator);
    let set = administrator.update_release_setting(setting("energy", true)).await.unwrap().into_inner();
    assert!(set.release_required && set.etag != before.etag);
    let shown = drafts(&city, &clerk("energy")).get_release_setting(get).await.unwrap().into_inner();
    assert_eq!(shown, set);
    let mut stale = setting("energy", false);
    stale.setting.as_mut().unwrap().etag = before.etag;
    assert_eq!(refusal(administrator.update_release_setting(stale).await).0, Code::Aborted);
    let unknown = administrator.update_release_setting(setting("moon", true)).await;
    assert_eq!(refusal(unknown).0, Code::InvalidArgument);
    let mut wrong = setting("energy", true);
    wrong.update_mask = Some(prost_types::FieldMask { paths: vec!["colour".to_owned()] });
    let (code, error) = refusal(administrator.update_release_setting(wrong).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "update_mask"));
    let mut nameless = setting("energy", true);
    nameless.setting.as_mut().unwrap().name = "units/energy".to_owned();
    assert_eq!(refusal(administrator.update_release_setting(nameless).await).0, Code::InvalidArgument);
}

async fn a_plan_and_every_word_of_a_wait_are_drafts_too(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = task.assignments[0].name.clone();
    for unit in ["energy", "water"] {
        drafts(&city, &approver(unit)).update_release_setting(setting(unit, true)).await.unwrap();
    }
    let sign = proto::SignAssignmentRequest { name: name.clone(), ..Default::default() };
    city.clerk("energy").sign_assignment(sign).await.unwrap();
    let plan = "分三步推进".to_owned();
    let deploy = proto::DeployAssignmentRequest { name: name.clone(), plan, ..Default::default() };
    let answer = city.clerk("energy").deploy_assignment(deploy).await.unwrap().into_inner();
    assert_eq!(answer.state(), AssignmentState::Signed, "it is not the unit's word yet");
    release(&city, &approver("energy"), &answer.draft.unwrap()).await.unwrap();
    let entry = city.timeline(&task.name).await.pop().unwrap();
    assert_eq!((entry.actor.as_str(), entry.text.as_str()), ("approver-energy", "市能源局部署：分三步推进"));

    let wait = proto::WaitForUnitRequest {
        name: name.clone(),
        unit: "units/water".to_owned(),
        need: "出具水资源论证意见".to_owned(),
        ..Default::default()
    };
    let answer = city.side_roads(&clerk("energy")).wait_for_unit(wait).await.unwrap().into_inner();
    let draft = answer.draft.unwrap();
    assert_eq!((answer.wait, draft.awaited_unit.as_str()), (None, "units/water"));
    release(&city, &approver("energy"), &draft).await.unwrap();

    let accept = proto::AcceptWaitRequest { name: name.clone(), ..Default::default() };
    let answer = city.side_roads(&clerk("water")).accept_wait(accept).await.unwrap().into_inner();
    let draft = answer.draft.unwrap();
    assert_eq!((draft.unit.as_str(), draft.kind()), ("units/water", proto::DraftKind::WaitAcceptance));
    assert_eq!(refusal(release(&city, &approver("energy"), &draft).await).0, Code::PermissionDenied);
    release(&city, &approver("water"), &draft).await.unwrap();

    let end =
        proto::EndWaitRequest {
            name: name.clone(), answer: "意见已出具".to_owned(), ..Default::default()
        };
    let answer = city.side_roads(&clerk("water")).end_wait(end).await.unwrap().into_inner();
    assert!(answer.wait.is_some(), "it waits on");
    release(&city, &approver("water"), &answer.draft.unwrap()).await.unwrap();
    let entry = city.timeline(&task.name).await.pop().unwrap();
    assert_eq!(entry.actor, "approver-water");
    assert!(entry.text.contains("意见已出具"), "{}", entry.text);
}

async fn what_cannot_be_drafted_is_the_approvers(store: Store) {
    let city = City::start(store).await;
    let (task, _) = with_release(&city).await;
    let add = || proto::AddCooperatingUnitsRequest {
        name: task.name.clone(),
        units: vec!["units/health".to_owned()],
        ground: "需要配合".to_owned(),
        ..Default::default()
    };
    let cooperation = |who: &Principal| {
        let (channel, bearer) = city.as_caller(who);
        CooperationServiceClient::with_interceptor(channel, bearer)
    };
    let refused = cooperation(&clerk("energy")).add_cooperating_units(add()).await;
    let (code, error) = refusal(refused);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "NEEDS_APPROVER"));
    cooperation(&approver("energy")).add_cooperating_units(add()).await.unwrap();
}
