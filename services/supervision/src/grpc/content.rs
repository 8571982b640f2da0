//! Milestones, targets, open points, revisions and extensions, between the API and the domain.

use std::time::Duration;

use domain_calendar::Timestamp;
use domain_supervision::{
    AssignmentCommand, Direction, ExtensionRequest, Milestone, OpenPoint, Role, Target,
};
use prost_types::{Duration as ProtoDuration, Timestamp as ProtoTimestamp};
use time::Date;
use xietong_mesh::convert::{decode_optional_time, encode_time, optional};
use xietong_mesh::input::{LINE, TEXT};
use xietong_mesh::{Call, Error};
use xietong_proto::supervision as proto;

use super::check::Check;
use super::decode;
use crate::app::Revision;

/// Characters of a clause.
pub(super) const CLAUSE: usize = 1_000;
/// Characters of the reason for an extension: a task shows those of all its units.
pub(super) const REASON: usize = 500;
/// Most milestones, targets or open points of a task.
pub(super) const MOST_PARTS: usize = 100;
/// Most units that one milestone or open point names.
pub(super) const MOST_UNITS: usize = 30;

/// The last day before an instant, in Asia/Shanghai: a due time is the first instant that is
/// too late.
pub(super) fn last_day(field: &str, due: Option<&ProtoTimestamp>) -> Result<Option<Date>, Error> {
    let due = decode_optional_time(field, due)?;
    Ok(due.map(|due| due.saturating_sub(Duration::from_micros(1)).day()))
}

/// The instant at which a last day is over.
pub(super) fn due_time(last_day: Date) -> Option<ProtoTimestamp> {
    last_day.next_day().map(|day| encode_time(Timestamp::start_of_day(day)))
}

pub(super) fn milestones(
    check: &mut Check,
    place: &str,
    all: Vec<proto::Milestone>,
) -> Result<Vec<Milestone>, Error> {
    at_most(check, place, all.len());
    let mut milestones = Vec::new();
    for (at, one) in all.into_iter().take(MOST_PARTS).enumerate() {
        let place = format!("{place}[{at}]");
        check.text(format!("{place}.text"), &one.text, CLAUSE);
        units(check, &format!("{place}.units"), &one.units);
        match last_day(&format!("{place}.due_time"), one.due_time.as_ref())? {
            Some(last_day) => milestones.push(Milestone { last_day, text: one.text, units: one.units }),
            None => check.wrong(format!("{place}.due_time"), "must be given", "请填写节点日期"),
        }
    }
    Ok(milestones)
}

pub(super) fn targets(check: &mut Check, place: &str, all: Vec<proto::Target>) -> Result<Vec<Target>, Error> {
    at_most(check, place, all.len());
    let mut targets = Vec::new();
    for (at, one) in all.into_iter().take(MOST_PARTS).enumerate() {
        let place = format!("{place}[{at}]");
        for (field, text) in [("measure", &one.measure), ("value", &one.value), ("unit", &one.unit)] {
            check.text(format!("{place}.{field}"), text, LINE);
        }
        let direction = match one.direction() {
            proto::Direction::AtLeast => Direction::AtLeast,
            proto::Direction::AtMost => Direction::AtMost,
            proto::Direction::Unspecified => {
                let (english, chinese) = ("must be stated", "请说明是不低于还是不高于");
                check.wrong(format!("{place}.direction"), english, chinese);
                Direction::AtLeast
            }
        };
        if !one.source_unit.is_empty() {
            check.name(format!("{place}.source_unit"), &one.source_unit, "units");
        }
        let figure_day = last_day(&format!("{place}.figure_due_time"), one.figure_due_time.as_ref())?;
        // What it came to is given by a verb of its own.
        let proto::Target { measure, value, unit, binding, source_unit, .. } = one;
        let source_unit = optional(source_unit);
        targets.push(Target { measure, value, unit, direction, binding, source_unit, figure_day });
    }
    Ok(targets)
}

pub(super) fn open_points(check: &mut Check, place: &str, all: Vec<proto::OpenPoint>) -> Vec<OpenPoint> {
    at_most(check, place, all.len());
    let mut points = Vec::new();
    for (at, one) in all.into_iter().take(MOST_PARTS).enumerate() {
        let place = format!("{place}[{at}]");
        check.text(format!("{place}.text"), &one.text, LINE);
        check.text(format!("{place}.why"), &one.why, LINE);
        units(check, &format!("{place}.candidates"), &one.candidates);
        let line = u32::try_from(one.line);
        if line.is_err() {
            check.wrong(format!("{place}.line"), "must not be negative", "不能为负数");
        }
        let line = line.ok().filter(|line| *line > 0);
        points.push(OpenPoint { text: one.text, why: one.why, line, candidates: one.candidates });
    }
    points
}

/// The extension that a unit asks for.
pub(super) fn extension_request(
    request: &proto::RequestExtensionRequest,
) -> Result<AssignmentCommand, Error> {
    let mut check = Check::default();
    check.text("reason", &request.reason, REASON);
    let last_day = last_day("until", request.until.as_ref())?;
    if last_day.is_none() {
        check.wrong("until", "must be given", "请填写申请延至的日期");
    }
    check.finish()?;
    // The check has refused what has no day.
    let last_day =
        last_day.ok_or_else(|| Error::invalid("until", "must be given", "请填写申请延至的日期"))?;
    Ok(AssignmentCommand::RequestExtension { last_day, reason: request.reason.clone() })
}

