//! [`Preference`]: how an official wants to be told, within what the rules allow.
//!
//! What obliges somebody reaches him whatever he prefers: what is assigned to him, urgings, whatever
//! must be signed for and what climbed because nobody signed, instructions, whose authority begins or
//! ends, and all that is urgent. The rest he may turn off by channel, keep out of hours of his own, or
//! have summed up once a day. Nothing is lost by it: in the inbox, what is turned off or waits is filed
//! in the archive without a sound.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use domain_calendar::{Calendar, Timestamp};
use serde::{Deserialize, Serialize};
use time::Time;

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind, UnknownWord};
use crate::wording::moment;

/// A way to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// 收件箱.
    Inbox,
    /// 系统对接.
    Webhook,
    /// 电子邮件.
    Email,
    /// 短信、政务消息.
    Message,
}

/// A time of day in Asia/Shanghai, to the minute; `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MinuteOfDay(Time);

/// Hours in which somebody wants to hear only of what cannot wait, beyond those of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuietHours {
    /// From here on, every day.
    pub from: MinuteOfDay,
    /// Up to here, on the next day when it is not later.
    pub until: MinuteOfDay,
    /// Rest days are quiet as a whole.
    pub rest_days: bool,
}

/// What is summed up once a working day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DailyDigest {
    /// When, on working days.
    pub at: MinuteOfDay,
    /// Of which kinds.
    pub kinds: BTreeSet<NoticeKind>,
}

/// How an official wants to be told. As it begins, everything comes at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preference {
    /// Kinds that are turned off, by channel.
    #[serde(default)]
    pub muted: BTreeSet<(NoticeKind, Channel)>,
    /// Hours of his own.
    #[serde(default)]
    pub quiet: Option<QuietHours>,
    /// His daily summary.
    #[serde(default)]
    pub digest: Option<DailyDigest>,
}

/// What an official may not prefer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PreferenceError {
    /// The kind obliges whoever gets it.
    #[error("notices of the kind {0} must arrive and cannot be turned off")]
    MustArrive(NoticeKind),
    /// The kind obliges whoever gets it.
    #[error("notices of the kind {0} must arrive at once and cannot wait for a summary")]
    MustNotWait(NoticeKind),
    /// They leave no office hours.
    #[error("the quiet hours leave no time in office hours at which anything could be told")]
    NeverTold,
    /// A summary that sums up nothing.
    #[error("the daily summary needs a kind of notice that it sums up")]
    EmptyDigest,
}

/// What is at stake with a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stakes {
    /// What it is about.
    pub kind: NoticeKind,
    /// It must be signed for.
    pub requires_acknowledgement: bool,
    /// It is urgent.
    pub urgent: bool,
}

/// How a notice is told on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    AtOnce,
    /// Not at all; the inbox files it.
    Muted,
    /// With what else waits until then.
    Later(Timestamp),
}

/// A message that waited for a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitedEntry {
    /// Its title.
    pub title: String,
    /// When it was filed.
    pub sent_at: Timestamp,
}

impl Channel {
    /// Every channel, in the order of the API.
    pub const ALL: [Channel; 4] = [Self::Inbox, Self::Webhook, Self::Email, Self::Message];

    /// The word it is stored under, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Webhook => "webhook",
            Self::Email => "email",
            Self::Message => "message",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Channel {
    type Err = UnknownWord;

    /// Reads the word it is stored under.
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| UnknownWord::new(text))
    }
}

impl MinuteOfDay {
    fn time(self) -> Time {
        self.0
    }
}

impl FromStr for MinuteOfDay {
    type Err = UnknownWord;

    /// Reads `HH:MM`.
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let unknown = || UnknownWord::new(text);
        let (hour, minute) = text.split_once(':').ok_or_else(unknown)?;
        let number = |digits: &str| {
            let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            two.then(|| digits.parse::<u8>().ok()).flatten()
        };
        let (hour, minute) = number(hour).zip(number(minute)).ok_or_else(unknown)?;
        Time::from_hms(hour, minute, 0).map(MinuteOfDay).map_err(|_| unknown())
    }
}

