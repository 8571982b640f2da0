//! What is told of tasks and their assignments.
//!
//! A unit hears through its liaison of what it must do; whoever entered the task hears of
//! every step; a unit that cooperates or carries out also reports to the first lead unit;
//! the leader in charge hears when a matter begins, is reported, is submitted and ends.

mod circumstance;
mod figure;
mod instruction;
mod milestone;
mod side_road;

use domain_roster::Book;
use domain_supervision::{
    AssignmentChange, AssignmentEvent, AssignmentFacts, Instrument, InstrumentUse, Role, SideRoad, Stage,
    TaskChange, TaskEvent, TaskFacts, WholeTaskEvent,
};

use circumstance::of_circumstance;

use crate::audience::Audience;
use crate::notice::{Ladder, Notice, NoticeKind};
use crate::recall::{Ended, Ending};
use crate::template::{Limit, NoticeData};
use crate::wording::{before, called, day, moment, quoted, task_words, unit};

/// What must be remembered of an issued task to tell of it later. A task that was never
/// issued has none: nobody was told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// The first-named lead unit; none when every responsible unit completes for itself.
    pub lead_unit: Option<String>,
}

impl Matter {
    /// What an event makes known of its task: something only when it issues it, or gives a
    /// part of it to another unit.
    pub fn issued_by(event: &TaskEvent) -> Option<Self> {
        match event {
            TaskEvent::Task(event) => match &event.change {
                TaskChange::Issued { assignments, .. } => Some(Matter::of(assignments)),
                // Nobody is told of its entry, but of what follows.
                TaskChange::Backfilled { assignments, .. } => {
                    Some(Matter::of(assignments.iter().map(|one| &one.facts)))
                }
                TaskChange::Created { .. }
                | TaskChange::Revised { .. }
                | TaskChange::Rebased { .. }
                | TaskChange::Withdrawn { .. }
                | TaskChange::StruckOff { .. }
                | TaskChange::Circumstance { .. }
                | TaskChange::Reopened { .. }
                | TaskChange::JoinedMatter { .. }
                | TaskChange::LeftMatter { .. }
                | TaskChange::Instructed { .. }
                | TaskChange::InstructionSigned { .. }
                | TaskChange::InstructionDue { .. }
                | TaskChange::Figure(_)
                | TaskChange::CooperatingAdded { .. } => None,
            },
            TaskEvent::Assignment(event) => match &event.change {
                // Another unit may be in the lead now.
                AssignmentChange::SideRoad(SideRoad::Reassigned { lead_unit, .. }) => {
                    Some(Matter { lead_unit: lead_unit.clone() })
                }
                AssignmentChange::SideRoad(_)
                | AssignmentChange::Milestone(_)
                | AssignmentChange::Pressed(_)
                | AssignmentChange::DeadlineRecomputed { .. }
                | AssignmentChange::Signed
                | AssignmentChange::Deployed { .. }
                | AssignmentChange::Reported { .. }
                | AssignmentChange::Submitted { .. }
                | AssignmentChange::Verified { .. }
                | AssignmentChange::SentBack { .. }
                | AssignmentChange::StruckOff { .. }
                | AssignmentChange::ExtensionRequested { .. }
                | AssignmentChange::ExtensionGranted { .. }
                | AssignmentChange::ExtensionRefused { .. }
                | AssignmentChange::Overdue
                | AssignmentChange::Reminded
                | AssignmentChange::Urged { .. } => None,
            },
        }
    }

    fn of<'a>(assignments: impl IntoIterator<Item = &'a AssignmentFacts>) -> Self {
        let lead = assignments.into_iter().find(|one| one.role == Role::Lead);
        Matter { lead_unit: lead.map(|lead| lead.unit.clone()) }
    }

    /// The unit whose leader in charge decides on an assignment.
    fn decider<'a>(&'a self, assignment: &'a AssignmentFacts) -> &'a str {
        match assignment.role {
            Role::Lead => &assignment.unit,
            Role::Cooperating | Role::Responsible => self.lead_unit.as_deref().unwrap_or(&assignment.unit),
        }
    }

    fn ladder(&self, assignment: &AssignmentFacts) -> Ladder {
        Ladder { unit: assignment.unit.clone(), decider: self.decider(assignment).to_owned() }
    }
}

