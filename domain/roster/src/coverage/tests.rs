//! Coverage agrees with [`who`] at every boundary and one microsecond to either side of it.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::charges::fields_in_charge;
use super::{CoverageGap, GapCause, coverage};
use crate::absence::{Absence, Share};
use crate::absence_event::AbsenceEnded;
use crate::book::Book;
use crate::division::{Division, Exclusion};
use crate::event::{Changed, RosterEvent};
use crate::fixture::{Roster, at, division_12, holder, pair, registration, unit};
use crate::interval::Interval;
use crate::official::PostKind;
use crate::resolve::{Subject, who};
use crate::scope::Scope;
use crate::stand_in_list::StandInList;

const PEOPLE: [&str; 7] = [
    "wang-yanfeng",
    "wang-yuan",
    "cui-yuanbin",
    "zhang-xiliang",
    "hu-xiaogang",
    "water-head",
    "water-liaison",
];
const LAST: i64 = 40;

/// Ticks are microseconds: what holds at every tick holds at every boundary ± 1 µs.
fn tick(offset: i64) -> Timestamp {
    Timestamp::from_micros(at("2023-06-01T00:00+08:00").as_micros() + offset)
}

fn person(index: usize) -> String {
    format!("officials/{}", PEOPLE[index % PEOPLE.len()])
}

fn scope() -> impl Strategy<Value = Scope> {
    let units = subsequence(vec!["industry", "state-assets", "investment-group", "police", "water"], 0..=2);
    let fields = subsequence(vec!["公安", "水利", "工业和信息化"], 0..=1);
    (units, fields).prop_map(|(units, fields)| Scope {
        units: units.into_iter().map(|unit| format!("units/{unit}")).collect(),
        fields: fields.into_iter().map(str::to_owned).collect(),
    })
}

/// Something that was recorded.
fn recorded() -> impl Strategy<Value = (Vec<RosterEvent>, i64)> {
    let when = || 0..LAST;
    let people = || 0..PEOPLE.len();
    let stand_ins = (option::of(people()), option::of((people(), scope())), scope());
    let away = (people(), when(), 1..20_i64, stand_ins, option::of(0..20_i64)).prop_map(
        |(official, start, length, (stand_in, share, excluded), back)| {
            away(
                official,
                tick(start),
                tick(start + length),
                stand_in,
                share,
                excluded,
                back.map(|b| tick(start + b)),
            )
        },
    );
    let division = (when(), 0..4_usize, option::of(scope()), any::<bool>(), any::<bool>()).prop_map(
        |(effective, pairs, excluded, presider, fallback)| {
            let mut division = division_12();
            division.name = format!("divisions/{effective}-{pairs}");
            division.effective_time = tick(effective);
            division.pairs.truncate(pairs);
            division.portfolios.retain(|portfolio| presider || !portfolio.presides);
            if !fallback {
                division.fallback = None;
            }
            division.exclusions = excluded
                .into_iter()
                .map(|scope| Exclusion {
                    official: "officials/cui-yuanbin".into(),
                    scope,
                    basis: "规定".into(),
                })
                .collect();
            vec![RosterEvent::DivisionCreated(division)]
        },
    );
    let slug = select(vec!["investment-group", "yaodu", "water", "postal"]);
    let parent = option::of(select(vec!["industry", "police", "yaodu", "state-assets"]));
    let unit_changes = (slug, parent, option::of(when()), option::of(when()), when()).prop_map(
        |(slug, parent, start, end, effective_time)| {
            let mut value = unit(slug, slug, &[]);
            value.parent = parent.map(|parent| format!("units/{parent}"));
            (value.start_time, value.end_time) = (start.map(tick), end.map(tick));
            vec![RosterEvent::UnitChanged(Changed { value, effective_time: tick(effective_time) })]
        },
    );
    let list = (when(), any::<bool>()).prop_map(|(effective, paired)| {
        vec![RosterEvent::StandInListCreated(StandInList {
            name: format!("standInLists/{effective}-{paired}"),
            unit: "units/water".into(),
            effective_time: tick(effective),
            document_number: String::new(),
            pairs: if paired { vec![pair("water-head", "water-liaison")] } else { vec![] },
            recorded_at: tick(effective),
        })]
    });
    let post = (when(), 1..20_i64).prop_map(|(start, length)| {
        let mut official = holder("water-head", "甲", PostKind::UnitHead, Some("water"));
        official.posts[0].start_time = Some(tick(start));
        official.posts[0].end_time = Some(tick(start + length));
        vec![RosterEvent::OfficialChanged(official)]
    });
    let events = prop_oneof![6 => away, 2 => division, 2 => unit_changes, 1 => list, 1 => post];
    (events, when())
}

