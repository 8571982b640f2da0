//! Escalations under way: a row from the moment one is asked for until supervision's answer
//! is recorded. Whatever crashes in between, the row stays and is claimed again.

use sea_orm::{ConnectionTrait, Value};
use xietong_store::{StoreError, statement};
use xietong_timers::MachineTime;

/// An escalation under way, claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Escalation {
    /// The decision, `groups/{g}/meetings/{m}/decisions/{d}`.
    pub(crate) decision: String,
    /// Which attempt this is, from 1; tells a claim from a later one.
    pub(crate) attempt: i64,
    /// Id of the event by which it was asked for.
    pub(crate) asked_event: Option<String>,
    /// Trace of the call by which it was asked for.
    pub(crate) traceparent: Option<String>,
}

/// Adds an escalation, to be carried out at once.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    decision: &str,
    asked_event: Option<&str>,
    traceparent: Option<&str>,
    now: MachineTime,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO escalations (decision, not_before, attempts, asked_event, traceparent)
               VALUES ($1, $2, 0, $3, $4)";
    let values: [Value; 4] = [
        decision.into(),
        now.as_micros().into(),
        asked_event.map(str::to_owned).into(),
        traceparent.map(str::to_owned).into(),
    ];
    connection.execute_raw(statement(connection, sql, values)).await?;
    Ok(())
}

/// Claims escalations that are due; nobody else gets them before `lease_end`.
///
/// The condition stands twice: of two replicas that chose the same row, the second finds it
/// leased when it comes to update it.
pub(crate) async fn claim<C: ConnectionTrait>(
    connection: &C,
    now: MachineTime,
    lease_end: MachineTime,
    limit: i64,
) -> Result<Vec<Escalation>, StoreError> {
    let sql = "UPDATE escalations SET not_before = $2, attempts = attempts + 1
               WHERE not_before <= $1 AND decision IN
                   (SELECT decision FROM escalations WHERE not_before <= $1 ORDER BY not_before LIMIT $3)
               RETURNING decision, attempts, asked_event, traceparent";
    let values: [Value; 3] = [now.as_micros().into(), lease_end.as_micros().into(), limit.into()];
    let rows = connection.query_all_raw(statement(connection, sql, values)).await?;
    rows.iter()
        .map(|row| {
            Ok(Escalation {
                decision: row.try_get_by("decision")?,
                attempt: row.try_get_by("attempts")?,
                asked_event: row.try_get_by("asked_event")?,
                traceparent: row.try_get_by("traceparent")?,
            })
        })
        .collect()
}

/// Gives a claimed escalation back until `not_before`, with what stood in the way. Does
/// nothing when it was claimed again meanwhile.
pub(crate) async fn put_off<C: ConnectionTrait>(
    connection: &C,
    escalation: &Escalation,
    not_before: MachineTime,
    trouble: &str,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE escalations SET not_before = $3, last_trouble = $4 WHERE decision = $1 AND attempts = $2";
    let values: [Value; 4] = [
        escalation.decision.clone().into(),
        escalation.attempt.into(),
        not_before.as_micros().into(),
        trouble.into(),
    ];
    connection.execute_raw(statement(connection, sql, values)).await?;
    Ok(())
}

/// Ends every claim and every pause.
pub(crate) async fn free_all<C: ConnectionTrait>(connection: &C) -> Result<(), StoreError> {
    let sql = "UPDATE escalations SET not_before = 0 WHERE not_before <> 0";
    connection.execute_raw(statement(connection, sql, [])).await?;
    Ok(())
}

/// Removes an escalation that has its answer.
pub(crate) async fn remove<C: ConnectionTrait>(connection: &C, decision: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM escalations WHERE decision = $1";
    connection.execute_raw(statement(connection, sql, [decision.into()])).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use xietong_store::Db;
    use xietong_timers::MachineTime;

    use super::{Escalation, claim, free_all, insert, put_off, remove};
    use crate::store::tests::{decided, scratch};

    const fn at(micros: i64) -> MachineTime {
        MachineTime::from_micros(micros)
    }

    async fn claimed(db: &Db, now: i64, lease_end: i64) -> Vec<Escalation> {
        claim(db.writer(), at(now), at(lease_end), 10).await.unwrap()
    }

    async fn with_escalations(ids: &[&str]) -> Db {
        let db = scratch().await;
        for id in ids {
            let decision = decided(&db, id).await.name;
            insert(db.writer(), &decision, Some("event"), Some("trace"), at(0)).await.unwrap();
        }
        db
    }

    #[tokio::test]
    async fn what_is_claimed_is_nobody_elses_until_the_lease_ends() {
        let db = with_escalations(&["g"]).await;
        let expected = Escalation {
            decision: "groups/g/meetings/1/decisions/1".into(),
            attempt: 1,
            asked_event: Some("event".into()),
            traceparent: Some("trace".into()),
        };
        assert_eq!(claimed(&db, 0, 30).await, std::slice::from_ref(&expected));
        assert_eq!(claimed(&db, 29, 59).await, []);
        assert_eq!(claimed(&db, 30, 60).await, [Escalation { attempt: 2, ..expected }], "its holder died");
    }

    #[tokio::test]
    async fn what_is_put_off_waits_and_what_is_answered_is_gone() {
        let db = with_escalations(&["g"]).await;
        let first = claimed(&db, 0, 30).await.remove(0);
        put_off(db.writer(), &first, at(5), "away").await.unwrap();
        assert_eq!(claimed(&db, 4, 34).await, []);
        let second = claimed(&db, 5, 35).await.remove(0);
        // The first holder wakes up: the claim is no longer its own to give back.
        put_off(db.writer(), &first, at(6), "away").await.unwrap();
        assert_eq!(claimed(&db, 6, 36).await, []);
        remove(db.writer(), &second.decision).await.unwrap();
        assert_eq!(claimed(&db, 100, 130).await, []);
    }

    #[tokio::test]
    async fn what_a_dead_process_claimed_can_be_taken_over_at_once() {
        let db = with_escalations(&["g"]).await;
        let first = claimed(&db, 0, 30).await.remove(0);
        free_all(db.writer()).await.unwrap();
        let second = claimed(&db, 1, 31).await.remove(0);
        assert_eq!((first.attempt, second.attempt), (1, 2));
    }

    #[tokio::test]
    async fn those_that_wait_longest_come_first() {
        let db = with_escalations(&["a", "b", "c"]).await;
        let first = claim(db.writer(), at(0), at(30), 2).await.unwrap();
        assert_eq!(first.len(), 2);
        let rest = claim(db.writer(), at(0), at(30), 2).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert!(first.iter().all(|one| one.decision != rest[0].decision));
    }
}
