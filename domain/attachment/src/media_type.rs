//! What a file may be declared as.

use crate::error::AttachmentError;

/// Longest media type, in bytes (RFC 6838 has 127 for each half; none registered comes near).
const LONGEST: usize = 100;

/// The types that are accepted unless an installation says otherwise: documents, tables,
/// slides, pictures, and archives of them. None of them is run by what opens it, and web pages
/// and vector graphics with scripts are not among them.
pub const ACCEPTED: &[&str] = &[
    "application/pdf",
    // OFD, GB/T 33190, in which official documents are exchanged.
    "application/ofd",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    // The three of WPS.
    "application/wps-writer",
    "application/vnd.ms-works",
    "application/kswps",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
    "text/plain",
    "text/csv",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/bmp",
    "image/webp",
    "application/zip",
];

/// A declared media type in its one form: lower case, without parameters.
///
/// # Errors
/// When it is none.
pub fn media_type(declared: &str) -> Result<String, AttachmentError> {
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/').ok_or(AttachmentError::MediaType)?;
    let plain = |part: &str| !part.is_empty() && part.bytes().all(is_token);
    if essence.len() > LONGEST || !plain(kind) || !plain(subtype) {
        return Err(AttachmentError::MediaType);
    }
    Ok(essence)
}

/// RFC 6838's characters of a name.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'&' | b'-' | b'^' | b'_' | b'.' | b'+')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ACCEPTED, media_type};

    #[test]
    fn a_type_has_one_form() {
        assert_eq!(media_type("Text/Plain; charset=utf-8").unwrap(), "text/plain");
        for declared in
            ["", "pdf", "/", "a/", "/b", "a/b/c", "a b/c", "文/本", &format!("a/{}", "b".repeat(99))]
        {
            assert!(media_type(declared).is_err(), "{declared}");
        }
    }

    #[test]
    fn what_is_accepted_is_in_that_form() {
        for accepted in ACCEPTED {
            assert_eq!(media_type(accepted).as_deref(), Ok(*accepted));
        }
    }

    proptest! {
        #[test]
        fn it_fits_into_a_header(declared in ".{0,120}") {
            if let Ok(known) = media_type(&declared) {
                prop_assert!(known.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(media_type(&known), Ok(known));
            }
        }
    }
}
