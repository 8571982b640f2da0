//! The permission matrix: which role may do what, and how far it reaches.
//!
//! Every RPC declares an action in its proto, and every action has one row here; tests
//! hold the two together. What is not granted is refused.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, Value};

use crate::authorize::Reach::{self, All, Groups, Mandate, Portfolio, SelfOnly, Units};
use crate::matrix::Access::{Read, Write};
use crate::principal::Role::{
    self, Administrator, AssistingDeputySecretaryGeneral, Auditor, GroupOffice, Inspector, Leader, Liaison,
    Secretary, Supervisor, System, SystemClient, UnitApprover, UnitClerk,
};

/// Whether an action changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It does not. A public record may be read by whoever may perform the action at all.
    Read,
    /// It does.
    Write,
}

/// One action, and the roles that may perform it.
#[derive(Debug)]
pub struct Row {
    /// As the protos declare it, for example `supervision.tasks.issue`.
    pub action: &'static str,
    /// Whether it changes anything.
    pub access: Access,
    /// Roles and how far each reaches.
    pub grants: &'static [(&'static [Role], Reach)],
}

impl Row {
    /// How far the role reaches in this action; empty when it may not perform it.
    pub fn reaches(&self, role: Role) -> impl Iterator<Item = Reach> + '_ {
        self.grants.iter().filter(move |(roles, _)| roles.contains(&role)).map(|(_, reach)| *reach)
    }
}

/// Everybody with an account.
const EVERYONE: &[Role] = &Role::OF_ACCOUNTS;

/// Those who do a unit's work.
const UNIT_STAFF: &[Role] = &[UnitClerk, UnitApprover, Liaison];

/// Those who see the work of the units their account names, and do none of it.
const UNIT_READERS: &[Role] = &[Secretary, AssistingDeputySecretaryGeneral, Inspector, SystemClient];

/// Those who see everything.
const OVERSEERS: &[Role] = &[Supervisor, Auditor, Administrator];

/// Those who may have been away, and see only what was done for them.
const ACCOUNTABLE: &[Role] = &[
    UnitClerk,
    UnitApprover,
    Liaison,
    Leader,
    AssistingDeputySecretaryGeneral,
    Secretary,
    GroupOffice,
    Inspector,
    SystemClient,
];

/// Those who get notices and administer nothing.
const TOLD: &[Role] = &[
    Supervisor,
    UnitClerk,
    UnitApprover,
    Liaison,
    Leader,
    Secretary,
    AssistingDeputySecretaryGeneral,
    GroupOffice,
    Inspector,
    Auditor,
    SystemClient,
];

/// Those who may give in files: whoever may change anything.
const GIVERS: &[Role] = &[
    Supervisor,
    UnitClerk,
    UnitApprover,
    Liaison,
    Leader,
    Secretary,
    AssistingDeputySecretaryGeneral,
    GroupOffice,
    Inspector,
    Administrator,
    SystemClient,
];

/// What everybody may read, and the services with them.
const OPEN: &[(&[Role], Reach)] = &[(EVERYONE, All), (&[System], All)];

/// Those who act for a leader under a mandate, in what it lists.
const MANDATED: &[Role] = &[Secretary, AssistingDeputySecretaryGeneral];

/// Reading tasks.
const TASK_READERS: &[(&[Role], Reach)] = &[
    (OVERSEERS, All),
    (UNIT_STAFF, Units),
    (UNIT_READERS, Units),
    (&[Leader], Portfolio),
    (MANDATED, Mandate),
];

/// Doing a unit's part of a task.
const UNIT_WORK: &[(&[Role], Reach)] = &[(UNIT_STAFF, Units)];

/// Saying what a unit says of its own figures.
const UNIT_WORD: &[(&[Role], Reach)] = &[(&[UnitClerk, UnitApprover], Units)];

/// Reading bulletins before they are issued: a unit its own line.
const BULLETIN_READERS: &[(&[Role], Reach)] =
    &[(OVERSEERS, All), (UNIT_STAFF, Units), (&[Leader], Portfolio), (MANDATED, Mandate)];

/// Reading inspections: what a unit is to put right reaches it as a task.
const INSPECTION_READERS: &[(&[Role], Reach)] = &[(OVERSEERS, All), (&[Leader, Inspector], All)];

