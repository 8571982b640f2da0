//! Years' holidays and make-up workdays: listed, published, published anew.

use tonic::Response;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;

use crate::city::{City, on_both, refused, time};

on_both!(
    the_years_known_from_the_beginning_are_listed,
    a_year_is_published_once_and_can_be_published_anew,
    what_is_no_calendar_is_refused_and_changes_nothing,
    only_administrators_publish_calendars,
    a_repeated_request_publishes_once,
);

fn spring_festival(year: i32, last_day: u8) -> proto::YearCalendar {
    proto::YearCalendar {
        year,
        source: "放假通知".into(),
        holidays: vec![proto::CalendarHoliday {
            display_name: "春节".into(),
            first_day: format!("{year}-02-05"),
            last_day: format!("{year}-02-{last_day:02}"),
        }],
        make_up_days: if year == 2027 { vec!["2027-02-14".into()] } else { vec![] },
        ..Default::default()
    }
}

fn publish(calendar: proto::YearCalendar, etag: &str) -> proto::PublishYearCalendarRequest {
    proto::PublishYearCalendarRequest {
        calendar: Some(calendar),
        etag: etag.into(),
        request_id: String::new(),
    }
}

impl City {
    async fn publish(&self, calendar: proto::YearCalendar, etag: &str) -> Result<proto::YearCalendar, Error> {
        let request = self.admin(publish(calendar, etag));
        self.year_calendars().publish_year_calendar(request).await.map(Response::into_inner).map_err(refused)
    }

    async fn year(&self, year: i32) -> Result<proto::YearCalendar, Error> {
        let request = proto::GetYearCalendarRequest { name: format!("calendars/{year}") };
        let answer = self.year_calendars().get_year_calendar(self.clerk(request)).await;
        answer.map(Response::into_inner).map_err(refused)
    }

    async fn years(&self) -> proto::ListYearCalendarsResponse {
        let request = self.clerk(proto::ListYearCalendarsRequest::default());
        self.year_calendars().list_year_calendars(request).await.unwrap().into_inner()
    }
}

async fn the_years_known_from_the_beginning_are_listed(city: City) {
    let list = city.years().await;
    assert_eq!((list.version, list.last_published_year), (1, 2026));
    let years: Vec<i32> = list.calendars.iter().map(|one| one.year).collect();
    assert_eq!(years, (2004..=2026).rev().collect::<Vec<_>>());
    let year = city.year(2023).await.unwrap();
    assert_eq!((year.source.as_str(), year.version, year.record_time), ("国办发明电〔2022〕16号", 1, None));
    assert_eq!(year.holidays.len(), 6);
    assert!(year.make_up_days.contains(&"2023-10-07".to_owned()));
    assert_eq!(city.year(2027).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(city.year(2003).await.unwrap_err().code(), Code::NotFound);
}

async fn a_year_is_published_once_and_can_be_published_anew(city: City) {
    let published = city.publish(spring_festival(2027, 11), "v0").await.unwrap();
    assert_eq!(
        (published.name.as_str(), published.version, published.etag.as_str()),
        ("calendars/2027", 2, "v1")
    );
    assert_eq!(published.record_time, Some(time(crate::city::START)));
    assert_eq!(published.make_up_days, ["2027-02-14"]);
    let again = city.publish(spring_festival(2027, 11), "").await.unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    let stale = city.publish(spring_festival(2027, 12), "v0").await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted);
    // 2028 is known, 2029 is not: later than the gap is not what the list calls the last.
    city.publish(spring_festival(2030, 11), "").await.unwrap();
    let changed = city.publish(spring_festival(2027, 12), "v1").await.unwrap();
    assert_eq!((changed.version, changed.etag.as_str()), (4, "v2"));
    assert_eq!(city.history("calendars/2027").await, ["roster.calendar.published"; 2]);

    let city = city.restarted().await;
    assert_eq!(city.year(2027).await.unwrap(), changed);
    let list = city.years().await;
    assert_eq!((list.version, list.last_published_year, list.calendars.len()), (4, 2027, 25));
}

async fn what_is_no_calendar_is_refused_and_changes_nothing(city: City) {
    let good = || spring_festival(2027, 11);
    let holidays = |change: fn(&mut proto::CalendarHoliday)| {
        let mut calendar = good();
        change(&mut calendar.holidays[0]);
        calendar
    };
    for bad in [
        spring_festival(2003, 11),
        spring_festival(2100, 11),
        spring_festival(2027, 4),
        proto::YearCalendar { source: " ".into(), ..good() },
        proto::YearCalendar { source: "字".repeat(1_000), ..good() },
        proto::YearCalendar { holidays: vec![], ..good() },
        proto::YearCalendar { holidays: vec![proto::CalendarHoliday::default(); 200], ..good() },
        proto::YearCalendar { make_up_days: vec!["2027-02-15".into()], ..good() },
        proto::YearCalendar { make_up_days: vec!["2027-02-06".into()], ..good() },
        proto::YearCalendar { make_up_days: vec!["2027-13-01".into()], ..good() },
        holidays(|one| one.display_name.clear()),
        holidays(|one| one.first_day = "2026-11-30".into()),
        holidays(|one| one.first_day = "初一".into()),
        holidays(|one| one.last_day = "2027-04-01".into()),
    ] {
        let refused = city.publish(bad.clone(), "").await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{bad:?}");
        assert!(refused.chinese().chars().any(|one| one >= '\u{4e00}'), "{refused}");
    }
    let nothing = city.admin(proto::PublishYearCalendarRequest::default());
    let refusal = refused(city.year_calendars().publish_year_calendar(nothing).await.unwrap_err());
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert_eq!(city.years().await.version, 1);
    assert!(city.history("calendars/2027").await.is_empty());
}

async fn only_administrators_publish_calendars(city: City) {
    for role in Role::OF_ACCOUNTS.into_iter().filter(|role| *role != Role::Administrator) {
        let request = city.of("one", vec![Grant::of(role)], publish(spring_festival(2027, 11), ""));
        let denied = city.year_calendars().publish_year_calendar(request).await.unwrap_err();
        assert_eq!(refused(denied).code(), Code::PermissionDenied, "{role:?}");
    }
    assert_eq!(city.years().await.version, 1);
}

async fn a_repeated_request_publishes_once(city: City) {
    let request = || proto::PublishYearCalendarRequest {
        request_id: "publish-2027".into(),
        ..publish(spring_festival(2027, 11), "")
    };
    let first =
        city.year_calendars().publish_year_calendar(city.admin(request())).await.unwrap().into_inner();
    let second =
        city.year_calendars().publish_year_calendar(city.admin(request())).await.unwrap().into_inner();
    assert_eq!(first, second);
    assert_eq!(city.history("calendars/2027").await.len(), 1);
}
