//! What becomes known of a task: an event it waits for, when an emergency occurred, whom the mayor
//! designated.

use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::Principal;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};
use xietong_proto::supervision::Light;

use crate::city::{City, Store, at, clerk, leader, refusal, supervisor, task, task_of};
use crate::extension::deployed;
use crate::on_both;

on_both!(
    a_task_waits_for_an_event_and_is_due_after_it,
    an_emergency_runs_in_minutes_and_its_occurrence_is_corrected,
    whom_the_mayor_designates_decides_and_nobody_else,
    terms_that_cannot_be_meant_are_refused,
    each_is_open_to_those_it_belongs_to,
    a_repeated_request_is_recorded_once,
);

fn awaiting() -> proto::Task {
    let months = |months| Some(proto::Offset { days: 0, months });
    let awaits =
        proto::AwaitedEvent { event: "案件结案".into(), earliest: months(10), latest: months(12) };
    let kind = proto::TaskKind::Approval.into();
    let terms = proto::Terms { kind, awaits: Some(awaits), ..Default::default() };
    proto::Task { terms: Some(terms), ..task("整改评估", &[("energy", Lead), ("water", Cooperating)]) }
}

fn emergency(occurred: &str) -> proto::Task {
    let occur_time = Some(encode_time(at(occurred)));
    let kind = proto::TaskKind::Emergency.into();
    let terms = proto::Terms { kind, occur_time, ..Default::default() };
    proto::Task { terms: Some(terms), ..task_of("water") }
}

async fn recorded(
    city: &City,
    who: &Principal,
    task: &str,
    day: &str,
) -> Result<Response<proto::Task>, Status> {
    let (day, ground) = (day.to_owned(), "结案通知书".to_owned());
    let request = proto::RecordEventRequest { name: task.to_owned(), day, ground, ..Default::default() };
    city.circumstances(who).record_event(request).await
}

async fn corrected(
    city: &City,
    who: &Principal,
    task: &str,
    when: &str,
) -> Result<Response<proto::Task>, Status> {
    let (occur_time, ground) = (Some(encode_time(at(when))), "现场核实".to_owned());
    let request =
        proto::CorrectOccurrenceRequest { name: task.to_owned(), occur_time, ground, ..Default::default() };
    city.circumstances(who).correct_occurrence(request).await
}

async fn designated(
    city: &City,
    who: &Principal,
    task: &str,
    official: &str,
) -> Result<Response<proto::Task>, Status> {
    let (official, ground) = (official.to_owned(), "市长批示".to_owned());
    let request =
        proto::DesignateLeaderRequest { name: task.to_owned(), official, ground, ..Default::default() };
    city.circumstances(who).designate_leader(request).await
}

async fn a_task_waits_for_an_event_and_is_due_after_it(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(awaiting()).await;
    assert_eq!((issued.light(), issued.assignments[0].settle_due_time), (Light::Grey, None));
    let name = issued.assignments[0].name.clone();
    let explained = proto::ExplainDeadlineRequest { name: name.clone() };
    let explained = city.explanations(&supervisor()).explain_deadline(explained).await;
    assert_eq!(refusal(explained).0, Code::FailedPrecondition, "there is no deadline to explain");
    city.live_until("2023-08-11T10:00:00+08:00").await;
    assert_eq!(city.timeline(&issued.name).await.len(), 2, "nobody is urged");
    let grey = proto::ListTasksRequest { light: Light::Grey.into(), ..Default::default() };
    assert_eq!(city.list(grey).await.len(), 1);
    deployed(&city, &issued, 0).await;
    let submit =
        proto::SubmitAssignmentRequest { name: name.clone(), text: "已评估".into(), ..Default::default() };
    let (code, error) = refusal(city.clerk("energy").submit_assignment(submit.clone()).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "STILL_AWAITED"));

    let started = recorded(&city, &clerk("energy"), &issued.name, "2023-08-10").await.unwrap().into_inner();
    let event = started.recorded_event.clone().unwrap();
    assert_eq!((event.first_day.as_str(), event.last_day.as_str()), ("2024-06-10", "2024-08-10"));
    assert_eq!(started.light(), Light::Green);
    let due = |task: &proto::Task| task.assignments[0].settle_due_time;
    assert_eq!(due(&started), Some(encode_time(at("2024-08-11T00:00:00+08:00"))));
    assert_eq!(started, city.get(&issued.name).await);
    let summary = proto::SummarizeLedgerRequest { group_by: "unit".into(), ..Default::default() };
    let rows = city.ledger(&supervisor()).summarize_ledger(summary).await.unwrap().into_inner().rows;
    let counts: Vec<_> =
        rows.iter().filter_map(|row| row.counts.as_ref()).map(|one| (one.green, one.grey)).collect();
    assert_eq!(counts, [(1, 0); 2], "the columns of each unit's assignment have changed");
    let request = proto::ExplainDeadlineRequest { name };
    let explained = city.explanations(&supervisor()).explain_deadline(request).await.unwrap().into_inner();
    assert_eq!((explained.event.as_str(), explained.event_day.as_str()), ("案件结案", "2023-08-10"));
    assert_eq!(explained.settle_due_time, due(&started));
    let corrected = recorded(&city, &supervisor(), &issued.name, "2023-08-01").await.unwrap().into_inner();
    assert_eq!(due(&corrected), Some(encode_time(at("2024-08-02T00:00:00+08:00"))));
    let own = recorded(&city, &clerk("energy"), &issued.name, "2023-08-05").await;
    assert_eq!(refusal(own).1.reason(), "OWN_TIME", "the clock is not moved by its holder");
    let last = city.timeline(&issued.name).await.pop().unwrap();
    assert_eq!(last.text, "更正案件结案的日期：由2023年8月10日改为2023年8月1日（依据：结案通知书）");
    assert_eq!(
        (last.r#type.as_str(), last.ground.as_str()),
        ("supervision.task.event_recorded", "结案通知书")
    );
    let (code, error) = refusal(city.clerk("energy").submit_assignment(submit.clone()).await);
    assert_eq!((code, error.chinese()), (Code::FailedPrecondition, "2024年6月1日前不能申请办结"));
    city.clock.set(at("2024-06-01T09:00:00+08:00"));
    city.clerk("energy").submit_assignment(submit).await.unwrap();
}

