//! Resource names: `groups/{g}/meetings/{m}/decisions/{d}` and its ancestors, units, officials.

use crate::error::WorkgroupError;

const GROUP: &[&str] = &["groups"];
const MEETING: &[&str] = &["groups", "meetings"];
const DECISION: &[&str] = &["groups", "meetings", "decisions"];

/// Checks `groups/{g}`, given in `field`.
pub fn check_group_name(field: &str, name: &str) -> Result<(), WorkgroupError> {
    check(field, "groups/{group}", GROUP, name)
}

/// Checks `groups/{g}/meetings/{m}`, given in `field`.
pub fn check_meeting_name(field: &str, name: &str) -> Result<(), WorkgroupError> {
    check(field, "groups/{group}/meetings/{meeting}", MEETING, name)
}

/// Checks `groups/{g}/meetings/{m}/decisions/{d}`, given in `field`.
pub fn check_decision_name(field: &str, name: &str) -> Result<(), WorkgroupError> {
    check(field, "groups/{group}/meetings/{meeting}/decisions/{decision}", DECISION, name)
}

/// Checks `units/{slug}`: 2 to 63 of `a-z`, `0-9` and `-`, as the roster gives them.
pub(crate) fn check_unit(field: &str, name: &str) -> Result<(), WorkgroupError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let slug = name.strip_prefix("units/").filter(|slug| (2..=63).contains(&slug.len()));
    if slug.is_some_and(|slug| slug.bytes().all(allowed)) {
        Ok(())
    } else {
        Err(malformed(field, "units/{unit}", name))
    }
}

/// Checks `officials/{id}`.
pub(crate) fn check_official(field: &str, name: &str) -> Result<(), WorkgroupError> {
    check(field, "officials/{official}", &["officials"], name)
}

/// Refuses text that is empty or blank; `label` is what officials call the field.
pub(crate) fn check_present(field: &str, label: &'static str, text: &str) -> Result<(), WorkgroupError> {
    if text.trim().is_empty() {
        Err(WorkgroupError::Missing { field: field.to_owned(), label })
    } else {
        Ok(())
    }
}

/// Refuses text that is blank, or longer than `most` characters.
pub(crate) fn check_text(
    field: &str,
    label: &'static str,
    text: &str,
    most: usize,
) -> Result<(), WorkgroupError> {
    check_present(field, label, text)?;
    if text.chars().count() > most {
        return Err(WorkgroupError::TooLong { field: field.to_owned(), label, most });
    }
    Ok(())
}

/// The group a meeting or decision belongs to: `groups/g` of `groups/g/meetings/m`. A name
/// without that many segments is returned as it is.
pub fn group_of(name: &str) -> &str {
    leading(name, 2)
}

/// The meeting a decision belongs to: `groups/g/meetings/m` of
/// `groups/g/meetings/m/decisions/d`. A name without that many segments is returned as it is.
pub fn meeting_of(name: &str) -> &str {
    leading(name, 4)
}

fn leading(name: &str, segments: usize) -> &str {
    name.match_indices('/').nth(segments - 1).and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}

/// Identifiers are 1 to 63 letters, digits, `-` and `_`.
fn check(field: &str, pattern: &'static str, collections: &[&str], name: &str) -> Result<(), WorkgroupError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let identifies = |id: &str| (1..=63).contains(&id.len()) && id.bytes().all(allowed);
    let mut segments = name.split('/');
    let well_formed = collections.iter().all(|collection| {
        segments.next().is_some_and(|segment| segment == *collection)
            && segments.next().is_some_and(identifies)
    });
    if well_formed && segments.next().is_none() { Ok(()) } else { Err(malformed(field, pattern, name)) }
}

fn malformed(field: &str, pattern: &'static str, value: &str) -> WorkgroupError {
    WorkgroupError::NameMalformed { field: field.to_owned(), pattern, value: shortened(value) }
}

/// What somebody sent, short enough to be sent back.
pub(crate) fn shortened(value: &str) -> String {
    value.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        check_decision_name, check_group_name, check_meeting_name, check_unit, group_of, meeting_of,
    };

    #[test]
    fn well_formed_names_pass() {
        assert_eq!(check_group_name("name", "groups/green-energy_1"), Ok(()));
        assert_eq!(check_meeting_name("name", "groups/g/meetings/m"), Ok(()));
        assert_eq!(check_decision_name("name", "groups/g/meetings/m/decisions/d"), Ok(()));
        assert_eq!(check_unit("unit", "units/water-2"), Ok(()));
    }

    #[test]
    fn malformed_names_are_refused() {
        for name in [
            "",
            "groups",
            "groups/",
            "groups/a b",
            "groups/水",
            "group/a",
            "groups/a/",
            "groups/a/meetings/b",
        ] {
            assert!(check_group_name("name", name).is_err(), "{name}");
        }
        for name in ["groups/g/meetings", "groups/g/meetings/", "groups/g/decisions/d", "meetings/m"] {
            assert!(check_meeting_name("name", name).is_err(), "{name}");
        }
        for name in ["units/w", "units/Water", "officials/water", "units/water/x"] {
            assert!(check_unit("unit", name).is_err(), "{name}");
        }
        assert!(check_group_name("name", &format!("groups/{}", "a".repeat(64))).is_err());
    }

    #[test]
    fn ancestors_are_read_off_a_name() {
        let decision = "groups/g/meetings/m/decisions/d";
        assert_eq!(group_of(decision), "groups/g");
        assert_eq!(meeting_of(decision), "groups/g/meetings/m");
        assert_eq!(group_of("groups/g"), "groups/g");
    }
}
