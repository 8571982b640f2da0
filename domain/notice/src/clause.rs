//! Responsibility clauses: (牵头单位:甲;配合单位:乙、丙), (甲牵头,乙、丙按职责分工负责).

use crate::names;

/// Who a clause says does what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) lead: Vec<String>,
    pub(crate) cooperating: Vec<String>,
    pub(crate) responsible: Vec<String>,
    /// The person named (责任人).
    pub(crate) person: Option<String>,
    /// By when (完成时限), as printed.
    pub(crate) time: Option<String>,
    /// The units lead together with those of the heading (与…分别牵头负责).
    pub(crate) joins: bool,
    /// It holds for all later items as well (以下均需…落实,不再列出).
    pub(crate) onward: bool,
    /// Units and nothing of what they do: (市甲局、市乙局).
    pub(crate) bare: bool,
}

/// What a label says of what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Lead,
    Cooperating,
    Responsible,
    /// What follows is a sentence: 责任分工:甲牵头,乙配合.
    Sentence,
    Person,
    Time,
}

/// What stands before a colon. The longer ones first.
pub(crate) const LABELS: [(&str, Role); 43] = [
    ("牵头责任单位", Role::Lead),
    ("牵头单位", Role::Lead),
    ("牵头部门", Role::Lead),
    ("主办单位", Role::Lead),
    ("主责单位", Role::Lead),
    ("主责部门", Role::Lead),
    ("配合单位", Role::Cooperating),
    ("配合部门", Role::Cooperating),
    ("协办单位", Role::Cooperating),
    ("协同单位", Role::Cooperating),
    ("参与单位", Role::Cooperating),
    ("参加单位", Role::Cooperating),
    ("支持单位", Role::Cooperating),
    ("责任单位", Role::Responsible),
    ("责任部门", Role::Responsible),
    ("责任主体", Role::Responsible),
    ("落实单位", Role::Responsible),
    ("落实部门", Role::Responsible),
    ("实施单位", Role::Responsible),
    ("承办单位", Role::Responsible),
    ("组织实施单位", Role::Responsible),
    ("责任分工", Role::Sentence),
    ("任务分工", Role::Sentence),
    ("职责分工", Role::Sentence),
    ("责任领导", Role::Person),
    ("牵头市级领导", Role::Person),
    ("牵头市领导", Role::Person),
    ("牵头领导", Role::Person),
    ("分管领导", Role::Person),
    ("包联领导", Role::Person),
    ("责任人", Role::Person),
    ("完成时限", Role::Time),
    ("完成时间", Role::Time),
    ("完成期限", Role::Time),
    ("办理时限", Role::Time),
    ("时限要求", Role::Time),
    ("时间要求", Role::Time),
    ("时间节点", Role::Time),
    ("时间进度", Role::Time),
    ("时间安排", Role::Time),
    ("时限", Role::Time),
    ("牵头", Role::Lead),
    ("配合", Role::Cooperating),
];

/// What comes after names. The longer ones first; `负责` leads unless somebody leads already.
const VERBS: [(&str, Verb); 33] = [
    ("负责组织实施", Verb::Answers),
    ("负责具体实施", Verb::Answers),
    ("负责牵头落实", Verb::Leads),
    ("牵头组织实施", Verb::Leads),
    ("牵头组织落实", Verb::Leads),
    ("牵头负责落实", Verb::Leads),
    ("牵头抓总", Verb::Leads),
    ("牵头负责", Verb::Leads),
    ("牵头组织", Verb::Leads),
    ("牵头落实", Verb::Leads),
    ("牵头实施", Verb::Leads),
    ("负责牵头", Verb::Leads),
    ("牵头", Verb::Leads),
    ("负总责", Verb::Leads),
    ("主办", Verb::Leads),
    ("协办", Verb::Cooperates),
    ("密切配合", Verb::Cooperates),
    ("配合落实", Verb::Cooperates),
    ("配合", Verb::Cooperates),
    ("参与", Verb::Cooperates),
    ("参加", Verb::Cooperates),
    ("协助", Verb::Cooperates),
    ("协同", Verb::Cooperates),
    ("负责落实", Verb::Answers),
    ("负责实施", Verb::Answers),
    ("组织落实", Verb::Answers),
    ("抓好落实", Verb::Answers),
    ("贯彻落实", Verb::Answers),
    ("推进落实", Verb::Answers),
    ("组织实施", Verb::Answers),
    ("落实", Verb::Answers),
    ("实施", Verb::Answers),
    ("负责", Verb::IsInCharge),
];

