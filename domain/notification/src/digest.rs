//! A leader's daily summary of what climbed.

use domain_calendar::{Calendar, Timestamp};
use domain_roster::Book;
use time::Time;
use time::macros::time;

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{moment, unit};

/// Asia/Shanghai.
const SENT: Time = time!(8:30);

/// One thing that climbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestEntry {
    /// The unit that did not sign.
    pub unit: String,
    /// Title of what it did not sign for.
    pub title: String,
    /// When it came to the leader.
    pub climbed_at: Timestamp,
    /// It was signed for since, or is no longer wanted.
    pub settled: bool,
}

/// When what climbs at an instant is summed up: 08:30 Asia/Shanghai of the next working day.
pub fn digest_due(at: Timestamp, calendar: &Calendar) -> Timestamp {
    let day = at.day().next_day().map_or(at.day(), |tomorrow| calendar.working_day_from(tomorrow));
    Timestamp::at(day, SENT)
}

/// The summary for an official; none when nothing climbed.
pub fn digest(official: &str, entries: &[DigestEntry], book: &Book) -> Option<Notice> {
    if entries.is_empty() {
        return None;
    }
    let open = entries.iter().filter(|entry| !entry.settled).count();
    let lines = entries.iter().zip(1..).map(|(entry, number)| {
        let state = if entry.settled { "已办理" } else { "仍未签收" };
        let unit = unit(book, &entry.unit);
        format!("{number}. {unit}：{}（{}升级，{state}）", entry.title, moment(entry.climbed_at))
    });
    let body = lines.collect::<Vec<_>>().join("\n");
    let title = format!("未签收事项汇总：共{}项，仍未签收{open}项", entries.len());
    let audience = vec![Audience::Official(official.to_owned())];
    Some(Notice::new(NoticeKind::Digest, "inbox", title, body, audience))
}

#[cfg(test)]
mod tests {
    use domain_calendar::Calendar;

    use super::{DigestEntry, digest, digest_due};
    use crate::fixture::{Roster, at};

    #[test]
    fn a_digest_comes_on_the_morning_of_the_next_working_day() {
        let calendar = Calendar::built_in();
        for (climbed, due) in [
            ("2023-06-05T10:00+08:00", "2023-06-06T08:30+08:00"),
            ("2023-06-06T08:00+08:00", "2023-06-07T08:30+08:00"),
            ("2023-06-09T17:00+08:00", "2023-06-12T08:30+08:00"),
            ("2023-09-28T17:00+08:00", "2023-10-07T08:30+08:00"),
        ] {
            assert_eq!(digest_due(at(climbed), &calendar), at(due), "{climbed}");
        }
    }

    #[test]
    fn a_digest_lists_what_climbed_and_what_is_still_open() {
        let roster = Roster::new();
        let entry = |unit: &str, settled| DigestEntry {
            unit: format!("units/{unit}"),
            title: "红灯：第147号".into(),
            climbed_at: at("2023-06-05T10:00+08:00"),
            settled,
        };
        let entries = [entry("water", false), entry("finance", true)];
        let notice = digest("officials/qiao-feihong", &entries, &roster.book).unwrap();
        assert_eq!(notice.title, "未签收事项汇总：共2项，仍未签收1项");
        assert_eq!(
            notice.body,
            "1. 市水利局：红灯：第147号（2023年6月5日10时升级，仍未签收）\n2. 市财政局：红灯：第147号（2023年6月5日10时升级，已办理）"
        );
        assert_eq!(digest("officials/qiao-feihong", &[], &roster.book), None);
    }
}
