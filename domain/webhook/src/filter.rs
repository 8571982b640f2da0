//! [`EventFilter`]: which events an endpoint is sent.

use std::fmt;

/// As many patterns an endpoint has at most.
const MOST: usize = 100;
/// As many bytes a pattern has at most.
const LONGEST: usize = 128;
const EVERYTHING: &str = "*";

/// Types of events: each as it is (`supervision.task.issued`), all below a word
/// (`supervision.task.*`), or all (`*`). Without any, all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    patterns: Vec<String>,
}

/// Why patterns are not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventFilterError {
    /// There are too many.
    #[error("at most 100 event types are accepted")]
    TooMany,
    /// One is neither a type nor the beginning of some.
    #[error("`{pattern}` is neither an event type such as supervision.task.issued nor one ending in `.*`")]
    Malformed {
        /// Its first 40 characters.
        pattern: String,
    },
}

impl EventFilter {
    /// Reads patterns; those given twice count once.
    ///
    /// # Errors
    /// At the first that is none, or when they are more than 100.
    pub fn parse<Text: AsRef<str>>(patterns: &[Text]) -> Result<Self, EventFilterError> {
        if patterns.len() > MOST {
            return Err(EventFilterError::TooMany);
        }
        let mut read: Vec<String> = Vec::with_capacity(patterns.len());
        for pattern in patterns.iter().map(AsRef::as_ref) {
            if !is_pattern(pattern) {
                return Err(EventFilterError::Malformed { pattern: pattern.chars().take(40).collect() });
            }
            if !read.iter().any(|before| before == pattern) {
                read.push(pattern.to_owned());
            }
        }
        Ok(EventFilter { patterns: read })
    }

    /// The patterns in the order they were given.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether an event of a type is sent.
    pub fn takes(&self, event_type: &str) -> bool {
        self.patterns.is_empty()
            || self.patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => event_type.starts_with(beginning),
                None => event_type == pattern,
            })
    }
}

impl EventFilterError {
    /// The reason as an official reads it.
    pub fn chinese(&self) -> String {
        match self {
            Self::TooMany => "事件类型最多100个".to_owned(),
            Self::Malformed { pattern } => {
                format!("“{pattern}”不是事件类型；应如supervision.task.issued，或以“.*”结尾")
            }
        }
    }
}

fn is_pattern(pattern: &str) -> bool {
    let words = pattern.strip_suffix(".*").unwrap_or(pattern);
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    pattern == EVERYTHING || pattern.len() <= LONGEST && words.split('.').all(is_word)
}

impl fmt::Display for EventFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&if self.patterns.is_empty() { EVERYTHING.to_owned() } else { self.patterns.join(",") })
    }
}

#[cfg(test)]
mod tests {
    use super::{EventFilter, EventFilterError};

    #[test]
    fn types_are_taken_as_they_are_or_by_their_beginning() {
        let filter = EventFilter::parse(&["supervision.task.issued", "roster.*"]).unwrap();
        for taken in ["supervision.task.issued", "roster.absence.created", "roster.x"] {
            assert!(filter.takes(taken), "{taken}");
        }
        for other in
            ["supervision.task.issued.again", "supervision.task", "roster", "rosters.x", "a.roster.x"]
        {
            assert!(!filter.takes(other), "{other}");
        }
        for all in [EventFilter::default(), EventFilter::parse(&["*"]).unwrap()] {
            assert!(all.takes("supervision.task.issued"));
            assert_eq!(all.to_string(), "*");
        }
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for pattern in [
            "",
            ".*",
            "a.**",
            "a.*.b",
            "a*",
            "*.a",
            "a..b",
            "a.",
            ".a",
            "A.b",
            "任务",
            "a b",
            "a,b",
            &"a".repeat(129),
        ] {
            let expected = EventFilterError::Malformed { pattern: pattern.chars().take(40).collect() };
            assert_eq!(EventFilter::parse(&[pattern]), Err(expected));
        }
        assert_eq!(EventFilter::parse(&["a"; 101]), Err(EventFilterError::TooMany));
        assert_eq!(EventFilter::parse(&["a"; 100]).unwrap().patterns(), ["a"]);
    }
}
