//! Milestones: reached, sent back and missed, end to end.

use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::Principal;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};
use xietong_proto::supervision::Light;
use xietong_proto::supervision::milestone_service_client::MilestoneServiceClient;
use xietong_proto::supervision::unit_draft_service_client::UnitDraftServiceClient;

use crate::city::{Bearer, City, Store, approver, at, clerk, leader, refusal, supervisor, task};
use crate::extension::deployed;
use crate::on_both;

on_both!(
    a_missed_milestone_is_red_until_it_is_reached_and_told_once,
    a_reached_milestone_is_sent_back_with_a_reason,
    only_the_unit_reaches_and_only_the_supervisor_sends_back,
    what_is_no_milestone_of_the_unit_is_refused_in_both_languages,
    a_units_word_on_a_milestone_is_released_first,
    a_repeated_request_is_recorded_once,
);

const JUNE: &str = "2023-07-01T00:00:00+08:00";
const AUGUST: &str = "2023-09-01T00:00:00+08:00";

fn milestones(city: &City, who: &Principal) -> MilestoneServiceClient<InterceptedService<Channel, Bearer>> {
    let (channel, bearer) = city.as_caller(who);
    MilestoneServiceClient::with_interceptor(channel, bearer)
}

/// A task until the end of the year with two milestones, deployed by its lead unit.
async fn dated(city: &City) -> (proto::Task, String) {
    let milestone = |day: &str, text: &str| proto::Milestone {
        due_time: Some(encode_time(at(day))),
        text: text.to_owned(),
        units: vec![],
    };
    let dated = proto::Task {
        due_time: Some(encode_time(at("2024-01-01T00:00:00+08:00"))),
        milestones: vec![milestone(JUNE, "完成六成"), milestone(AUGUST, "全部完工")],
        ..task("管网改造", &[("energy", Lead), ("water", Cooperating)])
    };
    let issued = city.issued(dated).await;
    let name = deployed(city, &issued, 0).await;
    (issued, name)
}

fn reaching(name: &str, day: &str) -> proto::ReachMilestoneRequest {
    proto::ReachMilestoneRequest {
        name: name.to_owned(),
        due_time: Some(encode_time(at(day))),
        text: "已完成六成".to_owned(),
        ..Default::default()
    }
}

async fn send_back(
    city: &City,
    who: &Principal,
    name: &str,
    day: &str,
) -> Result<Response<proto::Assignment>, Status> {
    let request = proto::SendBackMilestoneRequest {
        name: name.to_owned(),
        due_time: Some(encode_time(at(day))),
        note: "工程量不足六成".to_owned(),
        ..Default::default()
    };
    milestones(city, who).send_back_milestone(request).await
}

/// How many tasks a list by this light holds: found by the columns.
async fn listed(city: &City, light: Light) -> usize {
    city.list(proto::ListTasksRequest { light: light.into(), ..Default::default() }).await.len()
}

async fn a_missed_milestone_is_red_until_it_is_reached_and_told_once(store: Store) {
    let city = City::start(store).await;
    let (issued, name) = dated(&city).await;
    let shown = city.get(&issued.name).await;
    assert_eq!(shown.assignments[0].milestone_due_time, Some(encode_time(at(JUNE))));
    assert_eq!(shown.assignments[1].milestone_due_time, None, "it concerns those who settle the task");
    city.live_until("2023-06-30T23:59:59+08:00").await;
    assert_eq!((listed(&city, Light::Yellow).await, listed(&city, Light::Red).await), (1, 0));
    city.live_until("2023-07-03T12:00:00+08:00").await;
    assert_eq!((listed(&city, Light::Red).await, city.get(&issued.name).await.light()), (1, Light::Red));
    let told: Vec<_> = city.timeline(&issued.name).await.into_iter().map(|entry| entry.text).collect();
    let missed = "市能源局节点逾期（2023年6月30日前完成六成）";
    assert_eq!(told.iter().filter(|text| text.contains("节点逾期")).collect::<Vec<_>>(), [missed]);
    assert_eq!(told.iter().filter(|text| text.contains("节点期限将至")).count(), 1);

    let file = city.uploaded(&clerk("energy"), 7, "现场照片.pdf");
    let request = proto::ReachMilestoneRequest { attachments: vec![file], ..reaching(&name, JUNE) };
    let answer = milestones(&city, &clerk("energy")).reach_milestone(request).await.unwrap().into_inner();
    assert_eq!((answer.reached_milestones, answer.was_late), (vec![1], true));
    assert_eq!(answer.last_report, "已完成六成");
    assert_eq!(answer.milestone_due_time, Some(encode_time(at(AUGUST))));
    assert_eq!(listed(&city, Light::Red).await, 0);
    let last = city.timeline(&issued.name).await.pop().unwrap();
    assert_eq!(
        (last.r#type.as_str(), last.text.as_str()),
        (
            "supervision.assignment.milestone_reached",
            "市能源局报告节点完成（2023年6月30日前完成六成）：已完成六成（附件1个）"
        )
    );
    assert_eq!(last.attachments.len(), 1);
    let request = proto::ExplainDeadlineRequest { name };
    let told = city.explanations(&supervisor()).explain_deadline(request).await.unwrap().into_inner();
    let next: Vec<_> =
        told.milestones.iter().map(|one| (one.place, one.reach_time.is_some(), one.next)).collect();
    assert_eq!(next, [(1, true, false), (2, false, true)]);
}

async fn a_reached_milestone_is_sent_back_with_a_reason(store: Store) {
    let city = City::start(store).await;
    let (issued, name) = dated(&city).await;
    city.live_until("2023-06-20T09:00:00+08:00").await;
    milestones(&city, &clerk("energy")).reach_milestone(reaching(&name, JUNE)).await.unwrap();
    city.live_until("2023-07-03T09:00:00+08:00").await;
    assert_eq!(listed(&city, Light::Red).await, 0);
    let answer = send_back(&city, &supervisor(), &name, JUNE).await.unwrap().into_inner();
    assert_eq!((answer.light(), answer.reached_milestones.len()), (Light::Red, 0));
    assert_eq!(listed(&city, Light::Red).await, 1);
    let last = city.timeline(&issued.name).await.pop().unwrap();
    assert_eq!(last.text, "退回市能源局的节点完成报告（2023年6月30日前完成六成）：工程量不足六成");
    let (code, error) = refusal(send_back(&city, &supervisor(), &name, JUNE).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "MILESTONE_NOT_REACHED"));
}

