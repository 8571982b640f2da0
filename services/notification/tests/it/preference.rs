//! How officials want to be told, within what the rules allow.

use tonic::Code;
use xietong_mesh::Error;
use xietong_proto::notification::preference_service_client::PreferenceServiceClient;
use xietong_proto::notification::{
    ArchiveFilter, Channel, DailyDigest, GetPreferencesRequest, GetUnreadRequest, ListMessagesRequest,
    MessageKind, MutedKind, Preferences, QuietHours, ReadMessageRequest, UpdatePreferencesRequest,
};

use crate::city::{Backend, City};
use crate::matter::Matter;

crate::on_both_back_ends!(
    preferences_are_ones_own_and_are_kept_with_each_change,
    what_obliges_cannot_be_turned_off,
    what_is_turned_off_is_filed_and_what_obliges_still_arrives,
    what_waits_is_one_summary_a_window_across_replicas,
    quiet_hours_hold_what_may_wait_until_their_end,
);

const WHO: &str = "water-liaison";

fn update(preferences: Preferences, paths: &[&str]) -> UpdatePreferencesRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    UpdatePreferencesRequest {
        preferences: Some(preferences),
        update_mask: Some(prost_types::FieldMask { paths }),
        request_id: String::new(),
    }
}

async fn prefer(city: &City, preferences: Preferences) -> Preferences {
    let request = UpdatePreferencesRequest { preferences: Some(preferences), ..Default::default() };
    let mut client = PreferenceServiceClient::new(city.channel().await);
    client.update_preferences(city.by(WHO, request)).await.unwrap().into_inner()
}

fn muted(kind: MessageKind, channel: Channel) -> MutedKind {
    MutedKind { kind: kind.into(), channel: channel.into() }
}

fn summed_up(time: &str) -> Preferences {
    let digest = DailyDigest { time: time.into(), kinds: vec![MessageKind::Progress.into()] };
    Preferences { daily_digest: Some(digest), ..Preferences::default() }
}

async fn unread(city: &City) -> i64 {
    city.client().await.get_unread(city.by(WHO, GetUnreadRequest {})).await.unwrap().into_inner().unread
}

/// Number, kind and body of what is in the inbox, or in its archive.
async fn listed(city: &City, archived: ArchiveFilter) -> Vec<(i64, MessageKind, String)> {
    let request = ListMessagesRequest { archived: archived.into(), ..ListMessagesRequest::default() };
    let page = city.client().await.list_messages(city.by(WHO, request)).await.unwrap().into_inner();
    page.messages.into_iter().map(|one| (one.number, one.kind(), one.body)).collect()
}

async fn preferences_are_ones_own_and_are_kept_with_each_change(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    let mut client = PreferenceServiceClient::new(city.channel().await);
    let first = client.get_preferences(city.by(WHO, GetPreferencesRequest {})).await.unwrap().into_inner();
    let nothing = Preferences { official: "officials/water-liaison".into(), ..Preferences::default() };
    assert_eq!(first, nothing);

    let off = vec![muted(MessageKind::Progress, Channel::Email)];
    let changed = prefer(&city, Preferences { muted: off.clone(), ..summed_up("16:00") }).await;
    assert_eq!((changed.muted.clone(), changed.etag.as_str()), (off.clone(), "1"));
    let quiet = Some(QuietHours { start: "12:00".into(), end: "14:30".into(), rest_days: true });
    let asked = Preferences { quiet_hours: quiet.clone(), etag: "1".into(), ..Preferences::default() };
    let request = update(asked.clone(), &["quiet_hours"]);
    let second = client.update_preferences(city.by(WHO, request.clone())).await.unwrap().into_inner();
    assert_eq!((second.muted.clone(), second.quiet_hours.clone()), (off, quiet), "the rest stays");
    assert_eq!(second.daily_digest, changed.daily_digest);
    let stale = client.update_preferences(city.by(WHO, request)).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted);
    let same = update(Preferences { etag: "2".into(), ..asked }, &["quiet_hours"]);
    assert_eq!(client.update_preferences(city.by(WHO, same)).await.unwrap().into_inner(), second);
    let got = client.get_preferences(city.by(WHO, GetPreferencesRequest {})).await.unwrap().into_inner();
    assert_eq!(got, second);

    let events = city.service.log.of_aggregate("preferences/water-liaison").await.unwrap();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event.event_type == "notification.preferences.changed"));
    let others = client.get_preferences(city.by("qiao-feihong", GetPreferencesRequest {})).await.unwrap();
    assert_eq!(others.into_inner().etag, "");
    let nobodys = client.get_preferences(city.by_a_machine(GetPreferencesRequest {})).await.unwrap_err();
    assert_eq!(nobodys.code(), Code::PermissionDenied);
}

