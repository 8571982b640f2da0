//! Who reads what of the change feed.

use std::collections::BTreeSet;

use domain_roster::{Account, RosterEvent};
use domain_supervision::{
    AssignmentChange, AssignmentEvent, AssignmentFacts, Delegate, DelegationChange, DelegationEvent,
    DraftChange, DraftEvent, DueTimes, Role as AssignmentRole, SideRoad, TaskChange, TaskEvent, TaskFacts,
    Visibility, WholeTaskEvent,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use xietong_mesh::authorize::{self, Resource, Visibility as Seen};
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, ServiceName};
use xietong_proto::notification as proto;

use crate::city::{Backend, City};
use crate::feed::{administrator, read};

crate::on_both_back_ends!(
    a_reader_sees_exactly_what_the_services_would_let_him_see,
    a_record_that_becomes_restricted_hides_what_was_told_of_it_before,
    a_unit_finds_what_was_told_before_it_got_the_task_and_nothing_after_it_lost_it,
    an_account_is_read_by_administration_alone,
    a_leader_reads_of_the_units_in_his_charge_and_of_those_he_stands_in_for,
);

const UNITS: [&str; 4] = ["units/water", "units/industry", "units/yaodu", "units/audit"];

pub(crate) fn facts(name: &str, visibility: Visibility, shown: &[String]) -> TaskFacts {
    TaskFacts {
        name: name.to_owned(),
        ledger_number: 1,
        title: "推进绿色能源输配管网建设".into(),
        created_by: "supervisor".into(),
        visibility,
        restricted_units: shown.to_vec(),
        origin: None,
        urgent: false,
        designated: None,
    }
}

fn assigned(task: &str, units: &[String]) -> Vec<AssignmentFacts> {
    let one = |unit: &String| AssignmentFacts {
        name: format!("{task}/assignments/{}", unit.trim_start_matches("units/")),
        unit: unit.clone(),
        role: AssignmentRole::Lead,
        due: DueTimes::default(),
    };
    units.iter().map(one).collect()
}

pub(crate) async fn tell(city: &City, task: TaskFacts, change: TaskChange) {
    let name = task.name.clone();
    let event = TaskEvent::Task(WholeTaskEvent { task, at: city.clock.now(), change });
    let payload = event.to_payload().unwrap().to_string();
    city.record(ServiceName::Supervision, &name, event.event_type(), payload).await;
}

pub(crate) async fn issued(city: &City, task: TaskFacts, units: &[String]) {
    let assignments = assigned(&task.name, units);
    tell(city, task, TaskChange::Issued { rule_version: 1, assignments, with_document: false }).await;
}

/// An event that changes nothing but what it says of the task's visibility.
pub(crate) async fn mentioned(city: &City, task: TaskFacts) {
    let change = TaskChange::LeftMatter {
        matter: "matters/1".into(),
        title: "管网建设".into(),
        ground: "另行办理".into(),
    };
    tell(city, task, change).await;
}

/// What somebody reads of some records: their names, once an event.
async fn subjects(city: &City, principal: &Principal) -> Vec<String> {
    let request = proto::ListEventsRequest { page_size: 60, ..Default::default() };
    let (events, _) = read(city, principal, request).await;
    events.into_iter().map(|event| event.subject).filter(|subject| !subject.starts_with("units/")).collect()
}

fn clerk(unit: &str) -> Principal {
    Principal::account("clerk", None, vec![Grant::of(Role::UnitClerk).in_unit(unit)])
}

fn units() -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set(prop::sample::select(&UNITS[..]), 0..3)
        .prop_map(|units| units.into_iter().map(str::to_owned).collect())
}

fn visibility() -> impl Strategy<Value = Visibility> {
    prop::sample::select(vec![Visibility::Public, Visibility::Internal, Visibility::Restricted])
}

/// A record of which something is told.
#[derive(Debug, Clone)]
enum Told {
    Task { units: Vec<String>, first: (Visibility, Vec<String>), then: Option<(Visibility, Vec<String>)> },
    Draft { unit: String },
    Delegation { holder: String, to: String },
    Account,
    Painted,
}

fn told() -> impl Strategy<Value = Told> {
    let unit = || prop::sample::select(&UNITS[..]).prop_map(str::to_owned);
    let seen = || (visibility(), units());
    prop_oneof![
        6 => (units(), seen(), prop::option::of(seen()))
            .prop_map(|(units, first, then)| Told::Task { units, first, then }),
        1 => unit().prop_map(|unit| Told::Draft { unit }),
        1 => (unit(), unit()).prop_map(|(holder, to)| Told::Delegation { holder, to }),
        1 => Just(Told::Account),
        1 => Just(Told::Painted),
    ]
}

