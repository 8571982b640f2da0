//! Divisions, absences and answers.

use domain_calendar::Timestamp;
use domain_roster::{
    Absence, ClassDuty, Division, Fallback, FieldDuty, Handover, Person, Portfolio, Registration,
    StandInPair, Step, Subject, UnitDuty,
};
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_mesh::input::{ENTRIES, LINE, TEXT, at_most, names, optional, present, required, text};
use xietong_proto::roster as proto;

use super::kinds::{decode_relation, encode_relation, encode_state};
use crate::app::Answer;

/// `record_time` is when the roster learned of it, which is not the caller's to say.
pub(in crate::grpc) fn decode_division(
    name: String,
    division: proto::Division,
    record_time: Timestamp,
) -> Result<Division, Error> {
    let effective_time = present("division.effective_time", division.effective_time)?;
    let portfolios = at_most("division.portfolios", division.portfolios, ENTRIES)?;
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

fn decode_pairs(field: &str, pairs: Vec<proto::StandInPair>) -> Result<Vec<StandInPair>, Error> {
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

pub(in crate::grpc) fn encode_division(division: &Division, etag: String) -> proto::Division {
    let encode_pairs = |pairs: &[StandInPair]| {
        let encode = |pair: &StandInPair| proto::StandInPair {
            official: pair.official.clone(),
            stand_in: pair.stand_in.clone(),
            mutual: pair.mutual,
        };
        pairs.iter().map(encode).collect()
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

pub(in crate::grpc) fn encode_handover(handover: Handover) -> proto::Handover {
    proto::Handover {
        unit: handover.unit,
        from: handover.from.unwrap_or_default(),
        to: handover.to.unwrap_or_default(),
    }
}

pub(in crate::grpc) fn decode_absence(name: String, absence: proto::Absence) -> Result<Registration, Error> {
    let start_time = present("absence.start_time", absence.start_time)?;
    let end_time = present("absence.end_time", absence.end_time)?;
    Ok(Registration {
        name,
        official: required("absence.official", absence.official)?,
        start_time: decode_time("absence.start_time", &start_time)?,
        end_time: decode_time("absence.end_time", &end_time)?,
        stand_in: optional("absence.stand_in", absence.stand_in)?,
        reason: text("absence.reason", absence.reason, TEXT)?,
        approval: optional("absence.approval", absence.approval)?,
    })
}

/// An absence as it stands at `now`; one that ended early shows when it really ended.
pub(in crate::grpc) fn encode_absence(absence: &Absence, etag: String, now: Timestamp) -> proto::Absence {
    let end_time = absence.interval(Timestamp::MAX).map_or(absence.end_time, |interval| interval.end);
    proto::Absence {
        name: absence.name.clone(),
        official: absence.official.clone(),
        start_time: Some(encode_time(absence.start_time)),
        end_time: Some(encode_time(end_time)),
        stand_in: absence.stand_in.clone().unwrap_or_default(),
        reason: absence.reason.clone(),
        approval: absence.approval.clone().unwrap_or_default(),
        state: encode_state(absence.state(now)),
        etag,
    }
}

/// Exactly one of the four ways to ask.
pub(in crate::grpc) fn decode_subject(request: &proto::ResolveRequest) -> Result<Subject, Error> {
    type Ask = fn(String) -> Subject;
    let asked: [(&str, &String, Ask); 4] = [
        ("unit", &request.unit, Subject::Unit),
        ("field", &request.field, Subject::Field),
        ("post", &request.post, Subject::Post),
        ("official", &request.official, Subject::Official),
    ];
    let mut given = asked.into_iter().filter(|(_, value, _)| !value.is_empty());
    match (given.next(), given.next()) {
        (Some((field, value, ask)), None) => Ok(ask(required(field, value.clone())?)),
        (None, _) | (Some(_), Some(_)) => Err(Error::invalid(
            "unit",
            "exactly one of unit, field, post and official must be given",
            "单位、工作领域、职务、人员四项须且只须填写一项",
        )),
    }
}

pub(in crate::grpc) fn encode_answer(answer: Answer) -> proto::ResolveResponse {
    let encode_person =
        |person: Person| proto::Person { official: person.official, display_name: person.display_name };
    let encode_step = |step: Step| proto::ResolveStep {
        rule: step.rule.as_str().to_owned(),
        official: step.official.unwrap_or_default(),
        outcome: step.outcome.as_str().to_owned(),
        basis: step.basis,
    };
    proto::ResolveResponse {
        accountable: answer.resolution.accountable.map(encode_person),
        acting: answer.resolution.acting.map(encode_person),
        stand_in: answer.resolution.stand_in,
        steps: answer.resolution.steps.into_iter().map(encode_step).collect(),
        roster_position: answer.position,
        at: Some(encode_time(answer.at)),
    }
}
