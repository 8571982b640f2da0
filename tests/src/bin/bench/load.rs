//! The load: tasks entered through the supervision service's gRPC.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tonic::transport::Channel;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, ServiceName};
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::supervision::{Assignment, AssignmentRole, CreateTaskRequest, Grade, Source, Task};
use xietong_tests::caller::Caller;
use xietong_tests::city::{SUPERVISOR, Unit};
use xietong_timers::MachineClock;

use crate::mesh::Mesh;
use crate::runs::Worker;
use crate::wording::wording;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Somebody who enters one task after the other, over a connection of its own.
pub(crate) struct Creator {
    tasks: TaskServiceClient<Channel>,
    supervisor: Arc<Caller>,
    units: Arc<[Unit]>,
    issue: bool,
    next: usize,
}

impl Creator {
    /// So many of them. With `issue` each task is issued in the same act.
    pub(crate) async fn several(mesh: &mut Mesh, count: usize, issue: bool) -> anyhow::Result<Vec<Self>> {
        let principal = Principal::account(SUPERVISOR, None, vec![Grant::of(Role::Supervisor)]);
        let supervisor = Arc::new(Caller::new(principal, mesh.cluster.gateway_signer()?));
        let units: Arc<[Unit]> = mesh.city.units.clone().into();
        let mut creators = Vec::with_capacity(count);
        for next in 0..count {
            let tasks = TaskServiceClient::new(mesh.connect(ServiceName::Supervision).await?);
            creators.push(Creator {
                tasks,
                supervisor: supervisor.clone(),
                units: units.clone(),
                issue,
                next,
            });
        }
        Ok(creators)
    }

    /// Enters a task. Returns it as it was answered, and the request id it was sent with.
    pub(crate) async fn create(&mut self) -> anyhow::Result<(Task, String)> {
        let request_id = MachineClock::system().new_id().to_string();
        // The last digits of an id are random.
        let (_, part) = request_id.rsplit_once('-').context("an id in five parts")?;
        let task = task(&self.units, self.next, part);
        self.next += 1;
        let message = CreateTaskRequest {
            task: Some(task),
            issue: self.issue,
            request_id: request_id.clone(),
            confirm_duplicates: true,
            ..CreateTaskRequest::default()
        };
        let request = self.supervisor.request(message, TIMEOUT)?;
        let answer = self.tasks.create_task(request).await.context("creating a task")?;
        Ok((answer.into_inner(), request_id))
    }
}

impl Worker for Creator {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.create().await.map(drop)
    }
}

/// A task like those of a yearly plan: a lead unit, a cooperating unit, a source. An item is
/// entered once: each is the twelfth of a part of its own.
fn task(units: &[Unit], number: usize, part: &str) -> Task {
    let assignment = |offset: usize, role: AssignmentRole| {
        let unit = units.get((number + offset) % units.len().max(1)).map(|unit| unit.name.clone());
        Assignment { unit: unit.unwrap_or_default(), role: role.into(), ..Assignment::default() }
    };
    Task {
        title: wording(part, 4),
        text: format!("年底前完成{}。", wording(part, 18)),
        grade: Grade::Ordinary.into(),
        source: Some(Source {
            document_number: "临政发〔2024〕1号".to_owned(),
            part: format!("第{part}批"),
            item_number: 12,
            ..Source::default()
        }),
        assignments: vec![assignment(0, AssignmentRole::Lead), assignment(1, AssignmentRole::Cooperating)],
        unclassified: true,
        ..Task::default()
    }
}
