//! Texts as files can hold them.

use std::borrow::Cow;

/// A text without the characters that XML does not know. Records of today have none
/// ([`xietong_mesh::input`]); older ones may.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if text.contains(no_character_of_xml) {
        Cow::Owned(text.replace(no_character_of_xml, ""))
    } else {
        Cow::Borrowed(text)
    }
}

fn no_character_of_xml(one: char) -> bool {
    matches!(one, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_xml_does_not_know_is_left_out() {
        assert_eq!(printable("一\u{b}二\u{ffff}三\0"), "一二三");
        assert_eq!(printable("一\t二\n三\r"), "一\t二\n三\r");
    }
}