async fn only_the_unit_reaches_and_only_the_supervisor_sends_back(store: Store) {
    let city = City::start(store).await;
    let (_, name) = dated(&city).await;
    for who in [clerk("water"), supervisor(), leader("first")] {
        let refused = milestones(&city, &who).reach_milestone(reaching(&name, JUNE)).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied);
    }
    milestones(&city, &clerk("energy")).reach_milestone(reaching(&name, JUNE)).await.unwrap();
    for who in [clerk("energy"), leader("first")] {
        assert_eq!(refusal(send_back(&city, &who, &name, JUNE).await).0, Code::PermissionDenied);
    }
}

async fn what_is_no_milestone_of_the_unit_is_refused_in_both_languages(store: Store) {
    let city = City::start(store).await;
    let (_, name) = dated(&city).await;
    let mut energy = milestones(&city, &clerk("energy"));
    let (code, error) = refusal(energy.reach_milestone(reaching(&name, "2023-08-01T00:00:00+08:00")).await);
    assert_eq!((code, error.chinese()), (Code::InvalidArgument, "该单位没有2023-07-31的节点，请核对"));
    let dateless = proto::ReachMilestoneRequest { due_time: None, ..reaching(&name, JUNE) };
    assert_eq!(refusal(energy.reach_milestone(dateless).await).0, Code::InvalidArgument);
    let silent = proto::ReachMilestoneRequest { text: " ".to_owned(), ..reaching(&name, JUNE) };
    assert_eq!(refusal(energy.reach_milestone(silent).await).0, Code::InvalidArgument);
    energy.reach_milestone(reaching(&name, JUNE)).await.unwrap();
    let (code, error) = refusal(energy.reach_milestone(reaching(&name, JUNE)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "MILESTONE_REACHED"));
}

async fn a_units_word_on_a_milestone_is_released_first(store: Store) {
    let city = City::start(store).await;
    let (_, name) = dated(&city).await;
    let (channel, bearer) = city.as_caller(&approver("energy"));
    let mut approver = UnitDraftServiceClient::with_interceptor(channel, bearer);
    let setting = proto::ReleaseSetting {
        name: "units/energy/releaseSetting".to_owned(),
        release_required: true,
        ..Default::default()
    };
    let request = proto::UpdateReleaseSettingRequest { setting: Some(setting), ..Default::default() };
    approver.update_release_setting(request).await.unwrap();
    let answer = milestones(&city, &clerk("energy")).reach_milestone(reaching(&name, JUNE)).await.unwrap();
    let answer = answer.into_inner();
    let draft = answer.draft.unwrap();
    assert_eq!((draft.kind(), answer.reached_milestones.len()), (proto::DraftKind::Milestone, 0));
    assert_eq!(draft.until, Some(encode_time(at(JUNE))));
    let release = proto::ReleaseDraftRequest { name: draft.name, ..Default::default() };
    approver.release_draft(release).await.unwrap();
    let task = name.split_once("/assignments/").unwrap().0;
    assert_eq!(city.get(task).await.assignments[0].reached_milestones, [1]);
}

async fn a_repeated_request_is_recorded_once(store: Store) {
    let city = City::start(store).await;
    let (issued, name) = dated(&city).await;
    let before = city.timeline(&issued.name).await.len();
    let request = proto::ReachMilestoneRequest { request_id: "m-1".to_owned(), ..reaching(&name, JUNE) };
    let mut energy = milestones(&city, &clerk("energy"));
    let first = energy.reach_milestone(request.clone()).await.unwrap().into_inner();
    assert_eq!(energy.reach_milestone(request).await.unwrap().into_inner(), first);
    assert_eq!(city.timeline(&issued.name).await.len(), before + 1);
}
