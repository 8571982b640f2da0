//! [`Regulation`]: the rules and the calendars that every clock runs by, in one place.

use std::sync::{Arc, PoisonError, RwLock};

use domain_calendar::{Calendar, Timestamp};
use domain_supervision::{Assignment, Clocks, Context, PlannedTimer, Rule, StoredClock, Task, TaskState};
use sea_orm::ConnectionTrait;
use xietong_store::StoreError;

use crate::record::Record;
use crate::store;

/// Every version of the rule and of the calendar. A task runs by the version of the rule that it
/// was issued under, and by the newest calendar.
#[derive(Debug)]
pub(crate) struct Regulation {
    /// In the order of their versions, the first of which is compiled in.
    rules: Vec<Rule>,
    calendars: Vec<Calendar>,
    /// Calendars published since the first, and the newest.
    calendar: Calendar,
}

impl Regulation {
    /// Version 1 of 13710 over the calendar compiled in.
    pub(crate) fn built_in() -> Self {
        Self::of(Vec::new(), Vec::new())
    }

    /// The versions compiled in and those recorded since, in order.
    pub(crate) fn of(rules: Vec<Rule>, calendars: Vec<Calendar>) -> Self {
        let calendar = calendars.last().cloned().unwrap_or_default();
        let rules = std::iter::once(Rule::version_1()).chain(rules).collect();
        let calendars = std::iter::once(Calendar::built_in()).chain(calendars).collect();
        Regulation { rules, calendars, calendar }
    }

    /// Every version of the rule, in order.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A version of the rule.
    pub(crate) fn rule(&self, version: u32) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.version == version)
    }

    /// The rule that tasks are issued under at an instant: the latest version that began by then.
    pub(crate) fn rule_in_force(&self, now: Timestamp) -> &Rule {
        let begun = self.rules.iter().rev().find(|rule| rule.start_time <= now);
        begun.unwrap_or(&self.rules[0])
    }

    /// The rule a task runs by; for a draft, the one in force.
    pub(crate) fn rule_of(&self, task: &Task, now: Timestamp) -> &Rule {
        task.rule_version.and_then(|version| self.rule(version)).unwrap_or_else(|| self.rule_in_force(now))
    }

    /// The newest calendar.
    pub(crate) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The calendar as it was at a version.
    pub(crate) fn calendar_at(&self, version: u32) -> &Calendar {
        self.calendars.iter().find(|one| one.version() == version).unwrap_or(&self.calendar)
    }

    /// What a decision at an instant depends on beside the task.
    pub(crate) fn context(&self, task: &Task, now: Timestamp) -> Context<'_> {
        Context { rule: self.rule_of(task, now), calendar: &self.calendar, now }
    }

    /// The version of the calendar that a task's due times are counted by; none when they do not
    /// depend on it, or no clock of it runs.
    pub(crate) fn counted_by(&self, task: &Task) -> Option<u32> {
        let running = task.state == TaskState::Issued && self.own_rule(task).needs_calendar();
        running.then(|| self.calendar.version())
    }

    /// Whether a task's due times were counted by an older calendar.
    pub(crate) fn is_behind(&self, record: &Record) -> bool {
        record.calendar_version.is_some_and(|version| version < self.calendar.version())
    }

    /// The rule as a ground for what happens by itself to tasks.
    pub(crate) fn ground<'t>(&self, tasks: impl IntoIterator<Item = &'t Task>) -> String {
        let mut versions: Vec<String> =
            tasks.into_iter().map(|task| self.own_rule(task).version.to_string()).collect();
        versions.sort_unstable();
        versions.dedup();
        format!("13710督办规则第{}版", versions.join("、"))
    }

    /// The clocks of an assignment.
    pub(crate) fn clocks(&self, task: &Task, assignment: &Assignment) -> Clocks {
        domain_supervision::clocks(task, assignment, self.own_rule(task), &self.calendar)
    }

    /// The clock a task shows: the worst of the assignments that settle it.
    pub(crate) fn clock_of(&self, task: &Task) -> StoredClock {
        let settling = task.settling_assignments().map(|one| self.clocks(task, one).stored());
        // A task is never without one; if it were, no clock would run.
        StoredClock::worst(settling).unwrap_or(StoredClock {
            yellow_at: None,
            red_at: None,
            paused: true,
            closed: false,
        })
    }

    /// What must be looked at later, with the assignment it is about.
    pub(crate) fn timers<'t>(
        &self,
        task: &'t Task,
    ) -> impl Iterator<Item = (&'t Assignment, PlannedTimer)> + use<'_, 't> {
        task.assignments.iter().flat_map(|assignment| {
            let planned =
                domain_supervision::timers_for(task, assignment, self.own_rule(task), &self.calendar);
            planned.into_iter().map(move |timer| (assignment, timer))
        })
    }

    /// The rule a task runs by. No clock of a draft runs, by whichever rule.
    fn own_rule(&self, task: &Task) -> &Rule {
        self.rule_of(task, Timestamp::MIN)
    }

    /// Whether everything that a task's clocks run by is known here. What a draft will be issued
    /// under may have been recorded just now.
    fn knows(&self, record: &Record) -> bool {
        let rule = record.task.rule_version.is_some_and(|version| self.rule(version).is_some());
        let calendar = record.calendar_version.is_none_or(|version| version <= self.calendar.version());
        rule && calendar
    }
}

