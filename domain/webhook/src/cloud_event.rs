//! [`cloud_event`]: the body of a request, a CloudEvent 1.0 in structured mode
//! (<https://github.com/cloudevents/spec>).

use domain_calendar::Timestamp;
use serde_json::{Value, json};

/// Of the body.
pub const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// What other systems are told of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CloudEvent<'a> {
    /// The event's identity; with the producer it is unique.
    pub id: &'a str,
    /// The service that recorded it, for example `supervision`.
    pub producer: &'a str,
    /// For example `supervision.task.issued`.
    pub event_type: &'a str,
    /// Resource name of what it is about, for example `tasks/0190…`.
    pub subject: &'a str,
    /// Business time of the act.
    pub time: Timestamp,
    /// Its place in the order of all events that the receiver may see.
    pub sequence: i64,
    /// W3C trace context of the call that caused it (extension "distributed tracing").
    pub traceparent: Option<&'a str>,
    /// The event's own data.
    pub data: &'a Value,
}

/// The bytes to sign and send.
pub fn cloud_event(event: &CloudEvent<'_>) -> Vec<u8> {
    let mut body = json!({
        "specversion": "1.0",
        "id": event.id,
        "source": format!("/services/{}", event.producer),
        "type": event.event_type,
        "subject": event.subject,
        "time": event.time.to_string(),
        // The extension "sequence" is compared as text, so that all are of one length.
        "sequence": format!("{:020}", event.sequence),
        "datacontenttype": "application/json",
        "data": event.data,
    });
    if let Some(traceparent) = event.traceparent {
        body["traceparent"] = traceparent.into();
    }
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use serde_json::{Value, json};

    use super::{CloudEvent, cloud_event};

    #[test]
    fn an_event_is_a_cloud_event_with_its_data() {
        let data = json!({ "title": "城区积水点改造", "target": "12.50" });
        let event = CloudEvent {
            id: "0190a1b2-0000-7000-8000-000000000001",
            producer: "supervision",
            event_type: "supervision.task.issued",
            subject: "tasks/0190a1b2",
            time: Timestamp::parse("2023-06-01T09:00:00+08:00").unwrap(),
            sequence: 41,
            traceparent: None,
            data: &data,
        };
        let expected = json!({
            "specversion": "1.0",
            "id": "0190a1b2-0000-7000-8000-000000000001",
            "source": "/services/supervision",
            "type": "supervision.task.issued",
            "subject": "tasks/0190a1b2",
            "time": "2023-06-01T09:00:00+08:00",
            "sequence": "00000000000000000041",
            "datacontenttype": "application/json",
            "data": { "title": "城区积水点改造", "target": "12.50" },
        });
        let read = |event| serde_json::from_slice::<Value>(&cloud_event(event)).unwrap();
        assert_eq!(read(&event), expected);
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let traced = read(&CloudEvent { traceparent: Some(trace), ..event });
        assert_eq!(traced["traceparent"], trace);
    }

    #[test]
    fn the_same_event_is_the_same_bytes() {
        let data = json!({ "b": 1, "a": [null, "值"] });
        let event = CloudEvent {
            id: "1",
            producer: "roster",
            event_type: "roster.absence.created",
            subject: "absences/1",
            time: Timestamp::MIN,
            sequence: i64::MAX,
            traceparent: None,
            data: &data,
        };
        assert_eq!(cloud_event(&event), cloud_event(&event));
    }
}
