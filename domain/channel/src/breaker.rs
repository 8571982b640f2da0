//! [`Breaker`]: a channel that fails again and again is given a rest, then tried with one message.
//!
//! ```text
//!           so many failures in a window
//!  ┌────────┐─────────────────────────▶┌──────┐
//!  │ Closed │                          │ Open │◀─┐
//!  └────────┘◀──────┐                  └──┬───┘  │ the probe fails: a longer rest
//!      ▲            │ the probe works     │      │
//!      │            │                     ▼ the rest is over, one message is admitted
//!      │            └─────────────────┌──────────┐
//!      └── whatever works             │ HalfOpen │
//!                                     └──────────┘
//! ```

use std::time::Duration;

use domain_webhook::Moment;

/// Whether a channel is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// It is.
    Closed {
        /// Failures since the last success, within the window.
        failures: u32,
        /// When the first of them was; of no meaning without any.
        since: Moment,
    },
    /// It rests.
    Open {
        /// Until then.
        until: Moment,
        /// How many rests in a row it has had with this one.
        rests: u32,
    },
    /// One message is on its way to see whether it works.
    HalfOpen {
        /// If nothing is known of it by then, another one is sent.
        until: Moment,
        /// How many rests in a row it has had.
        rests: u32,
    },
}

/// When a channel rests, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRules {
    /// After so many failures without a success between them …
    pub failures: u32,
    /// … within so long.
    pub window: Duration,
    /// The first rest. Each in a row is twice as long as the one before …
    pub first_rest: Duration,
    /// … and no longer than this.
    pub longest_rest: Duration,
    /// How long is waited for a probe: longer than an attempt takes.
    pub probe: Duration,
}

/// How many messages may go out now, as far as the breaker is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// As many as there are.
    All,
    /// One, to see whether it works.
    One,
    /// None until then.
    None {
        /// When to look again.
        until: Moment,
    },
}

/// What happens to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerEvent {
    /// Messages were admitted.
    Admitted {
        /// Then.
        at: Moment,
    },
    /// An attempt showed that it works.
    Worked,
    /// An attempt showed that it does not.
    Failed {
        /// When the attempt ended.
        at: Moment,
    },
}

impl Default for BreakerRules {
    /// Five failures within 5 minutes; rests from 30 s to 15 min; a probe of 2 min.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        BreakerRules {
            failures: 5,
            window: seconds(300),
            first_rest: seconds(30),
            longest_rest: seconds(900),
            probe: seconds(120),
        }
    }
}

impl Breaker {
    /// As it begins.
    pub const NEW: Breaker = Breaker::Closed { failures: 0, since: Moment::from_micros(0) };

    /// How many messages may go out.
    pub fn admission(self, now: Moment) -> Admission {
        match self {
            Breaker::Closed { .. } => Admission::All,
            Breaker::Open { until, .. } | Breaker::HalfOpen { until, .. } => {
                if now < until {
                    Admission::None { until }
                } else {
                    Admission::One
                }
            }
        }
    }

    /// The state after an event. What was on its way when it opened may still fail, which makes the
    /// rest no longer, or work, which ends it.
    #[must_use]
    pub fn after(self, event: BreakerEvent, rules: &BreakerRules) -> Self {
        match self {
            Breaker::Closed { failures, since } => match event {
                BreakerEvent::Admitted { .. } => self,
                BreakerEvent::Worked if failures == 0 => self,
                BreakerEvent::Worked => Breaker::NEW,
                BreakerEvent::Failed { at } => {
                    let goes_on = failures > 0 && at.since(since) <= rules.window;
                    let (failures, since) =
                        if goes_on { (failures.saturating_add(1), since) } else { (1, at) };
                    if failures >= rules.failures {
                        Breaker::Open { until: at.plus(rules.rest(0)), rests: 1 }
                    } else {
                        Breaker::Closed { failures, since }
                    }
                }
            },
            Breaker::Open { until, rests } => match event {
                BreakerEvent::Admitted { at } if at >= until => {
                    Breaker::HalfOpen { until: at.plus(rules.probe), rests }
                }
                BreakerEvent::Admitted { .. } | BreakerEvent::Failed { .. } => self,
                BreakerEvent::Worked => Breaker::NEW,
            },
            Breaker::HalfOpen { until, rests } => match event {
                BreakerEvent::Admitted { at } if at >= until => {
                    Breaker::HalfOpen { until: at.plus(rules.probe), rests }
                }
                BreakerEvent::Admitted { .. } => self,
                BreakerEvent::Worked => Breaker::NEW,
                BreakerEvent::Failed { at } => {
                    Breaker::Open { until: at.plus(rules.rest(rests)), rests: rests.saturating_add(1) }
                }
            },
        }
    }
}

