//! [`Notices`]: what people were told, and whether anybody was told at the wrong time or asked
//! twice.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use domain_calendar::{Calendar, Timestamp};
use domain_supervision::{AssignmentChange, Stage, TaskChange, TaskEvent};
use serde::Serialize;
use serde_json::Value;
use xietong_mesh::ServiceName;
use xietong_mesh::convert::decode_time;
use xietong_proto::common::Event;

use crate::up::Callers;

/// Violations that are named; the others are only counted.
const NAMED: usize = 20;

/// What people were told while the simulation ran.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notices {
    /// How many notices of each kind.
    pub kinds: BTreeMap<String, u32>,
    /// How many of them came at night or on a rest day because they were urgent: an emergency, or
    /// whose authority begins or ends then.
    pub urgent_off_hours: u32,
    /// How many came at night or on a rest day and were not urgent.
    pub untimely: u32,
    /// How often a unit was asked again for the report of one cycle of one assignment.
    pub asked_twice: u32,
    /// How often a unit was asked for a figure by one task, and by another for the same figure of
    /// the same cycle.
    pub figures_asked_twice: u32,
    /// The first of these, in words.
    pub violations: Vec<String>,
}

impl Notices {
    /// What the logs of the services say from an instant on.
    pub(super) async fn read(callers: &Callers, from: Timestamp) -> anyhow::Result<Self> {
        let mut causes = BTreeMap::new();
        let mut notices = Notices::default();
        let mut asked = BTreeSet::new();
        let mut figures = Figures::default();
        for service in [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup] {
            for event in callers.log(service).await? {
                figures.take_in(&event)?;
                if let Some(what) = asked_for(&event)? {
                    let counts = at(&event)? >= from;
                    if !asked.insert(what.clone()) && counts {
                        notices.asked_twice += 1;
                        notices.name(format!("{}再次向{}催要{}的反馈", at(&event)?, what.1, what.0));
                    }
                    for figure in figures.asked_before(&what) {
                        if counts {
                            notices.figures_asked_twice += 1;
                            notices.name(format!("{}经另一事项再次向{}催要{figure}", at(&event)?, what.1));
                        }
                    }
                }
                causes.insert(event.id.clone(), is_urgent(&event)?);
            }
        }
        let calendar = Calendar::built_in();
        for event in callers.log(ServiceName::Notification).await? {
            let when = at(&event)?;
            let Some(kind) = kind_of(&event)?.filter(|_| when >= from) else { continue };
            *notices.kinds.entry(kind.clone()).or_default() += 1;
            if calendar.may_disturb(when) {
                continue;
            }
            if causes.get(&event.causation_id).copied().unwrap_or(false) {
                notices.urgent_off_hours += 1;
            } else {
                notices.untimely += 1;
                notices.name(format!("{when}发出{kind}通知（{}）", event.ground));
            }
        }
        Ok(notices)
    }

    /// Whether nobody was told at the wrong time, or asked twice.
    pub(super) fn are_in_order(&self) -> bool {
        self.untimely == 0 && self.asked_twice == 0 && self.figures_asked_twice == 0
    }

    fn name(&mut self, violation: String) {
        if self.violations.len() < NAMED {
            self.violations.push(violation);
        }
    }
}

fn at(event: &Event) -> anyhow::Result<Timestamp> {
    Ok(decode_time("occurred_at", &event.occurred_at.context("an event without its time")?)?)
}

/// The kind of the message that an event of an inbox is about, if it brought one.
fn kind_of(event: &Event) -> anyhow::Result<Option<String>> {
    let place = match event.r#type.as_str() {
        "notification.message.sent" => "/kind",
        "notification.message.climbed" | "notification.digest.sent" => "/message/kind",
        _ => return Ok(None),
    };
    let payload: Value = serde_json::from_str(&event.payload)?;
    Ok(payload.pointer(place).and_then(Value::as_str).map(str::to_owned))
}

/// Whether what an event tells is urgent: a task that is, or whose authority begins or ends.
fn is_urgent(event: &Event) -> anyhow::Result<bool> {
    if event.r#type.starts_with("roster.absence.") || event.r#type.starts_with("roster.coverage.") {
        return Ok(true);
    }
    let payload: Value = serde_json::from_str(&event.payload)?;
    Ok(payload.pointer("/task/urgent").and_then(Value::as_bool).unwrap_or(false))
}

/// The assignment and the end of the cycle for which an event asks a unit to report, and the unit.
fn asked_for(event: &Event) -> anyhow::Result<Option<(String, String, Option<Timestamp>)>> {
    let payload: Value = serde_json::from_str(&event.payload)?;
    let Some(TaskEvent::Assignment(told)) = TaskEvent::from_payload(&event.r#type, &payload)? else {
        return Ok(None);
    };
    let AssignmentChange::Urged { stages, .. } = &told.change else { return Ok(None) };
    let asks = stages.contains(&Stage::Report);
    Ok(asks.then_some((told.assignment.name, told.assignment.unit, told.assignment.due.report)))
}

/// The figures that tasks are measured by, and who was asked for them.
#[derive(Debug, Default)]
struct Figures {
    /// By task.
    of_tasks: BTreeMap<String, BTreeSet<String>>,
    /// The task by which a unit was asked for a figure of a cycle.
    asked: BTreeMap<(String, String, Option<Timestamp>), String>,
}

impl Figures {
    /// Notes which figures a task is measured by as it is entered or revised.
    fn take_in(&mut self, event: &Event) -> anyhow::Result<()> {
        let payload: Value = serde_json::from_str(&event.payload)?;
        let Some(TaskEvent::Task(told)) = TaskEvent::from_payload(&event.r#type, &payload)? else {
            return Ok(());
        };
        let targets = match &told.change {
            TaskChange::Created { draft, .. } => &draft.targets,
            TaskChange::Revised { after, .. } => &after.targets,
            _ => return Ok(()),
        };
        let measures = targets.iter().map(|target| target.measure.clone()).collect();
        self.of_tasks.insert(told.task.name, measures);
        Ok(())
    }

    /// The figures that a unit is asked for and was by another task of the same cycle.
    fn asked_before(&mut self, (assignment, unit, due): &(String, String, Option<Timestamp>)) -> Vec<String> {
        let task = assignment.split_once("/assignments/").map_or(assignment.as_str(), |(task, _)| task);
        let mut again = Vec::new();
        for figure in self.of_tasks.get(task).into_iter().flatten() {
            let what = (unit.clone(), figure.clone(), *due);
            let first = self.asked.entry(what).or_insert_with(|| task.to_owned());
            if first != task {
                again.push(figure.clone());
            }
        }
        again
    }
}
