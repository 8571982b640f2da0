//! What a leader is told when a division of work takes effect: one list of what came and what
//! went, with the work under way.

use domain_roster::Book;
use domain_supervision::{Charge, HandedOver, HandoverList};

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{called, moment, official, unit};

/// The notice of one leader's list.
pub fn of_handover(list: &HandoverList, book: &Book) -> Notice {
    let since = moment(list.effective_time);
    let mut lines = vec![match list.superseded_time {
        None => format!("{}自{since}起施行。", list.document),
        Some(until) => format!("补录：{}自{since}至{}施行。", list.document, moment(until)),
    }];
    // In charge of it by whatever relation: directing, presiding or liaising.
    let parts = [
        ("由您负责：", "此前由", &list.received),
        ("不再由您负责：", "改由", &list.given),
        ("新的分工未再列明（此前由您负责，请核实）：", "", &list.no_longer_stated),
        ("首次明确由您负责：", "", &list.first_stated),
    ];
    for (heading, before, handed) in parts {
        if !handed.is_empty() {
            lines.push(heading.to_owned());
            lines.extend(handed.iter().map(|one| {
                let other =
                    one.other.as_deref().map(|other| format!("{before}{}负责", official(book, other)));
                line(one, other, book)
            }));
        }
    }
    if list.left_out > 0 {
        lines.push(format!("另有{}项未逐一列出，请在系统内查询。", list.left_out));
    }
    let audience = vec![Audience::Official(list.leader.clone())];
    let listed = parts.into_iter().flat_map(|(_, _, handed)| handed).flat_map(|one| &one.tasks);
    Notice::new(NoticeKind::Handover, &list.division, "分工调整".to_owned(), lines.join("\n"), audience)
        .of_tasks(listed.map(|task| task.name.as_str()))
}

fn line(handed: &HandedOver, other: Option<String>, book: &Book) -> String {
    let charge = match &handed.charge {
        Charge::Unit(name) => unit(book, name).to_owned(),
        Charge::Field(field) => format!("{field}工作"),
    };
    let remarks: Vec<String> = other.into_iter().chain(under_way(handed)).collect();
    if remarks.is_empty() { charge } else { format!("{charge}（{}）", remarks.join("；")) }
}

fn under_way(handed: &HandedOver) -> Option<String> {
    if handed.open_tasks == 0 {
        return None;
    }
    let named = handed.tasks.iter().map(called).collect::<Vec<_>>().join("、");
    let more = if handed.tasks.len() < handed.open_tasks { "等" } else { "" };
    Some(format!("在办{}项：{named}{more}", handed.open_tasks))
}

#[cfg(test)]
mod tests {
    use domain_supervision::{TaskFacts, Visibility};

    use super::*;
    use crate::fixture::{Roster, at};

    fn handed(charge: Charge, other: Option<&str>, open_tasks: usize) -> HandedOver {
        let task = TaskFacts {
            name: "tasks/1".into(),
            ledger_number: 7,
            title: "改善医疗服务".into(),
            created_by: "supervisor".into(),
            visibility: Visibility::Internal,
            restricted_units: vec![],
            origin: None,
            urgent: false,
            designated: None,
        };
        HandedOver {
            charge,
            other: other.map(|slug| format!("officials/{slug}")),
            open_tasks,
            tasks: vec![task; open_tasks.min(1)],
        }
    }

    #[test]
    fn a_leader_gets_one_list_of_what_came_what_went_and_what_is_new() {
        let unit = |slug: &str| Charge::Unit(format!("units/{slug}"));
        let list = HandoverList {
            division: "divisions/no-12".into(),
            document: "临政办发〔2023〕12号".into(),
            leader: "officials/li-yanping".into(),
            effective_time: at("2023-05-14T00:00+08:00"),
            superseded_time: None,
            left_out: 2,
            received: vec![
                handed(unit("health"), Some("qiao-feihong"), 3),
                handed(Charge::Field("卫生健康".into()), Some("qiao-feihong"), 0),
            ],
            given: vec![handed(unit("water"), Some("qiao-feihong"), 1)],
            no_longer_stated: vec![handed(Charge::Field("人防".into()), None, 0)],
            first_stated: vec![handed(unit("finance"), None, 0)],
        };
        let notice = of_handover(&list, &Roster::new().book);
        assert_eq!((notice.subject.as_str(), notice.kind), ("divisions/no-12", NoticeKind::Handover));
        assert_eq!(notice.audiences, [Audience::Official("officials/li-yanping".into())]);
        assert_eq!(
            notice.body.lines().collect::<Vec<_>>(),
            [
                "临政办发〔2023〕12号自2023年5月14日0时起施行。",
                "由您负责：",
                "市卫生健康委员会（此前由乔飞鸿负责；在办3项：第7号《改善医疗服务》等）",
                "卫生健康工作（此前由乔飞鸿负责）",
                "不再由您负责：",
                "市水利局（改由乔飞鸿负责；在办1项：第7号《改善医疗服务》）",
                "新的分工未再列明（此前由您负责，请核实）：",
                "人防工作",
                "首次明确由您负责：",
                "市财政局",
                "另有2项未逐一列出，请在系统内查询。",
            ]
        );
        let past = HandoverList { superseded_time: Some(at("2023-06-01T00:00+08:00")), ..list };
        let body = of_handover(&past, &Roster::new().book).body;
        assert!(
            body.starts_with("补录：临政办发〔2023〕12号自2023年5月14日0时至2023年6月1日0时施行。"),
            "{body}"
        );
    }
}
