//! What is told of a report that answers several tasks of one matter: once, to whoever must be
//! reported to for any of them.

use domain_roster::Book;
use domain_supervision::{MatterReported, ReportedItem, Role};

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{called, unit};

/// The notice of a report: to whoever entered the tasks, to the first lead units where the unit
/// does not lead itself, and to the leaders in charge.
pub fn of_matter_report(told: &MatterReported, book: &Book) -> Notice {
    let holder = unit(book, &told.unit);
    let tasks: Vec<String> = told.items.iter().map(line).collect();
    let body = format!(
        "{holder}反馈事项《{}》进展，一次答复{}项任务（{}）：{}",
        told.title,
        told.items.len(),
        tasks.join("、"),
        told.text
    );
    let mut audiences = Vec::new();
    for audience in told.items.iter().flat_map(overseers) {
        if !audiences.contains(&audience) {
            audiences.push(audience);
        }
    }
    let title = format!("反馈：事项《{}》", told.title);
    Notice::new(NoticeKind::Progress, &told.matter, title, body, audiences)
}

fn line(item: &ReportedItem) -> String {
    let late = if item.late { "（逾期）" } else { "" };
    format!("{}{late}", called(&item.task))
}

fn overseers(item: &ReportedItem) -> Vec<Audience> {
    let holder = &item.assignment.unit;
    let (lead, decider) = match item.assignment.role {
        Role::Lead => (None, holder),
        Role::Cooperating | Role::Responsible => {
            (item.lead_unit.clone(), item.lead_unit.as_ref().unwrap_or(holder))
        }
    };
    let creator = Audience::Account(item.task.created_by.clone());
    let lead = lead.map(Audience::UnitLiaison);
    let leader = Audience::LeaderInCharge(decider.clone());
    [creator].into_iter().chain(lead).chain([leader]).collect()
}

#[cfg(test)]
mod tests {
    use domain_supervision::{AssignmentFacts, DueTimes, TaskFacts, Visibility};

    use super::*;
    use crate::fixture::{Roster, at};

    fn item(ledger_number: i64, role: Role, lead_unit: &str, late: bool) -> ReportedItem {
        ReportedItem {
            task: TaskFacts {
                name: format!("tasks/{ledger_number}"),
                ledger_number,
                title: format!("管线{ledger_number}段"),
                created_by: "supervisor".into(),
                visibility: Visibility::Internal,
                restricted_units: vec![],
                origin: None,
                designated: None,
                urgent: false,
            },
            assignment: AssignmentFacts {
                name: format!("tasks/{ledger_number}/assignments/1"),
                unit: "units/water".into(),
                role,
                due: DueTimes::default(),
            },
            late,
            lead_unit: Some(lead_unit.into()),
        }
    }

    #[test]
    fn one_report_is_one_notice_to_all_who_must_be_reported_to() {
        let told = MatterReported {
            report: "reports/1".into(),
            matter: "matters/1".into(),
            title: "绿色能源输配".into(),
            unit: "units/water".into(),
            text: "已焊接12公里。".into(),
            items: vec![
                item(3, Role::Lead, "units/water", false),
                item(7, Role::Lead, "units/water", true),
                item(9, Role::Cooperating, "units/finance", false),
            ],
            at: at("2023-06-05T10:00+08:00"),
        };
        let notice = of_matter_report(&told, &Roster::new().book);
        assert_eq!(
            (notice.title.as_str(), notice.subject.as_str()),
            ("反馈：事项《绿色能源输配》", "matters/1")
        );
        let tail = "反馈事项《绿色能源输配》进展，一次答复3项任务\
                    （第3号《管线3段》、第7号《管线7段》（逾期）、第9号《管线9段》）：已焊接12公里。";
        assert!(notice.body.ends_with(tail), "{}", notice.body);
        assert_eq!(
            notice.audiences,
            [
                Audience::Account("supervisor".into()),
                Audience::LeaderInCharge("units/water".into()),
                Audience::UnitLiaison("units/finance".into()),
                Audience::LeaderInCharge("units/finance".into()),
            ]
        );
        assert!(notice.ladder.is_none());
    }
}
