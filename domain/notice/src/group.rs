//! Groups: who sits in them, what their parts are to do and how they work. Also the
//! headquarters of an emergency plan, which differs in how its sections are numbered.

use regex::Regex;

use crate::clause::split_off;
use crate::headings::is_person;
use crate::notice::{Duty, Holder, Mechanism, Party, Seat};
use crate::ordinal::{Level, dotted};
use crate::outline::{Block, Outline};
use crate::posts::holders;
use crate::text::{Line, join, squeeze};

/// What was found of a group.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) seats: Vec<Seat>,
    pub(crate) duties: Vec<Duty>,
    pub(crate) mechanisms: Vec<Mechanism>,
}

/// Finds seats.
#[derive(Debug)]
pub(crate) struct Seats {
    label: Regex,
    office: Regex,
    office_head: Regex,
    office_deputy: Regex,
    leader_of: Regex,
}

/// The part of a group that its office is.
pub(crate) const OFFICE: &str = "办公室";

impl Seats {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        Ok(Seats {
            label: Regex::new(concat!(
                r"^(第一组长|常务副组长|执行副组长|副组长|组长|总指挥长?|副总指挥长?|常务副指挥长|副指挥长|指挥长|",
                r"主任委员|副主任委员|常务副主任|副主任|主任|召集人|副召集人|秘书长|成员单位|成员|委员|顾问|联络员):(.*)$"
            ))?,
            office: Regex::new(r"办公室设在([^,。;(]{2,30})")?,
            office_head: Regex::new(r"(?:办公室|[,;。])主任由([^。;]+?)(?:同志)?(?:兼任|担任)")?,
            office_deputy: Regex::new(r"副主任由([^。;]+?)(?:同志)?(?:兼任|担任)")?,
            leader_of: Regex::new(r"(\p{Han}{2,12}?组)组长由([^。;]+?)(?:同志)?(?:兼任|担任)")?,
        })
    }

    /// Reads the text of a founding.
    pub(crate) fn read(&self, lines: &[Line]) -> Found {
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
                Some(Level::Item | Level::Point) => found.duties.push(numbered(block, &place.body)),
                Some(Level::Chapter | Level::Section | Level::Circle) | None => {
                    let lines = if place.heading_is_name { &block.lines[1..] } else { &block.lines[..] };
                    self.read_lines(lines, &place.body, &mut found);
                }
            }
        }
        found
    }

    /// Reads an emergency plan: the sections that say who sits and what member units do.
    pub(crate) fn read_emergency(&self, lines: &[Line]) -> Found {
        let mut found = Found::default();
        for (heading, lines) in sections(lines) {
            if heading.contains("组织机构") || heading.contains("组成") {
                let body = if heading.contains(OFFICE) { OFFICE } else { "" };
                self.read_lines(lines, body, &mut found);
            } else if heading.contains("成员单位职责") || heading.contains("成员单位及职责") {
                let outline = Outline::of(lines);
                let points = outline.blocks.iter().filter(|block| block.level == Some(Level::Point));
                found.duties.extend(points.filter_map(of_member));
            }
        }
        found
    }

    /// Seats by label, then what is said in sentences.
    fn read_lines(&self, lines: &[Line], body: &str, found: &mut Found) {
        let mut prose: Vec<Line> = Vec::new();
        let mut open: Option<Open> = None;
        for line in lines {
            let squeezed = squeeze(&line.text);
            if let Some(label) = self.label.captures(&squeezed) {
                close(open.take(), body, &mut found.seats);
                // The gap between a name and a post tells them apart: the unsqueezed rest.
                let rest = line.text.split_once(':').map_or("", |(_, rest)| rest.trim_start());
                open = Some(Open::new(&label[1], line.number, rest));
                continue;
            }
            match &mut open {
                Some(seats) if seats.goes_on(&squeezed) => seats.add(line),
                Some(_) | None => {
                    close(open.take(), body, &mut found.seats);
                    prose.push(line.clone());
                }
            }
        }
        close(open, body, &mut found.seats);
        self.read_prose(&prose, body, found);
    }

    fn read_prose(&self, lines: &[Line], body: &str, found: &mut Found) {
        let Some(first) = lines.first() else { return };
        let text = join(lines);
        let line = first.number;
        let seat = |role: &str, body: &str, holder| Seat {
            role: role.to_owned(),
            body: body.to_owned(),
            holder,
            line,
        };
        if let Some(office) = self.office.captures(&text) {
            let unit = Party::named(office[1].trim());
            found.seats.push(seat("办公室所在单位", OFFICE, Holder::Unit { unit }));
        }
        for (role, pattern) in [("主任", &self.office_head), ("副主任", &self.office_deputy)] {
            if let Some(list) = pattern.captures(&text) {
                found
                    .seats
                    .extend(named_or_by_post(&list[1]).into_iter().map(|holder| seat(role, OFFICE, holder)));
            }
        }
        for leader in self.leader_of.captures_iter(&text) {
            let of = leader[1].rsplit(['。', ';', ',']).next().unwrap_or_default().to_owned();
            found
                .seats
                .extend(named_or_by_post(&leader[2]).into_iter().map(|holder| seat("组长", &of, holder)));
        }
        for sentence in text.split(['。', ';']) {
            let duty = sentence.trim();
            if duty.starts_with("负责") || duty.starts_with("承担") {
                found.duties.push(Duty {
                    no: None,
                    body: body.to_owned(),
                    text: duty.to_owned(),
                    unit: None,
                    person: None,
                    line,
                });
            }
        }
    }
}

