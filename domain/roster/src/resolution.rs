//! An answer to "who answers for this?", with every step that led to it.

use serde::{Deserialize, Serialize};

/// The rule a step applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Which division of work is in force.
    Division,
    /// Whether the unit exists.
    Unit,
    /// The official was asked for directly.
    Official,
    /// Who holds the post.
    Post,
    /// Assisting (协助) puts nobody in charge.
    Assists,
    /// Whoever directs it (主管, 分管, 负责).
    Directs,
    /// Whoever presides over it (主持).
    Presides,
    /// If nobody directs it, whoever liaises with it (联系).
    Liaises,
    /// If no portfolio names it, whoever answers for its parent unit.
    ParentUnit,
    /// Else whoever presides over the whole (主持全面工作).
    PresidesOverAll,
    /// The person is there.
    Present,
    /// The person is away.
    Absent,
    /// The stand-in named for the absence.
    NamedB,
    /// The substitute of a liaison officer.
    LiaisonSubstitute,
    /// The standing B (AB角).
    StandingB,
    /// The third stand-in (C角).
    ThirdStandIn,
    /// The fallback the city has configured.
    Fallback,
    /// Nobody: an alarm, never a guess.
    Unresolved,
}

impl Rule {
    /// The name the API uses, for example `standing_b`.
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::Division => "division",
            Rule::Unit => "unit",
            Rule::Official => "official",
            Rule::Post => "post",
            Rule::Assists => "assists",
            Rule::Directs => "directs",
            Rule::Presides => "presides",
            Rule::Liaises => "liaises",
            Rule::ParentUnit => "parent_unit",
            Rule::PresidesOverAll => "presides_over_all",
            Rule::Present => "present",
            Rule::Absent => "absent",
            Rule::NamedB => "named_b",
            Rule::LiaisonSubstitute => "liaison_substitute",
            Rule::StandingB => "standing_b",
            Rule::ThirdStandIn => "third_stand_in",
            Rule::Fallback => "fallback",
            Rule::Unresolved => "unresolved",
        }
    }

    /// Whether the rule says who is accountable, rather than who acts.
    fn finds_accountable(self) -> bool {
        match self {
            Rule::Official
            | Rule::Post
            | Rule::Directs
            | Rule::Presides
            | Rule::Liaises
            | Rule::ParentUnit
            | Rule::PresidesOverAll => true,
            Rule::Division
            | Rule::Unit
            | Rule::Assists
            | Rule::Present
            | Rule::Absent
            | Rule::NamedB
            | Rule::LiaisonSubstitute
            | Rule::StandingB
            | Rule::ThirdStandIn
            | Rule::Fallback
            | Rule::Unresolved => false,
        }
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It decided.
    Chosen,
    /// It named somebody who cannot be the one.
    Skipped,
    /// It named nobody.
    None,
}

impl Outcome {
    /// The name the API uses, for example `chosen`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Chosen => "chosen",
            Outcome::Skipped => "skipped",
            Outcome::None => "none",
        }
    }
}

/// One step of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The rule applied.
    pub rule: Rule,
    /// Whom it looked at, `officials/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official: Option<String>,
    /// What it came to.
    pub outcome: Outcome,
    /// In Chinese: on what ground.
    pub basis: String,
}

impl Step {
    pub(crate) fn chosen(rule: Rule, official: &str, basis: String) -> Self {
        Step { rule, official: Some(official.to_owned()), outcome: Outcome::Chosen, basis }
    }

    pub(crate) fn skipped(rule: Rule, official: &str, basis: String) -> Self {
        Step { rule, official: Some(official.to_owned()), outcome: Outcome::Skipped, basis }
    }

    pub(crate) fn none(rule: Rule, basis: String) -> Self {
        Step { rule, official: None, outcome: Outcome::None, basis }
    }
}

/// A person in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// `officials/{id}`.
    pub official: String,
    /// The person's name.
    pub display_name: String,
}

/// Who answers, who acts, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolution {
    /// The leader in charge (A), or the holder of the post asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accountable: Option<Person>,
    /// Who acts: A, or the stand-in. Unset when unresolved, which is an alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting: Option<Person>,
    /// Somebody stands in.
    pub stand_in: bool,
    /// Each step taken, in order.
    pub steps: Vec<Step>,
}

impl Resolution {
    /// The rule that found the accountable person. [`Rule::PresidesOverAll`] means that nobody was
    /// named and the question merely fell to whoever presides over the whole.
    pub fn accountable_rule(&self) -> Option<Rule> {
        self.steps
            .iter()
            .find(|step| step.outcome == Outcome::Chosen && step.rule.finds_accountable())
            .map(|step| step.rule)
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Rule};

    #[test]
    fn the_json_of_a_rule_is_its_api_name() {
        for rule in [Rule::StandingB, Rule::PresidesOverAll, Rule::NamedB, Rule::ThirdStandIn, Rule::Directs]
        {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.as_str());
        }
        assert_eq!(serde_json::to_value(Outcome::None).unwrap(), Outcome::None.as_str());
    }
}
