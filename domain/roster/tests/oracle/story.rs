//! A random roster, as the list of what was recorded and when.
//!
//! Small, so that people, units and instants meet often: a few units, officials and days, and
//! most things happen on the same hours.

mod absence;
mod division;

use domain_calendar::Timestamp;
use domain_roster::{Absence, Changed, Division, Official, Post, PostKind, RosterEvent, Unit, UnitKind};

use crate::dice::Dice;

/// Field texts, some of which contain others.
pub(crate) const FIELDS: [&str; 8] =
    ["水利", "水利建设", "公安", "教育", "体育教育", "信访", "国企", "中央驻临企业"];
/// Full names; some carry a second signboard.
const NAMES: [&str; 9] = [
    "市水务局",
    "市警务局",
    "市学务局",
    "市林务局(市草务局)",
    "市草务局",
    "市商务局",
    "市地务局",
    "市河务局(市水务局)",
    "临汾市路务局",
];
const ALIASES: [&str; 4] = ["市水局", "市警局", "市林局", "水务局"];
/// Names of people; two may share one.
pub(crate) const PEOPLE: [&str; 9] = ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬"];
pub(crate) const TITLES: [&str; 3] = ["局长", "党组书记、局长", "主任"];

pub(crate) const UNITS: usize = 7;
const LEADERS: usize = 6;
const STAFF: usize = 4;
/// Four-hour steps of the time in which everything happens: ten days.
const STEPS: i64 = 60;
const STEP_MICROS: i64 = 4 * 3_600 * 1_000_000;

/// An instant, in steps after 1 May 2023, 00:00 Asia/Shanghai.
pub(crate) fn step(steps: i64) -> Timestamp {
    let start = Timestamp::parse("2023-05-01T00:00:00+08:00").unwrap();
    Timestamp::from_micros(start.as_micros() + steps * STEP_MICROS)
}

pub(crate) fn unit_name(index: usize) -> String {
    format!("units/u{index}")
}

pub(crate) fn official_name(index: usize) -> String {
    format!("officials/o{index}")
}

/// What was recorded, and when, in the order of recording.
pub(crate) type Log = Vec<(RosterEvent, Timestamp)>;

/// A story under way.
struct Teller<'d> {
    dice: &'d mut Dice,
    log: Log,
    /// Steps; what is recorded next is recorded then.
    now: i64,
    units: Vec<Unit>,
    officials: Vec<Official>,
    divisions: Vec<Division>,
    lists: usize,
    absences: Vec<Leave>,
}

/// An absence with its times as they are known, in steps.
struct Leave {
    absence: Absence,
    known: Option<(i64, i64)>,
    early: bool,
}

/// The story of a seed.
pub(crate) fn tell(dice: &mut Dice) -> Log {
    let mut teller = Teller {
        now: -6,
        dice,
        log: Vec::new(),
        units: Vec::new(),
        officials: Vec::new(),
        divisions: Vec::new(),
        lists: 0,
        absences: Vec::new(),
    };
    for index in 0..UNITS {
        teller.found(index);
    }
    for index in 0..LEADERS + STAFF {
        teller.introduce(index);
    }
    if !teller.dice.one_in(8) {
        teller.divide();
    }
    for _ in 0..teller.dice.between(8, 30) {
        match teller.dice.below(28) {
            0 | 1 => teller.change_unit(),
            2 | 3 => teller.change_official(),
            4..=6 => teller.divide(),
            7 | 8 => teller.list(),
            9..=21 => teller.leave(),
            _ => teller.change_leave(),
        }
    }
    teller.log
}

