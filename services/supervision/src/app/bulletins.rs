//! Bulletins (通报) from draft to issue, and what units say against them.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_supervision::{
    Appeal, Bulletin, BulletinChange, BulletinCommand, BulletinDraft, BulletinEvent, BulletinState,
    Contested, Correction, Corrections, Frozen, Light, Line, Paper, Period, PointKey, Reported, UnderWay,
    told,
};
use xietong_events::Draft;
use xietong_mesh::{Call, Error, Resource, Transaction};
use xietong_timers::MachineClock;

use super::{Supervision, timers, unit_name};
use crate::error::{bulletin_refused, unreadable};
use crate::store::{self, BulletinFilter, ListFilter, SeenBulletins};

/// What a bulletin is drafted with.
#[derive(Debug)]
pub(crate) struct Drafting {
    /// What it is about.
    pub(crate) period: Period,
    /// Its title.
    pub(crate) title: String,
    /// The leader who is to sign, `officials/{id}`.
    pub(crate) leader: String,
    /// By which version it is scored.
    pub(crate) rule_version: Option<u32>,
}

/// What is asked of a bulletin.
#[derive(Debug)]
pub(crate) enum AskedOfBulletin {
    /// Its figures are frozen anew.
    Recompute,
    /// It is sent to its units.
    Check {
        /// Until when (exclusive) they may appeal.
        before: Timestamp,
    },
    /// A unit says that its line is right.
    Confirm {
        /// `units/{slug}`.
        unit: String,
    },
    /// A unit appeals.
    Appeal {
        /// `units/{slug}`.
        unit: String,
        /// What it is about.
        about: Contested,
        /// Why.
        reason: String,
    },
    /// An appeal is upheld.
    Uphold {
        /// `bulletins/{b}/appeals/{n}`.
        appeal: String,
        /// What is left out; empty: all that was appealed.
        corrected: Vec<PointKey>,
        /// On what ground.
        ground: String,
        /// Every unit that the decider belongs to.
        decider_units: Vec<String>,
    },
    /// An appeal is refused.
    Refuse {
        /// `bulletins/{b}/appeals/{n}`.
        appeal: String,
        /// Why.
        ground: String,
        /// Every unit that the decider belongs to.
        decider_units: Vec<String>,
    },
    /// Its leader signs.
    Sign,
    /// It is withdrawn.
    Withdraw {
        /// Why.
        ground: String,
    },
}

/// A bulletin, and the lines of it that the caller may see.
#[derive(Debug)]
pub(crate) struct BulletinView {
    pub(crate) bulletin: Bulletin,
    pub(crate) lines: BTreeMap<String, Line>,
}

/// How much of a bulletin somebody sees.
enum Sees {
    All,
    /// What concerns these units.
    Units(BTreeSet<String>),
}

impl Supervision {
    /// The figures that a bulletin is drafted with, as they are scored now.
    pub(crate) async fn score_draft(
        &self,
        call: &Call,
        drafting: &Drafting,
    ) -> Result<(Period, Frozen), Error> {
        call.authorize(&Resource::new())?;
        self.leader_name("leader", &drafting.leader)?;
        self.freeze(call, drafting.period, drafting.rule_version).await
    }

    /// The figures of a bulletin as they are scored now, if that is what is asked of it. A
    /// bulletin keeps its period and its rule, so nothing of what they are read by is late.
    pub(crate) async fn score_anew(
        &self,
        call: &Call,
        name: &str,
        asked: &AskedOfBulletin,
    ) -> Result<Option<Frozen>, Error> {
        if !matches!(asked, AskedOfBulletin::Recompute) {
            return Ok(None);
        }
        call.authorize(&Resource::new())?;
        let Some(bulletin) = store::find_bulletin(self.db.reader(), name).await? else {
            return Err(call.scope()?.missing(name));
        };
        let (_, frozen) = self.freeze(call, bulletin.period, Some(bulletin.rule.version)).await?;
        Ok(Some(frozen))
    }

    /// Drafts a bulletin with its figures, after [`Supervision::score_draft`].
    pub(crate) async fn create_bulletin(
        &self,
        transaction: &Transaction,
        call: &Call,
        drafting: &Drafting,
        period: Period,
        frozen: Frozen,
    ) -> Result<BulletinView, Error> {
        let draft = BulletinDraft {
            name: format!("bulletins/{}", MachineClock::system().new_id()),
            title: drafting.title.clone(),
            period,
            leader: drafting.leader.clone(),
            created_by: call.principal.subject.clone(),
        };
        let event = Bulletin::draft(&draft, &frozen, transaction.now());
        let bulletin = Bulletin::begun_by(&event).ok_or_else(|| Error::internal(NotBegun))?;
        store::insert_bulletin(transaction.tx(), &bulletin).await?;
        store::replace_lines(transaction.tx(), &bulletin.name, &frozen.lines).await?;
        transaction.append(&bulletin.name, 0, vec![recorded(&event)?]).await?;
        Ok(BulletinView { bulletin, lines: frozen.lines })
    }

