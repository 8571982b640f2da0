//! A large roster with years of history, as the log that tells it: for measuring.

use std::time::Duration;

use domain_calendar::Timestamp;
use domain_roster::{
    Absence, AbsenceEnded, Changed, Division, Exclusion, Fallback, FieldDuty, Official, Portfolio, Post,
    PostKind, Relation, RosterEvent, Scope, StandInPair, Unit, UnitDuty, UnitKind,
};

use crate::random::Random;

const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);
/// 1 January 2026, 00:00 Asia/Shanghai: "now", up to which the history goes.
const NOW_MICROS: i64 = 1_767_196_800_000_000;
/// Fields of work a leader has.
const FIELDS: usize = 10;
/// Absences of a leader in a year.
const ABSENCES: u64 = 10;
/// Every so manieth unit is renamed in a year, the last of as many never in a history shorter.
pub const RENAMED: usize = 40;
/// Of so many units one stands in no portfolio.
const UNSTATED: usize = 10;

/// How large a roster is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Units, each with a head.
    pub units: usize,
    /// Leaders, the first of whom presides.
    pub leaders: usize,
    /// Years of history: a division of work each, renamed units, absences of all leaders.
    pub years: u32,
}

/// The instant up to which every history goes.
pub fn now() -> Timestamp {
    Timestamp::from_micros(NOW_MICROS)
}

/// `units/{slug}` of a unit by its number.
pub fn unit_name(number: usize) -> String {
    format!("units/office-{number}")
}

/// What people call a unit that was not renamed.
pub fn display_name(number: usize) -> String {
    format!("市第{number}事务局")
}

/// `officials/{id}` of a leader by number.
pub fn leader_name(number: usize) -> String {
    format!("officials/leader-{number}")
}

/// A field of work of a leader.
pub fn field(leader: usize, number: usize) -> String {
    format!("第{leader}门类第{number}项")
}

/// The log of a roster of this size, each event with when it was recorded.
pub fn history(size: Size) -> Vec<(RosterEvent, Timestamp)> {
    let start = now().saturating_sub(YEAR * (size.years + 1));
    let mut log = Vec::new();
    for number in 0..size.units {
        log.push((RosterEvent::UnitCreated(unit(number, &display_name(number))), start));
    }
    for number in 0..size.leaders {
        log.push((RosterEvent::OfficialCreated(leader(number)), start));
    }
    for number in 0..size.units {
        log.push((RosterEvent::OfficialCreated(head(number)), start));
    }
    let mut random = Random::seeded(1);
    for year in 0..size.years {
        let opens = now().saturating_sub(YEAR * (size.years - year));
        log.push((RosterEvent::DivisionCreated(division(size, year, opens)), opens.saturating_sub(DAY)));
        for number in (0..size.units).skip(year as usize % RENAMED).step_by(RENAMED) {
            let value = unit(number, &format!("市第{number}事务局{year}"));
            let changed = Changed { value, effective_time: opens };
            log.push((RosterEvent::UnitChanged(changed), opens));
        }
        let mut absences = Vec::new();
        for number in 0..size.leaders {
            away_in(&mut absences, &mut random, number, year, opens);
        }
        absences.sort_by_key(|(_, recorded_at)| *recorded_at);
        log.extend(absences);
    }
    log
}

fn unit(number: usize, display_name: &str) -> Unit {
    Unit {
        name: unit_name(number),
        display_name: display_name.to_owned(),
        aliases: vec![format!("第{number}局")],
        signboards: vec![],
        kind: UnitKind::Department,
        parent: (number % 4 == 3).then(|| unit_name(number / 2)),
        division_code: None,
        successor: None,
        start_time: None,
        end_time: None,
    }
}

fn leader(number: usize) -> Official {
    let kind = match number {
        0 => PostKind::Mayor,
        1 => PostKind::ExecutiveDeputyMayor,
        _ => PostKind::DeputyMayor,
    };
    person(leader_name(number), format!("领导{number}"), kind, None, kind.chinese())
}

fn head(number: usize) -> Official {
    let name = format!("officials/head-{number}");
    person(name, format!("负责人{number}"), PostKind::UnitHead, Some(unit_name(number)), "党组书记、局长")
}

