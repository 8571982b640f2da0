//! The account behind a subject, asked of the roster, and the principal it makes.

use std::time::Duration;

use domain_calendar::Timestamp;
use tonic::Request;
use xietong_mesh::client::Peers;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_mesh::service_name::ServiceName;
use xietong_mesh::{Code, Error};
use xietong_proto::roster::directory_service_client::DirectoryServiceClient;
use xietong_proto::roster::{Account, ResolveAccountRequest, RoleBinding};

/// How long the roster may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The accounts of the roster.
#[derive(Clone)]
pub(crate) struct Accounts {
    peers: Peers,
}

/// An account as far as the gateway needs it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resolved {
    /// Who calls, with the roles that hold now.
    pub(crate) principal: Principal,
    /// The next instant of business time at which a role begins or ends.
    pub(crate) roles_until: Timestamp,
}

impl Accounts {
    /// Asks the roster among these peers.
    pub(crate) fn new(peers: Peers) -> Self {
        Accounts { peers }
    }

    /// The account of a subject. UNAUTHENTICATED when there is none or it is disabled.
    pub(crate) async fn resolve(&self, subject: &str, now: Timestamp) -> Result<Resolved, Error> {
        let message = ResolveAccountRequest { subject: subject.to_owned() };
        let request: Request<ResolveAccountRequest> =
            self.peers.outgoing_as_system(message, "authentication", TIMEOUT)?;
        let mut roster = DirectoryServiceClient::new(self.peers.channel(ServiceName::Roster)?);
        let answer = roster.resolve_account(request).await.map_err(|status| {
            let error = Error::from_status(&status);
            if error.code() == Code::NotFound { unknown() } else { error }
        })?;
        principal_of(subject, answer.into_inner(), now)
    }
}

fn unknown() -> Error {
    Error::unauthenticated("ACCOUNT_UNKNOWN", "the token's subject has no account")
}

fn principal_of(subject: &str, account: Account, now: Timestamp) -> Result<Resolved, Error> {
    if account.subject != subject {
        return Err(unknown());
    }
    if account.disabled {
        return Err(Error::unauthenticated("ACCOUNT_DISABLED", "the account is disabled"));
    }
    let roles_until = account
        .roles
        .iter()
        .flat_map(|binding| [start(binding), end(binding)])
        .filter(|boundary| *boundary > now)
        .min()
        .unwrap_or(Timestamp::MAX);
    let official = Some(account.official).filter(|official| !official.is_empty());
    let grants = account
        .roles
        .into_iter()
        .filter(|binding| start(binding) <= now && now < end(binding))
        .filter_map(|binding| {
            let role = Role::from_proto(binding.role())?;
            Some(Grant {
                role,
                units: binding.units.into_iter().collect(),
                groups: binding.groups.into_iter().collect(),
            })
        })
        .collect();
    Ok(Resolved { principal: Principal::account(subject, official, grants), roles_until })
}

fn start(binding: &RoleBinding) -> Timestamp {
    binding.start_time.as_ref().map_or(Timestamp::MIN, instant)
}

fn end(binding: &RoleBinding) -> Timestamp {
    binding.end_time.as_ref().map_or(Timestamp::MAX, instant)
}

/// An instant out of range is held at the end of time that it is nearest to.
fn instant(timestamp: &prost_types::Timestamp) -> Timestamp {
    let micros =
        timestamp.seconds.saturating_mul(1_000_000).saturating_add(i64::from(timestamp.nanos) / 1_000);
    Timestamp::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use xietong_mesh::principal::{Grant, Role};
    use xietong_proto::roster::{Account, Role as ProtoRole, RoleBinding};

    use super::principal_of;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn bound(role: ProtoRole, start: Option<i64>, end: Option<i64>) -> RoleBinding {
        let time = |seconds| prost_types::Timestamp { seconds, nanos: 0 };
        RoleBinding {
            role: role.into(),
            units: vec!["units/a".into()],
            groups: Vec::new(),
            start_time: start.map(time),
            end_time: end.map(time),
        }
    }

    fn account(roles: Vec<RoleBinding>) -> Account {
        Account { subject: "s".into(), official: "officials/1".into(), roles, ..Default::default() }
    }

    #[test]
    fn a_role_holds_from_its_start_until_just_before_its_end() {
        let roles = vec![
            bound(ProtoRole::UnitClerk, None, Some(20)),
            bound(ProtoRole::Liaison, Some(10), None),
            bound(ProtoRole::Unspecified, None, None),
        ];
        let held = |now| {
            let resolved = principal_of("s", account(roles.clone()), at(now)).unwrap();
            let held: Vec<Role> = resolved.principal.grants.iter().map(|grant| grant.role).collect();
            (held, resolved.roles_until)
        };
        assert_eq!(held(9), (vec![Role::UnitClerk], at(10)));
        assert_eq!(held(10), (vec![Role::UnitClerk, Role::Liaison], at(20)));
        assert_eq!(held(20), (vec![Role::Liaison], Timestamp::MAX));
    }

    #[test]
    fn a_principal_carries_official_units_and_subject() {
        let resolved =
            principal_of("s", account(vec![bound(ProtoRole::UnitClerk, None, None)]), at(0)).unwrap();
        assert_eq!(resolved.principal.subject, "s");
        assert_eq!(resolved.principal.official.as_deref(), Some("officials/1"));
        assert_eq!(resolved.principal.grants, [Grant::of(Role::UnitClerk).in_unit("units/a")]);
        let nobody = Account { official: String::new(), ..account(Vec::new()) };
        assert_eq!(principal_of("s", nobody, at(0)).unwrap().principal.official, None);
    }

    #[test]
    fn a_disabled_account_or_another_subjects_cannot_sign_in() {
        let disabled = Account { disabled: true, ..account(Vec::new()) };
        assert_eq!(principal_of("s", disabled, at(0)).unwrap_err().reason(), "ACCOUNT_DISABLED");
        assert_eq!(principal_of("t", account(Vec::new()), at(0)).unwrap_err().reason(), "ACCOUNT_UNKNOWN");
    }
}
