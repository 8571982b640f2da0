//! [`Life`]: what happens in the city on a day.

use std::collections::BTreeMap;

use anyhow::Context;
use domain_calendar::Timestamp;
use time::macros::time;
use time::{Date, Time};
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_proto::supervision::{Assignment, AssignmentRole, AssignmentState, Task, TaskState};

use super::behaviour::{Behaviour, Work, later};
use super::people::People;
use super::report::Acts;

/// On how many of a hundred working days a leader writes an instruction.
const INSTRUCTED_PERCENT: i64 = 30;
/// Until when what he asks is to be done.
const OFFICE_ENDS: Time = time!(18:00);
const DAY_ENDS: Time = time!(23:59:59);

/// What is remembered of an assignment from day to day.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    /// When the work will be done.
    pub(super) completes: Date,
    /// When completion was last submitted.
    pub(super) submitted: Option<Date>,
    /// How often completion was submitted.
    pub(super) submissions: u32,
    /// How often more time was asked for.
    pub(super) asked: u32,
    /// How often it was granted.
    pub(super) granted: u32,
    /// The due day of the report given last: each is given once.
    pub(super) reported: Option<Date>,
}

/// The city's people at work.
pub(super) struct Life<'c> {
    pub(super) people: People<'c>,
    pub(super) behaviour: Behaviour,
    pub(super) memories: BTreeMap<String, Memory>,
    pub(super) acts: Acts,
}

