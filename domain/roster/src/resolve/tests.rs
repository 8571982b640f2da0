//! The rules of section "who answers", one table or case each.

use domain_calendar::Timestamp;

use super::{Subject, resolve, stands_in_for, units_of_leader};
use crate::division::{ClassDuty, Division, Relation};
use crate::error::RosterError;
use crate::event::RosterEvent;
use crate::fixture::{Roster, at, division_12, holder, pair, registration};
use crate::official::PostKind;
use crate::resolution::{Outcome, Resolution, Rule};

fn ask(roster: &Roster, subject: Subject, instant: &str) -> Resolution {
    resolve(&roster.book, &subject, at(instant), Timestamp::MAX).unwrap()
}

fn unit(name: &str) -> Subject {
    Subject::Unit(name.into())
}

fn accountable(resolution: &Resolution) -> Option<&str> {
    resolution.accountable.as_ref().map(|person| person.display_name.as_str())
}

fn acting(resolution: &Resolution) -> Option<&str> {
    resolution.acting.as_ref().map(|person| person.display_name.as_str())
}

fn rules(resolution: &Resolution) -> Vec<(Rule, Outcome)> {
    resolution.steps.iter().map(|step| (step.rule, step.outcome)).collect()
}

/// 12号 with a change, recorded and in effect from 20 May 2023.
fn with_division(roster: &mut Roster, change: impl FnOnce(&mut Division)) {
    let mut division = division_12();
    division.name = "divisions/changed".into();
    division.effective_time = at("2023-05-20T00:00+08:00");
    change(&mut division);
    assert_eq!(crate::admit_division(&roster.book, &division), Ok(()));
    roster.record(&RosterEvent::DivisionCreated(division), at("2023-05-20T00:00+08:00"));
}

