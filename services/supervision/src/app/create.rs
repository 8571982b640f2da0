//! Entering tasks.

use domain_calendar::Timestamp;
use domain_supervision::{Command, SupervisionError, TaskDraft, TaskEvent, create, decide};
use xietong_events::Append;
use xietong_mesh::authorize::authorize;
use xietong_mesh::{Call, Error, RosterView, Transaction};

use super::{Supervision, drafts, timers};
use crate::error::refused;
use crate::record::Record;
use crate::store;

const ISSUE: &str = "supervision.tasks.issue";

/// A task to enter, and where it stands in the request, for example `tasks[3]`.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What was entered; without a ledger number.
    pub(crate) draft: TaskDraft,
    /// Path of the task in the request.
    pub(crate) place: String,
}

/// A task that is about to be written, with the events that make it.
type Planned = (Record, Vec<TaskEvent>);

impl Supervision {
    /// Enters tasks, all or none, and issues them in the same act if asked. What was
    /// escalated from an origin before is not entered again.
    pub(crate) async fn create(
        &self,
        transaction: &Transaction,
        call: &Call,
        entries: Vec<Entry>,
        issue: bool,
    ) -> Result<Vec<Record>, Error> {
        let now = transaction.now();
        if let [Entry { draft: TaskDraft { origin: Some(origin), .. }, .. }] = entries.as_slice()
            && let Some(record) = store::of_origin(transaction.tx(), origin).await?
        {
            call.authorize(&record.resource())?;
            return Ok(vec![record]);
        }
        let mut records = Vec::with_capacity(entries.len());
        for entry in &entries {
            let (record, _) =
                self.plan(&entry.draft, issue, now).map_err(|error| refused(&error, &entry.place))?;
            call.authorize(&record.resource())?;
            if issue {
                authorize(&call.principal, ISSUE, &record.resource())?;
            }
            records.push(record);
        }
        check_units(&self.roster()?, &entries, now)?;

        store::insert(transaction.tx(), &mut records, &self.regulation).await?;
        store::keep_origins(transaction.tx(), &records).await?;
        let (mut appends, mut due) = (Vec::with_capacity(records.len()), Vec::new());
        for (mut entry, record) in entries.into_iter().zip(&records) {
            // The number is known only now, and every event names it.
            entry.draft.ledger_number = record.task.ledger_number;
            let (_, events) =
                self.plan(&entry.draft, issue, now).map_err(|error| refused(&error, &entry.place))?;
            let aggregate = record.task.name.clone();
            appends.push(Append { aggregate, expected_version: 0, drafts: drafts(&events)? });
            due.extend(timers::of(&record.task, &self.regulation)?);
        }
        transaction.append_all(&appends).await?;
        transaction.schedule(&due).await?;
        Ok(records)
    }

    fn plan(&self, draft: &TaskDraft, issue: bool, now: Timestamp) -> Result<Planned, SupervisionError> {
        let mut events = vec![create(draft.clone(), now)?];
        let mut record = Record::of_draft(draft, now);
        if issue {
            let issued = decide(&record.task, &Command::Issue, &self.regulation.context(now))?;
            record.apply(&issued)?;
            events.extend(issued);
        }
        Ok((record, events))
    }
}

/// Refuses tasks that name a unit which the roster does not have now, naming each.
fn check_units(roster: &RosterView, entries: &[Entry], now: Timestamp) -> Result<(), Error> {
    let exists = |unit: &str| roster.book.unit(unit).is_some_and(|unit| unit.exists_at(now));
    let mut wrong: Option<Error> = None;
    for Entry { draft, place } in entries {
        let assigned = draft
            .assignments
            .iter()
            .enumerate()
            .map(|(at, one)| (format!("{place}.assignments[{at}].unit"), &one.unit));
        let shown = draft
            .restricted_units
            .iter()
            .enumerate()
            .map(|(at, unit)| (format!("{place}.restricted_units[{at}]"), unit));
        for (field, unit) in assigned.chain(shown).filter(|(_, unit)| !exists(unit)) {
            let (english, chinese) = (format!("there is no unit {unit}"), format!("没有这个单位（{unit}）"));
            wrong = Some(match wrong {
                None => Error::invalid(field, english, chinese),
                Some(error) => error.and_invalid(field, english, chinese),
            });
        }
    }
    wrong.map_or(Ok(()), Err)
}
