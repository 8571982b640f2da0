//! `CalendarFeedService`.

use std::pin::Pin;
use std::time::Duration;

use domain_roster::{Feed, calendar_entries};
use futures_util::Stream;
use futures_util::stream;
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::input::{LINE, text};
use xietong_mesh::{Call, Error, Resource};
use xietong_proto::google::api::HttpBody;
use xietong_proto::roster as proto;
use xietong_proto::roster::calendar_feed_service_server::CalendarFeedService;

use super::convert::calendar::render;
use crate::app::{App, aside};
use crate::error::refusal;

/// What ended longer ago is left out.
const LOOKING_BACK: Duration = Duration::from_secs(366 * 86_400);
/// Bytes of a calendar that go in one message.
const CHUNK: usize = 64 * 1024;
const CONTENT_TYPE: &str = "text/calendar; charset=utf-8";

/// Answers with calendars.
pub(crate) struct CalendarHandlers {
    app: App,
}

impl CalendarHandlers {
    pub(crate) fn new(app: App) -> Self {
        CalendarHandlers { app }
    }

    async fn calendar(&self, request: proto::GetCalendarRequest) -> Result<String, Error> {
        let official = text("official", request.official, LINE)?;
        let unit = text("unit", request.unit, LINE)?;
        let now = self.app.now();
        let register = self.app.current().await?;
        let book = &register.book;
        let feed = match (official.trim(), unit.trim()) {
            ("", "") => Feed::Whole,
            (official, "") => Feed::of_official(book, official, now).map_err(refusal)?,
            ("", unit) => Feed::of_unit(book, unit, now).map_err(refusal)?,
            (_, _) => {
                let english = "at most one of official and unit may be given";
                return Err(Error::invalid("unit", english, "人员、单位最多填写一项"));
            }
        };
        aside(move || {
            let entries = calendar_entries(&register.book, &feed, now.saturating_sub(LOOKING_BACK));
            render(&feed.chinese(&register.book), &entries, now)
        })
        .await
    }
}

#[async_trait]
impl CalendarFeedService for CalendarHandlers {
    type GetCalendarStream = Pin<Box<dyn Stream<Item = Result<HttpBody, Status>> + Send>>;

    async fn get_calendar(
        &self,
        request: Request<proto::GetCalendarRequest>,
    ) -> Result<Response<Self::GetCalendarStream>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let calendar = self.calendar(request.into_inner()).await?;
        let chunks: Vec<Result<HttpBody, Status>> =
            calendar.as_bytes().chunks(CHUNK).map(|chunk| Ok(body(chunk))).collect();
        Ok(Response::new(Box::pin(stream::iter(chunks))))
    }
}

fn body(chunk: &[u8]) -> HttpBody {
    HttpBody { content_type: CONTENT_TYPE.to_owned(), data: chunk.to_vec(), extensions: Vec::new() }
}