/// 崔元斌 and 胡晓刚, each other's B, away together with approval.
fn both_away(roster: &mut Roster) {
    roster.away("a", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let mut second = registration("b", "hu-xiaogang", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    second.approval = Some("市长批示".into());
    roster.register(second);
}

#[test]
fn each_unit_has_the_leader_its_relation_gives() {
    let roster = Roster::linfen();
    for (name, instant, leader, rule) in [
        ("市卫健委", "2023-05-01T09:00+08:00", "乔飞鸿", Rule::Directs),
        ("市卫健委", "2023-06-01T09:00+08:00", "李艳萍", Rule::Directs),
        ("市民政局", "2023-05-01T09:00+08:00", "王云", Rule::Directs),
        ("市民政局", "2023-06-01T09:00+08:00", "李艳萍", Rule::Directs),
        ("市邮政管理局", "2023-06-01T09:00+08:00", "胡晓刚", Rule::Liaises),
        ("市政府办公室", "2023-06-01T09:00+08:00", "王渊", Rule::Directs),
        ("临投集团", "2023-06-01T09:00+08:00", "胡晓刚", Rule::ParentUnit),
        ("市审计局", "2023-06-01T09:00+08:00", "王延峰", Rule::Directs),
        ("市项目推进中心", "2023-06-01T09:00+08:00", "崔元斌", Rule::Directs),
        ("尧都区人民政府", "2023-06-01T09:00+08:00", "王延峰", Rule::PresidesOverAll),
    ] {
        let found = ask(&roster, unit(name), instant);
        assert_eq!(accountable(&found), Some(leader), "{name} {instant}: {found:?}");
        assert_eq!(acting(&found), Some(leader), "{name} {instant}");
        assert_eq!(found.accountable_rule(), Some(rule), "{name} {instant}");
        assert!(!found.stand_in);
    }
}

#[test]
fn a_unit_changes_hands_at_the_very_instant() {
    let roster = Roster::linfen();
    for (instant, leader) in
        [("2023-05-13T23:59:59.999999+08:00", "乔飞鸿"), ("2023-05-14T00:00:00+08:00", "李艳萍")]
    {
        assert_eq!(accountable(&ask(&roster, unit("市卫健委"), instant)), Some(leader), "{instant}");
    }
}

#[test]
fn every_step_is_explained_in_chinese() {
    let roster = Roster::linfen();
    let found = ask(&roster, unit("临投集团"), "2023-06-01T09:00+08:00");
    assert_eq!(
        found.steps.iter().map(|step| step.basis.as_str()).collect::<Vec<_>>(),
        [
            "适用临政办发〔2023〕12号，自2023年5月14日起执行",
            "临政办发〔2023〕12号未列临汾市投资集团有限公司",
            "临政办发〔2023〕12号未列临汾市投资集团有限公司，由其上级单位市政府国有资产监督管理委员会的分管领导胡晓刚负责",
            "胡晓刚在岗，由本人办理",
        ]
    );
}

#[test]
fn an_answer_that_falls_to_the_mayor_under_a_partial_division_says_so() {
    let roster = Roster::linfen();
    let found = ask(&roster, unit("市审计局"), "2023-05-01T09:00+08:00");
    assert_eq!(accountable(&found), Some("王延峰"));
    let fallen = found.steps.iter().find(|step| step.rule == Rule::PresidesOverAll).unwrap();
    assert!(fallen.basis.contains("分工不完整"), "{}", fallen.basis);
    let stated = ask(&roster, unit("市卫健委"), "2023-05-01T09:00+08:00");
    assert!(stated.steps.iter().all(|step| !step.basis.contains("分工不完整")));
}

#[test]
fn before_any_division_nobody_answers() {
    let roster = Roster::linfen();
    let found = ask(&roster, unit("市卫健委"), "2023-04-19T23:59:59.999999+08:00");
    assert_eq!((accountable(&found), acting(&found)), (None, None));
    assert_eq!(rules(&found), [(Rule::Division, Outcome::None)]);
}

#[test]
fn assisting_never_puts_one_in_charge() {
    let mut roster = Roster::linfen();
    with_division(&mut roster, |division| {
        division.portfolios[2].units.retain(|duty| duty.unit != "units/project-centre");
    });
    let found = ask(&roster, unit("市项目推进中心"), "2023-06-01T09:00+08:00");
    assert_eq!(accountable(&found), Some("王延峰"));
    assert!(rules(&found).contains(&(Rule::Assists, Outcome::Skipped)));
    let field = ask(&roster, Subject::Field("政府专项债券".into()), "2023-06-01T09:00+08:00");
    assert_eq!(accountable(&field), Some("王延峰"));
    assert!(rules(&field).contains(&(Rule::Assists, Outcome::Skipped)));
}

#[test]
fn a_unit_that_does_not_exist_then_has_nobody() {
    let mut roster = Roster::linfen();
    let mut ceased = crate::fixture::unit("ceased", "市旧局", &[]);
    ceased.end_time = Some(at("2023-06-01T00:00+08:00"));
    roster.add_unit(ceased);
    let found = ask(&roster, unit("units/ceased"), "2023-06-01T00:00+08:00");
    assert_eq!((accountable(&found), rules(&found)), (None, vec![(Rule::Unit, Outcome::None)]));
}

#[test]
fn what_stands_for_nothing_is_an_error_and_never_a_guess() {
    let roster = Roster::linfen();
    for (subject, refused) in [
        (unit("市月球局"), RosterError::UnitUnknown { text: "市月球局".into() }),
        (unit(" "), RosterError::Missing { field: "unit" }),
        (Subject::Field(String::new()), RosterError::Missing { field: "field" }),
        (Subject::Post("宇航员".into()), RosterError::PostUnknown { text: "宇航员".into() }),
        (Subject::Official("无名".into()), RosterError::OfficialUnknown { text: "无名".into() }),
    ] {
        let found = resolve(&roster.book, &subject, at("2023-06-01T00:00+08:00"), Timestamp::MAX);
        assert_eq!(found, Err(refused));
    }
}

#[test]
fn fields_match_exactly_first_then_by_containment_if_unique() {
    let mut roster = Roster::linfen();
    with_division(&mut roster, |division| {
        let text = "银行、保险、证券等驻临分支机构".into();
        division.portfolios[5].classes.push(ClassDuty { text, relation: Relation::Liaises });
    });
    for (field, leader) in [
        ("水利", Some("乔飞鸿")),
        ("水利工作", Some("乔飞鸿")),
        ("水利方面的工作", Some("乔飞鸿")),
        ("城乡建设", Some("王渊")),
        ("生态环境保护", Some("乔飞鸿")),
        ("保险", Some("胡晓刚")),
        ("航天", Some("王延峰")),
    ] {
        let found = ask(&roster, Subject::Field(field.into()), "2023-06-01T00:00+08:00");
        assert_eq!(accountable(&found), leader, "{field}");
    }
    let refused =
        resolve(&roster.book, &Subject::Field("管理".into()), at("2023-06-01T00:00+08:00"), Timestamp::MAX);
    assert!(
        matches!(&refused, Err(RosterError::FieldAmbiguous { candidates, .. }) if candidates.len() == 2),
        "{refused:?}"
    );
}

#[test]
fn b_stands_in_while_a_is_away_and_not_a_microsecond_longer() {
    let mut roster = Roster::linfen();
    roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    for (instant, actor) in [
        ("2023-06-09T23:59:59.999999+08:00", "崔元斌"),
        ("2023-06-10T00:00:00+08:00", "胡晓刚"),
        ("2023-06-11T23:59:59.999999+08:00", "胡晓刚"),
        ("2023-06-12T00:00:00+08:00", "崔元斌"),
    ] {
        let found = ask(&roster, unit("市工信局"), instant);
        assert_eq!(accountable(&found), Some("崔元斌"), "{instant}");
        assert_eq!(acting(&found), Some(actor), "{instant}");
        assert_eq!(found.stand_in, actor != "崔元斌", "{instant}");
    }
    let found = ask(&roster, unit("市工信局"), "2023-06-10T12:00+08:00");
    assert_eq!(
        rules(&found),
        [
            (Rule::Division, Outcome::Chosen),
            (Rule::Directs, Outcome::Chosen),
            (Rule::Absent, Outcome::Skipped),
            (Rule::StandingB, Outcome::Chosen),
        ]
    );
    assert_eq!(found.steps[2].basis, "崔元斌2023年6月10日至2023年6月12日不在岗（赴省城开会）");
}

#[test]
fn standing_in_works_both_ways_only_where_the_pair_is_mutual() {
    let mut roster = Roster::linfen();
    with_division(&mut roster, |division| {
        division.pairs[1].mutual = false;
        division.fallback = None;
    });
    roster.away("b", "hu-xiaogang", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let found = ask(&roster, unit("市国资委"), "2023-06-11T00:00+08:00");
    assert_eq!((accountable(&found), acting(&found)), (Some("胡晓刚"), None));
}

#[test]
fn with_a_and_b_away_the_fallback_acts_and_names_its_rule() {
    let mut roster = Roster::linfen();
    both_away(&mut roster);
    let found = ask(&roster, unit("市工信局"), "2023-06-11T00:00+08:00");
    assert_eq!(acting(&found), Some("王渊"));
    assert_eq!(
        rules(&found)[2..],
        [
            (Rule::Absent, Outcome::Skipped),
            (Rule::StandingB, Outcome::Skipped),
            (Rule::Fallback, Outcome::Chosen),
        ]
    );
    assert_eq!(found.steps[4].basis, "本市配置的兜底规则：由王渊代行");
}

#[test]
fn with_a_and_b_away_and_no_fallback_it_is_unresolved() {
    let mut roster = Roster::linfen();
    with_division(&mut roster, |division| division.fallback = None);
    both_away(&mut roster);
    let found = ask(&roster, unit("市工信局"), "2023-06-11T00:00+08:00");
    assert_eq!((accountable(&found), acting(&found), found.stand_in), (Some("崔元斌"), None, false));
    assert_eq!(found.steps.last().map(|step| step.rule), Some(Rule::Unresolved));
}

#[test]
fn the_b_of_a_b_never_inherits() {
    let mut roster = Roster::linfen();
    // A chain: 崔元斌 → 胡晓刚 → 王云, one way each.
    with_division(&mut roster, |division| {
        division.fallback = None;
        division.pairs = vec![pair("cui-yuanbin", "hu-xiaogang"), pair("hu-xiaogang", "wang-yun")];
        division.pairs.iter_mut().for_each(|pair| pair.mutual = false);
    });
    both_away(&mut roster);
    assert_eq!(acting(&ask(&roster, unit("市工信局"), "2023-06-11T00:00+08:00")), None);
    assert_eq!(acting(&ask(&roster, unit("市国资委"), "2023-06-11T00:00+08:00")), Some("王云"));
}

#[test]
fn a_named_b_comes_before_the_standing_one_and_a_third_after_it() {
    let mut roster = Roster::linfen();
    with_division(&mut roster, |division| {
        let mut third = pair("cui-yuanbin", "zhang-xiliang");
        third.mutual = false;
        division.third_stand_ins = vec![third];
    });
    let mut named = registration("named", "wang-yun", "2023-06-01T00:00+08:00", "2023-06-02T00:00+08:00");
    named.stand_in = Some("officials/zhang-xiliang".into());
    roster.register(named);
    let found = ask(&roster, unit("市文旅局"), "2023-06-01T12:00+08:00");
    assert_eq!(
        (acting(&found), found.steps.last().map(|step| step.rule)),
        (Some("张希亮"), Some(Rule::NamedB))
    );

    both_away(&mut roster);
    let found = ask(&roster, unit("市工信局"), "2023-06-11T00:00+08:00");
    assert_eq!(
        (acting(&found), found.steps.last().map(|step| step.rule)),
        (Some("张希亮"), Some(Rule::ThirdStandIn))
    );
}

#[test]
fn a_named_b_who_is_away_gives_way_to_the_standing_b() {
    let mut roster = Roster::linfen();
    roster.away("one", "zhang-xiliang", "2023-06-11T00:00+08:00", "2023-06-13T00:00+08:00");
    let mut named = registration("named", "wang-yun", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    named.stand_in = Some("officials/zhang-xiliang".into());
    named.approval = Some("市长批示".into());
    roster.register(named);
    for (instant, actor) in [("2023-06-10T12:00+08:00", "张希亮"), ("2023-06-11T12:00+08:00", "李艳萍")]
    {
        assert_eq!(acting(&ask(&roster, unit("市文旅局"), instant)), Some(actor), "{instant}");
    }
}

#[test]
fn the_executive_deputy_acts_for_the_mayor_and_the_mayor_when_both_deputies_are_away() {
    let mut roster = Roster::linfen();
    roster.away("mayor", "wang-yanfeng", "2023-06-01T00:00+08:00", "2023-06-02T00:00+08:00");
    assert_eq!(acting(&ask(&roster, unit("市审计局"), "2023-06-01T12:00+08:00")), Some("王渊"));
    assert_eq!(acting(&ask(&roster, Subject::Post("市长".into()), "2023-06-01T12:00+08:00")), Some("王渊"));

    roster.away("executive", "wang-yuan", "2023-06-05T00:00+08:00", "2023-06-06T00:00+08:00");
    let mut deputy = registration("b", "qiao-feihong", "2023-06-05T00:00+08:00", "2023-06-06T00:00+08:00");
    deputy.approval = Some("市长批示".into());
    roster.register(deputy);
    let found = ask(&roster, unit("市财政局"), "2023-06-05T12:00+08:00");
    assert_eq!(acting(&found), Some("王延峰"));
    assert!(
        rules(&found).contains(&(Rule::Fallback, Outcome::Skipped)),
        "the executive deputy is the one away"
    );
}

#[test]
fn what_was_not_yet_known_is_not_in_the_answer() {
    let roster = Roster::linfen();
    let june = at("2023-06-01T00:00+08:00");
    for (known_at, leader) in
        [("2023-05-12T08:59:59.999999+08:00", "乔飞鸿"), ("2023-05-12T09:00+08:00", "李艳萍")]
    {
        let found = resolve(&roster.book, &unit("市卫健委"), june, at(known_at)).unwrap();
        assert_eq!(accountable(&found), Some(leader), "{known_at}");
    }
}

#[test]
fn an_early_return_is_seen_only_by_those_who_knew_of_it() {
    let mut roster = Roster::linfen();
    roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-15T00:00+08:00");
    let back = at("2023-06-12T10:00+08:00");
    let ended = roster.absence("one").end(&roster.book, back).unwrap();
    let learned = at("2023-06-12T10:00:00.000001+08:00");
    roster.record(&ended, learned);
    let after = at("2023-06-13T00:00+08:00");
    let actor = |instant, known_at| {
        let found = resolve(&roster.book, &unit("市工信局"), instant, known_at).unwrap();
        acting(&found).map(str::to_owned)
    };
    assert_eq!(
        actor(after, back).as_deref(),
        Some("胡晓刚"),
        "as known when the return was not yet recorded"
    );
    assert_eq!(actor(after, learned).as_deref(), Some("崔元斌"));
    assert_eq!(actor(back, learned).as_deref(), Some("崔元斌"), "authority ends exactly at the return");
    assert_eq!(actor(at("2023-06-12T09:59:59.999999+08:00"), learned).as_deref(), Some("胡晓刚"));
}

#[test]
fn a_cancelled_absence_still_answers_as_it_was_known() {
    let mut roster = Roster::linfen();
    roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-15T00:00+08:00");
    let now = at("2023-06-09T00:00+08:00");
    let cancelled = roster.absence("one").cancel(now).unwrap();
    roster.record(&cancelled, now);
    for (known_at, actor) in [("2023-06-08T23:59:59+08:00", "胡晓刚"), ("2023-06-09T00:00+08:00", "崔元斌")]
    {
        let during = at("2023-06-11T00:00+08:00");
        let found = resolve(&roster.book, &unit("市工信局"), during, at(known_at)).unwrap();
        assert_eq!(acting(&found), Some(actor), "{known_at}");
    }
}

#[test]
fn of_two_divisions_effective_together_the_one_recorded_last_holds() {
    let mut roster = Roster::linfen();
    let mut corrected = division_12();
    corrected.name = "divisions/corrected".into();
    corrected.portfolios[7].units.retain(|duty| duty.unit != "units/health");
    let learned = at("2023-05-30T00:00+08:00");
    roster.record(&RosterEvent::DivisionCreated(corrected), learned);
    let june = at("2023-06-01T00:00+08:00");
    let leader = |known_at| {
        let found = resolve(&roster.book, &unit("市卫健委"), june, known_at).unwrap();
        accountable(&found).map(str::to_owned)
    };
    assert_eq!(leader(learned).as_deref(), Some("王延峰"));
    assert_eq!(leader(at("2023-05-29T23:59:59+08:00")).as_deref(), Some("李艳萍"));
}

#[test]
fn posts_follow_their_holders_and_fields() {
    let roster = Roster::linfen();
    for (post, instant, who) in [
        ("市长", "2023-06-01T00:00+08:00", "王延峰"),
        ("常务副市长", "2023-06-01T00:00+08:00", "王渊"),
        ("秘书长", "2023-06-01T00:00+08:00", "高雅铭"),
        ("市政府分管水利工作的副市长", "2023-06-01T00:00+08:00", "乔飞鸿"),
        ("分管卫生健康工作的副市长", "2023-05-01T00:00+08:00", "乔飞鸿"),
        ("分管卫生健康工作的副市长", "2023-06-01T00:00+08:00", "李艳萍"),
        ("分管市国资委的副市长", "2023-06-01T00:00+08:00", "胡晓刚"),
        ("市水利局主要负责人", "2023-06-01T00:00+08:00", "甲"),
        ("units/water 联络员", "2023-06-01T00:00+08:00", "乙"),
    ] {
        let found = ask(&roster, Subject::Post(post.into()), instant);
        assert_eq!(accountable(&found), Some(who), "{post}");
    }
}

#[test]
fn a_post_nobody_holds_never_falls_to_the_mayor() {
    let roster = Roster::linfen();
    for post in ["分管航天工作的副市长", "分管尧都区人民政府的副市长", "市卫健委主要负责人"]
    {
        let found = ask(&roster, Subject::Post(post.into()), "2023-06-01T00:00+08:00");
        assert_eq!((accountable(&found), acting(&found)), (None, None), "{post}");
        assert_eq!(
            found.steps.last().map(|step| (step.rule, step.outcome)),
            Some((Rule::Post, Outcome::None))
        );
    }
}

#[test]
fn the_substitute_acts_for_an_absent_liaison_officer() {
    let mut roster = Roster::linfen();
    roster.away("one", "water-liaison", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let found = ask(&roster, Subject::Post("市水利局联络员".into()), "2023-06-11T00:00+08:00");
    assert_eq!((accountable(&found), acting(&found), found.stand_in), (Some("乙"), Some("丙"), true));
    roster.away("two", "water-substitute", "2023-06-11T00:00+08:00", "2023-06-12T00:00+08:00");
    let found = ask(&roster, Subject::Post("市水利局联络员".into()), "2023-06-11T00:00+08:00");
    assert_eq!(acting(&found), None);
}

#[test]
fn the_fallback_never_signs_for_the_head_of_a_unit() {
    let mut roster = Roster::linfen();
    roster.away("one", "water-head", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let found = ask(&roster, Subject::Post("市水利局局长".into()), "2023-06-11T00:00+08:00");
    assert_eq!((accountable(&found), acting(&found)), (Some("甲"), None));
}

#[test]
fn an_official_is_asked_for_by_id_or_name() {
    let mut roster = Roster::linfen();
    roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    for text in ["officials/cui-yuanbin", "崔元斌", "崔 元斌"] {
        let found = ask(&roster, Subject::Official(text.into()), "2023-06-11T00:00+08:00");
        assert_eq!((accountable(&found), acting(&found)), (Some("崔元斌"), Some("胡晓刚")), "{text}");
    }
    let namesake = holder("other", "崔元斌", PostKind::Staff, Some("water"));
    roster.record(&RosterEvent::OfficialCreated(namesake), at("2023-04-01T00:00+08:00"));
    let refused = resolve(
        &roster.book,
        &Subject::Official("崔元斌".into()),
        at("2023-06-11T00:00+08:00"),
        Timestamp::MAX,
    );
    assert!(matches!(refused, Err(RosterError::OfficialAmbiguous { .. })), "{refused:?}");
}

#[test]
fn the_units_of_a_leader_are_those_that_resolve_to_him() {
    let roster = Roster::linfen();
    let june = at("2023-06-01T00:00+08:00");
    for official in roster.book.officials() {
        let set = units_of_leader(&roster.book, &official.name, june, Timestamp::MAX);
        for one in roster.book.units() {
            let found = resolve(&roster.book, &unit(&one.name), june, Timestamp::MAX).unwrap();
            let is_accountable = found.accountable.is_some_and(|person| person.official == official.name);
            assert_eq!(set.contains(&one.name), is_accountable, "{} {}", official.name, one.name);
        }
    }
    let hu = units_of_leader(&roster.book, "officials/hu-xiaogang", june, Timestamp::MAX);
    assert!(hu.contains("units/investment-group"), "through its parent");
}

#[test]
fn whom_a_leader_stands_in_for_is_whoever_he_acts_for() {
    let mut roster = Roster::linfen();
    both_away(&mut roster);
    let during = at("2023-06-11T00:00+08:00");
    let covered = stands_in_for(&roster.book, "officials/wang-yuan", during, Timestamp::MAX);
    assert_eq!(covered.keys().collect::<Vec<_>>(), ["officials/cui-yuanbin", "officials/hu-xiaogang"]);
    assert!(covered["officials/hu-xiaogang"].contains("units/investment-group"), "with his units");
    assert!(stands_in_for(&roster.book, "officials/hu-xiaogang", during, Timestamp::MAX).is_empty());
    let after = at("2023-06-12T00:00+08:00");
    assert!(stands_in_for(&roster.book, "officials/wang-yuan", after, Timestamp::MAX).is_empty());
}
