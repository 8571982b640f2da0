//! Versions of the rule are added, and running tasks put under them.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_supervision::{Grade, Rebasing, Rule, RuleError, Stage, Task, TaskChange, TaskEvent, rebase};
use xietong_events::{Append, Draft};
use xietong_mesh::{Call, Error, Transaction};

use super::{Supervision, catch_up, drafts, timers_after};
use crate::error::command_refused;
use crate::store::{self, RunningFilter};

/// The type of the event that a version was added; its payload is the rule.
const RULE_ADDED: &str = "supervision.rule.added";
/// Tasks that a preview looks at, at most.
const MOST_PREVIEWED: u64 = 100_000;
/// Tasks that are read at a time.
const PORTION: u64 = 500;
/// Examples that a preview shows.
const EXAMPLES: usize = 20;
/// Tasks that are put under a rule in one call.
const MOST_REBASED: u64 = 1_000;

/// What a rule would mean for open tasks.
#[derive(Debug, Default)]
pub(crate) struct Preview {
    pub(crate) grades: BTreeMap<Grade, Counts>,
    pub(crate) examples: Vec<Example>,
    pub(crate) truncated: bool,
}

/// Open tasks of a grade.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) open: i64,
    pub(crate) changed: i64,
    pub(crate) would_be_late: i64,
}

/// A task whose due times would be others.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) task: String,
    pub(crate) ledger_number: i64,
    pub(crate) title: String,
    pub(crate) before: Option<Timestamp>,
    pub(crate) after: Option<Timestamp>,
}

/// What became of running tasks.
#[derive(Debug, Default)]
pub(crate) struct Rebased {
    pub(crate) rebased: i64,
    /// Those that keep their rule, with the stages in which a unit would be late at once.
    pub(crate) left_out: Vec<(String, i64, Vec<Stage>)>,
    /// The last that was looked at, unless all were.
    pub(crate) next_after: Option<i64>,
}

impl Supervision {
    /// Adds a version of the rule; ABORTED when somebody else added one at the same moment.
    pub(crate) async fn create_rule(&self, transaction: &Transaction, rule: Rule) -> Result<Rule, Error> {
        let now = transaction.now();
        let rule = self.next_rule(transaction, rule).await?;
        if !store::keep_rule(transaction.tx(), &rule, now).await? {
            return Err(Error::aborted_etag("rules"));
        }
        let payload = serde_json::to_string(&rule).map_err(Error::internal)?;
        let draft = Draft { event_type: RULE_ADDED.to_owned(), payload };
        transaction.append(&format!("rules/{}", rule.version), 0, vec![draft]).await?;
        Ok(rule)
    }

    /// A rule as the version it would be, if it can be one.
    pub(crate) async fn next_rule(&self, transaction: &Transaction, rule: Rule) -> Result<Rule, Error> {
        let regulation = self.regulations.current(transaction.tx()).await?;
        let version = regulation.rules().iter().map(|rule| rule.version).max().unwrap_or_default() + 1;
        rule.check(transaction.now()).map_err(rule_refused)?;
        Ok(Rule { version, ..rule })
    }

    /// What a rule would mean for the open tasks, were they put under it now.
    pub(crate) async fn preview_rule(&self, rule: &Rule) -> Result<Preview, Error> {
        let (now, mut preview, mut after, mut seen) = (self.now(), Preview::default(), 0, 0);
        loop {
            let filter = RunningFilter::default();
            let records = store::running(self.db.reader(), &filter, after, PORTION).await?;
            let regulation = self.regulations.knowing(self.db.reader(), &records).await?;
            for record in &records {
                let context = regulation.context(&record.task, now);
                preview.count(&record.task, rebase(&record.task, rule, "", &context));
                after = record.task.ledger_number;
            }
            let read = records.len() as u64;
            seen += read;
            if read < PORTION {
                return Ok(preview);
            }
            if seen >= MOST_PREVIEWED {
                preview.truncated = true;
                return Ok(preview);
            }
        }
    }