/// Where in the text of a founding we are.
#[derive(Debug, Default)]
struct Place {
    body: String,
    is_mechanism: bool,
    heading_is_name: bool,
}

impl Place {
    fn enter(&mut self, block: &Block) {
        let heading = block.lines.first().map(|line| squeeze(&line.text)).unwrap_or_default();
        self.heading_is_name = false;
        match block.level {
            Some(Level::Chapter) => {
                self.is_mechanism = heading.ends_with("机制") || heading.ends_with("制度");
                self.body = if heading.contains(OFFICE) { OFFICE.to_owned() } else { String::new() };
                self.heading_is_name = true;
            }
            Some(Level::Section) if is_part(&heading) => {
                self.body = heading;
                self.heading_is_name = true;
            }
            Some(Level::Section | Level::Item | Level::Point | Level::Circle) | None => {}
        }
    }
}

/// The name of a part of a group, and nothing else.
fn is_part(heading: &str) -> bool {
    (3..=20).contains(&heading.chars().count())
        && ["组", "专班", "中心", OFFICE].iter().any(|ending| heading.ends_with(ending))
        && !heading.contains([',', '。', ':', '、'])
}

/// Holders that follow one label.
struct Open {
    role: String,
    line: u32,
    /// Lines as they are, with the number of each.
    lines: Vec<(u32, String)>,
}

impl Open {
    fn new(role: &str, line: u32, rest: &str) -> Self {
        Open { role: role.to_owned(), line, lines: vec![(line, rest.to_owned())] }
    }

    /// Whether a line still belongs to the list: a list by name ends where a sentence
    /// begins, one in a sentence where that ends.
    fn goes_on(&self, squeezed: &str) -> bool {
        let so_far = self.lines.last().map_or("", |(_, text)| text.as_str());
        let in_sentence =
            self.lines.first().is_some_and(|(_, text)| person(text).is_none() && !text.is_empty());
        if in_sentence {
            return !so_far.ends_with('。');
        }
        let is_prose =
            ["下设", "设在", "职责", "负责", "承担", "分别是"].iter().any(|word| squeezed.contains(word));
        !is_prose && !squeezed.contains(['。', ':', ';'])
    }

    fn add(&mut self, line: &Line) {
        self.lines.push((line.number, line.text.clone()));
    }
}

