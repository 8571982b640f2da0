//! Names: resource names that machines write, and unit names that people write.

use std::borrow::Cow;

use crate::error::RosterError;

/// The city's own name: one mesh serves one city, and within it 临汾市X局 is written 市X局.
const CITY: &str = "临汾市";
/// The province, which letters sent from outside put in front.
const PROVINCE: &str = "山西省";
/// Words that names write long or short, in the order of being shortened.
const SHORTENED: [(&str, &str); 3] = [("人民政府", "政府"), ("管理委员会", "管委会"), ("委员会", "委")];

/// Checks a resource name: `{collection}/` and an identifier of 1 to 63 letters, digits, `-`, `_`.
/// The slug of a unit or a collective is narrower: 2 to 63 of `a-z`, `0-9` and `-`.
pub(crate) fn check_name(collection: &'static str, value: &str) -> Result<(), RosterError> {
    let well_formed =
        value.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/')).is_some_and(|id| {
            let is_slug = matches!(collection, "units" | "collectives");
            let allowed = |byte: u8| match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'-' => true,
                b'A'..=b'Z' | b'_' => !is_slug,
                _ => false,
            };
            let shortest = if is_slug { 2 } else { 1 };
            (shortest..=63).contains(&id.len()) && id.bytes().all(allowed)
        });
    if well_formed { Ok(()) } else { Err(RosterError::NameMalformed { collection, value: value.to_owned() }) }
}

/// Checks an optional resource name; unset passes.
pub(crate) fn check_optional_name(collection: &'static str, value: Option<&str>) -> Result<(), RosterError> {
    value.map_or(Ok(()), |value| check_name(collection, value))
}

/// Refuses text that is empty or blank.
pub(crate) fn check_present(field: &'static str, text: &str) -> Result<(), RosterError> {
    if text.trim().is_empty() { Err(RosterError::Missing { field }) } else { Ok(()) }
}

/// Text without spaces and with half-width forms: `（` becomes `(`, `Ａ` becomes `A`.
pub(crate) fn half_width(text: &str) -> Cow<'_, str> {
    let plain =
        |c: char| !c.is_whitespace() && !c.is_ascii_uppercase() && !('\u{ff01}'..='\u{ff5e}').contains(&c);
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let narrow = text.chars().filter(|c| !c.is_whitespace()).map(|c| match c {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c).to_ascii_lowercase()
        }
        other => other.to_ascii_lowercase(),
    });
    Cow::Owned(narrow.collect())
}

/// The key under which two spellings of one unit name are equal: brackets and letters half-width,
/// no spaces, a leading 临汾市 written 市, 人民政府 written 政府, 委员会 written 委.
///
/// It equates spellings of the same words only; real short names (市工信局) are aliases.
pub fn normalise(name: &str) -> String {
    key(name).into_owned()
}

/// The same, borrowed where the name is its own key, as most are.
pub(crate) fn key(name: &str) -> Cow<'_, str> {
    let narrow = half_width(name);
    if !narrow.starts_with(PROVINCE)
        && !narrow.starts_with(CITY)
        && !SHORTENED.iter().any(|(long, _)| narrow.contains(long))
    {
        return narrow;
    }
    let text = match narrow.strip_prefix(PROVINCE) {
        Some(rest) if rest.starts_with(CITY) => rest,
        Some(_) | None => &narrow,
    };
    let local = match text.strip_prefix(CITY) {
        Some(rest) if rest.starts_with('市') => rest.to_owned(),
        Some(rest) => format!("市{rest}"),
        None => text.to_owned(),
    };
    Cow::Owned(SHORTENED.iter().fold(local, |text, (long, short)| text.replace(long, short)))
}

/// Splits `市规划和自然资源局(市林业局)` into the name and its bracketed second signboard.
/// The text must be normalised; without a trailing bracket there is nothing to split.
pub(crate) fn split_signboard(key: &str) -> Option<(&str, &str)> {
    let (name, signboard) = key.strip_suffix(')')?.split_once('(')?;
    (!name.is_empty() && !signboard.is_empty()).then_some((name, signboard))
}

/// A post's text without the city government in front: 市政府秘书长 is 秘书长.
pub(crate) fn without_city_government(text: &str) -> &str {
    let text = text.strip_prefix(PROVINCE).unwrap_or(text);
    ["临汾市人民政府", "临汾市政府", "市人民政府", "市政府", CITY]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix).filter(|rest| !rest.is_empty()))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{check_name, normalise, split_signboard, without_city_government};

    #[test]
    fn spellings_of_one_name_are_equal() {
        for (left, right) in [
            ("临汾市工业和信息化局", "市工业和信息化局"),
            ("市规划和自然资源局（市林业局）", "市规划和自然资源局(市林业局)"),
            ("市卫\n 生健康委员会", "市卫生健康委"),
            ("临汾市人民政府办公室", "市政府办公室"),
            ("山西省临汾市水利局", "市水利局"),
            ("临汾经济开发区管理委员会", "临汾经济开发区管委会"),
        ] {
            assert_eq!(normalise(left), normalise(right), "{left} {right}");
        }
        assert_ne!(normalise("侯马市教育局"), normalise("市教育局"));
    }

    #[test]
    fn a_bracket_is_a_second_signboard() {
        assert_eq!(split_signboard("市规划和自然资源局(市林业局)"), Some(("市规划和自然资源局", "市林业局")));
        assert_eq!(split_signboard("市水利局"), None);
        assert_eq!(split_signboard("()"), None);
    }

    #[test]
    fn malformed_resource_names_are_refused() {
        for name in ["", "units/", "units/a", "units/A1", "units/水利", "officials/water", "unitswater"] {
            assert!(check_name("units", name).is_err(), "{name}");
        }
        assert!(check_name("collectives", "collectives/A1").is_err());
        assert!(check_name("units", "units/water-bureau").is_ok());
        assert!(check_name("officials", "officials/0197f2a4-aaaa-7bbb-8ccc-123456789abc").is_ok());
    }

    #[test]
    fn the_city_government_in_front_of_a_post_is_dropped() {
        assert_eq!(without_city_government("市政府秘书长"), "秘书长");
        assert_eq!(without_city_government("临汾市市长"), "市长");
        assert_eq!(without_city_government("市长"), "市长");
    }
}
