//! [`Terms`]: what sets a task apart in how its clocks run: its kind, an event it waits for, the
//! moment at which an emergency occurred, whether it demands evidence.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::error::{NotEmpty, SupervisionError};
use crate::rule::{Span, later_by_days, later_by_months};
use crate::task::Task;

/// Characters of the words for an event that is waited for.
const LONGEST_EVENT: usize = 200;

/// What a task goes back to. A rule may set other limits for a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskKind {
    /// 批示: a leader's written instruction.
    Instruction,
    /// 会议决定.
    MeetingDecision,
    /// 政府工作报告.
    WorkReport,
    /// 专班提请: escalated by a working group.
    Escalated,
    /// 批复: an approval with a later duty.
    Approval,
    /// 督查整改: a finding of an inspection.
    Finding,
    /// 突发事件: its clocks run in minutes from the moment it occurred, by day and night.
    Emergency,
}

/// What sets a task apart in how its clocks run. By default nothing does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terms {
    /// What it goes back to, where that is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<TaskKind>,
    /// It is not submitted without evidence, whatever the rule says.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub evidence: bool,
    /// The event it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaits: Option<Awaited>,
    /// When the emergency occurred, as it is known now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
}

/// An event that a task waits for, for example that a case is closed (一事一等). No clock of the
/// task runs before it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Awaited {
    /// In words.
    pub event: String,
    /// The matter is not to be completed earlier than this after the event.
    pub earliest: Span,
    /// Nor later than this.
    pub latest: Span,
}

/// That the awaited event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// The day on which it happened, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub on: Date,
    /// When that was first recorded: the clocks start.
    pub at: Timestamp,
}

impl TaskKind {
    /// Every kind, in the order of the API.
    pub const ALL: [TaskKind; 7] = [
        Self::Instruction,
        Self::MeetingDecision,
        Self::WorkReport,
        Self::Escalated,
        Self::Approval,
        Self::Finding,
        Self::Emergency,
    ];

    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Instruction => "领导批示",
            Self::MeetingDecision => "会议决定",
            Self::WorkReport => "政府工作报告",
            Self::Escalated => "专班提请",
            Self::Approval => "批复",
            Self::Finding => "督查整改",
            Self::Emergency => "突发事件",
        }
    }
}

impl Terms {
    /// Whether the task is told of at whatever hour.
    pub fn are_urgent(&self) -> bool {
        self.kind == Some(TaskKind::Emergency)
    }

    /// Whether nothing sets the task apart.
    pub fn are_plain(&self) -> bool {
        *self == Terms::default()
    }

    /// Refuses terms that do not go together, or lie ahead.
    pub(crate) fn check(&self, due_date: Option<Date>, now: Timestamp) -> Result<(), SupervisionError> {
        match (self.kind == Some(TaskKind::Emergency), self.occurred_at) {
            (true, None) => return Err(SupervisionError::NoOccurrence),
            (false, Some(_)) => return Err(SupervisionError::OccurrenceOfNone),
            (true, Some(at)) if at > now => return Err(SupervisionError::OccurrenceAhead { at }),
            (true, Some(_)) | (false, None) => {}
        }
        let Some(awaited) = &self.awaits else { return Ok(()) };
        if awaited.event.trim().is_empty() {
            return Err(SupervisionError::Empty(NotEmpty::AwaitedEvent));
        }
        let in_days = |span: Span| match span {
            Span::Days(days) if days <= 3_660 => Some(days),
            Span::Months(months) if months <= 120 => Some(months * 30),
            Span::Days(_) | Span::Months(_) | Span::Minutes(_) => None,
        };
        let in_order = match (in_days(awaited.earliest), in_days(awaited.latest)) {
            (Some(earliest), Some(latest)) => earliest <= latest && latest > 0,
            (None, _) | (_, None) => false,
        };
        let fits = in_order && awaited.event.chars().count() <= LONGEST_EVENT;
        if !fits || due_date.is_some() || self.occurred_at.is_some() {
            return Err(SupervisionError::AwaitedWrongly);
        }
        Ok(())
    }
}

impl Awaited {
    /// The first day on which the matter may be completed, if the event happened on a day.
    pub fn first_day(&self, on: Date) -> Date {
        after(on, self.earliest)
    }

    /// The last one.
    pub fn last_day(&self, on: Date) -> Date {
        after(on, self.latest)
    }
}

impl Task {
    /// Whether it is told at whatever hour.
    pub fn is_urgent(&self) -> bool {
        self.terms.are_urgent()
    }

    /// What it waits for, while that is not recorded.
    pub fn awaited(&self) -> Option<&Awaited> {
        self.terms.awaits.as_ref().filter(|_| self.happened.is_none())
    }

    /// Refuses what is about a clock while none runs, because an event is waited for.
    pub(crate) fn check_clock_runs(&self) -> Result<(), SupervisionError> {
        match self.awaited() {
            Some(awaited) => Err(SupervisionError::StillAwaited { event: awaited.event.clone() }),
            None => Ok(()),
        }
    }

    /// Its last day, where one is named: by the document, or by the event it waited for; else the
    /// last of its milestones.
    pub fn last_day(&self) -> Option<Date> {
        match (&self.terms.awaits, self.happened) {
            (Some(awaited), Some(recorded)) => self.due_date.or(Some(awaited.last_day(recorded.on))),
            (Some(_), None) => self.due_date,
            (None, _) => self.due_date.or(self.last_milestone()),
        }
    }

    fn last_milestone(&self) -> Option<Date> {
        self.milestones.iter().map(|one| one.last_day).max()
    }

    /// The first day on which it may be completed, where the event it waited for sets one.
    pub fn first_day(&self) -> Option<Date> {
        let awaited = self.terms.awaits.as_ref().zip(self.happened);
        awaited.map(|(awaited, recorded)| awaited.first_day(recorded.on))
    }
}

fn after(day: Date, span: Span) -> Date {
    match span {
        Span::Days(days) => later_by_days(day, days),
        Span::Months(months) => later_by_months(day, months),
        // No event is waited for in minutes: the terms are checked.
        Span::Minutes(_) => day,
    }
}