/// The notices of one event. `matter` is what the task's issuing made known, by this event
/// or an earlier one.
pub fn of_task(event: &TaskEvent, matter: Option<&Matter>, book: &Book) -> Vec<Notice> {
    let Some(matter) = matter else { return Vec::new() };
    let (notices, part) = match event {
        TaskEvent::Task(event) => (of_whole_task(event, matter, book), None),
        TaskEvent::Assignment(event) => (of_assignment(event, matter, book), Some(&event.assignment.unit)),
    };
    let task = event.task();
    let of_it = |notice: Notice| {
        let notice = notice.urgent_if(task.urgent).of_tasks([task.name.as_str()]);
        match part {
            Some(unit) => notice.about_unit(unit),
            None => notice,
        }
    };
    notices.into_iter().map(of_it).collect()
}

/// What an event brings to its end: whoever signed for a task in supervision, submitted it or was
/// struck off is not asked again to sign for the notice of it, and what was asked is recalled.
pub fn ended_by(event: &TaskEvent) -> Vec<Ended> {
    match event {
        TaskEvent::Task(event) => match &event.change {
            TaskChange::InstructionSigned { instruction, signed } => {
                instruction::ended_by(instruction, signed)
            }
            TaskChange::Created { .. }
            | TaskChange::Issued { .. }
            | TaskChange::Backfilled { .. }
            | TaskChange::Revised { .. }
            | TaskChange::Rebased { .. }
            | TaskChange::Circumstance { .. }
            | TaskChange::Reopened { .. }
            | TaskChange::JoinedMatter { .. }
            | TaskChange::LeftMatter { .. }
            | TaskChange::Instructed { .. }
            | TaskChange::InstructionDue { .. }
            | TaskChange::Figure(_)
            | TaskChange::CooperatingAdded { .. } => Vec::new(),
            TaskChange::Withdrawn { .. } => {
                vec![Ended { task: event.task.name.clone(), unit: None, ending: Ending::Withdrawn }]
            }
            TaskChange::StruckOff { .. } => {
                vec![Ended { task: event.task.name.clone(), unit: None, ending: Ending::StruckOff }]
            }
        },
        TaskEvent::Assignment(event) => {
            let ended = |ending| {
                let (task, unit) = (event.task.name.clone(), Some(event.assignment.unit.clone()));
                vec![Ended { task, unit, ending }]
            };
            match &event.change {
                AssignmentChange::SideRoad(road) => {
                    side_road::ended_by(&event.task, &event.assignment, road).into_iter().collect()
                }
                AssignmentChange::Signed => ended(Ending::Signed),
                AssignmentChange::Submitted { .. } => ended(Ending::Submitted),
                AssignmentChange::StruckOff { .. } => ended(Ending::PartStruckOff),
                AssignmentChange::Deployed { .. }
                | AssignmentChange::Reported { .. }
                | AssignmentChange::Verified { .. }
                | AssignmentChange::SentBack { .. }
                | AssignmentChange::ExtensionRequested { .. }
                | AssignmentChange::ExtensionGranted { .. }
                | AssignmentChange::ExtensionRefused { .. }
                | AssignmentChange::DeadlineRecomputed { .. }
                | AssignmentChange::Milestone(_)
                | AssignmentChange::Pressed(_)
                | AssignmentChange::Overdue
                | AssignmentChange::Reminded
                | AssignmentChange::Urged { .. } => Vec::new(),
            }
        }
    }
}

