//! What is there in the end, held against what was asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::Context;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde_json::Value;
use xietong_mesh::ServiceName;
use xietong_store::statement;
use xietong_testkit::databases::Databases;
use xietong_testkit::history::{Log, Outcome, check_deliveries};
use xietong_tests::city::{City, SUPERVISING_OFFICIAL, SUPERVISOR};

use crate::hooks::{Hooks, Received};
use crate::load::Load;
use crate::trouble::Counts;

/// Lines shown of what is wrong; the rest is counted.
const SHOWN: usize = 40;
const WITH_LOG: [ServiceName; 4] =
    [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup, ServiceName::Notification];
const SETTLED: &str = "workgroup.decision.settled";
/// Refusals that the load asks for.
const ASKED_FOR: [&str; 2] = ["INVALID_ARGUMENT", "FAILED_PRECONDITION"];

/// How it ended.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    scenario: &'static str,
    seed: u64,
    seconds: u64,
    kills: u64,
    troubles: Counts,
    /// Operations, each counted once however often it was sent.
    operations: usize,
    ok: usize,
    failed: usize,
    unknown: usize,
    /// Acknowledged, and not there.
    lost: usize,
    /// There more than once.
    doubled: usize,
    notices_due: usize,
    notices_delivered: usize,
    webhooks: Received,
    /// Decisions whose task was struck off, as the working groups know.
    decisions_settled: usize,
    events: BTreeMap<ServiceName, usize>,
    /// Attempts whose answer was lost, by what came instead.
    answers_lost: BTreeMap<String, u64>,
    /// Attempts that were refused.
    refusals: BTreeMap<String, u64>,
    violations: usize,
    shown: Vec<String>,
}

impl Verdict {
    pub(crate) fn is_clean(&self) -> bool {
        self.violations == 0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

/// Holds the databases of a settled mesh against the history of the load.
pub(crate) async fn reach(
    seed: u64,
    (load, hooks): (&Load, &Hooks),
    databases: &Databases,
    troubles: &Counts,
    elapsed: Duration,
) -> anyhow::Result<Verdict> {
    let mut wrong = Vec::new();
    let mut logs = BTreeMap::new();
    for service in WITH_LOG {
        let log = databases.log(service).await?;
        wrong.extend(log.check().err().map(|error| format!("{error:#}")));
        logs.insert(service, log);
    }
    let supervision = logs.get(&ServiceName::Supervision).context("a log")?;
    let workgroup = logs.get(&ServiceName::Workgroup).context("a log")?;

    let effects: Vec<String> = effects(supervision)?.into_iter().chain(decisions(workgroup)?).collect();
    wrong
        .extend(load.history().check(effects.iter().cloned()).err().map(|violations| violations.to_string()));
    wrong.extend(escalations(supervision, workgroup)?);
    wrong.extend(settlements(supervision, workgroup)?);
    wrong.extend(stored_as_logged(databases, supervision).await?);

    let due = due(supervision, load.city())?;
    let delivered = delivered(databases).await?;
    wrong.extend(
        check_deliveries(due.clone(), delivered.clone()).err().map(|violations| violations.to_string()),
    );
    wrong.extend(gaps_in_inboxes(databases).await?);
    let (wrong_webhooks, webhooks) = hooks.check(supervision);
    wrong.extend(wrong_webhooks);

    let tally = load.tally().counts();
    let unasked =
        tally.refused.iter().filter(|(kind, _)| !ASKED_FOR.iter().any(|code| kind.starts_with(code)));
    wrong.extend(unasked.map(|(kind, count)| format!("{count} calls were refused with {kind}")));

    let operations = load.history().operations();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for key in &effects {
        *counts.entry(key).or_default() += 1;
    }
    let became = |is: fn(&Outcome) -> bool| operations.values().filter(|outcome| is(outcome)).count();
    let acknowledged = operations.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Acknowledged(_)));
    let shown: Vec<String> = wrong.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
    Ok(Verdict {
        scenario: "kills",
        seed,
        seconds: elapsed.as_secs(),
        kills: troubles.kills(),
        troubles: troubles.clone(),
        operations: operations.len(),
        ok: became(|outcome| matches!(outcome, Outcome::Acknowledged(_))),
        failed: became(|outcome| matches!(outcome, Outcome::Refused(_))),
        unknown: became(|outcome| matches!(outcome, Outcome::Unknown(_) | Outcome::Invoked)),
        lost: acknowledged.filter(|(key, _)| !counts.contains_key(key.as_str())).count(),
        doubled: counts.values().filter(|count| **count > 1).count(),
        notices_due: due.len(),
        notices_delivered: delivered.len(),
        webhooks,
        decisions_settled: workgroup.of_type(SETTLED).count(),
        events: logs.iter().map(|(service, log)| (*service, log.events.len())).collect(),
        answers_lost: tally.lost,
        refusals: tally.refused,
        violations: wrong.len(),
        shown: shown.into_iter().take(SHOWN).collect(),
    })
}