async fn what_obliges_cannot_be_turned_off(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    let mut client = PreferenceServiceClient::new(city.channel().await);
    let digest = |time: &str, kinds: Vec<MessageKind>| Preferences {
        daily_digest: Some(DailyDigest {
            time: time.into(),
            kinds: kinds.into_iter().map(i32::from).collect(),
        }),
        ..Preferences::default()
    };
    let quiet = |start: &str, end: &str| Preferences {
        quiet_hours: Some(QuietHours { start: start.into(), end: end.into(), rest_days: false }),
        ..Preferences::default()
    };
    let off = |kind, channel| Preferences { muted: vec![muted(kind, channel)], ..Preferences::default() };
    for (asked, field, says) in [
        (off(MessageKind::Assignment, Channel::Inbox), "muted", "交办类通知须送达本人"),
        (off(MessageKind::Urging, Channel::Message), "muted", "催办类通知须送达本人"),
        (off(MessageKind::Unspecified, Channel::Inbox), "muted.kind", "通知类别"),
        (off(MessageKind::Progress, Channel::Unspecified), "muted.channel", "送达方式"),
        (digest("09:00", vec![MessageKind::Urging]), "daily_digest.kinds", "不能并入每日汇总"),
        (digest("09:00", vec![]), "daily_digest.kinds", "至少选择一类"),
        (digest("9", vec![MessageKind::Light]), "daily_digest.time", "时:分"),
        (quiet("07:00", "19:00"), "quiet_hours", "免打扰时段"),
        (quiet("", "19:00"), "quiet_hours.start", "时:分"),
    ] {
        let request = update(asked.clone(), &[]);
        let refused = client.update_preferences(city.by(WHO, request)).await.unwrap_err();
        let error = Error::from_status(&refused);
        let violation = &error.violations()[0];
        assert_eq!(violation.field, field, "{asked:?}");
        assert!(violation.chinese.contains(says), "{}", violation.chinese);
    }
    let refused =
        client.update_preferences(city.by(WHO, update(Preferences::default(), &["official"]))).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    let got = client.get_preferences(city.by(WHO, GetPreferencesRequest {})).await.unwrap().into_inner();
    assert_eq!(got.etag, "", "a refusal changes nothing");
}

async fn what_is_turned_off_is_filed_and_what_obliges_still_arrives(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    let off = vec![muted(MessageKind::Progress, Channel::Inbox), muted(MessageKind::Light, Channel::Email)];
    prefer(&city, Preferences { muted: off, ..Preferences::default() }).await;
    city.remarks(2).await;
    Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    let kinds = |listed: Vec<(i64, MessageKind, String)>| -> Vec<(i64, MessageKind)> {
        listed.into_iter().map(|(number, kind, _)| (number, kind)).collect()
    };
    let inbox = kinds(listed(&city, ArchiveFilter::Unspecified).await);
    assert_eq!(inbox, [(3, MessageKind::Assignment)]);
    let filed = kinds(listed(&city, ArchiveFilter::Archived).await);
    assert_eq!(filed, [(2, MessageKind::Progress), (1, MessageKind::Progress)], "nothing is lost");
    assert_eq!(unread(&city).await, 1);
    // Nobody summed it up.
    city.advance("2023-06-07T12:00+08:00").await;
    let inbox = listed(&city, ArchiveFilter::Unspecified).await;
    assert!(inbox.iter().all(|(_, kind, _)| *kind != MessageKind::Digest), "{inbox:?}");
}

async fn what_waits_is_one_summary_a_window_across_replicas(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    prefer(&city, summed_up("16:00")).await;
    city.remarks(3).await;
    city.settle().await;
    city.advance("2023-06-05T11:00+08:00").await;
    city.remarks(2).await;
    city.settle().await;
    assert_eq!((listed(&city, ArchiveFilter::Unspecified).await.len(), unread(&city).await), (0, 0));
    // What its reader has found for himself is not told again.
    let filed =
        ListMessagesRequest { archived: ArchiveFilter::Archived.into(), ..ListMessagesRequest::default() };
    let mut client = city.client().await;
    let filed = client.list_messages(city.by(WHO, filed)).await.unwrap().into_inner().messages;
    let read = ReadMessageRequest { name: filed[0].name.clone(), request_id: String::new() };
    client.read_message(city.by(WHO, read)).await.unwrap();

    let replica = city.replica().await;
    city.clock.set(crate::city::at("2023-06-05T16:00+08:00"));
    let drive = |service: &xietong_mesh::Service| {
        let workers = service.workers.clone();
        tokio::spawn(async move {
            for _ in 0..20 {
                for worker in &workers {
                    // Losing a race to the other replica is what is tested here.
                    let _lost_or_won = worker.turn().await;
                }
            }
        })
    };
    let (one, other) = (drive(&city.service), drive(&replica));
    one.await.unwrap();
    other.await.unwrap();
    city.settle().await;
    let inbox = listed(&city, ArchiveFilter::Unspecified).await;
    let [(6, MessageKind::Digest, body)] = inbox.as_slice() else { panic!("{inbox:?}") };
    assert_eq!(body.lines().count(), 4, "{body}");

    // The next window is the next working day's; an empty one is not told.
    city.remarks(1).await;
    city.settle().await;
    city.advance("2023-06-08T12:00+08:00").await;
    let digests = listed(&city, ArchiveFilter::Unspecified).await;
    assert_eq!(digests.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [8, 6]);
}

async fn quiet_hours_hold_what_may_wait_until_their_end(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    let quiet = QuietHours { start: "12:00".into(), end: "14:30".into(), rest_days: false };
    prefer(&city, Preferences { quiet_hours: Some(quiet), ..Preferences::default() }).await;
    city.advance("2023-06-05T12:30+08:00").await;
    city.remarks(2).await;
    Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    let numbers = async || {
        let inbox = listed(&city, ArchiveFilter::Unspecified).await;
        inbox.into_iter().map(|(number, kind, _)| (number, kind)).collect::<Vec<_>>()
    };
    assert_eq!(numbers().await, [(3, MessageKind::Assignment)]);
    city.advance("2023-06-05T14:29+08:00").await;
    assert_eq!(numbers().await.len(), 1);
    city.advance("2023-06-05T14:30+08:00").await;
    assert_eq!(numbers().await, [(4, MessageKind::Digest), (3, MessageKind::Assignment)]);
    city.remarks(1).await;
    city.settle().await;
    assert_eq!(numbers().await.len(), 3, "outside them all comes at once");
}
