//! What sets a task apart, as the API has it.

use domain_supervision::{Awaited, Span, Task, TaskKind, Terms};
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_optional_time, encode_time};
use xietong_mesh::input::LINE;
use xietong_proto::supervision as proto;

use super::check::Check;
use super::decode;

/// The terms on which a task is entered; `place` is their path in the request.
pub(super) fn decode(check: &mut Check, place: &str, terms: Option<proto::Terms>) -> Result<Terms, Error> {
    let Some(terms) = terms else { return Ok(Terms::default()) };
    let kind = decode_kind(check, &format!("{place}.kind"), terms.kind);
    let occurred_at = decode_optional_time(&format!("{place}.occur_time"), terms.occur_time.as_ref())?;
    let awaits = terms.awaits.map(|awaited| {
        check.text(format!("{place}.awaits.event"), &awaited.event, LINE);
        Awaited {
            event: awaited.event.trim().to_owned(),
            earliest: offset(check, &format!("{place}.awaits.earliest"), awaited.earliest),
            latest: offset(check, &format!("{place}.awaits.latest"), awaited.latest),
        }
    });
    Ok(Terms { kind, evidence: terms.evidence, awaits, occurred_at })
}

pub(super) fn decode_kind(check: &mut Check, place: &str, kind: i32) -> Option<TaskKind> {
    match proto::TaskKind::try_from(kind) {
        Ok(proto::TaskKind::Unspecified) => None,
        Ok(proto::TaskKind::Instruction) => Some(TaskKind::Instruction),
        Ok(proto::TaskKind::MeetingDecision) => Some(TaskKind::MeetingDecision),
        Ok(proto::TaskKind::WorkReport) => Some(TaskKind::WorkReport),
        Ok(proto::TaskKind::Escalated) => Some(TaskKind::Escalated),
        Ok(proto::TaskKind::Approval) => Some(TaskKind::Approval),
        Ok(proto::TaskKind::Finding) => Some(TaskKind::Finding),
        Ok(proto::TaskKind::Emergency) => Some(TaskKind::Emergency),
        Err(_) => {
            let kinds = [
                "TASK_KIND_INSTRUCTION",
                "TASK_KIND_MEETING_DECISION",
                "TASK_KIND_WORK_REPORT",
                "TASK_KIND_ESCALATED",
                "TASK_KIND_APPROVAL",
                "TASK_KIND_FINDING",
                "TASK_KIND_EMERGENCY",
            ];
            decode::unknown(check, place, &kinds);
            None
        }
    }
}

pub(super) fn encode_kind(kind: TaskKind) -> proto::TaskKind {
    match kind {
        TaskKind::Instruction => proto::TaskKind::Instruction,
        TaskKind::MeetingDecision => proto::TaskKind::MeetingDecision,
        TaskKind::WorkReport => proto::TaskKind::WorkReport,
        TaskKind::Escalated => proto::TaskKind::Escalated,
        TaskKind::Approval => proto::TaskKind::Approval,
        TaskKind::Finding => proto::TaskKind::Finding,
        TaskKind::Emergency => proto::TaskKind::Emergency,
    }
}

fn offset(check: &mut Check, place: &str, offset: Option<proto::Offset>) -> Span {
    let proto::Offset { days, months } = offset.unwrap_or_default();
    match (u32::try_from(days), u32::try_from(months)) {
        (Ok(days), Ok(0)) => Span::Days(days),
        (Ok(0), Ok(months)) => Span::Months(months),
        (Ok(_), Ok(_)) | (Err(_), _) | (_, Err(_)) => {
            check.wrong(place, "must give days or months, not negative", "请填写天数或月数之一，不能为负数");
            Span::Days(0)
        }
    }
}

pub(super) fn encode(task: &Task) -> Option<proto::Terms> {
    let Terms { kind, evidence, awaits, occurred_at } = &task.terms;
    let offset = |span: Span| {
        let small = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        Some(match span {
            Span::Days(days) => proto::Offset { days: small(days), months: 0 },
            Span::Months(months) => proto::Offset { days: 0, months: small(months) },
            // No event is waited for in minutes.
            Span::Minutes(_) => proto::Offset::default(),
        })
    };
    (!task.terms.are_plain()).then(|| proto::Terms {
        kind: kind.map_or(proto::TaskKind::Unspecified, encode_kind).into(),
        evidence: *evidence,
        awaits: awaits.as_ref().map(|awaited| proto::AwaitedEvent {
            event: awaited.event.clone(),
            earliest: offset(awaited.earliest),
            latest: offset(awaited.latest),
        }),
        occur_time: occurred_at.map(encode_time),
    })
}

pub(super) fn encode_recorded(task: &Task) -> Option<proto::RecordedEvent> {
    let recorded = task.happened?;
    let day = |day: Option<time::Date>| day.map(|day| day.to_string()).unwrap_or_default();
    Some(proto::RecordedEvent {
        day: recorded.on.to_string(),
        record_time: Some(encode_time(recorded.at)),
        first_day: day(task.first_day()),
        last_day: day(task.last_day()),
    })
}
