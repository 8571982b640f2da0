//! Looking at tasks.

use domain_calendar::Timestamp;
use domain_roster::Book;
use domain_supervision::{Light, SearchTerms, TaskState};
use xietong_events::Event;
use xietong_mesh::{Call, Error, Resource, Scope};

use super::Supervision;
use super::authority::portfolio;
use crate::record::Record;
use crate::store::{self, ListFilter, Portion, TextQuery};

/// Which tasks are asked for; `None` asks for all.
#[derive(Debug, Default)]
pub(crate) struct ListQuery {
    /// A unit with an assignment of the task.
    pub(crate) unit: Option<String>,
    /// The task's light now.
    pub(crate) light: Option<Light>,
    /// Where the task stands.
    pub(crate) state: Option<TaskState>,
    /// The document it comes from.
    pub(crate) document_number: Option<String>,
    /// A leader who now answers for one of the units that settle the task. Cooperating units
    /// do not count: a county stands in no portfolio, and would put nearly every task on the
    /// mayor's desk.
    pub(crate) leader: Option<String>,
    /// A tag of it.
    pub(crate) tag: Option<String>,
    /// The matter it is linked to.
    pub(crate) matter: Option<String>,
    /// What is looked for in its words.
    pub(crate) terms: Option<SearchTerms>,
    /// The task that it is a part of.
    pub(crate) parent: Option<String>,
}

/// A list of tasks, the newest first: what is in it is settled, nothing is read yet.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(super) scope: Scope,
    pub(super) filter: ListFilter,
    /// The instant it is a list of.
    pub(crate) now: Timestamp,
    /// When the roster was last known to be current, if which tasks these are depends on it.
    pub(crate) roster_as_of: Option<Timestamp>,
}

impl Supervision {
    /// A task the caller may see.
    pub(crate) async fn get(&self, call: &Call, name: &str) -> Result<Record, Error> {
        let record = match store::find(self.db.reader(), name).await? {
            Some(record) => record,
            None => return Err(call.scope()?.missing(name)),
        };
        self.authorize(call, &record.resource(), self.now())?;
        self.regulations.knowing(self.db.reader(), [&record]).await?;
        Ok(record)
    }

    /// At most `limit` things that happened to a task the caller may see after a version of it,
    /// in order.
    pub(crate) async fn events(
        &self,
        call: &Call,
        name: &str,
        after: i64,
        limit: u64,
    ) -> Result<Vec<Event>, Error> {
        self.get(call, name).await?;
        Ok(self.log.of_aggregate_after(name, after, limit).await?)
    }

    /// The list of the tasks the caller may see of those asked for. INVALID_ARGUMENT when it is
    /// asked for by what does not exist.
    pub(crate) async fn listing(&self, call: &Call, query: ListQuery) -> Result<Listing, Error> {
        let now = self.now();
        if let Some(unit) = &query.unit {
            self.known("unit", unit).await?;
        }
        if let Some(leader) = &query.leader {
            self.known("leader", leader).await?;
        }
        if let Some(matter) = &query.matter
            && store::find_matter(self.db.reader(), matter).await?.is_none()
        {
            return Err(Error::invalid("matter", format!("there is no {matter}"), "没有这个事项"));
        }
        // Taken before anything is resolved with it: what is said of the answer then holds.
        let as_of = self.roster.view().as_of();
        let scope = self.scope(call, now)?;
        let settled_by = match &query.leader {
            Some(leader) => Some(portfolio(&self.roster()?, leader, now)),
            None => None,
        };
        let roster_as_of = as_of
            .filter(|_| settled_by.is_some() || scope.portfolio_of.is_some() || scope.mandate_of.is_some());
        let filter = ListFilter {
            unit: query.unit,
            settled_by,
            light: query.light.map(|light| (light, now)),
            state: query.state,
            document_number: query.document_number,
            tag: query.tag,
            matter: query.matter,
            text: query.terms.map(|terms| TextQuery { terms, backend: self.db.backend() }),
            parent: query.parent,
        };
        Ok(Listing { scope, filter, now, roster_as_of })
    }

    /// INVALID_ARGUMENT when the roster knows no unit or official of a name, which may have been
    /// entered just now. While it cannot be asked, nothing is called unknown.
    pub(super) async fn known(&self, field: &str, name: &str) -> Result<(), Error> {
        let unit = name.starts_with("units/");
        let is_known = |book: &Book| match unit {
            true => book.unit(name).is_some(),
            false => book.official(name).is_some(),
        };
        if is_known(&self.roster.view().book) {
            return Ok(());
        }
        self.roster.ask().await;
        match super::roster::current(&self.roster) {
            Ok(view) if !is_known(&view.book) => {
                let chinese = if unit { "没有这个单位" } else { "没有这位人员" };
                Err(Error::invalid(field, format!("there is no {name}"), chinese))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Until when everything that happened is searched, if a list is of what was looked for.
    pub(crate) async fn search_as_of(&self, listing: &Listing) -> Result<Option<Timestamp>, Error> {
        if listing.filter.text.is_none() {
            return Ok(None);
        }
        let waiting = store::unsearched_from(self.db.reader()).await?;
        Ok(Some(waiting.map_or(listing.now, |since| since.min(listing.now))))
    }

    /// A portion of the tasks that wait for a unit, whose staff or overseers ask.
    pub(crate) async fn waiting_for(
        &self,
        call: &Call,
        unit: &str,
        portion: Portion,
    ) -> Result<Vec<Record>, Error> {
        call.authorize(&Resource::new().of_units([unit]))?;
        Ok(store::waiting_for(self.db.reader(), unit, portion).await?)
    }

    /// A portion of a list.
    pub(crate) async fn portion(&self, listing: &Listing, portion: Portion) -> Result<Vec<Record>, Error> {
        let records = store::list(self.db.reader(), &listing.scope, &listing.filter, portion).await?;
        self.regulations.knowing(self.db.reader(), &records).await?;
        Ok(records)
    }

    /// At most `limit` tasks of a list after a ledger number, the oldest first; no drafts.
    pub(crate) async fn onward(
        &self,
        listing: &Listing,
        after: i64,
        limit: u64,
    ) -> Result<Vec<Record>, Error> {
        Ok(store::onward(self.db.reader(), &listing.scope, &listing.filter, after, limit).await?)
    }
}
