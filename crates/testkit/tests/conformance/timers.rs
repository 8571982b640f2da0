//! Durable timers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xietong_store::{Db, statement};
use xietong_timers::{
    Clock, FireError, Poke, Progress, SimulatedClock, Timer, TimerHandler, Timers, Worker, cancel, schedule,
};

use crate::bed::{Bed, note, on_both};

on_both!(
    nothing_fires_early_and_late_ones_fire_once,
    replicas_share_the_work_and_fire_each_once,
    a_timer_scheduled_again_moves_and_a_cancelled_one_is_gone,
    a_rolled_back_act_schedules_nothing,
    a_bad_timer_does_not_hold_up_the_others,
    what_a_dead_replica_claimed_is_fired_once_by_another,
    a_timer_that_failed_stays_due,
);

struct Noting;

#[async_trait]
impl TimerHandler for Noting {
    async fn fire(
        &self,
        tx: &DatabaseTransaction,
        timers: &[Timer],
        now: Timestamp,
    ) -> Result<(), FireError> {
        for timer in timers {
            if timer.payload == "bad" {
                return Err(FireError::new("a bad timer"));
            }
            assert!(timer.due_at <= now, "{} is early", timer.key);
            note(tx, &timer.key).await;
        }
        Ok(())
    }
}

fn start() -> Timestamp {
    Timestamp::parse("2023-06-01T09:00+08:00").unwrap()
}

fn held_clock() -> Arc<SimulatedClock> {
    let clock = SimulatedClock::starting_at(start());
    clock.hold();
    Arc::new(clock)
}

fn timers(db: Db, clock: &Arc<SimulatedClock>) -> Timers {
    Timers::new("test", db, Clock::Simulated(clock.clone()), Arc::new(Noting), Poke::new(), Poke::new())
}

fn timer(key: &str, after: u64, payload: &str) -> Timer {
    let due_at = start().saturating_add(Duration::from_secs(after));
    Timer { kind: "test.due".into(), key: key.into(), due_at, payload: payload.into() }
}

async fn plan(bed: &Bed, timers: &[Timer]) {
    let tx = bed.db.begin().await.unwrap();
    schedule(&tx, timers).await.unwrap();
    tx.commit().await.unwrap();
}

async fn fire_all(timers: &Timers) {
    while timers.turn().await.unwrap() == Progress::Worked {}
}

async fn nothing_fires_early_and_late_ones_fire_once(bed: Bed) {
    let clock = held_clock();
    let due = timers(bed.db.clone(), &clock);
    plan(&bed, &[timer("third", 90, "{}"), timer("first", 30, "{}"), timer("second", 60, "{}")]).await;
    fire_all(&due).await;
    assert_eq!(bed.effects().await, Vec::<String>::new());

    clock.set(start().saturating_add(Duration::from_secs(60)).saturating_sub(Duration::from_micros(1)));
    fire_all(&due).await;
    assert_eq!(bed.effects().await, ["first"]);
    let next = due.next_due().await.unwrap();
    assert_eq!(next, Some(start().saturating_add(Duration::from_secs(60))));

    clock.set(start().saturating_add(Duration::from_secs(3_600)));
    fire_all(&due).await;
    fire_all(&due).await;
    assert_eq!(bed.effects().await, ["first", "second", "third"]);
    assert_eq!(due.fired(), 3);
    assert_eq!(due.next_due().await.unwrap(), None);
}

async fn replicas_share_the_work_and_fire_each_once(bed: Bed) {
    const MANY: usize = 2_500;
    let clock = held_clock();
    let keys: Vec<String> = (0..MANY).map(|number| format!("{number:05}")).collect();
    plan(&bed, &keys.iter().map(|key| timer(key, 1, "{}")).collect::<Vec<_>>()).await;
    clock.set(start().saturating_add(Duration::from_secs(2)));
    let (one, two) = (timers(bed.db.clone(), &clock), timers(bed.replica().await, &clock));
    tokio::join!(fire_all(&one), fire_all(&two));
    // One may have gone idle while the other still held claims.
    fire_all(&one).await;
    let mut fired = bed.effects().await;
    fired.sort();
    assert_eq!(fired, keys);
    assert_eq!(one.fired() + two.fired(), MANY as u64);
}

