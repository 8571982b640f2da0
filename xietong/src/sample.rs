//! The sample city, compiled in: 临汾市 as its public notices of 2023 have it.
//!
//! Names, posts and figures are of the public record; every sentence is the project's own.

use serde::Deserialize;
use serde_json::Value;

/// Who and what there is: requests of the public API in proto3 JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// `CreateUnitRequest`s.
    pub units: Vec<Value>,
    /// `CreateCollectiveRequest`s.
    #[serde(default)]
    pub collectives: Vec<Value>,
    /// `CreateOfficialRequest`s.
    #[serde(default)]
    pub officials: Vec<Value>,
    /// `CreateAccountRequest`s.
    #[serde(default)]
    pub accounts: Vec<Value>,
    /// `CreateDivisionRequest`s, in the order of their taking effect.
    #[serde(default)]
    pub divisions: Vec<Value>,
}

/// What there is to do in the sample city.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// `CreateGroupRequest`s, with all that the founding notices say.
    pub groups: Vec<Value>,
    /// `CreateTaskRequest`s of matters that are not of the plan.
    pub tasks: Vec<Value>,
}

/// The yearly plan of 临政办发〔2023〕8号: its 195 tasks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `Task`s, in the order of their items, with their milestones and quantified targets.
    pub tasks: Vec<Value>,
}

/// What the units did of the plan until the city is handed over. It is made up.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// When something was done, in order.
    pub moments: Vec<Moment>,
}

/// An instant, and what was done at it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// RFC 3339.
    pub time: String,
    /// In no order. Nobody does two things to one item.
    pub acts: Vec<Act>,
}

/// What was done by a unit, or to what it holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// What was done.
    pub act: Verb,
    /// `units/{slug}`.
    pub unit: String,
    /// Which items of the unit, by their numbers. A signature is for all of them, and names none.
    #[serde(default)]
    pub items: Vec<i32>,
    /// What the unit says of each of them.
    #[serde(default)]
    pub text: String,
}

/// What can be done to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// The unit signed for it.
    Sign,
    /// The unit deployed it.
    Deploy,
    /// The unit reported on it.
    Report,
    /// The unit submitted it as completed.
    Submit,
    /// The supervisor struck it off.
    Verify,
}

const DIRECTORY: &str = include_str!("../../sample/linfen/directory.json");
const HISTORY: &str = include_str!("../../sample/linfen/history.json");
const PLAN: &str = include_str!("../../sample/linfen/plan.json");
const WORK: &str = include_str!("../../sample/linfen/work.json");

/// The sample's directory.
///
/// # Errors
/// Never: a test reads it.
pub fn directory() -> serde_json::Result<Directory> {
    serde_json::from_str(DIRECTORY)
}

/// The sample's work.
///
/// # Errors
/// Never: a test reads it.
pub fn work() -> serde_json::Result<Work> {
    serde_json::from_str(WORK)
}

/// The sample's yearly plan.
///
/// # Errors
/// Never: a test reads it.
pub fn plan() -> serde_json::Result<Plan> {
    serde_json::from_str(PLAN)
}

/// What the units did of the plan.
///
/// # Errors
/// Never: a test reads it.
pub fn history() -> serde_json::Result<History> {
    serde_json::from_str(HISTORY)
}

#[cfg(test)]
mod tests;
