//! What a calendar program shows of the roster: absences, who acts, watches, and the days on
//! which divisions take effect.
//!
//! A calendar program replaces what it has by what has a higher sequence, and keeps what it no
//! longer hears of. So an entry is followed through all that was ever known: whatever changed it
//! counts, be that recorded of another thing, and what is so no more stays, as cancelled.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain_calendar::Timestamp;

use crate::absence::{Absence, AbsenceChange};
use crate::book::Book;
use crate::coverage::merged;
use crate::division::Division;
use crate::duty::{DutyRoster, DutyShift, duty_shifts};
use crate::error::RosterError;
use crate::interval::Interval;
use crate::moments::{may_act, moments_of, units_of};
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
            Feed::Official(official) => label(book, official, Timestamp::MAX),
            Feed::Unit(unit) => book.unit(unit).map_or(unit.as_str(), |known| known.display_name.as_str()),
        };
        format!("AB角与值班：{whose}")
    }
}

/// The entries of a feed that are not over before an instant, by start.
pub fn calendar_entries(book: &Book, feed: &Feed, since: Timestamp) -> Vec<CalendarEntry> {
    let mut entries = Vec::new();
    let window = Interval { start: since, end: Timestamp::MAX };
    let lately = |absence: &&Absence| since < absence.ever().1;
    match feed {
        Feed::Whole => {
            entries.extend(book.absences().filter(lately).filter_map(|absence| away(book, absence)));
            entries.extend(book.divisions().map(|division| takes_effect(book, division)));
        }
        Feed::Official(official) => {
            let own = book.absences_of(official).filter(lately);
            entries.extend(own.filter_map(|absence| away(book, absence)));
            let others = book.absences().filter(|absence| absence.official != *official);
            entries.extend(others.filter(lately).flat_map(|absence| acts(book, absence, official)));
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
            entries.extend(
                book.absences().filter(lately).filter(of_unit).filter_map(|absence| away(book, absence)),
            );
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

/// An absence: by its own record it was changed as often as something was done to it, and besides
/// whenever others were to act.
fn away(book: &Book, absence: &Absence) -> Option<CalendarEntry> {
    let (time, known_at, cancelled) = times(absence)?;
    let own: Vec<Timestamp> = absence
        .changes
        .iter()
        .filter(|change| !matches!(change, AbsenceChange::Acknowledged { .. }))
        .map(AbsenceChange::recorded_at)
        .collect();
    let summary = |known_at: Timestamp| {
        let start = absence.interval(known_at).map_or(time.start, |known| known.start);
        let who = label(book, &absence.official, known_at);
        match acting_as_known(book, &absence.official, start, known_at) {
            Some(acting) => format!("{who}不在岗，由{}代行", label(book, acting, known_at)),
            None => format!("{who}不在岗，无人代行"),
        }
    };
    let mut others: Vec<Timestamp> = Vec::new();
    let mut said = summary(absence.recorded_at);
    for at in learned(book, absence).into_iter().filter(|at| *at <= known_at) {
        let now = summary(at);
        if now != said && !own.contains(&at) {
            others.push(at);
        }
        said = now;
    }
    Some(CalendarEntry {
        uid: uid(&absence.name),
        sequence: u32::try_from(own.len() + others.len()).unwrap_or(u32::MAX),
        start_time: time.start,
        end_time: time.end,
        summary: summary(known_at),
        cancelled,
        record_time: absence.recorded_at,
        change_time: own.into_iter().chain(others).max().unwrap_or(absence.recorded_at),
    })
}

/// The day on which a division takes effect; one that was corrected never does.
fn takes_effect(book: &Book, division: &Division) -> CalendarEntry {
    let corrections = book.divisions().filter(|other| other.corrects.as_ref() == Some(&division.name));
    let corrected_at = corrections.map(|other| other.record_time).min();
    CalendarEntry {
        uid: uid(&division.name),
        sequence: u32::from(corrected_at.is_some()),
        start_time: division.effective_time,
        end_time: division.effective_time.saturating_add(Duration::from_secs(86_400)),
        summary: format!("{}开始执行", division.label()),
        cancelled: corrected_at.is_some(),
        record_time: division.record_time,
        change_time: corrected_at.unwrap_or(division.record_time),
    }
}

/// When an official acts for somebody away, in all or a part of the duties.
fn acts(book: &Book, absence: &Absence, official: &str) -> Vec<CalendarEntry> {
    if !may_act(book, &absence.official, ever(absence)).contains(official) {
        return Vec::new();
    }
    let acts = |at: Timestamp, known_at: Timestamp| {
        let shared = absence.shares.iter().any(|share| share.stand_in == official)
            && book.away(official, at, known_at).is_none();
        shared || acting_as_known(book, &absence.official, at, known_at) == Some(official)
    };
    over_time(learned(book, absence), |known_at| {
        let Some(time) = absence.interval(known_at).filter(|time| time.start < time.end) else {
            return BTreeMap::new();
        };
        let cuts: BTreeSet<Timestamp> = book
            .divisions()
            .filter(|division| division.record_time <= known_at)
            .map(|division| division.effective_time)
            .chain(moments_of(book, &absence.official, time, known_at))
            .filter(|at| time.contains(*at))
            .chain([time.start])
            .collect();
        let ends = cuts.iter().copied().skip(1).chain([time.end]);
        let pieces = cuts.iter().copied().zip(ends).map(|(start, end)| Interval { start, end });
        let summary = format!("代{}履行职责", label(book, &absence.official, known_at));
        let whose = uid(&format!("{}-{official}", absence.name));
        let pieces = merged(pieces.filter(|piece| acts(piece.start, known_at)).collect()).into_iter();
        // What begins with the absence moves with it; what begins within it is called by its start.
        let uid = |piece: Interval| {
            if piece.start == time.start {
                whose.clone()
            } else {
                format!("{whose}-{}", piece.start.as_micros())
            }
        };
        pieces.map(|piece| (uid(piece), (piece, summary.clone()))).collect()
    })
}

/// The shifts of a watch, or those of one official.
fn watches(book: &Book, roster: &DutyRoster, official: Option<&str>, window: Interval) -> Vec<CalendarEntry> {
    let versions = || book.duty_roster_versions(&roster.name);
    let swaps = book.duty_swaps(&roster.name);
    let leaders =
        versions().flat_map(|version| &version.value.teams).chain(swaps.iter().map(|swap| &swap.team));
    let leaders: BTreeSet<&String> = leaders.filter_map(|team| team.leader.as_ref()).collect();
    let named = leaders.into_iter().flat_map(|leader| book.official_versions(leader));
    let first = versions().map(|version| version.recorded_at).min().unwrap_or(window.start);
    let learned: BTreeSet<Timestamp> = versions()
        .map(|version| version.recorded_at)
        .chain(swaps.iter().map(|swap| swap.recorded_at))
        .chain(named.map(|version| version.recorded_at))
        .filter(|at| first <= *at)
        .collect();
    over_time(learned, |known_at| {
        let known = versions().filter(|version| version.recorded_at <= known_at).last();
        let called = known.map_or("", |version| version.value.display_name.as_str());
        let shifts = duty_shifts(book, &roster.name, window, known_at).into_iter();
        let own = shifts.filter(|shift| official.is_none_or(|one| shift.team.people().any(|who| who == one)));
        let entry = |shift: DutyShift| {
            let what = match (official, shift.team.leader.as_deref()) {
                (Some(one), Some(leader)) if one == leader => "带班".to_owned(),
                (Some(_), _) => "值班".to_owned(),
                (None, Some(leader)) => format!("{}带班", label(book, leader, known_at)),
                (None, None) => "无人值班".to_owned(),
            };
            let uid = format!("{}-{}", uid(&roster.name), shift.start_time.as_micros());
            let time = Interval { start: shift.start_time, end: shift.end_time };
            (uid, (time, format!("{called}：{what}")))
        };
        own.map(entry).collect()
    })
}

/// Entries as they came about: `as_known` says by identifier what was known at each instant at
/// which something was learned.
fn over_time(
    learned: BTreeSet<Timestamp>,
    as_known: impl Fn(Timestamp) -> BTreeMap<String, (Interval, String)>,
) -> Vec<CalendarEntry> {
    let mut entries: BTreeMap<String, CalendarEntry> = BTreeMap::new();
    for at in learned {
        let known = as_known(at);
        for entry in entries.values_mut().filter(|entry| !entry.cancelled && !known.contains_key(&entry.uid))
        {
            entry.cancelled = true;
            entry.changed(at);
        }
        for (uid, (time, summary)) in known {
            let entry = entries.entry(uid.clone()).or_insert_with(|| CalendarEntry {
                uid,
                sequence: 0,
                start_time: time.start,
                end_time: time.end,
                summary: summary.clone(),
                cancelled: false,
                record_time: at,
                change_time: at,
            });
            let is = (entry.start_time, entry.end_time, &entry.summary, entry.cancelled);
            if is != (time.start, time.end, &summary, false) {
                (entry.start_time, entry.end_time) = (time.start, time.end);
                (entry.summary, entry.cancelled) = (summary, false);
                entry.changed(at);
            }
        }
    }
    entries.into_values().collect()
}

impl CalendarEntry {
    fn changed(&mut self, at: Timestamp) {
        self.sequence = self.sequence.saturating_add(1);
        self.change_time = at;
    }
}

/// The times an absence was ever said to have.
fn ever(absence: &Absence) -> Interval {
    let (start, end) = absence.ever();
    Interval { start, end }
}

/// When the roster learned of an absence, and then of whatever can change its times, who acts in
/// it, or what those are called.
fn learned(book: &Book, absence: &Absence) -> BTreeSet<Timestamp> {
    let time = ever(absence);
    let of_absence = |absence: &Absence| -> Vec<Timestamp> {
        absence.changes.iter().map(AbsenceChange::recorded_at).chain([absence.recorded_at]).collect()
    };
    let mut people = may_act(book, &absence.official, time);
    people.insert(&absence.official);
    let absences = people.iter().flat_map(|one| book.absences_of(one));
    let absences = absences.filter(|other| ever(other).overlap(time).is_some()).flat_map(of_absence);
    let named = people.iter().flat_map(|one| book.official_versions(one)).map(|version| version.recorded_at);
    let divisions = book.divisions().map(|division| division.record_time);
    let lists = units_of(book, &absence.official).into_iter().flat_map(|unit| book.stand_in_lists_of(unit));
    let lists = lists.map(|list| list.recorded_at);
    let all = absences.chain(named).chain(divisions).chain(lists);
    all.filter(|at| absence.recorded_at <= *at).collect()
}

/// A resource name without what an identifier of a calendar had better not have.
fn uid(name: &str) -> String {
    name.replace('/', "-")
}

/// What an official was called, as far as it was known at an instant.
fn label<'a>(book: &'a Book, official: &'a str, known_at: Timestamp) -> &'a str {
    book.view(Timestamp::MAX, known_at).official_label(official)
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{CalendarEntry, Feed, calendar_entries};
    use crate::absence::{Absence, Registration};
    use crate::division::Division;
    use crate::duty::{DutyRoster, DutySwap, DutyTeam};
    use crate::event::RosterEvent;
    use crate::fixture::{Roster, at, division_12, registration};

    fn feed(roster: &Roster, feed: &Feed) -> Vec<CalendarEntry> {
        calendar_entries(&roster.book, feed, at("2022-06-01T00:00+08:00"))
    }

    /// Registers an absence when both divisions are known.
    fn registered(roster: &mut Roster, asked: Registration, now: &str) {
        let event = Absence::create(&roster.book, asked, at(now)).unwrap();
        roster.record(&event, at(now));
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
            assert!(entry.cancelled && entry.change_time == now);
            assert_eq!(entry.sequence, if whose == "hu-xiaogang" { 1 } else { 2 }, "12号 named B later");
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

    /// An entry's identifier after the absence's and the official's, times, sequence, and whether it
    /// is cancelled.
    fn acting_pieces(roster: &Roster) -> Vec<(String, String, String, u32, bool)> {
        let entries = feed(roster, &official("hu-xiaogang")).into_iter();
        let acting = entries.filter(|entry| entry.summary == "代崔元斌履行职责");
        acting
            .map(|entry| {
                let uid = entry.uid.trim_start_matches("absences-one-officials-hu-xiaogang").to_owned();
                let (start, end) = (entry.start_time.to_string(), entry.end_time.to_string());
                (uid, start, end, entry.sequence, entry.cancelled)
            })
            .collect()
    }

    #[test]
    fn what_others_leave_changes_of_acting_says_so_and_what_is_no_more_is_cancelled() {
        let mut roster = Roster::linfen();
        let (start, leaves, returns, end) = (
            "2023-06-10T00:00+08:00",
            "2023-06-12T00:00+08:00",
            "2023-06-14T00:00+08:00",
            "2023-06-20T00:00+08:00",
        );
        registered(&mut roster, registration("one", "cui-yuanbin", start, end), "2023-05-20T09:00+08:00");
        let piece = |uid: &str, start: &str, end: &str, sequence: u32, cancelled: bool| {
            (uid.to_owned(), at(start).to_string(), at(end).to_string(), sequence, cancelled)
        };
        assert_eq!(acting_pieces(&roster), [piece("", start, end, 0, false)]);

        let mut b = registration("b", "hu-xiaogang", leaves, returns);
        b.approval = Some("市长批示".into());
        let now = at("2023-06-02T09:00+08:00");
        registered(&mut roster, b, "2023-06-02T09:00+08:00");
        let second = format!("-{}", at(returns).as_micros());
        let split = [piece("", start, leaves, 1, false), piece(&second, returns, end, 0, false)];
        assert_eq!(acting_pieces(&roster), split);
        let entries = feed(&roster, &official("hu-xiaogang"));
        assert!(entries.iter().all(|entry| entry.change_time == now), "{entries:?}");

        let now = at("2023-06-03T09:00+08:00");
        let event = roster.absence("b").cancel(now).unwrap();
        roster.record(&event, now);
        let whole = [piece("", start, end, 2, false), piece(&second, returns, end, 1, true)];
        assert_eq!(acting_pieces(&roster), whole);
        let whole = feed(&roster, &Feed::Whole);
        let own = whole.iter().find(|entry| entry.uid == "absences-one").unwrap();
        assert_eq!(
            (own.sequence, own.summary.as_str()),
            (0, "崔元斌不在岗，由胡晓刚代行"),
            "B is there at its start"
        );
    }

    #[test]
    fn an_absence_for_which_others_act_now_has_a_higher_sequence() {
        let mut roster = Roster::linfen();
        let a = registration("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        registered(&mut roster, a, "2023-05-20T09:00+08:00");
        let mut b = registration("b", "hu-xiaogang", "2023-06-09T00:00+08:00", "2023-06-14T00:00+08:00");
        b.approval = Some("市长批示".into());
        let now = at("2023-06-02T09:00+08:00");
        registered(&mut roster, b, "2023-06-02T09:00+08:00");
        let own = feed(&roster, &official("cui-yuanbin"));
        let own = own.iter().find(|entry| entry.uid == "absences-one").unwrap();
        assert_eq!((own.sequence, own.change_time), (1, now));
        assert_eq!(own.summary, "崔元斌不在岗，由王渊代行");
        let before: Vec<_> = feed(&roster, &official("hu-xiaogang"));
        let acting = before.iter().find(|entry| entry.summary == "代崔元斌履行职责").unwrap();
        assert!(acting.cancelled && acting.sequence == 1, "he never acts: {acting:?}");
    }

    #[test]
    fn a_swapped_shift_is_cancelled_for_those_before_and_no_other_changes() {
        let mut roster = Roster::linfen();
        let team = |leader: &str| DutyTeam { leader: Some(format!("officials/{leader}")), members: vec![] };
        let duty = DutyRoster {
            name: "dutyRosters/flood".into(),
            display_name: "防汛值班表".into(),
            unit: "units/water".into(),
            start_time: at("2023-06-01T08:00+08:00"),
            end_time: at("2023-06-04T08:00+08:00"),
            handovers: vec![480],
            teams: vec![team("water-head")],
            first_team: 0,
        };
        roster.record(&RosterEvent::DutyRosterCreated(duty), at("2023-05-20T09:00+08:00"));
        let now = at("2023-05-21T09:00+08:00");
        let swap = DutySwap {
            duty_roster: "dutyRosters/flood".into(),
            shift_start_time: at("2023-06-02T08:00+08:00"),
            team: team("wang-yuan"),
            ground: "换班".into(),
            recorded_at: now,
        };
        roster.record(&RosterEvent::DutyShiftSwapped(swap), now);
        let shown = |whose: &Feed| -> Vec<(u32, bool)> {
            feed(&roster, whose).iter().map(|entry| (entry.sequence, entry.cancelled)).collect()
        };
        assert_eq!(shown(&official("water-head")), [(0, false), (1, true), (0, false)]);
        assert_eq!(shown(&official("wang-yuan")), [(0, false)]);
        let unit = Feed::Unit("units/water".into());
        assert_eq!(shown(&unit), [(0, false), (1, false), (0, false)]);
        assert_eq!(feed(&roster, &unit)[1].change_time, now);
    }

    #[test]
    fn a_division_that_was_corrected_never_takes_effect() {
        let mut roster = Roster::linfen();
        let now = at("2023-06-02T09:00+08:00");
        let corrected = Division {
            name: "divisions/corrected".into(),
            corrects: Some("divisions/no-12".into()),
            record_time: now,
            ..division_12()
        };
        roster.record(&RosterEvent::DivisionCreated(corrected), now);
        let whole = feed(&roster, &Feed::Whole);
        let shown: Vec<_> = whole.iter().map(|one| (one.uid.as_str(), one.cancelled, one.sequence)).collect();
        let expected =
            [("divisions-no-8", false, 0), ("divisions-corrected", false, 0), ("divisions-no-12", true, 1)];
        assert_eq!(shown, expected);
        assert_eq!(whole[2].change_time, now);
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