/// Signing for what is addressed to a unit or to oneself.
const ADDRESSED: &[(&[Role], Reach)] = &[
    (UNIT_STAFF, Units),
    (&[Leader, Secretary, AssistingDeputySecretaryGeneral, Supervisor, GroupOffice, Inspector], SelfOnly),
];

/// The supervisor's own work.
const SUPERVISION: &[(&[Role], Reach)] = &[(&[Supervisor], All)];

/// Running a group.
const GROUP_WORK: &[(&[Role], Reach)] = &[(&[Supervisor], All), (&[GroupOffice], Groups)];

/// Those who see of the burden of notices only their own.
const OTHERS_TOLD: &[Role] =
    &[Administrator, AssistingDeputySecretaryGeneral, Secretary, GroupOffice, Inspector, SystemClient];

/// One's own.
const OWN: &[(&[Role], Reach)] = &[(EVERYONE, SelfOnly)];

/// Keeping the directory, the roster and the accounts.
const ADMINISTRATION: &[(&[Role], Reach)] = &[(&[Administrator], All)];

/// Reading in which words people are told.
const TEMPLATE_READERS: &[(&[Role], Reach)] = &[(OVERSEERS, All)];

/// Keeping where other systems are told: a system its own endpoints.
const ENDPOINT_KEEPING: &[(&[Role], Reach)] = &[(&[Administrator], All), (&[SystemClient], SelfOnly)];

/// Keeping where officials are reached: everybody his own.
const CONTACT_KEEPING: &[(&[Role], Reach)] = &[(&[Administrator], All), (TOLD, SelfOnly)];

/// Keeping who is away: of everybody, of a unit's own people, or of oneself. The roster adds that
/// whoever presides over the whole may do so for everybody.
const ABSENCE_KEEPING: &[(&[Role], Reach)] =
    &[(&[Administrator, Supervisor], All), (&[UnitApprover], Units), (&[Leader], SelfOnly)];

/// Keeping duty rosters: a unit keeps its own.
const DUTY_KEEPING: &[(&[Role], Reach)] = &[(&[Supervisor, Administrator], All), (&[UnitApprover], Units)];

