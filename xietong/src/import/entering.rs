//! [`enter`]: entering proposals at a server. Everything is validated before anything is
//! entered; then each batch is all or none, under a request id made of what is in it. So an
//! import that was interrupted is completed by the same import.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use domain_notice::Unresolved;
use prost::Message;
use serde::Serialize;
use sha2::{Digest, Sha256};
use xietong_proto::roster::CreateDivisionRequest;
use xietong_proto::supervision::{BatchCreateTasksRequest, Task, TaskState, UpdateTaskRequest};
use xietong_proto::workgroup::CreateGroupRequest;

use super::compare::{Difference, Key, called, differences, key, revisable};
use super::division;
use super::proposal::{Proposal, open_point};
use super::server::{Server, is_there_already};

/// Most tasks of a batch.
const BATCH: usize = 1_000;
/// Most bytes of a batch: what a server reads at most is 8 MiB.
const BATCH_BYTES: usize = 6 * 1024 * 1024;

/// Attempts in all, when somebody else enters the same at the same time.
const ATTEMPTS: usize = 3;

/// How to enter.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// Tasks are under way: nobody is told.
    pub(super) backfill: bool,
    /// Tasks that differ are revised.
    pub(super) revise: bool,
    /// Tasks that resemble open ones of the same unit are meant.
    pub(super) confirm_duplicates: bool,
}

/// What became of a document.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    /// Entered and issued, or under way: the tasks' names.
    pub(super) entered: Vec<String>,
    /// Entered as drafts that a person must look at.
    pub(super) drafts: Vec<String>,
    /// Those that are there already and say the same.
    pub(super) unchanged: usize,
    /// Those that are there already and differ.
    pub(super) differing: Vec<Differing>,
    /// The division of work, if the document is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) division: Option<String>,
    /// The groups that the document founds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<String>,
    /// What else is to be known, in Chinese.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) remarks: Vec<String>,
}

/// A task that differs from its item.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Differing {
    /// `tasks/{id}`.
    pub(super) name: String,
    /// Its item.
    pub(super) item: String,
    /// In what.
    pub(super) differences: Vec<Difference>,
}

/// What is to be sent for one document.
#[derive(Default)]
struct Plan {
    document_number: String,
    batches: Vec<BatchCreateTasksRequest>,
    revisions: Vec<UpdateTaskRequest>,
    divisions: Vec<CreateDivisionRequest>,
    groups: Vec<CreateGroupRequest>,
    outcome: Outcome,
}

/// Enters proposals, and says what became of each document, in their order.
pub(super) async fn enter(
    server: &Server,
    proposals: &[Proposal],
    how: How,
) -> anyhow::Result<Vec<(String, Outcome)>> {
    let mut left = ATTEMPTS;
    loop {
        left -= 1;
        match enter_once(server, proposals, how).await {
            // An import that was cut off was still being entered when this one looked.
            Err(error) if left > 0 && is_there_already(&error) => {}
            outcome => return outcome,
        }
    }
}

async fn enter_once(
    server: &Server,
    proposals: &[Proposal],
    how: How,
) -> anyhow::Result<Vec<(String, Outcome)>> {
    let mut plans: Vec<Plan> = Vec::new();
    for document in by_document(proposals) {
        plans.push(plan(server, document, how).await?);
    }
    for plan in &plans {
        validate(server, plan)
            .await
            .with_context(|| format!("{}: nothing was imported / 未导入", plan.document_number))?;
    }
    let mut outcomes = Vec::new();
    for plan in plans {
        let number = plan.document_number.clone();
        outcomes.push((number.clone(), send(server, plan).await.with_context(|| number)?));
    }
    Ok(outcomes)
}

/// A document is issued in one act, whichever of its parts were in which file.
fn by_document(proposals: &[Proposal]) -> Vec<Vec<&Proposal>> {
    let mut documents: Vec<Vec<&Proposal>> = Vec::new();
    for proposal in proposals {
        let same = documents
            .iter_mut()
            .find(|one| one.first().is_some_and(|first| first.document_number == proposal.document_number));
        match same {
            Some(document) => document.push(proposal),
            None => documents.push(vec![proposal]),
        }
    }
    documents
}

async fn plan(server: &Server, document: Vec<&Proposal>, how: How) -> anyhow::Result<Plan> {
    let mut plan = Plan::default();
    let mut tasks = Vec::new();
    let mut passed = BTreeMap::new();
    let is_only_group = document.iter().filter(|one| one.group.is_some()).count() == 1;
    for proposal in document {
        plan.document_number.clone_from(&proposal.document_number);
        if let Some(division) = proposal.division.clone() {
            plan_division(server, &mut plan, division).await?;
        }
        if let Some(group) = proposal.group.clone() {
            plan_group(server, &mut plan, group, is_only_group).await?;
        }
        tasks.extend(proposal.tasks.iter().cloned());
        passed.extend(proposal.passed.iter().cloned());
    }
    if !tasks.is_empty() {
        plan_tasks(server, &mut plan, tasks, &passed, how).await?;
    }
    Ok(plan)
}

