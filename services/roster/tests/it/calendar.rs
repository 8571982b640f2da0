//! Calendar feeds, read back by another library.

use std::collections::BTreeMap;

use calcard::icalendar::{ICalendar, ICalendarComponent, ICalendarProperty, ICalendarStatus};
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;
use xietong_proto::roster::calendar_feed_service_client::CalendarFeedServiceClient;

use crate::acts::{correct, extend};
use crate::city::{City, on_both, refused};

on_both!(
    a_feed_has_each_absence_with_its_times_status_and_sequence,
    an_officials_feed_has_when_he_acts_and_keeps_watch,
    a_calendar_program_finds_all_it_needs,
    a_feed_of_nobody_or_of_two_is_refused_and_everybody_with_an_account_reads,
);

/// An event as the other library reads it.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    start: String,
    end: String,
    cancelled: bool,
    sequence: i64,
    summary: String,
}

impl City {
    async fn calendar(&self, official: &str, unit: &str) -> Result<(String, String), Error> {
        let request = self.clerk(proto::GetCalendarRequest { official: official.into(), unit: unit.into() });
        let mut client = CalendarFeedServiceClient::new(self.routes());
        let mut stream = client.get_calendar(request).await.map_err(refused)?.into_inner();
        let (mut content_type, mut bytes) = (String::new(), Vec::new());
        while let Some(body) = stream.message().await.map_err(refused)? {
            content_type = body.content_type;
            bytes.extend(body.data);
        }
        Ok((content_type, String::from_utf8(bytes).unwrap()))
    }

    async fn read(&self, official: &str, unit: &str) -> BTreeMap<String, Read> {
        let (_, text) = self.calendar(official, unit).await.unwrap();
        let calendar = ICalendar::parse(&text).unwrap();
        let events = calendar.components.iter().filter(|component| component.component_type.is_event());
        events.map(|event| (event.uid().unwrap().to_owned(), read(event))).collect()
    }
}

fn read(event: &ICalendarComponent) -> Read {
    let value = |property: &ICalendarProperty| &event.property(property).unwrap().values[0];
    let instant = |property: &ICalendarProperty| {
        let at = value(property).as_partial_date_time().unwrap();
        assert_eq!((at.tz_hour, at.tz_minute), (Some(0), Some(0)), "UTC");
        let (year, month, day) = (at.year.unwrap(), at.month.unwrap(), at.day.unwrap());
        let (hour, minute) = (at.hour.unwrap(), at.minute.unwrap());
        format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
    };
    for property in [ICalendarProperty::Dtstamp, ICalendarProperty::LastModified] {
        instant(&property);
    }
    Read {
        start: instant(&ICalendarProperty::Dtstart),
        end: instant(&ICalendarProperty::Dtend),
        cancelled: event.status() == Some(&ICalendarStatus::Cancelled),
        sequence: value(&ICalendarProperty::Sequence).as_integer().unwrap(),
        summary: value(&ICalendarProperty::Summary).as_text().unwrap().to_owned(),
    }
}

fn uid(name: &str) -> String {
    format!("{}@roster.xietong", name.replace('/', "-"))
}

fn event(start: &str, end: &str, cancelled: bool, sequence: i64, summary: &str) -> Read {
    Read { start: start.into(), end: end.into(), cancelled, sequence, summary: summary.into() }
}