impl fmt::Display for MinuteOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl Serialize for MinuteOfDay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MinuteOfDay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl QuietHours {
    /// When the quiet that holds at an instant ends; the instant itself when none does.
    fn ends(self, at: Timestamp, calendar: &Calendar) -> Timestamp {
        let (day, time) = (at.day(), at.time_of_day());
        if self.rest_days && !calendar.is_working_day(day) {
            return Timestamp::start_of_day(calendar.working_day_from(day));
        }
        let (from, until) = (self.from.time(), self.until.time());
        if from < until {
            return if (from..until).contains(&time) { Timestamp::at(day, until) } else { at };
        }
        if time < until {
            Timestamp::at(day, until)
        } else if time >= from {
            day.next_day().map_or(at, |next| Timestamp::at(next, until))
        } else {
            at
        }
    }

    /// When something that came in quiet hours is told: outside them, and when people work.
    fn told(self, at: Timestamp, calendar: &Calendar) -> Timestamp {
        let mut told = at;
        // Quiet hours that pass the check leave a moment each working day: it takes few steps.
        for _ in 0..8 {
            let moved = calendar.next_working_moment(self.ends(told, calendar));
            if moved == told {
                break;
            }
            told = moved;
        }
        told
    }
}

impl Preference {
    /// Whether the rules allow it.
    ///
    /// # Errors
    /// The first thing that they do not.
    pub fn check(&self, calendar: &Calendar, now: Timestamp) -> Result<(), PreferenceError> {
        if let Some((kind, _)) = self.muted.iter().find(|(kind, _)| obliges(*kind)) {
            return Err(PreferenceError::MustArrive(*kind));
        }
        if let Some(digest) = &self.digest {
            if digest.kinds.is_empty() {
                return Err(PreferenceError::EmptyDigest);
            }
            if let Some(kind) = digest.kinds.iter().find(|kind| obliges(**kind)) {
                return Err(PreferenceError::MustNotWait(*kind));
            }
        }
        if let Some(quiet) = self.quiet {
            let day = calendar.working_day_from(now.day());
            let morning = Timestamp::start_of_day(day);
            let told = quiet.told(calendar.next_working_moment(morning), calendar);
            if quiet.from == quiet.until || told.day() != day {
                return Err(PreferenceError::NeverTold);
            }
        }
        Ok(())
    }

    /// How a notice that comes at an instant is told on a channel.
    pub fn delivery(&self, stakes: Stakes, channel: Channel, at: Timestamp, calendar: &Calendar) -> Delivery {
        if stakes.urgent || stakes.requires_acknowledgement || obliges(stakes.kind) {
            return Delivery::AtOnce;
        }
        if self.muted.contains(&(stakes.kind, channel)) {
            return Delivery::Muted;
        }
        if let Some(digest) = self.digest.as_ref().filter(|digest| digest.kinds.contains(&stakes.kind)) {
            return Delivery::Later(digest.next(at, calendar));
        }
        match self.quiet {
            Some(quiet) if quiet.ends(at, calendar) > at => Delivery::Later(quiet.told(at, calendar)),
            Some(_) | None => Delivery::AtOnce,
        }
    }
}

impl DailyDigest {
    /// The first window after an instant.
    fn next(&self, at: Timestamp, calendar: &Calendar) -> Timestamp {
        let window = |day| Timestamp::at(calendar.working_day_from(day), self.at.time());
        let today = window(at.day());
        if today > at {
            return today;
        }
        at.day().next_day().map_or(today, window)
    }
}

/// Whether notices of a kind oblige whoever gets them.
fn obliges(kind: NoticeKind) -> bool {
    match kind {
        NoticeKind::Assignment
        | NoticeKind::Urging
        | NoticeKind::Instruction
        | NoticeKind::Climbed
        | NoticeKind::Digest
        | NoticeKind::Handover => true,
        NoticeKind::Progress
        | NoticeKind::Reminder
        | NoticeKind::Light
        | NoticeKind::Decision
        | NoticeKind::Outcome => false,
    }
}

