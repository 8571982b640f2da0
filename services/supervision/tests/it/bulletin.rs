//! Bulletins: drafted, checked by the units they are about, appealed, signed by a leader.

use domain_roster::{Mandate, MandateKind, Official, RosterEvent};
use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::unit_draft_service_client::UnitDraftServiceClient;
use xietong_proto::supervision::{AppealState, BulletinState, ScoreFigureKind};

use crate::city::{City, Store, account, at, clerk, leader, refusal, supervisor};
use crate::on_both;
use crate::papers::{file, read, words};
use crate::scoreboard::{JULY, JUNE, asked, board, june, shown, submit, verify};

on_both!(
    a_bulletin_is_checked_signed_and_issued_once,
    a_unit_sees_its_own_line_once_it_is_asked,
    an_upheld_appeal_corrects_the_score_for_good,
    a_refused_appeal_changes_no_score,
    who_may_not_appeal_decide_or_sign_is_refused,
    what_is_no_appeal_is_refused,
    a_bulletin_waits_for_its_units,
    a_stand_in_and_a_secretary_sign_for_the_leader,
    a_draft_is_computed_anew_and_a_withdrawn_one_ends,
    bulletins_are_listed_in_pages_of_what_one_sees,
    a_stale_etag_is_refused,
    a_bulletin_and_the_export_name_no_leader,
    what_is_no_bulletin_is_refused,
);

/// The end of the next working day after [`june`], which is a Wednesday.
const LIMIT: &str = "2023-06-16T00:00:00+08:00";
const FRIDAY: &str = "2023-06-16T09:00:00+08:00";

fn creation() -> proto::CreateBulletinRequest {
    proto::CreateBulletinRequest {
        start_time: Some(encode_time(at(JUNE))),
        end_time: Some(encode_time(at(JULY))),
        leader: "officials/first".to_owned(),
        ..Default::default()
    }
}

async fn draft(city: &City) -> proto::Bulletin {
    city.bulletins(&supervisor()).create_bulletin(creation()).await.unwrap().into_inner()
}

async fn check(city: &City, name: &str, before: &str) -> Result<Response<proto::Bulletin>, Status> {
    let request = proto::CheckBulletinRequest {
        name: name.to_owned(),
        before: Some(encode_time(at(before))),
        ..Default::default()
    };
    city.bulletins(&supervisor()).check_bulletin(request).await
}

/// A bulletin that its units check until [`LIMIT`].
async fn checking(city: &City) -> String {
    let name = draft(city).await.name;
    check(city, &name, LIMIT).await.unwrap();
    name
}

async fn get(city: &City, who: &Principal, name: &str, unit: &str) -> Result<proto::Bulletin, Status> {
    let request = proto::GetBulletinRequest { name: name.to_owned(), unit: unit.to_owned() };
    city.bulletins(who).get_bulletin(request).await.map(Response::into_inner)
}

async fn sign(city: &City, who: &Principal, name: &str) -> Result<Response<proto::Bulletin>, Status> {
    let request = proto::SignBulletinRequest {
        name: name.to_owned(),
        request_id: format!("sign-{}", who.subject),
        ..Default::default()
    };
    city.bulletins(who).sign_bulletin(request).await
}

async fn confirm(
    city: &City,
    who: &Principal,
    name: &str,
    unit: &str,
) -> Result<Response<proto::Bulletin>, Status> {
    let request = proto::ConfirmBulletinRequest {
        name: name.to_owned(),
        unit: format!("units/{unit}"),
        ..Default::default()
    };
    city.bulletins(who).confirm_bulletin(request).await
}

fn appealing(name: &str, unit: &str, figure: ScoreFigureKind) -> proto::CreateAppealRequest {
    proto::CreateAppealRequest {
        parent: name.to_owned(),
        unit: format!("units/{unit}"),
        figure: figure.into(),
        reason: "系统故障，当日无法填报".to_owned(),
        ..Default::default()
    }
}

async fn appeal(
    city: &City,
    who: &Principal,
    request: proto::CreateAppealRequest,
) -> Result<Response<proto::Appeal>, Status> {
    city.bulletins(who).create_appeal(request).await
}

async fn uphold(city: &City, who: &Principal, name: &str) -> Result<Response<proto::Appeal>, Status> {
    let request = proto::UpholdAppealRequest {
        name: name.to_owned(),
        ground: "平台运行记录属实".to_owned(),
        ..Default::default()
    };
    city.bulletins(who).uphold_appeal(request).await
}

