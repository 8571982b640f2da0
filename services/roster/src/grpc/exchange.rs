//! `ExchangeService`.

use std::mem::take;

use domain_roster::{Sheet, SheetPlan};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::decode_optional_time;
use xietong_mesh::{Attempt, Call, Error, Resource};
use xietong_proto::roster as proto;
use xietong_proto::roster::exchange_service_server::ExchangeService;

use super::file::{Pieces, pieces};
use crate::app::{App, Import};

const CSV: &str = "text/csv; charset=utf-8";

/// Answers for the directory's tables.
pub(crate) struct ExchangeHandlers {
    app: App,
}

impl ExchangeHandlers {
    pub(crate) fn new(app: App) -> Self {
        ExchangeHandlers { app }
    }
}

#[async_trait]
impl ExchangeService for ExchangeHandlers {
    type ExportDirectoryStream = Pieces;

    async fn export_directory(
        &self,
        request: Request<proto::ExportDirectoryRequest>,
    ) -> Result<Response<Pieces>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let sheet = decode_sheet(request.get_ref().table)?;
        Ok(Response::new(pieces(CSV, self.app.export_directory(sheet).await?)))
    }

    async fn import_directory(
        &self,
        request: Request<proto::ImportDirectoryRequest>,
    ) -> Result<Response<proto::ImportDirectoryResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let import = Import {
            sheet: decode_sheet(request.table)?,
            csv: request.csv.clone(),
            effective_time: decode_optional_time("effective_time", request.effective_time.as_ref())?,
        };
        call.authorize(&Resource::new())?;
        if request.validate_only {
            return Ok(Response::new(encode_plan(&self.app.try_import(&import).await?)));
        }
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let plan = self.app.import_directory(&transaction, &import).await?;
        Ok(Response::new(transaction.commit(encode_plan(&plan)).await?))
    }
}

fn decode_sheet(table: i32) -> Result<Sheet, Error> {
    match proto::DirectoryTable::try_from(table) {
        Ok(proto::DirectoryTable::Units) => Ok(Sheet::Units),
        Ok(proto::DirectoryTable::Collectives) => Ok(Sheet::Collectives),
        Ok(proto::DirectoryTable::Officials) => Ok(Sheet::Officials),
        Ok(proto::DirectoryTable::Unspecified) | Err(_) => {
            Err(Error::invalid("table", "must be a table of the directory", "请选择单位、集合或人员"))
        }
    }
}

fn encode_plan(plan: &SheetPlan) -> proto::ImportDirectoryResponse {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    proto::ImportDirectoryResponse {
        created: count(plan.created),
        changed: count(plan.changed),
        unchanged: count(plan.unchanged),
    }
}
