//! `RuleService`.

use std::mem::take;

use domain_calendar::Timestamp;
use domain_supervision::{ClockStart, Cycle, DayKind, Grade, Rule, Span};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_mesh::input::{LINE, optional, present, required, text};
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, Resource, Transactions};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::rule_service_server::RuleService;

use super::{encode, rule_parts as parts};
use crate::app::{Preview, Supervision, left_out_because};
use crate::store::RunningFilter;

/// Answers for versions of the rule. They are the whole city's.
pub(crate) struct Rules {
    app: Supervision,
    transactions: Transactions,
}

impl Rules {
    /// The RPCs over `app`.
    pub(crate) fn new(app: Supervision, transactions: Transactions) -> Self {
        Rules { app, transactions }
    }
}

#[async_trait]
impl RuleService for Rules {
    async fn create_rule(
        &self,
        request: Request<proto::CreateRuleRequest>,
    ) -> Result<Response<proto::CreateRuleResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        call.authorize(&Resource::new())?;
        let asked = present("rule", request.rule.clone())?;
        let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let now = transaction.now();
        let rule = decode(asked, now)?;
        if request.validate_only {
            let rule = self.app.next_rule(&transaction, rule).await?;
            // A transaction that is not committed leaves nothing; the preview reads beside it.
            drop(transaction);
            let preview = encode_preview(self.app.preview_rule(&rule).await?);
            let rule = Some(encode_rule(&rule, false));
            return Ok(Response::new(proto::CreateRuleResponse { rule, preview: Some(preview) }));
        }
        let rule = self.app.create_rule(&transaction, rule).await?;
        let in_force = rule.start_time <= now;
        let rule = Some(encode_rule(&rule, in_force));
        let answer = transaction.commit(proto::CreateRuleResponse { rule, preview: None }).await?;
        if let Err(error) = self.app.learn_rules().await {
            tracing::warn!(%error, "a rule was added and is not known here yet");
        }
        Ok(Response::new(answer))
    }

    async fn list_rules(
        &self,
        request: Request<proto::ListRulesRequest>,
    ) -> Result<Response<proto::ListRulesResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let request = request.into_inner();
        self.app.learn_rules().await?;
        let (regulation, now) = (self.app.regulation(), self.app.now());
        let in_force = regulation.rule_in_force(now).version;
        let paging = Paging::<u32>::new(&["ListRules"], request.page_size, &request.page_token)?;
        let rest: Vec<&Rule> = regulation
            .rules()
            .iter()
            .rev()
            .filter(|rule| paging.after().is_none_or(|after| rule.version < *after))
            .collect();
        let encode = |rule: &Rule| Ok(encode_rule(rule, rule.version == in_force));
        let (rules, next_page_token) = paging.page(rest, |rule| rule.version, encode)?;
        Ok(Response::new(proto::ListRulesResponse { rules, next_page_token }))
    }

    async fn get_rule(
        &self,
        request: Request<proto::GetRuleRequest>,
    ) -> Result<Response<proto::Rule>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let name = required("name", request.into_inner().name)?;
        self.app.learn_rules().await?;
        let regulation = self.app.regulation();
        let rule = version_of(&name).and_then(|version| regulation.rule(version));
        let rule = rule.ok_or_else(|| Error::not_found(&name))?;
        let in_force = regulation.rule_in_force(self.app.now()).version == rule.version;
        Ok(Response::new(encode_rule(rule, in_force)))
    }

    async fn rebase_tasks(
        &self,
        request: Request<proto::RebaseTasksRequest>,
    ) -> Result<Response<proto::RebaseTasksResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        call.authorize(&Resource::new())?;
        let name = required("name", request.name.clone())?;
        let ground = text("ground", request.ground.clone(), LINE)?.trim().to_owned();
        if ground.is_empty() {
            return Err(Error::invalid("ground", "is required", "请填写改按新规则的依据").into());
        }
        let filter = RunningFilter {
            grade: grade(request.grade)?,
            unit: optional("unit", request.unit.clone())?,
            document_number: optional("document_number", request.document_number.clone())?,
        };
        let version = version_of(&name).ok_or_else(|| Error::not_found(&name))?;
        let mut transaction = match self.transactions.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        transaction.on_ground(ground.as_str());
        let asked = (&filter, request.after, ground.as_str());
        let rebased = self.app.rebase(&transaction, &call, version, asked).await?;
        let left_out = |(task, ledger_number, stages): (String, i64, Vec<_>)| proto::LeftOut {
            task,
            ledger_number,
            reason: left_out_because(&stages),
        };
        let answer = proto::RebaseTasksResponse {
            rebased: rebased.rebased,
            left_out: rebased.left_out.into_iter().map(left_out).collect(),
            next_after: rebased.next_after.unwrap_or_default(),
        };
        let answer = if request.validate_only { answer } else { transaction.commit(answer).await? };
        Ok(Response::new(answer))
    }
}

