//! [`decide`]: a command becomes events, or a reason why not.

use domain_attachment::Attachment;
use domain_calendar::{Calendar, Timestamp};
use time::Date;

use crate::assignment::{Action, Assignment, AssignmentState, Stage};
use crate::circumstance::{self, CircumstanceCommand};
use crate::content::Content;
use crate::cooperating;
use crate::deadline::clocks;
use crate::error::{NotEmpty, SupervisionError};
use crate::event::{AssignmentChange, AssignmentEvent, AssignmentFacts, TaskChange, TaskEvent, TaskFacts};
use crate::extension;
use crate::figure::{self, GiveFigure};
use crate::instruction::{Instruction, instruct};
use crate::instrument::{self, InstrumentUse};
use crate::milestone::{self, MilestoneCommand};
use crate::resemblance::KnownTask;
use crate::revise::revise;
use crate::rule::Rule;
use crate::shared_report::SharedReport;
use crate::side_road::{self, SideRoadCommand};
use crate::task::{Task, TaskDraft, TaskState};

/// What a decision depends on beside the task: the rule it runs by, the calendar, now.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The version the task was issued under; for issuing, the one in force.
    pub rule: &'a Rule,
    /// The calendar as published.
    pub calendar: &'a Calendar,
    /// The instant of the command.
    pub now: Timestamp,
}

/// What can be asked of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// 交办 of the draft to every unit.
    Issue {
        /// Each unit is told of it with all else that its document gives it.
        with_document: bool,
    },
    /// 修订.
    Revise {
        /// What the task is to say.
        content: Box<Content>,
        /// Why; must not be empty once the task is issued.
        ground: String,
    },
    /// 撤销.
    Withdraw {
        /// Why; must not be empty.
        ground: String,
    },
    /// 并入事项.
    JoinMatter {
        /// `matters/{id}`.
        matter: String,
        /// What the matter is called.
        title: String,
        /// Why; must not be empty.
        ground: String,
    },
    /// 移出事项.
    LeaveMatter {
        /// `matters/{id}`.
        matter: String,
        /// What the matter is called.
        title: String,
        /// Why; must not be empty.
        ground: String,
    },
    /// Something has become known.
    Circumstance(CircumstanceCommand),
    /// 填报或更正指标数据.
    GiveFigure(GiveFigure),
    /// What is asked of one assignment.
    Assignment {
        /// Its resource name.
        name: String,
        /// What is asked.
        command: AssignmentCommand,
    },
    /// 批示.
    Instruct(Box<Instruction>),
    /// 增加配合单位.
    AddCooperating {
        /// `units/{slug}`, none that the task names already.
        units: Vec<String>,
        /// Why; may be empty.
        ground: String,
    },
}

/// What can be asked of one assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignmentCommand {
    /// 签收.
    Sign,
    /// 部署.
    Deploy {
        /// The plan; may be empty.
        plan: String,
    },
    /// 反馈.
    Report {
        /// The progress; must not be empty.
        text: String,
        /// Evidence; may be empty.
        attachments: Vec<Attachment>,
    },
    /// 反馈, by a report that answers several tasks of a matter.
    ReportWithMatter {
        /// The progress; must not be empty.
        text: String,
        /// The report.
        shared: SharedReport,
        /// Files that belong to it.
        attachments: Vec<Attachment>,
    },
    /// 申请办结.
    Submit {
        /// The result; must not be empty.
        text: String,
        /// Evidence; may be empty.
        attachments: Vec<Attachment>,
    },
    /// 申请延期.
    RequestExtension {
        /// The last day asked for, Asia/Shanghai.
        last_day: Date,
        /// Why; must not be empty.
        reason: String,
    },
    /// 同意或不同意延期.
    DecideExtension {
        /// Grants it, or refuses it.
        grant: bool,
        /// Must not be empty when refusing.
        note: String,
    },
    /// 节点 reached, or sent back.
    Milestone(MilestoneCommand),
    /// What lies beside the road to striking it off.
    SideRoad(SideRoadCommand),
    /// 催办 or a heavier instrument.
    Press(InstrumentUse),
    /// 核验.
    Verify {
        /// Strikes it off, or sends it back.
        accept: bool,
        /// Must not be empty when sending back.
        note: String,
        /// Every unit the verifier belongs to: none of them may hold the assignment.
        verifier_units: Vec<String>,
    },
}

