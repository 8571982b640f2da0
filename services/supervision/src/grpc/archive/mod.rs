//! `ArchiveService`: what is kept of a task that is over, as a ZIP file that is written while it is
//! read.

mod package;

use domain_attachment::Attachment;
use domain_supervision::{Cover, TaskEvent, chinese_day};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Serialize;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::file_name::{kept_as as entry_name, named};
use xietong_mesh::{Call, Error};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::archive_service_server::ArchiveService;
use xietong_store::StoreError;

use super::check::task_name;
use super::ledger::file::Pieces;
use super::papers::{Form, docx, markdown, plain};
use super::{encode, timeline};
use crate::app::{Archive, Supervision, unit_name};
use crate::error::unreadable;
use package::{Manifest, Part};

/// Events that are read at a time.
const PORTION: u64 = 100;

/// How the chain of the timeline is verified without this system.
const HOW_TO_VERIFY: &str = "# 校验说明\n\n\
- `清单.json`列出本卷宗每个文件的字节数和SHA-256校验值（清单自身除外）。\n\
- `附件清单.json`列出办理中所附的文件及其SHA-256校验值（`digest`）和带来它的记录（`version`）；文件凭系统授权下载后，\
与校验值一致的即为原件。\n\
- `时间线.jsonl`每行一条记录，按`version`从1起连续排列。每条记录的`prev_hash`等于上一条的`hash`，首条为空。\n\
- `hash`为SHA-256值，依次计入：`prev_hash`（由十六进制还原的字节）、`id`、`aggregate`、`version`（8字节大端整数）、`type`、`actor`、\
`acting_for`、`ground`、`occurred_at`（文件中为RFC 3339时间，计入时换算为1970年以来的微秒数，8字节大端整数）、`recorded_at`（文件中即为该微秒数，计入方式同前）、`traceparent`、\
`causation_id`、`payload`。每个字段之前计入其字节数加1（8字节大端整数）；空缺的字段只计入8字节的0。\n\
- `清单.json`的`chain`给出最后一条记录的`version`和`hash`。\n";

/// `xietong.supervision.v1.ArchiveService`.
pub(crate) struct Archives {
    app: Supervision,
}

/// Why no more is sent.
enum Stopped {
    /// Nobody reads any more.
    Unread,
    /// Something went wrong, which the reader is to be told.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Stopped::Failed(error.into())
    }
}

impl Archives {
    /// The RPC over `app`.
    pub(crate) fn new(app: Supervision) -> Self {
        Archives { app }
    }
}

#[async_trait]
impl ArchiveService for Archives {
    type ArchiveTaskStream = Pieces;

    async fn archive_task(
        &self,
        request: Request<proto::ArchiveTaskRequest>,
    ) -> Result<Response<Pieces>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        task_name(&name)?;
        let archive = self.app.archive(&call, &name).await?;
        let task = encode::task(&archive.record, &self.app.regulation(), archive.now);
        let name = format!("台账第{}号督办卷宗", archive.record.task.ledger_number);
        Ok(named(pieces(archive, task), &name, "zip"))
    }
}

/// The file. No entry is ever whole in memory but papers and sheets, one at a time, and a portion
/// of the timeline.
fn pieces(archive: Archive, task: proto::Task) -> Pieces {
    let (to_reader, read) = channel(2);
    let (to_writer, parts) = channel(4);
    let (broken, now) = (to_reader.clone(), archive.now);
    tokio::spawn(async move {
        let writing = tokio::task::spawn_blocking(move || package::write(parts, &to_reader, now));
        if let Err(Stopped::Failed(error)) = fill(&archive, &task, &to_writer).await {
            // Nobody there to be told is why it stopped.
            let _ = to_writer.send(Err(error)).await;
        }
        drop(to_writer);
        if let Err(error) = writing.await {
            let _ = broken.send(Err(Error::internal(error).into())).await;
        }
    });
    Box::pin(ReceiverStream::new(read))
}

type Writer = Sender<Result<Part, Error>>;

/// Sends every entry in order, the list of them last.
async fn fill(archive: &Archive, task: &proto::Task, to: &Writer) -> Result<(), Stopped> {
    sheets(&archive.cover(), to).await?;
    whole(to, "任务.json", json(task)?).await?;
    let (version, hash) = records(archive, to).await?;
    readable(archive, to).await?;
    papers(archive, to).await?;
    explanations(archive, to).await?;
    evidence(archive, to).await?;
    whole(to, "校验说明.md", HOW_TO_VERIFY.as_bytes().to_vec()).await?;
    let task = &archive.record.task;
    let manifest = Manifest {
        task: task.name.clone(),
        ledger_number: task.ledger_number,
        title: task.title.clone(),
        archived_at: archive.now,
        chain: package::Chain { aggregate: task.name.clone(), version, hash },
    };
    send(to, Part::End(manifest)).await
}

async fn sheets(cover: &Cover, to: &Writer) -> Result<(), Stopped> {
    whole(to, "封面.docx", docx(&Form::of_cover(cover))?).await?;
    whole(to, "封面.md", markdown(&Form::of_cover(cover)).into_bytes()).await
}

