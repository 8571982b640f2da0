//! The closed sets that the API and the domain both have.

use domain_roster::{AbsenceState, PostKind, Relation, Role, UnitKind};
use xietong_mesh::Error;
use xietong_proto::roster as proto;

/// Both directions of an enum whose values have the same names on both sides.
macro_rules! mirrored {
    ($encode:ident, $decode:ident, $domain:ident, [$($value:ident),+ $(,)?]) => {
        pub(super) fn $encode(value: $domain) -> i32 {
            match value {
                $($domain::$value => proto::$domain::$value.into(),)+
            }
        }

        /// Unspecified, and what this version does not know, is refused.
        pub(super) fn $decode(field: &str, value: i32) -> Result<$domain, Error> {
            match proto::$domain::try_from(value) {
                $(Ok(proto::$domain::$value) => Ok($domain::$value),)+
                Ok(proto::$domain::Unspecified) | Err(_) => {
                    Err(Error::invalid(field, "must be one of the named values", format!("“{field}”未填写或不是有效的取值")))
                }
            }
        }
    };
}

mirrored!(
    encode_unit_kind,
    decode_unit_kind,
    UnitKind,
    [
        Department,
        County,
        DevelopmentZone,
        StateCompany,
        VerticalAgency,
        Party,
        MassOrganisation,
        Institution,
        Government,
    ]
);

mirrored!(
    encode_post_kind,
    decode_post_kind,
    PostKind,
    [
        Mayor,
        ExecutiveDeputyMayor,
        DeputyMayor,
        SecretaryGeneral,
        DeputySecretaryGeneral,
        Inspector,
        UnitHead,
        UnitDeputy,
        Liaison,
        LiaisonSubstitute,
        Staff,
    ]
);

mirrored!(
    encode_role,
    decode_role,
    Role,
    [
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
        Administrator,
        SystemClient,
    ]
);

mirrored!(
    encode_relation,
    decode_relation,
    Relation,
    [Presides, Directs, AssistsDirecting, Liaises, AssistsLiaising,]
);

pub(super) fn encode_state(state: AbsenceState) -> i32 {
    match state {
        AbsenceState::Planned => proto::AbsenceState::Planned.into(),
        AbsenceState::Active => proto::AbsenceState::Active.into(),
        AbsenceState::Ended => proto::AbsenceState::Ended.into(),
        AbsenceState::Cancelled => proto::AbsenceState::Cancelled.into(),
    }
}
