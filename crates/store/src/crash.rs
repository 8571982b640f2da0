//! Named places where a process can be told to die, so that a test can show that nothing
//! is lost or doubled there.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The places. Each is a moment between two effects that must not be torn apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CrashPoint {
    /// A request's transaction is durable, its caller has no answer yet.
    AfterCommit,
    /// Sequenced events were handed to the bus.
    AfterPublish,
    /// A consumer has written an effect and not yet moved its cursor.
    AfterEffectBeforeCursor,
    /// A migration has run half of its statements.
    MidMigration,
    /// Positions are given out and not yet committed.
    MidSequencing,
    /// Webhooks are made out for an endpoint, and its cursor over the feed is not yet moved.
    MidMakeOut,
    /// Webhooks are claimed for sending, and none is sent.
    AfterClaim,
    /// A receiver has answered, and nothing is on record of it.
    AfterAttempt,
    /// What came of an attempt is written and not yet committed.
    MidSettling,
}

impl CrashPoint {
    /// Every point, in the order of the life of an event.
    pub const ALL: [CrashPoint; 9] = [
        CrashPoint::MidMigration,
        CrashPoint::AfterCommit,
        CrashPoint::MidSequencing,
        CrashPoint::AfterPublish,
        CrashPoint::AfterEffectBeforeCursor,
        CrashPoint::MidMakeOut,
        CrashPoint::AfterClaim,
        CrashPoint::AfterAttempt,
        CrashPoint::MidSettling,
    ];

    /// The name used in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            CrashPoint::AfterCommit => "after-commit",
            CrashPoint::AfterPublish => "after-publish",
            CrashPoint::AfterEffectBeforeCursor => "after-effect-before-cursor",
            CrashPoint::MidMigration => "mid-migration",
            CrashPoint::MidSequencing => "mid-sequencing",
            CrashPoint::MidMakeOut => "mid-make-out",
            CrashPoint::AfterClaim => "after-claim",
            CrashPoint::AfterAttempt => "after-attempt",
            CrashPoint::MidSettling => "mid-settling",
        }
    }
}

impl fmt::Display for CrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which point is armed, if any. The default is none, and costs one comparison.
#[derive(Debug, Clone, Default)]
pub struct CrashPoints(Option<Arc<Armed>>);

#[derive(Debug)]
struct Armed {
    point: CrashPoint,
    /// Passes left before the one that kills.
    passes: AtomicU32,
}

/// A crash point is written `NAME` or `NAME:PASSES`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown crash point {0:?}")]
pub struct UnknownCrashPoint(String);

impl CrashPoints {
    /// Dies at `point`, after letting it pass `passes` times.
    pub fn armed(point: CrashPoint, passes: u32) -> Self {
        CrashPoints(Some(Arc::new(Armed { point, passes: AtomicU32::new(passes) })))
    }

    /// Marks the place. An armed process ends here at once, as if by `kill -9`: no
    /// destructor runs and no buffer is flushed.
    pub fn reach(&self, point: CrashPoint) {
        let Some(armed) = &self.0 else { return };
        let dies = armed.point == point
            && armed
                .passes
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_err();
        if dies {
            std::process::abort();
        }
    }
}

impl FromStr for CrashPoints {
    type Err = UnknownCrashPoint;

    /// Reads `NAME` or `NAME:PASSES`; the empty text arms nothing.
    fn from_str(text: &str) -> Result<Self, UnknownCrashPoint> {
        if text.is_empty() {
            return Ok(CrashPoints::default());
        }
        let unknown = || UnknownCrashPoint(text.to_owned());
        let (name, passes) = text.split_once(':').unwrap_or((text, "0"));
        let point = CrashPoint::ALL.into_iter().find(|point| point.as_str() == name).ok_or_else(unknown)?;
        Ok(CrashPoints::armed(point, passes.parse().map_err(|_| unknown())?))
    }
}

#[cfg(test)]
mod tests {
    use super::{CrashPoint, CrashPoints};

    #[test]
    fn every_name_is_read_back() {
        for point in CrashPoint::ALL {
            assert!(format!("{point}:3").parse::<CrashPoints>().is_ok());
        }
        assert!("before-breakfast".parse::<CrashPoints>().is_err());
        assert!("after-commit:x".parse::<CrashPoints>().is_err());
    }

    #[test]
    fn an_unarmed_point_and_another_point_let_pass() {
        CrashPoints::default().reach(CrashPoint::AfterCommit);
        CrashPoints::armed(CrashPoint::AfterPublish, 0).reach(CrashPoint::AfterCommit);
        CrashPoints::armed(CrashPoint::AfterCommit, 1).reach(CrashPoint::AfterCommit);
    }
}