fn version_of(name: &str) -> Option<u32> {
    name.strip_prefix("rules/")?.parse().ok()
}

pub(super) fn grade(grade: i32) -> Result<Option<Grade>, Error> {
    match proto::Grade::try_from(grade) {
        Ok(proto::Grade::Unspecified) => Ok(None),
        Ok(proto::Grade::Ordinary) => Ok(Some(Grade::Ordinary)),
        Ok(proto::Grade::Major) => Ok(Some(Grade::Major)),
        Ok(proto::Grade::LongTerm) => Ok(Some(Grade::LongTerm)),
        Err(_) => Err(unnamed("grade")),
    }
}

pub(super) fn unnamed(field: &str) -> Error {
    Error::invalid(
        field,
        "must be one of the values that the API names for it",
        format!("“{field}”未填写，或不是接口文档所列的取值"),
    )
}

fn decode(rule: proto::Rule, now: Timestamp) -> Result<Rule, Error> {
    let day_kind = match rule.day_kind() {
        proto::RuleDayKind::Natural => DayKind::Natural,
        proto::RuleDayKind::Working => DayKind::Working,
        proto::RuleDayKind::Unspecified => return Err(unnamed("rule.day_kind")),
    };
    let clock_start = match rule.clock_start() {
        proto::RuleClockStart::Unspecified | proto::RuleClockStart::Issued => ClockStart::Issued,
        proto::RuleClockStart::NextWorkingMoment => ClockStart::NextWorkingMoment,
    };
    let cycle = match rule.long_term_cycle() {
        proto::ReportCycle::Daily => Cycle::Daily,
        proto::ReportCycle::TimesAWeek => Cycle::TimesAWeek(number("rule.times_a_week", rule.times_a_week)?),
        proto::ReportCycle::Weekly => Cycle::Weekly,
        proto::ReportCycle::Monthly => Cycle::Monthly,
        proto::ReportCycle::Quarterly => Cycle::Quarterly,
        proto::ReportCycle::HalfYearly => Cycle::HalfYearly,
        proto::ReportCycle::Unspecified => return Err(unnamed("rule.long_term_cycle")),
    };
    Ok(Rule {
        version: 0,
        start_time: match &rule.start_time {
            Some(start) => decode_time("rule.start_time", start)?,
            None => now,
        },
        ground: text("rule.ground", rule.ground, LINE)?.trim().to_owned(),
        clock_start,
        day_kind,
        sign_within: span("rule.sign_within", rule.sign_within)?,
        deploy_within: span("rule.deploy_within", rule.deploy_within)?,
        report_within: span("rule.report_within", rule.report_within)?,
        ordinary_settled_within: span("rule.ordinary_settled_within", rule.ordinary_settled_within)?,
        major_settled_within: span("rule.major_settled_within", rule.major_settled_within)?,
        long_term_beyond: span("rule.long_term_beyond", rule.long_term_beyond)?,
        long_term_cycle: cycle,
        yellow_percent: number("rule.yellow_percent", rule.yellow_percent)?,
        yellow_at_least_hours: number("rule.yellow_at_least_hours", rule.yellow_at_least_hours)?,
        no_yellow_below_hours: number("rule.no_yellow_below_hours", rule.no_yellow_below_hours)?,
        ladder: parts::decode_ladder(rule.ladder)?,
        deciders: parts::decode_deciders(&rule.deciders)?,
        evidence_at: parts::decode_evidence(&rule.evidence_at)?,
        limits: parts::decode_limits(rule.limits)?,
    })
}

