//! Items: what a list or a plan says is to be done, and by whom.

use std::collections::BTreeMap;

use time::Date;

use crate::clause::Clause;
use crate::dates::{Dated, Dates, last_of};
use crate::ending::{split_off, split_tags};
use crate::headings::{leader, led_by};
use crate::names;
use crate::notice::{Item, Leader, Milestone, Party, Unresolved};
use crate::ordinal::Level;
use crate::outline::{Block, Outline};
use crate::table::{Row, Table};
use crate::text::join;
use crate::window::Windows;

/// A heading that hands its clause down is at most so long.
const LONGEST_HEADING: usize = 60;
/// Lines with which a clause may end before another paragraph that are looked at.
const MOST_ENDS: usize = 3;
/// A title is at most so long where its first sentence can be cut at a comma.
const LONGEST_TITLE: usize = 50;

/// What the items of a text are read with.
pub(crate) struct Context<'a> {
    pub(crate) dates: &'a Dates,
    pub(crate) windows: &'a Windows,
    pub(crate) issue_date: Option<Date>,
    /// The year that dates without one are in.
    pub(crate) year: Option<u32>,
    /// The last year the plan is for.
    pub(crate) until: Option<u32>,
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
    let mut drafts: Vec<Draft> =
        outline.blocks.iter().map(|block| draft(block, &mut found.unresolved)).collect();
    for (at, block) in outline.blocks.iter().enumerate() {
        if let Some(leader) = leader(block.level, &block.text(), block.line()) {
            found.leaders.push(leader);
            drafts[at].heading = None;
        }
    }
    found.is_listed = drafts.iter().any(|draft| draft.heading.is_some());
    absorb(outline, &mut drafts);

    let mut onward: Vec<String> = Vec::new();
    let mut rows = Rows::of(table);
    let beside = beside(outline, &drafts);
    for (at, block) in outline.blocks.iter().enumerate() {
        let draft = &drafts[at];
        if block.level.is_none() || draft.absorbed || draft.heading.is_some() {
            continue;
        }
        let no = (block.level != Some(Level::Section) && block.level != Some(Level::Chapter))
            .then_some(block.ordinal);
        let has_items_below = outline.children(at).iter().any(|child| !drafts[*child].absorbed);
        let row = match block.level {
            Some(Level::Item) if !has_items_below => rows.of_item(block.ordinal, &draft.text),
            Some(_) | None => None,
        };
        let inherited = inherited(outline, &drafts, at);
        // Those beside it have a clause: its own is missing, or not understood.
        let is_one_of_items = || lacks_clause(outline, &drafts, at, &beside);
        let is_item = draft.clause.is_some()
            || (!has_items_below && (inherited.is_some() || row.is_some() || is_one_of_items()));
        if !is_item || (has_items_below && draft.text.chars().count() <= LONGEST_HEADING) {
            continue;
        }
        if let Some((from, to)) = block.gap {
            let text = if from == to { format!("第{from}项") } else { format!("第{from}至{to}项") };
            found.unresolved.push(unresolved(block.line(), text, "编号不连续，原文可能缺漏"));
        }
        let clause = row.and_then(|row| row.clause.as_ref()).or(draft.clause.as_ref());
        let time = clause.and_then(|clause| clause.time.as_deref());
        let mut item =
            item(block.line(), &draft.text, time, no, block.label.clone(), context, &mut found.unresolved);
        give(&mut item, clause, inherited, &mut onward);
        tell_of(row, &item, &mut found.unresolved);
        if let Some(clause) = clause.filter(|clause| clause.bare) {
            let text = clause.responsible.join("、");
            found.unresolved.push(unresolved(item.line, text, "只写了单位，未写职责，按责任单位读入"));
        }
        found.items.push(item);
    }
    tell_apart(outline, &mut found.items);
    for row in rows.left() {
        let time = row.clause.as_ref().and_then(|clause| clause.time.as_deref());
        let label = row.no.to_string();
        let mut item = item(row.line, &row.text, time, Some(row.no), label, context, &mut found.unresolved);
        give(&mut item, row.clause.as_ref(), None, &mut Vec::new());
        tell_of(Some(row), &item, &mut found.unresolved);
        found.items.push(item);
    }
    found
}

