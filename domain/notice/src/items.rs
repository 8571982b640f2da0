//! Items: what a list or a plan says is to be done, and by whom.

use std::collections::BTreeMap;

use time::Date;

use crate::clause::{Clause, split_off, split_tags};
use crate::dates::{Dates, last_of};
use crate::names;
use crate::notice::{Item, Leader, Milestone, Party, Unresolved, Window};
use crate::ordinal::Level;
use crate::outline::Outline;
use crate::table::Table;

/// A heading that hands its clause down is at most so long.
const LONGEST_HEADING: usize = 60;
/// A title is at most so long where its first sentence can be cut at a comma.
const LONGEST_TITLE: usize = 50;

/// What the items of a text are read with.
pub(crate) struct Context<'a> {
    pub(crate) dates: &'a Dates,
    pub(crate) issue_date: Option<Date>,
    /// The year the plan is for.
    pub(crate) year: Option<u32>,
}

/// What was found in a list or a plan.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) items: Vec<Item>,
    pub(crate) leaders: Vec<Leader>,
    pub(crate) unresolved: Vec<Unresolved>,
    /// Items stand under headings that name who leads them (…牵头负责的工作).
    pub(crate) is_listed: bool,
}

/// A block while its item is put together.
#[derive(Debug, Default, Clone)]
struct Draft {
    text: String,
    clause: Option<Clause>,
    /// Who leads what stands under this heading.
    heading: Option<Vec<String>>,
    /// It is part of the item above it.
    absorbed: bool,
}

/// Reads the items of an outline; `table` says who does what where the items do not.
pub(crate) fn read(outline: &Outline, table: Option<&Table>, context: &Context<'_>) -> Found {
    let mut found = Found::default();
    let mut drafts: Vec<Draft> = outline.blocks.iter().map(|block| draft(&block.text())).collect();
    for (at, block) in outline.blocks.iter().enumerate() {
        if let Some(leader) = leader(block.level, &block.text(), block.line()) {
            found.leaders.push(leader);
            drafts[at].heading = None;
        }
    }
    found.is_listed = drafts.iter().any(|draft| draft.heading.is_some());
    absorb(outline, &mut drafts);

    let mut onward: Vec<String> = Vec::new();
    for (at, block) in outline.blocks.iter().enumerate() {
        let draft = &drafts[at];
        if block.level.is_none() || draft.absorbed || draft.heading.is_some() {
            continue;
        }
        let no = (block.level != Some(Level::Section) && block.level != Some(Level::Chapter))
            .then_some(block.ordinal);
        let rows = table.zip(no).and_then(|(table, no)| table.row(no));
        let inherited = inherited(outline, &drafts, at);
        let has_items_below = outline.children(at).iter().any(|child| !drafts[*child].absorbed);
        let is_item = draft.clause.is_some() || (!has_items_below && (inherited.is_some() || rows.is_some()));
        if !is_item || (has_items_below && draft.text.chars().count() <= LONGEST_HEADING) {
            continue;
        }
        if let Some((from, to)) = block.gap {
            let text = if from == to { format!("第{from}项") } else { format!("第{from}至{to}项") };
            found.unresolved.push(unresolved(block.line(), text, "编号不连续，原文可能缺漏"));
        }
        let mut item = item(block.line(), draft, no, block.label.clone(), context, &mut found.unresolved);
        let clause = rows.or(draft.clause.as_ref());
        give(&mut item, clause, inherited, &mut onward);
        if item.lead.is_empty() && item.cooperating.is_empty() && item.responsible.is_empty() {
            found.unresolved.push(unresolved(item.line, item.title.clone(), "未写明责任单位"));
        }
        found.items.push(item);
    }
    tell_apart(outline, &mut found.items);
    found
}

fn draft(text: &str) -> Draft {
    if let Some(lead) = led_by(text) {
        return Draft { text: text.to_owned(), heading: Some(lead), ..Draft::default() };
    }
    let (text, clause) = split_off(text);
    Draft { text, clause, ..Draft::default() }
}

