//! What a refusal of the domain means to a caller.

use domain_supervision::{BulletinError, BulletinText, NotEmpty, PayloadError, SupervisionError};
use xietong_mesh::{Code, Error};

/// The answer to a refused command. `place` is the path of the task in the request, for
/// example `task` or `tasks[3]`; commands on an existing task have none.
pub(crate) fn refused(error: &SupervisionError, place: &str) -> Error {
    let (english, chinese) = (error.to_string(), error.chinese());
    let field = |field: &str| if place.is_empty() { field.to_owned() } else { format!("{place}.{field}") };
    match error {
        SupervisionError::NotDeclaredUnclassified => Error::invalid(field("unclassified"), english, chinese),
        SupervisionError::Empty(text) => Error::invalid(field(empty_field(*text)), english, chinese),
        SupervisionError::RestrictedToNobody => Error::invalid(field("restricted_units"), english, chinese),
        SupervisionError::NoAssignment
        | SupervisionError::OnlyCooperatingUnits
        | SupervisionError::UnitTwice { .. }
        | SupervisionError::AssignmentNameTwice { .. } => {
            Error::invalid(field("assignments"), english, chinese)
        }
        SupervisionError::NoNumber { .. } => Error::invalid(field("targets"), english, chinese),
        SupervisionError::NoStanding | SupervisionError::Ahead { .. } => {
            Error::invalid(field("issue_time"), english, chinese)
        }
        SupervisionError::StillOpen { .. } => Error::failed_precondition("STILL_OPEN", english, chinese),
        SupervisionError::FixedOnceIssued => {
            Error::failed_precondition("FIXED_ONCE_ISSUED", english, chinese)
        }
        SupervisionError::UnknownAssignment { name } => Error::not_found(name),
        SupervisionError::DueBeforeIssue { .. } => {
            Error::failed_precondition("DUE_BEFORE_ISSUE", english, chinese)
        }
        SupervisionError::TaskRefused { .. } => Error::failed_precondition("TASK_STATE", english, chinese),
        SupervisionError::AssignmentRefused { .. } => {
            Error::failed_precondition("ASSIGNMENT_STATE", english, chinese)
        }
        SupervisionError::PastDue { .. } => Error::failed_precondition("PAST_DUE", english, chinese),
        SupervisionError::NotLater { .. } => Error::invalid(field("until"), english, chinese),
        SupervisionError::ExtensionPending { .. } => {
            Error::failed_precondition("EXTENSION_PENDING", english, chinese)
        }
        SupervisionError::NoExtensionRequest => {
            Error::failed_precondition("NO_EXTENSION_REQUEST", english, chinese)
        }
        SupervisionError::DayPassed { .. } => Error::invalid(field("until"), english, chinese),
        SupervisionError::ReviewPassed { .. } => Error::invalid(field("review_time"), english, chinese),
        SupervisionError::WaitOnItself { .. } => Error::invalid(field("unit"), english, chinese),
        SupervisionError::WaitOpen { .. } => Error::failed_precondition("WAIT_OPEN", english, chinese),
        SupervisionError::NoWait => Error::failed_precondition("NO_WAIT", english, chinese),
        SupervisionError::WaitDecided => Error::failed_precondition("WAIT_DECIDED", english, chinese),
        SupervisionError::WaitLapsed { .. } => Error::failed_precondition("WAIT_LAPSED", english, chinese),
        SupervisionError::ClockHeld => Error::failed_precondition("CLOCK_HELD", english, chinese),
        SupervisionError::NotDueYet { .. } => Error::failed_precondition("NOT_DUE_YET", english, chinese),
        SupervisionError::NeedsLeader { .. } => Error::failed_precondition("NEEDS_LEADER", english, chinese),
        SupervisionError::LighterFirst { .. } => {
            Error::failed_precondition("LIGHTER_FIRST", english, chinese)
        }
        SupervisionError::UrgedJustNow { .. } => {
            Error::failed_precondition("URGED_JUST_NOW", english, chinese)
        }
        SupervisionError::InMatter { task, matter } => {
            Error::failed_precondition("IN_MATTER", english, chinese)
                .with_metadata("task", task)
                .with_metadata("matter", matter)
        }
        SupervisionError::NotInMatter { .. } => Error::failed_precondition("NOT_IN_MATTER", english, chinese),
        SupervisionError::TooManyLinked { .. } => Error::invalid(field("tasks"), english, chinese),
        SupervisionError::NoOccurrence | SupervisionError::OccurrenceOfNone if place.is_empty() => {
            Error::failed_precondition("NO_EMERGENCY", english, chinese)
        }
        SupervisionError::NoOccurrence | SupervisionError::OccurrenceOfNone => {
            Error::invalid(field("terms.occur_time"), english, chinese)
        }
        SupervisionError::OccurrenceAhead { .. } if place.is_empty() => {
            Error::invalid("occur_time", english, chinese)
        }
        SupervisionError::OccurrenceAhead { .. } => {
            Error::invalid(field("terms.occur_time"), english, chinese)
        }
        SupervisionError::EventAhead { .. } => Error::invalid(field("day"), english, chinese),
        SupervisionError::AwaitedWrongly => Error::invalid(field("terms.awaits"), english, chinese),
        SupervisionError::OwnTime => Error::failed_precondition("OWN_TIME", english, chinese),
        SupervisionError::AwaitsNothing => Error::failed_precondition("AWAITS_NOTHING", english, chinese),
        SupervisionError::StillAwaited { .. } => {
            Error::failed_precondition("STILL_AWAITED", english, chinese)
        }
        SupervisionError::TooEarly { .. } => Error::failed_precondition("TOO_EARLY", english, chinese),
        SupervisionError::NobodyDesignated => {
            Error::failed_precondition("NOBODY_DESIGNATED", english, chinese)
        }
        SupervisionError::EvidenceWanted { .. } => Error::invalid(field("attachments"), english, chinese),
        SupervisionError::OwnWork { .. } => Error::new(Code::PermissionDenied, "OWN_WORK", english, chinese),
        SupervisionError::NoAddressee | SupervisionError::NotOfTask { .. } => {
            Error::invalid(field("units"), english, chinese)
        }
        SupervisionError::TimePassed { .. } | SupervisionError::LaterThanHolder { .. } => {
            Error::invalid(field("due_time"), english, chinese)
        }
        SupervisionError::InstructionSigned => {
            Error::failed_precondition("INSTRUCTION_SIGNED", english, chinese)
        }
        SupervisionError::DraftRefused { .. } => Error::failed_precondition("DRAFT_STATE", english, chinese),
        SupervisionError::HeldByAnother { .. } => {
            Error::failed_precondition("HELD_BY_ANOTHER", english, chinese)
        }
        SupervisionError::DelegationRefused { .. } => {
            Error::failed_precondition("DELEGATION_STATE", english, chinese)
        }
        SupervisionError::NotSubordinate { .. } => Error::invalid(field("unit"), english, chinese),
        SupervisionError::NoAnswer => Error::failed_precondition("NO_ANSWER", english, chinese),
        SupervisionError::SubTasksOpen { .. } => {
            Error::failed_precondition("SUB_TASKS_OPEN", english, chinese)
        }
        SupervisionError::ParentOver { .. } => Error::failed_precondition("PARENT_OVER", english, chinese),
        SupervisionError::ParentBelow { .. }
        | SupervisionError::TooDeep { .. }
        | SupervisionError::WiderThanParent => Error::invalid(field("parent"), english, chinese),
        SupervisionError::TooManyUnits { .. } => Error::invalid(field("units"), english, chinese),
        SupervisionError::NoTarget { .. } => Error::invalid(field("measure"), english, chinese),
        SupervisionError::TargetUnclear { .. } => Error::invalid(field("place"), english, chinese),
        SupervisionError::FigureNoNumber { .. } => Error::invalid(field("value"), english, chinese),
        SupervisionError::FigureAhead { .. } => Error::invalid(field("as_of_day"), english, chinese),
        SupervisionError::NoMilestone { .. } => Error::invalid(field("due_time"), english, chinese),
        SupervisionError::MilestoneUnclear { .. } => Error::invalid(field("clause"), english, chinese),
        SupervisionError::MilestonePassed { .. } => {
            Error::failed_precondition("MILESTONE_PASSED", english, chinese)
        }
        SupervisionError::MilestoneReached { .. } => {
            Error::failed_precondition("MILESTONE_REACHED", english, chinese)
        }
        SupervisionError::MilestoneNotReached { .. } => {
            Error::failed_precondition("MILESTONE_NOT_REACHED", english, chinese)
        }
    }
}

