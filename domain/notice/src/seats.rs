//! Seats: lists after a label (组长:…), and what sentences say of who holds which (主任由…兼任).

use regex::Regex;

use crate::clause::Clause;
use crate::group::{Found, OFFICE};
use crate::headings::{is_person, person_before_name};
use crate::names;
use crate::notice::{Duty, Holder, Party, Seat};
use crate::ordinal::marker;
use crate::posts::{ends_like_a_post, holders};
use crate::text::{Line, join, squeeze};

/// Finds seats.
#[derive(Debug)]
pub(crate) struct Seats {
    label: Regex,
    bare_label: Regex,
    inner_label: Regex,
    bracketed: Regex,
    office: Regex,
    office_head: Regex,
    office_deputy: Regex,
    head: Regex,
    members: Regex,
    leader_of: Regex,
    duty_label: Regex,
    also: Regex,
}

/// What seats are called. The longer ones first.
const ROLES: &str = concat!(
    r"第一召集人|总召集人|副召集人|召集人|第一副组长|第一组长|常务副组长|执行副组长|执行组长|名誉组长|副组长单位|组长单位|副组长|组长|",
    r"第一副总指挥长?|常务副总指挥长?|执行副总指挥长?|第一总指挥|执行总指挥|副总指挥长?|总指挥长?|常务副指挥长|第一副指挥长|副指挥长|指挥长|",
    r"副政治委员|政治委员|副政委|政委|常务副主任委员|副主任委员|主任委员|常务副主任|第一副主任|第一主任|执行主任|副主任|主任|",
    r"副秘书长|秘书长|成员单位|组成单位|参加单位|配合单位|牵头单位|牵头部门|组员|成员|委员|顾问|联络员|联系人"
);

/// How a sentence begins that says what somebody sits in charge of.
const HEADS: &str = "第一召集人|副召集人|召集人|常务副组长|副组长|组长|第一副总指挥|常务副总指挥|副总指挥长?|总指挥长?|常务副指挥长|副指挥长|指挥长|联络员";

