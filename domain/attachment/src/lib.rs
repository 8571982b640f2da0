//! Files that records refer to (附件): evidence, minutes, permits, scans; pure.
//!
//! * [`Attachment`] is the reference that a record holds: what the bytes are, by their
//!   [`Digest`], and what the file is called and is there.
//! * [`file_name`] and [`media_type`] say what a file may be called and declared as, and
//!   [`Beginning`] whether its first bytes are what it is declared as.
//!
//! Where the bytes are, who uploaded them and who may read them is not said here.

mod beginning;
mod digest;
mod error;
mod media_type;
mod name;

use serde::{Deserialize, Serialize};

pub use beginning::Beginning;
pub use digest::{Digest, NotADigest};
pub use error::{AttachmentError, NameFault};
pub use media_type::{ACCEPTED, media_type};
pub use name::{LONGEST_NAME, file_name};

/// Most attachments of one entry: of a task, a report, a submission.
pub const MOST: usize = 20;

/// What stands before the digest in an attachment's resource name.
const COLLECTION: &str = "attachments/";

/// A file that a record refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// Of its bytes; the same bytes are the same object, whoever uploaded them.
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    /// What it is, for example `application/pdf`; lower case, without parameters.
    pub media_type: String,
    /// What whoever uploaded it calls it, for example `验收报告.pdf`.
    pub display_name: String,
}

impl Attachment {
    /// Its resource name, `attachments/{digest}`.
    pub fn name(&self) -> String {
        format!("{COLLECTION}{}", self.digest)
    }
}

/// The digest in a resource name.
///
/// # Errors
/// When it is none of the form `attachments/{digest}`.
pub fn digest_of(name: &str) -> Result<Digest, NotADigest> {
    name.strip_prefix(COLLECTION).ok_or(NotADigest)?.parse()
}

/// Refuses a list with too many entries, or one that has the same bytes twice.
///
/// # Errors
/// Which of both.
pub fn check_list<'a>(digests: impl IntoIterator<Item = &'a Digest>) -> Result<(), AttachmentError> {
    let mut seen = std::collections::BTreeSet::new();
    for (at, digest) in digests.into_iter().enumerate() {
        if at == MOST {
            return Err(AttachmentError::TooMany { most: MOST });
        }
        if !seen.insert(digest) {
            return Err(AttachmentError::Twice { digest: *digest });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u8) -> Digest {
        Digest::of_bytes([number; 32])
    }

    #[test]
    fn a_reference_is_written_and_read_in_the_same_form() {
        let text = format!(
            r#"{{"digest":"{}","size":7,"mediaType":"application/pdf","displayName":"验收报告.pdf"}}"#,
            "0a".repeat(32)
        );
        let read: Attachment = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert_eq!(digest_of(&read.name()), Ok(read.digest));
    }

    #[test]
    fn a_name_of_something_else_has_no_digest() {
        for name in ["", "attachments/", "attachments/ab", "tasks/1", &"0a".repeat(32)] {
            assert_eq!(digest_of(name), Err(NotADigest), "{name}");
        }
    }

    #[test]
    fn a_list_has_each_file_once_and_at_most_twenty() {
        let most: Vec<Digest> = (0..20).map(digest).collect();
        assert_eq!(check_list(&most), Ok(()));
        assert_eq!(check_list(&[digest(1), digest(1)]), Err(AttachmentError::Twice { digest: digest(1) }));
        let more: Vec<Digest> = (0..21).map(digest).collect();
        assert_eq!(check_list(&more), Err(AttachmentError::TooMany { most: 20 }));
    }
}
