//! 延期: asked for by the unit, decided by the leader.

use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead, Responsible};
use xietong_proto::supervision::{AssignmentState, Light};

use crate::city::{City, Client, START, Store, at, refusal, task, task_of};
use crate::on_both;

on_both!(
    an_extension_is_asked_for_and_granted,
    a_refused_request_costs_the_unit_no_time,
    a_submission_withdraws_the_request,
    what_cannot_be_asked_or_decided_is_refused_in_both_languages,
    only_the_unit_asks_and_only_its_leader_decides,
    those_who_do_not_lead_are_decided_on_by_the_leader_of_the_first_lead_unit,
    without_a_lead_unit_the_leader_of_the_unit_decides,
    whoever_acts_for_an_absent_leader_decides_and_is_stamped,
    the_leader_decides_on_a_restricted_matter_too,
    a_repeated_request_is_one_request,
);

/// The end of 19 June: eleven days after an ordinary matter issued on 1 June is due.
const UNTIL: &str = "2023-06-20T00:00:00+08:00";

fn asking(name: &str, until: &str) -> proto::RequestExtensionRequest {
    proto::RequestExtensionRequest {
        name: name.to_owned(),
        until: Some(encode_time(at(until))),
        reason: "用地手续未办结".to_owned(),
        ..Default::default()
    }
}

async fn decide(client: &mut Client, name: &str, grant: bool) -> Result<Response<proto::Assignment>, Status> {
    let note = if grant { String::new() } else { "按原时限推进".to_owned() };
    let request = proto::DecideExtensionRequest { name: name.to_owned(), grant, note, ..Default::default() };
    client.decide_extension(request).await
}

/// Takes an assignment of a unit as far as its deployment, and gives its name.
pub(crate) async fn deployed(city: &City, task: &proto::Task, index: usize) -> String {
    let (name, unit) = (&task.assignments[index].name, &task.assignments[index].unit);
    let mut clerk = city.clerk(unit.trim_start_matches("units/"));
    clerk
        .sign_assignment(proto::SignAssignmentRequest { name: name.clone(), ..Default::default() })
        .await
        .unwrap();
    clerk
        .deploy_assignment(proto::DeployAssignmentRequest { name: name.clone(), ..Default::default() })
        .await
        .unwrap();
    let text = "已进场".to_owned();
    let report = proto::ReportAssignmentRequest { name: name.clone(), text, ..Default::default() };
    clerk.report_assignment(report).await.unwrap();
    name.clone()
}

/// A task of the energy bureau, whose leader in charge is the first deputy, with an extension
/// asked for.
async fn asked(city: &City) -> (proto::Task, String) {
    let task = city.issued(task_of("energy")).await;
    let name = deployed(city, &task, 0).await;
    city.clerk("energy").request_extension(asking(&name, UNTIL)).await.unwrap();
    (task, name)
}

async fn shown(city: &City, task: &proto::Task) -> proto::Assignment {
    city.get(&task.name).await.assignments[0].clone()
}

async fn an_extension_is_asked_for_and_granted(store: Store) {
    let city = City::start(store).await;
    let (task, name) = asked(&city).await;
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    let waiting = shown(&city, &task).await;
    assert_eq!((waiting.light(), waiting.state()), (Light::Green, AssignmentState::InProgress));
    let request = waiting.extension_request.unwrap();
    assert_eq!(request.until, Some(encode_time(at(UNTIL))));
    assert_eq!(request.reason, "用地手续未办结");
    assert_eq!(request.request_time, Some(encode_time(at(START))));

    let granted = decide(&mut city.leader("first"), &name, true).await.unwrap().into_inner();
    assert_eq!(granted, shown(&city, &task).await);
    assert_eq!((granted.extension_request.as_ref(), granted.light()), (None, Light::Green));
    assert_eq!(granted.extended_due_time, Some(encode_time(at(UNTIL))));
    assert_eq!(granted.settle_due_time, granted.extended_due_time);
    assert_eq!((granted.decision_wait, granted.verification_wait), (None, None));
    assert_eq!(city.get(&task.name).await.due_time, None, "the task's date stays");

    // The old end came and went in silence; the new one does not.
    // The light is yellow from Saturday on; the unit is told on Monday.
    city.wait_until("2023-06-18T09:00:00+08:00").await;
    assert_eq!(city.get(&task.name).await.light(), Light::Yellow);
    assert_eq!(city.timeline(&task.name).await.len(), 7);
    city.wait_until("2023-06-19T08:00:00+08:00").await;
    city.wait_until("2023-06-21T09:00:00+08:00").await;
    assert_eq!(city.get(&task.name).await.light(), Light::Red);
    let listed = proto::ListTasksRequest { light: Light::Red.into(), ..Default::default() };
    assert_eq!(city.list(listed).await.len(), 1, "columns and lights agree");
    let timeline = city.timeline(&task.name).await;
    let texts: Vec<&str> = timeline[5..].iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "市能源局申请延期至2023年6月19日：用地手续未办结",
            "同意市能源局延期至2023年6月19日",
            "提醒市能源局：办结期限将至",
            "市能源局逾期未办结",
        ]
    );
    assert_eq!(timeline[6].r#type, "supervision.assignment.extension_granted");
    assert_eq!((timeline[6].actor.as_str(), timeline[6].acting_for.as_str()), ("leader-first", ""));
    assert_eq!(timeline[6].ground, "名册记录第10号：分管领导");
}