/// Words between the names and the verb.
const MANNERS: [&str; 17] = [
    "按照各自职责分工",
    "按各自职责分工",
    "按照职责分工",
    "按职责分工",
    "按照各自职责",
    "按各自职责",
    "按照职责",
    "按照分工",
    "按职责",
    "按分工",
    "分工",
    "分别",
    "共同",
    "联合",
    "密切",
    "具体",
    "积极",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Leads,
    Cooperates,
    Answers,
    IsInCharge,
}

impl Clause {
    /// The clause that a text is, or nothing. The text is squeezed and without its brackets.
    pub(crate) fn of(text: &str) -> Option<Clause> {
        let mut clause = Clause::default();
        let text = text.trim_end_matches('。');
        for sentence in names::outside_brackets(text, &[';', '。']) {
            clause.read_sentence(sentence)?;
        }
        let named = clause.lead.len() + clause.cooperating.len() + clause.responsible.len();
        (named > 0).then_some(clause)
    }

    /// Units in brackets, and no word of what they do.
    pub(crate) fn bare(inner: &str) -> Option<Clause> {
        let responsible = names::split(inner);
        let is_unit = |name: &String| {
            let of_city = ["市", "县", "区", "省", "各县", "各有关县", "各相关县"];
            let is_class = name.starts_with("各") && (name.ends_with(')') || name.ends_with("政府"));
            (names::ends_like_a_unit(name) || is_class) && of_city.iter().any(|start| name.starts_with(start))
        };
        let all = !responsible.is_empty() && responsible.iter().all(is_unit);
        all.then(|| Clause { responsible, bare: true, ..Clause::default() })
    }

    /// Adds what another part of the same item says.
    pub(crate) fn and(mut self, other: Clause) -> Clause {
        self.lead.extend(other.lead);
        self.cooperating.extend(other.cooperating);
        self.responsible.extend(other.responsible);
        self.person = self.person.or(other.person);
        self.time = self.time.or(other.time);
        self.joins |= other.joins;
        self.bare |= other.bare;
        self.onward |= other.onward;
        self
    }

    /// Whether all that are named are called like units.
    pub(crate) fn names_units(&self) -> bool {
        let mut all = self.lead.iter().chain(&self.cooperating).chain(&self.responsible);
        all.all(|name| names::ends_like_a_unit(name) || name.starts_with("各县"))
    }

    fn read_sentence(&mut self, sentence: &str) -> Option<()> {
        let mut labelled = labels(sentence).peekable();
        if labelled.peek().is_none() {
            return self.read_verbs(sentence);
        }
        for (role, list) in labelled {
            let list = list.trim_matches([',', '、', '。']);
            match role {
                Role::Person => self.person = Some(list.to_owned()),
                Role::Time => self.time = Some(list.to_owned()),
                Role::Sentence => self.read_verbs(list)?,
                // 责任单位:甲牵头,乙配合.
                Role::Responsible if list.contains("牵头") => self.read_verbs(list)?,
                Role::Lead | Role::Cooperating | Role::Responsible => {
                    // 责任单位:甲、乙按职责分工落实.
                    self.give(role, split_verb(list).map_or(list, |(list, _)| list))?;
                }
            }
        }
        Some(())
    }

