//! Where the bytes of files are: an object store, a folder of this machine or S3-compatible.
//!
//! A file is written under a name of its own below `uploads/` while its digest is counted, and
//! moved to `objects/` under its digest when it is whole: what is there is whole, and the same
//! bytes are there once. Nothing else is known of a file here: what it is called is said by the
//! records that refer to it.

use std::fmt;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain_attachment::{ACCEPTED, Attachment, AttachmentError, Beginning, Digest, file_name, media_type};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, WriteMultipart};
use prost::bytes::Bytes;
use ring::digest::{Context, SHA256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use xietong_mesh::Error;
use xietong_timers::{MachineClock, MachineTime};

/// Where files are that are whole.
const OBJECTS: &str = "objects";
/// Where files are that still arrive.
const UPLOADS: &str = "uploads";

/// Bytes of a file that are gathered before they are written, to a folder.
const PART_OF_A_FILE: usize = 256 * 1024;

/// Files that arrive at a time: each holds two parts in memory.
const MOST_UPLOADS: usize = 64;

/// When it is worth trying again while too many files arrive.
const BUSY: Duration = Duration::from_secs(5);

/// The largest file, in bytes, unless an installation says otherwise: 50 MiB.
pub const MAX_BYTES: u64 = 50 * 1024 * 1024;

/// What is taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The largest file, in bytes.
    pub max_bytes: u64,
    /// The media types, each as [`domain_attachment::media_type`] gives it.
    pub media_types: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_bytes: MAX_BYTES, media_types: ACCEPTED.iter().map(|one| (*one).to_owned()).collect() }
    }
}

/// Keeps the bytes of files. Cheap to clone.
#[derive(Clone)]
pub struct AttachmentStore {
    objects: Arc<dyn ObjectStore>,
    /// Where `objects` is, when it is a folder.
    folder: Option<Arc<FilePath>>,
    /// Bytes that are written at a time.
    part: usize,
    limits: Arc<Limits>,
    uploads: Arc<Semaphore>,
}

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("attachments: {}", folder.display())]
    Folder {
        /// As configured.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The object store refuses its settings.
    #[error("attachments")]
    Store(#[from] object_store::Error),
}

/// Why a file is not taken in.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// For what it is.
    Refused(AttachmentError),
    /// For anything else.
    Failed(Error),
}

impl From<AttachmentError> for NotTaken {
    fn from(error: AttachmentError) -> Self {
        NotTaken::Refused(error)
    }
}

impl From<object_store::Error> for NotTaken {
    fn from(error: object_store::Error) -> Self {
        NotTaken::Failed(Error::internal(error))
    }
}

impl AttachmentStore {
    /// Files in a folder, which is made when there is none. What is acknowledged is on disk.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn in_folder(folder: &FilePath, limits: Limits) -> Result<Self, OpenError> {
        let made = |source| OpenError::Folder { folder: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(made)?;
        let objects = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        let store = AttachmentStore::over(Arc::new(objects), PART_OF_A_FILE, limits);
        Ok(AttachmentStore { folder: Some(Arc::from(folder)), ..store })
    }

    pub(super) fn over(objects: Arc<dyn ObjectStore>, part: usize, limits: Limits) -> Self {
        let uploads = Arc::new(Semaphore::new(MOST_UPLOADS));
        AttachmentStore { objects, folder: None, part, limits: Arc::new(limits), uploads }
    }

    /// Begins to take in a file. `length` is what it is said to have, if that is known.
    ///
    /// # Errors
    /// When it would be refused whatever its bytes are, or too many files arrive.
    pub(crate) async fn begin(
        &self,
        display_name: &str,
        declared: &str,
        length: Option<u64>,
    ) -> Result<Upload, NotTaken> {
        let display_name = file_name(display_name)?;
        let media_type = media_type(declared)?;
        if !self.limits.media_types.contains(&media_type) {
            return Err(AttachmentError::NotAccepted { media_type }.into());
        }
        if length.is_some_and(|length| length > self.limits.max_bytes) {
            return Err(self.too_large());
        }
        let permit = self.uploads.clone().try_acquire_owned().map_err(|_| NotTaken::Failed(busy()))?;
        let staged = Path::from_iter([UPLOADS, &MachineClock::system().new_id().to_string()]);
        let writer = self.objects.put_multipart(&staged).await?;
        Ok(Upload {
            store: self.clone(),
            writer: Some(WriteMultipart::new_with_chunk_size(writer, self.part)),
            staged,
            display_name,
            media_type,
            beginning: Beginning::default(),
            counted: Context::new(&SHA256),
            size: 0,
            _permit: permit,
        })
    }

    fn too_large(&self) -> NotTaken {
        AttachmentError::TooLarge { limit: self.limits.max_bytes }.into()
    }

    /// The bytes of a file in a range that is not empty and within its size.
    ///
    /// # Errors
    /// NOT_FOUND when the store does not have it.
    pub(crate) async fn open(
        &self,
        attachment: &Attachment,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        match self.objects.get_opts(&place(&attachment.digest), options).await {
            Ok(found) => Ok(found.into_stream().map_err(Error::internal).boxed()),
            Err(object_store::Error::NotFound { .. }) => Err(Error::not_found(attachment.name())),
            Err(error) => Err(Error::internal(error)),
        }
    }

