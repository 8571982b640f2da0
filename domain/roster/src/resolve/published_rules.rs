//! The AB rules that governments publish, as tables: how the city is configured, who is away,
//! what is asked, and who answers by which rule.

use domain_calendar::Timestamp;

use super::{Subject, resolve};
use crate::absence::{Absence, Share};
use crate::division::{Division, Exclusion, Fallback, StandInPair};
use crate::error::RosterError;
use crate::event::RosterEvent;
use crate::fixture::{Roster, at, division_12, pair, registration};
use crate::resolution::Rule;
use crate::scope::Scope;

/// How a city configures what 12号 leaves open.
#[derive(Debug, Clone, Copy)]
enum City {
    /// As the notice has it: pairs alone.
    Notice,
    /// When no pair helps, the executive deputy mayor acts, and for him the mayor.
    ExecutiveDeputy,
    /// When no pair helps, the secretary-general acts.
    SecretaryGeneral,
    /// 公安 is delegated to nobody; the executive deputy answers for it.
    PublicSecurityKept,
    /// 公安 is delegated to nobody, and there is nobody to fall back on.
    PublicSecurityKeptByNobody,
    /// 崔元斌's third is 王云 (C角); nobody's else.
    Third,
    /// The same, and the executive deputy behind the third.
    ThirdAndFallback,
    /// 张希亮's B is 高雅铭, and 高雅铭's is nobody.
    OneWay,
    /// Stand-ins act for 30 days at most.
    ThirtyDays,
    /// On 15 July 崔元斌's work is formally 王云's.
    Reassigned,
}

impl City {
    fn roster(self) -> Roster {
        let mut roster = Roster::linfen();
        let fallback = |officials: &[&str]| {
            let officials = officials.iter().map(|slug| format!("officials/{slug}")).collect();
            Some(Fallback { officials, basis: "本市配置的兜底规则".into() })
        };
        let kept = || Exclusion {
            official: "officials/zhang-xiliang".into(),
            scope: scope(&["police"], &["公安"]),
            basis: "公安工作不授权代行".into(),
        };
        let third = StandInPair { mutual: false, ..pair("cui-yuanbin", "wang-yun") };
        let mut division = Division { fallback: None, ..configured("2023-05-20T00:00+08:00") };
        match self {
            City::Notice => {}
            City::ExecutiveDeputy => division.fallback = fallback(&["wang-yuan", "wang-yanfeng"]),
            City::SecretaryGeneral => division.fallback = fallback(&["gao-yaming"]),
            City::PublicSecurityKept => {
                division.exclusions = vec![kept()];
                division.fallback = fallback(&["wang-yuan"]);
            }
            City::PublicSecurityKeptByNobody => division.exclusions = vec![kept()],
            City::Third => division.third_stand_ins = vec![third],
            City::ThirdAndFallback => {
                division.third_stand_ins = vec![third];
                division.fallback = fallback(&["wang-yuan"]);
            }
            City::OneWay => {
                let one_way = StandInPair { mutual: false, ..pair("zhang-xiliang", "gao-yaming") };
                division.pairs.push(one_way);
            }
            City::ThirtyDays => division.absence_limit_days = Some(30),
            City::Reassigned => {}
        }
        record(&mut roster, division);
        if let City::Reassigned = self {
            let mut next = configured("2023-07-15T00:00+08:00");
            let units = std::mem::take(&mut next.portfolios[2].units);
            next.portfolios[4].units.extend(units);
            record(&mut roster, next);
        }
        roster
    }
}

/// 12号 with what a city adds to it, as another division from a day on.
fn configured(effective: &str) -> Division {
    let name = format!("divisions/from-{}", effective.get(..10).unwrap());
    Division { name, effective_time: at(effective), record_time: at(effective), ..division_12() }
}

