//! The RPCs: decode, ask `app/`, encode.

mod check;
mod decode;
mod encode;
mod list;
mod timeline;

use std::mem::take;

use domain_supervision::{AssignmentCommand, Command};
use prost::{Message, Name};
use tonic::{Request, Response, Status};
use xietong_events::Event;
use xietong_mesh::convert::encode_time;
use xietong_mesh::input::{LINE, TEXT};
use xietong_mesh::page::Paging;
use xietong_mesh::principal::Principal;
use xietong_mesh::{Attempt, Call, Error, Transactions, input, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::task_service_server::TaskService;

use check::{task_name, task_of_assignment};

use crate::app::{Change, Entry, Supervision, Target};
use crate::error::command_refused;
use crate::record::Record;
use crate::store::Portion;

/// Most tasks of a batch.
const LARGEST_BATCH: usize = 1_000;

/// `xietong.supervision.v1.TaskService`.
pub(crate) struct Tasks {
    app: Supervision,
    transactions: Transactions,
}

/// What a change is answered with, given the task as it became and the name of what changed.
type Answer<R> = fn(&Supervision, &Record, &str) -> Result<R, Error>;

impl Tasks {
    /// The RPCs over `app`.
    pub(crate) fn new(app: Supervision, transactions: Transactions) -> Self {
        Tasks { app, transactions }
    }

    /// Enters tasks once for a request id. `request` is without it.
    async fn create<M, R>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        (entries, issue): (Vec<Entry>, bool),
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
        let records = self.app.create(&transaction, call, entries, issue).await?;
        let now = transaction.now();
        let tasks = records.iter().map(|record| encode::task(record, &self.app.regulation, now)).collect();
        let answer = answer(tasks).ok_or_else(|| Error::internal(NothingCreated))?;
        Ok(Response::new(transaction.commit(answer).await?))
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
        let attempt = || self.change_once(call, request, request_id, &change, answer);
        Ok(Response::new(retried(&change.etag, attempt).await?))
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
        transaction.commit(answer(&self.app, &record, change.name())?).await
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
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        if !request.origin.is_empty() && !call.principal.is_system() {
            return Err(Error::permission_denied(format!("{} with an origin", call.action)).into());
        }
        input::text("origin", request.origin.clone(), LINE)?;
        let subject = &call.principal.subject;
        let task = request.task.clone().unwrap_or_default();
        let entry = decode::entry(task, "task".to_owned(), subject, &request.origin)?;
        let entries = (vec![entry], request.issue);
        Ok(self.create(&call, &request, &request_id, entries, |mut tasks| tasks.pop()).await?)
    }

    async fn batch_create_tasks(
        &self,
        request: Request<proto::BatchCreateTasksRequest>,
    ) -> Result<Response<proto::BatchCreateTasksResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        if !(1..=LARGEST_BATCH).contains(&request.tasks.len()) {
            let (english, chinese) = ("must be 1 to 1000 tasks", "一次可登记1至1000项任务");
            return Err(Error::invalid("tasks", english, chinese).into());
        }
        let subject = &call.principal.subject;
        let tasks = request.tasks.iter().cloned().enumerate();
        let entries = tasks
            .map(|(at, task)| decode::entry(task, format!("tasks[{at}]"), subject, ""))
            .collect::<Result<Vec<_>, _>>()?;
        let entries = (entries, request.issue);
        let answer = |tasks| Some(proto::BatchCreateTasksResponse { tasks });
        Ok(self.create(&call, &request, &request_id, entries, answer).await?)
    }

    async fn get_task(
        &self,
        request: Request<proto::GetTaskRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        task_name(&name)?;
        let record = self.app.get(&call, &name).await?;
        Ok(Response::new(encode::task(&record, &self.app.regulation, self.app.now())))
    }

    async fn list_tasks(
        &self,
        request: Request<proto::ListTasksRequest>,
    ) -> Result<Response<proto::ListTasksResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let query = decode::list_query(&request)?;
        let (light, state) = (request.light.to_string(), request.state.to_string());
        let asked = ["ListTasks", &request.unit, &light, &state, &request.document_number, &request.leader];
        let paging = Paging::new(&asked, request.page_size, &request.page_token)?;

        let listing = self.app.listing(&call, query)?;
        let now = self.app.now();
        let key = |record: &Record| record.task.ledger_number;
        let encode = |record: Record| Ok(encode::task(&record, &self.app.regulation, now));
        let read = |before, limit| self.app.portion(&listing, Portion { before, limit });
        let (tasks, next_page_token) = list::page(paging, key, encode, read).await?;
        let roster_as_of = listing.roster_as_of.map(encode_time);
        Ok(Response::new(proto::ListTasksResponse { tasks, next_page_token, roster_as_of }))
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
        let encode = |event| timeline::entry(event, &roster);
        let read =
            |after: Option<i64>, limit| self.app.events(&call, &request.name, after.unwrap_or(0), limit);
        let (entries, next_page_token) = list::page(paging, key, encode, read).await?;
        Ok(Response::new(proto::Timeline { entries, next_page_token }))
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
            command: Command::Issue,
            etag: request.etag.clone(),
            ground: None,
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
            command: Command::Withdraw { ground: request.ground.clone() },
            etag: request.etag.clone(),
            ground: Some(request.ground.clone()),
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
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        long_text("text", &request.text)?;
        let command = AssignmentCommand::Report { text: request.text.clone() };
        let change = of_assignment(&request.name, command, &request.etag)?;
        self.change(&call, &request, &request_id, change, one_assignment).await
    }

    async fn submit_assignment(
        &self,
        request: Request<proto::SubmitAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        long_text("text", &request.text)?;
        let command = AssignmentCommand::Submit { text: request.text.clone() };
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
            verifier_units: units_of(&call.principal),
        };
        let change = of_assignment(&request.name, command, &request.etag)?;
        self.change(&call, &request, &request_id, change, one_assignment).await
    }
}

fn of_assignment(name: &str, command: AssignmentCommand, etag: &str) -> Result<Change, Error> {
    let task = task_of_assignment(name)?;
    Ok(Change::of_assignment(task.to_owned(), name.to_owned(), command, etag.to_owned()))
}

fn long_text(field: &str, text: &str) -> Result<(), Error> {
    input::text(field, text.to_owned(), TEXT).map(drop)
}

/// Every unit that the caller belongs to by a role.
fn units_of(principal: &Principal) -> Vec<String> {
    principal.grants.iter().flat_map(|grant| grant.units.iter().cloned()).collect()
}

fn whole_task(app: &Supervision, record: &Record, _name: &str) -> Result<proto::Task, Error> {
    Ok(encode::task(record, &app.regulation, app.now()))
}

fn one_assignment(app: &Supervision, record: &Record, name: &str) -> Result<proto::Assignment, Error> {
    let assignment = record.task.assignment(name).map_err(command_refused)?;
    Ok(encode::assignment(record, assignment, &app.regulation, app.now()))
}
