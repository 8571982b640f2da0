//! [`Regulation`]: the rule and the calendar that every clock runs by, in one place.

use domain_calendar::{Calendar, Timestamp};
use domain_supervision::{Assignment, Clocks, Context, PlannedTimer, Rule, StoredClock, Task};

/// The rule in force and the calendar as published. There is one version of each.
#[derive(Debug)]
pub(crate) struct Regulation {
    rule: Rule,
    calendar: Calendar,
}

impl Regulation {
    /// Version 1 of 13710 over the calendar compiled in.
    pub(crate) fn in_force() -> Self {
        Regulation { rule: Rule::version_1(), calendar: Calendar::built_in() }
    }

    /// What a decision at an instant depends on beside the task.
    pub(crate) fn context(&self, now: Timestamp) -> Context<'_> {
        Context { rule: &self.rule, calendar: &self.calendar, now }
    }

    /// The rule as a ground for what happens by itself.
    pub(crate) fn ground(&self) -> String {
        format!("13710督办规则第{}版", self.rule.version)
    }

    /// The clocks of an assignment.
    pub(crate) fn clocks(&self, task: &Task, assignment: &Assignment) -> Clocks {
        domain_supervision::clocks(task, assignment, &self.rule, &self.calendar)
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
            let planned = domain_supervision::timers_for(assignment, &self.clocks(task, assignment));
            planned.into_iter().map(move |timer| (assignment, timer))
        })
    }
}
