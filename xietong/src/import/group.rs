//! A group, from its founding notice or an emergency plan to the API of working groups.

use domain_calendar::Timestamp;
use domain_notice::{Holder, Kind, Notice, Unresolved};
use xietong_mesh::convert::encode_time;
use xietong_mesh::input::LINE;
use xietong_proto::workgroup::{Duty, Group, GroupKind, Mechanism, Seat, SeatRole, Subgroup, seat};

use super::directory::KnownUnits;
use super::division::official;
use super::proposal::cut;

/// The part of a group that its office is.
const OFFICE: &str = "办公室";
/// The line of a notice that says at which unit the office is.
const OFFICE_AT: &str = "所在单位";
/// What a notice does not say of the end of its group, and the API asks for.
const NO_END: &str = "原文未写明撤销条件";
/// Characters of a duty's or a mechanism's text that the API takes.
const CLAUSE: usize = 1_000;

/// The group that a notice founds. Somebody who is not known sits as a class that the office
/// fills.
pub(super) fn of(notice: &Notice, known: &KnownUnits, problems: &mut Vec<Unresolved>) -> Group {
    let mut group = Group {
        display_name: cut(&name(notice), LINE),
        founding_document: notice.document.number.clone(),
        purpose: cut(&notice.document.title, LINE),
        end_condition: NO_END.to_owned(),
        start_time: notice.document.issue_date.map(Timestamp::start_of_day).map(encode_time),
        ..Group::default()
    };
    group.kind = kind(&group.display_name).into();
    for seat in &notice.seats {
        if seat.role.ends_with(OFFICE_AT) {
            if let Holder::Unit { unit } = &seat.holder {
                group.office_unit = unit.unit.clone().unwrap_or_default();
            }
            continue;
        }
        let subgroup = subgroup(&mut group, &seat.body);
        let holder = match &seat.holder {
            Holder::Person { name, title } => match official(known, name, title, seat.line, problems) {
                Some(official) => seat::Holder::Official(official),
                None => seat::Holder::OpenClass(cut(&format!("{name} {title}"), LINE)),
            },
            Holder::Post { post, .. } => seat::Holder::Post(cut(post, LINE)),
            Holder::Unit { unit } => match &unit.unit {
                Some(one) if known.members(one).is_none() => seat::Holder::Unit(one.clone()),
                Some(_) | None => seat::Holder::OpenClass(cut(&unit.text, LINE)),
            },
            Holder::OpenClass { class } => seat::Holder::OpenClass(cut(class, LINE)),
        };
        let role = role(&seat.role, &seat.body).into();
        group.seats.push(Seat { role, holder: Some(holder), held_for_field: String::new(), subgroup });
    }
    for duty in &notice.duties {
        let unit = duty.unit.as_ref().and_then(|party| party.unit.clone());
        let unit = unit.filter(|unit| known.members(unit).is_none()).unwrap_or_default();
        let title = duty.unit.as_ref().map(|party| party.text.as_str()).unwrap_or_default();
        let person = duty.person.as_ref();
        let official = person.and_then(|name| official(known, name, title, duty.line, problems));
        let subgroup = subgroup(&mut group, &duty.body);
        group.duties.push(Duty {
            number: duty.no.and_then(|no| i32::try_from(no).ok()).unwrap_or(0),
            text: cut(&duty.text, CLAUSE),
            subgroup,
            unit,
            official: official.unwrap_or_default(),
        });
    }
    let mechanisms = notice.mechanisms.iter();
    group.mechanisms = mechanisms
        .map(|one| Mechanism { name: cut(&one.name, LINE), text: cut(&one.text, CLAUSE) })
        .collect();
    group
}

/// The subgroup that a part of a notice is, added when it is new; the office is none.
fn subgroup(group: &mut Group, body: &str) -> String {
    if body.is_empty() || body == OFFICE {
        return String::new();
    }
    if group.subgroups.iter().all(|one| one.name != body) {
        group.subgroups.push(Subgroup { name: body.to_owned() });
    }
    body.to_owned()
}

/// What the group is called: what the title founds, or the headquarters of the plan.
fn name(notice: &Notice) -> String {
    if notice.kind == Kind::EmergencyPlan {
        let plan = notice.document.part.trim_end_matches("应急预案");
        return format!("{plan}应急指挥部");
    }
    let title = notice.document.title.trim_end_matches("的通知").trim_end_matches("的决定");
    let founded = ["成立", "组建", "设立", "建立", "调整"]
        .iter()
        .filter_map(|word| title.find(word).map(|at| &title[at + word.len()..]))
        .max_by_key(|rest| rest.len());
    let founded = founded.unwrap_or(title);
    founded.trim_end_matches("组成人员").trim_end_matches("成员").to_owned()
}

fn kind(name: &str) -> GroupKind {
    if name.contains("指挥部") {
        GroupKind::Headquarters
    } else if name.contains("筹委会") || name.contains("筹备") {
        GroupKind::PreparatoryCommittee
    } else if name.contains("专班") {
        GroupKind::TaskForce
    } else {
        GroupKind::LeadingGroup
    }
}

/// What a seat is, from how the notice calls it: 组长, 常务副指挥长, 办公室副主任 ….
fn role(called: &str, body: &str) -> SeatRole {
    let in_office = body == OFFICE || called.starts_with(OFFICE);
    let called = called.strip_prefix(body).unwrap_or(called);
    if called.contains("联络员") {
        SeatRole::Liaison
    } else if called.contains("成员") {
        SeatRole::Member
    } else if called.contains('副') || called.contains("政委") {
        match (in_office, called.contains("常务")) {
            (true, _) => SeatRole::OfficeDeputy,
            (false, true) => SeatRole::ExecutiveDeputy,
            (false, false) => SeatRole::Deputy,
        }
    } else if in_office {
        SeatRole::OfficeHead
    } else if ["组长", "指挥", "主任", "负责人", "召集人", "牵头"].iter().any(|word| called.contains(word))
    {
        SeatRole::Head
    } else {
        SeatRole::Member
    }
}

#[cfg(test)]
mod tests {
    use super::{GroupKind, SeatRole, kind, role};

    #[test]
    fn seats_are_known_by_what_they_are_called() {
        for (called, body, expected) in [
            ("组长", "", SeatRole::Head),
            ("总指挥", "", SeatRole::Head),
            ("副指挥长", "", SeatRole::Deputy),
            ("常务副组长", "", SeatRole::ExecutiveDeputy),
            ("成员单位", "", SeatRole::Member),
            ("办公室主任", "办公室", SeatRole::OfficeHead),
            ("副主任", "办公室", SeatRole::OfficeDeputy),
            ("督导检查组组长", "督导检查组", SeatRole::Head),
            ("督导检查组成员", "督导检查组", SeatRole::Member),
            ("联络员", "", SeatRole::Liaison),
            ("政委", "", SeatRole::Deputy),
            ("综合协调组牵头单位", "综合协调组", SeatRole::Head),
            ("第一召集人", "", SeatRole::Head),
        ] {
            assert_eq!(role(called, body), expected, "{called}");
        }
    }

    #[test]
    fn a_group_is_of_the_kind_its_name_says() {
        for (name, expected) in [
            ("城区内涝治理工作专班", GroupKind::TaskForce),
            ("绿色能源输配项目工作领导小组", GroupKind::LeadingGroup),
            ("大学城建设筹委会", GroupKind::PreparatoryCommittee),
            ("临汾市防汛抗旱应急指挥部", GroupKind::Headquarters),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
