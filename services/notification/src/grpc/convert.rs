//! Between protos and the store.

use domain_notification::NoticeKind;
use uuid::Uuid;
use xietong_mesh::Error;
use xietong_mesh::convert::encode_time;
use xietong_proto::notification as proto;

use crate::store::StoredMessage;

pub(crate) fn encode(message: StoredMessage) -> proto::Message {
    proto::Message {
        name: format!("inbox/messages/{}", message.id),
        number: message.number,
        recipient: message.recipient,
        kind: kind(message.kind).into(),
        title: message.title,
        body: message.body,
        subject: message.subject,
        capacity: message.capacity,
        acting_for: message.acting_for.unwrap_or_default(),
        requires_acknowledgement: message.receipt.requires_acknowledgement,
        create_time: Some(encode_time(message.sent_at)),
        read_time: message.receipt.read_at.map(encode_time),
        acknowledge_time: message.receipt.acknowledged_at.map(encode_time),
        archive_time: message.receipt.archived_at.map(encode_time),
        recall_time: message.receipt.recalled_at.map(encode_time),
        recall_reason: message.recalled_by.map(|ending| ending.chinese().to_owned()).unwrap_or_default(),
    }
}

/// The id in `inbox/messages/{id}`.
pub(crate) fn message_id(name: &str) -> Result<String, Error> {
    name.strip_prefix("inbox/messages/")
        .and_then(|id| Uuid::parse_str(id).ok())
        .map(|id| id.to_string())
        .ok_or_else(|| {
            Error::invalid("name", "must be inbox/messages/{id}", "名称须为 inbox/messages/{编号} 的形式")
        })
}

/// The kind that a request names.
pub(crate) fn decode_kind(field: &str, kind: i32) -> Result<NoticeKind, Error> {
    NoticeKind::ALL
        .into_iter()
        .find(|known| i32::from(self::kind(*known)) == kind)
        .ok_or_else(|| Error::invalid(field, "must be a kind of message", "通知类别不存在"))
}

pub(crate) fn kind(kind: NoticeKind) -> proto::MessageKind {
    match kind {
        NoticeKind::Assignment => proto::MessageKind::Assignment,
        NoticeKind::Progress => proto::MessageKind::Progress,
        NoticeKind::Reminder => proto::MessageKind::Reminder,
        NoticeKind::Urging => proto::MessageKind::Urging,
        NoticeKind::Light => proto::MessageKind::Light,
        NoticeKind::Decision => proto::MessageKind::Decision,
        NoticeKind::Outcome => proto::MessageKind::Outcome,
        NoticeKind::Handover => proto::MessageKind::Handover,
        NoticeKind::Climbed => proto::MessageKind::Climbed,
        NoticeKind::Digest => proto::MessageKind::Digest,
        NoticeKind::Instruction => proto::MessageKind::Instruction,
    }
}

#[cfg(test)]
mod tests {
    use super::message_id;

    #[test]
    fn only_names_of_messages_are_read() {
        let id = "0190a5c8-7f60-7cc3-98c4-dc0c0c07398f";
        assert_eq!(message_id(&format!("inbox/messages/{id}")), Ok(id.to_owned()));
        for name in ["", "inbox/messages/", "inbox/messages/1", &format!("tasks/{id}"), "inbox/messages/\0"] {
            assert!(message_id(name).is_err(), "{name:?}");
        }
    }
}
