//! Consumers: once, in order, whatever the bus and the processes do.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xietong_events::{
    ApplyError, Batch, Bus, Consumer, ConsumerParts, Event, EventHandler, EventLog, Sequencer,
};
use xietong_store::{Db, statement};
use xietong_timers::{Poke, Progress, Worker};

use crate::bed::{Bed, commit, note, on_both, source};

on_both!(
    every_event_is_applied_once_and_in_order,
    a_bus_that_loses_repeats_and_reorders_changes_nothing,
    an_effect_without_its_cursor_is_undone,
    a_paused_replica_commits_nothing_stale,
    what_an_earlier_process_held_is_taken_over_at_once,
    a_bad_event_holds_up_what_follows_and_not_what_came_before,
    without_a_bus_a_backlog_is_worked_off_without_a_pause,
    a_consumer_ahead_of_a_restored_producer_stops,
    a_consumer_behind_a_restored_producer_goes_on,
);

/// Notes each payload.
struct Noting;

#[async_trait]
impl EventHandler for Noting {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        for event in events {
            note(tx, &event.payload).await;
        }
        Ok(())
    }
}

fn parts(bed_db: Db, log: &EventLog, handler: Arc<dyn EventHandler>) -> ConsumerParts {
    ConsumerParts {
        consumer: "listener".into(),
        producer: "test".into(),
        db: bed_db,
        source: source(log),
        handler,
        committed: Poke::new(),
    }
}

async fn write(bed: &Bed, log: &EventLog, numbers: std::ops::Range<u32>) -> Vec<String> {
    let payloads: Vec<String> = numbers.map(|number| format!("{{\"n\":{number}}}")).collect();
    for payload in &payloads {
        commit(log, bed, &format!("things/{payload}"), &[payload]).await;
    }
    let sequencer = Sequencer::new(log.clone(), bed.bus.clone());
    while sequencer.turn().await.unwrap() == Progress::Worked {}
    payloads
}

/// Turns until everything is applied; the bus may need a moment, so this waits for it.
async fn catch_up(consumer: &Consumer) {
    xietong_testkit::wait::wait_for("the consumer to catch up", Duration::from_secs(20), async || {
        consumer.turn().await.unwrap();
        consumer.lag().await.unwrap() == 0
    })
    .await
    .unwrap();
}

async fn every_event_is_applied_once_and_in_order(bed: Bed) {
    let log = bed.log("test").await;
    let consumer = Consumer::new(parts(bed.db.clone(), &log, Arc::new(Noting)), &bed.bus);
    let mut expected = write(&bed, &log, 0..300).await;
    catch_up(&consumer).await;
    expected.extend(write(&bed, &log, 300..350).await);
    catch_up(&consumer).await;
    assert_eq!(bed.effects().await, expected);
}

async fn a_bus_that_loses_repeats_and_reorders_changes_nothing(bed: Bed) {
    let log = bed.log("test").await;
    let consumer = Consumer::new(parts(bed.db.clone(), &log, Arc::new(Noting)), &bed.bus);
    let silent = Bus::embedded();
    let mut expected = Vec::new();
    for round in 0..10_u32 {
        let payloads: Vec<String> =
            (0..9).map(|number| format!("{{\"n\":{}}}", round * 9 + number)).collect();
        for payload in &payloads {
            commit(&log, &bed, &format!("things/{payload}"), &[payload]).await;
        }
        expected.extend(payloads);
        // Sequenced without the bus knowing: lost. Then half of it repeated, backwards.
        let sequencer = Sequencer::new(log.clone(), silent.clone());
        while sequencer.turn().await.unwrap() == Progress::Worked {}
        let page = log.read(0, 1_000).await.unwrap();
        let epoch = page.epoch().to_owned();
        let mut events: Vec<Event> =
            page.events.into_iter().filter(|event| event.position % 2 == 0).collect();
        events.reverse();
        bed.bus.publish(Arc::new(Batch { producer: "test".into(), epoch, events })).await;
        // And something of another incarnation of the log.
        let mut strange = log.read(0, 1_000).await.unwrap().events;
        strange.iter_mut().for_each(|event| event.payload = "{\"n\":\"strange\"}".into());
        let strange = Batch { producer: "test".into(), epoch: "another".into(), events: strange };
        bed.bus.publish(Arc::new(strange)).await;
        catch_up(&consumer).await;
    }
    assert_eq!(bed.effects().await, expected);
}

