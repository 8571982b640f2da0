//! One report for all that a unit holds of a matter.

use std::collections::BTreeMap;

use domain_attachment::Attachment;
use domain_supervision::{
    Answerable, AssignmentCommand, Command, MATTER_REPORTED, MatterReported, ReportedItem, Role,
    SharedReport, TaskEvent, Visibility, answerable,
};
use xietong_events::{Append, Draft};
use xietong_mesh::{Call, Error, Transaction};
use xietong_timers::MachineClock;

use super::Supervision;
use super::authority::Authority;
use super::sign::{Answered, Touched, keep_all};
use super::unit_drafts::approves;
use crate::error::unreadable;
use crate::record::Record;
use crate::store;

/// A report that answers a whole matter.
#[derive(Debug)]
pub(crate) struct ForMatter {
    /// `tasks/{id}`.
    pub(crate) task: String,
    /// `tasks/{t}/assignments/{a}`: what is reported on.
    pub(crate) assignment: String,
    /// What was done.
    pub(crate) text: String,
    /// Files that belong to it.
    pub(crate) attachments: Vec<Attachment>,
    /// The version it was decided on; empty when the caller does not say.
    pub(crate) etag: String,
}

impl Supervision {
    /// Reports on an assignment, and by the same report on every other open one of the unit in
    /// tasks of the same matter. Gives back the task, and what became of the others. ABORTED when
    /// somebody else changed one of the tasks at the same moment: then nothing is reported.
    pub(crate) async fn report_for_matter(
        &self,
        transaction: &Transaction,
        call: &Call,
        asked: &ForMatter,
    ) -> Result<(Record, Vec<Answered>), Error> {
        let (tx, now) = (transaction.tx(), transaction.now());
        let Some(record) = store::find(tx, &asked.task).await? else {
            return Err(call.scope()?.missing(&asked.task));
        };
        let Ok(reported) = record.task.assignment(&asked.assignment) else {
            return Err(call.scope()?.missing(&asked.assignment));
        };
        call.authorize(&record.resource_of(reported))?;
        if !asked.etag.is_empty() && asked.etag != record.etag() {
            return Err(Error::aborted_etag(&asked.task));
        }
        let unit = reported.unit.clone();
        if !approves(call, &unit) && store::release_setting(tx, &unit).await?.0 {
            return Err(Error::failed_precondition(
                "RELEASE_REQUIRED",
                "what this unit says is released by its approver, who alone answers a whole matter at once",
                "本单位对外反馈须经审核，一次反馈答复整个事项请由审核人办理",
            ));
        }
        let matter = match &record.task.matter {
            Some(name) => store::find_matter(tx, name).await?,
            None => None,
        };
        let mut others = match &matter {
            Some(matter) => store::in_matter(tx, &matter.name).await?,
            None => Vec::new(),
        };
        others.retain(|other| other.task.name != record.task.name);
        let regulation = self.regulations.knowing(tx, others.iter().chain([&record])).await?;
        let shared = |told_together: bool| {
            matter.as_ref().map(|matter| SharedReport {
                report: String::new(),
                matter: matter.name.clone(),
                title: matter.title.clone(),
                reported_on: asked.assignment.clone(),
                told_together,
            })
        };
        let report = format!("reports/{}", MachineClock::system().new_id());
        let command = |name: &str, shared: Option<SharedReport>| {
            let (text, attachments) = (asked.text.clone(), asked.attachments.clone());
            let command = match shared {
                Some(shared) => {
                    let shared = SharedReport { report: report.clone(), ..shared };
                    AssignmentCommand::ReportWithMatter { text, shared, attachments }
                }
                None => AssignmentCommand::Report { text, attachments },
            };
            Command::Assignment { name: name.to_owned(), command }
        };

        let (mut answers, mut touched) = (Vec::new(), BTreeMap::new());
        let mut told_together = false;
        for other in others {
            let Some(held) = other.task.assignments.iter().find(|one| one.unit == unit) else { continue };
            let name = held.name.clone();
            let outcome = match answerable(&record.task, held) {
                Answerable::NotOpen => continue,
                Answerable::Restricted => Err(only_by_itself()),
                Answerable::Yes => {
                    let together = other.task.visibility != Visibility::Restricted;
                    let mut one = Touched::new(other);
                    let outcome =
                        one.take(&Authority::Role, &regulation, &command(&name, shared(together)), now);
                    if outcome.is_ok() {
                        told_together |= together;
                        touched.insert(one.after.task.name.clone(), one);
                    }
                    outcome
                }
            };
            answers.push(Answered { name, outcome });
        }
        let mut first = Touched::new(record);
        let own = if touched.is_empty() { None } else { shared(told_together) };
        first.take(&Authority::Role, &regulation, &command(&asked.assignment, own), now)?;
        let after = first.after.clone();
        let items: Vec<ReportedItem> =
            std::iter::once(&first).chain(touched.values()).filter_map(told_with_others).collect();
        touched.insert(after.task.name.clone(), first);
        keep_all(transaction, &regulation, touched.values()).await?;
        if let Some(matter) = matter.filter(|_| told_together) {
            let (name, title, text) = (matter.name, matter.title, asked.text.trim().to_owned());
            let told = MatterReported { report, matter: name, title, unit, text, items, at: now };
            let payload = told.to_payload().map_err(unreadable)?.to_string();
            let drafts = vec![Draft { event_type: MATTER_REPORTED.to_owned(), payload }];
            let append = Append { aggregate: told.report, expected_version: 0, drafts };
            transaction.append_all(&[append]).await?;
        }
        Ok((after, answers))
    }
}

/// What a task adds to what is told of the whole report; none when it is told by itself.
fn told_with_others(touched: &Touched) -> Option<ReportedItem> {
    touched.events().find_map(|event| {
        let TaskEvent::Assignment(event) = event else { return None };
        let domain_supervision::AssignmentChange::Reported { shared: Some(shared), .. } = &event.change
        else {
            return None;
        };
        let leads = touched.after.task.assignments.iter().find(|one| one.role == Role::Lead);
        shared.told_together.then(|| ReportedItem {
            task: event.task.clone(),
            assignment: event.assignment.clone(),
            late: !event.late.is_empty(),
            lead_unit: leads.map(|one| one.unit.clone()),
        })
    })
}

fn only_by_itself() -> Error {
    Error::failed_precondition(
        "RESTRICTED_TASK",
        "a report on a task that only named units may know answers no other",
        "所反馈的任务限定知悉范围，不能同时答复其他任务，请另行反馈",
    )
}
