//! [`Bulletin`]: a 通报 from draft to issue, and its one state machine.
//!
//! A bulletin's figures are frozen when it is drafted. Its units check them: each confirms its
//! line or appeals. Once their time has passed and every appeal is decided, the leader signs, and
//! it is issued. The lines themselves are kept beside the aggregate, which knows whose they are.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::{Calendar, Timestamp};
use serde::{Deserialize, Serialize};

use crate::appeal::{Appeal, AppealState, Contested};
use crate::bulletin_error::{BulletinError, BulletinText};
use crate::bulletin_event::{BulletinChange, BulletinEvent, BulletinFacts, LineFigures};
use crate::correction::PointKey;
use crate::paper::Checked;
use crate::rule::end_of;
use crate::score::{Line, Period};
use crate::score_rule::ScoreRule;

/// Where a bulletin stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BulletinState {
    /// 草拟: its figures can be frozen anew.
    Draft,
    /// 征求意见: its units check it, or have.
    Checking,
    /// 已印发.
    Issued,
    /// 已撤回, before it was issued.
    Withdrawn,
}

/// A bulletin on a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bulletin {
    /// `bulletins/{id}`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub period: Period,
    /// `officials/{id}`: the leader who decides it by his signature.
    pub leader: String,
    /// Subject of the account that drafted it.
    pub created_by: String,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// By what it was scored.
    pub rule: ScoreRule,
    /// When its figures were frozen.
    pub scored_at: Timestamp,
    /// What was under way then.
    pub under_way: UnderWay,
    /// The units with a line, and when each confirmed it.
    pub units: BTreeMap<String, Option<Timestamp>>,
    /// Where it stands.
    pub state: BulletinState,
    /// Until when (exclusive) units may appeal.
    pub check_before: Option<Timestamp>,
    /// In the order in which they came.
    pub appeals: Vec<Appeal>,
    /// Since when it can be signed, as its leader was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
    /// As what it was issued.
    pub issued: Option<IssuedAs>,
    /// Why it was withdrawn.
    pub withdrawal_ground: Option<String>,
    /// The number of its events.
    pub version: i64,
}

/// Tasks under way when figures were frozen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnderWay {
    /// All of them.
    pub all: i64,
    /// Those that were red.
    pub red: i64,
}

/// As what a bulletin was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedAs {
    /// `papers/{id}`.
    pub paper: String,
    /// Its number as printed (发文字号).
    pub number: String,
    /// When.
    pub at: Timestamp,
}

/// Figures as they were frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// By what they were scored.
    pub rule: ScoreRule,
    /// What was under way.
    pub under_way: UnderWay,
    /// By unit.
    pub lines: BTreeMap<String, Line>,
}

/// What somebody who drafts a bulletin says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulletinDraft {
    /// `bulletins/{id}`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub period: Period,
    /// The leader who is to sign.
    pub leader: String,
    /// Subject of the account that drafts it.
    pub created_by: String,
}

/// What can be asked of a bulletin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulletinCommand<'a> {
    /// Freezes the figures anew.
    Recompute(&'a Frozen),
    /// 征求意见 of its units.
    Check {
        /// Until when (exclusive) they may appeal.
        before: Timestamp,
    },
    /// 核对无误, by a unit.
    Confirm {
        /// `units/{slug}`.
        unit: &'a str,
    },
    /// 申诉, by a unit.
    Appeal {
        /// `units/{slug}`.
        unit: &'a str,
        /// What it is about.
        about: &'a Contested,
        /// Why; must not be empty.
        reason: &'a str,
        /// The unit's line, if it has one.
        line: Option<&'a Line>,
    },
    /// 申诉成立, by a supervisor.
    Uphold {
        /// `bulletins/{b}/appeals/{n}`.
        appeal: &'a str,
        /// What is left out, of what was appealed; empty: all of that.
        corrected: &'a [PointKey],
        /// Must not be empty.
        ground: &'a str,
        /// Every unit that the decider belongs to.
        decider_units: &'a [String],
        /// The line of the unit that appealed, as it stands.
        line: Option<&'a Line>,
    },
    /// 申诉不成立, by a supervisor.
    Refuse {
        /// `bulletins/{b}/appeals/{n}`.
        appeal: &'a str,
        /// Must not be empty.
        ground: &'a str,
        /// Every unit that the decider belongs to.
        decider_units: &'a [String],
    },
    /// 签发, by the leader.
    Sign {
        /// `papers/{id}`: what is issued with it.
        paper: &'a str,
        /// Its number as printed.
        number: &'a str,
    },
    /// 撤回.
    Withdraw {
        /// Must not be empty.
        ground: &'a str,
    },
}

