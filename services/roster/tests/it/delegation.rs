//! Parts of portfolios, what nobody stands in for, and how long anybody may.

use xietong_mesh::Code;
use xietong_proto::roster as proto;

use crate::acts::extend;
use crate::city::{City, absence, division_12, on_both, pair, refused, time};

on_both!(
    a_portfolio_is_split_between_stand_ins_and_reads_back_so,
    what_an_absence_excludes_falls_to_the_fallback,
    what_the_division_excludes_falls_to_the_fallback,
    an_absence_over_the_limit_needs_a_reassignment,
    a_second_division_of_a_day_is_refused_unless_it_corrects_the_first,
    a_unit_keeps_its_own_list_of_stand_ins,
    a_list_of_strangers_is_refused,
);

const START: &str = "2023-06-10T00:00:00+08:00";
const END: &str = "2023-06-12T00:00:00+08:00";
const DURING: &str = "2023-06-11T09:00:00+08:00";

fn share(stand_in: &str, units: &[&str], fields: &[&str]) -> proto::StandInShare {
    proto::StandInShare {
        stand_in: format!("officials/{stand_in}"),
        units: units.iter().map(|unit| format!("units/{unit}")).collect(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    }
}

/// 12号 with a fallback, as changed.
fn with_fallback(change: impl FnOnce(&mut proto::Division)) -> proto::Division {
    let fallback = proto::Fallback {
        officials: vec!["officials/wang-yuan".into(), "officials/wang-yanfeng".into()],
        basis: "市政府工作规则".into(),
    };
    let mut division = proto::Division { fallback: Some(fallback), ..division_12() };
    change(&mut division);
    division
}

async fn a_portfolio_is_split_between_stand_ins_and_reads_back_so(city: City) {
    let city = city.with_division().await;
    let shares = vec![share("hu-xiaogang", &["water"], &[]), share("cui-yuanbin", &[], &["生态环境"])];
    let split = proto::Absence { shares: shares.clone(), ..absence("qiao-feihong", START, END) };
    let registered = city.register(split).await.unwrap();
    assert_eq!(registered.shares, shares);
    assert_eq!(city.get_absence(&registered.name).await, registered);
    let city = city.restarted().await;
    assert_eq!(city.get_absence(&registered.name).await, registered);

    assert_eq!(city.who("units/water", DURING).await, ("乔飞鸿".into(), "胡晓刚".into()));
    assert_eq!(city.acting_in("生态环境", DURING).await, "崔元斌");
    let rest = proto::ResolveRequest {
        official: "officials/qiao-feihong".into(),
        at: Some(time(DURING)),
        ..Default::default()
    };
    let rest = city.resolve(rest).await.unwrap();
    assert_eq!(rest.acting.unwrap().display_name, "王渊", "the pair's, for the rest");
    assert_eq!(city.who("units/water", END).await.1, "乔飞鸿");

    let twice = vec![share("hu-xiaogang", &["water"], &[]), share("cui-yuanbin", &["water"], &[])];
    let later = || absence("qiao-feihong", "2023-07-10T00:00:00+08:00", "2023-07-12T00:00:00+08:00");
    let refused = city.register(proto::Absence { shares: twice, ..later() }).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "shares");
    let nothing = vec![share("hu-xiaogang", &[], &[])];
    let refused = city.register(proto::Absence { shares: nothing, ..later() }).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "shares.units");
    let moon = vec![share("hu-xiaogang", &["moon"], &[])];
    let refused = city.register(proto::Absence { shares: moon, ..later() }).await.unwrap_err();
    assert_eq!(refused.reason(), "UNIT_UNKNOWN");
}

async fn what_an_absence_excludes_falls_to_the_fallback(city: City) {
    let city = city.with_directory().await;
    city.divide(with_fallback(|_| ())).await.unwrap();
    let excluding = proto::Absence {
        excluded_units: vec!["units/industry".into()],
        excluded_fields: vec!["民营经济".into()],
        ..absence("cui-yuanbin", START, END)
    };
    let registered = city.register(excluding.clone()).await.unwrap();
    assert_eq!(registered.excluded_units, excluding.excluded_units);
    assert_eq!(registered.excluded_fields, excluding.excluded_fields);
    assert_eq!(city.who("units/industry", DURING).await, ("崔元斌".into(), "王渊".into()));
    assert_eq!(city.acting_in("民营经济", DURING).await, "王渊");
    assert_eq!(city.acting_in("工业和信息化", DURING).await, "胡晓刚", "it is not excluded");
}

