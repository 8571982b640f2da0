//! Tasks as the API has them, with their lights at an instant.

use domain_calendar::Timestamp;
use domain_supervision::{
    Assignment, AssignmentState, Grade, Light, Role, Source, StoredClock, Task, TaskState, light,
};
use xietong_mesh::convert::encode_time;
use xietong_proto::supervision as proto;

use super::content::{due_time, encode_extension, encode_milestone, encode_open_point, encode_wait};

use super::{files, instrument, milestones, pause, targets, terms, unit_drafts};
use crate::record::{Record, seen};
use crate::regulation::Regulation;

/// A task with its assignments, as it stands at `now`.
pub(super) fn task(record: &Record, regulation: &Regulation, now: Timestamp) -> proto::Task {
    let Task { name, ledger_number, title, text, tags, restricted_units, .. } = record.task.clone();
    let task = &record.task;
    let mut assignments: Vec<_> =
        task.assignments.iter().map(|one| assignment(record, one, regulation, now)).collect();
    files::shorten(&mut assignments);
    proto::Task {
        name,
        ledger_number,
        title,
        text,
        grade: grade(task.grade).into(),
        source: source(&task.source),
        visibility: seen(task.visibility).to_proto().into(),
        restricted_units,
        tags,
        unclassified: task.unclassified,
        due_time: task.due_date.and_then(due_time),
        assignments,
        origin: task.origin.clone().unwrap_or_default(),
        state: task_state(task.state).into(),
        light: shown(task, &regulation.clock_of(task), now).into(),
        creator: task.created_by.clone(),
        create_time: Some(encode_time(record.created_at)),
        issue_time: task.issue_time.map(encode_time),
        strike_off_time: record.struck_off_at.map(encode_time),
        etag: record.etag(),
        milestones: task.milestones.iter().map(encode_milestone).collect(),
        targets: targets::encode(task),
        open_points: task.open_points.iter().map(encode_open_point).collect(),
        attachments: files::encode(&task.attachments),
        matter: task.matter.clone().unwrap_or_default(),
        terms: terms::encode(task),
        recorded_event: terms::encode_recorded(task),
        designated_leader: task.designated.clone().unwrap_or_default(),
        parent: task.parent.clone().unwrap_or_default(),
        sub_tasks: None,
    }
}

/// One assignment of a task, as it stands at `now`.
pub(super) fn assignment(
    record: &Record,
    one: &Assignment,
    regulation: &Regulation,
    now: Timestamp,
) -> proto::Assignment {
    let clocks = regulation.clocks(&record.task, one);
    proto::Assignment {
        name: one.name.clone(),
        unit: one.unit.clone(),
        role: role(one.role).into(),
        state: assignment_state(one.state).into(),
        light: shown(&record.task, &clocks.stored(), now).into(),
        sign_due_time: clocks.due.sign.map(encode_time),
        deploy_due_time: clocks.due.deploy.map(encode_time),
        report_due_time: clocks.due.report.map(encode_time),
        settle_due_time: clocks.due.settle.map(encode_time),
        // What is owed and missed now is late, whether or not it has been recorded yet.
        was_late: one.was_late() || !clocks.owed.missed_at(now).is_empty(),
        last_report: record.last_reports.get(&one.name).cloned().unwrap_or_default(),
        etag: record.etag(),
        complete_time: one.completed_at.map(encode_time),
        extension_request: one.extension_request.as_ref().map(encode_extension),
        extended_due_time: one.extended.and_then(|extended| due_time(extended.last_day)),
        verification_wait: encode_wait(one.verifier_wait),
        decision_wait: encode_wait(one.decider_wait),
        misdirection: one.misdirection.as_ref().map(pause::encode_misdirection),
        suspension: one.suspension.as_ref().map(pause::encode_suspension),
        wait: one.wait.as_ref().map(pause::encode_wait),
        charged_pauses: pause::latest(&one.charges),
        used_instruments: one
            .instruments
            .iter()
            .map(|(instrument, at)| instrument::encode(one, *instrument, *at))
            .collect(),
        last_attachments: files::encode(files::last(record, &one.name)),
        matter_answers: Vec::new(),
        reached_milestones: milestones::reached(one),
        milestone_due_time: milestones::next_due(&clocks),
        draft: record.drafted.as_ref().filter(|draft| draft.assignment == one.name).map(unit_drafts::encode),
    }
}

