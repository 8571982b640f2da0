//! What is told when something becomes known of a task.

use domain_roster::Book;
use domain_supervision::{AssignmentFacts, Circumstance, TaskFacts};

use super::{creator, in_charge_of, leads, quoted, settle_by, told};
use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{called, day, moment, official};

/// Each unit is told its own limits, where they are others; whoever was designated is told that.
pub(super) fn of_circumstance(
    task: &TaskFacts,
    circumstance: &Circumstance,
    before: &[AssignmentFacts],
    assignments: &[AssignmentFacts],
    book: &Book,
) -> Vec<Notice> {
    let heading = called(task);
    let to_units = |what: &str, why: String| -> Vec<Notice> {
        let changed = assignments.iter().filter(|one| !before.contains(one));
        let told_of = |one: &AssignmentFacts| {
            let body = format!("{heading}{why}，{}。", settle_by(one));
            told(task, NoticeKind::Decision, what, body, vec![Audience::UnitLiaison(one.unit.clone())])
        };
        changed.map(told_of).collect()
    };
    // Whoever entered the task hears that its clocks were moved, and on what ground.
    let to_keeper = |body: String| told(task, NoticeKind::Progress, "时限调整", body, vec![creator(task)]);
    match circumstance {
        Circumstance::EventRecorded { event, on, previous: None, .. } => {
            let event = quoted(task, event);
            let mut notices =
                to_units("开始计时", format!("所等待的事件（{event}）已于{}发生，开始计时", day(*on)));
            let body = format!("{heading}所等待的事件（{event}）已于{}发生，各承办单位开始计时。", day(*on));
            let leaders = leads(assignments).map(|one| in_charge_of(&one.unit));
            let audiences = std::iter::once(creator(task)).chain(leaders).collect();
            notices.push(told(task, NoticeKind::Progress, "开始计时", body, audiences));
            notices
        }
        Circumstance::EventRecorded { on, previous: Some(previous), ground, .. } => {
            let ground = quoted(task, ground);
            let (from, to) = (day(*previous), day(*on));
            let mut notices = to_units("时限调整", format!("所等待事件的日期更正为{to}"));
            notices.push(to_keeper(format!("{heading}所等待事件的日期由{from}更正为{to}，依据：{ground}")));
            notices
        }
        Circumstance::OccurrenceCorrected { from, to, ground, .. } => {
            let ground = quoted(task, ground);
            let (from, to) = (moment(*from), moment(*to));
            let mut notices = to_units("时限调整", format!("的发生时间更正为{to}"));
            notices.push(to_keeper(format!("{heading}的发生时间由{from}更正为{to}，依据：{ground}")));
            notices
        }
        Circumstance::Designated { official: designated, previous, ground } => {
            let ground =
                if ground.is_empty() { String::new() } else { format!("：{}", quoted(task, ground)) };
            let to = |leader: &str, what: &str, body: String| {
                told(task, NoticeKind::Decision, what, body, vec![Audience::Official(leader.to_owned())])
            };
            let mut notices = Vec::new();
            if let Some(leader) = designated {
                let body = format!("{heading}的延期、挂账等事项指定由您决定{ground}。");
                notices.push(to(leader, "指定", body));
            }
            if let Some(leader) = previous {
                let body = match designated {
                    Some(next) => {
                        format!("{heading}的延期、挂账等事项改由{}决定{ground}。", official(book, next))
                    }
                    None => format!("{heading}的延期、挂账等事项不再由您决定{ground}。"),
                };
                notices.push(to(leader, "指定变更", body));
            }
            notices
        }
    }
}
