//! The parts of a rule beside its limits: ladder, deciders, evidence, kinds.

use std::collections::BTreeSet;

use domain_supervision::{Decider, Instrument, KindLimits, LadderRule, Rule, Stage, TaskKind};
use xietong_mesh::Error;
use xietong_proto::supervision as proto;

use super::check::Check;
use super::rules::{encode_span, grade, number, small, span, unnamed};
use super::{encode, instrument, terms};

pub(super) fn decode_ladder(ladder: Option<proto::RuleLadder>) -> Result<LadderRule, Error> {
    let usual = LadderRule::default();
    let Some(ladder) = ladder else { return Ok(usual) };
    let count = |field: &str, asked: Option<i32>, usual: u32| match asked {
        Some(asked) => number(field, asked),
        None => Ok(usual),
    };
    let signed = ladder.leader_signs.iter().map(|one| match proto::Instrument::try_from(*one) {
        Ok(proto::Instrument::Urging) => Ok(Instrument::Urging),
        Ok(proto::Instrument::Letter) => Ok(Instrument::Letter),
        Ok(proto::Instrument::Interview) => Ok(Instrument::Interview),
        Ok(proto::Instrument::PublicNotice) => Ok(Instrument::PublicNotice),
        Ok(proto::Instrument::Accountability) => Ok(Instrument::Accountability),
        Ok(proto::Instrument::Unspecified) | Err(_) => Err(unnamed("rule.ladder.leader_signs")),
    });
    let signed: BTreeSet<Instrument> = signed.collect::<Result<_, _>>()?;
    Ok(LadderRule {
        remind_at_yellow: ladder.remind_at_yellow.unwrap_or(usual.remind_at_yellow),
        most_urgings: count("rule.ladder.most_urgings", ladder.most_urgings, usual.most_urgings)?,
        cool_down_hours: count("rule.ladder.cool_down_hours", ladder.cool_down_hours, usual.cool_down_hours)?,
        leader_signs: if signed.is_empty() { usual.leader_signs } else { signed },
    })
}

pub(super) fn encode_ladder(ladder: &LadderRule) -> proto::RuleLadder {
    proto::RuleLadder {
        remind_at_yellow: Some(ladder.remind_at_yellow),
        most_urgings: Some(small(ladder.most_urgings)),
        cool_down_hours: Some(small(ladder.cool_down_hours)),
        leader_signs: ladder.leader_signs.iter().map(|one| instrument::named(*one).into()).collect(),
    }
}

pub(super) fn decode_deciders(deciders: &[i32]) -> Result<Vec<Decider>, Error> {
    if deciders.is_empty() {
        return Ok(Decider::ALL.to_vec());
    }
    let named = deciders.iter().map(|one| match proto::RuleDecider::try_from(*one) {
        Ok(proto::RuleDecider::Designated) => Ok(Decider::Designated),
        Ok(proto::RuleDecider::InCharge) => Ok(Decider::InCharge),
        Ok(proto::RuleDecider::FirstLead) => Ok(Decider::FirstLead),
        Ok(proto::RuleDecider::Unspecified) | Err(_) => Err(unnamed("rule.deciders")),
    });
    named.collect()
}

pub(super) fn encode_decider(decider: Decider) -> proto::RuleDecider {
    match decider {
        Decider::Designated => proto::RuleDecider::Designated,
        Decider::InCharge => proto::RuleDecider::InCharge,
        Decider::FirstLead => proto::RuleDecider::FirstLead,
    }
}

pub(super) fn decode_evidence(stages: &[i32]) -> Result<BTreeSet<Stage>, Error> {
    let named = stages.iter().map(|one| match proto::RuleEvidence::try_from(*one) {
        Ok(proto::RuleEvidence::Report) => Ok(Stage::Report),
        Ok(proto::RuleEvidence::Submit) => Ok(Stage::Settle),
        Ok(proto::RuleEvidence::Unspecified) | Err(_) => Err(unnamed("rule.evidence_at")),
    });
    named.collect()
}

pub(super) fn encode_evidence(stage: Stage) -> Option<i32> {
    match stage {
        Stage::Report => Some(proto::RuleEvidence::Report.into()),
        // A rule refuses these.
        Stage::Milestone => None,
        Stage::Settle => Some(proto::RuleEvidence::Submit.into()),
        // No rule wants evidence of them: it is checked.
        Stage::Sign | Stage::Deploy => None,
    }
}

pub(super) fn decode_limits(limits: Vec<proto::RuleLimits>) -> Result<Vec<KindLimits>, Error> {
    let mut decoded = Vec::with_capacity(limits.len());
    for (at, one) in limits.into_iter().enumerate() {
        let place = format!("rule.limits[{at}]");
        let mut check = Check::default();
        let kind = terms::decode_kind(&mut check, &format!("{place}.kind"), one.kind);
        check.finish()?;
        let within = |field: &str, given: Option<proto::RuleSpan>| match given {
            None => Ok(None),
            given => span(&format!("{place}.{field}"), given).map(Some),
        };
        decoded.push(KindLimits {
            kind,
            grade: grade(one.grade)?,
            sign_within: within("sign_within", one.sign_within)?,
            deploy_within: within("deploy_within", one.deploy_within)?,
            report_within: within("report_within", one.report_within)?,
            settled_within: within("settled_within", one.settled_within)?,
        });
    }
    let emergency = Some(TaskKind::Emergency);
    if decoded.iter().all(|one| one.kind != emergency) {
        decoded.extend(Rule::version_1().limits.into_iter().filter(|one| one.kind == emergency));
    }
    Ok(decoded)
}

pub(super) fn encode_limits(limits: &KindLimits) -> proto::RuleLimits {
    proto::RuleLimits {
        kind: limits.kind.map_or(proto::TaskKind::Unspecified, terms::encode_kind).into(),
        grade: limits.grade.map_or(proto::Grade::Unspecified, encode::grade).into(),
        sign_within: limits.sign_within.map(encode_span),
        deploy_within: limits.deploy_within.map(encode_span),
        report_within: limits.report_within.map(encode_span),
        settled_within: limits.settled_within.map(encode_span),
    }
}
