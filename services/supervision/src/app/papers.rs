//! Issuing official papers, and looking at them.

use domain_calendar::Timestamp;
use domain_supervision::{
    AssignmentState, Frozen, Interview, Matter, PAPER_ISSUED, Paper, PaperIssued, PaperKind, Period,
    Reported, TaskFacts, told,
};
use xietong_events::Draft;
use xietong_mesh::authorize::Visibility;
use xietong_mesh::{Call, Error, Resource, Transaction};
use xietong_timers::MachineClock;

use super::{Supervision, unit_name};
use crate::store::{self, KeptPaper};

/// The title of a bulletin that is given none.
pub(crate) const BULLETIN_TITLE: &str = "关于督办事项办理情况的通报";

/// What a paper about an assignment is issued with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AboutAssignment {
    /// 交办单.
    Slip,
    /// 督办函.
    Letter {
        /// Why.
        ground: String,
        /// Before when it is to be answered.
        answer_before: Timestamp,
    },
    /// 约谈通知.
    Interview {
        /// Why.
        ground: String,
        /// The leader who decided it.
        decided_by: String,
        /// When.
        time: Timestamp,
        /// Where.
        place: String,
    },
}

/// A paper that was issued.
pub(crate) type IssuedPaper = KeptPaper;

impl Supervision {
    /// Issues a paper about an assignment. An assignment's slip is issued once.
    pub(crate) async fn issue_paper(
        &self,
        transaction: &Transaction,
        call: &Call,
        (task, name): (&str, &str),
        about: &AboutAssignment,
    ) -> Result<IssuedPaper, Error> {
        let (tx, now) = (transaction.tx(), transaction.now());
        let Some(record) = store::find(tx, task).await? else { return Err(call.scope()?.missing(task)) };
        let Ok(one) = record.task.assignment(name) else { return Err(call.scope()?.missing(name)) };
        self.authorize(call, &record.resource_of(one), now)?;
        let over = match one.state {
            AssignmentState::Pending => {
                let (english, chinese) = ("the task is not issued", "任务尚未交办，不能发文");
                return Err(Error::failed_precondition("NOT_ISSUED", english, chinese));
            }
            AssignmentState::StruckOff | AssignmentState::Withdrawn => true,
            AssignmentState::Assigned
            | AssignmentState::Signed
            | AssignmentState::Deployed
            | AssignmentState::InProgress
            | AssignmentState::Submitted
            | AssignmentState::Returned
            | AssignmentState::Suspended => false,
        };
        let book = self.roster.view().book;
        let clocks = self.regulation().clocks(&record.task, one);
        let unit = unit_name(&book, &one.unit);
        let matter = Matter { task: &record.task, assignment: one, unit, due: clocks.due.settle, now };
        let (paper, decided_by) = match about {
            AboutAssignment::Slip => {
                if let Some(issued) = store::latest_paper(tx, name, PaperKind::Slip).await? {
                    return Ok(issued);
                }
                (Paper::slip(matter), None)
            }
            AboutAssignment::Letter { .. } | AboutAssignment::Interview { .. } if over => {
                let (english, chinese) = ("the work is over", "该事项已销号或撤销，无需再督办");
                return Err(Error::failed_precondition("WORK_IS_OVER", english, chinese));
            }
            AboutAssignment::Letter { answer_before: time, .. } | AboutAssignment::Interview { time, .. }
                if *time <= now =>
            {
                return Err(Error::invalid("time", "must be later than now", "时间应晚于现在"));
            }
            AboutAssignment::Letter { ground, answer_before } => {
                (Paper::letter(matter, ground, *answer_before), None)
            }
            AboutAssignment::Interview { ground, decided_by, time, place } => {
                let called = self.leader_name(decided_by)?;
                let interview = Interview { decided_by: &called, time: *time, place };
                (Paper::interview(matter, ground, interview), Some(decided_by.clone()))
            }
        };
        let facts = (Some(TaskFacts::of(&record.task)), Some((name.to_owned(), one.unit.clone())));
        self.issue(transaction, paper, facts, decided_by).await
    }

