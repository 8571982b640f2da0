//! Who is calling, and with which roles.
//!
//! A principal is minted by the gateway from an account of the roster, or by a service for
//! its own jobs, and travels signed (see `token`).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use xietong_proto::roster;

use crate::service_name::ServiceName;

/// The metadata key under which a signed principal travels.
pub const PRINCIPAL_METADATA: &str = "x-xietong-principal";

/// What every subject of a service's own jobs begins with.
pub(crate) const SYSTEM_PREFIX: &str = "system/";

/// What an account may do; the permission matrix says how far each role reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 督查室.
    Supervisor,
    /// 单位经办人.
    UnitClerk,
    /// 单位审核人.
    UnitApprover,
    /// 联络员.
    Liaison,
    /// 市领导.
    Leader,
    /// 秘书.
    Secretary,
    /// 协管副秘书长.
    AssistingDeputySecretaryGeneral,
    /// 议事协调机构办公室.
    GroupOffice,
    /// 督导检查组.
    Inspector,
    /// 审计查询.
    Auditor,
    /// 系统管理员.
    Administrator,
    /// 外部系统.
    SystemClient,
    /// A service of the mesh in its own job. No account can be given it.
    System,
}

impl Role {
    /// Every role that an account can be given.
    pub const OF_ACCOUNTS: [Self; 12] = [
        Self::Supervisor,
        Self::UnitClerk,
        Self::UnitApprover,
        Self::Liaison,
        Self::Leader,
        Self::Secretary,
        Self::AssistingDeputySecretaryGeneral,
        Self::GroupOffice,
        Self::Inspector,
        Self::Auditor,
        Self::Administrator,
        Self::SystemClient,
    ];

    /// The role a proto names; `None` for `ROLE_UNSPECIFIED`.
    pub fn from_proto(role: roster::Role) -> Option<Self> {
        match role {
            roster::Role::Unspecified => None,
            roster::Role::Supervisor => Some(Self::Supervisor),
            roster::Role::UnitClerk => Some(Self::UnitClerk),
            roster::Role::UnitApprover => Some(Self::UnitApprover),
            roster::Role::Liaison => Some(Self::Liaison),
            roster::Role::Leader => Some(Self::Leader),
            roster::Role::Secretary => Some(Self::Secretary),
            roster::Role::AssistingDeputySecretaryGeneral => Some(Self::AssistingDeputySecretaryGeneral),
            roster::Role::GroupOffice => Some(Self::GroupOffice),
            roster::Role::Inspector => Some(Self::Inspector),
            roster::Role::Auditor => Some(Self::Auditor),
            roster::Role::Administrator => Some(Self::Administrator),
            roster::Role::SystemClient => Some(Self::SystemClient),
        }
    }

    /// The role as protos name it; `None` for [`Role::System`], which is no account's.
    pub fn to_proto(self) -> Option<roster::Role> {
        match self {
            Self::Supervisor => Some(roster::Role::Supervisor),
            Self::UnitClerk => Some(roster::Role::UnitClerk),
            Self::UnitApprover => Some(roster::Role::UnitApprover),
            Self::Liaison => Some(roster::Role::Liaison),
            Self::Leader => Some(roster::Role::Leader),
            Self::Secretary => Some(roster::Role::Secretary),
            Self::AssistingDeputySecretaryGeneral => Some(roster::Role::AssistingDeputySecretaryGeneral),
            Self::GroupOffice => Some(roster::Role::GroupOffice),
            Self::Inspector => Some(roster::Role::Inspector),
            Self::Auditor => Some(roster::Role::Auditor),
            Self::Administrator => Some(roster::Role::Administrator),
            Self::SystemClient => Some(roster::Role::SystemClient),
            Self::System => None,
        }
    }
}

/// A role and where it holds. The binding's validity was checked when the principal was
/// minted; a token lives at most a minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Units it names, as `units/{slug}`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub units: BTreeSet<String>,
    /// Groups it names, as `groups/{id}`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
}

impl Grant {
    /// A role that names no unit and no group yet.
    pub fn of(role: Role) -> Self {
        Self { role, units: BTreeSet::new(), groups: BTreeSet::new() }
    }

    /// Names another unit, as `units/{slug}`.
    #[must_use]
    pub fn in_unit(mut self, unit: impl Into<String>) -> Self {
        self.units.insert(unit.into());
        self
    }

    /// Names another group, as `groups/{id}`.
    #[must_use]
    pub fn in_group(mut self, group: impl Into<String>) -> Self {
        self.groups.insert(group.into());
        self
    }
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The `sub` of the identity provider, or `system/<service>`.
    pub subject: String,
    /// `officials/{id}`, when the account is an official's.
    pub official: Option<String>,
    /// The roles that hold now.
    pub grants: Vec<Grant>,
    /// The service, when it calls from a job of its own.
    pub service: Option<ServiceName>,
}

impl Principal {
    /// An account's principal.
    pub fn account(subject: impl Into<String>, official: Option<String>, grants: Vec<Grant>) -> Self {
        Self { subject: subject.into(), official, grants, service: None }
    }

    /// A service in a job of its own.
    pub fn system(service: ServiceName) -> Self {
        Self {
            subject: service.system_subject().to_owned(),
            official: None,
            grants: vec![Grant::of(Role::System)],
            service: Some(service),
        }
    }

    /// Whether a service calls from a job of its own.
    pub fn is_system(&self) -> bool {
        self.service.is_some()
    }

    /// Whether the role holds anywhere.
    pub fn has_role(&self, role: Role) -> bool {
        self.grants.iter().any(|grant| grant.role == role)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_of_an_account_is_a_role_of_the_proto() {
        for role in Role::OF_ACCOUNTS {
            assert_eq!(role.to_proto().and_then(Role::from_proto), Some(role));
        }
        assert_eq!(Role::System.to_proto(), None);
        assert_eq!(Role::from_proto(roster::Role::Unspecified), None);
    }
}
