//! `xietong.supervision.v1.InstructionService`: decode, ask `app/`, encode.

use std::mem::take;

use domain_roster::Book;
use tonic::{Request, Response, Status};
use xietong_mesh::convert::{decode_optional_time, encode_time};
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, input, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::instruction_service_server::InstructionService;

use super::check::{Check, is_instruction, parent_task};
use super::{Tasks, decode, list};
use crate::app::{ToInstruct, Written, instruction_etag};
use crate::store::Portion;

/// Characters of an instruction, a remark, or what is asked of a delegate.
pub(super) const WORDS: usize = 2_000;
/// Most officials that an instruction is addressed to.
const MOST_OFFICIALS: usize = 50;

#[tonic::async_trait]
impl InstructionService for Tasks {
    async fn create_instruction(
        &self,
        request: Request<proto::CreateInstructionRequest>,
    ) -> Result<Response<proto::Instruction>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let asked = to_instruct(&request)?;
        self.app.prepare_change(&call).await;
        let attempt = || async {
            let mut transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let written = self.app.instruct(&mut transaction, &call, &asked).await?;
            transaction.commit(encode(&written, &self.app.roster.view().book)).await
        };
        Ok(Response::new(retried(&request.etag, attempt).await?))
    }

    async fn get_instruction(
        &self,
        request: Request<proto::GetInstructionRequest>,
    ) -> Result<Response<proto::Instruction>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        let task = task_of_instruction(&name)?;
        let written = self.app.instruction(&call, (task, &name)).await?;
        Ok(Response::new(encode(&written, &self.app.roster.view().book)))
    }

    async fn list_instructions(
        &self,
        request: Request<proto::ListInstructionsRequest>,
    ) -> Result<Response<proto::ListInstructionsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let proto::ListInstructionsRequest { parent, page_size, page_token } = request.into_inner();
        parent_task(&parent)?;
        let asked = ["ListInstructions", &parent];
        let paging = Paging::new(&asked, page_size, &page_token)?;
        let book = self.app.roster.view().book;
        let encode = |(_, written): (i64, Written)| Ok(encode(&written, &book));
        let read = |before, limit| self.app.instructions(&call, &parent, Portion { before, limit });
        let (instructions, next_page_token) = list::page(paging, |(at, _)| *at, encode, read).await?;
        Ok(Response::new(proto::ListInstructionsResponse { instructions, next_page_token }))
    }

    async fn sign_instruction(
        &self,
        request: Request<proto::SignInstructionRequest>,
    ) -> Result<Response<proto::Instruction>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let task = task_of_instruction(&request.name)?;
        let attempt = || async {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let name = (task, request.name.as_str());
            let signed = self.app.sign_instruction(&transaction, &call, name, &request.etag).await?;
            transaction.commit(encode(&signed, &self.app.roster.view().book)).await
        };
        Ok(Response::new(retried(&request.etag, attempt).await?))
    }
}

fn to_instruct(request: &proto::CreateInstructionRequest) -> Result<ToInstruct, Error> {
    let mut check = Check::default();
    check.name("parent", &request.parent, "tasks");
    check.text("text", &request.text, WORDS);
    decode::list(&mut check, "units", &request.units);
    for (at, unit) in request.units.iter().take(decode::MOST).enumerate() {
        check.name(format!("units[{at}]"), unit, "units");
    }
    if request.officials.len() > MOST_OFFICIALS {
        check.wrong("officials", format!("at most {MOST_OFFICIALS} are accepted"), "最多送50名人员");
    }
    for (at, official) in request.officials.iter().take(MOST_OFFICIALS).enumerate() {
        check.name(format!("officials[{at}]"), official, "officials");
    }
    let due_at = decode_optional_time("due_time", request.due_time.as_ref())?;
    check.finish()?;
    Ok(ToInstruct {
        task: request.parent.clone(),
        text: request.text.clone(),
        units: request.units.clone(),
        officials: request.officials.clone(),
        due_at,
        etag: request.etag.clone(),
    })
}

fn task_of_instruction(name: &str) -> Result<&str, Error> {
    match name.split_once("/instructions/") {
        Some((task, _)) if is_instruction(name) => Ok(task),
        Some(_) | None => Err(Error::invalid(
            "name",
            "must be of the form tasks/{id}/instructions/{id}",
            "格式应为tasks/编号/instructions/编号",
        )),
    }
}

pub(super) fn encode(written: &Written, roster: &Book) -> proto::Instruction {
    let Written { instruction: one, became } = written;
    let leader = roster.official(&one.leader);
    let signature = |signed: &domain_supervision::Signature| proto::InstructionSignature {
        addressee: signed.addressee.clone(),
        time: Some(encode_time(signed.at)),
    };
    proto::Instruction {
        name: one.name.clone(),
        leader: one.leader.clone(),
        leader_name: leader.map_or_else(|| one.leader.clone(), |known| known.display_name.clone()),
        text: one.text.clone(),
        units: one.units.clone(),
        officials: one.officials.clone(),
        due_time: one.due_at.map(encode_time),
        create_time: Some(encode_time(one.given_at)),
        signatures: one.signatures.iter().map(signature).collect(),
        unsigned_addressees: one.unsigned().map(str::to_owned).collect(),
        task: became.clone().unwrap_or_default(),
        etag: instruction_etag(one),
    }
}

/// A text of at most [`WORDS`] characters.
pub(super) fn words(field: &str, text: &str) -> Result<String, Error> {
    input::text(field, text.to_owned(), WORDS)
}
