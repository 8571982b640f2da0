//! [`ScoreRule`]: what is scored, as versioned data.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::assignment::Stage;

/// What is scored, as data. A version is added and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreRule {
    /// Counted up with every change of the rule.
    pub version: u32,
    /// Assignments that were closed with their task, and not verified themselves, are judged.
    pub closed_with_task: bool,
    /// The steps whose missing counts as a late step.
    pub late_steps: Vec<Stage>,
    /// On what ground it was set; empty for the version as delivered.
    pub ground: String,
    /// Since when it is in force.
    pub start_time: Timestamp,
}

/// Why a rule cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScoreRuleError {
    /// A rule is set on a ground.
    #[error("a rule needs a ground")]
    NoGround,
    /// What was scored is not scored otherwise afterwards.
    #[error("a rule does not begin in the past")]
    Past,
    /// A step is named twice.
    #[error("a step is named twice")]
    StepTwice,
    /// Settling late is judged already.
    #[error("settling is no step")]
    SettleIsNoStep,
}

impl ScoreRule {
    /// The rule as delivered.
    pub fn version_1() -> Self {
        ScoreRule {
            version: 1,
            closed_with_task: false,
            late_steps: vec![Stage::Sign, Stage::Deploy, Stage::Report],
            ground: String::new(),
            start_time: Timestamp::MIN,
        }
    }

    /// Whether it can be set at an instant.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, now: Timestamp) -> Result<(), ScoreRuleError> {
        if self.ground.trim().is_empty() {
            return Err(ScoreRuleError::NoGround);
        }
        if self.start_time < now {
            return Err(ScoreRuleError::Past);
        }
        if self.late_steps.contains(&Stage::Settle) {
            return Err(ScoreRuleError::SettleIsNoStep);
        }
        let repeated =
            |at: usize| self.late_steps.iter().take(at).any(|before| Some(before) == self.late_steps.get(at));
        if (0..self.late_steps.len()).any(repeated) {
            return Err(ScoreRuleError::StepTwice);
        }
        Ok(())
    }

    /// The rule in force at an instant: of those that began by then, the latest version. `rules`
    /// are in the order of their versions.
    pub fn in_force(rules: &[ScoreRule], at: Timestamp) -> ScoreRule {
        let begun = rules.iter().rev().find(|rule| rule.start_time <= at);
        begun.cloned().unwrap_or_else(Self::version_1)
    }

    /// What people call it.
    pub fn chinese_name(&self) -> String {
        format!("督办评价规则第{}版", self.version)
    }

    /// What it says.
    pub fn chinese(&self) -> String {
        let steps: Vec<&str> = self.late_steps.iter().map(|stage| stage.chinese()).collect();
        let closed = if self.closed_with_task { "计入" } else { "不计入" };
        let steps = if steps.is_empty() {
            "环节逾期不计".to_owned()
        } else {
            format!("{}逾期按次计", steps.join("、"))
        };
        format!(
            "按时办结率＝期内按时办结件数÷（期内办结件数＋期末逾期未办结件数）。办结时间以申请办结为准；办结时限已扣除\
             核验、批复延期等他方占用时间，补录前已到期的不计；随任务一并销号的{closed}。逾期天数为期内超出办结时限的\
             天数，不足一天按一天计。退回返工按次计；{steps}。系统使用情况不作为评价内容。"
        )
    }
}

impl ScoreRuleError {
    /// The reason as an official reads it.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::NoGround => "请填写制定评价规则的依据",
            Self::Past => "评价规则不能自过去的时间起施行",
            Self::StepTwice => "计入逾期的环节不能重复",
            Self::SettleIsNoStep => "计入逾期的环节应为签收、部署、反馈",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn rule(version: u32, start: &str) -> ScoreRule {
        ScoreRule {
            version,
            ground: "市政府办公室通知".to_owned(),
            start_time: at(start),
            ..ScoreRule::version_1()
        }
    }

    #[test]
    fn the_formula_says_what_it_counts() {
        let all = ScoreRule {
            closed_with_task: true,
            late_steps: vec![Stage::Report],
            ..rule(2, "2023-06-01T00:00+08:00")
        };
        assert_eq!(all.chinese_name(), "督办评价规则第2版");
        assert!(
            all.chinese().contains("随任务一并销号的计入") && all.chinese().contains("；反馈逾期按次计。")
        );
        let none = ScoreRule { late_steps: vec![], ..all };
        assert!(none.chinese().contains("；环节逾期不计。"), "{}", none.chinese());
    }

    #[test]
    fn what_cannot_be_a_rule_is_refused() {
        let now = at("2023-06-01T09:00+08:00");
        let good = rule(2, "2023-07-01T00:00+08:00");
        assert_eq!(good.check(now), Ok(()));
        let with = |late_steps: &[Stage]| ScoreRule { late_steps: late_steps.to_vec(), ..good.clone() };
        for (bad, error) in [
            (ScoreRule { ground: " ".to_owned(), ..good.clone() }, ScoreRuleError::NoGround),
            (rule(2, "2023-06-01T08:59:59+08:00"), ScoreRuleError::Past),
            (with(&[Stage::Sign, Stage::Settle]), ScoreRuleError::SettleIsNoStep),
            (with(&[Stage::Sign, Stage::Deploy, Stage::Sign]), ScoreRuleError::StepTwice),
        ] {
            assert_eq!(bad.check(now), Err(error));
        }
    }

    #[test]
    fn the_latest_version_that_began_is_in_force() {
        let rules =
            [ScoreRule::version_1(), rule(2, "2023-07-01T00:00+08:00"), rule(3, "2023-06-15T00:00+08:00")];
        for (now, version) in
            [("2023-06-14T23:59:59+08:00", 1), ("2023-06-15T00:00+08:00", 3), ("2023-07-02T00:00+08:00", 3)]
        {
            assert_eq!(ScoreRule::in_force(&rules, at(now)).version, version, "{now}");
        }
        assert_eq!(ScoreRule::in_force(&[], at("2023-06-14T00:00+08:00")).version, 1);
    }

    proptest! {
        /// What is in force has begun, and no later version has.
        #[test]
        fn nothing_later_has_begun(starts in prop::collection::vec(0_i64..100, 0..6), now in 0_i64..100) {
            let rules: Vec<ScoreRule> = (2..)
                .zip(&starts)
                .map(|(version, start)| ScoreRule {
                    version,
                    start_time: Timestamp::from_micros(*start),
                    ..ScoreRule::version_1()
                })
                .collect();
            let now = Timestamp::from_micros(now);
            let found = ScoreRule::in_force(&rules, now);
            prop_assert!(found.start_time <= now);
            prop_assert!(rules.iter().all(|rule| rule.version <= found.version || rule.start_time > now));
        }
    }
}
