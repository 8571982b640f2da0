//! How the domain's refusals look to a caller. The one place where they are mapped.

use domain_roster::{Candidate, RosterError};
use xietong_mesh::{Code, Error};

const GAPS_NAMED: usize = 10;
const CANDIDATES_NAMED: usize = 20;

/// What a caller is told of a refusal: what is wrong with the request whatever the roster holds
/// is INVALID_ARGUMENT, what stands for nothing NOT_FOUND, what is taken ALREADY_EXISTS, and
/// what the roster as it stands forbids FAILED_PRECONDITION.
pub(crate) fn refusal(error: RosterError) -> Error {
    let error = shortened(error);
    let (english, chinese) = (error.to_string(), error.chinese());
    let invalid = |field: &str| Error::invalid(field, english.as_str(), chinese.as_str());
    let unknown = |reason| Error::new(Code::NotFound, reason, english.as_str(), chinese.as_str());
    let forbidden = |reason| Error::failed_precondition(reason, english.as_str(), chinese.as_str());
    match &error {
        RosterError::Missing { field } => invalid(field),
        RosterError::NameMalformed { collection, .. } => invalid(singular(collection)),
        RosterError::DivisionCodeMalformed { .. } => invalid("division_code"),
        RosterError::PeriodEmpty { .. } => invalid("end_time"),
        RosterError::OwnParent { .. } => invalid("parent"),
        RosterError::SuccessorOfLiving { .. } => invalid("successor"),
        RosterError::SharedTwice { .. } => invalid("shares"),
        RosterError::TextTooLong { field, .. } | RosterError::TooManyEntries { field, .. } => invalid(field),
        RosterError::MemberRepeated { .. } => invalid("units"),
        RosterError::PostWithoutUnit { .. } => invalid("posts.unit"),
        RosterError::RoleIncomplete { .. } | RosterError::AccountTooLarge { .. } => invalid("roles"),
        RosterError::SubjectTooLong { .. } => invalid("subject"),
        RosterError::PortfolioRepeated { .. }
        | RosterError::PresiderContested { .. }
        | RosterError::DutyContested { .. } => invalid("portfolios"),
        RosterError::OwnStandIn { .. } => invalid("stand_in"),
        RosterError::OwnMandate { .. } => invalid("holder"),
        RosterError::NotMandatable { .. } => invalid("acts"),
        RosterError::StandInContested { .. } => invalid("pairs"),
        RosterError::FallbackRepeated { .. } => invalid("fallback.officials"),

        RosterError::HandoversMalformed => invalid("duty_roster.handover_times"),
        RosterError::FirstTeamUnknown { .. } => invalid("duty_roster.first_team"),
        RosterError::CalendarYear { .. } => invalid("calendar.year"),
        RosterError::CalendarRefused(_) => invalid("calendar"),
        RosterError::SeasonTooLong { .. } => invalid("duty_roster.end_time"),
        RosterError::OnDutyTwice { .. } => invalid("teams"),

        RosterError::UnitUnknown { .. } => unknown("UNIT_UNKNOWN"),
        RosterError::OfficialUnknown { .. } => unknown("OFFICIAL_UNKNOWN"),
        RosterError::PostUnknown { .. } => unknown("POST_UNKNOWN"),
        RosterError::MandateUnknown { .. } => unknown("MANDATE_UNKNOWN"),
        RosterError::AbsenceUnknown { .. } => unknown("ABSENCE_UNKNOWN"),

        RosterError::NameTaken { name } => Error::already_exists(name),
        RosterError::AlreadyCalled { holder, .. } => {
            let error = Error::new(Code::AlreadyExists, "ALREADY_CALLED", english.as_str(), chinese.as_str());
            error.with_metadata("holder", holder.name.as_str())
        }
        RosterError::SubjectTaken { .. } => {
            Error::new(Code::AlreadyExists, "SUBJECT_TAKEN", english.as_str(), chinese.as_str())
        }

        RosterError::UnitAmbiguous { candidates, .. } => among(forbidden("UNIT_AMBIGUOUS"), candidates),
        RosterError::OfficialAmbiguous { candidates, .. } => {
            among(forbidden("OFFICIAL_AMBIGUOUS"), candidates)
        }
        RosterError::FieldAmbiguous { candidates, .. } => among(forbidden("FIELD_AMBIGUOUS"), candidates),
        RosterError::PostAmbiguous { candidates, .. } => among(forbidden("POST_AMBIGUOUS"), candidates),
        RosterError::AbsenceOverlaps { existing, .. } => {
            forbidden("ABSENCE_OVERLAPS").with_metadata("absence", existing)
        }
        RosterError::AwayTogether { gaps } => {
            let officials: Vec<&str> = gaps.iter().map(|gap| gap.official.official.as_str()).collect();
            let stand_ins: Vec<&str> = gaps.iter().map(|gap| gap.stand_in.official.as_str()).collect();
            forbidden("AWAY_TOGETHER")
                .with_metadata("officials", officials.join(","))
                .with_metadata("standIns", stand_ins.join(","))
        }
        RosterError::ReassignmentNeeded { limit_days } => {
            forbidden("REASSIGNMENT_REQUIRED").with_metadata("limitDays", limit_days.to_string())
        }
        RosterError::EffectiveDayTaken { existing } => {
            forbidden("EFFECTIVE_DAY_TAKEN").with_metadata("division", existing)
        }
        RosterError::CorrectedAlready { by, .. } => {
            forbidden("CORRECTED_ALREADY").with_metadata("division", by)
        }
        RosterError::CorrectsAnotherDay { .. } => forbidden("CORRECTS_ANOTHER_DAY"),
        RosterError::NotOfUnit { official, .. } => {
            forbidden("NOT_OF_UNIT").with_metadata("official", official)
        }
        RosterError::ShiftUnknown { .. } => forbidden("SHIFT_UNKNOWN"),
        RosterError::SwapsOrphaned { starts } => {
            let starts: Vec<String> = starts.iter().map(ToString::to_string).collect();
            forbidden("SWAPS_ORPHANED").with_metadata("shiftStartTimes", starts.join(","))
        }
        RosterError::DutyOver { .. } => forbidden("DUTY_OVER"),
        RosterError::AbsenceOver { .. } => forbidden("ABSENCE_OVER"),
        RosterError::NotLater { .. } => forbidden("END_NOT_LATER"),
        RosterError::AbsenceNotActive { .. } => forbidden("ABSENCE_NOT_ACTIVE"),
        RosterError::AbsenceNotPlanned { .. } => forbidden("ABSENCE_NOT_PLANNED"),
        RosterError::AbsenceNotEnded { .. } => forbidden("ABSENCE_NOT_ENDED"),
        RosterError::MandateOver => forbidden("MANDATE_OVER"),
        RosterError::NothingToAcknowledge => forbidden("NOTHING_TO_ACKNOWLEDGE"),
    }
}

/// An error has to fit into the headers of its answer, so it names the first few gaps only.
fn shortened(error: RosterError) -> RosterError {
    match error {
        RosterError::AwayTogether { mut gaps } => {
            gaps.truncate(GAPS_NAMED);
            RosterError::AwayTogether { gaps }
        }
        other => other,
    }
}

/// The field that usually carries a name of the collection.
fn singular(collection: &str) -> &str {
    collection.strip_suffix('s').unwrap_or(collection)
}

/// Names the candidates: resource names under `candidates`, what people call them under
/// `candidateNames`, in the same order.
fn among(error: Error, candidates: &[Candidate]) -> Error {
    let named = || candidates.iter().take(CANDIDATES_NAMED);
    let names: Vec<&str> = named().map(|candidate| candidate.name.as_str()).collect();
    let shown: Vec<&str> = named().map(|candidate| candidate.display_name.as_str()).collect();
    error.with_metadata("candidates", names.join(",")).with_metadata("candidateNames", shown.join(","))
}