/// The timeline as the log has it, with the hashes of its chain; answers with its end.
async fn records(archive: &Archive, to: &Writer) -> Result<(i64, String), Stopped> {
    send(to, Part::Begin("时间线.jsonl".to_owned())).await?;
    let (mut after, mut hash) = (0, String::new());
    loop {
        let events = archive.events(after, PORTION).await?;
        let Some(last) = events.last() else { return Ok((after, hash)) };
        (after, hash) = (last.version, last.hash.to_string());
        for event in &events {
            let mut line = serde_json::to_vec(event).map_err(Error::internal)?;
            line.push(b'\n');
            send(to, Part::Data(line)).await?;
        }
    }
}

/// The timeline as officials read it.
async fn readable(archive: &Archive, to: &Writer) -> Result<(), Stopped> {
    send(to, Part::Begin("时间线.md".to_owned())).await?;
    send(to, Part::Data("# 办理过程\n\n".as_bytes().to_vec())).await?;
    let mut after = 0;
    loop {
        let events = archive.events(after, PORTION).await?;
        let Some(last) = events.last() else { return Ok(()) };
        after = last.version;
        for event in events {
            let (at, time) = (event.occurred_at, event.occurred_at.time_of_day());
            let entry = timeline::entry(event, &archive.book, None)?;
            let mut line = format!(
                "{}. {}{:02}:{:02} {}（{}",
                entry.version,
                chinese_day(at.day()),
                time.hour(),
                time.minute(),
                plain(&entry.text),
                plain(&timeline::person(&entry.actor, &archive.book))
            );
            if !entry.acting_for.is_empty() {
                let called = archive.book.official(&entry.acting_for);
                let called = called.map_or(entry.acting_for.as_str(), |known| &known.display_name);
                line.push_str(&format!("，代{}", plain(called)));
            }
            let ground = timeline::readable_ground(&entry.ground);
            if !ground.is_empty() {
                line.push_str(&format!("；{}", plain(ground)));
            }
            line.push_str("）\n");
            send(to, Part::Data(line.into_bytes())).await?;
        }
    }
}

/// Every paper issued about it.
async fn papers(archive: &Archive, to: &Writer) -> Result<(), Stopped> {
    for (place, name) in (1..).zip(archive.papers().await?) {
        let paper = archive.paper(&name).await?;
        let called = format!("公文/{place:02}-{}.docx", entry_name(&paper.printed_number()));
        whole(to, &called, docx(&Form::of(&paper))?).await?;
    }
    Ok(())
}

/// Why each assignment was due when it was.
async fn explanations(archive: &Archive, to: &Writer) -> Result<(), Stopped> {
    for (place, one) in (1..).zip(&archive.record.task.assignments) {
        let unit = unit_name(&archive.book, &one.unit);
        let mut text = format!("# {}办理时限说明\n\n", plain(unit));
        match archive.explanation(&one.name).await? {
            Some(steps) => steps.iter().for_each(|step| text.push_str(&format!("- {}\n", plain(step)))),
            None => text.push_str("该事项尚未交办，没有开始计时。\n"),
        }
        let called = format!("时限说明/{place:02}-{}.md", entry_name(unit));
        whole(to, &called, text.into_bytes()).await?;
    }
    Ok(())
}

/// The files of the task and of its reports, by digest: their bytes are the gateway's. A file that is
/// put beside the archive is what the list says when its SHA-256 is.
async fn evidence(archive: &Archive, to: &Writer) -> Result<(), Stopped> {
    let (mut after, mut files) = (0, Vec::new());
    loop {
        let events = archive.events(after, PORTION).await?;
        let Some(last) = events.last() else { break };
        after = last.version;
        for event in &events {
            let payload =
                serde_json::from_str(&event.payload).map_err(|error| StoreError::corrupt("event", error))?;
            let read = TaskEvent::from_payload(&event.event_type, &payload).map_err(unreadable)?;
            let brought = read.iter().flat_map(TaskEvent::attachments);
            files.extend(brought.map(|file| Filed { version: event.version, file: file.clone() }));
        }
    }
    if files.is_empty() {
        return Ok(());
    }
    whole(to, "附件清单.json", serde_json::to_vec_pretty(&files).map_err(Error::internal)?).await
}

/// A file, and the entry of the timeline that brought it.
#[derive(Serialize)]
struct Filed {
    version: i64,
    #[serde(flatten)]
    file: Attachment,
}

/// A message as the API has it in JSON.
fn json(task: &proto::Task) -> Result<Vec<u8>, Error> {
    let pool = DescriptorPool::decode(xietong_proto::DESCRIPTORS).map_err(Error::internal)?;
    let name = <proto::Task as prost::Name>::full_name();
    let form = pool.get_message_by_name(&name).ok_or_else(|| Error::internal(NoForm))?;
    let message = DynamicMessage::decode(form, task.encode_to_vec().as_slice()).map_err(Error::internal)?;
    serde_json::to_vec_pretty(&message).map_err(Error::internal)
}

/// The API has no form for a task: a fault of the build.
#[derive(Debug, thiserror::Error)]
#[error("the descriptors have no task")]
struct NoForm;

async fn whole(to: &Writer, name: &str, bytes: Vec<u8>) -> Result<(), Stopped> {
    send(to, Part::Begin(name.to_owned())).await?;
    send(to, Part::Data(bytes)).await
}

async fn send(to: &Writer, part: Part) -> Result<(), Stopped> {
    to.send(Ok(part)).await.map_err(|_| Stopped::Unread)
}
