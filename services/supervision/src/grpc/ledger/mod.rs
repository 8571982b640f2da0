//! `LedgerService`.

mod csv;
pub(super) mod file;
pub(super) mod scoreboard;
mod table;
mod xlsx;

use domain_supervision::{Light, chinese_day};
use tonic::{Request, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::file_name::named;
use xietong_mesh::{Call, Error};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::ledger_service_server::LedgerService;

use super::decode;
use crate::app::{Counts, GroupBy, Summary, SummaryRow, Supervision};
use file::Pieces;

/// The filters of a request on the ledger, which are those of `ListTasks`.
macro_rules! filters {
    ($request:ident) => {
        proto::ListTasksRequest {
            unit: $request.unit,
            light: $request.light,
            state: $request.state,
            document_number: $request.document_number,
            leader: $request.leader,
            tag: $request.tag,
            q: $request.q,
            matter: $request.matter,
            ..Default::default()
        }
    };
}

/// `xietong.supervision.v1.LedgerService`.
pub(crate) struct Ledger {
    app: Supervision,
}

impl Ledger {
    /// The RPCs over `app`.
    pub(crate) fn new(app: Supervision) -> Self {
        Ledger { app }
    }
}

#[tonic::async_trait]
impl LedgerService for Ledger {
    type ExportLedgerStream = Pieces;

    async fn summarize_ledger(
        &self,
        request: Request<proto::SummarizeLedgerRequest>,
    ) -> Result<Response<proto::LedgerSummary>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let group_by = group_by(&request.group_by)?;
        let query = decode::list_query(&filters!(request))?;
        Ok(Response::new(encode(self.app.summary(&call, query, group_by).await?)))
    }

    async fn get_scoreboard(
        &self,
        request: Request<proto::GetScoreboardRequest>,
    ) -> Result<Response<proto::Scoreboard>, Status> {
        let call = Call::of(&request)?.clone();
        let (scoring, period, rule_version) = scoreboard::decode(request.get_ref())?;
        let one = !request.get_ref().key.is_empty();
        let board = self.app.scoreboard(&call, scoring, period, rule_version).await?;
        Ok(Response::new(scoreboard::encode(board, one)))
    }

    async fn export_ledger(
        &self,
        request: Request<proto::ExportLedgerRequest>,
    ) -> Result<Response<Pieces>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let format = request.format.to_ascii_lowercase();
        let write = match format.as_str() {
            "xlsx" => xlsx::pieces,
            "csv" => csv::pieces,
            _ => return Err(Error::invalid("format", "must be xlsx or csv", "格式应为xlsx或csv").into()),
        };
        let query = decode::list_query(&filters!(request))?;
        let listing = self.app.listing(&call, query).await?;
        let name = format!("督办台账{}", chinese_day(listing.now.day()));
        Ok(named(write(table::rows(self.app.clone(), listing)), &name, &format))
    }
}

fn group_by(word: &str) -> Result<GroupBy, Error> {
    match word {
        "" | "light" => Ok(GroupBy::Light),
        "unit" => Ok(GroupBy::Unit),
        "document" => Ok(GroupBy::Document),
        "tag" => Ok(GroupBy::Tag),
        "leader" => Ok(GroupBy::Leader),
        "group" => Ok(GroupBy::Group),
        _ => {
            let english = "must be light, unit, document, tag, leader or group";
            Err(Error::invalid("group_by", english, "应为light、unit、document、tag、leader、group之一"))
        }
    }
}

fn encode(summary: Summary) -> proto::LedgerSummary {
    proto::LedgerSummary {
        total: Some(encode_counts(&summary.total)),
        rows: summary.rows.into_iter().map(encode_row).collect(),
        row_count: i32::try_from(summary.row_count).unwrap_or(i32::MAX),
        as_of: Some(encode_time(summary.as_of)),
        roster_as_of: summary.roster_as_of.map(encode_time),
        search_as_of: summary.search_as_of.map(encode_time),
    }
}

fn encode_row(row: SummaryRow) -> proto::LedgerRow {
    proto::LedgerRow {
        key: row.key,
        display_name: row.display_name,
        counts: Some(encode_counts(&row.counts)),
        oldest_red: row.oldest_red.map(|(since, record)| proto::OldestRed {
            task: record.task.name,
            ledger_number: record.task.ledger_number,
            title: record.task.title,
            since: Some(encode_time(since)),
        }),
    }
}

fn encode_counts(counts: &Counts) -> proto::LedgerCounts {
    proto::LedgerCounts {
        green: counts.of(Light::Green),
        yellow: counts.of(Light::Yellow),
        red: counts.of(Light::Red),
        blue: counts.of(Light::Blue),
        grey: counts.of(Light::Grey),
        total: counts.total(),
    }
}