/// A command, without what is said with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BulletinAction {
    /// [`BulletinCommand::Recompute`].
    Recompute,
    /// [`BulletinCommand::Check`].
    Check,
    /// [`BulletinCommand::Confirm`].
    Confirm,
    /// [`BulletinCommand::Appeal`].
    Appeal,
    /// [`BulletinCommand::Uphold`] and [`BulletinCommand::Refuse`].
    DecideAppeal,
    /// [`BulletinCommand::Sign`].
    Sign,
    /// [`BulletinCommand::Withdraw`].
    Withdraw,
}

impl BulletinState {
    /// Every state, in the order of a bulletin's life.
    pub const ALL: [BulletinState; 4] = [Self::Draft, Self::Checking, Self::Issued, Self::Withdrawn];

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Checking => "checking",
            Self::Issued => "issued",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether an action is possible at all in this state: the whole of a bulletin's life.
    pub const fn allows(self, action: BulletinAction) -> bool {
        match (self, action) {
            (Self::Draft, BulletinAction::Recompute | BulletinAction::Check | BulletinAction::Withdraw)
            | (
                Self::Checking,
                BulletinAction::Confirm
                | BulletinAction::Appeal
                | BulletinAction::DecideAppeal
                | BulletinAction::Sign
                | BulletinAction::Withdraw,
            ) => true,
            (
                Self::Draft,
                BulletinAction::Confirm
                | BulletinAction::Appeal
                | BulletinAction::DecideAppeal
                | BulletinAction::Sign,
            )
            | (Self::Checking, BulletinAction::Recompute | BulletinAction::Check)
            | (
                Self::Issued | Self::Withdrawn,
                BulletinAction::Recompute
                | BulletinAction::Check
                | BulletinAction::Confirm
                | BulletinAction::Appeal
                | BulletinAction::DecideAppeal
                | BulletinAction::Sign
                | BulletinAction::Withdraw,
            ) => false,
        }
    }
}

impl BulletinAction {
    /// Every action.
    pub const ALL: [BulletinAction; 7] = [
        Self::Recompute,
        Self::Check,
        Self::Confirm,
        Self::Appeal,
        Self::DecideAppeal,
        Self::Sign,
        Self::Withdraw,
    ];
}

impl BulletinCommand<'_> {
    fn action(&self) -> BulletinAction {
        match self {
            Self::Recompute(_) => BulletinAction::Recompute,
            Self::Check { .. } => BulletinAction::Check,
            Self::Confirm { .. } => BulletinAction::Confirm,
            Self::Appeal { .. } => BulletinAction::Appeal,
            Self::Uphold { .. } | Self::Refuse { .. } => BulletinAction::DecideAppeal,
            Self::Sign { .. } => BulletinAction::Sign,
            Self::Withdraw { .. } => BulletinAction::Withdraw,
        }
    }
}

impl Frozen {
    fn figures(&self) -> Vec<LineFigures> {
        self.lines.iter().map(|(unit, line)| LineFigures::of(unit, line)).collect()
    }
}

impl Bulletin {
    /// Drafts a bulletin: its first event.
    pub fn draft(draft: &BulletinDraft, frozen: &Frozen, now: Timestamp) -> BulletinEvent {
        BulletinEvent {
            bulletin: BulletinFacts {
                name: draft.name.clone(),
                title: draft.title.clone(),
                period: draft.period,
                leader: draft.leader.clone(),
                created_by: draft.created_by.clone(),
            },
            at: now,
            change: BulletinChange::Drafted {
                rule: frozen.rule.clone(),
                under_way: frozen.under_way,
                lines: frozen.figures(),
            },
        }
    }

    /// The bulletin that a first event makes; none when it is no first event.
    pub fn begun_by(event: &BulletinEvent) -> Option<Self> {
        let BulletinChange::Drafted { rule, under_way, lines } = &event.change else { return None };
        let BulletinFacts { name, title, period, leader, created_by } = event.bulletin.clone();
        Some(Bulletin {
            name,
            title,
            period,
            leader,
            created_by,
            created_at: event.at,
            rule: rule.clone(),
            scored_at: event.at,
            under_way: *under_way,
            units: lines.iter().map(|line| (line.unit.clone(), None)).collect(),
            state: BulletinState::Draft,
            check_before: None,
            appeals: Vec::new(),
            ready_at: None,
            issued: None,
            withdrawal_ground: None,
            version: 1,
        })
    }

