//! What a unit is told when a document is issued to it: once, of all that it gives the unit.

use domain_roster::Book;
use domain_supervision::{DocumentIssued, IssuedItem, Role};

use crate::audience::Audience;
use crate::compose::supervision::role;
use crate::notice::{Ladder, Notice};
use crate::template::{ListedItem, NoticeData};
use crate::wording::{before, task_words, unit};

/// The notices of a document: one to the unit, to be signed for once, and one to whoever is in
/// charge of it when it leads something.
pub fn of_document(issued: &DocumentIssued, book: &Book) -> Vec<Notice> {
    let subject = format!("documents/{}", issued.document_number);
    let (count, holder) = (issued.items.len(), unit(book, &issued.unit));
    let urgent = issued.items.iter().any(|item| item.task.urgent);
    let data = NoticeData::Document {
        document: issued.document_number.clone(),
        unit: holder.to_owned(),
        count,
        items: issued.items.iter().map(listed).collect(),
    };
    let to_unit = vec![Audience::UnitLiaison(issued.unit.clone())];
    let mut notices = vec![
        Notice::of_data(&subject, data, to_unit)
            .requiring_signature(Ladder { unit: issued.unit.clone(), decider: decider(issued) })
            .of_items(count)
            .of_tasks(issued.items.iter().map(|item| item.task.name.as_str()))
            .urgent_if(urgent),
    ];
    let led = || issued.items.iter().filter(|item| item.assignment.role == Role::Lead);
    if led().next().is_some() {
        let data = NoticeData::DocumentLeader {
            document: issued.document_number.clone(),
            unit: holder.to_owned(),
            count,
            led: led().count(),
            items: led().map(listed).collect(),
        };
        let leader = vec![Audience::LeaderInCharge(issued.unit.clone())];
        let notice = Notice::of_data(&subject, data, leader);
        let tasks = led().map(|item| item.task.name.as_str());
        notices.push(notice.of_items(led().count()).of_tasks(tasks).urgent_if(urgent));
    }
    notices
}

/// The unit whose leader in charge is told last: the unit itself, or for one that leads nothing
/// the first lead unit of the first item.
fn decider(issued: &DocumentIssued) -> String {
    let leads = issued.items.iter().any(|item| item.assignment.role == Role::Lead);
    let first = issued.items.iter().find_map(|item| item.lead_unit.clone());
    first.filter(|_| !leads).unwrap_or_else(|| issued.unit.clone())
}

/// One item as the list has it. A restricted one is called by its number alone.
fn listed(item: &IssuedItem) -> ListedItem {
    let label = match item.item.parse::<u32>() {
        Ok(number) => format!("第{number}项"),
        Err(_) => item.item.clone(),
    };
    ListedItem {
        label,
        number: item.task.ledger_number,
        title: task_words(&item.task).title,
        role: role(item.assignment.role).to_owned(),
        settle_before: item.assignment.due.settle.map(before),
    }
}

#[cfg(test)]
mod tests {
    use domain_supervision::{AssignmentFacts, DueTimes, TaskFacts, Visibility};

    use super::*;
    use crate::fixture::{Roster, at};

    fn item(number: &str, ledger_number: i64, role: Role, visibility: Visibility) -> IssuedItem {
        IssuedItem {
            item: number.into(),
            task: TaskFacts {
                name: format!("tasks/{ledger_number}"),
                ledger_number,
                title: "绿色能源输配管网".into(),
                created_by: "supervisor".into(),
                visibility,
                restricted_units: vec![],
                origin: None,
                urgent: false,
                designated: None,
            },
            assignment: AssignmentFacts {
                name: format!("tasks/{ledger_number}/assignments/1"),
                unit: "units/water".into(),
                role,
                due: DueTimes { settle: Some(at("2024-01-01T00:00+08:00")), ..DueTimes::default() },
            },
            lead_unit: Some("units/finance".into()),
        }
    }

    fn issued(items: Vec<IssuedItem>) -> DocumentIssued {
        DocumentIssued {
            document_number: "临政办发〔2023〕8号".into(),
            unit: "units/water".into(),
            items,
            at: at("2023-06-05T10:00+08:00"),
        }
    }

    #[test]
    fn a_unit_is_told_once_of_all_its_items() {
        let items = vec![
            item("147", 3, Role::Lead, Visibility::Internal),
            item("(一)", 4, Role::Cooperating, Visibility::Restricted),
        ];
        let notices = of_document(&issued(items), &Roster::new().book);
        let [to_unit, to_leader] = notices.as_slice() else { panic!("{notices:?}") };
        assert_eq!(to_unit.title, "交办：临政办发〔2023〕8号，共2项");
        assert_eq!(
            to_unit.body.lines().collect::<Vec<_>>()[1..],
            [
                "第147项《绿色能源输配管网》（台账第3号，牵头单位，2023年12月31日24时前办结）",
                "(一)（限定单位）（台账第4号，配合单位，2023年12月31日24时前办结）",
                "请及时签收。",
            ]
        );
        assert_eq!(to_unit.subject, "documents/临政办发〔2023〕8号");
        let own = Ladder { unit: "units/water".into(), decider: "units/water".into() };
        assert_eq!(to_unit.ladder, Some(own));
        assert!(to_leader.ladder.is_none() && to_leader.body.lines().count() == 2, "{}", to_leader.body);
    }

    #[test]
    fn a_unit_that_leads_nothing_has_the_first_lead_units_leader_above_it() {
        let items = vec![item("7", 3, Role::Responsible, Visibility::Internal)];
        let [to_unit] = of_document(&issued(items), &Roster::new().book).try_into().unwrap();
        assert_eq!(to_unit.ladder.unwrap().decider, "units/finance");
    }
}
