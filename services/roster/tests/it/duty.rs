//! Duty rosters: who keeps watch when.

use tonic::{Response, Status};
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;
use xietong_proto::roster::duty_service_client::DutyServiceClient;

use crate::city::{City, on_both, refused, time};

on_both!(
    a_watch_hands_over_by_rule_and_says_who_is_there,
    a_change_and_a_swap_leave_what_is_over_and_survive_a_restart,
    shifts_are_listed_page_by_page,
    a_swap_takes_the_rest_of_a_shift_that_runs_and_a_change_drops_none_unasked,
    a_watch_nobody_keeps_is_a_gap_that_is_told_and_called_off,
    a_unit_keeps_its_own_watch_and_nobody_elses,
    a_malformed_duty_roster_is_refused,
);

fn answered<T>(answer: Result<Response<T>, Status>) -> Result<T, Error> {
    answer.map(Response::into_inner).map_err(refused)
}

fn team(leader: &str, members: &[&str]) -> proto::DutyTeam {
    proto::DutyTeam {
        leader: format!("officials/{leader}"),
        members: members.iter().map(|one| format!("officials/{one}")).collect(),
    }
}

fn flood() -> proto::DutyRoster {
    proto::DutyRoster {
        display_name: "市防汛抗旱指挥部办公室值班表".into(),
        unit: "units/water".into(),
        start_time: Some(time("2023-06-01T08:00:00+08:00")),
        end_time: Some(time("2023-10-01T08:00:00+08:00")),
        handover_times: vec!["08:00".into(), "20:00".into()],
        teams: vec![team("water-head", &[]), team("qiao-feihong", &["wang-yuan"])],
        ..proto::DutyRoster::default()
    }
}

impl City {
    fn duty(&self) -> DutyServiceClient<xietong_mesh::layer::MeshService<tonic::service::Routes>> {
        DutyServiceClient::new(self.routes())
    }

    pub(crate) async fn keep_watch(&self, roster: proto::DutyRoster) -> Result<proto::DutyRoster, Error> {
        let request = proto::CreateDutyRosterRequest { duty_roster: Some(roster), request_id: String::new() };
        answered(self.duty().create_duty_roster(self.admin(request)).await)
    }

    pub(crate) async fn flood_watch(&self) -> String {
        self.keep_watch(flood()).await.unwrap().name
    }

    async fn swap(
        &self,
        name: &str,
        start: &str,
        team: Option<proto::DutyTeam>,
    ) -> Result<proto::DutyRoster, Error> {
        let request = proto::SwapDutyShiftRequest {
            name: name.into(),
            shift_start_time: Some(time(start)),
            team,
            ground: "赴省城开会".into(),
            ..proto::SwapDutyShiftRequest::default()
        };
        answered(self.duty().swap_duty_shift(self.admin(request)).await)
    }

    async fn change_watch(
        &self,
        request: proto::ChangeDutyRosterRequest,
    ) -> Result<proto::DutyRoster, Error> {
        answered(self.duty().change_duty_roster(self.admin(request)).await)
    }

    async fn shifts(&self, name: &str, start: &str, end: &str) -> Vec<proto::DutyShift> {
        let request = proto::ListDutyShiftsRequest {
            name: name.into(),
            start_time: Some(time(start)),
            end_time: Some(time(end)),
            page_size: 1_000,
            ..proto::ListDutyShiftsRequest::default()
        };
        answered(self.duty().list_duty_shifts(self.clerk(request)).await).unwrap().shifts
    }

    /// Who leads the watch at an instant.
    async fn on_duty(&self, name: &str, instant: &str) -> String {
        let shifts = self.shifts(name, instant, "2023-09-01T00:00:00+08:00").await;
        shifts[0].leader.as_ref().map(|leader| leader.display_name.clone()).unwrap_or_default()
    }
}

async fn a_watch_hands_over_by_rule_and_says_who_is_there(city: City) {
    let city = city.with_division().await;
    let name = city.flood_watch().await;
    assert_eq!(city.on_duty(&name, "2023-06-01T08:00:00+08:00").await, "甲");
    assert_eq!(city.on_duty(&name, "2023-06-01T20:00:00+08:00").await, "乔飞鸿");
    assert_eq!(city.on_duty(&name, "2023-06-02T19:59:59+08:00").await, "甲");
    city.away("qiao-feihong", "2023-06-02T00:00:00+08:00", "2023-06-03T00:00:00+08:00").await.unwrap();
    let shifts = city.shifts(&name, "2023-06-01T20:00:00+08:00", "2023-06-02T08:00:00+08:00").await;
    let [shift] = shifts.as_slice() else { panic!("{shifts:?}") };
    assert!(shift.leader.as_ref().unwrap().away && !shift.members[0].away);
    assert!(shift.gaps.is_empty(), "one of them is there");
    let request = proto::ListDutyRostersRequest { unit: "units/water".into(), ..Default::default() };
    let listed = answered(city.duty().list_duty_rosters(city.clerk(request)).await).unwrap();
    assert_eq!(listed.duty_rosters[0].handover_times, ["08:00", "20:00"]);
    let request = proto::GetDutyRosterRequest { name: "dutyRosters/none".into() };
    let none = answered(city.duty().get_duty_roster(city.clerk(request)).await).unwrap_err();
    assert_eq!(none.code(), Code::NotFound);
}

