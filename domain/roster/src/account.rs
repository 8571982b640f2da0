//! Accounts: a subject of the identity provider, the official behind it, and its roles.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::RosterError;
use crate::interval::holds;
use crate::names::{check_name, check_optional_name, check_present};
use crate::unit::check_period;

/// Bytes that an account's subject, official and roles may have, written as JSON.
///
/// All of them travel with every call, in a signed principal, and a service refuses one that is
/// longer than 8 KiB unread: an account with more would be locked out. Signed, this much
/// becomes 7 KB at most. About seventy units or groups of the longest names fit in, and two
/// hundred of the usual ones; whoever works for more has a role that names none.
pub const LARGEST_ACCOUNT: usize = 5_000;
/// Longest subject, in bytes: a bearer token that names a longer one is refused unread.
pub(crate) const LONGEST_SUBJECT: usize = 255;

/// What an account may do; the permission matrix says how far each reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// 督查室.
    #[serde(rename = "ROLE_SUPERVISOR")]
    Supervisor,
    /// 单位经办人.
    #[serde(rename = "ROLE_UNIT_CLERK")]
    UnitClerk,
    /// 单位审核人.
    #[serde(rename = "ROLE_UNIT_APPROVER")]
    UnitApprover,
    /// 联络员.
    #[serde(rename = "ROLE_LIAISON")]
    Liaison,
    /// 市领导.
    #[serde(rename = "ROLE_LEADER")]
    Leader,
    /// 秘书.
    #[serde(rename = "ROLE_SECRETARY")]
    Secretary,
    /// 协管副秘书长.
    #[serde(rename = "ROLE_ASSISTING_DEPUTY_SECRETARY_GENERAL")]
    AssistingDeputySecretaryGeneral,
    /// 议事协调机构办公室.
    #[serde(rename = "ROLE_GROUP_OFFICE")]
    GroupOffice,
    /// 督导检查组.
    #[serde(rename = "ROLE_INSPECTOR")]
    Inspector,
    /// 审计查询.
    #[serde(rename = "ROLE_AUDITOR")]
    Auditor,
    /// 系统管理员.
    #[serde(rename = "ROLE_ADMINISTRATOR")]
    Administrator,
    /// 外部系统.
    #[serde(rename = "ROLE_SYSTEM_CLIENT")]
    SystemClient,
}

/// What a role works for, without which it means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleNeed {
    /// At least one unit.
    Units,
    /// At least one group.
    Groups,
    /// The account's official.
    Official,
}

impl RoleNeed {
    /// What officials call it.
    pub fn chinese(self) -> &'static str {
        match self {
            RoleNeed::Units => "所属单位",
            RoleNeed::Groups => "所属议事协调机构",
            RoleNeed::Official => "对应人员",
        }
    }
}

impl Role {
    /// What officials call it.
    pub fn chinese(self) -> &'static str {
        match self {
            Role::Supervisor => "督查室",
            Role::UnitClerk => "单位经办人",
            Role::UnitApprover => "单位审核人",
            Role::Liaison => "联络员",
            Role::Leader => "市领导",
            Role::Secretary => "秘书",
            Role::AssistingDeputySecretaryGeneral => "协管副秘书长",
            Role::GroupOffice => "议事协调机构办公室",
            Role::Inspector => "督导检查组",
            Role::Auditor => "审计查询",
            Role::Administrator => "系统管理员",
            Role::SystemClient => "外部系统",
        }
    }

    fn need(self) -> Option<RoleNeed> {
        match self {
            Role::UnitClerk | Role::UnitApprover | Role::Liaison => Some(RoleNeed::Units),
            Role::GroupOffice | Role::Inspector => Some(RoleNeed::Groups),
            Role::Leader => Some(RoleNeed::Official),
            Role::Supervisor
            | Role::Secretary
            | Role::AssistingDeputySecretaryGeneral
            | Role::Auditor
            | Role::Administrator
            | Role::SystemClient => None,
        }
    }
}

/// A role, where it holds and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleBinding {
    /// The role.
    pub role: Role,
    /// Units it holds for, `units/{slug}`, where the role works for units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// Groups it holds for, `groups/{id}`, where the role works for groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Unset: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// Unset: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
}

impl RoleBinding {
    /// Whether the binding holds at an instant.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        holds(self.start_time, self.end_time, at)
    }

    fn check(&self, official: Option<&str>) -> Result<(), RosterError> {
        self.units.iter().try_for_each(|unit| check_name("units", unit))?;
        self.groups.iter().try_for_each(|group| check_name("groups", group))?;
        check_period(self.start_time, self.end_time)?;
        let Some(needs) = self.role.need() else { return Ok(()) };
        let met = match needs {
            RoleNeed::Units => !self.units.is_empty(),
            RoleNeed::Groups => !self.groups.is_empty(),
            RoleNeed::Official => official.is_some(),
        };
        if met { Ok(()) } else { Err(RosterError::RoleIncomplete { role: self.role, needs }) }
    }
}

