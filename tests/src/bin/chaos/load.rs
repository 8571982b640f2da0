//! The load: callers at the gateway who enter tasks, do what the units do with them, and
//! escalate decisions. Every operation has a key that its effect carries as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::Cluster;
use xietong_testkit::history::{History, Outcome};
use xietong_testkit::wait::wait_for_value;
use xietong_tests::city::{City, SUPERVISOR};
use xietong_tests::random::Random;

use crate::tally::Tally;

/// How long after one look for the task of a decision the next one follows.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the city's accounts may take to be known everywhere.
const KNOWN_WITHIN: Duration = Duration::from_secs(30);
/// A lost answer is asked for again after at most this long.
const LONGEST_PAUSE_MILLIS: u64 = 250;
/// One lost answer in so many is never asked for again.
const GIVEN_UP: u64 = 12;

/// A verb of an assignment.
struct Step {
    method: &'static str,
    /// The type of the event that it makes.
    happens: &'static str,
    /// A field of its request and what is said in it.
    says: Option<(&'static str, &'static str)>,
}

/// The verbs of a clerk, in order.
const STEPS: [Step; 4] = [
    Step { method: "TaskService/SignAssignment", happens: "supervision.assignment.signed", says: None },
    Step {
        method: "TaskService/DeployAssignment",
        happens: "supervision.assignment.deployed",
        says: Some(("plan", "已研究部署。")),
    },
    Step {
        method: "TaskService/ReportAssignment",
        happens: "supervision.assignment.reported",
        says: Some(("text", "正在办理。")),
    },
    Step {
        method: "TaskService/SubmitAssignment",
        happens: "supervision.assignment.submitted",
        says: Some(("text", "已经办结。")),
    },
];
const VERIFIED: &str = "supervision.assignment.verified";

/// What all callers share.
pub(crate) struct Load {
    city: City,
    /// Whose decisions are escalated.
    meeting: String,
    history: History,
    tally: Tally,
    numbers: AtomicU64,
    stopped: AtomicBool,
}

impl Load {
    /// Holds a meeting in the city; nobody calls yet.
    pub(crate) async fn prepare(cluster: &Cluster, city: City) -> anyhow::Result<Self> {
        let supervisor = cluster.api(Protocol::Grpc, SUPERVISOR).await?;
        let group = json!({
            "displayName": "防汛抗旱指挥部",
            "kind": "GROUP_KIND_HEADQUARTERS",
            "purpose": "统筹防汛抗旱工作",
            "endCondition": "汛期结束",
            "startTime": "2024-01-01T00:00:00+08:00",
            "officeUnit": city.units.first().context("a city without units")?.name,
            "seats": [{"role": "SEAT_ROLE_HEAD", "official": xietong_tests::city::SUPERVISING_OFFICIAL}],
        });
        let request = json!({"group": group, "groupId": "fangxun", "requestId": "chaos/group"});
        let mut refusal = None;
        let founded = wait_for_value("the city to be known everywhere", KNOWN_WITHIN, async || {
            let founded = supervisor.call("GroupService/CreateGroup", request.clone()).await;
            founded.inspect_err(|error| refusal = Some(error.clone())).ok()
        });
        founded.await.with_context(|| format!("{refusal:?}"))?;
        let meeting = json!({"title": "防汛工作会议", "meetTime": "2024-06-01T09:00:00+08:00"});
        let request = json!({"parent": "groups/fangxun", "meeting": meeting, "requestId": "chaos/meeting"});
        let meeting = supervisor.call("GroupService/CreateMeeting", request).await?;
        Ok(Load {
            city,
            meeting: text(&meeting, "name"),
            history: History::new(),
            tally: Tally::default(),
            numbers: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        })
    }

    /// Callers finish what they have sent, and send nothing more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn city(&self) -> &City {
        &self.city
    }

    /// Every operation by its key: `task TITLE`, `decision TEXT`, `escalation DECISION`, or
    /// the type of an event and the assignment it is about.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// One caller, who speaks for the supervisor and for every clerk.
pub(crate) struct Caller {
    load: Arc<Load>,
    random: Random,
    supervisor: Api,
    /// In the order of the city's units.
    clerks: Vec<Api>,
}

impl Caller {
    pub(crate) async fn new(load: Arc<Load>, cluster: &Cluster, mut random: Random) -> anyhow::Result<Self> {
        // Both doors see the same troubles.
        let protocol = if random.one_in(2) { Protocol::Rest } else { Protocol::Grpc };
        let supervisor = cluster.api(protocol, SUPERVISOR).await?;
        let mut clerks = Vec::new();
        for unit in &load.city.units {
            clerks.push(supervisor.with_token(&cluster.token(&unit.clerk).await?));
        }
        Ok(Caller { load, random, supervisor, clerks })
    }

    /// Calls until the load is stopped.
    pub(crate) async fn run(mut self) {
        while !self.load.is_stopped() {
            // A story that ends early, for want of an answer, is not told again.
            let _told_to_its_end = match self.random.below(10) {
                0 => self.escalate().await,
                1 => self.ask_for_what_is_refused().await,
                _ => self.follow_a_task().await,
            };
        }
    }

    /// A task from its entry to its striking-off, as far as answers come.
    async fn follow_a_task(&mut self) -> Option<()> {
        let title = format!("事项{}", self.load.number());
        let request = json!({"task": self.task(&title), "issue": true, "confirmDuplicates": true});
        let api = self.supervisor.clone();
        let task = self.call(&format!("task {title}"), &api, "TaskService/CreateTask", request).await?;
        self.work_off(&task).await
    }

