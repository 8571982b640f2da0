//! The life of a bulletin: every command in every state, and whole lives of commands at random.

use std::collections::BTreeMap;
use std::time::Duration;

use domain_calendar::{Calendar, Timestamp};
use domain_supervision::{
    AppealState, Bulletin, BulletinAction, BulletinChange, BulletinCommand, BulletinDraft, BulletinError,
    BulletinEvent, BulletinState, BulletinText, Contested, Figure, Frozen, Line, Period, Point, PointKey,
    ScoreRule, UnderWay,
};
use proptest::prelude::*;

/// A Friday.
const NOW: &str = "2023-06-30T10:00:00+08:00";
/// The end of the next working day.
const LIMIT: &str = "2023-07-04T00:00:00+08:00";
const ENERGY: &str = "units/energy";
const WATER: &str = "units/water";
const ONE: &str = "tasks/1/assignments/1";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn point(version: Option<i64>) -> Point {
    Point { assignment: ONE.to_owned(), version, value: 1 }
}

fn key(version: Option<i64>) -> PointKey {
    PointKey { assignment: ONE.to_owned(), version }
}

fn line() -> Line {
    Line { late: vec![point(None)], late_steps: vec![point(Some(3)), point(Some(4))], ..Line::default() }
}

fn frozen() -> Frozen {
    Frozen {
        rule: ScoreRule::version_1(),
        under_way: UnderWay { all: 3, red: 1 },
        lines: BTreeMap::from([(ENERGY.to_owned(), line()), (WATER.to_owned(), line())]),
    }
}

fn draft() -> Bulletin {
    let draft = BulletinDraft {
        name: "bulletins/1".to_owned(),
        title: "关于督办事项办理情况的通报".to_owned(),
        period: Period { start: at("2023-06-01T00:00:00+08:00"), end: at(NOW) },
        leader: "officials/first".to_owned(),
        created_by: "supervisor".to_owned(),
    };
    Bulletin::begun_by(&Bulletin::draft(&draft, &frozen(), at(NOW))).unwrap()
}

fn decide(
    bulletin: &Bulletin,
    command: &BulletinCommand<'_>,
    now: &str,
) -> Result<BulletinEvent, BulletinError> {
    bulletin.decide(command, &Calendar::built_in(), at(now))
}

fn after(mut bulletin: Bulletin, command: &BulletinCommand<'_>, now: &str) -> Bulletin {
    let event = decide(&bulletin, command, now).unwrap();
    bulletin.apply(&event);
    bulletin
}

fn steps(version: Option<i64>) -> Contested {
    Contested { figure: Figure::LateSteps, point: version.map(|version| key(Some(version))) }
}

fn checking() -> Bulletin {
    after(draft(), &BulletinCommand::Check { before: at(LIMIT) }, NOW)
}

fn appealed(about: &Contested) -> Bulletin {
    let line = line();
    let command = BulletinCommand::Appeal { unit: ENERGY, about, reason: "系统故障", line: Some(&line) };
    after(checking(), &command, NOW)
}

fn in_state(state: BulletinState) -> Bulletin {
    match state {
        BulletinState::Draft => draft(),
        BulletinState::Checking => appealed(&steps(Some(3))),
        BulletinState::Issued => {
            after(checking(), &BulletinCommand::Sign { paper: "papers/1", number: "督通〔2023〕1号" }, LIMIT)
        }
        BulletinState::Withdrawn => after(checking(), &BulletinCommand::Withdraw { ground: "数据有误" }, NOW),
    }
}

