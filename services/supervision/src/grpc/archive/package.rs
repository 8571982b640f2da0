//! The ZIP file itself: entries as they come, then the list of them with their digests.

use std::io::Write;

use domain_calendar::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{Receiver, Sender};
use tonic::Status;
use xietong_mesh::Error;
use xietong_proto::google::api::HttpBody;
use zip::write::{SimpleFileOptions, StreamWriter, ZipWriter};
use zip::{DateTime, result::ZipError};

use super::super::ledger::file::Outlet;

pub(super) const CONTENT_TYPE: &str = "application/zip";
/// The last entry: the list of the others.
const MANIFEST: &str = "清单.json";

/// What the file is made of.
pub(super) enum Part {
    /// An entry begins, of this name; the one before ends.
    Begin(String),
    /// Bytes of it.
    Data(Vec<u8>),
    /// That was all.
    End(Manifest),
}

/// What the list says beside the entries.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    /// `tasks/{t}`.
    pub(super) task: String,
    /// The number people say aloud.
    pub(super) ledger_number: i64,
    /// The task's line on the ledger.
    pub(super) title: String,
    /// When the file was made.
    pub(super) archived_at: Timestamp,
    /// Where the timeline ends.
    pub(super) chain: Chain,
}

/// The end of a chain of events.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chain {
    /// Whose events they are.
    pub(super) aggregate: String,
    /// The version of the last.
    pub(super) version: i64,
    /// Its hash, hexadecimal.
    pub(super) hash: String,
}

/// The list as it is written.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    manifest: &'a Manifest,
    entries: &'a [Entry],
}

#[derive(Serialize)]
struct Entry {
    name: String,
    bytes: u64,
    sha256: String,
}

/// Writes until everything is there, something goes wrong, or nobody reads any more; from a thread
/// that may wait. A file that is not complete has no end: nobody takes a part for the whole.
pub(super) fn write(
    parts: Receiver<Result<Part, Error>>,
    to_reader: &Sender<Result<HttpBody, Status>>,
    now: Timestamp,
) {
    if let Err(error) = package(parts, to_reader, now) {
        // Nobody there to be told is why it stopped.
        let _ = to_reader.blocking_send(Err(error.into()));
    }
}

fn package(
    mut parts: Receiver<Result<Part, Error>>,
    to_reader: &Sender<Result<HttpBody, Status>>,
    now: Timestamp,
) -> Result<(), Error> {
    let mut package = Package::begin(Outlet::new(CONTENT_TYPE, to_reader.clone()), now);
    while let Some(part) = parts.blocking_recv() {
        let written = match part? {
            Part::Begin(name) => package.entry(name),
            Part::Data(bytes) => package.data(&bytes),
            Part::End(manifest) => return unless_unread(package.end(&manifest), to_reader),
        };
        if written.is_err() {
            return unless_unread(written, to_reader);
        }
    }
    Ok(())
}

/// That nobody reads any more is nobody's fault.
fn unless_unread(
    written: Result<(), ZipError>,
    to_reader: &Sender<Result<HttpBody, Status>>,
) -> Result<(), Error> {
    match written {
        Err(error) if !to_reader.is_closed() => Err(Error::internal(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A file that is being written.
struct Package {
    zip: ZipWriter<StreamWriter<Outlet>>,
    options: SimpleFileOptions,
    entries: Vec<Entry>,
    open: Option<(String, u64, Sha256)>,
}

impl Package {
    fn begin(outlet: Outlet, now: Timestamp) -> Self {
        let (day, time) = (now.day(), now.time_of_day());
        let year = u16::try_from(day.year()).unwrap_or_default();
        let (month, hour) = (u8::from(day.month()), time.hour());
        // The format knows no year before 1980, where it stays at its default.
        let modified =
            DateTime::from_date_and_time(year, month, day.day(), hour, time.minute(), time.second());
        // An entry may be longer than four gigabytes.
        let options =
            SimpleFileOptions::default().large_file(true).last_modified_time(modified.unwrap_or_default());
        Package { zip: ZipWriter::new_stream(outlet), options, entries: Vec::new(), open: None }
    }

    fn entry(&mut self, name: String) -> Result<(), ZipError> {
        self.close();
        self.zip.start_file(name.as_str(), self.options)?;
        self.open = Some((name, 0, Sha256::new()));
        Ok(())
    }

    fn data(&mut self, data: &[u8]) -> Result<(), ZipError> {
        if let Some((_, bytes, digest)) = &mut self.open {
            *bytes += data.len() as u64;
            digest.update(data);
        }
        Ok(self.zip.write_all(data)?)
    }

    fn close(&mut self) {
        if let Some((name, bytes, digest)) = self.open.take() {
            let sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            self.entries.push(Entry { name, bytes, sha256 });
        }
    }

    fn end(mut self, manifest: &Manifest) -> Result<(), ZipError> {
        self.close();
        self.zip.start_file(MANIFEST, self.options)?;
        let listed = Listed { manifest, entries: &self.entries };
        serde_json::to_writer_pretty(&mut self.zip, &listed).map_err(std::io::Error::from)?;
        let mut outlet = self.zip.finish()?.into_inner();
        Ok(outlet.flush()?)
    }
}
