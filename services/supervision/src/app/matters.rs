//! Matters: linking tasks as one, and what could be linked.

use std::collections::{BTreeMap, BTreeSet};

use domain_supervision::{
    Command, JointMatter, JointMatterChange, JointMatterEvent, PROPOSAL_DISMISSED, Proposal,
    ProposalDismissed,
};
use xietong_events::Draft;
use xietong_mesh::{Call, Error, Resource, Scope, Transaction};
use xietong_timers::MachineClock;

use super::Supervision;
use super::authority::Authority;
use super::sign::{Touched, keep_all};
use crate::error::{command_refused, unreadable};
use crate::record::Record;
use crate::store::{self, MatterFilter, Portion};

/// A matter, and those of its tasks that its reader may see, in the order they were linked.
#[derive(Debug)]
pub(crate) struct SeenMatter {
    /// Where it stands in lists.
    pub(crate) number: i64,
    /// The matter.
    pub(crate) matter: JointMatter,
    /// Its tasks.
    pub(crate) tasks: Vec<Record>,
}

/// What is asked of a matter.
#[derive(Debug)]
pub(crate) struct MatterChange {
    /// `matters/{id}`.
    pub(crate) name: String,
    /// `tasks/{id}`.
    pub(crate) tasks: Vec<String>,
    /// Takes them out instead of linking them.
    pub(crate) unlink: bool,
    /// Why.
    pub(crate) ground: String,
    /// The version it was decided on; empty when the caller does not say.
    pub(crate) etag: String,
}

/// Tasks that could be one matter.
#[derive(Debug)]
pub(crate) struct SeenProposal {
    /// How they resemble one another.
    pub(crate) proposal: Proposal,
    /// The tasks, the oldest first.
    pub(crate) tasks: Vec<Record>,
}

/// Changes with every change of a matter.
pub(crate) fn etag(matter: &JointMatter) -> String {
    format!("v{}", matter.version)
}

impl Supervision {
    /// Creates a matter of tasks.
    pub(crate) async fn create_matter(
        &self,
        transaction: &mut Transaction,
        call: &Call,
        title: &str,
        tasks: &[String],
        ground: &str,
    ) -> Result<SeenMatter, Error> {
        call.authorize(&Resource::new())?;
        let name = format!("matters/{}", MachineClock::system().new_id());
        let by = (call.principal.subject.as_str(), ground);
        let (matter, event) =
            JointMatter::create((&name, title), tasks, by, transaction.now()).map_err(command_refused)?;
        self.tell_tasks(transaction, call, &event).await?;
        store::insert_matter(transaction.tx(), &matter).await?;
        self.record_matter(transaction, 0, &event).await?;
        self.linked(transaction, matter).await
    }

    /// Links tasks to a matter, or takes them out of it.
    pub(crate) async fn change_matter(
        &self,
        transaction: &mut Transaction,
        call: &Call,
        change: &MatterChange,
    ) -> Result<SeenMatter, Error> {
        call.authorize(&Resource::new())?;
        let MatterChange { name, tasks, unlink, ground, etag: asked } = change;
        let Some(mut matter) = store::find_matter(transaction.tx(), name).await? else {
            return Err(call.scope()?.missing(name));
        };
        if !asked.is_empty() && *asked != etag(&matter) {
            return Err(Error::aborted_etag(name));
        }
        let by = (call.principal.subject.as_str(), ground.as_str());
        let now = transaction.now();
        let decided = match unlink {
            true => matter.unlink(tasks, by, now).map(Some),
            false => matter.link(tasks, by, now),
        };
        if let Some(event) = decided.map_err(command_refused)? {
            self.tell_tasks(transaction, call, &event).await?;
            let before = matter.version;
            matter.apply(&event);
            store::save_matter(transaction.tx(), before, &matter).await?;
            self.record_matter(transaction, before, &event).await?;
        }
        self.linked(transaction, matter).await
    }

    /// Lets each task that an event of a matter is about join the matter, or leave it.
    async fn tell_tasks(
        &self,
        transaction: &mut Transaction,
        call: &Call,
        event: &JointMatterEvent,
    ) -> Result<(), Error> {
        let (names, ground) = event.told();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut records = store::find_all(transaction.tx(), &names).await?;
        let regulation = self.regulations.knowing(transaction.tx(), records.values()).await?;
        let now = transaction.now();
        let mut touched = BTreeMap::new();
        for name in names {
            let Some(record) = records.remove(name) else { return Err(call.scope()?.missing(name)) };
            let (matter, title) = (event.matter.clone(), event.title.clone());
            let ground = ground.to_owned();
            let command = match event.change {
                JointMatterChange::Created { .. } | JointMatterChange::Linked { .. } => {
                    Command::JoinMatter { matter, title, ground }
                }
                JointMatterChange::Unlinked { .. } => Command::LeaveMatter { matter, title, ground },
            };
            let mut one = Touched::new(record);
            one.take(&Authority::Role, &regulation, &command, now)?;
            touched.insert(name.to_owned(), one);
        }
        transaction.on_ground(ground);
        keep_all(transaction, &regulation, touched.values()).await
    }