fn close(open: Option<Open>, body: &str, seats: &mut Vec<Seat>) {
    let Some(open) = open else { return };
    let body = match body {
        "" if open.role.contains("主任") && !open.role.contains("委员") => OFFICE,
        body => body,
    };
    let seat = |line, holder| Seat { role: open.role.clone(), body: body.to_owned(), holder, line };
    let by_name = open.lines.iter().any(|(_, text)| person(text).is_some());
    if !by_name {
        let text: String = open.lines.iter().map(|(_, text)| squeeze(text)).collect();
        let units_sit = open.role == "成员单位";
        seats.extend(holders(&text, units_sit).into_iter().map(|holder| seat(open.line, holder)));
        return;
    }
    let mut people: Vec<(u32, String, String)> = Vec::new();
    for (line, text) in &open.lines {
        match (person(text), people.last_mut()) {
            (Some((name, title)), _) => people.push((*line, name, title)),
            // A post that was broken off.
            (None, Some((_, _, title))) => title.push_str(&squeeze(text)),
            (None, None) => {}
        }
    }
    seats.extend(people.into_iter().map(|(line, name, title)| seat(line, Holder::Person { name, title })));
}

/// `王 渊 市委常委、常务副市长`: a name set apart by a gap, and a post.
fn person(text: &str) -> Option<(String, String)> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let mut name = words.next()?.to_owned();
    if name.chars().count() == 1 {
        name.push_str(words.next()?);
    }
    let title = squeeze(&words.collect::<Vec<_>>().join(" "));
    let is_name = is_person(&name) && name.chars().all(|one| !"、,。:;".contains(one));
    (is_name && !title.is_empty()).then_some((name, title))
}

/// `梁明军`, or posts.
fn named_or_by_post(list: &str) -> Vec<Holder> {
    let name = list.trim().trim_end_matches("同志");
    let looks_like_a_post = ["市", "局", "长", "任", "人"].iter().any(|ending| name.ends_with(ending));
    if is_person(name) && !looks_like_a_post {
        return vec![Holder::Person { name: name.to_owned(), title: String::new() }];
    }
    holders(list, false)
}

/// A numbered duty, with the clause that says whose it is.
fn numbered(block: &Block, body: &str) -> Duty {
    let (text, clause) = split_off(&block.text());
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

/// `(1)市委宣传部:按照…`
fn of_member(block: &Block) -> Option<Duty> {
    let text = block.text();
    let (unit, text) = text.split_once(':')?;
    Some(Duty {
        no: Some(block.ordinal),
        body: String::new(),
        text: text.to_owned(),
        unit: Some(Party::named(unit)),
        person: None,
        line: block.line(),
    })
}

/// The sections of a text whose headings are numbered 2.1.1, in order.
fn sections(lines: &[Line]) -> Vec<(String, &[Line])> {
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
    use crate::text::Furniture;

    fn lines(text: &str) -> Vec<Line> {
        Furniture::new().unwrap().lines(text)
    }

    fn seats(found: &Found) -> Vec<String> {
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
        let found = Seats::new().unwrap().read(&lines(text));
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
        let found = Seats::new().unwrap().read(&lines(text));
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
    fn a_headquarters_is_read_by_its_sections() {
        let text = "1 总则\n1. 1 指导思想\n坚持。\n2 体系及职责\n2. 1 市指挥部\n2. 1. 1 市指组织机构\n指挥长:分管应急工作的副市长和分管水利\n\
                    工作的副市长。\n成员单位:市甲局、市乙局。\n2. 2 办公室\n2. 2. 1 指挥部办公室组织机构\n办公室设在市甲局,办公室主任由市甲局、市乙局主要负责人\n兼任。\n\
                    会商小组组长由市乙局分管负责人担任。\n2. 2. 2 市指各成员单位职责\n(1)市甲局:组织\n30 分钟内报告。\n(2)市乙局:监测。\n2. 3 县级指挥部\n参照。";
        let found = Seats::new().unwrap().read_emergency(&lines(text));
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
}