fn person(name: String, display_name: String, kind: PostKind, unit: Option<String>, title: &str) -> Official {
    let post = Post { kind, unit, title: title.to_owned(), start_time: None, end_time: None };
    Official { name, display_name, posts: vec![post] }
}

fn division(size: Size, year: u32, effective_time: Timestamp) -> Division {
    let duty = |number: usize| UnitDuty { unit: unit_name(number), relation: Relation::Directs };
    let portfolio = |leader: usize| {
        let turned = leader + year as usize;
        let stated =
            |number: &usize| number % size.leaders == turned % size.leaders && number % UNSTATED != 3;
        Portfolio {
            official: leader_name(leader),
            presides: leader == 0,
            fields: (0..FIELDS)
                .map(|number| FieldDuty { field: field(leader, number), relation: Relation::Directs })
                .collect(),
            units: (0..size.units).filter(stated).map(duty).collect(),
            classes: vec![],
        }
    };
    let pairs = (2..size.leaders.saturating_sub(1)).step_by(2).map(|leader| StandInPair {
        official: leader_name(leader),
        stand_in: leader_name(leader + 1),
        mutual: true,
    });
    Division {
        name: format!("divisions/year-{year}"),
        document_number: format!("政办发〔{}〕1号", 2000 + year),
        title: "工作分工".to_owned(),
        effective_time,
        partial: false,
        portfolios: (0..size.leaders).map(portfolio).collect(),
        pairs: pairs.collect(),
        third_stand_ins: vec![],
        fallback: Some(Fallback {
            officials: vec![leader_name(1), leader_name(0)],
            basis: "兜底规则".to_owned(),
        }),
        exclusions: vec![Exclusion {
            official: leader_name(3),
            scope: Scope { units: vec![unit_name(3)], fields: vec![field(3, 3)] },
            basis: "不授权".to_owned(),
        }],
        absence_limit_days: Some(30),
        corrects: None,
        record_time: effective_time,
    }
}

/// The absences of a leader in a year: a few days each, some ended early.
fn away_in(
    log: &mut Vec<(RosterEvent, Timestamp)>,
    random: &mut Random,
    leader: usize,
    year: u32,
    opens: Timestamp,
) {
    let room = YEAR.as_secs() / ABSENCES;
    for number in 0..ABSENCES {
        let start = opens.saturating_add(Duration::from_secs(room * number + random.below(room / 2)));
        let length = DAY.as_secs() + random.below(room / 4);
        let end = start.saturating_add(Duration::from_secs(length));
        let recorded_at = start.saturating_sub(DAY);
        let absence = Absence {
            name: format!("absences/{leader}-{year}-{number}"),
            official: leader_name(leader),
            start_time: start,
            end_time: end,
            stand_in: None,
            shares: vec![],
            excluded: Scope::default(),
            reason: "外出".to_owned(),
            approval: None,
            reassignment: None,
            recorded_at,
            changes: vec![],
        };
        let (name, official) = (absence.name.clone(), absence.official.clone());
        log.push((RosterEvent::AbsenceCreated(absence), recorded_at));
        if random.one_in(5) {
            let back = start.saturating_add(Duration::from_secs(length / 2));
            let ended = AbsenceEnded {
                acts: None,
                absence: name,
                official,
                acting: None,
                start_time: start,
                end_time: back,
                early: true,
            };
            log.push((RosterEvent::AbsenceEnded(ended), back));
        }
    }
}

#[cfg(test)]
mod tests {
    use domain_roster::{Book, Subject, who};

    use super::{Size, history, now, unit_name};

    #[test]
    fn every_year_of_the_history_answers() {
        let mut book = Book::new();
        for (event, recorded_at) in history(Size { units: 40, leaders: 8, years: 3 }) {
            book.apply(&event, recorded_at).unwrap();
        }
        let subject = Subject::Unit(unit_name(5));
        let accountable = |years: u32| {
            let at = now().saturating_sub(super::YEAR * years).saturating_add(super::DAY);
            who(&book, &subject, at, at).unwrap().accountable.map(str::to_owned)
        };
        assert_eq!(accountable(4), None);
        let leaders: std::collections::BTreeSet<_> = (1..=3).map(accountable).collect();
        assert_eq!(leaders.len(), 3, "the unit changes hands every year: {leaders:?}");
    }
}
