use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Finish, Lanes, Limits, Ticket};

/// Endpoint, subject, and when it was offered.
type Numbered = (u8, Option<u8>, usize);
type Held = (Ticket<u8, u8>, Numbered);

const LIMITS: Limits = Limits { total: 8, kept: 2, lane: 3 };

fn drain<Work>(lanes: &mut Lanes<&'static str, u8, Work>) -> (Vec<Ticket<&'static str, u8>>, Vec<Work>) {
    std::iter::from_fn(|| lanes.take_next()).unzip()
}

#[test]
fn lanes_take_turns_and_one_that_hangs_fills_its_own_places_only() {
    let mut lanes = Lanes::new(LIMITS);
    for number in 0..100 {
        lanes.offer("hangs", None, ("hangs", number));
    }
    let (_held, work) = drain(&mut lanes);
    assert_eq!(work, [("hangs", 0), ("hangs", 1), ("hangs", 2)]);
    for number in 0..4 {
        lanes.offer("fast", None, ("fast", number));
    }
    for number in 0..4 {
        let (ticket, work) = lanes.take_next().unwrap();
        assert_eq!(work, ("fast", number));
        assert_eq!(lanes.finish(ticket, Finish::Settled), []);
    }
    assert_eq!((lanes.take_next(), lanes.under_way(), lanes.waiting(&"hangs")), (None, 3, 97));
}

#[test]
fn many_that_hang_leave_places_for_those_that_have_none() {
    let mut lanes = Lanes::new(LIMITS);
    for endpoint in ["a", "b", "c", "d"] {
        for _ in 0..10 {
            lanes.offer(endpoint, None, endpoint);
        }
    }
    let (_held, work) = drain(&mut lanes);
    assert_eq!(work, ["a", "b", "c", "d", "a", "b"]);
    lanes.offer("fast", None, "fast");
    lanes.offer("faster", None, "faster");
    let (_held, work) = drain(&mut lanes);
    assert_eq!(work, ["fast", "faster"]);
}

#[test]
fn of_a_subject_one_is_under_way_and_the_others_keep_their_order() {
    let mut lanes = Lanes::new(LIMITS);
    for (subject, work) in [(1, "1a"), (1, "1b"), (2, "2a"), (1, "1c")] {
        lanes.offer("ordered", Some(subject), work);
    }
    let (ticket_of_1, work) = lanes.take_next().unwrap();
    assert_eq!(work, "1a");
    let (ticket_of_2, work) = lanes.take_next().unwrap();
    assert_eq!((work, lanes.take_next()), ("2a", None));
    assert_eq!(lanes.finish(ticket_of_2, Finish::Settled), Vec::<&str>::new());
    assert_eq!(lanes.take_next(), None);
    assert_eq!(lanes.finish(ticket_of_1, Finish::Postponed), ["1b", "1c"]);
    assert_eq!((lanes.take_next(), lanes.under_way()), (None, 0));
}

#[test]
fn an_endpoint_that_is_slowed_has_one_place_and_a_disabled_one_gives_back_its_work() {
    let mut lanes: Lanes<&str, u8, u8> = Lanes::new(LIMITS);
    lanes.set_at_once("slowed", 1);
    for number in 0..3 {
        lanes.offer("slowed", None, number);
    }
    let (ticket, work) = lanes.take_next().unwrap();
    assert_eq!((work, lanes.take_next()), (0, None));
    assert_eq!(lanes.withdraw(&"slowed"), [1, 2]);
    assert_eq!(lanes.finish(ticket, Finish::Postponed), Vec::<u8>::new());
    assert_eq!((lanes.take_next(), lanes.withdraw(&"unknown")), (None, vec![]));
}

proptest! {
    #[test]
    fn limits_and_order_hold_and_nothing_is_lost_or_starved(
        steps in proptest::collection::vec((0_u8..4, 0_u8..5, proptest::option::of(0_u8..3), any::<bool>()), 1..300),
    ) {
        let mut lanes: Lanes<u8, u8, Numbered> = Lanes::new(LIMITS);
        let mut held: Vec<Held> = Vec::new();
        let (mut offered, mut settled) = (0_usize, 0_usize);
        let mut last: BTreeMap<(u8, u8), usize> = BTreeMap::new();
        let mut finish = |lanes: &mut Lanes<_, _, _>, (ticket, work): Held, postpone: bool| {
            if !postpone {
                // In order of a subject, whatever was postponed meanwhile.
                if let (endpoint, Some(subject), number) = work {
                    let before = last.insert((endpoint, subject), number);
                    assert!(before.is_none_or(|before| before < number));
                }
                settled += 1;
                assert!(lanes.finish(ticket, Finish::Settled).is_empty());
                return;
            }
            let again = lanes.finish(ticket, Finish::Postponed);
            for work in std::iter::once(work).chain(again) {
                lanes.offer(work.0, work.1, work);
            }
        };
        for (kind, endpoint, subject, postpone) in steps {
            match kind {
                0 | 1 => {
                    lanes.offer(endpoint, subject, (endpoint, subject, offered));
                    offered += 1;
                }
                2 => held.extend(lanes.take_next()),
                _ => {
                    if !held.is_empty() {
                        let first = held.remove(usize::from(endpoint) % held.len());
                        finish(&mut lanes, first, postpone);
                    }
                }
            }
            prop_assert!(held.len() <= LIMITS.total && held.len() == lanes.under_way());
            for endpoint in 0..5 {
                let here: Vec<_> = held.iter().filter(|(_, work)| work.0 == endpoint).collect();
                prop_assert!(here.len() <= LIMITS.lane);
                for subject in 0..3 {
                    prop_assert!(here.iter().filter(|(_, work)| work.1 == Some(subject)).count() <= 1);
                }
            }
        }
        loop {
            held.extend(std::iter::from_fn(|| lanes.take_next()));
            let Some(one) = held.pop() else { break };
            finish(&mut lanes, one, false);
        }
        prop_assert_eq!(settled, offered);
    }
}
