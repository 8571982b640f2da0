//! What a version of the rule may say, and what its timers then do.

use domain_supervision::{
    AssignmentState, Decider, Grade, Instrument, InstrumentUse, KindLimits, LadderRule, Role, Rule,
    RuleError, Span, Stage, SupervisionError, TaskDraft, TaskKind, Terms,
};

use crate::ledger::{Ledger, at, draft};
use crate::life::bring_to;

fn stated(change: impl FnOnce(&mut Rule)) -> Rule {
    let now = at("2023-06-01T09:00+08:00");
    let mut rule = Rule { version: 2, start_time: now, ..Rule::version_1() };
    change(&mut rule);
    rule
}

fn checked(change: impl FnOnce(&mut Rule)) -> Result<(), RuleError> {
    stated(change).check(at("2023-06-01T09:00+08:00"))
}

fn limits(kind: Option<TaskKind>, settled: Option<Span>) -> KindLimits {
    KindLimits { kind, settled_within: settled, ..KindLimits::default() }
}

#[test]
fn a_version_stored_before_the_rule_said_more_reads_as_it_was() {
    let mut stored = serde_json::to_value(Rule::version_1()).unwrap();
    let known = stored.as_object_mut().unwrap();
    for later in ["ladder", "deciders", "evidenceAt", "limits"] {
        assert!(known.remove(later).is_some(), "{later}");
    }
    assert_eq!(serde_json::from_value::<Rule>(stored).unwrap(), Rule::version_1());
}

#[test]
fn what_a_rule_cannot_mean_is_refused() {
    let instruction = Some(TaskKind::Instruction);
    assert_eq!(checked(|_| {}), Ok(()));
    assert_eq!(checked(|rule| rule.deciders.clear()), Err(RuleError::Deciders));
    assert_eq!(checked(|rule| rule.deciders.push(Decider::InCharge)), Err(RuleError::Deciders));
    assert_eq!(checked(|rule| rule.evidence_at = [Stage::Sign].into()), Err(RuleError::Evidence));
    assert_eq!(checked(|rule| rule.sign_within = Span::Minutes(30)), Err(RuleError::Minutes));
    for (wrong, error) in [
        (limits(instruction, Some(Span::Minutes(30))), RuleError::Minutes),
        (limits(instruction, Some(Span::Days(400))), RuleError::SpanTooLong),
        (limits(instruction, None), RuleError::LimitsOfNothing),
        (limits(None, Some(Span::Days(3))), RuleError::LimitsOfNothing),
    ] {
        assert_eq!(checked(|rule| rule.limits.push(wrong)), Err(error));
    }
    let many = limits(instruction, Some(Span::Days(3)));
    assert_eq!(checked(|rule| rule.limits = vec![many; 31]), Err(RuleError::LimitsOfNothing));
    assert_eq!(checked(|rule| rule.ladder.cool_down_hours = 0), Err(RuleError::Urgings));
    assert_eq!(checked(|rule| rule.ladder.most_urgings = 11), Err(RuleError::Urgings));
    let tighten = |rule: &mut Rule| rule.ladder.leader_signs.insert(Instrument::Letter);
    assert_eq!(checked(|rule| assert!(tighten(rule))), Ok(()));
    let loosen = |rule: &mut Rule| rule.ladder.leader_signs.remove(&Instrument::Interview);
    assert_eq!(checked(|rule| assert!(loosen(rule))), Err(RuleError::LeaderSigns));
    for error in [RuleError::Deciders, RuleError::Evidence, RuleError::Minutes, RuleError::LeaderSigns] {
        assert!(error.chinese().chars().any(|one| one >= '\u{4e00}'));
    }
}