/// Enters a draft at an instant.
pub fn create(draft: TaskDraft, now: Timestamp) -> Result<TaskEvent, SupervisionError> {
    create_knowing(draft, Vec::new(), now)
}

/// The same by somebody who knows of open tasks that ask the same of the same unit.
pub fn create_knowing(
    draft: TaskDraft,
    known: Vec<KnownTask>,
    now: Timestamp,
) -> Result<TaskEvent, SupervisionError> {
    draft.check()?;
    draft.terms.check(draft.due_date, now)?;
    let facts = TaskFacts::of(&Task::from_draft(&draft));
    Ok(TaskEvent::on_task(facts, now, TaskChange::Created { draft: Box::new(draft), known }))
}

/// The events that follow from a command, in order, or why it is refused. Changes nothing:
/// the events are applied by [`Task::apply`].
pub fn decide(
    task: &Task,
    command: &Command,
    context: &Context<'_>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    match command {
        Command::Issue { with_document } => issue(task, *with_document, context).map(|event| vec![event]),
        Command::Revise { content, ground } => {
            Ok(revise(task, content, ground, context)?.into_iter().collect())
        }
        Command::Withdraw { ground } => withdraw(task, ground, context).map(|event| vec![event]),
        Command::JoinMatter { matter, title, ground } => {
            join_matter(task, (matter, title), ground, context).map(|event| vec![event])
        }
        Command::LeaveMatter { matter, title, ground } => {
            leave_matter(task, (matter, title), ground, context).map(|event| vec![event])
        }
        Command::Circumstance(command) => {
            Ok(circumstance::decide(task, command, context)?.into_iter().collect())
        }
        Command::GiveFigure(asked) => Ok(figure::give(task, asked, context)?.into_iter().collect()),
        Command::Instruct(asked) => instruct(task, asked, context).map(|event| vec![event]),
        Command::AddCooperating { units, ground } => {
            cooperating::add(task, units, ground, context).map(|event| vec![event])
        }
        Command::Assignment { name, command } => {
            let assignment = task.assignment(name)?;
            match command {
                AssignmentCommand::Sign => {
                    step(task, assignment, Action::Sign, AssignmentChange::Signed, context)
                }
                AssignmentCommand::Deploy { plan } => {
                    let plan = plan.trim().to_owned();
                    step(task, assignment, Action::Deploy, AssignmentChange::Deployed { plan }, context)
                }
                AssignmentCommand::Report { text, attachments } => {
                    assignment.state.after(Action::Report)?;
                    let text = said(text, NotEmpty::Report)?;
                    let attachments = proof(task, Stage::Report, attachments, context)?;
                    let change = AssignmentChange::Reported { text, shared: None, attachments };
                    step(task, assignment, Action::Report, change, context)
                }
                AssignmentCommand::ReportWithMatter { text, shared, attachments } => {
                    assignment.state.after(Action::Report)?;
                    let text = said(text, NotEmpty::Report)?;
                    let attachments = proof(task, Stage::Report, attachments, context)?;
                    let change =
                        AssignmentChange::Reported { text, shared: Some(shared.clone()), attachments };
                    step(task, assignment, Action::Report, change, context)
                }
                AssignmentCommand::Submit { text, attachments } => {
                    assignment.state.after(Action::Submit)?;
                    let text = said(text, NotEmpty::Submission)?;
                    not_before_its_time(task, context)?;
                    let attachments = proof(task, Stage::Settle, attachments, context)?;
                    let request_waited = assignment.request_waited(context.now);
                    let change = AssignmentChange::Submitted { text, request_waited, attachments };
                    step(task, assignment, Action::Submit, change, context)
                }
                AssignmentCommand::RequestExtension { last_day, reason } => {
                    extension::request(task, assignment, *last_day, reason, context)
                }
                AssignmentCommand::DecideExtension { grant, note } => {
                    extension::answer(task, assignment, *grant, note, context)
                }
                AssignmentCommand::Milestone(command) => {
                    milestone::decide(task, assignment, command, context)
                }
                AssignmentCommand::SideRoad(command) => side_road::decide(task, assignment, command, context),
                AssignmentCommand::Press(asked) => instrument::decide(task, assignment, asked, context),
                AssignmentCommand::Verify { accept, note, verifier_units } => {
                    if verifier_units.contains(&assignment.unit) {
                        return Err(SupervisionError::OwnWork { unit: assignment.unit.clone() });
                    }
                    if *accept {
                        accept_completion(task, assignment, note, context)
                    } else {
                        send_back(task, assignment, note, context)
                    }
                }
            }
        }
    }
}

