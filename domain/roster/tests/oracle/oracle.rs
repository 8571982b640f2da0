//! Who answers, read off the plain list of what was recorded: no index, no cache, one rule after
//! the other as the city's notices and the published AB rules have them.

mod facts;

use domain_calendar::Timestamp;
use domain_roster::{Official, Post, PostKind, Relation, RosterEvent, Scope, StandInList, StandInPair, Unit};

use facts::plain;

use crate::question::Question;
use crate::story::Log;

/// What should be answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The text stands for nothing.
    Unknown,
    /// It stands for several.
    Ambiguous,
    /// Somebody answers, or nobody.
    Who { accountable: Option<String>, acting: Option<String>, stand_in: bool },
}

/// What stops an answer before there is anybody.
enum Stop {
    Unknown,
    Ambiguous,
}

/// What is asked about, as far as stand-ins are concerned.
enum Matter {
    Everything,
    Unit(String),
    Field(String),
}

/// The list at an instant, as it was known at another.
pub(crate) struct Oracle<'a> {
    pub(crate) log: &'a Log,
    pub(crate) at: Timestamp,
    pub(crate) known_at: Timestamp,
}

impl<'a> Oracle<'a> {
    pub(crate) fn answer(&self, question: &Question) -> Answer {
        match self.accountable(question) {
            Err(Stop::Unknown) => Answer::Unknown,
            Err(Stop::Ambiguous) => Answer::Ambiguous,
            Ok((None, ..)) => Answer::Who { accountable: None, acting: None, stand_in: false },
            Ok((Some(official), matter, substitutes)) => {
                let acting = self.acting(&official, &matter, &substitutes);
                let stand_in = acting.is_some() && acting.as_ref() != Some(&official);
                Answer::Who { accountable: Some(official), acting, stand_in }
            }
        }
    }

    // Who is accountable.

    fn accountable(&self, question: &Question) -> Result<(Option<String>, Matter, Vec<String>), Stop> {
        Ok(match question {
            Question::Official(text) => (Some(self.find_official(text)?), Matter::Everything, vec![]),
            Question::Unit(text) => {
                let unit = self.find_unit(text)?;
                let stated = if self.exists(unit) { self.stated(unit) } else { None };
                let leader = stated.or_else(|| self.exists(unit).then(|| self.presider()).flatten());
                (leader, Matter::Unit(unit.name.clone()), vec![])
            }
            Question::Field(text) => {
                let leader = self.in_charge_of_field(text)?.or_else(|| self.presider());
                (leader, Matter::Field(text.clone()), vec![])
            }
            Question::InCharge(text) if self.division().is_none() => {
                (None, Matter::Field(text.clone()), vec![])
            }
            // A post follows its unit or field, and never falls to whoever presides.
            Question::InCharge(text) => match self.find_unit(text) {
                Ok(unit) => {
                    let leader = if self.exists(unit) { self.stated(unit) } else { None };
                    (leader, Matter::Unit(unit.name.clone()), vec![])
                }
                Err(Stop::Unknown) => (self.in_charge_of_field(text)?, Matter::Field(text.clone()), vec![]),
                Err(Stop::Ambiguous) => return Err(Stop::Ambiguous),
            },
            Question::CityPost(kind) => {
                (one(self.holders(*kind, None).into_iter())?, Matter::Everything, vec![])
            }
            Question::UnitPost(text, kind) => {
                let unit = self.find_unit(text)?;
                let substitutes = match kind {
                    PostKind::Liaison => self.holders(PostKind::LiaisonSubstitute, Some(unit)),
                    _ => vec![],
                };
                let mut substitutes: Vec<String> =
                    substitutes.into_iter().map(|official| official.name.clone()).collect();
                substitutes.sort();
                let holder = one(self.holders(*kind, Some(unit)).into_iter())?;
                (holder, Matter::Everything, substitutes)
            }
            Question::Titled(name, title) => {
                let titled = |post: &&Post| {
                    let unit = post.unit.as_ref().and_then(|unit| self.unit(unit));
                    let written = post.title.split('、').any(|part| part == title) || post.title == *title;
                    let of_unit = unit.is_some_and(|unit| unit.names().any(|own| plain(own) == plain(name)));
                    written && of_unit
                };
                let everybody = self.officials();
                if !everybody.iter().any(|official| official.posts.iter().any(|post| titled(&post))) {
                    return Err(Stop::Unknown);
                }
                let now = everybody
                    .into_iter()
                    .filter(|official| official.posts.iter().any(|post| titled(&post) && self.holds(post)));
                (one(now)?, Matter::Everything, vec![])
            }
        })
    }

    fn presider(&self) -> Option<String> {
        let division = self.division()?;
        let presider = division.portfolios.iter().find(|portfolio| portfolio.presides)?;
        Some(presider.official.clone())
    }

    /// Whoever the division in force names for the unit, else for the nearest unit above it.
    fn stated(&self, unit: &Unit) -> Option<String> {
        let division = self.division()?;
        for link in self.upwards(unit) {
            for relation in [Relation::Directs, Relation::Presides, Relation::Liaises] {
                for portfolio in &division.portfolios {
                    let duties = &portfolio.units;
                    if duties.iter().any(|duty| duty.unit == link && duty.relation == relation) {
                        return Some(portfolio.official.clone());
                    }
                }
            }
        }
        None
    }

