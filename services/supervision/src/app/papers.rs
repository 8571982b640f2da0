//! Issuing official papers, and looking at them.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_roster::is_leader;
use domain_supervision::{
    Assignment, AssignmentChange, AssignmentState, CalledBy, Frozen, Interview, Matter, PAPER_ISSUED, Paper,
    PaperIssued, PaperKind, PaperReference, Period, Reported, Task, TaskEvent, TaskFacts, answer_before,
    told,
};
use xietong_events::Draft;
use xietong_mesh::authorize::Visibility;
use xietong_mesh::{Call, Error, Resource, Transaction};
use xietong_timers::MachineClock;

use super::authority::Authority;
use super::{Supervision, unit_name};
use crate::error::command_refused;
use crate::record::Record;
use crate::store::{self, KeptPaper};

/// The title of a bulletin that is given none.
pub(crate) const BULLETIN_TITLE: &str = "关于督办事项办理情况的通报";

/// What the paper of an instrument says beside its ground.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Particulars {
    /// Of a letter: before when (exclusive) it is to be answered; none: as the domain has it.
    Letter(Option<Timestamp>),
    /// Of an interview.
    Interview {
        /// The leader who decided it, `officials/{id}`; none: who calls, or a document.
        decided_by: Option<String>,
        /// When and where; none: it is told later.
        meeting: Option<(Timestamp, String)>,
    },
    /// Nothing is sent.
    None,
}

/// A paper that was issued.
pub(crate) type IssuedPaper = KeptPaper;

impl Supervision {
    /// The paper of a kind about an assignment as its unit now holds it. A slip is issued once, if
    /// it is not yet; a letter and an interview are issued by the verbs that send them, as the
    /// ladder has it.
    pub(crate) async fn issue_paper(
        &self,
        transaction: &Transaction,
        call: &Call,
        (task, name): (&str, &str),
        kind: PaperKind,
    ) -> Result<IssuedPaper, Error> {
        let (tx, now) = (transaction.tx(), transaction.now());
        // Whoever asks at the same moment waits, and then finds the slip.
        store::hold(tx, &BTreeSet::from([task])).await?;
        let Some(record) = store::find(tx, task).await? else { return Err(call.scope()?.missing(task)) };
        let Ok(one) = record.task.assignment(name) else { return Err(call.scope()?.missing(name)) };
        self.authorize(call, &record.resource_of(one), now)?;
        if one.state == AssignmentState::Pending {
            let (english, chinese) = ("the task is not issued", "任务尚未交办，不能发文");
            return Err(Error::failed_precondition("NOT_ISSUED", english, chinese));
        }
        if let Some(issued) = store::latest_paper(tx, name, kind).await?.filter(|kept| kept.is_for(one)) {
            return Ok(issued);
        }
        match kind {
            PaperKind::Slip => {
                let book = self.roster.view().book;
                let paper = Paper::slip(self.written_from(&record, one, unit_name(&book, &one.unit), now));
                self.issue(transaction, paper, Some((&record.task, one)), None).await
            }
            PaperKind::Letter => Err(Error::failed_precondition(
                "NOT_SENT",
                "no letter was sent; :sendLetter sends and numbers it",
                "尚未发出督办函：请用“发督办函”（:sendLetter）办理，发出时同时编号",
            )),
            PaperKind::Interview => Err(Error::failed_precondition(
                "NOT_SENT",
                "no interview was decided; :escalate decides and numbers it",
                "尚未决定约谈：请用“约谈”（:escalate）办理，决定时同时编号",
            )),
            PaperKind::Bulletin => Err(Error::failed_precondition(
                "NOT_SENT",
                "a bulletin is about all units; it is drafted and signed at /v1/bulletins",
                "通报不针对单个事项：请在“通报”（/v1/bulletins）起草、核对并由领导签发",
            )),
        }
    }