async fn refuse(city: &City, who: &Principal, name: &str) -> Result<Response<proto::Appeal>, Status> {
    let request = proto::RefuseAppealRequest {
        name: name.to_owned(),
        ground: "当日系统运行正常".to_owned(),
        ..Default::default()
    };
    city.bulletins(who).refuse_appeal(request).await
}

/// The point of a figure of a unit's line that comes from no event.
async fn open_point(city: &City, name: &str) -> proto::ScorePoint {
    let bulletin = get(city, &clerk("water"), name, "units/water").await.unwrap();
    let late = bulletin.lines[0].score.as_ref().unwrap().late.as_ref().unwrap();
    let open = late.sources.iter().find(|source| source.version == 0).unwrap();
    proto::ScorePoint { assignment: open.assignment.clone(), version: 0 }
}

fn figures(line: &proto::BulletinLine) -> [i64; 5] {
    let line = line.score.as_ref().unwrap();
    [&line.on_time, &line.late, &line.days_overdue, &line.returned, &line.late_steps]
        .map(|figure| figure.as_ref().unwrap().value)
}

async fn a_bulletin_is_checked_signed_and_issued_once(store: Store) {
    let city = june(store).await;
    let drafted = draft(&city).await;
    assert_eq!(drafted.state(), BulletinState::Draft);
    assert_eq!((drafted.line_count, drafted.rule.as_ref().unwrap().version), (3, 1));
    assert_eq!(drafted.title, "关于督办事项办理情况的通报");
    let lines: Vec<_> =
        drafted.lines.iter().map(|line| (line.score.as_ref().unwrap().key.as_str(), figures(line))).collect();
    assert_eq!(
        lines,
        [
            ("units/energy", [1, 0, 0, 1, 2]),
            ("units/health", [0, 0, 0, 0, 3]),
            ("units/water", [0, 2, 10, 0, 6])
        ]
    );
    // What happens later is not in it.
    city.wait_until("2023-06-15T09:00:00+08:00").await;
    let name = &drafted.name;
    assert_eq!(get(&city, &supervisor(), name, "").await.unwrap(), drafted);
    let checked = check(&city, name, "2023-06-17T00:00:00+08:00").await.unwrap().into_inner();
    assert_eq!(checked.state(), BulletinState::Checking);
    city.wait_until("2023-06-17T09:00:00+08:00").await;
    let issued = sign(&city, &leader("first"), name).await.unwrap().into_inner();
    assert_eq!((issued.state(), issued.number.as_str()), (BulletinState::Issued, "督通〔2023〕1号"));
    assert_eq!(sign(&city, &leader("first"), name).await.unwrap().into_inner(), issued, "the first answer");

    let (_, paper) = file(&city, &clerk("office"), &issued.paper, "markdown").await.unwrap();
    let paper = String::from_utf8(paper).unwrap();
    assert!(paper.starts_with("督通〔2023〕1号\n\n# 关于督办事项办理情况的通报"), "{paper}");
    assert!(paper.contains("| 市水利局 | 0 | 2 | 0.0% | 10 | 0 | 6 |"), "{paper}");
    assert!(paper.contains("已送各单位核对，核对于2023年6月16日24时截止：3家逾期未提出。"), "{paper}");
    let request = proto::GetBulletinFileRequest { name: name.clone(), format: String::new() };
    let docx = read(city.bulletins(&supervisor()).get_bulletin_file(request).await).await.unwrap().1;
    assert!(words(&docx).contains("督通〔2023〕1号"));

    let events = city.service_events(name).await;
    let expected =
        ["drafted", "check_begun", "ready", "issued"].map(|kind| format!("supervision.bulletin.{kind}"));
    assert_eq!(events, expected);
    let (code, error) = refusal(check(&city, name, "2023-07-17T00:00:00+08:00").await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "BULLETIN_STATE"));
}

