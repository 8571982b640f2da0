//! The side roads of an assignment, end to end.

use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::Principal;
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};
use xietong_proto::supervision::{AssignmentState, ChargeKind, ChargedTo, Light, TaskState};

use crate::city::{City, SideRoads, Store, account, at, clerk, leader, refusal, supervisor, task, task_of};
use crate::extension::deployed;
use crate::on_both;

on_both!(
    a_misdirected_matter_is_returned_and_reassigned,
    a_refused_return_is_charged_to_the_supervisor,
    a_suspended_matter_is_grey_until_the_leader_resumes_it,
    a_unit_waits_for_another_that_accepts_and_answers,
    after_a_working_day_the_supervisor_rules,
    a_struck_off_task_is_rechecked_and_reopened,
    each_side_road_is_open_to_those_it_belongs_to,
    what_is_asked_wrongly_is_refused_in_both_languages,
    whoever_is_waited_for_learns_no_title_of_a_matter_of_named_units,
    a_repeated_request_takes_a_road_once,
);

fn unit_client(city: &City, unit: &str) -> SideRoads {
    city.side_roads(&clerk(unit))
}

fn office(city: &City) -> SideRoads {
    city.side_roads(&supervisor())
}

async fn give_back(client: &mut SideRoads, name: &str) -> Result<Response<proto::Assignment>, Status> {
    let reason = "属市水利局职责".to_owned();
    let request = proto::ReturnAssignmentRequest { name: name.to_owned(), reason, ..Default::default() };
    client.return_assignment(request).await
}

async fn reassign(
    client: &mut SideRoads,
    name: &str,
    unit: &str,
) -> Result<Response<proto::Assignment>, Status> {
    let (unit, ground) = (format!("units/{unit}"), "按职责分工调整".to_owned());
    let request =
        proto::ReassignAssignmentRequest { name: name.to_owned(), unit, ground, ..Default::default() };
    client.reassign_assignment(request).await
}

async fn suspend(client: &mut SideRoads, name: &str) -> Result<Response<proto::Assignment>, Status> {
    let request = proto::SuspendAssignmentRequest {
        name: name.to_owned(),
        ground: "等待省级规划批复".to_owned(),
        review_time: Some(encode_time(at("2023-09-01T00:00:00+08:00"))),
        ..Default::default()
    };
    client.suspend_assignment(request).await
}

async fn resume(client: &mut SideRoads, name: &str) -> Result<Response<proto::Assignment>, Status> {
    client
        .resume_assignment(proto::ResumeAssignmentRequest { name: name.to_owned(), ..Default::default() })
        .await
}

async fn wait(client: &mut SideRoads, name: &str, unit: &str) -> Result<Response<proto::Assignment>, Status> {
    let (unit, need) = (format!("units/{unit}"), "出具取水许可".to_owned());
    let request = proto::WaitForUnitRequest { name: name.to_owned(), unit, need, ..Default::default() };
    client.wait_for_unit(request).await
}

async fn accept(client: &mut SideRoads, name: &str) -> Result<Response<proto::AwaitedAssignment>, Status> {
    client.accept_wait(proto::AcceptWaitRequest { name: name.to_owned(), ..Default::default() }).await
}

async fn rule(client: &mut SideRoads, name: &str, hold: bool) -> Result<Response<proto::Assignment>, Status> {
    let note = "应自行协调".to_owned();
    let request = proto::RuleOnWaitRequest { name: name.to_owned(), hold, note, ..Default::default() };
    client.rule_on_wait(request).await
}

async fn end_wait(client: &mut SideRoads, name: &str) -> Result<Response<proto::AwaitedAssignment>, Status> {
    let answer = "许可已出具".to_owned();
    client.end_wait(proto::EndWaitRequest { name: name.to_owned(), answer, ..Default::default() }).await
}

async fn recheck(client: &mut SideRoads, name: &str) -> Result<Response<proto::Assignment>, Status> {
    let finding = "问题反弹".to_owned();
    let request = proto::RecheckAssignmentRequest { name: name.to_owned(), finding, ..Default::default() };
    client.recheck_assignment(request).await
}

