//! Bounds of what a caller may send. Whatever is outside them is INVALID_ARGUMENT.

use crate::error::Error;

/// Characters of a name or a line: of a resource, a person, a unit, a title.
pub const LINE: usize = 200;
/// Characters of a text that people read.
pub const TEXT: usize = 20_000;
/// Entries of a list inside a record.
pub const ENTRIES: usize = 500;

/// What is wrong with a text of at most `longest` characters, in English and in Chinese. NUL
/// is refused: PostgreSQL cannot store it.
pub fn fault_of_text(text: &str, longest: usize) -> Option<(String, String)> {
    if text.contains('\0') {
        let english = "must not contain the character NUL";
        return Some((english.to_owned(), "不能含有空字符（NUL）".to_owned()));
    }
    (text.chars().count() > longest)
        .then(|| (format!("must be at most {longest} characters"), format!("最长{longest}个字")))
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
    use super::{LINE, at_most, required, text};

    #[test]
    fn length_is_counted_in_characters() {
        assert!(text("title", "水".repeat(LINE), LINE).is_ok());
        let error = text("title", "水".repeat(LINE + 1), LINE).unwrap_err();
        assert_eq!(error.violations()[0].field, "title");
    }

    #[test]
    fn a_nul_a_blank_name_or_too_long_a_list_is_refused() {
        assert!(required("name", "市水\0利局".into()).is_err());
        assert!(required("name", " \u{3000}".into()).is_err());
        assert!(at_most("seats", vec![(); 3], 2).is_err());
    }
}