fn away(
    official: usize,
    start_time: Timestamp,
    end_time: Timestamp,
    stand_in: Option<usize>,
    share: Option<(usize, Scope)>,
    excluded: Scope,
    back: Option<Timestamp>,
) -> Vec<RosterEvent> {
    let official = person(official);
    let name = format!("absences/{}-{}", official.len(), start_time.as_micros());
    let absence = Absence {
        name: name.clone(),
        official: official.clone(),
        start_time,
        end_time,
        stand_in: stand_in.map(person),
        shares: share.into_iter().map(|(by, scope)| Share { stand_in: person(by), scope }).collect(),
        excluded,
        reason: String::new(),
        approval: None,
        reassignment: None,
        recorded_at: start_time,
        changes: Vec::new(),
    };
    let ended = back.map(|end_time| {
        let (absence, acting) = (name, None);
        RosterEvent::AbsenceEnded(AbsenceEnded {
            absence,
            official,
            acting,
            start_time,
            end_time,
            early: true,
            acts: None,
        })
    });
    std::iter::once(RosterEvent::AbsenceCreated(absence)).chain(ended).collect()
}

fn book(recorded: &[(Vec<RosterEvent>, i64)]) -> Book {
    let mut roster = Roster::linfen();
    // Without a fallback whoever is away leaves a gap more often than not.
    let (name, effective_time) = ("divisions/bare".to_owned(), tick(-5));
    let bare = Division { name, effective_time, fallback: None, ..division_12() };
    roster.record(&RosterEvent::DivisionCreated(bare), tick(-5));
    for (events, at) in recorded {
        for event in events {
            // Two stories may have one absence's name: the second is a log that cannot be.
            let _refused = roster.book.apply(event, tick(*at));
        }
    }
    roster.book
}

/// What is unanswered for at an instant, asked one by one.
fn asked(book: &Book, instant: Timestamp, known_at: Timestamp) -> BTreeSet<String> {
    let view = book.view(instant, known_at);
    let unanswered =
        |subject: &Subject| who(book, subject, instant, known_at).map_or(true, |who| who.acting.is_none());
    let units = view.units().map(|unit| Subject::Unit(unit.name.clone()));
    let fields = view.division().into_iter().flat_map(fields_in_charge);
    let fields = fields.map(|field| Subject::Field(field.to_owned()));
    let mut found: BTreeSet<String> = units
        .chain(fields)
        .filter(unanswered)
        .map(|subject| match subject {
            Subject::Unit(name) | Subject::Field(name) | Subject::Post(name) | Subject::Official(name) => {
                name
            }
        })
        .collect();
    for unit in view.units() {
        let head = Subject::Post(format!("{}主要负责人", unit.name));
        let vacant = who(book, &head, instant, known_at);
        if vacant.is_ok_and(|who| who.accountable.is_some() && who.acting.is_none()) {
            found.insert(format!("{} post", unit.name));
        }
        for one in view.stand_in_list(&unit.name).into_iter().flat_map(|list| &list.pairs) {
            for official in [&one.official, &one.stand_in] {
                let held = view.official(official).is_some_and(|known| {
                    known
                        .posts
                        .iter()
                        .any(|post| post.held_at(instant) && post.unit.as_ref() == Some(&unit.name))
                });
                let liaison = view
                    .official(official)
                    .is_some_and(|known| known.holds(PostKind::Liaison, Some(&unit.name), instant));
                let subject = if liaison {
                    Subject::Post(format!("{}联络员", unit.name))
                } else {
                    Subject::Official(official.clone())
                };
                if held && unanswered(&subject) {
                    found.insert(format!("{} post", unit.name));
                }
            }
        }
    }
    found
}

