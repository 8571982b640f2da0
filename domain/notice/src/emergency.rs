//! Emergency plans: the sections that say who sits in the headquarters and what member units
//! do. They are numbered 2.1.1, or 二、 and (一).

use crate::group::{self, Found, OFFICE, is_part};
use crate::names;
use crate::notice::{Duty, Party};
use crate::ordinal::{Level, dotted, marker};
use crate::outline::{Block, Outline};
use crate::seats::Seats;
use crate::text::{Line, squeeze};

/// Fewer headings are by chance.
const FEWEST: usize = 3;

/// Reads an emergency plan.
pub(crate) fn read(seats: &Seats, lines: &[Line]) -> Found {
    let mut found = Found::default();
    let mut sections = dotted_sections(lines);
    if sections.len() < FEWEST {
        sections = numbered_sections(lines);
    }
    for (heading, lines) in sections {
        if heading.contains("成员单位") && heading.contains("职责") {
            found.duties.extend(of_members(lines));
            continue;
        }
        let says_who = ["组织机构", "组成", OFFICE].iter().any(|word| heading.contains(word));
        if is_part(&heading) && !heading.contains(OFFICE) {
            // 工作组, of which each has a number, or one of them.
            let parts = group::read(seats, lines);
            if parts.seats.iter().any(|seat| !seat.body.is_empty()) {
                found.seats.extend(parts.seats);
                found.duties.extend(parts.duties);
            } else {
                seats.read_lines(lines, &heading, &mut found);
            }
        } else if says_who || seats.say_who(lines) {
            let body = if heading.contains(OFFICE) { OFFICE } else { "" };
            seats.read_lines(lines, body, &mut found);
        }
    }
    found
}

/// What each member unit is to do: (1)市甲局:…, or 1. 市甲局:…, or each on lines of its own.
fn of_members(lines: &[Line]) -> Vec<Duty> {
    let outline = Outline::of(lines);
    for level in [Level::Point, Level::Item, Level::Section] {
        let of_level = outline.blocks.iter().filter(|block| block.level == Some(level));
        let duties: Vec<Duty> = of_level.flat_map(of_member).collect();
        if !duties.is_empty() {
            return duties;
        }
    }
    let mut duties: Vec<Duty> = Vec::new();
    for line in lines {
        let squeezed = squeeze(&line.text);
        // 市甲局 负责…, set apart by a gap.
        let by_gap = line
            .text
            .split_once(' ')
            .filter(|(unit, _)| !squeezed.contains(':') && names::ends_like_a_unit(unit));
        let squeezed = by_gap.map_or(squeezed, |(unit, rest)| format!("{unit}:{}", squeeze(rest)));
        match of_unit(&squeezed) {
            Some((units, text)) => {
                duties.extend(units.into_iter().map(|unit| duty(None, unit, text, line.number)))
            }
            None => {
                if let Some(last) = duties.last_mut() {
                    last.text.push_str(&squeezed);
                }
            }
        }
    }
    duties
}

/// `(1)市委宣传部:按照…`
fn of_member(block: &Block) -> Vec<Duty> {
    let text = block.text();
    let Some((units, rest)) = text.split_once(':') else { return Vec::new() };
    let units = names::split(units);
    units.into_iter().map(|unit| duty(Some(block.ordinal), unit, rest, block.line())).collect()
}

/// `市甲局、市乙局:…`
fn of_unit(line: &str) -> Option<(Vec<String>, &str)> {
    let (units, text) = line.split_once(':')?;
    let units = names::split(units);
    let all = !units.is_empty() && units.iter().all(|unit| names::ends_like_a_unit(unit));
    all.then_some((units, text))
}

fn duty(no: Option<u32>, unit: String, text: &str, line: u32) -> Duty {
    Duty {
        no,
        body: String::new(),
        text: text.to_owned(),
        unit: Some(Party::named(unit)),
        person: None,
        line,
    }
}

/// The sections of a text whose headings are numbered 2.1.1, in order.
fn dotted_sections(lines: &[Line]) -> Vec<(String, &[Line])> {
    let mut last: Vec<u32> = Vec::new();
    let mut starts: Vec<(usize, String)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((_, label, heading)) = dotted(&line.text) else { continue };
        let numbers: Vec<u32> = label.split('.').filter_map(|number| number.parse().ok()).collect();
        if follows(&last, &numbers) {
            last = numbers;
            starts.push((at, squeeze(heading)));
        }
    }
    between(starts, lines)
}

/// The sections of a text whose headings are numbered 一、 and (一), in order.
fn numbered_sections(lines: &[Line]) -> Vec<(String, &[Line])> {
    let mut last = [0; 2];
    let mut starts: Vec<(usize, String)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(found) = marker(&line.text).filter(|found| found.level <= Level::Section) else { continue };
        let of_level = found.level as usize;
        if found.ordinal == last[of_level] + 1 || found.ordinal == 1 {
            last[of_level] = found.ordinal;
            starts.push((at, squeeze(found.rest)));
        }
    }
    between(starts, lines)
}

fn between(starts: Vec<(usize, String)>, lines: &[Line]) -> Vec<(String, &[Line])> {
    let ends: Vec<usize> = starts.iter().skip(1).map(|(start, _)| *start).chain([lines.len()]).collect();
    starts.into_iter().zip(ends).map(|((from, heading), to)| (heading, &lines[from + 1..to])).collect()
}