/// How many blocks without others below them stand beside one another, and how many of them
/// have a clause: by what they stand under and their level.
type Beside = BTreeMap<(Option<usize>, Option<Level>), (usize, usize)>;

fn beside(outline: &Outline, drafts: &[Draft]) -> Beside {
    let mut beside = Beside::new();
    for (at, block) in outline.blocks.iter().enumerate().filter(|(at, _)| outline.children(*at).is_empty()) {
        let (all, with) = beside.entry((block.parent, block.level)).or_default();
        *all += 1;
        *with += usize::from(drafts[at].clause.is_some());
    }
    beside
}

/// Whether those beside a block have a clause; of chapters, most of them.
fn lacks_clause(outline: &Outline, drafts: &[Draft], at: usize, beside: &Beside) -> bool {
    let block = &outline.blocks[at];
    let (all, with) = beside.get(&(block.parent, block.level)).copied().unwrap_or_default();
    drafts[at].clause.is_none() && if block.level == Some(Level::Chapter) { with * 2 > all } else { with > 0 }
}

/// Notes what is not said, or cannot be told, of who does an item.
fn tell_of(row: Option<&Row>, item: &Item, problems: &mut Vec<Unresolved>) {
    if let Some(row) = row.filter(|row| row.clause.is_none()) {
        problems.push(unresolved(row.line, row.text.clone(), "表格这一行缺少栏目，无法对应责任单位"));
    } else if item.lead.is_empty() && item.cooperating.is_empty() && item.responsible.is_empty() {
        problems.push(unresolved(item.line, item.title.clone(), "未写明责任单位"));
    }
}

/// The rows of a table, each for one item.
struct Rows<'a> {
    rows: &'a [Row],
    used: Vec<bool>,
    by_no: BTreeMap<u32, usize>,
}

impl<'a> Rows<'a> {
    fn of(table: Option<&'a Table>) -> Self {
        let rows = table.map_or(&[][..], |table| &table.rows);
        let by_no = rows.iter().enumerate().rev().map(|(at, row)| (row.no, at)).collect();
        Rows { rows, used: vec![false; rows.len()], by_no }
    }

    /// The row that has an item's number and says something of the same.
    fn of_item(&mut self, no: u32, text: &str) -> Option<&'a Row> {
        let at = *self.by_no.get(&no)?;
        let row = &self.rows[at];
        if !row.text.is_empty() && !is_alike(&row.text, text) {
            return None;
        }
        self.used[at] = true;
        Some(row)
    }

    /// The rows that no item has taken.
    fn left(&self) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(row, _)| row)
    }
}

/// Whether a row and an item share some word: a part of the row's first twelve characters.
fn is_alike(row: &str, text: &str) -> bool {
    let first: Vec<char> = row.chars().filter(|one| one.is_alphanumeric()).take(12).collect();
    first.len() < 2 || first.windows(2).any(|pair| text.contains(&pair.iter().collect::<String>()))
}

fn draft(block: &Block, problems: &mut Vec<Unresolved>) -> Draft {
    let text = &block.text();
    if let Some(lead) = led_by(text) {
        return Draft { text: text.to_owned(), heading: Some(lead), ..Draft::default() };
    }
    let (own, clause) = split_off(text);
    if clause.is_some() || block.level.is_none() {
        return Draft { text: own, clause, ..Draft::default() };
    }
    // A paragraph of something else may follow the clause.
    let ends = block
        .lines
        .iter()
        .enumerate()
        .rev()
        .skip(1)
        .filter(|(_, line)| line.text.trim_end_matches(['。', ';']).ends_with([')', ']', '】']));
    for (at, _) in ends.take(MOST_ENDS) {
        let (own, clause) = split_off(&join(&block.lines[..=at]));
        if let Some(clause) = clause {
            let after = &block.lines[at + 1..];
            let line = after.first().map_or(0, |line| line.number);
            problems.push(unresolved(line, title(&join(after)), "责任单位之后还有文字，未归入事项"));
            return Draft { text: own, clause: Some(clause), ..Draft::default() };
        }
    }
    Draft { text: own, ..Draft::default() }
}