/// What the gaps say is unanswered for at an instant.
fn told(gaps: &[CoverageGap], instant: Timestamp) -> BTreeSet<String> {
    let now = gaps.iter().filter(|gap| gap.interval().contains(instant));
    now.flat_map(|gap| {
        let post = match &gap.cause {
            GapCause::PostVacant { unit, .. } => Some(format!("{unit} post")),
            GapCause::NoDivision
            | GapCause::NobodyInCharge { .. }
            | GapCause::LeaderAway { .. }
            | GapCause::DutyUnmanned { .. } => None,
        };
        gap.units.iter().chain(&gap.fields).cloned().chain(post)
    })
    .collect()
}

proptest! {
    #[test]
    fn coverage_agrees_with_who_at_every_instant(
        recorded in vec(recorded(), 0..14),
        from in -3..5_i64,
        known in option::of(0..LAST),
    ) {
        let book = book(&recorded);
        let known_at = known.map_or(Timestamp::MAX, tick);
        let window = Interval { start: tick(from), end: tick(LAST + 25) };
        let gaps = coverage(&book, window, known_at);
        for offset in from..LAST + 25 {
            let instant = tick(offset);
            prop_assert_eq!(told(&gaps, instant), asked(&book, instant, known_at), "tick {}", offset);
        }
        for gap in &gaps {
            prop_assert!(window.start <= gap.start_time && gap.end_time <= window.end);
            prop_assert!(gap.start_time < gap.end_time);
            if let GapCause::LeaderAway { official } = &gap.cause {
                let view = book.view(gap.start_time, known_at);
                prop_assert!(view.away(official).is_some());
                prop_assert!(!gap.passed_over.contains(official));
            }
            let again = gaps.iter().filter(|other| other.cause == gap.cause && other.start_time == gap.end_time);
            for unit in again.flat_map(|other| &other.units) {
                prop_assert!(!gap.units.contains(unit), "one gap, not two that touch");
            }
        }
    }
}

fn window(start: &str, end: &str) -> Interval {
    Interval { start: at(start), end: at(end) }
}

fn june(book: &Book) -> Vec<CoverageGap> {
    coverage(book, window("2023-06-01T00:00+08:00", "2023-07-01T00:00+08:00"), Timestamp::MAX)
}

fn approved(roster: &mut Roster, name: &str, official: &str, start: &str, end: &str) {
    let mut asked = registration(name, official, start, end);
    asked.approval = Some("市长批示".into());
    roster.register(asked);
}

/// 崔元斌, his B and both of the fallback.
fn all_away() -> Roster {
    let mut roster = Roster::linfen();
    let (start, end) = ("2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    for official in ["cui-yuanbin", "hu-xiaogang", "wang-yuan", "wang-yanfeng"] {
        approved(&mut roster, official, official, start, end);
    }
    roster
}

#[test]
fn a_leaders_gap_is_one_with_all_units_and_fields_and_says_whom_it_fell_through_to() {
    let roster = all_away();
    let gaps = june(&roster.book);
    let of = |official: &str| {
        let cause = GapCause::LeaderAway { official: format!("officials/{official}") };
        let found: Vec<_> = gaps.iter().filter(|gap| gap.cause == cause).collect();
        assert_eq!(found.len(), 1, "{official}: {found:?}");
        found[0].clone()
    };
    let gap = of("cui-yuanbin");
    assert_eq!(gap.start_time, at("2023-06-10T00:00+08:00"));
    assert_eq!(gap.end_time, at("2023-06-12T00:00+08:00"));
    assert_eq!(gap.units, ["units/industry", "units/project-centre"]);
    assert_eq!(gap.fields, ["发展改革", "工业和信息化", "民营经济"]);
    let names = ["hu-xiaogang", "wang-yuan", "wang-yanfeng"].map(|one| format!("officials/{one}"));
    assert_eq!(gap.passed_over, names);
    assert!(of("hu-xiaogang").units.contains(&"units/investment-group".to_owned()), "through its parent");
    assert!(of("wang-yanfeng").units.contains(&"units/yaodu".to_owned()), "what nobody else is in charge of");
}