async fn what_the_division_excludes_falls_to_the_fallback(city: City) {
    let city = city.with_directory().await;
    let exclusion = proto::Exclusion {
        official: "officials/cui-yuanbin".into(),
        units: vec!["units/industry".into()],
        fields: vec![],
        basis: "市政府第3次常务会议".into(),
    };
    let mut division = with_fallback(|division| division.exclusions = vec![exclusion.clone()]);
    let stored = city.divide(division.clone()).await.unwrap();
    assert_eq!(stored.exclusions, [exclusion]);
    city.away("cui-yuanbin", START, END).await.unwrap();
    let ask =
        proto::ResolveRequest { unit: "市工信局".into(), at: Some(time(DURING)), ..Default::default() };
    let answer = city.resolve(ask).await.unwrap();
    assert_eq!(answer.acting.unwrap().display_name, "王渊");
    let skipped = answer.steps.iter().find(|step| step.rule == "standing_b").unwrap();
    assert_eq!(skipped.outcome, "skipped");
    assert!(skipped.basis.contains("市政府第3次常务会议"), "{}", skipped.basis);

    division.effective_time = Some(time("2023-09-01T00:00:00+08:00"));
    division.exclusions[0].basis.clear();
    let refused = city.divide(division).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "division.exclusions.basis");
}

async fn an_absence_over_the_limit_needs_a_reassignment(city: City) {
    let city = city.with_directory().await;
    city.divide(with_fallback(|division| division.absence_limit_days = 30)).await.unwrap();
    let long = absence("cui-yuanbin", "2023-06-01T00:00:00+08:00", "2023-07-02T00:00:00+08:00");
    let refused = city.register(long.clone()).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::FailedPrecondition, "REASSIGNMENT_REQUIRED"));
    assert_eq!(refused.metadata()["limitDays"], "30");
    assert!(refused.chinese().contains("30天"), "{}", refused.chinese());

    let within = city.away("cui-yuanbin", "2023-06-01T00:00:00+08:00", "2023-07-01T00:00:00+08:00");
    let within = within.await.unwrap();
    let longer = extend(&within.name, "2023-07-02T00:00:00+08:00");
    let refused = city.extend(longer.clone()).await.unwrap_err();
    assert_eq!(refused.reason(), "REASSIGNMENT_REQUIRED");
    let document = "临政办发〔2023〕19号";
    let extended = city.extend(proto::ExtendAbsenceRequest { reassignment: document.into(), ..longer });
    assert_eq!(extended.await.unwrap().reassignment, document);
    let city = city.restarted().await;
    assert_eq!(city.get_absence(&within.name).await.reassignment, document);
    let again = city.extend(extend(&within.name, "2023-07-10T00:00:00+08:00")).await.unwrap();
    assert_eq!(again.reassignment, document, "once stated it holds");
    // A bureau's head is in no portfolio: the city's limit is not for him.
    city.away("water-head", "2023-06-01T00:00:00+08:00", "2023-09-01T00:00:00+08:00").await.unwrap();
    let stated = proto::Absence { reassignment: document.into(), ..long };
    let other =
        proto::Absence {
            official: "officials/hu-xiaogang".into(), approval: "市长批示".into(), ..stated
        };
    assert_eq!(city.register(other).await.unwrap().reassignment, document);
}

async fn a_second_division_of_a_day_is_refused_unless_it_corrects_the_first(city: City) {
    let city = city.with_directory().await;
    let first = city.divide(division_12()).await.unwrap();
    let mut second = proto::Division {
        effective_time: Some(time("2023-05-14T18:00:00+08:00")),
        title: "更正".into(),
        ..division_12()
    };
    second.portfolios[4].units.clear();
    second.portfolios[2].units.push(division_12().portfolios[4].units[0].clone());
    let taken = city.divide(second.clone()).await.unwrap_err();
    assert_eq!((taken.code(), taken.reason()), (Code::FailedPrecondition, "EFFECTIVE_DAY_TAKEN"));
    assert_eq!(taken.metadata()["division"], first.name);
    let only_tried = proto::CreateDivisionRequest {
        division: Some(second.clone()),
        validate_only: true,
        ..Default::default()
    };
    let only_tried = city.roster().create_division(city.admin(only_tried)).await.unwrap_err();
    assert_eq!(crate::city::refused(only_tried).reason(), "EFFECTIVE_DAY_TAKEN");

    second.corrects = first.name.clone();
    let other_day =
        proto::Division { effective_time: Some(time("2023-05-15T00:00:00+08:00")), ..second.clone() };
    assert_eq!(city.divide(other_day).await.unwrap_err().reason(), "CORRECTS_ANOTHER_DAY");
    let corrected = city.divide(second).await.unwrap();
    assert_eq!(corrected.corrects, first.name);
    let before = city.who("units/water", "2023-05-14T17:59:59+08:00").await.0;
    assert_eq!(before, "", "what was corrected never held, and nothing did before it");
    assert_eq!(city.who("units/water", "2023-05-14T18:00:00+08:00").await.0, "崔元斌");
}

