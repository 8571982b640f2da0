//! What a founding notice lays down beside the seats: [`Subgroup`]s, [`Duty`] by duty, and
//! [`Mechanism`]s. Each checks what can be checked on itself alone.

use serde::{Deserialize, Serialize};

use crate::error::WorkgroupError;
use crate::names::{check_official, check_text, check_unit};

/// Characters of a name.
const NAME: usize = 200;
/// Characters of a duty's or a mechanism's text. A group is read, listed and told of whole:
/// with every list as long as it may be, it must still fit into one message.
const TEXT: usize = 1_000;

/// A part of a group with seats and duties of its own (工作组), for example 综合协调组.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subgroup {
    /// What it is called; unique in its group.
    pub name: String,
}

impl Subgroup {
    pub(crate) fn check(&self, index: usize) -> Result<(), WorkgroupError> {
        check_text(&format!("subgroups[{index}].name"), "工作组名称", &self.name, NAME)
    }
}

/// Something the notice charges the group, a subgroup, a unit or a person with (职责).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Duty {
    /// Its number as printed. Each list of a notice counts for itself, so it is not unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// What is to be done.
    pub text: String,
    /// Name of the subgroup charged with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroup: Option<String>,
    /// The responsible unit (责任单位), `units/{slug}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The responsible person (责任人), `officials/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official: Option<String>,
}

impl Duty {
    pub(crate) fn check(&self, index: usize) -> Result<(), WorkgroupError> {
        let field = |name: &str| format!("duties[{index}].{name}");
        check_text(&field("text"), "职责内容", &self.text, TEXT)?;
        if let Some(unit) = &self.unit {
            check_unit(&field("unit"), unit)?;
        }
        if let Some(official) = &self.official {
            check_official(&field("official"), official)?;
        }
        Ok(())
    }
}

/// A way of working that the group has given itself (工作机制).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mechanism {
    /// What it is called, for example 通报.
    pub name: String,
    /// How it works.
    pub text: String,
}

impl Mechanism {
    pub(crate) fn check(&self, index: usize) -> Result<(), WorkgroupError> {
        let field = |name: &str| format!("mechanisms[{index}].{name}");
        check_text(&field("name"), "机制名称", &self.name, NAME)?;
        check_text(&field("text"), "机制内容", &self.text, TEXT)
    }
}
