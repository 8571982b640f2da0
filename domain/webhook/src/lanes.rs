//! [`Lanes`]: which delivery is sent next, so that no endpoint holds up the others.
//!
//! Each endpoint has a lane with a number of places, and the lanes take turns. A receiver that
//! hangs fills its own places and no more. The last places of all are kept for endpoints that have
//! none, so that a few that hang cannot fill everything either.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many requests are under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// To all endpoints.
    pub total: usize,
    /// Of these, so many only to an endpoint that has none under way.
    pub kept: usize,
    /// To one endpoint, where nothing else is said.
    pub lane: usize,
}

/// Work waiting for its turn, by endpoint.
///
/// Work with a subject is handed out in the order it was offered, and one at a time of a subject;
/// work without one in any order.
#[derive(Debug)]
pub struct Lanes<Endpoint, Subject, Work> {
    limits: Limits,
    under_way: usize,
    lanes: BTreeMap<Endpoint, Lane<Subject, Work>>,
    /// The endpoint whose turn is next comes first.
    turns: VecDeque<Endpoint>,
}

#[derive(Debug)]
struct Lane<Subject, Work> {
    waiting: VecDeque<(Option<Subject>, Work)>,
    at_once: usize,
    under_way: usize,
    /// Of which something is under way.
    subjects: BTreeSet<Subject>,
}

/// The place of one request that is under way; it is given back with [`Lanes::finish`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a place that is not given back is lost"]
pub struct Ticket<Endpoint, Subject> {
    endpoint: Endpoint,
    subject: Option<Subject>,
}

/// What became of a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It need not be done again.
    Settled,
    /// It is to be done again later, and before anything else of its subject.
    Postponed,
}

impl<Endpoint: Ord + Clone, Subject: Ord + Clone, Work> Lanes<Endpoint, Subject, Work> {
    /// Without any work.
    pub fn new(limits: Limits) -> Self {
        Lanes { limits, under_way: 0, lanes: BTreeMap::new(), turns: VecDeque::new() }
    }

    /// Adds work for an endpoint, after what waits there already.
    pub fn offer(&mut self, endpoint: Endpoint, subject: Option<Subject>, work: Work) {
        self.lane(endpoint).waiting.push_back((subject, work));
    }

    /// Gives an endpoint another number of places, see [`crate::EndpointState::at_once`]. Requests
    /// that are under way beyond it go on.
    pub fn set_at_once(&mut self, endpoint: Endpoint, places: usize) {
        self.lane(endpoint).at_once = places;
    }

    /// Takes back what waits for an endpoint, in order: it is paused or disabled.
    pub fn withdraw(&mut self, endpoint: &Endpoint) -> Vec<Work> {
        let Some(lane) = self.lanes.get_mut(endpoint) else { return Vec::new() };
        let waiting = std::mem::take(&mut lane.waiting);
        self.forget_if_idle(endpoint);
        waiting.into_iter().map(|(_, work)| work).collect()
    }

    /// As many pieces of work wait for an endpoint.
    pub fn waiting(&self, endpoint: &Endpoint) -> usize {
        self.lanes.get(endpoint).map_or(0, |lane| lane.waiting.len())
    }

    /// As many requests are under way to all endpoints.
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    /// The next piece of work, of the endpoint whose turn it is; `None` when nothing may be sent now.
    pub fn take_next(&mut self) -> Option<(Ticket<Endpoint, Subject>, Work)> {
        let free = self.limits.total.saturating_sub(self.under_way);
        if free == 0 {
            return None;
        }
        for turn in 0..self.turns.len() {
            let Some(lane) = self.turns.get(turn).and_then(|endpoint| self.lanes.get_mut(endpoint)) else {
                continue;
            };
            let has_place = lane.under_way == 0 || free > self.limits.kept;
            let Some((subject, work)) = has_place.then(|| lane.take()).flatten() else { continue };
            self.under_way += 1;
            let endpoint = self.turns.remove(turn)?;
            self.turns.push_back(endpoint.clone());
            return Some((Ticket { endpoint, subject }, work));
        }
        None
    }

    /// Gives a place back. Of postponed work, what waits of its subject is handed back in order:
    /// it must not be sent before, and is offered again after it.
    pub fn finish(&mut self, ticket: Ticket<Endpoint, Subject>, finish: Finish) -> Vec<Work> {
        let Ticket { endpoint, subject } = ticket;
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return Vec::new() };
        self.under_way = self.under_way.saturating_sub(1);
        lane.under_way = lane.under_way.saturating_sub(1);
        let handed_back = match subject {
            None => Vec::new(),
            Some(subject) => {
                lane.subjects.remove(&subject);
                match finish {
                    Finish::Settled => Vec::new(),
                    Finish::Postponed => lane.take_all_of(&subject),
                }
            }
        };
        self.forget_if_idle(&endpoint);
        handed_back
    }

    fn lane(&mut self, endpoint: Endpoint) -> &mut Lane<Subject, Work> {
        let (turns, at_once) = (&mut self.turns, self.limits.lane);
        self.lanes.entry(endpoint).or_insert_with_key(|endpoint| {
            turns.push_back(endpoint.clone());
            Lane { waiting: VecDeque::new(), at_once, under_way: 0, subjects: BTreeSet::new() }
        })
    }

    /// An endpoint about which there is nothing to know takes no memory.
    fn forget_if_idle(&mut self, endpoint: &Endpoint) {
        let idle = self.lanes.get(endpoint).is_some_and(|lane| {
            lane.waiting.is_empty() && lane.under_way == 0 && lane.at_once == self.limits.lane
        });
        if idle {
            self.lanes.remove(endpoint);
            self.turns.retain(|turn| turn != endpoint);
        }
    }
}

impl<Subject: Ord + Clone, Work> Lane<Subject, Work> {
    /// The first that may be sent now.
    fn take(&mut self) -> Option<(Option<Subject>, Work)> {
        if self.under_way >= self.at_once {
            return None;
        }
        let free = |subject: &Option<Subject>| {
            subject.as_ref().is_none_or(|subject| !self.subjects.contains(subject))
        };
        let first = self.waiting.iter().position(|(subject, _)| free(subject))?;
        let (subject, work) = self.waiting.remove(first)?;
        self.subjects.extend(subject.clone());
        self.under_way += 1;
        Some((subject, work))
    }

    fn take_all_of(&mut self, subject: &Subject) -> Vec<Work> {
        let (of_it, others): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|(waiting, _)| waiting.as_ref() == Some(subject));
        self.waiting = others.into();
        of_it.into_iter().map(|(_, work)| work).collect()
    }
}

#[cfg(test)]
mod tests;
