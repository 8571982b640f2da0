//! The alarm for gaps in coverage: who is told once of each, before it begins.
//!
//! A gap is told when a write opens it or when time brings it within [`HORIZON_DAYS`] days; told
//! anew when its times change or it holds more; and called off, whole or in part, when a write
//! closes it before it is over. What one subject leaves unanswered for in the same time is one
//! gap; what has other times is another, so that nothing is hidden behind what was told before.
//! Which gaps were told is part of the book, so no restart and no replica tells one twice. The
//! time before any division is known is nobody's alarm: there is nobody to tell.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use time::Time;

use crate::book::Book;
use crate::coverage::{CoverageGap, GapCause, coverage, merged};
use crate::event::RosterEvent;
use crate::interval::Interval;

/// A gap is told this many days before it begins, or at once when it begins sooner.
pub const HORIZON_DAYS: u64 = 30;
const HORIZON: Duration = Duration::from_secs(HORIZON_DAYS * 86_400);
/// What comes within reach by the passing of time alone is told at this hour, Asia/Shanghai.
const HOUR: u8 = 8;

/// A gap as it is told: all that nobody answers for because of one subject in just one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GapFacts {
    /// Because of whom or what: `officials/{id}` of somebody away, `divisions/{id}` of a division
    /// that puts nobody in charge, or `dutyRosters/{id}` of a watch that nobody keeps.
    pub subject: String,
    /// First instant of the gap.
    pub start_time: Timestamp,
    /// First instant after it; unset: it has no end that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
    /// Units nobody answers for, `units/{slug}` each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// Fields of work nobody answers for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Units in which a post of the subject's has nobody to act, or whose watch nobody keeps, `units/{slug}` each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub posts: Vec<String>,
    /// Those who were asked to act and cannot, `officials/{id}` each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
}

/// A gap that was told has other times, or holds other things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GapChanged {
    /// As it is now.
    #[serde(flatten)]
    pub gap: GapFacts,
    /// First instant of the gap, as it was told.
    pub previous_start_time: Timestamp,
    /// First instant after it, as it was told; unset: it had no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_end_time: Option<Timestamp>,
}

impl GapFacts {
    /// The aggregate that the gaps of a subject belong to, for example
    /// `coverage/officials/{id}`.
    pub fn aggregate(subject: &str) -> String {
        format!("coverage/{subject}")
    }

    /// When.
    pub fn interval(&self) -> Interval {
        Interval { start: self.start_time, end: self.end_time.unwrap_or(Timestamp::MAX) }
    }
}

