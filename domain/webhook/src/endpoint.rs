//! [`EndpointState`]: the life of an endpoint, by what its receiver answers.
//!
//! ```text
//!            429, 502, 504           fails again and again
//!  Enabled ───────────────▶ Slowed ◀──────────────────────▶ Failing
//!   ▲ │  ◀────── 2xx ────────┘ │      429, 502, 504          │ │
//!   │ │  ◀────────────────── 2xx ──────────────────────────┘ │
//!   │ └──────────┬─────────────┴─────────────────────────────┘
//!   │            │ 410; for days; its owner
//!   │            ▼
//!   └──────── Disabled
//!   its owner
//! ```
//!
//! The backlog of a disabled endpoint is kept ([`crate::DeliveryState::Held`]).

use std::time::Duration;

use crate::answer::Meaning;
use crate::moment::Moment;

/// Where an endpoint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointState {
    /// It takes what is sent.
    Enabled {
        /// The failures since it last did, too few to mean anything.
        outage: Option<Outage>,
    },
    /// It has too much to do: one request at a time, none before `until`.
    Slowed {
        /// Since it last took something.
        outage: Outage,
        /// It is left alone until then.
        until: Moment,
    },
    /// It takes nothing: one request at a time tries whether it does again, none before `until`.
    Failing {
        /// Since it last took something.
        outage: Outage,
        /// It is left alone until then.
        until: Moment,
    },
    /// Nothing is sent.
    Disabled {
        /// By whom or what.
        by: DisabledBy,
        /// Since then.
        at: Moment,
    },
}

/// An unbroken run of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Of the first.
    pub since: Moment,
    /// How many.
    pub failures: u32,
}

/// Why nothing is sent to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledBy {
    /// It answered 410: it wants no more.
    Gone,
    /// It failed for days.
    Failing,
    /// Its owner wants nothing sent.
    Owner,
}

/// What happens to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointEvent {
    /// An attempt at one of its deliveries ended.
    Attempted {
        /// What came of it.
        meaning: Meaning,
        /// When it ended.
        at: Moment,
    },
    /// Its owner wants nothing sent.
    DisabledByOwner {
        /// From then on.
        at: Moment,
    },
    /// Its owner wants its deliveries sent, the kept ones too.
    EnabledByOwner,
}

/// What is put on record, and told its owner, when the state is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It has too much to do.
    Slowed,
    /// It takes nothing any more.
    BeganFailing,
    /// It takes what is sent again.
    Recovered,
    /// Nothing is sent any more; deliveries are held.
    Disabled(DisabledBy),
    /// Its owner enabled it; what was held is sent.
    Enabled,
}

/// When an endpoint is taken to be failing, and how it is spared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointRules {
    /// So many failures in a row make it a failing one.
    pub failing_after: u32,
    /// It is disabled by a failure so long after the first of a row.
    pub disabled_after: Duration,
    /// How long it is left alone at first; doubled by each failure.
    pub first_pause: Duration,
    /// It is left alone for no longer when it has too much to do, unless it asks for more.
    pub longest_slowed: Duration,
    /// It is left alone for no longer when it fails, unless it asks for more.
    pub longest_failing: Duration,
}

impl Default for EndpointRules {
    fn default() -> Self {
        EndpointRules {
            failing_after: 5,
            disabled_after: Duration::from_secs(5 * 24 * 3_600),
            first_pause: Duration::from_secs(5),
            longest_slowed: Duration::from_secs(5 * 60),
            longest_failing: Duration::from_secs(3_600),
        }
    }
}

impl EndpointState {
    /// Of a new endpoint.
    pub const NEW: EndpointState = EndpointState::Enabled { outage: None };

    /// The state after an event, and what has changed for its owner. Each event has an answer in
    /// each state, for attempts may end after the endpoint was disabled.
    #[must_use]
    pub fn after(self, event: EndpointEvent, rules: &EndpointRules) -> (Self, Option<Change>) {
        match event {
            EndpointEvent::Attempted { meaning, at } => match meaning {
                Meaning::Delivered => self.delivered(at),
                Meaning::Gone => self.disabled(DisabledBy::Gone, at),
                Meaning::Busy { retry_after } => self.busy(at, retry_after, rules),
                Meaning::Failed { retry_after } => self.failed(at, retry_after, rules),
            },
            EndpointEvent::DisabledByOwner { at } => self.disabled(DisabledBy::Owner, at),
            EndpointEvent::EnabledByOwner => match self {
                EndpointState::Disabled { .. } => (Self::NEW, Some(Change::Enabled)),
                EndpointState::Enabled { .. }
                | EndpointState::Slowed { .. }
                | EndpointState::Failing { .. } => (self, None),
            },
        }
    }

    /// How many requests may be under way at once, of the `most` that the endpoint has otherwise.
    pub fn at_once(self, most: usize) -> usize {
        match self {
            EndpointState::Enabled { .. } => most,
            EndpointState::Slowed { .. } | EndpointState::Failing { .. } => most.min(1),
            EndpointState::Disabled { .. } => 0,
        }
    }