/// A command on an existing task was refused.
pub(crate) fn command_refused(error: SupervisionError) -> Error {
    refused(&error, "")
}

/// A command on a bulletin was refused.
pub(crate) fn bulletin_refused(error: BulletinError) -> Error {
    let (english, chinese) = (error.to_string(), error.chinese());
    let precondition = |reason: &'static str| Error::failed_precondition(reason, &english, &chinese);
    match &error {
        BulletinError::State { .. } => precondition("BULLETIN_STATE"),
        BulletinError::Empty(BulletinText::Reason) => Error::invalid("reason", english, chinese),
        BulletinError::Empty(BulletinText::Ground) => Error::invalid("ground", english, chinese),
        BulletinError::TooSoon { .. } => Error::invalid("before", english, chinese),
        BulletinError::CheckOver { .. } => precondition("CHECK_OVER"),
        BulletinError::CheckRunning { .. } => precondition("CHECK_RUNNING"),
        BulletinError::AppealsOpen { .. } => precondition("APPEALS_OPEN"),
        BulletinError::NoLine { .. } => precondition("NO_LINE"),
        BulletinError::Confirmed { .. } => precondition("CONFIRMED"),
        BulletinError::OwnAppealOpen { .. } => precondition("OWN_APPEAL_OPEN"),
        BulletinError::NoSuchPoint => Error::invalid("point", english, chinese),
        BulletinError::AppealedAlready => precondition("APPEALED_ALREADY"),
        BulletinError::NoAppeal { name } => Error::not_found(name),
        BulletinError::AppealDecided => precondition("APPEAL_DECIDED"),
        BulletinError::OwnAppeal { .. } => Error::new(Code::PermissionDenied, "OWN_APPEAL", english, chinese),
        BulletinError::NotAppealed => Error::invalid("corrected", english, chinese),
    }
}

