//! A document gives each unit one notice, with one sign-off.

use domain_supervision::AssignmentCommand as Do;
use xietong_proto::notification::ListMessagesRequest;

use crate::city::{Backend, City};
use crate::matter::Matter;

crate::on_both_back_ends!(
    a_document_is_one_notice_a_unit_that_lists_its_items,
    its_climbing_ends_when_the_last_item_is_signed_for,
    its_climbing_ends_when_its_notice_is_signed_for,
);

const NUMBER: &str = "临政办发〔2023〕8号";
const TASKS: [(&str, &[&str]); 3] = [("7", &["water", "industry"]), ("8", &["water"]), ("9", &["industry"])];

async fn titles(city: &City, official: &str) -> Vec<String> {
    city.inbox(official).await.into_iter().map(|(kind, _, title)| format!("{kind} {title}")).collect()
}

async fn a_document_is_one_notice_a_unit_that_lists_its_items(backend: Backend) {
    let city = City::new(backend).await;
    Matter::of_document(&city, NUMBER, &TASKS).await;
    city.settle().await;
    let notice = "assignment 交办：临政办发〔2023〕8号，共2项";
    for official in ["water-liaison", "industry-liaison", "qiao-feihong", "cui-yuanbin"] {
        assert_eq!(titles(&city, official).await, [notice], "{official}");
    }
    let request = ListMessagesRequest::default();
    let messages = city.client().await.list_messages(city.by("water-liaison", request)).await.unwrap();
    let [message] = messages.into_inner().messages.try_into().unwrap();
    assert!(message.requires_acknowledgement);
    assert_eq!(message.subject, "documents/临政办发〔2023〕8号");
    let items: Vec<&str> = message.body.lines().filter(|line| line.starts_with('第')).collect();
    assert!(items[0].starts_with("第7项") && items[1].starts_with("第8项"), "{}", message.body);
    assert_eq!(items.len(), 2);
}

async fn its_climbing_ends_when_the_last_item_is_signed_for(backend: Backend) {
    let city = City::new(backend).await;
    let mut matters = Matter::of_document(&city, NUMBER, &TASKS).await;
    city.settle().await;
    matters[0].unit(&city, "water", Do::Sign).await;
    matters[1].unit(&city, "water", Do::Sign).await;
    // The other unit signs for one of two: it has not signed for what it was given.
    matters[0].unit(&city, "industry", Do::Sign).await;
    city.advance("2023-06-06T09:00+08:00").await;
    assert!(titles(&city, "water-head").await.is_empty(), "the unit signed for both");
    assert_eq!(titles(&city, "industry-head").await, ["climbed 升级：交办：临政办发〔2023〕8号，共2项"]);
    matters[2].unit(&city, "industry", Do::Sign).await;
    city.advance("2023-06-08T09:00+08:00").await;
    let leader = titles(&city, "cui-yuanbin").await;
    assert!(leader.iter().all(|title| !title.starts_with("climbed")), "{leader:?}");
}

async fn its_climbing_ends_when_its_notice_is_signed_for(backend: Backend) {
    let city = City::new(backend).await;
    Matter::of_document(&city, NUMBER, &TASKS).await;
    city.settle().await;
    crate::climbing::acknowledge_newest(&city, "water-liaison").await;
    city.advance("2023-06-08T09:00+08:00").await;
    assert!(titles(&city, "water-head").await.is_empty());
    assert_eq!(titles(&city, "industry-head").await.len(), 1);
}
