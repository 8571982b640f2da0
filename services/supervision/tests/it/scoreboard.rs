//! How units keep their dates: each figure is what happened, and who may see whose.

use tonic::Code;
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};

use crate::city::{City, Store, account, at, clerk, leader, refusal, task, task_of};
use crate::on_both;

on_both!(
    every_figure_names_what_it_comes_from,
    a_period_is_scored_as_it_was,
    what_concerns_one_leader_is_his_and_the_mayors,
    a_unit_sees_its_own_line_and_no_rank,
    what_is_no_period_is_refused,
    reopening_corrects_a_score_and_rewrites_none,
    a_return_that_was_refused_is_a_figure_of_its_own,
);

pub(crate) const JUNE: &str = "2023-06-01T00:00:00+08:00";
pub(crate) const JULY: &str = "2023-07-01T00:00:00+08:00";

pub(crate) fn asked(group_by: &str, key: &str, start: &str, end: &str) -> proto::GetScoreboardRequest {
    proto::GetScoreboardRequest {
        group_by: group_by.to_owned(),
        key: key.to_owned(),
        start_time: Some(encode_time(at(start))),
        end_time: Some(encode_time(at(end))),
        rule_version: 0,
    }
}

fn supervisor() -> Principal {
    account("supervisor", Grant::of(Role::Supervisor))
}

pub(crate) async fn board(
    city: &City,
    reader: &Principal,
    request: proto::GetScoreboardRequest,
) -> proto::Scoreboard {
    city.ledger(reader).get_scoreboard(request).await.unwrap().into_inner()
}

/// Key, rank, rate; on time, late, days overdue, returned, late steps.
pub(crate) type Shown<'a> = (&'a str, i32, &'a str, [i64; 5]);

pub(crate) fn shown(board: &proto::Scoreboard) -> Vec<Shown<'_>> {
    let value = |figure: &Option<proto::ScoreFigure>| figure.as_ref().unwrap().value;
    let line = |line: &proto::ScoreLine| {
        [&line.on_time, &line.late, &line.days_overdue, &line.returned, &line.late_steps].map(value)
    };
    board.lines.iter().map(|one| (one.key.as_str(), one.rank, one.on_time_rate.as_str(), line(one))).collect()
}

pub(crate) async fn sign_and_deploy(city: &City, unit: &str, name: &str) {
    let mut clerk = city.clerk(unit);
    let sign = proto::SignAssignmentRequest { name: name.to_owned(), ..Default::default() };
    clerk.sign_assignment(sign).await.unwrap();
    let deploy = proto::DeployAssignmentRequest { name: name.to_owned(), ..Default::default() };
    clerk.deploy_assignment(deploy).await.unwrap();
}

pub(crate) async fn submit(city: &City, unit: &str, name: &str) {
    let request = proto::SubmitAssignmentRequest {
        name: name.to_owned(),
        text: "已完成".to_owned(),
        ..Default::default()
    };
    city.clerk(unit).submit_assignment(request).await.unwrap();
}

pub(crate) async fn verify(city: &City, name: &str, accept: bool) {
    let request = proto::VerifyAssignmentRequest {
        name: name.to_owned(),
        accept,
        note: "材料不齐".to_owned(),
        ..Default::default()
    };
    city.supervisor().verify_assignment(request).await.unwrap();
}

/// Energy settles one in time after it was sent back once, with health, who did nothing, closed
/// with it; water settles one late and leaves one open; energy leaves one that is not due.
pub(crate) async fn june(store: Store) -> City {
    let city = City::start(store).await;
    let first = city.issued(task("一", &[("energy", Lead), ("health", Cooperating)])).await;
    let second = city.issued(task_of("water")).await;
    city.issued(task_of("water")).await;
    let first = first.assignments[0].name.clone();
    sign_and_deploy(&city, "energy", &first).await;
    submit(&city, "energy", &first).await;
    city.wait_until("2023-06-03T09:00:00+08:00").await;
    verify(&city, &first, false).await;
    submit(&city, "energy", &first).await;
    city.wait_until("2023-06-05T09:00:00+08:00").await;
    verify(&city, &first, true).await;
    city.wait_until("2023-06-12T09:00:00+08:00").await;
    city.issued(task_of("energy")).await;
    let second = second.assignments[0].name.clone();
    sign_and_deploy(&city, "water", &second).await;
    submit(&city, "water", &second).await;
    verify(&city, &second, true).await;
    city.wait_until("2023-06-14T08:00:00+08:00").await;
    city.clock.set(at("2023-06-14T09:00:00+08:00"));
    city
}

