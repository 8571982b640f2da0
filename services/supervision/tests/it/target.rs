//! Figures of targets: asked for, given and corrected, end to end.

use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::Principal;
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::Lead;
use xietong_proto::supervision::Light;
use xietong_proto::supervision::target_service_client::TargetServiceClient;

use crate::city::{Bearer, City, Store, at, clerk, leader, refusal, supervisor, task};
use crate::on_both;

on_both!(
    a_missed_binding_target_is_red_until_it_is_corrected_and_one_striven_for_never,
    a_source_unit_is_asked_once_in_office_hours,
    whoever_gave_the_figure_before_is_asked_no_more,
    only_the_source_unit_and_the_supervisor_give_a_figure,
    what_is_no_figure_is_refused_in_both_languages,
    a_repeated_request_is_recorded_once,
);

const BINDING: &str = "一般公共预算收入增速";
const STRIVEN_FOR: &str = "固定资产投资增速";

fn targets(city: &City, who: &Principal) -> TargetServiceClient<InterceptedService<Channel, Bearer>> {
    let (channel, bearer) = city.as_caller(who);
    TargetServiceClient::with_interceptor(channel, bearer)
}

/// A task of the energy bureau until the end of the year whose figures the water bureau has.
fn aiming(figure_due: &str) -> proto::Task {
    let target = |measure: &str, binding| proto::Target {
        measure: measure.to_owned(),
        value: "7.5".to_owned(),
        unit: "%".to_owned(),
        direction: proto::Direction::AtLeast.into(),
        binding,
        source_unit: "units/water".to_owned(),
        figure_due_time: Some(encode_time(at(figure_due))),
        figure: None,
    };
    proto::Task {
        due_time: Some(encode_time(at("2024-01-01T00:00:00+08:00"))),
        targets: vec![target(BINDING, true), target(STRIVEN_FOR, false)],
        ..task("经济运行", &[("energy", Lead)])
    }
}

fn giving(task: &str, measure: &str, value: &str) -> proto::GiveFigureRequest {
    proto::GiveFigureRequest {
        name: task.to_owned(),
        measure: measure.to_owned(),
        value: value.to_owned(),
        as_of_day: "2023-05-31".to_owned(),
        ..Default::default()
    }
}

async fn give(
    city: &City,
    who: &Principal,
    request: proto::GiveFigureRequest,
) -> Result<Response<proto::GivenFigure>, Status> {
    targets(city, who).give_figure(request).await
}

async fn red(city: &City) -> usize {
    city.list(proto::ListTasksRequest { light: Light::Red.into(), ..Default::default() }).await.len()
}