fn list(effective: &str, pairs: Vec<proto::StandInPair>) -> proto::CreateStandInListRequest {
    let list = proto::StandInList {
        unit: "units/water".into(),
        effective_time: Some(time(effective)),
        document_number: "市水利局〔2023〕1号".into(),
        pairs,
        ..Default::default()
    };
    proto::CreateStandInListRequest { stand_in_list: Some(list), request_id: String::new() }
}

async fn a_unit_keeps_its_own_list_of_stand_ins(city: City) {
    let city = city.with_division().await;
    city.official("water-deputy", "乙", proto::PostKind::UnitDeputy, "units/water").await;
    city.official("water-second", "丙", proto::PostKind::UnitDeputy, "units/water").await;
    let create =
        async |request| city.roster().create_stand_in_list(city.admin(request)).await.unwrap().into_inner();
    let first = create(list("2023-06-01T00:00:00+08:00", vec![pair("water-head", "water-deputy")])).await;
    assert_eq!((first.etag.as_str(), first.record_time), ("v1", Some(time("2023-05-01T09:00:00+08:00"))));
    let second = create(list("2023-06-11T00:00:00+08:00", vec![pair("water-head", "water-second")])).await;
    assert_eq!(city.history(&first.name).await, ["roster.stand_in_list.created"]);
    city.away("water-head", START, "2023-06-13T00:00:00+08:00").await.unwrap();
    let post = async |city: &City, instant: &str| {
        let request = proto::ResolveRequest {
            post: "市水利局主要负责人".into(),
            at: Some(time(instant)),
            ..Default::default()
        };
        let answer = city.resolve(request).await.unwrap();
        answer.acting.map(|person| person.display_name).unwrap_or_default()
    };
    let city = &city.restarted().await;
    for (instant, acting) in [
        ("2023-06-09T09:00:00+08:00", "甲"),
        ("2023-06-10T09:00:00+08:00", "乙"),
        ("2023-06-11T09:00:00+08:00", "丙"),
        ("2023-06-13T00:00:00+08:00", "甲"),
    ] {
        assert_eq!(post(city, instant).await, acting, "{instant}");
    }

    let lists = async |unit: &str, page_token: &str| {
        let request =
            proto::ListStandInListsRequest { page_size: 1, page_token: page_token.into(), unit: unit.into() };
        city.roster().list_stand_in_lists(city.clerk(request)).await.unwrap().into_inner()
    };
    let page = lists("units/water", "").await;
    assert_eq!(page.stand_in_lists, [second]);
    let last = lists("units/water", &page.next_page_token).await.stand_in_lists;
    assert_eq!(last, std::slice::from_ref(&first));
    assert_eq!(lists("units/finance", "").await.stand_in_lists, []);
    let request = proto::GetStandInListRequest { name: first.name.clone() };
    assert_eq!(city.roster().get_stand_in_list(city.clerk(request)).await.unwrap().into_inner(), first);
    let request = proto::GetStandInListRequest { name: "standInLists/none".into() };
    let none = city.roster().get_stand_in_list(city.clerk(request)).await.unwrap_err();
    assert_eq!(refused(none).code(), Code::NotFound);
}

async fn a_list_of_strangers_is_refused(city: City) {
    let city = city.with_division().await;
    let refuse = async |request: proto::CreateStandInListRequest| {
        refused(city.roster().create_stand_in_list(city.admin(request)).await.unwrap_err())
    };
    let effective = "2023-06-01T00:00:00+08:00";
    let stranger = refuse(list(effective, vec![pair("water-head", "wang-yuan")])).await;
    assert_eq!((stranger.code(), stranger.reason()), (Code::FailedPrecondition, "NOT_OF_UNIT"));
    assert_eq!(stranger.metadata()["official"], "officials/wang-yuan");
    let nobody = refuse(list(effective, vec![pair("water-head", "nobody")])).await;
    assert_eq!(nobody.reason(), "OFFICIAL_UNKNOWN");
    let own = refuse(list(effective, vec![pair("water-head", "water-head")])).await;
    assert_eq!(own.violations()[0].field, "stand_in");
    let mut nowhere = list(effective, vec![]);
    nowhere.stand_in_list.as_mut().unwrap().unit = "units/moon".into();
    assert_eq!(refuse(nowhere).await.reason(), "UNIT_UNKNOWN");
    let mut never = list(effective, vec![]);
    never.stand_in_list.as_mut().unwrap().effective_time = None;
    assert_eq!(refuse(never).await.violations()[0].field, "stand_in_list.effective_time");
    let nothing = refuse(proto::CreateStandInListRequest::default()).await;
    assert_eq!(nothing.violations()[0].field, "stand_in_list");
}
