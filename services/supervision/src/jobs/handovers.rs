//! [`Handovers`]: follows the roster's log for divisions of work that take effect, and for
//! calendars that are published.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain_roster::{DivisionTookEffect, PublishedCalendar, RosterEvent};
use domain_supervision::{Charge, HANDOVER_LISTED, HandoverHead, HandoverList, Passing};
use sea_orm::DatabaseTransaction;
use xietong_events::{Append, ApplyError, Draft, Event, EventHandler, EventLog};
use xietong_mesh::{ServiceName, Transactions};

use crate::store;

/// Writes one list a leader of what came and what went, with the tasks under way. It touches
/// no task: whose a task is follows from its units and the time.
pub(crate) struct Handovers {
    log: EventLog,
    transactions: Transactions,
}

impl Handovers {
    /// Writes to `log`, as this service.
    pub(crate) fn new(log: EventLog, transactions: Transactions) -> Self {
        Handovers { log, transactions }
    }
}

#[async_trait]
impl EventHandler for Handovers {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        for event in events {
            let read = RosterEvent::from_payload(&event.event_type, &event.payload);
            let fact = match read.map_err(ApplyError::new)? {
                Some(RosterEvent::DivisionTookEffect(fact)) => fact,
                // What was counted by an older calendar is counted anew by a job of its own.
                Some(RosterEvent::CalendarPublished(published)) => {
                    store::keep_calendar(
                        tx,
                        &PublishedCalendar { recorded_at: event.occurred_at, ..published },
                    )
                    .await?;
                    continue;
                }
                Some(_) | None => continue,
            };
            let appends = lists(tx, &fact).await?;
            let service = ServiceName::Supervision.as_str();
            let act = self.transactions.own_act(service, &fact.division, Some(event));
            self.log.append(tx, &act, &appends).await?;
        }
        Ok(())
    }
}

async fn lists(tx: &DatabaseTransaction, fact: &DivisionTookEffect) -> Result<Vec<Append>, ApplyError> {
    let passings = passings(fact);
    let units: Vec<&str> = fact.handovers.iter().map(|handover| handover.unit.as_str()).collect();
    let tasks = match fact.superseded_time {
        None => store::under_way(tx, &units).await?,
        // What is under way now is not what was then.
        Some(_) => BTreeMap::new(),
    };
    let head = HandoverHead {
        division: fact.division.clone(),
        document: fact.label().to_owned(),
        effective_time: fact.effective_time,
        superseded_time: fact.superseded_time,
    };
    let lists = HandoverList::of(&head, &passings, &tasks);
    lists
        .iter()
        .map(|list| {
            let payload = list.to_payload().map_err(ApplyError::new)?.to_string();
            Ok(Append {
                aggregate: format!("{}/handovers/{}", list.division, list.leader),
                expected_version: 0,
                drafts: vec![Draft { event_type: HANDOVER_LISTED.to_owned(), payload }],
            })
        })
        .collect()
}

fn passings(fact: &DivisionTookEffect) -> Vec<Passing> {
    let units = fact.handovers.iter().map(|handover| Passing {
        charge: Charge::Unit(handover.unit.clone()),
        from: handover.from.clone(),
        to: handover.to.clone(),
    });
    let fields = fact.field_handovers.iter().map(|handover| Passing {
        charge: Charge::Field(handover.field.clone()),
        from: handover.from.clone(),
        to: handover.to.clone(),
    });
    units.chain(fields).collect()
}