/// The summary of what waited for an official; none when he has read it all meanwhile.
pub fn waited(official: &str, entries: &[WaitedEntry]) -> Option<Notice> {
    if entries.is_empty() {
        return None;
    }
    let lines = entries
        .iter()
        .zip(1..)
        .map(|(entry, number)| format!("{number}. {}（{}）", entry.title, moment(entry.sent_at)));
    let body = lines.collect::<Vec<_>>().join("\n");
    let title = format!("通知汇总：共{}条", entries.len());
    let audience = vec![Audience::Official(official.to_owned())];
    Some(Notice::new(NoticeKind::Digest, "inbox", title, body, audience))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::at;

    fn time(text: &str) -> MinuteOfDay {
        text.parse().unwrap()
    }

    fn quiet(from: &str, until: &str, rest_days: bool) -> Preference {
        let quiet = Some(QuietHours { from: time(from), until: time(until), rest_days });
        Preference { quiet, ..Preference::default() }
    }

    fn digest(at: &str, kinds: &[NoticeKind]) -> Preference {
        let digest = Some(DailyDigest { at: time(at), kinds: kinds.iter().copied().collect() });
        Preference { digest, ..Preference::default() }
    }

    fn muted(kind: NoticeKind, channel: Channel) -> Preference {
        Preference { muted: BTreeSet::from([(kind, channel)]), ..Preference::default() }
    }

    fn of(kind: NoticeKind) -> Stakes {
        Stakes { kind, requires_acknowledgement: false, urgent: false }
    }

    #[test]
    fn what_obliges_can_be_turned_off_on_no_channel_and_waits_for_no_summary() {
        let (calendar, now) = (Calendar::built_in(), at("2023-06-05T10:00+08:00"));
        for kind in NoticeKind::ALL {
            let refused = matches!(
                kind,
                NoticeKind::Assignment
                    | NoticeKind::Urging
                    | NoticeKind::Instruction
                    | NoticeKind::Climbed
                    | NoticeKind::Digest
                    | NoticeKind::Handover
            );
            for channel in Channel::ALL {
                let checked = muted(kind, channel).check(&calendar, now);
                let expected = if refused { Err(PreferenceError::MustArrive(kind)) } else { Ok(()) };
                assert_eq!(checked, expected, "{kind} {channel:?}");
            }
            let expected = if refused { Err(PreferenceError::MustNotWait(kind)) } else { Ok(()) };
            assert_eq!(digest("09:00", &[kind]).check(&calendar, now), expected, "{kind}");
        }
        assert_eq!(digest("09:00", &[]).check(&calendar, now), Err(PreferenceError::EmptyDigest));
    }

    #[test]
    fn quiet_hours_leave_time_to_be_told() {
        let (calendar, now) = (Calendar::built_in(), at("2023-06-05T10:00+08:00"));
        for (from, until, allowed) in [
            ("12:00", "14:30", true),
            ("22:00", "07:00", true),
            ("17:00", "09:00", true),
            ("08:00", "17:59", true),
            ("07:00", "19:00", false),
            ("08:00", "18:00", false),
            ("09:00", "09:00", false),
            ("18:30", "18:00", false),
        ] {
            let expected = if allowed { Ok(()) } else { Err(PreferenceError::NeverTold) };
            assert_eq!(quiet(from, until, true).check(&calendar, now), expected, "{from} {until}");
        }
    }

    #[test]
    fn what_may_wait_is_told_when_the_preference_says() {
        let calendar = Calendar::built_in();
        let progress = of(NoticeKind::Progress);
        let noon = || quiet("12:00", "14:30", false);
        let night = || quiet("17:00", "09:30", true);
        // 2023-06-05 is a Monday; the 22nd to the 24th are a holiday, the 25th is worked.
        for (preference, stakes, came, told) in [
            (Preference::default(), progress, "2023-06-05T03:00+08:00", Delivery::AtOnce),
            (
                muted(NoticeKind::Progress, Channel::Inbox),
                progress,
                "2023-06-05T10:00+08:00",
                Delivery::Muted,
            ),
            (
                muted(NoticeKind::Progress, Channel::Email),
                progress,
                "2023-06-05T10:00+08:00",
                Delivery::AtOnce,
            ),
            (noon(), progress, "2023-06-05T11:59+08:00", Delivery::AtOnce),
            (noon(), progress, "2023-06-05T12:00+08:00", Delivery::Later(at("2023-06-05T14:30+08:00"))),
            (noon(), progress, "2023-06-05T14:30+08:00", Delivery::AtOnce),
            (noon(), progress, "2023-06-10T13:00+08:00", Delivery::Later(at("2023-06-12T08:00+08:00"))),
            (noon(), progress, "2023-06-10T15:00+08:00", Delivery::AtOnce),
            (night(), progress, "2023-06-05T17:00+08:00", Delivery::Later(at("2023-06-06T09:30+08:00"))),
            (night(), progress, "2023-06-09T17:00+08:00", Delivery::Later(at("2023-06-12T09:30+08:00"))),
            (night(), progress, "2023-06-10T12:00+08:00", Delivery::Later(at("2023-06-12T09:30+08:00"))),
            (night(), progress, "2023-06-23T12:00+08:00", Delivery::Later(at("2023-06-25T09:30+08:00"))),
            (night(), Stakes { urgent: true, ..progress }, "2023-06-05T18:00+08:00", Delivery::AtOnce),
            (
                muted(NoticeKind::Light, Channel::Inbox),
                Stakes { requires_acknowledgement: true, ..of(NoticeKind::Light) },
                "2023-06-05T10:00+08:00",
                Delivery::AtOnce,
            ),
            (night(), of(NoticeKind::Urging), "2023-06-05T18:00+08:00", Delivery::AtOnce),
            (
                digest("09:00", &[NoticeKind::Progress]),
                progress,
                "2023-06-05T08:59+08:00",
                Delivery::Later(at("2023-06-05T09:00+08:00")),
            ),
            (
                digest("09:00", &[NoticeKind::Progress]),
                progress,
                "2023-06-09T09:00+08:00",
                Delivery::Later(at("2023-06-12T09:00+08:00")),
            ),
            (
                digest("09:00", &[NoticeKind::Progress]),
                of(NoticeKind::Outcome),
                "2023-06-09T09:00+08:00",
                Delivery::AtOnce,
            ),
        ] {
            let delivery = preference.delivery(stakes, Channel::Inbox, at(came), &calendar);
            assert_eq!(delivery, told, "{preference:?} {came}");
        }
    }

    #[test]
    fn times_of_day_are_read_to_the_minute() {
        for text in ["00:00", "08:05", "23:59"] {
            assert_eq!(time(text).to_string(), text);
        }
        for text in ["", "8:00", "24:00", "12:60", "12", "12:00:00", "+1:00", "一二:00"] {
            assert!(text.parse::<MinuteOfDay>().is_err(), "{text}");
        }
        let preference = Preference {
            muted: muted(NoticeKind::Light, Channel::Email).muted,
            ..quiet("12:00", "13:00", true)
        };
        let json = serde_json::to_string(&preference).unwrap();
        assert_eq!(serde_json::from_str::<Preference>(&json).unwrap(), preference, "{json}");
        assert_eq!(serde_json::from_str::<Preference>("{}").unwrap(), Preference::default());
    }

    #[test]
    fn what_waited_is_listed() {
        assert_eq!(waited("officials/one", &[]), None);
        let entry = |title: &str| WaitedEntry { title: title.into(), sent_at: at("2023-06-05T12:05+08:00") };
        let told = waited("officials/one", &[entry("反馈：《一》"), entry("反馈：《二》")]).unwrap();
        assert_eq!(told.title, "通知汇总：共2条");
        assert_eq!(told.body.lines().count(), 2);
        assert!(told.body.starts_with("1. 反馈：《一》（"), "{}", told.body);
    }

    proptest! {
        #[test]
        fn what_waits_is_told_later_outside_quiet_hours_and_when_people_work(
            from in 0_u8..24, until in 0_u8..24, rest_days: bool, minutes in 0_i64..(40 * 24 * 60),
        ) {
            let calendar = Calendar::built_in();
            let preference = quiet(&format!("{from:02}:00"), &format!("{until:02}:00"), rest_days);
            let start = at("2023-09-15T00:00+08:00");
            prop_assume!(preference.check(&calendar, start).is_ok());
            let came = Timestamp::from_micros(start.as_micros() + minutes * 60_000_000);
            let stakes = of(NoticeKind::Progress);
            if let Delivery::Later(told) = preference.delivery(stakes, Channel::Inbox, came, &calendar) {
                prop_assert!(told > came);
                prop_assert!(calendar.may_disturb(told));
                let then = preference.delivery(stakes, Channel::Inbox, told, &calendar);
                prop_assert_eq!(then, Delivery::AtOnce);
            }
        }
    }
}