/// `市住房和城乡建设局、尧都区人民政府牵头负责的工作。`
fn led_by(text: &str) -> Option<Vec<String>> {
    let heading = text.split('。').next()?;
    let list = ["牵头负责的工作", "牵头的工作", "牵头落实的工作", "牵头负责的任务", "牵头任务"]
        .iter()
        .find_map(|ending| heading.strip_suffix(ending))?;
    let lead = names::split(list);
    (!lead.is_empty()).then_some(lead)
}

/// `王渊常务副市长负责的工作`, and the fields that follow.
fn leader(level: Option<Level>, text: &str, line: u32) -> Option<Leader> {
    if level != Some(Level::Chapter) {
        return None;
    }
    let (who, rest) = text.split_once("负责的工作")?;
    let (name, post) = person_and_post(who)?;
    let fields = rest.trim_start_matches('。').split('。').next().unwrap_or_default();
    let fields = ["主要抓好", "主要负责", "负责"]
        .iter()
        .find_map(|opening| fields.strip_prefix(opening))
        .and_then(fields_of)
        .unwrap_or_default();
    Some(Leader { name, post, fields, line })
}

/// The posts that city leaders hold, the longer ones first.
pub(crate) const POSTS: [&str; 12] = [
    "常务副市长",
    "常务副县长",
    "常务副区长",
    "副秘书长",
    "秘书长",
    "副市长",
    "副县长",
    "副区长",
    "市长",
    "县长",
    "区长",
    "主任",
];

/// Splits `王渊常务副市长` into the name and the post.
pub(crate) fn person_and_post(text: &str) -> Option<(String, String)> {
    let (name, post) = POSTS.iter().find_map(|post| Some((text.strip_suffix(post)?, *post)))?;
    is_person(name).then(|| (name.to_owned(), post.to_owned()))
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

/// Where only the last of several blocks under one names who does it, or where a block that
/// names it has blocks under it, all of them are one item.
fn absorb(outline: &Outline, drafts: &mut [Draft]) {
    for at in (0..drafts.len()).rev() {
        let children = outline.children(at);
        if drafts[at].heading.is_some() || children.is_empty() {
            continue;
        }
        let has_clause = |child: &usize| drafts[*child].clause.is_some();
        let with_clause = children.iter().filter(|child| has_clause(child)).count();
        let last_only = with_clause == 1 && children.len() > 1 && children.last().is_some_and(has_clause);
        let own = drafts[at].clause.is_some()
            && with_clause == 0
            && drafts[at].text.chars().count() > LONGEST_HEADING;
        if (last_only && drafts[at].clause.is_none() && outline.blocks[at].level > Some(Level::Chapter))
            || own
        {
            for &child in children {
                let part = std::mem::take(&mut drafts[child].text);
                drafts[at].text.push_str(&part);
                drafts[child].absorbed = true;
                let clause = drafts[child].clause.take();
                drafts[at].clause = drafts[at].clause.take().or(clause);
            }
        }
    }
}

/// Who leads by the nearest heading above.
fn inherited<'a>(outline: &Outline, drafts: &'a [Draft], at: usize) -> Option<&'a Draft> {
    let mut next = outline.blocks[at].parent;
    while let Some(above) = next {
        let draft = &drafts[above];
        let hands_down = draft.heading.is_some()
            || (draft.clause.is_some() && draft.text.chars().count() <= LONGEST_HEADING);
        if hands_down {
            return Some(draft);
        }
        next = outline.blocks[above].parent;
    }
    None
}

