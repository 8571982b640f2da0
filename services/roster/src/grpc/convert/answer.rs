//! Who answers: questions and answers.

use domain_roster::{Person, Step, Subject};
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_optional_time, encode_time};
use xietong_mesh::input::required;
use xietong_proto::roster as proto;

use crate::app::{Answer, Question};

pub(in crate::grpc) fn decode_question(request: &proto::ResolveRequest) -> Result<Question, Error> {
    Ok(Question {
        subject: decode_subject(request)?,
        at: decode_optional_time("at", request.at.as_ref())?,
        known_at: decode_optional_time("known_at", request.known_at.as_ref())?,
    })
}

/// Exactly one of the four ways to ask.
fn decode_subject(request: &proto::ResolveRequest) -> Result<Subject, Error> {
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

/// What one question of many came to.
pub(in crate::grpc) fn encode_outcome(answer: Result<Answer, Error>) -> proto::ResolveOutcome {
    use proto::resolve_outcome::Outcome;
    let outcome = match answer {
        Ok(answer) => Outcome::Answer(encode_answer(answer)),
        Err(error) => Outcome::Error(proto::ResolveError {
            status: error.code().as_str().to_owned(),
            message: error.message().to_owned(),
            message_zh: error.chinese().to_owned(),
            reason: error.reason().to_owned(),
        }),
    };
    proto::ResolveOutcome { outcome: Some(outcome) }
}
