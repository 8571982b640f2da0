//! Where officials are reached: kept by themselves and by administrators, shown whole to nobody else.

use tonic::Code;
use xietong_mesh::Error;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::notification::contact_service_client::ContactServiceClient;
use xietong_proto::notification::{Contact, GetContactRequest, UpdateContactRequest};

use crate::city::{Backend, City};
use crate::webhook::administrator;

crate::on_both_back_ends!(
    a_contact_is_shown_whole_to_its_owner_alone,
    what_is_no_address_is_refused_and_changes_nothing,
    a_repeated_request_is_answered_as_the_first_was,
);

const WHO: &str = "water-liaison";
const EMAIL: &str = "liaison@water.example.gov.cn";

fn contact(email: &str, mobile: &str, etag: &str) -> Contact {
    Contact {
        name: format!("contacts/{WHO}"),
        email: email.into(),
        mobile: mobile.into(),
        etag: etag.into(),
        ..Contact::default()
    }
}

fn change(contact: Contact, paths: &[&str]) -> UpdateContactRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    UpdateContactRequest {
        contact: Some(contact),
        update_mask: Some(prost_types::FieldMask { paths }),
        request_id: String::new(),
    }
}

fn asked() -> GetContactRequest {
    GetContactRequest { name: format!("contacts/{WHO}") }
}

async fn a_contact_is_shown_whole_to_its_owner_alone(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    let mut client = ContactServiceClient::new(city.channel().await);
    let empty = client.get_contact(city.by(WHO, asked())).await.unwrap().into_inner();
    assert_eq!(empty, Contact { name: format!("contacts/{WHO}"), ..Contact::default() });

    let both = change(contact(EMAIL, "+86 138-0000-0000", ""), &[]);
    let answer = client.update_contact(city.by(WHO, both)).await.unwrap().into_inner();
    assert_eq!(answer.email, "l***@water.example.gov.cn", "answers are kept for repeated requests");
    assert_eq!((answer.mobile.as_str(), answer.etag.as_str()), ("138****0000", "1"));
    let own = client.get_contact(city.by(WHO, asked())).await.unwrap().into_inner();
    assert_eq!((own.email.as_str(), own.mobile.as_str()), (EMAIL, "13800000000"));
    assert!(own.email_change_time.is_some() && own.email_verify_time.is_none());
    let seen = client.get_contact(city.signed(administrator(), asked())).await.unwrap().into_inner();
    assert_eq!(seen, answer, "masked");
    // An administrator confirms what he enters, or enters again.
    let again = change(contact(EMAIL, "", "1"), &["email"]);
    let confirmed = client.update_contact(city.signed(administrator(), again)).await.unwrap().into_inner();
    assert!(confirmed.email_verify_time.is_some() && confirmed.mobile_verify_time.is_none());
    assert_eq!(confirmed.mobile, "138****0000", "the mask leaves it");
    let stale = change(contact("", "", "1"), &["email"]);
    assert_eq!(client.update_contact(city.by(WHO, stale)).await.unwrap_err().code(), Code::Aborted);
    let gone = change(contact("", "", "2"), &["mobile"]);
    let gone = client.update_contact(city.by(WHO, gone)).await.unwrap().into_inner();
    assert_eq!((gone.mobile.as_str(), gone.email.as_str()), ("", "l***@water.example.gov.cn"));

    for principal in [
        xietong_mesh::Principal::account(
            "x",
            Some("officials/water-head".into()),
            vec![Grant::of(Role::UnitApprover)],
        ),
        xietong_mesh::Principal::account("y", None, vec![Grant::of(Role::Auditor)]),
    ] {
        let refused = client.get_contact(city.signed(principal.clone(), asked())).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let refused = client.update_contact(city.signed(principal, change(contact("", "", ""), &[]))).await;
        assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    }
    // The log says that it changed, and of no address.
    let events = city.service.log.of_aggregate(&format!("contacts/{WHO}")).await.unwrap();
    xietong_events::verify_chain(&events).unwrap();
    assert_eq!(events.len(), 3);
    for event in events {
        assert_eq!(event.event_type, "notification.contact.changed");
        assert!(
            !event.payload.contains("water.example") && !event.payload.contains("138"),
            "{}",
            event.payload
        );
    }
}

async fn what_is_no_address_is_refused_and_changes_nothing(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    let mut client = ContactServiceClient::new(city.channel().await);
    for (email, mobile, field, says) in [
        ("name", "", "email", "电子邮箱格式不正确"),
        ("a@example.gov.cn\r\nBcc: b@example.gov.cn", "", "email", "电子邮箱格式不正确"),
        ("", "1380000", "mobile", "手机号码应为11位数字"),
    ] {
        let request = change(contact(email, mobile, ""), &[]);
        let refused = client.update_contact(city.by(WHO, request)).await.unwrap_err();
        let error = Error::from_status(&refused);
        assert_eq!(error.violations()[0].field, field);
        assert!(error.violations()[0].chinese.contains(says));
    }
    let other = change(contact("", "", ""), &["official"]);
    assert_eq!(client.update_contact(city.by(WHO, other)).await.unwrap_err().code(), Code::InvalidArgument);
    let got = client.get_contact(city.by(WHO, asked())).await.unwrap().into_inner();
    assert_eq!(got.etag, "");
}

async fn a_repeated_request_is_answered_as_the_first_was(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    let mut client = ContactServiceClient::new(city.channel().await);
    let keyed = |email: &str| UpdateContactRequest {
        request_id: "one".into(),
        ..change(contact(email, "", ""), &["email"])
    };
    let first = client.update_contact(city.by(WHO, keyed(EMAIL))).await.unwrap().into_inner();
    let again = client.update_contact(city.by(WHO, keyed(EMAIL))).await.unwrap().into_inner();
    assert_eq!(again, first);
    let other = client.update_contact(city.by(WHO, keyed("other@example.gov.cn"))).await;
    assert!(other.is_err(), "the same key for something else");
    // The same address once more is no change.
    let same = change(contact(EMAIL, "", ""), &["email"]);
    assert_eq!(client.update_contact(city.by(WHO, same)).await.unwrap().into_inner().etag, "1");
}