    /// The unit and all that it belongs to, nearest first.
    fn upwards(&self, unit: &Unit) -> Vec<String> {
        let mut line = vec![unit.name.clone()];
        let mut parent = unit.parent.as_ref();
        while let Some(unit) = parent.and_then(|parent| self.unit(parent)) {
            if line.contains(&unit.name) {
                break;
            }
            line.push(unit.name.clone());
            parent = unit.parent.as_ref();
        }
        line
    }

    /// The leader of a field: by its very text, else by a text that contains it or that it
    /// contains; directing before presiding before liaising.
    fn in_charge_of_field(&self, text: &str) -> Result<Option<String>, Stop> {
        let Some(division) = self.division() else { return Ok(None) };
        let asked = field(text);
        for exactly in [true, false] {
            for relation in [Relation::Directs, Relation::Presides, Relation::Liaises] {
                let mut leaders = Vec::new();
                for portfolio in &division.portfolios {
                    let fields = portfolio.fields.iter().map(|duty| (&duty.field, duty.relation));
                    let classes = portfolio.classes.iter().map(|duty| (&duty.text, duty.relation));
                    let named = fields.chain(classes).any(|(own, how)| {
                        let own = field(own);
                        how == relation && (own == asked || (!exactly && meet(&own, &asked)))
                    });
                    if named {
                        leaders.push(portfolio.official.clone());
                    }
                }
                match leaders.len() {
                    0 => {}
                    1 => return Ok(leaders.pop()),
                    _ => return Err(Stop::Ambiguous),
                }
            }
        }
        Ok(None)
    }

    // Who acts.

    fn acting(&self, official: &str, matter: &Matter, substitutes: &[String]) -> Option<String> {
        let Some(absence) = self.away(official) else { return Some(official.to_owned()) };
        let division = self.division();
        let delegated = !self.covers(&absence.excluded, matter)
            && !division.is_some_and(|division| {
                let mut own = division.exclusions.iter().filter(|exclusion| exclusion.official == official);
                own.any(|exclusion| self.covers(&exclusion.scope, matter))
            });
        let mut order: Vec<String> = Vec::new();
        if delegated {
            let parts = absence.shares.iter().filter(|share| self.covers(&share.scope, matter));
            order.extend(parts.map(|share| share.stand_in.clone()));
            order.extend(absence.stand_in.clone());
            order.extend(substitutes.iter().cloned());
            order.extend(division.and_then(|division| partner(&division.pairs, official)));
            order.extend(self.partner_in_unit(official));
            order.extend(division.and_then(|division| partner(&division.third_stand_ins, official)));
        }
        if let Some(division) = division
            && division.portfolios.iter().any(|portfolio| portfolio.official == official)
            && let Some(fallback) = &division.fallback
        {
            order.extend(fallback.officials.iter().cloned());
        }
        // Only whoever is there acts. The stand-ins of a stand-in are never asked.
        order.into_iter().find(|candidate| self.away(candidate).is_none())
    }

    /// The B that the list of a unit names in which the official holds a post.
    fn partner_in_unit(&self, official: &str) -> Option<String> {
        let posts = &self.official(official)?.posts;
        posts.iter().filter(|post| self.holds(post)).find_map(|post| {
            let list = self.list(post.unit.as_ref()?)?;
            partner(&list.pairs, official)
        })
    }

    fn list(&self, unit: &str) -> Option<&'a StandInList> {
        let mut latest: Option<&StandInList> = None;
        for event in self.known() {
            if let RosterEvent::StandInListCreated(list) = event
                && list.unit == unit
                && list.effective_time <= self.at
                && latest.is_none_or(|before| before.effective_time <= list.effective_time)
            {
                latest = Some(list);
            }
        }
        latest
    }

    fn covers(&self, scope: &Scope, matter: &Matter) -> bool {
        match matter {
            Matter::Everything => false,
            Matter::Unit(name) => self
                .unit(name)
                .is_some_and(|unit| self.upwards(unit).iter().any(|link| scope.units.contains(link))),
            Matter::Field(text) => scope.fields.iter().any(|own| meet(&field(own), &field(text))),
        }
    }
}

fn one<'a>(mut several: impl Iterator<Item = &'a Official>) -> Result<Option<String>, Stop> {
    match (several.next(), several.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => Ok(Some(only.name.clone())),
        (Some(_), Some(_)) => Err(Stop::Ambiguous),
    }
}

fn partner(pairs: &[StandInPair], official: &str) -> Option<String> {
    for pair in pairs {
        if pair.official == official {
            return Some(pair.stand_in.clone());
        }
        if pair.mutual && pair.stand_in == official {
            return Some(pair.official.clone());
        }
    }
    None
}

fn meet(one: &str, other: &str) -> bool {
    one.contains(other) || other.contains(one)
}

/// A field without 工作, 方面的工作.
fn field(text: &str) -> String {
    for ending in ["方面的工作", "工作"] {
        if let Some(rest) = text.strip_suffix(ending) {
            return rest.to_owned();
        }
    }
    text.to_owned()
}
