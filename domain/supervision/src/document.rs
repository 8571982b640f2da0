//! [`DocumentIssued`]: a document was issued to its units. Each unit is told once of all that
//! the document gives it, instead of once a task.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::assignment::Role;
use crate::event::{AssignmentFacts, TaskChange, TaskEvent, TaskFacts};
use crate::payload::{PayloadError, read};

/// The type it is recorded under.
pub const DOCUMENT_ISSUED: &str = "supervision.document.issued";

/// What a document gives one unit, issued in one act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentIssued {
    /// 文号.
    pub document_number: String,
    /// `units/{slug}`.
    pub unit: String,
    /// What it gives the unit, in the order of the act.
    pub items: Vec<IssuedItem>,
    /// When.
    pub at: Timestamp,
}

/// One of the tasks a document gives a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedItem {
    /// Number of the item as printed; empty when there is none.
    pub item: String,
    /// The task.
    pub task: TaskFacts,
    /// What the unit holds of it.
    pub assignment: AssignmentFacts,
    /// The first-named lead unit of the task; none when every responsible unit completes for
    /// itself.
    pub lead_unit: Option<String>,
}

impl DocumentIssued {
    /// What the issuing of tasks gives each unit: one for each document and unit, in the order
    /// in which they are first named. `issued` are `(document number, item, event)`; other
    /// events than issuing, and tasks without a document, are left out.
    pub fn of<'a>(issued: impl IntoIterator<Item = (&'a str, &'a str, &'a TaskEvent)>) -> Vec<Self> {
        let (mut all, mut places) = (Vec::new(), BTreeMap::new());
        for (document, item, event) in issued {
            let TaskEvent::Task(event) = event else { continue };
            let TaskChange::Issued { assignments, .. } = &event.change else { continue };
            if document.is_empty() {
                continue;
            }
            let lead_unit = assignments.iter().find(|one| one.role == Role::Lead).map(|one| one.unit.clone());
            for assignment in assignments {
                let key = (document.to_owned(), assignment.unit.clone());
                let place = *places.entry(key).or_insert_with(|| {
                    all.push(DocumentIssued {
                        document_number: document.to_owned(),
                        unit: assignment.unit.clone(),
                        items: Vec::new(),
                        at: event.at,
                    });
                    all.len() - 1
                });
                if let Some(one) = all.get_mut(place) {
                    one.items.push(IssuedItem {
                        item: item.to_owned(),
                        task: event.task.clone(),
                        assignment: assignment.clone(),
                        lead_unit: lead_unit.clone(),
                    });
                }
            }
        }
        all
    }

    /// The JSON that stands in the log.
    pub fn to_payload(&self) -> Result<Value, PayloadError> {
        serde_json::to_value(self)
            .map_err(|source| PayloadError::Malformed { event_type: DOCUMENT_ISSUED.to_owned(), source })
    }

    /// Reads a payload; none when it is of another type.
    pub fn from_payload(event_type: &str, payload: &Value) -> Result<Option<Self>, PayloadError> {
        (event_type == DOCUMENT_ISSUED).then(|| read(event_type, payload)).transpose()
    }
}