async fn an_emergency_runs_in_minutes_and_its_occurrence_is_corrected(store: Store) {
    let city = City::start(store).await;
    city.clock.set(at("2023-07-22T23:20:00+08:00"));
    let issued = city.issued(emergency("2023-07-22T23:10:00+08:00")).await;
    assert_eq!(issued.assignments[0].report_due_time, Some(encode_time(at("2023-07-22T23:40:00+08:00"))));
    city.live_until("2023-07-22T23:45:00+08:00").await;
    assert_eq!(city.get(&issued.name).await.light(), Light::Yellow);
    let own = corrected(&city, &clerk("water"), &issued.name, "2023-07-22T23:18:00+08:00").await;
    let (code, error) = refusal(own);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "OWN_TIME"), "it would gain time");
    let later = corrected(&city, &supervisor(), &issued.name, "2023-07-22T23:18:00+08:00").await.unwrap();
    assert_eq!(later.into_inner().light(), Light::Green);
    let (code, _) = refusal(corrected(&city, &supervisor(), &issued.name, "2023-07-23T09:00:00+08:00").await);
    assert_eq!(code, Code::InvalidArgument, "it cannot have occurred ahead");
    city.live_until("2023-07-23T00:17:59+08:00").await;
    assert_eq!(city.get(&issued.name).await.light(), Light::Yellow);
    city.live_until("2023-07-23T00:18:00+08:00").await;
    assert_eq!(city.get(&issued.name).await.light(), Light::Red);
    let timeline = city.timeline(&issued.name).await;
    let types: Vec<_> = timeline[2..].iter().map(|one| one.r#type.rsplit('.').next().unwrap()).collect();
    // By night: the clock that was moved tells anew.
    assert_eq!(types, ["urged", "occurrence_corrected", "overdue"]);
    assert_eq!(
        timeline[3].text,
        "更正发生时间：由2023年7月22日23:10改为2023年7月22日23:18（依据：现场核实）"
    );
    let plain = city.issued(task_of("energy")).await;
    let (code, error) =
        refusal(corrected(&city, &supervisor(), &plain.name, "2023-07-22T23:00:00+08:00").await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "NO_EMERGENCY"));
}

