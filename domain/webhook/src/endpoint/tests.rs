use std::time::Duration;

use proptest::prelude::*;

use super::{Change, DisabledBy, EndpointEvent, EndpointRules, EndpointState, Outage};
use crate::answer::Meaning;
use crate::moment::Moment;

const EARLY: Moment = Moment::from_seconds(1_700_000_000);
const NOW: Moment = Moment::from_seconds(1_700_000_100);
const LATER: Moment = Moment::from_seconds(1_700_000_200);
const BUSY: Meaning = Meaning::Busy { retry_after: None };

fn attempted(meaning: Meaning, at: Moment) -> EndpointEvent {
    EndpointEvent::Attempted { meaning, at }
}

fn after(state: EndpointState, event: EndpointEvent) -> (EndpointState, Option<Change>) {
    state.after(event, &EndpointRules::default())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn every_event_has_its_answer_in_every_state() {
    let outage = |failures| Outage { since: EARLY, failures };
    let enabled = EndpointState::NEW;
    let nearly = EndpointState::Enabled { outage: Some(outage(4)) };
    let slowed = EndpointState::Slowed { outage: outage(1), until: EARLY };
    let failing = EndpointState::Failing { outage: outage(5), until: EARLY };
    let off = EndpointState::Disabled { by: DisabledBy::Failing, at: EARLY };
    let gone =
        (EndpointState::Disabled { by: DisabledBy::Gone, at: NOW }, Some(Change::Disabled(DisabledBy::Gone)));
    let by_owner = (
        EndpointState::Disabled { by: DisabledBy::Owner, at: NOW },
        Some(Change::Disabled(DisabledBy::Owner)),
    );
    let slow = |since, failures, pause, change| {
        (
            EndpointState::Slowed { outage: Outage { since, failures }, until: NOW.plus(seconds(pause)) },
            change,
        )
    };
    let fail = |failures, pause, change| {
        (EndpointState::Failing { outage: outage(failures), until: NOW.plus(seconds(pause)) }, change)
    };
    let recovered = (enabled, Some(Change::Recovered));
    let told_slow = Some(Change::Slowed);
    let told_failing = Some(Change::BeganFailing);
    let first = EndpointState::Enabled { outage: Some(Outage { since: NOW, failures: 1 }) };
    let slowed_twice = EndpointState::Slowed { outage: outage(2), until: EARLY };

    let table = [
        (
            attempted(Meaning::Delivered, NOW),
            [(enabled, None), (enabled, None), recovered, recovered, (off, None)],
        ),
        (attempted(Meaning::Gone, NOW), [gone, gone, gone, gone, (off, None)]),
        (
            attempted(BUSY, NOW),
            [
                slow(NOW, 1, 5, told_slow),
                slow(EARLY, 5, 80, told_slow),
                slow(EARLY, 2, 10, None),
                slow(EARLY, 6, 160, told_slow),
                (off, None),
            ],
        ),
        (
            attempted(Meaning::UNANSWERED, NOW),
            [(first, None), fail(5, 80, told_failing), (slowed_twice, None), fail(6, 160, None), (off, None)],
        ),
        (EndpointEvent::DisabledByOwner { at: NOW }, [by_owner, by_owner, by_owner, by_owner, (off, None)]),
        (
            EndpointEvent::EnabledByOwner,
            [
                (enabled, None),
                (nearly, None),
                (slowed, None),
                (failing, None),
                (enabled, Some(Change::Enabled)),
            ],
        ),
    ];
    for (event, expected) in table {
        for (state, expected) in [enabled, nearly, slowed, failing, off].into_iter().zip(expected) {
            assert_eq!(after(state, event), expected, "{state:?}, {event:?}");
        }
    }
}

#[test]
fn an_endpoint_that_fails_for_five_days_is_disabled_and_not_sooner() {
    let rules = EndpointRules::default();
    let mut state = EndpointState::NEW;
    for hour in 0..120 {
        let at = EARLY.plus(seconds(hour * 3_600));
        let meaning = if hour % 3 == 0 { BUSY } else { Meaning::UNANSWERED };
        state = state.after(attempted(meaning, at), &rules).0;
        assert!(!matches!(state, EndpointState::Disabled { .. }), "after {hour} hours");
    }
    let at = EARLY.plus(rules.disabled_after);
    let (state, change) = state.after(attempted(BUSY, at), &rules);
    assert_eq!(state, EndpointState::Disabled { by: DisabledBy::Failing, at });
    assert_eq!(change, Some(Change::Disabled(DisabledBy::Failing)));
}

#[test]
fn two_failures_with_days_between_them_disable_nothing() {
    let (state, _) = after(EndpointState::NEW, attempted(Meaning::UNANSWERED, EARLY));
    let days_later = EARLY.plus(seconds(10 * 86_400));
    let (state, change) = after(state, attempted(Meaning::UNANSWERED, days_later));
    assert_eq!(change, None);
    assert!(matches!(state, EndpointState::Enabled { .. }), "{state:?}");
}

#[test]
fn a_receiver_that_asks_to_be_left_alone_is_though_others_of_its_requests_succeed() {
    let wait = Meaning::Busy { retry_after: Some(seconds(60)) };
    let (slowed, _) = after(EndpointState::NEW, attempted(wait, NOW));
    assert_eq!(slowed.paused_until(), Some(NOW.plus(seconds(60))));
    let (still, change) = after(slowed, attempted(Meaning::Delivered, NOW.plus(seconds(1))));
    assert_eq!((still.paused_until(), still.at_once(8), change), (slowed.paused_until(), 1, None));
    // A shorter pause that follows from another answer does not shorten it.
    let (still, _) = after(still, attempted(BUSY, NOW.plus(seconds(2))));
    assert_eq!(still.paused_until(), slowed.paused_until());
    assert_eq!(
        after(still, attempted(Meaning::Delivered, LATER)),
        (EndpointState::NEW, Some(Change::Recovered))
    );
}

#[test]
fn a_failing_receiver_that_says_when_it_is_back_is_asked_then() {
    let outage = Outage { since: EARLY, failures: 9 };
    let failing = EndpointState::Failing { outage, until: EARLY };
    let asked = Meaning::Failed { retry_after: Some(seconds(20_000)) };
    assert_eq!(after(failing, attempted(asked, NOW)).0.paused_until(), Some(NOW.plus(seconds(20_000))));
}

#[test]
fn a_receiver_that_fails_once_and_says_when_it_is_back_is_left_alone_until_then() {
    let asked = Meaning::Failed { retry_after: Some(seconds(60)) };
    let (slowed, change) = after(EndpointState::NEW, attempted(asked, NOW));
    assert_eq!((slowed.paused_until(), change), (Some(NOW.plus(seconds(60))), Some(Change::Slowed)));
    // What fails meanwhile without saying so does not shorten it, and a longer time holds.
    let (still, change) = after(slowed, attempted(Meaning::UNANSWERED, NOW.plus(seconds(1))));
    assert_eq!((still.paused_until(), change), (slowed.paused_until(), None));
    let longer = Meaning::Failed { retry_after: Some(seconds(90)) };
    let (still, change) = after(still, attempted(longer, NOW.plus(seconds(2))));
    assert_eq!((still.paused_until(), change), (Some(NOW.plus(seconds(92))), None));
}

fn meaning() -> impl Strategy<Value = Meaning> {
    let wait = proptest::option::of((0_u64..86_400).prop_map(Duration::from_secs));
    prop_oneof![
        2 => Just(Meaning::Delivered),
        1 => Just(Meaning::Gone),
        6 => wait.clone().prop_map(|retry_after| Meaning::Busy { retry_after }),
        6 => wait.prop_map(|retry_after| Meaning::Failed { retry_after }),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_the_rules_hold(
        events in proptest::collection::vec((0_u8..20, 0_u64..50_000, meaning()), 0..200),
    ) {
        let rules = EndpointRules::default();
        let mut state = EndpointState::NEW;
        let mut at = EARLY;
        let mut last_taken = EARLY;
        for (kind, wait, meaning) in events {
            at = at.plus(Duration::from_secs(wait));
            let event = match kind {
                0 => EndpointEvent::DisabledByOwner { at },
                1 => EndpointEvent::EnabledByOwner,
                _ => attempted(meaning, at),
            };
            let (next, change) = state.after(event, &rules);
            let named = std::mem::discriminant(&state) != std::mem::discriminant(&next);
            prop_assert_eq!(change.is_some(), named, "{:?} to {:?}", state, next);
            // Only its owner enables what is disabled.
            if let EndpointState::Disabled { .. } = state {
                prop_assert!(next == state || event == EndpointEvent::EnabledByOwner);
            }
            if change == Some(Change::Disabled(DisabledBy::Failing)) {
                prop_assert!(at.since(last_taken) >= rules.disabled_after);
            }
            // Something is always sent again by itself, unless it is disabled.
            if let Some(until) = next.paused_until() {
                prop_assert!(until <= at.plus(Duration::from_secs(86_400)));
            }
            prop_assert_eq!(next.at_once(8) == 0, matches!(next, EndpointState::Disabled { .. }));
            if event == attempted(Meaning::Delivered, at) || change == Some(Change::Enabled) {
                last_taken = at;
            }
            state = next;
        }
        prop_assert_eq!(state.after(EndpointEvent::EnabledByOwner, &rules).0.at_once(8) > 0, true);
    }
}
