//! Authorities to act, and what was done by them.

use domain_calendar::Timestamp;
use domain_roster::{Absence, Authority, Book, authority_in_ground};
use xietong_mesh::convert::encode_time;
use xietong_proto::roster as proto;

use crate::store::acts::Act;

pub(in crate::grpc) fn encode_authority(authority: &Authority, book: &Book) -> proto::ActingAuthority {
    proto::ActingAuthority {
        name: authority.name.clone(),
        official: authority.official.clone(),
        acting_official: authority.acting.clone(),
        acting_display_name: called(book, &authority.acting),
        units: authority.scope.units.clone(),
        fields: authority.scope.fields.clone(),
        start_time: Some(encode_time(authority.period.start)),
        end_time: Some(encode_time(authority.period.end)),
        rule: authority.rule.as_str().to_owned(),
        basis: authority.basis.clone(),
    }
}

/// An act of a digest. `held` are the absence's authorities by all that is known now.
pub(in crate::grpc) fn encode_act(
    act: Act,
    absence: &Absence,
    held: &[Authority],
    book: &Book,
) -> proto::ActingAct {
    let authority = authority_in_ground(&act.ground).unwrap_or_default().to_owned();
    let within = if authority.is_empty() {
        let known = absence.interval(Timestamp::MAX);
        known.is_some_and(|known| known.contains(act.occurred_at))
    } else {
        // An authority is named by its start, which may have been corrected since.
        held.iter().any(|one| one.acting == act.acting_official && one.period.contains(act.occurred_at))
    };
    proto::ActingAct {
        number: act.number,
        producer: act.producer,
        event_id: act.event_id,
        position: act.position,
        r#type: act.event_type,
        subject: act.subject,
        actor: act.actor,
        acting_display_name: called(book, &act.acting_official),
        acting_official: act.acting_official,
        ground: act.ground,
        authority,
        occur_time: Some(encode_time(act.occurred_at)),
        description: act.description,
        beyond_authority: !within,
    }
}

fn called(book: &Book, official: &str) -> String {
    book.official(official).map(|known| known.display_name.clone()).unwrap_or_default()
}
