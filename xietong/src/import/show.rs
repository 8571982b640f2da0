//! What was understood of a notice, for people.

use std::fmt::Write;

use domain_notice::{Holder, Item, Kind, Notice, Party, Relation, Unresolved};

use super::compare::Difference;
use super::entering::Outcome;

/// A notice in plain Chinese; what was not understood comes last, with its lines.
pub(super) fn plain(notice: &Notice, unknown: &[Unresolved]) -> String {
    let mut text = String::new();
    write(notice, unknown, &mut text).map_or_else(|_| String::new(), |()| text)
}

/// What became of a document, in plain Chinese.
pub(super) fn outcome(number: &str, outcome: &Outcome) -> String {
    let mut text = String::new();
    write_outcome(number, outcome, &mut text).map_or_else(|_| String::new(), |()| text)
}

fn write_outcome(number: &str, outcome: &Outcome, to: &mut String) -> std::fmt::Result {
    let Outcome { entered, drafts, unchanged, differing, division, groups, remarks } = outcome;
    write!(to, "{number}：新登记{}项，草稿{}项，已有且一致{unchanged}项", entered.len(), drafts.len())?;
    writeln!(to, "，已有而不同{}项", differing.len())?;
    if let Some(division) = division {
        writeln!(to, "  分工 {division}")?;
    }
    for group in groups {
        writeln!(to, "  机构 {group}")?;
    }
    for one in differing {
        writeln!(to, "  {}（{}）", one.item, one.name)?;
        for Difference { field, task, notice, revised, path: _ } in &one.differences {
            let revised = if *revised { "已按本件修订" } else { "未改动" };
            writeln!(to, "    {field}：已登记“{task}”，本件“{notice}”，{revised}")?;
        }
    }
    for remark in remarks {
        writeln!(to, "  {remark}")?;
    }
    Ok(())
}

fn write(notice: &Notice, unknown: &[Unresolved], to: &mut String) -> std::fmt::Result {
    let document = &notice.document;
    writeln!(to, "{} {}（{}）", document.number, document.title, kind(notice.kind))?;
    if !document.part.is_empty() {
        writeln!(to, "  {}", document.part)?;
    }
    if let Some(date) = document.issue_date {
        writeln!(to, "  成文日期 {date}")?;
    }
    if !notice.leaders.is_empty() {
        let leaders = notice.leaders.iter().map(|leader| format!("{}{}", leader.name, leader.post));
        writeln!(to, "  领导 {}", leaders.collect::<Vec<_>>().join("、"))?;
    }
    for item in &notice.items {
        write_item(item, to)?;
    }
    for portfolio in &notice.portfolios {
        writeln!(to, "  {}{}（第{}行）", portfolio.leader, portfolio.post, portfolio.line)?;
        for charge in &portfolio.fields {
            writeln!(to, "    {} {}方面的工作", relation(charge.relation), charge.subject.text)?;
        }
        for charge in &portfolio.units {
            let subject = if charge.is_class {
                format!("{}（类别，非单位）", charge.subject.text)
            } else {
                party(&charge.subject)
            };
            let whom = charge.assists.as_deref().unwrap_or_default();
            writeln!(to, "    {}{whom} {subject}", relation(charge.relation))?;
        }
    }
    for pair in &notice.pairs {
        match &pair.stand_in {
            Some(stand_in) if pair.mutual => writeln!(to, "  AB角 {}与{stand_in}互为", pair.leader)?,
            Some(stand_in) => writeln!(to, "  AB角 {}的B角为{stand_in}", pair.leader)?,
            None => writeln!(to, "  AB角 {}的B角临时确定", pair.leader)?,
        }
    }
    for seat in &notice.seats {
        let holder = match &seat.holder {
            Holder::Person { name, title } => format!("{name} {title}"),
            Holder::Post { post, .. } => format!("{post}（按职务）"),
            Holder::Unit { unit } => party(unit),
            Holder::OpenClass { class } => format!("{class}（由办公室确定）"),
        };
        let body = if seat.role.starts_with(&seat.body) { "" } else { &seat.body };
        writeln!(to, "  {body}{} {holder}", seat.role)?;
    }
    for duty in &notice.duties {
        let unit = duty.unit.as_ref().map(party).unwrap_or_default();
        let person = duty.person.as_deref().unwrap_or_default();
        let whose = [duty.body.as_str(), &unit, person].into_iter().filter(|one| !one.is_empty());
        writeln!(to, "  职责 {}：{}", whose.collect::<Vec<_>>().join(" "), duty.text)?;
    }
    for mechanism in &notice.mechanisms {
        writeln!(to, "  {}：{}", mechanism.name, mechanism.text)?;
    }
    writeln!(
        to,
        "  共{}项，席位{}个，职责{}条，未解决{}处",
        notice.items.len(),
        notice.seats.len(),
        notice.duties.len(),
        notice.unresolved.len() + unknown.len()
    )?;
    for one in notice.unresolved.iter().chain(unknown) {
        write!(to, "  ！第{}行 {}：{}", one.line, one.text, one.why)?;
        match one.candidates.as_slice() {
            [] => writeln!(to)?,
            candidates => writeln!(to, "（可能是 {}）", candidates.join("、"))?,
        }
    }
    Ok(())
}

fn write_item(item: &Item, to: &mut String) -> std::fmt::Result {
    write!(to, "  {} {}", item.label, item.title)?;
    match item.due {
        Some(due) if item.milestones.is_empty() => write!(to, "（原文未写期限，按{due}）")?,
        Some(due) => write!(to, "（{due}前）")?,
        None => {}
    }
    if let Some(window) = &item.window {
        write!(to, "（{}后{}至{}个月）", window.event, window.earliest_months, window.latest_months)?;
    }
    writeln!(to)?;
    for (role, parties) in [("牵头", &item.lead), ("配合", &item.cooperating), ("责任", &item.responsible)]
    {
        if !parties.is_empty() {
            writeln!(to, "    {role} {}", parties.iter().map(party).collect::<Vec<_>>().join("、"))?;
        }
    }
    for milestone in &item.milestones {
        writeln!(to, "    节点 {} {}", milestone.date, milestone.text)?;
    }
    if !item.tags.is_empty() {
        writeln!(to, "    标签 {}", item.tags.join("、"))?;
    }
    Ok(())
}

/// A unit as the notice has it; one that was not found is marked.
fn party(party: &Party) -> String {
    match party.unit {
        Some(_) => party.text.clone(),
        None => format!("{}？", party.text),
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::TaskList => "任务分解",
        Kind::Division => "工作分工",
        Kind::Group => "成立机构",
        Kind::Plan => "行动计划",
        Kind::EmergencyPlan => "应急预案",
        Kind::Reply => "批复",
    }
}

fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Presides => "主持",
        Relation::Directs => "分管",
        Relation::AssistsDirecting => "协助分管",
        Relation::Liaises => "联系",
        Relation::AssistsLiaising => "协助联系",
    }
}
