//! What an explanation says adds up to what the clocks say.

use std::time::Duration;

use domain_calendar::Timestamp;
use domain_supervision::{
    AssignmentCommand, Basis, ChargedTo, ChargedWait, ClockPhase, ClockStart, Command, DayKind, Explanation,
    Grade, Role, Rule, Span, Stage, explain,
};
use proptest::prelude::*;
use time::macros::date;

use crate::ledger::{Ledger, answer, ask_until, at, draft, report, submit, verify};

fn explained(ledger: &Ledger, index: usize) -> Option<Explanation> {
    explain(&ledger.task, ledger.assignment(index), &ledger.log, &ledger.rule, &ledger.calendar)
}

fn working() -> Rule {
    Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() }
}

fn issued(rule: Rule, grade: Grade, when: &str) -> Ledger {
    let mut ledger = Ledger::created(draft(grade, &[Role::Lead]), when);
    ledger.rule = rule;
    ledger.task(Command::Issue { with_document: false }).unwrap();
    ledger
}

fn started(ledger: &mut Ledger) {
    ledger.unit(0, AssignmentCommand::Sign).unwrap();
    ledger.unit(0, AssignmentCommand::Deploy { plan: String::new() }).unwrap();
    ledger.unit(0, report("进展")).unwrap();
}

#[test]
fn national_day_is_skipped_by_name_and_made_up_days_count() {
    let ledger = issued(working(), Grade::Ordinary, "2023-09-27T10:00+08:00");
    let told = explained(&ledger, 0).unwrap();
    let settle = told.stages.last().unwrap();
    assert_eq!((settle.stage, settle.basis), (Stage::Settle, Basis::Within(Span::Days(7))));
    assert_eq!((settle.last_day, settle.counted), (date!(2023 - 10 - 12), Some(7)));
    assert_eq!(settle.made_up, [date!(2023 - 10 - 07), date!(2023 - 10 - 08)]);
    assert_eq!(settle.skipped.len(), 8);
    assert!(settle.skipped.iter().all(|one| one.holiday.as_deref() == Some("中秋节、国庆节")));
    assert_eq!(told.years, [(2023, Some("国办发明电〔2022〕16号".to_owned()))]);
    assert_eq!(
        told.steps(),
        [
            "2023年9月27日10:00交办，即时开始计时",
            "适用13710督办规则第2版，按工作日计算；工作日历第1版：2023年依据国办发明电〔2022〕16号",
            "签收：当日，至2023年9月27日24时",
            "部署：当日，至2023年9月27日24时",
            "反馈：3个工作日，起始当日不计，扣除2023年9月29日至2023年10月6日（中秋节、国庆节），2023年10月7日、2023年10月8日调休上班计入，至2023年10月8日24时",
            "办结：7个工作日，起始当日不计，扣除2023年9月29日至2023年10月6日（中秋节、国庆节），2023年10月7日、2023年10月8日调休上班计入，至2023年10月12日24时",
            "办结时限为2023年10月12日24时，剩余3天2小时48分钟时（2023年10月9日21:12）起亮黄灯，期满亮红灯",
        ]
    );
}

#[test]
fn a_month_that_ends_on_a_rest_day_says_what_it_rolled_over() {
    let ledger = issued(working(), Grade::Major, "2023-09-01T10:00+08:00");
    let told = explained(&ledger, 0).unwrap();
    let settle = told.stages.last().unwrap();
    assert_eq!((settle.basis, settle.counted), (Basis::Within(Span::Months(1)), None));
    assert_eq!((settle.skipped.len(), settle.last_day), (6, date!(2023 - 10 - 07)));
}

#[test]
fn what_reaches_into_an_unpublished_year_says_so() {
    let ledger = issued(working(), Grade::Ordinary, "2026-12-28T10:00+08:00");
    let told = explained(&ledger, 0).unwrap();
    assert_eq!(told.years[1], (2027, None));
    assert!(told.clocks.provisional);
    let steps = told.steps();
    assert!(steps[1].contains("2027年节假日安排尚未公布，暂按周一至周五计算"), "{}", steps[1]);
    assert!(steps.last().unwrap().ends_with("以上为暂定，公布后重新核定"));
}

#[test]
fn a_clock_that_starts_in_office_hours_says_what_it_skipped() {
    let rule = Rule { version: 2, clock_start: ClockStart::NextWorkingMoment, ..Rule::version_1() };
    let ledger = issued(rule, Grade::Ordinary, "2023-09-28T20:00+08:00");
    let told = explained(&ledger, 0).unwrap();
    assert_eq!((told.start, told.before_start.len()), (at("2023-10-07T08:00+08:00"), 8));
    assert!(
        told.steps()[0].starts_with("2023年9月28日20:00交办，自首个工作时刻2023年10月7日08:00开始计时，扣除")
    );
}

