//! What asks for what is done or no longer wanted is recalled, everywhere, once.

use domain_roster::{Division, Official, Portfolio, Post, PostKind, Relation, RosterEvent, UnitDuty};
use domain_supervision::{
    AssignmentCommand as Do, Charge, Command, HANDOVER_LISTED, HandedOver, HandoverList, Instrument,
    InstrumentUse, TaskFacts, TimerKind, Visibility,
};
use sea_orm::ConnectionTrait;
use xietong_mesh::{Error, ServiceName};
use xietong_proto::notification::preference_service_client::PreferenceServiceClient;
use xietong_proto::notification::{
    AcknowledgeMessageRequest, ArchiveFilter, DailyDigest, GetUnreadRequest, ListMessagesRequest, Message,
    MessageKind, Preferences, ReadMessageRequest, RecallFilter, UpdatePreferencesRequest,
};
use xietong_store::statement;

use crate::city::{Backend, City, at};
use crate::matter::Matter;

crate::on_both_back_ends!(
    a_task_that_is_withdrawn_recalls_what_it_asked_and_nothing_else,
    what_was_read_stays_read_and_what_was_signed_for_is_not_touched,
    one_unit_that_is_done_leaves_what_is_asked_of_another,
    a_document_is_recalled_with_the_last_of_its_tasks,
    what_climbed_is_recalled_and_not_summed_up,
    what_waits_for_a_summary_is_left_out_of_it,
    it_is_the_same_in_one_batch_and_when_applied_again,
    a_withdrawal_is_told_to_whoever_was_told_before,
);

const WHO: &str = "water-liaison";

async fn messages(city: &City, official: &str, recalled: RecallFilter) -> Vec<Message> {
    let request = ListMessagesRequest {
        archived: ArchiveFilter::All.into(),
        recalled: recalled.into(),
        ..ListMessagesRequest::default()
    };
    let page = city.client().await.list_messages(city.by(official, request)).await.unwrap().into_inner();
    page.messages
}

/// Number, kind and reason of what was recalled, the oldest first.
async fn recalled(city: &City, official: &str) -> Vec<(i64, MessageKind, String)> {
    let listed = messages(city, official, RecallFilter::Recalled).await.into_iter().rev();
    listed.map(|one| (one.number, one.kind(), one.recall_reason)).collect()
}

/// Unread, and to be signed for.
async fn counted(city: &City, official: &str) -> (i64, i64) {
    let counts = city.client().await.get_unread(city.by(official, GetUnreadRequest {})).await.unwrap();
    let counts = counts.into_inner();
    (counts.unread, counts.unsigned)
}

async fn sign(city: &City, name: &str) -> Result<Message, tonic::Status> {
    let request = AcknowledgeMessageRequest { name: name.to_owned(), request_id: String::new() };
    Ok(city.client().await.acknowledge_message(city.by(WHO, request)).await?.into_inner())
}

fn submit() -> Do {
    Do::Submit { text: "已完成".into(), attachments: vec![] }
}

async fn withdraw(city: &City, matter: &mut Matter) {
    matter.command(city, Command::Withdraw { ground: "重复".into() }).await;
}

