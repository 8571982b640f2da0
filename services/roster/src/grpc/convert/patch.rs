//! What a PATCH changes: the fields in its mask, and nothing else.

use domain_roster::{Collective, Official, Unit};
use prost_types::FieldMask;
use xietong_mesh::Error;
use xietong_proto::roster as proto;

use super::directory::{
    decode_collective, decode_official, decode_unit, encode_collective, encode_official, encode_unit,
};

/// Takes one field over from what was asked for.
type TakeOver<M> = fn(&mut M, &M);

const UNIT_FIELDS: &[(&str, TakeOver<proto::Unit>)] = &[
    ("display_name", |unit, asked| unit.display_name.clone_from(&asked.display_name)),
    ("aliases", |unit, asked| unit.aliases.clone_from(&asked.aliases)),
    ("signboards", |unit, asked| unit.signboards.clone_from(&asked.signboards)),
    ("kind", |unit, asked| unit.kind = asked.kind),
    ("parent", |unit, asked| unit.parent.clone_from(&asked.parent)),
    ("division_code", |unit, asked| unit.division_code.clone_from(&asked.division_code)),
    ("start_time", |unit, asked| unit.start_time = asked.start_time),
    ("end_time", |unit, asked| unit.end_time = asked.end_time),
    ("successor", |unit, asked| unit.successor.clone_from(&asked.successor)),
];

const COLLECTIVE_FIELDS: &[(&str, TakeOver<proto::Collective>)] = &[
    ("display_name", |one, asked| one.display_name.clone_from(&asked.display_name)),
    ("aliases", |one, asked| one.aliases.clone_from(&asked.aliases)),
    ("units", |one, asked| one.units.clone_from(&asked.units)),
];

const OFFICIAL_FIELDS: &[(&str, TakeOver<proto::Official>)] = &[
    ("display_name", |official, asked| official.display_name.clone_from(&asked.display_name)),
    ("posts", |official, asked| official.posts.clone_from(&asked.posts)),
];

/// These say which record and which version of it is meant, and change nothing: a mask may name
/// them, as one made of a whole record does.
const IDENTITY: [&str; 2] = ["name", "etag"];

/// New values, and which of them are to be taken over.
pub(in crate::grpc) struct Patch<M> {
    asked: M,
    fields: Vec<TakeOver<M>>,
}

impl<M> Patch<M> {
    fn of(known: &[(&str, TakeOver<M>)], asked: M, update_mask: Option<&FieldMask>) -> Result<Self, Error> {
        let paths = update_mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
        let mut fields = Vec::new();
        for path in paths.iter().filter(|path| !IDENTITY.contains(&path.as_str())) {
            let Some((_, field)) = known.iter().find(|(name, _)| name == path) else {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                let names = names.join(", ");
                return Err(Error::invalid(
                    "update_mask",
                    format!("only these fields change: {names}"),
                    format!("只能修改以下字段：{names}"),
                ));
            };
            fields.push(*field);
        }
        if fields.is_empty() {
            let english = "must name the fields that change";
            return Err(Error::invalid("update_mask", english, "请说明要修改哪些字段"));
        }
        Ok(Patch { asked, fields })
    }

    fn applied_to(&self, mut record: M) -> M {
        self.fields.iter().for_each(|take_over| take_over(&mut record, &self.asked));
        record
    }
}

impl Patch<proto::Unit> {
    pub(in crate::grpc) fn of_unit(asked: proto::Unit, mask: Option<&FieldMask>) -> Result<Self, Error> {
        Self::of(UNIT_FIELDS, asked, mask)
    }

    pub(in crate::grpc) fn unit(&self, before: &Unit) -> Result<Unit, Error> {
        decode_unit(before.name.clone(), self.applied_to(encode_unit(before, String::new())))
    }
}

impl Patch<proto::Collective> {
    pub(in crate::grpc) fn of_collective(
        asked: proto::Collective,
        mask: Option<&FieldMask>,
    ) -> Result<Self, Error> {
        Self::of(COLLECTIVE_FIELDS, asked, mask)
    }

    pub(in crate::grpc) fn collective(&self, before: &Collective) -> Result<Collective, Error> {
        decode_collective(before.name.clone(), self.applied_to(encode_collective(before, String::new())))
    }
}

impl Patch<proto::Official> {
    pub(in crate::grpc) fn of_official(
        asked: proto::Official,
        mask: Option<&FieldMask>,
    ) -> Result<Self, Error> {
        Self::of(OFFICIAL_FIELDS, asked, mask)
    }

    pub(in crate::grpc) fn official(&self, before: &Official) -> Result<Official, Error> {
        decode_official(before.name.clone(), self.applied_to(encode_official(before, String::new())))
    }
}
