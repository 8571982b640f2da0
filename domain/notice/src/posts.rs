//! Seats that are not held by a named person: by post, by unit, or open.

use crate::names;
use crate::notice::{Holder, Party};

/// How a post ends, the longer ones first.
const POSTS: [&str; 17] = [
    "主要负责同志",
    "分管负责同志",
    "主要负责人",
    "分管负责人",
    "有关负责人",
    "负责同志",
    "负责人",
    "副秘书长",
    "秘书长",
    "副市长",
    "副县长",
    "市长",
    "县长",
    "区长",
    "局长",
    "主任",
    "联络员",
];

/// What the office of a group fills.
const OPEN: [&str; 9] = ["各", "有关", "相关", "市直有关", "市直相关", "涉及", "其他", "部分", "项目"];

/// The holders that a list names: `市甲局、市乙局主要负责人,分管丙工作的副市长和丁`.
pub(crate) fn holders(list: &str, units_sit: bool) -> Vec<Holder> {
    let mut holders = Vec::new();
    for group in names::outside_brackets(list.trim_end_matches('。'), &[',', ';']) {
        let names = conjoined(group);
        // 市甲局、市乙局主要负责人: the last word is said for all of them.
        let post = names.last().and_then(|last| post_of(last)).map(|(_, post)| post.to_owned());
        for name in names {
            holders.push(holder(&name, post.as_deref(), units_sit));
        }
    }
    holders
}

fn holder(name: &str, shared: Option<&str>, units_sit: bool) -> Holder {
    if OPEN.iter().any(|opening| name.starts_with(opening)) || name.contains("有关人员") {
        return Holder::OpenClass { class: name.to_owned() };
    }
    let post = match (post_of(name), shared) {
        (Some((unit, post)), _) => Some(format!("{unit}{post}")),
        (None, Some(shared)) if names::ends_like_a_unit(name) || name.ends_with('县') => {
            Some(format!("{name}{shared}"))
        }
        (None, _) => None,
    };
    match post {
        Some(post) => {
            let unit = post_of(&post).map(|(unit, _)| unit).filter(|unit| names::ends_like_a_unit(unit));
            let unit = unit.map(Party::named);
            Holder::Post { post, unit }
        }
        None if units_sit || names::ends_like_a_unit(name) => Holder::Unit { unit: Party::named(name) },
        None => Holder::OpenClass { class: name.to_owned() },
    }
}

/// Splits `市水利局主要负责人` into the unit and the post.
fn post_of(name: &str) -> Option<(&str, &str)> {
    let post = POSTS.iter().find(|post| name.ends_with(*post))?;
    let unit = name.strip_suffix(post)?;
    // 市能源局等相关部门负责人: of a list that was only begun.
    Some((names::without_rest(unit), post))
}

/// The names of a list, split at 和 also after a post.
fn conjoined(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    for piece in names::pieces(list) {
        match piece.split_once('和') {
            Some((before, after)) if post_of(before).is_some() && !after.is_empty() => {
                names.push(before.trim().to_owned());
                names.push(after.trim().to_owned());
            }
            Some(_) | None => names.extend(names::split(piece)),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(list: &str) -> Vec<String> {
        let show = |holder| match holder {
            Holder::Post { post, unit } => match unit {
                Some(unit) => format!("post {post} in {}", unit.text),
                None => format!("post {post}"),
            },
            Holder::Unit { unit } => format!("unit {}", unit.text),
            Holder::OpenClass { class } => format!("open {class}"),
            Holder::Person { name, .. } => format!("person {name}"),
        };
        holders(list, false).into_iter().map(show).collect()
    }

    #[test]
    fn seats_by_post_share_their_last_word() {
        assert_eq!(
            shown("分管应急管理工作的副市长和分管水利工作的副市长。"),
            ["post 分管应急管理工作的副市长", "post 分管水利工作的副市长"]
        );
        assert_eq!(
            shown("市甲局、市乙局主要负责人,武警某支队负责人"),
            [
                "post 市甲局主要负责人 in 市甲局",
                "post 市乙局主要负责人 in 市乙局",
                "post 武警某支队负责人 in 武警某支队"
            ]
        );
        assert_eq!(
            shown("市甲局、市乙局等相关部门负责人"),
            ["post 市甲局负责人 in 市甲局", "post 市乙局负责人 in 市乙局"]
        );
        assert_eq!(shown("各施工单位项目负责人。"), ["open 各施工单位项目负责人"]);
        assert_eq!(shown("市纪委监委、市政府督查室"), ["unit 市纪委监委", "unit 市政府督查室"]);
    }
}
