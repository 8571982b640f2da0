//! Who may keep the absences of whom, and who may state what the mayor decides.

use tonic::Request;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;

use crate::acts::{correct, extend};
use crate::city::{City, absence, on_both, pair, refused, time};

on_both!(
    a_unit_keeps_the_absences_of_its_own_people_alone,
    somebody_who_has_left_a_unit_is_no_longer_kept_by_it,
    a_leader_keeps_his_own_absences_alone,
    a_supervisor_keeps_and_corrects_every_absence,
    only_the_mayor_or_whoever_records_for_him_approves,
    a_unit_records_its_own_list_of_stand_ins_alone,
    nobody_names_his_own_stand_in_for_the_mayor,
);

const START: &str = "2023-06-10T00:00:00+08:00";
const END: &str = "2023-06-12T00:00:00+08:00";
const LATER: &str = "2023-06-14T00:00:00+08:00";

fn away(official: &str) -> proto::CreateAbsenceRequest {
    proto::CreateAbsenceRequest { absence: Some(absence(official, START, END)), request_id: String::new() }
}

fn approved(official: &str) -> proto::CreateAbsenceRequest {
    let absence = proto::Absence { approval: "市长批示".into(), ..absence(official, START, END) };
    proto::CreateAbsenceRequest { absence: Some(absence), request_id: String::new() }
}

impl City {
    fn approver<T>(&self, unit: &str, message: T) -> Request<T> {
        self.of("approver", vec![Grant::of(Role::UnitApprover).in_unit(format!("units/{unit}"))], message)
    }

    fn supervisor<T>(&self, message: T) -> Request<T> {
        self.of("supervisor", vec![Grant::of(Role::Supervisor)], message)
    }

    async fn keeps(&self, request: Request<proto::CreateAbsenceRequest>) -> Result<proto::Absence, Error> {
        self.roster().create_absence(request).await.map(tonic::Response::into_inner).map_err(refused)
    }

    async fn extends(&self, request: Request<proto::ExtendAbsenceRequest>) -> Result<proto::Absence, Error> {
        self.roster().extend_absence(request).await.map(tonic::Response::into_inner).map_err(refused)
    }
}

fn denied<T: std::fmt::Debug>(outcome: Result<T, Error>, reason: &str) {
    let error = outcome.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::PermissionDenied, reason), "{error}");
}

async fn a_unit_keeps_the_absences_of_its_own_people_alone(city: City) {
    let city = city.with_division().await;
    denied(city.keeps(city.approver("finance", away("water-head"))).await, "PERMISSION_DENIED");
    denied(city.keeps(city.approver("water", away("qiao-feihong"))).await, "PERMISSION_DENIED");
    denied(city.keeps(city.approver("water", away("nobody"))).await, "PERMISSION_DENIED");
    let name = city.keeps(city.approver("water", away("water-head"))).await.unwrap().name;
    denied(city.extends(city.approver("finance", extend(&name, LATER))).await, "PERMISSION_DENIED");
    city.extends(city.approver("water", extend(&name, LATER))).await.unwrap();
    let corrected = correct(&name, START, END);
    let corrected = city.roster().correct_absence(city.approver("water", corrected)).await;
    denied(corrected.map_err(refused), "PERMISSION_DENIED");
    let cancel = || proto::CancelAbsenceRequest { name: name.clone(), ..Default::default() };
    let other = city.roster().cancel_absence(city.approver("finance", cancel())).await;
    denied(other.map_err(refused), "PERMISSION_DENIED");
    city.roster().cancel_absence(city.approver("water", cancel())).await.unwrap();
    assert_eq!(
        city.history(&name).await,
        ["roster.absence.created", "roster.absence.extended", "roster.absence.cancelled"]
    );
}

async fn somebody_who_has_left_a_unit_is_no_longer_kept_by_it(city: City) {
    let city = city.with_division().await;
    let post = |unit: &str, from: Option<&str>, to: Option<&str>| proto::Post {
        kind: proto::PostKind::UnitHead.into(),
        unit: unit.into(),
        start_time: from.map(time),
        end_time: to.map(time),
        ..Default::default()
    };
    let moved = "2023-06-01T00:00:00+08:00";
    let official = proto::Official {
        display_name: "丁".into(),
        posts: vec![post("units/water", None, Some(moved)), post("units/finance", Some(moved), None)],
        ..Default::default()
    };
    let request = proto::CreateOfficialRequest {
        official: Some(official),
        official_id: "moving".into(),
        ..Default::default()
    };
    city.directory().create_official(city.admin(request)).await.unwrap();
    let name = city.keeps(city.approver("water", away("moving"))).await.unwrap().name;
    city.advance(moved).await;
    denied(city.extends(city.approver("water", extend(&name, LATER))).await, "PERMISSION_DENIED");
    city.extends(city.approver("finance", extend(&name, LATER))).await.unwrap();
}