/// An event that this service wrote, or is about to write, has no readable payload.
pub(crate) fn unreadable(error: PayloadError) -> Error {
    Error::internal(error)
}

fn empty_field(text: NotEmpty) -> &'static str {
    match text {
        NotEmpty::Title | NotEmpty::MatterTitle => "title",
        NotEmpty::LinkedTask => "tasks",
        NotEmpty::Unit => "assignments",
        NotEmpty::Report | NotEmpty::Submission => "text",
        NotEmpty::SendBackNote
        | NotEmpty::ExtensionRefusalNote
        | NotEmpty::ReturnRefusalNote
        | NotEmpty::WaitRefusalNote => "note",
        NotEmpty::ExtensionReason | NotEmpty::ReturnReason => "reason",
        NotEmpty::WithdrawalGround
        | NotEmpty::RevisionGround
        | NotEmpty::ReassignmentGround
        | NotEmpty::SuspensionGround
        | NotEmpty::ReopeningGround
        | NotEmpty::InstrumentGround
        | NotEmpty::LinkGround
        | NotEmpty::UnlinkGround
        | NotEmpty::EventGround
        | NotEmpty::OccurrenceGround => "ground",
        NotEmpty::AwaitedEvent => "terms.awaits.event",
        NotEmpty::Need => "need",
        NotEmpty::WaitAnswer => "answer",
        NotEmpty::Finding => "finding",
        NotEmpty::Milestone => "milestones",
        NotEmpty::Measure => "targets",
        NotEmpty::OpenPoint => "open_points",
        NotEmpty::Instruction | NotEmpty::Comment | NotEmpty::DelegateAnswer | NotEmpty::FigureCorrection => {
            "text"
        }
        NotEmpty::DraftNote | NotEmpty::DelegationNote | NotEmpty::MilestoneNote => "note",
        NotEmpty::Ask => "ask",
        NotEmpty::Section => "section",
    }
}