async fn reopen(client: &mut SideRoads, name: &str) -> Result<Response<proto::Assignment>, Status> {
    let request = proto::ReopenAssignmentRequest {
        name: name.to_owned(),
        ground: "问题反弹".to_owned(),
        until: Some(encode_time(at("2023-07-11T00:00:00+08:00"))),
        ..Default::default()
    };
    client.reopen_assignment(request).await
}

async fn waits(city: &City, who: &Principal, unit: &str) -> Result<Vec<proto::AwaitingTask>, Status> {
    let request = proto::ListWaitsRequest { unit: format!("units/{unit}"), ..Default::default() };
    Ok(city.side_roads(who).list_waits(request).await?.into_inner().tasks)
}

/// What the supervisor's list shows under a light, by the columns.
async fn with_light(city: &City, light: Light) -> usize {
    city.list(proto::ListTasksRequest { light: light.into(), ..Default::default() }).await.len()
}

async fn last_texts(city: &City, task: &proto::Task, count: usize) -> Vec<String> {
    let timeline = city.timeline(&task.name).await;
    timeline.into_iter().rev().take(count).rev().map(|entry| entry.text).collect()
}

fn pauses(one: &proto::Assignment) -> Vec<(ChargeKind, ChargedTo, &str, i64)> {
    one.charged_pauses
        .iter()
        .map(|pause| {
            let hours = pause.moved.as_ref().unwrap().seconds / 3_600;
            (pause.kind(), pause.charged_to(), pause.unit.as_str(), hours)
        })
        .collect()
}

async fn a_misdirected_matter_is_returned_and_reassigned(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = &task.assignments[0].name;
    let returned = give_back(&mut unit_client(&city, "energy"), name).await.unwrap().into_inner();
    assert_eq!(returned.state(), AssignmentState::Returned);
    assert_eq!(returned.misdirection.unwrap().reason, "属市水利局职责");
    city.wait_until("2023-06-05T09:00:00+08:00").await;
    assert_eq!(city.get(&task.name).await.light(), Light::Green, "held until it is decided");
    assert_eq!(with_light(&city, Light::Green).await, 1);

    let moved = reassign(&mut office(&city), name, "water").await.unwrap().into_inner();
    assert_eq!((moved.unit.as_str(), moved.state()), ("units/water", AssignmentState::Assigned));
    assert_eq!(moved.settle_due_time, Some(encode_time(at("2023-06-13T00:00:00+08:00"))));
    assert_eq!(
        last_texts(&city, &task, 2).await,
        ["市能源局退回（认为不属本单位职责）：属市水利局职责", "由市能源局改派至市水利局：按职责分工调整"]
    );
    let sign = || proto::SignAssignmentRequest { name: name.clone(), ..Default::default() };
    assert_eq!(refusal(city.clerk("energy").sign_assignment(sign()).await).0, Code::PermissionDenied);
    city.clerk("water").sign_assignment(sign()).await.unwrap();
    city.wait_until("2023-06-14T09:00:00+08:00").await;
    assert_eq!(with_light(&city, Light::Red).await, 1, "its timers are its own");
}

async fn a_refused_return_is_charged_to_the_supervisor(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = &task.assignments[0].name;
    give_back(&mut unit_client(&city, "energy"), name).await.unwrap();
    city.wait_until("2023-06-03T09:00:00+08:00").await;
    let request = proto::RefuseReturnRequest {
        name: name.clone(),
        note: "属你局职责".to_owned(),
        ..Default::default()
    };
    let kept = office(&city).refuse_return(request).await.unwrap().into_inner();
    assert_eq!((kept.state(), kept.misdirection.as_ref()), (AssignmentState::Signed, None));
    assert_eq!(pauses(&kept), [(ChargeKind::Return, ChargedTo::Supervisor, "", 48)]);
    assert_eq!(kept.settle_due_time, Some(encode_time(at("2023-06-11T00:00:00+08:00"))));
    assert_eq!(kept.deploy_due_time, Some(encode_time(at("2023-06-04T00:00:00+08:00"))));
}

