//! The RPCs: decode, ask `app/`, encode.

mod archive;
mod bulletins;
mod check;
mod circumstance;
mod comments;
mod content;
mod cooperation;
mod decode;
mod delegations;
mod division_preview;
mod encode;
mod explain;
mod family;
mod files;
mod inspections;
mod instructions;
mod instrument;
mod ledger;
mod list;
mod matters;
mod milestones;
mod papers;
mod pause;
mod printable;
mod rule_parts;
mod rules;
mod score_rules;
mod side_road;
mod targets;
mod terms;
mod timeline;
mod unit_drafts;

use std::mem::take;

use domain_attachment::Attachment;
use domain_supervision::{AssignmentCommand, Command};
use prost::{Message, Name};
use tonic::{Request, Response, Status};
use xietong_events::Event;
use xietong_mesh::convert::{encode_time, optional};
use xietong_mesh::input::{LINE, TEXT};
use xietong_mesh::page::Paging;
use xietong_mesh::serve::MAX_MESSAGE_BYTES;
use xietong_mesh::{Attempt, Call, Error, Peers, Transactions, input, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::task_service_server::TaskService;

pub(crate) use archive::Archives;
pub(crate) use bulletins::Bulletins;
use check::{Check, is_instruction, task_name, task_of_assignment};
pub(crate) use division_preview::DivisionPreviews;
pub(crate) use explain::Explanations;
pub(crate) use inspections::Inspections;
pub(crate) use ledger::Ledger;
pub(crate) use matters::Matters;
pub(crate) use papers::Papers;
pub(crate) use rules::Rules;
pub(crate) use score_rules::ScoreRules;

use crate::app::{
    Answered, Asked, Change, Entering, Entry, ForMatter, How, MOST_SIGNED, Supervision, Target, ToSign,
};
use crate::error::command_refused;
use crate::record::Record;
use crate::store::Portion;

/// Most instructions that stand before a timeline.
const MOST_INSTRUCTIONS: u64 = 50;

/// Most tasks of a batch.
const LARGEST_BATCH: usize = 1_000;

/// `xietong.supervision.v1.TaskService`.
pub(crate) struct Tasks {
    app: Supervision,
    transactions: Transactions,
    peers: Peers,
}

/// What a change is answered with, given the task as it became and the name of what changed.
type Answer<R> = fn(&Supervision, &Record, &str) -> Result<R, Error>;

impl Tasks {
    /// The RPCs over `app`. `peers` signs grants for the files in what is read.
    pub(crate) fn new(app: Supervision, transactions: Transactions, peers: Peers) -> Self {
        Tasks { app, transactions, peers }
    }

    /// Enters tasks once for a request id. `request` is without it.
    async fn create<M, R>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        (entries, how): (Vec<Entry>, How),
        answer: fn(Vec<proto::Task>) -> Option<R>,
    ) -> Result<Response<R>, Error>
    where
        M: Name,
        R: Message + Default,
    {
        self.app.prepare_creation(&entries).await;
        let transaction = match self.transactions.begin(call, request, request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let records = self.app.create(&transaction, call, entries, how).await?;
        let now = transaction.now();
        let tasks = records.iter().map(|record| encode::task(record, &self.app.regulation(), now)).collect();
        let answer = answer(tasks).ok_or_else(|| Error::internal(NothingCreated))?;
        // A transaction that is not committed leaves nothing, not even its request id.
        let answer = if how.validate_only { answer } else { transaction.commit(answer).await? };
        Ok(Response::new(answer))
    }

    /// Carries out a verb once for a request id. `request` is without it.
    async fn change<M, R>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        change: Change,
        answer: Answer<R>,
    ) -> Result<Response<R>, Status>
    where
        M: Name,
        R: Message + Default,
    {
        self.app.prepare_change(call).await;
        self.app.prepare_unit(&change).await;
        let attempt = || self.change_once(call, request, request_id, &change, answer);
        Ok(Response::new(retried(&change.etag, attempt).await?))
    }

    /// Reports for all that the unit holds of a matter. `request` is without its request id.
    async fn report_for_matter(
        &self,
        call: &Call,
        request: &proto::ReportAssignmentRequest,
        request_id: &str,
        attachments: Vec<Attachment>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let asked = ForMatter {
            task: task_of_assignment(&request.name)?.to_owned(),
            assignment: request.name.clone(),
            text: request.text.clone(),
            attachments,
            etag: request.etag.clone(),
        };
        let attempt = || async {
            let transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let (record, answers) = self.app.report_for_matter(&transaction, call, &asked).await?;
            let mut answer = one_assignment(&self.app, &record, &asked.assignment)?;
            answer.matter_answers = answers.into_iter().map(matters::answer).collect();
            transaction.commit(answer).await
        };
        Ok(Response::new(retried(&asked.etag, attempt).await?))
    }

    async fn change_once<M, R>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        change: &Change,
        answer: Answer<R>,
    ) -> Result<R, Error>
    where
        M: Name,
        R: Message + Default,
    {
        let mut transaction = match self.transactions.begin(call, request, request_id).await? {
            Attempt::Repeat(answer) => return Ok(answer),
            Attempt::First(transaction) => transaction,
        };
        let record = self.app.change(&mut transaction, call, change).await?;
        let answer = answer(&self.app, &record, change.name())?;
        if change.validate_only { Ok(answer) } else { transaction.commit(answer).await }
    }
}

