//! A caller's trace goes on through events, and each event names the one that caused it.

use serde_json::{Value, json};
use xietong_events::Event;
use xietong_mesh::ServiceName;
use xietong_testkit::api::Protocol;
use xietong_testkit::history::Log;
use xietong_testkit::wait::wait_for_value;

use crate::load::task;
use crate::world::{SOON, SUPERVISOR, linfen_cluster};

/// The traces of the calls that create a task, escalate a decision and withdraw its task.
const CREATING: &str = "0af7651916cd43dd8448eb211c80319c";
const ESCALATING: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const WITHDRAWING: &str = "80f198ee56343ba864fe8b2a57d3eff7";

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_trace_and_the_chain_of_causes_go_on_through_the_events_of_every_service() {
    let cluster = linfen_cluster().await;
    let supervisor = cluster.api(Protocol::Rest, SUPERVISOR).await.unwrap();
    let traced = |trace: &str| supervisor.traced(&format!("00-{trace}-b7ad6b7169203331-01"));

    let created = traced(CREATING).call("TaskService/CreateTask", task("traced")).await.unwrap();

    let group = json!({
        "displayName": "防汛抗旱指挥部",
        "kind": "GROUP_KIND_HEADQUARTERS",
        "endCondition": "汛期结束",
        "startTime": "2023-05-01T00:00:00+08:00",
        "seats": [{"role": "SEAT_ROLE_HEAD", "post": "市长"}],
    });
    let request = json!({"group": group, "groupId": "flood"});
    supervisor.call("GroupService/CreateGroup", request).await.unwrap();
    let meeting = json!({"title": "第一次会议", "meetTime": "2023-05-30T09:00:00+08:00"});
    let request = json!({"parent": "groups/flood", "meeting": meeting});
    let meeting = supervisor.call("GroupService/CreateMeeting", request).await.unwrap();
    let decision = json!({"text": "加固堤防", "leadUnits": ["units/shuiliju"]});
    let request = json!({"parent": meeting["name"], "decision": decision});
    let decision = supervisor.call("GroupService/CreateDecision", request).await.unwrap();
    let request = json!({"name": decision["name"]});
    traced(ESCALATING).call("GroupService/EscalateDecision", request.clone()).await.unwrap();
    let decision = wait_for_value("the task of a decision", SOON, async || {
        let decision = supervisor.call("GroupService/GetDecision", request.clone()).await.unwrap();
        (decision["state"] == "DECISION_STATE_ESCALATED").then_some(decision)
    });
    let decision = decision.await.unwrap();
    let request = json!({"name": decision["task"], "ground": "合并办理"});
    traced(WITHDRAWING).call("TaskService/WithdrawTask", request).await.unwrap();

    let databases = cluster.databases().await.unwrap();
    databases.settle(SOON).await.unwrap();
    let supervision = databases.log(ServiceName::Supervision).await.unwrap();
    let workgroup = databases.log(ServiceName::Workgroup).await.unwrap();
    let notification = databases.log(ServiceName::Notification).await.unwrap();

    let (plain, escalated) = (&created["name"], &decision["task"]);
    for (aggregate, trace) in [(plain, CREATING), (escalated, ESCALATING)] {
        for event_type in ["supervision.task.created", "supervision.task.issued"] {
            assert_eq!(trace_of(only(&supervision, event_type, aggregate)), trace, "{event_type}");
        }
        let issued = only(&supervision, "supervision.task.issued", aggregate);
        assert!(!notices_of(&notification, issued, trace).is_empty(), "{aggregate}");
    }

    let asked = only(&workgroup, "workgroup.decision.escalation_asked", &decision["name"]);
    assert_eq!(trace_of(asked), ESCALATING);
    let linked = only(&workgroup, "workgroup.decision.escalated", &decision["name"]);
    assert_eq!((trace_of(linked), linked.causation_id.as_ref()), (ESCALATING, Some(&asked.id)));
    assert!(!notices_of(&notification, linked, ESCALATING).is_empty());

    let withdrawn = only(&supervision, "supervision.task.withdrawn", escalated);
    assert_eq!(trace_of(withdrawn), WITHDRAWING);
    let followed = only(&workgroup, "workgroup.decision.withdrawn", &decision["name"]);
    assert_eq!((trace_of(followed), followed.causation_id.as_ref()), (WITHDRAWING, Some(&withdrawn.id)));
    assert!(!notices_of(&notification, followed, WITHDRAWING).is_empty());
}

/// The one event of a type of an aggregate.
fn only<'a>(log: &'a Log, event_type: &str, aggregate: &Value) -> &'a Event {
    let mut found =
        log.events.iter().filter(|event| event.event_type == event_type && *aggregate == event.aggregate);
    let event = found.next().unwrap_or_else(|| panic!("no {event_type} of {aggregate}"));
    assert_eq!(found.next(), None, "{event_type} of {aggregate}");
    event
}

/// The trace that an event belongs to.
fn trace_of(event: &Event) -> &str {
    let traceparent = event.traceparent.as_deref().unwrap_or_default();
    traceparent.split('-').nth(1).unwrap_or_else(|| panic!("{} has no trace", event.event_type))
}

/// The notices of an event, each of which must name it as its cause and go on with its trace.
fn notices_of<'a>(notification: &'a Log, cause: &Event, trace: &str) -> Vec<&'a Event> {
    let source = |event: &Event| -> Value {
        let message: Value = serde_json::from_str(&event.payload).unwrap();
        message["source"].clone()
    };
    let notices =
        notification.of_type("notification.message.sent").filter(|event| source(event) == *cause.id);
    let notices: Vec<&Event> = notices.collect();
    for notice in &notices {
        assert_eq!((trace_of(notice), notice.causation_id.as_ref()), (trace, Some(&cause.id)));
    }
    notices
}