async fn a_suspended_matter_is_grey_until_the_leader_resumes_it(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    let mut first = city.side_roads(&leader("first"));
    let suspended = suspend(&mut first, &name).await.unwrap().into_inner();
    assert_eq!((suspended.state(), suspended.light()), (AssignmentState::Suspended, Light::Grey));
    city.wait_until("2023-07-01T09:00:00+08:00").await;
    assert_eq!(with_light(&city, Light::Grey).await, 1);
    assert_eq!(
        last_texts(&city, &task, 1).await,
        ["市能源局的办理事项挂账，2023年8月31日复核：等待省级规划批复"]
    );
    let entry = city.timeline(&task.name).await.pop().unwrap();
    assert_eq!(entry.ground, "名册记录第10号：分管领导", "decided as the leader in charge");

    let resumed = resume(&mut first, &name).await.unwrap().into_inner();
    assert_eq!((resumed.state(), resumed.light()), (AssignmentState::InProgress, Light::Green));
    assert_eq!(pauses(&resumed), [(ChargeKind::Suspension, ChargedTo::Nobody, "", 30 * 24)]);
    assert_eq!(resumed.settle_due_time, Some(encode_time(at("2023-07-09T00:00:00+08:00"))));
    city.wait_until("2023-07-09T00:00:00+08:00").await;
    assert_eq!(with_light(&city, Light::Red).await, 1);
}

async fn a_unit_waits_for_another_that_accepts_and_answers(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    wait(&mut unit_client(&city, "energy"), &name, "water").await.unwrap();
    let asked = waits(&city, &clerk("water"), "water").await.unwrap();
    assert_eq!((asked[0].name.as_str(), asked[0].title.as_str()), (task.name.as_str(), "清洁取暖改造"));
    let found = asked[0].assignments[0].wait.clone().unwrap();
    assert_eq!((found.need.as_str(), found.hold_time), ("出具取水许可", None));
    // Asked on Thursday: Friday is the next working day.
    assert_eq!(found.accept_due_time, Some(encode_time(at("2023-06-03T00:00:00+08:00"))));

    let mut water = unit_client(&city, "water");
    let held = accept(&mut water, &name).await.unwrap().into_inner();
    assert!(held.wait.unwrap().hold_time.is_some());
    city.wait_until("2023-06-11T09:00:00+08:00").await;
    assert_eq!(city.get(&task.name).await.light(), Light::Green, "nothing is reached while it waits");
    end_wait(&mut water, &name).await.unwrap();
    let shown = city.get(&task.name).await.assignments[0].clone();
    assert_eq!(pauses(&shown), [(ChargeKind::Waiting, ChargedTo::Unit, "units/water", 240)]);
    assert_eq!(shown.settle_due_time, Some(encode_time(at("2023-06-19T00:00:00+08:00"))));
    assert_eq!(waits(&city, &clerk("water"), "water").await.unwrap(), []);
    assert_eq!(
        last_texts(&city, &task, 3).await,
        [
            "市能源局申请等待市水利局：出具取水许可",
            "市水利局确认市能源局须等待其办理，自申请时起暂停计时",
            "市能源局不再等待市水利局：许可已出具",
        ]
    );
}

async fn after_a_working_day_the_supervisor_rules(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    wait(&mut unit_client(&city, "energy"), &name, "water").await.unwrap();
    city.wait_until("2023-06-03T00:00:00+08:00").await;
    let (code, error) = refusal(accept(&mut unit_client(&city, "water"), &name).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "WAIT_LAPSED"));
    city.wait_until("2023-06-10T09:00:00+08:00").await;
    assert_eq!(city.get(&task.name).await.light(), Light::Red, "nobody ruled, so the clock went on");
    let ruled = rule(&mut office(&city), &name, true).await.unwrap().into_inner();
    assert_eq!((ruled.light(), ruled.was_late), (Light::Green, false), "back-dated to the request");
    assert_eq!(with_light(&city, Light::Red).await, 0);
    end_wait(&mut unit_client(&city, "energy"), &name).await.unwrap();

    wait(&mut unit_client(&city, "energy"), &name, "water").await.unwrap();
    let refused = rule(&mut office(&city), &name, false).await.unwrap().into_inner();
    assert_eq!((refused.wait.as_ref(), refused.charged_pauses.len()), (None, 1));
}

