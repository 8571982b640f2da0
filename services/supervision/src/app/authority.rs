//! Who may do what to a task, the portfolios of leaders included.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_roster::{
    Subject, acting_ground, authority_over, is_leader, mandate_ground, mandates_for, resolve, stands_in_for,
    units_of_leader, units_of_mandate, units_served,
};
use domain_supervision::Decides;
use xietong_mesh::principal::{Principal, Role};
use xietong_mesh::{Call, Code, Error, Resource, RosterView, Scope, Stamp, Transaction};

use super::{Supervision, roster};
use crate::record::Record;

/// By what right somebody acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authority {
    /// By a role that names everything, or the unit.
    Role,
    /// As the leader in charge, by the roster at a position of its log.
    InCharge {
        /// The position.
        roster_position: i64,
    },
    /// As the leader whom the mayor designated for the task, by the roster at a position of its log.
    Designated {
        /// The position.
        roster_position: i64,
    },
    /// As the leader who presides over the whole, by the roster at a position of its log.
    Presiding {
        /// The position.
        roster_position: i64,
    },
    /// For a leader in charge who is away, by the roster at a position of its log.
    StandingIn {
        /// The leader who is away, `officials/{id}`.
        official: String,
        /// What people call that leader.
        display_name: String,
        /// The position.
        roster_position: i64,
        /// By which authority, `absences/{a}/authorities/{n}`.
        by: Option<String>,
    },
    /// As the leader who is named for it.
    InPerson,
    /// Entered for a leader, as a mandate lets it.
    Mandated {
        /// The leader, `officials/{id}`.
        official: String,
        /// As what, for whom and by which mandate.
        ground: String,
    },
}

impl Authority {
    /// The leader by whose word an act is done: the caller, or whoever it is entered for. Whoever
    /// stands in decides himself.
    pub(crate) fn leader<'a>(&'a self, call: &'a Call) -> Option<&'a str> {
        match self {
            Authority::Role => None,
            Authority::InCharge { .. }
            | Authority::Designated { .. }
            | Authority::Presiding { .. }
            | Authority::StandingIn { .. }
            | Authority::InPerson => call.principal.official.as_deref(),
            Authority::Mandated { official, .. } => Some(official),
        }
    }

    /// Stamps the act with whom it is done for and on what ground.
    pub(crate) fn stamp(&self, transaction: &mut Transaction) {
        let Stamp { acting_for, ground, occurred_at: _ } = self.as_stamp();
        if let Some(official) = acting_for {
            transaction.acting_for(official);
        }
        if let Some(ground) = ground {
            transaction.on_ground(ground);
        }
    }

    /// Whom an act is done for by it, and on what ground.
    pub(crate) fn as_stamp(&self) -> Stamp {
        let (acting_for, ground) = match self {
            Authority::Role | Authority::InPerson => (None, None),
            Authority::InCharge { roster_position } => {
                (None, Some(format!("名册记录第{roster_position}号：分管领导")))
            }
            Authority::Designated { roster_position } => {
                (None, Some(format!("名册记录第{roster_position}号：指定领导")))
            }
            Authority::Presiding { roster_position } => {
                (None, Some(format!("名册记录第{roster_position}号：主持全面工作")))
            }
            Authority::StandingIn { official, display_name, roster_position, by } => {
                let ground = acting_ground(*roster_position, display_name, by.as_deref());
                (Some(official.clone()), Some(ground))
            }
            Authority::Mandated { official, ground } => (Some(official.clone()), Some(ground.clone())),
        };
        Stamp { acting_for, ground, occurred_at: None }
    }
}

impl Supervision {
    /// Brings the copy of the roster up to date if what the caller may change depends on it.
    /// To be called before the transaction of the change begins, see [`roster`]. Whether the
    /// copy then is good enough is decided inside: a repeated request gets its first answer
    /// even when the roster cannot be asked.
    pub(crate) async fn prepare_change(&self, call: &Call) {
        if call.scope().is_ok_and(|scope| depends_on_roster(&scope)) {
            roster::refresh(&self.roster).await;
        }
    }