/// A creation gave no task: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("a creation gave no task")]
struct NothingCreated;

#[tonic::async_trait]
impl TaskService for Tasks {
    async fn create_task(
        &self,
        request: Request<proto::CreateTaskRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let mut call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let may_name = call.principal.is_system() || is_instruction(&request.origin);
        if !request.origin.is_empty() && !may_name {
            return Err(Error::permission_denied(format!("{} with an origin", call.action)).into());
        }
        input::text("origin", request.origin.clone(), LINE)?;
        let task = request.task.clone().unwrap_or_default();
        let entry = decode::entry(task, "task".to_owned(), &mut call, &request.origin)?;
        let entering = if request.issue { Entering::Issuing } else { Entering::Only };
        let how = How {
            entering,
            validate_only: false,
            confirmed: request.confirm_duplicates,
            known_origin: false,
        };
        let entries = (vec![entry], how);
        Ok(self.create(&call, &request, &request_id, entries, |mut tasks| tasks.pop()).await?)
    }

    async fn batch_create_tasks(
        &self,
        request: Request<proto::BatchCreateTasksRequest>,
    ) -> Result<Response<proto::BatchCreateTasksResponse>, Status> {
        let mut call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        if !(1..=LARGEST_BATCH).contains(&request.tasks.len()) {
            let (english, chinese) = ("must be 1 to 1000 tasks", "一次可登记1至1000项任务");
            return Err(Error::invalid("tasks", english, chinese).into());
        }
        if request.issue && request.backfill {
            let (english, chinese) = ("not together with issue", "补录与交办只能选一项");
            return Err(Error::invalid("backfill", english, chinese).into());
        }
        let mut entries = Vec::with_capacity(request.tasks.len());
        for (at, task) in request.tasks.iter().enumerate() {
            let place = format!("tasks[{at}]");
            // A draft is nowhere yet: it has something open, or lacks what is asked of work under way.
            let backfill = request.backfill.then(|| decode::backfill(task, &place)).transpose()?;
            entries.push(Entry { backfill, ..decode::entry(task.clone(), place, &mut call, "")? });
        }
        let entering = if request.issue { Entering::IssuingDocuments } else { Entering::Only };
        let (validate_only, confirmed) = (request.validate_only, request.confirm_duplicates);
        let entries = (entries, How { entering, validate_only, confirmed, known_origin: false });
        let answer = |tasks| Some(proto::BatchCreateTasksResponse { tasks });
        Ok(self.create(&call, &request, &request_id, entries, answer).await?)
    }

    async fn update_task(
        &self,
        request: Request<proto::UpdateTaskRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let mut call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let task = request.task.clone().unwrap_or_default();
        task_name(&task.name)?;
        long_text("ground", &request.ground)?;
        let (name, etag) = (task.name.clone(), task.etag.clone());
        let mask = request.update_mask.as_ref().map(|mask| mask.paths.as_slice()).unwrap_or_default();
        let revision = content::revision(task, mask, &mut call)?;
        self.app.prepare_revision(&revision).await;
        let asked = Asked::Revise { revision, ground: request.ground.clone() };
        let ground = optional(request.ground.clone());
        let validate_only = request.validate_only;
        let change = Change { task: name, target: Target::Task, asked, etag, ground, validate_only };
        self.change(&call, &request, &request_id, change, whole_task).await
    }

    async fn get_task(
        &self,
        request: Request<proto::GetTaskRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        task_name(&name)?;
        let record = self.app.get(&call, &name).await?;
        let sub_tasks = family::encode(&self.app.sub_tasks(&call, &record).await?);
        let mut task = encode::task(&record, &self.app.regulation(), self.app.now());
        files::grant(&mut task, &record, &self.peers.grants(&call))?;
        Ok(Response::new(proto::Task { sub_tasks, ..task }))
    }