async fn a_struck_off_task_is_rechecked_and_reopened(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    city.wait_until("2023-06-10T09:00:00+08:00").await;
    let request =
        proto::SubmitAssignmentRequest {
            name: name.clone(), text: "完成".to_owned(), ..Default::default()
        };
    city.clerk("energy").submit_assignment(request).await.unwrap();
    let request = proto::VerifyAssignmentRequest { name: name.clone(), accept: true, ..Default::default() };
    city.supervisor().verify_assignment(request).await.unwrap();
    assert!(city.get(&task.name).await.strike_off_time.is_some());

    city.wait_until("2023-07-01T09:00:00+08:00").await;
    recheck(&mut office(&city), &name).await.unwrap();
    assert_eq!(city.get(&task.name).await.state(), TaskState::StruckOff);
    let reopened = reopen(&mut office(&city), &name).await.unwrap().into_inner();
    assert_eq!((reopened.state(), reopened.light()), (AssignmentState::InProgress, Light::Green));
    assert!(reopened.was_late, "that it was late survives");
    let shown = city.get(&task.name).await;
    assert_eq!((shown.state(), shown.strike_off_time), (TaskState::Issued, None));
    let listed = proto::ListTasksRequest { state: TaskState::Issued.into(), ..Default::default() };
    assert_eq!(city.list(listed).await.len(), 1);
    assert_eq!(
        last_texts(&city, &task, 3).await,
        [
            "对市能源局回头看：问题反弹",
            "市能源局重新办理，2023年7月10日前整改到位：问题反弹",
            "任务重新办理：问题反弹"
        ]
    );
    city.wait_until("2023-07-11T00:00:00+08:00").await;
    assert_eq!(with_light(&city, Light::Red).await, 1);
}

async fn each_side_road_is_open_to_those_it_belongs_to(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task("管网", &[("energy", Lead), ("yaodu", Cooperating)])).await;
    let name = &task.assignments[0].name;
    let denied = |outcome: Result<(), Status>, what: &str| {
        assert_eq!(outcome.unwrap_err().code(), Code::PermissionDenied, "{what}");
    };
    for who in [clerk("water"), clerk("yaodu"), supervisor(), leader("first")] {
        let mut client = city.side_roads(&who);
        denied(give_back(&mut client, name).await.map(drop), "return");
        denied(wait(&mut client, name, "water").await.map(drop), "wait");
    }
    for who in [clerk("energy"), leader("first")] {
        let mut client = city.side_roads(&who);
        denied(reassign(&mut client, name, "water").await.map(drop), "reassign");
        denied(rule(&mut client, name, true).await.map(drop), "rule");
        denied(recheck(&mut client, name).await.map(drop), "recheck");
        denied(reopen(&mut client, name).await.map(drop), "reopen");
    }
    deployed(&city, &task, 0).await;
    for who in [clerk("energy"), leader("second"), leader("mayor"), supervisor()] {
        let mut client = city.side_roads(&who);
        denied(suspend(&mut client, name).await.map(drop), "suspend");
        denied(resume(&mut client, name).await.map(drop), "resume");
    }
    wait(&mut unit_client(&city, "energy"), name, "water").await.unwrap();
    for who in [clerk("energy"), clerk("yaodu"), supervisor()] {
        denied(accept(&mut city.side_roads(&who), name).await.map(drop), "accept");
    }
    denied(end_wait(&mut unit_client(&city, "yaodu"), name).await.map(drop), "end");
    denied(waits(&city, &clerk("energy"), "water").await.map(drop), "list");
    assert_eq!(waits(&city, &supervisor(), "water").await.unwrap().len(), 1);
    let auditor =
        account("auditor", xietong_mesh::principal::Grant::of(xietong_mesh::principal::Role::Auditor));
    assert_eq!(waits(&city, &auditor, "water").await.unwrap().len(), 1);
}

