//! What is told of the figures of targets: a source unit is asked once; whoever oversees the task, and
//! those who settle it, hear what a target came to.

use domain_supervision::{FigureChange, TaskFacts};

use super::{creator, in_charge_of, told};
use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{called, day, quoted};

pub(super) fn of_figure(task: &TaskFacts, change: &FigureChange) -> Vec<Notice> {
    let heading = called(task);
    match change {
        FigureChange::Asked { unit, targets } => {
            let asked = targets.iter().map(|one| {
                let measure = quoted(task, &one.measure);
                format!("{measure}（应于{}前填报）", day(one.figure_day))
            });
            let asked: Vec<String> = asked.collect();
            let body = format!("请填报{heading}的指标数据：{}。", asked.join("、"));
            let audience = vec![Audience::UnitLiaison(unit.clone())];
            // A year's figure is known when the matter is over.
            vec![told(task, NoticeKind::Reminder, "填报数据", body, audience).outlasting()]
        }
        FigureChange::Given { target, given, previous, met, assignments, .. } => {
            let what = if previous.is_some() { "更正数据" } else { "数据" };
            let outcome = if *met { "达到目标" } else { "未达到目标" };
            let figure = format!("{}：{}{}，{outcome}", target.measure, given.value, target.unit);
            let body = format!("{heading}的指标{what}：{}。", quoted(task, &figure));
            let red = target.binding && !met;
            let kind = if red { NoticeKind::Light } else { NoticeKind::Progress };
            let title = if red { "红灯" } else { what };
            let units = assignments.iter().map(|one| Audience::UnitLiaison(one.unit.clone()));
            let leaders = assignments.iter().filter(|_| red).map(|one| in_charge_of(&one.unit));
            let audiences = std::iter::once(creator(task)).chain(units).chain(leaders).collect();
            vec![told(task, kind, title, body, audiences).outlasting()]
        }
    }
}