    async fn record_matter(
        &self,
        transaction: &Transaction,
        expected_version: i64,
        event: &JointMatterEvent,
    ) -> Result<(), Error> {
        let payload = event.to_payload().map_err(unreadable)?.to_string();
        let draft = Draft { event_type: event.event_type().to_owned(), payload };
        transaction.append(&event.matter, expected_version, vec![draft]).await?;
        Ok(())
    }

    /// A matter with all of its tasks, for whoever may see them all.
    async fn linked(&self, transaction: &Transaction, matter: JointMatter) -> Result<SeenMatter, Error> {
        let tasks = store::in_matter(transaction.tx(), &matter.name).await?;
        self.regulations.knowing(transaction.tx(), &tasks).await?;
        Ok(SeenMatter { number: 0, tasks: in_order(&matter, tasks), matter })
    }

    /// A matter, with those of its tasks that the caller may see.
    pub(crate) async fn matter(&self, call: &Call, name: &str) -> Result<SeenMatter, Error> {
        let scope = self.scope(call, self.now())?;
        let Some(matter) = store::find_matter(self.db.reader(), name).await? else {
            return Err(scope.missing(name));
        };
        let tasks = store::seen_in_matters(self.db.reader(), &scope, &[name]).await?;
        if tasks.is_empty() && !sees_all(&scope) {
            return Err(scope.missing(name));
        }
        self.regulations.knowing(self.db.reader(), &tasks).await?;
        Ok(SeenMatter { number: 0, tasks: in_order(&matter, tasks), matter })
    }

    /// A portion of the matters of which the caller may see a task.
    pub(crate) async fn matters(
        &self,
        call: &Call,
        filter: &MatterFilter,
        portion: Portion,
    ) -> Result<Vec<SeenMatter>, Error> {
        let (reader, scope) = (self.db.reader(), self.scope(call, self.now())?);
        let matters = store::list_matters(reader, &scope, filter, portion).await?;
        let names: Vec<&str> = matters.iter().map(|(_, matter)| matter.name.as_str()).collect();
        let tasks = store::seen_in_matters(reader, &scope, &names).await?;
        self.regulations.knowing(reader, &tasks).await?;
        let mut by_matter: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for record in tasks {
            by_matter.entry(record.task.matter.clone().unwrap_or_default()).or_default().push(record);
        }
        let seen = matters.into_iter().map(|(number, matter)| {
            let tasks = by_matter.remove(&matter.name).unwrap_or_default();
            SeenMatter { number, tasks: in_order(&matter, tasks), matter }
        });
        Ok(seen.collect())
    }

    /// The open tasks that resemble one another, in groups, that with the newest first.
    pub(crate) async fn proposals(&self, call: &Call) -> Result<Vec<Proposal>, Error> {
        call.authorize(&Resource::new())?;
        Ok(Proposal::of(&store::alike_pairs(self.db.reader()).await?))
    }

    /// Proposals with their tasks.
    pub(crate) async fn seen_proposals(&self, proposals: &[Proposal]) -> Result<Vec<SeenProposal>, Error> {
        let reader = self.db.reader();
        let numbers: BTreeSet<i64> = proposals
            .iter()
            .flat_map(|one| one.tasks.iter().take(domain_supervision::MOST_LINKED).copied())
            .collect();
        let records = store::find_numbered(reader, &numbers).await?;
        self.regulations.knowing(reader, records.values()).await?;
        let seen = proposals.iter().map(|proposal| {
            let tasks = proposal.tasks.iter().filter_map(|number| records.get(number).cloned()).collect();
            SeenProposal { proposal: proposal.clone(), tasks }
        });
        Ok(seen.collect())
    }

    /// Says that tasks are not one matter. Gives back how many pairs of them were proposed.
    pub(crate) async fn dismiss_proposal(
        &self,
        transaction: &mut Transaction,
        call: &Call,
        tasks: &[String],
        ground: &str,
    ) -> Result<u64, Error> {
        call.authorize(&Resource::new())?;
        let names: Vec<&str> = tasks.iter().map(String::as_str).collect();
        let records = store::find_all(transaction.tx(), &names).await?;
        if let Some(missing) = names.iter().find(|name| !records.contains_key(**name)) {
            return Err(call.scope()?.missing(missing));
        }
        let numbers: Vec<i64> = records.values().map(|record| record.task.ledger_number).collect();
        let dismissed = store::dismiss_pairs(transaction.tx(), &numbers).await?;
        if dismissed > 0 {
            transaction.on_ground(ground);
            let event = ProposalDismissed {
                tasks: records.into_keys().collect(),
                ground: ground.to_owned(),
                by: call.principal.subject.clone(),
                at: transaction.now(),
            };
            let payload = event.to_payload().map_err(unreadable)?.to_string();
            let draft = Draft { event_type: PROPOSAL_DISMISSED.to_owned(), payload };
            let aggregate = format!("proposals/{}", MachineClock::system().new_id());
            transaction.append(&aggregate, 0, vec![draft]).await?;
        }
        Ok(dismissed)
    }
}

fn sees_all(scope: &Scope) -> bool {
    scope.all && scope.sees_restricted
}

/// Tasks of a matter in the order they were linked.
fn in_order(matter: &JointMatter, mut tasks: Vec<Record>) -> Vec<Record> {
    let place = |record: &Record| matter.links.iter().position(|link| link.task == record.task.name);
    tasks.sort_by_key(place);
    tasks
}
