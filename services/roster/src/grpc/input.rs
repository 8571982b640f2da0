//! Bounds of what a caller may send.

use xietong_mesh::Error;

/// Characters of a name: of a resource, a person, a unit.
pub(super) const NAME: usize = 200;
/// Characters of a text that people read.
pub(super) const TEXT: usize = 20_000;
/// Entries of a list inside a record.
pub(super) const ENTRIES: usize = 500;

/// A text of at most `longest` characters. Refused with a NUL in it, which PostgreSQL cannot
/// store.
pub(super) fn text(field: &str, text: String, longest: usize) -> Result<String, Error> {
    if text.contains('\0') {
        return Err(Error::invalid(field, "must not contain the character NUL", "不能含有空字符（NUL）"));
    }
    if text.chars().count() > longest {
        let english = format!("must be at most {longest} characters");
        return Err(Error::invalid(field, english, format!("最长{longest}个字")));
    }
    Ok(text)
}

/// A name that must be given.
pub(super) fn required(field: &str, name: String) -> Result<String, Error> {
    if name.trim().is_empty() {
        return Err(Error::invalid(field, "is required", format!("必填项“{field}”为空")));
    }
    text(field, name, NAME)
}

/// A name that may be left out: the API's empty text is none.
pub(super) fn optional(field: &str, name: String) -> Result<Option<String>, Error> {
    Ok(Some(text(field, name, NAME)?).filter(|name| !name.is_empty()))
}

/// A list of at most [`ENTRIES`] entries.
pub(super) fn entries<T>(field: &str, list: Vec<T>) -> Result<Vec<T>, Error> {
    if list.len() > ENTRIES {
        let english = format!("must have at most {ENTRIES} entries");
        return Err(Error::invalid(field, english, format!("最多{ENTRIES}项")));
    }
    Ok(list)
}

/// A list of names.
pub(super) fn names(field: &str, list: Vec<String>) -> Result<Vec<String>, Error> {
    entries(field, list)?.into_iter().map(|name| text(field, name, NAME)).collect()
}

/// A message that must be given.
pub(super) fn present<T>(field: &str, message: Option<T>) -> Result<T, Error> {
    message.ok_or_else(|| Error::invalid(field, "is required", format!("必填项“{field}”为空")))
}

#[cfg(test)]
mod tests {
    use super::{NAME, required, text};

    #[test]
    fn length_is_counted_in_characters() {
        assert!(text("title", "水".repeat(NAME), NAME).is_ok());
        assert!(text("title", "水".repeat(NAME + 1), NAME).is_err());
    }

    #[test]
    fn a_nul_or_a_blank_name_is_refused() {
        assert!(required("name", "市水\0利局".into()).is_err());
        assert!(required("name", " \u{3000}".into()).is_err());
    }
}