/// The regulation as this process knows it, brought up to date from the tables.
#[derive(Debug)]
pub(crate) struct Regulations(RwLock<Arc<Regulation>>);

impl Regulations {
    /// What is compiled in.
    pub(crate) fn built_in() -> Self {
        Regulations(RwLock::new(Arc::new(Regulation::built_in())))
    }

    /// As it was last read.
    pub(crate) fn view(&self) -> Arc<Regulation> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As the tables have it now: one small query, unless something is new.
    pub(crate) async fn current<C: ConnectionTrait>(
        &self,
        connection: &C,
    ) -> Result<Arc<Regulation>, StoreError> {
        let view = self.view();
        let known = (view.rules.len(), view.calendars.len());
        let (rules, calendars) = store::count_regulation(connection).await?;
        if (rules + 1, calendars + 1) == known {
            return Ok(view);
        }
        let (rules, calendars) = store::regulation(connection).await?;
        let read = Arc::new(Regulation::of(rules, calendars));
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Versions are only ever added: a slow reader does not put back what a fast one has read.
        if held.rules.len() <= read.rules.len() && held.calendars.len() <= read.calendars.len() {
            *held = read.clone();
        }
        Ok(read)
    }

    /// The regulation that knows what these tasks run by.
    pub(crate) async fn knowing<'r, C: ConnectionTrait>(
        &self,
        connection: &C,
        records: impl IntoIterator<Item = &'r Record>,
    ) -> Result<Arc<Regulation>, StoreError> {
        let view = self.view();
        if records.into_iter().all(|record| view.knows(record)) {
            Ok(view)
        } else {
            self.current(connection).await
        }
    }
}

#[cfg(test)]
mod tests {
    use domain_supervision::DayKind;

    use super::*;
    use crate::record::tests::draft;

    #[test]
    fn the_latest_version_that_began_is_in_force_and_a_task_keeps_its_own() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let rule = |version, start: &str| Rule {
            version,
            start_time: at(start),
            day_kind: DayKind::Working,
            ..Rule::version_1()
        };
        let rules = vec![rule(2, "2023-07-01T00:00+08:00"), rule(3, "2023-06-15T00:00+08:00")];
        let regulation = Regulation::of(rules, vec![]);
        for (now, version) in
            [("2023-06-14T23:59:59+08:00", 1), ("2023-06-15T00:00+08:00", 3), ("2023-07-02T00:00+08:00", 3)]
        {
            assert_eq!(regulation.rule_in_force(at(now)).version, version, "{now}");
        }
        let mut task = Task::from_draft(&draft(&["units/water"]));
        task.rule_version = Some(2);
        assert_eq!(regulation.rule_of(&task, at("2023-08-01T00:00+08:00")).version, 2);
        assert_eq!(regulation.counted_by(&task), None, "no clock of it runs");
        task.state = TaskState::Issued;
        assert_eq!(regulation.counted_by(&task), Some(1));
        task.rule_version = Some(1);
        assert_eq!(regulation.counted_by(&task), None, "natural days");
    }
}
