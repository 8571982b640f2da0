//! Divisions of work.

use domain_calendar::Timestamp;
use domain_roster::{
    ClassDuty, Division, Exclusion, Fallback, FieldDuty, Portfolio, Scope, StandInPair, UnitDuty,
};
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_mesh::input::{ENTRIES, LINE, at_most, names, optional, present, required, text};
use xietong_proto::roster as proto;

use super::kinds::{decode_relation, encode_relation};

/// `record_time` is when the roster learned of it, which is not the caller's to say.
pub(in crate::grpc) fn decode_division(
    name: String,
    division: proto::Division,
    record_time: Timestamp,
) -> Result<Division, Error> {
    let effective_time = present("division.effective_time", division.effective_time)?;
    let portfolios = at_most("division.portfolios", division.portfolios, ENTRIES)?;
    let exclusions = at_most("division.exclusions", division.exclusions, ENTRIES)?;
    Ok(Division {
        name,
        document_number: text("division.document_number", division.document_number, LINE)?,
        title: text("division.title", division.title, LINE)?,
        effective_time: decode_time("division.effective_time", &effective_time)?,
        partial: division.partial,
        portfolios: portfolios.into_iter().map(decode_portfolio).collect::<Result<_, _>>()?,
        pairs: decode_pairs("division.pairs", division.pairs)?,
        third_stand_ins: decode_pairs("division.third_stand_ins", division.third_stand_ins)?,
        fallback: division.fallback.map(decode_fallback).transpose()?,
        exclusions: exclusions.into_iter().map(decode_exclusion).collect::<Result<_, _>>()?,
        absence_limit_days: Some(division.absence_limit_days).filter(|days| *days > 0),
        corrects: optional("division.corrects", division.corrects)?,
        record_time,
    })
}

fn decode_portfolio(portfolio: proto::Portfolio) -> Result<Portfolio, Error> {
    let field = |duty: proto::FieldDuty| {
        Ok::<_, Error>(FieldDuty {
            field: required("division.portfolios.fields.field", duty.field)?,
            relation: decode_relation("division.portfolios.fields.relation", duty.relation)?,
        })
    };
    let unit = |duty: proto::UnitDuty| {
        Ok::<_, Error>(UnitDuty {
            unit: required("division.portfolios.units.unit", duty.unit)?,
            relation: decode_relation("division.portfolios.units.relation", duty.relation)?,
        })
    };
    let class = |duty: proto::ClassDuty| {
        Ok::<_, Error>(ClassDuty {
            text: required("division.portfolios.classes.text", duty.text)?,
            relation: decode_relation("division.portfolios.classes.relation", duty.relation)?,
        })
    };
    let fields = at_most("division.portfolios.fields", portfolio.fields, ENTRIES)?;
    let units = at_most("division.portfolios.units", portfolio.units, ENTRIES)?;
    let classes = at_most("division.portfolios.classes", portfolio.classes, ENTRIES)?;
    Ok(Portfolio {
        official: required("division.portfolios.official", portfolio.official)?,
        presides: portfolio.presides,
        fields: fields.into_iter().map(field).collect::<Result<_, _>>()?,
        units: units.into_iter().map(unit).collect::<Result<_, _>>()?,
        classes: classes.into_iter().map(class).collect::<Result<_, _>>()?,
    })
}

/// Pairs of a division or of a unit's own list.
pub(super) fn decode_pairs(field: &str, pairs: Vec<proto::StandInPair>) -> Result<Vec<StandInPair>, Error> {
    let decode = |pair: proto::StandInPair| {
        Ok(StandInPair {
            official: required(field, pair.official)?,
            stand_in: required(field, pair.stand_in)?,
            mutual: pair.mutual,
        })
    };
    at_most(field, pairs, ENTRIES)?.into_iter().map(decode).collect()
}

fn decode_fallback(fallback: proto::Fallback) -> Result<Fallback, Error> {
    Ok(Fallback {
        officials: names("division.fallback.officials", fallback.officials)?,
        basis: required("division.fallback.basis", fallback.basis)?,
    })
}

fn decode_exclusion(exclusion: proto::Exclusion) -> Result<Exclusion, Error> {
    Ok(Exclusion {
        official: required("division.exclusions.official", exclusion.official)?,
        scope: Scope {
            units: names("division.exclusions.units", exclusion.units)?,
            fields: names("division.exclusions.fields", exclusion.fields)?,
        },
        basis: required("division.exclusions.basis", exclusion.basis)?,
    })
}

pub(super) fn encode_pairs(pairs: &[StandInPair]) -> Vec<proto::StandInPair> {
    let encode = |pair: &StandInPair| proto::StandInPair {
        official: pair.official.clone(),
        stand_in: pair.stand_in.clone(),
        mutual: pair.mutual,
    };
    pairs.iter().map(encode).collect()
}

pub(in crate::grpc) fn encode_division(division: &Division, etag: String) -> proto::Division {
    let encode_exclusion = |exclusion: &Exclusion| proto::Exclusion {
        official: exclusion.official.clone(),
        units: exclusion.scope.units.clone(),
        fields: exclusion.scope.fields.clone(),
        basis: exclusion.basis.clone(),
    };
    let encode_fallback = |fallback: &Fallback| proto::Fallback {
        officials: fallback.officials.clone(),
        basis: fallback.basis.clone(),
    };
    proto::Division {
        name: division.name.clone(),
        document_number: division.document_number.clone(),
        title: division.title.clone(),
        effective_time: Some(encode_time(division.effective_time)),
        partial: division.partial,
        portfolios: division.portfolios.iter().map(encode_portfolio).collect(),
        pairs: encode_pairs(&division.pairs),
        third_stand_ins: encode_pairs(&division.third_stand_ins),
        fallback: division.fallback.as_ref().map(encode_fallback),
        record_time: Some(encode_time(division.record_time)),
        etag,
        exclusions: division.exclusions.iter().map(encode_exclusion).collect(),
        absence_limit_days: division.absence_limit_days.unwrap_or_default(),
        corrects: division.corrects.clone().unwrap_or_default(),
    }
}

fn encode_portfolio(portfolio: &Portfolio) -> proto::Portfolio {
    let field = |duty: &FieldDuty| proto::FieldDuty {
        field: duty.field.clone(),
        relation: encode_relation(duty.relation),
    };
    let unit = |duty: &UnitDuty| proto::UnitDuty {
        unit: duty.unit.clone(),
        relation: encode_relation(duty.relation),
    };
    let class = |duty: &ClassDuty| proto::ClassDuty {
        text: duty.text.clone(),
        relation: encode_relation(duty.relation),
    };
    proto::Portfolio {
        official: portfolio.official.clone(),
        presides: portfolio.presides,
        fields: portfolio.fields.iter().map(field).collect(),
        units: portfolio.units.iter().map(unit).collect(),
        classes: portfolio.classes.iter().map(class).collect(),
    }
}
