//! What nobody signs for climbs, step by step, and is summed up for the leader.

use domain_supervision::{AssignmentCommand as Do, TimerKind};
use xietong_proto::notification::{AcknowledgeMessageRequest, ListMessagesRequest};

use crate::city::{Backend, City};
use crate::matter::Matter;

crate::on_both_back_ends!(
    an_unsigned_message_climbs_each_step_once_and_is_summed_up,
    the_chain_is_the_same_every_time,
    a_signature_at_any_rung_ends_the_climbing,
    signing_the_task_itself_ends_the_climbing_but_not_of_what_is_overdue,
    a_leader_who_is_away_has_the_summary_read_by_whoever_acts,
);

async fn titles(city: &City, official: &str) -> Vec<String> {
    city.inbox(official).await.into_iter().map(|(kind, _, title)| format!("{kind} {title}")).collect()
}

pub(crate) async fn acknowledge_newest(city: &City, official: &str) {
    let mut client = city.client().await;
    let request = ListMessagesRequest { page_size: 1, ..ListMessagesRequest::default() };
    let newest = client.list_messages(city.by(official, request)).await.unwrap().into_inner().messages;
    let request = AcknowledgeMessageRequest { name: newest[0].name.clone(), request_id: String::new() };
    client.acknowledge_message(city.by(official, request)).await.unwrap();
    city.settle().await;
}

async fn an_unsigned_message_climbs_each_step_once_and_is_summed_up(backend: Backend) {
    let city = City::new(backend).await;
    Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;

    city.advance("2023-06-06T08:59:59+08:00").await;
    assert!(titles(&city, "water-head").await.is_empty(), "a day has not passed");
    city.advance("2023-06-06T09:00+08:00").await;
    let climbed = "climbed 升级：交办：第147号《推进绿色能源输配管网建设》";
    assert_eq!(titles(&city, "water-head").await, [climbed]);
    assert_eq!(titles(&city, "qiao-feihong").await.len(), 1, "the leader knows of the task only");

    city.advance("2023-06-07T09:00+08:00").await;
    assert_eq!(
        titles(&city, "qiao-feihong").await[1..],
        ["climbed 升级：交办：第147号《推进绿色能源输配管网建设》"]
    );
    city.advance("2023-06-08T08:29:59+08:00").await;
    assert_eq!(titles(&city, "qiao-feihong").await.len(), 2);
    city.advance("2023-07-06T09:00+08:00").await;
    assert_eq!(titles(&city, "qiao-feihong").await[2..], ["digest 未签收事项汇总：共1项，仍未签收1项"]);

    assert_eq!(titles(&city, "water-head").await.len(), 1, "each step once");
    assert_eq!(titles(&city, "water-liaison").await.len(), 1);
    assert_eq!(city.history("qiao-feihong").await, ["message.sent", "message.climbed", "digest.sent"]);
    let digest = city.everything().await.into_iter().find(|line| line.contains(" digest ")).unwrap();
    assert!(digest.contains("2023-06-08T08:30:00+08:00"), "{digest}");
}

async fn the_chain_is_the_same_every_time(backend: Backend) {
    let mut first = None;
    for _ in 0..3 {
        let city = City::new(backend).await;
        for number in 0..5 {
            Matter::issued(&city, &number.to_string(), &["water", "industry"]).await;
        }
        city.advance("2023-07-06T09:00+08:00").await;
        let everything = city.everything().await;
        assert_eq!(everything.len(), 42, "10 sent to units, 10 to leaders, twice 10 climbed, 2 digests");
        assert_eq!(*first.get_or_insert_with(|| everything.clone()), everything);
    }
}

async fn a_signature_at_any_rung_ends_the_climbing(backend: Backend) {
    let city = City::new(backend).await;
    Matter::issued(&city, "1", &["water"]).await;
    Matter::issued(&city, "2", &["industry"]).await;
    city.settle().await;
    acknowledge_newest(&city, "water-liaison").await;
    city.advance("2023-06-06T10:00+08:00").await;
    assert!(titles(&city, "water-head").await.is_empty(), "the liaison signed");
    assert_eq!(titles(&city, "industry-head").await.len(), 1);
    acknowledge_newest(&city, "industry-head").await;
    city.advance("2023-07-06T09:00+08:00").await;
    for leader in ["qiao-feihong", "cui-yuanbin"] {
        assert_eq!(titles(&city, leader).await.len(), 1, "{leader} knows of the task only");
    }
}

async fn signing_the_task_itself_ends_the_climbing_but_not_of_what_is_overdue(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    matter.unit(&city, "water", Do::Sign).await;
    city.advance("2023-06-14T09:00+08:00").await;
    assert!(titles(&city, "water-head").await.is_empty(), "the unit signed for the task");

    matter.fires(&city, "water", TimerKind::SettleDue).await;
    city.settle().await;
    matter.unit(&city, "water", Do::Deploy { plan: String::new() }).await;
    city.advance("2023-06-15T09:00+08:00").await;
    let overdue = "climbed 升级：红灯：第147号《推进绿色能源输配管网建设》";
    assert_eq!(titles(&city, "water-head").await, [overdue]);
    matter.unit(&city, "water", Do::Submit { text: "已完成".into(), attachments: vec![] }).await;
    city.advance("2023-07-06T09:00+08:00").await;
    let leader = titles(&city, "qiao-feihong").await;
    assert!(leader.iter().all(|title| !title.starts_with("climbed")), "it was submitted in time: {leader:?}");
}

async fn a_leader_who_is_away_has_the_summary_read_by_whoever_acts(backend: Backend) {
    let city = City::new(backend).await;
    Matter::issued(&city, "1", &["industry"]).await;
    city.away("cui-yuanbin").await;
    city.advance("2023-06-09T09:00+08:00").await;
    let kinds = |inbox: Vec<(String, String, String)>| {
        inbox.into_iter().map(|(kind, capacity, _)| format!("{kind} {capacity}")).collect::<Vec<_>>()
    };
    let away = ["assignment 分管领导", "climbed 分管领导", "digest 本人"];
    assert_eq!(kinds(city.inbox("cui-yuanbin").await), away);
    let acting = ["assignment 代行分管领导", "climbed 代行分管领导", "digest 代行职责"];
    assert_eq!(kinds(city.inbox("hu-xiaogang").await), acting);
}
