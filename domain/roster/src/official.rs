//! Officials and the posts (职务) they hold over time.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::RosterError;
use crate::interval::holds;
use crate::names::{check_name, check_optional_name, check_present};
use crate::unit::check_period;

/// What a post is, as far as rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PostKind {
    /// 市长.
    #[serde(rename = "POST_KIND_MAYOR")]
    Mayor,
    /// 常务副市长.
    #[serde(rename = "POST_KIND_EXECUTIVE_DEPUTY_MAYOR")]
    ExecutiveDeputyMayor,
    /// 副市长.
    #[serde(rename = "POST_KIND_DEPUTY_MAYOR")]
    DeputyMayor,
    /// 秘书长.
    #[serde(rename = "POST_KIND_SECRETARY_GENERAL")]
    SecretaryGeneral,
    /// 副秘书长.
    #[serde(rename = "POST_KIND_DEPUTY_SECRETARY_GENERAL")]
    DeputySecretaryGeneral,
    /// 督查专员.
    #[serde(rename = "POST_KIND_INSPECTOR")]
    Inspector,
    /// 主要负责人.
    #[serde(rename = "POST_KIND_UNIT_HEAD")]
    UnitHead,
    /// 分管负责人.
    #[serde(rename = "POST_KIND_UNIT_DEPUTY")]
    UnitDeputy,
    /// 联络员.
    #[serde(rename = "POST_KIND_LIAISON")]
    Liaison,
    /// 联络员替补.
    #[serde(rename = "POST_KIND_LIAISON_SUBSTITUTE")]
    LiaisonSubstitute,
    /// Any other 工作人员.
    #[serde(rename = "POST_KIND_STAFF")]
    Staff,
}

impl PostKind {
    /// Every kind, as the API orders them.
    pub(crate) const ALL: [PostKind; 11] = [
        PostKind::Mayor,
        PostKind::ExecutiveDeputyMayor,
        PostKind::DeputyMayor,
        PostKind::SecretaryGeneral,
        PostKind::DeputySecretaryGeneral,
        PostKind::Inspector,
        PostKind::UnitHead,
        PostKind::UnitDeputy,
        PostKind::Liaison,
        PostKind::LiaisonSubstitute,
        PostKind::Staff,
    ];

    /// What officials call it.
    pub fn chinese(self) -> &'static str {
        match self {
            PostKind::Mayor => "市长",
            PostKind::ExecutiveDeputyMayor => "常务副市长",
            PostKind::DeputyMayor => "副市长",
            PostKind::SecretaryGeneral => "秘书长",
            PostKind::DeputySecretaryGeneral => "副秘书长",
            PostKind::Inspector => "督查专员",
            PostKind::UnitHead => "主要负责人",
            PostKind::UnitDeputy => "分管负责人",
            PostKind::Liaison => "联络员",
            PostKind::LiaisonSubstitute => "联络员替补",
            PostKind::Staff => "工作人员",
        }
    }

    /// Whether the post means nothing without its unit.
    fn belongs_to_a_unit(self) -> bool {
        match self {
            PostKind::UnitHead | PostKind::UnitDeputy | PostKind::Liaison | PostKind::LiaisonSubstitute => {
                true
            }
            PostKind::Mayor
            | PostKind::ExecutiveDeputyMayor
            | PostKind::DeputyMayor
            | PostKind::SecretaryGeneral
            | PostKind::DeputySecretaryGeneral
            | PostKind::Inspector
            | PostKind::Staff => false,
        }
    }
}

/// A post held for a time (职务).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Post {
    /// What the post is.
    pub kind: PostKind,
    /// The unit it is held in, `units/{slug}`; required for posts inside a unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// As written, for example 党组书记、局长.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// When it began; unset: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// When it ended; unset: it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
}

impl Post {
    /// Whether the post is held at an instant.
    pub fn held_at(&self, at: Timestamp) -> bool {
        holds(self.start_time, self.end_time, at)
    }
}

/// What a title says, whole and in its parts: 党组书记、局长 is also 局长. The text must be half-width.
pub(crate) fn title_parts(title: &str) -> impl Iterator<Item = &str> {
    title.split(['、', ',', '/']).chain([title]).filter(|part| !part.is_empty())
}

/// A person who holds posts over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Official {
    /// `officials/{id}`.
    pub name: String,
    /// The person's name.
    pub display_name: String,
    /// Posts held, past and present.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub posts: Vec<Post>,
}

impl Official {
    /// Checks what can be checked on the official alone: names, and each post's unit and times.
    pub fn check(&self) -> Result<(), RosterError> {
        check_name("officials", &self.name)?;
        check_present("display_name", &self.display_name)?;
        for post in &self.posts {
            check_optional_name("units", post.unit.as_deref())?;
            if post.kind.belongs_to_a_unit() && post.unit.is_none() {
                return Err(RosterError::PostWithoutUnit { kind: post.kind });
            }
            check_period(post.start_time, post.end_time)?;
        }
        Ok(())
    }

    /// Whether the official holds a post of this kind at an instant; in any unit when `unit` is unset.
    pub fn holds(&self, kind: PostKind, unit: Option<&str>, at: Timestamp) -> bool {
        self.posts.iter().any(|post| {
            post.kind == kind && post.held_at(at) && (unit.is_none() || post.unit.as_deref() == unit)
        })
    }
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{Official, Post, PostKind};
    use crate::error::RosterError;

    #[test]
    fn a_post_is_held_up_to_its_end_and_not_at_it() {
        let post = Post {
            kind: PostKind::UnitHead,
            unit: Some("units/water".into()),
            title: "局长".into(),
            start_time: Some(Timestamp::from_micros(10)),
            end_time: Some(Timestamp::from_micros(20)),
        };
        let head = Official { name: "officials/head".into(), display_name: "甲".into(), posts: vec![post] };
        for (at, held) in [(9, false), (10, true), (19, true), (20, false)] {
            let at = Timestamp::from_micros(at);
            assert_eq!(head.holds(PostKind::UnitHead, Some("units/water"), at), held);
            assert_eq!(head.holds(PostKind::UnitHead, None, at), held);
            assert!(!head.holds(PostKind::UnitHead, Some("units/health"), at));
        }
    }

    #[test]
    fn a_liaison_of_no_unit_is_refused() {
        let post = Post {
            kind: PostKind::Liaison,
            unit: None,
            title: String::new(),
            start_time: None,
            end_time: None,
        };
        let nowhere =
            Official { name: "officials/nowhere".into(), display_name: "甲".into(), posts: vec![post] };
        assert_eq!(nowhere.check(), Err(RosterError::PostWithoutUnit { kind: PostKind::Liaison }));
    }
}
