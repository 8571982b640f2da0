//! `ExplainService`.

use domain_supervision::{
    Basis, ChargedWait, DayKind, Explanation, MilestoneLimit, Skipped, Span, Stage, StageLimit,
};
use time::Date;
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::Call;
use xietong_mesh::convert::encode_time;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::explain_service_server::ExplainService;

use super::check::task_of_assignment;
use super::pause::encode_charged;
use crate::app::Supervision;

/// Explains deadlines.
pub(crate) struct Explanations {
    app: Supervision,
}

impl Explanations {
    /// The RPC over `app`.
    pub(crate) fn new(app: Supervision) -> Self {
        Explanations { app }
    }
}

#[async_trait]
impl ExplainService for Explanations {
    async fn explain_deadline(
        &self,
        request: Request<proto::ExplainDeadlineRequest>,
    ) -> Result<Response<proto::DeadlineExplanation>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        let task = task_of_assignment(&name)?;
        let explanation = self.app.explain(&call, task, &name).await?;
        Ok(Response::new(encode(name, &explanation)))
    }
}

fn encode(name: String, told: &Explanation) -> proto::DeadlineExplanation {
    let (settle, yellow) = told.add_up();
    let year = |(year, source): &(i32, Option<String>)| proto::ExplainedYear {
        year: *year,
        source: source.clone().unwrap_or_default(),
    };
    let extension = |(at, last_day): &(domain_calendar::Timestamp, Date)| proto::ExplainedExtension {
        grant_time: Some(encode_time(*at)),
        last_day: last_day.to_string(),
    };
    proto::DeadlineExplanation {
        name,
        steps: told.steps(),
        issue_time: Some(encode_time(told.issued_at)),
        start_time: Some(encode_time(told.start)),
        rule: format!("rules/{}", told.rule_version),
        working_days: told.day_kind == DayKind::Working,
        calendar_version: small(told.calendar_version),
        years: told.years.iter().map(year).collect(),
        days_before_start: told.before_start.iter().map(skipped).collect(),
        stages: told.stages.iter().map(stage).collect(),
        waits: told.waits.iter().map(wait).collect(),
        extensions: told.extensions.iter().map(extension).collect(),
        total: lasting(told.total),
        yellow_left: told.yellow_left.and_then(lasting),
        settle_due_time: settle.map(encode_time),
        yellow_time: yellow.map(encode_time),
        held_since: told.held_since.map(encode_time),
        provisional: told.clocks.provisional,
        occur_time: told.occurred_at.map(encode_time),
        event: told.event.as_ref().map(|(event, _)| event.clone()).unwrap_or_default(),
        event_day: told.event.as_ref().map(|(_, day)| day.to_string()).unwrap_or_default(),
        milestones: told.milestones.iter().map(milestone).collect(),
    }
}

fn milestone(limit: &MilestoneLimit) -> proto::ExplainedMilestone {
    proto::ExplainedMilestone {
        place: small(limit.number),
        last_day: limit.last_day.to_string(),
        text: limit.text.clone(),
        due_time: Some(encode_time(limit.due)),
        yellow_time: limit.yellow_at.map(encode_time),
        reach_time: limit.reached_at.map(encode_time),
        next: limit.next,
    }
}

fn stage(limit: &StageLimit) -> proto::ExplainedStage {
    let kind = match limit.stage {
        Stage::Sign => proto::ExplainedStageKind::Sign,
        Stage::Deploy => proto::ExplainedStageKind::Deploy,
        Stage::Report => proto::ExplainedStageKind::Report,
        Stage::Milestone => proto::ExplainedStageKind::Milestone,
        Stage::Settle => proto::ExplainedStageKind::Settle,
    };
    let (basis, span) = match limit.basis {
        Basis::Within(span) => (proto::LimitBasis::Rule, Some(span)),
        Basis::Every(_) => (proto::LimitBasis::Cycle, None),
        Basis::LastMilestone => (proto::LimitBasis::LastMilestone, None),
        Basis::Kept => (proto::LimitBasis::Kept, None),
        Basis::Named => (proto::LimitBasis::Named, None),
        Basis::EndOfYear => (proto::LimitBasis::EndOfYear, None),
        Basis::Granted => (proto::LimitBasis::Granted, None),
        Basis::AfterEvent(span) => (proto::LimitBasis::AfterEvent, Some(span)),
    };
    let (days, months, minutes) = match span {
        None => (None, None, None),
        Some(Span::Days(days)) => (Some(small(days)), None, None),
        Some(Span::Months(months)) => (None, Some(small(months)), None),
        Some(Span::Minutes(minutes)) => (None, None, Some(small(minutes))),
    };
    proto::ExplainedStage {
        stage: kind.into(),
        basis: basis.into(),
        days,
        months,
        last_day: limit.last_day.to_string(),
        skipped: limit.skipped.iter().map(skipped).collect(),
        made_up_days: limit.made_up.iter().map(Date::to_string).collect(),
        due_time: Some(encode_time(limit.due)),
        minutes,
    }
}

fn wait(wait: &ChargedWait) -> proto::ExplainedWait {
    proto::ExplainedWait { pause: Some(encode_charged(&wait.pause)), counts: wait.counts }
}

fn skipped(skipped: &Skipped) -> proto::SkippedDay {
    proto::SkippedDay { day: skipped.day.to_string(), holiday: skipped.holiday.clone().unwrap_or_default() }
}

/// A duration that the message can hold; all of ours can.
fn lasting(duration: std::time::Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(duration).ok()
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