    fn read_verbs(&mut self, sentence: &str) -> Option<()> {
        let mut names = String::new();
        for part in names::outside_brackets(sentence, &[',']) {
            let part = part.trim();
            if part.starts_with("不再") || part == "下同" {
                continue;
            }
            if names.is_empty() && part.starts_with(|first: char| first.is_ascii_digit()) {
                self.time = Some(part.to_owned());
                continue;
            }
            let part = self.without_opening(part);
            let Some((list, verb)) = split_verb(part) else {
                if !names.is_empty() {
                    names.push('、');
                }
                names.push_str(part);
                continue;
            };
            if !names.is_empty() && !list.is_empty() {
                names.push('、');
            }
            names.push_str(list);
            let role = match verb {
                Verb::Leads => Role::Lead,
                Verb::Cooperates => Role::Cooperating,
                Verb::Answers => Role::Responsible,
                Verb::IsInCharge if self.lead.is_empty() => Role::Lead,
                Verb::IsInCharge => Role::Cooperating,
            };
            let list = std::mem::take(&mut names);
            match list.split_once("会同") {
                // 甲会同乙负责; 甲牵头,会同乙落实.
                Some((first, with)) => {
                    if !first.is_empty() {
                        self.give(role, first.trim_end_matches('、'))?;
                    }
                    self.give(Role::Cooperating, with)?;
                }
                None => self.give(role, &list)?,
            }
        }
        names.is_empty().then_some(())
    }

    /// Takes off what only introduces a part, and notes what it means.
    fn without_opening<'a>(&mut self, part: &'a str) -> &'a str {
        let mut part = part;
        if let Some(rest) = part.strip_prefix("以下") {
            self.onward = true;
            part = ["各项任务", "任务", "各项", "内容", "均", "都", "需", "须", "要", "由"]
                .iter()
                .fold(rest, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
        }
        if let Some(rest) = part.strip_prefix('与') {
            self.joins = true;
            part = rest;
        }
        part.strip_prefix('由').unwrap_or(part)
    }

    fn give(&mut self, role: Role, list: &str) -> Option<()> {
        let names = names::split(list);
        // A sentence that merely ends in 负责 or 落实 names nobody.
        if names.is_empty() || !names.iter().all(|name| is_name(name)) {
            return None;
        }
        match role {
            Role::Lead => self.lead.extend(names),
            Role::Cooperating => self.cooperating.extend(names),
            Role::Responsible => self.responsible.extend(names),
            Role::Sentence | Role::Person | Role::Time => {}
        }
        Some(())
    }
}

/// Splits what labels introduce: `责任单位:甲,责任人:乙`.
fn labels(sentence: &str) -> impl Iterator<Item = (Role, &str)> {
    let mut starts: Vec<(usize, usize, Role)> = Vec::new();
    for (at, _) in sentence.match_indices(':') {
        let before = &sentence[..at];
        if let Some((label, role)) = LABELS.iter().find(|(label, _)| before.ends_with(label)) {
            starts.push((at - label.len(), at + 1, *role));
        }
    }
    let ends: Vec<usize> = starts.iter().skip(1).map(|(start, ..)| *start).chain([sentence.len()]).collect();
    starts
        .into_iter()
        .zip(ends)
        .map(|((_, from, role), to)| (role, sentence.get(from..to).unwrap_or_default()))
}

/// The names before a verb, and the verb.
fn split_verb(part: &str) -> Option<(&str, Verb)> {
    let (list, verb) = VERBS.iter().find_map(|(word, verb)| Some((part.strip_suffix(word)?, *verb)))?;
    let mut list = list;
    while let Some(shorter) = MANNERS.iter().find_map(|manner| list.strip_suffix(manner)) {
        list = shorter;
    }
    Some((list, verb))
}

