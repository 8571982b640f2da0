//! `PaperService`.

mod docx;
mod form;
mod markdown;

pub(super) use docx::write as docx;
pub(super) use form::Form;
pub(super) use markdown::{plain, write as markdown};

use std::mem::take;

use domain_supervision::{Paper, PaperKind, Period};
use tonic::{Request, Response, Status};
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_mesh::file_name::named;
use xietong_mesh::input::present;
use xietong_mesh::{Attempt, Call, Error, Transactions, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::paper_service_server::PaperService;

use super::check::{Check, task_of_assignment};
use super::ledger::file::{Pieces, whole};
use crate::app::{IssuedPaper, Supervision};

/// `xietong.supervision.v1.PaperService`.
pub(crate) struct Papers {
    app: Supervision,
    transactions: Transactions,
}

impl Papers {
    /// The RPCs over `app`.
    pub(crate) fn new(app: Supervision, transactions: Transactions) -> Self {
        Papers { app, transactions }
    }
}

#[tonic::async_trait]
impl PaperService for Papers {
    type DraftBulletinStream = Pieces;
    type GetAssignmentPaperStream = Pieces;
    type GetPaperFileStream = Pieces;

    async fn issue_paper(
        &self,
        request: Request<proto::IssuePaperRequest>,
    ) -> Result<Response<proto::Paper>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let task = task_of_assignment(&request.name)?;
        let kind = kind(&request.kind)?;
        let attempt = || async {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let subject = (task, request.name.as_str());
            let issued = self.app.issue_paper(&transaction, &call, subject, kind).await?;
            transaction.commit(encode(&issued)).await
        };
        Ok(Response::new(retried("", attempt).await?))
    }

    async fn issue_bulletin(
        &self,
        request: Request<proto::IssueBulletinRequest>,
    ) -> Result<Response<proto::Paper>, Status> {
        Call::of(&request)?;
        let error = Error::failed_precondition(
            "CHECK_FIRST",
            "a bulletin is drafted, checked by its units and signed by a leader: POST /v1/bulletins",
            "通报须先起草、送各单位核对并由领导签发：请在“通报”（/v1/bulletins）办理",
        );
        Err(error.into())
    }

    async fn draft_bulletin(
        &self,
        request: Request<proto::DraftBulletinRequest>,
    ) -> Result<Response<Pieces>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let format = format(&request.format)?;
        let period = period(request.start_time, request.end_time)?;
        Ok(file(format, &self.app.draft_bulletin(&call, period).await?)?)
    }

    async fn get_assignment_paper(
        &self,
        request: Request<proto::GetAssignmentPaperRequest>,
    ) -> Result<Response<Pieces>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let task = task_of_assignment(&request.name)?;
        let kind = kind(&request.kind)?;
        let issued = self.app.latest_paper(&call, (task, &request.name), kind).await?;
        Ok(file(Format::Docx, &issued.paper)?)
    }

    async fn get_paper_file(
        &self,
        request: Request<proto::GetPaperFileRequest>,
    ) -> Result<Response<Pieces>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let mut check = Check::default();
        check.name("name", &request.name, "papers");
        check.finish()?;
        let format = format(&request.format)?;
        Ok(file(format, &self.app.paper(&call, &request.name).await?.paper)?)
    }
}

pub(super) enum Format {
    Docx,
    Markdown,
}

/// A paper as a file, kept as its number and title.
pub(super) fn file(format: Format, paper: &Paper) -> Result<Response<Pieces>, Error> {
    let form = Form::of(paper);
    let (pieces, ending) = match format {
        Format::Docx => (whole(docx::CONTENT_TYPE, &docx::write(&form)?), "docx"),
        Format::Markdown => (whole(markdown::CONTENT_TYPE, markdown::write(&form).as_bytes()), "md"),
    };
    Ok(named(pieces, &format!("{} {}", paper.printed_number(), paper.title), ending))
}

pub(super) fn format(word: &str) -> Result<Format, Error> {
    match word.to_ascii_lowercase().as_str() {
        "" | "docx" => Ok(Format::Docx),
        "markdown" => Ok(Format::Markdown),
        _ => Err(Error::invalid("format", "must be docx or markdown", "格式应为docx或markdown")),
    }
}

/// A kind of paper about one assignment.
fn kind(word: &str) -> Result<PaperKind, Error> {
    let kinds = [PaperKind::Slip, PaperKind::Letter, PaperKind::Interview];
    kinds.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
        Error::invalid("kind", "must be slip, letter or interview", "文种应为slip、letter或interview")
    })
}

pub(super) fn period(
    start: Option<prost_types::Timestamp>,
    end: Option<prost_types::Timestamp>,
) -> Result<Period, Error> {
    Ok(Period {
        start: decode_time("start_time", &present("start_time", start)?)?,
        end: decode_time("end_time", &present("end_time", end)?)?,
    })
}

fn encode(issued: &IssuedPaper) -> proto::Paper {
    proto::Paper {
        name: issued.name.clone(),
        kind: issued.paper.kind.as_str().to_owned(),
        number: issued.paper.printed_number(),
        title: issued.paper.title.clone(),
        assignment: issued.subject.clone(),
        issue_time: Some(encode_time(issued.issued_at)),
    }
}