/// Where only the last of several blocks under one names who does it, or one of them says
/// nothing else, or where a block that names it has blocks under it, all of them are one item;
/// and so are the parts of an item none of which has a clause.
fn absorb(outline: &Outline, drafts: &mut [Draft]) {
    for at in (0..drafts.len()).rev() {
        let children = outline.children(at);
        if drafts[at].heading.is_some() || children.is_empty() {
            continue;
        }
        let has_clause = |child: &usize| drafts[*child].clause.is_some();
        let is_only_clause = |child: &usize| {
            has_clause(child) && drafts[*child].text.is_empty() && outline.children(*child).is_empty()
        };
        let with_clause = children.iter().filter(|child| has_clause(child)).count();
        let only = children.iter().filter(|child| is_only_clause(child)).count();
        let is_one = with_clause == 1 && children.len() > 1 && drafts[at].clause.is_none();
        let level = outline.blocks[at].level;
        let last_only = is_one && children.last().is_some_and(has_clause) && level > Some(Level::Chapter);
        // 1. 任务:… 2. 责任单位:… 3. 配合单位:…
        let says_only = only > 0 && only == with_clause && children.len() > 1 && drafts[at].clause.is_none();
        let own = drafts[at].clause.is_some()
            && with_clause == 0
            && drafts[at].text.chars().count() > LONGEST_HEADING;
        let parts = with_clause == 0 && level >= Some(Level::Item);
        if last_only || says_only || own || parts {
            for &child in children {
                let part = std::mem::take(&mut drafts[child].text);
                let text = &mut drafts[at].text;
                if !part.is_empty() && !text.is_empty() && !text.ends_with(['。', ';', ':', ',', '、']) {
                    text.push('。');
                }
                text.push_str(&part);
                drafts[child].absorbed = true;
                if let Some(clause) = drafts[child].clause.take() {
                    drafts[at].clause = Some(drafts[at].clause.take().unwrap_or_default().and(clause));
                }
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
    text: &str,
    time: Option<&str>,
    no: Option<u32>,
    label: String,
    context: &Context<'_>,
    problems: &mut Vec<Unresolved>,
) -> Item {
    let (text, tags) = split_tags(text);
    let window = context.windows.after_event(&text);
    let milestones = milestones(line, &text, time, context, problems);
    let last = milestones.iter().map(|milestone| milestone.date).max();
    let due = match window {
        Some(_) => None,
        None => last.or_else(|| last_of(context.until?, 12)),
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

/// The dated clauses of a text, and of what its clause or its table says of the time.
pub(crate) fn milestones(
    line: u32,
    text: &str,
    time: Option<&str>,
    context: &Context<'_>,
    problems: &mut Vec<Unresolved>,
) -> Vec<Milestone> {
    let Some(year) = context.year else { return Vec::new() };
    let mut all = context.dates.all(text, year);
    if let Some(time) = time {
        let known: Vec<Date> = all.iter().map(|dated| dated.date).collect();
        all.extend(
            context.dates.deadlines(time, year).into_iter().filter(|dated| !known.contains(&dated.date)),
        );
    }
    if let Some(date) = context.issue_date.and_then(|issued| context.windows.after_issue(text, issued)) {
        all.push(Dated { date, text: title(text) });
    }
    for said in [Some(text), time].into_iter().flatten() {
        if let Some(vague) = context.dates.vague(said, year) {
            problems.push(unresolved(line, vague, "时限不是具体日期，需要人工确定"));
        }
    }
    let dated = all.into_iter().map(|dated| {
        if context.issue_date.is_some_and(|issued| dated.date < issued) {
            problems.push(unresolved(line, dated.text.clone(), "日期早于发文日期"));
        }
        Milestone { date: dated.date, text: dated.text, units: Vec::new() }
    });
    dated.collect()
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
