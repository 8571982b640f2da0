//! Many questions at once.

use proto::resolve_outcome::Outcome;
use tonic::Response;
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;

use crate::city::{City, on_both, refused, time};

on_both!(
    each_question_gets_its_answer_or_its_error,
    a_thousand_questions_are_answered_on_one_roster_and_one_more_is_refused,
);

const JUNE: &str = "2023-06-11T09:00:00+08:00";

async fn resolve_all(
    city: &City,
    requests: Vec<proto::ResolveRequest>,
    with_steps: bool,
) -> Result<proto::BatchResolveResponse, Error> {
    let request = proto::BatchResolveRequest { requests, with_steps };
    let answer = city.roster().batch_resolve(city.clerk(request)).await;
    answer.map(Response::into_inner).map_err(refused)
}

fn unit(name: &str) -> proto::ResolveRequest {
    proto::ResolveRequest { unit: name.into(), at: Some(time(JUNE)), ..Default::default() }
}

async fn each_question_gets_its_answer_or_its_error(city: City) {
    let city = city.with_division().await;
    city.away("qiao-feihong", "2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00").await.unwrap();
    let at = Some(time(JUNE));
    let requests = vec![
        unit("市水利局"),
        unit("水库中心"),
        unit("市气象局"),
        proto::ResolveRequest { at, ..Default::default() },
        proto::ResolveRequest { unit: "units/water".into(), field: "水利".into(), ..Default::default() },
        proto::ResolveRequest { post: "市长".into(), at, ..Default::default() },
        proto::ResolveRequest { field: "财政".into(), ..Default::default() },
        proto::ResolveRequest {
            official: "officials/cui-yuanbin".into(),
            at: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
            ..Default::default()
        },
    ];
    for with_steps in [false, true] {
        let answered = resolve_all(&city, requests.clone(), with_steps).await.unwrap();
        assert_eq!(answered.outcomes.len(), requests.len());
        for (request, outcome) in requests.iter().zip(&answered.outcomes) {
            match (city.resolve(request.clone()).await, outcome.outcome.as_ref().unwrap()) {
                (Ok(alone), Outcome::Answer(together)) => {
                    let steps = if with_steps { alone.steps.clone() } else { vec![] };
                    assert_eq!(*together, proto::ResolveResponse { steps, ..alone });
                    assert_eq!(together.roster_position, answered.roster_position);
                }
                (Err(alone), Outcome::Error(together)) => {
                    assert_eq!(together.status, alone.code().as_str(), "{request:?}");
                    assert_eq!(together.reason, alone.reason());
                    assert_eq!(together.message, alone.message());
                    assert_eq!(together.message_zh, alone.chinese());
                }
                other => panic!("{request:?}: {other:?}"),
            }
        }
        let statuses: Vec<&str> = answered
            .outcomes
            .iter()
            .map(|outcome| match outcome.outcome.as_ref().unwrap() {
                Outcome::Answer(answer) => answer.acting.as_ref().map_or("", |one| &one.display_name),
                Outcome::Error(error) => &error.status,
            })
            .collect();
        let invalid = "INVALID_ARGUMENT";
        let expected = ["王渊", "FAILED_PRECONDITION", "NOT_FOUND", invalid, invalid, "王延峰", "", invalid];
        assert_eq!(statuses, expected);
    }
    assert_eq!(resolve_all(&city, vec![], false).await.unwrap().outcomes, []);
}

async fn a_thousand_questions_are_answered_on_one_roster_and_one_more_is_refused(city: City) {
    let city = city.with_division().await;
    let names = ["units/water", "市工信局", "市财政局", "上游水库服务中心", "没有的单位"];
    let requests: Vec<_> = names.iter().cycle().take(1_000).map(|name| unit(name)).collect();
    for with_steps in [false, true] {
        let answered = resolve_all(&city, requests.clone(), with_steps).await.unwrap();
        assert_eq!(answered.outcomes.len(), 1_000);
        let mut refusals = 0;
        for (request, outcome) in requests.iter().zip(answered.outcomes) {
            match outcome.outcome.unwrap() {
                Outcome::Answer(answer) => {
                    let expected = match request.unit.as_str() {
                        "units/water" => "乔飞鸿",
                        "市工信局" => "崔元斌",
                        "市财政局" => "王渊",
                        _ => "王延峰",
                    };
                    assert_eq!(answer.acting.unwrap().display_name, expected);
                    assert_eq!(answer.steps.is_empty(), !with_steps);
                    assert_eq!(answer.roster_position, answered.roster_position);
                }
                Outcome::Error(error) => {
                    assert_eq!(error.status, "NOT_FOUND");
                    refusals += 1;
                }
            }
        }
        assert_eq!(refusals, 200);
    }
    let mut more = requests;
    more.push(unit("units/water"));
    let refused = resolve_all(&city, more, false).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.violations()[0].field, "requests");
}
