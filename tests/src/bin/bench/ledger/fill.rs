//! Filling the ledger by the API: work under way, entered a thousand tasks at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use domain_calendar::Timestamp;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use xietong_mesh::Principal;
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::supervision::{
    Assignment, AssignmentRole, AssignmentState, BatchCreateTasksRequest, Grade, Source, Task,
};
use xietong_tests::caller::Caller;
use xietong_tests::city::{SUPERVISOR, Unit};
use xietong_timers::Clock;

use super::mesh::LedgerMesh;
use crate::wording::wording;

const BATCH: u32 = 1_000;
const AT_A_TIME: usize = 2;
const DAY: Duration = Duration::from_secs(86_400);
const TIMEOUT: Duration = Duration::from_secs(120);
/// Days until the tasks settle that are to fall due in the burst: further off than any other's.
pub(super) const FAR: u32 = 500;
const DOCUMENTS: u32 = 200;

/// Enters tasks, and knows how many it has entered.
pub(super) struct Filling {
    clients: Vec<TaskServiceClient<Channel>>,
    supervisor: Arc<Caller>,
    units: Arc<[Unit]>,
    /// The first so many settle on one day, [`FAR`] off.
    far: u32,
    entered: AtomicU32,
}

impl Filling {
    /// Fills the ledger of a mesh. Of its tasks the first `2 * due` may fall due in a burst.
    pub(super) async fn new(mesh: &mut LedgerMesh, due: u32) -> anyhow::Result<Self> {
        let principal = Principal::account(SUPERVISOR, None, vec![Grant::of(Role::Supervisor)]);
        Ok(Filling {
            clients: mesh.replicas().await?.into_iter().map(TaskServiceClient::new).collect(),
            supervisor: Arc::new(Caller::new(principal, mesh.cluster.gateway_signer()?)),
            units: mesh.city.units.clone().into(),
            far: 2 * due,
            entered: AtomicU32::new(0),
        })
    }

    /// Enters tasks until there are so many. Returns how many a second.
    pub(super) async fn up_to(&self, count: u32) -> anyhow::Result<f64> {
        let (started, before) = (Instant::now(), self.entered.load(Ordering::Relaxed));
        let mut side_by_side = JoinSet::new();
        for number in 0..AT_A_TIME {
            let client = self.clients.get(number % self.clients.len().max(1)).context("a replica")?.clone();
            side_by_side.spawn(enter(
                client,
                self.supervisor.clone(),
                self.units.clone(),
                self.far,
                (before / BATCH + u32::try_from(number)?..count.div_ceil(BATCH)).step_by(AT_A_TIME),
            ));
        }
        while let Some(finished) = side_by_side.join_next().await {
            finished??;
        }
        self.entered.store(count, Ordering::Relaxed);
        Ok(f64::from(count - before) / started.elapsed().as_secs_f64())
    }
}

async fn enter(
    mut client: TaskServiceClient<Channel>,
    supervisor: Arc<Caller>,
    units: Arc<[Unit]>,
    far: u32,
    batches: impl Iterator<Item = u32>,
) -> anyhow::Result<()> {
    let now = Clock::real().now();
    for batch in batches {
        let tasks =
            (batch * BATCH..(batch + 1) * BATCH).map(|number| task(&units, number, far, now)).collect();
        let message = BatchCreateTasksRequest {
            tasks,
            backfill: true,
            request_id: format!("ledger/{batch}"),
            confirm_duplicates: true,
            ..BatchCreateTasksRequest::default()
        };
        client.batch_create_tasks(supervisor.request(message, TIMEOUT)?).await.context("entering tasks")?;
        if batch % 50 == 49 {
            eprintln!("bench: ledger: {} tasks entered", (batch + 1) * BATCH);
        }
    }
    Ok(())
}

/// A task like those of a yearly plan, under way: a lead unit, in one of ten a cooperating unit,
/// a last day within the coming year.
fn task(units: &[Unit], number: u32, far: u32, now: Timestamp) -> Task {
    let unit = |offset: u32| {
        let at = (number + offset) as usize % units.len().max(1);
        units.get(at).map(|unit| unit.name.clone()).unwrap_or_default()
    };
    let assignment = |offset: u32, role: AssignmentRole| Assignment {
        unit: unit(offset),
        role: role.into(),
        state: AssignmentState::InProgress.into(),
        ..Assignment::default()
    };
    let mut assignments = vec![assignment(0, AssignmentRole::Lead)];
    if number.is_multiple_of(10) {
        assignments.push(assignment(7, AssignmentRole::Cooperating));
    }
    let seed = number.to_string();
    let days = if number < far { FAR } else { 2 + number.wrapping_mul(2_654_435_761) % 360 };
    Task {
        title: format!("推进第{number}处{}", wording(&seed, 4)),
        text: format!(
            "年底前完成{}，控制在9%以内。6月底前完成{}，9月底前完成{}，有关县(市、区)按月反馈进度。",
            wording(&seed, 6),
            wording(&seed, 5),
            wording(&seed, 7),
        ),
        grade: Grade::LongTerm.into(),
        source: Some(Source {
            document_number: format!("临政发〔2026〕{}号", number % DOCUMENTS),
            part: format!("第{}部分", number / DOCUMENTS / 900),
            item_number: i32::try_from(number / DOCUMENTS % 900).unwrap_or_default() + 1,
            ..Source::default()
        }),
        tags: if number.is_multiple_of(50) { vec!["市6件民生实事".to_owned()] } else { Vec::new() },
        due_time: Some(encode_time(midnight(now, days))),
        issue_time: Some(encode_time(now.saturating_sub(DAY * 40))),
        assignments,
        unclassified: true,
        ..Task::default()
    }
}

/// The midnight of Asia/Shanghai that a day so many days from now begins with.
pub(super) fn midnight(now: Timestamp, days: u32) -> Timestamp {
    Timestamp::start_of_day(now.saturating_add(DAY * days).day())
}