pub(super) fn span(field: &str, span: Option<proto::RuleSpan>) -> Result<Span, Error> {
    use proto::rule_span::Limit;
    match span.and_then(|span| span.limit) {
        Some(Limit::Days(days)) => Ok(Span::Days(number(field, days)?)),
        Some(Limit::Months(months)) => Ok(Span::Months(number(field, months)?)),
        Some(Limit::Minutes(minutes)) => Ok(Span::Minutes(number(field, minutes)?)),
        None => Err(Error::invalid(field, "must give days or months", format!("“{field}”请填写天数或月数"))),
    }
}

pub(super) fn number(field: &str, number: i32) -> Result<u32, Error> {
    u32::try_from(number)
        .map_err(|_| Error::invalid(field, "must not be negative", format!("“{field}”不能为负数")))
}

pub(super) fn encode_span(span: Span) -> proto::RuleSpan {
    use proto::rule_span::Limit;
    let limit = match span {
        Span::Days(days) => Limit::Days(small(days)),
        Span::Months(months) => Limit::Months(small(months)),
        Span::Minutes(minutes) => Limit::Minutes(small(minutes)),
    };
    proto::RuleSpan { limit: Some(limit) }
}

fn encode_rule(rule: &Rule, in_force: bool) -> proto::Rule {
    let span = |span: Span| Some(encode_span(span));
    let (cycle, times) = match rule.long_term_cycle {
        Cycle::Daily => (proto::ReportCycle::Daily, 0),
        Cycle::TimesAWeek(times) => (proto::ReportCycle::TimesAWeek, times),
        Cycle::Weekly => (proto::ReportCycle::Weekly, 0),
        Cycle::Monthly => (proto::ReportCycle::Monthly, 0),
        Cycle::Quarterly => (proto::ReportCycle::Quarterly, 0),
        Cycle::HalfYearly => (proto::ReportCycle::HalfYearly, 0),
    };
    proto::Rule {
        name: format!("rules/{}", rule.version),
        version: small(rule.version),
        // Version 1 has no beginning.
        start_time: (rule.start_time > Timestamp::MIN).then(|| encode_time(rule.start_time)),
        ground: rule.ground.clone(),
        day_kind: match rule.day_kind {
            DayKind::Natural => proto::RuleDayKind::Natural,
            DayKind::Working => proto::RuleDayKind::Working,
        }
        .into(),
        clock_start: match rule.clock_start {
            ClockStart::Issued => proto::RuleClockStart::Issued,
            ClockStart::NextWorkingMoment => proto::RuleClockStart::NextWorkingMoment,
        }
        .into(),
        sign_within: span(rule.sign_within),
        deploy_within: span(rule.deploy_within),
        report_within: span(rule.report_within),
        ordinary_settled_within: span(rule.ordinary_settled_within),
        major_settled_within: span(rule.major_settled_within),
        long_term_beyond: span(rule.long_term_beyond),
        long_term_cycle: cycle.into(),
        times_a_week: small(times),
        yellow_percent: small(rule.yellow_percent),
        yellow_at_least_hours: small(rule.yellow_at_least_hours),
        no_yellow_below_hours: small(rule.no_yellow_below_hours),
        in_force,
        ladder: Some(parts::encode_ladder(&rule.ladder)),
        deciders: rule.deciders.iter().map(|one| parts::encode_decider(*one).into()).collect(),
        evidence_at: rule.evidence_at.iter().filter_map(|one| parts::encode_evidence(*one)).collect(),
        limits: rule.limits.iter().map(parts::encode_limits).collect(),
    }
}

fn encode_preview(preview: Preview) -> proto::RulePreview {
    let grades = preview.grades.into_iter().map(|(grade, counts)| proto::GradePreview {
        grade: encode::grade(grade).into(),
        open: counts.open,
        changed: counts.changed,
        would_be_late: counts.would_be_late,
    });
    let examples = preview.examples.into_iter().map(|example| proto::TaskPreview {
        task: example.task,
        ledger_number: example.ledger_number,
        title: example.title,
        settle_due_time: example.before.map(encode_time),
        new_settle_due_time: example.after.map(encode_time),
    });
    proto::RulePreview {
        grades: grades.collect(),
        examples: examples.collect(),
        truncated: preview.truncated,
    }
}

pub(super) fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