fn record(roster: &mut Roster, division: Division) {
    assert_eq!(crate::admit_division(&roster.book, &division), Ok(()));
    let recorded = at("2023-05-15T00:00+08:00");
    roster.record(&RosterEvent::DivisionCreated(division), recorded);
}

fn scope(units: &[&str], fields: &[&str]) -> Scope {
    Scope {
        units: units.iter().map(|unit| format!("units/{unit}")).collect(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    }
}

/// Somebody away, on days of June 2023.
#[derive(Debug, Default, Clone, Copy)]
struct Away {
    who: &'static str,
    from: u8,
    until: u8,
    named: Option<&'static str>,
    /// A unit and a field that another takes over, and who.
    share: Option<(&'static str, &'static str, &'static str)>,
    approval: Option<&'static str>,
}

const fn away(who: &'static str, from: u8, until: u8) -> Away {
    Away { who, from, until, named: None, share: None, approval: None }
}

const fn approved(away: Away) -> Away {
    Away { approval: Some("市长批示"), ..away }
}

const fn named(away: Away, by: &'static str) -> Away {
    Away { named: Some(by), ..away }
}

fn register(roster: &mut Roster, absence: Away) -> Result<(), RosterError> {
    let day = |day: u8| format!("2023-06-{day:02}T00:00+08:00");
    let name = format!("{}-{}", absence.who, absence.from);
    let mut asked = registration(&name, absence.who, &day(absence.from), &day(absence.until));
    asked.stand_in = absence.named.map(|slug| format!("officials/{slug}"));
    asked.approval = absence.approval.map(str::to_owned);
    asked.shares.extend(absence.share.map(|(unit, field, slug)| Share {
        stand_in: format!("officials/{slug}"),
        scope: scope(&[unit], &[field]),
    }));
    let now = at("2023-05-25T09:00+08:00");
    let event = Absence::create(&roster.book, asked, now)?;
    roster.record(&event, now);
    Ok(())
}

/// A question on the morning of a day of June 2023.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Unit(&'static str),
    Field(&'static str),
    Post(&'static str),
    Official(&'static str),
}

impl Ask {
    fn subject(self) -> Subject {
        match self {
            Ask::Unit(text) => Subject::Unit(text.to_owned()),
            Ask::Field(text) => Subject::Field(text.to_owned()),
            Ask::Post(text) => Subject::Post(text.to_owned()),
            Ask::Official(text) => Subject::Official(text.to_owned()),
        }
    }
}

/// Whose it is, who acts, and by which rule; nobody acts by [`Rule::Unresolved`].
type Answer = (&'static str, Option<&'static str>, Rule);

/// What is tried, in which city, who is away, what is asked on which day of June, and the answer.
type Row<'a> = (&'static str, City, &'a [Away], Ask, u8, Answer);

/// Who is away already, who asks to be, and the days of June in which nobody would act.
type Joint<'a> = (&'a [Away], Away, Option<(u8, u8)>);

const CUI: Away = away("cui-yuanbin", 10, 14);
const HU: Away = away("hu-xiaogang", 10, 14);
const ZHANG: Away = away("zhang-xiliang", 10, 14);
const WANG_YUN: Away = away("wang-yun", 10, 14);
const SPLIT: Away = Away { share: Some(("industry", "发展改革", "wang-yun")), ..CUI };

#[test]
fn who_answers_by_the_published_rules() {
    use City::*;
    #[rustfmt::skip]
    let rows: &[Row<'_>] = &[
        // A and B away together.
        ("both away", Notice, &[CUI, HU], Ask::Unit("市工信局"), 11, ("崔元斌", None, Rule::Unresolved)),
        ("both away", Notice, &[CUI, HU], Ask::Unit("市国资委"), 11, ("胡晓刚", None, Rule::Unresolved)),
        ("both away", Notice, &[CUI, HU], Ask::Unit("市工信局"), 14, ("崔元斌", Some("崔元斌"), Rule::Present)),
        ("one is back", Notice, &[CUI, away("hu-xiaogang", 10, 12)], Ask::Unit("市工信局"), 12, ("崔元斌", Some("胡晓刚"), Rule::StandingB)),
        ("named for the gap", Notice, &[CUI, named(HU, "wang-yun")], Ask::Unit("市国资委"), 11, ("胡晓刚", Some("王云"), Rule::NamedB)),
        ("named for his own alone", Notice, &[CUI, named(HU, "wang-yun")], Ask::Unit("市工信局"), 11, ("崔元斌", None, Rule::Unresolved)),
        // The fallback is one city's executive deputy and another's secretary-general.
        ("fallback", ExecutiveDeputy, &[CUI, HU], Ask::Field("工业和信息化"), 11, ("崔元斌", Some("王渊"), Rule::Fallback)),
        ("fallback", SecretaryGeneral, &[CUI, HU], Ask::Field("工业和信息化"), 11, ("崔元斌", Some("高雅铭"), Rule::Fallback)),
        ("fallback away", ExecutiveDeputy, &[CUI, HU, away("wang-yuan", 11, 13)], Ask::Field("民营经济"), 11, ("崔元斌", Some("王延峰"), Rule::Fallback)),
        ("fallback away", SecretaryGeneral, &[CUI, HU, away("gao-yaming", 11, 13)], Ask::Field("民营经济"), 11, ("崔元斌", None, Rule::Unresolved)),
        ("fallback is for himself nobody", SecretaryGeneral, &[away("gao-yaming", 11, 13)], Ask::Official("高雅铭"), 11, ("高雅铭", None, Rule::Unresolved)),
        ("the mayor", ExecutiveDeputy, &[away("wang-yanfeng", 10, 14)], Ask::Unit("市审计局"), 11, ("王延峰", Some("王渊"), Rule::Fallback)),
        ("the mayor", SecretaryGeneral, &[away("wang-yanfeng", 10, 14)], Ask::Unit("尧都区政府"), 11, ("王延峰", Some("高雅铭"), Rule::Fallback)),
        ("the mayor", Notice, &[away("wang-yanfeng", 10, 14)], Ask::Post("市长"), 11, ("王延峰", None, Rule::Unresolved)),
        // A portfolio split between two.
        ("split, the part", Notice, &[SPLIT], Ask::Unit("市工信局"), 11, ("崔元斌", Some("王云"), Rule::NamedB)),
        ("split, by post", Notice, &[SPLIT], Ask::Post("分管发展改革工作的副市长"), 11, ("崔元斌", Some("王云"), Rule::NamedB)),
        ("split, the rest", Notice, &[SPLIT], Ask::Unit("市项目推进中心"), 11, ("崔元斌", Some("胡晓刚"), Rule::StandingB)),
        ("split, the part's holder away", Notice, &[SPLIT, WANG_YUN], Ask::Unit("市工信局"), 11, ("崔元斌", Some("胡晓刚"), Rule::StandingB)),
        ("split, both away", ExecutiveDeputy, &[SPLIT, WANG_YUN, HU], Ask::Unit("市工信局"), 11, ("崔元斌", Some("王渊"), Rule::Fallback)),
        // 公安 is not delegated.
        ("公安 kept", PublicSecurityKept, &[named(ZHANG, "hu-xiaogang")], Ask::Field("公安"), 11, ("张希亮", Some("王渊"), Rule::Fallback)),
        ("公安 kept", PublicSecurityKept, &[named(ZHANG, "hu-xiaogang")], Ask::Post("分管公安工作的副市长"), 11, ("张希亮", Some("王渊"), Rule::Fallback)),
        ("the rest is not", PublicSecurityKept, &[named(ZHANG, "hu-xiaogang")], Ask::Field("信访"), 11, ("张希亮", Some("胡晓刚"), Rule::NamedB)),
        ("公安 kept", PublicSecurityKeptByNobody, &[named(ZHANG, "hu-xiaogang")], Ask::Unit("市公安局"), 11, ("张希亮", None, Rule::Unresolved)),
        ("公安 while he is there", PublicSecurityKept, &[], Ask::Unit("市公安局"), 11, ("张希亮", Some("张希亮"), Rule::Present)),
        // 张希亮 has no fixed B.
        ("no fixed B", Notice, &[ZHANG], Ask::Unit("市公安局"), 11, ("张希亮", None, Rule::Unresolved)),
        ("no fixed B", ExecutiveDeputy, &[ZHANG], Ask::Unit("市公安局"), 11, ("张希亮", Some("王渊"), Rule::Fallback)),
        ("no fixed B, one named", Notice, &[named(ZHANG, "li-yanping")], Ask::Unit("市公安局"), 11, ("张希亮", Some("李艳萍"), Rule::NamedB)),
        ("no fixed B, the named away", Notice, &[named(ZHANG, "li-yanping"), away("li-yanping", 11, 13)], Ask::Unit("市公安局"), 11, ("张希亮", None, Rule::Unresolved)),
        // No cascade.
        ("the B of the named", Notice, &[named(ZHANG, "cui-yuanbin"), CUI], Ask::Unit("市公安局"), 11, ("张希亮", None, Rule::Unresolved)),
        ("the named of the B", Notice, &[named(CUI, "wang-yun"), named(HU, "li-yanping"), WANG_YUN], Ask::Unit("市工信局"), 11, ("崔元斌", None, Rule::Unresolved)),
        // A pair that works one way.
        ("one way", OneWay, &[ZHANG], Ask::Unit("市公安局"), 11, ("张希亮", Some("高雅铭"), Rule::StandingB)),
        ("not back", OneWay, &[away("gao-yaming", 10, 14)], Ask::Official("高雅铭"), 11, ("高雅铭", None, Rule::Unresolved)),
        // A third.
        ("third", Third, &[CUI, HU], Ask::Unit("市工信局"), 11, ("崔元斌", Some("王云"), Rule::ThirdStandIn)),
        ("third is not the B's", Third, &[CUI, HU], Ask::Unit("市国资委"), 11, ("胡晓刚", None, Rule::Unresolved)),
        ("B before the third", Third, &[CUI], Ask::Unit("市工信局"), 11, ("崔元斌", Some("胡晓刚"), Rule::StandingB)),
        ("third before the fallback", ThirdAndFallback, &[CUI, HU], Ask::Unit("市工信局"), 11, ("崔元斌", Some("王云"), Rule::ThirdStandIn)),
        ("third away", ThirdAndFallback, &[CUI, HU, WANG_YUN], Ask::Unit("市工信局"), 11, ("崔元斌", Some("王渊"), Rule::Fallback)),
    ];
    for (what, city, absences, ask, day, expected) in rows {
        let mut roster = city.roster();
        for absence in *absences {
            assert_eq!(register(&mut roster, approved(*absence)), Ok(()), "{what}: {absence:?}");
        }
        let instant = at(&format!("2023-06-{day:02}T09:00+08:00"));
        assert_eq!(answer(&roster, *ask, instant), own(expected), "{what}: {city:?} {ask:?} on {day} June");
    }
}

fn own((accountable, acting, rule): &Answer) -> (Option<String>, Option<String>, Rule) {
    (Some((*accountable).to_owned()), acting.map(str::to_owned), *rule)
}

/// Whose it is, who acts, and the rule of the last step.
fn answer(roster: &Roster, ask: Ask, instant: Timestamp) -> (Option<String>, Option<String>, Rule) {
    let found = resolve(&roster.book, &ask.subject(), instant, Timestamp::MAX).unwrap();
    let name = |person: Option<crate::resolution::Person>| person.map(|person| person.display_name);
    let rule = found.steps.last().unwrap().rule;
    (name(found.accountable), name(found.acting), rule)
}

#[test]
fn a_joint_absence_is_refused_with_its_gap_unless_the_mayor_approves() {
    let rows: &[Joint<'_>] = &[
        (&[], CUI, None),
        (&[CUI], HU, Some((10, 14))),
        (&[CUI], approved(HU), None),
        (&[CUI], away("hu-xiaogang", 12, 20), Some((12, 14))),
        (&[CUI], away("hu-xiaogang", 14, 20), None),
        (&[CUI], away("hu-xiaogang", 5, 10), None),
        // Whoever is named for him does not act for A, whose B he is.
        (&[CUI], named(HU, "wang-yun"), Some((10, 14))),
        (&[], named(CUI, "wang-yun"), None),
        (&[named(CUI, "wang-yun")], HU, Some((10, 14))),
        (&[named(CUI, "wang-yun")], named(HU, "wang-yun"), None),
        (&[WANG_YUN], named(CUI, "wang-yun"), Some((10, 14))),
    ];
    for (already, asked, gap) in rows {
        let mut roster = City::Notice.roster();
        for absence in *already {
            assert_eq!(register(&mut roster, *absence), Ok(()), "{absence:?}");
        }
        let day = |day: u8| at(&format!("2023-06-{day:02}T00:00+08:00"));
        let refused = match register(&mut roster, *asked) {
            Ok(()) => None,
            Err(RosterError::AwayTogether { gaps }) => {
                Some((gaps.first().unwrap().start_time, gaps.last().unwrap().end_time))
            }
            Err(other) => panic!("{asked:?}: {other}"),
        };
        assert_eq!(refused, gap.map(|(from, until)| (day(from), day(until))), "{already:?}, then {asked:?}");
    }
}

#[test]
fn beyond_thirty_days_the_duties_are_reassigned_and_not_stood_in_for() {
    // Who, until when from 10 June on, by which document, and whether it is registered.
    let document = Some("临政办发〔2023〕20号");
    let rows: &[(City, &str, &str, Option<&str>, bool)] = &[
        (City::ThirtyDays, "cui-yuanbin", "2023-07-10T00:00+08:00", None, true),
        (City::ThirtyDays, "cui-yuanbin", "2023-07-10T00:00:01+08:00", None, false),
        (City::ThirtyDays, "cui-yuanbin", "2023-07-10T00:00:01+08:00", Some(" "), false),
        (City::ThirtyDays, "cui-yuanbin", "2023-09-10T00:00+08:00", document, true),
        (City::ThirtyDays, "wang-yanfeng", "2023-07-20T00:00+08:00", None, false),
        (City::ThirtyDays, "water-head", "2023-09-10T00:00+08:00", None, true),
        (City::ExecutiveDeputy, "cui-yuanbin", "2023-09-10T00:00+08:00", None, true),
    ];
    for (city, who, until, document, registered) in rows {
        let roster = city.roster();
        let mut asked = registration("long", who, "2023-06-10T00:00+08:00", until);
        asked.approval = Some("市长批示".into());
        asked.reassignment = document.map(str::to_owned);
        let answer = Absence::create(&roster.book, asked, at("2023-05-25T09:00+08:00"));
        let needed = matches!(answer, Err(RosterError::ReassignmentNeeded { limit_days: 30 }));
        assert_eq!((answer.is_ok(), needed), (*registered, !registered), "{city:?} {who} until {until}");
    }

    // Once they are reassigned, another is in charge and acts for nobody.
    let mut roster = City::Reassigned.roster();
    let asked = registration("long", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-09-10T00:00+08:00");
    roster.register(asked);
    for (instant, expected) in [
        ("2023-07-14T23:59:59.999999+08:00", ("崔元斌", Some("胡晓刚"), Rule::StandingB)),
        ("2023-07-15T00:00+08:00", ("王云", Some("王云"), Rule::Present)),
    ] {
        assert_eq!(answer(&roster, Ask::Unit("市工信局"), at(instant)), own(&expected), "{instant}");
    }
}
