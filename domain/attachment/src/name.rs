//! What a file may be called.

use crate::error::{AttachmentError, NameFault};

/// Longest file name, in bytes of UTF-8: what file systems take.
pub const LONGEST_NAME: usize = 255;

/// Ends of names that a double click runs, or opens in a browser with its scripts.
const PROGRAMS: &[&str] = &[
    "apk", "app", "bat", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta", "htm", "html", "jar", "js", "jse",
    "lnk", "mht", "mhtml", "msi", "msp", "pif", "ps1", "reg", "scr", "sh", "svg", "url", "vbe", "vbs", "wsf",
    "xhtml", "xml",
];

/// A file name as it is kept: white space around it is taken off.
///
/// # Errors
/// When it is missing or too long, has a path or characters that are not seen, or is a
/// program's.
pub fn file_name(given: &str) -> Result<String, AttachmentError> {
    let name = given.trim();
    let fault = if name.is_empty() {
        NameFault::Missing
    } else if name.len() > LONGEST_NAME {
        NameFault::TooLong
    } else if name.contains(['/', '\\', ':']) || name.bytes().all(|byte| byte == b'.') {
        NameFault::Path
    } else if name.chars().any(is_hidden) {
        NameFault::Hidden
    } else if is_program(name) {
        NameFault::Program
    } else {
        return Ok(name.to_owned());
    };
    Err(AttachmentError::Name(fault))
}

/// Control characters, line separators, and what is invisible or changes the direction of
/// writing: `报告\u{202e}fdp.exe` looks like `报告exe.pdf`.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Windows takes off dots and spaces at the end.
fn is_program(name: &str) -> bool {
    let name = name.trim_end_matches(['.', ' ']);
    name.rsplit_once('.').is_some_and(|(_, end)| PROGRAMS.contains(&end.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LONGEST_NAME, file_name};
    use crate::error::{AttachmentError, NameFault};

    fn fault(name: &str) -> NameFault {
        match file_name(name) {
            Err(AttachmentError::Name(fault)) => fault,
            other => panic!("{name:?}: {other:?}"),
        }
    }

    #[test]
    fn names_that_people_give_are_kept() {
        for name in [
            "验收报告.pdf",
            "附件 1（终稿）.docx",
            "photo.JPG",
            "清单",
            "a..b.txt",
            ".gitignore",
            "2023.5.1 纪要.ofd",
        ] {
            assert_eq!(file_name(name).as_deref(), Ok(name));
        }
        assert_eq!(file_name("  报告.pdf\u{3000}").as_deref(), Ok("报告.pdf"));
        assert!(file_name(&"长".repeat(LONGEST_NAME / 3)).is_ok());
    }

    #[test]
    fn names_that_lead_elsewhere_or_hide_something_are_refused() {
        for (name, expected) in [
            ("", NameFault::Missing),
            (" \t ", NameFault::Missing),
            ("../../etc/passwd", NameFault::Path),
            ("..", NameFault::Path),
            (".", NameFault::Path),
            ("C:\\报告.pdf", NameFault::Path),
            ("报告.pdf:stream", NameFault::Path),
            ("a/b.pdf", NameFault::Path),
            ("a\0.pdf", NameFault::Hidden),
            ("a\r\nSet-Cookie: x.pdf", NameFault::Path),
            ("a\r\nb.pdf", NameFault::Hidden),
            ("报告\u{202e}fdp.exe", NameFault::Hidden),
            ("报告.exe", NameFault::Program),
            ("报告.pdf.EXE", NameFault::Program),
            ("页面.html. .", NameFault::Program),
            ("图.svg", NameFault::Program),
        ] {
            assert_eq!(fault(name), expected, "{name:?}");
        }
        assert_eq!(fault(&"长".repeat(86)), NameFault::TooLong);
    }

    proptest! {
        #[test]
        fn what_is_kept_is_one_visible_line_and_no_path(name in ".{0,300}") {
            if let Ok(kept) = file_name(&name) {
                prop_assert!(!kept.is_empty() && kept.len() <= LONGEST_NAME);
                prop_assert!(!kept.contains(['/', '\\', '\0', '\n', '\r']));
                prop_assert_eq!(file_name(&kept), Ok(kept));
            }
        }
    }
}
