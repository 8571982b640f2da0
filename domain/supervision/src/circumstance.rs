//! What becomes known of a task while it is under way and changes how its clocks run or who
//! decides on it: that the event it waits for happened, when an emergency occurred, whom the mayor
//! designated. Each is on record and can be corrected, with what was said before.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::{Action, Assignment, Stage};
use crate::deadline::clocks;
use crate::decide::{Context, facts, said};
use crate::error::{NotEmpty, SupervisionError};
use crate::event::{AssignmentFacts, TaskChange, TaskEvent, TaskFacts};
use crate::limits::Decider;
use crate::paper::chinese_day;
use crate::task::{Task, TaskState};
use crate::terms::Recorded;

/// What becomes known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CircumstanceCommand {
    /// The event that the task waits for happened.
    RecordEvent {
        /// The day, Asia/Shanghai.
        on: Date,
        /// By what it is known; must not be empty.
        ground: String,
    },
    /// The emergency occurred at another moment than was said.
    CorrectOccurrence {
        /// The moment.
        at: Timestamp,
        /// By what it is known; must not be empty.
        ground: String,
    },
    /// The mayor designates the leader who decides on the task's assignments.
    Designate {
        /// `officials/{id}`; none: nobody any more.
        official: Option<String>,
        /// Why; may be empty.
        ground: String,
    },
}

/// What has become known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "circumstance", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Circumstance {
    /// 所等待的事件已发生: its clocks start, or run from another day.
    EventRecorded {
        /// What was waited for.
        event: String,
        /// The day, Asia/Shanghai.
        #[serde(with = "crate::date_text::whole")]
        on: Date,
        /// The day that was recorded before; none: the clocks start.
        #[serde(with = "crate::date_text", default)]
        previous: Option<Date>,
        /// By what it is known.
        ground: String,
        /// What counts as late no more, by assignment.
        #[serde(default)]
        in_time: BTreeMap<String, Vec<Stage>>,
    },
    /// 更正发生时间: its clocks run from another moment.
    OccurrenceCorrected {
        /// The moment as it was known before.
        from: Timestamp,
        /// As it is known now.
        to: Timestamp,
        /// By what.
        ground: String,
        /// What counts as late no more, by assignment.
        #[serde(default)]
        in_time: BTreeMap<String, Vec<Stage>>,
    },
    /// 指定领导.
    Designated {
        /// `officials/{id}`; none: nobody any more.
        official: Option<String>,
        /// Who was designated before.
        #[serde(default)]
        previous: Option<String>,
        /// Why; may be empty.
        ground: String,
    },
}

impl CircumstanceCommand {
    /// Whether it corrects what is on record so that the task's units get more time by it.
    pub fn gives_time(&self, task: &Task) -> bool {
        match self {
            Self::RecordEvent { on, .. } => task.happened.is_some_and(|recorded| *on > recorded.on),
            Self::CorrectOccurrence { at, .. } => task.terms.occurred_at.is_some_and(|from| *at > from),
            Self::Designate { .. } => false,
        }
    }
}

/// The event that follows, or why it is refused; none when it is known already.
pub(crate) fn decide(
    task: &Task,
    command: &CircumstanceCommand,
    context: &Context<'_>,
) -> Result<Option<TaskEvent>, SupervisionError> {
    match task.state {
        TaskState::Issued => {}
        state @ (TaskState::Draft | TaskState::StruckOff | TaskState::Withdrawn) => {
            return Err(SupervisionError::TaskRefused { action: Action::Circumstance, state });
        }
    }
    let circumstance = match command {
        CircumstanceCommand::RecordEvent { on, ground } => {
            let awaited = task.terms.awaits.as_ref().ok_or(SupervisionError::AwaitsNothing)?;
            let ground = said(ground, NotEmpty::EventGround)?;
            if *on > context.now.day() {
                return Err(SupervisionError::EventAhead { day: *on });
            }
            let previous = task.happened.map(|recorded| recorded.on);
            if previous == Some(*on) {
                return Ok(None);
            }
            let event = awaited.event.clone();
            Circumstance::EventRecorded { event, on: *on, previous, ground, in_time: BTreeMap::new() }
        }
        CircumstanceCommand::CorrectOccurrence { at, ground } => {
            let from = task.terms.occurred_at.ok_or(SupervisionError::OccurrenceOfNone)?;
            let ground = said(ground, NotEmpty::OccurrenceGround)?;
            if *at > context.now {
                return Err(SupervisionError::OccurrenceAhead { at: *at });
            }
            if *at == from {
                return Ok(None);
            }
            Circumstance::OccurrenceCorrected { from, to: *at, ground, in_time: BTreeMap::new() }
        }
        CircumstanceCommand::Designate { official, ground } => {
            if *official == task.designated {
                return Ok(None);
            }
            if !context.rule.deciders.contains(&Decider::Designated) {
                return Err(SupervisionError::NobodyDesignated);
            }
            let (official, previous) = (official.clone(), task.designated.clone());
            Circumstance::Designated { official, previous, ground: ground.trim().to_owned() }
        }
    };
    let mut after = task.clone();
    after.take_circumstance(&circumstance, context.now);
    let circumstance = circumstance.with(in_time(&after, context));
    let before = task.assignments.iter().map(|one| facts(task, one, context)).collect();
    let assignments: Vec<AssignmentFacts> =
        after.assignments.iter().map(|one| facts(&after, one, context)).collect();
    let change = TaskChange::Circumstance { circumstance, before, assignments };
    Ok(Some(TaskEvent::on_task(TaskFacts::of(&after), context.now, change)))
}

