//! The roster at a position of its log, for copies to start from: serving it, reading it.
//!
//! What is served is the book of a [`RosterCopy`] that the roster keeps of its own log, the
//! very code that reads on from it elsewhere. So it holds the events up to its position and
//! no others, whatever is being written meanwhile.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain_roster::Book;
use futures_util::{Stream, StreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;
use tonic::{Request, Response, Status};
use xietong_events::EventLog;
use xietong_proto::roster as proto;
use xietong_proto::roster::read_snapshot_response::Piece;
use xietong_proto::roster::snapshot_service_client::SnapshotServiceClient;
use xietong_proto::roster::snapshot_service_server::SnapshotService;

use crate::authorize::Resource;
use crate::call::Call;
use crate::client::Peers;
use crate::error::Error;
use crate::roster_copy::{RosterCopy, RosterView};
use crate::service_name::ServiceName;

/// All crates have the version of the program.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Bytes of one piece, well below the largest message.
const PIECE: usize = 256 * 1024;
/// Bytes of a book at most: far above any city's, and below what fills a machine's memory.
const MOST_BYTES: usize = 1024 * 1024 * 1024;
/// A snapshot that is not here within this time is given up.
const PATIENCE: Duration = Duration::from_secs(30);

type Pieces = Pin<Box<dyn Stream<Item = Result<proto::ReadSnapshotResponse, Status>> + Send>>;

/// The roster as the events up to a position of its log make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The roster.
    pub book: Book,
    /// The position.
    pub position: i64,
    /// The incarnation of the log that the position is of.
    pub epoch: String,
}

/// There is no snapshot to start from. The log has all that it would have had.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The roster gives none, or not now.
    #[error("the roster gives no snapshot: {0}")]
    Refused(String),
    /// It took too long.
    #[error("the snapshot did not come in time")]
    Late,
    /// A program of another version made it, which may leave out what this one reads.
    #[error("the snapshot is of version {0} of the program")]
    Version(String),
    /// It did not arrive as it was sent.
    #[error("the snapshot is damaged: {0}")]
    Damaged(&'static str),
    /// It is no book.
    #[error("the snapshot cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It is of another incarnation of the log, or has nothing new.
    #[error("the snapshot of position {position} in epoch {epoch} is of no use")]
    Useless {
        /// Its position.
        position: i64,
        /// Its epoch.
        epoch: String,
    },
}

impl From<JoinError> for SnapshotError {
    fn from(error: JoinError) -> Self {
        SnapshotError::Refused(error.to_string())
    }
}

/// Where snapshots of the roster are had, in practice by RPC.
#[async_trait]
pub trait SnapshotSource: Send + Sync {
    /// The roster at the head of its log, or later.
    async fn read(&self) -> Result<Snapshot, SnapshotError>;
}

/// Serves the roster to the copies of it.
pub struct SnapshotServer {
    log: EventLog,
    copy: Arc<RosterCopy>,
}

impl SnapshotServer {
    /// Serves what `copy` holds, which follows `log`: the roster's own.
    pub fn new(log: EventLog, copy: Arc<RosterCopy>) -> Self {
        SnapshotServer { log, copy }
    }
}

#[async_trait]
impl SnapshotService for SnapshotServer {
    type ReadSnapshotStream = Pieces;

    async fn read_snapshot(
        &self,
        request: Request<proto::ReadSnapshotRequest>,
    ) -> Result<Response<Pieces>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let head = self.log.last_position().await.map_err(Error::from)?;
        let view = self.copy.at_least(head).await.map_err(Error::internal)?;
        let encoded = spawn_blocking(move || encode(&view)).await.map_err(Error::internal)?;
        let (head, book) = encoded.map_err(Error::internal)?;
        Ok(Response::new(pieces(head, book)))
    }
}

/// Reads the roster by RPC, as the service that owns `peers`.
pub struct RemoteSnapshot {
    peers: Peers,
}

impl RemoteSnapshot {
    /// Of the roster among `peers`.
    pub fn new(peers: Peers) -> Self {
        RemoteSnapshot { peers }
    }

