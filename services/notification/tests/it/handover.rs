//! A division of work takes effect: each leader gets one list, and what climbs is counted
//! before.

use domain_supervision::{Charge, HANDOVER_LISTED, HandedOver, HandoverList};
use tonic::Code;
use xietong_mesh::ServiceName;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::notification as proto;

use crate::city::{Backend, City, at};
use crate::matter::Matter;

crate::on_both_back_ends!(
    a_leader_gets_one_list_and_signs_for_none,
    unsigned_notices_are_counted_by_unit_for_administrators,
);

fn list(leader: &str) -> String {
    let list = HandoverList {
        division: "divisions/no-12".into(),
        document: "临政办发〔2023〕12号".into(),
        leader: format!("officials/{leader}"),
        effective_time: at("2023-06-05T00:00+08:00"),
        superseded_time: None,
        left_out: 0,
        received: vec![HandedOver {
            charge: Charge::Unit("units/water".into()),
            other: Some("officials/cui-yuanbin".into()),
            open_tasks: 0,
            tasks: vec![],
        }],
        given: vec![],
        no_longer_stated: vec![],
        first_stated: vec![],
    };
    list.to_payload().unwrap().to_string()
}

async fn a_leader_gets_one_list_and_signs_for_none(backend: Backend) {
    let city = City::new(backend).await;
    let aggregate = "divisions/no-12/handovers/officials/qiao-feihong";
    city.record(ServiceName::Supervision, aggregate, HANDOVER_LISTED, list("qiao-feihong")).await;
    city.settle().await;
    city.settle().await;
    let request = proto::ListMessagesRequest::default();
    let messages = city.client().await.list_messages(city.by("qiao-feihong", request)).await.unwrap();
    let [message] = messages.into_inner().messages.try_into().unwrap();
    assert_eq!(
        message.body,
        "临政办发〔2023〕12号自2023年6月5日0时起施行。\n由您负责：\n市水利局（此前由崔元斌负责）"
    );
    assert_eq!((message.subject.as_str(), message.requires_acknowledgement), ("divisions/no-12", false));
}

async fn unsigned_notices_are_counted_by_unit_for_administrators(backend: Backend) {
    let city = City::new(backend).await;
    Matter::of_document(&city, "临政办发〔2023〕8号", &[("7", &["water", "industry"]), ("8", &["water"])])
        .await;
    city.settle().await;
    crate::climbing::acknowledge_newest(&city, "industry-liaison").await;
    let ask = || proto::PreviewUnitsRequest {
        units: vec!["units/water".into(), "units/industry".into(), "units/none".into()],
    };
    let administrator = vec![Grant::of(Role::Administrator)];
    let answer = city.previews().await.preview_units(city.as_account(administrator, ask())).await.unwrap();
    let pending = proto::UnitNotices { unit: "units/water".into(), pending_notice_count: 1 };
    assert_eq!(answer.into_inner().units, [pending]);
    for role in [Role::Supervisor, Role::Leader, Role::UnitClerk] {
        let request = city.as_account(vec![Grant::of(role)], ask());
        let refused = city.previews().await.preview_units(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{role:?}");
    }
}