    /// An issued task to its striking-off, as far as answers come.
    async fn work_off(&mut self, task: &Value) -> Option<()> {
        // The lead unit last: with it, the whole task is struck off.
        for assignment in task["assignments"].as_array().into_iter().flatten().rev() {
            self.work_on(&text(assignment, "name"), &text(assignment, "unit")).await?;
        }
        Some(())
    }

    async fn work_on(&mut self, name: &str, unit: &str) -> Option<()> {
        let unit = self.load.city.units.iter().position(|one| one.name == unit)?;
        let clerk = self.clerks.get(unit)?.clone();
        for step in STEPS {
            let mut request = json!({"name": name});
            if let (Some((field, said)), Some(fields)) = (step.says, request.as_object_mut()) {
                fields.insert(field.to_owned(), said.into());
            }
            self.call(&format!("{} {name}", step.happens), &clerk, step.method, request).await?;
            if self.load.is_stopped() {
                return None;
            }
        }
        let request = json!({"name": name, "accept": true});
        let api = self.supervisor.clone();
        self.call(&format!("{VERIFIED} {name}"), &api, "TaskService/VerifyAssignment", request).await?;
        // Nobody signs twice: if it were accepted, the history would find it.
        if self.random.one_in(8) {
            let again = format!("signed again {name}");
            self.call(&again, &clerk, "TaskService/SignAssignment", json!({"name": name})).await;
        }
        Some(())
    }

    /// A decision that becomes a task of its own accord, to the task's striking-off, which
    /// settles it.
    async fn escalate(&mut self) -> Option<()> {
        let text_of_it = format!("决定{}", self.load.number());
        let lead = self.random.choose(&self.load.city.units)?.name.clone();
        let request = json!({
            "parent": self.load.meeting,
            "decision": {"text": text_of_it, "leadUnits": [lead]},
        });
        let api = self.supervisor.clone();
        let made = self
            .call(&format!("decision {text_of_it}"), &api, "GroupService/CreateDecision", request)
            .await?;
        let name = text(&made, "name");
        let request = json!({"name": name});
        self.call(&format!("escalation {name}"), &api, "GroupService/EscalateDecision", request).await?;
        let task = self.task_of(&name).await?;
        self.work_off(&task).await
    }

    /// The task that a decision becomes; `None` when the load is stopped before. One that
    /// never comes is found in the end.
    async fn task_of(&self, decision: &str) -> Option<Value> {
        while !self.load.is_stopped() {
            if let Some(task) = self.find_task_of(decision).await {
                return Some(task);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        None
    }

    /// Reading has no effect, so it is no operation of the history.
    async fn find_task_of(&self, decision: &str) -> Option<Value> {
        let request = json!({"name": decision});
        let decision = self.supervisor.call("GroupService/GetDecision", request).await.ok()?;
        let request = json!({"name": decision["task"].as_str().filter(|name| !name.is_empty())?});
        self.supervisor.call("TaskService/GetTask", request).await.ok()
    }

    /// What is refused must leave nothing behind.
    async fn ask_for_what_is_refused(&mut self) -> Option<()> {
        let title = format!("事项{}", self.load.number());
        let mut task = self.task(&title);
        if let Some(fields) = task.as_object_mut() {
            fields.insert("unclassified".to_owned(), false.into());
        }
        let request = json!({"task": task, "issue": true, "confirmDuplicates": true});
        let api = self.supervisor.clone();
        self.call(&format!("task {title}"), &api, "TaskService/CreateTask", request).await?;
        Some(())
    }

    fn task(&mut self, title: &str) -> Value {
        let units = &self.load.city.units;
        let lead = self.random.choose(units).map(|unit| unit.name.as_str());
        let cooperating =
            self.random.choose(units).map(|unit| unit.name.as_str()).filter(|unit| Some(*unit) != lead);
        let mut assignments = vec![json!({"unit": lead, "role": "ASSIGNMENT_ROLE_LEAD"})];
        assignments
            .extend(cooperating.map(|unit| json!({"unit": unit, "role": "ASSIGNMENT_ROLE_COOPERATING"})));
        json!({"title": title, "text": title, "grade": "GRADE_ORDINARY", "unclassified": true, "assignments": assignments})
    }

    /// One operation, sent again under its request id while its answer is lost; now and then
    /// it is given up. Returns the answer, if there is one.
    async fn call(&mut self, key: &str, api: &Api, method: &str, mut request: Value) -> Option<Value> {
        if let Some(fields) = request.as_object_mut() {
            fields.insert("requestId".to_owned(), format!("chaos/{}", self.load.number()).into());
        }
        loop {
            let outcome = self.load.history.record(key, api.call(method, request.clone())).await;
            self.load.tally.count(&outcome);
            match outcome {
                Outcome::Acknowledged(answer) => return Some(answer),
                Outcome::Refused(_) => return None,
                Outcome::Unknown(_) | Outcome::Invoked => {
                    if self.load.is_stopped() || self.random.one_in(GIVEN_UP) {
                        return None;
                    }
                    let pause = Duration::from_millis(self.random.below(LONGEST_PAUSE_MILLIS));
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

fn text(message: &Value, field: &str) -> String {
    message[field].as_str().unwrap_or_default().to_owned()
}
