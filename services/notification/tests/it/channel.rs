//! Messages that also go out by e-mail.

use std::collections::BTreeSet;
use std::time::Duration;

use domain_channel::{BreakerRules, Rate};
use domain_notification::NoticeKind;
use domain_webhook::Schedule;
use sea_orm::ConnectionTrait;
use xietong_mailer::{Encryption, MailerSettings};
use xietong_notification::{ChannelRules, ChannelSettings, EmailSettings};
use xietong_proto::notification as proto;
use xietong_proto::notification::contact_service_client::ContactServiceClient;
use xietong_proto::notification::preference_service_client::PreferenceServiceClient;
use xietong_proto::notification::sending_service_client::SendingServiceClient;
use xietong_store::statement;
use xietong_testkit::mail_server::{MailServer, ReceivedLetter};
use xietong_testkit::wait::wait_for_value;

use crate::city::{Backend, City, at};
use crate::matter::Matter;
use crate::webhook::{AMPLE, administrator, at_work};

crate::on_both_back_ends!(
    a_message_goes_out_once_to_whoever_has_an_address,
    nothing_that_is_not_urgent_goes_out_at_night_or_on_a_rest_day,
    what_is_turned_off_does_not_go_out_and_a_summary_is_one_letter,
    what_is_sent_is_shown_to_its_reader_and_to_administrators,
    a_channel_keeps_within_its_rate,
    replicas_share_the_work,
);

pub(crate) const WHO: &str = "water-liaison";
pub(crate) const ADDRESS: &str = "liaison@water.example.gov.cn";

/// Without patience, but for rests.
pub(crate) fn rules() -> ChannelRules {
    let milliseconds = Duration::from_millis;
    let rate = Rate { per_minute: 60_000, burst: 1_000 };
    ChannelRules {
        schedule: Schedule {
            first: milliseconds(10),
            factor: 2,
            longest: milliseconds(50),
            limit: Duration::from_secs(600),
        },
        // Nothing opens it unless a test says so.
        breaker: BreakerRules { failures: 10_000, ..BreakerRules::default() },
        ..ChannelRules::new(NoticeKind::ALL, rate, Duration::from_secs(20))
    }
}

/// By e-mail alone.
pub(crate) fn by_email(server: &MailServer, rules: ChannelRules) -> ChannelSettings {
    let address = server.address();
    let mailer = MailerSettings {
        server: address.ip().to_string(),
        port: address.port(),
        encryption: Encryption::None,
        sign_in: None,
        from: "协同系统 <xietong@example.gov.cn>".into(),
        connect: Duration::from_secs(20),
        whole: Duration::from_secs(20),
        kept: 4,
        trusted: vec![],
    };
    ChannelSettings { email: Some(EmailSettings { mailer, rules }), message: None }
}

/// Enters an official's addresses, as himself.
pub(crate) async fn reached(city: &City, official: &str, email: &str, mobile: &str) {
    let contact = proto::Contact {
        name: format!("contacts/{official}"),
        email: email.into(),
        mobile: mobile.into(),
        ..proto::Contact::default()
    };
    let request = proto::UpdateContactRequest { contact: Some(contact), ..Default::default() };
    let mut client = ContactServiceClient::new(city.channel().await);
    client.update_contact(city.by(official, request)).await.unwrap();
}

/// A city whose liaison of the water bureau is reached by e-mail.
pub(crate) async fn city(backend: Backend, server: &MailServer, rules: ChannelRules) -> City {
    let city = City::with_channels(backend, by_email(server, rules)).await;
    city.settle().await;
    reached(&city, WHO, ADDRESS, "").await;
    city
}

/// Ids of an official's messages, in order of number.
pub(crate) async fn message_ids(city: &City, official: &str) -> Vec<String> {
    let sql = "SELECT id FROM messages WHERE recipient = $1 ORDER BY number";
    let reader = city.service.db.reader();
    let values = [format!("officials/{official}").into()];
    let rows = reader.query_all_raw(statement(reader, sql, values)).await.unwrap();
    rows.iter().map(|row| row.try_get_by("id").unwrap()).collect()
}

