//! Makes deliveries out: follows the feed with a cursor for each endpoint, and works off ranges that
//! are sent again with one for each range.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain_webhook::{EndpointState, EventFilter};
use xietong_mesh::ServiceName;
use xietong_store::{CrashPoint, StoreError};
use xietong_timers::{Progress, Worker, WorkerError};

use crate::app::{Webhooks, moment, owners_scope};
use crate::store::{
    Again, FeedFilter, FeedScope, Patience, Replay, StoredEndpoint, TypePattern, endpoint, endpoints_behind,
    feed_after, feed_head, has_endpoints, locked_endpoint, make_out, move_endpoint, move_replay,
    open_replays,
};

/// Entries of the feed that are made out at once.
const BATCH: u64 = 200;
/// How often the end of the feed is looked for while there are endpoints.
const PERIOD: Duration = Duration::from_millis(250);
/// How often it is looked whether another replica registered one.
const IDLE: Duration = Duration::from_secs(5);

/// Makes deliveries out; any replica does.
pub(crate) struct MakeOut {
    name: String,
    webhooks: Arc<Webhooks>,
    has_endpoints: AtomicBool,
}

impl MakeOut {
    pub(crate) fn new(webhooks: Arc<Webhooks>) -> Self {
        let name = format!("{}/webhooks-make-out", ServiceName::Notification.as_str());
        MakeOut { name, webhooks, has_endpoints: AtomicBool::new(true) }
    }

    async fn round(&self) -> Result<Progress, StoreError> {
        let db = &self.webhooks.db;
        let any = has_endpoints(db.reader()).await?;
        self.has_endpoints.store(any, Ordering::Relaxed);
        if !any || !self.webhooks.copy.is_complete() {
            return Ok(Progress::Idle);
        }
        let mut scopes = Scopes::new(&self.webhooks);
        let mut worked = false;
        let head = feed_head(db.reader()).await?;
        for behind in endpoints_behind(db.reader(), head).await? {
            if let Some(scope) = scopes.of(&behind.owner) {
                worked |= self.follow(&behind, scope).await?;
            }
        }
        for replay in open_replays(db.reader()).await? {
            let Some(endpoint) = endpoint(db.reader(), &replay.endpoint).await? else { continue };
            if let Some(scope) = scopes.of(&endpoint.owner) {
                worked |= self.again(&replay, &endpoint, scope).await?;
            }
        }
        if worked {
            self.webhooks.to_send.poke();
        }
        Ok(if worked { Progress::Worked } else { Progress::Idle })
    }

    /// The next entries of the feed for one endpoint. Whoever moves the cursor has made them out.
    async fn follow(&self, seen: &StoredEndpoint, scope: &FeedScope) -> Result<bool, StoreError> {
        let db = &self.webhooks.db;
        let asked = filter(&seen.wanted.filter);
        let found = feed_after(db.reader(), scope, &asked, seen.position, BATCH).await?;
        let tx = db.begin().await?;
        let locked = locked_endpoint(&tx, &seen.id, Patience::Skip).await?;
        let Some(endpoint) = locked.filter(|endpoint| is_as_seen(endpoint, seen)) else {
            tx.rollback().await?;
            return Ok(false);
        };
        make_out(&tx, &endpoint.id, &found.entries, Again::No, moment(self.webhooks.machine)).await?;
        if !found.entries.is_empty() {
            db.crash().reach(CrashPoint::MidMakeOut);
        }
        move_endpoint(&tx, &endpoint.id, found.looked_to).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The next entries of a range.
    async fn again(
        &self,
        replay: &Replay,
        seen: &StoredEndpoint,
        scope: &FeedScope,
    ) -> Result<bool, StoreError> {
        let db = &self.webhooks.db;
        let asked = filter(&seen.wanted.filter);
        let mut found = feed_after(db.reader(), scope, &asked, replay.position, BATCH).await?;
        let is_of_it = |position: i64| position <= replay.up_to;
        found.entries.retain(|entry| is_of_it(entry.position) && replay.covers(entry.occurred_at));
        // At the end of the feed there is nothing more to look for.
        let to = if found.looked_to == replay.position { replay.up_to } else { found.looked_to };
        let tx = db.begin().await?;
        let locked = locked_endpoint(&tx, &seen.id, Patience::Skip).await?;
        let is_sent_to =
            |endpoint: &StoredEndpoint| !matches!(endpoint.state, EndpointState::Disabled { .. });
        if !locked.as_ref().is_some_and(is_sent_to) || !move_replay(&tx, replay, to.min(replay.up_to)).await?
        {
            tx.rollback().await?;
            return Ok(false);
        }
        make_out(&tx, &seen.id, &found.entries, Again::Yes, moment(self.webhooks.machine)).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// What owners may read, resolved once a round.
struct Scopes<'a> {
    webhooks: &'a Webhooks,
    known: HashMap<String, Option<FeedScope>>,
}

impl<'a> Scopes<'a> {
    fn new(webhooks: &'a Webhooks) -> Self {
        Scopes { webhooks, known: HashMap::new() }
    }

    fn of(&mut self, owner: &str) -> Option<&FeedScope> {
        let (copy, clock) = (&self.webhooks.copy, &self.webhooks.clock);
        let resolve = || owners_scope(&copy.view(), owner, clock.now());
        self.known.entry(owner.to_owned()).or_insert_with(resolve).as_ref()
    }
}

/// Nobody has moved the cursor, disabled it or asked for other events since.
fn is_as_seen(endpoint: &StoredEndpoint, seen: &StoredEndpoint) -> bool {
    endpoint.position == seen.position && endpoint.version == seen.version
}

fn filter(wanted: &EventFilter) -> FeedFilter {
    let patterns = wanted.patterns();
    if patterns.iter().any(|pattern| pattern == "*") {
        return FeedFilter::default();
    }
    let types = patterns.iter().map(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => TypePattern::Beginning(beginning.to_owned()),
        None => TypePattern::Exactly(pattern.clone()),
    });
    FeedFilter { types: types.collect(), ..FeedFilter::default() }
}

#[async_trait]
impl Worker for MakeOut {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        self.round().await.map_err(WorkerError::new)
    }

    async fn wait(&self) {
        let period = if self.has_endpoints.load(Ordering::Relaxed) { PERIOD } else { IDLE };
        self.webhooks.to_make_out.wait(period).await;
    }
}

#[cfg(test)]
mod tests {
    use domain_webhook::EventFilter;

    use super::filter;
    use crate::store::TypePattern;

    #[test]
    fn the_feed_is_asked_for_what_the_filter_takes() {
        let asked = |patterns: &[&str]| filter(&EventFilter::parse(patterns).unwrap()).types;
        assert_eq!(asked(&[]), []);
        assert_eq!(asked(&["roster.a", "*"]), []);
        let expected =
            [TypePattern::Exactly("roster.a".into()), TypePattern::Beginning("supervision.task.".into())];
        assert_eq!(asked(&["roster.a", "supervision.task.*"]), expected);
    }
}