async fn a_unit_sees_its_own_line_once_it_is_asked(store: Store) {
    let city = june(store).await;
    let name = draft(&city).await.name;
    let water = clerk("water");
    assert_eq!(get(&city, &water, &name, "").await.unwrap_err().code(), Code::PermissionDenied);
    let refused = confirm(&city, &water, &name, "water").await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied, "it has not heard of it");
    check(&city, &name, LIMIT).await.unwrap();
    let seen = get(&city, &water, &name, "").await.unwrap();
    assert_eq!(seen.lines.iter().map(figures).collect::<Vec<_>>(), [[0, 2, 10, 0, 6]]);
    assert_eq!(seen.line_count, 3);
    for (who, unit) in [(&water, "units/energy"), (&clerk("office"), ""), (&clerk("office"), "units/office")]
    {
        let refused = get(&city, who, &name, unit).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{} {unit}", who.subject);
    }
    let request = proto::GetBulletinFileRequest { name: name.clone(), format: String::new() };
    let refused = city.bulletins(&water).get_bulletin_file(request).await;
    assert_eq!(read(refused).await.unwrap_err().code(), Code::PermissionDenied);
    city.follow_roster().await;
    let signer = get(&city, &leader("first"), &name, "").await.unwrap();
    assert_eq!(signer.lines.len(), 3);
    let other = get(&city, &leader("second"), &name, "").await.unwrap();
    let keys: Vec<&str> = other.lines.iter().map(|line| line.score.as_ref().unwrap().key.as_str()).collect();
    assert_eq!(keys, ["units/health", "units/water"], "of the units he is in charge of");
}

async fn an_upheld_appeal_corrects_the_score_for_good(store: Store) {
    let city = june(store).await;
    let name = checking(&city).await;
    let point = Some(open_point(&city, &name).await);
    let request = proto::CreateAppealRequest { point, ..appealing(&name, "water", ScoreFigureKind::Late) };
    let open = appeal(&city, &clerk("water"), request.clone()).await.unwrap().into_inner();
    assert_eq!((open.state(), open.name.clone()), (AppealState::Open, format!("{name}/appeals/1")));
    let (code, error) = refusal(appeal(&city, &clerk("water"), request).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "APPEALED_ALREADY"));
    city.wait_until(FRIDAY).await;
    let (code, error) = refusal(sign(&city, &leader("first"), &name).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "APPEALS_OPEN"));
    let upheld = uphold(&city, &supervisor(), &open.name).await.unwrap().into_inner();
    assert_eq!((upheld.state(), upheld.corrected.len()), (AppealState::Upheld, 1));
    assert_eq!(upheld.answer, "平台运行记录属实");
    let (code, error) = refusal(uphold(&city, &supervisor(), &open.name).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "APPEAL_DECIDED"));

    // The one that was open had six days of the ten.
    let line = get(&city, &clerk("water"), &name, "").await.unwrap().lines.remove(0);
    assert_eq!(figures(&line), [0, 1, 4, 0, 6]);
    let corrections = line.score.unwrap().corrections;
    let told: Vec<_> = corrections.iter().map(|one| (one.figure(), one.value, one.ground.as_str())).collect();
    let ground = "平台运行记录属实";
    assert_eq!(told, [(ScoreFigureKind::Late, 1, ground), (ScoreFigureKind::DaysOverdue, 6, ground)]);
    let issued = sign(&city, &leader("first"), &name).await.unwrap().into_inner();
    let (_, paper) = file(&city, &supervisor(), &issued.paper, "markdown").await.unwrap();
    let paper = String::from_utf8(paper).unwrap();
    assert!(paper.contains("| 市水利局 | 0 | 1 | 0.0% | 4 | 0 | 6 |"), "{paper}");
    assert!(paper.contains("1家提出异议并处理，其余2家逾期未提出；更正2处。"), "{paper}");

    // Later, when it is settled, and over another period.
    let assignment = open.point.unwrap().assignment;
    crate::scoreboard::sign_and_deploy(&city, "water", &assignment).await;
    submit(&city, "water", &assignment).await;
    city.wait_until("2023-06-20T09:00:00+08:00").await;
    verify(&city, &assignment, true).await;
    for (start, end, late) in [(JUNE, JULY, 1), ("2023-06-13T00:00:00+08:00", JULY, 0)] {
        let found = board(&city, &supervisor(), asked("unit", "units/water", start, end)).await;
        let line = &found.lines[0];
        assert_eq!(shown(&found)[0].3[1], late, "{start}");
        assert_eq!((line.correction_count, line.corrections[0].appeal.as_str()), (2, open.name.as_str()));
    }
}