/// What an update changes.
pub(super) fn revision(task: proto::Task, mask: &[String], call: &mut Call) -> Result<Revision, Error> {
    let mut check = Check::default();
    if mask.is_empty() {
        check.wrong("update_mask", "must name the fields that change", "请说明要修改哪些字段");
    }
    let mut revision = Revision::default();
    for path in mask {
        match path.as_str() {
            "title" => {
                check.line("task.title", &task.title);
                revision.title = Some(task.title.trim().to_owned());
            }
            "text" => {
                check.text("task.text", &task.text, TEXT);
                revision.text = Some(task.text.clone());
            }
            "grade" => revision.grade = Some(decode::grade(&mut check, "task.grade".to_owned(), task.grade)),
            "tags" => {
                decode::tags(&mut check, "task", &task.tags);
                revision.tags = Some(decode::each_once(task.tags.clone()));
            }
            "due_time" => revision.due_date = Some(last_day("task.due_time", task.due_time.as_ref())?),
            "milestones" => {
                let milestones = milestones(&mut check, "task.milestones", task.milestones.clone())?;
                revision.milestones = Some(milestones);
            }
            "targets" => {
                revision.targets = Some(targets(&mut check, "task.targets", task.targets.clone())?);
            }
            "open_points" => {
                let points = open_points(&mut check, "task.open_points", task.open_points.clone());
                revision.open_points = Some(points);
            }
            "attachments" => {
                let named = call.attachments_of_revision("task.attachments", &task.attachments)?;
                revision.attachments = Some(named);
            }
            "parent" => {
                if !task.parent.is_empty() {
                    check.name("task.parent", &task.parent, "tasks");
                }
                revision.parent = Some(optional(task.parent.clone()));
            }
            "assignments" => revision.assignments = Some(assignments(&mut check, &task.assignments)),
            _ => {
                let english = format!("{path} cannot be changed");
                check.wrong("update_mask", english, format!("{path}不能修改"));
            }
        }
    }
    check.finish()?;
    Ok(revision)
}

fn assignments(check: &mut Check, all: &[proto::Assignment]) -> Vec<(String, Role)> {
    decode::list(check, "task.assignments", all);
    let units = all.iter().take(decode::MOST).enumerate();
    units
        .map(|(at, one)| {
            let place = format!("task.assignments[{at}]");
            check.name(format!("{place}.unit"), &one.unit, "units");
            (one.unit.clone(), decode::role(check, &place, one.role))
        })
        .collect()
}

fn at_most(check: &mut Check, place: &str, count: usize) {
    if count > MOST_PARTS {
        let english = format!("at most {MOST_PARTS} are accepted");
        check.wrong(place, english, format!("最多{MOST_PARTS}项"));
    }
}

fn units(check: &mut Check, place: &str, units: &[String]) {
    if units.len() > MOST_UNITS {
        let english = format!("at most {MOST_UNITS} are accepted");
        check.wrong(place, english, format!("最多{MOST_UNITS}个单位"));
    }
    for (at, unit) in units.iter().take(MOST_UNITS).enumerate() {
        check.name(format!("{place}[{at}]"), unit, "units");
    }
}

pub(super) fn encode_extension(one: &ExtensionRequest) -> proto::Extension {
    proto::Extension {
        until: due_time(one.last_day),
        reason: one.reason.clone(),
        request_time: Some(encode_time(one.requested_at)),
    }
}

/// How long others were waited for, in whole minutes: seconds are the machine's, not anybody's.
/// None when nobody was.
pub(super) fn encode_wait(waited: Duration) -> Option<ProtoDuration> {
    let waited = Duration::from_secs(waited.as_secs() / 60 * 60);
    // What no duration of the API can say is longer than any calendar.
    (!waited.is_zero()).then(|| ProtoDuration::try_from(waited).ok()).flatten()
}

pub(super) fn encode_milestone(one: &Milestone) -> proto::Milestone {
    proto::Milestone { due_time: due_time(one.last_day), text: one.text.clone(), units: one.units.clone() }
}

pub(super) fn encode_target(one: &Target) -> proto::Target {
    let direction = match one.direction {
        Direction::AtLeast => proto::Direction::AtLeast,
        Direction::AtMost => proto::Direction::AtMost,
    };
    proto::Target {
        measure: one.measure.clone(),
        value: one.value.clone(),
        unit: one.unit.clone(),
        direction: direction.into(),
        binding: one.binding,
        ..proto::Target::default()
    }
}

pub(super) fn encode_open_point(one: &OpenPoint) -> proto::OpenPoint {
    proto::OpenPoint {
        text: one.text.clone(),
        why: one.why.clone(),
        line: one.line.and_then(|line| i32::try_from(line).ok()).unwrap_or(0),
        candidates: one.candidates.clone(),
    }
}
