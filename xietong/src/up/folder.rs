//! The data folder: whose it is, what time it is in it, and what it was filled with.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::ValueEnum;
use domain_calendar::Timestamp;
use xietong_mesh::ServiceName;
use xietong_mesh::config::AttachmentsConfig;
use xietong_timers::{Clock, SimulatedClock};

use crate::cli::{Sample, UpArgs};
use crate::keys::write_private;

const CLOCK_FILE: &str = "clock";
const MOVES_FILE: &str = "clock-moves";
const LOCK_FILE: &str = "lock";
const ATTACHMENTS: &str = "attachments";
/// Says which sample the folder has, or is being filled with.
const SAMPLE_FILE: &str = "sample";
const COMPLETE: &str = "complete";
/// Where a sample's simulated clock is when it is handed over.
const SAMPLE_START: &str = "2023-06-01T09:00+08:00";
/// Where its history begins.
const HISTORY_START: &str = "2023-04-20T00:00+08:00";

/// A data folder that this process alone works on.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if need be, and takes it.
    pub(super) fn take(path: &Path) -> anyhow::Result<Self> {
        // What is in it is its owner's alone.
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.with_context(|| format!("creating {}", path.display()))?;
        let lock_path = path.join(LOCK_FILE);
        let lock = File::create(&lock_path).with_context(|| format!("creating {}", lock_path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Folder { path: path.to_owned(), _lock: lock }),
            // Two processes on one folder would both believe that they own it.
            Err(TryLockError::WouldBlock) => bail!("{} is in use by another xietong", path.display()),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("locking {}", lock_path.display()))
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The database of a service.
    pub(super) fn database_url(&self, name: ServiceName) -> String {
        format!("sqlite://{}", self.database(name).display())
    }

    /// Where the moves of its simulated clock are noted.
    pub(super) fn moves(&self) -> PathBuf {
        self.path.join(MOVES_FILE)
    }

    /// Where files are that records refer to.
    pub(super) fn attachments(&self) -> AttachmentsConfig {
        AttachmentsConfig { folder: self.path.join(ATTACHMENTS), ..AttachmentsConfig::default() }
    }

    fn database(&self, name: ServiceName) -> PathBuf {
        self.path.join(format!("{name}.db"))
    }

    /// What the folder is still to be filled with. Only a new folder is filled; one whose
    /// filling was interrupted is completed, with what it was begun with.
    pub(super) fn to_fill(&self, asked: Sample) -> anyhow::Result<Sample> {
        let file = self.path.join(SAMPLE_FILE);
        if !file.exists() {
            let sample = if self.database(ServiceName::Roster).exists() { Sample::None } else { asked };
            write_private(&file, &name(sample)?)?;
            return Ok(sample);
        }
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let (begun, complete) = match text.trim().split_once(' ') {
            Some((begun, COMPLETE)) => (begun, true),
            Some(_) => bail!("{} does not name a sample", file.display()),
            None => (text.trim(), false),
        };
        let begun = Sample::from_str(begun, false)
            .map_err(|_| anyhow::anyhow!("{} does not name a sample", file.display()))?;
        Ok(if complete { Sample::None } else { begun })
    }

    /// Notes that the folder is filled.
    pub(super) fn filled(&self, sample: Sample) -> anyhow::Result<()> {
        let file = self.path.join(SAMPLE_FILE);
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        if text.trim().ends_with(COMPLETE) {
            return Ok(());
        }
        write_private(&file, &format!("{} {COMPLETE}", name(sample)?))
    }

    /// Where a simulated clock is to be once the sample's history has been lived through.
    pub(super) fn handed_over_at(arguments: &UpArgs) -> anyhow::Result<Timestamp> {
        Ok(match arguments.sim_clock {
            Some(asked) => asked,
            None => Timestamp::parse(SAMPLE_START)?,
        })
    }

    /// The folder's clock. A new folder is given the one asked for, or one that begins with
    /// the sample's history where that is earlier; afterwards a simulated clock goes on where
    /// it stood and a real one stays real.
    pub(super) fn clock(&self, arguments: &UpArgs) -> anyhow::Result<Clock> {
        let file = self.path.join(CLOCK_FILE);
        let path = self.path.display();
        let stored = SimulatedClock::stored(&file)?;
        let is_new = !self.database(ServiceName::Roster).exists();
        let start = match (stored, arguments.sim_clock, arguments.sample) {
            (Some(_), _, _) if arguments.real_clock => {
                bail!("{path} has a simulated clock: it cannot go on with a real one")
            }
            (Some(stored), _, _) => Some(stored),
            (None, Some(_), _) if !is_new => {
                bail!("{path} has a real clock: it cannot go on with a simulated one")
            }
            (None, Some(start), Sample::None) => Some(start),
            (None, asked, Sample::Directory | Sample::Full) if is_new && !arguments.real_clock => {
                let history = Timestamp::parse(HISTORY_START)?;
                Some(asked.map_or(history, |asked| asked.min(history)))
            }
            (None, Some(start), Sample::Directory | Sample::Full) => Some(start),
            (None, None, Sample::Directory | Sample::Full | Sample::None) => None,
        };
        match start {
            Some(start) => Ok(Clock::Simulated(Arc::new(SimulatedClock::open(&file, start)?))),
            None => Ok(Clock::real()),
        }
    }
}

