//! Supervision as far as the escalation job sees it: one task for one request id, and
//! answers that a test can spoil.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use domain_calendar::Timestamp;
use domain_supervision::{TaskChange, TaskEvent, TaskFacts, Visibility, WholeTaskEvent};
use tonic::{Request, Response, Status};
use xietong_mesh::{Call, Error, Service};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::task_service_server::TaskService;

use crate::harness::append;

/// What it does with a call.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Answers so and does nothing.
    Only(Error),
    /// Creates the task; the answer is lost on the way.
    LostAfterCreation,
}

/// A call as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) request: proto::CreateTaskRequest,
    pub(crate) subject: String,
    pub(crate) ground: Option<String>,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    arrived: Vec<Arrived>,
    tasks: BTreeMap<String, proto::Task>,
}

/// Cloning is cheap; clones are one.
#[derive(Clone, Default)]
pub(crate) struct PlayedSupervision(Arc<Mutex<State>>);

impl PlayedSupervision {
    /// The next call is answered so; those after the last of these create a task.
    pub(crate) fn will(&self, answer: Answer) {
        self.0.lock().unwrap().answers.push_back(answer);
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.0.lock().unwrap().arrived.clone()
    }

    pub(crate) fn tasks(&self) -> Vec<proto::Task> {
        self.0.lock().unwrap().tasks.values().cloned().collect()
    }

    /// Writes to supervision's log that a task came to an end.
    pub(crate) async fn ended(service: &Service, task: &str, origin: &str, change: TaskChange) {
        let event = TaskEvent::Task(WholeTaskEvent {
            task: TaskFacts {
                name: task.into(),
                ledger_number: 1,
                title: "完成绿色能源管网规划调整手续".into(),
                created_by: "system/workgroup".into(),
                visibility: Visibility::Internal,
                restricted_units: vec![],
                origin: Some(origin.into()),
                urgent: false,
                designated: None,
            },
            at: Timestamp::parse("2023-06-21T10:00+08:00").unwrap(),
            change,
        });
        append(service, task, event.event_type(), event.to_payload().unwrap().to_string()).await;
    }
}

/// Struck off, completed on 20 June 2023.
pub(crate) fn struck_off() -> TaskChange {
    let completed_at = Timestamp::parse("2023-06-20T17:00+08:00").unwrap();
    TaskChange::StruckOff { completed_at, assignments: vec![] }
}

pub(crate) fn withdrawn() -> TaskChange {
    TaskChange::Withdrawn { ground: "合并办理".into(), assignments: vec![] }
}

#[tonic::async_trait]
impl TaskService for PlayedSupervision {
    async fn create_task(
        &self,
        request: Request<proto::CreateTaskRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let mut state = self.0.lock().unwrap();
        state.arrived.push(Arrived {
            request: request.clone(),
            subject: call.principal.subject.clone(),
            ground: call.ground,
        });
        let answer = state.answers.pop_front();
        if let Some(Answer::Only(error)) = answer {
            return Err(error.into());
        }
        let number = state.tasks.len() + 1;
        let task = state.tasks.entry(request.request_id).or_insert_with(|| proto::Task {
            name: format!("tasks/{number}"),
            origin: request.origin,
            ..request.task.unwrap_or_default()
        });
        match answer {
            Some(Answer::LostAfterCreation) => Err(Error::unavailable("the answer").into()),
            Some(Answer::Only(_)) | None => Ok(Response::new(task.clone())),
        }
    }

    async fn batch_create_tasks(
        &self,
        _: Request<proto::BatchCreateTasksRequest>,
    ) -> Result<Response<proto::BatchCreateTasksResponse>, Status> {
        Err(not_played())
    }

    async fn update_task(
        &self,
        _: Request<proto::UpdateTaskRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        Err(not_played())
    }

    async fn batch_sign_assignments(
        &self,
        _: Request<proto::BatchSignAssignmentsRequest>,
    ) -> Result<Response<proto::BatchSignAssignmentsResponse>, Status> {
        Err(not_played())
    }

    async fn get_task(&self, _: Request<proto::GetTaskRequest>) -> Result<Response<proto::Task>, Status> {
        Err(not_played())
    }

    async fn list_tasks(
        &self,
        _: Request<proto::ListTasksRequest>,
    ) -> Result<Response<proto::ListTasksResponse>, Status> {
        Err(not_played())
    }

    async fn get_timeline(
        &self,
        _: Request<proto::GetTimelineRequest>,
    ) -> Result<Response<proto::Timeline>, Status> {
        Err(not_played())
    }

    async fn issue_task(&self, _: Request<proto::IssueTaskRequest>) -> Result<Response<proto::Task>, Status> {
        Err(not_played())
    }

    async fn withdraw_task(
        &self,
        _: Request<proto::WithdrawTaskRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        Err(not_played())
    }

    async fn sign_assignment(
        &self,
        _: Request<proto::SignAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        Err(not_played())
    }

    async fn deploy_assignment(
        &self,
        _: Request<proto::DeployAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        Err(not_played())
    }

    async fn report_assignment(
        &self,
        _: Request<proto::ReportAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        Err(not_played())
    }

    async fn submit_assignment(
        &self,
        _: Request<proto::SubmitAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        Err(not_played())
    }

    async fn verify_assignment(
        &self,
        _: Request<proto::VerifyAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        Err(not_played())
    }

    async fn request_extension(
        &self,
        _: Request<proto::RequestExtensionRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        Err(not_played())
    }

    async fn decide_extension(
        &self,
        _: Request<proto::DecideExtensionRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        Err(not_played())
    }
}

fn not_played() -> Status {
    Error::unimplemented("this call").into()
}
