//! What a calendar program shows of the roster: absences, who acts, watches, and the days on
//! which divisions take effect.

use std::time::Duration;

use domain_calendar::Timestamp;

use crate::absence::{Absence, AbsenceChange};
use crate::book::Book;
use crate::coverage::{Cuts, merged};
use crate::duty::{DutyRoster, duty_shifts};
use crate::error::RosterError;
use crate::interval::Interval;
use crate::stand_in::acting_as_known;
use crate::unit::Unit;

/// Whose calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// Every absence, and the days on which divisions take effect.
    Whole,
    /// `officials/{id}`: the official's absences, when the official acts for others, and the
    /// shifts of his or her watches.
    Official(String),
    /// `units/{slug}`: the absences of its people, and the shifts of its watches.
    Unit(String),
}

/// An entry of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// The same for the same thing, for ever; without a domain.
    pub uid: String,
    /// How often the thing was changed.
    pub sequence: u32,
    /// First instant of it.
    pub start_time: Timestamp,
    /// First instant after it.
    pub end_time: Timestamp,
    /// What it is, in Chinese.
    pub summary: String,
    /// It is not so after all.
    pub cancelled: bool,
    /// When the roster learned of it.
    pub record_time: Timestamp,
    /// When it was changed last.
    pub change_time: Timestamp,
}

impl Feed {
    /// The feed of an official, by resource name or name.
    pub fn of_official(book: &Book, text: &str, now: Timestamp) -> Result<Feed, RosterError> {
        let official = book.view(now, Timestamp::MAX).lookup_official(text).require(text)?;
        Ok(Feed::Official(official.name.clone()))
    }

    /// The feed of a unit, by resource name or any of its names.
    pub fn of_unit(book: &Book, text: &str, now: Timestamp) -> Result<Feed, RosterError> {
        let unit: &Unit = book.view(now, Timestamp::MAX).lookup_unit(text).require(text)?;
        Ok(Feed::Unit(unit.name.clone()))
    }

    /// What people call it.
    pub fn chinese(&self, book: &Book) -> String {
        let whose = match self {
            Feed::Whole => "全市",
            Feed::Official(official) => label(book, official),
            Feed::Unit(unit) => book.unit(unit).map_or(unit.as_str(), |known| known.display_name.as_str()),
        };
        format!("AB角与值班：{whose}")
    }
}

/// The entries of a feed that are not over before an instant, by start.
pub fn calendar_entries(book: &Book, feed: &Feed, since: Timestamp) -> Vec<CalendarEntry> {
    let mut entries = Vec::new();
    let window = Interval { start: since, end: Timestamp::MAX };
    match feed {
        Feed::Whole => {
            entries.extend(book.absences().filter_map(|absence| away(book, absence)));
            entries.extend(book.divisions().map(|division| CalendarEntry {
                uid: uid(&division.name),
                sequence: 0,
                start_time: division.effective_time,
                end_time: division.effective_time.saturating_add(Duration::from_secs(86_400)),
                summary: format!("{}开始执行", division.label()),
                cancelled: false,
                record_time: division.record_time,
                change_time: division.record_time,
            }));
        }
        Feed::Official(official) => {
            entries.extend(book.absences_of(official).filter_map(|absence| away(book, absence)));
            let cuts = Cuts::of(book, window, Timestamp::MAX);
            let others = book.absences().filter(|absence| absence.official != *official);
            entries.extend(others.flat_map(|absence| acts(book, absence, official, window, &cuts)));
            for roster in book.duty_rosters() {
                entries.extend(watches(book, roster, Some(official), window));
            }
        }
        Feed::Unit(unit) => {
            let of_unit = |absence: &&Absence| {
                let posts = book.official(&absence.official).into_iter().flat_map(|known| &known.posts);
                let mut own = posts.filter(|post| post.unit.as_ref() == Some(unit));
                own.any(|post| {
                    post.start_time.is_none_or(|start| start < absence.end_time)
                        && post.end_time.is_none_or(|end| absence.start_time < end)
                })
            };
            entries.extend(book.absences().filter(of_unit).filter_map(|absence| away(book, absence)));
            for roster in book.duty_rosters().filter(|roster| roster.unit == *unit) {
                entries.extend(watches(book, roster, None, window));
            }
        }
    }
    entries.retain(|entry| since < entry.end_time);
    entries.sort_by(|one, other| (one.start_time, &one.uid).cmp(&(other.start_time, &other.uid)));
    entries
}

