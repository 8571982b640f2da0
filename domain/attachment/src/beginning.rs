//! [`Beginning`]: what a file's first bytes say of it.

use crate::error::AttachmentError;

/// The first bytes of a file, gathered while it arrives.
#[derive(Debug, Clone, Default)]
pub struct Beginning(Vec<u8>);

/// What files of a type begin with: one of these.
const SIGNATURES: &[(&str, &[&[u8]])] = &[
    ("application/pdf", &[b"%PDF-"]),
    ("application/ofd", ZIP),
    ("application/zip", ZIP),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ZIP),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ZIP),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ZIP),
    ("application/vnd.oasis.opendocument.text", ZIP),
    ("application/vnd.oasis.opendocument.spreadsheet", ZIP),
    ("application/vnd.oasis.opendocument.presentation", ZIP),
    ("application/msword", &[COMPOUND, b"{\\rtf"]),
    ("application/vnd.ms-excel", &[COMPOUND]),
    ("application/vnd.ms-powerpoint", &[COMPOUND]),
    ("image/jpeg", &[b"\xff\xd8\xff"]),
    ("image/png", &[b"\x89PNG\r\n\x1a\n"]),
    ("image/tiff", &[b"II*\0", b"MM\0*"]),
    ("image/bmp", &[b"BM"]),
    ("image/webp", &[b"RIFF"]),
];

/// An archive, an archive of nothing, and a part of one.
const ZIP: &[&[u8]] = &[b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"];

/// The container of Microsoft's older formats.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Programs of Windows, Linux, macOS, Java, Android and browsers, and scripts.
const PROGRAMS: &[&[u8]] = &[
    b"MZ",
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"dex\n",
    b"\0asm",
    b"#!",
    b"L\0\0\0\x01\x14\x02\0",
];

/// What a page has that a browser would run, anywhere in its beginning.
const PAGES: &[&[u8]] = &[
    b"<!doctype",
    b"<html",
    b"<head",
    b"<body",
    b"<script",
    b"<iframe",
    b"<svg",
    b"<?xml",
    b"<object",
    b"<embed",
];

impl Beginning {
    /// As many bytes are looked at.
    pub const LENGTH: usize = 1024;

    /// Takes in the next bytes of the file, as far as they are still its beginning.
    pub fn take(&mut self, bytes: &[u8]) {
        let wanted = Self::LENGTH.saturating_sub(self.0.len()).min(bytes.len());
        self.0.extend_from_slice(bytes.get(..wanted).unwrap_or_default());
    }

    /// Whether nothing more is needed.
    pub fn is_complete(&self) -> bool {
        self.0.len() >= Self::LENGTH
    }

    /// Refuses a file that is a program or a page, or that is not what it is declared as. Types
    /// without a signature of their own are held to the first rule alone.
    ///
    /// # Errors
    /// Which of both.
    pub fn check(&self, media_type: &str) -> Result<(), AttachmentError> {
        let begins = |with: &[&[u8]]| with.iter().any(|one| self.0.starts_with(one));
        let signature = SIGNATURES.iter().find(|(known, _)| *known == media_type);
        if signature.is_some_and(|(_, with)| begins(with)) {
            return Ok(());
        }
        if begins(PROGRAMS) || self.is_page() {
            return Err(AttachmentError::Dangerous);
        }
        // Some writers put a few bytes before a PDF's header, and readers look for it.
        if media_type == "application/pdf" && self.holds(b"%PDF-") {
            return Ok(());
        }
        if signature.is_some() || (media_type.starts_with("text/") && self.0.contains(&0)) {
            return Err(AttachmentError::OtherThanDeclared { media_type: media_type.to_owned() });
        }
        Ok(())
    }

    /// A browser that guesses looks for less than this.
    fn is_page(&self) -> bool {
        let small = self.0.to_ascii_lowercase();
        PAGES.iter().any(|mark| small.windows(mark.len()).any(|window| window == *mark))
    }

    fn holds(&self, mark: &[u8]) -> bool {
        self.0.windows(mark.len()).any(|window| window == mark)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Beginning;
    use crate::error::AttachmentError;
    use crate::media_type::ACCEPTED;

    fn check(media_type: &str, bytes: &[u8]) -> Result<(), AttachmentError> {
        let mut beginning = Beginning::default();
        beginning.take(bytes);
        beginning.check(media_type)
    }

    #[test]
    fn files_that_are_what_they_say_are_taken() {
        for (media_type, bytes) in [
            ("application/pdf", &b"%PDF-1.7\n"[..]),
            ("application/pdf", b"\n\n%PDF-1.4"),
            ("application/ofd", b"PK\x03\x04\x14\0"),
            ("application/msword", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"),
            ("image/jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
            ("image/png", b"\x89PNG\r\n\x1a\n\0"),
            ("text/plain", "两处已完工，1 < 2。".as_bytes()),
            ("application/wps-writer", b"anything"),
        ] {
            assert_eq!(check(media_type, bytes), Ok(()), "{media_type}");
        }
    }

    #[test]
    fn programs_and_pages_are_refused_whatever_they_say() {
        for bytes in [
            &b"MZ\x90\0"[..],
            b"\x7fELF\x02",
            b"#!/bin/sh\n",
            b"<!DOCTYPE html>",
            b"\xef\xbb\xbf <HTML>",
            b"<?xml version='1.0'?><svg onload='alert(1)'/>",
            b"text before <script>alert(1)</script>",
            b"\xca\xfe\xba\xbe",
        ] {
            for media_type in ACCEPTED.iter().chain(&["video/mp4"]) {
                assert_eq!(
                    check(media_type, bytes),
                    Err(AttachmentError::Dangerous),
                    "{media_type} {bytes:?}"
                );
            }
        }
    }

    #[test]
    fn files_that_are_something_else_are_refused() {
        for (media_type, bytes) in [
            ("application/pdf", &b"PK\x03\x04"[..]),
            ("image/png", b"\xff\xd8\xff"),
            ("application/zip", b"%PDF-1.7"),
            ("text/plain", b"a\0b"),
        ] {
            let media_type_owned = media_type.to_owned();
            let expected = Err(AttachmentError::OtherThanDeclared { media_type: media_type_owned });
            assert_eq!(check(media_type, bytes), expected);
        }
    }

    proptest! {
        #[test]
        fn it_is_the_same_in_whatever_pieces_it_comes(bytes: Vec<u8>, size in 1_usize..50) {
            let mut whole = Beginning::default();
            whole.take(&bytes);
            let mut pieces = Beginning::default();
            bytes.chunks(size).for_each(|piece| pieces.take(piece));
            for media_type in ACCEPTED {
                prop_assert_eq!(whole.check(media_type), pieces.check(media_type));
            }
        }
    }
}