    async fn list_tasks(
        &self,
        request: Request<proto::ListTasksRequest>,
    ) -> Result<Response<proto::ListTasksResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let query = decode::list_query(&request)?;
        let (light, state) = (request.light.to_string(), request.state.to_string());
        let proto::ListTasksRequest { unit, document_number, leader, tag, q, matter, parent, .. } = &request;
        let asked = ["ListTasks", unit, &light, &state, document_number, leader, tag, q, matter, parent];
        let paging = Paging::new(&asked, request.page_size, &request.page_token)?;

        let listing = self.app.listing(&call, query).await?;
        // Taken before the search: what is said of the answer then holds.
        let search_as_of = self.app.search_as_of(&listing).await?;
        let now = self.app.now();
        let key = |record: &Record| record.task.ledger_number;
        let encode = |record: Record| Ok(encode::task(&record, &self.app.regulation(), now));
        let read = |before, limit| self.app.portion(&listing, Portion { before, limit });
        let (tasks, next_page_token) = list::page(paging, key, encode, read).await?;
        let roster_as_of = listing.roster_as_of.map(encode_time);
        Ok(Response::new(proto::ListTasksResponse {
            tasks,
            next_page_token,
            roster_as_of,
            search_as_of: search_as_of.map(encode_time),
        }))
    }

    async fn get_timeline(
        &self,
        request: Request<proto::GetTimelineRequest>,
    ) -> Result<Response<proto::Timeline>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        task_name(&request.name)?;
        let asked = ["GetTimeline", &request.name];
        let paging = Paging::new(&asked, request.page_size, &request.page_token)?;
        let roster = self.app.roster.view().book;
        let key = |event: &Event| event.version;
        let grants = self.peers.grants(&call);
        let encode = |event| timeline::entry(event, &roster, Some(&grants));
        let read =
            |after: Option<i64>, limit| self.app.events(&call, &request.name, after.unwrap_or(0), limit);
        let (entries, next_page_token) = list::page(paging, key, encode, read).await?;
        let mut instructions = Vec::new();
        if request.page_token.is_empty() {
            let latest = Portion { before: None, limit: MOST_INSTRUCTIONS };
            let latest = self.app.instructions(&call, &request.name, latest).await?;
            instructions.extend(latest.iter().map(|(_, one)| instructions::encode(one, &roster)));
        }
        let mut timeline = proto::Timeline { entries, next_page_token, instructions };
        // The entries may fill a message by themselves; instructions have a list of their own.
        while timeline.encoded_len() > MAX_MESSAGE_BYTES && timeline.instructions.pop().is_some() {}
        Ok(Response::new(timeline))
    }

    async fn issue_task(
        &self,
        request: Request<proto::IssueTaskRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        task_name(&request.name)?;
        let change = Change {
            task: request.name.clone(),
            target: Target::Task,
            asked: Asked::Command(Command::Issue { with_document: false }),
            etag: request.etag.clone(),
            ground: None,
            validate_only: false,
        };
        self.change(&call, &request, &request_id, change, whole_task).await
    }

    async fn withdraw_task(
        &self,
        request: Request<proto::WithdrawTaskRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        task_name(&request.name)?;
        long_text("ground", &request.ground)?;
        let change = Change {
            task: request.name.clone(),
            target: Target::Task,
            asked: Asked::Command(Command::Withdraw { ground: request.ground.clone() }),
            etag: request.etag.clone(),
            ground: Some(request.ground.clone()),
            validate_only: false,
        };
        self.change(&call, &request, &request_id, change, whole_task).await
    }

    async fn sign_assignment(
        &self,
        request: Request<proto::SignAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let change = of_assignment(&request.name, AssignmentCommand::Sign, &request.etag)?;
        self.change(&call, &request, &request_id, change, one_assignment).await
    }

    async fn batch_sign_assignments(
        &self,
        request: Request<proto::BatchSignAssignmentsRequest>,
    ) -> Result<Response<proto::BatchSignAssignmentsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let asked = to_sign(&request)?;
        let attempt = || async {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let signed = self.app.sign_all(&transaction, &call, &asked).await?;
            let results = signed.into_iter().map(sign_result).collect();
            transaction.commit(proto::BatchSignAssignmentsResponse { results }).await
        };
        Ok(Response::new(retried("", attempt).await?))
    }

    async fn deploy_assignment(
        &self,
        request: Request<proto::DeployAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        long_text("plan", &request.plan)?;
        let command = AssignmentCommand::Deploy { plan: request.plan.clone() };
        let change = of_assignment(&request.name, command, &request.etag)?;
        self.change(&call, &request, &request_id, change, one_assignment).await
    }

    async fn report_assignment(
        &self,
        request: Request<proto::ReportAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let mut call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        long_text("text", &request.text)?;
        let attachments = call.attachments("attachments", &request.attachments)?;
        if request.answer_matter {
            return self.report_for_matter(&call, &request, &request_id, attachments).await;
        }
        let command = AssignmentCommand::Report { text: request.text.clone(), attachments };
        let change = of_assignment(&request.name, command, &request.etag)?;
        self.change(&call, &request, &request_id, change, one_assignment).await
    }

    async fn submit_assignment(
        &self,
        request: Request<proto::SubmitAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let mut call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        long_text("text", &request.text)?;
        let attachments = call.attachments("attachments", &request.attachments)?;
        let command = AssignmentCommand::Submit { text: request.text.clone(), attachments };
        let change = of_assignment(&request.name, command, &request.etag)?;
        self.change(&call, &request, &request_id, change, one_assignment).await
    }

    async fn verify_assignment(
        &self,
        request: Request<proto::VerifyAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        long_text("note", &request.note)?;
        let command = AssignmentCommand::Verify {
            accept: request.accept,
            note: request.note.clone(),
            verifier_units: self.app.units_of(&call.principal)?,
        };
        let change = of_assignment(&request.name, command, &request.etag)?;
        self.change(&call, &request, &request_id, change, one_assignment).await
    }

    async fn request_extension(
        &self,
        request: Request<proto::RequestExtensionRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let command = content::extension_request(&request)?;
        let change = of_assignment(&request.name, command, &request.etag)?;
        self.change(&call, &request, &request_id, change, one_assignment).await
    }

    async fn decide_extension(
        &self,
        request: Request<proto::DecideExtensionRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        long_text("note", &request.note)?;
        let command = AssignmentCommand::DecideExtension { grant: request.grant, note: request.note.clone() };
        let change = of_assignment(&request.name, command, &request.etag)?;
        self.change(&call, &request, &request_id, change, one_assignment).await
    }
}

