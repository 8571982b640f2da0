//! Bounds of what a caller may send. Whatever is outside them is INVALID_ARGUMENT.

use crate::error::Error;

/// Characters of a name or a line: of a resource, a person, a unit, a title.
pub const LINE: usize = 200;
/// Characters of a text that people read.
pub const TEXT: usize = 20_000;
/// Entries of a list inside a record.
pub const ENTRIES: usize = 500;

/// What is wrong with a text of at most `longest` characters, in English and in Chinese. Control
/// characters other than tab and the ends of lines are refused, and so are U+FFFE and U+FFFF:
/// neither PostgreSQL (NUL) nor the files that are made of it (XML) can hold them.
pub fn fault_of_text(text: &str, longest: usize) -> Option<(String, String)> {
    if let Some(one) = text.chars().find(|one| is_no_text(*one)) {
        let code = u32::from(one);
        let english = format!("must not contain the control character U+{code:04X}");
        return Some((english, format!("含有不可见的控制字符（U+{code:04X}），请删除后重新提交")));
    }
    (text.chars().count() > longest)
        .then(|| (format!("must be at most {longest} characters"), format!("最长{longest}个字")))
}

fn is_no_text(one: char) -> bool {
    let kept = matches!(one, '\t' | '\n' | '\r');
    (one.is_ascii_control() && one != '\u{7f}' && !kept) || matches!(one, '\u{fffe}' | '\u{ffff}')
}

/// What is wrong with a line of at most [`LINE`] characters, a title for example: it has no ends of
/// lines in it.
pub fn fault_of_line(text: &str) -> Option<(String, String)> {
    if text.trim_matches(['\r', '\n']).contains(['\r', '\n']) {
        return Some(("must be one line".to_owned(), "只能填写一行，不能换行".to_owned()));
    }
    fault_of_text(text, LINE)
}

/// A text of at most `longest` characters.
///
/// # Errors
/// As [`fault_of_text`] says.
pub fn text(field: &str, text: String, longest: usize) -> Result<String, Error> {
    match fault_of_text(&text, longest) {
        Some((english, chinese)) => Err(Error::invalid(field, english, chinese)),
        None => Ok(text),
    }
}

/// Longest request id, in characters.
const LONGEST_REQUEST_ID: usize = 128;

/// Checks a `request_id`; empty is none.
///
/// # Errors
/// When it is longer than 128 characters, or not all of them are printable ASCII.
pub fn request_id(request_id: &str) -> Result<(), Error> {
    if request_id.len() > LONGEST_REQUEST_ID || !request_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::invalid(
            "request_id",
            "must be at most 128 printable ASCII characters without spaces",
            "请求编号最长128个字符，只能用可见的英文字符",
        ));
    }
    Ok(())
}

/// A name that must be given.
///
/// # Errors
/// When it is blank, or no [`text`] of a line.
pub fn required(field: &str, name: String) -> Result<String, Error> {
    if name.trim().is_empty() {
        return Err(missing(field));
    }
    text(field, name, LINE)
}

/// A name that may be left out: the API's empty text is none.
///
/// # Errors
/// When it is no [`text`] of a line.
pub fn optional(field: &str, name: String) -> Result<Option<String>, Error> {
    Ok(Some(text(field, name, LINE)?).filter(|name| !name.is_empty()))
}

/// A list of at most `most` entries.
///
/// # Errors
/// When it has more.
pub fn at_most<T>(field: &str, list: Vec<T>, most: usize) -> Result<Vec<T>, Error> {
    if list.len() > most {
        let english = format!("must have at most {most} entries");
        return Err(Error::invalid(field, english, format!("最多{most}项")));
    }
    Ok(list)
}

/// A list of names.
///
/// # Errors
/// When it has more than [`ENTRIES`], or one is no [`text`] of a line.
pub fn names(field: &str, list: Vec<String>) -> Result<Vec<String>, Error> {
    at_most(field, list, ENTRIES)?.into_iter().map(|name| text(field, name, LINE)).collect()
}

/// A message that must be given.
///
/// # Errors
/// When it is not.
pub fn present<T>(field: &str, message: Option<T>) -> Result<T, Error> {
    message.ok_or_else(|| missing(field))
}

fn missing(field: &str) -> Error {
    Error::invalid(field, "is required", format!("必填项“{field}”为空"))
}

#[cfg(test)]
mod tests {
    use super::{LINE, at_most, fault_of_line, fault_of_text, required, text};

    #[test]
    fn length_is_counted_in_characters() {
        assert!(text("title", "水".repeat(LINE), LINE).is_ok());
        let error = text("title", "水".repeat(LINE + 1), LINE).unwrap_err();
        assert_eq!(error.violations()[0].field, "title");
    }

    #[test]
    fn characters_that_no_file_can_hold_are_refused() {
        for refused in ["\0", "\u{1}", "\u{8}", "\u{b}", "\u{c}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
            let (english, chinese) = fault_of_text(&format!("标{refused}题"), 10).unwrap();
            assert!(english.contains("U+") && chinese.contains("控制字符"), "{english} {chinese}");
        }
        assert_eq!(fault_of_text("一\t二\r\n三", 10), None);
    }

    #[test]
    fn a_line_has_no_ends_of_lines_in_it() {
        for broken in ["一\n二", "一\r二", "一\r\n二"] {
            assert_eq!(fault_of_line(broken).unwrap().0, "must be one line");
        }
        assert_eq!(fault_of_line("一 二"), None);
        assert!(fault_of_line(&"一".repeat(LINE + 1)).is_some());
    }

    #[test]
    fn a_nul_a_blank_name_or_too_long_a_list_is_refused() {
        assert!(required("name", "市水\0利局".into()).is_err());
        assert!(required("name", " \u{3000}".into()).is_err());
        assert!(at_most("seats", vec![(); 3], 2).is_err());
    }
}