async fn a_task_that_is_withdrawn_recalls_what_it_asked_and_nothing_else(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    let _other = Matter::issued(&city, "2", &["water"]).await;
    city.settle().await;
    assert_eq!(counted(&city, WHO).await, (2, 2));
    let asked = messages(&city, WHO, RecallFilter::Unspecified).await.remove(1);
    withdraw(&city, &mut matter).await;
    city.settle().await;

    let reason = "该任务已撤销".to_owned();
    assert_eq!(recalled(&city, WHO).await, [(1, MessageKind::Assignment, reason)]);
    assert_eq!(counted(&city, WHO).await, (2, 1), "the other task, and the withdrawal, which is news");
    let standing = messages(&city, WHO, RecallFilter::Standing).await;
    assert_eq!(standing.iter().map(|one| one.number).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(messages(&city, WHO, RecallFilter::Unspecified).await.len(), 3, "it stays in the list");
    let unread = ListMessagesRequest { unread: true, ..ListMessagesRequest::default() };
    let unread = city.client().await.list_messages(city.by(WHO, unread)).await.unwrap().into_inner();
    assert_eq!(unread.messages.len(), 2);

    let refused = sign(&city, &asked.name).await.unwrap_err();
    let refused = Error::from_status(&refused);
    assert_eq!(refused.code().as_str(), "FAILED_PRECONDITION");
    assert_eq!(refused.chinese(), "该通知已撤回，无需签收");
    let read = ReadMessageRequest { name: asked.name, request_id: String::new() };
    let read = city.client().await.read_message(city.by(WHO, read)).await.unwrap().into_inner();
    assert!(read.read_time.is_some() && read.recall_time.is_some(), "it can still be read");
    assert_eq!(
        city.history(WHO).await,
        ["message.sent", "message.sent", "message.sent", "message.recalled", "message.read"]
    );
    assert!(recalled(&city, "qiao-feihong").await.is_empty(), "the leader was told, and asked nothing");
}

async fn what_was_read_stays_read_and_what_was_signed_for_is_not_touched(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    let asked = messages(&city, WHO, RecallFilter::Unspecified).await.remove(0);
    let signed = sign(&city, &asked.name).await.unwrap();
    city.advance("2023-06-12T10:00+08:00").await;
    matter.fires(&city, "water", TimerKind::Yellow).await;
    city.settle().await;
    let reminder = messages(&city, WHO, RecallFilter::Unspecified).await.remove(0);
    assert_eq!(reminder.kind(), MessageKind::Reminder);
    let read = ReadMessageRequest { name: reminder.name, request_id: String::new() };
    let read = city.client().await.read_message(city.by(WHO, read)).await.unwrap().into_inner();
    withdraw(&city, &mut matter).await;
    city.settle().await;
    let after = messages(&city, WHO, RecallFilter::Unspecified).await;
    assert_eq!(after[2], signed);
    assert!(after[1].recall_time.is_some(), "it was an open ask");
    assert_eq!(after[1].read_time, read.read_time);
}

async fn one_unit_that_is_done_leaves_what_is_asked_of_another(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = Matter::issued(&city, "1", &["water", "industry"]).await;
    city.settle().await;
    matter.unit(&city, "water", Do::Sign).await;
    city.settle().await;
    let reason = "本单位已在台账中签收该任务".to_owned();
    assert_eq!(recalled(&city, WHO).await, [(1, MessageKind::Assignment, reason)]);
    assert!(recalled(&city, "industry-liaison").await.is_empty());

    city.advance("2023-06-12T10:00+08:00").await;
    for unit in ["water", "industry"] {
        matter.fires(&city, unit, TimerKind::Yellow).await;
    }
    city.settle().await;
    assert_eq!(recalled(&city, WHO).await.len(), 1, "signing is not doing");
    matter.unit(&city, "water", Do::Deploy { plan: String::new() }).await;
    matter.unit(&city, "water", submit()).await;
    city.settle().await;
    let of_water = recalled(&city, WHO).await;
    assert_eq!(of_water[1..], [(2, MessageKind::Reminder, "承办单位已申请办结".to_owned())]);
    assert!(recalled(&city, "industry-liaison").await.is_empty());
}

async fn a_document_is_recalled_with_the_last_of_its_tasks(backend: Backend) {
    let city = City::new(backend).await;
    let tasks: [(&str, &[&str]); 2] = [("7", &["water"]), ("8", &["water"])];
    let mut matters = Matter::of_document(&city, "临政办发〔2023〕8号", &tasks).await;
    city.settle().await;
    matters[0].unit(&city, "water", Do::Sign).await;
    city.settle().await;
    assert!(recalled(&city, WHO).await.is_empty(), "one of two");
    withdraw(&city, &mut matters[1]).await;
    city.settle().await;
    let reason = "该任务已撤销".to_owned();
    assert_eq!(recalled(&city, WHO).await, [(1, MessageKind::Assignment, reason)]);
    let told = city.inbox("qiao-feihong").await.into_iter().map(|(kind, ..)| kind).collect::<Vec<_>>();
    assert_eq!(told, ["assignment", "outcome"], "the document had told the leader of it");
}

async fn what_climbed_is_recalled_and_not_summed_up(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.advance("2023-06-07T09:00+08:00").await;
    assert_eq!(counted(&city, "water-head").await, (1, 1));
    withdraw(&city, &mut matter).await;
    city.settle().await;
    for (official, unread) in [("water-head", 1), ("qiao-feihong", 2)] {
        let kinds: Vec<_> = recalled(&city, official).await.into_iter().map(|(_, kind, _)| kind).collect();
        assert_eq!(kinds, [MessageKind::Climbed], "{official}");
        assert_eq!(counted(&city, official).await, (unread, 0), "{official}");
    }
    city.advance("2023-06-09T09:00+08:00").await;
    let kinds: Vec<_> = city.inbox("qiao-feihong").await.into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["assignment", "climbed", "outcome"], "no summary of what nobody need sign for");
}