/// What a batch asks to sign for.
fn to_sign(request: &proto::BatchSignAssignmentsRequest) -> Result<ToSign, Error> {
    let mut check = Check::default();
    if request.names.is_empty() {
        check.name("unit", &request.unit, "units");
        check.text("document_number", &request.document_number, LINE);
        if request.document_number.trim().is_empty() {
            check.wrong(
                "document_number",
                "must be given where no names are",
                "请填写文号，或逐项列出交办事项",
            );
        }
        check.finish()?;
        let (unit, document_number) = (request.unit.clone(), request.document_number.clone());
        return Ok(ToSign::Document { unit, document_number });
    }
    if !request.unit.is_empty() || !request.document_number.is_empty() {
        check.wrong("names", "not together with a unit and a document", "逐项列出时不再填写单位和文号");
    }
    if request.names.len() > MOST_SIGNED {
        check.wrong("names", "at most 1000 are accepted", "一次最多签收1000项");
    }
    check.finish()?;
    let names = request.names.iter().map(|name| Ok((task_of_assignment(name)?.to_owned(), name.clone())));
    Ok(ToSign::Named(names.collect::<Result<_, Error>>()?))
}

fn sign_result(signed: Answered) -> proto::BatchSignResult {
    let Answered { name, outcome } = signed;
    match outcome {
        Ok(()) => proto::BatchSignResult { name, signed: true, ..proto::BatchSignResult::default() },
        Err(error) => proto::BatchSignResult {
            name,
            signed: false,
            status: error.code().as_str().to_owned(),
            message: error.message().to_owned(),
            message_zh: error.chinese().to_owned(),
        },
    }
}

fn of_assignment(name: &str, command: AssignmentCommand, etag: &str) -> Result<Change, Error> {
    let task = task_of_assignment(name)?;
    Ok(Change::of_assignment(task.to_owned(), name.to_owned(), command, etag.to_owned()))
}

fn long_text(field: &str, text: &str) -> Result<(), Error> {
    input::text(field, text.to_owned(), TEXT).map(drop)
}

fn whole_task(app: &Supervision, record: &Record, _name: &str) -> Result<proto::Task, Error> {
    Ok(encode::task(record, &app.regulation(), app.now()))
}

fn one_assignment(app: &Supervision, record: &Record, name: &str) -> Result<proto::Assignment, Error> {
    let assignment = record.task.assignment(name).map_err(command_refused)?;
    Ok(encode::assignment(record, assignment, &app.regulation(), app.now()))
}
