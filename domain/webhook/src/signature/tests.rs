use std::time::Duration;

use proptest::prelude::*;
use sha2::Digest as _;

use super::{Algorithm, MessageId, Received, VerificationError, verify};
use crate::keyring::Keyring;
use crate::moment::Moment;
use crate::secret::Secret;

const TOLERANCE: Duration = Duration::from_secs(300);

/// What the libraries of Standard Webhooks test themselves with: secret, message id, seconds,
/// body, signature.
const PUBLISHED: [(&str, &str, i64, &str, &str); 2] = [
    // libraries/python/tests/test_webhooks.py and libraries/javascript/src/webhook.test.ts
    (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        r#"{"test": 2432232314}"#,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    // libraries/rust/src/lib.rs
    (
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1_649_367_553,
        r#"{"email":"test@example.com","username":"test_user"}"#,
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    ),
];

fn first() -> (Secret, Moment, Received<'static>) {
    let (secret, id, seconds, body, signature) = PUBLISHED[0];
    let received = Received { id, timestamp: "1614265330", signature, body: body.as_bytes() };
    (Secret::parse(secret).unwrap(), Moment::from_seconds(seconds), received)
}

fn checked(secret: &Secret, received: Received<'_>, now: Moment) -> Result<(), VerificationError> {
    verify(Algorithm::Sha256, secret, received, now, TOLERANCE)
}

#[test]
fn the_published_vectors_of_standard_webhooks_are_signed_and_verified() {
    for (secret, id, seconds, body, signature) in PUBLISHED {
        let (secret, now) = (Secret::parse(secret).unwrap(), Moment::from_seconds(seconds));
        let headers =
            Keyring::new(secret.clone()).sign(&MessageId::parse(id).unwrap(), now, body.as_bytes(), false);
        assert_eq!((headers.id.as_str(), headers.signature.as_str()), (id, signature));
        assert_eq!((headers.timestamp, headers.sm3_signature), (seconds.to_string(), None));
        let timestamp = seconds.to_string();
        let received = Received { id, timestamp: &timestamp, signature, body: body.as_bytes() };
        assert_eq!(checked(&secret, received, now), Ok(()));
    }
}

#[test]
fn sm3_gives_the_digests_that_its_standard_publishes() {
    let hexadecimal =
        |text: &[u8]| sm3::Sm3::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    // GB/T 32905-2016, A.1 and A.2.
    assert_eq!(hexadecimal(b"abc"), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    assert_eq!(
        hexadecimal("abcd".repeat(16).as_bytes()),
        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    );
}

#[test]
fn the_sm3_signature_is_the_one_that_openssl_makes() {
    let (secret, id, seconds, body, _) = PUBLISHED[0];
    let headers = Keyring::new(Secret::parse(secret).unwrap()).sign(
        &MessageId::parse(id).unwrap(),
        Moment::from_seconds(seconds),
        body.as_bytes(),
        true,
    );
    // openssl mac -digest sm3 -macopt hexkey:31f2… -in signed HMAC
    let expected = "v1,/HoSFIzweCy/UJPM50++HyVPa/54PFXtLisZ9sIFN1I=";
    assert_eq!(headers.sm3_signature.as_deref(), Some(expected));
}

#[test]
fn one_matching_signature_among_others_is_enough_and_other_versions_are_passed_over() {
    let (secret, now, received) = first();
    let wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
    let several = format!("{wrong} v2,{} v1a,x {} {wrong}", &wrong[3..], received.signature);
    assert_eq!(checked(&secret, Received { signature: &several, ..received }, now), Ok(()));
    let matching_as_another_version = received.signature.replace("v1,", "v2,");
    for signature in [wrong, "v1,", "", " ", "v1,g0hM9SsE", "g0hM", &matching_as_another_version] {
        let received = Received { signature, ..received };
        assert_eq!(checked(&secret, received, now), Err(VerificationError::NoMatch), "{signature}");
    }
}

#[test]
fn what_was_signed_long_ago_or_in_the_future_is_not_trusted() {
    let (secret, now, received) = first();
    let second = Duration::from_secs(1);
    let before = Moment::from_micros(now.as_micros() - 300_000_000);
    for at in [before, now, now.plus(TOLERANCE)] {
        assert_eq!(checked(&secret, received, at), Ok(()));
    }
    assert_eq!(checked(&secret, received, now.plus(TOLERANCE + second)), Err(VerificationError::TooOld));
    let earlier = Moment::from_micros(before.as_micros() - 1);
    assert_eq!(checked(&secret, received, earlier), Err(VerificationError::TooNew));
    let words = Received { timestamp: "hello", ..received };
    assert_eq!(checked(&secret, words, now), Err(VerificationError::Timestamp));
    let extreme = Received { timestamp: "9223372036854775807", ..received };
    assert_eq!(checked(&secret, extreme, now), Err(VerificationError::TooNew));
}

#[test]
fn a_message_id_has_no_full_stop() {
    for text in ["", "a.b", "消息", "a b", &"a".repeat(129)] {
        assert!(MessageId::parse(text).is_err(), "{text}");
    }
    assert_eq!(MessageId::parse("0190-abc_D").unwrap().as_str(), "0190-abc_D");
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_a_changed_bit_anywhere_does_not(
        key in proptest::collection::vec(any::<u8>(), 24..=64),
        id in "[A-Za-z0-9_-]{1,40}",
        seconds in 0_i64..4_000_000_000,
        body in proptest::collection::vec(any::<u8>(), 1..200),
        at in any::<prop::sample::Index>(),
        bit in 0_u32..8,
    ) {
        let secret = Secret::from_bytes(key).unwrap();
        let now = Moment::from_seconds(seconds);
        let headers = Keyring::new(secret.clone()).sign(&MessageId::parse(&id).unwrap(), now, &body, true);
        let sm3_signature = headers.sm3_signature.unwrap();
        let mut changed = body.clone();
        changed[at.index(body.len())] ^= 1 << bit;
        for (algorithm, signature) in [
            (Algorithm::Sha256, headers.signature.as_str()),
            (Algorithm::Sm3, sm3_signature.as_str()),
        ] {
            let (id, timestamp) = (headers.id.as_str(), headers.timestamp.as_str());
            let received = Received { id, timestamp, signature, body: &body };
            prop_assert_eq!(verify(algorithm, &secret, received, now, TOLERANCE), Ok(()));
            let forged = [
                Received { body: &changed, ..received },
                Received { id: &format!("{id}0"), ..received },
                Received { timestamp: &(seconds + 1).to_string(), ..received },
            ];
            for received in forged {
                prop_assert_eq!(
                    verify(algorithm, &secret, received, now, TOLERANCE),
                    Err(VerificationError::NoMatch)
                );
            }
        }
        prop_assert_ne!(headers.signature, sm3_signature);
    }
}
