use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn seat(role: SeatRole, holder: SeatHolder) -> Seat {
    Seat { role, holder, held_for_field: None, subgroup: None }
}

/// The leading group for green energy of 临政办函〔2023〕17号, in part.
pub(crate) fn green_energy() -> Group {
    Group {
        name: "groups/green-energy".into(),
        display_name: "临汾市绿色能源输配项目建设领导小组".into(),
        kind: GroupKind::LeadingGroup,
        founding_document: "临政办函〔2023〕17号".into(),
        purpose: "统筹推进绿色能源输配项目建设".into(),
        start_time: at("2023-05-06T00:00+08:00"),
        wind_up: WindUp::Condition("项目建成投运后自行撤销".into()),
        office_unit: Some("units/energy".into()),
        seats: vec![
            seat(SeatRole::Head, SeatHolder::Post("市政府分管发展改革工作的副市长".into())),
            seat(SeatRole::Member, SeatHolder::Unit("units/water".into())),
            seat(SeatRole::Member, SeatHolder::OpenClass("各施工单位项目负责人".into())),
        ],
        subgroups: vec![],
        duties: vec![],
        mechanisms: vec![],
    }
}

#[test]
fn a_group_is_wound_up_on_a_condition_or_at_the_end_of_a_term() {
    let end = at("2024-05-06T00:00+08:00");
    assert_eq!(WindUp::from_entry("", None), Err(WorkgroupError::NoWindUp));
    assert_eq!(WindUp::from_entry("  ", Some(end)), Ok(WindUp::Term(end)));
    assert_eq!(WindUp::from_entry("建成", None), Ok(WindUp::Condition("建成".into())));
    assert_eq!(WindUp::from_entry("建成", Some(end)), Err(WorkgroupError::TwoWindUps));
}

#[test]
fn a_term_that_ends_as_it_begins_is_refused() {
    let start = green_energy().start_time;
    let later = Timestamp::from_micros(start.as_micros() + 1);
    assert_eq!(Group { wind_up: WindUp::Term(later), ..green_energy() }.check(), Ok(()));
    assert_eq!(
        Group { wind_up: WindUp::Term(start), ..green_energy() }.check(),
        Err(WorkgroupError::TermEmpty { start, end: start })
    );
}

#[test]
fn only_a_headquarters_has_two_heads() {
    let mut group = green_energy();
    group.seats.push(seat(SeatRole::Head, SeatHolder::Post("分管水利工作的副市长".into())));
    assert_eq!(group.check(), Err(WorkgroupError::SeveralHeads { subgroup: None, count: 2 }));
    assert_eq!(Group { kind: GroupKind::Headquarters, ..group }.check(), Ok(()));
}

#[test]
fn a_seat_is_not_given_twice_to_one_holder() {
    let mut group = green_energy();
    group.seats.push(seat(SeatRole::OfficeHead, SeatHolder::Unit("units/water".into())));
    assert_eq!(group.check(), Ok(()), "another role is another seat");
    group.seats.push(seat(SeatRole::Member, SeatHolder::Unit("units/water".into())));
    assert_eq!(group.check(), Err(WorkgroupError::SeatTwice { first: 1, second: 4 }));
}

#[test]
fn malformed_groups_are_refused_with_the_field() {
    let nameless = Group { display_name: " ".into(), ..green_energy() };
    assert!(
        matches!(nameless.check(), Err(WorkgroupError::Missing { field, .. }) if field == "display_name")
    );
    let holders = [
        (SeatHolder::Official("units/water".into()), "seats[3].official"),
        (SeatHolder::Post(" ".into()), "seats[3].post"),
        (SeatHolder::Unit("units/水利".into()), "seats[3].unit"),
        (SeatHolder::OpenClass(String::new()), "seats[3].open_class"),
    ];
    for (holder, expected) in holders {
        let mut group = green_energy();
        group.seats.push(seat(SeatRole::Liaison, holder));
        let refusal = group.check().unwrap_err();
        let (WorkgroupError::Missing { field, .. } | WorkgroupError::NameMalformed { field, .. }) = &refusal
        else {
            panic!("{refusal}")
        };
        assert_eq!(field, expected);
        assert!(!refusal.chinese().is_empty());
    }
    let office = Group { office_unit: Some("water".into()), ..green_energy() };
    assert!(
        matches!(office.check(), Err(WorkgroupError::NameMalformed { field, .. }) if field == "office_unit")
    );
}