fn issue(task: &Task, with_document: bool, context: &Context<'_>) -> Result<TaskEvent, SupervisionError> {
    match task.state {
        TaskState::Draft => {}
        state @ (TaskState::Issued | TaskState::StruckOff | TaskState::Withdrawn) => {
            return Err(SupervisionError::TaskRefused { action: Action::Issue, state });
        }
    }
    task.check_issuable()?;
    if let Some(due_date) = task.last_day().filter(|due| *due < context.now.day()) {
        return Err(SupervisionError::DueBeforeIssue { due_date, issue_time: context.now });
    }
    let mut assignments = Vec::with_capacity(task.assignments.len());
    for one in &task.assignments {
        one.state.after(Action::Issue)?;
        let mut issued = one.clone();
        issued.issue(context.now);
        assignments.push(facts(task, &issued, context));
    }
    let change = TaskChange::Issued { rule_version: context.rule.version, assignments, with_document };
    Ok(TaskEvent::on_task(TaskFacts::of(task), context.now, change))
}

fn withdraw(task: &Task, ground: &str, context: &Context<'_>) -> Result<TaskEvent, SupervisionError> {
    match task.state {
        TaskState::Draft | TaskState::Issued => {}
        state @ (TaskState::StruckOff | TaskState::Withdrawn) => {
            return Err(SupervisionError::TaskRefused { action: Action::Withdraw, state });
        }
    }
    let ground = said(ground, NotEmpty::WithdrawalGround)?;
    // What a unit has already settled stays settled.
    let assignments = task
        .assignments
        .iter()
        .filter(|one| one.state.after(Action::Withdraw).is_ok())
        .map(|one| facts(task, one, context))
        .collect();
    Ok(TaskEvent::on_task(TaskFacts::of(task), context.now, TaskChange::Withdrawn { ground, assignments }))
}

/// A task in any state may be linked: what was done before answers for the same matter.
fn join_matter(
    task: &Task,
    (matter, title): (&str, &str),
    ground: &str,
    context: &Context<'_>,
) -> Result<TaskEvent, SupervisionError> {
    if let Some(matter) = &task.matter {
        return Err(SupervisionError::InMatter { task: task.name.clone(), matter: matter.clone() });
    }
    let ground = said(ground, NotEmpty::LinkGround)?;
    let change = TaskChange::JoinedMatter { matter: matter.to_owned(), title: title.to_owned(), ground };
    Ok(TaskEvent::on_task(TaskFacts::of(task), context.now, change))
}

fn leave_matter(
    task: &Task,
    (matter, title): (&str, &str),
    ground: &str,
    context: &Context<'_>,
) -> Result<TaskEvent, SupervisionError> {
    if task.matter.as_deref() != Some(matter) {
        return Err(SupervisionError::NotInMatter { task: task.name.clone() });
    }
    let ground = said(ground, NotEmpty::UnlinkGround)?;
    let change = TaskChange::LeftMatter { matter: matter.to_owned(), title: title.to_owned(), ground };
    Ok(TaskEvent::on_task(TaskFacts::of(task), context.now, change))
}

/// One action, one event.
fn step(
    task: &Task,
    assignment: &Assignment,
    action: Action,
    change: AssignmentChange,
    context: &Context<'_>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    assignment.state.after(action)?;
    Ok(vec![happened(task, assignment, change, context)])
}

fn send_back(
    task: &Task,
    assignment: &Assignment,
    note: &str,
    context: &Context<'_>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    let waited = context.now.since(assignment.submitted_at.unwrap_or(context.now));
    assignment.state.after(Action::SendBack)?;
    let note = said(note, NotEmpty::SendBackNote)?;
    step(task, assignment, Action::SendBack, AssignmentChange::SentBack { note, waited }, context)
}

