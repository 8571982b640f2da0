//! How large an error may grow.
//!
//! An error travels in the headers of a response. A client accepts 16 KB of those, and gives
//! up the connection, with all its other calls, when many more arrive. The bounds below keep
//! the worst error, percent-encoded and in Base64, under 14 KB.

use super::{Error, FieldViolation};

/// Most wrong fields that an error names; further ones are counted.
pub const MOST_VIOLATIONS: usize = 20;

/// Longest message in one language, in bytes, without the count of what is not named.
const LONGEST_MESSAGE: usize = 1_024;
/// Longest field path or description of one wrong field, in bytes.
const LONGEST_PART: usize = 512;
/// Most bytes of all wrong fields together. The first one always fits.
const MOST_VIOLATION_BYTES: usize = 3_072;
/// Most bytes of all metadata together, keys included.
const MOST_METADATA_BYTES: usize = 2_048;
/// Metadata that says how many wrong fields are counted only.
const OMITTED: &str = "omitted_violations";
const ELLIPSIS: &str = "…";

impl Error {
    /// Adds another wrong field. Past [`MOST_VIOLATIONS`], or when it would make the error
    /// too large for the headers it travels in, it is counted and not named.
    #[must_use]
    pub fn and_invalid(
        mut self,
        field: impl Into<String>,
        english: impl Into<String>,
        chinese: impl Into<String>,
    ) -> Self {
        let violation = FieldViolation {
            field: cut(field.into(), LONGEST_PART),
            description: cut(english.into(), LONGEST_PART),
            chinese: cut(chinese.into(), LONGEST_PART),
        };
        if !self.has_room_for(&violation) {
            return self.and_more(1);
        }
        append(&mut self.0.message, "; ", &format!("{}: {}", violation.field, violation.description));
        append(&mut self.0.chinese, "；", &violation.chinese);
        self.0.violations.push(violation);
        self
    }

    /// Counts further wrong fields without naming them. They stand in one last entry, which
    /// has no field, and in the metadata `omitted_violations`.
    #[must_use]
    pub fn and_more(mut self, count: usize) -> Self {
        if count == 0 {
            return self;
        }
        let before = self.omitted();
        if before > 0 {
            self.0.violations.pop();
            strip(&mut self.0.message, "; ", &more(before));
            strip(&mut self.0.chinese, "；", &more_chinese(before));
        }
        let omitted = before.saturating_add(count);
        let violation = FieldViolation {
            field: String::new(),
            description: more(omitted),
            chinese: more_chinese(omitted),
        };
        join(&mut self.0.message, "; ", &violation.description);
        join(&mut self.0.chinese, "；", &violation.chinese);
        self.0.violations.push(violation);
        self.0.metadata.insert(OMITTED.to_owned(), omitted.to_string());
        self
    }

    fn has_room_for(&self, violation: &FieldViolation) -> bool {
        let bytes = |one: &FieldViolation| one.field.len() + one.description.len() + one.chinese.len();
        let kept: usize = self.0.violations.iter().map(bytes).sum();
        self.omitted() == 0
            && self.0.violations.len() < MOST_VIOLATIONS
            && kept + bytes(violation) <= MOST_VIOLATION_BYTES
    }

