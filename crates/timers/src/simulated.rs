//! A clock that is played: it runs at normal speed from a given instant, can be moved
//! forward, and resumes after a restart.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use domain_calendar::Timestamp;

/// Business time of the one-process mode.
///
/// It never goes back. What [`SimulatedClock::save`] wrote is where a restart resumes;
/// time does not pass while the process is down.
#[derive(Debug)]
pub struct SimulatedClock {
    state: Mutex<State>,
    file: Option<PathBuf>,
    /// One save at a time: they share a draft.
    saving: Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// It was `at` when the machine's monotonic clock said `since`.
    Running { at: Timestamp, since: Instant },
    /// It stands still while timers are fired one after the other.
    Held(Timestamp),
}

/// The stored clock cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ClockFileError {
    /// The file system refused.
    #[error("simulated clock {path}: {source}")]
    File {
        /// The clock's file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else than an instant.
    #[error("simulated clock {path} does not hold an instant")]
    Content {
        /// The clock's file.
        path: PathBuf,
    },
}

impl SimulatedClock {
    /// Starts a clock that is not stored.
    pub fn starting_at(at: Timestamp) -> Self {
        let state = Mutex::new(State::Running { at, since: Instant::now() });
        SimulatedClock { state, file: None, saving: Mutex::new(()) }
    }

    /// Resumes the clock stored in `file`, or starts one at `start` and stores it.
    pub fn open(file: &Path, start: Timestamp) -> Result<Self, ClockFileError> {
        let at = Self::stored(file)?.unwrap_or(start);
        let mut clock = Self::starting_at(at);
        clock.file = Some(file.to_owned());
        clock.save()?;
        Ok(clock)
    }

    /// The instant stored in `file`, if there is such a file.
    pub fn stored(file: &Path) -> Result<Option<Timestamp>, ClockFileError> {
        match fs::read_to_string(file) {
            Ok(text) => Timestamp::parse(text.trim())
                .map(Some)
                .map_err(|_| ClockFileError::Content { path: file.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ClockFileError::File { path: file.to_owned(), source }),
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        match *self.lock() {
            State::Running { at, since } => at.saturating_add(since.elapsed()),
            State::Held(at) => at,
        }
    }

    /// Makes the clock stand still, so that what is fired happens at its own instant.
    pub fn hold(&self) -> Timestamp {
        let now = self.now();
        *self.lock() = State::Held(now);
        now
    }

    /// Sets a held clock forward. An earlier instant changes nothing.
    pub fn set(&self, to: Timestamp) {
        let mut state = self.lock();
        if let State::Held(at) = *state {
            *state = State::Held(at.max(to));
        }
    }

    /// Lets a held clock run on from where it stands.
    pub fn release(&self) {
        let mut state = self.lock();
        if let State::Held(at) = *state {
            *state = State::Running { at, since: Instant::now() };
        }
    }

    /// Moves the clock forward to `at`, unless it is there or past it: after a restart
    /// the logs may know of later acts than the file.
    pub fn at_least(&self, at: Timestamp) {
        if self.now() < at {
            *self.lock() = State::Running { at, since: Instant::now() };
        }
    }

    /// Writes the instant to the clock's file, replacing it whole.
    pub fn save(&self) -> Result<(), ClockFileError> {
        let Some(path) = &self.file else { return Ok(()) };
        let _one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = |source| ClockFileError::File { path: path.clone(), source };
        let draft = path.with_extension("new");
        let mut file = fs::File::create(&draft).map_err(refused)?;
        writeln!(file, "{}", self.now()).map_err(refused)?;
        file.sync_all().map_err(refused)?;
        fs::rename(&draft, path).map_err(refused)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain_calendar::Timestamp;

    use super::SimulatedClock;

    fn june() -> Timestamp {
        Timestamp::parse("2023-06-01T09:00+08:00").unwrap()
    }

    #[test]
    fn a_held_clock_stands_and_moves_only_forward() {
        let clock = SimulatedClock::starting_at(june());
        let held = clock.hold();
        assert!(held >= june());
        clock.set(june().saturating_sub(Duration::from_secs(1)));
        assert_eq!(clock.now(), held);
        let later = june().saturating_add(Duration::from_secs(86_400));
        clock.set(later);
        assert_eq!(clock.now(), later);
        clock.release();
        assert!(clock.now() >= later);
    }

    #[test]
    fn a_running_clock_cannot_be_set() {
        let clock = SimulatedClock::starting_at(june());
        clock.set(june().saturating_add(Duration::from_secs(86_400)));
        assert!(clock.now() < june().saturating_add(Duration::from_secs(3_600)));
    }

    #[test]
    fn it_resumes_where_it_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        let clock = SimulatedClock::open(&file, june()).unwrap();
        clock.hold();
        let later = june().saturating_add(Duration::from_secs(3_600));
        clock.set(later);
        clock.save().unwrap();
        let resumed = SimulatedClock::open(&file, june()).unwrap();
        assert!(resumed.now() >= later);
    }

    #[test]
    fn a_file_that_is_no_clock_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        std::fs::write(&file, "teatime").unwrap();
        assert!(SimulatedClock::open(&file, june()).is_err());
    }
}
