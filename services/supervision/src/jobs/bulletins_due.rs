//! [`BulletinsDue`]: what follows when the units' time to check a bulletin has passed.

use domain_calendar::Timestamp;
use sea_orm::DatabaseTransaction;
use xietong_events::{Append, EventLog};
use xietong_mesh::{ServiceName, Transactions};
use xietong_timers::{FireError, Timer};

use crate::app::{DueBulletin, recorded};
use crate::store;

/// Tells the leader that a bulletin can be signed, unless appeals are open: then their decision does.
pub(crate) struct BulletinsDue {
    log: EventLog,
    transactions: Transactions,
}

impl BulletinsDue {
    /// Writes to `log`, as this service.
    pub(crate) fn new(log: EventLog, transactions: Transactions) -> Self {
        BulletinsDue { log, transactions }
    }

    /// Lets the timers of bulletins take effect.
    pub(crate) async fn fire(
        &self,
        tx: &DatabaseTransaction,
        timers: &[&Timer],
        now: Timestamp,
    ) -> Result<(), FireError> {
        for timer in timers {
            let due: DueBulletin = serde_json::from_str(&timer.payload).map_err(FireError::new)?;
            let Some(before) = store::find_bulletin(tx, &due.bulletin).await? else {
                tracing::warn!(bulletin = due.bulletin, "a timer is for a bulletin that does not exist");
                continue;
            };
            let Some(ready) = before.becomes_ready(now) else { continue };
            let mut after = before.clone();
            after.apply(&ready);
            store::save_bulletin(tx, before.version, &after).await?;
            let drafts = vec![recorded(&ready).map_err(FireError::new)?];
            let append = Append { aggregate: before.name.clone(), expected_version: before.version, drafts };
            let act = self.transactions.own_act(ServiceName::Supervision.as_str(), &before.name, None);
            self.log.append(tx, &act, &[append]).await?;
        }
        Ok(())
    }
}
