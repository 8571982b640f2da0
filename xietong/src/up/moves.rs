//! [`Moves`]: what was asked of the simulated clock under a request id, so that a call that
//! is repeated moves it no further.
//!
//! A move is written down with its target before the clock sets out. Cut off on the way, by
//! a failure or by the end of the process, it is completed by the repeated call.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use xietong_gateway::{Advanced, RequestKey};
use xietong_mesh::Error;

use crate::keys::write_private;

/// The oldest are forgotten first.
const KEPT: usize = 1_000;

/// The moves of one data folder, the oldest first.
#[derive(Debug)]
pub(super) struct Moves {
    file: PathBuf,
    moves: Vec<Move>,
}

/// A move that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    subject: String,
    request_id: String,
    /// By how much, in microseconds.
    micros: u128,
    /// Where to.
    target: Timestamp,
    /// Where the clock stood when it was done, and how many timers had fired.
    done: Option<(Timestamp, u64)>,
}

/// What is to be done for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Move the clock to this instant; it may be there already.
    Go(Timestamp),
    /// It was done before, with this answer.
    Done(Advanced),
}

impl Moves {
    /// Those that `file` holds, if there is such a file.
    pub(super) fn open(file: &Path) -> anyhow::Result<Self> {
        let moves = match fs::read_to_string(file) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
        };
        Ok(Moves { file: file.to_owned(), moves })
    }

    /// Notes a request to move the clock by `duration` from `now`, unless it was noted before.
    ///
    /// # Errors
    /// FAILED_PRECONDITION when the key came with another duration; INTERNAL when it cannot
    /// be written down.
    pub(super) fn ask(
        &mut self,
        key: &RequestKey,
        now: Timestamp,
        duration: Duration,
    ) -> Result<Asked, Error> {
        if let Some(earlier) = self.moves.iter().find(|one| one.is(key)) {
            if earlier.micros != duration.as_micros() {
                return Err(Error::request_id_reused());
            }
            return Ok(match earlier.done {
                Some((now, timers_fired)) => Asked::Done(Advanced { now, timers_fired }),
                None => Asked::Go(earlier.target),
            });
        }
        let target = now.saturating_add(duration);
        self.moves.push(Move {
            subject: key.subject.clone(),
            request_id: key.request_id.clone(),
            micros: duration.as_micros(),
            target,
            done: None,
        });
        let forgotten = self.moves.len().saturating_sub(KEPT);
        self.moves.drain(..forgotten);
        self.save()?;
        Ok(Asked::Go(target))
    }

    /// Notes that a move was done.
    ///
    /// # Errors
    /// INTERNAL when it cannot be written down.
    pub(super) fn done(&mut self, key: &RequestKey, answer: Advanced) -> Result<(), Error> {
        if let Some(one) = self.moves.iter_mut().find(|one| one.is(key)) {
            one.done = Some((answer.now, answer.timers_fired));
        }
        self.save()
    }

    fn save(&self) -> Result<(), Error> {
        let text = serde_json::to_string(&self.moves).map_err(Error::internal)?;
        write_private(&self.file, &text).map_err(|error| Error::internal(Unwritten(error)))
    }
}

impl Move {
    fn is(&self, key: &RequestKey) -> bool {
        self.subject == key.subject && self.request_id == key.request_id
    }
}

/// The file system refused.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
struct Unwritten(anyhow::Error);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain_calendar::Timestamp;
    use xietong_gateway::{Advanced, RequestKey};
    use xietong_mesh::Code;

    use super::{Asked, KEPT, Moves};

    fn key(request_id: &str) -> RequestKey {
        RequestKey { subject: "administrator".to_owned(), request_id: request_id.to_owned() }
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_micros(0).saturating_add(HOUR * u32::try_from(hours).unwrap())
    }

    #[test]
    fn a_repeated_request_moves_no_further_even_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("moves");
        let mut moves = Moves::open(&file).unwrap();
        assert_eq!(moves.ask(&key("1"), at(0), HOUR), Ok(Asked::Go(at(1))));
        // Interrupted: it is completed, not begun anew.
        let mut moves = Moves::open(&file).unwrap();
        assert_eq!(moves.ask(&key("1"), at(5), HOUR), Ok(Asked::Go(at(1))));
        let answer = Advanced { now: at(1), timers_fired: 3 };
        moves.done(&key("1"), answer).unwrap();
        let mut moves = Moves::open(&file).unwrap();
        assert_eq!(moves.ask(&key("1"), at(9), HOUR), Ok(Asked::Done(answer)));
        assert_eq!(moves.ask(&key("2"), at(9), HOUR), Ok(Asked::Go(at(10))));
    }

    #[test]
    fn a_key_goes_with_one_duration_and_one_caller() {
        let folder = tempfile::tempdir().unwrap();
        let mut moves = Moves::open(&folder.path().join("moves")).unwrap();
        moves.ask(&key("1"), at(0), HOUR).unwrap();
        let error = moves.ask(&key("1"), at(0), HOUR * 2).unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        let other = RequestKey { subject: "somebody else".to_owned(), ..key("1") };
        assert_eq!(moves.ask(&other, at(4), HOUR), Ok(Asked::Go(at(5))));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut moves = Moves::open(&folder.path().join("moves")).unwrap();
        for number in 0..=KEPT {
            moves.ask(&key(&number.to_string()), at(0), HOUR).unwrap();
        }
        assert_eq!(moves.moves.len(), KEPT);
        assert_eq!(moves.ask(&key("1"), at(7), HOUR), Ok(Asked::Go(at(1))), "the second is still known");
    }
}
