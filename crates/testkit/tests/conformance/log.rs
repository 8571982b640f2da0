//! The event log and its sequencer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use xietong_events::{Act, Sequencer, verify_chain};
use xietong_store::StoreError;
use xietong_timers::{Progress, Worker};

use crate::bed::{Bed, act, append, commit, on_both};

on_both!(
    positions_are_dense_and_chains_verify,
    a_rolled_back_write_has_no_event,
    a_lost_race_is_stale,
    acts_of_one_transaction_build_on_one_another,
    late_commits_are_never_skipped,
    two_sequencers_share_one_log,
    a_new_epoch_says_where_the_old_one_ended,
);

async fn sequence(sequencer: &Sequencer) {
    while sequencer.turn().await.unwrap() == Progress::Worked {}
}

async fn positions_are_dense_and_chains_verify(bed: Bed) {
    let log = bed.log("test").await;
    commit(&log, &bed, "things/a", &["{\"n\":1}", "{\"n\":2}"]).await;
    commit(&log, &bed, "things/b", &["{\"n\":3}"]).await;
    assert_eq!(log.read(0, 100).await.unwrap().events, [], "nothing is readable before it is sequenced");

    let sequencer = Sequencer::new(log.clone(), bed.bus.clone());
    sequence(&sequencer).await;
    let tx = bed.db.begin().await.unwrap();
    log.append(&tx, &act(), &[append("things/a", 2, &["{\"n\":4}"])]).await.unwrap();
    tx.commit().await.unwrap();
    sequence(&sequencer).await;

    let page = log.read(0, 100).await.unwrap();
    let read: Vec<_> = page.events.iter().map(|event| (event.position, event.payload.as_str())).collect();
    assert_eq!(read, [(1, "{\"n\":1}"), (2, "{\"n\":2}"), (3, "{\"n\":3}"), (4, "{\"n\":4}")]);
    assert_eq!(page.last_position, 4);
    assert_eq!(log.read(2, 1).await.unwrap().events.len(), 1);
    verify_chain(&log.of_aggregate("things/a").await.unwrap()).unwrap();
    verify_chain(&log.of_aggregate("things/b").await.unwrap()).unwrap();
}

async fn a_rolled_back_write_has_no_event(bed: Bed) {
    let log = bed.log("test").await;
    let tx = bed.db.begin().await.unwrap();
    log.append(&tx, &act(), &[append("things/a", 0, &["{}"])]).await.unwrap();
    tx.rollback().await.unwrap();
    commit(&log, &bed, "things/b", &["{}"]).await;
    sequence(&Sequencer::new(log.clone(), bed.bus.clone())).await;
    let page = log.read(0, 100).await.unwrap();
    assert_eq!(page.events.len(), 1);
    assert_eq!((page.events[0].position, page.events[0].aggregate.as_str()), (1, "things/b"));
}

async fn acts_of_one_transaction_build_on_one_another(bed: Bed) {
    let log = bed.log("test").await;
    commit(&log, &bed, "things/a", &["{}", "{}"]).await;
    let other = Act { actor: "somebody else".to_owned(), ..act() };
    let appends = [
        (act(), append("things/a", 2, &["{}"])),
        (other.clone(), append("things/b", 0, &["{}", "{}"])),
        (other, append("things/a", 3, &["{}"])),
        (act(), append("things/b", 2, &["{}"])),
    ];
    let tx = bed.db.begin().await.unwrap();
    log.append_acts(&tx, appends.iter().map(|(act, append)| (act, append))).await.unwrap();
    tx.commit().await.unwrap();

    for (aggregate, actors) in [
        ("things/a", ["tester", "tester", "tester", "somebody else"].as_slice()),
        ("things/b", &["somebody else", "somebody else", "tester"]),
    ] {
        let events = log.of_aggregate(aggregate).await.unwrap();
        verify_chain(&events).unwrap();
        assert_eq!(events.iter().map(|event| event.actor.as_str()).collect::<Vec<_>>(), actors);
    }

    let tx = bed.db.begin().await.unwrap();
    let gap = [(act(), append("things/a", 4, &["{}"])), (act(), append("things/a", 6, &["{}"]))];
    let error = log.append_acts(&tx, gap.iter().map(|(act, append)| (act, append))).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale(aggregate) if aggregate == "things/a"));
}

