//! `xietong.supervision.v1.CooperationService`: decode, ask `app/`, encode.

use std::mem::take;

use domain_supervision::Command;
use tonic::{Request, Response, Status};
use xietong_mesh::convert::optional;
use xietong_mesh::{Attempt, Call, Error, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::cooperation_service_server::CooperationService;

use super::check::{Check, task_name, task_of_assignment};
use super::side_road::short;
use super::{Tasks, decode, long_text, whole_task};
use crate::app::{Answered, Asked, Change, MOST_SIGNED, Target, ToVerify};

#[tonic::async_trait]
impl CooperationService for Tasks {
    async fn add_cooperating_units(
        &self,
        request: Request<proto::AddCooperatingUnitsRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        task_name(&request.name)?;
        let ground = short("ground", &request.ground)?;
        let mut check = Check::default();
        decode::list(&mut check, "units", &request.units);
        if request.units.is_empty() {
            check.wrong("units", "must name at least one", "请填写要增加的配合单位");
        }
        for (at, unit) in request.units.iter().take(decode::MOST).enumerate() {
            check.name(format!("units[{at}]"), unit, "units");
        }
        check.finish()?;
        let command = Command::AddCooperating { units: request.units.clone(), ground: ground.clone() };
        let change = Change {
            task: request.name.clone(),
            target: Target::Lead,
            asked: Asked::Command(command),
            etag: request.etag.clone(),
            ground: optional(ground),
            validate_only: false,
        };
        self.change(&call, &request, &request_id, change, whole_task).await
    }

    async fn batch_verify_assignments(
        &self,
        request: Request<proto::BatchVerifyAssignmentsRequest>,
    ) -> Result<Response<proto::BatchVerifyAssignmentsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        long_text("note", &request.note)?;
        if !(1..=MOST_SIGNED).contains(&request.names.len()) {
            let (english, chinese) = ("must be 1 to 1000 assignments", "一次可核验1至1000项");
            return Err(Error::invalid("names", english, chinese).into());
        }
        let names = request.names.iter();
        let names = names.map(|name| Ok((task_of_assignment(name)?.to_owned(), name.clone())));
        let asked = ToVerify {
            names: names.collect::<Result<_, Error>>()?,
            accept: request.accept,
            note: request.note.clone(),
            verifier_units: self.app.units_of(&call.principal)?,
        };
        self.app.prepare_change(&call).await;
        let attempt = || async {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let verified = self.app.verify_all(&transaction, &call, &asked).await?;
            let results = verified.into_iter().map(result).collect();
            transaction.commit(proto::BatchVerifyAssignmentsResponse { results }).await
        };
        Ok(Response::new(retried("", attempt).await?))
    }
}

fn result(answered: Answered) -> proto::BatchVerifyResult {
    let Answered { name, outcome } = answered;
    match outcome {
        Ok(()) => proto::BatchVerifyResult { name, verified: true, ..proto::BatchVerifyResult::default() },
        Err(error) => proto::BatchVerifyResult {
            name,
            verified: false,
            status: error.code().as_str().to_owned(),
            message: error.message().to_owned(),
            message_zh: error.chinese().to_owned(),
        },
    }
}
