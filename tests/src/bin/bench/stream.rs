//! `bench stream`: an inbox's stream that is cut again and again while notices pour in. Each notice must
//! be seen once, in order, whatever was lost on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use tonic::transport::Channel;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, ServiceName};
use xietong_proto::notification::inbox_service_client::InboxServiceClient;
use xietong_proto::notification::{MessageKind, StreamInboxRequest};
use xietong_proto::supervision::CreateCommentRequest;
use xietong_proto::supervision::comment_service_client::CommentServiceClient;
use xietong_tests::caller::Caller;
use xietong_tests::city::SUPERVISOR;
use xietong_timers::MachineClock;

use crate::load::Creator;
use crate::mesh::Mesh;
use crate::report::{Aim, Figure, Report};

const TIMEOUT: Duration = Duration::from_secs(600);
/// Without a notice for so long, one is lost.
const SILENCE: Duration = Duration::from_secs(60);

/// How to measure it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Notices to one inbox.
    #[arg(long, default_value_t = 10_000)]
    notices: usize,
    /// Milliseconds after which the stream is cut.
    #[arg(long, default_value_t = 100)]
    milliseconds: u64,
    /// Who causes notices at a time.
    #[arg(long, default_value_t = 16)]
    clients: usize,
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let mut report = Report::new("stream");
    report.setting("notices", arguments.notices);
    report.setting("milliseconds", arguments.milliseconds);
    report.setting("clients", arguments.clients);
    let mut mesh = Mesh::start().await?;
    let mut creators = Creator::several(&mut mesh, 1, true).await?;
    let creator = creators.first_mut().context("somebody who enters the task")?;
    let (task, _) = creator.create().await?;
    let unit = mesh.city.units.first().context("a unit")?.clone();
    let speakers = Speakers {
        channel: mesh.connect(ServiceName::Supervision).await?,
        caller: Arc::new(Caller::new(
            Principal::account(SUPERVISOR, None, vec![Grant::of(Role::Supervisor)]),
            mesh.cluster.gateway_signer()?,
        )),
        request: CreateCommentRequest {
            parent: task.name,
            text: "请抓紧办理，遇到问题及时报告。".to_owned(),
            units: vec![unit.name],
            request_id: String::new(),
        },
        left: Arc::new(AtomicUsize::new(arguments.notices)),
    };
    let reader = Reader {
        client: InboxServiceClient::new(mesh.connect(ServiceName::Notification).await?),
        caller: Caller::new(
            Principal::account("liaison", Some(unit.liaison), vec![Grant::of(Role::Liaison)]),
            mesh.cluster.gateway_signer()?,
        ),
        cut_after: Duration::from_millis(arguments.milliseconds),
    };
    let begun = Instant::now();
    let (said, seen) = tokio::join!(speakers.speak(arguments.clients), reader.read(arguments.notices));
    said?;
    let seen = seen?;
    let seconds = begun.elapsed().as_secs_f64();
    report.add(
        Figure::new("lost, repeated or out of order", "notices", vec![seen.wrong]).with_aim(Aim::AtMost(0.0)),
    );
    report.add(Figure::new("streams that were cut", "streams", vec![seen.cuts]));
    report.add(Figure::new("until all were seen", "s", vec![seconds]));
    Ok(report)
}

/// Those who cause notices.
struct Speakers {
    channel: Channel,
    caller: Arc<Caller>,
    request: CreateCommentRequest,
    left: Arc<AtomicUsize>,
}

impl Speakers {
    async fn speak(&self, clients: usize) -> anyhow::Result<()> {
        let speaking = (0..clients).map(|_| self.speak_on());
        futures_util::future::try_join_all(speaking).await.map(drop)
    }

    async fn speak_on(&self) -> anyhow::Result<()> {
        let mut client = CommentServiceClient::new(self.channel.clone());
        let one_less = |left: usize| left.checked_sub(1);
        while self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            let request_id = MachineClock::system().new_id().to_string();
            let message = CreateCommentRequest { request_id, ..self.request.clone() };
            client.create_comment(self.caller.request(message, TIMEOUT)?).await.context("a remark")?;
        }
        Ok(())
    }
}

/// Somebody with a bad connection.
struct Reader {
    client: InboxServiceClient<Channel>,
    caller: Caller,
    cut_after: Duration,
}

struct Seen {
    wrong: f64,
    cuts: f64,
}

impl Reader {
    /// Reads until as many remarks were seen.
    async fn read(mut self, remarks: usize) -> anyhow::Result<Seen> {
        let (mut last, mut remarked, mut heard) = (0, 0, Instant::now());
        let mut seen = Seen { wrong: 0.0, cuts: 0.0 };
        while remarked < remarks {
            let request = StreamInboxRequest { resume_after: last, ..StreamInboxRequest::default() };
            let request = self.caller.request(request, TIMEOUT)?;
            let mut stream =
                self.client.stream_inbox(request).await.context("opening the stream")?.into_inner();
            let reading = async {
                while let Some(arrival) = stream.message().await? {
                    let message = arrival.message.context("an arrival has a message")?;
                    if message.number != last + 1 {
                        seen.wrong += 1.0;
                    }
                    last = message.number;
                    remarked += usize::from(message.kind() == MessageKind::Progress);
                    heard = Instant::now();
                    if remarked >= remarks {
                        break;
                    }
                }
                anyhow::Ok(())
            };
            match tokio::time::timeout(self.cut_after, reading).await {
                Ok(ended) => ended?,
                // What was under way is lost with the stream.
                Err(_elapsed) => seen.cuts += 1.0,
            }
            if heard.elapsed() > SILENCE {
                bail!("{remarked} of {remarks} notices were seen, and none for {SILENCE:?}");
            }
        }
        Ok(seen)
    }
}