impl Seats {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        Ok(Seats {
            label: Regex::new(&format!(r"^(办公室)?({ROLES}):(.*)$"))?,
            bare_label: Regex::new(&format!(r"^(?:{ROLES})$"))?,
            inner_label: Regex::new(&format!(r"[。;] ?(?:{ROLES}|(?:主要|工作|具体)?职责):"))?,
            bracketed: Regex::new(r"^(\p{Han}{2,4})\(([^()]{2,40}(?:\([^()]{1,20}\)[^()]{0,20})?)\)")?,
            office: Regex::new(r"办公室(?:设立在|设在|设于|挂靠在?|在)([^,。;(]{2,30})")?,
            office_head: Regex::new(r"(?:办公室|[,;。])主任由([^。;]+?)(?:兼任|担任)")?,
            office_deputy: Regex::new(r"副主任由([^。;]+?)(?:兼任|担任)")?,
            head: Regex::new(&format!(
                r"(?:^|[,;。]|指挥部|领导小组|联席会议|专班|委员会)({HEADS})由([^。;]+?)(?:兼任|担任)"
            ))?,
            members: Regex::new(
                r"(?:^|[,;。])(成员单位|成员)(?:由([^。;]+?)(?:组成|担任)|(?:包括|有):?([^。;]+))",
            )?,
            leader_of: Regex::new(r"(\p{Han}{2,12}?组)组长由([^。;]+?)(?:兼任|担任)")?,
            also: Regex::new(r"(?:^|[,;。])([^,;。由]{2,20}?)(?:同志)?(?:兼任|担任)办公室(主任|副主任)")?,
            duty_label: Regex::new(r"^\p{Han}{0,8}?(?:主要|工作|具体)?职责(?:是|为)?:")?,
        })
    }

    /// Whether a line begins with a label.
    pub(crate) fn is_label(&self, line: &str) -> bool {
        self.label.is_match(&squeeze(line))
    }

    /// Whether lines say who sits: by a label, or in a sentence.
    pub(crate) fn say_who(&self, lines: &[Line]) -> bool {
        lines.iter().any(|line| self.is_label(&unnumbered(line).text)) || self.head.is_match(&join(lines))
    }

    /// `组 长 王 渊 市长` as it would be with a colon.
    fn with_colon(&self, line: Line) -> Line {
        let gaps = line.text.match_indices(' ').take(4);
        let found = gaps
            .map(|(at, _)| line.text.split_at(at))
            .find(|(label, rest)| self.bare_label.is_match(&squeeze(label)) && person(rest).is_some());
        match found {
            Some((label, rest)) => {
                Line { number: line.number, text: format!("{label}:{}", rest.trim_start()) }
            }
            None => line,
        }
    }

    /// Seats by label, then what is said in sentences.
    pub(crate) fn read_lines(&self, lines: &[Line], body: &str, found: &mut Found) {
        let mut prose: Vec<Line> = Vec::new();
        let mut open: Option<Open> = None;
        let lines: Vec<Line> =
            lines.iter().flat_map(|line| self.at_labels(line)).map(|line| self.with_colon(line)).collect();
        // 主任 are of the group itself where it has no other head, as a committee has.
        let mut is_office = body == OFFICE;
        let first = lines
            .iter()
            .find_map(|line| self.label.captures(&squeeze(&line.text)).map(|one| one[2].to_owned()));
        let is_committee =
            body.is_empty() && first.is_some_and(|first| first.contains("主任")) && !found.has_head();
        for line in &lines {
            let squeezed = squeeze(&line.text);
            if let Some(label) = self.label.captures(&squeezed) {
                self.close(open.take(), &mut found.seats);
                // The gap between a name and a post tells them apart: the unsqueezed rest.
                let rest = line.text.split_once(':').map_or("", |(_, rest)| rest.trim_start());
                let of_office = label.get(1).is_some()
                    || (label[2].contains("主任")
                        && !label[2].contains("委员")
                        && (is_office || !is_committee));
                let body = if body.is_empty() && of_office { OFFICE } else { body };
                open = Some(Open::new(&label[2], body, line.number, rest));
                continue;
            }
            match &mut open {
                Some(seats) if seats.goes_on(&squeezed) => seats.add(line),
                Some(_) | None => {
                    self.close(open.take(), &mut found.seats);
                    is_office |= squeezed.contains(OFFICE);
                    prose.push(line.clone());
                }
            }
        }
        self.close(open, &mut found.seats);
        let mut from = 0;
        for (at, line) in prose.iter().enumerate() {
            if line.text.ends_with('。') || at + 1 == prose.len() {
                self.read_prose(&prose[from..=at], body, found);
                from = at + 1;
            }
        }
    }

    /// A line in which labels stand after one another: 组长:甲。成员:乙、丙.
    fn at_labels(&self, line: &Line) -> Vec<Line> {
        // (1)总指挥:…
        let plain = unnumbered(line);
        let line = if self.is_label(&plain.text) { &plain } else { line };
        let starts = self
            .inner_label
            .find_iter(&line.text)
            .map(|found| found.start() + found.as_str().find(['。', ';']).map_or(0, |_| 1));
        let mut parts = Vec::new();
        let mut from = 0;
        for start in starts {
            let start = (start..line.text.len())
                .find(|at| line.text.is_char_boundary(*at))
                .unwrap_or(line.text.len());
            parts.push(&line.text[from..start]);
            from = start;
        }
        parts.push(&line.text[from..]);
        let part = |text: &str| Line { number: line.number, text: text.trim().to_owned() };
        parts.into_iter().filter(|text| !text.trim().is_empty()).map(part).collect()
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
        if let Some(office) =
            self.office.captures(&text).filter(|office| names::ends_like_a_unit(office[1].trim()))
        {
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
        for also in self.also.captures_iter(&text) {
            found
                .seats
                .extend(named_or_by_post(&also[1]).into_iter().map(|holder| seat(&also[2], OFFICE, holder)));
        }
        for head in self.head.captures_iter(&text) {
            found
                .seats
                .extend(named_or_by_post(&head[2]).into_iter().map(|holder| seat(&head[1], body, holder)));
        }
        for members in self.members.captures_iter(&text) {
            let list = members.get(2).or_else(|| members.get(3)).map_or("", |list| list.as_str());
            let holders = holders(list, &members[1] == "成员单位");
            found.seats.extend(holders.into_iter().map(|holder| seat(&members[1], body, holder)));
        }
        for leader in self.leader_of.captures_iter(&text) {
            let of = leader[1].rsplit(['。', ';', ',']).next().unwrap_or_default().to_owned();
            found
                .seats
                .extend(named_or_by_post(&leader[2]).into_iter().map(|holder| seat("组长", &of, holder)));
        }
        let duties = self.duty_label.replace(&text, "");
        let is_labelled = duties.len() < text.len();
        for sentence in duties.split(['。', ';']) {
            let duty = sentence.trim();
            // 由甲牵头,乙、丙参加: units that make up a part of a group.
            let clause = (!body.is_empty() && body != OFFICE && duty.starts_with('由'))
                .then(|| Clause::of(duty))
                .flatten();
            if let Some(clause) = clause {
                let units = |role: &'static str, list: Vec<String>| {
                    list.into_iter().map(move |name| (role, Holder::Unit { unit: Party::named(name) }))
                };
                let all = units("牵头单位", clause.lead).chain(units("成员单位", clause.cooperating));
                found.seats.extend(all.map(|(role, holder)| seat(role, body, holder)));
            } else if (is_labelled && !duty.is_empty())
                || duty.starts_with("负责")
                || duty.starts_with("承担")
            {
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

    fn close(&self, open: Option<Open>, seats: &mut Vec<Seat>) {
        let Some(open) = open else { return };
        let seat = |line, holder| Seat { role: open.role.clone(), body: open.body.clone(), holder, line };
        if !open.lines.iter().any(|(_, text)| person(text).is_some()) {
            let units_sit = open.role.ends_with("单位") || open.role.ends_with("部门");
            let holders = self.with_titles(&open.as_list(), units_sit);
            seats.extend(holders.into_iter().map(|holder| seat(open.line, holder)));
            return;
        }
        let mut people: Vec<(u32, Holder)> = Vec::new();
        for (line, text) in &open.lines {
            let squeezed = squeeze(text);
            match (person(text), people.last_mut()) {
                (Some((name, title)), _) => people.push((*line, Holder::Person { name, title })),
                (None, Some((_, Holder::Person { title, .. }))) => {
                    // A post that was broken off, unless both are whole.
                    if ends_like_a_post(title)
                        && ends_like_a_post(&squeezed)
                        && squeezed.starts_with(['各', '市', '县', '区'])
                    {
                        people.extend(holders(&squeezed, false).into_iter().map(|holder| (*line, holder)));
                    } else {
                        title.push_str(&squeezed);
                    }
                }
                (None, Some(_) | None) => {
                    people.extend(holders(&squeezed, false).into_iter().map(|holder| (*line, holder)));
                }
            }
        }
        seats.extend(people.into_iter().map(|(line, holder)| seat(line, holder)));
    }

    /// `王渊(常务副市长)、樊宇(市交通运输局局长)`, with posts and units among them.
    fn with_titles(&self, list: &str, units_sit: bool) -> Vec<Holder> {
        let mut all = Vec::new();
        let mut others: Vec<&str> = Vec::new();
        for piece in names::outside_brackets(list.trim_end_matches('。'), &['、', ',', ';']) {
            match self
                .bracketed
                .captures(piece)
                .filter(|found| is_person(&found[1]) && found[0].len() == piece.len())
            {
                Some(found) => {
                    all.extend(holders(&others.join("、"), units_sit));
                    others.clear();
                    all.push(Holder::Person { name: found[1].to_owned(), title: found[2].to_owned() });
                }
                None => others.push(piece),
            }
        }
        if all.is_empty() {
            return holders(list, units_sit);
        }
        all.extend(holders(&others.join("、"), units_sit));
        all
    }
}

/// A line without the number at its head.
fn unnumbered(line: &Line) -> Line {
    let text = marker(&line.text).map_or(line.text.as_str(), |found| found.rest);
    Line { number: line.number, text: text.to_owned() }
}

/// Holders that follow one label.
struct Open {
    role: String,
    body: String,
    line: u32,
    /// Lines as they are, with the number of each.
    lines: Vec<(u32, String)>,
}

impl Open {
    fn new(role: &str, body: &str, line: u32, rest: &str) -> Self {
        Open { role: role.to_owned(), body: body.to_owned(), line, lines: vec![(line, rest.to_owned())] }
    }

    /// Whether a line still belongs to the list: a list by name ends where a sentence
    /// begins, one in a sentence where that ends; both where another label stands.
    fn goes_on(&self, squeezed: &str) -> bool {
        let so_far = self.lines.last().map_or("", |(_, text)| text.as_str());
        let in_sentence =
            self.lines.first().is_some_and(|(_, text)| person(text).is_none() && !text.is_empty());
        if squeezed.contains(':') {
            return false;
        }
        if in_sentence {
            let is_open = so_far.ends_with(['、', ',', '和', '及']);
            let is_prose = ["下设", "设在", "分别是", "主任由"].iter().any(|word| squeezed.contains(word))
                || ["负责", "承担", "主要职责", "工作职责"]
                    .iter()
                    .any(|word| squeezed.starts_with(word) && !squeezed.starts_with("负责人"));
            return !so_far.ends_with('。') && (is_open || !is_prose);
        }
        let is_prose =
            ["下设", "设在", "职责", "负责", "承担", "分别是"].iter().any(|word| squeezed.contains(word));
        let is_post = ends_like_a_post(squeezed);
        (!is_prose || is_post) && !squeezed.contains(['。', ';'])
    }

    fn add(&mut self, line: &Line) {
        self.lines.push((line.number, line.text.clone()));
    }

    /// The lines as one list: where a line ends with a whole post, or with the bracket of one, the next
    /// begins another.
    fn as_list(&self) -> String {
        let mut list = String::new();
        for (_, text) in &self.lines {
            let text = squeeze(text);
            let is_whole = ends_like_a_post(&list)
                || list.ends_with("长)")
                || list.ends_with("员)")
                || list.ends_with("主任)");
            if is_whole && !text.starts_with(['、', ',', ';', '。', '和', '及', '以', '兼', '担']) {
                list.push('、');
            }
            list.push_str(&text);
        }
        list
    }
}

/// `王 渊 市委常委、常务副市长`: a name set apart by a gap, and a post; or the other way round.
fn person(text: &str) -> Option<(String, String)> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let mut name = words.next()?.to_owned();
    if name.chars().count() == 1 {
        name.push_str(words.next()?);
    }
    let title = squeeze(&words.collect::<Vec<_>>().join(" "));
    let is_name = |name: &str| {
        is_person(name) && name.chars().all(|one| !"、,。:;".contains(one)) && !ends_like_a_post(name)
    };
    // 市甲局局长 王渊
    let (name, title) = match (ends_like_a_post(&name) || names::ends_like_a_unit(&name)) && is_name(&title) {
        true if title.chars().count() <= 3
            && (name.chars().count() >= 4 || name.starts_with(['市', '县', '区', '省'])) =>
        {
            (title, name)
        }
        _ => (name, title),
    };
    (is_name(&name) && !title.is_empty()).then_some((name, title))
}

/// `梁明军`, `市甲局局长梁明军`, or posts.
fn named_or_by_post(list: &str) -> Vec<Holder> {
    let list = list.trim();
    // 梁明军同志, but 市甲局负责同志.
    let name = list.strip_suffix("同志").filter(|name| !name.ends_with("负责")).unwrap_or(list);
    let looks_like_a_post = ["市", "局", "长", "任", "人"].iter().any(|ending| name.ends_with(ending));
    if is_person(name) && !looks_like_a_post {
        return vec![Holder::Person { name: name.to_owned(), title: String::new() }];
    }
    match person_before_name(name) {
        Some((title, name)) => vec![Holder::Person { name, title }],
        None => holders(list, false),
    }
}