impl Life<'_> {
    /// Now and then a leader writes on a task of a unit in his charge by when he wants its result:
    /// often by an evening or a rest day.
    async fn instructs(&mut self, ledger: &[Task], today: Date) -> anyhow::Result<()> {
        let mut random = self.behaviour.chance(&format!("instructs/{today}"));
        if !random.percent(INSTRUCTED_PERCENT) {
            return Ok(());
        }
        let open: Vec<(&str, &str)> = ledger
            .iter()
            .filter(|task| task.state() == TaskState::Issued)
            .filter_map(|task| Some((task.name.as_str(), task.assignments.first()?)))
            .filter(|(_, first)| first.state() == AssignmentState::InProgress)
            .map(|(task, first)| (task, first.unit.as_str()))
            .collect();
        let Some((task, unit)) = random.choose(&open).copied() else { return Ok(()) };
        let last_day = later(today, random.between(1, 20));
        let time = if random.percent(50) { OFFICE_ENDS } else { DAY_ENDS };
        let due = Timestamp::at(last_day, time);
        let answer = self.people.answers_for(unit).await?;
        let acting = answer.acting.unwrap_or_default().official;
        let Some(leader) = self.people.leader(&acting) else { return Ok(()) };
        self.people.instruct(leader, task, unit, due).await?;
        self.acts.instructed += 1;
        Ok(())
    }

    /// Everybody with something to do that day does it.
    pub(super) async fn day(&mut self, today: Date) -> anyhow::Result<()> {
        let ledger = self.people.ledger().await?;
        self.instructs(&ledger, today).await?;
        for task in ledger {
            if task.state() != TaskState::Issued {
                continue;
            }
            for place in 0..task.assignments.len() {
                // What follows may close the other assignments: they are looked at tomorrow.
                if self.works_on(&task, place, today).await? == Done::StruckOff {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn works_on(&mut self, task: &Task, place: usize, today: Date) -> anyhow::Result<Done> {
        let assignment = task.assignments.get(place).context("an assignment")?;
        let Some(clerk) = self.people.clerk(&assignment.unit).cloned() else { return Ok(Done::Else) };
        let work = Work { ledger_number: task.ledger_number, place, unit: &assignment.unit };
        let issued = day_of(task.issue_time.as_ref())?;
        let due = last_day(assignment.settle_due_time.as_ref())?;
        let name = &assignment.name;
        let mut state = assignment.state();
        if state == AssignmentState::Assigned && today >= later(issued, self.behaviour.signs_after(work)) {
            self.people.sign(&clerk, name).await?;
            self.acts.signed += 1;
            state = AssignmentState::Signed;
        }
        if state == AssignmentState::Signed && today >= later(issued, self.behaviour.deploys_after(work)) {
            self.people.deploy(&clerk, name).await?;
            self.acts.deployed += 1;
            state = AssignmentState::Deployed;
        }
        let memory = self.memories.entry(name.clone()).or_insert_with(|| Memory {
            completes: self.behaviour.completes_on(work, issued, due),
            submitted: None,
            submissions: 0,
            asked: 0,
            granted: 0,
            reported: None,
        });
        match state {
            AssignmentState::Submitted => {
                let (days, accept) = self.behaviour.verifies(work, memory.submissions);
                // What the sample's history left submitted counts from the day it is first met.
                if today < later(*memory.submitted.get_or_insert(today), days) {
                    return Ok(Done::Else);
                }
                let Some(verifier) = self.people.verifier(&assignment.unit).await? else {
                    return Ok(Done::Else);
                };
                if accept {
                    self.acts.verified += 1;
                } else {
                    self.acts.sent_back += 1;
                    memory.submitted = None;
                    memory.completes = later(today, self.behaviour.reworks(work, memory.submissions));
                }
                self.people.verify(verifier, name, accept).await?;
                return Ok(if accept { Done::StruckOff } else { Done::Else });
            }
            AssignmentState::Signed | AssignmentState::Deployed | AssignmentState::InProgress => {}
            AssignmentState::Unspecified
            | AssignmentState::Pending
            | AssignmentState::Assigned
            | AssignmentState::Returned
            | AssignmentState::Suspended
            | AssignmentState::StruckOff
            | AssignmentState::Withdrawn => return Ok(Done::Else),
        }
        let deployed = state != AssignmentState::Signed;
        if deployed && today >= memory.completes {
            memory.submitted = Some(today);
            memory.submissions += 1;
            self.acts.submitted += 1;
            self.people.submit(&clerk, name).await?;
            return Ok(Done::Else);
        }
        if deployed {
            self.reports(work, assignment, today).await?;
        }
        match &assignment.extension_request {
            Some(request) => {
                let asked = day_of(request.request_time.as_ref())?;
                self.leader_decides(task, work, asked, today).await?;
            }
            None => self.asks(work, name, due, today).await?,
        }
        Ok(Done::Else)
    }

    /// The report that is due, once, early or late.
    async fn reports(&mut self, work: Work<'_>, assignment: &Assignment, today: Date) -> anyhow::Result<()> {
        let Some(due) = &assignment.report_due_time else { return Ok(()) };
        let due = last_day(Some(due))?;
        let memory = self.memories.get_mut(&assignment.name).context("a memory")?;
        let given = memory.reported.is_some_and(|reported| reported >= due);
        if given || today < later(due, -self.behaviour.reports_before(work, due)) {
            return Ok(());
        }
        memory.reported = Some(due);
        self.acts.reported += 1;
        let clerk = self.people.clerk(work.unit).context("a clerk")?;
        self.people.report(clerk, &assignment.name).await
    }

    /// A unit that sees that it will not be done in time asks for more, twice at most.
    async fn asks(&mut self, work: Work<'_>, name: &str, due: Date, today: Date) -> anyhow::Result<()> {
        let memory = self.memories.get_mut(name).context("a memory")?;
        let Some(asking) = self.behaviour.asks(work, memory.asked) else { return Ok(()) };
        let in_time = later(due, -asking.days_before) <= today && today <= due;
        if memory.asked >= 2 || !in_time || memory.completes <= due {
            return Ok(());
        }
        memory.asked += 1;
        self.acts.asked += 1;
        let last_day = later(memory.completes, asking.to_spare).max(later(due, 1));
        let clerk = self.people.clerk(work.unit).context("a clerk")?;
        self.people.ask(clerk, name, Timestamp::start_of_day(later(last_day, 1))).await
    }

    /// Whoever answers for the deciding unit that day decides; nobody does while nobody answers.
    async fn leader_decides(
        &mut self,
        task: &Task,
        work: Work<'_>,
        asked: Date,
        today: Date,
    ) -> anyhow::Result<()> {
        let assignment = task.assignments.get(work.place).context("an assignment")?;
        let memory = self.memories.get_mut(&assignment.name).context("a memory")?;
        let (days, grant) = self.behaviour.decides(work, memory.asked);
        if today < later(asked, days) {
            return Ok(());
        }
        let answer = self.people.answers_for(deciding_unit(task, assignment)).await?;
        let acting = answer.acting.unwrap_or_default().official;
        let Some(leader) = self.people.leader(&acting) else { return Ok(()) };
        self.people.decide(leader, &assignment.name, grant).await?;
        if grant {
            memory.granted += 1;
            self.acts.granted += 1;
        } else {
            self.acts.refused += 1;
        }
        self.acts.decided_standing_in += u32::from(answer.stand_in);
        Ok(())
    }
}

/// What became of an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// It was struck off, and perhaps the task with it.
    StruckOff,
    /// Anything else.
    Else,
}

fn is_lead(assignment: &Assignment) -> bool {
    assignment.role() == AssignmentRole::Lead
}

fn deciding_unit<'a>(task: &'a Task, assignment: &'a Assignment) -> &'a str {
    let lead = if is_lead(assignment) { None } else { task.assignments.iter().find(|one| is_lead(one)) };
    &lead.unwrap_or(assignment).unit
}

/// The instant of a time that is always there.
pub(super) fn instant(time: Option<&prost_types::Timestamp>) -> anyhow::Result<Timestamp> {
    Ok(decode_time("time", time.context("a time")?)?)
}

fn day_of(time: Option<&prost_types::Timestamp>) -> anyhow::Result<Date> {
    Ok(instant(time)?.day())
}

/// The last day before a due time.
fn last_day(due: Option<&prost_types::Timestamp>) -> anyhow::Result<Date> {
    Ok(instant(due)?.saturating_sub(std::time::Duration::from_micros(1)).day())
}

/// An instant as the API has it.
pub(super) fn time_of(at: Timestamp) -> Option<prost_types::Timestamp> {
    Some(encode_time(at))
}
