//! The burden meter.

use domain_calendar::Timestamp;
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::{decode_optional_time, encode_time};
use xietong_mesh::input::optional;
use xietong_mesh::page::Paging;
use xietong_mesh::{Call, Error, Foundation};
use xietong_proto::notification as proto;
use xietong_proto::notification::burden_service_server::BurdenService;
use xietong_store::Db;
use xietong_timers::Clock;

use super::convert::kind;
use crate::store::{BurdenFilter, BurdenKey, BurdenRow, burden};

/// Microseconds between the first and the last instant that one question is about, at most.
const LONGEST: i64 = 366 * 24 * 3_600 * 1_000_000;

pub(crate) struct BurdenServer {
    db: Db,
    clock: Clock,
}

impl BurdenServer {
    pub(crate) fn new(foundation: &Foundation) -> Self {
        BurdenServer { db: foundation.db.clone(), clock: foundation.clock.clone() }
    }

    /// What of it the caller may see.
    fn filter(&self, call: &Call, request: &proto::GetBurdenRequest) -> Result<BurdenFilter, Error> {
        let scope = call.scope()?;
        let until = decode_optional_time("end_time", request.end_time.as_ref())?;
        let until = until.unwrap_or_else(|| self.clock.now());
        let from = decode_optional_time("start_time", request.start_time.as_ref())?;
        let from = from.unwrap_or_else(|| BurdenKey::week_of(until).begins());
        if from > until || until.as_micros().saturating_sub(from.as_micros()) > LONGEST {
            return Err(Error::invalid(
                "end_time",
                "must be at most 366 days after start_time, and not before it",
                "截止时间不能早于起始时间，且最多相隔366天",
            ));
        }
        let within =
            (!scope.all).then(|| (scope.units.iter().cloned().collect(), call.principal.official.clone()));
        let unit = optional("unit", request.unit.clone())?;
        let official = optional("official", request.official.clone())?;
        Ok(BurdenFilter { from, until, unit, official, within })
    }
}

#[async_trait]
impl BurdenService for BurdenServer {
    async fn get_burden(
        &self,
        request: Request<proto::GetBurdenRequest>,
    ) -> Result<Response<proto::GetBurdenResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let filter = self.filter(&call, &request)?;
        // Without an end, a list goes on to the now of each page.
        let instant =
            |time: Option<prost_types::Timestamp>| time.map_or(String::new(), |time| time.to_string());
        let (start, end) = (instant(request.start_time), instant(request.end_time));
        let query = ["GetBurden", &call.principal.subject, &request.unit, &request.official, &start, &end];
        let paging: Paging<'_, BurdenKey> = Paging::new(&query, request.page_size, &request.page_token)?;
        let rows = burden(self.db.reader(), &filter, paging.after(), paging.limit()).await;
        let weeks = weeks(rows.map_err(Error::from)?);
        let (weeks, next_page_token) =
            paging.page(weeks, |(key, _)| key.clone(), |(key, rows)| Ok(encode(&key, rows)))?;
        Ok(Response::new(proto::GetBurdenResponse { weeks, next_page_token }))
    }
}

/// The rows of each key; they come in its order.
fn weeks(rows: Vec<BurdenRow>) -> Vec<(BurdenKey, Vec<BurdenRow>)> {
    let mut weeks: Vec<(BurdenKey, Vec<BurdenRow>)> = Vec::new();
    for row in rows {
        match weeks.last_mut() {
            Some((key, rows)) if *key == row.key => rows.push(row),
            _ => weeks.push((row.key.clone(), vec![row])),
        }
    }
    weeks
}

fn encode(key: &BurdenKey, rows: Vec<BurdenRow>) -> proto::WeekBurden {
    let sum = |of: fn(&BurdenRow) -> i64| rows.iter().map(of).sum();
    proto::WeekBurden {
        week: iso_week(key.begins()),
        start_time: Some(encode_time(key.begins())),
        unit: key.unit.clone(),
        official: key.official.clone(),
        notices: sum(|row| row.notices),
        asks: sum(|row| row.asks),
        duplicates_avoided: sum(|row| row.avoided),
        causes: rows
            .into_iter()
            .map(|row| proto::BurdenCause {
                kind: kind(row.kind).into(),
                producer: row.producer,
                event_type: row.event_type,
                notices: row.notices,
                asks: row.asks,
            })
            .collect(),
    }
}

fn iso_week(begins: Timestamp) -> String {
    let (year, week, _) = begins.day().to_iso_week_date();
    format!("{year}-W{week:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_those_of_the_iso_and_begin_on_monday_in_shanghai() {
        for (at, week, begins) in [
            ("2023-06-05T00:00+08:00", "2023-W23", "2023-06-05T00:00+08:00"),
            ("2023-06-11T23:59+08:00", "2023-W23", "2023-06-05T00:00+08:00"),
            ("2024-12-30T08:00+08:00", "2025-W01", "2024-12-30T00:00+08:00"),
            ("2021-01-03T12:00+08:00", "2020-W53", "2020-12-28T00:00+08:00"),
        ] {
            let of = BurdenKey::week_of(Timestamp::parse(at).unwrap()).begins();
            assert_eq!(iso_week(of), week, "{at}");
            assert_eq!(of, Timestamp::parse(begins).unwrap(), "{at}");
        }
    }
}
