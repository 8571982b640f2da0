//! Units that are added to a task, and verifying several submissions at once.

use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::Principal;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};
use xietong_proto::supervision::cooperation_service_client::CooperationServiceClient;
use xietong_proto::supervision::{AssignmentState, TaskState};

use crate::city::{Bearer, City, Store, at, clerk, leader, refusal, supervisor, task, task_of};
use crate::on_both;
use crate::permission::submitted;

on_both!(
    a_lead_unit_adds_cooperating_units_whose_clocks_start_then,
    whoever_does_not_lead_adds_nobody,
    submissions_are_verified_with_an_answer_each,
    a_leader_verifies_those_in_his_charge_and_each_says_so,
);

fn cooperation(
    city: &City,
    who: &Principal,
) -> CooperationServiceClient<InterceptedService<Channel, Bearer>> {
    let (channel, bearer) = city.as_caller(who);
    CooperationServiceClient::with_interceptor(channel, bearer)
}

fn add(task: &str, units: &[&str]) -> proto::AddCooperatingUnitsRequest {
    proto::AddCooperatingUnitsRequest {
        name: task.to_owned(),
        units: units.iter().map(|unit| format!("units/{unit}")).collect(),
        ..Default::default()
    }
}

async fn a_lead_unit_adds_cooperating_units_whose_clocks_start_then(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task("管网", &[("energy", Lead)])).await;
    city.wait_until("2023-06-05T10:00:00+08:00").await;
    let request = proto::AddCooperatingUnitsRequest {
        ground: "涉及河道".to_owned(),
        request_id: "add".to_owned(),
        ..add(&issued.name, &["water", "yaodu"])
    };
    let mut lead = cooperation(&city, &clerk("energy"));
    let after = lead.add_cooperating_units(request.clone()).await.unwrap().into_inner();
    assert_eq!(lead.add_cooperating_units(request).await.unwrap().into_inner(), after);
    let added = &after.assignments[1];
    assert_eq!((added.unit.as_str(), added.role()), ("units/water", Cooperating));
    assert_eq!(added.state(), AssignmentState::Assigned);
    assert_eq!(added.settle_due_time, Some(encode_time(at("2023-06-13T00:00:00+08:00"))));
    let entry = city.timeline(&issued.name).await.pop().unwrap();
    assert_eq!(entry.text, "增加配合单位市水利局、尧都区人民政府：涉及河道");

    let sign = proto::SignAssignmentRequest { name: added.name.clone(), ..Default::default() };
    city.clerk("water").sign_assignment(sign).await.unwrap();
    let of_water = proto::ListTasksRequest { unit: "units/water".to_owned(), ..Default::default() };
    assert_eq!(city.list(of_water).await.len(), 1);
    city.wait_until("2023-06-13T00:00:00+08:00").await;
    let overdue = |entry: &proto::TimelineEntry| entry.text == "尧都区人民政府逾期未办结";
    assert!(city.timeline(&issued.name).await.iter().any(overdue), "its timers are placed");
}

async fn whoever_does_not_lead_adds_nobody(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task("管网", &[("energy", Lead), ("water", Cooperating)])).await;
    for who in [clerk("water"), clerk("health"), leader("first")] {
        let denied = cooperation(&city, &who).add_cooperating_units(add(&issued.name, &["health"])).await;
        assert_eq!(refusal(denied).0, Code::PermissionDenied, "{who}");
    }
    let mut office = cooperation(&city, &supervisor());
    office.add_cooperating_units(add(&issued.name, &["office"])).await.unwrap();
    let long =
        proto::AddCooperatingUnitsRequest { ground: "字".repeat(501), ..add(&issued.name, &["health"]) };
    for (request, field) in [
        (add(&issued.name, &[]), "units"),
        (add(&issued.name, &["moon"]), "units[0]"),
        (add(&issued.name, &["health", "a b"]), "units[1]"),
        (add(&issued.name, &["water"]), "assignments"),
        (add(&issued.name, &["health", "health"]), "assignments"),
        (long, "ground"),
    ] {
        let (code, error) = refusal(office.add_cooperating_units(request).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
    let stale = proto::AddCooperatingUnitsRequest { etag: "v1".to_owned(), ..add(&issued.name, &["health"]) };
    assert_eq!(refusal(office.add_cooperating_units(stale).await).0, Code::Aborted);
    let request = proto::CreateTaskRequest { task: Some(task_of("energy")), ..Default::default() };
    let draft = city.supervisor().create_task(request).await.unwrap().into_inner();
    let (code, error) = refusal(office.add_cooperating_units(add(&draft.name, &["health"])).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "TASK_STATE"));
    assert_eq!(city.get(&issued.name).await.assignments.len(), 3);
}

