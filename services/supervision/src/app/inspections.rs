//! Inspections: planning, changing and looking at them.

use std::collections::BTreeMap;

use domain_supervision::{
    AssignmentDraft, FindingOutcome, Grade, Inspection, InspectionCommand, InspectionError, InspectionEvent,
    InspectionPlan, InspectionState, Role, Source, TaskDraft, TaskKind, Terms, Visibility, plan_inspection,
};
use xietong_events::Draft;
use xietong_mesh::{Call, Error, Resource, Transaction};
use xietong_timers::MachineClock;

use super::Supervision;
use super::create::{Entering, Entry, How, List, NamedUnit, check_units, unknown_units};
use crate::error::unreadable;
use crate::record::Record;
use crate::store::{self, Portion};

/// Characters of a finding that its task is called by.
const TITLE: usize = 60;

/// What is asked of an inspection.
#[derive(Debug, Clone)]
pub(crate) enum AskedOfInspection {
    /// A command.
    Command(InspectionCommand),
    /// To have a finding put right in a task, which is declared not classified.
    Rectify {
        /// The finding's resource name.
        finding: String,
        /// The declaration.
        unclassified: bool,
    },
}

/// An inspection, and the tasks in which its findings are put right, by name.
#[derive(Debug)]
pub(crate) struct ShownInspection {
    pub(crate) inspection: Inspection,
    pub(crate) tasks: BTreeMap<String, Record>,
}

impl Supervision {
    /// Plans an inspection.
    pub(crate) async fn plan_inspection(
        &self,
        transaction: &Transaction,
        call: &Call,
        plan: InspectionPlan,
    ) -> Result<ShownInspection, Error> {
        call.authorize(&Resource::new())?;
        let event = plan_inspection(plan.clone(), transaction.now()).map_err(refused)?;
        let view = self.roster()?;
        let sites = plan.sites.iter().enumerate();
        let sites = sites.map(|(at, site)| NamedUnit {
            unit: &site.unit,
            place: "inspection.sites",
            list: List::Sites,
            at,
        });
        check_units(&view, sites.collect(), transaction.now())?;
        if let Some((at, _)) =
            plan.team.iter().enumerate().find(|(_, member)| view.book.official(member).is_none())
        {
            let field = format!("inspection.team[{at}]");
            return Err(Error::invalid(field, "is no official", "没有这位人员"));
        }
        let inspection = Inspection::planned(plan);
        store::insert_inspection(transaction.tx(), &inspection).await?;
        self.record_inspection(transaction, &inspection, 0, &event).await?;
        Ok(ShownInspection { inspection, tasks: BTreeMap::new() })
    }

    /// Carries out what is asked of an inspection. ABORTED when the etag is not the current one.
    pub(crate) async fn change_inspection(
        &self,
        transaction: &Transaction,
        call: &Call,
        (name, etag): (&str, &str),
        asked: &AskedOfInspection,
    ) -> Result<ShownInspection, Error> {
        call.authorize(&Resource::new())?;
        let (tx, now) = (transaction.tx(), transaction.now());
        let before = store::find_inspection(tx, name).await?.ok_or_else(|| Error::not_found(name))?;
        if !etag.is_empty() && etag != etag_of(&before) {
            return Err(Error::aborted_etag(name));
        }
        let command = match asked {
            AskedOfInspection::Command(command) => {
                if let InspectionCommand::Find { unit, .. } = command {
                    let unit = NamedUnit { unit, place: "finding.unit", list: List::Alone, at: 0 };
                    check_units(&self.roster()?, vec![unit], now)?;
                }
                command.clone()
            }
            AskedOfInspection::Rectify { finding, unclassified } => {
                // Whether it may be is asked before a task is entered.
                let command = |task: &str| InspectionCommand::Rectify {
                    finding: finding.clone(),
                    task: task.to_owned(),
                };
                before.decide(&command(""), now).map_err(refused)?;
                let draft = task_of(&before, finding, *unclassified, &call.principal.subject)?;
                let entry = Entry { draft, place: "task".to_owned(), backfill: None };
                // What was found anew is asked for anew, whatever is open that resembles it.
                let how = How {
                    entering: Entering::Issuing,
                    validate_only: false,
                    confirmed: true,
                    known_origin: true,
                };
                let entered = self.create(transaction, call, vec![entry], how).await?;
                command(entered.first().map_or("", |record| record.task.name.as_str()))
            }
        };
        let event = before.decide(&command, now).map_err(refused)?;
        let mut after = before.clone();
        after.apply(&event);
        store::save_inspection(tx, before.version, &after).await?;
        self.record_inspection(transaction, &after, before.version, &event).await?;
        let tasks = store::find_all(tx, &tasks_of(&after)).await?;
        Ok(ShownInspection { inspection: after, tasks })
    }

    /// An inspection of this name.
    pub(crate) async fn inspection(&self, call: &Call, name: &str) -> Result<ShownInspection, Error> {
        call.authorize(&Resource::new())?;
        let found = store::find_inspection(self.db.reader(), name).await?;
        let inspection = found.ok_or_else(|| Error::not_found(name))?;
        self.with_tasks(inspection).await
    }