    /// Nothing is sent before then; `None` when there is no such time.
    pub fn paused_until(self) -> Option<Moment> {
        match self {
            EndpointState::Slowed { until, .. } | EndpointState::Failing { until, .. } => Some(until),
            EndpointState::Enabled { .. } | EndpointState::Disabled { .. } => None,
        }
    }

    fn delivered(self, at: Moment) -> (Self, Option<Change>) {
        match self {
            EndpointState::Enabled { .. } => (Self::NEW, None),
            // The answer to a request that was under way already: the receiver lives, but what
            // it asked for still holds.
            EndpointState::Slowed { until, .. } if at < until => {
                (EndpointState::Slowed { outage: Outage { since: at, failures: 0 }, until }, None)
            }
            EndpointState::Slowed { .. } | EndpointState::Failing { .. } => {
                (Self::NEW, Some(Change::Recovered))
            }
            EndpointState::Disabled { .. } => (self, None),
        }
    }

    fn busy(self, at: Moment, asked: Option<Duration>, rules: &EndpointRules) -> (Self, Option<Change>) {
        let (outage, slowed_already) = match self {
            EndpointState::Enabled { outage } => (Outage::longer(outage, at), false),
            EndpointState::Slowed { outage, .. } => (Outage::longer(Some(outage), at), true),
            EndpointState::Failing { outage, .. } => (Outage::longer(Some(outage), at), false),
            EndpointState::Disabled { .. } => return (self, None),
        };
        if outage.disables(at, rules) {
            return self.disabled(DisabledBy::Failing, at);
        }
        let until = self.pause(outage.pause(rules.longest_slowed, rules), asked, at);
        (EndpointState::Slowed { outage, until }, (!slowed_already).then_some(Change::Slowed))
    }

    fn failed(self, at: Moment, asked: Option<Duration>, rules: &EndpointRules) -> (Self, Option<Change>) {
        let (outage, failing_already) = match self {
            EndpointState::Enabled { outage } => (Outage::longer(outage, at), false),
            EndpointState::Slowed { outage, .. } => (Outage::longer(Some(outage), at), false),
            EndpointState::Failing { outage, .. } => (Outage::longer(Some(outage), at), true),
            EndpointState::Disabled { .. } => return (self, None),
        };
        if outage.disables(at, rules) {
            return self.disabled(DisabledBy::Failing, at);
        }
        if outage.failures >= rules.failing_after {
            let until = self.pause(outage.pause(rules.longest_failing, rules), asked, at);
            return (
                EndpointState::Failing { outage, until },
                (!failing_already).then_some(Change::BeganFailing),
            );
        }
        // Whoever says when to come again is left alone until then, with all that waits for him.
        let asked_until = asked.map(|_| self.pause(Duration::ZERO, asked, at));
        match (self, asked_until) {
            (EndpointState::Slowed { until, .. }, None) => (EndpointState::Slowed { outage, until }, None),
            (EndpointState::Slowed { .. }, Some(until)) => (EndpointState::Slowed { outage, until }, None),
            (
                EndpointState::Enabled { .. }
                | EndpointState::Failing { .. }
                | EndpointState::Disabled { .. },
                Some(until),
            ) => (EndpointState::Slowed { outage, until }, Some(Change::Slowed)),
            (
                EndpointState::Enabled { .. }
                | EndpointState::Failing { .. }
                | EndpointState::Disabled { .. },
                None,
            ) => (EndpointState::Enabled { outage: Some(outage) }, None),
        }
    }

    fn disabled(self, by: DisabledBy, at: Moment) -> (Self, Option<Change>) {
        match self {
            EndpointState::Enabled { .. } | EndpointState::Slowed { .. } | EndpointState::Failing { .. } => {
                (EndpointState::Disabled { by, at }, Some(Change::Disabled(by)))
            }
            // What disabled it first is what its owner was told.
            EndpointState::Disabled { .. } => (self, None),
        }
    }

    /// The end of a pause that begins now; a longer one that was asked for before still holds.
    fn pause(self, pause: Duration, asked: Option<Duration>, at: Moment) -> Moment {
        let until = at.plus(asked.map_or(pause, |asked| asked.max(pause)));
        self.paused_until().map_or(until, |before| before.max(until))
    }
}

impl Outage {
    fn longer(outage: Option<Outage>, at: Moment) -> Outage {
        outage.map_or(Outage { since: at, failures: 1 }, |outage| Outage {
            failures: outage.failures.saturating_add(1),
            ..outage
        })
    }

    fn disables(self, at: Moment, rules: &EndpointRules) -> bool {
        self.failures >= rules.failing_after && at.since(self.since) >= rules.disabled_after
    }

    fn pause(self, longest: Duration, rules: &EndpointRules) -> Duration {
        let doubled = 2_u32.saturating_pow(self.failures.saturating_sub(1));
        rules.first_pause.saturating_mul(doubled).min(longest)
    }
}

#[cfg(test)]
mod tests;
