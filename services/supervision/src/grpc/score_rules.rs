//! `ScoreRuleService`.

use std::mem::take;

use domain_calendar::Timestamp;
use domain_supervision::{ScoreRule, Stage};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::decode_time;
use xietong_mesh::input::{LINE, at_most, present, text};
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, Resource, Transactions};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::score_rule_service_server::ScoreRuleService;

use super::ledger::scoreboard::{MOST_LINES, encode_rule};
use super::papers::period;
use crate::app::{ScorePreview, Scored, Supervision};

/// More steps than there are.
const MOST_STEPS: usize = 10;

/// Answers for versions of the rule of scoring. They are the whole city's.
pub(crate) struct ScoreRules {
    app: Supervision,
    transactions: Transactions,
}

impl ScoreRules {
    /// The RPCs over `app`.
    pub(crate) fn new(app: Supervision, transactions: Transactions) -> Self {
        ScoreRules { app, transactions }
    }
}

#[async_trait]
impl ScoreRuleService for ScoreRules {
    async fn create_score_rule(
        &self,
        request: Request<proto::CreateScoreRuleRequest>,
    ) -> Result<Response<proto::CreateScoreRuleResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        call.authorize(&Resource::new())?;
        let asked = present("rule", request.rule.clone())?;
        let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let rule = decode(asked, transaction.now())?;
        if request.validate_only {
            let start = present("preview_start_time", request.preview_start_time)?;
            let end = present("preview_end_time", request.preview_end_time)?;
            let period = period(Some(start), Some(end))?;
            let rule = self.app.next_score_rule(&transaction, rule).await?;
            // A transaction that is not committed leaves nothing; the preview reads beside it.
            drop(transaction);
            let preview = encode_preview(self.app.preview_score_rule(&call, &rule, period).await?);
            let rule = Some(encode_rule(&rule));
            return Ok(Response::new(proto::CreateScoreRuleResponse { rule, preview: Some(preview) }));
        }
        let rule = Some(encode_rule(&self.app.create_score_rule(&transaction, rule).await?));
        let answer = transaction.commit(proto::CreateScoreRuleResponse { rule, preview: None }).await?;
        Ok(Response::new(answer))
    }

    async fn list_score_rules(
        &self,
        request: Request<proto::ListScoreRulesRequest>,
    ) -> Result<Response<proto::ListScoreRulesResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let request = request.into_inner();
        let paging = Paging::<u32>::new(&["ListScoreRules"], request.page_size, &request.page_token)?;
        let rules = self.app.score_rules().await?;
        let rest: Vec<&ScoreRule> = rules
            .iter()
            .rev()
            .filter(|rule| paging.after().is_none_or(|after| rule.version < *after))
            .collect();
        let (rules, next_page_token) =
            paging.page(rest, |rule| rule.version, |rule| Ok(encode_rule(rule)))?;
        Ok(Response::new(proto::ListScoreRulesResponse { rules, next_page_token }))
    }
}

fn decode(rule: proto::ScoreRule, now: Timestamp) -> Result<ScoreRule, Error> {
    let step = |step: i32| match proto::ScoredStep::try_from(step) {
        Ok(proto::ScoredStep::Sign) => Ok(Stage::Sign),
        Ok(proto::ScoredStep::Deploy) => Ok(Stage::Deploy),
        Ok(proto::ScoredStep::Report) => Ok(Stage::Report),
        Ok(proto::ScoredStep::Unspecified) | Err(_) => Err(Error::invalid(
            "rule.late_steps",
            "must be of the named values",
            "计入逾期的环节应为签收、部署、反馈",
        )),
    };
    let steps = at_most("rule.late_steps", rule.late_steps, MOST_STEPS)?;
    Ok(ScoreRule {
        version: 0,
        closed_with_task: rule.closed_with_task,
        late_steps: steps.into_iter().map(step).collect::<Result<_, _>>()?,
        ground: text("rule.ground", rule.ground, LINE)?.trim().to_owned(),
        start_time: match &rule.start_time {
            Some(start) => decode_time("rule.start_time", start)?,
            None => now,
        },
    })
}

fn encode_preview(preview: ScorePreview) -> proto::ScoreRulePreview {
    let difference_count = i32::try_from(preview.differences.len()).unwrap_or(i32::MAX);
    let rate = |scored: &Scored| {
        scored.rate.map(|tenths| format!("{}.{}", tenths / 10, tenths % 10)).unwrap_or_default()
    };
    let rank = |scored: &Scored| scored.rank.and_then(|rank| i32::try_from(rank).ok()).unwrap_or(0);
    let steps = |scored: &Scored| i64::try_from(scored.late_steps).unwrap_or(i64::MAX);
    let differences = preview.differences.into_iter().take(MOST_LINES).map(|one| proto::ScoreDifference {
        unit: one.unit,
        display_name: one.display_name,
        on_time_rate: rate(&one.before),
        new_on_time_rate: rate(&one.after),
        rank: rank(&one.before),
        new_rank: rank(&one.after),
        late_steps: steps(&one.before),
        new_late_steps: steps(&one.after),
    });
    proto::ScoreRulePreview {
        compared_version: i32::try_from(preview.compared).unwrap_or(i32::MAX),
        differences: differences.collect(),
        difference_count,
    }
}
