//! The rule of scoring is versioned: tried out, added, and in force from its day on.

use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::ScoredStep;

use crate::city::{City, Store, account, at, clerk, refusal, supervisor};
use crate::on_both;
use crate::scoreboard::{JULY, JUNE, asked, board, june, shown};

on_both!(
    a_version_is_tried_out_without_being_added,
    a_period_is_scored_by_the_version_in_force_at_its_end,
    what_cannot_be_a_rule_is_refused,
    only_administrators_set_the_rule_and_all_may_read_it,
);

fn administrator() -> Principal {
    account("administrator", Grant::of(Role::Administrator))
}

/// Judges what was closed with its task, and counts no step but the report.
fn rule(start: &str) -> proto::ScoreRule {
    proto::ScoreRule {
        closed_with_task: true,
        late_steps: vec![ScoredStep::Report.into()],
        ground: "市政府办公室通知".to_owned(),
        start_time: Some(encode_time(at(start))),
        ..Default::default()
    }
}

async fn create(
    city: &City,
    who: &Principal,
    request: proto::CreateScoreRuleRequest,
) -> Result<Response<proto::CreateScoreRuleResponse>, Status> {
    city.score_rules(who).create_score_rule(request).await
}

fn adding(rule: proto::ScoreRule) -> proto::CreateScoreRuleRequest {
    proto::CreateScoreRuleRequest { rule: Some(rule), ..Default::default() }
}

async fn versions(city: &City) -> Vec<i32> {
    let request = proto::ListScoreRulesRequest::default();
    let found = city.score_rules(&clerk("water")).list_score_rules(request).await.unwrap().into_inner();
    found.rules.iter().map(|rule| rule.version).collect()
}

const FIFTEENTH: &str = "2023-06-15T00:00:00+08:00";

async fn a_version_is_tried_out_without_being_added(store: Store) {
    let city = june(store).await;
    let request = proto::CreateScoreRuleRequest {
        validate_only: true,
        preview_start_time: Some(encode_time(at(JUNE))),
        preview_end_time: Some(encode_time(at(JULY))),
        ..adding(rule(FIFTEENTH))
    };
    let tried = create(&city, &administrator(), request).await.unwrap().into_inner();
    assert_eq!(tried.rule.unwrap().version, 2);
    let preview = tried.preview.unwrap();
    assert_eq!((preview.compared_version, preview.difference_count), (1, 3));
    let told: Vec<_> = preview
        .differences
        .iter()
        .map(|one| {
            let rates = (one.on_time_rate.as_str(), one.new_on_time_rate.as_str());
            (one.unit.as_str(), rates, (one.rank, one.new_rank), (one.late_steps, one.new_late_steps))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("units/energy", ("100.0", "100.0"), (1, 1), (2, 0)),
            // Its part was closed with the task in time: it shares the first place.
            ("units/health", ("", "100.0"), (0, 1), (3, 1)),
            ("units/water", ("0.0", "0.0"), (2, 3), (6, 2)),
        ]
    );
    assert_eq!(versions(&city).await, [1], "nothing was added");
}

