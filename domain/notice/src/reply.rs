//! Replies (批复): what somebody is to do later.

use regex::Regex;

use crate::items::{Context, title, unresolved};
use crate::names;
use crate::notice::{Item, Party, Unresolved, Window};
use crate::ordinal::Level;
use crate::outline::Outline;

/// Finds who is to do something.
#[derive(Debug)]
pub(crate) struct Subjects {
    by: Regex,
    must: Regex,
}

impl Subjects {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        Ok(Subjects {
            by: Regex::new(r"由([^,。;由]{2,30}?)(?:牵头|负责|会同|组织|督促)")?,
            must: Regex::new(r"(?:^|[。;,])([^,。;]{2,20}?)(?:要|应当|应|须|需要)")?,
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
        for block in outline.blocks.iter().filter(|block| block.level == Some(Level::Chapter)) {
            let text = block.text();
            let Some(subject) = self.subject(&text) else { continue };
            let lead = match (subject.starts_with('你'), addressees.first()) {
                (true, Some(addressee)) => vec![addressee.clone()],
                (true, None) => {
                    problems.push(unresolved(block.line(), subject.clone(), "不知所指，原文没有主送单位"));
                    continue;
                }
                (false, _) => names::split(&subject),
            };
            let window = context.dates.window(&text).map(|(event, earliest_months, latest_months)| Window {
                event,
                earliest_months,
                latest_months,
            });
            items.push(Item {
                no: None,
                label: block.label.clone(),
                title: title(&text),
                text,
                line: block.line(),
                lead: lead.into_iter().map(Party::named).collect(),
                cooperating: Vec::new(),
                responsible: Vec::new(),
                due: None,
                milestones: Vec::new(),
                window,
                tags: Vec::new(),
            });
        }
        items
    }

    fn subject(&self, text: &str) -> Option<String> {
        if let Some(found) = self.by.captures(text) {
            return Some(found[1].to_owned());
        }
        let found = self.must.captures_iter(text).map(|found| found[1].to_owned());
        found.into_iter().find(|subject| subject.starts_with('你') || names::ends_like_a_unit(subject))
    }
}
