//! A ledger of one task, with its log and a clock that fires what is due.

use domain_calendar::{Calendar, Timestamp};
use domain_supervision::{
    Assignment, AssignmentChange, AssignmentCommand, AssignmentDraft, Clocks, Command, Context, Grade, Light,
    MilestoneChange, PlannedTimer, Role, Rule, SideRoadCommand, Source, SupervisionError, Task, TaskDraft,
    TaskEvent, Visibility, clocks, create, decide, fire, light, timers_for,
};

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A draft of these roles: unit `units/{i}` holds `tasks/1/assignments/{i}`.
pub(crate) fn draft(grade: Grade, roles: &[Role]) -> TaskDraft {
    TaskDraft {
        name: "tasks/1".to_owned(),
        ledger_number: 147,
        title: "推进绿色能源输配管网建设".to_owned(),
        text: "年内完成主管道铺设。".to_owned(),
        grade,
        source: Source {
            document_number: "临政办发〔2023〕8号".to_owned(),
            part: String::new(),
            item_number: "147".to_owned(),
            line: Some(1),
        },
        visibility: Visibility::Internal,
        restricted_units: vec![],
        tags: vec![],
        created_by: "supervisor-clerk".to_owned(),
        unclassified: true,
        origin: None,
        terms: domain_supervision::Terms::default(),
        parent: None,
        due_date: None,
        milestones: vec![],
        targets: vec![],
        open_points: vec![],
        attachments: vec![],
        assignments: roles
            .iter()
            .enumerate()
            .map(|(i, role)| AssignmentDraft { name: name(i), unit: format!("units/{i}"), role: *role })
            .collect(),
    }
}

pub(crate) fn name(index: usize) -> String {
    format!("tasks/1/assignments/{index}")
}

pub(crate) fn report(text: &str) -> AssignmentCommand {
    AssignmentCommand::Report { text: text.to_owned(), attachments: vec![] }
}

pub(crate) fn submit() -> AssignmentCommand {
    AssignmentCommand::Submit { text: "已完成".to_owned(), attachments: vec![] }
}

pub(crate) fn ask_until(last_day: time::Date) -> AssignmentCommand {
    AssignmentCommand::RequestExtension { last_day, reason: "征地未完成".to_owned() }
}

pub(crate) fn answer(grant: bool) -> AssignmentCommand {
    AssignmentCommand::DecideExtension { grant, note: "按原时限推进".to_owned() }
}

pub(crate) fn side_road(command: SideRoadCommand) -> AssignmentCommand {
    AssignmentCommand::SideRoad(command)
}

pub(crate) fn verify(accept: bool) -> AssignmentCommand {
    AssignmentCommand::Verify {
        accept,
        note: "材料不齐".to_owned(),
        verifier_units: vec!["units/supervisor".to_owned()],
    }
}

pub(crate) struct Ledger {
    pub(crate) task: Task,
    pub(crate) log: Vec<TaskEvent>,
    pub(crate) rule: Rule,
    pub(crate) calendar: Calendar,
    pub(crate) now: Timestamp,
}

impl Ledger {
    pub(crate) fn created(draft: TaskDraft, now: &str) -> Self {
        let created = create(draft.clone(), at(now)).unwrap();
        Self {
            task: Task::from_draft(&draft),
            log: vec![created],
            rule: Rule::version_1(),
            calendar: Calendar::built_in(),
            now: at(now),
        }
    }

    pub(crate) fn issued(draft: TaskDraft, now: &str) -> Self {
        let mut ledger = Self::created(draft, now);
        ledger.task(Command::Issue { with_document: false }).unwrap();
        ledger
    }

    /// Fires every timer due until an instant, in order of their due times, exactly then.
    pub(crate) fn until(&mut self, instant: &str) {
        let target = at(instant);
        assert!(target >= self.now, "time goes forward");
        loop {
            let next = self
                .task
                .assignments
                .iter()
                .enumerate()
                .flat_map(|(index, one)| {
                    timers_for(&self.task, one, &self.rule, &self.calendar)
                        .into_iter()
                        .map(move |timer| (timer.due_at, index, timer.kind))
                })
                .filter(|(due_at, ..)| *due_at <= target)
                .min();
            let Some((due_at, index, kind)) = next else { break };
            self.now = self.now.max(due_at);
            let events = fire(&self.task, &self.task.assignments[index], kind, &self.context());
            assert!(!events.is_empty(), "a timer that is due has an effect");
            assert!(self.log.len() < 100, "a timer fires again and again: {:?}", self.alarms());
            self.keep(events);
        }
        self.now = target;
    }

    pub(crate) fn task(&mut self, command: Command) -> Result<Vec<TaskEvent>, SupervisionError> {
        let events = decide(&self.task, &command, &self.context())?;
        self.keep(events.clone());
        Ok(events)
    }

    pub(crate) fn unit(
        &mut self,
        index: usize,
        command: AssignmentCommand,
    ) -> Result<Vec<TaskEvent>, SupervisionError> {
        self.task(Command::Assignment { name: name(index), command })
    }

    pub(crate) fn assignment(&self, index: usize) -> &Assignment {
        &self.task.assignments[index]
    }

    pub(crate) fn clocks(&self, index: usize) -> Clocks {
        clocks(&self.task, self.assignment(index), &self.rule, &self.calendar)
    }

    pub(crate) fn timers(&self, index: usize) -> Vec<PlannedTimer> {
        timers_for(&self.task, self.assignment(index), &self.rule, &self.calendar)
    }

    pub(crate) fn light(&self, index: usize) -> Light {
        light(&self.clocks(index).stored(), self.now)
    }

    /// When and what the timers brought about, in order.
    pub(crate) fn alarms(&self) -> Vec<(String, &'static str)> {
        self.log
            .iter()
            .filter(|event| match event {
                TaskEvent::Task(_) => false,
                TaskEvent::Assignment(event) => match event.change {
                    AssignmentChange::Overdue
                    | AssignmentChange::Reminded
                    | AssignmentChange::Milestone(
                        MilestoneChange::Reminded { .. } | MilestoneChange::Missed { .. },
                    )
                    | AssignmentChange::Urged { .. } => true,
                    AssignmentChange::Signed
                    | AssignmentChange::Deployed { .. }
                    | AssignmentChange::Reported { .. }
                    | AssignmentChange::Submitted { .. }
                    | AssignmentChange::Verified { .. }
                    | AssignmentChange::SentBack { .. }
                    | AssignmentChange::ExtensionRequested { .. }
                    | AssignmentChange::ExtensionGranted { .. }
                    | AssignmentChange::ExtensionRefused { .. }
                    | AssignmentChange::DeadlineRecomputed { .. }
                    | AssignmentChange::Milestone(
                        MilestoneChange::Reached { .. } | MilestoneChange::SentBack { .. },
                    )
                    | AssignmentChange::SideRoad(_)
                    | AssignmentChange::Pressed(_)
                    | AssignmentChange::StruckOff { .. } => false,
                },
            })
            .map(|event| (event.at().to_string(), event.event_type()))
            .collect()
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context { rule: &self.rule, calendar: &self.calendar, now: self.now }
    }

    pub(crate) fn keep(&mut self, events: Vec<TaskEvent>) {
        for event in events {
            self.task.apply(&event).unwrap();
            self.log.push(event);
        }
    }
}