    /// By what right the caller performs the call's action on a record. PERMISSION_DENIED
    /// when by none; UNAVAILABLE when that depends on a roster that is not known to be
    /// current.
    pub(crate) fn authorize(
        &self,
        call: &Call,
        resource: &Resource,
        now: Timestamp,
    ) -> Result<Authority, Error> {
        let scope = call.scope()?;
        if scope.permits(resource) {
            return Ok(Authority::Role);
        }
        if !depends_on_roster(&scope) {
            return Err(Error::permission_denied(call.action));
        }
        let view = self.roster_for(&scope)?;
        let as_leader = as_leader(&scope, &view, resource, now);
        let mandated = || as_mandated(&scope, &view, resource, now);
        as_leader.or_else(mandated).ok_or_else(|| Error::permission_denied(call.action))
    }

    /// Every unit that the caller belongs to: what is theirs he does not verify. A supervisor belongs to
    /// the units of his posts, too, with all that these belong to. Whoever is a leader, or enters what
    /// one decides, verifies for the leader in charge, whatever office he has.
    pub(crate) fn units_of(&self, principal: &Principal) -> Result<Vec<String>, Error> {
        let named = principal.grants.iter().flat_map(|grant| grant.units.iter());
        let mut units: BTreeSet<String> = named.cloned().collect();
        if let Some(official) = principal.official.as_deref().filter(|_| principal.has_role(Role::Supervisor))
        {
            let book = self.roster()?.book;
            let view = book.view(self.now(), Timestamp::MAX);
            if !is_leader(view, official) {
                units.extend(units_served(view, official));
            }
        }
        Ok(units.into_iter().collect())
    }

    /// By what right the caller decides on an assignment on which a leader decides, or the leader in
    /// charge of a unit. A matter of named units hides nothing from the one leader who must decide
    /// on it.
    pub(crate) fn authorize_decision(
        &self,
        call: &Call,
        decides: Decides<'_>,
        now: Timestamp,
    ) -> Result<Authority, Error> {
        match decides {
            Decides::InChargeOf(unit) => self.authorize(call, &Resource::new().of_units([unit]), now),
            Decides::Leader(official) => {
                let designated = |roster_position| Authority::Designated { roster_position };
                self.authorize_as(call, official, designated, now)
            }
        }
    }

    /// By what right the caller acts as whoever presides over the whole.
    pub(crate) fn authorize_presider(&self, call: &Call, now: Timestamp) -> Result<Authority, Error> {
        let view = self.roster()?;
        let division = view.book.view(now, Timestamp::MAX).division();
        let Some(presider) = division.and_then(|division| division.presider()) else {
            return Err(Error::permission_denied(call.action));
        };
        self.authorize_as(call, presider, |roster_position| Authority::Presiding { roster_position }, now)
    }

    /// By what right the caller acts as a leader: as that leader, which is `in_person` at a position of
    /// the roster's log, for one who is away, or under a mandate.
    fn authorize_as(
        &self,
        call: &Call,
        official: &str,
        in_person: fn(i64) -> Authority,
        now: Timestamp,
    ) -> Result<Authority, Error> {
        let scope = call.scope()?;
        if scope.permits(&Resource::new()) {
            return Ok(Authority::Role);
        }
        if !depends_on_roster(&scope) {
            return Err(Error::permission_denied(call.action));
        }
        let view = self.roster_for(&scope)?;
        let display_name = || view.book.view(now, Timestamp::MAX).person(official).display_name;
        if let Some(leader) = scope.portfolio_of.as_deref() {
            if leader == official {
                return Ok(in_person(view.position));
            }
            if stands_in_for(&view.book, leader, now, Timestamp::MAX).contains_key(official) {
                let by = authority_over(&view.book, official, leader, None, now);
                return Ok(Authority::StandingIn {
                    official: official.to_owned(),
                    display_name: display_name(),
                    roster_position: view.position,
                    by: by.map(|authority| authority.name),
                });
            }
        }
        let mandate = scope.mandate_of.as_deref().and_then(|holder| {
            mandates_for(&view.book, holder, scope.action, now).find(|mandate| mandate.leader == official)
        });
        let mandate = mandate.ok_or_else(|| Error::permission_denied(call.action))?;
        Ok(Authority::Mandated {
            official: official.to_owned(),
            ground: mandate_ground(view.position, &display_name(), mandate),
        })
    }

