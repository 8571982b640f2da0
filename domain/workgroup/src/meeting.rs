//! [`Meeting`]: where a group decides.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::WorkgroupError;
use crate::names::{check_meeting_name, check_present, group_of};

/// A meeting of a group (会议).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meeting {
    /// `groups/{g}/meetings/{m}`.
    pub name: String,
    /// What it was about.
    pub title: String,
    /// When it was held.
    pub meet_time: Timestamp,
    /// Where; may be empty.
    #[serde(default)]
    pub place: String,
}

impl Meeting {
    /// Refuses a meeting that could not be recorded so.
    pub fn check(&self) -> Result<(), WorkgroupError> {
        check_meeting_name("name", &self.name)?;
        check_present("title", "会议议题", &self.title)
    }

    /// The group whose meeting it is, `groups/{g}`.
    pub fn group(&self) -> &str {
        group_of(&self.name)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn first_meeting() -> Meeting {
        Meeting {
            name: "groups/green-energy/meetings/1".into(),
            title: "领导小组第一次会议".into(),
            meet_time: Timestamp::parse("2023-06-01T15:00+08:00").unwrap(),
            place: "市政府第一会议室".into(),
        }
    }

    #[test]
    fn a_meeting_belongs_to_its_group_and_needs_a_title() {
        assert_eq!(first_meeting().check(), Ok(()));
        assert_eq!(first_meeting().group(), "groups/green-energy");
        let untitled = Meeting { title: "\n".into(), ..first_meeting() };
        assert!(matches!(untitled.check(), Err(WorkgroupError::Missing { field, .. }) if field == "title"));
        let elsewhere = Meeting { name: "meetings/1".into(), ..first_meeting() };
        assert!(matches!(elsewhere.check(), Err(WorkgroupError::NameMalformed { .. })));
    }
}