/// When an absence is, or would have been, and by what knowledge.
fn times(absence: &Absence) -> Option<(Interval, Timestamp, bool)> {
    let cancelled = absence.changes.iter().find_map(|change| match change {
        AbsenceChange::Cancelled { recorded_at } => Some(*recorded_at),
        AbsenceChange::EndedEarly { .. }
        | AbsenceChange::Extended { .. }
        | AbsenceChange::Corrected { .. }
        | AbsenceChange::Acknowledged { .. } => None,
    });
    let known_at = cancelled.map_or(Timestamp::MAX, |at| at.saturating_sub(Duration::from_micros(1)));
    let registered = Interval { start: absence.start_time, end: absence.end_time };
    // One that was cancelled as it was registered was never known otherwise.
    let known = absence.interval(known_at).or(cancelled.map(|_| registered))?;
    (known.start < known.end).then_some((known, known_at, cancelled.is_some()))
}

fn entry(absence: &Absence, uid: String, time: Interval, summary: String, cancelled: bool) -> CalendarEntry {
    let changed = absence.changes.iter().map(AbsenceChange::recorded_at).max();
    CalendarEntry {
        uid,
        sequence: u32::try_from(absence.changes.len()).unwrap_or(u32::MAX),
        start_time: time.start,
        end_time: time.end,
        summary,
        cancelled,
        record_time: absence.recorded_at,
        change_time: changed.unwrap_or(absence.recorded_at),
    }
}

/// An absence.
fn away(book: &Book, absence: &Absence) -> Option<CalendarEntry> {
    let (time, known_at, cancelled) = times(absence)?;
    let who = label(book, &absence.official);
    let summary = match acting_as_known(book, &absence.official, time.start, known_at) {
        Some(acting) => format!("{who}不在岗，由{}代行", label(book, acting)),
        None => format!("{who}不在岗，无人代行"),
    };
    Some(entry(absence, uid(&absence.name), time, summary, cancelled))
}

/// When an official acts for somebody away, in all or a part of the duties.
fn acts(book: &Book, absence: &Absence, official: &str, window: Interval, cuts: &Cuts) -> Vec<CalendarEntry> {
    let Some((time, known_at, cancelled)) = times(absence) else { return Vec::new() };
    let Some(within) = time.overlap(window) else { return Vec::new() };
    let acts = |at: Timestamp| {
        let shared = absence.shares.iter().any(|share| share.stand_in == official)
            && book.away(official, at, known_at).is_none();
        shared || acting_as_known(book, &absence.official, at, known_at) == Some(official)
    };
    // What might have changed while one that was cancelled lasted is nobody's concern.
    let pieces: Vec<Interval> = if cancelled { vec![time] } else { cuts.within(within).collect() };
    let pieces = merged(pieces.into_iter().filter(|piece| acts(piece.start)).collect());
    let summary = format!("代{}履行职责", label(book, &absence.official));
    let uid = |number: usize| {
        let whose = uid(&format!("{}-{official}", absence.name));
        if number == 0 { whose } else { format!("{whose}-{number}") }
    };
    let entries = pieces.into_iter().enumerate();
    entries.map(|(number, piece)| entry(absence, uid(number), piece, summary.clone(), cancelled)).collect()
}

/// The shifts of a watch, or those of one official.
fn watches(book: &Book, roster: &DutyRoster, official: Option<&str>, window: Interval) -> Vec<CalendarEntry> {
    let recorded: Vec<Timestamp> =
        book.duty_roster_versions(&roster.name).map(|version| version.recorded_at).collect();
    let record_time = recorded.iter().copied().min().unwrap_or(window.start);
    let shifts = duty_shifts(book, &roster.name, window, Timestamp::MAX).into_iter();
    let own = shifts.filter(|shift| official.is_none_or(|one| shift.team.people().any(|who| who == one)));
    own.map(|shift| {
        let swaps = book.duty_swaps(&roster.name).iter();
        let swaps: Vec<Timestamp> = swaps
            .filter(|swap| swap.shift_start_time == shift.start_time)
            .map(|swap| swap.recorded_at)
            .collect();
        let leader = shift.team.leader.as_deref();
        let what = match (official, leader) {
            (Some(one), Some(leader)) if one == leader => "带班".to_owned(),
            (Some(_), _) => "值班".to_owned(),
            (None, Some(leader)) => format!("{}带班", label(book, leader)),
            (None, None) => "无人值班".to_owned(),
        };
        let changes = recorded.len().saturating_sub(1) + swaps.len();
        CalendarEntry {
            uid: format!("{}-{}", uid(&roster.name), shift.start_time.as_micros()),
            sequence: u32::try_from(changes).unwrap_or(u32::MAX),
            start_time: shift.start_time,
            end_time: shift.end_time,
            summary: format!("{}：{what}", roster.display_name),
            cancelled: false,
            record_time,
            change_time: recorded.iter().chain(&swaps).copied().max().unwrap_or(record_time),
        }
    })
    .collect()
}

