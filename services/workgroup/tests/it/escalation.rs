//! A decision's way to supervision and back.

use std::time::Duration;

use futures_util::future::join_all;
use xietong_mesh::{Code, Error, Service};
use xietong_proto::supervision::AssignmentRole;
use xietong_proto::workgroup as proto;
use xietong_proto::workgroup::DecisionState;
use xietong_testkit::wait::wait_for;

use crate::harness::{Backend, Mesh, at, on_both_back_ends, permits, supervisor, told};
use crate::played_supervision::{Answer, PlayedSupervision, struck_off, withdrawn};

on_both_back_ends!(
    a_decision_becomes_a_task_and_hears_of_its_striking_off,
    a_withdrawn_task_withdraws_its_decision,
    a_definite_refusal_is_recorded_with_its_reason,
    trouble_on_the_way_is_tried_again,
    a_lost_answer_does_not_make_a_second_task,
    news_that_comes_before_the_answer_is_kept,
    two_replicas_ask_once,
    an_escalation_is_asked_for_once,
    an_old_etag_is_aborted,
    a_decision_that_nobody_leads_is_not_escalated,
    tasks_of_others_change_nothing,
);

const ASKED: &str = "workgroup.decision.escalation_asked";
const ESCALATED: &str = "workgroup.decision.escalated";
const MADE: &str = "workgroup.decision.made";

async fn escalations_under_way(service: &Service) -> i64 {
    use sea_orm::ConnectionTrait;
    let reader = service.db.reader();
    let statement = xietong_store::statement(reader, "SELECT COUNT(*) AS open FROM escalations", []);
    reader.query_one_raw(statement).await.unwrap().unwrap().try_get_by("open").unwrap()
}

async fn a_decision_becomes_a_task_and_hears_of_its_striking_off(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let decision = mesh.decided().await;
    let asked = mesh.escalate(&decision.name, "").await.unwrap();
    assert_eq!(
        (asked.state(), asked.etag.as_str(), asked.task.as_str()),
        (DecisionState::Escalating, "v2", "")
    );
    mesh.settle().await;

    let escalated = mesh.decision(&decision.name).await;
    assert_eq!((escalated.state(), escalated.task.as_str()), (DecisionState::Escalated, "tasks/1"));
    let arrived = mesh.played.arrived();
    let [call] = arrived.as_slice() else { panic!("{arrived:?}") };
    assert_eq!(call.subject, "system/workgroup");
    assert_eq!(call.ground.as_deref(), Some(decision.name.as_str()));
    assert_eq!(call.request.origin, decision.name);
    let id = decision.name.rsplit('/').next().unwrap();
    assert_eq!(call.request.request_id, format!("decisions/{id}/escalate"));
    assert!(call.request.issue);
    let task = call.request.task.clone().unwrap();
    assert_eq!((task.title.as_str(), task.text.as_str()), (decision.text.as_str(), decision.text.as_str()));
    assert_eq!(task.due_time, decision.due_time);
    assert!(task.unclassified);
    let roles: Vec<_> = task.assignments.iter().map(|one| (one.unit.as_str(), one.role())).collect();
    assert_eq!(roles, [("units/energy", AssignmentRole::Lead), ("units/water", AssignmentRole::Cooperating)]);

    PlayedSupervision::ended(&mesh.supervision, "tasks/1", &decision.name, struck_off()).await;
    mesh.settle().await;
    let settled = mesh.decision(&decision.name).await;
    assert_eq!((settled.state(), settled.task.as_str()), (DecisionState::Settled, "tasks/1"));
    assert_eq!(settled.settle_time, Some(at("2023-06-20T17:00+08:00", 0)));
    let history = mesh.history(&decision.name).await;
    assert_eq!(history, [MADE, ASKED, ESCALATED, "workgroup.decision.settled"]);
    let events = mesh.events(&decision.name).await;
    assert_eq!(events[2].actor, "system/workgroup");
    assert_eq!(events[2].causation_id.as_deref(), Some(events[1].id.as_str()));
    assert_eq!(events[3].ground.as_deref(), Some("tasks/1"));
    assert_eq!(escalations_under_way(&mesh.workgroup).await, 0);
}

async fn a_withdrawn_task_withdraws_its_decision(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let decision = mesh.decided().await;
    mesh.escalate(&decision.name, "").await.unwrap();
    mesh.settle().await;
    PlayedSupervision::ended(&mesh.supervision, "tasks/1", &decision.name, withdrawn()).await;
    mesh.settle().await;
    let ended = mesh.decision(&decision.name).await;
    assert_eq!((ended.state(), ended.task.as_str()), (DecisionState::Withdrawn, "tasks/1"));
}

async fn a_definite_refusal_is_recorded_with_its_reason(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let decision = mesh.decided().await;
    let error = Error::invalid("task.assignments[0].unit", "does not exist", "没有名为“units/energy”的单位");
    mesh.played.will(Answer::Only(error));
    mesh.escalate(&decision.name, "").await.unwrap();
    mesh.settle().await;
    let refused = mesh.decision(&decision.name).await;
    assert_eq!(refused.state(), DecisionState::Refused);
    assert_eq!(refused.refusal, "没有名为“units/energy”的单位");
    assert_eq!(mesh.history(&decision.name).await, [MADE, ASKED, "workgroup.decision.refused"]);
    assert_eq!((mesh.played.arrived().len(), escalations_under_way(&mesh.workgroup).await), (1, 0));
}

