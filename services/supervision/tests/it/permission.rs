//! Who may do what, leaders and their stand-ins included.

use tonic::Code;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentState;

use crate::city::{City, Client, START, Store, account, at, refusal, task_of};
use crate::on_both;

on_both!(
    only_a_units_own_staff_does_its_work,
    what_is_missing_looks_like_what_is_not_yours,
    nobody_verifies_the_work_of_his_own_unit,
    a_leader_verifies_in_his_portfolio_and_says_so,
    a_leader_acts_by_the_roster_itself_when_the_copy_is_stale,
    a_stand_in_verifies_for_the_leader_who_is_away,
    an_origin_is_set_by_services_alone,
    a_restricted_task_is_seen_by_those_it_names,
);

async fn sign(client: &mut Client, name: &str) -> Result<tonic::Response<proto::Assignment>, tonic::Status> {
    client.sign_assignment(proto::SignAssignmentRequest { name: name.to_owned(), ..Default::default() }).await
}

pub(crate) async fn verify(
    client: &mut Client,
    name: &str,
) -> Result<tonic::Response<proto::Assignment>, tonic::Status> {
    let request =
        proto::VerifyAssignmentRequest { name: name.to_owned(), accept: true, ..Default::default() };
    client.verify_assignment(request).await
}

/// An assignment of a unit, submitted, by name; its task is before it.
pub(crate) async fn submitted(city: &City, unit: &str) -> (String, String) {
    let task = city.issued(task_of(unit)).await;
    let name = task.assignments[0].name.clone();
    let mut clerk = city.clerk(unit);
    sign(&mut clerk, &name).await.unwrap();
    let request = proto::DeployAssignmentRequest { name: name.clone(), ..Default::default() };
    clerk.deploy_assignment(request).await.unwrap();
    let request =
        proto::SubmitAssignmentRequest {
            name: name.clone(), text: "完成".to_owned(), ..Default::default()
        };
    clerk.submit_assignment(request).await.unwrap();
    (task.name, name)
}

async fn only_a_units_own_staff_does_its_work(store: Store) {
    let city = City::start(store).await;
    let name = city.issued(task_of("energy")).await.assignments[0].name.clone();
    for mut other in [city.clerk("water"), city.supervisor(), city.leader("first")] {
        assert_eq!(refusal(sign(&mut other, &name).await).0, Code::PermissionDenied);
    }
    let mut liaison = city.client(&account("liaison", Grant::of(Role::Liaison).in_unit("units/energy")));
    let signed = sign(&mut liaison, &name).await.unwrap().into_inner();
    assert_eq!(signed.state(), AssignmentState::Signed);
    let create = proto::CreateTaskRequest { task: Some(task_of("energy")), ..Default::default() };
    assert_eq!(refusal(city.clerk("energy").create_task(create).await).0, Code::PermissionDenied);
}

async fn what_is_missing_looks_like_what_is_not_yours(store: Store) {
    let city = City::start(store).await;
    let hidden = city.issued(task_of("energy")).await;
    let missing = "tasks/0190b5a0-0000-7000-8000-000000000000";
    let mut clerk = city.clerk("water");
    for name in [missing, &hidden.name] {
        let get = clerk.get_task(proto::GetTaskRequest { name: name.to_owned() }).await;
        assert_eq!(refusal(get).0, Code::PermissionDenied);
        let timeline = clerk
            .get_timeline(proto::GetTimelineRequest { name: name.to_owned(), ..Default::default() })
            .await;
        assert_eq!(refusal(timeline).0, Code::PermissionDenied);
        assert_eq!(
            refusal(sign(&mut clerk, &format!("{name}/assignments/1")).await).0,
            Code::PermissionDenied
        );
    }
    let mut own = city.clerk("energy");
    assert_eq!(
        refusal(sign(&mut own, &format!("{}/assignments/9", hidden.name)).await).0,
        Code::PermissionDenied
    );
    let get = city.supervisor().get_task(proto::GetTaskRequest { name: missing.to_owned() }).await;
    assert_eq!(refusal(get).0, Code::NotFound);
    let verified = verify(&mut city.supervisor(), &format!("{}/assignments/9", hidden.name)).await;
    assert_eq!(refusal(verified).0, Code::NotFound);
}

async fn nobody_verifies_the_work_of_his_own_unit(store: Store) {
    let city = City::start(store).await;
    let (_, name) = submitted(&city, "office").await;
    let mut insider = city.client(&account("insider", Grant::of(Role::Supervisor).in_unit("units/office")));
    let (code, error) = refusal(verify(&mut insider, &name).await);
    assert_eq!((code, error.reason()), (Code::PermissionDenied, "OWN_WORK"));
    // The unit is in no portfolio: it falls to the mayor, who presides over the whole.
    verify(&mut city.leader("mayor"), &name).await.unwrap();
}