fn verifying(names: &[&str], accept: bool, note: &str) -> proto::BatchVerifyAssignmentsRequest {
    proto::BatchVerifyAssignmentsRequest {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        accept,
        note: note.to_owned(),
        ..Default::default()
    }
}

fn told(answer: proto::BatchVerifyAssignmentsResponse) -> Vec<(bool, String)> {
    answer.results.into_iter().map(|one| (one.verified, one.status)).collect()
}

async fn submissions_are_verified_with_an_answer_each(store: Store) {
    let city = City::start(store).await;
    let (first_task, first) = submitted(&city, "energy").await;
    let (_, second) = submitted(&city, "water").await;
    let open = city.issued(task_of("health")).await.assignments[0].name.clone();
    let mut office = cooperation(&city, &supervisor());
    let request = proto::BatchVerifyAssignmentsRequest {
        request_id: "verify".to_owned(),
        ..verifying(&[&first, &open, "tasks/none/assignments/1"], true, "")
    };
    let answer = office.batch_verify_assignments(request.clone()).await.unwrap().into_inner();
    assert_eq!(office.batch_verify_assignments(request).await.unwrap().into_inner(), answer);
    assert_eq!(answer.results[1].message_zh, "承办单位尚未申请办结，不能核验");
    let refused = |status: &str| (false, status.to_owned());
    assert_eq!(told(answer), [(true, String::new()), refused("FAILED_PRECONDITION"), refused("NOT_FOUND")]);
    assert_eq!(city.get(&first_task).await.state(), TaskState::StruckOff);

    let silent = office.batch_verify_assignments(verifying(&[&second], false, " ")).await.unwrap();
    assert_eq!(told(silent.into_inner()), [refused("INVALID_ARGUMENT")]);
    let back = office.batch_verify_assignments(verifying(&[&second], false, "材料不齐")).await.unwrap();
    assert_eq!(told(back.into_inner()), [(true, String::new())]);

    let none = office.batch_verify_assignments(verifying(&[], true, "")).await;
    assert_eq!(refusal(none).0, Code::InvalidArgument);
    let wrong = office.batch_verify_assignments(verifying(&["tasks/1"], true, "")).await;
    assert_eq!(refusal(wrong).0, Code::InvalidArgument);
    let mut clerk = cooperation(&city, &clerk("energy"));
    let denied = clerk.batch_verify_assignments(verifying(&[&second], true, "")).await;
    assert_eq!(refusal(denied).0, Code::PermissionDenied);
}

async fn a_leader_verifies_those_in_his_charge_and_each_says_so(store: Store) {
    let city = City::start(store).await;
    let (energy_task, energy) = submitted(&city, "energy").await;
    let (_, water) = submitted(&city, "water").await;
    let (industry_task, industry) = submitted(&city, "industry").await;
    let mut first = cooperation(&city, &leader("first"));
    let request = verifying(&[&energy, &water, &industry], true, "");
    let answer = first.batch_verify_assignments(request).await.unwrap().into_inner();
    let denied = (false, "PERMISSION_DENIED".to_owned());
    assert_eq!(told(answer), [(true, String::new()), denied, (true, String::new())]);
    for task in [energy_task, industry_task] {
        let entries = city.timeline(&task).await;
        let verified =
            entries.iter().find(|entry| entry.r#type == "supervision.assignment.verified").unwrap();
        assert_eq!(verified.ground, "名册记录第10号：分管领导");
    }
}
