//! Proposals: open tasks that resemble one another, in groups that could be one matter.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::payload::{PayloadError, read};

/// Type of the event that a proposal was dismissed; its aggregate is `proposals/{id}`.
pub const PROPOSAL_DISMISSED: &str = "supervision.proposal.dismissed";

/// Two tasks that resemble one another, by their ledger numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlikePair {
    /// The one entered later.
    pub newer: i64,
    /// The one entered before.
    pub older: i64,
    /// How much their words have in common, in thousandths.
    pub per_mille: u32,
    /// A name in quotation marks that both carry; empty when there is none.
    pub shared_name: String,
}

/// Tasks that could be one matter: each resembles another of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Their ledger numbers, ascending.
    pub tasks: Vec<i64>,
    /// Of the two most alike, in thousandths.
    pub per_mille: u32,
    /// A name in quotation marks that some of them carry; empty when there is none.
    pub shared_name: String,
}

/// A supervisor said that tasks are not one matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposalDismissed {
    /// `tasks/{id}`.
    pub tasks: Vec<String>,
    /// Why.
    pub ground: String,
    /// Who said it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Proposal {
    /// The groups that pairs make, that with the newest task first.
    pub fn of(pairs: &[AlikePair]) -> Vec<Self> {
        let mut groups = Groups::default();
        for pair in pairs {
            groups.join(pair.newer, pair.older);
        }
        let mut proposals: BTreeMap<i64, Proposal> = BTreeMap::new();
        let numbers: Vec<i64> = groups.0.keys().copied().collect();
        for number in numbers {
            let one = proposals.entry(groups.root(number)).or_insert_with(|| Proposal {
                tasks: Vec::new(),
                per_mille: 0,
                shared_name: String::new(),
            });
            one.tasks.push(number);
        }
        for pair in pairs {
            if let Some(one) = proposals.get_mut(&groups.root(pair.newer)) {
                one.per_mille = one.per_mille.max(pair.per_mille);
                if one.shared_name.is_empty() {
                    one.shared_name.clone_from(&pair.shared_name);
                }
            }
        }
        let mut proposals: Vec<Proposal> = proposals.into_values().collect();
        proposals.sort_by_key(|one| std::cmp::Reverse(one.newest()));
        proposals
    }

    /// The newest of its tasks: no two proposals share it.
    pub fn newest(&self) -> i64 {
        self.tasks.last().copied().unwrap_or_default()
    }
}

/// Each number, and another of its group; its own for the group's root.
#[derive(Default)]
struct Groups(BTreeMap<i64, i64>);

impl Groups {
    fn root(&mut self, number: i64) -> i64 {
        let mut at = number;
        loop {
            let next = *self.0.entry(at).or_insert(at);
            if next == at {
                break;
            }
            at = next;
        }
        self.0.insert(number, at);
        at
    }

    fn join(&mut self, one: i64, other: i64) {
        let (one, other) = (self.root(one), self.root(other));
        self.0.insert(one.max(other), one.min(other));
    }
}

impl ProposalDismissed {
    /// The JSON that stands in the log.
    pub fn to_payload(&self) -> Result<Value, PayloadError> {
        serde_json::to_value(self)
            .map_err(|source| PayloadError::Malformed { event_type: PROPOSAL_DISMISSED.to_owned(), source })
    }

    /// Reads a payload; none when it is of another type.
    pub fn from_payload(event_type: &str, payload: &Value) -> Result<Option<Self>, PayloadError> {
        (event_type == PROPOSAL_DISMISSED).then(|| read(event_type, payload)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(newer: i64, older: i64, per_mille: u32, name: &str) -> AlikePair {
        AlikePair { newer, older, per_mille, shared_name: name.to_owned() }
    }

    #[test]
    fn what_resembles_one_another_is_one_proposal() {
        let pairs = [
            pair(18, 7, 1_000, ""),
            pair(90, 18, 744, ""),
            pair(90, 7, 744, ""),
            pair(200, 148, 120, "一泓清水入黄河"),
            pair(151, 28, 1_000, ""),
        ];
        let found: Vec<_> =
            Proposal::of(&pairs).into_iter().map(|one| (one.tasks, one.per_mille, one.shared_name)).collect();
        assert_eq!(
            found,
            [
                (vec![148, 200], 120, "一泓清水入黄河".to_owned()),
                (vec![28, 151], 1_000, String::new()),
                (vec![7, 18, 90], 1_000, String::new()),
            ]
        );
        assert_eq!(Proposal::of(&[]), []);
    }

    proptest! {
        #[test]
        fn each_task_is_in_one_proposal_with_all_it_resembles(
            pairs in prop::collection::vec((1..30_i64, 1..30_i64), 0..40),
        ) {
            let pairs: Vec<_> = pairs
                .into_iter()
                .filter(|(one, other)| one != other)
                .map(|(one, other)| pair(one.max(other), one.min(other), 700, ""))
                .collect();
            let proposals = Proposal::of(&pairs);
            let place = |number: i64| {
                let places: Vec<usize> = (0..proposals.len())
                    .filter(|at| proposals[*at].tasks.contains(&number))
                    .collect();
                assert_eq!(places.len(), 1);
                places[0]
            };
            for pair in &pairs {
                prop_assert_eq!(place(pair.newer), place(pair.older));
            }
            prop_assert!(proposals.iter().all(|one| one.tasks.len() > 1));
        }
    }
}