async fn a_timer_scheduled_again_moves_and_a_cancelled_one_is_gone(bed: Bed) {
    let clock = held_clock();
    let due = timers(bed.db.clone(), &clock);
    plan(&bed, &[timer("moved", 10, "{}"), timer("cancelled", 10, "{}")]).await;
    plan(&bed, &[timer("moved", 100, "{}")]).await;
    let tx = bed.db.begin().await.unwrap();
    cancel(&tx, "test.due", "cancelled").await.unwrap();
    cancel(&tx, "test.due", "never scheduled").await.unwrap();
    tx.commit().await.unwrap();

    clock.set(start().saturating_add(Duration::from_secs(50)));
    fire_all(&due).await;
    assert_eq!(bed.effects().await, Vec::<String>::new());
    clock.set(start().saturating_add(Duration::from_secs(100)));
    fire_all(&due).await;
    assert_eq!(bed.effects().await, ["moved"]);
}

async fn a_rolled_back_act_schedules_nothing(bed: Bed) {
    let clock = held_clock();
    let tx = bed.db.begin().await.unwrap();
    schedule(&tx, &[timer("never", 1, "{}")]).await.unwrap();
    tx.rollback().await.unwrap();
    clock.set(start().saturating_add(Duration::from_secs(2)));
    let due = timers(bed.db.clone(), &clock);
    fire_all(&due).await;
    assert_eq!(bed.effects().await, Vec::<String>::new());
}

async fn a_bad_timer_does_not_hold_up_the_others(bed: Bed) {
    let clock = held_clock();
    let due = timers(bed.db.clone(), &clock);
    plan(&bed, &[timer("before", 1, "{}"), timer("bad", 2, "bad"), timer("after", 3, "{}")]).await;
    clock.set(start().saturating_add(Duration::from_secs(10)));
    due.turn().await.unwrap_err();
    assert_eq!(bed.effects().await, ["before", "after"]);
    assert_eq!(due.fired(), 2);
}

async fn what_a_dead_replica_claimed_is_fired_once_by_another(bed: Bed) {
    let clock = held_clock();
    let due = timers(bed.db.clone(), &clock);
    plan(&bed, &[timer("left", 30, "{}")]).await;
    clock.set(start().saturating_add(Duration::from_secs(60)));
    // As it is when a replica dies between its claim and the effect.
    let writer = bed.db.writer();
    let claim = "UPDATE timers SET claim = 'dead', claimed_until = 9000000000000000";
    writer.execute_raw(statement(writer, claim, [])).await.unwrap();
    fire_all(&due).await;
    assert_eq!(bed.effects().await, Vec::<String>::new(), "its lease still holds");
    assert!(due.is_any_due().await.unwrap(), "and nobody takes it for fired");

    let lapsed = "UPDATE timers SET claimed_until = 1";
    writer.execute_raw(statement(writer, lapsed, [])).await.unwrap();
    fire_all(&due).await;
    fire_all(&due).await;
    assert_eq!(bed.effects().await, ["left"]);

    plan(&bed, &[timer("left again", 30, "{}")]).await;
    writer.execute_raw(statement(writer, claim, [])).await.unwrap();
    due.take_over().await.unwrap();
    fire_all(&due).await;
    assert_eq!(bed.effects().await, ["left", "left again"]);
}

async fn a_timer_that_failed_stays_due(bed: Bed) {
    let clock = held_clock();
    let due = timers(bed.db.clone(), &clock);
    plan(&bed, &[timer("bad", 30, "bad"), timer("good", 40, "{}")]).await;
    clock.set(start().saturating_add(Duration::from_secs(60)));
    due.turn().await.unwrap_err();
    assert_eq!(bed.effects().await, ["good"]);
    assert!(due.is_any_due().await.unwrap());
    assert_eq!(due.turn().await.unwrap(), Progress::Idle, "it is tried again after a pause, not at once");
    let writer = bed.db.writer();
    writer.execute_raw(statement(writer, "UPDATE timers SET claimed_until = 1", [])).await.unwrap();
    due.turn().await.unwrap_err();
}