#[test]
fn every_command_in_every_state_has_its_answer() {
    use BulletinAction::{Appeal, Check, Confirm, DecideAppeal, Recompute, Sign, Withdraw};
    let (frozen, line, about) = (frozen(), line(), steps(Some(4)));
    let appeal = "bulletins/1/appeals/1";
    let commands = [
        (Recompute, BulletinCommand::Recompute(&frozen)),
        (Check, BulletinCommand::Check { before: at(LIMIT) }),
        (Confirm, BulletinCommand::Confirm { unit: WATER }),
        (Appeal, BulletinCommand::Appeal { unit: WATER, about: &about, reason: "有误", line: Some(&line) }),
        (DecideAppeal, BulletinCommand::Refuse { appeal, ground: "属实", decider_units: &[] }),
        (
            DecideAppeal,
            BulletinCommand::Uphold {
                appeal,
                corrected: &[],
                ground: "属实",
                decider_units: &[],
                line: Some(&line),
            },
        ),
        (Sign, BulletinCommand::Sign { paper: "papers/1", number: "督通〔2023〕1号" }),
        (Withdraw, BulletinCommand::Withdraw { ground: "数据有误" }),
    ];
    for state in BulletinState::ALL {
        let possible: &[BulletinAction] = match state {
            BulletinState::Draft => &[Recompute, Check, Withdraw],
            BulletinState::Checking => &[Confirm, Appeal, DecideAppeal, Sign, Withdraw],
            BulletinState::Issued | BulletinState::Withdrawn => &[],
        };
        let bulletin = in_state(state);
        assert_eq!(bulletin.state, state);
        for (action, command) in &commands {
            let found = decide(&bulletin, command, NOW);
            if !possible.contains(action) {
                assert_eq!(found, Err(BulletinError::State { action: *action, state }), "{command:?}");
            } else if *action == Sign {
                assert_eq!(found, Err(BulletinError::AppealsOpen { count: 1 }));
            } else {
                assert!(found.is_ok(), "{state:?} {command:?} {found:?}");
            }
            assert_eq!(state.allows(*action), possible.contains(action));
        }
    }
}

#[test]
fn units_have_a_working_day_at_least() {
    // The next working day is Monday, 3 July.
    let check = |before: &str| decide(&draft(), &BulletinCommand::Check { before: at(before) }, NOW);
    let earliest = at(LIMIT);
    assert_eq!(check("2023-07-03T23:59:59+08:00"), Err(BulletinError::TooSoon { earliest }));
    assert!(check(LIMIT).is_ok());
    // Before the National Day holidays it is after them.
    let before = at("2023-10-02T00:00:00+08:00");
    let found = decide(&draft(), &BulletinCommand::Check { before }, "2023-09-28T10:00:00+08:00");
    assert_eq!(found, Err(BulletinError::TooSoon { earliest: at("2023-10-08T00:00:00+08:00") }));
}

#[test]
fn it_is_signed_when_time_has_passed_or_all_have_confirmed() {
    let sign = BulletinCommand::Sign { paper: "papers/1", number: "督通〔2023〕1号" };
    let bulletin = checking();
    let early = |unconfirmed| Err(BulletinError::CheckRunning { before: at(LIMIT), unconfirmed });
    assert_eq!(decide(&bulletin, &sign, "2023-07-03T23:59:59.999999+08:00"), early(2));
    assert!(decide(&bulletin, &sign, LIMIT).is_ok());
    let one = after(bulletin, &BulletinCommand::Confirm { unit: ENERGY }, NOW);
    assert_eq!(decide(&one, &sign, NOW), early(1));
    let both = after(one, &BulletinCommand::Confirm { unit: WATER }, NOW);
    let issued = after(both, &sign, NOW);
    assert_eq!(issued.issued.unwrap().number, "督通〔2023〕1号");
    let undecided = appealed(&steps(None));
    assert_eq!(decide(&undecided, &sign, LIMIT), Err(BulletinError::AppealsOpen { count: 1 }));
}

