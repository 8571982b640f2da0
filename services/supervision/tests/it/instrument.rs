//! The supervisor's instruments, end to end.

use tonic::{Code, Response, Status};
use xietong_mesh::principal::Principal;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::Lead;
use xietong_proto::supervision::Instrument;

use crate::city::{City, Store, clerk, leader, refusal, supervisor, task, task_of};
use crate::extension::deployed;
use crate::on_both;

on_both!(
    a_supervisor_urges_once_a_day_and_never_before_the_light_is_yellow,
    a_task_and_a_batch_are_urged_with_an_answer_each,
    a_letter_is_the_supervisors_and_what_is_heavier_a_leaders,
    what_is_asked_wrongly_is_refused_and_a_repeated_urging_is_one,
);

fn urging(name: &str) -> proto::UrgeAssignmentRequest {
    let ground = "临近时限".to_owned();
    proto::UrgeAssignmentRequest { name: name.to_owned(), ground, ..Default::default() }
}

async fn letter(city: &City, who: &Principal, name: &str) -> Result<Response<proto::Assignment>, Status> {
    let ground = "逾期未办结".to_owned();
    let request = proto::SendLetterRequest { name: name.to_owned(), ground, ..Default::default() };
    city.instruments(who).send_letter(request).await
}

fn escalation(name: &str, instrument: Instrument) -> proto::EscalateAssignmentRequest {
    proto::EscalateAssignmentRequest {
        name: name.to_owned(),
        instrument: instrument.into(),
        ground: "多次催办未果".to_owned(),
        ..Default::default()
    }
}

async fn a_supervisor_urges_once_a_day_and_never_before_the_light_is_yellow(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    let mut office = city.instruments(&supervisor());
    let (code, error) = refusal(office.urge_assignment(urging(&name)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "NOT_DUE_YET"));
    assert_eq!(error.chinese(), "尚未到期且未亮黄灯，不能催办");
    for who in [clerk("energy"), leader("first")] {
        let denied = city.instruments(&who).urge_assignment(urging(&name)).await;
        assert_eq!(refusal(denied).0, Code::PermissionDenied);
    }
    city.wait_until("2023-06-08T09:00:00+08:00").await;
    let urged = office.urge_assignment(urging(&name)).await.unwrap().into_inner();
    assert_eq!(urged.used_instruments[0].instrument(), Instrument::Urging);
    assert_eq!(city.timeline(&task.name).await.pop().unwrap().text, "催办市能源局：临近时限");
    let (code, error) = refusal(office.urge_assignment(urging(&name)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "URGED_JUST_NOW"));
}

async fn a_task_and_a_batch_are_urged_with_an_answer_each(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task("管网", &[("energy", Lead), ("water", Lead)])).await;
    deployed(&city, &task, 0).await;
    // The timers urge once, and what they do is a day old.
    city.wait_until("2023-06-02T09:00:00+08:00").await;
    city.wait_until("2023-06-03T09:00:00+08:00").await;
    let mut office = city.instruments(&supervisor());
    let ground = "未部署".to_owned();
    let request = proto::UrgeTaskRequest { name: task.name.clone(), ground, ..Default::default() };
    let results = office.urge_task(request).await.unwrap().into_inner().results;
    let told: Vec<_> = results.iter().map(|one| (one.urged, one.message_zh.as_str())).collect();
    assert_eq!(told, [(false, "尚未到期且未亮黄灯，不能催办"), (true, "")], "one light is green, one yellow");

    let other = city.issued(task_of("industry")).await;
    city.wait_until("2023-06-19T09:00:00+08:00").await;
    city.wait_until("2023-06-20T09:00:00+08:00").await;
    let names = vec![
        other.assignments[0].name.clone(),
        format!("{}/assignments/9", task.name),
        task.assignments[0].name.clone(),
    ];
    let request =
        proto::BatchUrgeAssignmentsRequest { names, ground: "逾期".to_owned(), ..Default::default() };
    let results = office.batch_urge_assignments(request).await.unwrap().into_inner().results;
    let told: Vec<_> = results.iter().map(|one| (one.urged, one.status.as_str())).collect();
    assert_eq!(told, [(true, ""), (false, "NOT_FOUND"), (true, "")]);
    let last = city.timeline(&other.name).await.pop().unwrap();
    assert_eq!(last.r#type, "supervision.assignment.pressed");
}

