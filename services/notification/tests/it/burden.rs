//! The burden meter.

use tonic::Code;
use xietong_mesh::ServiceName;
use xietong_mesh::convert::encode_time;
use xietong_mesh::metrics::Metrics;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::notification::burden_service_client::BurdenServiceClient;
use xietong_proto::notification::{GetBurdenRequest, MessageKind, WeekBurden};

use crate::city::{Backend, City, at};
use crate::matter::Matter;

crate::on_both_back_ends!(
    what_is_told_is_counted_by_week_person_and_cause_with_what_was_spared,
    this_week_is_shown_as_metrics_by_unit_and_kind,
    everybody_sees_what_is_his_to_see,
);

async fn told(city: &City, grants: Vec<Grant>, request: GetBurdenRequest) -> Vec<WeekBurden> {
    let mut client = BurdenServiceClient::new(city.channel().await);
    let (mut weeks, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = GetBurdenRequest { page_size: 2, page_token, ..request.clone() };
        let page = client.get_burden(city.as_account(grants.clone(), request)).await.unwrap().into_inner();
        weeks.extend(page.weeks);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return weeks;
        }
    }
}

/// Three tasks of one document and a task of its own in one week, a remark in the next.
async fn two_weeks(city: &City) {
    let led: &[&str] = &["water"];
    Matter::of_document(city, "临政发〔2023〕1号", &[("1", led), ("2", led), ("3", led)]).await;
    Matter::issued(city, "4", led).await;
    city.settle().await;
    city.clock.set(at("2023-06-12T09:00+08:00"));
    city.remarks(1).await;
    // Timers of the week between are not what is counted here.
    city.sequence().await;
    let [_, supervision, ..] = city.service.consumers.as_slice() else { panic!("three consumers") };
    while xietong_timers::Worker::turn(&**supervision).await.unwrap() == xietong_timers::Progress::Worked {}
}

fn since_june() -> GetBurdenRequest {
    let start_time = Some(encode_time(at("2023-06-01T00:00+08:00")));
    GetBurdenRequest {
        start_time,
        end_time: Some(encode_time(at("2023-06-12T23:00+08:00"))),
        ..Default::default()
    }
}

async fn what_is_told_is_counted_by_week_person_and_cause_with_what_was_spared(backend: Backend) {
    let city = City::new(backend).await;
    two_weeks(&city).await;
    let supervisor = || vec![Grant::of(Role::Supervisor)];
    let all = told(&city, supervisor(), since_june()).await;
    let mine: Vec<_> = all.iter().filter(|one| one.official == "officials/water-liaison").collect();
    let [first, second] = mine.as_slice() else { panic!("{all:?}") };
    assert_eq!((first.week.as_str(), second.week.as_str()), ("2023-W23", "2023-W24"));
    assert_eq!(first.start_time, Some(encode_time(at("2023-06-05T00:00+08:00"))));
    assert_eq!((first.unit.as_str(), first.notices, first.asks), ("units/water", 2, 2));
    assert_eq!(first.duplicates_avoided, 2, "three items were told as one");
    let causes: Vec<_> = first
        .causes
        .iter()
        .map(|one| (one.kind(), one.producer.as_str(), one.event_type.as_str(), one.notices, one.asks))
        .collect();
    let assignment = MessageKind::Assignment;
    assert_eq!(
        causes,
        [
            (assignment, "supervision", "supervision.document.issued", 1, 1),
            (assignment, "supervision", "supervision.task.issued", 1, 1),
        ]
    );
    assert_eq!((second.notices, second.asks, second.duplicates_avoided), (1, 0, 0));
    let of_one = GetBurdenRequest { official: "officials/water-liaison".into(), ..since_june() };
    assert_eq!(told(&city, supervisor(), of_one).await.iter().collect::<Vec<_>>(), mine);
    // Every message is counted once.
    let notices: i64 = all.iter().map(|one| one.notices).sum();
    assert_eq!(usize::try_from(notices).unwrap(), city.everything().await.len());
    // Without a time, the week that it is.
    let now = told(&city, supervisor(), GetBurdenRequest::default()).await;
    assert!(now.iter().all(|one| one.week == "2023-W24"), "{now:?}");
}

async fn this_week_is_shown_as_metrics_by_unit_and_kind(backend: Backend) {
    let city = City::new(backend).await;
    let led: &[&str] = &["water"];
    Matter::of_document(&city, "临政发〔2023〕1号", &[("1", led), ("2", led), ("3", led)]).await;
    city.remarks(2).await;
    city.settle().await;
    let metrics = Metrics::new(ServiceName::Notification);
    city.service.register(&metrics);
    let page = metrics.render();
    for line in [
        "burden_notices{service_name=\"notification\",unit=\"units/water\",kind=\"progress\"} 2",
        "burden_notices{service_name=\"notification\",unit=\"units/water\",kind=\"assignment\"} 1",
        "burden_asks{service_name=\"notification\",unit=\"units/water\",kind=\"assignment\"} 1",
        "burden_duplicates_avoided{service_name=\"notification\",unit=\"units/water\",kind=\"assignment\"} 2",
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line} is not in {page}");
    }
    // Another week begins with nothing.
    city.clock.set(at("2023-06-19T00:00+08:00"));
    let meter = city.service.workers.iter().find(|one| one.name().ends_with("burden-meter")).unwrap();
    meter.turn().await.unwrap();
    assert!(!metrics.render().contains("units/water"));
}

async fn everybody_sees_what_is_his_to_see(backend: Backend) {
    let city = City::new(backend).await;
    two_weeks(&city).await;
    let officials = async |grants: Vec<Grant>| {
        let weeks = told(&city, grants, since_june()).await;
        let names = weeks.into_iter().map(|one| one.official.trim_start_matches("officials/").to_owned());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let everybody = ["qiao-feihong", "water-liaison"];
    for role in [Role::Supervisor, Role::Auditor, Role::Leader] {
        assert_eq!(officials(vec![Grant::of(role)]).await, everybody, "{role:?}");
    }
    assert_eq!(
        officials(vec![Grant::of(Role::UnitApprover).in_unit("units/water")]).await,
        ["water-liaison"]
    );
    assert!(officials(vec![Grant::of(Role::UnitApprover).in_unit("units/industry")]).await.is_empty());
    assert!(officials(vec![Grant::of(Role::Secretary)]).await.is_empty(), "an account that is no official's");

    let mut client = BurdenServiceClient::new(city.channel().await);
    let own = client.get_burden(city.by("water-liaison", since_june())).await.unwrap().into_inner().weeks;
    assert!(own.len() == 2 && own.iter().all(|one| one.official == "officials/water-liaison"));
    let others = GetBurdenRequest { official: "officials/qiao-feihong".into(), ..since_june() };
    let others = client.get_burden(city.by("water-liaison", others)).await.unwrap().into_inner().weeks;
    assert!(others.is_empty());
    let long =
        GetBurdenRequest { start_time: Some(encode_time(at("2021-06-01T00:00+08:00"))), ..since_june() };
    let refused = client.get_burden(city.by("water-liaison", long)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}