/// What the log of supervision says was done, by the keys of the load.
fn effects(log: &Log) -> anyhow::Result<Vec<String>> {
    let mut effects = Vec::new();
    for event in &log.events {
        let payload = payload(&event.payload)?;
        match event.event_type.as_str() {
            // Escalated ones are the workgroup's, not the load's.
            "supervision.task.created" if event.actor == SUPERVISOR => {
                effects.push(format!("task {}", text(&payload["task"]["title"])));
            }
            "supervision.assignment.signed"
            | "supervision.assignment.deployed"
            | "supervision.assignment.reported"
            | "supervision.assignment.submitted"
            | "supervision.assignment.verified" => {
                effects.push(format!("{} {}", event.event_type, text(&payload["assignment"]["name"])));
            }
            _ => {}
        }
    }
    Ok(effects)
}

/// What the log of the working groups says was done, by the keys of the load.
fn decisions(log: &Log) -> anyhow::Result<Vec<String>> {
    let mut effects = Vec::new();
    for event in log.of_type("workgroup.decision.made") {
        effects.push(format!("decision {}", text(&payload(&event.payload)?["decision"]["text"])));
    }
    let asked = log.of_type("workgroup.decision.escalation_asked");
    effects.extend(asked.map(|event| format!("escalation {}", event.aggregate)));
    Ok(effects)
}

/// Every decision that asked for a task has one, and no task has another origin.
fn escalations(supervision: &Log, workgroup: &Log) -> anyhow::Result<Option<String>> {
    let aggregates = |event_type: &'static str| -> Vec<String> {
        workgroup.of_type(event_type).map(|event| event.aggregate.clone()).collect()
    };
    let asked = aggregates("workgroup.decision.escalation_asked");
    let origins = origins(supervision, "supervision.task.created")?;
    let linked = aggregates("workgroup.decision.escalated");
    let tasks =
        check_deliveries(asked.clone(), origins).err().map(|found| format!("tasks of decisions: {found}"));
    let links = check_deliveries(asked, linked).err().map(|found| format!("decisions with a task: {found}"));
    Ok(tasks.or(links))
}

/// Every decision whose task was struck off is settled once, and no other is.
fn settlements(supervision: &Log, workgroup: &Log) -> anyhow::Result<Option<String>> {
    let struck_off = origins(supervision, "supervision.task.struck_off")?;
    let settled = workgroup.of_type(SETTLED).map(|event| event.aggregate.clone());
    Ok(check_deliveries(struck_off, settled).err().map(|found| format!("settled decisions: {found}")))
}

/// The decisions that the tasks of these events come from.
fn origins(supervision: &Log, event_type: &str) -> anyhow::Result<Vec<String>> {
    let mut origins = Vec::new();
    for event in supervision.of_type(event_type) {
        let payload = payload(&event.payload)?;
        origins.extend(payload["task"]["origin"].as_str().map(str::to_owned));
    }
    Ok(origins)
}

