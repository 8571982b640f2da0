//! Bounds of what callers write.

use xietong_mesh::Error;

/// Longest name or line, in characters.
pub(super) const LINE: usize = 200;
/// Longest text, in characters.
pub(super) const TEXT: usize = 20_000;

/// A text of at most `longest` characters without NUL, which PostgreSQL cannot keep.
pub(super) fn bounded(field: &str, text: String, longest: usize) -> Result<String, Error> {
    if text.contains('\0') {
        return Err(Error::invalid(field, "must not contain NUL", "内容含有无法保存的字符"));
    }
    if text.chars().count() > longest {
        let english = format!("must have at most {longest} characters");
        return Err(Error::invalid(field, english, format!("内容过长，最多{longest}个字")));
    }
    Ok(text)
}

/// At most `most` items.
pub(super) fn at_most<T>(field: &str, items: Vec<T>, most: usize) -> Result<Vec<T>, Error> {
    if items.len() <= most {
        return Ok(items);
    }
    Err(Error::invalid(field, format!("must have at most {most} items"), format!("最多{most}项")))
}

/// What a caller is told of a required field that is not there.
pub(super) fn required(field: &str, chinese: &str) -> Error {
    Error::invalid(field, "is required", chinese)
}

#[cfg(test)]
mod tests {
    use super::{at_most, bounded};

    #[test]
    fn text_is_counted_in_characters() {
        assert!(bounded("title", "水".repeat(200), 200).is_ok());
        let error = bounded("title", "水".repeat(201), 200).unwrap_err();
        assert_eq!(error.violations()[0].field, "title");
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        assert!(bounded("title", "水\0利".into(), 200).is_err());
        assert!(at_most("seats", vec![(); 3], 2).is_err());
    }
}