fn item(
    line: u32,
    draft: &Draft,
    no: Option<u32>,
    label: String,
    context: &Context<'_>,
    problems: &mut Vec<Unresolved>,
) -> Item {
    let (text, tags) = split_tags(&draft.text);
    let window = context.dates.window(&text).map(|(event, earliest_months, latest_months)| Window {
        event,
        earliest_months,
        latest_months,
    });
    let mut milestones = Vec::new();
    if let Some(year) = context.year {
        for dated in context.dates.all(&text, year) {
            if context.issue_date.is_some_and(|issued| dated.date < issued) {
                problems.push(unresolved(line, dated.text.clone(), "日期早于发文日期"));
            }
            milestones.push(Milestone { date: dated.date, text: dated.text, units: Vec::new() });
        }
    }
    let last = milestones.iter().map(|milestone| milestone.date).max();
    let due = match window {
        Some(_) => None,
        None => last.or_else(|| last_of(context.year?, 12)),
    };
    Item {
        no,
        label,
        title: title(&text),
        text,
        line,
        lead: Vec::new(),
        cooperating: Vec::new(),
        responsible: Vec::new(),
        due,
        milestones,
        window,
        tags,
    }
}

/// The first sentence, cut at a comma where it is long.
pub(crate) fn title(text: &str) -> String {
    let sentence = text.split(['。', ';']).next().unwrap_or_default().trim();
    if sentence.chars().count() <= LONGEST_TITLE {
        return sentence.to_owned();
    }
    let cut = names::outside_brackets(sentence, &[',']).into_iter().next().unwrap_or(sentence);
    if cut.chars().count() >= 6 { cut.to_owned() } else { sentence.to_owned() }
}

/// Gives an item who its clause, its heading and an earlier `以下均需` say.
fn give(item: &mut Item, clause: Option<&Clause>, inherited: Option<&Draft>, onward: &mut Vec<String>) {
    let above = inherited.map(|draft| match (&draft.heading, &draft.clause) {
        (Some(lead), _) => Clause { lead: lead.clone(), ..Clause::default() },
        (None, Some(clause)) => clause.clone(),
        (None, None) => Clause::default(),
    });
    let (mut lead, mut cooperating, mut responsible) = (Vec::new(), Vec::new(), Vec::new());
    let takes_lead = clause.is_none_or(|clause| clause.joins || clause.lead.is_empty());
    if let Some(above) = above {
        if takes_lead {
            lead.extend(above.lead);
        }
        if clause.is_none() {
            cooperating.extend(above.cooperating);
            responsible.extend(above.responsible);
        }
    }
    if let Some(clause) = clause {
        lead.extend(clause.lead.iter().cloned());
        cooperating.extend(clause.cooperating.iter().cloned());
        responsible.extend(clause.responsible.iter().cloned());
        if clause.onward {
            onward.clone_from(&clause.responsible);
        }
    }
    responsible.extend(onward.iter().cloned());
    item.lead = parties(lead);
    item.cooperating = parties(cooperating);
    item.responsible = parties(responsible);
}

/// Each name once, in order.
fn parties(names: Vec<String>) -> Vec<Party> {
    let mut parties: Vec<Party> = Vec::with_capacity(names.len());
    for name in names {
        if parties.iter().all(|party| party.text != name) {
            parties.push(Party::named(name));
        }
    }
    parties
}

/// Numbers that several items bear are told apart by what they stand under.
fn tell_apart(outline: &Outline, items: &mut [Item]) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for item in items.iter() {
        *count.entry(item.label.clone()).or_default() += 1;
    }
    let paths: BTreeMap<u32, String> =
        (0..outline.blocks.len()).map(|at| (outline.blocks[at].line(), outline.path(at))).collect();
    for item in items {
        if count.get(&item.label).is_some_and(|count| *count > 1)
            && let Some(path) = paths.get(&item.line)
        {
            item.label.clone_from(path);
        }
    }
}

pub(crate) fn unresolved(line: u32, text: impl Into<String>, why: &str) -> Unresolved {
    Unresolved { line, text: text.into(), why: why.to_owned(), candidates: Vec::new() }
}
