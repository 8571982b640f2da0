//! Seats that are not held by a named person: by post, by unit, or open.

use crate::names;
use crate::notice::{Holder, Party};

/// How a post ends, the longer ones first.
const POSTS: [&str; 85] = [
    "主要负责同志",
    "分管负责同志",
    "有关负责同志",
    "相关负责同志",
    "主要负责人",
    "分管负责人",
    "有关负责人",
    "相关负责人",
    "协管副秘书长",
    "分管副秘书长",
    "常务副市长",
    "常务副县长",
    "常务副区长",
    "分管副局长",
    "分管副主任",
    "常务副主任",
    "分管副市长",
    "分管副县长",
    "分管副区长",
    "副支队长",
    "一级调研员",
    "二级调研员",
    "三级调研员",
    "四级调研员",
    "政治委员",
    "党组成员",
    "党组书记",
    "党委书记",
    "主要领导",
    "分管领导",
    "负责同志",
    "总工程师",
    "总经济师",
    "总规划师",
    "督查专员",
    "监察专员",
    "副秘书长",
    "副总经理",
    "负责人",
    "秘书长",
    "副市长",
    "副县长",
    "副区长",
    "副局长",
    "副主任",
    "副部长",
    "副处长",
    "副科长",
    "副书记",
    "支队长",
    "大队长",
    "总队长",
    "司令员",
    "调研员",
    "董事长",
    "总经理",
    "总编辑",
    "理事长",
    "联络员",
    "市长",
    "县长",
    "区长",
    "镇长",
    "乡长",
    "局长",
    "主任",
    "部长",
    "队长",
    "政委",
    "处长",
    "科长",
    "书记",
    "经理",
    "厂长",
    "院长",
    "校长",
    "台长",
    "社长",
    "行长",
    "站长",
    "段长",
    "馆长",
    "所长",
    "会长",
    "主席",
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

/// Whether a text ends with a post.
pub(crate) fn ends_like_a_post(text: &str) -> bool {
    POSTS.iter().any(|post| text.ends_with(post))
}

/// A post that a unit's name is missing of.
pub(crate) fn is_bare(post: &str) -> bool {
    POSTS.contains(&post) && !["市长", "县长", "区长", "秘书长"].iter().any(|one| post.ends_with(one))
}

/// Whether a class is told as one that the office of a group fills.
pub(crate) fn is_open(class: &str) -> bool {
    OPEN.iter().any(|opening| class.starts_with(opening)) || class.contains("有关人员")
}

fn holder(name: &str, shared: Option<&str>, units_sit: bool) -> Holder {
    if is_open(name) {
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
            let unit = post_of(&post).map(|(unit, _)| unit.trim_end_matches("分管").trim_end_matches("协管"));
            let unit = unit.filter(|unit| names::ends_like_a_unit(unit));
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
    // 各乡镇人民政府、街道办事处主要负责人 are one class.
    let mut whole: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let is_of_class =
            ["街道", "乡镇", "乡", "镇", "社区", "村"].iter().any(|start| name.starts_with(start));
        match whole.last_mut() {
            Some(class) if is_of_class && class.starts_with('各') && post_of(class).is_none() => {
                class.push('、');
                class.push_str(&name);
            }
            Some(_) | None => whole.push(name),
        }
    }
    whole
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
        assert_eq!(
            shown("市委宣传部副部长、国家统计局某调查队队长、市消防救援支队支队长和某军分区政治委员"),
            [
                "post 市委宣传部副部长 in 市委宣传部",
                "post 国家统计局某调查队队长 in 国家统计局某调查队",
                "post 市消防救援支队支队长 in 市消防救援支队",
                "post 某军分区政治委员 in 某军分区"
            ]
        );
        assert_eq!(
            shown("市甲局、市乙局分管负责人,各乡镇人民政府、街道办事处主要负责人"),
            [
                "post 市甲局分管负责人 in 市甲局",
                "post 市乙局分管负责人 in 市乙局",
                "open 各乡镇人民政府、街道办事处主要负责人"
            ]
        );
        assert_eq!(shown("各施工单位项目负责人。"), ["open 各施工单位项目负责人"]);
        assert_eq!(shown("市纪委监委、市政府督查室"), ["unit 市纪委监委", "unit 市政府督查室"]);
    }
}
