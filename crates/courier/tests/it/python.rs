//! Another language's library of Standard Webhooks verifies what a courier delivers: the example
//! receiver of `docs/webhooks`, which uses the one for Python.

use std::time::Duration;

use domain_webhook::{Keyring, MessageId, Moment, Secret};
use xietong_testkit::receiver::PythonReceiver;

use crate::bed::{AMPLE, Bed, ample, now};

fn secret(byte: u8) -> Secret {
    Secret::from_bytes(vec![byte; 32]).unwrap()
}

fn body(number: u8) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{number}","source":"/services/supervision","type":"supervision.task.issued","subject":"tasks/{number}","data":{{"title":"城区积水点改造"}}}}"#
    )
}

#[tokio::test]
async fn the_python_library_verifies_what_is_delivered_and_refuses_everything_else() {
    let mut receiver = PythonReceiver::start(&secret(1), AMPLE).await.unwrap();
    let bed = Bed::new(ample());
    let message = |number: u8| MessageId::parse(&format!("event-{number}")).unwrap();
    let hour = Duration::from_secs(3_600);
    let own = Keyring::new(secret(1));
    let rotated = own.clone().rotate(secret(2), now(), hour).unwrap();
    let replaced = own.clone().rotate(secret(2), now(), Duration::ZERO).unwrap();
    let an_hour_ago = Moment::from_micros(now().as_micros() - 3_600_000_000);

    let status = async |keyring: &Keyring, number: u8, at: Moment, sent: &str| {
        let headers = keyring.sign(&message(number), at, body(number).as_bytes(), true);
        bed.send_signed(receiver.url(), &headers, sent.as_bytes()).await
    };
    assert_eq!(status(&own, 1, now(), &body(1)).await, 204);
    assert_eq!(status(&own, 1, now(), &body(1)).await, 204, "the same again");
    assert_eq!(status(&rotated, 2, now(), &body(2)).await, 204, "while the secret is replaced");
    assert_eq!(status(&replaced, 3, now(), &body(3)).await, 401, "by a secret it does not know");
    assert_eq!(status(&own, 4, now(), &body(5)).await, 401, "another body than was signed");
    assert_eq!(status(&own, 5, an_hour_ago, &body(5)).await, 401, "signed too long ago");
    assert_eq!(status(&own, 6, now(), &body(6)).await, 204);

    for number in [1, 2, 6] {
        let expected = format!(
            r#"{{"message": "event-{number}", "type": "supervision.task.issued", "subject": "tasks/{number}"}}"#
        );
        assert_eq!(receiver.line().await.unwrap(), expected);
    }
}
