//! Entering tasks.

use domain_calendar::Timestamp;
use domain_supervision::{Command, SupervisionError, TaskDraft, TaskEvent, create, decide};
use xietong_events::Append;
use xietong_mesh::authorize::authorize;
use xietong_mesh::error::MOST_VIOLATIONS;
use xietong_mesh::{Call, Error, RosterView, Transaction};

use super::{Supervision, drafts, roster, timers};
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
    /// Asks the roster if tasks name a unit that the copy of it does not know: it may have
    /// been founded a moment ago. To be called before the transaction of the creation begins,
    /// see [`roster`]. Whether the units are known then is decided inside: a repeated request
    /// gets its first answer even when the roster cannot be asked.
    pub(crate) async fn prepare_creation(&self, entries: &[Entry]) {
        if unknown_units(&self.roster.view(), entries, self.now()).next().is_some() {
            self.roster.ask().await;
        }
    }

    /// Enters tasks, all or none, and issues them in the same act if asked, after
    /// [`Supervision::prepare_creation`]. What was escalated from an origin before is not
    /// entered again.
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

/// Refuses tasks that name a unit which the roster does not have now, naming each. UNAVAILABLE
/// when the roster may have it by now.
fn check_units(view: &RosterView, entries: &[Entry], now: Timestamp) -> Result<(), Error> {
    let mut unknown = unknown_units(view, entries, now);
    let Some(first) = unknown.next() else { return Ok(()) };
    if roster::is_stale(view) {
        return Err(Error::unavailable("the roster"));
    }
    let (field, english, chinese) = first.told();
    let error = unknown.by_ref().take(MOST_VIOLATIONS - 1).fold(
        Error::invalid(field, english, chinese),
        |error, next| {
            let (field, english, chinese) = next.told();
            error.and_invalid(field, english, chinese)
        },
    );
    Err(error.and_more(unknown.count()))
}

/// A unit that the roster does not have, and where a request names it.
struct UnknownUnit<'a> {
    unit: &'a str,
    place: &'a str,
    list: List,
    at: usize,
}

/// In which list of a task a unit is named.
#[derive(Clone, Copy)]
enum List {
    Assignments,
    RestrictedUnits,
}

impl UnknownUnit<'_> {
    /// Its field, and what is wrong with it in English and in Chinese.
    fn told(&self) -> (String, String, String) {
        let UnknownUnit { unit, place, list, at } = self;
        let field = match list {
            List::Assignments => format!("{place}.assignments[{at}].unit"),
            List::RestrictedUnits => format!("{place}.restricted_units[{at}]"),
        };
        (field, format!("there is no unit {unit}"), format!("没有这个单位（{unit}）"))
    }
}

/// The units that tasks name and a roster does not have at an instant, in the order of the
/// request.
fn unknown_units<'a>(
    roster: &'a RosterView,
    entries: &'a [Entry],
    now: Timestamp,
) -> impl Iterator<Item = UnknownUnit<'a>> {
    let named = entries.iter().flat_map(|Entry { draft, place }| {
        let assigned = draft.assignments.iter().map(|one| one.unit.as_str()).enumerate();
        let shown = draft.restricted_units.iter().map(String::as_str).enumerate();
        assigned
            .map(|(at, unit)| UnknownUnit { unit, place, list: List::Assignments, at })
            .chain(shown.map(|(at, unit)| UnknownUnit { unit, place, list: List::RestrictedUnits, at }))
    });
    named.filter(move |one| !roster.book.unit(one.unit).is_some_and(|unit| unit.exists_at(now)))
}

#[cfg(test)]
mod tests {
    use xietong_mesh::Code;

    use super::*;
    use crate::app::roster::tests::{State, copy};
    use crate::record::tests::draft;

    fn entry() -> Entry {
        Entry { draft: draft(&["units/moon"]), place: "task".to_owned() }
    }

    async fn refusal(state: State) -> Error {
        let (copy, _) = copy(state);
        copy.ask().await;
        check_units(&copy.view(), &[entry()], Timestamp::parse("2023-06-01T09:00:00+08:00").unwrap())
            .unwrap_err()
    }

    #[tokio::test]
    async fn a_unit_unknown_to_the_roster_itself_is_refused() {
        let error = refusal(State::Up).await;
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.violations()[0].field, "task.assignments[0].unit");
    }

    #[tokio::test]
    async fn a_unit_is_not_called_unknown_while_the_roster_cannot_be_asked() {
        assert_eq!(refusal(State::Down).await.code(), Code::Unavailable);
    }
}