    /// Sends the paper of an instrument: numbers it, keeps it, and says in what was decided which it
    /// is. Nothing where no paper belongs to the instrument.
    pub(super) async fn send_paper(
        &self,
        transaction: &Transaction,
        call: &Call,
        (record, authority): (&Record, &Authority),
        (decided, particulars): (&mut [TaskEvent], &Particulars),
    ) -> Result<(), Error> {
        let now = transaction.now();
        let book = self.roster.view().book;
        for event in decided {
            let TaskEvent::Assignment(event) = event else { continue };
            let AssignmentChange::Pressed(used) = &mut event.change else { continue };
            let one = record.task.assignment(&event.assignment.name).map_err(command_refused)?;
            let matter = self.written_from(record, one, unit_name(&book, &one.unit), now);
            let (paper, decided_by) = match particulars {
                Particulars::None => continue,
                Particulars::Letter(asked) => {
                    let before = asked.unwrap_or_else(|| answer_before(now));
                    later_than_now("answer_before", before, now)?;
                    (Paper::letter(matter, &used.ground, before), None)
                }
                Particulars::Interview { decided_by, meeting } => {
                    if let Some((time, _)) = meeting {
                        later_than_now("time", *time, now)?;
                    }
                    // Who decides by this act is known; who is named must be one who may.
                    let decided_by = match (authority.leader(call), decided_by) {
                        (Some(official), _) => {
                            let called = book.view(now, Timestamp::MAX).person(official).display_name;
                            Some((official.to_owned(), called))
                        }
                        (None, Some(official)) => {
                            Some((official.clone(), self.leader_name("decided_by", official)?))
                        }
                        (None, None) => None,
                    };
                    let by = match &decided_by {
                        Some((_, called)) => CalledBy::Leader(called),
                        None => CalledBy::Document(&used.decision),
                    };
                    let meeting = meeting.as_ref().map(|(time, place)| (*time, place.as_str()));
                    let paper = Paper::interview(matter, &used.ground, Interview { by, meeting });
                    (paper, decided_by.map(|(official, _)| official))
                }
            };
            let kept = self.issue(transaction, paper, Some((&record.task, one)), decided_by).await?;
            used.paper = Some(PaperReference { number: kept.paper.printed_number(), name: kept.name });
        }
        Ok(())
    }

    /// What a paper about an assignment is written from.
    fn written_from<'a>(
        &self,
        record: &'a Record,
        assignment: &'a Assignment,
        unit: &'a str,
        now: Timestamp,
    ) -> Matter<'a> {
        let due = self.regulation().clocks(&record.task, assignment).due.settle;
        Matter { task: &record.task, assignment, unit, due, now }
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
        about: Option<(&Task, &Assignment)>,
        decided_by: Option<String>,
    ) -> Result<IssuedPaper, Error> {
        let (tx, at) = (transaction.tx(), transaction.now());
        let number = store::next_number(tx, paper.kind, at.day().year()).await?;
        let paper = Paper { number: Some(number), ..paper };
        let name = format!("papers/{}", MachineClock::system().new_id());
        let (subject, unit) = about.map(|(_, one)| (one.name.clone(), one.unit.clone())).unwrap_or_default();
        let kept = KeptPaper { name, subject, unit, issued_at: at, paper };
        store::keep_paper(tx, &kept, number).await?;
        let event = PaperIssued {
            name: kept.name.clone(),
            kind: kept.paper.kind,
            number: kept.paper.printed_number(),
            task: about.map(|(task, _)| TaskFacts::of(task)),
            assignment: about.map(|(_, one)| one.name.clone()),
            unit: about.map(|(_, one)| one.unit.clone()),
            decided_by,
            at,
        };
        let payload = serde_json::to_string(&event).map_err(Error::internal)?;
        let draft = Draft { event_type: PAPER_ISSUED.to_owned(), payload };
        transaction.append(&kept.name, 0, vec![draft]).await?;
        Ok(kept)
    }

    /// What people call a leader who decided something, or is to sign it. INVALID_ARGUMENT for
    /// whoever is no leader of the government now.
    pub(super) fn leader_name(&self, field: &'static str, official: &str) -> Result<String, Error> {
        let book = self.roster()?.book;
        let view = book.view(self.now(), Timestamp::MAX);
        match view.official(official) {
            None => Err(Error::invalid(field, "is no official", "没有这位领导")),
            Some(known) if is_leader(view, official) => Ok(known.display_name.clone()),
            Some(known) => Err(Error::invalid(
                field,
                "is no leader of the government",
                format!("{}不是市政府领导，不能由其决定或者签发", known.display_name),
            )),
        }
    }
}

fn later_than_now(field: &'static str, time: Timestamp, now: Timestamp) -> Result<(), Error> {
    if time > now {
        Ok(())
    } else {
        Err(Error::invalid(field, "must be later than now", "时间应晚于现在"))
    }
}
