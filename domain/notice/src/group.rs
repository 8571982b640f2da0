//! Groups: who sits in them, what their parts are to do and how they work.

use crate::ending::split_off;
use crate::notice::{Duty, Mechanism, Party, Seat};
use crate::ordinal::Level;
use crate::outline::{Block, Outline};
use crate::seats::Seats;
use crate::text::{Line, join, squeeze};

/// What was found of a group.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) seats: Vec<Seat>,
    pub(crate) duties: Vec<Duty>,
    pub(crate) mechanisms: Vec<Mechanism>,
}

impl Found {
    /// Whether somebody heads the group itself.
    pub(crate) fn has_head(&self) -> bool {
        let is_head =
            |role: &str| ["组长", "指挥", "召集人", "主任委员"].iter().any(|head| role.contains(head));
        self.seats.iter().any(|seat| seat.body.is_empty() && is_head(&seat.role))
    }
}

/// The part of a group that its office is.
pub(crate) const OFFICE: &str = "办公室";

/// Reads the text of a founding.
pub(crate) fn read(seats: &Seats, lines: &[Line]) -> Found {
    let outline = Outline::of(lines);
    let mut found = Found::default();
    let mut place = Place::default();
    for block in &outline.blocks {
        place.enter(block);
        match block.level {
            Some(Level::Item) if place.is_mechanism => {
                let text = block.text();
                let name = text.split('。').next().unwrap_or_default().to_owned();
                let rest = text.strip_prefix(&name).unwrap_or_default().trim_start_matches('。');
                found.mechanisms.push(Mechanism { name, text: rest.to_owned(), line: block.line() });
            }
            // 1. 组长:甲
            Some(Level::Item | Level::Point)
                if block.lines.first().is_some_and(|line| seats.is_label(&line.text)) =>
            {
                seats.read_lines(&block.lines, &place.body, &mut found);
            }
            Some(Level::Item | Level::Point) if !place.heading_is_name => {
                found.duties.push(numbered(block, &place.body));
            }
            Some(Level::Section) if place.is_duties && !place.heading_is_name => {
                found.duties.push(Duty { no: None, ..numbered(block, &place.body) });
            }
            Some(_) | None if place.heading_is_name => {
                let mut lines = block.lines.clone();
                if let Some(first) = lines.first_mut() {
                    // What follows the name on its line: (一)甲组。组长:乙.
                    let rest = squeezed_rest(&first.text);
                    first.text = if place.is_part { rest } else { String::new() };
                }
                lines.retain(|line| !line.text.is_empty());
                seats.read_lines(&lines, &place.body, &mut found);
            }
            Some(_) | None => seats.read_lines(&block.lines, &place.body, &mut found),
        }
    }
    found
}

/// Where in the text of a founding we are.
#[derive(Debug, Default)]
struct Place {
    body: String,
    is_mechanism: bool,
    is_duties: bool,
    heading_is_name: bool,
    is_part: bool,
}

impl Place {
    fn enter(&mut self, block: &Block) {
        let heading = block.lines.first().map(|line| squeeze(&line.text)).unwrap_or_default();
        (self.heading_is_name, self.is_part) = (false, false);
        match block.level {
            Some(Level::Chapter) => {
                self.is_mechanism = heading.ends_with("机制") || heading.ends_with("制度");
                self.is_duties = heading.ends_with("职责");
                self.body = if heading.contains(OFFICE) { OFFICE.to_owned() } else { String::new() };
                self.heading_is_name = true;
            }
            Some(Level::Section | Level::Item | Level::Point) if !self.is_mechanism => {
                let name = heading.split(['。', ':']).next().unwrap_or_default();
                if is_part(name) {
                    name.clone_into(&mut self.body);
                    (self.heading_is_name, self.is_part) = (true, true);
                }
            }
            Some(Level::Section | Level::Item | Level::Point | Level::Circle) | None => {}
        }
    }
}

/// What stands after the name of a part on its line.
fn squeezed_rest(line: &str) -> String {
    line.split_once(['。', ':']).map_or(String::new(), |(_, rest)| rest.trim().to_owned())
}

/// The name of a part of a group, and nothing else.
pub(crate) fn is_part(heading: &str) -> bool {
    (3..=20).contains(&heading.chars().count())
        && ["组", "专班", "中心", OFFICE].iter().any(|ending| heading.ends_with(ending))
        && !heading.contains([',', '。', ':', '、'])
        && !["负责", "承担", "完成", "设立", "成立"].iter().any(|verb| heading.starts_with(verb))
}