/// Not too long for a name, and no sentence.
fn is_name(name: &str) -> bool {
    (2..=40).contains(&name.chars().count()) && !name.contains(['。', '"', '“', '%', ':', '《', '】', ']'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(lead: &[&str], cooperating: &[&str], responsible: &[&str]) -> Clause {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Clause {
            lead: owned(lead),
            cooperating: owned(cooperating),
            responsible: owned(responsible),
            ..Clause::default()
        }
    }

    #[test]
    fn clauses_map_as_the_field_reads_them() {
        for (text, expected) in [
            (
                "牵头单位:市甲局;配合单位:市乙局、市丙局;责任单位:各县市区人民政府,临汾经济开发区管委会",
                clause(&["市甲局"], &["市乙局", "市丙局"], &["各县市区人民政府", "临汾经济开发区管委会"]),
            ),
            ("市甲局、市乙局等按职责分工负责", clause(&["市甲局", "市乙局"], &[], &[])),
            ("市甲局负责", clause(&["市甲局"], &[], &[])),
            ("市甲局牵头,市乙局、市丙局按职责分工负责", clause(&["市甲局"], &["市乙局", "市丙局"], &[])),
            ("市甲局牵头,市乙局、市丙局配合", clause(&["市甲局"], &["市乙局", "市丙局"], &[])),
            ("由市甲局牵头负责,各县市区人民政府落实", clause(&["市甲局"], &[], &["各县市区人民政府"])),
            ("市甲局、市乙局分别牵头;市丙局参与", clause(&["市甲局", "市乙局"], &["市丙局"], &[])),
            ("各县市区人民政府负责落实", clause(&[], &[], &["各县市区人民政府"])),
            ("由市甲局会同市乙局、市丙局负责", clause(&["市甲局"], &["市乙局", "市丙局"], &[])),
            ("市甲局牵头,会同市乙局等部门落实", clause(&["市甲局"], &["市乙局"], &[])),
            (
                "市甲局负总责,各县(市、区)人民政府具体落实",
                clause(&["市甲局"], &[], &["各县(市、区)人民政府"]),
            ),
            ("市甲局主办,市乙局、市丙局协办", clause(&["市甲局"], &["市乙局", "市丙局"], &[])),
            ("责任单位:市甲局牵头,市乙局配合", clause(&["市甲局"], &["市乙局"], &[])),
            (
                "责任分工:市甲局牵头,市乙局配合,有关县(市、区)人民政府具体负责实施",
                clause(&["市甲局"], &["市乙局"], &["有关县(市、区)人民政府"]),
            ),
            (
                "市甲局、市乙局等部门和各县人民政府按职责分工负责",
                clause(&["市甲局", "市乙局", "各县人民政府"], &[], &[]),
            ),
            (
                "市甲局牵头负责;市乙局配合;各县人民政府组织实施",
                clause(&["市甲局"], &["市乙局"], &["各县人民政府"]),
            ),
        ] {
            assert_eq!(Clause::of(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn special_forms_are_noted() {
        let joined = Clause::of("与市工信局、团市委分别牵头负责").unwrap();
        assert_eq!((joined.joins, joined.lead), (true, vec!["市工信局".to_owned(), "团市委".to_owned()]));
        let onward = Clause::of("以下均需各县市区人民政府落实,不再列出").unwrap();
        assert_eq!((onward.onward, onward.responsible), (true, vec!["各县市区人民政府".to_owned()]));
        let person = Clause::of("责任单位:市甲局,责任人:某某").unwrap();
        assert_eq!((person.responsible, person.person.as_deref()), (vec!["市甲局".to_owned()], Some("某某")));
    }

    #[test]
    fn a_time_and_a_leader_are_taken_from_the_clause() {
        for (text, time, person) in [
            ("责任领导:赵甲责任单位:市甲局完成时限:持续推进", Some("持续推进"), Some("赵甲")),
            ("责任单位:市甲局配合单位:市乙局完成时限:2023年9月底前", Some("2023年9月底前"), None),
            ("市甲局牵头,市乙局配合,2023年8月底前完成", Some("2023年8月底前完成"), None),
            ("责任领导:赵甲;牵头单位:市甲局", None, Some("赵甲")),
        ] {
            let found = Clause::of(text).unwrap();
            assert_eq!((found.time.as_deref(), found.person.as_deref()), (time, person), "{text}");
            assert_eq!(found.lead.len() + found.responsible.len(), 1, "{text}");
        }
    }

    #[test]
    fn what_is_no_clause_is_left_in_the_text() {
        for text in [
            "含传染病医院",
            "省政府12件民生实事之一",
            "二期",
            "霍州-襄汾",
            "以下简称《方案》",
            "落实",
            "负责",
        ] {
            assert_eq!(Clause::of(text), None, "{text}");
        }
    }
}