    /// Does what is asked of a bulletin, after [`Supervision::prepare_change`] and with what
    /// [`Supervision::score_anew`] found. ABORTED when the
    /// etag is not the current one, or when somebody else changed it at the same moment.
    pub(crate) async fn change_bulletin(
        &self,
        transaction: &mut Transaction,
        call: &Call,
        (name, etag): (&str, &str),
        asked: &AskedOfBulletin,
        frozen: Option<Frozen>,
    ) -> Result<BulletinView, Error> {
        let now = transaction.now();
        let found = store::find_bulletin(transaction.tx(), name).await?;
        let authority = match asked {
            AskedOfBulletin::Sign => match &found {
                Some(bulletin) => Some(self.authorize_for_leader(call, &bulletin.leader, now)?),
                None => None,
            },
            AskedOfBulletin::Confirm { unit } | AskedOfBulletin::Appeal { unit, .. } => {
                call.authorize(&Resource::new().of_units([unit.as_str()]))?;
                self.require_approver(transaction, call, unit).await?;
                None
            }
            AskedOfBulletin::Recompute
            | AskedOfBulletin::Check { .. }
            | AskedOfBulletin::Uphold { .. }
            | AskedOfBulletin::Refuse { .. }
            | AskedOfBulletin::Withdraw { .. } => {
                call.authorize(&Resource::new())?;
                None
            }
        };
        let before = found.filter(|bulletin| shown(bulletin, asked));
        let Some(before) = before else { return Err(call.scope()?.missing(name)) };
        if !etag.is_empty() && etag != version_tag(&before) {
            return Err(Error::aborted_etag(name));
        }
        if let Some(authority) = authority {
            authority.stamp(transaction);
        }
        let (event, lines) = self.decide_on_bulletin(transaction, &before, asked, frozen).await?;
        let mut after = before.clone();
        after.apply(&event);
        let mut drafts = vec![recorded(&event)?];
        if let Some(ready) = after.becomes_ready(now) {
            after.apply(&ready);
            drafts.push(recorded(&ready)?);
        }
        store::save_bulletin(transaction.tx(), before.version, &after).await?;
        transaction.append(name, before.version, drafts).await?;
        if let BulletinChange::CheckBegun { before: limit, .. } = event.change {
            transaction.schedule(&[timers::of_bulletin(name, limit)?]).await?;
        }
        Ok(BulletinView { bulletin: after, lines })
    }

    /// A bulletin, and of its lines those that the caller may see; of one unit, if it is named.
    pub(crate) async fn bulletin(
        &self,
        call: &Call,
        name: &str,
        unit: Option<&str>,
    ) -> Result<BulletinView, Error> {
        let (bulletin, sees) = self.seen_bulletin(call, name).await?;
        let wanted: Option<BTreeSet<String>> = match (sees, unit) {
            (Sees::All, None) => None,
            (Sees::All, Some(unit)) => Some(BTreeSet::from([unit.to_owned()])),
            (Sees::Units(units), None) => Some(units),
            (Sees::Units(units), Some(unit)) if units.contains(unit) => {
                Some(BTreeSet::from([unit.to_owned()]))
            }
            (Sees::Units(_), Some(_)) => return Err(Error::permission_denied(call.action)),
        };
        let lines = store::lines(self.db.reader(), name, wanted.as_ref()).await?;
        Ok(BulletinView { bulletin, lines })
    }

