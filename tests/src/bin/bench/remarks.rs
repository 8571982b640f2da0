//! Remarks that a supervisor makes on a task: what benchmarks of notices and webhooks time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, ServiceName};
use xietong_proto::supervision::CreateCommentRequest;
use xietong_proto::supervision::comment_service_client::CommentServiceClient;
use xietong_tests::caller::Caller;
use xietong_tests::city::SUPERVISOR;
use xietong_timers::MachineClock;

use crate::load::Creator;
use crate::mesh::Mesh;

/// Longer than any call takes.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Whoever makes remarks on a task to a unit. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Remarks {
    channel: Channel,
    caller: Arc<Caller>,
    request: CreateCommentRequest,
}

/// What was asked for.
pub(crate) struct Made {
    /// Each remark's number, and when it was asked for.
    pub(crate) asked: Vec<(usize, Instant)>,
    /// How long it took until all were answered.
    pub(crate) seconds: f64,
}

impl Remarks {
    /// Enters a task to remark on, and makes a first remark to the city's first unit.
    pub(crate) async fn open(mesh: &mut Mesh) -> anyhow::Result<Self> {
        let mut creators = Creator::several(mesh, 1, true).await?;
        let (task, _) = creators.first_mut().context("who enters the task")?.create().await?;
        let unit = mesh.city.units.first().context("a unit")?.name.clone();
        let remarks = Remarks {
            channel: mesh.connect(ServiceName::Supervision).await?,
            caller: Arc::new(Caller::new(
                Principal::account(SUPERVISOR, None, vec![Grant::of(Role::Supervisor)]),
                mesh.cluster.gateway_signer()?,
            )),
            request: CreateCommentRequest {
                parent: task.name,
                units: vec![unit],
                ..CreateCommentRequest::default()
            },
        };
        remarks.make("一次提示").await?;
        Ok(remarks)
    }

    /// Makes one.
    pub(crate) async fn make(&self, text: &str) -> anyhow::Result<()> {
        let message = CreateCommentRequest {
            text: text.to_owned(),
            request_id: MachineClock::system().new_id().to_string(),
            ..self.request.clone()
        };
        let mut client = CommentServiceClient::new(self.channel.clone());
        client.create_comment(self.caller.request(message, TIMEOUT)?).await.context("a remark")?;
        Ok(())
    }

    /// Makes so many by as many clients at a time, at most so many a second. Each says its number, from
    /// 0 on.
    pub(crate) async fn make_many(&self, count: usize, clients: usize, at_most: f64) -> anyhow::Result<Made> {
        let (asked, mut asking) = mpsc::unbounded_channel::<(usize, Instant)>();
        let pause = Duration::from_secs_f64(1.0 / at_most.max(1.0));
        let begun = Instant::now();
        let mut speaking = JoinSet::new();
        for client in 0..clients {
            let (this, asked) = (self.clone(), asked.clone());
            let mine = (client..count).step_by(clients.max(1));
            speaking.spawn(async move {
                for number in mine {
                    let due = begun + pause.saturating_mul(u32::try_from(number)?);
                    tokio::time::sleep_until(due.into()).await;
                    asked.send((number, Instant::now()))?;
                    this.make(&format!("第{number}次提示")).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = speaking.join_next().await {
            ended??;
        }
        let seconds = begun.elapsed().as_secs_f64();
        let mut made = Made { asked: Vec::with_capacity(count), seconds };
        while let Ok(one) = asking.try_recv() {
            made.asked.push(one);
        }
        Ok(made)
    }
}

/// The number in `第7次提示`, wherever it stands in a text.
pub(crate) fn number_in(text: &str) -> Option<usize> {
    text.split_once("次提示")?.0.rsplit_once('第')?.1.parse().ok()
}

/// The duration that a share of them does not exceed.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}
