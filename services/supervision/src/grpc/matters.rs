//! `MatterService`.

use std::collections::BTreeSet;
use std::mem::take;

use domain_calendar::Timestamp;
use domain_supervision::{Link, MOST_LINKED, SearchTerms};
use tonic::{Request, Response, Status};
use xietong_mesh::convert::{encode_time, optional};
use xietong_mesh::input::LINE;
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Transactions, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::matter_service_server::MatterService;

use super::check::Check;
use super::{encode, list};
use crate::app::{Answered, MatterChange, SeenMatter, SeenProposal, Supervision, matter_etag};
use crate::record::Record;
use crate::regulation::Regulation;
use crate::store::{MatterFilter, Portion};

/// Characters of why tasks are one matter, or are not.
const GROUND: usize = 500;

/// `xietong.supervision.v1.MatterService`.
pub(crate) struct Matters {
    app: Supervision,
    transactions: Transactions,
}

impl Matters {
    /// The RPCs over `app`.
    pub(crate) fn new(app: Supervision, transactions: Transactions) -> Self {
        Matters { app, transactions }
    }

    fn encode(&self, seen: &SeenMatter) -> proto::Matter {
        let (matter, now) = (&seen.matter, self.app.now());
        let tasks = seen.tasks.iter().map(|record| {
            let link = matter.links.iter().find(|link| link.task == record.task.name);
            linked(record, link, &self.app.regulation(), now)
        });
        proto::Matter {
            name: matter.name.clone(),
            title: matter.title.clone(),
            tasks: tasks.collect(),
            creator: matter.created_by.clone(),
            create_time: Some(encode_time(matter.created_at)),
            etag: matter_etag(matter),
        }
    }

    fn encode_proposal(&self, seen: &SeenProposal) -> proto::MatterProposal {
        let (regulation, now) = (self.app.regulation(), self.app.now());
        let matter = seen.tasks.iter().find_map(|record| record.task.matter.clone());
        proto::MatterProposal {
            tasks: seen.tasks.iter().map(|record| linked(record, None, &regulation, now)).collect(),
            similarity_percent: i32::try_from(seen.proposal.per_mille / 10).unwrap_or_default(),
            shared_name: seen.proposal.shared_name.clone(),
            matter: matter.unwrap_or_default(),
        }
    }
}

#[tonic::async_trait]
impl MatterService for Matters {
    async fn create_matter(
        &self,
        request: Request<proto::CreateMatterRequest>,
    ) -> Result<Response<proto::Matter>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut check = Check::default();
        check.line("title", &request.title);
        check_tasks(&mut check, &request.tasks);
        check.text("ground", &request.ground, GROUND);
        check.finish()?;
        let attempt = || async {
            let mut transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let proto::CreateMatterRequest { title, tasks, ground, .. } = &request;
            let created = self.app.create_matter(&mut transaction, &call, title, tasks, ground).await?;
            transaction.commit(self.encode(&created)).await
        };
        Ok(Response::new(retried("", attempt).await?))
    }

    async fn get_matter(
        &self,
        request: Request<proto::GetMatterRequest>,
    ) -> Result<Response<proto::Matter>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        let mut check = Check::default();
        check.name("name", &name, "matters");
        check.finish()?;
        Ok(Response::new(self.encode(&self.app.matter(&call, &name).await?)))
    }

    async fn list_matters(
        &self,
        request: Request<proto::ListMattersRequest>,
    ) -> Result<Response<proto::ListMattersResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let proto::ListMattersRequest { page_size, page_token, task, unit, q } = &request;
        let mut check = Check::default();
        if !task.is_empty() {
            check.name("task", task, "tasks");
        }
        if !unit.is_empty() {
            check.name("unit", unit, "units");
        }
        check.text("q", q, LINE);
        check.finish()?;
        let asked = ["ListMatters", task, unit, q];
        let paging = Paging::new(&asked, *page_size, page_token)?;
        let (task, unit) = (optional(task.clone()), optional(unit.clone()));
        let filter = MatterFilter { task, unit, terms: SearchTerms::of(q) };
        let key = |seen: &SeenMatter| seen.number;
        let encode = |seen: SeenMatter| Ok(self.encode(&seen));
        let read = |before, limit| self.app.matters(&call, &filter, Portion { before, limit });
        let (matters, next_page_token) = list::page(paging, key, encode, read).await?;
        Ok(Response::new(proto::ListMattersResponse { matters, next_page_token }))
    }

    async fn link_tasks(
        &self,
        request: Request<proto::LinkTasksRequest>,
    ) -> Result<Response<proto::Matter>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let proto::LinkTasksRequest { name, tasks, ground, etag, .. } = request.clone();
        let change = MatterChange { name, tasks, unlink: false, ground, etag };
        self.change(&call, &request, &request_id, &change).await
    }

    async fn unlink_tasks(
        &self,
        request: Request<proto::UnlinkTasksRequest>,
    ) -> Result<Response<proto::Matter>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let proto::UnlinkTasksRequest { name, tasks, ground, etag, .. } = request.clone();
        let change = MatterChange { name, tasks, unlink: true, ground, etag };
        self.change(&call, &request, &request_id, &change).await
    }

    async fn list_matter_proposals(
        &self,
        request: Request<proto::ListMatterProposalsRequest>,
    ) -> Result<Response<proto::ListMatterProposalsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let paging = Paging::new(&["ListMatterProposals"], request.page_size, &request.page_token)?;
        let proposals = self.app.proposals(&call).await?;
        let key = |seen: &SeenProposal| seen.proposal.newest();
        let encode = |seen: SeenProposal| Ok(self.encode_proposal(&seen));
        let read = |before: Option<i64>, limit: u64| {
            let from = proposals.partition_point(|one| before.is_some_and(|before| one.newest() >= before));
            let rest = proposals.get(from..).unwrap_or_default();
            let portion = rest.get(..usize::try_from(limit).unwrap_or(rest.len())).unwrap_or(rest);
            self.app.seen_proposals(portion)
        };
        let (proposals, next_page_token) = list::page(paging, key, encode, read).await?;
        Ok(Response::new(proto::ListMatterProposalsResponse { proposals, next_page_token }))
    }

    async fn dismiss_matter_proposal(
        &self,
        request: Request<proto::DismissMatterProposalRequest>,
    ) -> Result<Response<proto::DismissMatterProposalResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut check = Check::default();
        check_tasks(&mut check, &request.tasks);
        if request.tasks.iter().collect::<BTreeSet<_>>().len() < 2 {
            check.wrong("tasks", "must name two tasks or more", "请至少选择两项任务");
        }
        check.text("ground", &request.ground, GROUND);
        if request.ground.trim().is_empty() {
            check.wrong("ground", "must be given", "请说明不作为同一事项的依据");
        }
        check.finish()?;
        let attempt = || async {
            let mut transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let proto::DismissMatterProposalRequest { tasks, ground, .. } = &request;
            let pairs = self.app.dismiss_proposal(&mut transaction, &call, tasks, ground.trim()).await?;
            let dismissed_pairs = i32::try_from(pairs).unwrap_or(i32::MAX);
            transaction.commit(proto::DismissMatterProposalResponse { dismissed_pairs }).await
        };
        Ok(Response::new(retried("", attempt).await?))
    }
}

