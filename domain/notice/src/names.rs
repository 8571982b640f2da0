//! Lists of names: 市生态环境局、市水利局,各县(市、区)人民政府等

/// How a unit's name ends. Before 和 it tells two names from one that has the word in it:
/// 市教育局和市民政局, but 市文化和旅游局.
const ENDINGS: [&str; 40] = [
    "局",
    "委",
    "办",
    "室",
    "院",
    "会",
    "中心",
    "公司",
    "集团",
    "支队",
    "总队",
    "政府",
    "支行",
    "社",
    "台",
    "站",
    "段",
    "厂",
    "校",
    "学院",
    "大学",
    "馆",
    "处",
    "部",
    "县",
    "区",
    "市",
    "联",
    "厅",
    "署",
    "所",
    "海关",
    "银行",
    "调查队",
    "大队",
    "中队",
    "总社",
    "部门",
    "单位",
    "机关",
];

/// Words that only wind a list up.
const REST: [&str; 12] = [
    "等有关成员单位",
    "等相关成员单位",
    "等成员单位",
    "等市直有关部门",
    "等市直相关部门",
    "等市直部门",
    "等有关部门",
    "等相关部门",
    "等有关单位",
    "等相关单位",
    "等部门",
    "等单位",
];

/// The names of a list, in order. What is in brackets belongs to its name.
pub(crate) fn split(list: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in pieces(list).into_iter().flat_map(conjoined) {
        let name = without_rest(name.trim()).trim_matches(['。', ':', ',', '、', ' ']);
        if name.is_empty() {
            continue;
        }
        let shared = ["人民政府", "政府"].iter().find_map(|ending| name.strip_suffix(ending));
        let name = match shared {
            // 襄汾县、曲沃县人民政府: the last word is said for all of them.
            Some(county) if is_county(county) && names.last().is_some_and(|last| is_county(last)) => county,
            Some(_) | None => name,
        };
        names.push(name.to_owned());
    }
    names
}

/// Split at list marks that are outside brackets.
pub(crate) fn pieces(list: &str) -> Vec<&str> {
    outside_brackets(list, &['、', ',', ';'])
}

/// Split at marks that stand outside brackets of any kind.
pub(crate) fn outside_brackets<'a>(text: &'a str, marks: &[char]) -> Vec<&'a str> {
    let (mut pieces, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, character) in text.char_indices() {
        match character {
            '(' | '《' | '“' | '〔' | '[' => depth += 1,
            ')' | '》' | '”' | '〕' | ']' => depth = depth.saturating_sub(1),
            mark if depth == 0 && marks.contains(&mark) => {
                pieces.push(&text[start..at]);
                start = at + mark.len_utf8();
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

/// Bytes of the longest list without list marks that is looked into: no name is that long.
const LONGEST: usize = 600;

/// Names joined by 和, 及 or 以及, where the word before ends like a name.
fn conjoined(names: &str) -> Vec<&str> {
    if names.len() > LONGEST {
        return vec![names];
    }
    for word in ["以及", "和", "及"] {
        for (at, _) in names.match_indices(word) {
            let (before, after) = (&names[..at], &names[at + word.len()..]);
            if ends_like_a_unit(before) && !after.is_empty() {
                let mut all = vec![before];
                all.extend(conjoined(after));
                return all;
            }
        }
    }
    vec![names]
}

/// Whether a word could be the whole name of a unit.
pub(crate) fn ends_like_a_unit(name: &str) -> bool {
    let name = name.strip_suffix(')').and_then(|open| open.rfind('(').map(|at| &open[..at])).unwrap_or(name);
    name.chars().count() >= 3
        && !name.ends_with("社会")
        && !name.contains('(')
        && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// A county, city or district by its bare name.
fn is_county(name: &str) -> bool {
    let count = name.chars().count();
    (2..=4).contains(&count)
        && name.ends_with(['县', '市', '区'])
        && !name.starts_with(['各', '有', '相', '该', '本'])
        && !name.contains('(')
}

/// Without the words that only wind a list up.
pub(crate) fn without_rest(name: &str) -> &str {
    let name = REST.iter().find_map(|rest| name.strip_suffix(rest)).unwrap_or(name);
    name.strip_suffix('等').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for (list, expected) in [
            ("市水利局、市规划和自然资源局", vec!["市水利局", "市规划和自然资源局"]),
            ("市直相关部门,各县市区人民政府", vec!["市直相关部门", "各县市区人民政府"]),
            ("各县(市、区)人民政府", vec!["各县(市、区)人民政府"]),
            ("市规划和自然资源局(市林业局)、市教育局", vec!["市规划和自然资源局(市林业局)", "市教育局"]),
            ("襄汾县、曲沃县人民政府", vec!["襄汾县", "曲沃县"]),
            ("市住房和城乡建设局、尧都区人民政府", vec!["市住房和城乡建设局", "尧都区人民政府"]),
            ("市教育局和市民政局", vec!["市教育局", "市民政局"]),
            (
                "市城市管理局、临汾经济开发区管委会和襄汾县人民政府",
                vec!["市城市管理局", "临汾经济开发区管委会", "襄汾县人民政府"],
            ),
            ("市发展改革委、市能源局等", vec!["市发展改革委", "市能源局"]),
            ("市能源局等有关部门", vec!["市能源局"]),
            ("", vec![]),
        ] {
            assert_eq!(split(list), expected, "{list}");
        }
    }
}
