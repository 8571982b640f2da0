use domain_calendar::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{
    DutyRoster, DutyShift, DutySwap, DutyTeam, admit_duty_change, admit_duty_roster, admit_duty_swap,
    duty_gaps, duty_shifts,
};
use crate::book::Book;
use crate::coverage::{GapCause, coverage};
use crate::error::RosterError;
use crate::event::{Changed, RosterEvent};
use crate::fixture::{Roster, at};
use crate::interval::Interval;

const NAME: &str = "dutyRosters/flood";

fn team(leader: &str, members: &[&str]) -> DutyTeam {
    let member = |one: &&str| format!("officials/{one}");
    DutyTeam { leader: Some(format!("officials/{leader}")), members: members.iter().map(member).collect() }
}

/// A watch handed over at 8 and 20 o'clock among three teams.
fn flood() -> DutyRoster {
    DutyRoster {
        name: NAME.into(),
        display_name: "防汛值班表".into(),
        unit: "units/water".into(),
        start_time: at("2023-06-01T08:00+08:00"),
        end_time: at("2023-10-01T08:00+08:00"),
        handovers: vec![8 * 60, 20 * 60],
        teams: vec![
            team("water-head", &["water-liaison"]),
            team("water-substitute", &[]),
            team("wang-yuan", &["gao-yaming"]),
        ],
        first_team: 1,
    }
}

fn with(roster: DutyRoster) -> Roster {
    let mut city = Roster::linfen();
    assert_eq!(admit_duty_roster(&city.book, &roster), Ok(()));
    city.record(&RosterEvent::DutyRosterCreated(roster), at("2023-05-20T09:00+08:00"));
    city
}

fn window(start: &str, end: &str) -> Interval {
    Interval { start: at(start), end: at(end) }
}

fn shifts(book: &Book, start: &str, end: &str) -> Vec<DutyShift> {
    duty_shifts(book, NAME, window(start, end), Timestamp::MAX)
}

fn on_duty(book: &Book, instant: &str) -> String {
    let instant = at(instant);
    let moment = Interval { start: instant, end: Timestamp::from_micros(instant.as_micros() + 1) };
    let shifts = duty_shifts(book, NAME, moment, Timestamp::MAX);
    let leader = shifts.first().and_then(|shift| shift.team.leader.clone());
    leader.unwrap_or_default().trim_start_matches("officials/").to_owned()
}

#[test]
fn teams_take_their_turns_from_the_first_and_hand_over_on_time() {
    let city = with(flood());
    for (instant, leader) in [
        ("2023-06-01T07:59:59.999999+08:00", ""),
        ("2023-06-01T08:00+08:00", "water-substitute"),
        ("2023-06-01T19:59:59.999999+08:00", "water-substitute"),
        ("2023-06-01T20:00+08:00", "wang-yuan"),
        ("2023-06-02T08:00+08:00", "water-head"),
        ("2023-06-02T20:00+08:00", "water-substitute"),
        ("2023-10-01T08:00+08:00", ""),
    ] {
        assert_eq!(on_duty(&city.book, instant), leader, "{instant}");
    }
    assert_eq!(shifts(&city.book, "2023-06-01T00:00+08:00", "2023-06-03T00:00+08:00").len(), 4);
    let day = DutyRoster { handovers: vec![480], ..flood() };
    let city = with(day);
    let [first, ..] = &shifts(&city.book, "2023-06-02T00:00+08:00", "2023-06-05T00:00+08:00")[..] else {
        panic!("a shift a day")
    };
    assert_eq!(
        (first.start_time, first.end_time),
        (at("2023-06-01T08:00+08:00"), at("2023-06-02T08:00+08:00"))
    );
}

#[test]
fn a_change_holds_from_its_instant_on_and_leaves_the_past() {
    let mut city = with(flood());
    let before = shifts(&city.book, "2023-06-01T00:00+08:00", "2023-06-10T08:00+08:00");
    let value =
        DutyRoster { first_team: 0, teams: vec![team("gao-yaming", &[]), team("wang-yun", &[])], ..flood() };
    let effective_time = at("2023-06-10T08:00+08:00");
    let now = at("2023-06-09T09:00+08:00");
    assert_eq!(admit_duty_change(&city.book, &value, effective_time, false, now), Ok(()));
    let late = admit_duty_change(&city.book, &value, effective_time, false, at("2023-06-10T08:00:01+08:00"));
    assert_eq!(late, Err(RosterError::DutyOver { end: effective_time }));
    city.record(&RosterEvent::DutyRosterChanged(Changed { value, effective_time }), now);
    assert_eq!(shifts(&city.book, "2023-06-01T00:00+08:00", "2023-06-10T08:00+08:00"), before);
    assert_eq!(on_duty(&city.book, "2023-06-10T08:00+08:00"), "gao-yaming");
    assert_eq!(on_duty(&city.book, "2023-06-10T20:00+08:00"), "wang-yun");
    let known = duty_shifts(
        &city.book,
        NAME,
        window("2023-06-10T08:00+08:00", "2023-06-10T09:00+08:00"),
        at("2023-06-08T00:00+08:00"),
    );
    assert_ne!(known[0].team.leader.as_deref(), Some("officials/gao-yaming"), "as known before");
}