async fn plan_tasks(
    server: &Server,
    plan: &mut Plan,
    tasks: Vec<Task>,
    passed: &BTreeMap<Key, Unresolved>,
    how: How,
) -> anyhow::Result<()> {
    let existing = server.tasks_of(&plan.document_number).await?;
    let existing: BTreeMap<_, Task> =
        existing.into_iter().filter_map(|task| key(&task).map(|key| (key, task))).collect();
    let (mut issued, mut drafts, mut seen) = (Vec::new(), Vec::new(), BTreeMap::new());
    for mut task in tasks {
        let Some(key) = key(&task) else { bail!("an item has neither a number nor a label: {}", task.title) };
        if let Some(first) = seen.insert(key.clone(), task.title.clone()) {
            let item = called(&task);
            bail!("{item} stands twice: {first}, {} / 原文中{item}重复", task.title);
        }
        match existing.get(&key) {
            Some(before) => plan_revision(plan, before, &task, how),
            None => {
                // What has passed its date can only be looked at, or entered as it stands.
                if let Some(passed) = passed.get(&key).filter(|_| !how.backfill) {
                    task.open_points.push(open_point(passed));
                }
                if task.open_points.is_empty() { issued.push(task) } else { drafts.push(task) }
            }
        }
    }
    let confirm_duplicates = how.confirm_duplicates;
    let batch = |tasks, issue, backfill| BatchCreateTasksRequest {
        tasks,
        issue,
        backfill,
        confirm_duplicates,
        ..Default::default()
    };
    plan.batches.extend(cut(issued).into_iter().map(|tasks| batch(tasks, !how.backfill, how.backfill)));
    plan.batches.extend(cut(drafts).into_iter().map(|tasks| batch(tasks, false, false)));
    for batch in &mut plan.batches {
        batch.request_id = request_id(batch);
    }
    Ok(())
}

fn plan_revision(plan: &mut Plan, before: &Task, task: &Task, how: How) {
    let mut differences = differences(before, task);
    if differences.is_empty() {
        plan.outcome.unchanged += 1;
        return;
    }
    let paths = if how.revise { revisable(before, &differences) } else { Vec::new() };
    if !paths.is_empty() {
        let mut revised = task.clone();
        revised.name.clone_from(&before.name);
        revised.etag.clone_from(&before.etag);
        let mut request = UpdateTaskRequest {
            task: Some(revised),
            update_mask: Some(prost_types::FieldMask {
                paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            }),
            ground: format!("{}重新导入", plan.document_number),
            ..UpdateTaskRequest::default()
        };
        request.request_id = request_id(&request);
        plan.revisions.push(request);
    }
    for difference in &mut differences {
        difference.revised = paths.contains(&difference.path);
    }
    plan.outcome.differing.push(Differing { name: before.name.clone(), item: called(task), differences });
    if before.state() == TaskState::Withdrawn {
        plan.outcome.remarks.push(format!("{}已撤销（{}）", called(task), before.name));
    }
}

async fn plan_division(
    server: &Server,
    plan: &mut Plan,
    mut division: xietong_proto::roster::Division,
) -> anyhow::Result<()> {
    let existing = server.divisions_of(&plan.document_number).await?;
    let compared = existing.iter().map(|one| (one, division::differences(one, &division)));
    if let Some((before, differences)) = compared.min_by_key(|(_, differences)| differences.len()) {
        plan.outcome.division = Some(before.name.clone());
        if !differences.is_empty() {
            let remark = "该文号的分工已登记，内容与本件不同；分工一经登记不再修改，请另发新件";
            plan.outcome.remarks.push(remark.to_owned());
            plan.outcome.remarks.extend(differences);
        }
        return Ok(());
    }
    // The notice does not say who stands in when no pair helps: the city's rule goes on.
    let seconds = |one: &xietong_proto::roster::Division| one.effective_time.map(|time| time.seconds);
    let all = server.divisions_of("").await?;
    let in_force = all.into_iter().filter(|one| seconds(one) <= seconds(&division)).max_by_key(seconds);
    if let Some(in_force) = in_force {
        division.fallback = in_force.fallback;
        division.exclusions = in_force.exclusions;
        division.absence_limit_days = in_force.absence_limit_days;
        plan.outcome.remarks.push("沿用现行分工的代行规则".to_owned());
    }
    let mut request = CreateDivisionRequest { division: Some(division), ..Default::default() };
    request.request_id = request_id(&request);
    plan.divisions.push(request);
    Ok(())
}

