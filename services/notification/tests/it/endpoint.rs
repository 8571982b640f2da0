//! Registering and keeping endpoints of webhooks.

use tonic::Code;
use xietong_mesh::Principal;
use xietong_mesh::principal::{Grant, Role};
use xietong_notification::WebhookSettings;
use xietong_proto::notification as proto;
use xietong_testkit::receiver::Receiver;

use crate::city::Backend;
use crate::webhook::{administrator, city, client, endpoint, get, machine, quick, registered};

crate::on_both_back_ends!(
    a_system_keeps_its_own_endpoints_and_an_administrator_all,
    a_request_is_done_once_and_a_change_needs_the_version_it_was_made_for,
    what_is_registered_is_on_record_without_its_secret,
    nothing_is_registered_that_must_not_be_sent_to,
);

async fn a_system_keeps_its_own_endpoints_and_an_administrator_all(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    let his = registered(&city, machine(), endpoint(&receiver)).await;
    let other = registered(&city, administrator(), endpoint(&receiver)).await;
    assert_eq!((his.owner.as_str(), other.owner.as_str()), ("machine", "root"));
    let mut client = client(&city).await;
    let get = |name: &str| proto::GetEndpointRequest { name: name.to_owned() };
    client.get_endpoint(city.signed(machine(), get(&his.name))).await.unwrap();
    let unknown = "endpoints/0190a5c8-7f60-7cc3-98c4-dc0c0c07398f";
    let denied = client.get_endpoint(city.signed(machine(), get(&other.name))).await.unwrap_err();
    let missing = client.get_endpoint(city.signed(machine(), get(unknown))).await.unwrap_err();
    assert_eq!((denied.code(), denied.message()), (Code::PermissionDenied, missing.message()));
    let missing = client.get_endpoint(city.signed(administrator(), get(unknown))).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);

    let mut names = Vec::new();
    for principal in [machine(), administrator()] {
        let (mut page_token, mut listed) = (String::new(), Vec::new());
        loop {
            let request = proto::ListEndpointsRequest { page_size: 1, page_token };
            let page =
                client.list_endpoints(city.signed(principal.clone(), request)).await.unwrap().into_inner();
            listed.extend(page.endpoints.into_iter().map(|one| one.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        names.push(listed);
    }
    assert_eq!(names[0], [his.name.as_str()]);
    assert_eq!(names[1].len(), 2);
    let clerk = Principal::account("clerk", None, vec![Grant::of(Role::UnitClerk).in_unit("units/water")]);
    let request = proto::CreateEndpointRequest { endpoint: Some(endpoint(&receiver)), ..Default::default() };
    let refused = client.create_endpoint(city.signed(clerk, request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

async fn a_request_is_done_once_and_a_change_needs_the_version_it_was_made_for(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    let mut client = client(&city).await;
    let create = || proto::CreateEndpointRequest {
        endpoint: Some(endpoint(&receiver)),
        request_id: "one".into(),
        ..Default::default()
    };
    let made = client.create_endpoint(city.signed(machine(), create())).await.unwrap().into_inner();
    let again = client.create_endpoint(city.signed(machine(), create())).await.unwrap().into_inner();
    assert_eq!(made, again, "with the same secret");

    let update = |etag: &str, display_name: &str| proto::UpdateEndpointRequest {
        endpoint: Some(proto::Endpoint {
            name: made.name.clone(),
            etag: etag.into(),
            display_name: display_name.into(),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["display_name".into()] }),
        request_id: String::new(),
    };
    let renamed = client.update_endpoint(city.signed(machine(), update(&made.etag, "公文系统"))).await;
    let renamed = renamed.unwrap().into_inner();
    assert_eq!((renamed.display_name.as_str(), renamed.url.as_str()), ("公文系统", made.url.as_str()));
    let stale = client.update_endpoint(city.signed(machine(), update(&made.etag, "别的"))).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted);
    let same = client.update_endpoint(city.signed(machine(), update("", "公文系统"))).await.unwrap();
    assert_eq!(same.into_inner().etag, renamed.etag, "what changes nothing is no change");

    let delete = || proto::DeleteEndpointRequest {
        name: made.name.clone(),
        request_id: "gone".into(),
        ..Default::default()
    };
    client.delete_endpoint(city.signed(machine(), delete())).await.unwrap();
    client.delete_endpoint(city.signed(machine(), delete())).await.unwrap();
    let gone = proto::GetEndpointRequest { name: made.name.clone() };
    let gone = client.get_endpoint(city.signed(administrator(), gone)).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

async fn what_is_registered_is_on_record_without_its_secret(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    let url = receiver.url("/hook?access_token=kept-by-the-receiver");
    let made =
        registered(&city, machine(), proto::Endpoint { url: url.clone(), ..endpoint(&receiver) }).await;
    let rotate = proto::RotateSecretRequest { name: made.name.clone(), ..Default::default() };
    let mut client = client(&city).await;
    let rotated = client.rotate_secret(city.signed(machine(), rotate)).await.unwrap().into_inner();
    assert!(rotated.secret.starts_with("whsec_") && rotated.secret != made.secret);
    let kept = get(&city, &made.name).await;
    assert_eq!((kept.secret, kept.url), (String::new(), url));
    let events = city.service.log.of_aggregate(&made.name).await.unwrap();
    xietong_events::verify_chain(&events).unwrap();
    let types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["notification.endpoint.registered", "notification.endpoint.secret_rotated"]);
    assert!(events.iter().all(|event| !event.payload.contains("whsec_") && event.actor == "machine"));
    let registered = &events[0].payload;
    assert!(registered.contains("/hook\"") && !registered.contains("access_token"), "{registered}");
}

async fn nothing_is_registered_that_must_not_be_sent_to(backend: Backend) {
    let city = city(backend, WebhookSettings::default()).await;
    let receiver = Receiver::start().await.unwrap();
    let mut client = client(&city).await;
    for url in [receiver.url("/hook"), "https://10.1.2.3/".into(), "https://[::ffff:127.0.0.1]/".into()] {
        let endpoint = proto::Endpoint { url, ..endpoint(&receiver) };
        let request = proto::CreateEndpointRequest { endpoint: Some(endpoint), ..Default::default() };
        let refused = client.create_endpoint(city.signed(administrator(), request)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    // What only its address shows is refused when it is connected to.
    let endpoint = proto::Endpoint { url: "https://localhost:8443/".into(), ..endpoint(&receiver) };
    let made = registered(&city, administrator(), endpoint).await;
    let request = proto::TestEndpointRequest { name: made.name };
    let tested = client.test_endpoint(city.signed(administrator(), request)).await.unwrap().into_inner();
    assert!(!tested.delivered);
    assert!(tested.attempt.unwrap().outcome.contains("不在允许推送的网络范围内"));
}
