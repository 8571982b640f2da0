//! A calendar as RFC 5545 writes it. Escaping and, but for its last octet, folding are the
//! `icalendar` crate's.

use std::time::Duration;

use domain_calendar::Timestamp;
use domain_roster::CalendarEntry;
use icalendar::{Calendar, Component, Event, EventStatus, Property};
use time::OffsetDateTime;

/// How often a calendar program should look again.
const REFRESH: &str = "PT1H";
/// Who wrote it.
const PRODUCT: &str = "-//Xietong//Roster//ZH";
const CRLF: &str = "\r\n";
/// Octets of a line without its end.
const LONGEST_LINE: usize = 75;
/// Where identifiers are unique.
const DOMAIN: &str = "roster.xietong";

/// Renders a calendar that was made at `now`.
pub(in crate::grpc) fn render(name: &str, entries: &[CalendarEntry], now: Timestamp) -> String {
    let mut calendar = Calendar::empty();
    let name = one_line(name);
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", PRODUCT));
    calendar.append_property(("CALSCALE", "GREGORIAN"));
    calendar.append_property(("METHOD", "PUBLISH"));
    calendar.name(&name);
    calendar.description("一年以前的不列入");
    calendar.append_property(
        Property::new("REFRESH-INTERVAL", REFRESH).add_parameter("VALUE", "DURATION").done(),
    );
    calendar.append_property(("X-PUBLISHED-TTL", REFRESH));
    for entry in entries {
        calendar.push(event(entry, now));
    }
    within_limit(&calendar.to_string())
}

fn event(entry: &CalendarEntry, now: Timestamp) -> Event {
    // A calendar has whole seconds, and an end after the start.
    let end = entry.end_time.max(entry.start_time.saturating_add(Duration::from_secs(1)));
    let status = if entry.cancelled { EventStatus::Cancelled } else { EventStatus::Confirmed };
    let mut event = Event::with_uid(&format!("{}@{DOMAIN}", entry.uid));
    event
        .sequence(entry.sequence)
        .status(status)
        .summary(&one_line(&entry.summary))
        .add_property("DTSTAMP", utc(now))
        .add_property("DTSTART", utc(entry.start_time))
        .add_property("DTEND", utc(end))
        .add_property("CREATED", utc(entry.record_time))
        .add_property("LAST-MODIFIED", utc(entry.change_time))
        // Who is away is not busy with it in the reader's own calendar.
        .add_property("TRANSP", "TRANSPARENT");
    event.done()
}

/// Folds what the crate leaves too long: it does not count the space that begins a folded line, so
/// that the last one can have 76 octets. The limit is RFC 5545's, section 3.1.
fn within_limit(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for line in text.split_terminator(CRLF) {
        let mut rest = line;
        let mut limit = LONGEST_LINE;
        while rest.len() > limit {
            let (head, tail) = rest.split_at(rest.floor_char_boundary(limit));
            folded.push_str(head);
            folded.push_str(CRLF);
            folded.push(' ');
            // The space counts.
            (rest, limit) = (tail, LONGEST_LINE - 1);
        }
        folded.push_str(rest);
        folded.push_str(CRLF);
    }
    folded
}

/// Names that people entered may hold what no line of a calendar may.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// An instant as UTC, for example `20230531T160000Z`.
fn utc(at: Timestamp) -> String {
    let seconds = at.as_micros().div_euclid(1_000_000);
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use domain_roster::CalendarEntry;

    use super::{render, utc};

    #[test]
    fn every_line_ends_with_crlf_and_has_at_most_75_octets_of_whole_characters() {
        let at = Timestamp::parse("2023-06-10T00:00:00+08:00").unwrap();
        let entry = |summary: &str| CalendarEntry {
            uid: format!("absences-{}", "x".repeat(63)),
            sequence: 0,
            start_time: at,
            end_time: at,
            summary: summary.into(),
            cancelled: false,
            record_time: at,
            change_time: at,
        };
        for length in 1..120 {
            let text = render("历", &[entry(&"水 a，".repeat(length))], at);
            assert!(text.ends_with("END:VCALENDAR\r\n"));
            for line in text.split_terminator("\r\n") {
                assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line}");
            }
        }
        let hostile = render("a\r\nMETHOD:CANCEL", &[entry("甲\r\nSTATUS:CANCELLED;x,y\\z\u{2028}")], at);
        assert!(!hostile.contains("\r\nMETHOD:CANCEL") && !hostile.contains("\r\nSTATUS:CANCELLED"));
        assert!(hostile.contains("\\;x\\,y\\\\z"));
    }

    #[test]
    fn instants_are_written_as_utc() {
        let at = Timestamp::parse("2023-06-10T00:00:00+08:00").unwrap();
        assert_eq!(utc(at), "20230609T160000Z");
        assert_eq!((utc(Timestamp::MIN).len(), utc(Timestamp::MAX).len()), (16, 16));
    }
}