#[test]
fn whoever_is_back_first_ends_the_gap() {
    let mut roster = all_away();
    let back = at("2023-06-11T09:00+08:00");
    let event = roster.absence("wang-yanfeng").end(&roster.book, back).unwrap();
    roster.record(&event, back);
    let gaps = june(&roster.book);
    assert!(!gaps.is_empty());
    assert!(gaps.iter().all(|gap| gap.end_time == back), "{gaps:?}");
    let before = coverage(
        &roster.book,
        window("2023-06-01T00:00+08:00", "2023-07-01T00:00+08:00"),
        at("2023-06-10T09:00+08:00"),
    );
    assert!(before.iter().all(|gap| gap.end_time == at("2023-06-12T00:00+08:00")), "as known then");
}

#[test]
fn before_any_division_everything_is_a_gap_and_a_covered_city_has_none() {
    let roster = Roster::linfen();
    assert_eq!(june(&roster.book), []);
    let gaps =
        coverage(&roster.book, window("2023-04-10T00:00+08:00", "2023-05-01T00:00+08:00"), Timestamp::MAX);
    let [gap] = gaps.as_slice() else { panic!("{gaps:?}") };
    assert_eq!((&gap.cause, gap.end_time), (&GapCause::NoDivision, at("2023-04-20T00:00+08:00")));
    assert_eq!(gap.units.len(), roster.book.units().count());
}