    /// A portion of the bulletins that the caller may see, the newest first, each with its place.
    pub(crate) async fn bulletins(
        &self,
        call: &Call,
        state: Option<BulletinState>,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<(i64, Bulletin)>, Error> {
        let now = self.now();
        let scope = self.scope(call, now)?;
        let seen = if scope.all {
            None
        } else {
            let leaders = self.leaders_of(call, now)?;
            Some(SeenBulletins { leaders, units: scope.units.union(&scope.portfolio).cloned().collect() })
        };
        Ok(store::bulletins(self.db.reader(), &BulletinFilter { seen, state }, before, limit).await?)
    }

    /// A bulletin as it was issued, or what it would say now, for whoever sees all of it.
    pub(crate) async fn bulletin_paper(&self, call: &Call, name: &str) -> Result<Paper, Error> {
        let (bulletin, sees) = self.seen_bulletin(call, name).await?;
        if matches!(sees, Sees::Units(_)) {
            return Err(Error::permission_denied(call.action));
        }
        if let Some(issued) = &bulletin.issued {
            let kept = store::find_paper(self.db.reader(), &issued.paper).await?;
            return kept.map(|kept| kept.paper).ok_or_else(|| Error::not_found(&issued.paper));
        }
        let lines = store::lines(self.db.reader(), name, None).await?;
        Ok(self.bulletin_text(&bulletin, lines, self.now()))
    }

    /// The appeals against a bulletin that the caller may see.
    pub(crate) async fn appeals(&self, call: &Call, name: &str) -> Result<Vec<Appeal>, Error> {
        let (bulletin, sees) = self.seen_bulletin(call, name).await?;
        let mut appeals = bulletin.appeals;
        if let Sees::Units(units) = sees {
            appeals.retain(|appeal| units.contains(&appeal.unit));
        }
        Ok(appeals)
    }

    /// The figures of a period as they are scored now, and the period as far as it is past.
    pub(super) async fn freeze(
        &self,
        call: &Call,
        period: Period,
        rule_version: Option<u32>,
    ) -> Result<(Period, Frozen), Error> {
        let now = self.now();
        let scope = self.scope(call, now)?;
        let period = self.past(period)?;
        let rule = self.score_rule(rule_version, period).await?;
        let lines = self.board(&scope, rule.clone(), period, now).await?;
        let counts = store::total(self.db.reader(), &scope, &ListFilter::default(), now).await?;
        let of = |lights: &[Light]| {
            counts.iter().filter(|count| lights.contains(&count.light)).map(|count| count.number).sum()
        };
        let under_way =
            UnderWay { all: of(&[Light::Green, Light::Yellow, Light::Red]), red: of(&[Light::Red]) };
        Ok((period, Frozen { rule, under_way, lines }))
    }

    /// What follows from what is asked, and the lines that the answer shows. What it changes
    /// beside the bulletin is written.
    async fn decide_on_bulletin(
        &self,
        transaction: &Transaction,
        before: &Bulletin,
        asked: &AskedOfBulletin,
        frozen: Option<Frozen>,
    ) -> Result<(BulletinEvent, BTreeMap<String, Line>), Error> {
        let (tx, now, name) = (transaction.tx(), transaction.now(), before.name.as_str());
        let regulation = self.regulations.current(tx).await?;
        let decide = |command: BulletinCommand<'_>| {
            before.decide(&command, regulation.calendar(), now).map_err(bulletin_refused)
        };
        let all_lines = store::lines(tx, name, None);
        match asked {
            AskedOfBulletin::Recompute => {
                let frozen = frozen.ok_or_else(|| Error::internal(NotScored))?;
                let event = decide(BulletinCommand::Recompute(&frozen))?;
                store::replace_lines(tx, name, &frozen.lines).await?;
                Ok((event, frozen.lines))
            }
            AskedOfBulletin::Check { before: limit } => {
                Ok((decide(BulletinCommand::Check { before: *limit })?, all_lines.await?))
            }
            AskedOfBulletin::Confirm { unit } => {
                let event = decide(BulletinCommand::Confirm { unit })?;
                Ok((event, line_of(transaction, name, unit).await?))
            }
            AskedOfBulletin::Appeal { unit, about, reason } => {
                let lines = line_of(transaction, name, unit).await?;
                let line = lines.get(unit);
                Ok((decide(BulletinCommand::Appeal { unit, about, reason, line })?, lines))
            }
            AskedOfBulletin::Uphold { appeal, corrected, ground, decider_units } => {
                let unit = before.find_appeal(appeal).map_or("", |appeal| &appeal.unit);
                let mut lines = line_of(transaction, name, unit).await?;
                let line = lines.get(unit);
                let event =
                    decide(BulletinCommand::Uphold { appeal, corrected, ground, decider_units, line })?;
                let corrections = corrections_of(&event);
                store::keep_corrections(tx, &corrections, now).await?;
                let corrections: Corrections = corrections.into_iter().collect();
                for (unit, line) in &mut lines {
                    line.correct(&corrections);
                    store::save_line(tx, name, unit, line).await?;
                }
                Ok((event, lines))
            }
            AskedOfBulletin::Refuse { appeal, ground, decider_units } => {
                let event = decide(BulletinCommand::Refuse { appeal, ground, decider_units })?;
                let unit = before.find_appeal(appeal).map_or("", |appeal| &appeal.unit);
                Ok((event, line_of(transaction, name, unit).await?))
            }
            AskedOfBulletin::Sign => {
                before.ready_to_sign(now).map_err(bulletin_refused)?;
                // What was corrected elsewhere meanwhile is left out here, too.
                let corrections = store::corrections(tx).await?;
                let mut lines = all_lines.await?;
                lines.values_mut().for_each(|line| line.correct(&corrections));
                store::replace_lines(tx, name, &lines).await?;
                let paper = self.bulletin_text(before, lines.clone(), now);
                let leader = Some(before.leader.clone());
                let kept = self.issue(transaction, paper, None, leader).await?;
                let number = kept.paper.printed_number();
                Ok((decide(BulletinCommand::Sign { paper: &kept.name, number: &number })?, lines))
            }
            AskedOfBulletin::Withdraw { ground } => {
                Ok((decide(BulletinCommand::Withdraw { ground })?, all_lines.await?))
            }
        }
    }