impl BreakerRules {
    /// The rest after so many in a row.
    fn rest(&self, rests: u32) -> Duration {
        self.first_rest.saturating_mul(2_u32.saturating_pow(rests)).min(self.longest_rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Moment = Moment::from_seconds(1_700_000_000);

    fn rules() -> BreakerRules {
        BreakerRules { failures: 3, ..BreakerRules::default() }
    }

    fn later(seconds: u64) -> Moment {
        NOW.plus(Duration::from_secs(seconds))
    }

    fn failed(seconds: u64) -> BreakerEvent {
        BreakerEvent::Failed { at: later(seconds) }
    }

    #[test]
    fn every_event_has_its_answer_in_every_state() {
        let fresh = Breaker::NEW;
        let failing = Breaker::Closed { failures: 2, since: NOW };
        let open = Breaker::Open { until: later(30), rests: 1 };
        let half = Breaker::HalfOpen { until: later(150), rests: 1 };
        let first = |at| Breaker::Closed { failures: 1, since: at };
        let table = [
            (BreakerEvent::Admitted { at: later(10) }, [fresh, failing, open, half]),
            (BreakerEvent::Admitted { at: later(30) }, [fresh, failing, half, half]),
            (
                BreakerEvent::Admitted { at: later(150) },
                [
                    fresh,
                    failing,
                    Breaker::HalfOpen { until: later(270), rests: 1 },
                    Breaker::HalfOpen { until: later(270), rests: 1 },
                ],
            ),
            (BreakerEvent::Worked, [fresh, fresh, fresh, fresh]),
            (
                failed(10),
                [
                    first(later(10)),
                    Breaker::Open { until: later(40), rests: 1 },
                    open,
                    Breaker::Open { until: later(70), rests: 2 },
                ],
            ),
            // The window has passed: it is the first failure of another one.
            (
                failed(301),
                [first(later(301)), first(later(301)), open, Breaker::Open { until: later(361), rests: 2 }],
            ),
        ];
        for (event, expected) in table {
            for (state, expected) in [fresh, failing, open, half].into_iter().zip(expected) {
                assert_eq!(state.after(event, &rules()), expected, "{state:?}, {event:?}");
            }
        }
    }

    #[test]
    fn an_open_one_admits_one_when_its_rest_is_over_and_no_other_until_that_is_known() {
        let open = Breaker::Open { until: later(30), rests: 1 };
        assert_eq!(open.admission(later(29)), Admission::None { until: later(30) });
        assert_eq!(open.admission(later(30)), Admission::One);
        let half = open.after(BreakerEvent::Admitted { at: later(30) }, &rules());
        assert_eq!(half.admission(later(31)), Admission::None { until: later(150) });
        assert_eq!(half.admission(later(150)), Admission::One, "the probe was lost");
        assert_eq!(Breaker::NEW.admission(NOW), Admission::All);
    }

    proptest! {
        #[test]
        fn rests_grow_and_stay_within_bounds_and_success_always_closes(
            steps in proptest::collection::vec((0_u8..4, 0_u64..400), 1..200),
        ) {
            let rules = rules();
            let mut state = Breaker::NEW;
            let mut now = NOW;
            let mut run = 0;
            for (kind, passed) in steps {
                now = now.plus(Duration::from_secs(passed));
                let event = match kind {
                    0 => BreakerEvent::Worked,
                    1 => BreakerEvent::Admitted { at: now },
                    _ => BreakerEvent::Failed { at: now },
                };
                let next = state.after(event, &rules);
                match event {
                    BreakerEvent::Worked => run = 0,
                    BreakerEvent::Failed { .. } => run += 1,
                    BreakerEvent::Admitted { .. } => {}
                }
                match next {
                    Breaker::Open { until, rests } if next != state => {
                        prop_assert!(run >= rules.failures, "it opened after {run} failures");
                        let rest = until.since(now);
                        prop_assert!(rules.first_rest <= rest && rest <= rules.longest_rest);
                        prop_assert!(rests >= 1);
                    }
                    Breaker::HalfOpen { until, .. } if next != state => {
                        prop_assert_eq!(state.admission(now), Admission::One);
                        prop_assert_eq!(until, now.plus(rules.probe));
                    }
                    Breaker::Closed { failures, .. } => {
                        prop_assert!(failures < rules.failures && failures <= run);
                    }
                    Breaker::Open { .. } | Breaker::HalfOpen { .. } => {}
                }
                if event == BreakerEvent::Worked {
                    prop_assert_eq!(next, Breaker::NEW);
                }
                state = next;
            }
        }
    }
}