async fn a_letter_is_the_supervisors_and_what_is_heavier_a_leaders(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    for who in [clerk("energy"), leader("first")] {
        assert_eq!(refusal(letter(&city, &who, &name).await).0, Code::PermissionDenied);
    }
    let mut office = city.instruments(&supervisor());
    let mut first = city.instruments(&leader("first"));
    let (_, error) = refusal(first.escalate_assignment(escalation(&name, Instrument::Interview)).await);
    assert_eq!(error.reason(), "LIGHTER_FIRST", "the timer urged, and no letter was sent");
    assert_eq!(error.chinese(), "约谈之前应先发督办函，确需越级须由领导决定");
    letter(&city, &supervisor(), &name).await.unwrap();

    let (code, error) = refusal(office.escalate_assignment(escalation(&name, Instrument::Interview)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "NEEDS_LEADER"));
    let elsewhere = city
        .instruments(&leader("second"))
        .escalate_assignment(escalation(&name, Instrument::Interview))
        .await;
    assert_eq!(refusal(elsewhere).0, Code::PermissionDenied, "not in his portfolio");
    first.escalate_assignment(escalation(&name, Instrument::Interview)).await.unwrap();
    let entry = city.timeline(&task.name).await.pop().unwrap();
    assert_eq!(
        (entry.actor.as_str(), entry.text.as_str()),
        ("leader-first", "约谈市能源局（督约〔2023〕1号）：多次催办未果")
    );
    assert_eq!(entry.ground, "名册记录第10号：分管领导");

    let named = proto::EscalateAssignmentRequest {
        decision: "市政府常务会议纪要〔2023〕6号".to_owned(),
        ..escalation(&name, Instrument::PublicNotice)
    };
    office.escalate_assignment(named).await.unwrap();
    let skipping = proto::EscalateAssignmentRequest {
        skip_lighter: true,
        ..escalation(&name, Instrument::Accountability)
    };
    let shown = first.escalate_assignment(skipping).await.unwrap().into_inner();
    let used: Vec<_> = shown.used_instruments.iter().map(proto::UsedInstrument::instrument).collect();
    use Instrument::{Accountability, Interview, Letter, PublicNotice};
    assert_eq!(used, [Letter, Interview, PublicNotice, Accountability]);
    let texts: Vec<_> =
        city.timeline(&task.name).await.into_iter().rev().take(2).map(|one| one.text).collect();
    assert_eq!(
        texts,
        [
            "将市能源局的问题线索移送问责：多次催办未果",
            "通报市能源局（依据：市政府常务会议纪要〔2023〕6号）：多次催办未果",
        ]
    );
}

async fn what_is_asked_wrongly_is_refused_and_a_repeated_urging_is_one(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = deployed(&city, &task, 0).await;
    city.wait_until("2023-06-08T09:00:00+08:00").await;
    let mut office = city.instruments(&supervisor());
    for instrument in [Instrument::Unspecified, Instrument::Urging, Instrument::Letter] {
        let (code, error) = refusal(office.escalate_assignment(escalation(&name, instrument)).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "instrument"));
    }
    let silent = proto::UrgeAssignmentRequest { ground: " ".to_owned(), ..urging(&name) };
    let (code, error) = refusal(office.urge_assignment(silent).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "ground"));
    let none = proto::BatchUrgeAssignmentsRequest { ground: "逾期".to_owned(), ..Default::default() };
    assert_eq!(refusal(office.batch_urge_assignments(none).await).0, Code::InvalidArgument);
    let silent = proto::UrgeTaskRequest { name: task.name.clone(), ..Default::default() };
    assert_eq!(refusal(office.urge_task(silent).await).0, Code::InvalidArgument);

    let once = proto::UrgeAssignmentRequest { request_id: "urge".to_owned(), ..urging(&name) };
    let first = office.urge_assignment(once.clone()).await.unwrap().into_inner();
    let before = city.timeline(&task.name).await.len();
    assert_eq!(office.urge_assignment(once).await.unwrap().into_inner(), first);
    assert_eq!(city.timeline(&task.name).await.len(), before);
}