    /// A portion of the inspections, the latest first.
    pub(crate) async fn inspections(
        &self,
        call: &Call,
        state: Option<InspectionState>,
        portion: Portion,
    ) -> Result<Vec<(i64, ShownInspection)>, Error> {
        call.authorize(&Resource::new())?;
        self.shown(store::inspections(self.db.reader(), state, portion).await?).await
    }

    /// Asks the roster if a site's unit is one that the copy of it does not know, before the
    /// transaction begins, see [`super::roster`].
    pub(crate) async fn prepare_inspection(&self, units: &[&str]) {
        let named = units.iter().map(|unit| NamedUnit { unit, place: "", list: List::Alone, at: 0 });
        if unknown_units(&self.roster.view(), named.collect(), self.now()).next().is_some() {
            self.roster.ask().await;
        }
    }

    async fn shown(&self, all: Vec<(i64, Inspection)>) -> Result<Vec<(i64, ShownInspection)>, Error> {
        let mut shown = Vec::with_capacity(all.len());
        for (number, inspection) in all {
            shown.push((number, self.with_tasks(inspection).await?));
        }
        Ok(shown)
    }

    async fn with_tasks(&self, inspection: Inspection) -> Result<ShownInspection, Error> {
        let tasks = store::find_named(self.db.reader(), &tasks_of(&inspection)).await?;
        Ok(ShownInspection { inspection, tasks })
    }

    async fn record_inspection(
        &self,
        transaction: &Transaction,
        inspection: &Inspection,
        version: i64,
        event: &InspectionEvent,
    ) -> Result<(), Error> {
        let payload = event.to_payload().map_err(unreadable)?.to_string();
        let draft = Draft { event_type: event.event_type().to_owned(), payload };
        transaction.append(&inspection.plan.name, version, vec![draft]).await?;
        Ok(())
    }
}

/// Changes with every change of an inspection.
pub(crate) fn etag_of(inspection: &Inspection) -> String {
    format!("v{}", inspection.version)
}

fn tasks_of(inspection: &Inspection) -> Vec<&str> {
    let mut tasks = Vec::new();
    for finding in &inspection.findings {
        match &finding.outcome {
            FindingOutcome::Rectified { task } => tasks.push(task.as_str()),
            FindingOutcome::Open | FindingOutcome::Dismissed { .. } => {}
        }
    }
    tasks
}

/// The task in which a finding is put right.
fn task_of(
    inspection: &Inspection,
    finding: &str,
    unclassified: bool,
    creator: &str,
) -> Result<TaskDraft, Error> {
    let finding = inspection.finding(finding).map_err(refused)?;
    let name = format!("tasks/{}", MachineClock::system().new_id());
    let assignment = AssignmentDraft {
        name: format!("{name}/assignments/1"),
        unit: finding.unit.clone(),
        role: Role::Lead,
    };
    let place = if finding.place.is_empty() { String::new() } else { format!("（{}）", finding.place) };
    Ok(TaskDraft {
        name,
        ledger_number: 0,
        title: format!("整改：{}", finding.text.chars().take(TITLE).collect::<String>()),
        text: format!("{}发现的问题{place}：{}", inspection.plan.title, finding.text),
        grade: Grade::Ordinary,
        // The document is the inspection's, and none of its items is this.
        source: Source::default(),
        visibility: Visibility::Internal,
        restricted_units: Vec::new(),
        tags: vec![inspection.plan.title.clone()],
        created_by: creator.to_owned(),
        unclassified,
        origin: Some(finding.name.clone()),
        terms: Terms { kind: Some(TaskKind::Finding), ..Terms::default() },
        due_date: Some(finding.last_day),
        milestones: Vec::new(),
        targets: Vec::new(),
        open_points: Vec::new(),
        attachments: Vec::new(),
        parent: None,
        assignments: vec![assignment],
    })
}

/// What is asked of an inspection was refused.
fn refused(error: InspectionError) -> Error {
    let (english, chinese) = (error.to_string(), error.chinese());
    match error {
        InspectionError::Empty(field) => Error::invalid(field, english, chinese),
        InspectionError::EndsFirst { .. } => Error::invalid("inspection.end_time", english, chinese),
        InspectionError::NoTeamOrSites => Error::invalid("inspection", english, chinese),
        InspectionError::DayPassed { .. } => Error::invalid("finding.due_time", english, chinese),
        InspectionError::UnknownFinding { name } => Error::not_found(name),
        InspectionError::TooManyFindings => Error::failed_precondition("TOO_MANY_FINDINGS", english, chinese),
        InspectionError::FindingSettled => Error::failed_precondition("FINDING_SETTLED", english, chinese),
        InspectionError::FindingsOpen { .. } => Error::failed_precondition("FINDINGS_OPEN", english, chinese),
        InspectionError::Refused { .. } => Error::failed_precondition("INSPECTION_STATE", english, chinese),
    }
}