/// The light of a clock of a task; drafts have none.
pub(super) fn shown(task: &Task, clock: &StoredClock, now: Timestamp) -> proto::Light {
    match task.state {
        TaskState::Draft => proto::Light::Unspecified,
        TaskState::Issued | TaskState::StruckOff | TaskState::Withdrawn => match light(clock, now) {
            Light::Green => proto::Light::Green,
            Light::Yellow => proto::Light::Yellow,
            Light::Red => proto::Light::Red,
            Light::Blue => proto::Light::Blue,
            Light::Grey => proto::Light::Grey,
        },
    }
}

fn source(source: &Source) -> Option<proto::Source> {
    (*source != Source::default()).then(|| {
        // What is no number is what the document prints instead of one.
        let number = source.item_number.parse().ok();
        proto::Source {
            document_number: source.document_number.clone(),
            part: source.part.clone(),
            item_number: number.unwrap_or(0),
            line: source.line.and_then(|line| i32::try_from(line).ok()).unwrap_or(0),
            label: if number.is_none() { source.item_number.clone() } else { String::new() },
        }
    })
}

pub(super) fn grade(grade: Grade) -> proto::Grade {
    match grade {
        Grade::Ordinary => proto::Grade::Ordinary,
        Grade::Major => proto::Grade::Major,
        Grade::LongTerm => proto::Grade::LongTerm,
    }
}

fn role(role: Role) -> proto::AssignmentRole {
    match role {
        Role::Lead => proto::AssignmentRole::Lead,
        Role::Cooperating => proto::AssignmentRole::Cooperating,
        Role::Responsible => proto::AssignmentRole::Responsible,
    }
}

pub(super) fn task_state(state: TaskState) -> proto::TaskState {
    match state {
        TaskState::Draft => proto::TaskState::Draft,
        TaskState::Issued => proto::TaskState::Issued,
        TaskState::StruckOff => proto::TaskState::StruckOff,
        TaskState::Withdrawn => proto::TaskState::Withdrawn,
    }
}

fn assignment_state(state: AssignmentState) -> proto::AssignmentState {
    match state {
        AssignmentState::Pending => proto::AssignmentState::Pending,
        AssignmentState::Assigned => proto::AssignmentState::Assigned,
        AssignmentState::Signed => proto::AssignmentState::Signed,
        AssignmentState::Deployed => proto::AssignmentState::Deployed,
        AssignmentState::InProgress => proto::AssignmentState::InProgress,
        AssignmentState::Submitted => proto::AssignmentState::Submitted,
        AssignmentState::Returned => proto::AssignmentState::Returned,
        AssignmentState::Suspended => proto::AssignmentState::Suspended,
        AssignmentState::StruckOff => proto::AssignmentState::StruckOff,
        AssignmentState::Withdrawn => proto::AssignmentState::Withdrawn,
    }
}

#[cfg(test)]
mod tests {
    use domain_attachment::{Attachment, Digest};
    use domain_supervision::{
        AssignmentCommand, ChargeKind, ChargedPause, ChargedTo, Command, Direction, LAST_REPORT, Milestone,
        Target, decide,
    };
    use prost::Message;
    use xietong_mesh::ServiceName;
    use xietong_mesh::attachments::Grants;
    use xietong_mesh::input::{LINE, TEXT};
    use xietong_mesh::serve::MAX_MESSAGE_BYTES;
    use xietong_mesh::token::{Issuer, Signer, SigningKey, generate_keypair};
    use xietong_timers::MachineClock;

    use super::*;
    use crate::grpc::content::{CLAUSE, MOST_PARTS, MOST_UNITS, REASON};
    use crate::record::LAST_ATTACHMENTS;
    use crate::record::tests::draft;