fn subgroups(names: &[&str]) -> Vec<Subgroup> {
    names.iter().map(|name| Subgroup { name: (*name).into() }).collect()
}

fn in_subgroup(subgroup: &str, seat: Seat) -> Seat {
    Seat { subgroup: Some(subgroup.into()), ..seat }
}

fn head(official: &str) -> Seat {
    seat(SeatRole::Head, SeatHolder::Official(format!("officials/{official}")))
}

fn duty(subgroup: Option<&str>) -> Duty {
    Duty {
        number: Some(2),
        text: "办理征地、可研和施工许可手续".into(),
        subgroup: subgroup.map(str::to_owned),
        unit: Some("units/permits".into()),
        official: Some("officials/liu".into()),
    }
}

fn mechanism() -> Mechanism {
    Mechanism { name: "通报".into(), text: "按月汇总排名，进展缓慢的全市通报".into() }
}

/// The same group with everything that a founding notice says.
fn whole() -> Group {
    let mut group = Group {
        subgroups: subgroups(&["综合协调组", "手续办理组"]),
        duties: vec![duty(None), duty(Some("手续办理组"))],
        mechanisms: vec![mechanism()],
        ..green_energy()
    };
    for (part, official) in [("综合协调组", "lu"), ("手续办理组", "liu")] {
        group.seats.push(in_subgroup(part, head(official)));
    }
    group
}

#[test]
fn each_part_has_a_head_of_its_own() {
    let mut group = whole();
    assert_eq!(group.check(), Ok(()));
    group.seats.push(in_subgroup("手续办理组", head("xing")));
    let refusal = WorkgroupError::SeveralHeads { subgroup: Some("手续办理组".into()), count: 2 };
    assert_eq!(refusal.chinese(), "“手续办理组”只能有一名组长，现填写了2名");
    assert_eq!(group.check(), Err(refusal));
    assert_eq!(Group { kind: GroupKind::Headquarters, ..group }.check(), Ok(()));
}

#[test]
fn one_holder_has_the_same_seat_in_several_parts_but_once_in_each() {
    let mut group = whole();
    let member = || seat(SeatRole::Member, SeatHolder::Unit("units/water".into()));
    for part in ["综合协调组", "手续办理组"] {
        group.seats.push(in_subgroup(part, member()));
        assert_eq!(group.check(), Ok(()), "the unit is a member of the group as well");
    }
    group.seats.push(in_subgroup("综合协调组", member()));
    assert_eq!(group.check(), Err(WorkgroupError::SeatTwice { first: 5, second: 7 }));
}

#[test]
fn a_part_that_the_group_does_not_have_is_refused() {
    let mut seated = whole();
    seated.seats.push(in_subgroup("资金保障组", head("shao")));
    let mut charged = whole();
    charged.duties.push(duty(Some("资金保障组")));
    let mut blank = whole();
    blank.duties.push(duty(Some("")));
    for (group, expected) in
        [(seated, "seats[5].subgroup"), (charged, "duties[2].subgroup"), (blank, "duties[2].subgroup")]
    {
        let refusal = group.check().unwrap_err();
        assert!(
            matches!(&refusal, WorkgroupError::UnknownSubgroup { field, .. } if field == expected),
            "{refusal}"
        );
    }
}

#[test]
fn two_parts_are_not_called_alike() {
    let group = Group { subgroups: subgroups(&["甲组", "乙组", "甲组"]), ..green_energy() };
    let refusal = group.check().unwrap_err();
    assert_eq!(refusal, WorkgroupError::SubgroupTwice { first: 0, second: 2 });
    assert_eq!(refusal.chinese(), "第3个工作组与第1个工作组重名");
}

