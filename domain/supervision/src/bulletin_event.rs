//! [`BulletinEvent`]: what happens to a bulletin, as the log keeps it.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::appeal::Appeal;
use crate::bulletin::UnderWay;
use crate::correction::{Figure, PointKey};
use crate::payload::{PayloadError, read};
use crate::score::{Line, Period, sum};
use crate::score_rule::ScoreRule;

/// Every type of a [`BulletinEvent`]; the aggregate is `bulletins/{id}`.
pub const BULLETIN_EVENT_TYPES: [&str; 10] = [
    "supervision.bulletin.drafted",
    "supervision.bulletin.recomputed",
    "supervision.bulletin.check_begun",
    "supervision.bulletin.confirmed",
    "supervision.bulletin.appealed",
    "supervision.bulletin.appeal_upheld",
    "supervision.bulletin.appeal_refused",
    "supervision.bulletin.ready",
    "supervision.bulletin.issued",
    "supervision.bulletin.withdrawn",
];

/// Something happened to a bulletin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulletinEvent {
    /// To which.
    pub bulletin: BulletinFacts,
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: BulletinChange,
}

/// What every event says of its bulletin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulletinFacts {
    /// `bulletins/{id}`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub period: Period,
    /// `officials/{id}`: the leader who is to sign.
    pub leader: String,
    /// Subject of the account that drafted it.
    pub created_by: String,
}

/// What happens to a bulletin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BulletinChange {
    /// 草拟, with the figures as they were frozen.
    Drafted {
        /// By what they were scored.
        rule: ScoreRule,
        /// What was under way.
        under_way: UnderWay,
        /// By unit.
        lines: Vec<LineFigures>,
    },
    /// 重新计算.
    Recomputed {
        /// By what they were scored.
        rule: ScoreRule,
        /// What was under way.
        under_way: UnderWay,
        /// By unit.
        lines: Vec<LineFigures>,
    },
    /// 征求意见.
    CheckBegun {
        /// Until when (exclusive).
        before: Timestamp,
        /// Of which units.
        units: Vec<String>,
    },
    /// 核对无误.
    Confirmed {
        /// `units/{slug}`.
        unit: String,
    },
    /// 申诉.
    Appealed {
        /// The appeal.
        appeal: Appeal,
    },
    /// 申诉成立.
    AppealUpheld {
        /// `bulletins/{b}/appeals/{n}`.
        appeal: String,
        /// Whose it is.
        unit: String,
        /// The figure.
        figure: Figure,
        /// What is left out of it from now on.
        corrected: Vec<PointKey>,
        /// On what ground.
        ground: String,
    },
    /// 申诉不成立.
    AppealRefused {
        /// `bulletins/{b}/appeals/{n}`.
        appeal: String,
        /// Whose it is.
        unit: String,
        /// The figure.
        figure: Figure,
        /// Why.
        ground: String,
    },
    /// 待签发: the units' time has passed, or all have confirmed, and every appeal is decided.
    Ready,
    /// 印发.
    Issued {
        /// `papers/{id}`.
        paper: String,
        /// 发文字号 as printed.
        number: String,
        /// The units with a line.
        units: Vec<String>,
    },
    /// 撤回.
    Withdrawn {
        /// Why.
        ground: String,
        /// The units that were asked to check it.
        asked: Vec<String>,
    },
}

/// The figures of a line, without where they come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineFigures {
    /// `units/{slug}`.
    pub unit: String,
    /// 按时办结.
    pub on_time: u64,
    /// 逾期.
    pub late: u64,
    /// 逾期天数.
    pub days_overdue: u64,
    /// 退回返工.
    pub returned: u64,
    /// 环节逾期.
    pub late_steps: u64,
}

impl LineFigures {
    /// Of a line.
    pub(crate) fn of(unit: &str, line: &Line) -> Self {
        LineFigures {
            unit: unit.to_owned(),
            on_time: sum(&line.on_time),
            late: sum(&line.late),
            days_overdue: sum(&line.days_overdue),
            returned: sum(&line.returned),
            late_steps: sum(&line.late_steps),
        }
    }
}

impl BulletinEvent {
    /// The type name, one of [`BULLETIN_EVENT_TYPES`].
    pub fn event_type(&self) -> &'static str {
        match self.change {
            BulletinChange::Drafted { .. } => "supervision.bulletin.drafted",
            BulletinChange::Recomputed { .. } => "supervision.bulletin.recomputed",
            BulletinChange::CheckBegun { .. } => "supervision.bulletin.check_begun",
            BulletinChange::Confirmed { .. } => "supervision.bulletin.confirmed",
            BulletinChange::Appealed { .. } => "supervision.bulletin.appealed",
            BulletinChange::AppealUpheld { .. } => "supervision.bulletin.appeal_upheld",
            BulletinChange::AppealRefused { .. } => "supervision.bulletin.appeal_refused",
            BulletinChange::Ready => "supervision.bulletin.ready",
            BulletinChange::Issued { .. } => "supervision.bulletin.issued",
            BulletinChange::Withdrawn { .. } => "supervision.bulletin.withdrawn",
        }
    }

    /// The JSON that stands in the log.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn to_payload(&self) -> Result<Value, PayloadError> {
        serde_json::to_value(self)
            .map_err(|source| PayloadError::Malformed { event_type: self.event_type().to_owned(), source })
    }

    /// Reads a payload; none when it is of another type.
    ///
    /// # Errors
    /// When it is not what its type says.
    pub fn from_payload(event_type: &str, payload: &Value) -> Result<Option<Self>, PayloadError> {
        if !BULLETIN_EVENT_TYPES.contains(&event_type) {
            return Ok(None);
        }
        let event: BulletinEvent = read(event_type, payload)?;
        let found = event.event_type();
        if found != event_type {
            return Err(PayloadError::OtherType { recorded: event_type.to_owned(), found });
        }
        Ok(Some(event))
    }

    /// The event in Chinese, as an act that stands among others. `called` says what people call a
    /// unit.
    pub fn describe(&self, called: &dyn Fn(&str) -> String) -> String {
        let title = &self.bulletin.title;
        match &self.change {
            BulletinChange::Drafted { .. } => format!("草拟《{title}》"),
            BulletinChange::Recomputed { .. } => format!("重新计算《{title}》的数据"),
            BulletinChange::CheckBegun { units, .. } => {
                format!("就《{title}》征求{}个单位意见", units.len())
            }
            BulletinChange::Confirmed { unit } => format!("{}核对《{title}》无误", called(unit)),
            BulletinChange::Appealed { appeal } => {
                let figure = appeal.about.figure.chinese();
                format!("{}对《{title}》的“{figure}”提出申诉：{}", called(&appeal.unit), appeal.reason)
            }
            BulletinChange::AppealUpheld { unit, figure, ground, .. } => {
                format!("{}对《{title}》“{}”的申诉成立：{ground}", called(unit), figure.chinese())
            }
            BulletinChange::AppealRefused { unit, figure, ground, .. } => {
                format!("{}对《{title}》“{}”的申诉不成立：{ground}", called(unit), figure.chinese())
            }
            BulletinChange::Ready => format!("《{title}》核对完毕，待签发"),
            BulletinChange::Issued { number, .. } => format!("签发《{title}》（{number}）"),
            BulletinChange::Withdrawn { ground, .. } => format!("撤回《{title}》：{ground}"),
        }
    }
}