pub(crate) async fn sendings(city: &City, message: &str) -> Vec<proto::Sending> {
    let request = proto::ListSendingsRequest { parent: format!("messages/{message}"), ..Default::default() };
    let mut client = SendingServiceClient::new(city.channel().await);
    client.list_sendings(city.signed(administrator(), request)).await.unwrap().into_inner().sendings
}

/// Waits until a sending of a message stands there.
pub(crate) async fn wait_for_sending(
    city: &City,
    message: &str,
    purpose: proto::SendingPurpose,
    state: proto::SendingState,
) -> proto::Sending {
    let what = format!("{purpose:?} of {message} to be {state:?}");
    let look = async || {
        let all = sendings(city, message).await;
        all.into_iter().find(|one| one.purpose() == purpose && one.state() == state)
    };
    wait_for_value(&what, AMPLE, look).await.unwrap()
}

/// How many sendings stand in each state.
pub(crate) async fn counted(city: &City, state: &str) -> i64 {
    let sql = "SELECT COUNT(*) AS many FROM sendings WHERE state = $1";
    let reader = city.service.db.reader();
    let row = reader.query_one_raw(statement(reader, sql, [state.into()])).await.unwrap().unwrap();
    row.try_get_by("many").unwrap()
}

/// How many sendings there are.
async fn all(city: &City) -> i64 {
    counted(city, "waiting").await + counted(city, "sent").await
}

pub(crate) async fn wait_for_count(city: &City, state: &str, many: i64) {
    let look = async || (counted(city, state).await == many).then_some(());
    wait_for_value(&format!("{many} sendings to be {state}"), AMPLE, look).await.unwrap();
}

fn ids(letters: &[ReceivedLetter]) -> Vec<String> {
    letters.iter().map(|letter| letter.message_id().to_owned()).collect()
}

async fn a_message_goes_out_once_to_whoever_has_an_address(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    Matter::issued(&city, "1", &["water"]).await;
    city.remarks(2).await;
    city.settle().await;
    let _work = at_work(&city.service);
    wait_for_count(&city, "sent", 3).await;
    let letters = server.letters();
    let messages = message_ids(&city, WHO).await;
    let named = |id: &String| format!("<{id}@example.gov.cn>");
    assert_eq!(
        ids(&letters).into_iter().collect::<BTreeSet<_>>(),
        messages.iter().map(named).collect::<BTreeSet<_>>()
    );
    assert_eq!(letters.len(), 3, "each once, and to nobody without an address: {letters:?}");
    assert!(letters.iter().all(|letter| letter.to == ADDRESS && letter.from == "xietong@example.gov.cn"));
    let shown =
        wait_for_sending(&city, &messages[0], proto::SendingPurpose::Notice, proto::SendingState::Sent).await;
    assert_eq!((shown.attempts, shown.outcome.as_str()), (1, "邮件服务器已接收"));
    assert_eq!(shown.name, format!("messages/{}/sendings/email-notice", messages[0]));
}

async fn nothing_that_is_not_urgent_goes_out_at_night_or_on_a_rest_day(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    // A Friday evening: what a person does enters the inbox at once.
    city.advance("2023-06-09T22:00:00+08:00").await;
    city.remarks(1).await;
    city.settle().await;
    assert_eq!(city.inbox(WHO).await.len(), 1);
    let _work = at_work(&city.service);
    for saturday in ["2023-06-10T10:00:00+08:00", "2023-06-12T07:59:59+08:00"] {
        city.clock.set(at(saturday));
        for _ in 0..5 {
            city.settle().await;
        }
        assert_eq!(server.begun(), 0, "{saturday}");
    }
    let held = sendings(&city, &message_ids(&city, WHO).await[0]).await.remove(0);
    assert_eq!(held.state(), proto::SendingState::Waiting);
    assert_eq!(held.earliest_time.unwrap().seconds, at("2023-06-12T08:00:00+08:00").as_micros() / 1_000_000);
    city.clock.set(at("2023-06-12T08:00:00+08:00"));
    wait_for_count(&city, "sent", 1).await;
    // What is urgent goes out at whatever hour.
    city.clock.set(at("2023-06-12T23:00:00+08:00"));
    Matter::emergency(&city, "2", "water").await;
    city.settle().await;
    wait_for_count(&city, "sent", 2).await;
}

