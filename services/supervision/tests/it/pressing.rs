//! Who presses for work beside the supervisor: a group within what came from it, and an assisting
//! deputy secretary-general within his leader's work; and who does not verify: whoever did it.

use domain_roster::{Mandate, MandateKind, Official, Post, PostKind, RosterEvent};
use tonic::{Code, Response, Status};
use xietong_mesh::ServiceName;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::Instrument;

use crate::city::{City, START, Store, account, at, refusal, supervisor, task_of};
use crate::on_both;
use crate::permission::{submitted, verify};

on_both!(
    a_group_presses_within_what_came_from_it,
    an_assistant_urges_within_his_leaders_work,
    whoever_serves_in_an_office_does_not_verify_its_work,
);

/// A task that came from a decision of a group.
async fn decided(city: &City, group: &str) -> String {
    let request = proto::CreateTaskRequest {
        task: Some(task_of("energy")),
        issue: true,
        origin: format!("groups/{group}/meetings/1/decisions/2"),
        confirm_duplicates: true,
        ..Default::default()
    };
    let mut workgroup = city.client(&Principal::system(ServiceName::Workgroup));
    workgroup.create_task(request).await.unwrap().into_inner().assignments[0].name.clone()
}

async fn urge(city: &City, who: &Principal, name: &str) -> Result<Response<proto::Assignment>, Status> {
    let ground = "逾期未办结".to_owned();
    let request = proto::UrgeAssignmentRequest { name: name.to_owned(), ground, ..Default::default() };
    city.instruments(who).urge_assignment(request).await
}

fn escalation(name: &str, instrument: Instrument) -> proto::EscalateAssignmentRequest {
    proto::EscalateAssignmentRequest {
        name: name.to_owned(),
        instrument: instrument.into(),
        ground: "多次催办未果".to_owned(),
        decision: "领导小组会议纪要〔2023〕3号".to_owned(),
        ..Default::default()
    }
}

async fn a_group_presses_within_what_came_from_it(store: Store) {
    let city = City::start(store).await;
    let (own, other) = (decided(&city, "pipeline").await, decided(&city, "water").await);
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    city.wait_until("2023-06-14T09:00:00+08:00").await;
    let inspector = account("inspector", Grant::of(Role::Inspector).in_group("groups/pipeline"));
    let office = account("office", Grant::of(Role::GroupOffice).in_group("groups/pipeline"));
    urge(&city, &inspector, &own).await.unwrap();
    for who in [&inspector, &office] {
        assert_eq!(refusal(urge(&city, who, &other).await).0, Code::PermissionDenied, "{who}");
    }
    let task = own.split_once("/assignments").unwrap().0.to_owned();
    let ground = "逾期".to_owned();
    let all = proto::UrgeTaskRequest { name: task, ground, ..Default::default() };
    let results = city.instruments(&office).urge_task(all).await.unwrap().into_inner().results;
    assert_eq!(results[0].status, "FAILED_PRECONDITION", "it was urged just now, and may be");
    let letter =
        proto::SendLetterRequest {
            name: own.clone(), ground: "逾期未办结".to_owned(), ..Default::default()
        };
    let refused = city.instruments(&office).send_letter(letter.clone()).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied, "a letter needs a supervisor's signature");
    city.instruments(&supervisor()).send_letter(letter).await.unwrap();
    let alone = proto::EscalateAssignmentRequest {
        decision: String::new(),
        ..escalation(&own, Instrument::Interview)
    };
    let (_, error) = refusal(city.instruments(&inspector).escalate_assignment(alone).await);
    assert_eq!(error.reason(), "NEEDS_LEADER");
    city.instruments(&inspector).escalate_assignment(escalation(&own, Instrument::Interview)).await.unwrap();
    for request in [escalation(&own, Instrument::PublicNotice), escalation(&other, Instrument::Interview)] {
        let refused = city.instruments(&inspector).escalate_assignment(request).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied);
    }
}

async fn an_assistant_urges_within_his_leaders_work(store: Store) {
    let mut city = City::start(store).await;
    let helper = "officials/helper".to_owned();
    let mandate = Mandate {
        name: "mandates/one".to_owned(),
        kind: MandateKind::Assisting,
        leader: "officials/first".to_owned(),
        holder: helper.clone(),
        acts: Vec::new(),
        units: Vec::new(),
        start_time: at(START),
        end_time: None,
        ground: "市政府办公室通知".to_owned(),
        recorded_at: at(START),
        revoked_at: None,
    };
    let official = Official { name: helper.clone(), display_name: "甲".to_owned(), posts: vec![] };
    for event in [RosterEvent::OfficialCreated(official), RosterEvent::MandateCreated(mandate)] {
        city.roster.record(event, at(START)).await;
    }
    city.follow_roster().await;
    let mut names = Vec::new();
    for unit in ["energy", "water"] {
        names.push(city.issued(task_of(unit)).await.assignments[0].name.clone());
    }
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    city.wait_until("2023-06-14T09:00:00+08:00").await;
    city.follow_roster().await;
    let assisting = vec![Grant::of(Role::AssistingDeputySecretaryGeneral)];
    let assistant = Principal::account("helper", Some(helper.clone()), assisting);
    urge(&city, &assistant, &names[0]).await.unwrap();
    let task = names[0].split_once("/assignments").unwrap().0;
    let entry = city.timeline(task).await.pop().unwrap();
    assert_eq!(entry.acting_for, "officials/first");
    assert_eq!(refusal(urge(&city, &assistant, &names[1]).await).0, Code::PermissionDenied, "another's");
    let secretary = Principal::account("helper", Some(helper), vec![Grant::of(Role::Secretary)]);
    assert_eq!(refusal(urge(&city, &secretary, &names[0]).await).0, Code::PermissionDenied);
}

async fn whoever_serves_in_an_office_does_not_verify_its_work(store: Store) {
    let mut city = City::start(store).await;
    let now = at(START);
    city.roster.found_below("inspection", "市政府督查室", "office", now).await;
    let official = Official {
        name: "officials/inspector".to_owned(),
        display_name: "督查室经办人".to_owned(),
        posts: vec![Post {
            kind: PostKind::Liaison,
            unit: Some("units/inspection".to_owned()),
            title: String::new(),
            start_time: None,
            end_time: None,
        }],
    };
    city.roster.record(RosterEvent::OfficialCreated(official), now).await;
    city.follow_roster().await;
    let grants = vec![Grant::of(Role::Supervisor)];
    let who = Principal::account("inspector", Some("officials/inspector".to_owned()), grants);
    let (_, own) = submitted(&city, "office").await;
    let (_, other) = submitted(&city, "energy").await;
    let (code, error) = refusal(verify(&mut city.client(&who), &own).await);
    assert_eq!((code, error.reason()), (Code::PermissionDenied, "OWN_WORK"));
    verify(&mut city.client(&who), &other).await.unwrap();
    // The leader in charge of the office does.
    city.follow_roster().await;
    verify(&mut city.leader("mayor"), &own).await.unwrap();
}
