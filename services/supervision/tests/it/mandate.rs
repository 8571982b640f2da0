//! What secretaries enter in a leader's name, and what assisting deputy secretaries-general see
//! and decide.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_roster::{Account, Mandate, MandateKind, MandateRevoked, Official, RosterEvent};
use tonic::Code;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::supervision as proto;

use crate::city::{City, Client, START, Store, at, list_all, refusal, task_of};
use crate::on_both;
use crate::permission::{submitted, verify};

on_both!(
    a_secretary_enters_what_is_listed_in_the_leaders_name,
    a_mandate_ends_exactly_at_its_end_and_when_it_is_revoked,
    an_assistant_sees_all_of_the_leaders_work_and_decides_what_is_listed,
    a_mandate_is_nothing_without_the_role_or_for_somebody_else,
    nobody_acts_by_a_mandate_while_the_roster_cannot_be_asked,
);

const VERIFY: &str = "supervision.assignments.verify";
const END: &str = "2023-06-04T09:00:00+08:00";

/// A mandate of the first deputy mayor, from [`START`] to [`END`].
fn mandate(kind: MandateKind, acts: &[&str], units: &[&str]) -> Mandate {
    Mandate {
        name: "mandates/one".to_owned(),
        kind,
        leader: "officials/first".to_owned(),
        holder: "officials/helper".to_owned(),
        acts: acts.iter().map(|act| (*act).to_owned()).collect(),
        units: units.iter().map(|unit| format!("units/{unit}")).collect(),
        start_time: at(START),
        end_time: Some(at(END)),
        ground: "市政府办公室通知".to_owned(),
        recorded_at: at(START),
        revoked_at: None,
    }
}

impl City {
    /// A city in which a mandate was given.
    async fn with_mandate(store: Store, mandate: Mandate) -> City {
        let mut city = City::start(store).await;
        let name = "officials/helper".to_owned();
        let official = Official { name: name.clone(), display_name: "甲".to_owned(), posts: vec![] };
        let account = Account {
            name: "accounts/helper".to_owned(),
            subject: "helper".to_owned(),
            official: Some(name),
            roles: vec![],
            disabled: false,
        };
        for event in [
            RosterEvent::OfficialCreated(official),
            RosterEvent::AccountCreated(account),
            RosterEvent::MandateCreated(mandate),
        ] {
            city.roster.record(event, at(START)).await;
        }
        city.follow_roster().await;
        city
    }

    fn helper(&self, role: Role) -> Client {
        let official = Some("officials/helper".to_owned());
        self.client(&Principal::account("helper", official, vec![Grant::of(role)]))
    }

    /// At an instant, with a copy of the roster that is current.
    async fn stand_at(&self, instant: Timestamp) {
        self.clock.set(instant);
        self.follow_roster().await;
    }
}

async fn a_secretary_enters_what_is_listed_in_the_leaders_name(store: Store) {
    let city = City::with_mandate(store, mandate(MandateKind::Secretary, &[VERIFY], &[])).await;
    let (task, name) = submitted(&city, "energy").await;
    let (_, other) = submitted(&city, "water").await;
    let mut secretary = city.helper(Role::Secretary);
    let refused = verify(&mut secretary, &other).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied, "it is another leader's");
    let decide = proto::DecideExtensionRequest { name: name.clone(), grant: true, ..Default::default() };
    let refused = secretary.decide_extension(decide).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied, "it is not listed");
    let get = secretary.get_task(proto::GetTaskRequest { name: task.clone() }).await;
    assert_eq!(refusal(get).0, Code::PermissionDenied, "nor is looking");
    let listed = list_all(&mut secretary, proto::ListTasksRequest::default()).await;
    assert_eq!(listed, []);

    verify(&mut secretary, &name).await.unwrap();
    let entry = &city.timeline(&task).await[5];
    assert_eq!(entry.r#type, "supervision.assignment.verified");
    assert_eq!((entry.actor.as_str(), entry.acting_for.as_str()), ("helper", "officials/first"));
    assert_eq!(entry.entered_by, "甲");
    assert_eq!(entry.ground, "名册记录第13号：秘书代副市长一录入，依据mandates/one");
    assert_eq!(city.timeline(&task).await[0].entered_by, "", "the supervisor entered it as himself");
}

