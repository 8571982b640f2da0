//! Units' own AB lists.

use domain_calendar::Timestamp;
use domain_roster::StandInList;
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_mesh::input::{LINE, present, required, text};
use xietong_proto::roster as proto;

use super::division::{decode_pairs, encode_pairs};

/// `recorded_at` is when the roster learned of it, which is not the caller's to say.
pub(in crate::grpc) fn decode_stand_in_list(
    name: String,
    list: proto::StandInList,
    recorded_at: Timestamp,
) -> Result<StandInList, Error> {
    let effective_time = present("stand_in_list.effective_time", list.effective_time)?;
    Ok(StandInList {
        name,
        unit: required("stand_in_list.unit", list.unit)?,
        effective_time: decode_time("stand_in_list.effective_time", &effective_time)?,
        document_number: text("stand_in_list.document_number", list.document_number, LINE)?,
        pairs: decode_pairs("stand_in_list.pairs", list.pairs)?,
        recorded_at,
    })
}

pub(in crate::grpc) fn encode_stand_in_list(list: &StandInList, etag: String) -> proto::StandInList {
    proto::StandInList {
        name: list.name.clone(),
        unit: list.unit.clone(),
        effective_time: Some(encode_time(list.effective_time)),
        document_number: list.document_number.clone(),
        pairs: encode_pairs(&list.pairs),
        record_time: Some(encode_time(list.recorded_at)),
        etag,
    }
}