    fn omitted(&self) -> usize {
        self.0.metadata.get(OMITTED).and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Adds a fact, as far as there is room for it.
    pub(super) fn note(&mut self, key: String, value: String) {
        self.0.metadata.remove(&key);
        let used: usize = self.0.metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
        let room = MOST_METADATA_BYTES.saturating_sub(used + key.len());
        self.0.metadata.insert(key, cut(value, room));
    }
}

/// A message that is short enough.
pub(super) fn message(text: impl Into<String>) -> String {
    cut(text.into(), LONGEST_MESSAGE)
}

fn more(count: usize) -> String {
    format!("and {count} more")
}

fn more_chinese(count: usize) -> String {
    format!("另有{count}处")
}

fn append(to: &mut String, separator: &str, text: &str) {
    if !text.is_empty() {
        join(to, separator, text);
        *to = message(std::mem::take(to));
    }
}

fn join(to: &mut String, separator: &str, text: &str) {
    if !to.is_empty() {
        to.push_str(separator);
    }
    to.push_str(text);
}

/// Undoes a [`join`].
fn strip(from: &mut String, separator: &str, text: &str) {
    if let Some(rest) = from.strip_suffix(text) {
        from.truncate(rest.strip_suffix(separator).unwrap_or(rest).len());
    }
}

/// The text in at most `longest` bytes, whole characters, with a sign where it was cut.
fn cut(mut text: String, longest: usize) -> String {
    if text.len() <= longest {
        return text;
    }
    let Some(kept) = longest.checked_sub(ELLIPSIS.len()) else { return String::new() };
    text.truncate(text.floor_char_boundary(kept));
    text.push_str(ELLIPSIS);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tonic::Status;

    use super::*;
    use crate::error::Code;

    /// What HTTP/2 counts: names, values and 32 bytes a header.
    fn header_bytes(error: &Error) -> usize {
        let response: http::Response<()> = Status::from(error.clone()).into_http();
        response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
    }

    #[test]
    fn past_twenty_wrong_fields_the_rest_is_counted() {
        let field = |at: usize| format!("tasks[{at}]");
        let error = (1..1_000).fold(Error::invalid(field(0), "is odd", "有误"), |error, at| {
            error.and_invalid(field(at), "is odd", "有误")
        });
        assert_eq!(error.violations().len(), MOST_VIOLATIONS + 1);
        assert_eq!(error.violations()[19].field, "tasks[19]");
        let last = FieldViolation {
            field: String::new(),
            description: "and 980 more".to_owned(),
            chinese: "另有980处".to_owned(),
        };
        assert_eq!(error.violations()[20], last);
        assert!(error.message().ends_with("tasks[19]: is odd; and 980 more"), "{}", error.message());
        assert!(error.chinese().ends_with("有误；另有980处"), "{}", error.chinese());
        assert_eq!(error.metadata()["omitted_violations"], "980");
        assert_eq!(Error::from_status(&Status::from(error.clone())), error);
    }

    #[test]
    fn twenty_wrong_fields_are_all_named() {
        let error = (1..MOST_VIOLATIONS).fold(Error::invalid("a", "is odd", "有误"), |error, _| {
            error.and_invalid("a", "is odd", "有误")
        });
        assert_eq!(error.violations().len(), MOST_VIOLATIONS);
        assert_eq!(error.clone().and_more(0), error);
        assert!(error.metadata().is_empty());
    }

    #[test]
    fn the_longest_error_fits_in_the_headers() {
        let long = "督".repeat(100_000);
        let error = (0..1_000).fold(Error::invalid(&long, &long, &long), |error, at| {
            error.and_invalid(&long, &long, &long).with_metadata(format!("key{}", at % 9), &long)
        });
        assert!(header_bytes(&error) < 14 * 1024, "{}", header_bytes(&error));
        let error = (0..1_000).fold(Error::new(Code::Internal, "X", &long, &long), |error, _| {
            error.and_invalid("", "督".repeat(25), "督".repeat(25)).with_metadata("key", &long)
        });
        assert!(header_bytes(&error) < 14 * 1024, "{}", header_bytes(&error));
    }

    proptest! {
        #[test]
        fn cutting_keeps_the_beginning_and_cuts_once(text in ".{0,40}", longest in 0_usize..60) {
            let short = cut(text.clone(), longest);
            prop_assert!(short.len() <= longest);
            prop_assert!(text.starts_with(short.strip_suffix(ELLIPSIS).unwrap_or(&short)));
            prop_assert_eq!(cut(short.clone(), longest), short);
        }
    }
}