async fn a_refused_appeal_changes_no_score(store: Store) {
    let city = june(store).await;
    let name = checking(&city).await;
    let request = appealing(&name, "water", ScoreFigureKind::LateSteps);
    let open = appeal(&city, &clerk("water"), request).await.unwrap().into_inner();
    let (code, error) = refusal(confirm(&city, &clerk("water"), &name, "water").await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "OWN_APPEAL_OPEN"));
    let refused = refuse(&city, &supervisor(), &open.name).await.unwrap().into_inner();
    assert_eq!((refused.state(), refused.corrected.len()), (AppealState::Refused, 0));
    let line = get(&city, &clerk("water"), &name, "").await.unwrap().lines.remove(0);
    assert_eq!(figures(&line), [0, 2, 10, 0, 6]);
    let bulletin = confirm(&city, &clerk("water"), &name, "water").await.unwrap().into_inner();
    assert!(bulletin.lines[0].confirm_time.is_some());
    assert_eq!((bulletin.appeal_count, bulletin.open_appeal_count, bulletin.confirmed_count), (1, 0, 1));
    let found = board(&city, &supervisor(), asked("unit", "units/water", JUNE, JULY)).await;
    assert_eq!(found.lines[0].correction_count, 0);
    // Each unit reads its own appeals.
    let request = proto::ListAppealsRequest { parent: name.clone(), ..Default::default() };
    for (who, count) in [(supervisor(), 1), (clerk("water"), 1), (clerk("energy"), 0)] {
        let found = city.bulletins(&who).list_appeals(request.clone()).await.unwrap().into_inner();
        assert_eq!(found.appeals.len(), count, "{}", who.subject);
    }
    let request = proto::GetAppealRequest { name: open.name };
    let own = city.bulletins(&clerk("water")).get_appeal(request.clone()).await.unwrap().into_inner();
    assert_eq!(own, refused);
    let other = city.bulletins(&clerk("energy")).get_appeal(request).await;
    assert_eq!(refusal(other).0, Code::PermissionDenied);
}

async fn who_may_not_appeal_decide_or_sign_is_refused(store: Store) {
    let city = june(store).await;
    let name = checking(&city).await;
    let request = appealing(&name, "water", ScoreFigureKind::LateSteps);
    let liaison = account("liaison", Grant::of(Role::Liaison).in_unit("units/water"));
    for who in [clerk("energy"), supervisor(), liaison, leader("second")] {
        let refused = appeal(&city, &who, request.clone()).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied, "{}", who.subject);
    }
    let approver = account("approver", Grant::of(Role::UnitApprover).in_unit("units/water"));
    let setting = proto::ReleaseSetting {
        name: "units/water/releaseSetting".to_owned(),
        release_required: true,
        ..Default::default()
    };
    let setting = proto::UpdateReleaseSettingRequest { setting: Some(setting), ..Default::default() };
    let (channel, bearer) = city.as_caller(&approver);
    UnitDraftServiceClient::with_interceptor(channel, bearer).update_release_setting(setting).await.unwrap();
    for refused in [
        refusal(appeal(&city, &clerk("water"), request.clone()).await),
        refusal(confirm(&city, &clerk("water"), &name, "water").await),
    ] {
        assert_eq!((refused.0, refused.1.reason()), (Code::FailedPrecondition, "NEEDS_APPROVER"));
    }
    let open = appeal(&city, &approver, request).await.unwrap().into_inner();
    let own = Principal::account(
        "supervisor-of-water",
        None,
        vec![Grant::of(Role::Supervisor), Grant::of(Role::UnitClerk).in_unit("units/water")],
    );
    for outcome in [uphold(&city, &own, &open.name).await, refuse(&city, &own, &open.name).await] {
        let (code, error) = refusal(outcome);
        assert_eq!((code, error.reason()), (Code::PermissionDenied, "OWN_APPEAL"));
    }
    for who in [clerk("water"), leader("first"), account("auditor", Grant::of(Role::Auditor))] {
        let refused = uphold(&city, &who, &open.name).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied, "{}", who.subject);
    }
    refuse(&city, &supervisor(), &open.name).await.unwrap();
    city.wait_until(FRIDAY).await;
    for who in [supervisor(), leader("second"), leader("mayor"), clerk("water")] {
        let refused = sign(&city, &who, &name).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied, "{}", who.subject);
    }
    let refused = city.bulletins(&clerk("water")).create_bulletin(creation()).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied);
}

