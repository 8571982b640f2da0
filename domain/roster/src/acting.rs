//! Who acts for whom, from when to when, and on what ground.
//!
//! An absence gives one [`Authority`] for each stretch of time in which the same person acts for
//! the absent one in the same duties for the same reason. It begins another one when B leaves or
//! comes back, when a division of work or a unit's own list takes effect, and it ends when the
//! official is back. Nothing stores it: it follows from the book, as who acts does.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;

use crate::absence::Absence;
use crate::book::Book;
use crate::interval::Interval;
use crate::resolution::{Outcome, Rule};
use crate::scope::{Matter, Scope};
use crate::stand_in::acting;
use crate::trace::Trace;
use crate::view::View;

/// What stands between an absence's name and what is its authority's own.
const COLLECTION: &str = "/authorities/";
/// What stands before an authority's name in the ground of an act.
const BY_AUTHORITY: &str = "，授权";

/// That somebody acts for an absent official.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// `absences/{a}/authorities/{start}-{part}`: the start in microseconds since 1970, and which
    /// part of the duties. What becomes known later of its end does not change it.
    pub name: String,
    /// `absences/{id}`.
    pub absence: String,
    /// Who is away (A), `officials/{id}`.
    pub official: String,
    /// Who acts (B), `officials/{id}`.
    pub acting: String,
    /// In which part of the duties; empty: in all that no other authority of the absence has.
    pub scope: Scope,
    /// From when to when, half-open: at its end B may not act by it.
    pub period: Interval,
    /// The rule that names B.
    pub rule: Rule,
    /// In Chinese: on what ground.
    pub basis: String,
}

/// The same at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    /// Which part, as the name has it.
    part: String,
    acting: String,
    scope: Scope,
    rule: Rule,
    basis: String,
}

impl Held {
    fn is_as(&self, other: &Held) -> bool {
        (&self.acting, self.rule, &self.basis) == (&other.acting, other.rule, &other.basis)
    }
}

/// The authorities that an absence gives, in order of their start, as far as the roster was known
/// at an instant. Where nobody can act there is none.
pub fn authorities(book: &Book, absence: &Absence, known_at: Timestamp) -> Vec<Authority> {
    let Some(period) = absence.interval(known_at).filter(|period| period.start < period.end) else {
        return Vec::new();
    };
    let moments = moments(book, absence, period, known_at);
    let (mut ended, mut open): (Vec<Authority>, Vec<(Held, Timestamp)>) = (Vec::new(), Vec::new());
    let end = |(held, start): (Held, Timestamp), end: Timestamp| Authority {
        name: format!("{}{COLLECTION}{}-{}", absence.name, start.as_micros(), held.part),
        absence: absence.name.clone(),
        official: absence.official.clone(),
        acting: held.acting,
        scope: held.scope,
        period: Interval { start, end },
        rule: held.rule,
        basis: held.basis,
    };
    for start in &moments {
        let now = held(book.view(*start, known_at), absence);
        let (stays, goes): (Vec<_>, Vec<_>) =
            std::mem::take(&mut open).into_iter().partition(|(held, _)| now.contains(held));
        ended.extend(goes.into_iter().map(|one| end(one, *start)));
        let begins = now.into_iter().filter(|held| stays.iter().all(|(one, _)| one != held));
        let begins: Vec<_> = begins.map(|held| (held, *start)).collect();
        open = stays;
        open.extend(begins);
    }
    ended.extend(open.into_iter().map(|one| end(one, period.end)));
    ended.sort_by(|one, other| (one.period.start, &one.name).cmp(&(other.period.start, &other.name)));
    ended
}

/// The authorities that hold at an instant, as far as the roster was known at another.
pub fn authorities_at(book: &Book, at: Timestamp, known_at: Timestamp) -> Vec<Authority> {
    let absences = book.absentees(at, known_at);
    let all = absences.flat_map(|absence| authorities(book, absence, known_at));
    all.filter(|authority| authority.period.contains(at)).collect()
}