async fn a_refused_request_costs_the_unit_no_time(store: Store) {
    let city = City::start(store).await;
    let (task, name) = asked(&city).await;
    city.wait_until("2023-06-13T09:00:00+08:00").await;
    let refused = decide(&mut city.leader("first"), &name, false).await.unwrap().into_inner();
    assert_eq!(refused.light(), Light::Green);
    assert_eq!(refused.settle_due_time, Some(encode_time(at("2023-06-21T00:00:00+08:00"))));
    assert_eq!(refused.decision_wait.unwrap().seconds, 12 * 86_400);
    assert_eq!((refused.extension_request, refused.extended_due_time), (None, None));
    assert_eq!(city.timeline(&task.name).await[6].text, "不同意市能源局延期至2023年6月19日：按原时限推进");
    city.clerk("energy").request_extension(asking(&name, "2023-06-26T00:00:00+08:00")).await.unwrap();
}

async fn a_submission_withdraws_the_request(store: Store) {
    let city = City::start(store).await;
    let (task, name) = asked(&city).await;
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    let request =
        proto::SubmitAssignmentRequest {
            name: name.clone(), text: "完成".to_owned(), ..Default::default()
        };
    let submitted = city.clerk("energy").submit_assignment(request).await.unwrap().into_inner();
    assert_eq!((submitted.extension_request, submitted.was_late), (None, false));
    assert_eq!(city.timeline(&task.name).await[6].text, "市能源局申请办结，延期申请随之撤回：完成");
    let (code, error) = refusal(decide(&mut city.leader("first"), &name, true).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "ASSIGNMENT_STATE"));
}

async fn what_cannot_be_asked_or_decided_is_refused_in_both_languages(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = task.assignments[0].name.clone();
    let mut clerk = city.clerk("energy");
    let (code, error) = refusal(clerk.request_extension(asking(&name, UNTIL)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "ASSIGNMENT_STATE"));
    assert_eq!(error.chinese(), "尚未签收，请先签收再申请延期");
    deployed(&city, &task, 0).await;

    type Spoilt = (&'static str, fn(&mut proto::RequestExtensionRequest));
    let spoilt: [Spoilt; 8] = [
        ("until", |request| request.until = None),
        ("until", |request| {
            request.until = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
        }),
        ("until", |request| request.until = Some(encode_time(at("2023-06-09T00:00:00+08:00")))),
        ("reason", |request| request.reason = " ".to_owned()),
        ("reason", |request| request.reason = "难".repeat(501)),
        ("reason", |request| request.reason = "a\0b".to_owned()),
        ("name", |request| request.name = "tasks/1".to_owned()),
        ("name", |request| request.name = String::new()),
    ];
    for (field, spoil) in spoilt {
        let mut request = asking(&name, UNTIL);
        spoil(&mut request);
        let (code, error) = refusal(clerk.request_extension(request).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
        assert!(error.violations()[0].chinese.chars().any(|c| c >= '\u{4e00}'), "{error}");
    }
    let stale = proto::RequestExtensionRequest { etag: "v1".to_owned(), ..asking(&name, UNTIL) };
    assert_eq!(refusal(clerk.request_extension(stale).await).0, Code::Aborted);

    let mut leader = city.leader("first");
    let (code, error) = refusal(decide(&mut leader, &name, true).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "NO_EXTENSION_REQUEST"));
    assert_eq!(error.chinese(), "承办单位没有待决定的延期申请");
    clerk.request_extension(asking(&name, UNTIL)).await.unwrap();
    let (code, error) = refusal(clerk.request_extension(asking(&name, UNTIL)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "EXTENSION_PENDING"));
    let silent = proto::DecideExtensionRequest { name: name.clone(), grant: false, ..Default::default() };
    let (code, error) = refusal(leader.decide_extension(silent).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "note"));
    decide(&mut leader, &name, false).await.unwrap();

    city.wait_until("2023-06-09T00:00:00+08:00").await;
    let (code, error) = refusal(clerk.request_extension(asking(&name, UNTIL)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "PAST_DUE"));
    assert_eq!(error.chinese(), "办结期限已过，不能再申请延期");
}