async fn a_period_is_scored_by_the_version_in_force_at_its_end(store: Store) {
    let city = june(store).await;
    let request = proto::CreateScoreRuleRequest { request_id: "once".to_owned(), ..adding(rule(FIFTEENTH)) };
    let added = create(&city, &administrator(), request.clone()).await.unwrap().into_inner();
    assert_eq!(create(&city, &administrator(), request).await.unwrap().into_inner(), added);
    let added = added.rule.unwrap();
    assert_eq!((added.name.as_str(), added.display_name.as_str()), ("scoreRules/2", "督办评价规则第2版"));
    assert!(added.formula.contains("随任务一并销号的计入") && added.formula.contains("；反馈逾期按次计"));
    assert_eq!(versions(&city).await, [2, 1]);

    city.wait_until("2023-06-16T09:00:00+08:00").await;
    let by = async |end: &str, rule_version: i32| {
        let request = proto::GetScoreboardRequest { rule_version, ..asked("unit", "units/water", JUNE, end) };
        let found = board(&city, &supervisor(), request).await;
        (found.rule.as_ref().unwrap().version, shown(&found)[0].3[4])
    };
    assert_eq!(by(FIFTEENTH, 0).await, (1, 6), "its last instant is before");
    assert_eq!(by("2023-06-15T00:00:00.000001+08:00", 0).await, (2, 2));
    assert_eq!(by(JULY, 0).await, (2, 2));
    assert_eq!(by(JULY, 1).await, (1, 6), "as it was asked for");
    let unknown = proto::GetScoreboardRequest { rule_version: 3, ..asked("unit", "", JUNE, JULY) };
    let (code, error) = refusal(city.ledger(&supervisor()).get_scoreboard(unknown).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "rule_version"));

    // A bulletin names the version it was scored by.
    let request = proto::CreateBulletinRequest {
        start_time: Some(encode_time(at(JUNE))),
        end_time: Some(encode_time(at(FIFTEENTH))),
        leader: "officials/first".to_owned(),
        ..Default::default()
    };
    for (rule_version, version) in [(0, 1), (2, 2)] {
        let request = proto::CreateBulletinRequest { rule_version, ..request.clone() };
        let bulletin = city.bulletins(&supervisor()).create_bulletin(request).await.unwrap().into_inner();
        assert_eq!(bulletin.rule.unwrap().version, version);
    }
}

async fn what_cannot_be_a_rule_is_refused(store: Store) {
    let city = City::start(store).await;
    let good = || rule(FIFTEENTH);
    let twice = vec![ScoredStep::Sign.into(), ScoredStep::Sign.into()];
    for (request, field) in [
        (proto::CreateScoreRuleRequest::default(), "rule"),
        (adding(rule("2023-06-01T08:59:59+08:00")), "rule.start_time"),
        (adding(proto::ScoreRule { ground: " ".to_owned(), ..good() }), "rule.ground"),
        (adding(proto::ScoreRule { ground: "长".repeat(201), ..good() }), "rule.ground"),
        (adding(proto::ScoreRule { late_steps: vec![0], ..good() }), "rule.late_steps"),
        (adding(proto::ScoreRule { late_steps: vec![9], ..good() }), "rule.late_steps"),
        (adding(proto::ScoreRule { late_steps: twice, ..good() }), "rule.late_steps"),
        (proto::CreateScoreRuleRequest { validate_only: true, ..adding(good()) }, "preview_start_time"),
    ] {
        let (code, error) = refusal(create(&city, &administrator(), request.clone()).await);
        assert_eq!(
            (code, error.violations()[0].field.as_str()),
            (Code::InvalidArgument, field),
            "{request:?}"
        );
    }
    assert_eq!(versions(&city).await, [1]);
}

async fn only_administrators_set_the_rule_and_all_may_read_it(store: Store) {
    let city = City::start(store).await;
    for who in [supervisor(), clerk("water"), account("auditor", Grant::of(Role::Auditor))] {
        let refused = create(&city, &who, adding(rule(FIFTEENTH))).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied, "{}", who.subject);
    }
    for version in 2..5 {
        let added = create(&city, &administrator(), adding(rule(FIFTEENTH))).await.unwrap().into_inner();
        assert_eq!(added.rule.unwrap().version, version);
    }
    let mut request = proto::ListScoreRulesRequest { page_size: 3, ..Default::default() };
    let mut rules = city.score_rules(&clerk("water"));
    let page = rules.list_score_rules(request.clone()).await.unwrap().into_inner();
    request.page_token = page.next_page_token;
    let rest = rules.list_score_rules(request).await.unwrap().into_inner();
    let found = page.rules.iter().chain(&rest.rules).map(|rule| rule.version);
    assert_eq!(found.collect::<Vec<_>>(), [4, 3, 2, 1]);
}