/// Strikes the assignment off and, if it was the last that settles the task, the task and
/// whatever is still open in it.
fn accept_completion(
    task: &Task,
    assignment: &Assignment,
    note: &str,
    context: &Context<'_>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    assignment.state.after(Action::Accept)?;
    let completed_at = assignment.submitted_at.unwrap_or(context.now);
    let mut events = vec![
        happened(
            task,
            assignment,
            AssignmentChange::Verified { note: note.to_owned(), completed_at },
            context,
        ),
        happened(
            task,
            assignment,
            AssignmentChange::StruckOff {
                completed_at,
                with_task: false,
                counted_from: assignment.counted_from,
            },
            context,
        ),
    ];

    let others_settled = task
        .settling_assignments()
        .all(|one| one.name == assignment.name || one.state == AssignmentState::StruckOff);
    if assignment.role != task.settling_role() || !others_settled {
        return Ok(events);
    }
    let task_completed_at =
        task.settling_assignments().filter_map(|one| one.completed_at).fold(completed_at, Timestamp::max);
    for one in task.assignments.iter().filter(|one| one.name != assignment.name) {
        if one.state.after(Action::CloseWithTask).is_ok() {
            let completed_at = match one.state {
                AssignmentState::Submitted => one.submitted_at.unwrap_or(task_completed_at),
                AssignmentState::Pending
                | AssignmentState::Assigned
                | AssignmentState::Signed
                | AssignmentState::Deployed
                | AssignmentState::InProgress
                | AssignmentState::Returned
                | AssignmentState::Suspended
                | AssignmentState::StruckOff
                | AssignmentState::Withdrawn => task_completed_at,
            };
            let counted_from = one.counted_from;
            let change = AssignmentChange::StruckOff { completed_at, with_task: true, counted_from };
            events.push(happened(task, one, change, context));
        }
    }
    let assignments = task.assignments.iter().map(|one| facts(task, one, context)).collect();
    let change = TaskChange::StruckOff { completed_at: task_completed_at, assignments };
    events.push(TaskEvent::on_task(TaskFacts::of(task), context.now, change));
    Ok(events)
}

/// An event of one assignment: with what it had missed until then and its due times as the
/// change leaves them.
pub(crate) fn happened(
    task: &Task,
    assignment: &Assignment,
    change: AssignmentChange,
    context: &Context<'_>,
) -> TaskEvent {
    // Whoever is closed with the task is judged at its completion, not at the verification.
    let until = match &change {
        AssignmentChange::StruckOff { completed_at, .. } => *completed_at,
        AssignmentChange::SideRoad(change) => change.late_until(assignment).unwrap_or(context.now),
        AssignmentChange::Signed
        | AssignmentChange::Deployed { .. }
        | AssignmentChange::Reported { .. }
        | AssignmentChange::Submitted { .. }
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
        | AssignmentChange::Urged { .. } => context.now,
    };
    let late = clocks(task, assignment, context.rule, context.calendar).owed.missed_at(until);
    let mut after = assignment.clone();
    after.apply(&change, context.now);
    TaskEvent::Assignment(AssignmentEvent {
        task: TaskFacts::of(task),
        assignment: facts(task, &after, context),
        at: context.now,
        late,
        change,
    })
}

/// Refuses a completion before the event that it waits for, or before its time after that.
fn not_before_its_time(task: &Task, context: &Context<'_>) -> Result<(), SupervisionError> {
    task.check_clock_runs()?;
    match task.first_day().filter(|first| context.now.day() < *first) {
        Some(first_day) => Err(SupervisionError::TooEarly { first_day }),
        None => Ok(()),
    }
}

/// What is given as proof of a step, where it is wanted at least one thing.
pub(crate) fn proof(
    task: &Task,
    stage: Stage,
    attachments: &[Attachment],
    context: &Context<'_>,
) -> Result<Vec<Attachment>, SupervisionError> {
    let demanded = task.terms.evidence && stage == Stage::Settle;
    if attachments.is_empty() && (demanded || context.rule.evidence_at.contains(&stage)) {
        return Err(SupervisionError::EvidenceWanted { stage });
    }
    Ok(attachments.to_vec())
}

pub(crate) fn facts(task: &Task, assignment: &Assignment, context: &Context<'_>) -> AssignmentFacts {
    AssignmentFacts::of(assignment, clocks(task, assignment, context.rule, context.calendar).due)
}

pub(crate) fn said(text: &str, what: NotEmpty) -> Result<String, SupervisionError> {
    match text.trim() {
        "" => Err(SupervisionError::Empty(what)),
        said => Ok(said.to_owned()),
    }
}