#[test]
fn a_swap_puts_others_on_one_shift_and_an_empty_one_is_a_gap() {
    let mut city = with(flood());
    let shift = at("2023-06-01T20:00+08:00");
    let now = at("2023-06-01T09:00+08:00");
    let swap = |team: DutyTeam| DutySwap {
        duty_roster: NAME.into(),
        shift_start_time: shift,
        team,
        ground: "赴省城开会".into(),
        recorded_at: now,
    };
    let others = swap(team("wang-yun", &[]));
    assert_eq!(admit_duty_swap(&city.book, &others, now), Ok(()));
    let over = admit_duty_swap(&city.book, &others, at("2023-06-02T08:00+08:00"));
    assert!(matches!(over, Err(RosterError::DutyOver { .. })));
    let none = DutySwap { shift_start_time: at("2023-06-01T20:30+08:00"), ..others.clone() };
    assert!(matches!(admit_duty_swap(&city.book, &none, now), Err(RosterError::ShiftUnknown { .. })));
    city.record(&RosterEvent::DutyShiftSwapped(others), now);
    assert_eq!(on_duty(&city.book, "2023-06-02T07:00+08:00"), "wang-yun");
    assert_eq!(on_duty(&city.book, "2023-06-02T08:00+08:00"), "water-head", "one shift alone");
    city.record(&RosterEvent::DutyShiftSwapped(swap(DutyTeam::default())), now);
    let gaps = duty_gaps(
        &city.book,
        NAME,
        window("2023-06-01T00:00+08:00", "2023-06-05T00:00+08:00"),
        Timestamp::MAX,
    );
    let [(gap, _)] = gaps.as_slice() else { panic!("{gaps:?}") };
    assert_eq!(*gap, Interval { start: shift, end: at("2023-06-02T08:00+08:00") });
}

fn swapped(city: &mut Roster, shift: &str, leader: &str, now: &str) {
    let swap = DutySwap {
        duty_roster: NAME.into(),
        shift_start_time: at(shift),
        team: team(leader, &[]),
        ground: "赴省城开会".into(),
        recorded_at: at(now),
    };
    assert_eq!(admit_duty_swap(&city.book, &swap, at(now)), Ok(()));
    city.record(&RosterEvent::DutyShiftSwapped(swap), at(now));
}

#[test]
fn a_swap_of_a_shift_that_runs_leaves_what_was_kept_until_then() {
    let mut city = with(flood());
    let (start, seven, eight) =
        ("2023-06-01T08:00+08:00", "2023-06-01T19:00+08:00", "2023-06-01T19:30+08:00");
    swapped(&mut city, start, "wang-yun", seven);
    swapped(&mut city, start, "gao-yaming", eight);
    for (instant, leader) in [
        (start, "water-substitute"),
        ("2023-06-01T18:59:59.999999+08:00", "water-substitute"),
        (seven, "wang-yun"),
        (eight, "gao-yaming"),
        ("2023-06-01T19:59:59.999999+08:00", "gao-yaming"),
        ("2023-06-01T20:00+08:00", "wang-yuan"),
    ] {
        assert_eq!(on_duty(&city.book, instant), leader, "{instant}");
    }
    let shifts = shifts(&city.book, start, "2023-06-01T20:00+08:00");
    assert!(shifts.iter().all(|shift| shift.shift_start_time == at(start)), "{shifts:?}");
    assert_eq!(shifts.iter().map(|shift| shift.swapped.is_some()).collect::<Vec<_>>(), [false, true, true]);
    // A swap before the shift is for all of it.
    swapped(&mut city, "2023-06-02T08:00+08:00", "wang-yun", eight);
    assert_eq!(on_duty(&city.book, "2023-06-02T08:00+08:00"), "wang-yun");
}

#[test]
fn no_swap_falls_away_with_a_change_unless_that_is_asked_for() {
    let mut city = with(flood());
    let (now, effective) = ("2023-06-05T09:00+08:00", at("2023-06-06T08:00+08:00"));
    let (night, early, late) = ("2023-06-05T20:00+08:00", "2023-06-07T08:00+08:00", "2023-06-07T20:00+08:00");
    for shift in [night, early, late] {
        swapped(&mut city, shift, "wang-yun", now);
    }
    let admitted = |handovers: Vec<u16>, drops: bool| {
        admit_duty_change(&city.book, &DutyRoster { handovers, ..flood() }, effective, drops, at(now))
    };
    let orphaned = |starts: &[&str]| {
        Err(RosterError::SwapsOrphaned { starts: starts.iter().map(|start| at(start)).collect() })
    };
    assert_eq!(admitted(vec![8 * 60, 20 * 60], false), Ok(()), "the shifts are the same");
    assert_eq!(admitted(vec![9 * 60, 20 * 60], false), orphaned(&[early]), "the night goes on until 9");
    assert_eq!(admitted(vec![8 * 60, 14 * 60, 20 * 60], false), orphaned(&[early]), "it is shorter");
    assert_eq!(admitted(vec![9 * 60, 20 * 60], true), Ok(()));
    let chinese = admitted(vec![8 * 60], false).unwrap_err().chinese();
    assert!(chinese.contains("2023年6月7日20:00开始的班次"), "{chinese}");
}

