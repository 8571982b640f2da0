//! What is recalled when: a notice that asks something stands until what it asks for is done or no
//! longer wanted (the city's rule: when a task is struck off, its pending reminders are recalled
//! everywhere).
//!
//! News is never recalled: what happened has happened. Nor is what was signed for.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind, UnknownWord};

/// How something that a unit is asked for comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// 签收: the unit signed for the task in the ledger.
    Signed,
    /// 签收批示: what a leader wrote was signed for in the ledger.
    InstructionSigned,
    /// 申请办结: the unit's clock stands still.
    Submitted,
    /// 退回: the unit says it is not its own, and the supervisor decides.
    Returned,
    /// 挂账: the unit may leave it for now.
    Suspended,
    /// 改派: another unit has it.
    Reassigned,
    /// 销号 of one unit's part.
    PartStruckOff,
    /// 销号 of the task.
    StruckOff,
    /// 撤销.
    Withdrawn,
}

/// What an event brings to its end, because what was asked for is done or no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The task that was asked for, or the instruction that was to be signed for.
    pub task: String,
    /// The unit that was asked; none: every unit.
    pub unit: Option<String>,
    /// How.
    pub ending: Ending,
}

/// What a notice asks of a unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// `units/{slug}`; empty when it is of no unit.
    pub unit: String,
    /// The kind of the notice that asks it, which is not the letter's where several are one.
    pub kind: NoticeKind,
    /// It is asked for after the task was settled, too, until that is withdrawn: figures that are known
    /// later.
    pub outlasts: bool,
}

impl Ending {
    /// Every ending.
    pub const ALL: [Ending; 9] = [
        Self::Signed,
        Self::InstructionSigned,
        Self::Submitted,
        Self::Returned,
        Self::Suspended,
        Self::Reassigned,
        Self::PartStruckOff,
        Self::StruckOff,
        Self::Withdrawn,
    ];

    /// The word it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::InstructionSigned => "instruction_signed",
            Self::Submitted => "submitted",
            Self::Returned => "returned",
            Self::Suspended => "suspended",
            Self::Reassigned => "reassigned",
            Self::PartStruckOff => "part_struck_off",
            Self::StruckOff => "struck_off",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Why a message was recalled, as its reader is told.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Signed => "本单位已在台账中签收该任务",
            Self::InstructionSigned => "该批示已签收",
            Self::Submitted => "承办单位已申请办结",
            Self::Returned => "承办单位已退回，待督查机构决定",
            Self::Suspended => "该任务已挂账",
            Self::Reassigned => "该任务已改派其他单位",
            Self::PartStruckOff => "承办单位承担的工作已销号",
            Self::StruckOff => "该任务已销号",
            Self::Withdrawn => "该任务已撤销",
        }
    }

    /// Whether it recalls what a notice of this kind asks.
    pub const fn recalls(self, kind: NoticeKind) -> bool {
        match kind {
            NoticeKind::Assignment => match self {
                Self::InstructionSigned => false,
                Self::Signed
                | Self::Submitted
                | Self::Returned
                | Self::Suspended
                | Self::Reassigned
                | Self::PartStruckOff
                | Self::StruckOff
                | Self::Withdrawn => true,
            },
            // Signing is not doing: what is reminded of and urged may be all but the signature.
            NoticeKind::Reminder | NoticeKind::Urging | NoticeKind::Light => match self {
                Self::Signed | Self::InstructionSigned => false,
                Self::Submitted
                | Self::Returned
                | Self::Suspended
                | Self::Reassigned
                | Self::PartStruckOff
                | Self::StruckOff
                | Self::Withdrawn => true,
            },
            // Signing for the task is not signing for what a leader wrote on it.
            NoticeKind::Instruction => match self {
                Self::Signed => false,
                Self::InstructionSigned
                | Self::Submitted
                | Self::Returned
                | Self::Suspended
                | Self::Reassigned
                | Self::PartStruckOff
                | Self::StruckOff
                | Self::Withdrawn => true,
            },
            // News; and what climbed asks what it climbed from asks, under that kind.
            NoticeKind::Progress
            | NoticeKind::Decision
            | NoticeKind::Outcome
            | NoticeKind::Handover
            | NoticeKind::Climbed
            | NoticeKind::Digest => match self {
                Self::Signed
                | Self::InstructionSigned
                | Self::Submitted
                | Self::Returned
                | Self::Suspended
                | Self::Reassigned
                | Self::PartStruckOff
                | Self::StruckOff
                | Self::Withdrawn => false,
            },
        }
    }

    /// Whether it ends also what is asked for after the task was settled.
    pub const fn ends_for_good(self) -> bool {
        match self {
            Self::Withdrawn => true,
            Self::Signed
            | Self::InstructionSigned
            | Self::Submitted
            | Self::Returned
            | Self::Suspended
            | Self::Reassigned
            | Self::PartStruckOff
            | Self::StruckOff => false,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Ending {
    type Err = UnknownWord;

    /// Reads the word it is stored under.
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| UnknownWord::new(text))
    }
}

impl Ended {
    /// Whether it ends what a notice of this kind asks of this unit for the task or instruction.
    pub fn ends(&self, unit: &str, kind: NoticeKind, outlasts: bool) -> bool {
        self.unit.as_ref().is_none_or(|ended| ended == unit)
            && self.ending.recalls(kind)
            && (self.ending.ends_for_good() || !outlasts)
    }