async fn a_change_and_a_swap_leave_what_is_over_and_survive_a_restart(city: City) {
    let city = city.with_division().await;
    let name = city.flood_watch().await;
    city.advance("2023-06-05T09:00:00+08:00").await;
    let over = city.swap(&name, "2023-06-01T08:00:00+08:00", None).await.unwrap_err();
    assert_eq!((over.code(), over.reason()), (Code::FailedPrecondition, "DUTY_OVER"));
    let none = city.swap(&name, "2023-06-07T09:00:00+08:00", None).await.unwrap_err();
    assert_eq!(none.reason(), "SHIFT_UNKNOWN");
    let swapped =
        city.swap(&name, "2023-06-07T08:00:00+08:00", Some(team("cui-yuanbin", &[]))).await.unwrap();
    assert_eq!(swapped.etag, "v2");
    let change = |effective: Option<&str>, etag: &str| proto::ChangeDutyRosterRequest {
        name: name.clone(),
        duty_roster: Some(proto::DutyRoster { first_team: 1, unit: "units/finance".into(), ..flood() }),
        effective_time: effective.map(time),
        etag: etag.into(),
        request_id: String::new(),
        drops_swaps: false,
    };
    let past = city.change_watch(change(Some("2023-06-04T08:00:00+08:00"), "")).await.unwrap_err();
    assert_eq!(past.reason(), "DUTY_OVER");
    let stale = city.change_watch(change(None, "v1")).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted);
    let changed = city.change_watch(change(Some("2023-06-10T08:00:00+08:00"), "v2")).await.unwrap();
    assert_eq!(changed.unit, "units/water", "whose watch it is never changes");
    let city = city.restarted().await;
    for (instant, leader) in [
        ("2023-06-01T08:00:00+08:00", "甲"),
        ("2023-06-07T08:00:00+08:00", "崔元斌"),
        ("2023-06-08T08:00:00+08:00", "甲"),
        ("2023-06-10T08:00:00+08:00", "乔飞鸿"),
        ("2023-06-10T20:00:00+08:00", "甲"),
    ] {
        assert_eq!(city.on_duty(&name, instant).await, leader, "{instant}");
    }
    let history = ["roster.duty_roster.created", "roster.duty_roster.swapped", "roster.duty_roster.changed"];
    assert_eq!(city.history(&name).await, history);
}

async fn a_watch_nobody_keeps_is_a_gap_that_is_told_and_called_off(city: City) {
    let city = city.with_division().await;
    let name = city.flood_watch().await;
    city.advance("2023-05-20T09:00:00+08:00").await;
    let shift = "2023-06-02T08:00:00+08:00";
    city.swap(&name, shift, None).await.unwrap();
    city.watch().await;
    let answer = city.coverage(Some("2023-06-01T08:00:00+08:00"), Some("2023-06-10T00:00:00+08:00")).await;
    let gaps = answer.unwrap().gaps;
    let [gap] = gaps.as_slice() else { panic!("{gaps:?}") };
    assert_eq!(gap.kind(), proto::CoverageGapKind::DutyUnmanned);
    assert_eq!((gap.duty_roster.as_str(), gap.start_time), (name.as_str(), Some(time(shift))));
    assert_eq!(gap.reason, "市防汛抗旱指挥部办公室值班表无人值班");
    city.swap(&name, shift, Some(team("water-head", &[]))).await.unwrap();
    city.watch().await;
    let told: Vec<String> = city.alarms(&name).await.into_iter().map(|(what, ..)| what).collect();
    assert_eq!(told, ["opened", "closed"]);
}

async fn a_unit_keeps_its_own_watch_and_nobody_elses(city: City) {
    let city = city.with_division().await;
    let approver = |unit: &str| vec![Grant::of(Role::UnitApprover).in_unit(unit)];
    let create = || proto::CreateDutyRosterRequest { duty_roster: Some(flood()), request_id: String::new() };
    let name =
        answered(city.duty().create_duty_roster(city.of("a", approver("units/water"), create())).await);
    let name = name.unwrap().name;
    let supervisor = vec![Grant::of(Role::Supervisor)];
    answered(city.duty().create_duty_roster(city.of("s", supervisor, create())).await).unwrap();
    let clerk = vec![Grant::of(Role::UnitClerk).in_unit("units/water")];
    for grants in [approver("units/finance"), clerk, vec![Grant::of(Role::Leader)], vec![]] {
        let created = city.duty().create_duty_roster(city.of("one", grants.clone(), create())).await;
        assert_eq!(answered(created).unwrap_err().code(), Code::PermissionDenied);
        let swap = proto::SwapDutyShiftRequest {
            name: name.clone(),
            shift_start_time: Some(time("2023-06-02T08:00:00+08:00")),
            ground: "换班".into(),
            ..proto::SwapDutyShiftRequest::default()
        };
        let swapped = city.duty().swap_duty_shift(city.of("one", grants, swap)).await;
        assert!(answered(swapped).is_err());
    }
    assert_eq!(city.history(&name).await.len(), 1);
}