/// Whether a heading's number may come after another: the next one at its depth or above, or
/// the first below.
fn follows(last: &[u32], next: &[u32]) -> bool {
    let common = last.iter().zip(next).take_while(|(one, other)| one == other).count();
    match (last.get(common), next.get(common)) {
        (Some(before), Some(now)) => *now == before + 1 && next[common + 1..].iter().all(|one| *one == 1),
        (None, Some(_)) => next[common..].iter().all(|one| *one == 1),
        (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::tests::{lines, seats};

    #[test]
    fn a_headquarters_is_read_by_its_sections() {
        let text = "1 总则\n1. 1 指导思想\n坚持。\n2 体系及职责\n2. 1 市指挥部\n2. 1. 1 市指组织机构\n指挥长:分管应急工作的副市长和分管水利\n\
                    工作的副市长。\n成员单位:市甲局、市乙局。\n2. 2 办公室\n2. 2. 1 指挥部办公室组织机构\n办公室设在市甲局,办公室主任由市甲局、市乙局主要负责人\n兼任。\n\
                    会商小组组长由市乙局分管负责人担任。\n2. 2. 2 市指各成员单位职责\n(1)市甲局:组织\n30 分钟内报告。\n(2)市乙局:监测。\n2. 3 县级指挥部\n参照。";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found),
            [
                " 指挥长 分管应急工作的副市长",
                " 指挥长 分管水利工作的副市长",
                " 成员单位 [市甲局]",
                " 成员单位 [市乙局]",
                "办公室 办公室所在单位 [市甲局]",
                "办公室 主任 市甲局主要负责人",
                "办公室 主任 市乙局主要负责人",
                "会商小组 组长 市乙局分管负责人",
            ]
        );
        let duties: Vec<_> = found.duties.iter().map(|duty| duty.text.as_str()).collect();
        assert_eq!(duties, ["组织30分钟内报告。", "监测。"]);
    }

    #[test]
    fn sections_may_be_numbered_in_chinese() {
        let text = "一、总则\n(一)目的\n健全。\n二、组织指挥体系\n(一)市指挥部\n成立指挥部,组成如下:\n总指挥:市政府市长\n\
                    副总指挥:市政府协管副秘书长、市甲局局长\n成员单位:市甲局、市乙局。\n(二)办公室及职责\n办公室设在市甲局,办公室主任由市甲局局长担任。\n\
                    办公室职责:承担日常工作;发布预警。\n(三)成员单位职责\n1.市甲局:组织。\n2.市乙局、市丙局:监测。\n(四)抢险组\n由市甲局牵头,市丙局参加。负责搜救。\n\
                    三、预警\n(一)监测\n1. 市甲局:监测。";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found),
            [
                " 总指挥 市政府市长",
                " 副总指挥 市政府协管副秘书长",
                " 副总指挥 市甲局局长",
                " 成员单位 [市甲局]",
                " 成员单位 [市乙局]",
                "办公室 办公室所在单位 [市甲局]",
                "办公室 主任 市甲局局长",
                "抢险组 牵头单位 [市甲局]",
                "抢险组 成员单位 [市丙局]",
            ]
        );
        let of: Vec<_> =
            found.duties.iter().map(|duty| (duty.no, duty.body.as_str(), duty.text.as_str())).collect();
        assert_eq!(
            of,
            [
                (None, "办公室", "承担日常工作"),
                (None, "办公室", "发布预警"),
                (Some(1), "", "组织。"),
                (Some(2), "", "监测。"),
                (Some(2), "", "监测。"),
                (None, "抢险组", "负责搜救"),
            ]
        );
    }

    #[test]
    fn a_headquarters_may_be_told_of_in_sentences_and_its_parts_be_numbered() {
        let text = "1 总则\n2 体系\n2.1 市应急指挥部\n市指挥部总指挥由市政府分管副市长担任,副总指挥由市甲局局长担任。\n2.2 指挥部办公室\n设在市甲局。\n\
                    2.3 现场工作组\n(1)处置组:由市甲局牵头,市乙局参加。主要职责:开展处置。\n(2)救治组:由市丙局牵头。职责:开展救治。";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found),
            [
                " 总指挥 市政府分管副市长",
                " 副总指挥 市甲局局长",
                "处置组 牵头单位 [市甲局]",
                "处置组 成员单位 [市乙局]",
                "救治组 牵头单位 [市丙局]",
            ]
        );
        let of: Vec<_> = found.duties.iter().map(|duty| (duty.body.as_str(), duty.text.as_str())).collect();
        assert_eq!(of, [("处置组", "开展处置"), ("救治组", "开展救治")]);
    }

    #[test]
    fn seats_may_be_numbered() {
        let text = "1 总则\n2 体系\n2.1 指挥机构\n(1)总指挥:市政府分管副市长\n(2)成员:市甲局、市乙局分管\n负责人。\n2.2 附则\n解释。";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found),
            [" 总指挥 市政府分管副市长", " 成员 市甲局分管负责人", " 成员 市乙局分管负责人"]
        );
    }

    #[test]
    fn duties_of_members_may_have_no_numbers() {
        let by_gap = of_members(&lines("市甲局 负责报道。\n市乙局 负责\n治安。"));
        assert_eq!(
            by_gap.iter().map(|duty| duty.text.as_str()).collect::<Vec<_>>(),
            ["负责报道。", "负责治安。"]
        );
        let text = "市委宣传部:报道。\n市甲局:保障,\n30日内拨付到位:全部。\n市乙局、市丙局:治安。";
        let duties = of_members(&lines(text));
        let shown: Vec<_> = duties
            .iter()
            .map(|duty| (duty.unit.as_ref().unwrap().text.as_str(), duty.text.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("市委宣传部", "报道。"),
                ("市甲局", "保障,30日内拨付到位:全部。"),
                ("市乙局", "治安。"),
                ("市丙局", "治安。")
            ]
        );
    }
}