async fn what_waits_for_a_summary_is_left_out_of_it(backend: Backend) {
    let city = City::new(backend).await;
    let digest = DailyDigest { time: "17:00".into(), kinds: vec![MessageKind::Reminder.into()] };
    let preferences = Some(Preferences { daily_digest: Some(digest), ..Preferences::default() });
    let request = UpdatePreferencesRequest { preferences, ..Default::default() };
    let mut client = PreferenceServiceClient::new(city.channel().await);
    client.update_preferences(city.by(WHO, request)).await.unwrap();
    let mut matters = Vec::new();
    for id in ["1", "2", "3"] {
        matters.push(Matter::issued(&city, id, &["water"]).await);
    }
    city.advance("2023-06-12T10:00+08:00").await;
    for matter in &mut matters {
        matter.fires(&city, "water", TimerKind::Yellow).await;
    }
    city.settle().await;
    for matter in &mut matters[..2] {
        withdraw(&city, matter).await;
    }
    city.advance("2023-06-12T18:00+08:00").await;
    let digests: Vec<_> = messages(&city, WHO, RecallFilter::Standing)
        .await
        .into_iter()
        .filter(|one| one.kind() == MessageKind::Digest)
        .collect();
    let [digest] = digests.as_slice() else { panic!("{digests:?}") };
    assert_eq!(digest.body.lines().count(), 1, "{}", digest.body);
}

/// Everything in the inboxes, and what was recalled.
async fn state(city: &City) -> Vec<String> {
    let sql =
        "SELECT recipient, number, kind, recalled_by, recalled_at FROM messages ORDER BY recipient, number";
    let reader = city.service.db.reader();
    let rows = reader.query_all_raw(statement(reader, sql, [])).await.unwrap();
    let row = |row: &sea_orm::QueryResult| {
        let text = |column: &str| row.try_get_by::<String, _>(column).unwrap();
        let by: Option<String> = row.try_get_by("recalled_by").unwrap();
        let number: i64 = row.try_get_by("number").unwrap();
        format!("{} {number} {} {by:?}", text("recipient"), text("kind"))
    };
    rows.iter().map(row).collect()
}

/// A task that is sent back is asked for again, after what ended it before.
async fn asked_ended_and_asked_again(city: &City, step_by_step: bool) {
    let mut matter = Matter::issued(city, "1", &["water"]).await;
    city.settle().await;
    city.advance("2023-06-12T10:00+08:00").await;
    let settle = async || {
        if step_by_step {
            city.settle().await;
        }
    };
    matter.fires(city, "water", TimerKind::Yellow).await;
    settle().await;
    matter.unit(city, "water", Do::Sign).await;
    matter.unit(city, "water", Do::Deploy { plan: String::new() }).await;
    settle().await;
    matter.unit(city, "water", submit()).await;
    settle().await;
    let refuse = Do::Verify { accept: false, note: "材料不全".into(), verifier_units: vec![] };
    matter.unit(city, "water", refuse).await;
    settle().await;
    let urging = InstrumentUse {
        instrument: Instrument::Urging,
        ground: "请抓紧".into(),
        decision: String::new(),
        by_leader: false,
        skip_lighter: false,
        paper: None,
    };
    matter.unit(city, "water", Do::Press(urging)).await;
    city.settle().await;
}

async fn it_is_the_same_in_one_batch_and_when_applied_again(backend: Backend) {
    let (one_by_one, at_once) = (City::new(backend).await, City::new(backend).await);
    asked_ended_and_asked_again(&one_by_one, true).await;
    asked_ended_and_asked_again(&at_once, false).await;
    let before = state(&at_once).await;
    assert_eq!(state(&one_by_one).await, before);
    let recalls = recalled(&at_once, WHO).await;
    assert_eq!(recalls.len(), 2, "{recalls:?}");
    let standing = messages(&at_once, WHO, RecallFilter::Standing).await;
    assert_eq!(standing[0].kind(), MessageKind::Urging, "asked again");

    // From the beginning, as after a restore.
    let history = at_once.history(WHO).await;
    let db = &at_once.service.db;
    let tx = db.begin().await.unwrap();
    let sql = "UPDATE consumer_cursors SET position = 0 WHERE producer = 'supervision'";
    tx.execute_raw(statement(&tx, sql, [])).await.unwrap();
    tx.commit().await.unwrap();
    let again = at_once.replica().await;
    for worker in &again.workers {
        while worker.turn().await.unwrap() == xietong_timers::Progress::Worked {}
    }
    assert_eq!(state(&at_once).await, before);
    assert_eq!(at_once.history(WHO).await, history);
}