#[test]
fn each_wait_says_who_is_charged_with_it_and_an_extension_absorbs_those_before() {
    let mut ledger = issued(Rule::version_1(), Grade::Major, "2023-06-01T10:00+08:00");
    started(&mut ledger);
    ledger.unit(0, submit()).unwrap();
    ledger.now = at("2023-06-03T10:00+08:00");
    ledger.unit(0, verify(false)).unwrap();
    let told = explained(&ledger, 0).unwrap();
    let [ChargedWait { pause, counts: true }] = told.waits.as_slice() else { panic!("{:?}", told.waits) };
    assert_eq!((&pause.to, pause.moved), (&ChargedTo::Verifier, Duration::from_secs(172_800)));
    assert_eq!((pause.from, pause.until), (at("2023-06-01T10:00+08:00"), ledger.now));
    assert_eq!(told.add_up().0, Some(at("2023-07-04T00:00+08:00")));
    let sentence = "2023年6月1日10:00至2023年6月3日10:00等待核验，2天计入核验单位，办结时限顺延";
    assert!(told.steps().contains(&sentence.to_owned()), "{:?}", told.steps());

    ledger.unit(0, ask_until(date!(2023 - 07 - 20))).unwrap();
    let held = explained(&ledger, 0).unwrap();
    assert_eq!((held.clocks.phase, held.held_since), (ClockPhase::Held, Some(ledger.now)));
    ledger.now = at("2023-06-05T10:00+08:00");
    ledger.unit(0, answer(true)).unwrap();
    let told = explained(&ledger, 0).unwrap();
    assert_eq!(told.stages.last().unwrap().basis, Basis::Granted);
    assert_eq!(told.extensions, [(ledger.now, date!(2023 - 07 - 20))]);
    assert!(!told.waits[0].counts);
    assert_eq!(told.add_up().0, Some(at("2023-07-21T00:00+08:00")));
}

#[test]
fn a_draft_has_nothing_to_explain() {
    let ledger = Ledger::created(draft(Grade::Ordinary, &[Role::Lead]), "2023-06-01T10:00+08:00");
    assert_eq!(explained(&ledger, 0), None);
}

fn rule() -> impl Strategy<Value = Rule> {
    let span = || prop_oneof![(0_u32..40).prop_map(Span::Days), (0_u32..4).prop_map(Span::Months)];
    let kind = prop_oneof![Just(DayKind::Natural), Just(DayKind::Working)];
    let start = prop_oneof![Just(ClockStart::Issued), Just(ClockStart::NextWorkingMoment)];
    (kind, start, span(), span(), span(), 0_u32..60).prop_map(
        |(day_kind, clock_start, report_within, ordinary_settled_within, major_settled_within, percent)| {
            Rule {
                version: 2,
                day_kind,
                clock_start,
                report_within,
                ordinary_settled_within,
                major_settled_within,
                yellow_percent: percent,
                ..Rule::version_1()
            }
        },
    )
}

fn adds_up(ledger: &Ledger) -> Result<(), TestCaseError> {
    let clocks = ledger.clocks(0);
    let Some(told) = explained(ledger, 0) else {
        prop_assert_eq!(clocks.phase, ClockPhase::Off);
        return Ok(());
    };
    let (settle, yellow) = told.add_up();
    prop_assert_eq!(settle, clocks.due.settle);
    prop_assert_eq!(told.clocks, clocks);
    let reached = |at: &Timestamp| told.held_since.is_some_and(|since| *at <= since);
    match clocks.phase {
        ClockPhase::Running => {
            prop_assert_eq!(yellow, clocks.yellow_at);
            prop_assert_eq!(settle, clocks.red_at);
        }
        ClockPhase::Held => {
            prop_assert_eq!(yellow.filter(reached), clocks.yellow_at);
            prop_assert_eq!(settle.filter(reached), clocks.red_at);
        }
        ClockPhase::Off | ClockPhase::Closed => {}
    }
    for limit in &told.stages {
        let due = match limit.stage {
            Stage::Sign => clocks.due.sign,
            Stage::Deploy => clocks.due.deploy,
            Stage::Report => clocks.due.report,
            Stage::Milestone => clocks.due.milestone,
            Stage::Settle => clocks.due.settle,
        };
        prop_assert_eq!(Some(limit.due), due);
        prop_assert!(limit.skipped.iter().all(|one| !ledger.calendar.is_working_day(one.day)));
        prop_assert!(limit.made_up.iter().all(|day| ledger.calendar.is_working_day(*day)));
        if let Basis::Within(Span::Days(days)) = limit.basis {
            prop_assert_eq!(limit.counted, Some(days), "as many days as the rule says");
        }
    }
    prop_assert!(told.steps().iter().all(|step| !step.is_empty()));
    Ok(())
}

proptest! {
    #[test]
    fn what_is_explained_adds_up_to_what_the_clocks_say(
        rule in rule(),
        grade in prop_oneof![Just(Grade::Ordinary), Just(Grade::Major), Just(Grade::LongTerm)],
        first_day in 0_i64..1_400,
        hour in 0_u64..24,
        due_in_days in proptest::option::of(0_i64..90),
        happenings in proptest::collection::vec((0_usize..8, 0_u64..300, 0_i64..200), 0..40),
    ) {
        let start = date!(2023 - 08 - 01) + time::Duration::days(first_day);
        let now = Timestamp::start_of_day(start).saturating_add(Duration::from_secs(hour * 3_600));
        let mut draft = draft(grade, &[Role::Lead]);
        draft.due_date = due_in_days.map(|days| start + time::Duration::days(days));
        let mut ledger = Ledger::created(draft, &now.to_string());
        ledger.rule = rule;
        adds_up(&ledger)?;
        ledger.task(Command::Issue { with_document: false }).unwrap();
        adds_up(&ledger)?;
        for (which, hours, days) in happenings {
            ledger.now = ledger.now.saturating_add(Duration::from_secs(hours * 3_600));
            let command = match which {
                0 => AssignmentCommand::Sign,
                1 => AssignmentCommand::Deploy { plan: String::new() },
                2 => report("进展"),
                3 => submit(),
                4 => verify(false),
                5 => ask_until(start + time::Duration::days(days)),
                6 => answer(true),
                _ => answer(false),
            };
            // Many are refused where they stand; those that are not are what is explained.
            drop(ledger.unit(0, command));
            adds_up(&ledger)?;
        }
    }
}