async fn becomes(mesh: &Mesh, decision: &str, state: DecisionState) {
    wait_for("the decision's state", Duration::from_secs(10), async || {
        mesh.settle().await;
        mesh.decision(decision).await.state() == state
    })
    .await
    .unwrap();
}

async fn trouble_on_the_way_is_tried_again(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let decision = mesh.decided().await;
    mesh.played.will(Answer::Only(Error::unavailable("supervision")));
    mesh.escalate(&decision.name, "").await.unwrap();
    mesh.settle().await;
    assert_eq!(mesh.decision(&decision.name).await.state(), DecisionState::Escalating);
    becomes(&mesh, &decision.name, DecisionState::Escalated).await;
    assert_eq!(mesh.history(&decision.name).await, [MADE, ASKED, ESCALATED]);
}

async fn a_lost_answer_does_not_make_a_second_task(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let decision = mesh.decided().await;
    mesh.played.will(Answer::LostAfterCreation);
    mesh.escalate(&decision.name, "").await.unwrap();
    becomes(&mesh, &decision.name, DecisionState::Escalated).await;
    let arrived = mesh.played.arrived();
    assert_eq!(arrived.len(), 2);
    assert_eq!(arrived[0].request, arrived[1].request);
    assert_eq!(mesh.played.tasks().len(), 1);
}

async fn news_that_comes_before_the_answer_is_kept(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let decision = mesh.decided().await;
    mesh.played.will(Answer::LostAfterCreation);
    mesh.escalate(&decision.name, "").await.unwrap();
    mesh.settle().await;
    PlayedSupervision::ended(&mesh.supervision, "tasks/1", &decision.name, struck_off()).await;
    becomes(&mesh, &decision.name, DecisionState::Settled).await;
    let history = mesh.history(&decision.name).await;
    assert_eq!(history, [MADE, ASKED, ESCALATED, "workgroup.decision.settled"]);
    assert_eq!((mesh.played.tasks().len(), escalations_under_way(&mesh.workgroup).await), (1, 0));
}

async fn two_replicas_ask_once(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let replica = mesh.replica().await;
    let group = mesh.found("green-energy").await;
    let meeting = mesh.meet(&group.name, 0).await;
    let mut decisions = Vec::new();
    for number in 0..20 {
        let decision = mesh.decide(&meeting.name, &format!("第{number}项")).await;
        mesh.escalate(&decision.name, "").await.unwrap();
        decisions.push(decision.name);
    }
    let jobs = [&mesh.workgroup, &replica].map(|service| {
        service.workers.iter().find(|worker| worker.name() == "workgroup/escalation").unwrap()
    });
    // Each takes at most sixteen a turn: two turns each are enough for the twenty.
    for _ in 0..2 {
        for turn in join_all(jobs.map(|job| job.turn())).await {
            turn.unwrap();
        }
    }
    assert_eq!(mesh.played.arrived().len(), decisions.len());
    for decision in decisions {
        assert_eq!(mesh.history(&decision).await, [MADE, ASKED, ESCALATED]);
    }
}

async fn an_escalation_is_asked_for_once(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let decision = mesh.decided().await;
    mesh.escalate(&decision.name, "first").await.unwrap();
    for _ in 0..2 {
        let error = mesh.escalate(&decision.name, "second").await.unwrap_err();
        assert_eq!((error.code(), error.reason()), (Code::FailedPrecondition, "DECISION_STATE"));
        assert!(error.chinese().contains("纳入督办"), "{}", error.chinese());
        mesh.settle().await;
    }
    assert_eq!(mesh.played.arrived().len(), 1);
}

async fn an_old_etag_is_aborted(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let decision = mesh.decided().await;
    let escalate = async |etag: &str| {
        let request = proto::EscalateDecisionRequest {
            name: decision.name.clone(),
            etag: etag.into(),
            request_id: String::new(),
        };
        mesh.client().escalate_decision(mesh.from(&supervisor(), request)).await
    };
    assert_eq!(told(&escalate("v7").await.unwrap_err()).reason(), "ETAG_MISMATCH");
    escalate(&decision.etag).await.unwrap();
}

async fn a_decision_that_nobody_leads_is_not_escalated(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let group = mesh.found("green-energy").await;
    let meeting = mesh.meet(&group.name, 0).await;
    let request = proto::CreateDecisionRequest {
        parent: meeting.name,
        decision: Some(proto::Decision { lead_units: vec![], ..permits("原则同意") }),
        request_id: String::new(),
    };
    let decision = mesh.client().create_decision(mesh.from(&supervisor(), request)).await;
    let decision = decision.unwrap().into_inner();
    let error = mesh.escalate(&decision.name, "").await.unwrap_err();
    assert_eq!(error.reason(), "DECISION_HAS_NO_LEAD_UNIT");
}

async fn tasks_of_others_change_nothing(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let decision = mesh.decided().await;
    let elsewhere = decision.name.replace("green-energy", "elsewhere");
    PlayedSupervision::ended(&mesh.supervision, "tasks/8", &elsewhere, struck_off()).await;
    // A task that claims a decision which was never escalated is passed over, not waited for.
    PlayedSupervision::ended(&mesh.supervision, "tasks/9", &decision.name, struck_off()).await;
    mesh.settle().await;
    assert_eq!(mesh.decision(&decision.name).await, decision);
    assert_eq!(mesh.history(&decision.name).await, [MADE]);
    for consumer in &mesh.workgroup.consumers {
        assert_eq!(consumer.lag().await.unwrap(), 0);
    }
}
