//! Mandates: given, listed, revoked, and what they let their holders do here.

use tonic::Response;
use xietong_mesh::principal::Role;
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;

use crate::city::{City, at, on_both, refused, time};

on_both!(
    a_mandate_is_given_listed_and_revoked,
    what_cannot_be_mandated_is_refused_and_changes_nothing,
    only_administrators_give_and_revoke_mandates,
    a_secretary_acknowledges_for_the_leader_as_the_mandate_lists_it,
);

const START: &str = "2023-05-01T00:00:00+08:00";
const ACKNOWLEDGE: &str = "roster.absences.acknowledge";

fn mandate(acts: &[&str]) -> proto::Mandate {
    proto::Mandate {
        kind: proto::MandateKind::Secretary.into(),
        leader: "officials/cui-yuanbin".into(),
        holder: "officials/water-head".into(),
        acts: acts.iter().map(|act| (*act).to_owned()).collect(),
        start_time: Some(time(START)),
        end_time: Some(time("2023-09-01T00:00:00+08:00")),
        ground: "市政府办公室通知".into(),
        ..Default::default()
    }
}

fn create(mandate: proto::Mandate) -> proto::CreateMandateRequest {
    proto::CreateMandateRequest { mandate: Some(mandate), request_id: String::new() }
}

impl City {
    async fn mandate(&self, mandate: proto::Mandate) -> Result<proto::Mandate, Error> {
        let answer = self.mandates().create_mandate(self.admin(create(mandate))).await;
        answer.map(Response::into_inner).map_err(refused)
    }

    async fn listed(&self, leader: &str, holder: &str) -> Vec<proto::Mandate> {
        let request =
            proto::ListMandatesRequest { leader: leader.into(), holder: holder.into(), ..Default::default() };
        self.mandates().list_mandates(self.clerk(request)).await.unwrap().into_inner().mandates
    }
}

async fn a_mandate_is_given_listed_and_revoked(city: City) {
    let city = city.with_division().await;
    let given = city.mandate(mandate(&[ACKNOWLEDGE])).await.unwrap();
    assert_eq!((given.etag.as_str(), given.in_force), ("v1", true));
    assert_eq!(given.acts, [ACKNOWLEDGE]);
    assert_eq!(city.history(&given.name).await, ["roster.mandate.created"]);
    for (leader, holder, found) in [
        ("", "", true),
        ("officials/cui-yuanbin", "", true),
        ("", "officials/water-head", true),
        ("officials/wang-yuan", "", false),
        ("", "officials/wang-yuan", false),
    ] {
        assert_eq!(city.listed(leader, holder).await.len(), usize::from(found), "{leader} {holder}");
    }
    let revoke = |etag: &str| proto::RevokeMandateRequest {
        name: given.name.clone(),
        etag: etag.into(),
        request_id: String::new(),
    };
    let stale = city.mandates().revoke_mandate(city.admin(revoke("v9"))).await.unwrap_err();
    assert_eq!(refused(stale).code(), Code::Aborted);
    let revoked = city.mandates().revoke_mandate(city.admin(revoke("v1"))).await.unwrap().into_inner();
    assert_eq!((revoked.etag.as_str(), revoked.in_force), ("v2", false));
    assert_eq!(revoked.revoke_time, Some(time(crate::city::START)));
    let again = city.mandates().revoke_mandate(city.admin(revoke(""))).await.unwrap_err();
    assert_eq!(refused(again).reason(), "MANDATE_OVER");
    let city = city.restarted().await;
    let request = proto::GetMandateRequest { name: given.name.clone() };
    assert_eq!(city.mandates().get_mandate(city.clerk(request)).await.unwrap().into_inner(), revoked);
    let request = proto::GetMandateRequest { name: "mandates/none".into() };
    let none = city.mandates().get_mandate(city.clerk(request)).await.unwrap_err();
    assert_eq!(refused(none).code(), Code::NotFound);
}