async fn every_figure_names_what_it_comes_from(store: Store) {
    let city = june(store).await;
    let found = board(&city, &supervisor(), asked("", "", JUNE, JULY)).await;
    assert_eq!(found.end_time, Some(encode_time(at("2023-06-14T09:00:00+08:00"))), "until now");
    assert_eq!(
        shown(&found),
        [
            // Two late steps: the new task was not signed for and not deployed on its day.
            ("units/energy", 1, "100.0", [1, 0, 0, 1, 2]),
            // 4 days of the one, 6 of the other; of each three steps.
            ("units/water", 2, "0.0", [0, 2, 10, 0, 6]),
            ("units/health", 0, "", [0, 0, 0, 0, 3]),
        ]
    );
    assert_eq!((found.line_count, found.rule.unwrap().version), (3, 1));
    let energy = &found.lines[0];
    for (figure, kind) in [
        (&energy.on_time, "supervision.assignment.struck_off"),
        (&energy.returned, "supervision.assignment.sent_back"),
        (&energy.late_steps, "supervision.assignment.urged"),
    ] {
        let figure = figure.as_ref().unwrap();
        assert_eq!(figure.source_count as usize, figure.sources.len());
        assert_eq!(figure.value, figure.sources.iter().map(|source| source.value).sum::<i64>());
        for source in &figure.sources {
            let task = source.assignment.split_once("/assignments/").unwrap().0;
            let timeline = city.timeline(task).await;
            let entry = timeline.iter().find(|entry| entry.version == source.version).unwrap();
            assert_eq!(entry.r#type, kind);
        }
    }
    let late = found.lines[1].late.as_ref().unwrap();
    let versions: Vec<bool> = late.sources.iter().map(|source| source.version > 0).collect();
    assert_eq!(versions, [true, false], "what is open is so by no event");
}

async fn a_period_is_scored_as_it_was(store: Store) {
    let city = june(store).await;
    for (start, end, expected) in [
        (
            JUNE,
            "2023-06-09T00:00:00+08:00",
            vec![
                ("units/energy", 1, "100.0", [1, 0, 0, 1, 0]),
                ("units/health", 0, "", [0, 0, 0, 0, 3]),
                ("units/water", 0, "", [0, 0, 0, 0, 6]),
            ],
        ),
        (
            "2023-06-09T00:00:00+08:00",
            "2023-06-11T00:00:00+08:00",
            // Both were open then.
            vec![("units/water", 1, "0.0", [0, 2, 4, 0, 0])],
        ),
        (
            "2023-06-13T00:00:00+08:00",
            JULY,
            vec![("units/water", 1, "0.0", [0, 1, 2, 0, 0]), ("units/energy", 0, "", [0, 0, 0, 0, 2])],
        ),
    ] {
        let found = board(&city, &supervisor(), asked("unit", "", start, end)).await;
        assert_eq!(shown(&found), expected, "{start} to {end}");
    }
    let one = board(&city, &supervisor(), asked("unit", "units/water", JUNE, JULY)).await;
    assert_eq!(shown(&one), [("units/water", 2, "0.0", [0, 2, 10, 0, 6])], "its place is among all");
}

async fn what_concerns_one_leader_is_his_and_the_mayors(store: Store) {
    let city = june(store).await;
    city.follow_roster().await;
    let by_leader = |key: &str| asked("leader", key, JUNE, JULY);
    let of_mayor = board(&city, &leader("mayor"), by_leader("")).await;
    let first = ("officials/first", 0, "100.0", [1, 0, 0, 1, 2]);
    let second = ("officials/second", 0, "0.0", [0, 2, 10, 0, 9]);
    let mayor = ("officials/mayor", 0, "", [0; 5]);
    assert_eq!(shown(&of_mayor), [first, mayor, second], "by name, never by merit");
    assert!(of_mayor.roster_as_of.is_some());
    let one = board(&city, &leader("mayor"), by_leader("officials/second")).await;
    assert_eq!(shown(&one), [second]);
    for key in ["", "officials/first"] {
        assert_eq!(shown(&board(&city, &leader("first"), by_leader(key)).await), [first]);
    }
    for (reader, key) in [
        (leader("first"), "officials/second"),
        (supervisor(), ""),
        (supervisor(), "officials/first"),
        (clerk("energy"), "officials/first"),
        (account("administrator", Grant::of(Role::Administrator)), ""),
    ] {
        let refused = city.ledger(&reader).get_scoreboard(by_leader(key)).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied, "{} {key}", reader.subject);
    }
}