    /// By what right the caller writes an instruction on a task to some of its units: as whoever
    /// decides on it, as whoever presides over the whole, or as whoever is in charge of each of these
    /// units. A matter of named units hides nothing from the first two.
    pub(crate) fn authority_to_instruct(
        &self,
        call: &Call,
        record: &Record,
        units: &[String],
        now: Timestamp,
    ) -> Result<Authority, Error> {
        let settling = record.task.settling_assignments().map(|one| one.unit.as_str());
        match self.authorize(call, &Resource::new().of_units(settling), now) {
            Err(error) if error.code() == Code::PermissionDenied => {}
            outcome => return outcome,
        }
        let scope = call.scope()?;
        if let Some(authority) = as_presider(&scope, &self.roster_for(&scope)?, now) {
            return Ok(authority);
        }
        let held = record.task.assignments.iter().filter(|one| units.contains(&one.unit));
        let rights = held.map(|one| self.authorize(call, &record.resource_of(one), now));
        let mut rights = rights.collect::<Result<Vec<_>, _>>()?;
        rights.dedup();
        match (rights.pop(), rights.is_empty()) {
            (Some(authority), true) => Ok(authority),
            (Some(_) | None, _) => Err(Error::permission_denied(call.action)),
        }
    }

    /// The records on which the caller may perform the call's action: a leader's own portfolio and
    /// those of the leaders he now acts for are in it, and what mandates are about.
    pub(crate) fn scope(&self, call: &Call, now: Timestamp) -> Result<Scope, Error> {
        let scope = call.scope()?;
        if !depends_on_roster(&scope) {
            return Ok(scope);
        }
        let view = self.roster_for(&scope)?;
        let leader = scope.portfolio_of.as_deref();
        let led: BTreeSet<String> = leader
            .into_iter()
            .flat_map(|leader| {
                let absent = stands_in_for(&view.book, leader, now, Timestamp::MAX);
                absent.into_values().flatten().chain(portfolio(&view, leader, now))
            })
            .collect();
        let mandates = scope.mandate_of.iter();
        let mandates = mandates.flat_map(|holder| mandates_for(&view.book, holder, scope.action, now));
        let mandated: BTreeSet<String> =
            mandates.flat_map(|mandate| units_of_mandate(&view.book, mandate, now)).collect();
        Ok(scope.with_portfolio(led).with_mandated(mandated))
    }

    /// By what right the caller performs the call's action for a leader who is named for it. That is
    /// no leader's portfolio: it is done in person, by whoever acts for that leader as a whole, or
    /// under a mandate that is not about some units alone. Errors as of [`Supervision::authorize`].
    pub(crate) fn authorize_for_leader(
        &self,
        call: &Call,
        leader: &str,
        now: Timestamp,
    ) -> Result<Authority, Error> {
        let scope = call.scope()?;
        let denied = || Error::permission_denied(call.action);
        if !depends_on_roster(&scope) {
            return Err(denied());
        }
        let view = self.roster_for(&scope)?;
        in_place_of(&scope, &view, leader, now).ok_or_else(denied)
    }

    /// The leaders for whom the caller performs the call's action, as
    /// [`Supervision::authorize_for_leader`] has it.
    pub(crate) fn leaders_of(&self, call: &Call, now: Timestamp) -> Result<BTreeSet<String>, Error> {
        let scope = call.scope()?;
        if !depends_on_roster(&scope) {
            return Ok(BTreeSet::new());
        }
        let view = self.roster_for(&scope)?;
        let caller = scope.portfolio_of.as_deref();
        let absent = caller.map(|caller| stands_in_for(&view.book, caller, now, Timestamp::MAX));
        let mandates =
            scope.mandate_of.iter().flat_map(|holder| mandates_for(&view.book, holder, scope.action, now));
        let candidates = caller
            .map(str::to_owned)
            .into_iter()
            .chain(absent.into_iter().flat_map(|absent| absent.into_keys()))
            .chain(mandates.map(|mandate| mandate.leader.clone()));
        Ok(candidates.filter(|leader| in_place_of(&scope, &view, leader, now).is_some()).collect())
    }

    /// A copy that may have missed something is good enough to read by, not to act by.
    fn roster_for(&self, scope: &Scope) -> Result<RosterView, Error> {
        if scope.reading { self.roster() } else { roster::current(&self.roster) }
    }
}

/// Whether what is within reach follows from the roster.
fn depends_on_roster(scope: &Scope) -> bool {
    scope.portfolio_of.is_some() || scope.mandate_of.is_some()
}