/// The tasks that are stored are those of the log, at the same versions.
async fn stored_as_logged(databases: &Databases, log: &Log) -> anyhow::Result<Option<String>> {
    let reader = databases.of(ServiceName::Supervision)?.reader();
    let mut stored = Vec::new();
    for row in reader.query_all_raw(statement(reader, "SELECT name, version FROM tasks", [])).await? {
        stored.push((row.try_get_by::<String, _>("name")?, row.try_get_by::<i64, _>("version")?));
    }
    let logged = log
        .by_aggregate()
        .into_iter()
        .filter_map(|(name, events)| Some((name.to_owned(), events.last()?.version)));
    Ok(check_deliveries(logged, stored).err().map(|found| format!("tasks as stored: {found}")))
}

/// The notices that the log of supervision calls for: the event, and whom it must reach.
fn due(log: &Log, city: &City) -> anyhow::Result<Vec<(String, String)>> {
    let liaison = |unit: &str| city.liaison_of(unit).map(str::to_owned);
    let mut due = Vec::new();
    let mut lead_units: BTreeMap<&str, String> = BTreeMap::new();
    for event in &log.events {
        let payload = payload(&event.payload)?;
        let assignment = &payload["assignment"];
        let creator = || {
            let is_supervisor = payload["task"]["createdBy"] == SUPERVISOR;
            is_supervisor.then(|| SUPERVISING_OFFICIAL.to_owned())
        };
        let holder = || liaison(&text(&assignment["unit"]));
        let mut reach = |people: Vec<Option<String>>| {
            due.extend(people.into_iter().flatten().map(|person| (event.id.clone(), person)));
        };
        match event.event_type.as_str() {
            "supervision.task.issued" => {
                let assignments = payload["change"]["assignments"].as_array().cloned().unwrap_or_default();
                let lead = assignments.iter().find(|one| one["role"] == "lead");
                lead_units.extend(lead.map(|one| (event.aggregate.as_str(), text(&one["unit"]))));
                reach(assignments.iter().map(|one| liaison(&text(&one["unit"]))).collect());
            }
            "supervision.assignment.signed"
            | "supervision.assignment.deployed"
            | "supervision.assignment.reported"
            | "supervision.assignment.submitted" => {
                let leads = assignment["role"] == "lead";
                let lead = lead_units.get(event.aggregate.as_str()).filter(|_| !leads);
                reach(vec![creator(), lead.and_then(|unit| liaison(unit))]);
            }
            "supervision.assignment.struck_off" => reach(vec![holder()]),
            "supervision.task.struck_off" => reach(vec![creator()]),
            _ => {}
        }
    }
    Ok(due)
}

/// The messages that tell of events: the event, and whom it reached.
async fn delivered(databases: &Databases) -> anyhow::Result<Vec<(String, String)>> {
    let reader = databases.of(ServiceName::Notification)?.reader();
    let sql = "SELECT source, recipient FROM messages WHERE subject LIKE 'tasks/%'";
    let rows = reader.query_all_raw(statement(reader, sql, [])).await?;
    rows.iter().map(|row| Ok((row.try_get_by("source")?, row.try_get_by("recipient")?))).collect()
}

/// Inboxes whose messages are not numbered from 1 without a gap.
async fn gaps_in_inboxes(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let reader = databases.of(ServiceName::Notification)?.reader();
    let sql = "SELECT inboxes.official, inboxes.last_number, COUNT(messages.number) AS count, MAX(messages.number) AS last
               FROM inboxes LEFT JOIN messages ON recipient = official
               GROUP BY inboxes.official, inboxes.last_number
               HAVING COUNT(messages.number) <> inboxes.last_number OR MAX(messages.number) <> inboxes.last_number";
    let rows = reader.query_all_raw(statement(reader, sql, [])).await?;
    let gap = |row: &sea_orm::QueryResult| {
        Ok(format!("gaps in the inbox of {}", row.try_get_by::<String, _>("official")?))
    };
    rows.iter().map(gap).collect()
}