const fn row(action: &'static str, access: Access, grants: &'static [(&'static [Role], Reach)]) -> Row {
    Row { action, access, grants }
}

/// The matrix.
pub const MATRIX: &[Row] = &[
    // Between services.
    row("events.read", Read, &[(&[System], All)]),
    row("roster.snapshot.read", Read, &[(&[System], All)]),
    // Directory.
    row("roster.units.list", Read, OPEN),
    row("roster.units.get", Read, OPEN),
    row("roster.units.create", Write, ADMINISTRATION),
    row("roster.units.update", Write, ADMINISTRATION),
    row("roster.units.lookup", Read, OPEN),
    row("roster.collectives.list", Read, OPEN),
    row("roster.collectives.get", Read, OPEN),
    row("roster.collectives.create", Write, ADMINISTRATION),
    row("roster.collectives.update", Write, ADMINISTRATION),
    row("roster.officials.list", Read, OPEN),
    row("roster.officials.get", Read, OPEN),
    row("roster.officials.create", Write, ADMINISTRATION),
    row("roster.officials.update", Write, ADMINISTRATION),
    row("roster.accounts.list", Read, ADMINISTRATION),
    row("roster.accounts.get", Read, ADMINISTRATION),
    row("roster.accounts.create", Write, ADMINISTRATION),
    row("roster.accounts.resolve", Read, &[(&[System], All)]),
    row("roster.directory.export", Read, OPEN),
    row("roster.directory.import", Write, ADMINISTRATION),
    // Roster.
    row("roster.divisions.create", Write, ADMINISTRATION),
    row("roster.divisions.list", Read, OPEN),
    row("roster.divisions.get", Read, OPEN),
    row("roster.stand_in_lists.create", Write, &[(&[Administrator], All), (&[UnitApprover], Units)]),
    row("roster.stand_in_lists.list", Read, OPEN),
    row("roster.stand_in_lists.get", Read, OPEN),
    row("roster.absences.create", Write, ABSENCE_KEEPING),
    row("roster.absences.list", Read, OPEN),
    row("roster.absences.get", Read, OPEN),
    row("roster.absences.end", Write, ABSENCE_KEEPING),
    row("roster.absences.cancel", Write, ABSENCE_KEEPING),
    row("roster.absences.extend", Write, ABSENCE_KEEPING),
    row("roster.absences.correct", Write, &[(&[Administrator, Supervisor], All)]),
    row("roster.absences.digest", Read, &[(OVERSEERS, All), (ACCOUNTABLE, SelfOnly), (MANDATED, Mandate)]),
    row("roster.absences.acknowledge", Write, &[(EVERYONE, SelfOnly), (MANDATED, Mandate)]),
    row("roster.acting_authorities.list", Read, OPEN),
    row("roster.mandates.create", Write, ADMINISTRATION),
    row("roster.mandates.list", Read, OPEN),
    row("roster.mandates.get", Read, OPEN),
    row("roster.mandates.revoke", Write, ADMINISTRATION),
    row("roster.resolve", Read, OPEN),
    row("roster.coverage", Read, OPEN),
    row("roster.calendar", Read, OPEN),
    row("roster.calendars.publish", Write, ADMINISTRATION),
    row("roster.calendars.list", Read, OPEN),
    row("roster.calendars.get", Read, OPEN),
    row("roster.duty_rosters.create", Write, DUTY_KEEPING),
    row("roster.duty_rosters.change", Write, DUTY_KEEPING),
    row("roster.duty_rosters.swap", Write, DUTY_KEEPING),
    row("roster.duty_rosters.list", Read, OPEN),
    row("roster.duty_rosters.get", Read, OPEN),
    row("roster.duty_rosters.shifts", Read, OPEN),
    // Supervision. A service creates what its own records escalate to.
    row("supervision.tasks.create", Write, &[(&[Supervisor], All), (&[System], All)]),
    row("supervision.tasks.issue", Write, &[(&[Supervisor], All), (&[System], All)]),
    row("supervision.tasks.update", Write, &[(&[Supervisor], All)]),
    row("supervision.tasks.withdraw", Write, &[(&[Supervisor], All)]),
    row(
        "supervision.tasks.get",
        Read,
        &[
            (OVERSEERS, All),
            (&[System], All),
            (UNIT_STAFF, Units),
            (UNIT_READERS, Units),
            (&[Leader], Portfolio),
            (MANDATED, Mandate),
        ],
    ),
    row("supervision.tasks.list", Read, TASK_READERS),
    row("supervision.tasks.timeline", Read, TASK_READERS),
    row("supervision.assignments.sign", Write, UNIT_WORK),
    row("supervision.assignments.deploy", Write, UNIT_WORK),
    row("supervision.assignments.report", Write, UNIT_WORK),
    row("supervision.assignments.submit", Write, UNIT_WORK),
    row(
        "supervision.assignments.verify",
        Write,
        &[(&[Supervisor], All), (&[Leader], Portfolio), (MANDATED, Mandate)],
    ),
    row("supervision.assignments.request_extension", Write, UNIT_WORK),
    row("supervision.assignments.decide_extension", Write, &[(&[Leader], Portfolio), (MANDATED, Mandate)]),
    row("supervision.assignments.explain", Read, TASK_READERS),
    row("supervision.rules.create", Write, ADMINISTRATION),
    row("supervision.rules.list", Read, OPEN),
    row("supervision.rules.get", Read, OPEN),
    row("supervision.rules.rebase", Write, &[(&[Administrator, Supervisor], All)]),
    row("supervision.assignments.return", Write, UNIT_WORK),
    row("supervision.assignments.refuse_return", Write, SUPERVISION),
    row("supervision.assignments.reassign", Write, SUPERVISION),
    row("supervision.assignments.suspend", Write, &[(&[Leader], Portfolio), (MANDATED, Mandate)]),
    row("supervision.assignments.resume", Write, &[(&[Leader], Portfolio), (MANDATED, Mandate)]),
    row("supervision.assignments.wait", Write, UNIT_WORK),
    row("supervision.assignments.accept_wait", Write, UNIT_WORK),
    row("supervision.assignments.rule_on_wait", Write, SUPERVISION),
    row("supervision.assignments.end_wait", Write, UNIT_WORK),
    row("supervision.assignments.recheck", Write, SUPERVISION),
    row("supervision.assignments.reopen", Write, SUPERVISION),
    // A group urges, sends letters and calls to interviews on a leader's decision within what came
    // from it; supervision holds it to interviews.
    row(
        "supervision.assignments.urge",
        Write,
        &[
            (&[Supervisor], All),
            (&[GroupOffice, Inspector], Groups),
            (&[AssistingDeputySecretaryGeneral], Mandate),
        ],
    ),
    // 督办函 is sent on a supervisor's signature alone.
    row("supervision.assignments.send_letter", Write, &[(&[Supervisor], All)]),
    row(
        "supervision.assignments.escalate",
        Write,
        &[
            (&[Supervisor], All),
            (&[GroupOffice, Inspector], Groups),
            (&[Leader], Portfolio),
            (MANDATED, Mandate),
        ],
    ),
    // Whoever's figure counts; supervision lets only the target's source unit give it.
    row("supervision.targets.give_figure", Write, &[(&[Supervisor], All), (UNIT_STAFF, Units)]),
    row("supervision.milestones.reach", Write, UNIT_WORK),
    row("supervision.milestones.send_back", Write, SUPERVISION),
    row("supervision.waits.list", Read, &[(OVERSEERS, All), (UNIT_STAFF, Units)]),
    row("supervision.divisions.preview", Read, ADMINISTRATION),
    // What becomes known of a task. Of those who have these actions, supervision lets only whoever
    // settles the task, or presides over the whole, carry them out.
    row("supervision.tasks.record_event", Write, &[(&[Supervisor], All), (UNIT_STAFF, Units)]),
    row("supervision.tasks.correct_occurrence", Write, &[(&[Supervisor], All), (UNIT_STAFF, Units)]),
    row("supervision.inspections.create", Write, SUPERVISION),
    row("supervision.inspections.get", Read, INSPECTION_READERS),
    row("supervision.inspections.list", Read, INSPECTION_READERS),
    row("supervision.inspections.start", Write, SUPERVISION),
    row("supervision.inspections.conclude", Write, SUPERVISION),
    row("supervision.inspections.cancel", Write, SUPERVISION),
    row("supervision.findings.create", Write, SUPERVISION),
    row("supervision.findings.rectify", Write, SUPERVISION),
    row("supervision.findings.dismiss", Write, SUPERVISION),
    row("supervision.tasks.designate", Write, &[(&[Leader], Portfolio)]),
    // The ledger as a whole.
    row("supervision.ledger.summary", Read, TASK_READERS),
    row("supervision.ledger.export", Read, TASK_READERS),
    row("supervision.ledger.scoreboard", Read, TASK_READERS),
    row("supervision.papers.issue", Write, &[(&[Supervisor], All)]),
    row("supervision.papers.get", Read, TASK_READERS),
    row("supervision.tasks.archive", Read, TASK_READERS),
    // Bulletins are signed by the leader they name, whatever his portfolio.
    row("supervision.bulletins.create", Write, SUPERVISION),
    row("supervision.bulletins.get", Read, BULLETIN_READERS),
    row("supervision.bulletins.confirm", Write, UNIT_WORD),
    row("supervision.bulletins.sign", Write, &[(&[Leader], Portfolio), (MANDATED, Mandate)]),
    row("supervision.appeals.create", Write, UNIT_WORD),
    row("supervision.appeals.get", Read, BULLETIN_READERS),
    row("supervision.appeals.decide", Write, SUPERVISION),
    row("supervision.score_rules.create", Write, ADMINISTRATION),
    row("supervision.score_rules.list", Read, OPEN),
    // Matters. Proposals compare tasks of all units.
    row("supervision.matters.create", Write, SUPERVISION),
    row("supervision.matters.get", Read, TASK_READERS),
    row("supervision.matters.list", Read, TASK_READERS),
    row("supervision.matters.link", Write, SUPERVISION),
    row("supervision.matters.unlink", Write, SUPERVISION),
    row("supervision.matters.propose", Read, SUPERVISION),
    row("supervision.matters.dismiss", Write, SUPERVISION),
    // Whose word it is, inside a unit and above it.
    row("supervision.instructions.create", Write, &[(&[Leader], Portfolio), (MANDATED, Mandate)]),
    row("supervision.instructions.get", Read, TASK_READERS),
    row("supervision.instructions.list", Read, TASK_READERS),
    row("supervision.instructions.sign", Write, ADDRESSED),
    row(
        "supervision.comments.create",
        Write,
        &[(&[Supervisor], All), (UNIT_STAFF, Units), (&[Leader], Portfolio)],
    ),
    row("supervision.comments.list", Read, TASK_READERS),
    row("supervision.release_settings.get", Read, &[(OVERSEERS, All), (UNIT_STAFF, Units)]),
    row("supervision.release_settings.update", Write, &[(&[Administrator], All), (&[UnitApprover], Units)]),
    // Nobody outside a unit sees what it has not said, not even those who see everything.
    row("supervision.drafts.list", Read, UNIT_WORK),
    row("supervision.drafts.get", Read, UNIT_WORK),
    row("supervision.drafts.release", Write, &[(&[UnitApprover], Units)]),
    row("supervision.drafts.withdraw", Write, UNIT_WORK),
    row("supervision.assignments.delegate", Write, UNIT_WORK),
    row("supervision.delegations.get", Read, UNIT_WORK),
    row("supervision.delegations.list", Read, UNIT_WORK),
    row("supervision.delegations.answer", Write, UNIT_WORK),
    row("supervision.tasks.add_cooperating", Write, &[(&[Supervisor], All), (UNIT_STAFF, Units)]),
    // Working groups.
    row("workgroup.groups.create", Write, &[(&[Supervisor, Administrator], All), (&[GroupOffice], Groups)]),
    row("workgroup.groups.get", Read, OPEN),
    row("workgroup.groups.list", Read, OPEN),
    row("workgroup.seats.list", Read, OPEN),
    row("workgroup.meetings.create", Write, GROUP_WORK),
    row("workgroup.meetings.get", Read, OPEN),
    row("workgroup.meetings.list", Read, OPEN),
    row("workgroup.decisions.create", Write, GROUP_WORK),
    row("workgroup.decisions.get", Read, OPEN),
    row("workgroup.decisions.list", Read, OPEN),
    row("workgroup.decisions.escalate", Write, GROUP_WORK),
    row("workgroup.divisions.preview", Read, ADMINISTRATION),
    // Inbox.
    row("notification.inbox.list", Read, OWN),
    row("notification.inbox.get", Read, OWN),
    row("notification.inbox.unread", Read, OWN),
    row("notification.inbox.read", Write, OWN),
    row("notification.inbox.acknowledge", Write, OWN),
    row("notification.inbox.archive", Write, OWN),
    row("notification.inbox.unarchive", Write, OWN),
    row("notification.inbox.batch_read", Write, OWN),
    row("notification.inbox.read_all", Write, OWN),
    row("notification.inbox.stream", Read, OWN),
    row("notification.preferences.get", Read, OWN),
    row("notification.preferences.update", Write, OWN),
    // Other channels. Addresses are shown whole to their owner alone, whoever may read a contact.
    row("notification.contacts.get", Read, CONTACT_KEEPING),
    row("notification.contacts.update", Write, CONTACT_KEEPING),
    row("notification.sendings.list", Read, CONTACT_KEEPING),
    row(
        "notification.burden.get",
        Read,
        &[(&[Supervisor, Auditor, Leader], All), (UNIT_STAFF, Units), (OTHERS_TOLD, SelfOnly)],
    ),
    row("notification.divisions.preview", Read, ADMINISTRATION),
    // The change feed. What of it each of them reads is what he may read in the other services.
    row("notification.events.list", Read, TASK_READERS),
    row("notification.events.stream", Read, TASK_READERS),
    // Webhooks. An endpoint is sent what its owner may read of the feed.
    row("notification.endpoints.create", Write, ENDPOINT_KEEPING),
    row("notification.endpoints.list", Read, ENDPOINT_KEEPING),
    row("notification.endpoints.get", Read, ENDPOINT_KEEPING),
    row("notification.endpoints.update", Write, ENDPOINT_KEEPING),
    row("notification.endpoints.delete", Write, ENDPOINT_KEEPING),
    row("notification.endpoints.rotate_secret", Write, ENDPOINT_KEEPING),
    row("notification.endpoints.enable", Write, ENDPOINT_KEEPING),
    row("notification.endpoints.disable", Write, ENDPOINT_KEEPING),
    row("notification.endpoints.test", Write, ENDPOINT_KEEPING),
    row("notification.endpoints.deliveries", Read, ENDPOINT_KEEPING),
    row("notification.endpoints.replay", Write, ENDPOINT_KEEPING),
    // The words of notices.
    row("notification.templates.list", Read, TEMPLATE_READERS),
    row("notification.templates.get", Read, TEMPLATE_READERS),
    row("notification.templates.versions", Read, TEMPLATE_READERS),
    row("notification.templates.preview", Read, TEMPLATE_READERS),
    row("notification.templates.create_version", Write, ADMINISTRATION),
    row("notification.templates.revert", Write, ADMINISTRATION),
    // Gateway.
    row("gateway.clock.get", Read, OPEN),
    row("gateway.clock.advance", Write, ADMINISTRATION),
    // Files that records refer to. Who may read one is decided by whoever shows the record.
    row("gateway.attachments.upload", Write, &[(GIVERS, All)]),
    row("gateway.attachments.download", Read, OPEN),
    row("attachments.filter_held", Read, &[(&[System], All)]),
];

/// The row of an action; `None` when the matrix has none.
pub fn row_of(action: &str) -> Option<&'static Row> {
    MATRIX.iter().find(|row| row.action == action)
}

/// The protos and the matrix do not fit together: a fault of the build.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// The shipped descriptors cannot be read.
    #[error("the descriptors cannot be read")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// The option that names actions is not among them.
    #[error("the descriptors have no option `{ACTION_OPTION}`")]
    NoOption,
    /// An RPC declares no action.
    #[error("{0} declares no action")]
    NoAction(String),
    /// An action has no row.
    #[error("{path} declares the action `{action}`, which has no row in the permission matrix")]
    NoRow {
        /// The RPC.
        path: String,
        /// The action it declares.
        action: String,
    },
}