async fn what_is_no_appeal_is_refused(store: Store) {
    let city = june(store).await;
    let name = checking(&city).await;
    let good = || appealing(&name, "water", ScoreFigureKind::Late);
    let nowhere = proto::ScorePoint { assignment: "tasks/1/assignments/1".to_owned(), version: 7 };
    let negative = proto::ScorePoint { version: -1, ..nowhere.clone() };
    for (request, field) in [
        (proto::CreateAppealRequest { reason: " ".to_owned(), ..good() }, "reason"),
        (proto::CreateAppealRequest { reason: "长".repeat(1_001), ..good() }, "reason"),
        (proto::CreateAppealRequest { figure: 0, ..good() }, "figure"),
        (proto::CreateAppealRequest { figure: 99, ..good() }, "figure"),
        (proto::CreateAppealRequest { point: Some(nowhere), ..good() }, "point"),
        (proto::CreateAppealRequest { point: Some(negative), ..good() }, "point.version"),
        (appealing(&name, "water", ScoreFigureKind::Returned), "point"),
        (proto::CreateAppealRequest { parent: "tasks/1".to_owned(), ..good() }, "parent"),
    ] {
        let (code, error) = refusal(appeal(&city, &clerk("water"), request.clone()).await);
        assert_eq!(
            (code, error.violations()[0].field.as_str()),
            (Code::InvalidArgument, field),
            "{request:?}"
        );
    }
    let open = appeal(&city, &clerk("water"), good()).await.unwrap().into_inner();
    let request = proto::UpholdAppealRequest {
        name: open.name.clone(),
        corrected: vec![proto::ScorePoint { assignment: "tasks/1/assignments/1".to_owned(), version: 3 }],
        ground: "属实".to_owned(),
        ..Default::default()
    };
    let (code, error) = refusal(city.bulletins(&supervisor()).uphold_appeal(request).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "corrected"));
    let request = proto::RefuseAppealRequest { name: open.name, ..Default::default() };
    let (code, error) = refusal(city.bulletins(&supervisor()).refuse_appeal(request).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "ground"));
    for missing in [format!("{name}/appeals/9"), "bulletins/none/appeals/1".to_owned()] {
        assert_eq!(refusal(uphold(&city, &supervisor(), &missing).await).0, Code::NotFound, "{missing}");
    }
    city.wait_until(FRIDAY).await;
    let late = appealing(&name, "water", ScoreFigureKind::LateSteps);
    let (code, error) = refusal(appeal(&city, &clerk("water"), late).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "CHECK_OVER"));
}

async fn a_bulletin_waits_for_its_units(store: Store) {
    let city = june(store).await;
    let name = draft(&city).await.name;
    let (code, error) = refusal(check(&city, &name, "2023-06-15T23:59:59+08:00").await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "before"));
    let (code, error) = refusal(sign(&city, &leader("first"), &name).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "BULLETIN_STATE"));
    check(&city, &name, LIMIT).await.unwrap();
    for unit in ["energy", "health"] {
        confirm(&city, &clerk(unit), &name, unit).await.unwrap();
    }
    let (code, error) = refusal(sign(&city, &leader("first"), &name).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "CHECK_RUNNING"));
    let (code, error) = refusal(confirm(&city, &clerk("energy"), &name, "energy").await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "CONFIRMED"));
    let late = appealing(&name, "energy", ScoreFigureKind::LateSteps);
    let (code, error) = refusal(appeal(&city, &clerk("energy"), late).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "CONFIRMED"));
    confirm(&city, &clerk("water"), &name, "water").await.unwrap();
    let issued = sign(&city, &leader("first"), &name).await.unwrap().into_inner();
    assert_eq!(issued.state(), BulletinState::Issued, "every unit has confirmed");
}

