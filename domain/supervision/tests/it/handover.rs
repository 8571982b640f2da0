//! What each leader is told when a division of work takes effect.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_supervision::{
    Charge, HANDOVER_LISTED, HandoverHead, HandoverList, Passing, TaskFacts, Visibility,
};

fn unit(slug: &str, from: Option<&str>, to: &str) -> Passing {
    let official = |id: &str| format!("officials/{id}");
    let charge = Charge::Unit(format!("units/{slug}"));
    Passing { charge, from: from.map(official), to: Some(official(to)) }
}

fn task(ledger_number: i64) -> TaskFacts {
    TaskFacts {
        name: format!("tasks/{ledger_number}"),
        ledger_number,
        title: "改善医疗服务".into(),
        created_by: "supervisor".into(),
        visibility: Visibility::Internal,
        restricted_units: vec![],
        origin: None,
        urgent: false,
        designated: None,
    }
}

fn lists(passings: &[Passing], open: usize) -> Vec<HandoverList> {
    let at = Timestamp::parse("2023-05-14T00:00+08:00").unwrap();
    let numbers = i64::try_from(open).unwrap();
    let tasks = BTreeMap::from([("units/health".to_owned(), (1..=numbers).map(task).collect())]);
    let head = HandoverHead {
        division: "divisions/no-12".into(),
        document: "临政办发〔2023〕12号".into(),
        effective_time: at,
        superseded_time: None,
    };
    HandoverList::of(&head, passings, &tasks)
}

#[test]
fn each_leader_has_one_list_and_what_is_new_stands_apart() {
    let field =
        Passing { charge: Charge::Field("卫生健康".into()), ..unit("health", Some("qiao"), "li") };
    let dropped = Passing { charge: Charge::Field("人防".into()), to: None, ..unit("", Some("qiao"), "") };
    let passings = [unit("health", Some("qiao"), "li"), unit("red-cross", None, "li"), field, dropped];
    let lists = lists(&passings, 2);
    let [li, qiao] = lists.as_slice() else { panic!("{lists:?}") };
    assert_eq!((li.leader.as_str(), qiao.leader.as_str()), ("officials/li", "officials/qiao"));
    let open = |list: &[domain_supervision::HandedOver]| -> Vec<usize> {
        list.iter().map(|one| one.open_tasks).collect()
    };
    assert_eq!((open(&li.received), open(&li.first_stated), open(&li.given)), (vec![2, 0], vec![0], vec![]));
    assert_eq!(li.received[0].other.as_deref(), Some("officials/qiao"));
    assert_eq!((open(&qiao.given), qiao.received.len(), qiao.first_stated.len()), (vec![2, 0], 0, 0));
    assert_eq!((open(&qiao.no_longer_stated), li.no_longer_stated.len()), (vec![0], 0));
    for list in &lists {
        let payload = list.to_payload().unwrap();
        assert_eq!(HandoverList::from_payload(HANDOVER_LISTED, &payload).unwrap().as_ref(), Some(list));
        assert_eq!(HandoverList::from_payload("supervision.task.issued", &payload).unwrap(), None);
    }
}

#[test]
fn many_tasks_are_counted_and_the_first_named() {
    let lists = lists(&[unit("health", Some("qiao"), "li")], 25);
    let received = &lists[0].received[0];
    assert_eq!((received.open_tasks, received.tasks.len()), (25, 20));
    assert_eq!(received.tasks[0].ledger_number, 1);
}

#[test]
fn a_long_list_is_cut_and_says_by_how_much() {
    let passings: Vec<Passing> =
        (0..305).map(|unit_number| unit(&format!("u{unit_number}"), None, "li")).collect();
    let lists = lists(&passings, 0);
    assert_eq!((lists[0].first_stated.len(), lists[0].left_out), (300, 5));
}
