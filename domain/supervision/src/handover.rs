//! [`HandoverList`]: a division of work took effect, and each leader is told once of what came
//! and what went, with the work under way. No task is touched: whose a task is follows from its
//! units and the time.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::TaskFacts;
use crate::payload::{PayloadError, read};

/// The type it is recorded under.
pub const HANDOVER_LISTED: &str = "supervision.handover.listed";
/// Tasks that are named of one unit; all are counted.
const MOST_NAMED: usize = 20;
/// Entries of one part of a list: one message holds it.
const MOST_LISTED: usize = 300;

/// What one leader answers for from an instant on, and no longer answers for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandoverList {
    /// `divisions/{id}`.
    pub division: String,
    /// What people call it, for example 临政办发〔2023〕12号.
    pub document: String,
    /// `officials/{id}`.
    pub leader: String,
    /// From when it holds.
    pub effective_time: Timestamp,
    /// Until when it held, when another holds already: then no work is listed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_time: Option<Timestamp>,
    /// Entries that are not listed, of all parts.
    #[serde(default)]
    pub left_out: usize,
    /// What the leader takes over, and from whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<HandedOver>,
    /// What the leader gives away, and to whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<HandedOver>,
    /// What the division does not state any longer: whether it went is for a person to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_longer_stated: Vec<HandedOver>,
    /// What the leader was not known to answer for before and nobody else was either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_stated: Vec<HandedOver>,
}

/// What the lists of one division have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoverHead {
    /// `divisions/{id}`.
    pub division: String,
    /// What people call it.
    pub document: String,
    /// From when it holds.
    pub effective_time: Timestamp,
    /// Until when it held, when another holds already.
    pub superseded_time: Option<Timestamp>,
}

/// One unit or field that changes hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandedOver {
    /// What.
    pub charge: Charge,
    /// The other leader, `officials/{id}`; unset when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// How many tasks the unit answers for are under way.
    #[serde(default)]
    pub open_tasks: usize,
    /// The first of them, in the order of the ledger.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskFacts>,
}

/// What a leader is in charge of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Charge {
    /// `units/{slug}`.
    Unit(String),
    /// A field of work.
    Field(String),
}

/// A charge that passes from one leader to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing {
    /// What.
    pub charge: Charge,
    /// Who had it; unset: it is stated for the first time.
    pub from: Option<String>,
    /// Who has it; unset: it is no longer stated.
    pub to: Option<String>,
}

impl HandoverList {
    /// One list for each leader whom the passings name, in order of resource name. `head` is what
    /// they have in common. `tasks` are those under way by the unit that answers for them, in the
    /// order of the ledger.
    pub fn of(
        head: &HandoverHead,
        passings: &[Passing],
        tasks: &BTreeMap<String, Vec<TaskFacts>>,
    ) -> Vec<Self> {
        let mut lists: BTreeMap<&str, HandoverList> = BTreeMap::new();
        let empty = |leader: &str| HandoverList {
            division: head.division.clone(),
            document: head.document.clone(),
            leader: leader.to_owned(),
            effective_time: head.effective_time,
            superseded_time: head.superseded_time,
            left_out: 0,
            received: Vec::new(),
            given: Vec::new(),
            no_longer_stated: Vec::new(),
            first_stated: Vec::new(),
        };
        for passing in passings {
            let handed = |other: &Option<String>| HandedOver::of(&passing.charge, other.clone(), tasks);
            if let Some(to) = &passing.to {
                let list = lists.entry(to).or_insert_with(|| empty(to));
                let part = if passing.from.is_some() { &mut list.received } else { &mut list.first_stated };
                part.push(handed(&passing.from));
            }
            if let Some(from) = &passing.from {
                let list = lists.entry(from).or_insert_with(|| empty(from));
                let part = if passing.to.is_some() { &mut list.given } else { &mut list.no_longer_stated };
                part.push(handed(&passing.to));
            }
        }
        lists.into_values().map(HandoverList::shortened).collect()
    }

    fn shortened(mut self) -> Self {
        let parts = [&mut self.received, &mut self.given, &mut self.no_longer_stated, &mut self.first_stated];
        for part in parts {
            self.left_out += part.len().saturating_sub(MOST_LISTED);
            part.truncate(MOST_LISTED);
        }
        self
    }

    /// The JSON that stands in the log.
    pub fn to_payload(&self) -> Result<Value, PayloadError> {
        serde_json::to_value(self)
            .map_err(|source| PayloadError::Malformed { event_type: HANDOVER_LISTED.to_owned(), source })
    }

    /// Reads a payload; none when it is of another type.
    pub fn from_payload(event_type: &str, payload: &Value) -> Result<Option<Self>, PayloadError> {
        (event_type == HANDOVER_LISTED).then(|| read(event_type, payload)).transpose()
    }
}

impl HandedOver {
    fn of(charge: &Charge, other: Option<String>, tasks: &BTreeMap<String, Vec<TaskFacts>>) -> Self {
        let open = match charge {
            Charge::Unit(unit) => tasks.get(unit).map(Vec::as_slice).unwrap_or_default(),
            Charge::Field(_) => &[],
        };
        HandedOver {
            charge: charge.clone(),
            other,
            open_tasks: open.len(),
            tasks: open.iter().take(MOST_NAMED).cloned().collect(),
        }
    }
}
