//! A task of supervision, decided by its own domain, whose events are recorded in the city.

use domain_calendar::Calendar;
use domain_supervision::{
    AssignmentCommand, AssignmentDraft, Command, Context, DOCUMENT_ISSUED, DocumentIssued, Grade,
    Instruction, Role, Rule, Source, Task, TaskDraft, TaskEvent, TaskKind, Terms, TimerKind, Visibility,
    create, decide, fire,
};
use xietong_mesh::ServiceName;

use crate::city::City;

pub(crate) struct Matter {
    task: Task,
    instructions: Vec<Instruction>,
}

impl Matter {
    /// Issues a task that these units lead.
    pub(crate) async fn issued(city: &City, id: &str, leads: &[&str]) -> Self {
        let mut matter = Self::entered(city, id, leads).await;
        matter.command(city, Command::Issue { with_document: false }).await;
        matter
    }

    /// Issues an emergency that this unit deals with, which is urgent.
    pub(crate) async fn emergency(city: &City, id: &str, unit: &str) -> Self {
        let terms = Terms {
            kind: Some(TaskKind::Emergency),
            occurred_at: Some(city.clock.now()),
            ..Terms::default()
        };
        let mut matter = Self::entered_on(city, id, &[unit], terms).await;
        matter.command(city, Command::Issue { with_document: false }).await;
        matter
    }

    /// Issues tasks, each led by these units, as one document.
    pub(crate) async fn of_document(city: &City, number: &str, tasks: &[(&str, &[&str])]) -> Vec<Self> {
        let (mut matters, mut issued) = (Vec::new(), Vec::new());
        for (id, leads) in tasks {
            let mut matter = Self::entered(city, id, leads).await;
            let events = matter.command(city, Command::Issue { with_document: true }).await;
            issued.extend(events.into_iter().map(|event| ((*id).to_owned(), event)));
            matters.push(matter);
        }
        for told in DocumentIssued::of(issued.iter().map(|(id, event)| (number, id.as_str(), event))) {
            let payload = told.to_payload().unwrap().to_string();
            city.record(ServiceName::Supervision, "issuings/1", DOCUMENT_ISSUED, payload).await;
        }
        matters
    }

    async fn entered(city: &City, id: &str, leads: &[&str]) -> Self {
        Self::entered_on(city, id, leads, Terms::default()).await
    }

    async fn entered_on(city: &City, id: &str, leads: &[&str], terms: Terms) -> Self {
        let draft = TaskDraft {
            name: format!("tasks/{id}"),
            ledger_number: 147,
            title: "推进绿色能源输配管网建设".into(),
            text: "年内完成主管道铺设。".into(),
            grade: Grade::Ordinary,
            source: Source::default(),
            visibility: Visibility::Internal,
            restricted_units: vec![],
            tags: vec![],
            created_by: "supervisor".into(),
            unclassified: true,
            origin: None,
            terms,
            parent: None,
            due_date: None,
            milestones: vec![],
            targets: vec![],
            open_points: vec![],
            attachments: vec![],
            assignments: leads
                .iter()
                .map(|unit| AssignmentDraft {
                    name: format!("tasks/{id}/assignments/{unit}"),
                    unit: format!("units/{unit}"),
                    role: Role::Lead,
                })
                .collect(),
        };
        let created = create(draft.clone(), city.clock.now()).unwrap();
        record(city, &created).await;
        Matter { task: Task::from_draft(&draft), instructions: vec![] }
    }

    pub(crate) async fn unit(&mut self, city: &City, unit: &str, command: AssignmentCommand) {
        let name = format!("{}/assignments/{unit}", self.task.name);
        self.command(city, Command::Assignment { name, command }).await;
    }

    /// Fires a timer of an assignment that is due.
    pub(crate) async fn fires(&mut self, city: &City, unit: &str, kind: TimerKind) {
        let (rule, calendar) = (Rule::version_1(), Calendar::built_in());
        let context = Context { rule: &rule, calendar: &calendar, now: city.clock.now() };
        let assignment = self.task.assignment(&format!("{}/assignments/{unit}", self.task.name)).unwrap();
        let events = fire(&self.task, assignment, kind, &context);
        assert!(!events.is_empty(), "the timer is due");
        self.take(city, &events).await;
    }

    /// A leader writes on it to a unit.
    pub(crate) async fn instruct(&mut self, city: &City, id: &str, unit: &str) {
        let instruction = Instruction {
            name: format!("{}/instructions/{id}", self.task.name),
            leader: "officials/qiao-feihong".into(),
            text: "请抓紧落实。".into(),
            units: vec![format!("units/{unit}")],
            officials: vec![],
            due_at: None,
            given_at: city.clock.now(),
            signatures: vec![],
            urged_at: None,
            urged: Default::default(),
        };
        self.instructions.push(instruction.clone());
        self.command(city, Command::Instruct(Box::new(instruction))).await;
    }

    /// A unit signs for what a leader wrote.
    pub(crate) async fn sign_instruction(&mut self, city: &City, id: &str, unit: &str) {
        let name = format!("{}/instructions/{id}", self.task.name);
        let written = self.instructions.iter().find(|one| one.name == name).unwrap();
        let unit = format!("units/{unit}");
        let signed = written.sign(&self.task, &[unit.as_str()].into(), city.clock.now()).unwrap();
        self.take(city, &[signed]).await;
    }

    pub(crate) async fn command(&mut self, city: &City, command: Command) -> Vec<TaskEvent> {
        let (rule, calendar) = (Rule::version_1(), Calendar::built_in());
        let context = Context { rule: &rule, calendar: &calendar, now: city.clock.now() };
        let events = decide(&self.task, &command, &context).unwrap();
        self.take(city, &events).await;
        events
    }

    async fn take(&mut self, city: &City, events: &[TaskEvent]) {
        for event in events {
            self.task.apply(event).unwrap();
            record(city, event).await;
        }
    }
}

async fn record(city: &City, event: &TaskEvent) {
    let payload = event.to_payload().unwrap().to_string();
    city.record(ServiceName::Supervision, &event.task().name, event.event_type(), payload).await;
}
