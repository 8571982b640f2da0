//! The light as SQL over the service's own columns equals the light as Rust.

use domain_calendar::Timestamp;
use domain_supervision::{StoredClock, light, light_sql};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{ConnectionTrait, Value};
use xietong_store::statement;

use crate::city::{City, Store};
use crate::on_both;

on_both!(the_light_as_sql_is_the_light_as_rust);

fn any_clock() -> impl Strategy<Value = StoredClock> {
    let instant = || proptest::option::of((0_i64..20).prop_map(Timestamp::from_micros));
    (instant(), instant(), any::<bool>(), any::<bool>())
        .prop_map(|(yellow_at, red_at, paused, closed)| StoredClock { yellow_at, red_at, paused, closed })
}

async fn the_light_as_sql_is_the_light_as_rust(store: Store) {
    let city = City::start(store).await;
    let mut runner = TestRunner::deterministic();
    let clocks: Vec<StoredClock> =
        proptest::collection::vec(any_clock(), 400).new_tree(&mut runner).unwrap().current();
    let tx = city.service.db.begin().await.unwrap();
    for (number, clock) in clocks.iter().enumerate() {
        let sql =
            "INSERT INTO assignments (name, ledger_number, unit, role, settles, state, yellow_at, red_at,
                   paused, closed) VALUES ($1, $2, 'units/x', 'lead', TRUE, 'assigned', $3, $4, $5, $6)";
        let values: [Value; 6] = [
            format!("a/{number}").into(),
            (number as i64).into(),
            clock.yellow_at.map(Timestamp::as_micros).into(),
            clock.red_at.map(Timestamp::as_micros).into(),
            clock.paused.into(),
            clock.closed.into(),
        ];
        tx.execute_raw(statement(&tx, sql, values)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let reader = city.service.db.reader();
    let sql = format!("SELECT {} AS light FROM assignments ORDER BY ledger_number", light_sql("$1"));
    for now in (0..20).map(Timestamp::from_micros) {
        let rows = reader.query_all_raw(statement(reader, &sql, [now.as_micros().into()])).await.unwrap();
        let found: Vec<String> = rows.iter().map(|row| row.try_get_by("light").unwrap()).collect();
        let expected: Vec<&str> = clocks.iter().map(|clock| light(clock, now).as_str()).collect();
        assert_eq!(found, expected, "at {now}");
    }
}