    /// The kinds of notices whose asking it ends.
    pub fn kinds(&self) -> impl Iterator<Item = NoticeKind> {
        NoticeKind::ALL.into_iter().filter(|kind| self.ending.recalls(*kind))
    }
}

/// Whether a notice of a kind asks for something, or only tells.
pub(crate) const fn asks(kind: NoticeKind, to_sign: bool) -> bool {
    match kind {
        NoticeKind::Reminder | NoticeKind::Urging | NoticeKind::Light => true,
        NoticeKind::Assignment
        | NoticeKind::Progress
        | NoticeKind::Decision
        | NoticeKind::Outcome
        | NoticeKind::Handover
        | NoticeKind::Climbed
        | NoticeKind::Digest
        | NoticeKind::Instruction => to_sign,
    }
}

/// The notices with [`Audience::WhoeverWasTold`] made those who were: in person, wherever they are by
/// now, and nobody in their place.
#[must_use]
pub fn to_whoever_was_told(notices: Vec<Notice>, told: &BTreeSet<String>) -> Vec<Notice> {
    let resolved = |audience: Audience| match audience {
        Audience::WhoeverWasTold => told.iter().cloned().map(Audience::InPerson).collect(),
        Audience::UnitLiaison(_)
        | Audience::UnitHead(_)
        | Audience::UnitApprovers(_)
        | Audience::LeaderInCharge(_)
        | Audience::Account(_)
        | Audience::Official(_)
        | Audience::InPerson(_)
        | Audience::Post(_)
        | Audience::Presider => vec![audience],
    };
    let with_those = |notice: Notice| Notice {
        audiences: notice.audiences.into_iter().flat_map(resolved).collect(),
        ..notice
    };
    notices.into_iter().map(with_those).collect()
}

#[cfg(test)]
mod tests {
    use super::{Ended, Ending, asks, to_whoever_was_told};
    use crate::audience::Audience;
    use crate::notice::{Notice, NoticeKind as K};

    /// A row for each kind, a column for each of [`Ending::ALL`].
    const TABLE: [(K, [u8; 9]); 11] = [
        (K::Assignment, [1, 0, 1, 1, 1, 1, 1, 1, 1]),
        (K::Progress, [0; 9]),
        (K::Reminder, [0, 0, 1, 1, 1, 1, 1, 1, 1]),
        (K::Urging, [0, 0, 1, 1, 1, 1, 1, 1, 1]),
        (K::Light, [0, 0, 1, 1, 1, 1, 1, 1, 1]),
        (K::Decision, [0; 9]),
        (K::Outcome, [0; 9]),
        (K::Handover, [0; 9]),
        (K::Climbed, [0; 9]),
        (K::Digest, [0; 9]),
        (K::Instruction, [0, 1, 1, 1, 1, 1, 1, 1, 1]),
    ];

    #[test]
    fn each_ending_recalls_what_it_settles_and_nothing_else() {
        assert_eq!(TABLE.map(|(kind, _)| kind), K::ALL, "every kind, once");
        for (kind, row) in TABLE {
            let recalled = Ending::ALL.map(|ending| u8::from(ending.recalls(kind)));
            assert_eq!(recalled, row, "{kind}");
        }
    }

    #[test]
    fn an_ending_is_of_its_unit_and_leaves_what_is_known_later() {
        let ended = |unit: Option<&str>, ending| Ended {
            task: "tasks/1".into(),
            unit: unit.map(str::to_owned),
            ending,
        };
        let of_unit = ended(Some("units/water"), Ending::Submitted);
        assert!(of_unit.ends("units/water", K::Reminder, false));
        assert!(!of_unit.ends("units/finance", K::Reminder, false));
        assert!(!of_unit.ends("units/water", K::Outcome, false));
        assert!(!ended(None, Ending::StruckOff).ends("units/water", K::Reminder, true));
        assert!(ended(None, Ending::Withdrawn).ends("units/water", K::Reminder, true));
    }

    #[test]
    fn what_is_told_is_no_ask_unless_it_must_be_signed_for() {
        let always: Vec<K> = K::ALL.into_iter().filter(|kind| asks(*kind, false)).collect();
        assert_eq!(always, [K::Reminder, K::Urging, K::Light]);
        assert!(K::ALL.into_iter().all(|kind| asks(kind, true)));
    }

    #[test]
    fn every_ending_is_read_back_and_has_its_reason() {
        for ending in Ending::ALL {
            assert_eq!(ending.as_str().parse(), Ok(ending));
            assert!(!ending.chinese().is_empty());
        }
        assert!("forgotten".parse::<Ending>().is_err());
    }

    #[test]
    fn whoever_was_told_is_told_in_person() {
        let told = |audiences| Notice::new(K::Outcome, "tasks/1", "撤销".into(), "撤销".into(), audiences);
        let before = vec![Audience::WhoeverWasTold, Audience::Presider];
        let those = ["officials/one".to_owned(), "officials/two".to_owned()].into();
        let in_person = |name: &str| Audience::InPerson(name.to_owned());
        let after = vec![in_person("officials/one"), in_person("officials/two"), Audience::Presider];
        assert_eq!(to_whoever_was_told(vec![told(before)], &those), [told(after)]);
    }
}
