//! Replies (批复): what somebody is to do later.

use regex::Regex;

use crate::items::{Context, milestones, title, unresolved};
use crate::names;
use crate::notice::{Item, Party, Unresolved};
use crate::ordinal::Level;
use crate::outline::Outline;

/// Finds who is to do something.
#[derive(Debug)]
pub(crate) struct Subjects {
    by: Regex,
    asked: Regex,
    must: Regex,
    with: Regex,
}

/// Who a sentence gives something to do, and with whom.
#[derive(Debug, Default, PartialEq, Eq)]
struct Subject {
    lead: Vec<String>,
    cooperating: Vec<String>,
}

impl Subjects {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        Ok(Subjects {
            by: Regex::new(
                r"由([^,。;由]{2,40}?)(?:共同|联合|分别)?(?:牵头|负责|会同|组织|督促|向|按照?|对|进行|开展|会商|公布|公开|发布|承担|办理|验收|,)",
            )?,
            asked: Regex::new(
                r"请([^,。;请]{2,40}?)(?:共同|联合|分别)?(?:牵头|负责|会同|组织|督促|在|于|按照?|抓好|做好|认真|严格|抓紧|尽快|,)",
            )?,
            must: Regex::new(r"(?:^|[。;,])([^,。;]{2,40}?)(?:要|应当|应|须|需要|负责)")?,
            with: Regex::new(
                r"会同([^,。;]{2,60}?)(?:抓好|做好|负责|组织|加强|开展|落实|督促|对|按照?|进行|制定|研究|,|。|;|$)",
            )?,
        })
    }

    /// The paragraphs that give somebody something to do.
    pub(crate) fn read(
        &self,
        outline: &Outline,
        addressees: &[String],
        context: &Context<'_>,
        problems: &mut Vec<Unresolved>,
    ) -> Vec<Item> {
        let mut items = Vec::new();
        // Paragraphs that are numbered, or all of a reply that numbers none.
        let levels = [Some(Level::Chapter), Some(Level::Section), Some(Level::Item), None];
        let level = levels.into_iter().find(|level| outline.blocks.iter().any(|block| block.level == *level));
        for block in outline.blocks.iter().filter(|block| Some(block.level) == level) {
            let text = block.text();
            let subjects: Vec<Subject> =
                text.split(['。', ';']).filter_map(|part| self.subject(part)).collect();
            let Some(first) = subjects.first() else {
                if ["要", "应当", "须", "请"].iter().any(|word| text.contains(word)) {
                    problems.push(unresolved(block.line(), title(&text), "未写明由谁办理"));
                }
                continue;
            };
            if subjects.iter().any(|other| other.lead != first.lead && !other.lead.is_empty()) {
                problems.push(unresolved(block.line(), title(&text), "一段中有几个责任主体，需要人工核对"));
            }
            let (mut lead, mut cooperating) = (Vec::new(), Vec::new());
            for name in subjects.iter().flat_map(|subject| &subject.lead) {
                match (name.starts_with(['你', '贵']), addressees.first()) {
                    (true, Some(addressee)) => lead.push(addressee.clone()),
                    (true, None) => {
                        problems.push(unresolved(block.line(), name.clone(), "不知所指，原文没有主送单位"));
                    }
                    (false, _) => lead.push(name.clone()),
                }
            }
            cooperating.extend(subjects.iter().flat_map(|subject| subject.cooperating.iter().cloned()));
            lead.dedup();
            if lead.is_empty() {
                continue;
            }
            let window = context.windows.after_event(&text);
            let milestones = milestones(block.line(), &text, None, context, problems);
            items.push(Item {
                no: None,
                label: block.label.clone(),
                title: title(&text),
                line: block.line(),
                lead: lead.into_iter().map(Party::named).collect(),
                cooperating: cooperating.into_iter().map(Party::named).collect(),
                responsible: Vec::new(),
                due: if window.is_some() { None } else { milestones.iter().map(|one| one.date).max() },
                milestones,
                window,
                tags: Vec::new(),
                text,
            });
        }
        items
    }

    fn subject(&self, sentence: &str) -> Option<Subject> {
        let named = |pattern: &Regex| {
            // 省甲厅会同省乙厅负责
            let who = |found: &str| found.split("会同").next().map(names::split).unwrap_or_default();
            let found = pattern.captures_iter(sentence).map(|found| who(&found[1]));
            found.into_iter().find(|names| !names.is_empty() && names.iter().all(|name| is_subject(name)))
        };
        let lead = named(&self.by).or_else(|| named(&self.asked)).or_else(|| named(&self.must))?;
        let with = self.with.captures(sentence).map(|found| names::split(&found[1])).unwrap_or_default();
        Some(Subject { lead, cooperating: with })
    }
}

/// 你局, or what ends like a unit.
fn is_subject(name: &str) -> bool {
    (name.starts_with(['你', '贵']) && name.chars().count() <= 4) || names::ends_like_a_unit(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_do_something_is_found() {
        let subjects = Subjects::new().unwrap();
        for (sentence, lead, with) in [
            ("你市要做好《方案》的衔接", vec!["你市"], vec![]),
            ("事故结案后1年内,由你局牵头组织评估", vec!["你局"], vec![]),
            ("请你局牵头,会同市甲局、市乙局抓好整改", vec!["你局"], vec!["市甲局", "市乙局"]),
            ("请某县人民政府在结案后六个月内完成整改", vec!["某县人民政府"], vec![]),
            ("某县人民政府、市甲局要于12月底前报告", vec!["某县人民政府", "市甲局"], vec![]),
            ("自批复之日起30日内,由某县人民政府向社会公布", vec!["某县人民政府"], vec![]),
            ("市甲局、市乙局和市丙局应当加强检查", vec!["市甲局", "市乙局", "市丙局"], vec![]),
            ("由市甲局会同市乙局组织验收", vec!["市甲局"], vec!["市乙局"]),
            ("省甲厅会同省乙厅负责指导", vec!["省甲厅"], vec!["省乙厅"]),
        ] {
            let found = subjects.subject(sentence).unwrap();
            assert_eq!((found.lead, found.cooperating), (owned(&lead), owned(&with)), "{sentence}");
        }
        for sentence in ["原则同意实施该工程", "坚持土地要素跟着项目走,要严格规划", "批复后未开工的自动失效"]
        {
            assert_eq!(subjects.subject(sentence), None, "{sentence}");
        }
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }
}
