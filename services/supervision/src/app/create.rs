//! Entering tasks.

use domain_calendar::Timestamp;
use domain_supervision::{
    Backfill, Command, DOCUMENT_ISSUED, DocumentIssued, KnownTask, Source, SupervisionError, TaskDraft,
    TaskEvent, backfill, create_knowing, decide,
};
use xietong_events::{Append, Draft};
use xietong_mesh::authorize::authorize;
use xietong_mesh::error::MOST_VIOLATIONS;
use xietong_mesh::{Call, Error, RosterView, Transaction};
use xietong_timers::MachineClock;

use super::duplicates::resembling;
use super::{Supervision, drafts, family, roster, timers};
use crate::error::{refused, unreadable};
use crate::record::Record;
use crate::regulation::Regulation;
use crate::store;

const ISSUE: &str = "supervision.tasks.issue";

/// A task to enter, and where it stands in the request, for example `tasks[3]`.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What was entered; without a ledger number.
    pub(crate) draft: TaskDraft,
    /// Path of the task in the request.
    pub(crate) place: String,
    /// How it stood, when it was under way before.
    pub(crate) backfill: Option<Backfill>,
}

/// What becomes of tasks that are entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entering {
    /// They stay drafts, or go on as they stood.
    Only,
    /// They are issued in the same act, and each unit is told of each.
    Issuing,
    /// They are issued in the same act, and each unit is told once of all that a document
    /// gives it.
    IssuingDocuments,
}

/// How tasks are entered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    /// What becomes of them.
    pub(crate) entering: Entering,
    /// Nothing is kept.
    pub(crate) validate_only: bool,
    /// They are meant although some ask the same of a unit as open ones do.
    pub(crate) confirmed: bool,
    /// What they come from is a record that this service has just read.
    pub(crate) known_origin: bool,
}

/// A task that is about to be written, with the events that make it.
type Planned = (Record, Vec<TaskEvent>);

