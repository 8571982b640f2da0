//! A bulletin is checked: each unit with a line in it is asked once, and nobody else.

use domain_supervision::{BulletinChange, BulletinEvent, BulletinFacts, Period};
use xietong_mesh::ServiceName;
use xietong_proto::notification as proto;

use crate::city::{Backend, City, at};

crate::on_both_back_ends!(each_unit_is_asked_once_to_check_its_line);

async fn each_unit_is_asked_once_to_check_its_line(backend: Backend) {
    let city = City::new(backend).await;
    let event = BulletinEvent {
        bulletin: BulletinFacts {
            name: "bulletins/1".into(),
            title: "五月通报".into(),
            period: Period { start: at("2023-05-01T00:00+08:00"), end: at("2023-06-01T00:00+08:00") },
            leader: "officials/qiao-feihong".into(),
            created_by: "supervisor".into(),
        },
        at: at("2023-06-05T09:00+08:00"),
        change: BulletinChange::CheckBegun {
            before: at("2023-06-08T00:00+08:00"),
            units: vec!["units/water".into()],
        },
    };
    let payload = event.to_payload().unwrap().to_string();
    city.record(ServiceName::Supervision, "bulletins/1", event.event_type(), payload).await;
    city.settle().await;
    city.settle().await;
    let read = async |reader: &str| {
        let request = proto::ListMessagesRequest::default();
        let page = city.client().await.list_messages(city.by(reader, request)).await.unwrap();
        page.into_inner().messages
    };
    let [message] = read("water-liaison").await.try_into().unwrap();
    assert_eq!(message.title, "请核对：《五月通报》（2023年5月1日至2023年5月31日）");
    assert_eq!(message.subject, "bulletins/1");
    assert!(message.body.contains("请在2023年6月7日24时前核对本单位的数据"), "{}", message.body);
    assert!(!message.requires_acknowledgement);
    assert!(read("industry-liaison").await.is_empty());
}