#[test]
fn a_part_that_somebody_takes_over_is_no_gap_and_what_is_not_delegated_is_one() {
    let mut roster = all_away();
    let mut asked =
        registration("police", "zhang-xiliang", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let scope = Scope { units: vec![], fields: vec!["司法".into()] };
    asked.shares = vec![Share { stand_in: "officials/wang-yun".into(), scope }];
    asked.excluded = Scope { units: vec!["units/police".into()], fields: vec![] };
    roster.register(asked);
    let cause = GapCause::LeaderAway { official: "officials/zhang-xiliang".into() };
    let gaps: Vec<_> = june(&roster.book).into_iter().filter(|gap| gap.cause == cause).collect();
    let [gap] = gaps.as_slice() else { panic!("{gaps:?}") };
    assert_eq!(gap.units, ["units/police"]);
    assert_eq!(gap.fields, ["信访", "公安", "法治政府建设"]);
}

#[test]
fn a_head_who_is_away_with_nobody_to_act_is_a_gap_of_the_post() {
    let mut roster = Roster::linfen();
    roster.away("head", "water-head", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let gaps = june(&roster.book);
    let [gap] = gaps.as_slice() else { panic!("{gaps:?}") };
    let (unit, official) = ("units/water".to_owned(), "officials/water-head".to_owned());
    assert_eq!(gap.cause, GapCause::PostVacant { unit, official });
    assert!(gap.units.is_empty() && gap.passed_over.is_empty());

    let co_head = holder("second-head", "丁", PostKind::UnitHead, Some("water"));
    roster.record(&RosterEvent::OfficialCreated(co_head), at("2023-04-01T00:00+08:00"));
    assert_eq!(june(&roster.book), [], "a unit with another head is not without one");
}

/// 10,000 units, 100 leaders, 50 absences in 90 days: each question is asked once a group.
#[test]
fn a_large_city_is_covered_by_few_questions() {
    let mut roster = Roster::linfen();
    let recorded_at = at("2023-04-01T00:00+08:00");
    let mut division = division_12();
    division.name = "divisions/large".into();
    division.effective_time = at("2023-05-20T00:00+08:00");
    division.pairs.clear();
    division.fallback = None;
    let template = division.portfolios[1].clone();
    for leader in 0..100 {
        let official = holder(&format!("leader-{leader}"), "某", PostKind::DeputyMayor, Some("government"));
        let mut portfolio = template.clone();
        portfolio.official.clone_from(&official.name);
        portfolio.fields.truncate(1);
        portfolio.fields[0].field = format!("第{leader}项");
        portfolio.units.clear();
        roster.record(&RosterEvent::OfficialCreated(official), recorded_at);
        for number in 0..100 {
            let slug = format!("unit-{leader}-{number}");
            roster.record(&RosterEvent::UnitCreated(unit(&slug, &slug, &[])), recorded_at);
            let relation = crate::division::Relation::Directs;
            portfolio.units.push(crate::division::UnitDuty { unit: format!("units/{slug}"), relation });
        }
        division.portfolios.push(portfolio);
    }
    roster.record(&RosterEvent::DivisionCreated(division), recorded_at);
    for leader in 0..50 {
        let start =
            at("2023-06-01T00:00+08:00").saturating_add(std::time::Duration::from_secs(86_400 * leader));
        let end = start.saturating_add(std::time::Duration::from_secs(86_400 * 3));
        let mut events = away(0, start, end, None, None, Scope::default(), None);
        let RosterEvent::AbsenceCreated(absence) = &mut events[0] else { panic!("it is one") };
        absence.official = format!("officials/leader-{leader}");
        roster.record(&events[0], recorded_at);
    }
    let gaps =
        coverage(&roster.book, window("2023-06-01T00:00+08:00", "2023-08-30T00:00+08:00"), Timestamp::MAX);
    assert_eq!(gaps.len(), 50);
    assert!(gaps.iter().all(|gap| gap.units.len() == 100 && gap.fields.len() == 1), "one gap a leader");
}

#[test]
fn a_units_own_list_ends_the_gap_when_it_takes_effect() {
    let mut roster = Roster::linfen();
    roster.away("head", "water-head", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let recorded_at = at("2023-06-01T00:00+08:00");
    let list = StandInList {
        name: "standInLists/one".into(),
        unit: "units/water".into(),
        effective_time: at("2023-06-11T08:00+08:00"),
        document_number: String::new(),
        pairs: vec![pair("water-head", "water-liaison")],
        recorded_at,
    };
    roster.record(&RosterEvent::StandInListCreated(list), recorded_at);
    let ends: Vec<_> = june(&roster.book).into_iter().map(|gap| gap.end_time).collect();
    assert_eq!(ends, [at("2023-06-11T08:00+08:00")]);
}

#[test]
fn a_unit_joins_a_gap_when_the_unit_above_its_own_moves() {
    let mut roster = all_away();
    let below = crate::unit::Unit { parent: Some("units/yaodu".into()), ..unit("street", "某街道", &[]) };
    roster.add_unit(below);
    let back = at("2023-06-10T00:00+08:00");
    let event = roster.absence("wang-yanfeng").cancel(at("2023-06-09T00:00+08:00")).unwrap();
    roster.record(&event, at("2023-06-09T00:00+08:00"));
    let bare = Division {
        name: "divisions/bare".into(),
        effective_time: at("2023-06-05T00:00+08:00"),
        fallback: None,
        ..division_12()
    };
    roster.record(&RosterEvent::DivisionCreated(bare), at("2023-06-01T00:00+08:00"));
    let moved = at("2023-06-11T00:00+08:00");
    let mut value = roster.book.unit("units/yaodu").unwrap().clone();
    value.parent = Some("units/industry".into());
    let change = RosterEvent::UnitChanged(Changed { value, effective_time: moved });
    roster.record(&change, at("2023-06-01T00:00+08:00"));
    let gaps = june(&roster.book);
    let of = |unit: &str| {
        let found = gaps.iter().find(|gap| gap.units.contains(&format!("units/{unit}")));
        found.map(|gap| (gap.start_time, gap.end_time))
    };
    let end = at("2023-06-12T00:00+08:00");
    assert_eq!(of("industry"), Some((back, end)));
    assert_eq!((of("yaodu"), of("street")), (Some((moved, end)), Some((moved, end))));
}
