//! The supervisor's instruments, in order of weight: 催办, 督办函, 约谈, 通报, 问责. The reminder (提醒)
//! that comes before them is sent by a timer alone.
//!
//! Each is recorded with its ground, and by whom and when with its event. None is used over a unit
//! whose clock stands still, and none before the lighter ones were, unless a leader says so.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::assignment::{Action, Assignment};
use crate::deadline::{ClockPhase, clocks};
use crate::decide::{Context, happened, said};
use crate::error::{NotEmpty, SupervisionError};
use crate::event::{AssignmentChange, TaskEvent};
use crate::light::{Light, light};
use crate::paper::PaperKind;
use crate::task::Task;
use crate::timers::TimerKind;

/// An instrument, from the lightest to the heaviest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Instrument {
    /// 催办.
    Urging,
    /// 督办函: needs a supervisor's signature.
    Letter,
    /// 约谈: needs a leader's decision, as all that follow.
    Interview,
    /// 通报.
    PublicNotice,
    /// 问责, as a referral: nothing is imposed here.
    Accountability,
}

/// The use of an instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstrumentUse {
    /// Which.
    pub instrument: Instrument,
    /// Why; must not be empty.
    pub ground: String,
    /// The document of the leader's decision; empty when the leader decides by this itself, or
    /// when none is needed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub decision: String,
    /// A leader decides by this itself.
    #[serde(default)]
    pub by_leader: bool,
    /// The leader says that lighter ones may be passed over.
    #[serde(default)]
    pub skip_lighter: bool,
    /// The numbered paper that it was sent as; none for what is no paper, and until it is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper: Option<PaperReference>,
}

/// A numbered paper, as what it belongs to names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaperReference {
    /// `papers/{id}`.
    pub name: String,
    /// 发文字号 as printed.
    pub number: String,
}

impl Instrument {
    /// Every one, from the lightest.
    pub const ALL: [Instrument; 5] =
        [Self::Urging, Self::Letter, Self::Interview, Self::PublicNotice, Self::Accountability];

    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Urging => "催办",
            Self::Letter => "督办函",
            Self::Interview => "约谈",
            Self::PublicNotice => "通报",
            Self::Accountability => "问责移送",
        }
    }

    /// What using it is called, in Chinese.
    pub const fn used(self) -> &'static str {
        match self {
            Self::Letter => "发督办函",
            Self::Urging | Self::Interview | Self::PublicNotice | Self::Accountability => self.chinese(),
        }
    }

    /// Whether a named leader must decide on it, whatever the rule says.
    pub const fn needs_leader(self) -> bool {
        match self {
            Self::Urging | Self::Letter => false,
            Self::Interview | Self::PublicNotice | Self::Accountability => true,
        }
    }

    /// The paper that is sent with it. A public notice is a bulletin of many units, drawn up for
    /// itself.
    pub const fn paper(self) -> Option<PaperKind> {
        match self {
            Self::Letter => Some(PaperKind::Letter),
            Self::Interview => Some(PaperKind::Interview),
            Self::Urging | Self::PublicNotice | Self::Accountability => None,
        }
    }

    /// The one that comes before it.
    const fn lighter(self) -> Option<Instrument> {
        match self {
            Self::Urging => None,
            Self::Letter => Some(Self::Urging),
            Self::Interview => Some(Self::Letter),
            Self::PublicNotice => Some(Self::Interview),
            Self::Accountability => Some(Self::PublicNotice),
        }
    }

    pub(crate) const fn event_type(self) -> &'static str {
        match self {
            Self::Urging => "supervision.assignment.pressed",
            Self::Letter => "supervision.assignment.letter_sent",
            Self::Interview => "supervision.assignment.interviewed",
            Self::PublicNotice => "supervision.assignment.publicly_noticed",
            Self::Accountability => "supervision.assignment.referred",
        }
    }
}

impl InstrumentUse {
    /// As officials read it. `unit` is what people call the holder.
    pub(crate) fn describe(&self, unit: &str) -> String {
        let ground = &self.ground;
        let decision = match self.decision.as_str() {
            "" => String::new(),
            decision => format!("（依据：{decision}）"),
        };
        let number = match &self.paper {
            None => String::new(),
            Some(paper) => format!("（{}）", paper.number),
        };
        match self.instrument {
            Instrument::Urging => format!("催办{unit}：{ground}"),
            Instrument::Letter => format!("向{unit}发督办函{number}：{ground}"),
            Instrument::Interview => format!("约谈{unit}{number}{decision}：{ground}"),
            Instrument::PublicNotice => format!("通报{unit}{decision}：{ground}"),
            Instrument::Accountability => format!("将{unit}的问题线索移送问责{decision}：{ground}"),
        }
    }
}

impl Assignment {
    /// When the unit was last urged, by a timer or a supervisor.
    pub fn last_urged_at(&self) -> Option<Timestamp> {
        let by_timer = [
            TimerKind::SignDue,
            TimerKind::DeployDue,
            TimerKind::ReportDue,
            TimerKind::MilestoneDue,
            TimerKind::SettleDue,
        ];
        let by_timer = by_timer.iter().filter_map(|kind| self.fired.get(kind));
        by_timer.chain(self.instruments.get(&Instrument::Urging)).copied().max()
    }

    fn was_used(&self, instrument: Instrument) -> bool {
        match instrument {
            Instrument::Urging => self.last_urged_at().is_some(),
            Instrument::Letter
            | Instrument::Interview
            | Instrument::PublicNotice
            | Instrument::Accountability => self.instruments.contains_key(&instrument),
        }
    }
}

/// The event that follows, or why it is refused.
pub(crate) fn decide(
    task: &Task,
    assignment: &Assignment,
    asked: &InstrumentUse,
    context: &Context<'_>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    assignment.state.after(Action::Press)?;
    let clocks = clocks(task, assignment, context.rule, context.calendar);
    if clocks.phase == ClockPhase::Held {
        return Err(SupervisionError::ClockHeld);
    }
    let instrument = asked.instrument;
    if light(&clocks.stored(), context.now) < Light::Yellow {
        return Err(SupervisionError::NotDueYet { instrument });
    }
    let ground = said(&asked.ground, NotEmpty::InstrumentGround)?;
    let decision = asked.decision.trim().to_owned();
    let leader_says = asked.by_leader || !decision.is_empty();
    let ladder = &context.rule.ladder;
    if ladder.leader_signs.contains(&instrument) && !leader_says {
        return Err(SupervisionError::NeedsLeader { instrument });
    }
    if let Some(lighter) = instrument.lighter().filter(|lighter| !assignment.was_used(*lighter))
        && !(asked.skip_lighter && leader_says)
    {
        return Err(SupervisionError::LighterFirst { instrument, lighter });
    }
    if instrument == Instrument::Urging
        && let Some(until) = assignment.last_urged_at().map(|at| at.saturating_add(ladder.cool_down()))
        && context.now < until
    {
        return Err(SupervisionError::UrgedJustNow { until });
    }
    let change = AssignmentChange::Pressed(InstrumentUse { ground, decision, ..asked.clone() });
    Ok(vec![happened(task, assignment, change, context)])
}