async fn a_stand_in_and_a_secretary_sign_for_the_leader(store: Store) {
    let mut city = june(store).await;
    let (first, second) = (checking(&city).await, checking(&city).await);
    let helper =
        Official { name: "officials/helper".to_owned(), display_name: "甲".to_owned(), posts: vec![] };
    let mandate = Mandate {
        name: "mandates/one".to_owned(),
        kind: MandateKind::Secretary,
        leader: "officials/first".to_owned(),
        holder: "officials/helper".to_owned(),
        acts: vec!["supervision.bulletins.sign".to_owned()],
        units: vec![],
        start_time: at(JUNE),
        end_time: None,
        ground: "市政府办公室通知".to_owned(),
        recorded_at: at(JUNE),
        revoked_at: None,
    };
    let about_one_unit = Mandate {
        name: "mandates/two".to_owned(),
        holder: "officials/other".to_owned(),
        units: vec!["units/energy".to_owned()],
        ..mandate.clone()
    };
    let other = Official { name: "officials/other".to_owned(), ..helper.clone() };
    let now = at("2023-06-14T09:00:00+08:00");
    for event in [
        RosterEvent::OfficialCreated(helper),
        RosterEvent::OfficialCreated(other),
        RosterEvent::MandateCreated(mandate),
        RosterEvent::MandateCreated(about_one_unit),
    ] {
        city.roster.record(event, now).await;
    }
    city.roster.away("first", at("2023-06-15T00:00:00+08:00"), 10).await;
    city.wait_until(FRIDAY).await;
    city.follow_roster().await;
    let secretary = |id: &str| {
        let grants = vec![Grant::of(Role::Secretary)];
        Principal::account(id, Some(format!("officials/{id}")), grants)
    };
    let refused = sign(&city, &secretary("other"), &first).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied, "a mandate about one unit");
    sign(&city, &secretary("helper"), &first).await.unwrap();
    sign(&city, &leader("second"), &second).await.unwrap();
    for (name, ground) in [(&first, "秘书代副市长一录入"), (&second, "代副市长一行使职权")]
    {
        let (acting_for, told) = city.last_stamp(name).await;
        assert_eq!(acting_for.as_deref(), Some("officials/first"));
        assert!(told.as_ref().is_some_and(|told| told.contains(ground)), "{told:?}");
    }
}

async fn a_draft_is_computed_anew_and_a_withdrawn_one_ends(store: Store) {
    let city = june(store).await;
    let drafted = draft(&city).await;
    city.wait_until("2023-06-15T09:00:00+08:00").await;
    let request = proto::RecomputeBulletinRequest { name: drafted.name.clone(), ..Default::default() };
    let again = city.bulletins(&supervisor()).recompute_bulletin(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        (again.score_time, again.end_time),
        (Some(encode_time(at("2023-06-15T09:00:00+08:00"))), drafted.end_time)
    );
    check(&city, &drafted.name, "2023-06-17T00:00:00+08:00").await.unwrap();
    let (code, error) = refusal(city.bulletins(&supervisor()).recompute_bulletin(request).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "BULLETIN_STATE"));
    let withdraw = |ground: &str| proto::WithdrawBulletinRequest {
        name: drafted.name.clone(),
        ground: ground.to_owned(),
        ..Default::default()
    };
    for ground in ["", &"长".repeat(1_001)] {
        let (code, error) = refusal(city.bulletins(&supervisor()).withdraw_bulletin(withdraw(ground)).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "ground"));
    }
    let withdrawn =
        city.bulletins(&supervisor()).withdraw_bulletin(withdraw("口径有误")).await.unwrap().into_inner();
    assert_eq!(
        (withdrawn.state(), withdrawn.withdrawal_ground.as_str()),
        (BulletinState::Withdrawn, "口径有误")
    );
    city.wait_until("2023-06-19T09:00:00+08:00").await;
    let (code, error) = refusal(sign(&city, &leader("first"), &drafted.name).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "BULLETIN_STATE"));
}

async fn bulletins_are_listed_in_pages_of_what_one_sees(store: Store) {
    let city = june(store).await;
    let names = [checking(&city).await, checking(&city).await, draft(&city).await.name];
    let list = async |who: &Principal, state: BulletinState| {
        let mut request =
            proto::ListBulletinsRequest { state: state.into(), page_size: 1, ..Default::default() };
        let mut found = Vec::new();
        loop {
            let page = city.bulletins(who).list_bulletins(request.clone()).await.unwrap().into_inner();
            assert!(page.bulletins.iter().all(|one| one.lines.is_empty()));
            found.extend(page.bulletins.into_iter().map(|one| one.name));
            if page.next_page_token.is_empty() {
                return found;
            }
            request.page_token = page.next_page_token;
        }
    };
    let newest_first: Vec<String> = names.iter().rev().cloned().collect();
    city.follow_roster().await;
    for who in [supervisor(), leader("first")] {
        assert_eq!(list(&who, BulletinState::Unspecified).await, newest_first, "{}", who.subject);
        assert_eq!(list(&who, BulletinState::Draft).await, newest_first[..1]);
    }
    assert_eq!(list(&clerk("water"), BulletinState::Unspecified).await, newest_first[1..]);
    assert_eq!(list(&clerk("office"), BulletinState::Unspecified).await, Vec::<String>::new());
    assert_eq!(list(&leader("mayor"), BulletinState::Unspecified).await, Vec::<String>::new());
    let token = proto::ListBulletinsRequest { page_token: "nonsense".to_owned(), ..Default::default() };
    let (code, _) = refusal(city.bulletins(&supervisor()).list_bulletins(token).await);
    assert_eq!(code, Code::InvalidArgument);
}

