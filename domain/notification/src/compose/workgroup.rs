//! What is told of working groups: what a meeting decided, and what became of it.

use domain_roster::Book;
use domain_workgroup::{
    DecisionChange, DecisionEvent, GroupFacts, Seat, SeatHolder, SeatRole, WorkgroupEvent,
};

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{before, moment, unit};

/// The notices of one event.
pub fn of_workgroup(event: &WorkgroupEvent, book: &Book) -> Vec<Notice> {
    match event {
        WorkgroupEvent::Decision(event) => of_decision(event, book),
        // Whoever sits in the group was there.
        WorkgroupEvent::GroupFounded(_) | WorkgroupEvent::MeetingHeld(_) => Vec::new(),
    }
}

fn of_decision(event: &DecisionEvent, book: &Book) -> Vec<Notice> {
    let (group, decision) = (&event.group, &event.decision);
    let text = &decision.text;
    let told = |kind, what: &str, body: String, audiences: Vec<Audience>| {
        let title = format!("{what}：{}", group.display_name);
        Notice::new(kind, &decision.name, title, body, audiences)
    };
    match &event.change {
        DecisionChange::Made => {
            let names =
                |units: &[String]| units.iter().map(|name| unit(book, name)).collect::<Vec<_>>().join("、");
            let mut body =
                format!("{}议定：{text}。牵头单位：{}", event.meeting.title, names(&decision.lead_units));
            if !decision.cooperating_units.is_empty() {
                body = format!("{body}；配合单位：{}", names(&decision.cooperating_units));
            }
            if let Some(due) = decision.due_time {
                body = format!("{body}；时限：{}", before(due));
            }
            let units = decision.lead_units.iter().chain(&decision.cooperating_units);
            let audiences = units.cloned().map(Audience::UnitLiaison).chain(office(group)).collect();
            vec![told(NoticeKind::Decision, "议定事项", format!("{body}。"), audiences)]
        }
        // The answer of supervision follows.
        DecisionChange::EscalationAsked => Vec::new(),
        DecisionChange::Escalated { .. } => {
            let body = format!("{}议定事项已纳入13710督办：{text}", event.meeting.title);
            vec![told(NoticeKind::Decision, "纳入督办", body, heads_and_office(group))]
        }
        DecisionChange::Settled { settle_time, .. } => {
            let body = format!("{}议定事项已于{}办结销号：{text}", event.meeting.title, moment(*settle_time));
            vec![told(NoticeKind::Outcome, "办结销号", body, heads_and_office(group))]
        }
        DecisionChange::Withdrawn { ground, .. } => {
            let body = format!("{}议定事项的督办已撤销（{ground}）：{text}", event.meeting.title);
            vec![told(NoticeKind::Outcome, "督办撤销", body, heads_and_office(group))]
        }
        DecisionChange::Refused { reason } => {
            let body = format!("{}议定事项未能纳入督办（{reason}）：{text}", event.meeting.title);
            vec![told(NoticeKind::Outcome, "未纳入督办", body, office(group).collect())]
        }
    }
}

fn heads_and_office(group: &GroupFacts) -> Vec<Audience> {
    seated(group, SeatRole::Head).chain(office(group)).collect()
}

/// The group's office: its director, and the liaison of the unit it is at.
fn office(group: &GroupFacts) -> impl Iterator<Item = Audience> {
    let unit = group.office_unit.clone().map(Audience::UnitLiaison);
    seated(group, SeatRole::OfficeHead).chain(unit)
}

/// Whoever has a role in the group itself: what it decides is not the business of those who
/// have the same role in a subgroup.
fn seated(group: &GroupFacts, role: SeatRole) -> impl Iterator<Item = Audience> {
    let seats = group.seats.iter().filter(|seat| seat.is_of_the_group_itself());
    seats.filter(move |seat| seat.role == role).filter_map(holder)
}