    async fn receive(&self) -> Result<(proto::SnapshotHead, Vec<u8>), SnapshotError> {
        let refused = |error: Error| SnapshotError::Refused(error.to_string());
        let request = proto::ReadSnapshotRequest {};
        let request =
            self.peers.outgoing_as_system(request, "copying the roster", PATIENCE).map_err(refused)?;
        let channel = self.peers.channel(ServiceName::Roster).map_err(refused)?;
        let answer = SnapshotServiceClient::new(channel).read_snapshot(request).await;
        collect(answer.map_err(|status| SnapshotError::Refused(status.message().to_owned()))?.into_inner())
            .await
    }
}

#[async_trait]
impl SnapshotSource for RemoteSnapshot {
    async fn read(&self) -> Result<Snapshot, SnapshotError> {
        let received = timeout(PATIENCE, self.receive()).await;
        let (head, book) = received.map_err(|_| SnapshotError::Late)??;
        spawn_blocking(move || decode(head, &book)).await?
    }
}

fn encode(view: &RosterView) -> Result<(proto::SnapshotHead, Vec<u8>), serde_json::Error> {
    let book = serde_json::to_vec(&*view.book)?;
    let mut head = proto::SnapshotHead {
        epoch: view.epoch.clone(),
        position: view.position,
        version: VERSION.to_owned(),
        size: i64::try_from(book.len()).unwrap_or(i64::MAX),
        digest: Vec::new(),
    };
    head.digest = digest(&head, &book);
    Ok((head, book))
}

fn digest(head: &proto::SnapshotHead, book: &[u8]) -> Vec<u8> {
    let facts = format!("{}\n{}\n{}\n", head.version, head.epoch, head.position);
    Sha256::new().chain_update(facts).chain_update(book).finalize().to_vec()
}

fn pieces(head: proto::SnapshotHead, book: Vec<u8>) -> Pieces {
    let data = (0..book.len()).step_by(PIECE).map(move |start| {
        let end = book.len().min(start + PIECE);
        Piece::Data(book.get(start..end).unwrap_or_default().to_vec())
    });
    let all = std::iter::once(Piece::Head(head)).chain(data);
    Box::pin(stream::iter(all.map(|piece| Ok(proto::ReadSnapshotResponse { piece: Some(piece) }))))
}

/// The head and the bytes of the book, as many as the head says.
async fn collect(
    mut pieces: impl Stream<Item = Result<proto::ReadSnapshotResponse, Status>> + Unpin,
) -> Result<(proto::SnapshotHead, Vec<u8>), SnapshotError> {
    let (mut head, mut book) = (None, Vec::new());
    while let Some(answer) = pieces.next().await {
        let answer = answer.map_err(|status| SnapshotError::Refused(status.message().to_owned()))?;
        match (answer.piece, &head) {
            (Some(Piece::Head(found)), None) => {
                if found.version != VERSION {
                    return Err(SnapshotError::Version(found.version));
                }
                let size = usize::try_from(found.size).ok().filter(|size| *size <= MOST_BYTES);
                head = Some((size.ok_or(SnapshotError::Damaged("its size cannot be"))?, found));
            }
            (Some(Piece::Data(data)), Some((size, _))) if book.len() + data.len() <= *size => {
                book.extend(data);
            }
            (Some(Piece::Data(_)), Some(_)) => {
                return Err(SnapshotError::Damaged("it is longer than it says"));
            }
            (Some(Piece::Head(_)) | None, Some(_)) | (Some(Piece::Data(_)) | None, None) => {
                return Err(SnapshotError::Damaged("its pieces are out of order"));
            }
        }
    }
    match head {
        Some((size, head)) if size == book.len() => Ok((head, book)),
        Some(_) | None => Err(SnapshotError::Damaged("it is cut")),
    }
}

