//! `Content-Disposition` (RFC 6266): a file's name as it comes and as it goes.

use crate::transcode::percent;

/// The header cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The file name that a header gives, if it gives one: `filename*` (RFC 8187, UTF-8) before
/// `filename`.
pub(crate) fn file_name(header: &[u8]) -> Result<Option<String>, Malformed> {
    // Browsers and curl send a plain `filename` as UTF-8.
    let text = std::str::from_utf8(header).map_err(|_| Malformed)?;
    let (kind, mut rest) = text.split_once(';').unwrap_or((text, ""));
    if !is_token(kind.trim()) {
        return Err(Malformed);
    }
    let (mut plain, mut extended) = (None, None);
    while !rest.trim().is_empty() {
        let (name, value, tail) = parameter(rest)?;
        let place = match name.to_ascii_lowercase().as_str() {
            "filename" => &mut plain,
            "filename*" => &mut extended,
            _ => {
                rest = tail;
                continue;
            }
        };
        if place.replace(value).is_some() {
            return Err(Malformed);
        }
        rest = tail;
    }
    extended.map(|value| decode(&value)).transpose().map(|extended| extended.or(plain))
}

/// What a client is told to keep a file as: its name in ASCII for the oldest, and as it is.
pub(crate) fn attachment(name: &str) -> String {
    let ascii: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{}", encode(name))
}

/// The first parameter, its value, and what comes after it.
fn parameter(text: &str) -> Result<(&str, String, &str), Malformed> {
    let (name, value) = text.split_once('=').ok_or(Malformed)?;
    let (name, value) = (name.trim(), value.trim_start());
    if !is_token(name) {
        return Err(Malformed);
    }
    let Some(quoted) = value.strip_prefix('"') else {
        let (value, tail) = value.split_once(';').unwrap_or((value, ""));
        let value = value.trim();
        let unquoted = !value.is_empty() && !value.contains(['"', ' ', '\t', ',']);
        return if unquoted { Ok((name, value.to_owned(), tail)) } else { Err(Malformed) };
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.push(letters.next().ok_or(Malformed)?.1),
            '"' => {
                let tail = quoted.get(at + 1..).unwrap_or_default().trim_start();
                return match tail.strip_prefix(';') {
                    Some(tail) => Ok((name, value, tail)),
                    None if tail.is_empty() => Ok((name, value, "")),
                    None => Err(Malformed),
                };
            }
            letter => value.push(letter),
        }
    }
    Err(Malformed)
}

/// `UTF-8'language'percent-encoded`.
fn decode(value: &str) -> Result<String, Malformed> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, encoded) = (parts.next(), parts.next(), parts.next());
    if !charset.is_some_and(|charset| charset.eq_ignore_ascii_case("utf-8")) {
        return Err(Malformed);
    }
    let encoded = encoded.ok_or(Malformed)?;
    percent::decode(encoded).map(|name| name.into_owned()).map_err(|_| Malformed)
}

fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        // RFC 8187's attr-char.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A character that stands for itself between quotation marks, in every client. Some decode `%`.
fn is_plain(letter: char) -> bool {
    (letter.is_ascii_graphic() || letter == ' ') && !matches!(letter, '"' | '\\' | '%')
}

/// RFC 9110's characters of a name.
fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Malformed, attachment, file_name};

    fn read(header: &str) -> Result<Option<String>, Malformed> {
        file_name(header.as_bytes())
    }

    #[test]
    fn a_name_is_read_in_each_of_its_forms() {
        for (header, name) in [
            ("attachment", None),
            ("attachment; size=3", None),
            ("attachment; filename=report.pdf", Some("report.pdf")),
            ("Attachment ; FileName=\"a; \\\"b\\\".pdf\" ; size=3", Some("a; \"b\".pdf")),
            ("attachment; filename=\"报告.pdf\"", Some("报告.pdf")),
            ("attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf", Some("报告.pdf")),
            ("attachment; filename=\"x.pdf\"; filename*=utf-8'zh'%E6%8A%A5.pdf", Some("报.pdf")),
            ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", Some("../../etc/passwd")),
        ] {
            assert_eq!(read(header), Ok(name.map(str::to_owned)), "{header}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for header in [
            "",
            "; filename=a",
            "attachment; filename",
            "attachment; filename=",
            "attachment; filename=a b",
            "attachment; filename=\"a",
            "attachment; filename=\"a\\",
            "attachment; filename=\"a\" x",
            "attachment; filename=a; filename=b",
            "attachment; filename*=report.pdf",
            "attachment; filename*=GBK''%B1%A8",
            "attachment; filename*=UTF-8''%ff",
            "attachment; filename*=UTF-8''%E6%8",
        ] {
            assert_eq!(read(header), Err(Malformed), "{header}");
        }
        assert_eq!(file_name(b"attachment; filename=\"\xb1\xa8\""), Err(Malformed));
    }

    #[test]
    fn a_chinese_name_is_told_to_old_and_new_clients() {
        let told = attachment("报告 1.pdf");
        assert_eq!(told, "attachment; filename=\"__ 1.pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A%201.pdf");
    }

    proptest! {
        #[test]
        fn what_is_told_is_a_header_and_is_read_back(name in "[^\\x00-\\x1f\\x7f]{1,60}") {
            let told = attachment(&name);
            prop_assert!(http::HeaderValue::try_from(&told).is_ok());
            prop_assert_eq!(read(&told), Ok(Some(name)));
        }

        #[test]
        fn nothing_panics(header: Vec<u8>) {
            let _ = file_name(&header);
        }
    }
}
