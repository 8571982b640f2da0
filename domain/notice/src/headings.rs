//! Headings that say who is in charge of what stands under them.

use crate::names;
use crate::notice::Leader;
use crate::ordinal::Level;
use crate::posts::ends_like_a_post;

/// `市住房和城乡建设局、尧都区人民政府牵头负责的工作。`
pub(crate) fn led_by(text: &str) -> Option<Vec<String>> {
    let heading = text.split('。').next()?.trim_end_matches(':');
    // 市财政局牵头负责(12项)
    let counted = heading.strip_suffix("项)").and_then(|open| open.rsplit_once('('));
    let counted = counted.filter(|(_, count)| count.trim_start_matches('共').parse::<u32>().is_ok());
    let heading = counted.map_or(heading, |(before, _)| before);
    let list = LED.iter().find_map(|ending| heading.strip_suffix(ending)).or_else(|| {
        let list = heading.strip_suffix("牵头").or_else(|| heading.strip_suffix("负责")).unwrap_or(heading);
        let is_unit =
            |name: &String| names::ends_like_a_unit(name) && name.starts_with(['市', '县', '区', '省']);
        // 市财政局(12项), or nothing but 市财政局.
        let names = names::split(list);
        let is_alone = heading.len() == text.trim_end_matches('。').len() || counted.is_some();
        (is_alone && !names.is_empty() && names.iter().all(is_unit)).then_some(list)
    })?;
    let lead = names::split(list.strip_prefix('由').unwrap_or(list));
    (!lead.is_empty() && lead.iter().all(|name| (2..=40).contains(&name.chars().count()))).then_some(lead)
}

/// How a heading ends that says who leads what stands under it, the longer ones first.
const LED: [&str; 12] = [
    "牵头负责的重点工作任务",
    "牵头负责的重点工作",
    "牵头负责的重点任务",
    "牵头负责的工作任务",
    "牵头负责的工作",
    "牵头负责的任务",
    "牵头落实的工作",
    "牵头落实的任务",
    "牵头的工作",
    "牵头任务",
    "牵头负责",
    "牵头落实",
];

/// `王渊常务副市长负责的工作`, and the fields that follow.
pub(crate) fn leader(level: Option<Level>, text: &str, line: u32) -> Option<Leader> {
    if level != Some(Level::Chapter) {
        return None;
    }
    let (who, rest) = text.split_once("负责的")?;
    let rest = ["重点工作", "工作", "重点任务", "任务"].iter().find_map(|word| rest.strip_prefix(word))?;
    let (name, post) = person_and_post(who.trim_end_matches("牵头"))?;
    let fields = rest.trim_start_matches('。').split('。').next().unwrap_or_default();
    let fields = ["主要抓好", "主要负责", "负责"]
        .iter()
        .find_map(|opening| fields.strip_prefix(opening))
        .and_then(fields_of)
        .unwrap_or_default();
    Some(Leader { name, post, fields, line })
}

/// The posts that leaders of a city, a county or a province hold, the longer ones first.
pub(crate) const POSTS: [&str; 20] = [
    "常务副市长",
    "常务副县长",
    "常务副区长",
    "常务副省长",
    "副秘书长",
    "秘书长",
    "党组成员",
    "副市长",
    "副县长",
    "副区长",
    "副省长",
    "副主任",
    "督查专员",
    "市长",
    "县长",
    "区长",
    "省长",
    "主任",
    "镇长",
    "乡长",
];

/// Splits `王渊常务副市长`, or `常务副市长王渊`, into the name and the post.
pub(crate) fn person_and_post(text: &str) -> Option<(String, String)> {
    let text = text.strip_suffix("同志").unwrap_or(text);
    let after = || POSTS.iter().find_map(|post| Some((text.strip_suffix(post)?, *post)));
    let before = || POSTS.iter().find_map(|post| Some((text.strip_prefix(post)?, *post)));
    let is_name = |(name, _): &(&str, &str)| is_person(name);
    let (name, post) = after().filter(is_name).or_else(|| before().filter(is_name))?;
    Some((name.to_owned(), post.to_owned()))
}

/// Two to four characters, as Chinese names are.
pub(crate) fn is_person(name: &str) -> bool {
    (2..=4).contains(&name.chars().count())
        && name.chars().all(|character| character.is_alphabetic() && !character.is_ascii())
        && !name.starts_with(['市', '县', '区', '省', '各'])
}

/// `财政、人防等方面的工作` as a list of fields.
pub(crate) fn fields_of(list: &str) -> Option<Vec<String>> {
    let list = ["等方面的工作", "等方面工作", "方面的工作", "方面工作", "等工作", "工作"]
        .iter()
        .find_map(|ending| list.strip_suffix(ending))?;
    let fields = names::pieces(list).into_iter().map(|field| field.trim().to_owned());
    Some(fields.filter(|field| !field.is_empty()).collect())
}

/// Splits `市甲局局长梁明军` into the title and the name.
pub(crate) fn person_before_name(text: &str) -> Option<(String, String)> {
    let starts = text.char_indices().map(|(at, _)| at).rev().take(4);
    let split = starts
        .map(|at| text.split_at(at))
        .find(|(title, name)| is_person(name) && ends_like_a_post(title))?;
    Some((split.0.to_owned(), split.1.to_owned()))
}
