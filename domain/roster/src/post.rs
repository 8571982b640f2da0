//! Posts as people write them: 市长, 市水利局主要负责人, 市政府分管水利工作的副市长.

use crate::error::{Candidate, RosterError};
use crate::names::{self, half_width, without_city_government};
use crate::official::{Official, Post, PostKind, title_parts};
use crate::unit::Unit;
use crate::view::View;

/// Posts of the city government, each held by one person or, for deputies, by several.
const CITY_POSTS: [PostKind; 6] = [
    PostKind::Mayor,
    PostKind::ExecutiveDeputyMayor,
    PostKind::DeputyMayor,
    PostKind::SecretaryGeneral,
    PostKind::DeputySecretaryGeneral,
    PostKind::Inspector,
];

/// Endings that name a post inside a unit; a longer one stands before the one it contains.
const UNIT_POSTS: [(&str, PostKind); 8] = [
    ("联络员替补", PostKind::LiaisonSubstitute),
    ("替补联络员", PostKind::LiaisonSubstitute),
    ("联络员", PostKind::Liaison),
    ("主要负责人", PostKind::UnitHead),
    ("主要负责同志", PostKind::UnitHead),
    ("主要领导", PostKind::UnitHead),
    ("分管负责人", PostKind::UnitDeputy),
    ("分管负责同志", PostKind::UnitDeputy),
];

/// How "the leader in charge of …" begins and ends.
const IN_CHARGE_STARTS: [&str; 4] = ["分管", "主管", "负责", "联系"];
const IN_CHARGE_ENDS: [&str; 4] = ["副市长", "市领导", "市政府领导", "领导"];

/// What a text that names a post asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PostQuery<'a> {
    /// A leader by what he or she is in charge of: a field or a unit.
    InCharge(String),
    /// Whoever holds the post.
    Held(HeldPost<'a>),
}

/// A post somebody holds, or nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeldPost<'a> {
    /// Those who hold it at the instant, in order of resource name.
    pub(crate) holders: Vec<&'a Official>,
    /// Those who stand in for a liaison officer; nobody for other posts.
    pub(crate) substitutes: Vec<&'a str>,
}

impl<'a> HeldPost<'a> {
    /// The one holder, nobody, or the refusal that names them all.
    pub(crate) fn holder(&self, text: &str) -> Result<Option<&'a Official>, RosterError> {
        match self.holders.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(*only)),
            several => {
                let candidates = several.iter().map(|official| Candidate {
                    name: official.name.clone(),
                    display_name: official.display_name.clone(),
                });
                Err(RosterError::PostAmbiguous { text: text.to_owned(), candidates: candidates.collect() })
            }
        }
    }
}

/// Reads a post's text: a post of the city government, a leader by what he or she is in charge
/// of, a post inside a unit, or a title as somebody holds or held it.
pub(crate) fn read<'a>(view: View<'a>, text: &str) -> Result<PostQuery<'a>, RosterError> {
    let key = half_width(text);
    let short = without_city_government(&key);
    if let Some(kind) = CITY_POSTS.into_iter().find(|kind| kind.chinese() == short) {
        return Ok(PostQuery::Held(HeldPost { holders: view.holders(kind, None), substitutes: Vec::new() }));
    }
    if let Some(what) = in_charge_of(short) {
        return Ok(PostQuery::InCharge(what.to_owned()));
    }
    for (ending, kind) in UNIT_POSTS {
        if let Some(unit) = key.strip_suffix(ending) {
            let unit = unit.strip_suffix('的').unwrap_or(unit);
            let unit = view.lookup_unit(unit).require(unit)?;
            return Ok(PostQuery::Held(in_unit(view, kind, unit)));
        }
    }
    let key = names::key(&key);
    let titled = |post: &Post| is_titled(view, post, &key);
    let mut ever = view.perhaps_titled(&key);
    ever.retain(|official| official.posts.iter().any(titled));
    if ever.is_empty() {
        return Err(RosterError::PostUnknown { text: text.to_owned() });
    }
    let holders = ever
        .into_iter()
        .filter(|official| official.posts.iter().any(|post| post.held_at(view.at()) && titled(post)))
        .collect();
    Ok(PostQuery::Held(HeldPost { holders, substitutes: Vec::new() }))
}