async fn a_leader_keeps_his_own_absences_alone(city: City) {
    let city = city.with_division().await;
    let leader = |official: &str, request| city.official_as(official, Role::Leader, request);
    denied(city.keeps(leader("hu-xiaogang", away("qiao-feihong"))).await, "PERMISSION_DENIED");
    let name = city.keeps(leader("qiao-feihong", away("qiao-feihong"))).await.unwrap().name;
    city.advance("2023-06-11T00:00:00+08:00").await;
    let end = || proto::EndAbsenceRequest { name: name.clone(), ..Default::default() };
    let other = city.roster().end_absence(city.official_as("wang-yuan", Role::Leader, end())).await;
    denied(other.map_err(refused), "PERMISSION_DENIED");
    city.roster().end_absence(city.official_as("qiao-feihong", Role::Leader, end())).await.unwrap();
    assert_eq!(city.get_absence(&name).await.state(), proto::AbsenceState::Ended);
}

async fn a_supervisor_keeps_and_corrects_every_absence(city: City) {
    let city = city.with_division().await;
    let name = city.keeps(city.supervisor(away("qiao-feihong"))).await.unwrap().name;
    let corrected = city.supervisor(correct(&name, START, LATER));
    let corrected = city.roster().correct_absence(corrected).await.unwrap().into_inner();
    assert_eq!(corrected.end_time, Some(time(LATER)));
    let none = city.supervisor(extend("absences/none", LATER));
    assert_eq!(city.extends(none).await.unwrap_err().code(), Code::NotFound);
}

async fn only_the_mayor_or_whoever_records_for_him_approves(city: City) {
    let city = city.with_division().await;
    city.away("qiao-feihong", START, END).await.unwrap();
    let own = city.official_as("wang-yuan", Role::Leader, away("wang-yuan"));
    assert_eq!(city.keeps(own).await.unwrap_err().reason(), "AWAY_TOGETHER");
    let own = city.official_as("wang-yuan", Role::Leader, approved("wang-yuan"));
    denied(city.keeps(own).await, "MAYOR_DECIDES");
    denied(city.keeps(city.approver("government", approved("wang-yuan"))).await, "MAYOR_DECIDES");
    // The division says who presides: before it holds, nobody approves as the mayor.
    let mayor = || city.official_as("wang-yanfeng", Role::Leader, approved("wang-yuan"));
    denied(city.keeps(mayor()).await, "PERMISSION_DENIED");
    city.advance("2023-05-14T00:00:00+08:00").await;
    let name = city.keeps(mayor()).await.unwrap().name;
    let longer = |approval: &str, reassignment: &str| proto::ExtendAbsenceRequest {
        approval: approval.into(),
        reassignment: reassignment.into(),
        ..extend(&name, LATER)
    };
    for request in [longer("市长批示", ""), longer("", "临政办发〔2023〕19号")] {
        let own = city.official_as("wang-yuan", Role::Leader, request);
        denied(city.extends(own).await, "MAYOR_DECIDES");
    }
    city.extends(city.supervisor(longer("市长批示", ""))).await.unwrap();
}

async fn a_unit_records_its_own_list_of_stand_ins_alone(city: City) {
    let city = city.with_division().await;
    city.official("water-deputy", "乙", proto::PostKind::UnitDeputy, "units/water").await;
    let list = || proto::StandInList {
        unit: "units/water".into(),
        effective_time: Some(time(START)),
        pairs: vec![pair("water-head", "water-deputy")],
        ..Default::default()
    };
    let request =
        || proto::CreateStandInListRequest { stand_in_list: Some(list()), request_id: String::new() };
    let other = city.roster().create_stand_in_list(city.approver("finance", request())).await;
    denied(other.map_err(refused), "PERMISSION_DENIED");
    let supervisor = city.roster().create_stand_in_list(city.supervisor(request())).await;
    denied(supervisor.map_err(refused), "PERMISSION_DENIED");
    city.roster().create_stand_in_list(city.approver("water", request())).await.unwrap();
}

/// 临政办发〔2023〕12号: the mayor names a stand-in for whom the division gives work to; in a unit
/// one of its own people stands in.
async fn nobody_names_his_own_stand_in_for_the_mayor(city: City) {
    let city = city.with_division().await;
    city.official("water-deputy", "丁", proto::PostKind::UnitDeputy, "units/water").await;
    let in_june = |official: &str, stand_in: &str| proto::CreateAbsenceRequest {
        absence: Some(proto::Absence {
            stand_in: format!("officials/{stand_in}"),
            ..absence(official, START, END)
        }),
        request_id: String::new(),
    };
    let own = city.official_as("qiao-feihong", Role::Leader, in_june("qiao-feihong", "hu-xiaogang"));
    denied(city.keeps(own).await, "MAYOR_DECIDES");
    let share = proto::StandInShare {
        stand_in: "officials/hu-xiaogang".into(),
        units: vec!["units/water".into()],
        ..Default::default()
    };
    let shared = proto::Absence { shares: vec![share], ..absence("qiao-feihong", START, END) };
    let shared = proto::CreateAbsenceRequest { absence: Some(shared), request_id: String::new() };
    denied(city.keeps(city.official_as("qiao-feihong", Role::Leader, shared)).await, "MAYOR_DECIDES");
    city.keeps(city.supervisor(in_june("qiao-feihong", "hu-xiaogang"))).await.unwrap();
    let stranger =
        city.keeps(city.approver("water", in_june("water-head", "cui-yuanbin"))).await.unwrap_err();
    assert_eq!((stranger.code(), stranger.reason()), (Code::FailedPrecondition, "NOT_OF_UNIT"));
    city.keeps(city.approver("water", in_june("water-head", "water-deputy"))).await.unwrap();
}