/// As the leader in charge, or for one who is away.
fn as_leader(scope: &Scope, view: &RosterView, resource: &Resource, now: Timestamp) -> Option<Authority> {
    let leader = scope.portfolio_of.as_deref()?;
    let permits = |units: BTreeSet<String>| scope.clone().with_portfolio(units).permits(resource);
    if permits(portfolio(view, leader, now)) {
        return Some(Authority::InCharge { roster_position: view.position });
    }
    // A stand-in for a part of an absent leader's duties acts in that part alone.
    let mut absent = stands_in_for(&view.book, leader, now, Timestamp::MAX).into_iter();
    let (official, units) = absent.find(|(_, units)| permits(units.clone()))?;
    let unit = resource.units.iter().find(|unit| units.contains(*unit));
    let by = authority_over(&view.book, &official, leader, unit.map(String::as_str), now);
    Some(Authority::StandingIn {
        display_name: view.book.view(now, Timestamp::MAX).person(&official).display_name,
        official,
        roster_position: view.position,
        by: by.map(|authority| authority.name),
    })
}

/// As a leader, or in the place of one: not in a part of his duties.
fn in_place_of(scope: &Scope, view: &RosterView, leader: &str, now: Timestamp) -> Option<Authority> {
    let called = || view.book.view(now, Timestamp::MAX).person(leader).display_name;
    if let Some(caller) = scope.portfolio_of.as_deref() {
        if caller == leader {
            return Some(Authority::InPerson);
        }
        let subject = Subject::Official(leader.to_owned());
        let acting = resolve(&view.book, &subject, now, Timestamp::MAX).ok().and_then(|one| one.acting);
        if acting.is_some_and(|acting| acting.official == caller) {
            let by = authority_over(&view.book, leader, caller, None, now);
            return Some(Authority::StandingIn {
                official: leader.to_owned(),
                display_name: called(),
                roster_position: view.position,
                by: by.map(|authority| authority.name),
            });
        }
    }
    let holder = scope.mandate_of.as_deref()?;
    let mandate = mandates_for(&view.book, holder, scope.action, now)
        .find(|mandate| mandate.leader == leader && mandate.units.is_empty())?;
    let ground = mandate_ground(view.position, &called(), mandate);
    Some(Authority::Mandated { official: leader.to_owned(), ground })
}

/// As whoever presides over the whole, for him while he is away, or under a mandate of his for the
/// action that names no units.
fn as_presider(scope: &Scope, view: &RosterView, now: Timestamp) -> Option<Authority> {
    let now_known = view.book.view(now, Timestamp::MAX);
    let presider = now_known.division()?.presider()?;
    let leader = scope.portfolio_of.as_deref();
    if leader == Some(presider) {
        return Some(Authority::Presiding { roster_position: view.position });
    }
    let display_name = now_known.person(presider).display_name;
    let stands_in =
        leader.filter(|leader| stands_in_for(&view.book, leader, now, Timestamp::MAX).contains_key(presider));
    if let Some(leader) = stands_in {
        let by = authority_over(&view.book, presider, leader, None, now);
        return Some(Authority::StandingIn {
            official: presider.to_owned(),
            display_name,
            roster_position: view.position,
            by: by.map(|authority| authority.name),
        });
    }
    let mut mandates = mandates_for(&view.book, scope.mandate_of.as_deref()?, scope.action, now);
    let mandate = mandates.find(|mandate| mandate.leader == presider && mandate.units.is_empty())?;
    Some(Authority::Mandated {
        official: presider.to_owned(),
        ground: mandate_ground(view.position, &display_name, mandate),
    })
}

/// Under a mandate for the action, in what it is about now.
fn as_mandated(scope: &Scope, view: &RosterView, resource: &Resource, now: Timestamp) -> Option<Authority> {
    let holder = scope.mandate_of.as_deref()?;
    let mandate = mandates_for(&view.book, holder, scope.action, now).find(|mandate| {
        scope.clone().with_mandated(units_of_mandate(&view.book, mandate, now)).permits(resource)
    })?;
    let person = view.book.view(now, Timestamp::MAX).person(&mandate.leader);
    Some(Authority::Mandated {
        official: mandate.leader.clone(),
        ground: mandate_ground(view.position, &person.display_name, mandate),
    })
}

/// The units an official answers for at an instant, by all that the copy knows.
pub(super) fn portfolio(view: &RosterView, official: &str, at: Timestamp) -> BTreeSet<String> {
    units_of_leader(&view.book, official, at, Timestamp::MAX)
}