async fn a_stale_etag_is_refused(store: Store) {
    let city = june(store).await;
    let drafted = draft(&city).await;
    let request = |etag: &str| proto::RecomputeBulletinRequest {
        name: drafted.name.clone(),
        etag: etag.to_owned(),
        ..Default::default()
    };
    let mut bulletins = city.bulletins(&supervisor());
    let changed = bulletins.recompute_bulletin(request(&drafted.etag)).await.unwrap().into_inner();
    assert_ne!(changed.etag, drafted.etag);
    assert_eq!(refusal(bulletins.recompute_bulletin(request(&drafted.etag)).await).0, Code::Aborted);
}

async fn a_bulletin_and_the_export_name_no_leader(store: Store) {
    let city = june(store).await;
    let name = checking(&city).await;
    city.wait_until(FRIDAY).await;
    let issued = sign(&city, &leader("first"), &name).await.unwrap().into_inner();
    let mut lines = issued.lines.iter().map(|line| line.score.as_ref().unwrap());
    assert!(lines.all(|line| line.key.starts_with("units/") && line.rank == 0));
    let (_, paper) = file(&city, &supervisor(), &issued.paper, "markdown").await.unwrap();
    let request = proto::ExportLedgerRequest { format: "csv".to_owned(), ..Default::default() };
    let (_, export) = read(city.ledger(&supervisor()).export_ledger(request).await).await.unwrap();
    for text in [paper, export] {
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("市水利局"), "{text}");
        for leader in ["副市长一", "副市长二", "officials/"] {
            assert!(!text.contains(leader), "{leader} in {text}");
        }
    }
}

async fn what_is_no_bulletin_is_refused(store: Store) {
    let city = june(store).await;
    let mut bulletins = city.bulletins(&supervisor());
    for (request, field) in [
        (proto::CreateBulletinRequest { title: "长".repeat(201), ..creation() }, "title"),
        (proto::CreateBulletinRequest { leader: "units/energy".to_owned(), ..creation() }, "leader"),
        (proto::CreateBulletinRequest { leader: "officials/nobody".to_owned(), ..creation() }, "leader"),
        (proto::CreateBulletinRequest { start_time: None, ..creation() }, "start_time"),
        (proto::CreateBulletinRequest { start_time: Some(encode_time(at(JULY))), ..creation() }, "end_time"),
        (proto::CreateBulletinRequest { rule_version: 9, ..creation() }, "rule_version"),
        (proto::CreateBulletinRequest { rule_version: -1, ..creation() }, "rule_version"),
    ] {
        let (code, error) = refusal(bulletins.create_bulletin(request.clone()).await);
        assert_eq!(
            (code, error.violations()[0].field.as_str()),
            (Code::InvalidArgument, field),
            "{request:?}"
        );
    }
    assert_eq!(get(&city, &supervisor(), "bulletins/none", "").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(refusal(check(&city, "bulletins/none", LIMIT).await).0, Code::NotFound);
    for who in [leader("first"), clerk("water")] {
        let missing = get(&city, &who, "bulletins/none", "").await.unwrap_err();
        assert_eq!(missing.code(), Code::PermissionDenied, "{}", who.subject);
    }
    let refused = sign(&city, &leader("first"), "bulletins/none").await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied);
}

impl City {
    /// The types of an aggregate's events, in order; their chain holds.
    async fn service_events(&self, aggregate: &str) -> Vec<String> {
        let events = self.service.log.of_aggregate(aggregate).await.unwrap();
        xietong_events::verify_chain(&events).unwrap();
        events.into_iter().map(|event| event.event_type).collect()
    }

    /// For whom, and on what ground, the last event of an aggregate was done.
    async fn last_stamp(&self, aggregate: &str) -> (Option<String>, Option<String>) {
        let last = self.service.log.of_aggregate(aggregate).await.unwrap().pop().unwrap();
        (last.acting_for, last.ground)
    }
}