    /// Answers a command with the event that follows, or with the reason why not.
    ///
    /// # Errors
    /// Why not; nothing changes.
    pub fn decide(
        &self,
        command: &BulletinCommand<'_>,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Result<BulletinEvent, BulletinError> {
        let action = command.action();
        if !self.state.allows(action) {
            return Err(BulletinError::State { action, state: self.state });
        }
        let change = match command {
            BulletinCommand::Recompute(frozen) => BulletinChange::Recomputed {
                rule: frozen.rule.clone(),
                under_way: frozen.under_way,
                lines: frozen.figures(),
            },
            BulletinCommand::Check { before } => {
                let earliest = end_of(calendar.working_days_after(now.day(), 1));
                if *before < earliest {
                    return Err(BulletinError::TooSoon { earliest });
                }
                BulletinChange::CheckBegun { before: *before, units: self.units.keys().cloned().collect() }
            }
            BulletinCommand::Confirm { unit } => {
                self.still_checking(unit, now)?;
                if self.appeals.iter().any(|appeal| appeal.unit == **unit && appeal.is_open()) {
                    return Err(BulletinError::OwnAppealOpen { unit: (*unit).to_owned() });
                }
                BulletinChange::Confirmed { unit: (*unit).to_owned() }
            }
            BulletinCommand::Appeal { unit, about, reason, line } => {
                self.appeal(unit, about, reason, *line, now)?
            }
            BulletinCommand::Uphold { appeal, corrected, ground, decider_units, line } => {
                let appeal = self.to_decide(appeal, decider_units)?;
                let contested = line.map(|line| appeal.about.points(line)).unwrap_or_default();
                let corrected = if corrected.is_empty() { &contested } else { *corrected };
                if corrected.is_empty() || !corrected.iter().all(|point| contested.contains(point)) {
                    return Err(BulletinError::NotAppealed);
                }
                let mut corrected = corrected.to_vec();
                corrected.sort();
                corrected.dedup();
                BulletinChange::AppealUpheld {
                    appeal: appeal.name.clone(),
                    unit: appeal.unit.clone(),
                    figure: appeal.about.figure,
                    corrected,
                    ground: said(ground, BulletinText::Ground)?,
                }
            }
            BulletinCommand::Refuse { appeal, ground, decider_units } => {
                let appeal = self.to_decide(appeal, decider_units)?;
                BulletinChange::AppealRefused {
                    appeal: appeal.name.clone(),
                    unit: appeal.unit.clone(),
                    figure: appeal.about.figure,
                    ground: said(ground, BulletinText::Ground)?,
                }
            }
            BulletinCommand::Sign { paper, number } => {
                self.ready_to_sign(now)?;
                BulletinChange::Issued {
                    paper: (*paper).to_owned(),
                    number: (*number).to_owned(),
                    units: self.units.keys().cloned().collect(),
                }
            }
            BulletinCommand::Withdraw { ground } => BulletinChange::Withdrawn {
                ground: said(ground, BulletinText::Ground)?,
                // Nobody else has heard of it.
                asked: match self.check_before {
                    Some(_) => self.units.keys().cloned().collect(),
                    None => Vec::new(),
                },
            },
        };
        Ok(BulletinEvent { bulletin: self.facts(), at: now, change })
    }

    /// Whether it can be signed at an instant: the units' time has passed, or every one has
    /// confirmed, and every appeal is decided.
    ///
    /// # Errors
    /// Why not.
    pub fn ready_to_sign(&self, now: Timestamp) -> Result<(), BulletinError> {
        let (action, state) = (BulletinAction::Sign, self.state);
        let before = self
            .check_before
            .filter(|_| state.allows(action))
            .ok_or(BulletinError::State { action, state })?;
        let open = self.open_appeals();
        if open > 0 {
            return Err(BulletinError::AppealsOpen { count: open });
        }
        let unconfirmed = self.units.len() - self.confirmed();
        if now < before && unconfirmed > 0 {
            return Err(BulletinError::CheckRunning { before, unconfirmed });
        }
        Ok(())
    }

    /// What follows once it can be signed: its leader is told, once.
    pub fn becomes_ready(&self, now: Timestamp) -> Option<BulletinEvent> {
        let ready = self.ready_at.is_none() && self.ready_to_sign(now).is_ok();
        ready.then(|| BulletinEvent { bulletin: self.facts(), at: now, change: BulletinChange::Ready })
    }

    /// The only way a bulletin changes after its first event.
    pub fn apply(&mut self, event: &BulletinEvent) {
        match &event.change {
            BulletinChange::Drafted { rule, under_way, lines }
            | BulletinChange::Recomputed { rule, under_way, lines } => {
                self.rule = rule.clone();
                self.under_way = *under_way;
                self.scored_at = event.at;
                self.units = lines.iter().map(|line| (line.unit.clone(), None)).collect();
            }
            BulletinChange::CheckBegun { before, .. } => {
                self.state = BulletinState::Checking;
                self.check_before = Some(*before);
            }
            BulletinChange::Confirmed { unit } => {
                if let Some(confirmed) = self.units.get_mut(unit) {
                    *confirmed = Some(event.at);
                }
            }
            BulletinChange::Appealed { appeal } => self.appeals.push(appeal.clone()),
            BulletinChange::Ready => self.ready_at = Some(event.at),
            BulletinChange::AppealUpheld { appeal, corrected, ground, .. } => {
                let (corrected, ground) = (corrected.clone(), ground.clone());
                self.settle(appeal, AppealState::Upheld { corrected, ground, at: event.at });
            }
            BulletinChange::AppealRefused { appeal, ground, .. } => {
                self.settle(appeal, AppealState::Refused { ground: ground.clone(), at: event.at });
            }
            BulletinChange::Issued { paper, number, .. } => {
                self.state = BulletinState::Issued;
                self.issued = Some(IssuedAs { paper: paper.clone(), number: number.clone(), at: event.at });
            }
            BulletinChange::Withdrawn { ground, .. } => {
                self.state = BulletinState::Withdrawn;
                self.withdrawal_ground = Some(ground.clone());
            }
        }
        self.version += 1;
    }

