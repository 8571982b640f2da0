//! [`DeliveryState`]: the life of one message on its way to one endpoint.
//!
//! ```text
//!             answered 2xx
//!  ┌─────────┐───────────────▶ Delivered ──┐
//!  │ Waiting │                             │ replayed
//!  │         │◀────────────────────────────┤
//!  └──┬──────┘─── last attempt fails ─▶ DeadLetter
//!     │  ▲
//!     │  │ endpoint enabled
//!     ▼  │
//!    Held    endpoint disabled: kept, not attempted
//! ```

use crate::answer::Meaning;
use crate::moment::Moment;
use crate::schedule::{Jitter, Schedule};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// The next attempt is to be made.
    Waiting {
        /// The attempts made so far.
        round: Round,
        /// Not before then.
        due: Moment,
    },
    /// Its endpoint is disabled; it is kept until the endpoint is enabled.
    Held,
    /// The receiver has it.
    Delivered {
        /// When it answered.
        at: Moment,
    },
    /// Given up; it goes out again only when somebody replays it.
    DeadLetter {
        /// Of the last attempt.
        at: Moment,
    },
}

/// A run of attempts under one schedule. A replay and an endpoint enabled again begin another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// When the first attempt ended; `None` before it.
    pub began: Option<Moment>,
    /// Attempts made.
    pub attempts: u32,
}

/// What happens to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryEvent {
    /// An attempt ended.
    Attempted {
        /// What came of it.
        meaning: Meaning,
        /// When it ended.
        at: Moment,
        /// For the next one's time.
        jitter: Jitter,
    },
    /// Its endpoint was disabled, by whatever.
    EndpointDisabled,
    /// Its endpoint was enabled.
    EndpointEnabled {
        /// Then.
        at: Moment,
    },
    /// Somebody asked for it to be sent, or sent again.
    Replayed {
        /// Then.
        at: Moment,
    },
}

impl DeliveryState {
    /// Of a new delivery: due at once.
    pub fn new(at: Moment) -> Self {
        DeliveryState::Waiting { round: Round::default(), due: at }
    }

    /// The state after an event. Each has an answer in each state, for an attempt may end after
    /// its endpoint was disabled, or after another replica's attempt at the same delivery.
    #[must_use]
    pub fn after(self, event: DeliveryEvent, schedule: &Schedule) -> Self {
        match self {
            DeliveryState::Waiting { round, due } => waiting(round, due, event, schedule),
            DeliveryState::Held => match event {
                DeliveryEvent::Attempted { meaning, at, .. } => match meaning {
                    Meaning::Delivered => DeliveryState::Delivered { at },
                    Meaning::Gone | Meaning::Busy { .. } | Meaning::Failed { .. } => self,
                },
                DeliveryEvent::EndpointEnabled { at } => DeliveryState::new(at),
                // What is replayed goes out when the endpoint is enabled, as it would anyhow.
                DeliveryEvent::EndpointDisabled | DeliveryEvent::Replayed { .. } => self,
            },
            DeliveryState::Delivered { .. } => match event {
                DeliveryEvent::Replayed { at } => DeliveryState::new(at),
                DeliveryEvent::Attempted { .. }
                | DeliveryEvent::EndpointDisabled
                | DeliveryEvent::EndpointEnabled { .. } => self,
            },
            DeliveryState::DeadLetter { .. } => match event {
                DeliveryEvent::Replayed { at } => DeliveryState::new(at),
                DeliveryEvent::Attempted { meaning, at, .. } => match meaning {
                    Meaning::Delivered => DeliveryState::Delivered { at },
                    Meaning::Gone | Meaning::Busy { .. } | Meaning::Failed { .. } => self,
                },
                DeliveryEvent::EndpointDisabled | DeliveryEvent::EndpointEnabled { .. } => self,
            },
        }
    }
}

