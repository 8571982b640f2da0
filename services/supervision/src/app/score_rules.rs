//! Versions of the rule of scoring are added, and tried out before.

use std::collections::{BTreeMap, BTreeSet};

use domain_supervision::{Line, Period, ScoreRule, ScoreRuleError, sum};
use sea_orm::ConnectionTrait;
use xietong_events::Draft;
use xietong_mesh::{Call, Error, Transaction};

use super::scoreboard::{ScoredLine, in_force_at_end, ranked};
use super::{Supervision, unit_name};
use crate::store;

/// The type of the event that a version was added; its payload is the rule.
const SCORE_RULE_ADDED: &str = "supervision.score_rule.added";

/// What a version would change over a period.
#[derive(Debug)]
pub(crate) struct ScorePreview {
    /// The version it is compared with.
    pub(crate) compared: u32,
    /// The units that would be scored otherwise, by key.
    pub(crate) differences: Vec<Difference>,
}

/// A unit that would be scored otherwise.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) unit: String,
    pub(crate) display_name: String,
    pub(crate) before: Scored,
    pub(crate) after: Scored,
}

/// What a rule makes of a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scored {
    /// In tenths of a per cent.
    pub(crate) rate: Option<usize>,
    pub(crate) rank: Option<usize>,
    pub(crate) late_steps: u64,
}

impl Supervision {
    /// The version that was asked for, or the one in force at a period's end.
    pub(super) async fn score_rule(&self, asked: Option<u32>, period: Period) -> Result<ScoreRule, Error> {
        let rules = store::score_rules(self.db.reader()).await?;
        match asked {
            None => Ok(in_force_at_end(&rules, period)),
            Some(version) => rules
                .into_iter()
                .find(|rule| rule.version == version)
                .ok_or_else(|| Error::invalid("rule_version", "is no version", "没有这一版评价规则")),
        }
    }

    /// Every version, in order.
    pub(crate) async fn score_rules(&self) -> Result<Vec<ScoreRule>, Error> {
        Ok(store::score_rules(self.db.reader()).await?)
    }

    /// Adds a version; ABORTED when somebody else added one at the same moment.
    pub(crate) async fn create_score_rule(
        &self,
        transaction: &Transaction,
        rule: ScoreRule,
    ) -> Result<ScoreRule, Error> {
        let rule = next(transaction.tx(), transaction, rule).await?;
        if !store::keep_score_rule(transaction.tx(), &rule, transaction.now()).await? {
            return Err(Error::aborted_etag("scoreRules"));
        }
        let payload = serde_json::to_string(&rule).map_err(Error::internal)?;
        let draft = Draft { event_type: SCORE_RULE_ADDED.to_owned(), payload };
        transaction.append(&format!("scoreRules/{}", rule.version), 0, vec![draft]).await?;
        Ok(rule)
    }

    /// A rule as the version it would be, if it can be one.
    pub(crate) async fn next_score_rule(
        &self,
        transaction: &Transaction,
        rule: ScoreRule,
    ) -> Result<ScoreRule, Error> {
        next(transaction.tx(), transaction, rule).await
    }

    /// What a rule would change over a period, against the one in force at its end.
    pub(crate) async fn preview_score_rule(
        &self,
        call: &Call,
        rule: &ScoreRule,
        period: Period,
    ) -> Result<ScorePreview, Error> {
        let now = self.now();
        let scope = self.scope(call, now)?;
        let period = self.past(period)?;
        let compared = self.score_rule(None, period).await?;
        let version = compared.version;
        let before = standing(self.board(&scope, compared, period, now).await?);
        let after = standing(self.board(&scope, rule.clone(), period, now).await?);
        let book = self.roster.view().book;
        let of = |side: &BTreeMap<String, Scored>, unit: &String| side.get(unit).copied().unwrap_or_default();
        let units: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let differences = units
            .into_iter()
            .map(|unit| Difference {
                unit: unit.clone(),
                display_name: unit_name(&book, unit).to_owned(),
                before: of(&before, unit),
                after: of(&after, unit),
            })
            .filter(|one| one.before != one.after);
        Ok(ScorePreview { compared: version, differences: differences.collect() })
    }
}

async fn next<C: ConnectionTrait>(
    connection: &C,
    transaction: &Transaction,
    rule: ScoreRule,
) -> Result<ScoreRule, Error> {
    rule.check(transaction.now()).map_err(refused)?;
    let rules = store::score_rules(connection).await?;
    let version = rules.iter().map(|rule| rule.version).max().unwrap_or_default() + 1;
    Ok(ScoreRule { version, ..rule })
}

/// The rate and the place of each unit.
fn standing(lines: BTreeMap<String, Line>) -> BTreeMap<String, Scored> {
    let lines =
        lines.into_iter().map(|(key, line)| ScoredLine { display_name: key.clone(), key, rank: None, line });
    let scored = |line: &ScoredLine| Scored {
        rate: line.line.on_time_rate(),
        rank: line.rank,
        late_steps: sum(&line.line.late_steps),
    };
    ranked(lines.collect()).into_iter().map(|line| (line.key.clone(), scored(&line))).collect()
}

/// A rule was refused.
fn refused(error: ScoreRuleError) -> Error {
    let field = match error {
        ScoreRuleError::NoGround => "rule.ground",
        ScoreRuleError::Past => "rule.start_time",
        ScoreRuleError::StepTwice | ScoreRuleError::SettleIsNoStep => "rule.late_steps",
    };
    Error::invalid(field, error.to_string(), error.chinese())
}