    /// Files that were last uploaded before an instant, as they are found.
    pub(super) fn older_than(&self, before: MachineTime) -> BoxStream<'static, object_store::Result<Digest>> {
        let found = self.objects.list(Some(&Path::from(OBJECTS)));
        found
            .try_filter_map(move |object| async move {
                let digest = object.location.filename().and_then(|name| name.parse().ok());
                Ok(digest.filter(|_| uploaded_at(&object) < before))
            })
            .boxed()
    }

    /// Removes a file, unless it was uploaded again since. In a folder nothing is lost, whatever
    /// comes in between: the file is taken away first, looked at, and put back if it is new.
    pub(super) async fn remove(&self, digest: &Digest, before: MachineTime) -> object_store::Result<bool> {
        let place = place(digest);
        if self.folder.is_none() {
            let is_old = uploaded_at(&self.objects.head(&place).await?) < before;
            if is_old {
                self.objects.delete(&place).await?;
            }
            return Ok(is_old);
        }
        let aside = Path::from_iter([UPLOADS, &format!("{digest}.unused")]);
        self.objects.rename(&place, &aside).await?;
        if uploaded_at(&self.objects.head(&aside).await?) < before {
            self.objects.delete(&aside).await?;
            return Ok(true);
        }
        self.objects.rename(&aside, &place).await?;
        Ok(false)
    }

    /// Removes what is left of uploads that began before an instant and did not end.
    pub(super) async fn remove_broken_off(&self, before: MachineTime) -> object_store::Result<()> {
        let left = self.objects.list(Some(&Path::from(UPLOADS)));
        let left: Vec<ObjectMeta> = left.try_collect().await?;
        for one in left.iter().filter(|one| uploaded_at(one) < before) {
            self.objects.delete(&one.location).await?;
        }
        // What a process that was killed had begun is in files that the store does not list.
        if let Some(folder) = self.folder.clone() {
            let removed =
                tokio::task::spawn_blocking(move || remove_files(&folder.join(UPLOADS), before)).await;
            if let Err(error) = removed.map_err(std::io::Error::other).and_then(|removed| removed) {
                tracing::warn!(%error, "uploads that broke off were not removed");
            }
        }
        Ok(())
    }
}

impl fmt::Debug for AttachmentStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AttachmentStore").field("objects", &self.objects).finish_non_exhaustive()
    }
}

/// A file that arrives. Dropped before [`Upload::finish`], it leaves nothing.
pub(crate) struct Upload {
    store: AttachmentStore,
    writer: Option<WriteMultipart>,
    staged: Path,
    display_name: String,
    media_type: String,
    beginning: Beginning,
    counted: Context,
    size: u64,
    _permit: OwnedSemaphorePermit,
}

impl Upload {
    /// Takes in the next bytes, when those before them are written.
    ///
    /// # Errors
    /// When the file is too large or is seen not to be acceptable.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), NotTaken> {
        self.size += bytes.len() as u64;
        if self.size > self.store.limits.max_bytes {
            return Err(self.store.too_large());
        }
        if !self.beginning.is_complete() {
            self.beginning.take(&bytes);
            if self.beginning.is_complete() {
                self.beginning.check(&self.media_type)?;
            }
        }
        self.counted.update(&bytes);
        let writer = self.writer.as_mut().ok_or_else(finished)?;
        writer.wait_for_capacity(1).await?;
        writer.put(bytes);
        Ok(())
    }

    /// The file is whole: it is kept under its digest, on disk, and may be referred to.
    ///
    /// # Errors
    /// When it is empty or not acceptable.
    pub(crate) async fn finish(mut self) -> Result<Attachment, NotTaken> {
        if self.size == 0 {
            return Err(AttachmentError::Empty.into());
        }
        self.beginning.check(&self.media_type)?;
        let writer = self.writer.take().ok_or_else(finished)?;
        writer.finish().await?;
        let counted = self.counted.clone().finish();
        let bytes = counted.as_ref().try_into().map_err(|error| NotTaken::Failed(Error::internal(error)))?;
        let digest = Digest::of_bytes(bytes);
        // What is there under this digest is the same; now it is new again.
        self.store.objects.rename(&self.staged, &place(&digest)).await?;
        Ok(Attachment {
            digest,
            size: self.size,
            media_type: std::mem::take(&mut self.media_type),
            display_name: std::mem::take(&mut self.display_name),
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                if let Err(error) = writer.abort().await {
                    tracing::warn!(%error, "an upload that broke off was not removed");
                }
            });
        }
    }
}

/// Where a file is kept: not all of them in one folder.
fn place(digest: &Digest) -> Path {
    let name = digest.to_string();
    Path::from_iter([OBJECTS, name.get(..2).unwrap_or_default(), &name])
}

fn uploaded_at(object: &ObjectMeta) -> MachineTime {
    MachineTime::from_micros(object.last_modified.timestamp_micros())
}

fn remove_files(folder: &FilePath, before: MachineTime) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let modified = entry.metadata()?.modified()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        if MachineTime::from_micros(0).plus(since) < before {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn busy() -> Error {
    let english = "too many files arrive at the same time";
    Error::resource_exhausted("UPLOADS_BUSY", english, "同时上传的文件过多，请稍后重试")
        .with_retry_after(BUSY)
}

/// An upload goes on after its end: a fault of ours.
fn finished() -> NotTaken {
    NotTaken::Failed(Error::internal(std::io::Error::other("an upload goes on after its end")))
}
