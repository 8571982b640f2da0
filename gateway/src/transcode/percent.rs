//! Percent-decoding of path segments and query strings (RFC 3986).

use std::borrow::Cow;

/// The text has a `%` without two hexadecimal digits, or does not decode to UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Decodes everything: for a literal, or a variable of a single segment.
pub(crate) fn decode(raw: &str) -> Result<Cow<'_, str>, Malformed> {
    decode_with(raw, |_| false)
}

/// Decodes everything but `%2F`, which would look like a separator: for a variable of
/// several segments.
pub(crate) fn decode_keeping_slashes(raw: &str) -> Result<Cow<'_, str>, Malformed> {
    decode_with(raw, |byte| byte == b'/')
}

/// Decodes a name or value of a query string, where `+` stands for a space.
pub(crate) fn decode_query(raw: &str) -> Result<Cow<'_, str>, Malformed> {
    if raw.contains('+') {
        let spaced = raw.replace('+', " ");
        return decode(&spaced).map(|text| Cow::Owned(text.into_owned()));
    }
    decode(raw)
}

/// `keep` names the bytes whose escapes stay as they are written.
fn decode_with(raw: &str, keep: impl Fn(u8) -> bool) -> Result<Cow<'_, str>, Malformed> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let [high, low, tail @ ..] = tail else { return Err(Malformed) };
        let byte = digit(*high)? * 16 + digit(*low)?;
        if keep(byte) {
            bytes.extend_from_slice(&[b'%', *high, *low]);
        } else {
            bytes.push(byte);
        }
        rest = tail;
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Malformed)
}

fn digit(byte: u8) -> Result<u8, Malformed> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Malformed, decode, decode_keeping_slashes, decode_query};

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(decode("%E6%B0%B4%E5%88%A9"), Ok("水利".into()));
        assert_eq!(decode("a%2Fb+c"), Ok("a/b+c".into()));
        assert_eq!(decode_keeping_slashes("a%2fb%20c"), Ok("a%2fb c".into()));
        assert_eq!(decode_query("a+b%2Bc"), Ok("a b+c".into()));
    }

    #[test]
    fn half_escapes_and_broken_text_are_refused() {
        for raw in ["%", "%2", "%zz", "a%+1", "%ff", "%E6%B0"] {
            assert_eq!(decode(raw), Err(Malformed), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(text in ".*") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let decoded = decode(&encoded);
            prop_assert_eq!(decoded.as_deref(), Ok(text.as_str()));
        }

        #[test]
        fn nothing_panics(raw in "[%a-fA-F0-9+/水]*") {
            let _ = decode(&raw);
            let _ = decode_keeping_slashes(&raw);
            let _ = decode_query(&raw);
        }
    }
}
