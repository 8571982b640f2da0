//! [`SendingState`]: the life of one message on its way by one channel.
//!
//! ```text
//!            accepted
//! ┌─────────┐────────▶ Sent
//! │ Waiting │────────▶ Refused   permanently: it is not tried again
//! │         │────────▶ GivenUp   temporarily, for a day
//! └─────────┘────────▶ Recalled  what it asks for is over
//!  ▲       │
//!  └───────┘ temporarily
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain_notification::UnknownWord;
use domain_webhook::{Jitter, Moment, Round, Schedule};

/// Where a sending stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendingState {
    /// It is to be sent.
    Waiting {
        /// The attempts made so far.
        round: Round,
        /// Not before then.
        due: Moment,
    },
    /// The receiving system has it.
    Sent {
        /// When it said so.
        at: Moment,
    },
    /// Failed for good: the receiving system never takes it.
    Refused {
        /// When it said so.
        at: Moment,
    },
    /// Given up: it was tried for as long as the schedule allows.
    GivenUp {
        /// Of the last attempt.
        at: Moment,
    },
    /// What it asks for is done or no longer wanted, and it was not sent.
    Recalled {
        /// When it was.
        at: Moment,
    },
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The receiving system has it.
    Accepted,
    /// The receiving system never takes it, and works.
    Refused,
    /// The receiving system takes it later, and works: greylisting, a full mailbox.
    Postponed {
        /// It asked to be left alone for so long.
        retry_after: Option<Duration>,
    },
    /// The channel does not work, or takes nothing now.
    Failed {
        /// It asked to be left alone for so long.
        retry_after: Option<Duration>,
        /// The receiving system may have it all the same: it went away before it answered.
        may_have_arrived: bool,
    },
}

/// What happens to a sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendingEvent {
    /// An attempt ended.
    Attempted {
        /// What it came to.
        verdict: Verdict,
        /// When it ended.
        at: Moment,
        /// For the next one's time.
        jitter: Jitter,
    },
    /// What it asks for is done or no longer wanted.
    Recalled {
        /// Since then.
        at: Moment,
    },
}

/// What a sending is for. A message has one of each on a channel at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Tells what the message says.
    Notice,
    /// Tells that what was sent is over.
    FollowUp,
    /// Closes the to-do that another system made of what was sent.
    Close,
}

/// How sendings are tried again: after 10 s, 40 s, 160 s, 11 min, 43 min and then every 2 h, each a
/// quarter more or less, and a last time 24 hours after the first. A notice that has not gone out in
/// a day is in the inbox and climbs there; sent later it would only be in the way.
pub fn schedule() -> Schedule {
    Schedule {
        first: Duration::from_secs(10),
        factor: 4,
        longest: Duration::from_secs(2 * 3_600),
        limit: Duration::from_secs(24 * 3_600),
    }
}

impl SendingState {
    /// Of a new sending, due at once.
    pub fn new(at: Moment) -> Self {
        SendingState::Waiting { round: Round::default(), due: at }
    }

    /// The state after an event. Each has an answer in each state, for an attempt may end after its
    /// message was recalled, or after another replica's attempt at the same sending.
    #[must_use]
    pub fn after(self, event: SendingEvent, schedule: &Schedule) -> Self {
        match self {
            SendingState::Waiting { round, .. } => match event {
                SendingEvent::Attempted { verdict, at, jitter } => {
                    attempted(round, verdict, at, jitter, schedule)
                }
                SendingEvent::Recalled { at } => SendingState::Recalled { at },
            },
            SendingState::Sent { .. } => self,
            SendingState::Refused { .. } | SendingState::GivenUp { .. } | SendingState::Recalled { .. } => {
                match event {
                    SendingEvent::Attempted { verdict: Verdict::Accepted, at, .. } => {
                        SendingState::Sent { at }
                    }
                    SendingEvent::Attempted {
                        verdict: Verdict::Refused | Verdict::Postponed { .. } | Verdict::Failed { .. },
                        ..
                    }
                    | SendingEvent::Recalled { .. } => self,
                }
            }
        }
    }
}

fn attempted(
    round: Round,
    verdict: Verdict,
    at: Moment,
    jitter: Jitter,
    schedule: &Schedule,
) -> SendingState {
    match verdict {
        Verdict::Accepted => SendingState::Sent { at },
        Verdict::Refused => SendingState::Refused { at },
        Verdict::Postponed { retry_after } | Verdict::Failed { retry_after, .. } => {
            let began = round.began.unwrap_or(at);
            let attempts = round.attempts.saturating_add(1);
            match schedule.next(began, attempts, at, retry_after, jitter) {
                Some(due) => SendingState::Waiting { round: Round { began: Some(began), attempts }, due },
                None => SendingState::GivenUp { at },
            }
        }
    }
}

/// Whether the recipient may have what was sent, so that he is to be told that it is over: it was
/// taken, an attempt is under way, or an earlier one broke off before its answer.
pub fn may_have_arrived(state: SendingState, under_way: bool, broke_off: bool) -> bool {
    match state {
        SendingState::Sent { .. } => true,
        SendingState::Waiting { .. } | SendingState::Recalled { .. } => under_way || broke_off,
        SendingState::Refused { .. } | SendingState::GivenUp { .. } => broke_off,
    }
}