/// By which authority somebody acts for an absent official at an instant: in what concerns a unit,
/// or, without one, in whatever part he has.
pub fn authority_over(
    book: &Book,
    official: &str,
    acting: &str,
    unit: Option<&str>,
    at: Timestamp,
) -> Option<Authority> {
    let view = book.view(at, Timestamp::MAX);
    let absence = view.away(official)?;
    let own = authorities(book, absence, Timestamp::MAX).into_iter();
    let own: Vec<Authority> = own.filter(|one| one.acting == acting && one.period.contains(at)).collect();
    let unit = unit.and_then(|unit| view.unit(unit));
    let covers = |one: &&Authority| match unit {
        Some(unit) => one.scope.covers(&Matter::Unit(view, unit)),
        None => false,
    };
    let whole = |one: &&Authority| one.scope.is_empty() || unit.is_none();
    own.iter().find(covers).or_else(|| own.iter().find(whole)).cloned()
}

/// The ground with which an act for somebody who is away is stamped: the position of the roster's
/// log it was decided at, for whom, and by which authority.
pub fn acting_ground(roster_position: i64, display_name: &str, authority: Option<&str>) -> String {
    let by = authority.map(|name| format!("{BY_AUTHORITY}{name}")).unwrap_or_default();
    format!("名册记录第{roster_position}号：代{display_name}行使职权{by}")
}

/// The authority that such a ground names.
pub fn authority_in_ground(ground: &str) -> Option<&str> {
    let (_, name) = ground.rsplit_once(BY_AUTHORITY)?;
    absence_of_authority(name).map(|_| name)
}

/// The absence that an authority is of, by its name.
pub fn absence_of_authority(name: &str) -> Option<&str> {
    let (absence, _) = name.split_once(COLLECTION)?;
    absence.starts_with("absences/").then_some(absence)
}

/// Who acts in what at the instant of the view. A part in which the same person acts on the same
/// ground as in the rest is none of its own.
fn held(view: View<'_>, absence: &Absence) -> Vec<Held> {
    if view.away(&absence.official).is_none_or(|away| away.name != absence.name) {
        return Vec::new();
    }
    let official = absence.official.as_str();
    let whole = found(view, official, Matter::Whole, "0".to_owned());
    let exclusions = view.division().into_iter().flat_map(|division| &division.exclusions);
    let exclusions =
        exclusions.filter(|one| one.official == absence.official).map(|exclusion| &exclusion.scope);
    let shares = absence.shares.iter().map(|share| &share.scope);
    let parts = shares.chain([&absence.excluded]).chain(exclusions);
    let mut all = Vec::new();
    for (index, scope) in parts.enumerate() {
        let mut own: Vec<Held> = Vec::new();
        let mut add = |matter, unit: Option<&String>, field: Option<&String>| {
            let part = if own.is_empty() {
                format!("{}", index + 1)
            } else {
                format!("{}.{}", index + 1, own.len())
            };
            let Some(one) = found(view, official, matter, part) else { return };
            if whole.as_ref().is_some_and(|whole| whole.is_as(&one)) {
                return;
            }
            let place = own.iter().position(|held| held.is_as(&one)).unwrap_or(own.len());
            if place == own.len() {
                own.push(one);
            }
            if let Some(held) = own.get_mut(place) {
                held.scope.units.extend(unit.cloned());
                held.scope.fields.extend(field.cloned());
            }
        };
        for name in &scope.units {
            if let Some(unit) = view.unit(name) {
                add(Matter::Unit(view, unit), Some(name), None);
            }
        }
        for field in &scope.fields {
            add(Matter::field(field), None, Some(field));
        }
        all.extend(own);
    }
    whole.into_iter().chain(all).collect()
}

fn found<'a>(view: View<'a>, official: &'a str, matter: Matter<'a>, part: String) -> Option<Held> {
    let mut trace = Trace::On(Vec::new());
    let acting = acting(view, official, &matter, &[], &mut trace)?.to_owned();
    let chosen = trace.into_steps().into_iter().rev().find(|step| step.outcome == Outcome::Chosen)?;
    Some(Held { part, acting, scope: Scope::default(), rule: chosen.rule, basis: chosen.basis })
}

