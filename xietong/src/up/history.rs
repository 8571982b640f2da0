//! What the units did of the sample's plan, as calls of their liaisons and of the supervisor.
//!
//! `sample/linfen/history.json` has it: `moments` in order, each an instant (`time`) and the
//! `acts` of that instant. An act names what was done (`act`), the unit whose it is (`unit`),
//! which items of the plan (`items`) and what the unit says of them (`text`). A unit signs for
//! all that the plan gives it at once, so a signature names no items. At one instant nobody
//! does two things to the same item.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use tonic::transport::Channel;
use xietong_mesh::ServiceName;
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::supervision::{
    BatchSignAssignmentsRequest, DeployAssignmentRequest, ReportAssignmentRequest, SubmitAssignmentRequest,
    Task, VerifyAssignmentRequest,
};

use super::signed::Callers;
use crate::sample::{Act, Verb};

/// The plan as it was issued.
#[derive(Default)]
pub(super) struct Issued {
    document_number: String,
    /// Names of the assignments, by item and unit.
    assignments: BTreeMap<(i32, String), String>,
}

impl Issued {
    /// What the tasks of one document became.
    pub(super) fn of(tasks: Vec<Task>) -> Self {
        let mut issued = Issued::default();
        for task in tasks {
            let source = task.source.unwrap_or_default();
            for one in task.assignments {
                issued.assignments.insert((source.item_number, one.unit), one.name);
            }
            issued.document_number = source.document_number;
        }
        issued
    }

    fn assignment(&self, item: i32, unit: &str) -> anyhow::Result<&str> {
        let name = self.assignments.get(&(item, unit.to_owned()));
        name.map(String::as_str).with_context(|| format!("{unit} holds nothing of item {item}"))
    }
}

/// One call that is to be made.
struct Deed<'a> {
    verb: Verb,
    unit: &'a str,
    /// What it is about: an assignment, or for a signature the document.
    name: &'a str,
    text: &'a str,
    /// A start that was cut off is completed by the next one: the same one for ever.
    request_id: String,
}

/// Does what was done at one instant, one after the other: the store writes no faster when
/// it is asked for several things at once.
pub(super) async fn act(callers: &Callers, issued: &Issued, acts: &[Act]) -> anyhow::Result<()> {
    let client = TaskServiceClient::new(callers.channel(ServiceName::Supervision)?);
    for Act { act, unit, items, text } in acts {
        let slug = unit.trim_start_matches("units/");
        let deed = |name, about: String| {
            let request_id = format!("sample/history/{}/{slug}{about}", name_of(*act));
            perform(callers, client.clone(), Deed { verb: *act, unit, name, text, request_id })
        };
        if *act == Verb::Sign {
            deed(issued.document_number.as_str(), String::new()).await?;
        }
        for item in items {
            deed(issued.assignment(*item, unit)?, format!("/{item}")).await?;
        }
    }
    Ok(())
}

async fn perform(
    callers: &Callers,
    mut client: TaskServiceClient<Channel>,
    deed: Deed<'_>,
) -> anyhow::Result<()> {
    let Deed { verb, unit, name, text, request_id } = deed;
    let (liaison, etag) = (Callers::liaison(unit), String::new());
    let (name, text) = (name.to_owned(), text.to_owned());
    match verb {
        Verb::Sign => {
            let (names, unit, document_number) = (Vec::new(), unit.to_owned(), name);
            let request = BatchSignAssignmentsRequest { names, unit, document_number, request_id };
            let call = |request| async move { client.batch_sign_assignments(request).await };
            let signed = callers.call(&liaison, request, call).await?.results;
            if let Some(one) = signed.iter().find(|one| !one.signed) {
                bail!("{}: {}", one.name, one.message);
            }
        }
        Verb::Deploy => {
            let request = DeployAssignmentRequest { name, plan: text, etag, request_id };
            let call = |request| async move { client.deploy_assignment(request).await };
            callers.call(&liaison, request, call).await?;
        }
        Verb::Report => {
            let request = ReportAssignmentRequest { name, text, etag, request_id, answer_matter: false };
            let call = |request| async move { client.report_assignment(request).await };
            callers.call(&liaison, request, call).await?;
        }
        Verb::Submit => {
            let request = SubmitAssignmentRequest { name, text, etag, request_id };
            let call = |request| async move { client.submit_assignment(request).await };
            callers.call(&liaison, request, call).await?;
        }
        Verb::Verify => {
            let request = VerifyAssignmentRequest { name, accept: true, note: text, etag, request_id };
            let call = |request| async move { client.verify_assignment(request).await };
            callers.call(&Callers::supervisor(), request, call).await?;
        }
    }
    Ok(())
}

fn name_of(verb: Verb) -> &'static str {
    match verb {
        Verb::Sign => "sign",
        Verb::Deploy => "deploy",
        Verb::Report => "report",
        Verb::Submit => "submit",
        Verb::Verify => "verify",
    }
}