#[test]
fn a_unit_speaks_of_its_own_line_while_the_check_runs() {
    let bulletin = checking();
    let line = line();
    let appeal = |bulletin: &Bulletin, unit: &str, about: &Contested, reason: &str, now: &str| {
        let command = BulletinCommand::Appeal { unit, about, reason, line: Some(&line) };
        decide(bulletin, &command, now).map(|_| ())
    };
    let about = steps(None);
    assert_eq!(appeal(&bulletin, ENERGY, &about, "有误", NOW), Ok(()));
    assert_eq!(
        appeal(&bulletin, ENERGY, &about, "有误", LIMIT),
        Err(BulletinError::CheckOver { before: at(LIMIT) })
    );
    assert_eq!(appeal(&bulletin, ENERGY, &about, " ", NOW), Err(BulletinError::Empty(BulletinText::Reason)));
    let other = "units/health";
    assert_eq!(
        appeal(&bulletin, other, &about, "有误", NOW),
        Err(BulletinError::NoLine { unit: other.to_owned() })
    );
    for nothing in [steps(Some(9)), Contested { figure: Figure::Returned, point: None }] {
        assert_eq!(appeal(&bulletin, ENERGY, &nothing, "有误", NOW), Err(BulletinError::NoSuchPoint));
    }
    let bulletin = appealed(&about);
    assert_eq!(appeal(&bulletin, ENERGY, &about, "有误", NOW), Err(BulletinError::AppealedAlready));
    assert_eq!(appeal(&bulletin, WATER, &about, "有误", NOW), Ok(()), "another unit's");
    assert_eq!(
        decide(&bulletin, &BulletinCommand::Confirm { unit: ENERGY }, NOW),
        Err(BulletinError::OwnAppealOpen { unit: ENERGY.to_owned() })
    );
    let confirmed = after(bulletin, &BulletinCommand::Confirm { unit: WATER }, NOW);
    assert_eq!(
        appeal(&confirmed, WATER, &about, "有误", NOW),
        Err(BulletinError::Confirmed { unit: WATER.to_owned() })
    );
}

#[test]
fn nobody_decides_about_his_own_units_appeal_and_nothing_else_is_corrected() {
    let (bulletin, line) = (appealed(&steps(None)), line());
    let appeal = "bulletins/1/appeals/1";
    let uphold = |bulletin: &Bulletin, corrected: &[PointKey], own: &[String], ground: &str| {
        let command =
            BulletinCommand::Uphold { appeal, corrected, ground, decider_units: own, line: Some(&line) };
        decide(bulletin, &command, NOW)
    };
    let own = [WATER.to_owned(), ENERGY.to_owned()];
    let refused = Err(BulletinError::OwnAppeal { unit: ENERGY.to_owned() });
    assert_eq!(uphold(&bulletin, &[], &own, "属实"), refused);
    let refuse = BulletinCommand::Refuse { appeal, ground: "不属实", decider_units: &own };
    assert_eq!(decide(&bulletin, &refuse, NOW), refused);
    assert_eq!(uphold(&bulletin, &[], &[], ""), Err(BulletinError::Empty(BulletinText::Ground)));
    assert_eq!(uphold(&bulletin, &[key(None)], &[], "属实"), Err(BulletinError::NotAppealed));
    for (named, corrected) in
        [(vec![], vec![key(Some(3)), key(Some(4))]), (vec![key(Some(4)), key(Some(4))], vec![key(Some(4))])]
    {
        let event = uphold(&bulletin, &named, &own[..1], "属实").unwrap();
        let BulletinChange::AppealUpheld { corrected: found, .. } = &event.change else {
            panic!("{event:?}")
        };
        assert_eq!(*found, corrected);
        let mut decided = bulletin.clone();
        decided.apply(&event);
        let state = &decided.find_appeal(appeal).unwrap().state;
        assert!(matches!(state, AppealState::Upheld { .. }), "{state:?}");
        assert_eq!(uphold(&decided, &[], &[], "属实"), Err(BulletinError::AppealDecided));
    }
    let unknown =
        BulletinCommand::Refuse { appeal: "bulletins/1/appeals/2", ground: "无", decider_units: &[] };
    assert!(matches!(decide(&bulletin, &unknown, NOW), Err(BulletinError::NoAppeal { .. })));
}

#[test]
fn only_units_that_were_asked_are_told_of_a_withdrawal() {
    let withdraw = BulletinCommand::Withdraw { ground: "数据有误" };
    for (bulletin, asked) in [(draft(), 0), (checking(), 2)] {
        let BulletinChange::Withdrawn { asked: found, .. } =
            decide(&bulletin, &withdraw, NOW).unwrap().change
        else {
            panic!("another change")
        };
        assert_eq!(found.len(), asked);
    }
    let empty = BulletinCommand::Withdraw { ground: "  " };
    assert_eq!(decide(&draft(), &empty, NOW), Err(BulletinError::Empty(BulletinText::Ground)));
}