impl Matters {
    /// Links or takes out, once for a request id. `request` is without it.
    async fn change<M: prost::Name>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        change: &MatterChange,
    ) -> Result<Response<proto::Matter>, Status> {
        let mut check = Check::default();
        check.name("name", &change.name, "matters");
        check_tasks(&mut check, &change.tasks);
        check.text("ground", &change.ground, GROUND);
        check.finish()?;
        let attempt = || async {
            let mut transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let changed = self.app.change_matter(&mut transaction, call, change).await?;
            transaction.commit(self.encode(&changed)).await
        };
        Ok(Response::new(retried(&change.etag, attempt).await?))
    }
}

fn check_tasks(check: &mut Check, tasks: &[String]) {
    if tasks.len() > MOST_LINKED {
        check.wrong("tasks", format!("at most {MOST_LINKED} are accepted"), format!("最多{MOST_LINKED}项"));
    }
    for (at, task) in tasks.iter().take(MOST_LINKED).enumerate() {
        check.name(format!("tasks[{at}]"), task, "tasks");
    }
}

/// A task of a matter, or of a proposal.
fn linked(
    record: &Record,
    link: Option<&Link>,
    regulation: &Regulation,
    now: Timestamp,
) -> proto::LinkedTask {
    let task = &record.task;
    proto::LinkedTask {
        task: task.name.clone(),
        ledger_number: task.ledger_number,
        title: task.title.clone(),
        document_number: task.source.document_number.clone(),
        lead_units: task.settling_assignments().map(|one| one.unit.clone()).collect(),
        state: encode::task_state(task.state).into(),
        light: encode::shown(task, &regulation.clock_of(task), now).into(),
        linked_by: link.map(|link| link.linked_by.clone()).unwrap_or_default(),
        link_time: link.map(|link| encode_time(link.linked_at)),
        ground: link.map(|link| link.ground.clone()).unwrap_or_default(),
    }
}

/// What a report for a whole matter did for one of the unit's assignments.
pub(super) fn answer(answered: Answered) -> proto::MatterAnswer {
    let Answered { name, outcome } = answered;
    match outcome {
        Ok(()) => proto::MatterAnswer { name, answered: true, ..proto::MatterAnswer::default() },
        Err(error) => proto::MatterAnswer {
            name,
            answered: false,
            status: error.code().as_str().to_owned(),
            message: error.message().to_owned(),
            message_zh: error.chinese().to_owned(),
        },
    }
}