fn of_whole_task(event: &WholeTaskEvent, matter: &Matter, book: &Book) -> Vec<Notice> {
    let task = &event.task;
    let heading = called(task);
    match &event.change {
        // What a document gives a unit is told with all of it.
        TaskChange::Created { .. }
        | TaskChange::Issued { with_document: true, .. }
        | TaskChange::Backfilled { .. }
        // Nothing more is asked of anybody by it.
        | TaskChange::JoinedMatter { .. }
        | TaskChange::LeftMatter { .. } => Vec::new(),
        TaskChange::Revised { after, ground, assignments, .. } => {
            let ground = if ground.is_empty() { String::new() } else { format!("依据：{ground}。") };
            let body = format!("{heading}的内容已修订。{ground}{}", quoted(task, &after.text));
            let audiences = assignments.iter().map(|one| Audience::UnitLiaison(one.unit.clone())).collect();
            vec![told(task, NoticeKind::Decision, "修订", body, audiences)]
        }
        // Each unit is told its own limits, and only where they are others.
        TaskChange::Rebased { ground, before, assignments, .. } => {
            let changed = assignments.iter().filter(|one| !before.contains(one));
            let told_of = |one: &AssignmentFacts| {
                let body = format!("{heading}改按新的计时规则办理，{}。依据：{ground}。", settle_by(one));
                let audience = vec![Audience::UnitLiaison(one.unit.clone())];
                told(task, NoticeKind::Decision, "时限调整", body, audience)
            };
            changed.map(told_of).collect()
        }
        TaskChange::Issued { assignments, with_document: false, .. } => {
            let to_units = assignments.iter().map(|one| assigned(task, one, matter, book));
            let to_leaders = leads(assignments).map(|one| {
                let data = NoticeData::AssignmentLeader {
                    task: task_words(task),
                    unit: unit(book, &one.unit).to_owned(),
                    settle_before: settle_before(one),
                };
                worded(task, data, vec![in_charge_of(&one.unit)])
            });
            to_units.chain(to_leaders).collect()
        }
        TaskChange::Withdrawn { ground, assignments: _ } => {
            let data = NoticeData::Withdrawn { task: task_words(task), ground: quoted(task, ground) };
            vec![worded(task, data, vec![Audience::WhoeverWasTold])]
        }
        TaskChange::StruckOff { completed_at, assignments } => {
            let data =
                NoticeData::TaskStruckOff { task: task_words(task), completed: moment(*completed_at) };
            let audiences =
                std::iter::once(creator(task)).chain(leads(assignments).map(|one| in_charge_of(&one.unit)));
            vec![worded(task, data, audiences.collect())]
        }
        TaskChange::Circumstance { circumstance, before, assignments } => {
            of_circumstance(task, circumstance, before, assignments, book)
        }
        TaskChange::Reopened { ground, assignments } => {
            let body = format!("{heading}销号后重新办理：{}", quoted(task, ground));
            let audiences =
                std::iter::once(creator(task)).chain(leads(assignments).map(|one| in_charge_of(&one.unit)));
            vec![told(task, NoticeKind::Outcome, "重新办理", body, audiences.collect())]
        }
        TaskChange::Instructed { instruction, assignments } => {
            instruction::given(task, instruction, assignments, matter, book)
        }
        TaskChange::InstructionSigned { instruction, signed } => {
            vec![instruction::signed(task, instruction, signed, book)]
        }
        TaskChange::InstructionDue {
            instruction,
            leader,
            text,
            owing,
            unsigned,
            unreported,
            assignments: _,
        } => {
            let owed = instruction::Owed {
                owing,
                unsigned: unsigned.as_deref(),
                unreported: unreported.as_deref(),
            };
            instruction::due(task, instruction, (leader, text), &owed, book)
        }
        TaskChange::Figure(change) => figure::of_figure(task, change),
        TaskChange::CooperatingAdded { ground, assignments } => {
            let added: Vec<_> = assignments.iter().map(|one| unit(book, &one.unit)).collect();
            let ground =
                if ground.is_empty() { String::new() } else { format!("：{}", quoted(task, ground)) };
            let body = format!("{heading}增加配合单位{}{ground}", added.join("、"));
            let lead = matter.lead_unit.clone().map(Audience::UnitLiaison);
            let audiences = std::iter::once(creator(task)).chain(lead).collect();
            let to_units = assignments.iter().map(|one| assigned(task, one, matter, book));
            to_units.chain([told(task, NoticeKind::Decision, "增加配合单位", body, audiences)]).collect()
        }
    }
}