fn name(sample: Sample) -> anyhow::Result<String> {
    let value = sample.to_possible_value().context("every sample has a name")?;
    Ok(value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use domain_calendar::Timestamp;

    use super::Folder;
    use crate::cli::{Sample, UpArgs};

    fn asked(data: &Path, sample: Sample) -> UpArgs {
        let http = "127.0.0.1:0".parse().unwrap();
        UpArgs { data: data.to_owned(), http, sample, sim_clock: None, real_clock: false }
    }

    #[test]
    fn a_folder_is_taken_by_one_process() {
        let scratch = tempfile::tempdir().unwrap();
        let _taken = Folder::take(scratch.path()).unwrap();
        assert!(Folder::take(scratch.path()).is_err());
    }

    #[test]
    fn an_interrupted_filling_is_completed_and_a_filled_folder_left_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::take(scratch.path()).unwrap();
        assert_eq!(folder.to_fill(Sample::Directory).unwrap(), Sample::Directory);
        assert_eq!(folder.to_fill(Sample::Full).unwrap(), Sample::Directory, "as it was begun");
        folder.filled(Sample::Directory).unwrap();
        assert_eq!(folder.to_fill(Sample::Full).unwrap(), Sample::None);
    }

    #[test]
    fn a_real_installation_stays_real() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::take(scratch.path()).unwrap();
        assert!(folder.clock(&asked(scratch.path(), Sample::None)).unwrap().simulated().is_none());
        std::fs::write(scratch.path().join("roster.db"), "").unwrap();
        assert_eq!(folder.to_fill(Sample::Full).unwrap(), Sample::None);
        assert!(folder.clock(&asked(scratch.path(), Sample::Full)).unwrap().simulated().is_none());
        let mut arguments = asked(scratch.path(), Sample::Full);
        arguments.sim_clock = Some(Timestamp::from_micros(0));
        assert!(folder.clock(&arguments).is_err());
    }

    #[test]
    fn a_simulated_clock_goes_on_whatever_is_asked() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::take(scratch.path()).unwrap();
        let started = folder.clock(&asked(scratch.path(), Sample::Full)).unwrap();
        let resumed = folder.clock(&asked(scratch.path(), Sample::None)).unwrap();
        assert!(
            resumed.simulated().is_some()
                && resumed.now() < started.now().saturating_add(std::time::Duration::from_secs(60))
        );
        let mut arguments = asked(scratch.path(), Sample::None);
        arguments.real_clock = true;
        assert!(folder.clock(&arguments).is_err());
    }
}