    /// Issues a bulletin that a leader decided, and that its units have not checked.
    pub(crate) async fn issue_bulletin(
        &self,
        transaction: &Transaction,
        call: &Call,
        period: Period,
        decided_by: &str,
    ) -> Result<IssuedPaper, Error> {
        self.leader_name(decided_by)?;
        let paper = self.draft_bulletin(call, period).await?;
        self.issue(transaction, paper, (None, None), Some(decided_by.to_owned())).await
    }

    /// What a bulletin would say that its units have not checked.
    pub(crate) async fn draft_bulletin(&self, call: &Call, period: Period) -> Result<Paper, Error> {
        call.authorize(&Resource::new())?;
        let (period, Frozen { rule, under_way, lines }) = self.freeze(call, period, None).await?;
        let book = self.roster.view().book;
        let lines = told(lines, |unit| unit_name(&book, unit).to_owned());
        Ok(Paper::bulletin(&Reported {
            title: BULLETIN_TITLE,
            period,
            lines: &lines,
            under_way,
            rule: &rule,
            checked: None,
            now: self.now(),
        }))
    }

    /// A paper that the caller may see.
    pub(crate) async fn paper(&self, call: &Call, name: &str) -> Result<IssuedPaper, Error> {
        match store::find_paper(self.db.reader(), name).await? {
            Some(kept) if kept.subject.is_empty() => {
                let public = Resource::new().visible_to(Visibility::Public, Vec::<String>::new());
                self.authorize(call, &public, self.now())?;
                Ok(kept)
            }
            Some(kept) => {
                let task = kept.subject.split_once("/assignments/").map_or("", |(task, _)| task);
                self.get(call, task).await?;
                Ok(kept)
            }
            None => Err(call.scope()?.missing(name)),
        }
    }

    /// The latest paper of a kind about an assignment of a task that the caller may see.
    pub(crate) async fn latest_paper(
        &self,
        call: &Call,
        (task, name): (&str, &str),
        kind: PaperKind,
    ) -> Result<IssuedPaper, Error> {
        self.get(call, task).await?;
        let kept = store::latest_paper(self.db.reader(), name, kind).await?;
        kept.ok_or_else(|| Error::not_found(format!("{name}:paper?kind={}", kind.as_str())))
    }

    /// Gives a paper its number, keeps it, and records that it was issued.
    pub(super) async fn issue(
        &self,
        transaction: &Transaction,
        paper: Paper,
        (task, assignment): (Option<TaskFacts>, Option<(String, String)>),
        decided_by: Option<String>,
    ) -> Result<IssuedPaper, Error> {
        let (tx, at) = (transaction.tx(), transaction.now());
        let number = store::next_number(tx, paper.kind, at.day().year()).await?;
        let paper = Paper { number: Some(number), ..paper };
        let name = format!("papers/{}", MachineClock::system().new_id());
        let (assignment, unit) = assignment.unzip();
        let kept = KeptPaper { name, subject: assignment.clone().unwrap_or_default(), issued_at: at, paper };
        store::keep_paper(tx, &kept, number).await?;
        let event = PaperIssued {
            name: kept.name.clone(),
            kind: kept.paper.kind,
            number: kept.paper.printed_number(),
            task,
            assignment,
            unit,
            decided_by,
            at,
        };
        let payload = serde_json::to_string(&event).map_err(Error::internal)?;
        let draft = Draft { event_type: PAPER_ISSUED.to_owned(), payload };
        transaction.append(&kept.name, 0, vec![draft]).await?;
        Ok(kept)
    }

    /// What people call a leader who decided something.
    pub(super) fn leader_name(&self, official: &str) -> Result<String, Error> {
        match self.roster()?.book.official(official) {
            Some(official) => Ok(official.display_name.clone()),
            None => Err(Error::invalid("decided_by", "is no official", "没有这位领导")),
        }
    }
}