fn payload(text: &str) -> anyhow::Result<Value> {
    serde_json::from_str(text).context("a payload that is no JSON")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use serde_json::{Value, json};
    use xietong_events::{Digest, Event};
    use xietong_mesh::ServiceName;
    use xietong_testkit::history::Log;
    use xietong_tests::city::{City, SUPERVISING_OFFICIAL, SUPERVISOR, Unit};
    use xietong_timers::MachineTime;

    use super::{due, effects, settlements};

    fn event(id: &str, event_type: &str, payload: &Value) -> Event {
        Event {
            id: id.to_owned(),
            position: 1,
            aggregate: "tasks/1".to_owned(),
            version: 1,
            event_type: event_type.to_owned(),
            actor: SUPERVISOR.to_owned(),
            acting_for: None,
            ground: None,
            occurred_at: Timestamp::from_micros(0),
            recorded_at: MachineTime::from_micros(0),
            traceparent: None,
            causation_id: None,
            payload: payload.to_string(),
            prev_hash: Digest::default(),
            hash: Digest::default(),
        }
    }

    fn city() -> City {
        let unit = |slug: &str| Unit {
            name: format!("units/{slug}"),
            clerk: slug.to_owned(),
            liaison: format!("officials/{slug}"),
        };
        City { units: vec![unit("lead"), unit("helper")] }
    }

    /// A task that is entered and issued to two units, and what the one that helps does.
    fn log() -> Log {
        let task = json!({"title": "事项7", "createdBy": SUPERVISOR});
        let lead = json!({"name": "tasks/1/assignments/1", "unit": "units/lead", "role": "lead"});
        let helper = json!({"name": "tasks/1/assignments/2", "unit": "units/helper", "role": "cooperating"});
        let change = json!({"kind": "issued", "assignments": [lead, helper]});
        let events = vec![
            event("created", "supervision.task.created", &json!({"task": task})),
            event("issued", "supervision.task.issued", &json!({"task": task, "change": change})),
            event("signed", "supervision.assignment.signed", &json!({"task": task, "assignment": helper})),
        ];
        Log { producer: ServiceName::Supervision, events }
    }

    #[test]
    fn effects_carry_the_keys_of_the_load() {
        let expected = ["task 事项7", "supervision.assignment.signed tasks/1/assignments/2"];
        assert_eq!(effects(&log()).unwrap(), expected);
    }

    #[test]
    fn units_hear_of_their_task_and_overseers_of_each_step() {
        let due = due(&log(), &city()).unwrap();
        let expected = [
            ("issued", "officials/lead"),
            ("issued", "officials/helper"),
            ("signed", SUPERVISING_OFFICIAL),
            ("signed", "officials/lead"),
        ];
        assert_eq!(due, expected.map(|(event, person)| (event.to_owned(), person.to_owned())));
    }

    #[test]
    fn a_decision_is_settled_once_with_its_task_and_not_without() {
        let log = |producer, aggregate: &str, event_type, count: usize| {
            let task = json!({"task": {"origin": "groups/1/meetings/1/decisions/1"}});
            let event = Event { aggregate: aggregate.to_owned(), ..event("id", event_type, &task) };
            Log { producer, events: vec![event; count] }
        };
        for (struck_off, settled, right) in
            [(0, 0, true), (1, 1, true), (1, 0, false), (1, 2, false), (0, 1, false)]
        {
            let supervision =
                log(ServiceName::Supervision, "tasks/1", "supervision.task.struck_off", struck_off);
            let decision = "groups/1/meetings/1/decisions/1";
            let workgroup = log(ServiceName::Workgroup, decision, "workgroup.decision.settled", settled);
            let wrong = settlements(&supervision, &workgroup).unwrap();
            assert_eq!(wrong.is_none(), right, "{struck_off} struck off, {settled} settled: {wrong:?}");
        }
    }
}