impl Verdict {
    /// Whether the channel works, whatever became of this one message.
    pub fn channel_works(self) -> bool {
        match self {
            Verdict::Accepted | Verdict::Refused | Verdict::Postponed { .. } => true,
            Verdict::Failed { .. } => false,
        }
    }
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 3] = [Self::Notice, Self::FollowUp, Self::Close];

    /// The word it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::FollowUp => "follow_up",
            Self::Close => "close",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Purpose {
    type Err = UnknownWord;

    /// Reads the word it is stored under.
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| UnknownWord::new(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EARLY: Moment = Moment::from_seconds(1_700_000_000);
    const NOW: Moment = Moment::from_seconds(1_700_000_100);
    const JITTER: Jitter = Jitter::from_bits(1 << 31);

    fn attempted(verdict: Verdict) -> SendingEvent {
        SendingEvent::Attempted { verdict, at: NOW, jitter: JITTER }
    }

    fn failed(retry_after: Option<Duration>) -> Verdict {
        Verdict::Failed { retry_after, may_have_arrived: false }
    }

    #[test]
    fn every_event_has_its_answer_in_every_state() {
        let fresh = SendingState::new(EARLY);
        let round = Round { began: Some(NOW), attempts: 1 };
        let soon = SendingState::Waiting { round, due: NOW.plus(Duration::from_secs(10)) };
        let asked = SendingState::Waiting { round, due: NOW.plus(Duration::from_secs(60)) };
        let sent = SendingState::Sent { at: EARLY };
        let now_sent = SendingState::Sent { at: NOW };
        let refused = SendingState::Refused { at: EARLY };
        let given_up = SendingState::GivenUp { at: EARLY };
        let recalled = SendingState::Recalled { at: EARLY };
        let minute = Some(Duration::from_secs(60));
        let ended = [sent, refused, given_up, recalled];
        let table = [
            (attempted(Verdict::Accepted), [now_sent, sent, now_sent, now_sent, now_sent]),
            (
                attempted(Verdict::Refused),
                [SendingState::Refused { at: NOW }, ended[0], ended[1], ended[2], ended[3]],
            ),
            (
                attempted(Verdict::Postponed { retry_after: minute }),
                [asked, sent, refused, given_up, recalled],
            ),
            (attempted(failed(None)), [soon, sent, refused, given_up, recalled]),
            (attempted(failed(minute)), [asked, sent, refused, given_up, recalled]),
            (
                SendingEvent::Recalled { at: NOW },
                [SendingState::Recalled { at: NOW }, sent, refused, given_up, recalled],
            ),
        ];
        for (event, expected) in table {
            for (state, expected) in [fresh, sent, refused, given_up, recalled].into_iter().zip(expected) {
                assert_eq!(state.after(event, &schedule()), expected, "{state:?}, {event:?}");
            }
        }
    }

    #[test]
    fn whoever_may_have_it_is_told_that_it_is_over() {
        let waiting = SendingState::new(EARLY);
        let refused = SendingState::Refused { at: EARLY };
        for (state, under_way, broke_off, told) in [
            (SendingState::Sent { at: EARLY }, false, false, true),
            (waiting, false, false, false),
            (waiting, true, false, true),
            (waiting, false, true, true),
            (refused, false, false, false),
            (refused, false, true, true),
        ] {
            assert_eq!(may_have_arrived(state, under_way, broke_off), told, "{state:?}");
        }
    }

    #[test]
    fn purposes_are_read_back() {
        for purpose in Purpose::ALL {
            assert_eq!(purpose.as_str().parse(), Ok(purpose));
        }
        assert!("advertising".parse::<Purpose>().is_err());
    }

    fn verdict() -> impl Strategy<Value = Verdict> {
        let wait = proptest::option::of((0_u64..86_400).prop_map(Duration::from_secs));
        prop_oneof![
            1 => Just(Verdict::Accepted),
            1 => Just(Verdict::Refused),
            4 => wait.clone().prop_map(|retry_after| Verdict::Postponed { retry_after }),
            8 => (wait, any::<bool>()).prop_map(|(retry_after, may_have_arrived)| Verdict::Failed {
                retry_after,
                may_have_arrived
            }),
        ]
    }

    proptest! {
        #[test]
        fn it_ends_within_two_days_and_what_is_sent_stays_sent(
            steps in proptest::collection::vec((verdict(), any::<u32>(), 0_u64..60, any::<u8>()), 1..80),
        ) {
            let schedule = schedule();
            let mut state = SendingState::new(EARLY);
            let mut now = EARLY;
            for (verdict, bits, took, dice) in steps {
                if let SendingState::Waiting { due, .. } = state {
                    now = now.max(due).plus(Duration::from_secs(took));
                }
                let event = if dice < 4 {
                    SendingEvent::Recalled { at: now }
                } else {
                    SendingEvent::Attempted { verdict, at: now, jitter: Jitter::from_bits(bits) }
                };
                let next = state.after(event, &schedule);
                if let SendingState::Sent { .. } = state {
                    prop_assert_eq!(next, state);
                }
                if let SendingState::Sent { .. } = next && next != state {
                    let accepted = matches!(event, SendingEvent::Attempted { verdict: Verdict::Accepted, .. });
                    prop_assert!(accepted);
                }
                if let SendingState::GivenUp { at } = next && next != state {
                    let SendingState::Waiting { round, .. } = state else { panic!("{state:?}") };
                    prop_assert!(at >= round.began.expect("a first attempt").plus(schedule.limit));
                }
                if let SendingState::Waiting { due, .. } = next {
                    let two_days = Duration::from_secs(2 * 24 * 3_600 + 7_200);
                    prop_assert!(due <= EARLY.plus(two_days), "{next:?}");
                }
                state = next;
            }
        }
    }
}