    /// A character that takes four bytes, as long as there are.
    const LONG: &str = "𠮷";

    /// Grants of this service for somebody.
    fn grants() -> Grants {
        let key = SigningKey::from_pem(&generate_keypair().unwrap().private_pem).unwrap();
        let issuer = Issuer::System(ServiceName::Supervision);
        Grants::new(Signer::new(issuer, key, MachineClock::system()), "clerk")
    }

    #[test]
    fn the_largest_task_fits_in_a_message() {
        let regulation = Regulation::built_in();
        let now = Timestamp::parse("2023-06-01T09:00:00+08:00").unwrap();
        let units: Vec<String> = (0..200).map(|number| format!("units/{number:0100}")).collect();
        let mut draft = draft(&units.iter().map(String::as_str).collect::<Vec<_>>());
        draft.title = LONG.repeat(LINE);
        draft.text = LONG.repeat(TEXT);
        draft.tags = vec![LONG.repeat(LINE); 200];
        let milestone = Milestone {
            last_day: time::macros::date!(2023 - 12 - 31),
            text: LONG.repeat(CLAUSE),
            units: units.iter().take(MOST_UNITS).cloned().collect(),
        };
        let target = Target {
            measure: LONG.repeat(LINE),
            value: "1".repeat(40),
            unit: LONG.repeat(LINE),
            direction: Direction::AtLeast,
            binding: true,
            source_unit: units.first().cloned(),
            figure_day: Some(time::macros::date!(2024 - 01 - 31)),
        };
        let file = Attachment {
            digest: Digest::of_bytes([7; 32]),
            size: u64::MAX,
            media_type: "a".repeat(100),
            display_name: LONG.repeat(domain_attachment::LONGEST_NAME / LONG.len()),
        };
        let files = vec![file; domain_attachment::MOST];
        draft.attachments = files.clone();
        draft.milestones = vec![milestone; MOST_PARTS];
        draft.targets = vec![target; MOST_PARTS];
        draft.restricted_units = units;
        let mut record = Record::of_draft(&draft, now);
        let give = |record: &mut Record, command: Command| {
            let events = decide(&record.task, &command, &regulation.context(&record.task, now)).unwrap();
            record.apply(&events).unwrap();
        };
        give(&mut record, Command::Issue { with_document: false });
        for one in &draft.assignments {
            for command in [
                AssignmentCommand::Sign,
                AssignmentCommand::Deploy { plan: LONG.repeat(TEXT) },
                AssignmentCommand::Report { text: LONG.repeat(TEXT), attachments: files.clone() },
                AssignmentCommand::RequestExtension {
                    last_day: time::macros::date!(2024 - 01 - 31),
                    reason: LONG.repeat(REASON),
                },
            ] {
                give(&mut record, Command::Assignment { name: one.name.clone(), command });
            }
        }
        let pause = ChargedPause {
            kind: ChargeKind::Waiting,
            to: ChargedTo::Unit(draft.assignments[0].unit.clone()),
            from: now,
            until: now,
            moved: std::time::Duration::MAX / 4,
        };
        for one in &mut record.task.assignments {
            one.charges = vec![pause.clone(); 100];
        }
        let mut task = task(&record, &regulation, now);
        let shown = |one: &proto::Assignment| one.last_report.chars().count() == LAST_REPORT;
        assert!(task.assignments.iter().all(shown));
        files::grant(&mut task, &record, &grants()).unwrap();
        assert_eq!(task.assignments[32].last_attachments.len(), LAST_ATTACHMENTS);
        assert_eq!(
            (task.assignments[33].last_attachments.len(), task.assignments[34].last_attachments.len()),
            (1, 0)
        );
        assert!(task.assignments[33].last_attachments.iter().all(|file| !file.grant.is_empty()));
        assert!(task.encoded_len() < MAX_MESSAGE_BYTES / 3 * 2, "{}", task.encoded_len());
    }
}