/// From now on a water bureau with another liaison, under another leader.
async fn changes_hands(city: &City) {
    let post = |kind| Post {
        kind,
        unit: Some("units/water".into()),
        title: String::new(),
        start_time: None,
        end_time: None,
    };
    let official = |slug: &str, display_name: &str, posts| Official {
        name: format!("officials/{slug}"),
        display_name: display_name.into(),
        posts,
    };
    city.roster(&RosterEvent::OfficialChanged(official(WHO, "水利局联络员", vec![]))).await;
    let newcomer = official("water-newcomer", "水利局新联络员", vec![post(PostKind::Liaison)]);
    city.roster(&RosterEvent::OfficialCreated(newcomer)).await;
    let portfolio = |official: &str, units: &[&str], presides| Portfolio {
        official: format!("officials/{official}"),
        presides,
        fields: vec![],
        units: units
            .iter()
            .map(|unit| UnitDuty { unit: format!("units/{unit}"), relation: Relation::Directs })
            .collect(),
        classes: vec![],
    };
    city.roster(&RosterEvent::DivisionCreated(Division {
        name: "divisions/no-13".into(),
        document_number: "临政办发〔2023〕13号".into(),
        title: String::new(),
        effective_time: city.clock.now(),
        partial: false,
        portfolios: vec![
            portfolio("wang-yanfeng", &[], true),
            portfolio("wang-yuan", &[], false),
            portfolio("cui-yuanbin", &["industry"], false),
            portfolio("hu-xiaogang", &["water"], false),
            portfolio("qiao-feihong", &[], false),
        ],
        pairs: vec![],
        third_stand_ins: vec![],
        fallback: None,
        exclusions: vec![],
        absence_limit_days: None,
        corrects: None,
        record_time: city.clock.now(),
    }))
    .await;
}

fn listed(task: &str) -> HandoverList {
    let facts = TaskFacts {
        name: task.into(),
        ledger_number: 147,
        title: "推进绿色能源输配管网建设".into(),
        created_by: "supervisor".into(),
        visibility: Visibility::Internal,
        restricted_units: vec![],
        origin: None,
        designated: None,
        urgent: false,
    };
    HandoverList {
        division: "divisions/no-13".into(),
        document: "临政办发〔2023〕13号".into(),
        leader: "officials/hu-xiaogang".into(),
        effective_time: at("2023-06-06T10:00+08:00"),
        superseded_time: None,
        left_out: 0,
        received: vec![HandedOver {
            charge: Charge::Unit("units/water".into()),
            other: None,
            open_tasks: 1,
            tasks: vec![facts],
        }],
        given: vec![],
        no_longer_stated: vec![],
        first_stated: vec![],
    }
}

async fn a_withdrawal_is_told_to_whoever_was_told_before(backend: Backend) {
    let city = City::new(backend).await;
    let (mut one, mut two) =
        (Matter::issued(&city, "1", &["water"]).await, Matter::issued(&city, "2", &["water"]).await);
    city.settle().await;
    city.away("cui-yuanbin").await;
    one.unit(&city, "water", Do::Sign).await;
    city.advance("2023-06-06T10:00+08:00").await;
    changes_hands(&city).await;
    let payload = listed("tasks/1").to_payload().unwrap().to_string();
    city.record(ServiceName::Supervision, "divisions/no-13/handovers/1", HANDOVER_LISTED, payload).await;
    city.settle().await;
    for matter in [&mut one, &mut two] {
        withdraw(&city, matter).await;
        city.settle().await;
    }
    let told = async |task: &str| {
        let sql = "SELECT recipient, COUNT(*) AS times FROM messages WHERE kind = 'outcome' AND subject = $1
                   GROUP BY recipient ORDER BY recipient";
        let reader = city.service.db.reader();
        let rows = reader.query_all_raw(statement(reader, sql, [task.into()])).await.unwrap();
        let row = |row: &sea_orm::QueryResult| {
            let recipient: String = row.try_get_by("recipient").unwrap();
            assert_eq!(row.try_get_by::<i64, _>("times").unwrap(), 1, "{recipient}");
            recipient.trim_start_matches("officials/").to_owned()
        };
        rows.iter().map(row).collect::<Vec<_>>()
    };
    // The inspector was told that it was signed for, the new leader by the list of what came to him; the
    // new liaison never heard of it.
    assert_eq!(told("tasks/1").await, ["hu-xiaogang", "inspector", "qiao-feihong", "water-liaison"]);
    // Nobody signed for it, so it had climbed.
    assert_eq!(told("tasks/2").await, ["qiao-feihong", "water-head", "water-liaison"]);
}