fn of_assignment(event: &AssignmentEvent, matter: &Matter, book: &Book) -> Vec<Notice> {
    let (task, assignment) = (&event.task, &event.assignment);
    let heading = called(task);
    let holder = unit(book, &assignment.unit);
    let late = if event.late.is_empty() { "" } else { "（逾期）" };
    let to_unit = || vec![Audience::UnitLiaison(assignment.unit.clone())];
    let leader = || match &task.designated {
        Some(designated) => Audience::Official(designated.clone()),
        None => in_charge_of(matter.decider(assignment)),
    };
    let progress = |what: &str, body: String, leader: Option<Audience>| {
        let audiences = overseers(task, assignment, matter).into_iter().chain(leader).collect();
        vec![told(task, NoticeKind::Progress, what, body, audiences)]
    };
    let decided = |what: &str, body: String| {
        let audiences = to_unit().into_iter().chain(overseers(task, assignment, matter)).collect();
        vec![told(task, NoticeKind::Decision, what, body, audiences)]
    };
    match &event.change {
        AssignmentChange::Signed => progress("签收", format!("{holder}已签收{heading}{late}。"), None),
        AssignmentChange::Deployed { .. } => {
            progress("部署", format!("{holder}已部署{heading}{late}。"), None)
        }
        // Told once with all that the report answers.
        AssignmentChange::Reported { shared: Some(shared), .. } if shared.told_together => Vec::new(),
        AssignmentChange::Reported { text, .. } => {
            let body = format!("{holder}反馈{heading}进展{late}：{}", quoted(task, text));
            progress("反馈", body, Some(leader()))
        }
        AssignmentChange::Submitted { text, .. } => {
            let body = format!("{holder}申请办结{heading}{late}，请核验：{}", quoted(task, text));
            progress("申请办结", body, Some(leader()))
        }
        // The striking-off follows in the same decision and says it all.
        AssignmentChange::Verified { .. } => Vec::new(),
        AssignmentChange::SentBack { note, .. } => {
            let note = quoted(task, note);
            let data = NoticeData::SentBack { task: task_words(task), unit: holder.to_owned(), note };
            vec![worded(task, data, to_unit())]
        }
        AssignmentChange::StruckOff { completed_at, with_task, counted_from: _ } => {
            let completed = (!with_task).then(|| moment(*completed_at));
            let data = NoticeData::StruckOff { task: task_words(task), unit: holder.to_owned(), completed };
            vec![worded(task, data, to_unit())]
        }
        AssignmentChange::ExtensionRequested { last_day, reason } => {
            let body =
                format!("{holder}申请将{heading}延期至{}，请决定：{}", day(*last_day), quoted(task, reason));
            progress("申请延期", body, Some(leader()))
        }
        AssignmentChange::ExtensionGranted { note, .. } => {
            let note = if note.is_empty() { String::new() } else { format!("{}。", quoted(task, note)) };
            let body = format!("同意{holder}延期办理{heading}，{}。{note}", settle_by(assignment));
            decided("同意延期", body)
        }
        AssignmentChange::ExtensionRefused { last_day, note, .. } => {
            let body = format!(
                "不同意{holder}将{heading}延期至{}，{}：{}",
                day(*last_day),
                settle_by(assignment),
                quoted(task, note)
            );
            decided("不同意延期", body)
        }
        // That a limit has become certain and is the same is on record, and is no news.
        AssignmentChange::DeadlineRecomputed { before, .. } if *before == assignment.due => Vec::new(),
        AssignmentChange::DeadlineRecomputed { .. } => {
            let body = format!("节假日安排已公布，{heading}的时限重新核定，{}。", settle_by(assignment));
            decided("时限核定", body)
        }
        AssignmentChange::Milestone(change) => milestone::of_milestone(event, change, matter, book),
        AssignmentChange::SideRoad(road) => side_road::of_side_road(event, road, matter, book),
        AssignmentChange::Pressed(used) => {
            let InstrumentUse { instrument, ground, paper, .. } = used;
            let number = paper.as_ref().map_or_else(String::new, |paper| format!("（{}）", paper.number));
            let (what, ground) = (instrument.chinese(), quoted(task, ground));
            let to_sign = |body| {
                told(task, NoticeKind::Urging, what, body, to_unit())
                    .requiring_signature(matter.ladder(assignment))
            };
            let to_know = |body| {
                let audiences = overseers(task, assignment, matter).into_iter().chain([leader()]).collect();
                told(task, NoticeKind::Decision, what, body, audiences)
            };
            match instrument {
                Instrument::Urging => {
                    let data = NoticeData::SupervisorUrging {
                        task: task_words(task),
                        unit: holder.to_owned(),
                        settle_before: settle_before(assignment),
                        ground,
                    };
                    vec![worded(task, data, to_unit())]
                }
                Instrument::Letter => {
                    let body = format!(
                        "现就{heading}向{holder}发督办函{number}，{}：{ground}",
                        settle_by(assignment)
                    );
                    vec![to_sign(body)]
                }
                Instrument::Interview => {
                    let body = format!("就{heading}约谈{holder}{number}：{ground}");
                    vec![to_sign(body.clone()), to_know(body)]
                }
                Instrument::PublicNotice => {
                    let body = format!("就{heading}的办理情况通报{holder}：{ground}");
                    vec![to_sign(body.clone()), to_know(body)]
                }
                // Whom it is referred to tells the unit.
                Instrument::Accountability => {
                    vec![to_know(format!("{holder}办理{heading}的问题线索已移送问责：{ground}"))]
                }
            }
        }
        AssignmentChange::Overdue => {
            let (unit, settle_before) = (holder.to_owned(), settle_before(assignment));
            let to_sign = NoticeData::RedLight {
                task: task_words(task),
                unit: unit.clone(),
                settle_before: settle_before.clone(),
            };
            let to_know = NoticeData::RedLightOverseer { task: task_words(task), unit, settle_before };
            vec![
                worded(task, to_sign, to_unit()).requiring_signature(matter.ladder(assignment)),
                worded(task, to_know, overseers(task, assignment, matter)),
            ]
        }
        AssignmentChange::Reminded => {
            let (unit, settle_before) = (holder.to_owned(), settle_before(assignment));
            let data = NoticeData::Reminder { task: task_words(task), unit, settle_before };
            vec![worded(task, data, to_unit())]
        }
        AssignmentChange::Urged { stages, .. } => {
            let steps = stages.iter().map(|stage| step(*stage).to_owned()).collect();
            let data = NoticeData::Urging { task: task_words(task), unit: holder.to_owned(), steps };
            vec![worded(task, data, to_unit())]
        }
    }
}