async fn a_leader_verifies_in_his_portfolio_and_says_so(store: Store) {
    let city = City::start(store).await;
    let (task, name) = submitted(&city, "energy").await;
    assert_eq!(refusal(verify(&mut city.leader("second"), &name).await).0, Code::PermissionDenied);
    verify(&mut city.leader("first"), &name).await.unwrap();
    let entry = &city.timeline(&task).await[5];
    assert_eq!(entry.r#type, "supervision.assignment.verified");
    assert_eq!((entry.actor.as_str(), entry.acting_for.as_str()), ("leader-first", ""));
    assert_eq!(entry.ground, "名册记录第10号：分管领导");
}

async fn a_leader_acts_by_the_roster_itself_when_the_copy_is_stale(store: Store) {
    let mut city = City::start(store).await;
    let (task, name) = submitted(&city, "energy").await;
    let (_, other) = submitted(&city, "industry").await;
    city.restart().await;
    verify(&mut city.leader("first"), &name).await.unwrap();
    assert_eq!(city.timeline(&task).await[5].ground, "名册记录第10号：分管领导");

    city.restart_with_the_roster_down().await;
    assert_eq!(refusal(verify(&mut city.leader("first"), &other).await).0, Code::Unavailable);
    verify(&mut city.supervisor(), &other).await.unwrap();
}

async fn a_stand_in_verifies_for_the_leader_who_is_away(store: Store) {
    let mut city = City::start(store).await;
    let (task, name) = submitted(&city, "energy").await;
    city.roster.away("first", at(START), 3).await;
    city.follow_roster().await;
    let get = proto::GetTaskRequest { name: task.clone() };
    city.leader("second").get_task(get).await.unwrap();
    let listed = city.leader("second").list_tasks(proto::ListTasksRequest::default()).await.unwrap();
    assert_eq!(listed.into_inner().tasks.len(), 1);

    verify(&mut city.leader("second"), &name).await.unwrap();
    let entry = &city.timeline(&task).await[5];
    assert_eq!((entry.actor.as_str(), entry.acting_for.as_str()), ("leader-second", "officials/first"));
    let authority = format!("absences/first/authorities/{}-0", at(START).as_micros());
    assert_eq!(entry.ground, format!("名册记录第11号：代副市长一行使职权，授权{authority}"));

    let (_, last) = submitted(&city, "energy").await;
    let (_, name) = submitted(&city, "industry").await;
    city.clock.set(at("2023-06-04T08:59:59.999999+08:00"));
    verify(&mut city.leader("second"), &last).await.unwrap();
    city.clock.set(at("2023-06-04T09:00:00+08:00"));
    let back = verify(&mut city.leader("second"), &name).await;
    assert_eq!(refusal(back).0, Code::PermissionDenied, "authority ends exactly with the absence");
    verify(&mut city.leader("first"), &name).await.unwrap();
}

async fn an_origin_is_set_by_services_alone(store: Store) {
    let city = City::start(store).await;
    let request = proto::CreateTaskRequest {
        task: Some(task_of("energy")),
        origin: "groups/pipeline".to_owned(),
        ..Default::default()
    };
    assert_eq!(refusal(city.supervisor().create_task(request).await).0, Code::PermissionDenied);
    let mut task = task_of("energy");
    task.origin = "groups/pipeline".to_owned();
    assert_eq!(city.issued(task).await.origin, "", "output only");
}

async fn a_restricted_task_is_seen_by_those_it_names(store: Store) {
    let city = City::start(store).await;
    let mut task = task_of("energy");
    task.visibility = Visibility::Restricted.into();
    task.restricted_units = vec!["units/health".to_owned(), "units/health".to_owned()];
    let issued = city.issued(task).await;
    let get = proto::GetTaskRequest { name: issued.name.clone() };
    for mut reader in [city.clerk("energy"), city.clerk("health")] {
        reader.get_task(get.clone()).await.unwrap();
    }
    for mut reader in [city.clerk("water"), city.leader("first")] {
        assert_eq!(refusal(reader.get_task(get.clone()).await).0, Code::PermissionDenied);
    }
    let name = &issued.assignments[0].name;
    assert_eq!(refusal(sign(&mut city.clerk("health"), name).await).0, Code::PermissionDenied);
    sign(&mut city.clerk("energy"), name).await.unwrap();
}