async fn only_the_unit_asks_and_only_its_leader_decides(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    for mut other in [city.clerk("water"), city.leader("first"), city.supervisor()] {
        let asked = other.request_extension(asking(&name, UNTIL)).await;
        assert_eq!(refusal(asked).0, Code::PermissionDenied);
    }
    city.clerk("energy").request_extension(asking(&name, UNTIL)).await.unwrap();
    let others = [city.clerk("energy"), city.leader("second"), city.leader("mayor"), city.supervisor()];
    for mut other in others {
        assert_eq!(refusal(decide(&mut other, &name, true).await).0, Code::PermissionDenied);
    }
    let missing = format!("{}/assignments/9", task.name);
    let answer = decide(&mut city.leader("first"), &missing, true).await;
    assert_eq!(refusal(answer).0, Code::PermissionDenied, "what is missing looks like what is not his");
    decide(&mut city.leader("first"), &name, true).await.unwrap();
}

async fn those_who_do_not_lead_are_decided_on_by_the_leader_of_the_first_lead_unit(store: Store) {
    let city = City::start(store).await;
    let roles = [("yaodu", Responsible), ("water", Cooperating), ("energy", Lead)];
    let task = city.issued(task("绿色能源输配管网", &roles)).await;
    for (index, unit) in ["yaodu", "water"].into_iter().enumerate() {
        let name = deployed(&city, &task, index).await;
        city.clerk(unit).request_extension(asking(&name, UNTIL)).await.unwrap();
        // Not the mayor's, for a county stands in no portfolio, nor that of the unit's own leader.
        for leader in ["mayor", "second"] {
            let answer = decide(&mut city.leader(leader), &name, true).await;
            assert_eq!(refusal(answer).0, Code::PermissionDenied, "{leader} on {unit}");
        }
        decide(&mut city.leader("first"), &name, true).await.unwrap();
    }
}

async fn without_a_lead_unit_the_leader_of_the_unit_decides(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task("防汛", &[("water", Responsible), ("yaodu", Responsible)])).await;
    for (index, (unit, leader)) in [("water", "second"), ("yaodu", "mayor")].into_iter().enumerate() {
        let name = deployed(&city, &task, index).await;
        city.clerk(unit).request_extension(asking(&name, UNTIL)).await.unwrap();
        assert_eq!(refusal(decide(&mut city.leader("first"), &name, true).await).0, Code::PermissionDenied);
        decide(&mut city.leader(leader), &name, true).await.unwrap();
    }
}

async fn whoever_acts_for_an_absent_leader_decides_and_is_stamped(store: Store) {
    let mut city = City::start(store).await;
    let (task, name) = asked(&city).await;
    city.roster.away("first", at(START), 3).await;
    city.follow_roster().await;
    decide(&mut city.leader("second"), &name, true).await.unwrap();
    let entry = &city.timeline(&task.name).await[6];
    assert_eq!((entry.actor.as_str(), entry.acting_for.as_str()), ("leader-second", "officials/first"));
    assert!(entry.ground.starts_with("名册记录第11号：代副市长一行使职权，授权absences/first/"), "{entry:?}");
}

async fn the_leader_decides_on_a_restricted_matter_too(store: Store) {
    let city = City::start(store).await;
    let mut restricted = task_of("energy");
    restricted.visibility = Visibility::Restricted.into();
    restricted.restricted_units = vec!["units/energy".to_owned()];
    let task = city.issued(restricted).await;
    let name = deployed(&city, &task, 0).await;
    city.clerk("energy").request_extension(asking(&name, UNTIL)).await.unwrap();
    assert_eq!(refusal(decide(&mut city.leader("second"), &name, true).await).0, Code::PermissionDenied);
    decide(&mut city.leader("first"), &name, true).await.unwrap();
}

async fn a_repeated_request_is_one_request(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    let ask = proto::RequestExtensionRequest { request_id: "ask".to_owned(), ..asking(&name, UNTIL) };
    let first = city.clerk("energy").request_extension(ask.clone()).await.unwrap().into_inner();
    assert_eq!(city.clerk("energy").request_extension(ask).await.unwrap().into_inner(), first);
    let answer = proto::DecideExtensionRequest {
        name,
        grant: true,
        request_id: "answer".to_owned(),
        ..Default::default()
    };
    let first = city.leader("first").decide_extension(answer.clone()).await.unwrap().into_inner();
    assert_eq!(city.leader("first").decide_extension(answer).await.unwrap().into_inner(), first);
    assert_eq!(city.timeline(&task.name).await.len(), 7);
}