/// The instants of an absence at which who acts may change, its start the first of them.
fn moments(book: &Book, absence: &Absence, period: Interval, known_at: Timestamp) -> BTreeSet<Timestamp> {
    let divisions = book.divisions().map(|division| division.effective_time);
    let lists = book.stand_in_lists().map(|list| list.effective_time);
    let absences = book.absences().filter_map(|other| other.interval(known_at));
    let absences = absences.flat_map(|known| [known.start, known.end]);
    let posts = book.official_versions(&absence.official).flat_map(|version| &version.value.posts);
    let posts = posts.flat_map(|post| post.start_time.into_iter().chain(post.end_time));
    let all = divisions.chain(lists).chain(absences).chain(posts).chain(of_units(book, absence));
    all.filter(|at| period.start < *at && *at < period.end).chain([period.start]).collect()
}

/// When a unit that parts of the duties name, or one it belongs to, became another.
fn of_units(book: &Book, absence: &Absence) -> BTreeSet<Timestamp> {
    let exclusions = book.divisions().flat_map(|division| &division.exclusions);
    let exclusions = exclusions.filter(|one| one.official == absence.official).map(|one| &one.scope);
    let shares = absence.shares.iter().map(|share| &share.scope);
    let scopes = shares.chain([&absence.excluded]).chain(exclusions);
    let mut open: Vec<&str> = scopes.flat_map(|scope| &scope.units).map(String::as_str).collect();
    let (mut seen, mut moments) = (BTreeSet::new(), BTreeSet::new());
    while let Some(unit) = open.pop() {
        if seen.insert(unit) {
            for version in book.unit_versions(unit) {
                moments.extend(version.effective_time);
                open.extend(version.value.parent.as_deref());
            }
        }
    }
    moments
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{
        Authority, absence_of_authority, acting_ground, authorities, authorities_at, authority_in_ground,
        authority_over,
    };
    use crate::absence::Share;
    use crate::event::RosterEvent;
    use crate::fixture::{Roster, at, division_12, registration};
    use crate::resolution::Rule;
    use crate::scope::Scope;

    const START: &str = "2023-06-10T00:00+08:00";
    const END: &str = "2023-06-20T00:00+08:00";

    fn of(roster: &Roster, absence: &str) -> Vec<Authority> {
        authorities(&roster.book, &roster.absence(absence), Timestamp::MAX)
    }

    fn shown(authority: &Authority) -> (&str, &str, String, String) {
        let (start, end) = (authority.period.start.to_string(), authority.period.end.to_string());
        let part = authority.name.rsplit_once('-').unwrap().1;
        (part, authority.acting.trim_start_matches("officials/"), start, end)
    }

    fn expected<'a>(
        part: &'a str,
        acting: &'a str,
        start: &str,
        end: &str,
    ) -> (&'a str, &'a str, String, String) {
        (part, acting, at(start).to_string(), at(end).to_string())
    }

    #[test]
    fn the_standing_b_has_one_authority_for_the_whole_absence() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", START, END);
        let all = of(&roster, "one");
        assert_eq!(all.iter().map(shown).collect::<Vec<_>>(), [expected("0", "hu-xiaogang", START, END)]);
        assert_eq!((all[0].rule, all[0].scope.is_empty()), (Rule::StandingB, true));
        assert!(all[0].basis.contains("B角"), "{}", all[0].basis);
        assert_eq!(all[0].name, format!("absences/one/authorities/{}-0", at(START).as_micros()));
        assert_eq!(authorities_at(&roster.book, at(START), Timestamp::MAX), all);
        assert_eq!(authorities_at(&roster.book, at(END), Timestamp::MAX), []);
    }

    #[test]
    fn it_ends_when_b_leaves_and_when_a_is_back_early_and_keeps_its_name() {
        let mut roster = Roster::linfen();
        let mut asked = registration("one", "cui-yuanbin", START, END);
        asked.approval = Some("市长批示".into());
        roster.register(asked);
        let name = of(&roster, "one").remove(0).name;
        let (leaves, returns) = ("2023-06-12T00:00+08:00", "2023-06-14T00:00+08:00");
        let mut asked = registration("two", "hu-xiaogang", leaves, returns);
        asked.approval = Some("市长批示".into());
        roster.register(asked);
        let all = of(&roster, "one");
        assert_eq!(all[0].name, name);
        let who: Vec<_> = all.iter().map(shown).collect();
        assert_eq!(who[0], expected("0", "hu-xiaogang", START, leaves));
        assert_eq!(who.last().unwrap(), &expected("0", "hu-xiaogang", returns, END));
        let early = at("2023-06-16T15:00+08:00");
        let back = roster.absence("one").end(&roster.book, early).unwrap();
        roster.record(&back, early);
        assert_eq!(of(&roster, "one").last().unwrap().period.end, early);
        let before = authorities(
            &roster.book,
            &roster.absence("one"),
            early.saturating_sub(std::time::Duration::from_secs(1)),
        );
        assert_eq!(before.last().unwrap().period.end, at(END), "as it was known then");
    }

    #[test]
    fn each_share_is_an_authority_of_its_own_and_is_the_one_over_its_units() {
        let mut roster = Roster::linfen();
        let mut asked = registration("one", "cui-yuanbin", START, END);
        let scope = Scope { units: vec!["units/industry".into()], fields: vec!["发展改革".into()] };
        asked.shares = vec![Share { stand_in: "officials/wang-yun".into(), scope: scope.clone() }];
        roster.register(asked);
        let all = of(&roster, "one");
        assert_eq!(
            all.iter().map(shown).collect::<Vec<_>>(),
            [expected("0", "hu-xiaogang", START, END), expected("1", "wang-yun", START, END)]
        );
        assert_eq!(all[1].scope, scope);
        let over = |acting: &str, unit: Option<&str>, at| {
            authority_over(&roster.book, "officials/cui-yuanbin", acting, unit, at).map(|one| one.name)
        };
        let during = at("2023-06-11T00:00+08:00");
        assert_eq!(over("officials/wang-yun", Some("units/industry"), during).as_ref(), Some(&all[1].name));
        assert_eq!(over("officials/wang-yun", None, during).as_ref(), Some(&all[1].name));
        assert_eq!(
            over("officials/hu-xiaogang", Some("units/project-centre"), during).as_ref(),
            Some(&all[0].name)
        );
        assert_eq!(over("officials/wang-yun", Some("units/industry"), at(END)), None);
    }

    #[test]
    fn a_division_that_takes_effect_begins_another() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", START, END);
        let mut division = division_12();
        division.name = "divisions/next".into();
        division.effective_time = at("2023-06-15T00:00+08:00");
        for pair in &mut division.pairs {
            if pair.official == "officials/cui-yuanbin" {
                pair.stand_in = "officials/wang-yun".into();
            }
        }
        roster.record(&RosterEvent::DivisionCreated(division), at("2023-06-01T00:00+08:00"));
        let all = of(&roster, "one");
        let who: Vec<_> = all.iter().map(shown).collect();
        assert_eq!(who[0], expected("0", "hu-xiaogang", START, "2023-06-15T00:00+08:00"));
        assert_eq!(who[1], expected("0", "wang-yun", "2023-06-15T00:00+08:00", END));
    }

    #[test]
    fn a_ground_says_by_which_authority() {
        let name = "absences/one/authorities/1686326400000000-0";
        let ground = acting_ground(7, "崔元斌", Some(name));
        assert_eq!(ground, format!("名册记录第7号：代崔元斌行使职权，授权{name}"));
        assert_eq!(authority_in_ground(&ground), Some(name));
        assert_eq!(absence_of_authority(name), Some("absences/one"));
        assert_eq!(authority_in_ground(&acting_ground(7, "崔元斌", None)), None);
        assert_eq!(authority_in_ground("名册记录第7号，授权mandates/1"), None);
    }
}