    /// The appeal of this name.
    pub fn find_appeal(&self, name: &str) -> Option<&Appeal> {
        self.appeals.iter().find(|appeal| appeal.name == name)
    }

    /// How many units have confirmed their line.
    pub fn confirmed(&self) -> usize {
        self.units.values().flatten().count()
    }

    /// What became of the check, with so many points left out of the lines as they stand.
    pub fn checked(&self, corrected: usize) -> Option<Checked> {
        let before = self.check_before?;
        let objected: BTreeSet<&str> = self.appeals.iter().map(|appeal| appeal.unit.as_str()).collect();
        let confirmed =
            self.units.iter().filter(|(unit, at)| at.is_some() && !objected.contains(unit.as_str()));
        Some(Checked {
            before,
            asked: self.units.len(),
            confirmed: confirmed.count(),
            objected: objected.len(),
            undecided: self.open_appeals(),
            corrected,
        })
    }

    /// How many appeals are undecided.
    pub fn open_appeals(&self) -> usize {
        self.appeals.iter().filter(|appeal| appeal.is_open()).count()
    }

    /// What every event says of it.
    fn facts(&self) -> BulletinFacts {
        BulletinFacts {
            name: self.name.clone(),
            title: self.title.clone(),
            period: self.period,
            leader: self.leader.clone(),
            created_by: self.created_by.clone(),
        }
    }

    /// Whether a unit may still say something of its line.
    fn still_checking(&self, unit: &str, now: Timestamp) -> Result<(), BulletinError> {
        let confirmed =
            self.units.get(unit).ok_or_else(|| BulletinError::NoLine { unit: unit.to_owned() })?;
        if confirmed.is_some() {
            return Err(BulletinError::Confirmed { unit: unit.to_owned() });
        }
        match self.check_before {
            Some(before) if now < before => Ok(()),
            Some(before) => Err(BulletinError::CheckOver { before }),
            None => Err(BulletinError::State { action: BulletinAction::Appeal, state: self.state }),
        }
    }

    fn appeal(
        &self,
        unit: &str,
        about: &Contested,
        reason: &str,
        line: Option<&Line>,
        now: Timestamp,
    ) -> Result<BulletinChange, BulletinError> {
        self.still_checking(unit, now)?;
        let reason = said(reason, BulletinText::Reason)?;
        let line = line.ok_or_else(|| BulletinError::NoLine { unit: unit.to_owned() })?;
        if about.points(line).is_empty() {
            return Err(BulletinError::NoSuchPoint);
        }
        if self.appeals.iter().any(|appeal| appeal.unit == unit && appeal.about == *about) {
            return Err(BulletinError::AppealedAlready);
        }
        let appeal = Appeal {
            name: format!("{}/appeals/{}", self.name, self.appeals.len() + 1),
            unit: unit.to_owned(),
            about: about.clone(),
            reason,
            at: now,
            state: AppealState::Open,
        };
        Ok(BulletinChange::Appealed { appeal })
    }

    /// An appeal that somebody may decide.
    fn to_decide(&self, name: &str, decider_units: &[String]) -> Result<&Appeal, BulletinError> {
        let appeal =
            self.find_appeal(name).ok_or_else(|| BulletinError::NoAppeal { name: name.to_owned() })?;
        if decider_units.contains(&appeal.unit) {
            return Err(BulletinError::OwnAppeal { unit: appeal.unit.clone() });
        }
        if appeal.is_open() { Ok(appeal) } else { Err(BulletinError::AppealDecided) }
    }

    fn settle(&mut self, name: &str, state: AppealState) {
        if let Some(appeal) = self.appeals.iter_mut().find(|appeal| appeal.name == name) {
            appeal.state = state;
        }
    }
}

fn said(text: &str, what: BulletinText) -> Result<String, BulletinError> {
    match text.trim() {
        "" => Err(BulletinError::Empty(what)),
        said => Ok(said.to_owned()),
    }
}
