//! What is kept, and what is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain_attachment::{Attachment, AttachmentError};
use futures_util::TryStreamExt;
use object_store::memory::InMemory;
use prost::bytes::Bytes;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use xietong_mesh::client::Peers;
use xietong_mesh::service_name::ServiceName;
use xietong_mesh::token::{Issuer, Signer, SigningKey, generate_keypair};
use xietong_mesh::{Code, Error};
use xietong_proto::common::attachment_holding_service_server::{
    AttachmentHoldingService, AttachmentHoldingServiceServer,
};
use xietong_proto::common::{FilterHeldRequest, FilterHeldResponse};
use xietong_timers::{MachineClock, MachineTime};

use super::{AttachmentParts, AttachmentStore, Limits, NotTaken, Sweeper};

const DAY: Duration = Duration::from_secs(86_400);

/// A store in a folder, one in memory, and the folder.
fn stores() -> (TempDir, [AttachmentStore; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let limits = || Limits { max_bytes: 1_000_000, ..Limits::default() };
    let in_folder = AttachmentStore::in_folder(folder.path(), limits()).unwrap();
    let in_memory = AttachmentStore::over(Arc::new(InMemory::new()), 64 * 1024, limits());
    (folder, [in_folder, in_memory])
}

async fn keep(store: &AttachmentStore, text: &str) -> Attachment {
    let mut upload = store.begin("清单.txt", "text/plain", None).await.unwrap();
    for piece in text.as_bytes().chunks(100_000) {
        upload.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    upload.finish().await.unwrap()
}

async fn read(
    store: &AttachmentStore,
    file: &Attachment,
    range: std::ops::Range<u64>,
) -> Result<String, Error> {
    let pieces: Vec<Bytes> = store.open(file, range).await?.try_collect().await?;
    Ok(String::from_utf8(pieces.concat()).unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Makes every file look as if it was uploaded so long ago.
fn age(folder: &Path, days: u32) {
    let then = std::time::UNIX_EPOCH + Duration::from_micros(MachineClock::system().now().as_micros() as u64);
    for path in files(folder) {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(then - DAY * days).unwrap();
    }
}

#[tokio::test]
async fn what_was_finished_is_read_back_whole_and_in_parts() {
    let (_folder, stores) = stores();
    for store in stores {
        let text = "城区内涝点整治。".repeat(30_000);
        let file = keep(&store, &text).await;
        assert_eq!(file.size, text.len() as u64);
        assert_eq!(read(&store, &file, 0..file.size).await.unwrap(), text);
        assert_eq!(read(&store, &file, 3..6).await.unwrap(), "区");
        assert_eq!(keep(&store, &text).await, file, "the same bytes are the same object");
        let other = keep(&store, "另一个").await;
        assert_ne!(other.digest, file.digest);
    }
}

#[tokio::test]
async fn what_was_not_finished_is_not_there() {
    let (folder, stores) = stores();
    for store in stores {
        let mut upload = store.begin("清单.txt", "text/plain", None).await.unwrap();
        upload.write(Bytes::from_static(b"half of it")).await.unwrap();
        drop(upload);
        let upload = store.begin("清单.txt", "text/plain", None).await.unwrap();
        assert!(matches!(upload.finish().await, Err(NotTaken::Refused(AttachmentError::Empty))));
        let mut large = store.begin("清单.txt", "text/plain", None).await.unwrap();
        let outcome = large.write(Bytes::from(vec![b'a'; 1_000_001])).await;
        assert!(matches!(outcome, Err(NotTaken::Refused(AttachmentError::TooLarge { .. }))));
        let missing = Attachment { display_name: String::new(), ..keep(&store, "x").await };
        let missing = Attachment { digest: domain_attachment::Digest::of_bytes([1; 32]), ..missing };
        assert_eq!(read(&store, &missing, 0..1).await.unwrap_err().code(), Code::NotFound);
    }
    assert_eq!(files(&folder.path().join("objects")).len(), 1);
}

#[tokio::test]
async fn a_page_is_refused_as_soon_as_it_is_seen() {
    let (_folder, [store, _]) = stores();
    let mut upload = store.begin("清单.txt", "text/plain", None).await.unwrap();
    upload.write(Bytes::from_static(b"<html>")).await.unwrap();
    let outcome = upload.write(Bytes::from(vec![b' '; 2_000])).await;
    assert!(matches!(outcome, Err(NotTaken::Refused(AttachmentError::Dangerous))));
}

#[tokio::test]
async fn only_so_many_files_arrive_at_a_time() {
    let (_folder, [_, store]) = stores();
    let mut arriving = Vec::new();
    let busy = loop {
        match store.begin("清单.txt", "text/plain", None).await {
            Ok(upload) => arriving.push(upload),
            Err(NotTaken::Failed(error)) => break error,
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!((arriving.len(), busy.reason()), (64, "UPLOADS_BUSY"));
    assert!(busy.retry_after().is_some());
    drop(arriving.pop());
    assert!(store.begin("清单.txt", "text/plain", None).await.is_ok());
}

/// Services whose records refer to these files; none of them answers when it is none.
#[derive(Clone)]
struct Records(Arc<Mutex<Option<BTreeSet<String>>>>);

#[async_trait]
impl AttachmentHoldingService for Records {
    async fn filter_held(
        &self,
        request: Request<FilterHeldRequest>,
    ) -> Result<Response<FilterHeldResponse>, Status> {
        let known = self.0.lock().unwrap().clone().ok_or_else(|| Error::unavailable("the service"))?;
        let held = request.into_inner().digests.into_iter().filter(|digest| known.contains(digest)).collect();
        Ok(Response::new(FilterHeldResponse { held }))
    }
}

async fn sweeper(store: &AttachmentStore, records: &Records) -> Sweeper {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder().add_service(AttachmentHoldingServiceServer::new(records.clone()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let urls: BTreeMap<_, _> = ServiceName::ALL.into_iter().map(|name| (name, url.clone())).collect();
    let key = SigningKey::from_pem(&generate_keypair().unwrap().private_pem).unwrap();
    let signer = Signer::new(Issuer::System(ServiceName::Gateway), key, MachineClock::system());
    let peers = Peers::new(ServiceName::Gateway, &urls, signer).unwrap();
    Sweeper::new(AttachmentParts { store: store.clone(), keep_unused: DAY * 30 }, peers)
}

fn now() -> MachineTime {
    MachineClock::system().now()
}

#[tokio::test]
async fn only_old_files_that_no_record_refers_to_are_removed() {
    let (folder, [store, _]) = stores();
    let (held, unheld) = (keep(&store, "证据").await, keep(&store, "无人引用").await);
    age(folder.path(), 31);
    let young = keep(&store, "刚上传").await;
    let records = Records(Arc::new(Mutex::new(Some([held.digest.to_string()].into()))));
    let sweeper = sweeper(&store, &records).await;
    assert_eq!(sweeper.sweep(now()).await.unwrap(), 1);
    assert_eq!(read(&store, &unheld, 0..1).await.unwrap_err().code(), Code::NotFound);
    for kept in [&held, &young] {
        assert!(read(&store, kept, 0..kept.size).await.is_ok());
    }
    assert_eq!(sweeper.sweep(now()).await.unwrap(), 0);
}

#[tokio::test]
async fn nothing_is_removed_while_a_service_does_not_answer() {
    let (folder, [store, _]) = stores();
    let file = keep(&store, "无人引用").await;
    age(folder.path(), 31);
    let records = Records(Arc::default());
    let sweeper = sweeper(&store, &records).await;
    assert_eq!(sweeper.sweep(now()).await.unwrap_err().code(), Code::Unavailable);
    assert!(read(&store, &file, 0..file.size).await.is_ok());
    *records.0.lock().unwrap() = Some(BTreeSet::new());
    assert_eq!(sweeper.sweep(now()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_file_that_is_uploaded_again_is_new_again() {
    let (folder, [store, _]) = stores();
    let file = keep(&store, "无人引用").await;
    age(folder.path(), 31);
    let before = now().minus(DAY * 30);
    let old: Vec<_> = store.older_than(before).try_collect().await.unwrap();
    assert_eq!(old, [file.digest]);
    // It was found to be old, and comes again before it is removed.
    keep(&store, "无人引用").await;
    assert!(!store.remove(&file.digest, before).await.unwrap());
    assert_eq!(read(&store, &file, 0..file.size).await.unwrap(), "无人引用");
    assert_eq!(store.older_than(before).try_collect::<Vec<_>>().await.unwrap(), []);
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_a_day_later() {
    let (folder, [store, _]) = stores();
    let upload = store.begin("清单.txt", "text/plain", None).await.unwrap();
    let uploads = folder.path().join("uploads");
    std::fs::write(uploads.join("0190-whole"), "not moved any more").unwrap();
    assert_eq!(files(&uploads).len(), 2);
    let records = Records(Arc::new(Mutex::new(Some(BTreeSet::new()))));
    let sweeper = sweeper(&store, &records).await;
    sweeper.sweep(now()).await.unwrap();
    assert_eq!(files(&uploads).len(), 2, "it may still arrive");
    age(&uploads, 2);
    sweeper.sweep(now()).await.unwrap();
    assert_eq!(files(&uploads).len(), 0);
    drop(upload);
}