fn holder(seat: &Seat) -> Option<Audience> {
    match &seat.holder {
        SeatHolder::Official(official) => Some(Audience::Official(official.clone())),
        SeatHolder::Post(post) => Some(Audience::Post(post.clone())),
        SeatHolder::Unit(unit) => Some(Audience::UnitLiaison(unit.clone())),
        // Nobody yet: the group's office fills it.
        SeatHolder::OpenClass(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use domain_workgroup::{
        DecisionChange, DecisionEvent, DecisionFacts, GroupFacts, MeetingFacts, Seat, SeatHolder, SeatRole,
        WorkgroupEvent,
    };

    use super::of_workgroup;
    use crate::address::address;
    use crate::fixture::{Roster, at};
    use crate::notice::NoticeKind as K;

    fn event(change: DecisionChange) -> WorkgroupEvent {
        let seat = |role, holder| Seat { role, holder, held_for_field: None, subgroup: None };
        let repairs = Some("工程抢险组".to_owned());
        WorkgroupEvent::Decision(DecisionEvent {
            group: GroupFacts {
                name: "groups/flood".into(),
                display_name: "防汛抗旱指挥部".into(),
                office_unit: Some("units/water".into()),
                seats: vec![
                    seat(SeatRole::Head, SeatHolder::Post("市长".into())),
                    seat(SeatRole::Deputy, SeatHolder::Official("officials/li-yanping".into())),
                    seat(SeatRole::OfficeHead, SeatHolder::Official("officials/water-head".into())),
                    seat(SeatRole::Member, SeatHolder::OpenClass("各施工单位项目负责人".into())),
                    // Heads a part of the group, and hears of none of this.
                    Seat {
                        subgroup: repairs,
                        ..seat(SeatRole::Head, SeatHolder::Official("officials/li-yanping".into()))
                    },
                ],
            },
            meeting: MeetingFacts { name: "groups/flood/meetings/1".into(), title: "第一次会议".into() },
            decision: DecisionFacts {
                name: "groups/flood/meetings/1/decisions/1".into(),
                text: "完成堤防除险".into(),
                lead_units: vec!["units/water".into()],
                cooperating_units: vec!["units/finance".into()],
                due_time: Some(at("2023-07-01T00:00+08:00")),
            },
            at: at("2023-06-05T10:00+08:00"),
            change,
        })
    }

    fn told(change: DecisionChange) -> (Option<K>, Vec<String>) {
        let roster = Roster::new();
        let notices = of_workgroup(&event(change), &roster.book);
        let mail = address(&notices, &roster.book, at("2023-06-05T10:00+08:00"));
        let short = |name: &str| name.trim_start_matches("officials/").to_owned();
        let whom = mail.letters.iter().map(|letter| short(&letter.recipient.official)).collect();
        (notices.first().map(|notice| notice.kind), whom)
    }

    #[test]
    fn each_change_is_told_to_those_it_concerns() {
        let task = || "tasks/1".to_owned();
        let settled = at("2023-06-30T10:00+08:00");
        let above = ["wang-yanfeng", "water-head", "water-liaison"];
        let table: [(DecisionChange, Option<K>, &[&str]); 6] = [
            (DecisionChange::Made, Some(K::Decision), &["finance-liaison", "water-head", "water-liaison"]),
            (DecisionChange::EscalationAsked, None, &[]),
            (DecisionChange::Escalated { task: task() }, Some(K::Decision), &above),
            (DecisionChange::Settled { task: task(), settle_time: settled }, Some(K::Outcome), &above),
            (DecisionChange::Withdrawn { task: task(), ground: "合并".into() }, Some(K::Outcome), &above),
            (
                DecisionChange::Refused { reason: "没有该单位".into() },
                Some(K::Outcome),
                &["water-head", "water-liaison"],
            ),
        ];
        for (change, kind, whom) in table {
            let found = told(change.clone());
            assert_eq!(
                (found.0, found.1.as_slice()),
                (kind, whom.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice()),
                "{change:?}"
            );
        }
    }

    #[test]
    fn a_decision_names_its_units_and_its_limit() {
        let notices = of_workgroup(&event(DecisionChange::Made), &Roster::new().book);
        assert_eq!(
            notices[0].body,
            "第一次会议议定：完成堤防除险。牵头单位：市水利局；配合单位：市财政局；时限：2023年6月30日24时前。"
        );
    }
}