#[test]
fn malformed_duties_and_mechanisms_are_refused_with_the_field() {
    let with_duty = |duty| Group { duties: vec![duty], ..green_energy() };
    let with_mechanism = |mechanism| Group { mechanisms: vec![mechanism], ..green_energy() };
    let long = |most: usize| "水".repeat(most + 1);
    let missing = [
        (Group { subgroups: subgroups(&[" "]), ..green_energy() }, "subgroups[0].name"),
        (with_duty(Duty { text: "\u{3000}".into(), ..duty(None) }), "duties[0].text"),
        (with_mechanism(Mechanism { name: String::new(), ..mechanism() }), "mechanisms[0].name"),
        (with_mechanism(Mechanism { text: String::new(), ..mechanism() }), "mechanisms[0].text"),
    ];
    let too_long = [
        (Group { subgroups: subgroups(&[&long(200)]), ..green_energy() }, "subgroups[0].name"),
        (with_duty(Duty { text: long(1_000), ..duty(None) }), "duties[0].text"),
        (with_mechanism(Mechanism { name: long(200), ..mechanism() }), "mechanisms[0].name"),
        (with_mechanism(Mechanism { text: long(1_000), ..mechanism() }), "mechanisms[0].text"),
    ];
    let malformed = [
        (with_duty(Duty { unit: Some("市审批局".into()), ..duty(None) }), "duties[0].unit"),
        (with_duty(Duty { official: Some("units/permits".into()), ..duty(None) }), "duties[0].official"),
    ];
    for (group, expected) in missing.into_iter().chain(too_long).chain(malformed) {
        let refusal = group.check().unwrap_err();
        let (WorkgroupError::Missing { field, .. }
        | WorkgroupError::TooLong { field, .. }
        | WorkgroupError::NameMalformed { field, .. }) = &refusal
        else {
            panic!("{refusal}")
        };
        assert_eq!(field, expected);
        assert!(!refusal.chinese().is_empty());
    }
}

#[test]
fn lists_are_bounded() {
    let numbered = |count: usize| (0..count).map(|number| format!("第{number}组"));
    let fill = |subgroups, seats, duties, mechanisms| Group {
        subgroups: numbered(subgroups).map(|name| Subgroup { name }).collect(),
        seats: numbered(seats).map(|class| seat(SeatRole::Member, SeatHolder::OpenClass(class))).collect(),
        duties: vec![duty(None); duties],
        mechanisms: vec![mechanism(); mechanisms],
        ..green_energy()
    };
    assert_eq!(fill(50, 500, 300, 30).check(), Ok(()));
    for (group, expected, chinese) in [
        (fill(51, 0, 0, 0), "subgroups", "工作组最多50项"),
        (fill(0, 501, 0, 0), "seats", "席位最多500项"),
        (fill(0, 0, 301, 0), "duties", "职责最多300项"),
        (fill(0, 0, 0, 31), "mechanisms", "工作机制最多30项"),
    ] {
        let refusal = group.check().unwrap_err();
        assert!(matches!(refusal, WorkgroupError::TooMany { field, .. } if field == expected), "{refusal}");
        assert_eq!(refusal.chinese(), chinese);
    }
}

#[test]
fn a_group_reads_back_and_one_stored_before_there_were_parts_reads_as_having_none() {
    let written = serde_json::to_string(&whole()).unwrap();
    assert_eq!(serde_json::from_str::<Group>(&written).unwrap(), whole());
    let old = r#"{
        "name": "groups/green-energy",
        "displayName": "临汾市绿色能源输配项目建设领导小组",
        "kind": "leadingGroup",
        "foundingDocument": "临政办函〔2023〕17号",
        "purpose": "统筹推进绿色能源输配项目建设",
        "startTime": "2023-05-06T00:00:00+08:00",
        "windUp": {"condition": "项目建成投运后自行撤销"},
        "officeUnit": "units/energy",
        "seats": [
            {"role": "head", "holder": {"post": "市政府分管发展改革工作的副市长"}},
            {"role": "member", "holder": {"unit": "units/water"}},
            {"role": "member", "holder": {"openClass": "各施工单位项目负责人"}}
        ]
    }"#;
    assert_eq!(serde_json::from_str::<Group>(old).unwrap(), green_energy());
}