async fn a_mandate_ends_exactly_at_its_end_and_when_it_is_revoked(store: Store) {
    let mut city = City::with_mandate(store, mandate(MandateKind::Secretary, &[VERIFY], &[])).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(submitted(&city, "energy").await.1);
    }
    let mut secretary = city.helper(Role::Secretary);
    city.stand_at(at("2023-06-04T08:59:59.999999+08:00")).await;
    verify(&mut secretary, &names[0]).await.unwrap();
    city.stand_at(at(END)).await;
    assert_eq!(refusal(verify(&mut secretary, &names[1]).await).0, Code::PermissionDenied);

    let again = Mandate {
        name: "mandates/two".to_owned(),
        end_time: None,
        ..mandate(MandateKind::Secretary, &[VERIFY], &[])
    };
    city.roster.record(RosterEvent::MandateCreated(again), at(END)).await;
    city.stand_at(at("2023-06-05T08:59:59.999999+08:00")).await;
    verify(&mut secretary, &names[1]).await.unwrap();
    let revoked = at("2023-06-05T09:00:00+08:00");
    let event = RosterEvent::MandateRevoked(MandateRevoked { mandate: "mandates/two".to_owned() });
    city.roster.record(event, revoked).await;
    city.stand_at(revoked).await;
    assert_eq!(refusal(verify(&mut secretary, &names[2]).await).0, Code::PermissionDenied);
}

async fn an_assistant_sees_all_of_the_leaders_work_and_decides_what_is_listed(store: Store) {
    for (acts, units, seen, verifies) in [
        (&[][..], &[][..], &["industry", "energy"][..], false),
        (&[VERIFY], &["industry"], &["industry"], true),
        // What is assigned beyond the leader's own work lends nothing.
        (&[VERIFY], &["water"], &[], true),
    ] {
        let city = City::with_mandate(store, mandate(MandateKind::Assisting, acts, units)).await;
        let mut assistant = city.helper(Role::AssistingDeputySecretaryGeneral);
        let mut expected = BTreeSet::new();
        for unit in ["industry", "energy", "water", "yaodu"] {
            let (task, name) = submitted(&city, unit).await;
            let sees = seen.contains(&unit);
            if sees {
                expected.insert(task.clone());
            }
            let get = assistant.get_task(proto::GetTaskRequest { name: task.clone() }).await;
            assert_eq!(get.is_ok(), sees, "{unit}");
            let timeline = proto::GetTimelineRequest { name: task, ..Default::default() };
            assert_eq!(assistant.get_timeline(timeline).await.is_ok(), sees, "{unit}");
            let verified = verify(&mut assistant, &name).await;
            assert_eq!(verified.is_ok(), sees && verifies, "{unit}");
        }
        let listed = list_all(&mut assistant, proto::ListTasksRequest::default()).await;
        assert_eq!(listed.into_iter().map(|task| task.name).collect::<BTreeSet<_>>(), expected);
    }
}

async fn a_mandate_is_nothing_without_the_role_or_for_somebody_else(store: Store) {
    let city = City::with_mandate(store, mandate(MandateKind::Assisting, &[VERIFY], &[])).await;
    let (task, name) = submitted(&city, "energy").await;
    let stranger = Principal::account(
        "stranger",
        Some("officials/second".to_owned()),
        vec![Grant::of(Role::AssistingDeputySecretaryGeneral)],
    );
    for mut other in [city.helper(Role::Liaison), city.helper(Role::Inspector), city.client(&stranger)] {
        assert_eq!(refusal(verify(&mut other, &name).await).0, Code::PermissionDenied);
        let get = other.get_task(proto::GetTaskRequest { name: task.clone() }).await;
        assert_eq!(refusal(get).0, Code::PermissionDenied);
    }
}

async fn nobody_acts_by_a_mandate_while_the_roster_cannot_be_asked(store: Store) {
    let mut city = City::with_mandate(store, mandate(MandateKind::Secretary, &[VERIFY], &[])).await;
    let (_, name) = submitted(&city, "energy").await;
    city.issued(task_of("water")).await;
    city.restart_with_the_roster_down().await;
    assert_eq!(refusal(verify(&mut city.helper(Role::Secretary), &name).await).0, Code::Unavailable);
}