/// Binds a subject to an official and to roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// `accounts/{id}`.
    pub name: String,
    /// The `sub` of the identity provider's tokens.
    pub subject: String,
    /// `officials/{id}`; unset for accounts that are no official.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official: Option<String>,
    /// What the account may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleBinding>,
    /// A disabled account cannot sign in.
    #[serde(default)]
    pub disabled: bool,
}

impl Account {
    /// Checks what can be checked on the account alone: names, times, and that each role has what
    /// it needs: units for unit roles, groups for group roles, an official for a leader. All of it
    /// together is at most [`LARGEST_ACCOUNT`], whether or not each role holds now.
    pub fn check(&self) -> Result<(), RosterError> {
        check_name("accounts", &self.name)?;
        check_present("subject", &self.subject)?;
        if self.subject.len() > LONGEST_SUBJECT {
            return Err(RosterError::SubjectTooLong { bytes: self.subject.len() });
        }
        check_optional_name("officials", self.official.as_deref())?;
        self.roles.iter().try_for_each(|binding| binding.check(self.official.as_deref()))?;
        let bytes = self.written();
        if bytes > LARGEST_ACCOUNT { Err(RosterError::AccountTooLarge { bytes }) } else { Ok(()) }
    }

    /// Bytes of what a signed principal says of the account, or a little more.
    fn written(&self) -> usize {
        serde_json::to_vec(&(&self.subject, &self.official, &self.roles))
            .map_or(usize::MAX, |written| written.len())
    }

    /// The bindings that hold at an instant; none on a disabled account.
    pub fn roles_at(&self, at: Timestamp) -> impl Iterator<Item = &RoleBinding> {
        self.roles.iter().filter(move |binding| !self.disabled && binding.holds_at(at))
    }
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{Account, LARGEST_ACCOUNT, Role, RoleBinding, RoleNeed};
    use crate::error::RosterError;

    fn account(role: Role) -> Account {
        let binding = RoleBinding {
            role,
            units: vec![],
            groups: vec![],
            start_time: None,
            end_time: Some(Timestamp::from_micros(5)),
        };
        Account {
            name: "accounts/a".into(),
            subject: "a".into(),
            official: None,
            roles: vec![binding],
            disabled: false,
        }
    }

    #[test]
    fn a_role_without_what_it_works_for_is_refused() {
        for (role, needs) in [
            (Role::UnitClerk, RoleNeed::Units),
            (Role::GroupOffice, RoleNeed::Groups),
            (Role::Leader, RoleNeed::Official),
        ] {
            assert_eq!(account(role).check(), Err(RosterError::RoleIncomplete { role, needs }));
        }
        assert_eq!(account(Role::Supervisor).check(), Ok(()));
    }

    #[test]
    fn a_subject_that_no_token_can_name_is_refused() {
        let mut named = account(Role::Supervisor);
        named.subject = "a".repeat(super::LONGEST_SUBJECT);
        assert_eq!(named.check(), Ok(()));
        named.subject = "督".repeat(86);
        assert_eq!(named.check(), Err(RosterError::SubjectTooLong { bytes: 258 }));
    }

    #[test]
    fn more_than_a_signed_principal_holds_is_refused() {
        let mut office = account(Role::GroupOffice);
        office.roles[0].groups = vec!["groups/x".into()];
        let each = 11;
        let room = (LARGEST_ACCOUNT - office.written()) / each;
        office.roles[0].groups.resize(1 + room, "groups/x".into());
        assert_eq!(office.check(), Ok(()));
        office.roles[0].groups.push("groups/x".into());
        let error = office.check().unwrap_err();
        assert_eq!(error, RosterError::AccountTooLarge { bytes: office.written() });
        assert!(error.chinese().contains("5000"), "{}", error.chinese());
    }

    #[test]
    fn a_role_ends_at_its_end_and_a_disabled_account_has_none() {
        let mut auditor = account(Role::Auditor);
        assert_eq!(auditor.roles_at(Timestamp::from_micros(4)).count(), 1);
        assert_eq!(auditor.roles_at(Timestamp::from_micros(5)).count(), 0);
        auditor.disabled = true;
        assert_eq!(auditor.roles_at(Timestamp::from_micros(4)).count(), 0);
    }
}