/// A numbered duty, with the clause that says whose it is.
fn numbered(block: &Block, body: &str) -> Duty {
    // A line that only leads to what comes next is none of it: 下设三个小组:
    let leads_on = |pair: &[Line]| pair[0].text.ends_with(['。', ';']) && pair[1].text.ends_with(':');
    let end = block.lines.windows(2).position(leads_on).map_or(block.lines.len(), |at| at + 1);
    let (text, clause) = split_off(&join(&block.lines[..end]));
    let clause = clause.unwrap_or_default();
    let unit = clause.responsible.into_iter().chain(clause.lead).next();
    Duty {
        no: Some(block.ordinal),
        body: body.to_owned(),
        text,
        unit: unit.map(Party::named),
        person: clause.person,
        line: block.line(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::notice::Holder;
    use crate::text::Furniture;

    pub(crate) fn lines(text: &str) -> Vec<Line> {
        Furniture::new().unwrap().lines(text)
    }

    pub(crate) fn seats(found: &Found) -> Vec<String> {
        let show = |seat: &Seat| {
            let holder = match &seat.holder {
                Holder::Person { name, title } => format!("{name}/{title}"),
                Holder::Post { post, .. } => post.clone(),
                Holder::Unit { unit } => format!("[{}]", unit.text),
                Holder::OpenClass { class } => format!("<{class}>"),
            };
            format!("{} {} {holder}", seat.body, seat.role)
        };
        found.seats.iter().map(show).collect()
    }

    #[test]
    fn a_group_with_its_parts_is_read() {
        let text = "决定成立领导小组。\n组 长:赵甲乙 市委副书记、市长\n副组长:王 丙 副市长\n成 员:李 丁 市国资委党委书记、市工信局\n局长\n\
                    孙戊己 某某公司\n董事长\n领导小组下设办公室和一个工作组。 办公室设在某某集团有限公司,办公室主任由孙戊己\n同志兼任,\
                    副主任由市甲局和尧都区、霍州市人民政府分管负责人担任。\n一个工作组是:\n(一)综合协调组\n组 长:吴庚 某某局局长\n\
                    成 员:各施工单位项\n目负责人。\n负责统筹协调;负责热价\n谈判;完成其他事项。";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found),
            [
                " 组长 赵甲乙/市委副书记、市长",
                " 副组长 王丙/副市长",
                " 成员 李丁/市国资委党委书记、市工信局局长",
                " 成员 孙戊己/某某公司董事长",
                "办公室 办公室所在单位 [某某集团有限公司]",
                "办公室 主任 孙戊己/",
                "办公室 副主任 市甲局分管负责人",
                "办公室 副主任 尧都区分管负责人",
                "办公室 副主任 霍州市人民政府分管负责人",
                "综合协调组 组长 吴庚/某某局局长",
                "综合协调组 成员 <各施工单位项目负责人>",
            ]
        );
        let duties: Vec<_> =
            found.duties.iter().map(|duty| (duty.body.as_str(), duty.text.as_str())).collect();
        assert_eq!(duties, [("综合协调组", "负责统筹协调"), ("综合协调组", "负责热价谈判")]);
    }

    #[test]
    fn duties_and_mechanisms_by_chapter_are_read() {
        let text = "一、组成人员\n组 长:赵甲 市长\n二、专班办公室成员和职责\n专班下设办公室,办公室设在市甲局,承担日常工作。\n\
                    主 任:钱乙 市甲局局长\n常务副主任:孙丙 督查专员\n办公室具体职责:\n1. 主任负责全面工作。\n\
                    2. 负责实施类项目。 (责任单位:市甲局,责任人:李\n丁)\n三、工作机制\n1. 会议机制。 定期召开。\n2. 通报机制。 汇总排名。";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found),
            [
                " 组长 赵甲/市长",
                "办公室 主任 钱乙/市甲局局长",
                "办公室 常务副主任 孙丙/督查专员",
                "办公室 办公室所在单位 [市甲局]",
            ]
        );
        let numbered: Vec<_> = found.duties.iter().filter(|duty| duty.no.is_some()).collect();
        assert_eq!(numbered.len(), 2);
        assert_eq!(numbered[1].unit.as_ref().map(|unit| unit.text.as_str()), Some("市甲局"));
        assert_eq!(numbered[1].person.as_deref(), Some("李丁"));
        let names: Vec<_> = found.mechanisms.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["会议机制", "通报机制"]);
    }

    #[test]
    fn seats_by_post_and_conveners_are_read() {
        let text = "一、主要职责\n(一)统筹工作。\n(二)研究问题。\n二、组成人员\n第一召集人:市政府分管民政工作的副市长\n召 集 人:市政府协管副秘书长、市甲局局长\n\
                    副召集人:市甲局分管副局长\n成 员:市委宣传部副部长\n市乙局四级调研员\n市丙局、市丁局分管负责同志\n联席会议办公室设在市甲局,承担日常工作。办公室主任由市甲局分管负责同志兼任,副主任由市乙局局长李丁同志担任。";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found),
            [
                " 第一召集人 市政府分管民政工作的副市长",
                " 召集人 市政府协管副秘书长",
                " 召集人 市甲局局长",
                " 副召集人 市甲局分管副局长",
                " 成员 市委宣传部副部长",
                " 成员 市乙局四级调研员",
                " 成员 市丙局分管负责同志",
                " 成员 市丁局分管负责同志",
                "办公室 办公室所在单位 [市甲局]",
                "办公室 主任 市甲局分管负责同志",
                "办公室 副主任 李丁/市乙局局长",
            ]
        );
        let duties: Vec<_> = found.duties.iter().map(|duty| duty.text.as_str()).collect();
        assert_eq!(duties, ["统筹工作。", "研究问题。"]);
    }

    #[test]
    fn a_headquarters_with_titles_in_brackets_and_parts_is_read() {
        let text = "一、组成\n总 指 挥:赵 甲(市委副书记、市长)\n第一副总指挥:钱乙丙(常务副市长)\n政 委:某军分区政治委员\n副总指挥:孙丁(副市长、\n市公安局局长)\n李戊(市政府督查专员)\n\
                    成 员:周己(市甲局局长)、吴 庚(市乙局局长)、\n郑辛(市丙局局长)\n各县(市、区)人民政府主要负责人\n指挥部下设办公室在市甲局,副主任由市乙局副局长王壬担任。\n\
                    二、工作组\n(一)协调组\n牵头单位:市甲局\n成员单位:市乙局、市丙局\n主要职责:综合协调;报送信息。\n(二)抢险组。组长:市甲局局长;成员单位:市丁局。职责:负责扑救。\n\
                    (三)宣传组\n由市委宣传部牵头,市戊局参加。负责新闻发布。";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found),
            [
                " 总指挥 赵甲/市委副书记、市长",
                " 第一副总指挥 钱乙丙/常务副市长",
                " 政委 某军分区政治委员",
                " 副总指挥 孙丁/副市长、市公安局局长",
                " 副总指挥 李戊/市政府督查专员",
                " 成员 周己/市甲局局长",
                " 成员 吴庚/市乙局局长",
                " 成员 郑辛/市丙局局长",
                " 成员 <各县(市、区)人民政府主要负责人>",
                "办公室 办公室所在单位 [市甲局]",
                "办公室 副主任 王壬/市乙局副局长",
                "协调组 牵头单位 [市甲局]",
                "协调组 成员单位 [市乙局]",
                "协调组 成员单位 [市丙局]",
                "抢险组 组长 市甲局局长",
                "抢险组 成员单位 [市丁局]",
                "宣传组 牵头单位 [市委宣传部]",
                "宣传组 成员单位 [市戊局]",
            ]
        );
        let duties: Vec<_> =
            found.duties.iter().map(|duty| (duty.body.as_str(), duty.text.as_str())).collect();
        assert_eq!(
            duties,
            [
                ("协调组", "综合协调"),
                ("协调组", "报送信息"),
                ("抢险组", "负责扑救"),
                ("宣传组", "负责新闻发布")
            ]
        );
    }

    #[test]
    fn seats_may_be_numbered_and_names_follow_posts() {
        let text = "组成人员如下:\n1.组 长:市政府市长\n2.成 员:\n市甲局局长 赵乙丙\n市丁局 钱 戊\n办公室设在市甲局,赵乙丙兼任办公室主任。\n领导小组主要职责:\n\
                    1. 统筹工作。\n2. 审议项目。\n领导小组下设小组:\n(一)谋划组。由市己局牵头,组长由市己局主任兼任。";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found),
            [
                " 组长 市政府市长",
                " 成员 赵乙丙/市甲局局长",
                " 成员 钱戊/市丁局",
                "办公室 办公室所在单位 [市甲局]",
                "办公室 主任 赵乙丙/",
                "谋划组 组长 市己局主任",
            ]
        );
        let duties: Vec<_> = found.duties.iter().map(|duty| duty.text.as_str()).collect();
        assert_eq!(duties, ["统筹工作。", "审议项目。"]);
    }

    #[test]
    fn a_committee_is_headed_by_its_director() {
        let text = "主 任 赵 甲 市长\n副主任 钱乙 副市长\n委 员:孙丙 市甲局局长\n委员会办公室设在市甲局。\n办公室主任:孙丙 市甲局局长";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found)[..4],
            [
                " 主任 赵甲/市长",
                " 副主任 钱乙/副市长",
                " 委员 孙丙/市甲局局长",
                "办公室 主任 孙丙/市甲局局长"
            ]
        );
    }

    #[test]
    fn seats_may_be_told_of_in_sentences() {
        let text = "成立指挥部,总指挥由市政府分管副市长担任,副总指挥由市甲局、市乙局主要负责人担任,成员由市丙局、市丁局分管负责人组成。";
        let found = read(&Seats::new().unwrap(), &lines(text));
        assert_eq!(
            seats(&found),
            [
                " 总指挥 市政府分管副市长",
                " 副总指挥 市甲局主要负责人",
                " 副总指挥 市乙局主要负责人",
                " 成员 市丙局分管负责人",
                " 成员 市丁局分管负责人",
            ]
        );
    }
}