#[test]
fn events_read_back_as_they_were_written() {
    let mut bulletin = draft();
    let (frozen, line, about) = (frozen(), line(), steps(None));
    let appeal = "bulletins/1/appeals/1";
    let commands = [
        BulletinCommand::Recompute(&frozen),
        BulletinCommand::Check { before: at(LIMIT) },
        BulletinCommand::Confirm { unit: WATER },
        BulletinCommand::Appeal { unit: ENERGY, about: &about, reason: "有误", line: Some(&line) },
        BulletinCommand::Uphold {
            appeal,
            corrected: &[],
            ground: "属实",
            decider_units: &[],
            line: Some(&line),
        },
        BulletinCommand::Confirm { unit: ENERGY },
        BulletinCommand::Sign { paper: "papers/1", number: "督通〔2023〕1号" },
    ];
    let (mut kinds, mut said) = (Vec::new(), Vec::new());
    for command in &commands {
        let event = decide(&bulletin, command, NOW).unwrap();
        let payload = event.to_payload().unwrap();
        let read = BulletinEvent::from_payload(event.event_type(), &payload).unwrap();
        assert_eq!(read.as_ref(), Some(&event), "{payload}");
        assert!(BulletinEvent::from_payload("supervision.bulletin.drafted", &payload).is_err());
        assert_eq!(BulletinEvent::from_payload("supervision.task.issued", &payload).unwrap(), None);
        bulletin.apply(&event);
        kinds.push(event.event_type());
        said.push(event.describe(&|unit| unit.to_owned()));
    }
    assert_eq!(bulletin.version, 8);
    kinds.dedup();
    assert_eq!(kinds.len(), 7);
    assert_eq!(said[4], "units/energy对《关于督办事项办理情况的通报》“环节逾期”的申诉成立：属实");
    assert_eq!(said[6], "签发《关于督办事项办理情况的通报》（督通〔2023〕1号）");
    let body = serde_json::to_string(&bulletin).unwrap();
    assert_eq!(serde_json::from_str::<Bulletin>(&body).unwrap(), bulletin);
}

proptest! {
    /// Whatever is asked in whatever order: what is issued was checked to its end, with every
    /// appeal decided; what is over stays as it is; and versions count events.
    #[test]
    fn whatever_is_asked_nothing_is_issued_unchecked(
        asked in prop::collection::vec((0_usize..9, any::<bool>(), 0_u64..120), 1..40),
    ) {
        let (frozen, line) = (frozen(), line());
        let (mut bulletin, mut now, mut events) = (draft(), at(NOW), 1);
        for (command, first, hours) in asked {
            now = now.saturating_add(Duration::from_secs(hours * 600));
            let unit = if first { ENERGY } else { WATER };
            let about = steps(first.then_some(3));
            let appeal = format!("bulletins/1/appeals/{}", 1 + usize::from(first));
            let before = at(LIMIT).max(now.saturating_add(Duration::from_secs(4 * 86_400)));
            let command = match command {
                0 => BulletinCommand::Recompute(&frozen),
                1 | 2 => BulletinCommand::Check { before },
                3 => BulletinCommand::Confirm { unit },
                4 | 5 => BulletinCommand::Appeal { unit, about: &about, reason: "有误", line: Some(&line) },
                6 => BulletinCommand::Refuse { appeal: &appeal, ground: "不属实", decider_units: &[] },
                7 => BulletinCommand::Sign { paper: "papers/1", number: "督通〔2023〕1号" },
                _ if first => BulletinCommand::Withdraw { ground: "数据有误" },
                _ => BulletinCommand::Uphold {
                    appeal: &appeal,
                    corrected: &[],
                    ground: "属实",
                    decider_units: &[],
                    line: Some(&line),
                },
            };
            let Ok(event) = bulletin.decide(&command, &Calendar::built_in(), now) else { continue };
            let over = matches!(bulletin.state, BulletinState::Issued | BulletinState::Withdrawn);
            prop_assert!(!over, "{:?} after it was over", event);
            if let BulletinChange::Issued { .. } = event.change {
                prop_assert_eq!(bulletin.open_appeals(), 0);
                let all_confirmed = bulletin.confirmed() == bulletin.units.len();
                prop_assert!(all_confirmed || bulletin.check_before.is_some_and(|before| before <= now));
            }
            bulletin.apply(&event);
            events += 1;
            prop_assert_eq!(bulletin.version, events);
        }
    }
}