    /// What a bulletin says, with these lines.
    fn bulletin_text(&self, bulletin: &Bulletin, lines: BTreeMap<String, Line>, now: Timestamp) -> Paper {
        let corrected = lines.values().map(appeals_upheld).sum();
        let book = self.roster.view().book;
        let lines = told(lines, |unit| unit_name(&book, unit).to_owned());
        let checked = bulletin.checked(corrected);
        Paper::bulletin(&Reported {
            title: &bulletin.title,
            period: bulletin.period,
            lines: &lines,
            under_way: bulletin.under_way,
            rule: &bulletin.rule,
            checked,
            now,
        })
    }

    /// A bulletin, and how much of it the caller sees.
    async fn seen_bulletin(&self, call: &Call, name: &str) -> Result<(Bulletin, Sees), Error> {
        let now = self.now();
        let scope = self.scope(call, now)?;
        let Some(bulletin) = store::find_bulletin(self.db.reader(), name).await? else {
            return Err(scope.missing(name));
        };
        if scope.all || self.leaders_of(call, now)?.contains(&bulletin.leader) {
            return Ok((bulletin, Sees::All));
        }
        let own = scope.units.union(&scope.portfolio);
        let concerned: BTreeSet<String> =
            own.filter(|unit| bulletin.units.contains_key(*unit)).cloned().collect();
        if bulletin.check_before.is_none() || concerned.is_empty() {
            return Err(scope.missing(name));
        }
        Ok((bulletin, Sees::Units(concerned)))
    }
}

/// A bulletin changes with every version.
pub(crate) fn version_tag(bulletin: &Bulletin) -> String {
    format!("v{}", bulletin.version)
}

/// A unit hears of a bulletin when it is asked to check it, and only if it has a line.
fn shown(bulletin: &Bulletin, asked: &AskedOfBulletin) -> bool {
    match asked {
        AskedOfBulletin::Confirm { unit } | AskedOfBulletin::Appeal { unit, .. } => {
            bulletin.check_before.is_some() && bulletin.units.contains_key(unit)
        }
        AskedOfBulletin::Recompute
        | AskedOfBulletin::Check { .. }
        | AskedOfBulletin::Uphold { .. }
        | AskedOfBulletin::Refuse { .. }
        | AskedOfBulletin::Sign
        | AskedOfBulletin::Withdraw { .. } => true,
    }
}

/// The corrections that an upheld appeal makes.
fn corrections_of(event: &BulletinEvent) -> Vec<Correction> {
    let BulletinChange::AppealUpheld { appeal, figure, corrected, ground, .. } = &event.change else {
        return Vec::new();
    };
    let correction = |point: &PointKey| Correction {
        figure: *figure,
        point: point.clone(),
        ground: ground.clone(),
        appeal: appeal.clone(),
    };
    corrected.iter().map(correction).collect()
}

/// The line of a unit, if it has one.
async fn line_of(transaction: &Transaction, name: &str, unit: &str) -> Result<BTreeMap<String, Line>, Error> {
    Ok(store::lines(transaction.tx(), name, Some(&BTreeSet::from([unit.to_owned()]))).await?)
}

/// An event as the log takes it.
pub(crate) fn recorded(event: &BulletinEvent) -> Result<Draft, Error> {
    let payload = event.to_payload().map_err(unreadable)?.to_string();
    Ok(Draft { event_type: event.event_type().to_owned(), payload })
}

/// How many points were left out of a line on appeal.
fn appeals_upheld(line: &Line) -> usize {
    line.corrected.iter().filter(|one| one.reopened.is_none()).count()
}

/// A bulletin that is computed anew without figures: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("a bulletin was not scored before it was computed anew")]
struct NotScored;

/// A draft that begins nothing: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("a bulletin was not begun by its first event")]
struct NotBegun;