#[test]
fn limits_of_a_kind_and_a_grade_take_the_place_of_the_rules_own() {
    let rule = stated(|rule| {
        rule.limits = vec![
            KindLimits {
                grade: Some(Grade::Major),
                ..limits(Some(TaskKind::Instruction), Some(Span::Days(15)))
            },
            limits(Some(TaskKind::Instruction), Some(Span::Days(3))),
            KindLimits { report_within: Some(Span::Days(1)), ..limits(Some(TaskKind::Instruction), None) },
        ];
    });
    let due = |grade, kind| {
        let terms = Terms { kind, ..Terms::default() };
        let mut ledger =
            Ledger::created(TaskDraft { terms, ..draft(grade, &[Role::Lead]) }, "2023-06-01T10:00+08:00");
        ledger.rule = rule.clone();
        ledger.task(domain_supervision::Command::Issue { with_document: false }).unwrap();
        let due = ledger.clocks(0).due;
        (due.report, due.settle)
    };
    let day = |text: &str| Some(at(&format!("2023-06-{text}T00:00+08:00")));
    let instruction = Some(TaskKind::Instruction);
    assert_eq!(due(Grade::Ordinary, None), (day("05"), day("09")));
    assert_eq!(due(Grade::Ordinary, instruction), (day("03"), day("05")));
    assert_eq!(due(Grade::Major, instruction), (day("03"), day("17")));
}

#[test]
fn timers_urge_again_only_as_often_and_as_far_apart_as_the_rule_lets_them() {
    let urged = |ladder: LadderRule| {
        let mut ledger = Ledger::issued(draft(Grade::Major, &[Role::Lead]), "2023-06-01T09:00+08:00");
        bring_to(&mut ledger, 0, AssignmentState::Deployed);
        ledger.rule.ladder = ladder;
        ledger.until("2023-06-20T09:00+08:00");
        let urged = ledger.alarms().into_iter().filter(|(_, what)| what.ends_with("urged"));
        urged.map(|(at, _)| at[5..16].to_owned()).collect::<Vec<_>>()
    };
    let usual = LadderRule::default();
    // The report was due on Sunday, 4 June.
    assert_eq!(urged(usual.clone()), ["06-05T08:00"]);
    assert_eq!(urged(LadderRule { most_urgings: 0, ..usual.clone() }), Vec::<String>::new());
    let often = LadderRule { most_urgings: 3, cool_down_hours: 72, ..usual };
    // Three days after Thursday, 8 June, is a Sunday.
    assert_eq!(urged(often), ["06-05T08:00", "06-08T08:00", "06-12T08:00"]);
}

#[test]
fn a_timer_does_not_urge_who_was_urged_a_short_while_ago() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-05T09:00+08:00");
    ledger.until("2023-06-06T08:00+08:00");
    ledger.now = at("2023-06-08T16:00+08:00");
    let press = InstrumentUse {
        instrument: Instrument::Urging,
        ground: "抓紧办理".to_owned(),
        decision: String::new(),
        by_leader: false,
        skip_lighter: false,
        paper: None,
    };
    ledger.unit(0, domain_supervision::AssignmentCommand::Press(press)).unwrap();
    // The report is due at the end of that day; on the next morning a day has not passed.
    ledger.until("2023-06-09T18:00+08:00");
    let alarms = ledger.alarms();
    let told: Vec<_> =
        alarms.iter().map(|(at, what)| (&at[5..16], what.rsplit('.').next().unwrap())).collect();
    assert_eq!(told, [("06-06T08:00", "urged"), ("06-09T16:00", "urged")]);
}

#[test]
fn a_rule_may_leave_out_the_reminder_and_have_letters_signed_by_leaders() {
    let mut ledger = Ledger::issued(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T09:00+08:00");
    ledger.rule.ladder.remind_at_yellow = false;
    ledger.rule.ladder.leader_signs.insert(Instrument::Letter);
    bring_to(&mut ledger, 0, AssignmentState::InProgress);
    ledger.until("2023-06-12T09:00+08:00");
    let overdue = [("2023-06-09T00:00:00+08:00".to_owned(), "supervision.assignment.overdue")];
    assert_eq!(ledger.alarms(), overdue);
    let letter = InstrumentUse {
        instrument: Instrument::Letter,
        ground: "逾期未办结".to_owned(),
        decision: String::new(),
        by_leader: false,
        skip_lighter: false,
        paper: None,
    };
    let alone = ledger.unit(0, domain_supervision::AssignmentCommand::Press(letter.clone()));
    assert_eq!(alone, Err(SupervisionError::NeedsLeader { instrument: Instrument::Letter }));
    let decided = InstrumentUse { decision: "批示".to_owned(), ..letter };
    ledger.unit(0, domain_supervision::AssignmentCommand::Press(decided)).unwrap();
}