/// One thing that nobody answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing<'a> {
    Unit(&'a str),
    Field(&'a str),
    /// The unit in which a post has nobody to act, or that keeps the watch.
    Post(&'a str),
}

impl GapFacts {
    fn things(&self) -> BTreeSet<Thing<'_>> {
        let units = self.units.iter().map(|name| Thing::Unit(name));
        let fields = self.fields.iter().map(|name| Thing::Field(name));
        units.chain(fields).chain(self.posts.iter().map(|name| Thing::Post(name))).collect()
    }

    /// The same without what another holds too; none when nothing is left of it.
    pub(crate) fn without(&self, other: &GapFacts) -> Option<GapFacts> {
        let gone = other.things();
        let left = self.keeping(|thing| !gone.contains(&thing));
        (!left.things().is_empty()).then_some(left)
    }

    fn keeping(&self, keep: impl Fn(Thing<'_>) -> bool) -> GapFacts {
        let mut kept = self.clone();
        kept.units.retain(|name| keep(Thing::Unit(name)));
        kept.fields.retain(|name| keep(Thing::Field(name)));
        kept.posts.retain(|name| keep(Thing::Post(name)));
        kept
    }

    fn is_as(&self, other: &GapFacts) -> bool {
        self.interval() == other.interval() && self.things() == other.things()
    }

    /// Whether both hold something in common in a time in common.
    fn shares(&self, other: &GapFacts) -> bool {
        self.interval().overlap(other.interval()).is_some() && !self.things().is_disjoint(&other.things())
    }
}

/// What has to be told now, and when to look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Events by subject, those of each in order.
    pub events: Vec<Vec<RosterEvent>>,
    /// When the next gap comes within reach, unless something is recorded before.
    pub next: Option<Timestamp>,
}

/// What has to be told of gaps at `now`, by all that is known.
pub fn alarm(book: &Book, now: Timestamp) -> Alarm {
    let away = book.absentees(now, Timestamp::MAX).filter_map(|absence| absence.interval(Timestamp::MAX));
    // A gap of somebody who is away began with some absence of now.
    let start = away.map(|known| known.start).min().unwrap_or(now);
    let mut gaps = coverage(book, Interval { start, end: Timestamp::MAX }, Timestamp::MAX);
    gaps.retain(|gap| now < gap.end_time);
    let mut current: BTreeMap<&str, Vec<CoverageGap>> = BTreeMap::new();
    for gap in &gaps {
        if let Some(subject) = subject(&gap.cause) {
            current.entry(subject).or_default().push(gap.clone());
        }
    }
    // What was told and is a gap no more is called off.
    for (told, _) in book.told_gaps() {
        current.entry(told).or_default();
    }
    let mut alarm = Alarm { events: Vec::new(), next: None };
    for (subject, gaps) in current {
        let told: Vec<&GapFacts> =
            book.told_gaps_of(subject).iter().filter(|gap| now < gap.interval().end).collect();
        let events = tell(&told, facts(book, subject, &gaps, &told, now), now, &mut alarm.next);
        if !events.is_empty() {
            alarm.events.push(events);
        }
    }
    alarm
}

fn tell(
    told: &[&GapFacts],
    current: Vec<GapFacts>,
    now: Timestamp,
    next: &mut Option<Timestamp>,
) -> Vec<RosterEvent> {
    let stale: Vec<&GapFacts> =
        told.iter().copied().filter(|told| current.iter().all(|gap| !gap.is_as(told))).collect();
    // First what is over, so that a gap elsewhere is not taken for it.
    let mut events: Vec<RosterEvent> = Vec::new();
    for one in &stale {
        let still = current.iter().filter(|gap| gap.interval().overlap(one.interval()).is_some());
        let still: BTreeSet<Thing<'_>> = still.flat_map(GapFacts::things).collect();
        let over = one.keeping(|thing| !still.contains(&thing));
        if !over.things().is_empty() || one.things().is_empty() {
            events.push(RosterEvent::GapClosed(over));
        }
    }
    let fresh = current.iter().filter(|gap| told.iter().all(|told| !told.is_as(gap)));
    for gap in fresh.cloned() {
        if let Some(before) = stale.iter().find(|told| told.shares(&gap)) {
            events.push(RosterEvent::GapChanged(GapChanged {
                previous_start_time: before.start_time,
                previous_end_time: before.end_time,
                gap,
            }));
        } else if gap.start_time <= now.saturating_add(HORIZON) {
            events.push(RosterEvent::GapOpened(gap));
        } else {
            let reached = within_reach(gap.start_time);
            *next = Some(next.map_or(reached, |next| next.min(reached)));
        }
    }
    events
}

/// The hour at which a gap that begins then is told.
fn within_reach(start: Timestamp) -> Timestamp {
    let first = start.saturating_sub(HORIZON);
    let hour = Time::from_hms(HOUR, 0, 0).unwrap_or(Time::MIDNIGHT);
    let that_day = Timestamp::at(first.day(), hour);
    if first <= that_day { that_day } else { that_day.saturating_add(Duration::from_secs(86_400)) }
}

/// Because of whom or what; none for what is nobody's alarm.
fn subject(cause: &GapCause) -> Option<&str> {
    match cause {
        GapCause::NoDivision => None,
        GapCause::NobodyInCharge { division } => Some(division),
        GapCause::DutyUnmanned { duty_roster } => Some(duty_roster),
        GapCause::LeaderAway { official } | GapCause::PostVacant { official, .. } => Some(official),
    }
}

/// The gaps of one subject: for each time, all that is unanswered for in just that time. Of what
/// lasts, when it began is not told anew: it keeps the start that was told.
fn facts(
    book: &Book,
    subject: &str,
    gaps: &[CoverageGap],
    told: &[&GapFacts],
    now: Timestamp,
) -> Vec<GapFacts> {
    let mut times: BTreeMap<Thing<'_>, Vec<Interval>> = BTreeMap::new();
    for gap in gaps {
        for thing in things(book, gap) {
            times.entry(thing).or_default().push(gap.interval());
        }
    }
    let mut grouped: BTreeMap<(Timestamp, Timestamp), Vec<Thing<'_>>> = BTreeMap::new();
    for (thing, intervals) in times {
        for Interval { start, end } in merged(intervals) {
            let began = told.iter().filter(|told| told.start_time <= now && told.things().contains(&thing));
            let start =
                if start <= now { began.map(|told| told.start_time).min().unwrap_or(start) } else { start };
            grouped.entry((start, end)).or_default().push(thing);
        }
    }
    let facts = |((start, end), held): ((Timestamp, Timestamp), Vec<Thing<'_>>)| {
        let time = Interval { start, end };
        let parts = gaps.iter().filter(|gap| {
            gap.interval().overlap(time).is_some() && things(book, gap).iter().any(|one| held.contains(one))
        });
        let mut gap = GapFacts {
            subject: subject.to_owned(),
            start_time: start,
            end_time: Some(end).filter(|end| *end < Timestamp::MAX),
            units: Vec::new(),
            fields: Vec::new(),
            posts: Vec::new(),
            passed_over: each_once(parts.flat_map(|gap| &gap.passed_over)),
        };
        for thing in held {
            match thing {
                Thing::Unit(name) => gap.units.push(name.to_owned()),
                Thing::Field(name) => gap.fields.push(name.to_owned()),
                Thing::Post(name) => gap.posts.push(name.to_owned()),
            }
        }
        gap
    };
    grouped.into_iter().map(facts).collect()
}

/// All that a gap leaves unanswered for.
fn things<'a>(book: &'a Book, gap: &'a CoverageGap) -> Vec<Thing<'a>> {
    let units = gap.units.iter().map(|name| Thing::Unit(name));
    let fields = gap.fields.iter().map(|name| Thing::Field(name));
    let post = match &gap.cause {
        GapCause::PostVacant { unit, .. } => Some(unit.as_str()),
        GapCause::DutyUnmanned { duty_roster } => {
            book.duty_roster(duty_roster).map(|roster| roster.unit.as_str())
        }
        GapCause::NoDivision | GapCause::NobodyInCharge { .. } | GapCause::LeaderAway { .. } => None,
    };
    units.chain(fields).chain(post.map(Thing::Post)).collect()
}

fn each_once<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain_calendar::Timestamp;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::{Alarm, GapChanged, HORIZON, alarm, subject, things};
    use crate::absence::Absence;
    use crate::coverage::coverage;
    use crate::division::Division;
    use crate::event::RosterEvent;
    use crate::fixture::{Roster, at, division_12, registration};
    use crate::interval::Interval;

    /// Tells what is to be told at an instant; what it was, and when to look again.
    fn told(roster: &mut Roster, instant: &str) -> (Vec<(String, String)>, Option<Timestamp>) {
        let now = at(instant);
        let Alarm { events, next } = alarm(&roster.book, now);
        let mut told = Vec::new();
        for event in events.iter().flatten() {
            roster.record(event, now);
            let what = event.event_type().rsplit('_').next().unwrap_or_default().to_owned();
            let (RosterEvent::GapOpened(gap)
            | RosterEvent::GapClosed(gap)
            | RosterEvent::GapChanged(GapChanged { gap, .. })) = event
            else {
                panic!("{event:?}")
            };
            let end = gap.end_time.map_or_else(String::new, |end| end.to_string());
            told.push((what, format!("{} {} {end}", gap.subject, gap.start_time)));
        }
        assert_eq!(alarm(&roster.book, now).events, Vec::<Vec<RosterEvent>>::new(), "told once");
        (told, next)
    }

    fn gap(what: &str, subject: &str, start: &str, end: &str) -> (String, String) {
        let end = if end.is_empty() { String::new() } else { at(end).to_string() };
        (what.to_owned(), format!("officials/{subject} {} {end}", at(start)))
    }

    /// 甲, head of the water bureau, has nobody to act.
    fn head_away() -> Roster {
        let mut roster = Roster::linfen();
        roster.away("head", "water-head", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        roster
    }

    #[test]
    fn a_gap_is_told_once_and_when_it_comes_within_reach() {
        let mut roster = head_away();
        let reach = at("2023-05-11T08:00+08:00");
        assert_eq!(told(&mut roster, "2023-05-11T07:59:59+08:00").0.len(), 1, "30 days before it");
        let mut roster = head_away();
        assert_eq!(told(&mut roster, "2023-05-10T23:59:59+08:00"), (vec![], Some(reach)));
        let opened = gap("opened", "water-head", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        assert_eq!(told(&mut roster, "2023-05-11T08:00+08:00"), (vec![opened], None));
        for later in ["2023-05-12T08:00+08:00", "2023-06-10T00:00+08:00", "2023-06-11T09:00+08:00"] {
            assert_eq!(told(&mut roster, later), (vec![], None), "{later}");
        }
        assert_eq!(told(&mut roster, "2023-06-12T00:00+08:00"), (vec![], None), "it is over");
    }

    #[test]
    fn a_gap_that_a_write_closes_is_called_off() {
        for (now, start) in [("2023-05-20T09:00+08:00", false), ("2023-06-11T09:00+08:00", true)] {
            let mut roster = head_away();
            told(&mut roster, "2023-05-15T09:00+08:00");
            let absence = roster.absence("head");
            let back = if start { absence.end(&roster.book, at(now)) } else { absence.cancel(at(now)) };
            roster.record(&back.unwrap(), at(now));
            let closed = gap("closed", "water-head", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
            assert_eq!(told(&mut roster, now), (vec![closed], None));
        }
    }

    #[test]
    fn a_gap_that_lasts_longer_is_told_as_changed() {
        let mut roster = head_away();
        told(&mut roster, "2023-05-15T09:00+08:00");
        let now = at("2023-06-11T09:00+08:00");
        let longer = at("2023-06-15T00:00+08:00");
        let event = roster
            .absence("head")
            .extend(&roster.book, longer, crate::absence::Stated::default(), now)
            .unwrap();
        roster.record(&event, now);
        let changed = gap("changed", "water-head", "2023-06-10T00:00+08:00", "2023-06-15T00:00+08:00");
        assert_eq!(told(&mut roster, "2023-06-11T09:00+08:00"), (vec![changed], None));
    }

    #[test]
    fn a_gap_that_moves_away_is_called_off_and_told_when_it_is_near_again() {
        let mut roster = head_away();
        told(&mut roster, "2023-05-15T09:00+08:00");
        let now = at("2023-05-16T09:00+08:00");
        let times = crate::interval::Interval {
            start: at("2023-07-01T12:00+08:00"),
            end: at("2023-07-02T00:00+08:00"),
        };
        let event = roster
            .absence("head")
            .correct(&roster.book, times, crate::absence::Stated::default(), "改期", now)
            .unwrap();
        roster.record(&event, now);
        let closed = gap("closed", "water-head", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let (events, next) = told(&mut roster, "2023-05-16T09:00+08:00");
        assert_eq!((events, next), (vec![closed], Some(at("2023-06-02T08:00+08:00"))));
        let opened = gap("opened", "water-head", "2023-07-01T12:00+08:00", "2023-07-02T00:00+08:00");
        assert_eq!(told(&mut roster, "2023-06-02T08:00+08:00"), (vec![opened], None));
    }

    proptest! {
        #[test]
        fn whatever_is_recorded_every_near_gap_is_told_and_no_other(
            stories in vec((0..5_usize, 0..60_u64, 1..20_u64, option::of(0..20_u64), any::<bool>()), 0..10),
        ) {
            let day = |days: u64| at("2023-06-01T09:00+08:00").saturating_add(Duration::from_secs(86_400 * days));
            let mut roster = Roster::linfen();
            let bare = Division {
                name: "divisions/bare".into(),
                effective_time: at("2023-05-20T00:00+08:00"),
                fallback: None,
                ..division_12()
            };
            roster.record(&RosterEvent::DivisionCreated(bare), at("2023-05-20T00:00+08:00"));
            let people = ["wang-yuan", "qiao-feihong", "cui-yuanbin", "wang-yanfeng", "water-head"];
            for (step, (who, start, length, back, excludes)) in stories.into_iter().enumerate() {
                let now = day(3 * step as u64);
                let mut asked = registration(&step.to_string(), people[who], "2023-06-01T00:00+08:00", "2023-06-02T00:00+08:00");
                (asked.start_time, asked.end_time) = (day(start), day(start + length));
                asked.approval = Some("市长批示".into());
                if excludes {
                    asked.excluded.units = vec!["units/industry".into(), "units/finance".into()];
                    asked.excluded.fields = vec!["审计".into()];
                }
                if let Ok(event) = Absence::create(&roster.book, asked, now) {
                    roster.record(&event, now);
                }
                let away: Vec<Absence> = roster.book.absences().cloned().collect();
                for absence in away.iter().take(back.map_or(0, |back| back as usize % 3)) {
                    if let Ok(event) = absence.end(&roster.book, now) {
                        roster.record(&event, now);
                    }
                }
                for event in alarm(&roster.book, now).events.iter().flatten() {
                    roster.record(event, now);
                }
                prop_assert_eq!(alarm(&roster.book, now).events, Vec::<Vec<RosterEvent>>::new(), "told once");

                let window = Interval { start: now, end: now.saturating_add(HORIZON) };
                let near = coverage(&roster.book, window, Timestamp::MAX);
                for gap in near.iter().filter(|gap| subject(&gap.cause).is_some()) {
                    let told = roster.book.told_gaps_of(subject(&gap.cause).unwrap());
                    for thing in things(&roster.book, gap) {
                        let whole = told.iter().any(|told| {
                            told.start_time <= gap.start_time
                                && gap.end_time <= told.interval().end
                                && told.things().contains(&thing)
                        });
                        prop_assert!(whole, "{:?} of {:?} in {:?}", thing, gap, told);
                    }
                }
                for gap in roster.book.told_gaps().flat_map(|(_, gaps)| gaps) {
                    let left = Interval { start: gap.start_time.max(now), end: gap.interval().end };
                    if left.end <= now {
                        continue;
                    }
                    let found = coverage(&roster.book, left, Timestamp::MAX);
                    for thing in gap.things() {
                        let is_one = found.iter().any(|one| {
                            subject(&one.cause) == Some(gap.subject.as_str())
                                && one.interval() == left
                                && things(&roster.book, one).contains(&thing)
                        });
                        prop_assert!(is_one, "{:?} of {:?} is none in {:?}", thing, gap, found);
                    }
                }
            }
        }
    }

    /// 崔元斌 away 10 to 20 June with the industry bureau excluded, in a city without a fallback:
    /// that bureau is unanswered for, and told.
    fn part_unanswered() -> Roster {
        let mut roster = Roster::linfen();
        let bare = Division {
            name: "divisions/bare".into(),
            effective_time: at("2023-05-20T00:00+08:00"),
            fallback: None,
            ..division_12()
        };
        roster.record(&RosterEvent::DivisionCreated(bare), at("2023-05-20T00:00+08:00"));
        let mut asked =
            registration("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-20T00:00+08:00");
        asked.excluded.units = vec!["units/industry".into()];
        roster.register(asked);
        let opened = gap("opened", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-20T00:00+08:00");
        assert_eq!(told(&mut roster, "2023-06-01T09:00+08:00"), (vec![opened], None));
        assert_eq!(units_told(&roster), [["units/industry"]]);
        roster
    }

    fn units_told(roster: &Roster) -> Vec<Vec<&str>> {
        let told = roster.book.told_gaps_of("officials/cui-yuanbin");
        told.iter().map(|gap| gap.units.iter().map(String::as_str).collect()).collect()
    }

    fn b_leaves(roster: &mut Roster, start: &str, end: &str) {
        let mut b = registration("b", "hu-xiaogang", start, end);
        b.approval = Some("市长批示".into());
        roster.register(b);
    }

    #[test]
    fn what_is_unanswered_for_besides_in_a_part_of_the_time_is_told() {
        let mut roster = part_unanswered();
        let (start, end) = ("2023-06-12T00:00+08:00", "2023-06-14T00:00+08:00");
        b_leaves(&mut roster, start, end);
        let events = told(&mut roster, "2023-06-02T09:00+08:00").0;
        assert_eq!(
            events,
            [gap("opened", "cui-yuanbin", start, end), gap("opened", "hu-xiaogang", start, end)]
        );
        assert_eq!(units_told(&roster), [["units/industry"], ["units/project-centre"]]);
        // A is back on the 13th, for himself and for B.
        let back = at("2023-06-13T00:00+08:00");
        let event = roster.absence("one").end(&roster.book, back).unwrap();
        roster.record(&event, back);
        let closed = told(&mut roster, "2023-06-13T00:00+08:00").0;
        let closed: Vec<&str> = closed.iter().map(|(what, _)| what.as_str()).collect();
        assert_eq!(closed, ["closed", "closed", "closed"]);
    }

    #[test]
    fn what_is_unanswered_for_besides_in_the_same_time_is_told() {
        let mut roster = part_unanswered();
        let (start, end) = ("2023-06-10T00:00+08:00", "2023-06-20T00:00+08:00");
        b_leaves(&mut roster, start, end);
        let events = told(&mut roster, "2023-06-02T09:00+08:00").0;
        assert_eq!(
            events,
            [gap("changed", "cui-yuanbin", start, end), gap("opened", "hu-xiaogang", start, end)]
        );
        assert_eq!(units_told(&roster), [["units/industry", "units/project-centre"]]);
        // B stays after all: what B answers for is called off, and the rest stays.
        let now = at("2023-06-03T09:00+08:00");
        let event = roster.absence("b").cancel(now).unwrap();
        roster.record(&event, now);
        let events = told(&mut roster, "2023-06-03T09:00+08:00").0;
        assert_eq!(events[0], gap("closed", "cui-yuanbin", start, end));
        assert_eq!(units_told(&roster), [["units/industry"]]);
    }

    #[test]
    fn a_city_without_any_division_alarms_nobody() {
        let roster = Roster::linfen();
        assert_eq!(alarm(&roster.book, at("2023-04-10T00:00+08:00")), Alarm { events: vec![], next: None });
    }
}