impl Told {
    /// Its name, by which action it is read, and what permission depends on.
    fn record(&self, number: usize) -> (String, &'static str, Resource) {
        match self {
            Told::Task { units, first, then } => {
                let (visibility, shown) = then.as_ref().unwrap_or(first);
                let seen = match visibility {
                    Visibility::Public => Seen::Public,
                    Visibility::Internal => Seen::Internal,
                    Visibility::Restricted => Seen::Restricted,
                };
                let resource = Resource::new().of_units(units).visible_to(seen, shown);
                (format!("tasks/{number}"), "supervision.tasks.timeline", resource)
            }
            Told::Draft { unit } => {
                (format!("drafts/{number}"), "supervision.drafts.list", Resource::new().of_units([unit]))
            }
            Told::Delegation { holder, to } => {
                let resource = Resource::new().of_units([holder, to]);
                (format!("delegations/{number}"), "supervision.delegations.list", resource)
            }
            Told::Account => (format!("accounts/{number}"), "roster.accounts.list", Resource::new()),
            Told::Painted => (format!("tasks/{number}"), "roster.accounts.list", Resource::new()),
        }
    }

    async fn tell(&self, city: &City, name: &str) {
        let at = city.clock.now();
        match self {
            Told::Task { units, first, then } => {
                issued(city, facts(name, first.0, &first.1), units).await;
                if let Some((visibility, shown)) = then {
                    mentioned(city, facts(name, *visibility, shown)).await;
                }
            }
            Told::Draft { unit } => {
                let event = DraftEvent {
                    draft: name.to_owned(),
                    ledger_number: 1,
                    unit: unit.clone(),
                    what: "反馈".into(),
                    drafter: "clerk".into(),
                    at,
                    change: DraftChange::Withdrawn,
                };
                let payload = event.to_payload().unwrap().to_string();
                city.record(ServiceName::Supervision, name, event.event_type(), payload).await;
            }
            Told::Delegation { holder, to } => {
                let event = DelegationEvent {
                    delegation: name.to_owned(),
                    task: facts("tasks/passed-down", Visibility::Internal, &[]),
                    holder: holder.clone(),
                    to: Delegate::Unit(to.clone()),
                    text: "请于月底前报送".into(),
                    due_at: at,
                    at,
                    change: DelegationChange::Given,
                };
                let payload = event.to_payload().unwrap().to_string();
                city.record(ServiceName::Supervision, name, event.event_type(), payload).await;
            }
            Told::Account => city.roster(&account(name)).await,
            Told::Painted => {
                city.record(ServiceName::Supervision, name, "supervision.task.painted", "{}".into()).await;
            }
        }
    }
}

fn account(name: &str) -> RosterEvent {
    RosterEvent::AccountCreated(Account {
        name: name.to_owned(),
        subject: name.to_owned(),
        official: None,
        roles: vec![],
        disabled: false,
    })
}

/// Leaders of the city's division of work, each with the units in his charge.
const LEADERS: [(&str, &str); 2] =
    [("officials/qiao-feihong", "units/water"), ("officials/cui-yuanbin", "units/industry")];

fn principal() -> impl Strategy<Value = Principal> {
    // Without one of these the feed is not read at all.
    let readers: Vec<Role> =
        Role::OF_ACCOUNTS.into_iter().filter(|role| *role != Role::GroupOffice).collect();
    let grant = (prop::sample::select(readers), units())
        .prop_map(|(role, units)| Grant { units: units.into_iter().collect(), ..Grant::of(role) });
    (prop::collection::vec(grant, 1..3), prop::option::of(prop::sample::select(&LEADERS[..]))).prop_map(
        |(grants, leader)| {
            Principal::account("somebody", leader.map(|(official, _)| official.to_owned()), grants)
        },
    )
}

async fn a_reader_sees_exactly_what_the_services_would_let_him_see(backend: Backend) {
    let city = City::new(backend).await;
    let mut runner = TestRunner::deterministic();
    let rows = prop::collection::vec(told(), 60..=60).new_tree(&mut runner).unwrap().current();
    let rows: Vec<_> =
        rows.into_iter().enumerate().map(|(number, told)| (told.record(number), told)).collect();
    for ((name, _, _), told) in &rows {
        told.tell(&city, name).await;
    }
    city.settle().await;
    for _ in 0..60 {
        let principal = principal().new_tree(&mut runner).unwrap().current();
        let led = LEADERS.iter().find(|(official, _)| principal.official.as_deref() == Some(official));
        let permitted: BTreeSet<&str> = rows
            .iter()
            .filter(|((_, action, resource), _)| {
                authorize::scope(&principal, action).is_ok_and(|scope| {
                    scope.with_portfolio(led.map(|(_, unit)| (*unit).to_owned())).permits(resource)
                })
            })
            .map(|((name, _, _), _)| name.as_str())
            .collect();
        let seen = subjects(&city, &principal).await;
        let ours = |name: &&str| rows.iter().any(|((row, _, _), _)| row == name);
        let seen: BTreeSet<&str> = seen.iter().map(String::as_str).filter(ours).collect();
        assert_eq!(seen, permitted, "{principal:?}");
    }
}