const ACTION_OPTION: &str = "xietong.common.v1.action";

/// The row of every RPC of the mesh, by path, for example
/// `/xietong.supervision.v1.TaskService/IssueTask`.
///
/// # Errors
/// When an RPC has no action or its action no row.
pub fn actions_by_path() -> Result<BTreeMap<String, &'static Row>, MatrixError> {
    let pool = DescriptorPool::decode(xietong_proto::DESCRIPTORS)?;
    let option = pool.get_extension_by_name(ACTION_OPTION).ok_or(MatrixError::NoOption)?;
    let mut rows = BTreeMap::new();
    for service in pool.services() {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            let options = method.options();
            let declared = options.get_extension(&option);
            let Value::String(action) = declared.as_ref() else {
                return Err(MatrixError::NoAction(path));
            };
            if action.is_empty() {
                return Err(MatrixError::NoAction(path));
            }
            let row = row_of(action)
                .ok_or_else(|| MatrixError::NoRow { path: path.clone(), action: action.clone() })?;
            rows.insert(path, row);
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rpc_has_a_row_and_every_row_an_rpc() {
        let by_path = actions_by_path().unwrap();
        assert!(!by_path.is_empty());
        let declared: BTreeSet<&str> = by_path.values().map(|row| row.action).collect();
        let rows: BTreeSet<&str> = MATRIX.iter().map(|row| row.action).collect();
        assert_eq!(declared, rows);
        assert_eq!(rows.len(), MATRIX.len(), "an action has two rows");
    }

    #[test]
    fn paths_are_those_of_grpc() {
        let by_path = actions_by_path().unwrap();
        assert_eq!(
            by_path["/xietong.supervision.v1.TaskService/IssueTask"].action,
            "supervision.tasks.issue"
        );
    }

    #[test]
    fn a_role_stands_once_in_a_row_with_a_reach_of_its_own_and_once_with_its_mandates() {
        for row in MATRIX {
            for role in Role::OF_ACCOUNTS.into_iter().chain([System]) {
                let own = row.reaches(role).filter(|reach| *reach != Mandate).count();
                let mandates = row.reaches(role).count() - own;
                assert!(own <= 1 && mandates <= 1, "{role:?} in {}", row.action);
            }
        }
    }

    #[test]
    fn accounts_are_open_to_administrators_alone() {
        for action in ["roster.accounts.list", "roster.accounts.get", "roster.accounts.create"] {
            let row = row_of(action).unwrap();
            for role in Role::OF_ACCOUNTS {
                assert_eq!(row.reaches(role).next().is_some(), role == Administrator);
            }
        }
    }

    #[test]
    fn no_account_may_perform_what_is_between_services() {
        for action in
            ["events.read", "roster.snapshot.read", "roster.accounts.resolve", "attachments.filter_held"]
        {
            for role in Role::OF_ACCOUNTS {
                assert_eq!(row_of(action).unwrap().reaches(role).next(), None);
            }
        }
    }

    #[test]
    fn auditors_change_nothing() {
        for row in MATRIX.iter().filter(|row| row.access == Write) {
            let allowed = row.reaches(Auditor).any(|reach| reach != SelfOnly);
            assert!(!allowed, "{}", row.action);
        }
    }
}
