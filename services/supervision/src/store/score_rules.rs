//! Versions of the rule of scoring.

use domain_calendar::Timestamp;
use domain_supervision::ScoreRule;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xietong_store::StoreError;

use super::regulation::{all, keep};

/// Every version, in order; the first is compiled in.
pub(crate) async fn score_rules<C: ConnectionTrait>(connection: &C) -> Result<Vec<ScoreRule>, StoreError> {
    let mut rules = vec![ScoreRule::version_1()];
    rules.extend(all::<ScoreRule, C>(connection, "score_rules").await?);
    Ok(rules)
}

/// Keeps a new version. False when another was given the version meanwhile.
pub(crate) async fn keep_score_rule(
    tx: &DatabaseTransaction,
    rule: &ScoreRule,
    recorded_at: Timestamp,
) -> Result<bool, StoreError> {
    keep(tx, "score_rules", rule.version, recorded_at, rule).await
}