async fn a_lost_race_is_stale(bed: Bed) {
    let log = bed.log("test").await;
    commit(&log, &bed, "things/a", &["{}"]).await;
    for expected in [0, 2] {
        let tx = bed.db.begin().await.unwrap();
        let result = log.append(&tx, &act(), &[append("things/a", expected, &["{}"])]).await;
        assert!(matches!(result, Err(xietong_store::StoreError::Stale(_))), "{expected}: {result:?}");
    }
}

async fn late_commits_are_never_skipped(bed: Bed) {
    const WRITERS: u64 = 64;
    const EACH: u64 = 8;
    let log = bed.log("test").await;
    let writing = Arc::new(AtomicBool::new(true));
    let sequencing = {
        let sequencer = Sequencer::new(log.clone(), bed.bus.clone());
        let writing = writing.clone();
        tokio::spawn(async move {
            // One more sweep after the last writer has committed.
            while writing.load(Ordering::SeqCst) || sequencer.turn().await.unwrap() == Progress::Worked {
                sequencer.turn().await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    };
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (log, db) = (log.clone(), bed.db.clone());
        writers.spawn(async move {
            for round in 0..EACH {
                let tx = db.begin().await.unwrap();
                let aggregate = format!("things/{writer}");
                let expected = i64::try_from(round).unwrap();
                log.append(&tx, &act(), &[append(&aggregate, expected, &["{}"])]).await.unwrap();
                // The commit comes some time after the entry number was taken: the load
                // of this test, not a wait for anything.
                tokio::time::sleep(Duration::from_micros((writer * 7919 + round * 104_729) % 3_000)).await;
                tx.commit().await.unwrap();
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    writing.store(false, Ordering::SeqCst);
    sequencing.await.unwrap();

    let all = i64::try_from(WRITERS * EACH).unwrap();
    let page = log.read(0, 1_000).await.unwrap();
    let positions: Vec<i64> = page.events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=all).collect::<Vec<_>>(), "every committed event has its place");
    for writer in 0..WRITERS {
        let aggregate = format!("things/{writer}");
        let versions: Vec<i64> = page
            .events
            .iter()
            .filter(|event| event.aggregate == aggregate)
            .map(|event| event.version)
            .collect();
        assert_eq!(versions, (1..=i64::try_from(EACH).unwrap()).collect::<Vec<_>>(), "{aggregate} in order");
    }
}

async fn two_sequencers_share_one_log(bed: Bed) {
    let log = bed.log("test").await;
    let other = xietong_events::EventLog::open("test", bed.replica().await).await.unwrap();
    for number in 0..50 {
        commit(&log, &bed, &format!("things/{number}"), &["{}", "{}"]).await;
    }
    let (one, two) = (Sequencer::new(log.clone(), bed.bus.clone()), Sequencer::new(other, bed.bus.clone()));
    let (first, second) = tokio::join!(one.turn(), two.turn());
    first.unwrap();
    second.unwrap();
    sequence(&one).await;
    let positions: Vec<i64> =
        log.read(0, 1_000).await.unwrap().events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=100).collect::<Vec<_>>());
}

async fn a_new_epoch_says_where_the_old_one_ended(bed: Bed) {
    let log = bed.log("test").await;
    commit(&log, &bed, "things/a", &["{}"]).await;
    sequence(&Sequencer::new(log.clone(), bed.bus.clone())).await;
    let before = log.read(0, 10).await.unwrap();
    let log = log.begin_epoch().await.unwrap();
    let after = log.read(0, 10).await.unwrap();
    assert_ne!(after.epoch(), before.epoch());
    assert_eq!(after.reach(before.epoch()), Some(1));
    commit(&log, &bed, "things/b", &["{}"]).await;
    sequence(&Sequencer::new(log.clone(), bed.bus.clone())).await;
    // Restored twice: a reader of the first incarnation may have what all of them hold.
    let log = log.begin_epoch().await.unwrap();
    let last = log.read(0, 10).await.unwrap();
    assert_eq!((last.reach(before.epoch()), last.reach(after.epoch())), (Some(1), Some(2)));
    assert_eq!(last.reach("of another database"), None);
}
