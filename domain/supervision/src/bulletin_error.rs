//! [`BulletinError`]: why a command on a bulletin is refused, in words an official understands.

use domain_calendar::Timestamp;

use crate::bulletin::{BulletinAction, BulletinState};
use crate::limit_text::limit_moment;

/// A text that must say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BulletinText {
    /// Why a unit appeals.
    Reason,
    /// On what ground something is decided or withdrawn.
    Ground,
}

/// Why a command is refused. It changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BulletinError {
    /// The bulletin is before or past this action.
    #[error("{action:?} is not possible while the bulletin is {state:?}")]
    State {
        /// What was asked for.
        action: BulletinAction,
        /// Where it stands.
        state: BulletinState,
    },
    /// A text is missing.
    #[error("{0:?} is empty")]
    Empty(BulletinText),
    /// Units have a working day at least.
    #[error("units have until {earliest} at the earliest")]
    TooSoon {
        /// The earliest instant.
        earliest: Timestamp,
    },
    /// The units' time has passed.
    #[error("units could appeal until {before}")]
    CheckOver {
        /// When it ended.
        before: Timestamp,
    },
    /// The units' time has not passed.
    #[error("{unconfirmed} units have until {before} to appeal")]
    CheckRunning {
        /// When it ends.
        before: Timestamp,
        /// How many have not confirmed.
        unconfirmed: usize,
    },
    /// Appeals are undecided.
    #[error("{count} appeals are undecided")]
    AppealsOpen {
        /// How many.
        count: usize,
    },
    /// The unit is not in the bulletin.
    #[error("{unit} has no line in the bulletin")]
    NoLine {
        /// `units/{slug}`.
        unit: String,
    },
    /// The unit has said that its line is right.
    #[error("{unit} has confirmed its line")]
    Confirmed {
        /// `units/{slug}`.
        unit: String,
    },
    /// The unit waits for an answer itself.
    #[error("an appeal of {unit} is undecided")]
    OwnAppealOpen {
        /// `units/{slug}`.
        unit: String,
    },
    /// The line has no such point, or none of that figure.
    #[error("the line has no such point")]
    NoSuchPoint,
    /// The same was appealed before.
    #[error("the same was appealed already")]
    AppealedAlready,
    /// The bulletin has no such appeal.
    #[error("no appeal {name}")]
    NoAppeal {
        /// The resource name asked for.
        name: String,
    },
    /// Somebody decided it already.
    #[error("the appeal is decided")]
    AppealDecided,
    /// Nobody decides about his own unit's appeal.
    #[error("{unit} does not decide about its own appeal")]
    OwnAppeal {
        /// `units/{slug}`.
        unit: String,
    },
    /// What is to be corrected was not appealed, or stands in the line no longer.
    #[error("what is to be corrected is not among what was appealed")]
    NotAppealed,
}

impl BulletinError {
    /// The reason as an official reads it.
    pub fn chinese(&self) -> String {
        match self {
            Self::State { action, state } => format!("通报{}，不能{}", state_said(*state), verb(*action)),
            Self::Empty(BulletinText::Reason) => "请填写申诉理由".to_owned(),
            Self::Empty(BulletinText::Ground) => "请填写理由".to_owned(),
            Self::TooSoon { earliest } => {
                format!("应给单位留出至少一个工作日核对，截止时间不早于{}", limit_moment(*earliest))
            }
            Self::CheckOver { before } => format!("核对已于{}截止", limit_moment(*before)),
            Self::CheckRunning { before, unconfirmed } => {
                format!("尚有{unconfirmed}个单位未核对，须待{}核对截止后签发", limit_moment(*before))
            }
            Self::AppealsOpen { count } => format!("尚有{count}件申诉未处理，处理后方可签发"),
            Self::NoLine { unit } => format!("通报中没有该单位（{unit}）的数据"),
            Self::Confirmed { .. } => "本单位已核对无误，不能再提出".to_owned(),
            Self::OwnAppealOpen { .. } => "本单位的申诉尚未处理，待处理后再核对".to_owned(),
            Self::NoSuchPoint => "本单位的这项数据中没有该条".to_owned(),
            Self::AppealedAlready => "已就同一数据提出过申诉，请勿重复提出".to_owned(),
            Self::NoAppeal { name } => format!("没有这件申诉（{name}）"),
            Self::AppealDecided => "该申诉已经处理".to_owned(),
            Self::OwnAppeal { unit } => format!("不能处理本单位（{unit}）的申诉"),
            Self::NotAppealed => "更正的内容不在申诉范围内，或者已经更正".to_owned(),
        }
    }
}

fn state_said(state: BulletinState) -> &'static str {
    match state {
        BulletinState::Draft => "尚在草拟",
        BulletinState::Checking => "正在征求意见",
        BulletinState::Issued => "已经印发",
        BulletinState::Withdrawn => "已经撤回",
    }
}

fn verb(action: BulletinAction) -> &'static str {
    match action {
        BulletinAction::Recompute => "重新计算",
        BulletinAction::Check => "征求意见",
        BulletinAction::Confirm => "核对",
        BulletinAction::Appeal => "申诉",
        BulletinAction::DecideAppeal => "处理申诉",
        BulletinAction::Sign => "签发",
        BulletinAction::Withdraw => "撤回",
    }
}