fn in_unit<'a>(view: View<'a>, kind: PostKind, unit: &Unit) -> HeldPost<'a> {
    let substitutes = if kind == PostKind::Liaison {
        view.holders(PostKind::LiaisonSubstitute, Some(&unit.name))
    } else {
        Vec::new()
    };
    HeldPost {
        holders: view.holders(kind, Some(&unit.name)),
        substitutes: substitutes.into_iter().map(|official| official.name.as_str()).collect(),
    }
}

/// 分管水利工作的副市长 asks for 水利工作.
fn in_charge_of(text: &str) -> Option<&str> {
    let rest = IN_CHARGE_STARTS.iter().find_map(|start| text.strip_prefix(start))?;
    let what = IN_CHARGE_ENDS.iter().find_map(|end| rest.strip_suffix(end))?;
    let what = what.strip_suffix('的').unwrap_or(what);
    (!what.is_empty()).then_some(what)
}

/// Whether a post is written so, by the key of the text: 市水利局局长 for the title 党组书记、局长 held in that bureau.
fn is_titled(view: View<'_>, post: &Post, key: &str) -> bool {
    let unit = post.unit.as_deref().and_then(|unit| view.unit(unit));
    let title = half_width(&post.title);
    title_parts(&title).filter(|part| key.ends_with(names::key(part).as_ref())).any(|part| match unit {
        Some(unit) => unit.names().any(|name| names::key(&format!("{name}{part}")) == key),
        None => names::key(part) == key,
    })
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{PostQuery, in_charge_of, read};
    use crate::error::RosterError;
    use crate::fixture::{Roster, at};

    #[test]
    fn what_a_leader_is_in_charge_of_is_read() {
        for (text, what) in [
            ("分管水利工作的副市长", Some("水利工作")),
            ("分管发展改革副市长", Some("发展改革")),
            ("负责应急管理方面工作的市领导", Some("应急管理方面工作")),
            ("分管的副市长", None),
            ("水利副市长", None),
        ] {
            assert_eq!(in_charge_of(text), what, "{text}");
        }
    }

    #[test]
    fn posts_are_read_as_people_write_them() {
        let roster = Roster::linfen();
        let view = roster.book.view(at("2023-06-01T00:00+08:00"), Timestamp::MAX);
        for (text, holder) in [
            ("市长", "officials/wang-yanfeng"),
            ("临汾市人民政府市长", "officials/wang-yanfeng"),
            ("常务副市长", "officials/wang-yuan"),
            ("市政府秘书长", "officials/gao-yaming"),
            ("市水利局主要负责人", "officials/water-head"),
            ("units/water 主要负责人", "officials/water-head"),
            ("市水利局局长", "officials/water-head"),
            ("临汾市水利局 联络员", "officials/water-liaison"),
        ] {
            let Ok(PostQuery::Held(post)) = read(view, text) else { panic!("{text} is a post") };
            assert_eq!(post.holder(text).unwrap().map(|found| found.name.as_str()), Some(holder), "{text}");
        }
    }

    #[test]
    fn a_post_nobody_knows_and_a_post_of_nowhere_are_refused() {
        let roster = Roster::linfen();
        let view = roster.book.view(at("2023-06-01T00:00+08:00"), Timestamp::MAX);
        for text in ["", "宇航员", "的"] {
            assert_eq!(read(view, text), Err(RosterError::PostUnknown { text: text.into() }), "{text}");
        }
        assert_eq!(
            read(view, "市月球局主要负责人"),
            Err(RosterError::UnitUnknown { text: "市月球局".into() })
        );
    }

    #[test]
    fn a_post_several_hold_gives_the_candidates() {
        let roster = Roster::linfen();
        let view = roster.book.view(at("2023-06-01T00:00+08:00"), Timestamp::MAX);
        let Ok(PostQuery::Held(post)) = read(view, "副市长") else { panic!("副市长 is a post") };
        assert!(
            matches!(post.holder("副市长"), Err(RosterError::PostAmbiguous { candidates, .. }) if candidates.len() > 2)
        );
    }
}
