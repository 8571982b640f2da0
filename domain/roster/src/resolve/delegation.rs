//! What stand-ins take over, and what they do not: parts, exclusions, limits, units' own lists.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;

use super::{Subject, resolve, stands_in_for, who};
use crate::absence::{Absence, Registration, Share};
use crate::division::{Division, Exclusion};
use crate::error::RosterError;
use crate::event::{Changed, RosterEvent};
use crate::fixture::{Roster, at, division_12, holder, registration};
use crate::official::PostKind;
use crate::resolution::{Resolution, Rule};
use crate::scope::Scope;
use crate::stand_in_list::{StandInList, admit_stand_in_list};

fn scope(units: &[&str], fields: &[&str]) -> Scope {
    Scope {
        units: units.iter().map(|unit| format!("units/{unit}")).collect(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    }
}

fn ask(roster: &Roster, subject: Subject, instant: &str) -> Resolution {
    let found = resolve(&roster.book, &subject, at(instant), Timestamp::MAX).unwrap();
    let quick = who(&roster.book, &subject, at(instant), Timestamp::MAX).unwrap();
    let official =
        |person: &Option<crate::resolution::Person>| person.as_ref().map(|one| one.official.clone());
    assert_eq!(quick.accountable.map(str::to_owned), official(&found.accountable), "without steps");
    assert_eq!(quick.acting.map(str::to_owned), official(&found.acting), "without steps");
    found
}

fn acting(roster: &Roster, subject: Subject, instant: &str) -> Option<(String, Rule)> {
    let found = ask(roster, subject, instant);
    let acting = found.acting?;
    let own = |step: &&crate::resolution::Step| step.official.as_ref() == Some(&acting.official);
    let rule = found.steps.iter().rev().find(own).map(|step| step.rule)?;
    Some((acting.display_name, rule))
}

fn unit(slug: &str) -> Subject {
    Subject::Unit(format!("units/{slug}"))
}

fn field(text: &str) -> Subject {
    Subject::Field(text.to_owned())
}

fn with_division(change: impl FnOnce(&mut Division)) -> Roster {
    let mut roster = Roster::linfen();
    let mut division = division_12();
    division.name = "divisions/changed".into();
    division.effective_time = at("2023-05-20T00:00+08:00");
    change(&mut division);
    assert_eq!(crate::admit_division(&roster.book, &division), Ok(()));
    roster.record(&RosterEvent::DivisionCreated(division), at("2023-05-20T00:00+08:00"));
    roster
}

fn named(name: &str, rule: Rule) -> Option<(String, Rule)> {
    Some((name.to_owned(), rule))
}

#[test]
fn a_portfolio_is_split_between_two_and_the_rest_goes_to_the_standing_b() {
    let mut roster = Roster::linfen();
    let mut asked = registration("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    asked.shares = vec![
        Share { stand_in: "officials/wang-yun".into(), scope: scope(&["industry"], &[]) },
        Share { stand_in: "officials/li-yanping".into(), scope: scope(&[], &["发展改革"]) },
    ];
    roster.register(asked);
    let during = "2023-06-11T09:00+08:00";
    assert_eq!(acting(&roster, unit("industry"), during), named("王云", Rule::NamedB));
    assert_eq!(acting(&roster, field("发展改革"), during), named("李艳萍", Rule::NamedB));
    assert_eq!(acting(&roster, unit("project-centre"), during), named("胡晓刚", Rule::StandingB));
    assert_eq!(acting(&roster, field("民营经济"), during), named("胡晓刚", Rule::StandingB));
    let whole = Subject::Official("崔元斌".into());
    assert_eq!(acting(&roster, whole, during), named("胡晓刚", Rule::StandingB), "of the rest");

    let covers = |official: &str| {
        let official = format!("officials/{official}");
        stands_in_for(&roster.book, &official, at(during), Timestamp::MAX)
    };
    let units = |units: &[&str]| units.iter().map(|unit| format!("units/{unit}")).collect::<BTreeSet<_>>();
    assert_eq!(covers("wang-yun")["officials/cui-yuanbin"], units(&["industry"]));
    assert_eq!(covers("li-yanping")["officials/cui-yuanbin"], units(&[]), "fields alone");
    assert_eq!(covers("hu-xiaogang")["officials/cui-yuanbin"], units(&["project-centre"]));
    assert!(covers("wang-yuan").is_empty());
}

#[test]
fn what_the_city_does_not_delegate_falls_to_the_fallback() {
    let mut roster = with_division(|division| {
        division.exclusions = vec![Exclusion {
            official: "officials/zhang-xiliang".into(),
            scope: scope(&["police"], &["公安"]),
            basis: "本市规定公安工作".into(),
        }];
    });
    let mut asked = registration("one", "zhang-xiliang", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    asked.stand_in = Some("officials/li-yanping".into());
    roster.register(asked);
    let during = "2023-06-11T09:00+08:00";
    assert_eq!(acting(&roster, unit("police"), during), named("王渊", Rule::Fallback));
    assert_eq!(acting(&roster, field("公安"), during), named("王渊", Rule::Fallback));
    assert_eq!(acting(&roster, field("司法"), during), named("李艳萍", Rule::NamedB));
    let steps = ask(&roster, unit("police"), during).steps;
    assert!(steps.iter().any(|step| step.basis.contains("本市规定公安工作，不授权代行")), "{steps:?}");
}

#[test]
fn an_absence_can_exclude_more() {
    let mut roster = Roster::linfen();
    let mut asked = registration("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    asked.excluded = scope(&["industry"], &[]);
    roster.register(asked);
    let during = "2023-06-11T09:00+08:00";
    assert_eq!(acting(&roster, unit("industry"), during), named("王渊", Rule::Fallback));
    assert_eq!(acting(&roster, unit("project-centre"), during), named("胡晓刚", Rule::StandingB));
}

fn refusal(roster: &Roster, change: impl FnOnce(&mut Registration)) -> Option<RosterError> {
    let mut asked = registration("one", "cui-yuanbin", "2023-06-01T00:00+08:00", "2023-06-12T00:00+08:00");
    change(&mut asked);
    Absence::create(&roster.book, asked, at("2023-05-25T09:00+08:00")).err()
}

#[test]
fn more_than_thirty_days_need_a_formal_reassignment() {
    let roster = with_division(|division| division.absence_limit_days = Some(30));
    let until = |end: &str| {
        let end = at(end);
        move |asked: &mut Registration| asked.end_time = end
    };
    assert_eq!(refusal(&roster, until("2023-07-01T00:00+08:00")), None, "thirty days");
    let needed = Some(RosterError::ReassignmentNeeded { limit_days: 30 });
    assert_eq!(refusal(&roster, until("2023-07-01T00:00:01+08:00")), needed);
    let reassigned = |asked: &mut Registration| {
        asked.end_time = at("2023-08-01T00:00+08:00");
        asked.reassignment = Some("临政办发〔2023〕30号".into());
    };
    assert_eq!(refusal(&roster, reassigned), None);
    let bureau = |asked: &mut Registration| {
        asked.official = "officials/water-head".into();
        asked.end_time = at("2023-08-01T00:00+08:00");
    };
    assert_eq!(refusal(&roster, bureau), None, "the rule is of those the division gives work to");
}

#[test]
fn shares_must_say_something_once_and_to_somebody_else() {
    let roster = Roster::linfen();
    let share = |stand_in: &str, scope: Scope| Share { stand_in: format!("officials/{stand_in}"), scope };
    let with = |shares: Vec<Share>| refusal(&roster, |asked| asked.shares = shares);
    assert_eq!(
        with(vec![share("wang-yun", Scope::default())]),
        Some(RosterError::Missing { field: "shares.units" })
    );
    let twice =
        vec![share("wang-yun", scope(&["industry"], &[])), share("li-yanping", scope(&["industry"], &[]))];
    assert_eq!(with(twice), Some(RosterError::SharedTwice { part: "units/industry".into() }));
    let own = with(vec![share("cui-yuanbin", scope(&["industry"], &[]))]);
    assert!(matches!(own, Some(RosterError::OwnStandIn { .. })));
    let nowhere = with(vec![share("wang-yun", scope(&["moon"], &[]))]);
    assert!(matches!(nowhere, Some(RosterError::UnitUnknown { .. })));
}

fn list(name: &str, unit: &str, effective: &str, official: &str, stand_in: &str) -> StandInList {
    StandInList {
        name: format!("standInLists/{name}"),
        unit: format!("units/{unit}"),
        effective_time: at(effective),
        document_number: String::new(),
        pairs: vec![crate::fixture::pair(official, stand_in)],
        recorded_at: at(effective),
    }
}

#[test]
fn a_unit_keeps_its_own_pairs_and_the_same_resolution_serves_it() {
    let mut roster = Roster::linfen();
    for (slug, name) in [("water-deputy", "丁"), ("water-second", "戊")] {
        let official = holder(slug, name, PostKind::UnitDeputy, Some("water"));
        roster.record(&RosterEvent::OfficialCreated(official), at("2023-04-01T00:00+08:00"));
    }
    for list in [
        list("one", "water", "2023-05-01T00:00+08:00", "water-head", "water-deputy"),
        list("two", "water", "2023-06-11T12:00+08:00", "water-head", "water-second"),
    ] {
        assert_eq!(admit_stand_in_list(&roster.book, &list), Ok(()));
        let recorded_at = list.recorded_at;
        roster.record(&RosterEvent::StandInListCreated(list), recorded_at);
    }
    roster.away("head", "water-head", "2023-06-10T00:00+08:00", "2023-06-13T00:00+08:00");
    let head = || Subject::Post("市水利局主要负责人".into());
    assert_eq!(acting(&roster, head(), "2023-06-11T09:00+08:00"), named("丁", Rule::StandingB));
    assert_eq!(acting(&roster, head(), "2023-06-11T12:00+08:00"), named("戊", Rule::StandingB));
    let steps = ask(&roster, head(), "2023-06-11T09:00+08:00").steps;
    assert!(steps.iter().any(|step| step.basis == "市水利局内部AB角：丁为甲的B角"), "{steps:?}");

    // Both pairs count, each while its list is in force.
    let deputy = registration("deputy", "water-deputy", "2023-06-10T00:00+08:00", "2023-06-11T00:00+08:00");
    let refused = Absence::create(&roster.book, deputy, at("2023-06-01T09:00+08:00"));
    assert!(matches!(refused, Err(RosterError::AwayTogether { .. })), "{refused:?}");
    let stranger = list("three", "water", "2023-07-01T00:00+08:00", "water-head", "wang-yun");
    let not_of_unit =
        RosterError::NotOfUnit { official: "officials/wang-yun".into(), unit: "units/water".into() };
    assert_eq!(admit_stand_in_list(&roster.book, &stranger), Err(not_of_unit));
}

#[test]
fn the_post_in_charge_of_a_field_is_delegated_as_the_field_is() {
    let mut roster = with_division(|division| {
        division.exclusions = vec![Exclusion {
            official: "officials/qiao-feihong".into(),
            scope: scope(&[], &["水利建设"]),
            basis: "本市规定水利建设".into(),
        }];
    });
    roster.away("one", "qiao-feihong", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let during = "2023-06-11T09:00+08:00";
    let post = Subject::Post("市政府分管水利工作的副市长".into());
    assert_eq!(acting(&roster, field("水利"), during), named("王渊", Rule::Fallback));
    assert_eq!(acting(&roster, post, during), named("王渊", Rule::Fallback));
}

#[test]
fn nobody_is_in_charge_of_a_unit_that_does_not_exist_by_whatever_it_is_asked_for() {
    let mut roster = Roster::linfen();
    let mut ceased = roster.book.unit("units/water").unwrap().clone();
    let end = at("2023-06-11T00:00+08:00");
    ceased.end_time = Some(end);
    roster.record(&RosterEvent::UnitChanged(Changed { value: ceased, effective_time: end }), end);
    for subject in [unit("water"), Subject::Post("分管units/water的副市长".into())] {
        assert_eq!(
            ask(&roster, subject.clone(), "2023-06-10T23:59:59+08:00").accountable.unwrap().display_name,
            "乔飞鸿"
        );
        assert_eq!(ask(&roster, subject, "2023-06-11T00:00+08:00").accountable, None);
    }
}