async fn plan_group(
    server: &Server,
    plan: &mut Plan,
    group: xietong_proto::workgroup::Group,
    is_only_group: bool,
) -> anyhow::Result<()> {
    let existing = server.groups_of(&plan.document_number).await?;
    // A group that was named otherwise by hand is still the one its document founded.
    let only = existing.first().filter(|_| is_only_group && existing.len() == 1);
    let same = existing.iter().find(|one| one.display_name == group.display_name).or(only);
    if let Some(before) = same {
        plan.outcome.groups.push(before.name.clone());
        let (seats, duties) = (before.seats.len(), before.duties.len());
        if seats != group.seats.len() || duties != group.duties.len() {
            plan.outcome.remarks.push(format!(
                "该文号的机构已登记为{}：席位{seats}个、职责{duties}条，本件席位{}个、职责{}条",
                before.display_name,
                group.seats.len(),
                group.duties.len()
            ));
        }
        return Ok(());
    }
    // The same notice founds the same group, whoever imports it.
    let group_id = digest(format!("{}\n{}", group.founding_document, group.display_name).as_bytes());
    let group_id = format!("n-{}", group_id.get(..16).unwrap_or_default());
    let mut request = CreateGroupRequest { group: Some(group), group_id, ..Default::default() };
    request.request_id = request_id(&request);
    plan.groups.push(request);
    Ok(())
}

/// Asks the server of everything whether it would take it.
async fn validate(server: &Server, plan: &Plan) -> anyhow::Result<()> {
    for request in &plan.divisions {
        server.create_division(CreateDivisionRequest { validate_only: true, ..request.clone() }).await?;
    }
    for request in &plan.groups {
        server.create_group(CreateGroupRequest { validate_only: true, ..request.clone() }).await?;
    }
    for request in &plan.batches {
        server.create_tasks(BatchCreateTasksRequest { validate_only: true, ..request.clone() }).await?;
    }
    for request in &plan.revisions {
        server.update_task(UpdateTaskRequest { validate_only: true, ..request.clone() }).await?;
    }
    Ok(())
}

async fn send(server: &Server, plan: Plan) -> anyhow::Result<Outcome> {
    let mut outcome = plan.outcome;
    for request in plan.divisions {
        let created = server.create_division(request).await?;
        outcome.division = created.division.map(|division| division.name);
        if !created.handovers.is_empty() {
            outcome.remarks.push(format!("{}个单位的分管领导随之变化", created.handovers.len()));
        }
    }
    for request in plan.groups {
        outcome.groups.push(server.create_group(request).await?.name);
    }
    for request in plan.batches {
        let drafts = !request.issue && !request.backfill;
        let names = server.create_tasks(request).await?.into_iter().map(|task| task.name);
        if drafts { outcome.drafts.extend(names) } else { outcome.entered.extend(names) }
    }
    for request in plan.revisions {
        server.update_task(request).await?;
    }
    Ok(outcome)
}

/// Batches of as many tasks as one may have.
fn cut(tasks: Vec<Task>) -> Vec<Vec<Task>> {
    let (mut batches, mut bytes) = (Vec::<Vec<Task>>::new(), 0);
    for task in tasks {
        bytes += task.encoded_len();
        match batches.last_mut().filter(|batch| batch.len() < BATCH && bytes <= BATCH_BYTES) {
            Some(batch) => batch.push(task),
            None => {
                bytes = task.encoded_len();
                batches.push(vec![task]);
            }
        }
    }
    batches
}

/// Made of what is asked, so that asking the same again is asking once.
fn request_id(request: &impl Message) -> String {
    format!("import/{}", digest(&request.encode_to_vec()))
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use xietong_proto::supervision::Task;

    use super::{BATCH, cut, request_id};

    #[test]
    fn batches_are_as_large_as_they_may_be_and_no_larger() {
        let task = |size: usize| Task { text: "x".repeat(size), ..Task::default() };
        let sizes = |tasks: Vec<Task>| cut(tasks).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![]), Vec::<usize>::new());
        assert_eq!(sizes(vec![task(1); 2 * BATCH + 1]), [BATCH, BATCH, 1]);
        assert_eq!(sizes(vec![task(4 * 1024 * 1024); 3]), [1, 1, 1]);
    }

    #[test]
    fn a_request_id_is_made_of_what_is_asked() {
        let one = Task { title: "一".to_owned(), ..Task::default() };
        let other = Task { title: "二".to_owned(), ..Task::default() };
        assert_eq!(request_id(&one), request_id(&one.clone()));
        assert_ne!(request_id(&one), request_id(&other));
        assert!(request_id(&one).len() <= 128);
    }
}
