//! The supervisor's instruments, in order of weight.

use domain_supervision::{
    AssignmentCommand, AssignmentState, Grade, Instrument, InstrumentUse, NotEmpty, Role, SideRoadCommand,
    SupervisionError, TaskEvent,
};
use time::macros::date;

use crate::ledger::{Ledger, ask_until, at, draft, side_road};
use crate::life::{bring_to, types};

/// An ordinary matter in progress, issued on 1 June: yellow from 7 June, 11:24, due on the 8th.
fn in_progress() -> Ledger {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    ledger
}

fn by_supervisor(instrument: Instrument) -> InstrumentUse {
    InstrumentUse {
        instrument,
        ground: "逾期未办结".to_owned(),
        decision: String::new(),
        by_leader: false,
        skip_lighter: false,
        paper: None,
    }
}

fn press(ledger: &mut Ledger, asked: InstrumentUse) -> Result<Vec<TaskEvent>, SupervisionError> {
    ledger.unit(0, AssignmentCommand::Press(asked))
}

#[test]
fn nobody_is_urged_while_the_light_is_green() {
    let mut ledger = in_progress();
    let urging = by_supervisor(Instrument::Urging);
    ledger.now = at("2023-06-07T11:23:59+08:00");
    let early = SupervisionError::NotDueYet { instrument: Instrument::Urging };
    assert_eq!(press(&mut ledger, urging.clone()), Err(early));
    ledger.now = at("2023-06-07T11:24+08:00");
    assert_eq!(types(&press(&mut ledger, urging).unwrap()), ["supervision.assignment.pressed"]);
}

#[test]
fn urgings_are_a_day_apart_whoever_urged() {
    let mut ledger = in_progress();
    ledger.until("2023-06-09T08:00+08:00");
    let urging = || by_supervisor(Instrument::Urging);
    let until = at("2023-06-10T00:00+08:00");
    assert_eq!(press(&mut ledger, urging()), Err(SupervisionError::UrgedJustNow { until }), "the timer did");
    ledger.now = until;
    press(&mut ledger, urging()).unwrap();
    ledger.now = at("2023-06-10T23:59:59+08:00");
    assert!(matches!(press(&mut ledger, urging()), Err(SupervisionError::UrgedJustNow { .. })));
    ledger.now = at("2023-06-11T00:00+08:00");
    press(&mut ledger, urging()).unwrap();
}

#[test]
fn each_comes_after_the_lighter_one_and_the_heavy_ones_need_a_leader() {
    let mut ledger = in_progress();
    // No timer fired: nothing lighter was used yet.
    ledger.now = at("2023-06-10T09:00+08:00");
    let decided = |instrument| InstrumentUse {
        decision: "市长办公会议纪要〔2023〕6号".to_owned(),
        ..by_supervisor(instrument)
    };
    for pair in Instrument::ALL.windows(2).rev() {
        let (lighter, instrument) = (pair[0], pair[1]);
        let early = Err(SupervisionError::LighterFirst { instrument, lighter });
        assert_eq!(press(&mut ledger, decided(instrument)), early, "{instrument:?}");
    }
    press(&mut ledger, by_supervisor(Instrument::Urging)).unwrap();
    press(&mut ledger, by_supervisor(Instrument::Letter)).unwrap();
    for instrument in [Instrument::Interview, Instrument::PublicNotice, Instrument::Accountability] {
        let alone = press(&mut ledger, by_supervisor(instrument));
        assert_eq!(alone, Err(SupervisionError::NeedsLeader { instrument }));
        press(&mut ledger, decided(instrument)).unwrap();
    }
}

#[test]
fn a_leader_may_pass_over_the_lighter_ones_and_a_supervisor_may_not() {
    let mut ledger = in_progress();
    ledger.now = at("2023-06-10T09:00+08:00");
    let skipping =
        |instrument, by_leader| InstrumentUse { by_leader, skip_lighter: true, ..by_supervisor(instrument) };
    let refused = press(&mut ledger, skipping(Instrument::Letter, false));
    assert!(matches!(refused, Err(SupervisionError::LighterFirst { .. })));
    press(&mut ledger, skipping(Instrument::PublicNotice, true)).unwrap();
    assert!(ledger.assignment(0).instruments.contains_key(&Instrument::PublicNotice));
}

#[test]
fn nobody_is_pressed_while_others_are_to_act() {
    let mut ledger = in_progress();
    ledger.until("2023-06-08T09:00+08:00");
    ledger.unit(0, ask_until(date!(2023 - 06 - 20))).unwrap();
    ledger.now = at("2023-06-20T09:00+08:00");
    assert_eq!(press(&mut ledger, by_supervisor(Instrument::Urging)), Err(SupervisionError::ClockHeld));
    let mut ledger = in_progress();
    let suspend =
        SideRoadCommand::Suspend { ground: "待批".to_owned(), review_date: date!(2023 - 09 - 01) };
    ledger.unit(0, side_road(suspend)).unwrap();
    let refused = press(&mut ledger, by_supervisor(Instrument::Urging)).unwrap_err();
    assert_eq!(refused.chinese(), "该事项已挂账，请先恢复办理再催办");
}

#[test]
fn an_instrument_needs_a_ground() {
    let mut ledger = in_progress();
    ledger.now = at("2023-06-10T09:00+08:00");
    let silent = InstrumentUse { ground: " ".to_owned(), ..by_supervisor(Instrument::Urging) };
    assert_eq!(press(&mut ledger, silent), Err(SupervisionError::Empty(NotEmpty::InstrumentGround)));
}
