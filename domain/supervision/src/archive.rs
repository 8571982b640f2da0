//! [`Cover`]: the cover sheet (卷宗封面) of what is kept of a task that is over.

use domain_calendar::Timestamp;
use time::Date;

use crate::assignment::{Assignment, AssignmentState, Role};
use crate::limit_text::limit_day;
use crate::paper::{Block, chinese_day, day_of, heading, source};
use crate::task::{Grade, Task, TaskState};

/// A cover sheet, in the order of a paper's parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Which task, by the number people say aloud.
    pub number: String,
    /// 标题.
    pub title: String,
    /// 正文.
    pub body: Vec<Block>,
    /// 署名.
    pub signed: String,
    /// The day it was made, Asia/Shanghai.
    pub day: Date,
}

/// What became of an assignment.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// The assignment.
    pub assignment: &'a Assignment,
    /// What people call its unit.
    pub unit: &'a str,
    /// When it was due (exclusive).
    pub due: Option<Timestamp>,
    /// Days past that.
    pub days_overdue: u32,
}

impl Cover {
    /// Of a task that was entered at an instant and, if it was, struck off at another.
    pub fn of(
        task: &Task,
        outcomes: &[Outcome<'_>],
        (created_at, struck_off_at): (Timestamp, Option<Timestamp>),
        now: Timestamp,
    ) -> Self {
        let mut basics =
            vec![row("台账编号", format!("第{}号", task.ledger_number)), row("事项", task.title.clone())];
        basics.extend(source(task).map(|source| row("事项来源", source)));
        basics.push(row("类别", grade(task.grade).to_owned()));
        if !task.tags.is_empty() {
            basics.push(row("标签", task.tags.join("、")));
        }
        if !task.text.is_empty() && task.text != task.title {
            basics.push(row("工作要求", task.text.clone()));
        }
        basics.push(row("登记时间", day_of(created_at)));
        let given = outcomes.iter().filter_map(|one| one.assignment.assigned_at).min();
        basics.extend(given.map(|at| row("交办时间", day_of(at))));
        basics.push(row(
            "结果",
            match (task.state, struck_off_at) {
                (TaskState::StruckOff, Some(at)) => format!("{}销号", day_of(at)),
                (TaskState::StruckOff, None) => "已销号".to_owned(),
                (TaskState::Withdrawn, _) => "已撤销".to_owned(),
                (TaskState::Draft, _) => "草稿".to_owned(),
                (TaskState::Issued, _) => "在办".to_owned(),
            },
        ));
        let headings = ["单位", "角色", "交办", "办结时限", "办结", "逾期天数", "结果"];
        let mut units = vec![headings.map(str::to_owned).to_vec()];
        units.extend(outcomes.iter().map(|one| {
            let day = |at: Option<Timestamp>| at.map_or_else(dash, day_of);
            vec![
                one.unit.to_owned(),
                role(one.assignment.role).to_owned(),
                day(one.assignment.assigned_at),
                one.due.map_or_else(dash, limit_day),
                day(one.assignment.completed_at),
                one.days_overdue.to_string(),
                state(one.assignment.state).to_owned(),
            ]
        }));
        Cover {
            number: format!("台账第{}号", task.ledger_number),
            title: format!("“{}”督办卷宗", task.title),
            body: vec![
                heading("一、事项基本情况"),
                Block::Table { rows: basics },
                heading("二、各承办单位办理情况"),
                Block::Table { rows: units },
            ],
            signed: format!("归档时间：{}", chinese_day(now.day())),
            day: now.day(),
        }
    }
}

fn row(what: &str, said: String) -> Vec<String> {
    vec![what.to_owned(), said]
}

fn dash() -> String {
    "—".to_owned()
}

fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Ordinary => "一般事项",
        Grade::Major => "重大、复杂事项",
        Grade::LongTerm => "长期事项",
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Lead => "牵头",
        Role::Cooperating => "配合",
        Role::Responsible => "责任",
    }
}

fn state(state: AssignmentState) -> &'static str {
    match state {
        AssignmentState::Pending => "未交办",
        AssignmentState::Assigned
        | AssignmentState::Signed
        | AssignmentState::Deployed
        | AssignmentState::InProgress
        | AssignmentState::Submitted => "未办结",
        AssignmentState::Returned => "已退回",
        AssignmentState::Suspended => "挂账",
        AssignmentState::StruckOff => "销号",
        AssignmentState::Withdrawn => "撤销",
    }
}