async fn a_malformed_duty_roster_is_refused(city: City) {
    let city = city.with_division().await;
    for (field, roster) in [
        ("duty_roster.handover_times", proto::DutyRoster { handover_times: vec!["8:00".into()], ..flood() }),
        ("duty_roster.handover_times", proto::DutyRoster { handover_times: vec!["24:00".into()], ..flood() }),
        ("duty_roster.handover_times", proto::DutyRoster { handover_times: vec![], ..flood() }),
        ("duty_roster.first_team", proto::DutyRoster { first_team: 2, ..flood() }),
        ("duty_roster.start_time", proto::DutyRoster { start_time: None, ..flood() }),
        (
            "duty_roster.end_time",
            proto::DutyRoster { end_time: Some(time("2024-09-01T08:00:00+08:00")), ..flood() },
        ),
        ("duty_roster.teams", proto::DutyRoster { teams: vec![team("water-head", &[]); 101], ..flood() }),
        ("teams", proto::DutyRoster { teams: vec![team("water-head", &["water-head"])], ..flood() }),
    ] {
        let refused = city.keep_watch(roster).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert_eq!(refused.violations()[0].field, field);
    }
    let unknown = proto::DutyRoster { teams: vec![team("nobody", &[])], ..flood() };
    assert_eq!(city.keep_watch(unknown).await.unwrap_err().code(), Code::NotFound);
    let request = proto::ListDutyRostersRequest::default();
    let listed = answered(city.duty().list_duty_rosters(city.clerk(request)).await).unwrap();
    assert!(listed.duty_rosters.is_empty());
}

async fn shifts_are_listed_page_by_page(city: City) {
    let city = city.with_division().await;
    let name = city.flood_watch().await;
    let request = |page_size, page_token: &str| proto::ListDutyShiftsRequest {
        name: name.clone(),
        start_time: Some(time("2023-06-01T08:00:00+08:00")),
        end_time: Some(time("2023-07-01T08:00:00+08:00")),
        page_size,
        page_token: page_token.to_owned(),
        ..proto::ListDutyShiftsRequest::default()
    };
    let list = async |request| answered(city.duty().list_duty_shifts(city.clerk(request)).await);
    let all = list(request(1_000, "")).await.unwrap();
    assert_eq!((all.shifts.len(), all.next_page_token.as_str()), (60, ""));
    assert_eq!(list(request(0, "")).await.unwrap().shifts.len(), 50, "unless asked for otherwise");
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let page = list(request(25, &token)).await.unwrap();
        found.extend(page.shifts);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(found, all.shifts);
    let first = list(request(25, "")).await.unwrap().next_page_token;
    let other = proto::ListDutyShiftsRequest { end_time: None, ..request(25, &first) };
    assert_eq!(list(other).await.unwrap_err().violations()[0].field, "page_token");
    assert_eq!(list(request(-1, "")).await.unwrap_err().violations()[0].field, "page_size");
}

async fn a_swap_takes_the_rest_of_a_shift_that_runs_and_a_change_drops_none_unasked(city: City) {
    let city = city.with_division().await;
    let name = city.flood_watch().await;
    let (start, seven) = ("2023-06-05T08:00:00+08:00", "2023-06-05T19:00:00+08:00");
    city.advance(seven).await;
    city.swap(&name, start, Some(team("cui-yuanbin", &[]))).await.unwrap();
    let next = "2023-06-06T08:00:00+08:00";
    city.swap(&name, next, Some(team("cui-yuanbin", &[]))).await.unwrap();
    let shifts = city.shifts(&name, start, "2023-06-05T20:00:00+08:00").await;
    let [kept, rest] = shifts.as_slice() else { panic!("{shifts:?}") };
    assert_eq!(
        (kept.leader.as_ref().unwrap().display_name.as_str(), kept.end_time),
        ("甲", Some(time(seven)))
    );
    assert_eq!(rest.leader.as_ref().unwrap().display_name, "崔元斌");
    assert_eq!((rest.start_time, rest.shift_start_time), (Some(time(seven)), Some(time(start))));

    let change = |drops_swaps| proto::ChangeDutyRosterRequest {
        name: name.clone(),
        duty_roster: Some(proto::DutyRoster {
            handover_times: vec!["09:00".into(), "20:00".into()],
            ..flood()
        }),
        effective_time: Some(time("2023-06-05T20:00:00+08:00")),
        drops_swaps,
        ..proto::ChangeDutyRosterRequest::default()
    };
    let refused = city.change_watch(change(false)).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::FailedPrecondition, "SWAPS_ORPHANED"));
    assert_eq!(city.on_duty(&name, next).await, "崔元斌", "nothing was changed");
    city.change_watch(change(true)).await.unwrap();
    assert_ne!(city.on_duty(&name, "2023-06-06T09:00:00+08:00").await, "崔元斌");
}