async fn whom_the_mayor_designates_decides_and_nobody_else(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    let name = deployed(&city, &issued, 0).await;
    for who in [leader("first"), leader("second")] {
        let refused = designated(&city, &who, &issued.name, "officials/second").await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied);
    }
    let answer = designated(&city, &leader("mayor"), &issued.name, "officials/second").await.unwrap();
    assert_eq!(answer.into_inner().designated_leader, "officials/second");
    let last = city.timeline(&issued.name).await.pop().unwrap();
    assert_eq!(last.ground, "市长批示", "on the ground that was stated");
    let asking = proto::RequestExtensionRequest {
        name: name.clone(),
        until: Some(encode_time(at("2023-06-20T00:00:00+08:00"))),
        reason: "用地手续未办结".to_owned(),
        ..Default::default()
    };
    city.clerk("energy").request_extension(asking).await.unwrap();
    let grant = || proto::DecideExtensionRequest { name: name.clone(), grant: true, ..Default::default() };
    let in_charge = city.leader("first").decide_extension(grant()).await;
    assert_eq!(refusal(in_charge).0, Code::PermissionDenied, "another was designated");
    city.leader("second").decide_extension(grant()).await.unwrap();
    let last = city.timeline(&issued.name).await.pop().unwrap();
    assert_eq!((last.actor.as_str(), last.acting_for.as_str()), ("leader-second", ""));
    assert_eq!(last.ground, "名册记录第10号：指定领导");
}

async fn terms_that_cannot_be_meant_are_refused(store: Store) {
    let city = City::start(store).await;
    let with = |change: fn(&mut proto::Terms)| {
        let mut task = awaiting();
        change(task.terms.as_mut().unwrap());
        task
    };
    for (task, field) in [
        (with(|terms| terms.kind = 99), "task.terms.kind"),
        (with(|terms| terms.awaits.as_mut().unwrap().event = " ".into()), "task.terms.awaits.event"),
        (with(|terms| terms.awaits.as_mut().unwrap().event = "事".repeat(300)), "task.terms.awaits.event"),
        (with(|terms| terms.awaits.as_mut().unwrap().latest = None), "task.terms.awaits"),
        (
            with(|terms| terms.awaits.as_mut().unwrap().latest = Some(proto::Offset { days: -1, months: 0 })),
            "task.terms.awaits.latest",
        ),
        (
            with(|terms| terms.occur_time = Some(encode_time(at("2023-06-01T08:00:00+08:00")))),
            "task.terms.occur_time",
        ),
        (emergency("2023-06-01T09:00:01+08:00"), "task.terms.occur_time"),
    ] {
        let request = proto::CreateTaskRequest { task: Some(task), ..Default::default() };
        let (code, error) = refusal(city.supervisor().create_task(request).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
    let issued = city.issued(awaiting()).await;
    for day in ["", "2023-6-1", "昨天", "2023-02-30", "2023-06-02"] {
        let (code, error) = refusal(recorded(&city, &supervisor(), &issued.name, day).await);
        assert_eq!(code, Code::InvalidArgument, "{day}: {error:?}");
    }
    let plain = city.issued(task_of("energy")).await;
    let (code, error) = refusal(recorded(&city, &supervisor(), &plain.name, "2023-06-01").await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "AWAITS_NOTHING"));
}

async fn each_is_open_to_those_it_belongs_to(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(awaiting()).await;
    for who in [clerk("water"), clerk("health"), leader("first")] {
        let refused = recorded(&city, &who, &issued.name, "2023-06-01").await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied, "{}", who.subject);
    }
    let urgent = city.issued(emergency("2023-06-01T08:50:00+08:00")).await;
    for who in [clerk("energy"), leader("second")] {
        let refused = corrected(&city, &who, &urgent.name, "2023-06-01T08:55:00+08:00").await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied, "{}", who.subject);
    }
    for who in [clerk("energy"), supervisor()] {
        let refused = designated(&city, &who, &issued.name, "officials/first").await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied, "{}", who.subject);
    }
    let unknown = recorded(&city, &supervisor(), "tasks/none", "2023-06-01").await;
    assert_eq!(refusal(unknown).0, Code::NotFound);
    let unknown = recorded(&city, &clerk("energy"), "tasks/none", "2023-06-01").await;
    assert_eq!(refusal(unknown).0, Code::PermissionDenied, "permission comes before existence");
}

async fn a_repeated_request_is_recorded_once(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(awaiting()).await;
    let request = proto::RecordEventRequest {
        name: issued.name.clone(),
        day: "2023-06-01".into(),
        ground: "结案通知书".into(),
        etag: issued.etag.clone(),
        request_id: "once".into(),
    };
    let first = city.circumstances(&supervisor()).record_event(request.clone()).await.unwrap().into_inner();
    let again = city.circumstances(&supervisor()).record_event(request.clone()).await.unwrap().into_inner();
    assert_eq!(first, again);
    assert_eq!(city.timeline(&issued.name).await.len(), 3);
    let stale = proto::RecordEventRequest { request_id: "other".into(), day: "2023-05-31".into(), ..request };
    assert_eq!(refusal(city.circumstances(&supervisor()).record_event(stale).await).0, Code::Aborted);
}