#[test]
fn a_watch_is_kept_while_one_is_there_and_the_rest_is_a_gap_in_coverage() {
    let mut city = with(flood());
    city.away("one", "water-head", "2023-06-02T10:00+08:00", "2023-06-02T16:00+08:00");
    let june = window("2023-06-02T00:00+08:00", "2023-06-03T00:00+08:00");
    assert_eq!(duty_gaps(&city.book, NAME, june, Timestamp::MAX), []);
    let [_, shift, _] = &duty_shifts(&city.book, NAME, june, Timestamp::MAX)[..] else { panic!("three") };
    assert_eq!(shift.away.len(), 1, "he is marked");
    city.away("two", "water-liaison", "2023-06-02T12:00+08:00", "2023-06-02T23:00+08:00");
    let cause = GapCause::DutyUnmanned { duty_roster: NAME.into() };
    let gaps = coverage(&city.book, june, Timestamp::MAX);
    let gap = gaps.iter().find(|gap| gap.cause == cause).unwrap();
    assert_eq!((gap.start_time, gap.end_time), (at("2023-06-02T12:00+08:00"), at("2023-06-02T16:00+08:00")));
    assert_eq!(gap.passed_over, ["officials/water-head", "officials/water-liaison"]);
}

#[test]
fn a_malformed_roster_is_refused() {
    let city = Roster::linfen();
    let refused = |change: fn(&mut DutyRoster)| {
        let mut roster = flood();
        change(&mut roster);
        admit_duty_roster(&city.book, &roster).unwrap_err()
    };
    assert_eq!(refused(|one| one.handovers = vec![]), RosterError::HandoversMalformed);
    assert_eq!(refused(|one| one.handovers = vec![1_440]), RosterError::HandoversMalformed);
    assert_eq!(refused(|one| one.handovers = vec![480, 480]), RosterError::HandoversMalformed);
    assert_eq!(refused(|one| one.first_team = 3), RosterError::FirstTeamUnknown { teams: 3 });
    assert_eq!(refused(|one| one.teams.clear()), RosterError::Missing { field: "teams" });
    assert_eq!(refused(|one| one.teams[0].leader = None), RosterError::Missing { field: "teams.leader" });
    assert!(matches!(refused(|one| one.end_time = one.start_time), RosterError::PeriodEmpty { .. }));
    assert!(matches!(
        refused(|one| one.end_time = at("2024-06-01T08:00:01+08:00")),
        RosterError::PeriodEmpty { .. } | RosterError::SeasonTooLong { .. }
    ));
    assert!(matches!(refused(|one| one.unit = "units/moon".into()), RosterError::UnitUnknown { .. }));
    let twice = refused(|one| one.teams[0].members.push("officials/water-head".into()));
    assert_eq!(twice, RosterError::OnDutyTwice { official: "officials/water-head".into() });
}

proptest! {
    #[test]
    fn shifts_tile_the_season_in_turn_whatever_the_window(
        mut minutes in proptest::collection::btree_set(0..1_440_u16, 1..5).prop_map(Vec::from_iter),
        teams in 1..4_usize,
        from in 0..80_i64,
        length in 1..80_i64,
        changes in vec(0..100_i64, 0..3),
    ) {
        minutes.sort_unstable();
        let hour = |hours: i64| Timestamp::from_micros(flood().start_time.as_micros() + hours * 3_600_000_000);
        let names = ["wang-yuan", "wang-yun", "gao-yaming"];
        let roster = DutyRoster {
            end_time: hour(120),
            handovers: minutes.clone(),
            teams: names.iter().take(teams).map(|one| team(one, &[])).collect(),
            first_team: 0,
            ..flood()
        };
        let mut city = with(roster.clone());
        for change in changes {
            let changed = Changed { value: roster.clone(), effective_time: hour(change) };
            city.record(&RosterEvent::DutyRosterChanged(changed), hour(0));
        }
        let season = Interval { start: roster.start_time, end: roster.end_time };
        let all = duty_shifts(&city.book, NAME, season, Timestamp::MAX);
        prop_assert_eq!(all[0].start_time, season.start);
        prop_assert_eq!(all[all.len() - 1].end_time, season.end);
        for pair in all.windows(2) {
            prop_assert_eq!(pair[0].end_time, pair[1].start_time, "no time is left out or kept twice");
        }
        let part = Interval { start: hour(from), end: hour(from + length) };
        let within: Vec<_> = all
            .iter()
            .filter(|shift| Interval { start: shift.start_time, end: shift.end_time }.overlap(part).is_some())
            .cloned()
            .collect();
        prop_assert_eq!(duty_shifts(&city.book, NAME, part, Timestamp::MAX), within);
    }
}