fn waiting(round: Round, due: Moment, event: DeliveryEvent, schedule: &Schedule) -> DeliveryState {
    match event {
        DeliveryEvent::Attempted { meaning, at, jitter } => match meaning {
            Meaning::Delivered => DeliveryState::Delivered { at },
            // The answer disables the endpoint; this delivery is the first of its backlog.
            Meaning::Gone => DeliveryState::Held,
            Meaning::Busy { retry_after } | Meaning::Failed { retry_after } => {
                let began = round.began.unwrap_or(at);
                let attempts = round.attempts.saturating_add(1);
                match schedule.next(began, attempts, at, retry_after, jitter) {
                    Some(due) => {
                        DeliveryState::Waiting { round: Round { began: Some(began), attempts }, due }
                    }
                    None => DeliveryState::DeadLetter { at },
                }
            }
        },
        DeliveryEvent::EndpointDisabled => DeliveryState::Held,
        DeliveryEvent::EndpointEnabled { .. } => DeliveryState::Waiting { round, due },
        DeliveryEvent::Replayed { at } => DeliveryState::Waiting { round, due: due.min(at) },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{DeliveryEvent, DeliveryState, Round};
    use crate::answer::Meaning;
    use crate::moment::Moment;
    use crate::schedule::{Jitter, Schedule};

    const EARLY: Moment = Moment::from_seconds(1_700_000_000);
    const NOW: Moment = Moment::from_seconds(1_700_000_100);
    const JITTER: Jitter = Jitter::from_bits(1 << 31);

    fn attempted(meaning: Meaning) -> DeliveryEvent {
        DeliveryEvent::Attempted { meaning, at: NOW, jitter: JITTER }
    }

    #[test]
    fn every_event_has_its_answer_in_every_state() {
        let fresh = DeliveryState::new(EARLY);
        let second = Round { began: Some(NOW), attempts: 1 };
        let retried = DeliveryState::Waiting { round: second, due: NOW.plus(Duration::from_secs(5)) };
        let asked = DeliveryState::Waiting { round: second, due: NOW.plus(Duration::from_secs(60)) };
        let (held, again) = (DeliveryState::Held, DeliveryState::new(NOW));
        let (delivered, dead) =
            (DeliveryState::Delivered { at: EARLY }, DeliveryState::DeadLetter { at: EARLY });
        let now_delivered = DeliveryState::Delivered { at: NOW };
        let minute = Some(Duration::from_secs(60));
        let events = [
            (attempted(Meaning::Delivered), [now_delivered, now_delivered, delivered, now_delivered]),
            (attempted(Meaning::Gone), [held, held, delivered, dead]),
            (attempted(Meaning::Busy { retry_after: minute }), [asked, held, delivered, dead]),
            (attempted(Meaning::UNANSWERED), [retried, held, delivered, dead]),
            (DeliveryEvent::EndpointDisabled, [held, held, delivered, dead]),
            (DeliveryEvent::EndpointEnabled { at: NOW }, [fresh, again, delivered, dead]),
            (DeliveryEvent::Replayed { at: NOW }, [fresh, held, again, again]),
        ];
        for (event, expected) in events {
            for (state, expected) in [fresh, held, delivered, dead].into_iter().zip(expected) {
                assert_eq!(state.after(event, &Schedule::default()), expected, "{state:?}, {event:?}");
            }
        }
    }

    #[test]
    fn a_replay_brings_a_waiting_delivery_forward_without_beginning_another_round() {
        let state = DeliveryState::new(EARLY).after(attempted(Meaning::UNANSWERED), &Schedule::default());
        let DeliveryState::Waiting { round, .. } = state else { panic!("{state:?}") };
        let brought = state.after(DeliveryEvent::Replayed { at: NOW }, &Schedule::default());
        assert_eq!(brought, DeliveryState::Waiting { round, due: NOW });
    }

    fn meaning() -> impl Strategy<Value = Meaning> {
        let wait = proptest::option::of((0_u64..86_400).prop_map(Duration::from_secs));
        prop_oneof![
            Just(Meaning::Delivered),
            Just(Meaning::Gone),
            wait.clone().prop_map(|retry_after| Meaning::Busy { retry_after }),
            wait.prop_map(|retry_after| Meaning::Failed { retry_after }),
        ]
    }

    fn events() -> impl Strategy<Value = Vec<DeliveryEvent>> {
        let one =
            (0_u8..7, 0_i64..500_000, meaning(), any::<u32>()).prop_map(|(kind, after, meaning, bits)| {
                let at = EARLY.plus(Duration::from_secs(after.unsigned_abs()));
                match kind {
                    0 => DeliveryEvent::EndpointDisabled,
                    1 => DeliveryEvent::EndpointEnabled { at },
                    2 => DeliveryEvent::Replayed { at },
                    _ => DeliveryEvent::Attempted { meaning, at, jitter: Jitter::from_bits(bits) },
                }
            });
        proptest::collection::vec(one, 0..60)
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_forgotten(events in events()) {
            let schedule = Schedule::default();
            let mut state = DeliveryState::new(EARLY);
            for event in events {
                let next = state.after(event, &schedule);
                // A receiver that has it has it until somebody replays it.
                if let DeliveryState::Delivered { .. } = state {
                    let replayed = matches!(event, DeliveryEvent::Replayed { .. });
                    prop_assert!(next == state || replayed);
                }
                // Only an answer 2xx delivers.
                if let DeliveryState::Delivered { .. } = next && next != state {
                    let answered = matches!(event, DeliveryEvent::Attempted { meaning: Meaning::Delivered, .. });
                    prop_assert!(answered);
                }
                // Only an attempt that failed three days after the first gives up.
                if let DeliveryState::DeadLetter { at } = next && next != state {
                    let DeliveryState::Waiting { round, .. } = state else { panic!("{state:?}") };
                    let began = round.began.expect("a first attempt");
                    prop_assert!(at >= began.plus(schedule.limit));
                }
                state = next;
            }
            // Whatever happened, a replay to an enabled endpoint sends it.
            let sent = state
                .after(DeliveryEvent::EndpointEnabled { at: NOW }, &schedule)
                .after(DeliveryEvent::Replayed { at: NOW }, &schedule);
            let DeliveryState::Waiting { due, .. } = sent else { panic!("{sent:?}") };
            prop_assert!(due <= NOW);
        }
    }
}