async fn what_cannot_be_mandated_is_refused_and_changes_nothing(city: City) {
    let city = city.with_division().await;
    let one = || mandate(&[ACKNOWLEDGE]);
    for (mandate, field) in [
        (mandate(&["roster.accounts.create"]), "acts"),
        (mandate(&["supervision.assignments.fly"]), "acts"),
        (mandate(&[]), "acts"),
        (proto::Mandate { kind: 0, ..one() }, "mandate.kind"),
        (proto::Mandate { ground: String::new(), ..one() }, "ground"),
        (proto::Mandate { start_time: None, ..one() }, "mandate.start_time"),
        (proto::Mandate { end_time: Some(time(START)), ..one() }, "end_time"),
        (proto::Mandate { holder: one().leader, ..one() }, "holder"),
    ] {
        let refusal = city.mandate(mandate).await.unwrap_err();
        assert_eq!(refusal.violations()[0].field, field, "{refusal}");
        assert!(!refusal.chinese().is_empty());
    }
    let stranger = proto::Mandate { holder: "officials/nobody".into(), ..one() };
    assert_eq!(city.mandate(stranger).await.unwrap_err().reason(), "OFFICIAL_UNKNOWN");
    let moon = proto::Mandate { units: vec!["units/moon".into()], ..one() };
    assert_eq!(city.mandate(moon).await.unwrap_err().reason(), "UNIT_UNKNOWN");
    assert_eq!(city.listed("", "").await, []);
}

async fn only_administrators_give_and_revoke_mandates(city: City) {
    let city = city.with_division().await;
    let given = city.mandate(mandate(&[ACKNOWLEDGE])).await.unwrap();
    for role in [Role::Supervisor, Role::Leader, Role::Secretary, Role::UnitApprover, Role::Auditor] {
        let request = city.official_as("cui-yuanbin", role, create(mandate(&[ACKNOWLEDGE])));
        let refusal = refused(city.mandates().create_mandate(request).await.unwrap_err());
        assert_eq!(refusal.code(), Code::PermissionDenied, "{role:?}");
        let revoke = proto::RevokeMandateRequest { name: given.name.clone(), ..Default::default() };
        let request = city.official_as("cui-yuanbin", role, revoke);
        let refusal = refused(city.mandates().revoke_mandate(request).await.unwrap_err());
        assert_eq!(refusal.code(), Code::PermissionDenied, "{role:?}");
    }
    assert_eq!(city.listed("", "").await, [given]);
}

async fn a_secretary_acknowledges_for_the_leader_as_the_mandate_lists_it(city: City) {
    let (city, log) = city.with_division().await.follow_supervision().await;
    let (start, end) = ("2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00");
    let absence = city.away("cui-yuanbin", start, end).await.unwrap().name;
    log.verified("cui-yuanbin", &format!("{absence}/authorities/{}-0", at(start).as_micros()), at(start))
        .await;
    city.hear().await;
    city.advance(end).await;
    let acknowledge = async |role| {
        let request = proto::AcknowledgeAbsenceRequest { name: absence.clone(), ..Default::default() };
        let request = city.official_as("water-head", role, request);
        city.acting().acknowledge_absence(request).await.map(Response::into_inner).map_err(refused)
    };
    let read = async || {
        let request = proto::GetAbsenceDigestRequest { name: absence.clone(), ..Default::default() };
        let request = city.official_as("water-head", Role::Secretary, request);
        city.acting().get_absence_digest(request).await.map(Response::into_inner).map_err(refused)
    };
    city.mandate(mandate(&["supervision.assignments.verify"])).await.unwrap();
    assert_eq!(acknowledge(Role::Secretary).await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(read().await.unwrap_err().code(), Code::PermissionDenied);
    let listing = city.mandate(mandate(&[ACKNOWLEDGE, "roster.absences.digest"])).await.unwrap();
    assert_eq!(read().await.unwrap().acts.len(), 1);
    assert_eq!(
        acknowledge(Role::Leader).await.unwrap_err().code(),
        Code::PermissionDenied,
        "without the role"
    );
    let done = acknowledge(Role::Secretary).await.unwrap();
    assert_eq!((done.acknowledged_act_count, done.unacknowledged), (1, false));
    let event = city.events(&absence).await.pop().unwrap();
    assert_eq!(event.event_type, "roster.absence.acknowledged");
    assert_eq!(
        (event.actor.as_str(), event.acting_for.as_deref()),
        ("water-head", Some("officials/cui-yuanbin"))
    );
    let ground = event.ground.unwrap();
    assert!(ground.ends_with(&format!("秘书代崔元斌录入，依据{}", listing.name)), "{ground}");
}