impl Teller<'_> {
    fn record(&mut self, event: RosterEvent) {
        self.log.push((event, step(self.now)));
        if self.dice.one_in(2) {
            self.now += self.dice.between(0, 4);
        }
    }

    fn instant(&mut self) -> Timestamp {
        step(self.dice.between(0, STEPS))
    }

    fn maybe_instant(&mut self, one_in: usize) -> Option<Timestamp> {
        self.dice.one_in(one_in).then(|| self.instant())
    }

    /// From when to when something holds, mostly always.
    fn validity(&mut self) -> (Option<Timestamp>, Option<Timestamp>) {
        match (self.maybe_instant(9), self.maybe_instant(9)) {
            (Some(start), Some(end)) if end <= start => (Some(start), None),
            both => both,
        }
    }

    fn any_unit(&mut self) -> String {
        unit_name(self.dice.below(UNITS))
    }

    fn any_leader(&mut self) -> String {
        official_name(self.dice.below(LEADERS))
    }

    fn anybody(&mut self) -> String {
        official_name(self.dice.below(LEADERS + STAFF))
    }

    fn unit(&mut self, index: usize) -> Unit {
        let (start_time, end_time) = self.validity();
        let name = unit_name(index);
        let display_name = if self.dice.one_in(6) { *self.dice.choose(&NAMES) } else { NAMES[index] };
        let aliases =
            if self.dice.one_in(3) { vec![(*self.dice.choose(&ALIASES)).to_owned()] } else { vec![] };
        let parent = self.dice.one_in(2).then(|| self.any_unit()).filter(|parent| *parent != name);
        let merged = end_time.is_some() && self.dice.one_in(2);
        let successor = merged.then(|| self.any_unit()).filter(|successor| *successor != name);
        Unit {
            name,
            display_name: display_name.to_owned(),
            aliases,
            signboards: vec![],
            kind: UnitKind::Department,
            parent,
            division_code: None,
            successor,
            start_time,
            end_time,
        }
    }

    fn found(&mut self, index: usize) {
        let unit = self.unit(index);
        unit.check().unwrap();
        self.units.push(unit.clone());
        self.record(RosterEvent::UnitCreated(unit));
    }

    fn change_unit(&mut self) {
        let index = self.dice.below(UNITS);
        let value = self.unit(index);
        let effective_time = self.instant();
        self.record(RosterEvent::UnitChanged(Changed { value, effective_time }));
    }

    fn official(&mut self, index: usize) -> Official {
        let post = |teller: &mut Self, kind, unit: Option<String>| {
            let (start_time, end_time) = teller.validity();
            let title = (*teller.dice.choose(&TITLES)).to_owned();
            Post { kind, unit, title, start_time, end_time }
        };
        let mut posts = Vec::new();
        if index < LEADERS {
            let kind = match index {
                0 => PostKind::Mayor,
                1 => PostKind::ExecutiveDeputyMayor,
                _ => PostKind::DeputyMayor,
            };
            posts.push(post(self, kind, None));
        }
        for _ in 0..self.dice.below(if index < LEADERS { 2 } else { 4 }) {
            let kinds =
                [PostKind::UnitHead, PostKind::UnitDeputy, PostKind::Liaison, PostKind::LiaisonSubstitute];
            let kind = *self.dice.choose(&kinds);
            let unit = Some(unit_name(self.dice.below(3)));
            posts.push(post(self, kind, unit));
        }
        let shared = self.dice.one_in(30);
        let display_name = PEOPLE[if shared { 0 } else { index % PEOPLE.len() }].to_owned();
        Official { name: official_name(index), display_name, posts }
    }

    fn introduce(&mut self, index: usize) {
        let official = self.official(index);
        official.check().unwrap();
        self.officials.push(official.clone());
        self.record(RosterEvent::OfficialCreated(official));
    }

    fn change_official(&mut self) {
        let index = self.dice.below(LEADERS + STAFF);
        let official = self.official(index);
        self.record(RosterEvent::OfficialChanged(official));
    }
}

/// A field as people write it.
pub(crate) fn written(dice: &mut Dice, field: &str) -> String {
    match dice.below(8) {
        0 => format!("{field}工作"),
        1 => format!("{field}方面的工作"),
        _ => field.to_owned(),
    }
}