/// A resource name without what an identifier of a calendar had better not have.
fn uid(name: &str) -> String {
    name.replace('/', "-")
}

fn label<'a>(book: &'a Book, official: &'a str) -> &'a str {
    book.official(official).map_or(official, |known| known.display_name.as_str())
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{CalendarEntry, Feed, calendar_entries};
    use crate::fixture::{Roster, at, registration};

    fn feed(roster: &Roster, feed: &Feed) -> Vec<CalendarEntry> {
        calendar_entries(&roster.book, feed, at("2022-06-01T00:00+08:00"))
    }

    fn official(slug: &str) -> Feed {
        Feed::Official(format!("officials/{slug}"))
    }

    #[test]
    fn an_absence_is_in_the_feeds_of_a_of_b_and_of_the_city() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let [own] = &feed(&roster, &official("cui-yuanbin"))[..] else { panic!("one") };
        assert_eq!((own.uid.as_str(), own.summary.as_str()), ("absences-one", "崔元斌不在岗，由胡晓刚代行"));
        let [acting] = &feed(&roster, &official("hu-xiaogang"))[..] else { panic!("one") };
        assert_eq!(acting.summary, "代崔元斌履行职责");
        assert_eq!((acting.start_time, acting.end_time), (own.start_time, own.end_time));
        assert_ne!(acting.uid, own.uid);
        let whole = feed(&roster, &Feed::Whole);
        let summaries: Vec<&str> = whole.iter().map(|entry| entry.summary.as_str()).collect();
        let expected =
            ["临政办发〔2023〕8号开始执行", "临政办发〔2023〕12号开始执行", "崔元斌不在岗，由胡晓刚代行"];
        assert_eq!(summaries, expected);
        assert_eq!(feed(&roster, &official("wang-yun")), []);
    }

    #[test]
    fn a_cancelled_absence_stays_under_its_uid_with_a_higher_sequence() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let before = feed(&roster, &official("hu-xiaogang"));
        let now = at("2023-06-09T08:00+08:00");
        let event = roster.absence("one").cancel(now).unwrap();
        roster.record(&event, now);
        for whose in ["cui-yuanbin", "hu-xiaogang"] {
            let [entry] = &feed(&roster, &official(whose))[..] else { panic!("{whose}") };
            assert!(entry.cancelled && entry.sequence == 1 && entry.change_time == now);
            assert_eq!(entry.end_time, at("2023-06-12T00:00+08:00"));
        }
        assert_eq!(feed(&roster, &official("hu-xiaogang"))[0].uid, before[0].uid);
    }

    #[test]
    fn acting_ends_when_the_stand_in_is_away_too_and_goes_on_with_the_next() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let mut hu = registration("two", "hu-xiaogang", "2023-06-11T00:00+08:00", "2023-06-14T00:00+08:00");
        hu.approval = Some("市长批示".into());
        roster.register(hu);
        let acting = feed(&roster, &official("hu-xiaogang"));
        let acting = acting.iter().find(|entry| entry.summary == "代崔元斌履行职责").unwrap();
        assert_eq!(acting.end_time, at("2023-06-11T00:00+08:00"));
        let next = feed(&roster, &official("wang-yuan"));
        assert_eq!(next[0].start_time, at("2023-06-11T00:00+08:00"), "the fallback");
    }

    #[test]
    fn a_units_feed_has_its_people_and_what_is_long_over_is_left_out() {
        let mut roster = Roster::linfen();
        roster.away("one", "water-head", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let unit = Feed::of_unit(&roster.book, "市水利局", at("2023-06-01T00:00+08:00")).unwrap();
        assert_eq!(feed(&roster, &unit).len(), 1);
        assert_eq!(calendar_entries(&roster.book, &unit, at("2023-06-12T00:00+08:00")), []);
        assert_eq!(calendar_entries(&roster.book, &Feed::Whole, Timestamp::MAX), []);
        assert!(Feed::of_official(&roster.book, "某人", at("2023-06-01T00:00+08:00")).is_err());
    }
}