fn assigned(task: &TaskFacts, assignment: &AssignmentFacts, matter: &Matter, book: &Book) -> Notice {
    let due = &assignment.due;
    let limits = [("签收", due.sign), ("部署", due.deploy), ("反馈", due.report), ("办结", due.settle)];
    let limit =
        |(step, due): (&str, Option<_>)| due.map(|due| Limit { step: step.to_owned(), before: before(due) });
    let data = NoticeData::Assignment {
        task: task_words(task),
        unit: unit(book, &assignment.unit).to_owned(),
        role: role(assignment.role).to_owned(),
        limits: limits.into_iter().filter_map(limit).collect(),
    };
    worded(task, data, vec![Audience::UnitLiaison(assignment.unit.clone())])
        .requiring_signature(matter.ladder(assignment))
}

/// What a city may word.
fn worded(task: &TaskFacts, data: NoticeData, audiences: Vec<Audience>) -> Notice {
    Notice::of_data(&task.name, data, audiences)
}

fn told(task: &TaskFacts, kind: NoticeKind, what: &str, body: String, audiences: Vec<Audience>) -> Notice {
    Notice::new(kind, &task.name, format!("{what}：{}", called(task)), body, audiences)
}

fn creator(task: &TaskFacts) -> Audience {
    Audience::Account(task.created_by.clone())
}

fn in_charge_of(unit: &str) -> Audience {
    Audience::LeaderInCharge(unit.to_owned())
}

fn leads(assignments: &[AssignmentFacts]) -> impl Iterator<Item = &AssignmentFacts> {
    assignments.iter().filter(|one| one.role == Role::Lead)
}

/// Whom a unit reports to: whoever entered the task, and the first lead unit when it does
/// not lead itself.
fn overseers(task: &TaskFacts, assignment: &AssignmentFacts, matter: &Matter) -> Vec<Audience> {
    let lead = match assignment.role {
        Role::Lead => None,
        Role::Cooperating | Role::Responsible => matter.lead_unit.clone().map(Audience::UnitLiaison),
    };
    std::iter::once(creator(task)).chain(lead).collect()
}

fn settle_before(assignment: &AssignmentFacts) -> Option<String> {
    assignment.due.settle.map(before)
}

fn settle_by(assignment: &AssignmentFacts) -> String {
    match settle_before(assignment) {
        Some(before) => format!("办结时限为{before}"),
        None => "按台账推进".to_owned(),
    }
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Lead => "牵头单位",
        Role::Cooperating => "配合单位",
        Role::Responsible => "责任单位",
    }
}

fn step(stage: Stage) -> &'static str {
    match stage {
        Stage::Sign => "签收",
        Stage::Deploy => "部署",
        Stage::Report => "反馈",
        Stage::Milestone => "完成节点",
        Stage::Settle => "办结",
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod words;