/// What was counted late and is not, by the clocks as they are now. A step that was done in time
/// and would be late by them stays in time: nobody could know.
fn in_time(task: &Task, context: &Context<'_>) -> BTreeMap<String, Vec<Stage>> {
    let stages = |one: &Assignment| -> Vec<Stage> {
        let due = clocks(task, one, context.rule, context.calendar).due;
        let in_time = |stage: &Stage| {
            let (due, done) = match stage {
                Stage::Sign => (due.sign, one.signed_at),
                Stage::Deploy => (due.deploy, one.deployed_at),
                Stage::Report => (due.report, one.last_report_at),
                // Its day is named, and moves by nothing that becomes known.
                Stage::Milestone => (None, None),
                Stage::Settle => (due.settle, one.completed_at.or(one.submitted_at)),
            };
            due.is_some_and(|due| done.unwrap_or(context.now) < due)
        };
        one.late.iter().copied().filter(in_time).collect()
    };
    let all = task.assignments.iter().map(|one| (one.name.clone(), stages(one)));
    all.filter(|(_, stages)| !stages.is_empty()).collect()
}

impl Circumstance {
    fn with(self, stages: BTreeMap<String, Vec<Stage>>) -> Self {
        match self {
            Self::EventRecorded { event, on, previous, ground, in_time: _ } => {
                Self::EventRecorded { event, on, previous, ground, in_time: stages }
            }
            Self::OccurrenceCorrected { from, to, ground, in_time: _ } => {
                Self::OccurrenceCorrected { from, to, ground, in_time: stages }
            }
            designated @ Self::Designated { .. } => designated,
        }
    }

    /// The type it is recorded under.
    pub(crate) fn event_type(&self) -> &'static str {
        match self {
            Self::EventRecorded { .. } => "supervision.task.event_recorded",
            Self::OccurrenceCorrected { .. } => "supervision.task.occurrence_corrected",
            Self::Designated { .. } => "supervision.task.designated",
        }
    }

    /// As officials read it.
    pub fn describe(&self) -> String {
        match self {
            Self::EventRecorded { event, on, previous: None, ground, .. } => {
                format!("{}{event}，开始计时（依据：{ground}）", chinese_day(*on))
            }
            Self::EventRecorded { event, on, previous: Some(previous), ground, .. } => format!(
                "更正{event}的日期：由{}改为{}（依据：{ground}）",
                chinese_day(*previous),
                chinese_day(*on)
            ),
            Self::OccurrenceCorrected { from, to, ground, .. } => {
                format!("更正发生时间：由{}改为{}（依据：{ground}）", minute(*from), minute(*to))
            }
            Self::Designated { official, ground, .. } => {
                let ground = if ground.is_empty() { String::new() } else { format!("：{ground}") };
                match official {
                    Some(official) => format!("指定{official}决定本事项的延期、挂账等{ground}"),
                    None => format!("撤销指定领导{ground}"),
                }
            }
        }
    }
}

fn minute(at: Timestamp) -> String {
    let time = at.time_of_day();
    format!("{}{:02}:{:02}", chinese_day(at.day()), time.hour(), time.minute())
}

impl Task {
    pub(crate) fn take_circumstance(&mut self, circumstance: &Circumstance, at: Timestamp) {
        match circumstance {
            Circumstance::EventRecorded { on, in_time, .. } => {
                let at = self.happened.map_or(at, |recorded| recorded.at);
                self.happened = Some(Recorded { on: *on, at });
                self.count_anew();
                self.forgive(in_time);
            }
            Circumstance::OccurrenceCorrected { to, in_time, .. } => {
                self.terms.occurred_at = Some(*to);
                self.count_anew();
                self.forgive(in_time);
            }
            Circumstance::Designated { official, .. } => self.designated.clone_from(official),
        }
    }

    /// The clocks run from another moment: nothing that was counted from the former one is kept.
    fn count_anew(&mut self) {
        for one in &mut self.assignments {
            one.kept = None;
            one.closed_due = None;
            one.closed_rule = None;
        }
    }

    fn forgive(&mut self, in_time: &BTreeMap<String, Vec<Stage>>) {
        for one in &mut self.assignments {
            for stage in in_time.get(&one.name).into_iter().flatten() {
                one.late.remove(stage);
            }
        }
    }
}