    /// Puts running tasks under a version of the rule.
    pub(crate) async fn rebase(
        &self,
        transaction: &Transaction,
        call: &Call,
        version: u32,
        (filter, after, ground): (&RunningFilter, i64, &str),
    ) -> Result<Rebased, Error> {
        let (tx, now) = (transaction.tx(), transaction.now());
        let regulation = self.regulations.current(tx).await?;
        let name = format!("rules/{version}");
        let rule = regulation.rule(version).ok_or_else(|| Error::not_found(&name))?;
        let records = store::running(tx, filter, after, MOST_REBASED).await?;
        let mut answer = Rebased::default();
        if records.len() as u64 == MOST_REBASED {
            answer.next_after = records.last().map(|record| record.task.ledger_number);
        }
        let (mut appends, mut due, mut rebased) = (Vec::new(), Vec::new(), Vec::new());
        for mut record in records {
            if filter.grade.is_some_and(|grade| record.task.grade != grade) {
                continue;
            }
            call.authorize(&record.resource())?;
            let before = record.task.clone();
            let mut events = catch_up(&mut record, &regulation, now)?;
            let context = regulation.context(&record.task, now);
            match rebase(&record.task, rule, ground, &context) {
                Rebasing::Nothing => continue,
                Rebasing::WouldBeLate(stages) => {
                    answer.left_out.push((before.name, before.ledger_number, stages));
                    continue;
                }
                Rebasing::Rebased(event) => {
                    record.apply(std::slice::from_ref(&*event)).map_err(command_refused)?;
                    events.push(*event);
                }
            }
            answer.rebased += 1;
            due.extend(timers_after(&before, &record, &regulation)?);
            let (aggregate, expected_version) = (before.name.clone(), before.version);
            appends.push(Append { aggregate, expected_version, drafts: drafts(&events)? });
            rebased.push((before, record));
        }
        let saved: Vec<_> = rebased.iter().map(|(before, after)| (before, after)).collect();
        store::save_all(tx, &saved, &regulation, now).await?;
        transaction.append_all(&appends).await?;
        transaction.schedule(&due).await?;
        Ok(answer)
    }

    /// Brings what this process knows of the rules up to date after a version was added.
    pub(crate) async fn learn_rules(&self) -> Result<(), Error> {
        Ok(self.regulations.current(self.db.reader()).await.map(drop)?)
    }
}

impl Preview {
    fn count(&mut self, task: &Task, rebasing: Rebasing) {
        let counts = self.grades.entry(task.grade).or_default();
        counts.open += 1;
        match rebasing {
            Rebasing::Nothing => {}
            Rebasing::WouldBeLate(_) => counts.would_be_late += 1,
            Rebasing::Rebased(event) => {
                let Some((before, after)) = changed(task, &event) else { return };
                counts.changed += 1;
                if self.examples.len() < EXAMPLES {
                    self.examples.push(Example {
                        task: task.name.clone(),
                        ledger_number: task.ledger_number,
                        title: task.title.clone(),
                        before,
                        after,
                    });
                }
            }
        }
    }
}

/// When the first unit that settles a task is to settle it, before and after, if any due time of
/// it is another.
fn changed(task: &Task, event: &TaskEvent) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let TaskEvent::Task(event) = event else { return None };
    let TaskChange::Rebased { before, assignments, .. } = &event.change else { return None };
    if before == assignments {
        return None;
    }
    let role = task.settling_role();
    let settle = |facts: &[domain_supervision::AssignmentFacts]| {
        facts.iter().filter(|one| one.role == role).filter_map(|one| one.due.settle).min()
    };
    Some((settle(before), settle(assignments)))
}

/// A rule was refused.
fn rule_refused(error: RuleError) -> Error {
    let field = match error {
        RuleError::NoGround => "rule.ground",
        RuleError::SpanTooLong => "rule",
        RuleError::TimesAWeek => "rule.times_a_week",
        RuleError::Yellow => "rule.yellow_percent",
        RuleError::Past => "rule.start_time",
        RuleError::Deciders => "rule.deciders",
        RuleError::Evidence => "rule.evidence_at",
        RuleError::LimitsOfNothing | RuleError::Minutes => "rule.limits",
        RuleError::Urgings => "rule.ladder",
        RuleError::LeaderSigns => "rule.ladder.leader_signs",
    };
    Error::invalid(field, error.to_string(), error.chinese())
}

/// Why a task keeps its rule, for officials.
pub(crate) fn left_out_because(stages: &[Stage]) -> String {
    let named = stages.iter().map(|stage| match stage {
        Stage::Sign => "签收",
        Stage::Deploy => "部署",
        Stage::Report => "反馈",
        Stage::Milestone => "节点",
        Stage::Settle => "办结",
    });
    format!("改按新规则将立即逾期（{}），保留原规则", named.collect::<Vec<_>>().join("、"))
}
