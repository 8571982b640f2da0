//! Deadlines explain themselves to whoever may see the task.

use tonic::{Code, Response};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::supervision as proto;

use crate::city::{City, Store, account, at, clerk, refusal, task_of};
use crate::on_both;

on_both!(
    an_explanation_adds_up_to_what_the_task_shows,
    who_may_not_see_a_task_is_told_nothing_of_its_deadline,
);

async fn explained(city: &City, name: &str) -> proto::DeadlineExplanation {
    let request = proto::ExplainDeadlineRequest { name: name.to_owned() };
    let answer = city.explanations(&clerk("energy")).explain_deadline(request).await;
    answer.map(Response::into_inner).unwrap()
}

async fn an_explanation_adds_up_to_what_the_task_shows(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    let name = issued.assignments[0].name.clone();
    let mut energy = city.clerk("energy");
    energy
        .sign_assignment(proto::SignAssignmentRequest { name: name.clone(), ..Default::default() })
        .await
        .unwrap();
    energy
        .deploy_assignment(proto::DeployAssignmentRequest { name: name.clone(), ..Default::default() })
        .await
        .unwrap();
    // More than one portion of its history.
    for _ in 0..210 {
        let request =
            proto::ReportAssignmentRequest {
                name: name.clone(), text: "进展".into(), ..Default::default()
            };
        energy.report_assignment(request).await.unwrap();
    }
    let request =
        proto::SubmitAssignmentRequest { name: name.clone(), text: "完成".into(), ..Default::default() };
    energy.submit_assignment(request).await.unwrap();
    let held = explained(&city, &name).await;
    assert_eq!(held.held_since, Some(encode_time(at("2023-06-01T09:00:00+08:00"))));
    city.wait_until("2023-06-03T09:00:00+08:00").await;
    let request =
        proto::VerifyAssignmentRequest {
            name: name.clone(), note: "材料不齐".into(), ..Default::default()
        };
    city.supervisor().verify_assignment(request).await.unwrap();

    let told = explained(&city, &name).await;
    let shown = city.get(&issued.name).await;
    assert_eq!(told.settle_due_time, shown.assignments[0].settle_due_time);
    assert_eq!((told.rule.as_str(), told.working_days, told.calendar_version), ("rules/1", false, 1));
    let settle = told.stages.last().unwrap();
    assert_eq!((settle.stage(), settle.days), (proto::ExplainedStageKind::Settle, Some(7)));
    let wait = &told.waits[0];
    let pause = wait.pause.as_ref().unwrap();
    assert_eq!((pause.charged_to(), wait.counts), (proto::ChargedTo::Verifier, true));
    assert_eq!(pause.moved.as_ref().unwrap().seconds, 172_800);
    let end_of_last_day = encode_time(at("2023-06-09T00:00:00+08:00")).seconds;
    assert_eq!(told.settle_due_time.as_ref().unwrap().seconds, end_of_last_day + 172_800);
    assert_eq!(told.held_since, None);
    assert!(told.steps.iter().any(|step| step.contains("2天计入核验单位")), "{:?}", told.steps);
}

async fn who_may_not_see_a_task_is_told_nothing_of_its_deadline(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    let name = issued.assignments[0].name.clone();
    let ask = |name: &str| proto::ExplainDeadlineRequest { name: name.to_owned() };
    let mut water = city.explanations(&clerk("water"));
    assert_eq!(refusal(water.explain_deadline(ask(&name)).await).0, Code::PermissionDenied);
    let supervisor = account("supervisor", Grant::of(Role::Supervisor));
    let mut supervisor = city.explanations(&supervisor);
    let nothing = format!("{}/assignments/9", issued.name);
    assert_eq!(refusal(supervisor.explain_deadline(ask(&nothing)).await).0, Code::NotFound);
    assert_eq!(refusal(supervisor.explain_deadline(ask("tasks/1")).await).0, Code::InvalidArgument);
    let draft = proto::CreateTaskRequest { task: Some(task_of("health")), ..Default::default() };
    let draft = city.supervisor().create_task(draft).await.unwrap().into_inner();
    let (code, error) = refusal(supervisor.explain_deadline(ask(&draft.assignments[0].name)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "NO_CLOCK"));
}