/// Fails once, after its effects were written.
struct FailingOnce(AtomicBool);

#[async_trait]
impl EventHandler for FailingOnce {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        Noting.apply(tx, events).await?;
        if self.0.swap(false, Ordering::SeqCst) { Err(ApplyError::new("the power went")) } else { Ok(()) }
    }
}

async fn an_effect_without_its_cursor_is_undone(bed: Bed) {
    let log = bed.log("test").await;
    let handler = Arc::new(FailingOnce(AtomicBool::new(true)));
    let consumer = Consumer::new(parts(bed.db.clone(), &log, handler), &bed.bus);
    let expected = write(&bed, &log, 0..20).await;
    catch_up(&consumer).await;
    assert_eq!(bed.effects().await, expected);
}

/// Lets another replica take the cursor while this one is in the middle of its effects,
/// as if it had been stopped there for longer than its lease.
struct Paused {
    other: Consumer,
    db: Db,
    once: AtomicBool,
}

#[async_trait]
impl EventHandler for Paused {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        Noting.apply(tx, events).await?;
        if self.once.swap(false, Ordering::SeqCst) {
            let writer = self.db.writer();
            writer
                .execute_raw(statement(writer, "UPDATE consumer_cursors SET lease_until = 0", []))
                .await
                .unwrap();
            self.other.turn().await.unwrap();
            assert_eq!(self.other.lag().await.unwrap(), 0);
        }
        Ok(())
    }
}

async fn a_paused_replica_commits_nothing_stale(bed: Bed) {
    // SQLite has one writer: a replica cannot be in a transaction while another one works.
    if bed.db.backend() == xietong_store::Backend::Sqlite {
        return sqlite_replica_takes_over(bed).await;
    }
    let log = bed.log("test").await;
    let other = Consumer::new(parts(bed.replica().await, &log, Arc::new(Noting)), &bed.bus);
    let paused = Arc::new(Paused { other, db: bed.replica().await, once: AtomicBool::new(true) });
    let consumer = Consumer::new(parts(bed.db.clone(), &log, paused), &bed.bus);
    let expected = write(&bed, &log, 0..50).await;
    assert_eq!(consumer.turn().await.unwrap(), Progress::Idle, "the stale effects were rolled back");
    assert_eq!(bed.effects().await, expected, "the other replica's effects, once");
    assert_eq!(consumer.turn().await.unwrap(), Progress::Idle, "the other replica holds the lease");
}

async fn sqlite_replica_takes_over(bed: Bed) {
    let log = bed.log("test").await;
    let mut expected = write(&bed, &log, 0..50).await;
    let consumer = Consumer::new(parts(bed.db.clone(), &log, Arc::new(Noting)), &bed.bus);
    let other = Consumer::new(parts(bed.replica().await, &log, Arc::new(Noting)), &bed.bus);
    catch_up(&consumer).await;
    let writer = bed.db.writer();
    writer.execute_raw(statement(writer, "UPDATE consumer_cursors SET lease_until = 0", [])).await.unwrap();
    expected.extend(write(&bed, &log, 50..60).await);
    catch_up(&other).await;
    expected.extend(write(&bed, &log, 60..70).await);
    // The first one still believes in its lease, and is told otherwise by its commit.
    assert_eq!(consumer.turn().await.unwrap(), Progress::Idle);
    catch_up(&other).await;
    assert_eq!(bed.effects().await, expected);
}

async fn what_an_earlier_process_held_is_taken_over_at_once(bed: Bed) {
    let log = bed.log("test").await;
    let mut expected = write(&bed, &log, 0..10).await;
    let dead = Consumer::new(parts(bed.db.clone(), &log, Arc::new(Noting)), &bed.bus);
    catch_up(&dead).await;
    drop(dead);
    expected.extend(write(&bed, &log, 10..20).await);
    let next = Consumer::new(parts(bed.db.clone(), &log, Arc::new(Noting)), &bed.bus);
    assert_eq!(next.turn().await.unwrap(), Progress::Idle, "the dead one's lease still holds");
    next.take_over().await.unwrap();
    catch_up(&next).await;
    assert_eq!(bed.effects().await, expected);
}