async fn a_record_that_becomes_restricted_hides_what_was_told_of_it_before(backend: Backend) {
    let city = City::new(backend).await;
    let water = ["units/water".to_owned()];
    issued(&city, facts("tasks/1", Visibility::Public, &[]), &water).await;
    city.settle().await;
    let yaodu = clerk("units/yaodu");
    assert_eq!(tasks(&city, &yaodu).await, 1);
    mentioned(&city, facts("tasks/1", Visibility::Restricted, &["units/audit".to_owned()])).await;
    city.settle().await;
    assert_eq!(tasks(&city, &yaodu).await, 0);
    assert_eq!(tasks(&city, &clerk("units/water")).await, 2);
    assert_eq!(tasks(&city, &clerk("units/audit")).await, 2);
    assert_eq!(tasks(&city, &administrator()).await, 2);
    // And shows it again.
    mentioned(&city, facts("tasks/1", Visibility::Public, &[])).await;
    city.settle().await;
    assert_eq!(tasks(&city, &yaodu).await, 3);
}

async fn a_unit_finds_what_was_told_before_it_got_the_task_and_nothing_after_it_lost_it(backend: Backend) {
    let city = City::new(backend).await;
    let task = facts("tasks/1", Visibility::Internal, &[]);
    issued(&city, task.clone(), &["units/water".to_owned()]).await;
    city.settle().await;
    assert_eq!(tasks(&city, &clerk("units/industry")).await, 0);
    for (to, from) in [("units/industry", "units/water"), ("units/water", "units/industry")] {
        let reassigned = TaskEvent::Assignment(AssignmentEvent {
            task: task.clone(),
            assignment: AssignmentFacts {
                unit: to.into(),
                ..assigned("tasks/1", &["units/water".to_owned()]).remove(0)
            },
            at: city.clock.now(),
            late: vec![],
            change: AssignmentChange::SideRoad(SideRoad::Reassigned {
                from: from.into(),
                to: to.into(),
                ground: "职责调整".into(),
                lead_unit: Some(to.into()),
                dated: false,
            }),
        });
        let payload = reassigned.to_payload().unwrap().to_string();
        city.record(ServiceName::Supervision, "tasks/1", reassigned.event_type(), payload).await;
        city.settle().await;
        assert_eq!(tasks(&city, &clerk(from)).await, 0, "{from} has it no more");
        assert!(tasks(&city, &clerk(to)).await > 1, "{to} sees the whole of it");
    }
    assert_eq!(tasks(&city, &clerk("units/water")).await, 3);
}

async fn an_account_is_read_by_administration_alone(backend: Backend) {
    let city = City::new(backend).await;
    city.roster(&account("accounts/new")).await;
    city.settle().await;
    for role in Role::OF_ACCOUNTS.into_iter().filter(|role| *role != Role::GroupOffice) {
        let grant = Grant::of(role).in_unit("units/water");
        let seen = subjects(&city, &Principal::account("somebody", None, vec![grant])).await;
        let sees = seen.iter().any(|subject| subject == "accounts/new");
        assert_eq!(sees, role == Role::Administrator, "{role:?}");
        assert!(seen.iter().any(|subject| subject.starts_with("divisions/")), "{role:?} reads the directory");
    }
}

async fn a_leader_reads_of_the_units_in_his_charge_and_of_those_he_stands_in_for(backend: Backend) {
    let city = City::new(backend).await;
    issued(&city, facts("tasks/1", Visibility::Internal, &[]), &["units/industry".to_owned()]).await;
    city.settle().await;
    let leader = |official: &str| {
        let grants = vec![Grant::of(Role::Leader)];
        Principal::account(official, Some(format!("officials/{official}")), grants)
    };
    assert_eq!(tasks(&city, &leader("cui-yuanbin")).await, 1);
    assert_eq!(tasks(&city, &leader("hu-xiaogang")).await, 0);
    city.away("cui-yuanbin").await;
    city.settle().await;
    assert_eq!(tasks(&city, &leader("hu-xiaogang")).await, 1);
    let request = city.signed(leader("hu-xiaogang"), proto::ListEventsRequest::default());
    let page = city.feed().await.list_events(request).await.unwrap().into_inner();
    assert!(page.roster_as_of.is_some(), "what he sees depends on the roster");
    let request = city.signed(administrator(), proto::ListEventsRequest::default());
    let page = city.feed().await.list_events(request).await.unwrap().into_inner();
    assert!(page.roster_as_of.is_none());
}

/// How many events of tasks somebody reads.
async fn tasks(city: &City, principal: &Principal) -> usize {
    subjects(city, principal).await.iter().filter(|subject| subject.starts_with("tasks/")).count()
}
