//! `YearCalendarService`.

use std::cmp::Reverse;
use std::mem::take;

use domain_calendar::{Calendar, Holiday, YearArrangement};
use domain_roster::PublishedCalendar;
use time::Date;
use time::format_description::well_known::Iso8601;
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::encode_time;
use xietong_mesh::input::{LINE, at_most, present, required, text};
use xietong_mesh::{Attempt, Call, Error, Resource};
use xietong_proto::roster as proto;
use xietong_proto::roster::year_calendar_service_server::YearCalendarService;

use super::listing::{Query, page};
use crate::access;
use crate::app::{App, Register};

/// Most holidays, or make-up workdays, that are looked at.
const MOST: usize = 100;

/// Answers for the years' calendars. They are the whole city's.
pub(crate) struct YearCalendarHandlers {
    app: App,
}

impl YearCalendarHandlers {
    pub(crate) fn new(app: App) -> Self {
        YearCalendarHandlers { app }
    }
}

#[async_trait]
impl YearCalendarService for YearCalendarHandlers {
    async fn publish_year_calendar(
        &self,
        request: Request<proto::PublishYearCalendarRequest>,
    ) -> Result<Response<proto::YearCalendar>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        call.authorize(&Resource::new())?;
        let arrangement = decode(present("calendar", request.calendar.clone())?)?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let (published, etag) = self.app.publish_calendar(&transaction, arrangement, &request.etag).await?;
        let answer = encode(&published.arrangement, Some(&published), etag);
        Ok(Response::new(transaction.commit(answer).await?))
    }

    async fn list_year_calendars(
        &self,
        request: Request<proto::ListYearCalendarsRequest>,
    ) -> Result<Response<proto::ListYearCalendarsResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let request = request.into_inner();
        let register = self.app.current().await?;
        let calendar = register.book.calendar();
        let query = Query {
            method: "ListYearCalendars",
            filter: "",
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let latest_first = |year: &YearArrangement| Reverse(year.year);
        let encode = |year: &YearArrangement| of_register(&register, year);
        let (calendars, next_page_token) = page(&query, calendar.arrangements(), latest_first, encode)?;
        Ok(Response::new(proto::ListYearCalendarsResponse {
            calendars,
            next_page_token,
            version: version(calendar.version()),
            last_published_year: last_published(calendar),
        }))
    }

    async fn get_year_calendar(
        &self,
        request: Request<proto::GetYearCalendarRequest>,
    ) -> Result<Response<proto::YearCalendar>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let name = required("name", request.into_inner().name)?;
        let register = self.app.current().await?;
        let year = register
            .book
            .calendar()
            .arrangements()
            .find(|year| PublishedCalendar::name_of(year.year) == name);
        let year = year.ok_or_else(|| access::missing(&scope, &name))?;
        scope.authorize(&Resource::new())?;
        Ok(Response::new(of_register(&register, year)))
    }
}

fn of_register(register: &Register, year: &YearArrangement) -> proto::YearCalendar {
    let name = PublishedCalendar::name_of(year.year);
    let published = register.book.published_calendars(&name).last();
    encode(year, published, register.etag(&name))
}

/// The end of the run of published years that holds the first of them.
fn last_published(calendar: &Calendar) -> i32 {
    let mut years = calendar.arrangements().map(|year| year.year);
    let Some(first) = years.next() else { return 0 };
    years.fold(first, |last, year| if year == last + 1 { year } else { last })
}

fn decode(calendar: proto::YearCalendar) -> Result<YearArrangement, Error> {
    let holidays = at_most("calendar.holidays", calendar.holidays, MOST)?;
    let holiday = |holiday: proto::CalendarHoliday| -> Result<Holiday, Error> {
        Ok(Holiday {
            name: text("calendar.holidays.display_name", holiday.display_name, LINE)?,
            first_day: day("calendar.holidays.first_day", &holiday.first_day)?,
            last_day: day("calendar.holidays.last_day", &holiday.last_day)?,
        })
    };
    let made_up = at_most("calendar.make_up_days", calendar.make_up_days, MOST)?;
    Ok(YearArrangement {
        year: calendar.year,
        source: text("calendar.source", calendar.source, LINE)?.trim().to_owned(),
        holidays: holidays.into_iter().map(holiday).collect::<Result<_, Error>>()?,
        make_up_days: made_up
            .iter()
            .map(|text| day("calendar.make_up_days", text))
            .collect::<Result<_, Error>>()?,
    })
}

fn day(field: &str, text: &str) -> Result<Date, Error> {
    Date::parse(text, &Iso8601::DATE).map_err(|_| {
        let chinese = format!("“{field}”不是有效的日期，应为年-月-日，例如2027-02-05");
        Error::invalid(field, "must be a day such as 2027-02-05", chinese)
    })
}

fn encode(
    year: &YearArrangement,
    published: Option<&PublishedCalendar>,
    etag: String,
) -> proto::YearCalendar {
    let holiday = |holiday: &Holiday| proto::CalendarHoliday {
        display_name: holiday.name.clone(),
        first_day: holiday.first_day.to_string(),
        last_day: holiday.last_day.to_string(),
    };
    proto::YearCalendar {
        name: PublishedCalendar::name_of(year.year),
        year: year.year,
        source: year.source.clone(),
        holidays: year.holidays.iter().map(holiday).collect(),
        make_up_days: year.make_up_days.iter().map(Date::to_string).collect(),
        version: version(published.map_or(1, |published| published.version)),
        record_time: published.map(|published| encode_time(published.recorded_at)),
        etag,
    }
}

fn version(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}
