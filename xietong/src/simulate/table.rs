//! A report as an official reads it: plain tables in Chinese.

use std::fmt::Write;

use super::notices::Notices;
use super::report::{Acts, Lights, Report, Score};

/// Where each column of a table begins, in columns of a terminal.
const LIGHTS: [usize; 6] = [0, 12, 18, 24, 30, 36];
const SCORES: [usize; 6] = [0, 44, 52, 60, 70, 82];

/// What stands above the lights.
pub(super) fn heading(report: &Report) -> String {
    let first = format!("模拟运行  {} 至 {}  种子 {}", report.from, report.to, report.seed);
    format!("{first}\n{}", row(LIGHTS, ["月末", "绿", "黄", "红", "蓝", "灰"]))
}

/// A line of lights.
pub(super) fn lights(lights: &Lights) -> String {
    let counts = [lights.green, lights.yellow, lights.red, lights.blue, lights.grey].map(|n| n.to_string());
    let [green, yellow, red, blue, grey] = counts.each_ref().map(String::as_str);
    row(LIGHTS, [&lights.day, green, yellow, red, blue, grey])
}

/// What stands below the lights: the scoreboard, and what was done.
pub(super) fn rest(report: &Report) -> String {
    let mut text = format!("\n{}", row(SCORES, ["单位", "在办", "办结", "按时率", "逾期天数", "延期次数"]));
    for score in &report.scoreboard {
        let _written = write!(text, "\n{}", scored(score));
    }
    let _written = write!(text, "\n\n{}", done(&report.acts));
    let _written = write!(text, "\n\n{}", told(&report.notices));
    text
}

fn scored(score: &Score) -> String {
    let rate = score.on_time_percent.map_or_else(|| "—".to_owned(), |percent| format!("{percent}%"));
    let numbers = [score.open.to_string(), score.settled.to_string(), rate];
    let [open, settled, rate] = numbers.each_ref().map(String::as_str);
    let (days, extensions) = (score.days_overdue.to_string(), score.extensions.to_string());
    row(SCORES, [&score.display_name, open, settled, rate, &days, &extensions])
}

/// How many notices of each kind, and whether each came at its time and once.
fn told(notices: &Notices) -> String {
    let kinds = notices.kinds.iter().map(|(kind, count)| format!("{} {count}", called(kind)));
    let kinds: Vec<String> = kinds.collect();
    let Notices { urgent_off_hours, untimely, asked_twice, figures_asked_twice, violations, .. } = notices;
    let mut text = format!(
        "通知：{}\n夜间和休息日发出紧急通知 {urgent_off_hours}，非紧急通知 {untimely}；重复催要同一反馈 {asked_twice}，\
         经不同事项重复催要同一数据 {figures_asked_twice}",
        kinds.join("，")
    );
    for violation in violations {
        let _written = write!(text, "\n  {violation}");
    }
    text
}

fn called(kind: &str) -> &str {
    match kind {
        "assignment" => "交办",
        "progress" => "进展",
        "reminder" => "提醒",
        "urging" => "催办",
        "light" => "亮灯",
        "decision" => "决定",
        "outcome" => "结果",
        "handover" => "交接",
        "instruction" => "批示",
        "climbed" => "升级",
        "digest" => "汇总",
        other => other,
    }
}

fn done(acts: &Acts) -> String {
    let Acts {
        signed,
        deployed,
        reported,
        asked,
        granted,
        refused,
        decided_standing_in,
        submitted,
        verified,
        sent_back,
        absences,
        absences_refused,
        escalated,
        instructed,
    } = acts;
    format!(
        "签收 {signed}，部署 {deployed}，反馈 {reported}；申请延期 {asked}，同意 {granted}，不同意 {refused}，\
         其中代行决定 {decided_standing_in}\n\
         申请办结 {submitted}，核验通过 {verified}，退回 {sent_back}；领导外出 {absences} 次，\
         因AB角同时外出未登记 {absences_refused} 次；议定事项纳入督办 {escalated} 项；批示 {instructed} 件"
    )
}

/// A line whose cells begin in their columns, one space after the cell before at least.
fn row<const N: usize>(columns: [usize; N], cells: [&str; N]) -> String {
    let (mut line, mut at) = (String::new(), 0);
    for (column, cell) in columns.into_iter().zip(cells) {
        let gap = column.saturating_sub(at).max(usize::from(at > 0));
        line.extend(std::iter::repeat_n(' ', gap));
        line.push_str(cell);
        at += gap + width(cell);
    }
    line
}

/// Columns that a text takes: a Chinese character takes two.
fn width(text: &str) -> usize {
    text.chars().map(|character| if character >= '\u{2e80}' { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn columns_stand_below_each_other_whatever_is_written_in_them() {
        assert_eq!(row([0, 8, 12], ["市水利局", "1", "2"]), "市水利局 1  2");
        assert_eq!(row([0, 8, 12], ["局", "10", "2"]), "局      10  2");
    }
}
