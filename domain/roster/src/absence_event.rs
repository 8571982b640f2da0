//! What happens to an absence, as the roster's events tell it.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::acting::ActingPart;
use crate::scope::Scope;

/// An absence began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceStarted {
    /// `absences/{id}`.
    pub absence: String,
    /// Who is away.
    pub official: String,
    /// Who acts from now on in whatever no other has a part of; unset: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting: Option<String>,
    /// First instant away.
    pub start_time: Timestamp,
    /// First instant back.
    pub end_time: Timestamp,
    /// Who acts from now on, in what and until when. Empty when nobody does, and in events of
    /// before this was recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<ActingPart>,
}

impl AbsenceStarted {
    /// Who acts from now on, in what and until when.
    pub fn parts(&self) -> Vec<ActingPart> {
        if !self.authorities.is_empty() {
            return self.authorities.clone();
        }
        let whole = |acting: &String| ActingPart {
            acting: acting.clone(),
            scope: Scope::default(),
            start_time: self.start_time,
            end_time: self.end_time,
        };
        self.acting.iter().map(whole).collect()
    }
}

/// Others act for somebody who is away than was told before: a stand-in leaves or comes back, or
/// a division or a list takes effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceActingChanged {
    /// `absences/{id}`.
    pub absence: String,
    /// Who is away.
    pub official: String,
    /// First instant away.
    pub start_time: Timestamp,
    /// First instant back.
    pub end_time: Timestamp,
    /// Who acts now, in what and until when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<ActingPart>,
    /// Of these, what was not told before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begun: Vec<ActingPart>,
    /// What was told before and holds no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<ActingPart>,
}

/// An absence ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceEnded {
    /// `absences/{id}`.
    pub absence: String,
    /// Who is back.
    pub official: String,
    /// Who acted until then; unset: nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting: Option<String>,
    /// First instant away.
    pub start_time: Timestamp,
    /// First instant back.
    pub end_time: Timestamp,
    /// The official came back before the registered end.
    #[serde(default)]
    pub early: bool,
    /// What was done for the official meanwhile, as far as the roster has heard; unset: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts: Option<ActsTold>,
}

/// Acts for an official who was away that are told of for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActsTold {
    /// How many.
    pub count: i64,
    /// The first of them.
    pub entries: Vec<ActEntry>,
}

/// One act, as officials read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActEntry {
    /// Who acted, `officials/{id}`; unset: an account without an official.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting: Option<String>,
    /// When.
    pub occurred_at: Timestamp,
    /// In Chinese: what.
    pub description: String,
}

/// Acts for whoever is back became known after the end had been told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceActs {
    /// `absences/{id}`.
    pub absence: String,
    /// Who is back.
    pub official: String,
    /// What was done for the official.
    #[serde(flatten)]
    pub acts: ActsTold,
}

/// Whoever is back has acknowledged what was done for him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceAcknowledged {
    /// `absences/{id}`.
    pub absence: String,
    /// Who is back.
    pub official: String,
    /// How many acts, of all of them.
    pub acts: i64,
}

/// An absence was cancelled before it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceCancelled {
    /// `absences/{id}`.
    pub absence: String,
    /// Who does not leave after all.
    pub official: String,
    /// The first instant away, as it was registered.
    pub start_time: Timestamp,
    /// The first instant back, as it was registered.
    pub end_time: Timestamp,
}

/// An absence lasts longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceExtended {
    /// `absences/{id}`.
    pub absence: String,
    /// Who is away.
    pub official: String,
    /// First instant away.
    pub start_time: Timestamp,
    /// First instant back, as it is now.
    pub end_time: Timestamp,
    /// First instant back, as it was before.
    pub previous_end_time: Timestamp,
    /// By which the mayor approved that A and B are away together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// Document that formally reassigned the duties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reassignment: Option<String>,
}

/// An absence's times had been recorded wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceCorrected {
    /// `absences/{id}`.
    pub absence: String,
    /// Who is, or was, away.
    pub official: String,
    /// First instant away, as it really is.
    pub start_time: Timestamp,
    /// First instant back, as it really is.
    pub end_time: Timestamp,
    /// Why it was corrected.
    pub reason: String,
    /// By which the mayor approved that A and B are away together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// Document that formally reassigned the duties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reassignment: Option<String>,
}