async fn what_is_asked_wrongly_is_refused_in_both_languages(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    let before = city.get(&task.name).await;
    let mut energy = unit_client(&city, "energy");
    let (code, error) = refusal(give_back(&mut energy, &name).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "ASSIGNMENT_STATE"));
    assert_eq!(error.chinese(), "已经部署办理，不能再退回，确需调整请与督查机构联系");
    let (code, error) = refusal(reassign(&mut office(&city), &name, "moon").await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "unit"));
    assert_eq!(error.violations()[0].chinese, "没有这个单位（units/moon）");
    let (code, error) = refusal(wait(&mut energy, &name, "energy").await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "unit"));
    let long = proto::WaitForUnitRequest {
        name: name.clone(),
        unit: "units/water".to_owned(),
        need: "难".repeat(501),
        ..Default::default()
    };
    let (code, error) = refusal(energy.wait_for_unit(long).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "need"));
    let mut first = city.side_roads(&leader("first"));
    let past = proto::SuspendAssignmentRequest {
        name: name.clone(),
        ground: "待批".to_owned(),
        review_time: Some(encode_time(at("2023-06-02T00:00:00+08:00"))),
        ..Default::default()
    };
    let (code, error) = refusal(first.suspend_assignment(past.clone()).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "review_time"));
    let undated = proto::SuspendAssignmentRequest { review_time: None, ..past.clone() };
    let (_, error) = refusal(first.suspend_assignment(undated).await);
    assert_eq!(error.violations()[0].field, "review_time");
    let silent = proto::SuspendAssignmentRequest { ground: " ".to_owned(), ..past };
    let (_, error) = refusal(first.suspend_assignment(silent).await);
    assert_eq!(error.violations()[0].field, "ground");
    let (code, error) = refusal(end_wait(&mut energy, &name).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "NO_WAIT"));
    let stale = proto::RecheckAssignmentRequest {
        name: name.clone(),
        finding: "反弹".to_owned(),
        etag: "v1".to_owned(),
        ..Default::default()
    };
    assert_eq!(refusal(office(&city).recheck_assignment(stale).await).0, Code::Aborted);
    assert_eq!(city.get(&task.name).await, before, "a refusal changes nothing");
}

async fn whoever_is_waited_for_learns_no_title_of_a_matter_of_named_units(store: Store) {
    let city = City::start(store).await;
    let mut restricted = task_of("energy");
    restricted.visibility = Visibility::Restricted.into();
    restricted.restricted_units = vec!["units/energy".to_owned()];
    let task = city.issued(restricted).await;
    let name = deployed(&city, &task, 0).await;
    wait(&mut unit_client(&city, "energy"), &name, "water").await.unwrap();
    let asked = waits(&city, &clerk("water"), "water").await.unwrap();
    assert_eq!((asked[0].title.as_str(), asked[0].ledger_number), ("", task.ledger_number));
    accept(&mut unit_client(&city, "water"), &name).await.unwrap();
    end_wait(&mut unit_client(&city, "water"), &name).await.unwrap();
}

async fn a_repeated_request_takes_a_road_once(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let request = proto::ReturnAssignmentRequest {
        name: task.assignments[0].name.clone(),
        reason: "不属职责".to_owned(),
        request_id: "return".to_owned(),
        ..Default::default()
    };
    let mut energy = unit_client(&city, "energy");
    let first = energy.return_assignment(request.clone()).await.unwrap().into_inner();
    assert_eq!(energy.return_assignment(request).await.unwrap().into_inner(), first);
    assert_eq!(city.timeline(&task.name).await.len(), 3);
}