fn decode(head: proto::SnapshotHead, book: &[u8]) -> Result<Snapshot, SnapshotError> {
    if digest(&head, book) != head.digest {
        return Err(SnapshotError::Damaged("its digest is another"));
    }
    Ok(Snapshot { book: serde_json::from_slice(book)?, position: head.position, epoch: head.epoch })
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use domain_roster::{Collective, RosterEvent};

    use super::*;

    fn view() -> RosterView {
        let mut book = Book::new();
        for number in 0..5_000 {
            let collective = Collective {
                name: format!("collectives/{number}"),
                display_name: format!("第{number}批单位"),
                aliases: vec![],
                units: vec!["units/water".into()],
            };
            book.apply(&RosterEvent::CollectiveCreated(collective), Timestamp::from_micros(number)).unwrap();
        }
        RosterView { book: Arc::new(book), position: 5_000, epoch: "first".into(), confirmed_at: None }
    }

    async fn sent(view: &RosterView) -> Vec<proto::ReadSnapshotResponse> {
        let (head, book) = encode(view).unwrap();
        pieces(head, book).map(Result::unwrap).collect().await
    }

    async fn received(pieces: Vec<proto::ReadSnapshotResponse>) -> Result<Snapshot, SnapshotError> {
        let (head, book) = collect(stream::iter(pieces.into_iter().map(Ok))).await?;
        decode(head, &book)
    }

    fn head(pieces: &mut [proto::ReadSnapshotResponse]) -> &mut proto::SnapshotHead {
        match &mut pieces[0].piece {
            Some(Piece::Head(head)) => head,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_snapshot_arrives_as_it_was_sent_in_small_pieces() {
        let pieces = sent(&view()).await;
        assert!(pieces.len() > 3, "{} pieces", pieces.len());
        assert!(pieces.iter().all(|piece| prost::Message::encoded_len(piece) < PIECE + 1_024));
        let found = received(pieces).await.unwrap();
        assert_eq!((found.position, found.epoch.as_str()), (5_000, "first"));
        assert_eq!(found.book, *view().book);
        let empty = RosterView::default();
        assert_eq!(received(sent(&empty).await).await.unwrap().book, Book::new());
    }

    #[tokio::test]
    async fn whatever_is_missing_surplus_or_out_of_order_is_found() {
        let whole = sent(&view()).await;
        for missing in 0..whole.len() {
            let mut pieces = whole.clone();
            pieces.remove(missing);
            let refused = received(pieces).await;
            assert!(matches!(refused, Err(SnapshotError::Damaged(_))), "without piece {missing}");
        }
        let last = whole.len() - 1;
        for (from, to) in [(last, 1), (0, 1)] {
            let mut pieces = whole.clone();
            pieces.swap(from, to);
            assert!(matches!(received(pieces).await, Err(SnapshotError::Damaged(_))), "{from} and {to}");
        }
        for twice in [0, last] {
            let mut pieces = whole.clone();
            pieces.push(whole[twice].clone());
            assert!(matches!(received(pieces).await, Err(SnapshotError::Damaged(_))), "{twice} twice");
        }
        let nothing = vec![proto::ReadSnapshotResponse::default()];
        assert!(matches!(received(nothing).await, Err(SnapshotError::Damaged(_))));
    }

    #[tokio::test]
    async fn every_fact_of_a_snapshot_is_under_its_digest() {
        type Damage = fn(&mut Vec<proto::ReadSnapshotResponse>);
        let damages: [Damage; 5] = [
            |pieces| head(pieces).position += 1,
            |pieces| head(pieces).epoch.push('x'),
            |pieces| head(pieces).digest.clear(),
            |pieces| head(pieces).size = i64::MAX,
            |pieces| match &mut pieces[2].piece {
                Some(Piece::Data(data)) => data[7] ^= 1,
                other => panic!("{other:?}"),
            },
        ];
        for (number, damage) in damages.into_iter().enumerate() {
            let mut pieces = sent(&view()).await;
            damage(&mut pieces);
            assert!(matches!(received(pieces).await, Err(SnapshotError::Damaged(_))), "damage {number}");
        }
    }

    #[tokio::test]
    async fn the_snapshot_of_another_version_is_not_used() {
        let mut pieces = sent(&view()).await;
        head(&mut pieces).version = "0.0.0".into();
        assert!(matches!(received(pieces).await, Err(SnapshotError::Version(of)) if of == "0.0.0"));
    }
}
