use proptest::prelude::*;

use super::*;

const AT: Timestamp = Timestamp::from_micros(1_686_000_000_000_000);

pub(crate) fn permits() -> Decision {
    Decision {
        name: "groups/green-energy/meetings/1/decisions/1".into(),
        text: "市能源局6月底前完成绿色能源管网规划调整手续。\n市水利局配合。".into(),
        lead_units: vec!["units/energy".into()],
        cooperating_units: vec!["units/water".into()],
        due_time: None,
        state: DecisionState::Followed,
        version: 1,
    }
}

fn in_state(state: DecisionState) -> Decision {
    Decision { state, ..permits() }
}

fn states() -> [DecisionState; 6] {
    let task = || "tasks/1".to_owned();
    [
        DecisionState::Followed,
        DecisionState::Escalating,
        DecisionState::Escalated { task: task() },
        DecisionState::Settled { task: task(), settle_time: AT },
        DecisionState::Withdrawn { task: task(), ground: "合并办理".into() },
        DecisionState::Refused { reason: "没有该单位".into() },
    ]
}

fn commands(task: &str) -> [DecisionCommand; 5] {
    [
        DecisionCommand::Escalate,
        DecisionCommand::RecordTask { task: task.into() },
        DecisionCommand::RecordRefusal { reason: "没有该单位".into() },
        DecisionCommand::Settle { task: task.into(), settle_time: AT },
        DecisionCommand::Withdraw { task: task.into(), ground: "合并办理".into() },
    ]
}

/// Every command (rows) in every state (columns, in the order of [`states`]). `-` is a
/// refusal, `.` changes nothing, a digit is the index of the state reached.
#[test]
fn every_command_has_a_defined_answer_in_every_state() {
    let table = ["1-----", "-2...-", "-5---.", "-33.--", "-44-.-"];
    for (command, row) in commands("tasks/1").into_iter().zip(table) {
        for (state, cell) in states().into_iter().zip(row.chars()) {
            let mut decision = in_state(state.clone());
            let answer = decision.decide(&command);
            let expected = match cell {
                '-' => {
                    let (action, phase) = (command.action(), state.phase());
                    assert_eq!(answer, Err(WorkgroupError::DecisionRefused { action, phase }), "{command:?}");
                    continue;
                }
                '.' => state.clone(),
                digit => states()[digit.to_digit(10).unwrap() as usize].clone(),
            };
            answer.unwrap().iter().for_each(|change| decision.apply(change));
            assert_eq!(decision.state, expected, "{command:?} in {state:?}");
        }
    }
}

#[test]
fn news_of_a_task_before_its_answer_records_both() {
    let decision = in_state(DecisionState::Escalating);
    let settle = DecisionCommand::Settle { task: "tasks/1".into(), settle_time: AT };
    assert_eq!(
        decision.decide(&settle).unwrap(),
        [
            DecisionChange::Escalated { task: "tasks/1".into() },
            DecisionChange::Settled { task: "tasks/1".into(), settle_time: AT },
        ]
    );
}

#[test]
fn another_task_is_refused_where_one_is_recorded() {
    let other = WorkgroupError::OtherTask { task: "tasks/2".into(), recorded: "tasks/1".into() };
    let [_, record, _, settle, withdraw] = commands("tasks/2");
    let [_, _, escalated, settled, withdrawn, _] = states();
    for (command, state) in [
        (&record, &escalated),
        (&record, &settled),
        (&record, &withdrawn),
        (&settle, &escalated),
        (&settle, &settled),
        (&withdraw, &escalated),
        (&withdraw, &withdrawn),
    ] {
        assert_eq!(in_state(state.clone()).decide(command), Err(other.clone()), "{command:?} in {state:?}");
    }
}

#[test]
fn a_decision_that_nobody_leads_is_not_escalated() {
    let decision = Decision { lead_units: vec![], ..permits() };
    assert_eq!(decision.check(), Ok(()));
    assert_eq!(decision.decide(&DecisionCommand::Escalate), Err(WorkgroupError::NoLeadUnit));
}

#[test]
fn a_unit_is_named_once_in_a_decision() {
    let decision = Decision { cooperating_units: vec!["units/energy".into()], ..permits() };
    assert_eq!(decision.check(), Err(WorkgroupError::UnitTwice { unit: "units/energy".into() }));
    let malformed =
        Decision { cooperating_units: vec!["units/water".into(), "水利局".into()], ..permits() };
    assert!(
        matches!(malformed.check(), Err(WorkgroupError::NameMalformed { field, .. }) if field == "cooperating_units[1]")
    );
}

#[test]
fn every_refusal_has_a_reason_in_chinese() {
    for state in states() {
        for command in commands("tasks/2") {
            if let Err(refusal) = in_state(state.clone()).decide(&command) {
                let reason = refusal.chinese();
                assert!(reason.chars().any(|c| c >= '\u{4e00}'), "{command:?} in {state:?}: {reason}");
            }
        }
    }
    let again = in_state(DecisionState::Escalating).decide(&DecisionCommand::Escalate).unwrap_err();
    assert_eq!(again.chinese(), "该决定正在纳入督办，不能再次纳入督办");
}

#[test]
fn the_title_is_the_first_line_that_says_something() {
    assert_eq!(permits().title(), "市能源局6月底前完成绿色能源管网规划调整手续。");
    let long = Decision { text: format!("\n  {}", "水".repeat(101)), ..permits() };
    assert_eq!(long.title().chars().count(), 100);
    assert!(long.title().ends_with("水…"));
}

proptest! {
    #[test]
    fn a_decision_that_ended_never_changes_again(picks in proptest::collection::vec((0..5_usize, 1..3_u8), 0..40)) {
        let mut decision = permits();
        let mut ended = None;
        for (pick, task) in picks {
            let command = commands(&format!("tasks/{task}"))[pick].clone();
            let Ok(changes) = decision.decide(&command) else { continue };
            let before = decision.version;
            changes.iter().for_each(|change| decision.apply(change));
            prop_assert_eq!(decision.version, before + changes.len() as i64);
            match &ended {
                Some(state) => prop_assert_eq!(state, &decision.state),
                None => match decision.state.phase() {
                    DecisionPhase::Followed | DecisionPhase::Escalating | DecisionPhase::Escalated => {}
                    DecisionPhase::Settled | DecisionPhase::Withdrawn | DecisionPhase::Refused => {
                        ended = Some(decision.state.clone());
                    }
                },
            }
        }
    }
}