async fn what_is_turned_off_does_not_go_out_and_a_summary_is_one_letter(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    let prefer = async |preferences: proto::Preferences| {
        let request =
            proto::UpdatePreferencesRequest { preferences: Some(preferences), ..Default::default() };
        let mut client = PreferenceServiceClient::new(city.channel().await);
        client.update_preferences(city.by(WHO, request)).await.unwrap();
    };
    let progress = proto::MessageKind::Progress.into();
    let off = proto::MutedKind { kind: progress, channel: proto::Channel::Email.into() };
    prefer(proto::Preferences { muted: vec![off], ..Default::default() }).await;
    city.remarks(3).await;
    city.settle().await;
    assert_eq!(city.inbox(WHO).await.len(), 3, "the inbox has them");
    assert_eq!(all(&city).await, 0);
    let digest = proto::DailyDigest { time: "16:00".into(), kinds: vec![progress] };
    prefer(proto::Preferences { daily_digest: Some(digest), ..Default::default() }).await;
    city.remarks(3).await;
    city.settle().await;
    assert_eq!(all(&city).await, 0, "they wait for the summary");
    city.advance("2023-06-05T16:00:00+08:00").await;
    assert_eq!(all(&city).await, 1);
    let _work = at_work(&city.service);
    wait_for_count(&city, "sent", 1).await;
    assert_eq!(server.letters().len(), 1);
}

async fn what_is_sent_is_shown_to_its_reader_and_to_administrators(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    city.remarks(1).await;
    city.settle().await;
    wait_for_count(&city, "sent", 1).await;
    let id = message_ids(&city, WHO).await.remove(0);
    let asked = |page_token: &str| proto::ListSendingsRequest {
        parent: format!("messages/{id}"),
        page_size: 1,
        page_token: page_token.to_owned(),
    };
    let mut client = SendingServiceClient::new(city.channel().await);
    let own = client.list_sendings(city.by(WHO, asked(""))).await.unwrap().into_inner();
    assert_eq!((own.sendings.len(), own.next_page_token.as_str()), (1, ""));
    assert_eq!(own.sendings, sendings(&city, &id).await);
    let others = client.list_sendings(city.by("qiao-feihong", asked(""))).await.unwrap_err();
    assert_eq!(others.code(), tonic::Code::PermissionDenied);
    let nothing = proto::ListSendingsRequest { parent: "messages/1".into(), ..Default::default() };
    let refused = client.list_sendings(city.by(WHO, nothing)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
}

async fn a_channel_keeps_within_its_rate(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let rules = ChannelRules { rate: Rate { per_minute: 1, burst: 3 }, ..rules() };
    let city = city(backend, &server, rules).await;
    city.remarks(8).await;
    city.settle().await;
    let other = city.replica().await;
    let _work = (at_work(&city.service), at_work(&other));
    wait_for_count(&city, "sent", 3).await;
    for _ in 0..20 {
        city.settle().await;
    }
    assert_eq!(server.begun(), 3, "a minute has not passed, however many replicas there are");
    assert_eq!(counted(&city, "waiting").await, 5);
}

async fn replicas_share_the_work(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    city.remarks(60).await;
    city.settle().await;
    let (one, other) = (city.replica().await, city.replica().await);
    let _work = (at_work(&city.service), at_work(&one), at_work(&other));
    wait_for_count(&city, "sent", 60).await;
    let times = server.times();
    assert_eq!(times.len(), 60);
    assert!(times.values().all(|times| *times == 1), "none is sent by two: {times:?}");
}
