//! Where a consumer stands, kept in its own database, and who may move it.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{Db, StoreError, statement};
use xietong_timers::{MachineClock, MachineTime};

/// A holder that stalls longer than this loses the cursor to another replica.
pub(crate) const LEASE: Duration = Duration::from_secs(10);

/// The cursor of one consumer on one producer.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    consumer: String,
    producer: String,
    holder: String,
}

/// What the cursor said when the lease was taken or renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) epoch: String,
    pub(crate) position: i64,
    pub(crate) renew_at: MachineTime,
}

impl Cursor {
    pub(crate) fn new(consumer: &str, producer: &str, machine: MachineClock) -> Self {
        Cursor { consumer: consumer.into(), producer: producer.into(), holder: machine.new_id().to_string() }
    }

    /// Takes or renews the lease; `None` while another replica holds it.
    pub(crate) async fn hold(&self, db: &Db, now: MachineTime) -> Result<Option<Held>, StoreError> {
        let writer = db.writer();
        let values: [Value; 3] =
            [self.consumer.clone().into(), self.producer.clone().into(), self.holder.clone().into()];
        let sql = "INSERT INTO consumer_cursors (consumer, producer, epoch, position, holder, lease_until)
                   VALUES ($1, $2, '', 0, $3, 0) ON CONFLICT (consumer, producer) DO NOTHING";
        writer.execute_raw(statement(writer, sql, values.clone())).await?;
        let sql = "UPDATE consumer_cursors SET holder = $3, lease_until = $4
                   WHERE consumer = $1 AND producer = $2 AND (holder = $3 OR lease_until < $5)
                   RETURNING epoch, position";
        let leases: [Value; 2] = [now.plus(LEASE).as_micros().into(), now.as_micros().into()];
        let row = writer.query_one_raw(statement(writer, sql, values.into_iter().chain(leases))).await?;
        row.map(|row| {
            Ok(Held {
                epoch: row.try_get_by("epoch")?,
                position: row.try_get_by("position")?,
                renew_at: now.plus(LEASE / 3),
            })
        })
        .transpose()
    }

    /// Moves the cursor in the transaction of the effects. False when it is not where, or
    /// not whose, it was: the transaction must then be rolled back. This is what keeps a
    /// process that was paused past its lease from committing anything stale.
    pub(crate) async fn advance(
        &self,
        tx: &DatabaseTransaction,
        from: &Held,
        epoch: &str,
        position: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE consumer_cursors SET epoch = $5, position = $6
                   WHERE consumer = $1 AND producer = $2 AND holder = $3 AND position = $4 AND epoch = $7";
        let values: [Value; 7] = [
            self.consumer.clone().into(),
            self.producer.clone().into(),
            self.holder.clone().into(),
            from.position.into(),
            epoch.into(),
            position.into(),
            from.epoch.clone().into(),
        ];
        let result = tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(result.rows_affected() == 1)
    }

    /// Gives the lease back.
    pub(crate) async fn release(&self, db: &Db) -> Result<(), StoreError> {
        let writer = db.writer();
        let sql = "UPDATE consumer_cursors SET lease_until = 0
                   WHERE consumer = $1 AND producer = $2 AND holder = $3";
        let values: [Value; 3] =
            [self.consumer.clone().into(), self.producer.clone().into(), self.holder.clone().into()];
        writer.execute_raw(statement(writer, sql, values)).await?;
        Ok(())
    }

    /// Ends the lease, whoever has it.
    pub(crate) async fn take_over(&self, db: &Db) -> Result<(), StoreError> {
        let writer = db.writer();
        let sql = "UPDATE consumer_cursors SET lease_until = 0 WHERE consumer = $1 AND producer = $2";
        let values: [Value; 2] = [self.consumer.clone().into(), self.producer.clone().into()];
        writer.execute_raw(statement(writer, sql, values)).await?;
        Ok(())
    }

    /// Where the cursor stands, whoever holds it.
    pub(crate) async fn position(&self, db: &Db) -> Result<i64, StoreError> {
        let reader = db.reader();
        let sql = "SELECT position FROM consumer_cursors WHERE consumer = $1 AND producer = $2";
        let values: [Value; 2] = [self.consumer.clone().into(), self.producer.clone().into()];
        let row = reader.query_one_raw(statement(reader, sql, values)).await?;
        Ok(row.map(|row| row.try_get_by("position")).transpose()?.unwrap_or(0))
    }
}