impl Supervision {
    /// Asks the roster if tasks name a unit that the copy of it does not know: it may have
    /// been founded a moment ago. To be called before the transaction of the creation begins,
    /// see [`roster`]. Whether the units are known then is decided inside: a repeated request
    /// gets its first answer even when the roster cannot be asked.
    pub(crate) async fn prepare_creation(&self, entries: &[Entry]) {
        if unknown_units(&self.roster.view(), named(entries), self.now()).next().is_some() {
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
        How { entering, validate_only, confirmed, known_origin }: How,
    ) -> Result<Vec<Record>, Error> {
        let now = transaction.now();
        if let [Entry { draft: TaskDraft { origin: Some(origin), .. }, .. }] = entries.as_slice() {
            if let Some(record) = store::of_origin(transaction.tx(), origin).await? {
                call.authorize(&record.resource())?;
                return Ok(vec![record]);
            }
            let known = known_origin || call.principal.is_system();
            if !known && store::find_instruction(transaction.tx(), origin).await?.is_none() {
                let english = format!("there is no instruction {origin}");
                return Err(Error::invalid("origin", english, "没有这条批示"));
            }
        }
        // What is only entered runs by no rule yet.
        let runs = entering != Entering::Only || entries.iter().any(|entry| entry.backfill.is_some());
        let regulation =
            if runs { self.regulations.current(transaction.tx()).await? } else { self.regulation() };
        let mut records = Vec::with_capacity(entries.len());
        for entry in &entries {
            let (record, _) = plan(&regulation, entry, entering, Vec::new(), now)
                .map_err(|error| refused(&error, &entry.place))?;
            call.authorize(&record.resource())?;
            if entering != Entering::Only || entry.backfill.is_some() {
                authorize(&call.principal, ISSUE, &record.resource())?;
            }
            records.push(record);
        }
        check_units(&self.roster()?, named(&entries), now)?;

        // In one order, whoever else does the same.
        let parents = records.iter().filter_map(|record| record.task.parent.as_deref());
        store::hold(transaction.tx(), &parents.collect()).await?;
        for (entry, record) in entries.iter().zip(&records) {
            family::admit_parent(transaction.tx(), &record.task, &entry.place).await?;
        }
        refuse_taken(store::keep_sources(transaction.tx(), &records).await?, &entries)?;
        let resembling = resembling(transaction.tx(), &records).await?;
        if !confirmed {
            resembling.refuse_duplicates(&entries)?;
        }
        if validate_only {
            // No number of the ledger is taken for what is not entered.
            return Ok(records);
        }
        store::insert(transaction.tx(), &mut records, &regulation, now).await?;
        store::keep_origins(transaction.tx(), &records).await?;
        store::keep_likeness(transaction.tx(), &resembling.keys(&records)).await?;
        store::keep_pairs(transaction.tx(), &resembling.pairs(&records)).await?;
        store::keep_parents(transaction.tx(), &records).await?;
        let (mut appends, mut due) = (Vec::with_capacity(records.len()), Vec::new());
        let mut issued = Vec::new();
        for (at, (mut entry, record)) in entries.into_iter().zip(&records).enumerate() {
            // The number is known only now, and every event names it.
            entry.draft.ledger_number = record.task.ledger_number;
            let known = resembling.known_of(at, &records);
            let (_, events) = plan(&regulation, &entry, entering, known, now)
                .map_err(|error| refused(&error, &entry.place))?;
            let aggregate = record.task.name.clone();
            transaction.hold(&aggregate, &record.task.attachments).await?;
            appends.push(Append { aggregate, expected_version: 0, drafts: drafts(&events)? });
            due.extend(timers::of(&record.task, &regulation)?);
            if told_with_document(entering, &entry.draft) {
                issued.extend(events.into_iter().map(|event| (&record.task.source, event)));
            }
        }
        appends.extend(tell_documents(&issued)?);
        transaction.append_all(&appends).await?;
        transaction.schedule(&due).await?;
        Ok(records)
    }
}

fn plan(
    regulation: &Regulation,
    entry: &Entry,
    entering: Entering,
    known: Vec<KnownTask>,
    now: Timestamp,
) -> Result<Planned, SupervisionError> {
    let Entry { draft, backfill: before, place: _ } = entry;
    let mut events = vec![create_knowing(draft.clone(), known, now)?];
    let mut record = Record::of_draft(draft, now);
    let context = regulation.context(&record.task, now);
    if let Some(before) = before {
        let entered = backfill(&record.task, before, &context)?;
        record.apply(std::slice::from_ref(&entered))?;
        events.push(entered);
    } else if entering != Entering::Only {
        let with_document = told_with_document(entering, draft);
        let issued = decide(&record.task, &Command::Issue { with_document }, &context)?;
        record.apply(&issued)?;
        events.extend(issued);
    }
    Ok((record, events))
}

/// Whether the units hear of a task with all else that its document gives them.
fn told_with_document(entering: Entering, draft: &TaskDraft) -> bool {
    match entering {
        Entering::IssuingDocuments => !draft.source.document_number.is_empty(),
        Entering::Only | Entering::Issuing => false,
    }
}

/// What each unit is told of documents, as events of an aggregate of their own.
fn tell_documents(issued: &[(&Source, TaskEvent)]) -> Result<Option<Append>, Error> {
    let items = issued
        .iter()
        .map(|(source, event)| (source.document_number.as_str(), source.item_number.as_str(), event));
    let drafts: Vec<Draft> = DocumentIssued::of(items)
        .iter()
        .map(|told| {
            let payload = told.to_payload().map_err(unreadable)?.to_string();
            Ok(Draft { event_type: DOCUMENT_ISSUED.to_owned(), payload })
        })
        .collect::<Result<_, Error>>()?;
    let aggregate = format!("issuings/{}", MachineClock::system().new_id());
    Ok((!drafts.is_empty()).then_some(Append { aggregate, expected_version: 0, drafts }))
}

/// Refuses items of documents that are tasks already, naming each.
fn refuse_taken(taken: Vec<(usize, String)>, entries: &[Entry]) -> Result<(), Error> {
    let Some((_, first)) = taken.first() else { return Ok(()) };
    let place = |at: usize| entries.get(at).map_or("task", |entry| entry.place.as_str());
    let told = taken.iter().take(MOST_VIOLATIONS).fold(Error::already_exists(first), |error, (at, task)| {
        let field = format!("{}.source", place(*at));
        error.and_invalid(field, format!("this item is {task}"), format!("该文号该项已登记为{task}"))
    });
    Err(told.and_more(taken.len().saturating_sub(MOST_VIOLATIONS)))
}

/// Refuses tasks that name a unit which the roster does not have now, naming each. UNAVAILABLE
/// when the roster may have it by now.
pub(super) fn check_units(view: &RosterView, named: Vec<NamedUnit<'_>>, now: Timestamp) -> Result<(), Error> {
    let mut unknown = unknown_units(view, named, now);
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

/// A unit, and where a request names it.
pub(super) struct NamedUnit<'a> {
    pub(super) unit: &'a str,
    pub(super) place: &'a str,
    pub(super) list: List,
    pub(super) at: usize,
}

/// In which list of a task a unit is named.
#[derive(Clone, Copy)]
pub(super) enum List {
    Assignments,
    RestrictedUnits,
    Milestones,
    Targets,
    Sites,
    /// In none: `place` is its field.
    Alone,
    /// In a list of units alone: `place` is its field.
    Units,
}

impl NamedUnit<'_> {
    /// Its field, and what is wrong with it in English and in Chinese.
    fn told(&self) -> (String, String, String) {
        let NamedUnit { unit, place, list, at } = self;
        let field = match list {
            List::Assignments => format!("{place}.assignments[{at}].unit"),
            List::RestrictedUnits => format!("{place}.restricted_units[{at}]"),
            List::Milestones => format!("{place}.milestones[{at}].units"),
            List::Targets => format!("{place}.targets[{at}].source_unit"),
            List::Sites => format!("{place}[{at}].unit"),
            List::Alone => (*place).to_owned(),
            List::Units => format!("{place}[{at}]"),
        };
        (field, format!("there is no unit {unit}"), format!("没有这个单位（{unit}）"))
    }
}