async fn a_missed_binding_target_is_red_until_it_is_corrected_and_one_striven_for_never(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(aiming("2023-07-01T00:00:00+08:00")).await;
    let water = clerk("water");
    let given = give(&city, &water, giving(&issued.name, STRIVEN_FOR, "6.8")).await.unwrap().into_inner();
    assert_eq!(given.figure.map(|figure| (figure.value, figure.met)), Some(("6.8".to_owned(), false)));
    assert_eq!((red(&city).await, city.get(&issued.name).await.light()), (0, Light::Green));

    give(&city, &water, giving(&issued.name, BINDING, "7.2")).await.unwrap();
    let shown = city.get(&issued.name).await;
    assert_eq!((red(&city).await, shown.light(), shown.assignments[0].light()), (1, Light::Red, Light::Red));
    let figure = shown.targets[0].figure.clone().unwrap();
    assert_eq!((figure.as_of_day.as_str(), figure.met), ("2023-05-31", false));
    let last = city.timeline(&issued.name).await.pop().unwrap();
    assert_eq!(
        (last.r#type.as_str(), last.text.as_str()),
        (
            "supervision.task.figure_given",
            "填报一般公共预算收入增速7.2%（截至2023年5月31日），未达到约束性目标"
        )
    );

    let corrected = giving(&issued.name, BINDING, "7.50");
    let (code, error) = refusal(give(&city, &water, corrected.clone()).await);
    assert_eq!((code, error.chinese()), (Code::InvalidArgument, "更正指标数据请说明原因"));
    let corrected = proto::GiveFigureRequest { text: "补录漏报企业".to_owned(), ..corrected };
    assert!(give(&city, &supervisor(), corrected).await.unwrap().into_inner().figure.unwrap().met);
    assert_eq!((red(&city).await, city.get(&issued.name).await.light()), (0, Light::Green));
    let last = city.timeline(&issued.name).await.pop().unwrap();
    assert_eq!(
        (last.r#type.as_str(), last.text.as_str()),
        (
            "supervision.task.figure_corrected",
            "更正一般公共预算收入增速：由7.2%改为7.50%（截至2023年5月31日），达到目标：补录漏报企业"
        )
    );
}

async fn a_source_unit_is_asked_once_in_office_hours(store: Store) {
    let city = City::start(store).await;
    // Due with Friday, 2 June: asked on Monday.
    let issued = city.issued(aiming("2023-06-03T00:00:00+08:00")).await;
    city.live_until("2023-06-30T09:00:00+08:00").await;
    let asked: Vec<_> = city
        .timeline(&issued.name)
        .await
        .into_iter()
        .filter(|entry| entry.r#type == "supervision.task.figures_asked")
        .collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].time, Some(encode_time(at("2023-06-05T08:00:00+08:00"))));
    assert_eq!(asked[0].text, "请市水利局填报指标数据：一般公共预算收入增速、固定资产投资增速");
}

async fn whoever_gave_the_figure_before_is_asked_no_more(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(aiming("2023-06-03T00:00:00+08:00")).await;
    give(&city, &clerk("water"), giving(&issued.name, BINDING, "8")).await.unwrap();
    // Whoever fires timers was down until Saturday night.
    city.wait_until("2023-06-03T23:00:00+08:00").await;
    city.live_until("2023-06-30T09:00:00+08:00").await;
    let asked: Vec<_> = city
        .timeline(&issued.name)
        .await
        .into_iter()
        .filter(|entry| entry.r#type == "supervision.task.figures_asked")
        .map(|entry| entry.text)
        .collect();
    assert_eq!(asked, ["请市水利局填报指标数据：固定资产投资增速"]);
}

async fn only_the_source_unit_and_the_supervisor_give_a_figure(store: Store) {
    let city = City::start(store).await;
    let hidden = proto::Task {
        visibility: Visibility::Restricted.into(),
        restricted_units: vec!["units/energy".to_owned()],
        ..aiming("2023-07-01T00:00:00+08:00")
    };
    let issued = city.issued(hidden).await;
    for who in [clerk("energy"), clerk("yaodu"), leader("first")] {
        let refused = give(&city, &who, giving(&issued.name, BINDING, "8")).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied);
    }
    let given = give(&city, &clerk("water"), giving(&issued.name, BINDING, "8")).await.unwrap().into_inner();
    assert_eq!(given.measure, BINDING, "and sees no more of a matter that it may not know");
    let mut water = city.clerk("water");
    let unseen = water.get_task(proto::GetTaskRequest { name: issued.name }).await;
    assert_eq!(refusal(unseen).0, Code::PermissionDenied);
}

async fn what_is_no_figure_is_refused_in_both_languages(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(aiming("2023-07-01T00:00:00+08:00")).await;
    let asked = |change: fn(&mut proto::GiveFigureRequest)| {
        let mut request = giving(&issued.name, BINDING, "8");
        change(&mut request);
        request
    };
    for (request, chinese) in [
        (asked(|one| one.measure = "人均收入".to_owned()), "该任务没有指标“人均收入”，请核对"),
        (asked(|one| one.value = "八".to_owned()), "指标数据（八）应为数字"),
        (asked(|one| one.as_of_day = "2023-06-02".to_owned()), "数据截止日期（2023-06-02）尚未到来，请核对"),
        (asked(|one| one.as_of_day = "5月底".to_owned()), "日期格式应为2023-12-31"),
    ] {
        let (code, error) = refusal(give(&city, &supervisor(), request).await);
        assert_eq!((code, error.chinese()), (Code::InvalidArgument, chinese));
    }
    let mut unknown = aiming("2023-07-01T00:00:00+08:00");
    unknown.targets[0].source_unit = "units/moon".to_owned();
    let request = proto::CreateTaskRequest { task: Some(unknown), ..Default::default() };
    let (code, error) = refusal(city.supervisor().create_task(request).await);
    assert_eq!(
        (code, error.violations()[0].field.as_str()),
        (Code::InvalidArgument, "task.targets[0].source_unit")
    );
}

async fn a_repeated_request_is_recorded_once(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(aiming("2023-07-01T00:00:00+08:00")).await;
    let before = city.timeline(&issued.name).await.len();
    let request =
        proto::GiveFigureRequest { request_id: "f-1".to_owned(), ..giving(&issued.name, BINDING, "8") };
    let first = give(&city, &clerk("water"), request.clone()).await.unwrap().into_inner();
    assert_eq!(give(&city, &clerk("water"), request).await.unwrap().into_inner(), first);
    assert_eq!(city.timeline(&issued.name).await.len(), before + 1);
    // The same said again changes nothing.
    give(&city, &clerk("water"), giving(&issued.name, BINDING, "8")).await.unwrap();
    assert_eq!(city.timeline(&issued.name).await.len(), before + 1);
}