async fn a_unit_sees_its_own_line_and_no_rank(store: Store) {
    let city = june(store).await;
    let found = board(&city, &clerk("water"), asked("unit", "", JUNE, JULY)).await;
    assert_eq!(shown(&found), [("units/water", 0, "0.0", [0, 2, 10, 0, 6])]);
}

async fn what_is_no_period_is_refused(store: Store) {
    let city = City::start(store).await;
    for (request, field) in [
        (asked("unit", "", JULY, "2023-08-01T00:00:00+08:00"), "end_time"),
        (asked("unit", "", JUNE, JUNE), "end_time"),
        (asked("unit", "", "2018-05-01T00:00:00+08:00", JUNE), "end_time"),
        (proto::GetScoreboardRequest { start_time: None, ..asked("", "", JUNE, JULY) }, "start_time"),
        (asked("official", "", JUNE, JULY), "group_by"),
        (asked("unit", "officials/first", JUNE, JULY), "key"),
        (asked("unit", "units/nothere", JUNE, "2023-06-01T09:00:00+08:00"), "key"),
    ] {
        let (code, error) = refusal(city.ledger(&supervisor()).get_scoreboard(request).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
}

/// Returned as misdirected and refused, reopened.
fn side_figures(line: &proto::ScoreLine) -> [i64; 2] {
    [&line.returns_refused, &line.reopened].map(|figure| figure.as_ref().unwrap().value)
}

async fn reopening_corrects_a_score_and_rewrites_none(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = task.assignments[0].name.clone();
    sign_and_deploy(&city, "energy", &name).await;
    submit(&city, "energy", &name).await;
    verify(&city, &name, true).await;
    city.wait_until("2023-07-01T09:00:00+08:00").await;
    let reopened = proto::ReopenAssignmentRequest {
        name: name.clone(),
        ground: "问题反弹".to_owned(),
        until: Some(encode_time(at("2023-07-11T00:00:00+08:00"))),
        ..Default::default()
    };
    city.side_roads(&supervisor()).reopen_assignment(reopened).await.unwrap();
    city.wait_until("2023-07-15T09:00:00+08:00").await;
    submit(&city, "energy", &name).await;
    verify(&city, &name, true).await;
    city.wait_until("2023-08-02T09:00:00+08:00").await;

    let june = board(&city, &supervisor(), asked("unit", "", JUNE, JULY)).await;
    assert_eq!(shown(&june), [("units/energy", 1, "100.0", [1, 0, 0, 0, 0])], "it was settled in time");
    assert_eq!(side_figures(&june.lines[0]), [0, 0]);
    let [correction] = june.lines[0].corrections.as_slice() else { panic!("{june:?}") };
    assert_eq!(
        (correction.figure(), correction.ground.as_str(), correction.appeal.as_str()),
        (proto::ScoreFigureKind::OnTime, "问题反弹", "")
    );
    let timeline = city.timeline(&task.name).await;
    let entry = timeline.iter().find(|entry| entry.version == correction.reopened_version).unwrap();
    assert_eq!(entry.r#type, "supervision.assignment.reopened");

    let july = board(&city, &supervisor(), asked("unit", "", JULY, "2023-08-01T00:00:00+08:00")).await;
    assert_eq!(shown(&july), [("units/energy", 1, "0.0", [0, 1, 5, 0, 0])], "11 to 15 July");
    assert_eq!((side_figures(&july.lines[0]), july.lines[0].correction_count), ([0, 1], 0));
    let both = board(&city, &supervisor(), asked("unit", "", JUNE, "2023-08-01T00:00:00+08:00")).await;
    assert_eq!(shown(&both), [("units/energy", 1, "50.0", [1, 1, 5, 0, 0])]);
}

async fn a_return_that_was_refused_is_a_figure_of_its_own(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = task.assignments[0].name.clone();
    let energy = clerk("energy");
    let mut unit = city.side_roads(&energy);
    let returned = proto::ReturnAssignmentRequest {
        name: name.clone(),
        reason: "不属本单位职责".to_owned(),
        ..Default::default()
    };
    unit.return_assignment(returned).await.unwrap();
    let refused = proto::RefuseReturnRequest {
        name: name.clone(),
        note: "属能源管理".to_owned(),
        ..Default::default()
    };
    city.side_roads(&supervisor()).refuse_return(refused).await.unwrap();
    city.clock.set(at("2023-06-01T10:00:00+08:00"));
    let found = board(&city, &supervisor(), asked("unit", "", JUNE, JULY)).await;
    let line = found.lines.iter().find(|line| line.key == "units/energy").unwrap();
    assert_eq!(side_figures(line), [1, 0]);
    assert_eq!(line.returned.as_ref().unwrap().value, 0, "nothing was sent back for rework");
}