/// A bus that nobody answers on: what there is has to be fetched.
fn dead_bus() -> Bus {
    Bus::redis("redis://127.0.0.1:1").unwrap()
}

async fn without_a_bus_a_backlog_is_worked_off_without_a_pause(bed: Bed) {
    const MANY: u32 = 1_000;
    let log = bed.log("test").await;
    let expected = write(&bed, &log, 0..MANY).await;
    let consumer = Consumer::new(parts(bed.db.clone(), &log, Arc::new(Noting)), &dead_bus());
    catch_up(&consumer).await;
    assert_eq!(bed.effects().await, expected);

    // One that cannot be applied: those before it are, one at a time and without a pause.
    let picky = Picky(Mutex::new(HashSet::from(["{\"n\":1150}".to_owned()])));
    let mut expected = expected;
    expected.extend(write(&bed, &log, MANY..MANY + 200).await);
    let consumer = Consumer::new(parts(bed.db.clone(), &log, Arc::new(picky)), &dead_bus());
    consumer.take_over().await.unwrap();
    while matches!(consumer.turn().await, Ok(Progress::Worked)) {}
    let effects = bed.effects().await;
    assert_eq!((effects.len(), effects.last()), (1_150, expected.get(1_149)));
}

/// Fails on some payloads.
struct Picky(Mutex<HashSet<String>>);

#[async_trait]
impl EventHandler for Picky {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        let refused = |event: &Event| self.0.lock().unwrap().contains(&event.payload);
        if events.iter().any(refused) {
            return Err(ApplyError::new("cannot be applied"));
        }
        Noting.apply(tx, events).await
    }
}

async fn a_bad_event_holds_up_what_follows_and_not_what_came_before(bed: Bed) {
    let log = bed.log("test").await;
    let picky = Arc::new(Picky(Mutex::new(HashSet::from(["{\"n\":3}".to_owned()]))));
    let consumer = Consumer::new(parts(bed.db.clone(), &log, picky.clone()), &bed.bus);
    let expected = write(&bed, &log, 0..6).await;
    xietong_testkit::wait::wait_for("the bad event to be reached", Duration::from_secs(20), async || {
        consumer.turn().await.is_err()
    })
    .await
    .unwrap();
    assert_eq!(bed.effects().await, expected[..3]);
    picky.0.lock().unwrap().clear();
    catch_up(&consumer).await;
    assert_eq!(bed.effects().await, expected);
}

async fn a_consumer_ahead_of_a_restored_producer_stops(bed: Bed) {
    let log = bed.log("test").await;
    let consumer = Consumer::new(parts(bed.db.clone(), &log, Arc::new(Noting)), &bed.bus);
    let expected = write(&bed, &log, 0..10).await;
    catch_up(&consumer).await;
    // The producer is restored from a copy that has five events less.
    let writer = bed.db.writer();
    writer.execute_raw(statement(writer, "DELETE FROM events WHERE position > 5", [])).await.unwrap();
    let log = log.begin_epoch().await.unwrap();
    write(&bed, &log, 100..120).await;
    let consumer = Consumer::new(parts(bed.db.clone(), &log, Arc::new(Noting)), &bed.bus);
    writer.execute_raw(statement(writer, "UPDATE consumer_cursors SET lease_until = 0", [])).await.unwrap();
    let error = consumer.turn().await.unwrap_err().to_string();
    assert!(error.contains("which now ends at 5"), "{error}");
    assert_eq!(bed.effects().await, expected);
}

async fn a_consumer_behind_a_restored_producer_goes_on(bed: Bed) {
    let log = bed.log("test").await;
    let consumer = Consumer::new(parts(bed.db.clone(), &log, Arc::new(Noting)), &bed.bus);
    let mut expected = write(&bed, &log, 0..5).await;
    catch_up(&consumer).await;
    let log = log.begin_epoch().await.unwrap();
    expected.extend(write(&bed, &log, 5..10).await);
    let consumer = Consumer::new(parts(bed.db.clone(), &log, Arc::new(Noting)), &bed.bus);
    let writer = bed.db.writer();
    writer.execute_raw(statement(writer, "UPDATE consumer_cursors SET lease_until = 0", [])).await.unwrap();
    catch_up(&consumer).await;
    assert_eq!(bed.effects().await, expected);
}