/// The units that tasks name, in the order of the request.
fn named(entries: &[Entry]) -> Vec<NamedUnit<'_>> {
    let mut named = Vec::new();
    for Entry { draft, place, backfill: _ } in entries {
        let mut name = |unit, list, at| named.push(NamedUnit { unit, place, list, at });
        for (at, one) in draft.assignments.iter().enumerate() {
            name(one.unit.as_str(), List::Assignments, at);
        }
        for (at, unit) in draft.restricted_units.iter().enumerate() {
            name(unit, List::RestrictedUnits, at);
        }
        for (at, milestone) in draft.milestones.iter().enumerate() {
            milestone.units.iter().for_each(|unit| name(unit, List::Milestones, at));
        }
        for (at, target) in draft.targets.iter().enumerate() {
            target.source_unit.iter().for_each(|unit| name(unit, List::Targets, at));
        }
    }
    named
}

/// Those of the named units that a roster does not have at an instant.
pub(super) fn unknown_units<'a>(
    roster: &RosterView,
    named: Vec<NamedUnit<'a>>,
    now: Timestamp,
) -> impl Iterator<Item = NamedUnit<'a>> {
    named.into_iter().filter(move |one| !roster.book.unit(one.unit).is_some_and(|unit| unit.exists_at(now)))
}

#[cfg(test)]
mod tests {
    use xietong_mesh::Code;

    use super::*;
    use crate::app::roster::tests::{State, copy};
    use crate::record::tests::draft;

    fn entry() -> Entry {
        Entry { draft: draft(&["units/moon"]), place: "task".to_owned(), backfill: None }
    }

    async fn refusal(state: State) -> Error {
        let (copy, _) = copy(state);
        copy.ask().await;
        check_units(&copy.view(), named(&[entry()]), Timestamp::parse("2023-06-01T09:00:00+08:00").unwrap())
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