async fn a_feed_has_each_absence_with_its_times_status_and_sequence(city: City) {
    let city = city.with_division().await;
    let away =
        async |official: &str, start: &str, end: &str| city.away(official, start, end).await.unwrap().name;
    let planned = away("cui-yuanbin", "2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00").await;
    let early = away("qiao-feihong", "2023-06-01T00:00:00+08:00", "2023-06-09T00:00:00+08:00").await;
    let cancelled = away("hu-xiaogang", "2023-06-20T00:00:00+08:00", "2023-06-21T00:00:00+08:00").await;
    city.extend(extend(&planned, "2023-06-13T00:00:00+08:00")).await.unwrap();
    city.correct(correct(&planned, "2023-06-10T12:00:00+08:00", "2023-06-14T00:00:00+08:00")).await.unwrap();
    city.advance("2023-06-05T09:30:00+08:00").await;
    city.end(&early, "").await.unwrap();
    let before = city.read("", "").await;
    assert!(!before[&uid(&cancelled)].cancelled);
    city.cancel(&cancelled, "").await.unwrap();

    let events = city.read("", "").await;
    assert_eq!(
        events[&uid(&planned)],
        event("2023-06-10 04:00", "2023-06-13 16:00", false, 2, "崔元斌不在岗，由胡晓刚代行")
    );
    assert_eq!(
        events[&uid(&early)],
        event("2023-05-31 16:00", "2023-06-05 01:30", false, 1, "乔飞鸿不在岗，由王渊代行")
    );
    assert_eq!(
        events[&uid(&cancelled)],
        event("2023-06-19 16:00", "2023-06-20 16:00", true, 1, "胡晓刚不在岗，由崔元斌代行")
    );
    assert_eq!(events.len(), 4, "and the division's day");
    let effective = events.values().find(|one| one.summary.contains("12号")).unwrap();
    assert_eq!(effective.start, "2023-05-13 16:00");
    let unit = city.read("", "市水利局").await;
    assert!(unit.is_empty(), "nobody of the unit is away: {unit:?}");
    city.advance("2024-06-06T00:00:00+08:00").await;
    let later = city.read("", "").await;
    assert!(!later.contains_key(&uid(&early)), "what ended more than 366 days ago is left out");
    assert!(later.contains_key(&uid(&planned)));
}

async fn an_officials_feed_has_when_he_acts_and_keeps_watch(city: City) {
    let city = city.with_division().await;
    let name = city.away("qiao-feihong", "2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00").await;
    let name = name.unwrap().name;
    let watch = city.flood_watch().await;
    let events = city.read("王渊", "").await;
    let acting = &events[&uid(&format!("{name}-officials/wang-yuan"))];
    assert_eq!(*acting, event("2023-06-09 16:00", "2023-06-11 16:00", false, 0, "代乔飞鸿履行职责"));
    let shifts: Vec<_> = events.values().filter(|one| one.summary.contains("值班表")).collect();
    assert_eq!(shifts.len(), 122, "every night of the season");
    assert_eq!(shifts[0].summary, "市防汛抗旱指挥部办公室值班表：值班");
    assert!(events.keys().any(|uid| uid.starts_with(&watch.replace('/', "-"))));
    assert_eq!(city.read("", "units/water").await.len(), 244, "of the unit, every shift");
}

async fn a_calendar_program_finds_all_it_needs(city: City) {
    let city = city.with_division().await;
    city.flood_watch().await;
    let (content_type, text) = city.calendar("", "units/water").await.unwrap();
    assert_eq!(content_type, "text/calendar; charset=utf-8");
    assert!(text.len() > 64 * 1024, "in more than one message: {}", text.len());
    assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    assert!(text.split_terminator("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])));
    for line in [
        "PRODID:-//Xietong//Roster//ZH",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:AB角与值班：市水利局",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}");
    }
    let (_, again) = city.calendar("", "units/water").await.unwrap();
    assert_eq!(text, again, "the same at the same time");
}

async fn a_feed_of_nobody_or_of_two_is_refused_and_everybody_with_an_account_reads(city: City) {
    let city = city.with_division().await;
    for (official, unit, code) in [
        ("某人", "", Code::NotFound),
        ("", "市月球局", Code::NotFound),
        ("", "水库中心", Code::FailedPrecondition),
        ("王渊", "市水利局", Code::InvalidArgument),
    ] {
        let refused = city.calendar(official, unit).await.unwrap_err();
        assert_eq!(refused.code(), code, "{official} {unit}");
    }
    let mut client = CalendarFeedServiceClient::new(city.routes());
    for role in Role::OF_ACCOUNTS {
        let request = city.of("one", vec![Grant::of(role)], proto::GetCalendarRequest::default());
        client.get_calendar(request).await.unwrap();
    }
    let nobody = city.of("one", vec![], proto::GetCalendarRequest::default());
    let denied = refused(client.get_calendar(nobody).await.unwrap_err());
    assert_eq!(denied.code(), Code::PermissionDenied);
}
