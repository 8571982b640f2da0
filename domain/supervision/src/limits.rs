//! [`KindLimits`]: what a version of the rule sets for matters of a kind or a grade, and who
//! decides on them ([`Decider`]).

use serde::{Deserialize, Serialize};

use crate::assignment::Role;
use crate::rule::{RuleError, Span};
use crate::task::{Grade, Task};
use crate::terms::TaskKind;
use crate::{Assignment, Rule};

/// Limits that a rule sets for some matters in the place of its own. What is not set here stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KindLimits {
    /// Only for matters of this kind; none: of every kind.
    pub kind: Option<TaskKind>,
    /// Only for matters of this grade; none: of every grade.
    pub grade: Option<Grade>,
    /// 签收.
    pub sign_within: Option<Span>,
    /// 部署.
    pub deploy_within: Option<Span>,
    /// 反馈.
    pub report_within: Option<Span>,
    /// 办结.
    pub settled_within: Option<Span>,
}

/// The limits of a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) sign: Span,
    pub(crate) deploy: Span,
    pub(crate) report: Span,
    /// None: its year's end.
    pub(crate) settle: Option<Span>,
}

/// Who decides on an assignment: its extension, its suspension, the heavier instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Decider {
    /// The leader whom the mayor designated for the task, if there is one.
    Designated,
    /// The leader in charge of the unit, if the unit leads or nobody does.
    InCharge,
    /// The leader in charge of the task's first-named lead unit, if there is one.
    FirstLead,
}

/// Who decides on an assignment, as far as the task and the rule say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decides<'a> {
    /// This leader, `officials/{id}`.
    Leader(&'a str),
    /// The leader in charge of this unit, `units/{slug}`.
    InChargeOf(&'a str),
}

impl Decider {
    /// Every one, in the order in which they are asked unless a rule says otherwise.
    pub const ALL: [Decider; 3] = [Self::Designated, Self::InCharge, Self::FirstLead];
}

/// Who decides unless a rule says otherwise.
pub(crate) fn usual_deciders() -> Vec<Decider> {
    Decider::ALL.to_vec()
}

/// The limits of emergencies (突发事件): by phone within 30 minutes of its occurrence, in writing
/// within an hour. A phone call is signed for, deployed and reported on in one.
pub(crate) fn usual_limits() -> Vec<KindLimits> {
    let call = Some(Span::Minutes(30));
    vec![KindLimits {
        kind: Some(TaskKind::Emergency),
        grade: None,
        sign_within: call,
        deploy_within: call,
        report_within: call,
        settled_within: Some(Span::Minutes(60)),
    }]
}

impl KindLimits {
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        let all = [self.sign_within, self.deploy_within, self.report_within, self.settled_within];
        all.into_iter().flatten()
    }

    fn is_for(&self, grade: Grade, kind: Option<TaskKind>) -> bool {
        self.grade.is_none_or(|wanted| wanted == grade) && self.kind.is_none_or(|wanted| Some(wanted) == kind)
    }

    /// Refuses limits of nothing, and minutes for what does not begin at a stated minute.
    pub(crate) fn check(&self) -> Result<(), RuleError> {
        let minutes = self.spans().any(|span| matches!(span, Span::Minutes(_)));
        if self.spans().next().is_none() || (self.kind.is_none() && self.grade.is_none()) {
            Err(RuleError::LimitsOfNothing)
        } else if minutes && self.kind != Some(TaskKind::Emergency) {
            Err(RuleError::Minutes)
        } else {
            Ok(())
        }
    }
}

impl Rule {
    /// The limits of a matter of a grade and a kind: of each stage the first that is set for it,
    /// else the rule's own.
    pub(crate) fn limits_of(&self, grade: Grade, kind: Option<TaskKind>) -> Limits {
        let first = |pick: fn(&KindLimits) -> Option<Span>| {
            self.limits.iter().filter(|one| one.is_for(grade, kind)).find_map(pick)
        };
        let settle = match grade {
            Grade::Ordinary => Some(self.ordinary_settled_within),
            Grade::Major => Some(self.major_settled_within),
            Grade::LongTerm => None,
        };
        Limits {
            sign: first(|one| one.sign_within).unwrap_or(self.sign_within),
            deploy: first(|one| one.deploy_within).unwrap_or(self.deploy_within),
            report: first(|one| one.report_within).unwrap_or(self.report_within),
            settle: first(|one| one.settled_within).or(settle),
        }
    }
}

impl Task {
    /// Who decides on an assignment: the first that the rule names and that there is; the leader
    /// in charge of the unit if there is none.
    pub fn decides<'a>(&'a self, assignment: &'a Assignment, rule: &Rule) -> Decides<'a> {
        let first_lead = self.assignments.iter().find(|one| one.role == Role::Lead);
        let found = rule.deciders.iter().find_map(|decider| match decider {
            Decider::Designated => self.designated.as_deref().map(Decides::Leader),
            Decider::InCharge => {
                let own = assignment.role == Role::Lead || first_lead.is_none();
                own.then_some(Decides::InChargeOf(&assignment.unit))
            }
            Decider::FirstLead => first_lead.map(|lead| Decides::InChargeOf(&lead.unit)),
        });
        found.unwrap_or(Decides::InChargeOf(&assignment.unit))
    }
}
