//! Who acts for whom, from when to when, and on what ground.
//!
//! An absence gives one [`Authority`] for each stretch of time in which the same person acts for
//! the absent one in the same duties for the same reason. It begins another one when B leaves or
//! comes back, when a division of work or a unit's own list takes effect, and it ends when the
//! official is back. Nothing stores it: it follows from the book, as who acts does.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::absence::Absence;
use crate::absence_event::AbsenceActingChanged;
use crate::book::Book;
use crate::coverage::merged;
use crate::event::RosterEvent;
use crate::interval::Interval;
use crate::moments::moments_of;
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

/// That somebody acts for an absent official, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActingPart {
    /// Who acts, `officials/{id}`.
    pub acting: String,
    /// In which part of the duties; empty: in all that no other has a part of.
    #[serde(flatten)]
    pub scope: Scope,
    /// From when.
    pub start_time: Timestamp,
    /// Until when: at it the official may not act any more.
    pub end_time: Timestamp,
}

impl ActingPart {
    /// Whether the same official acts in the same.
    fn is_as(&self, other: &ActingPart) -> bool {
        (&self.acting, &self.scope) == (&other.acting, &other.scope)
    }
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

/// Who acts in an absence at an instant, in what, from when and until when, by all that is known.
/// What goes on in the same hands is one, on whatever grounds.
pub fn acting_parts(book: &Book, absence: &Absence, at: Timestamp) -> Vec<ActingPart> {
    let all = authorities(book, absence, Timestamp::MAX);
    let parts = all.iter().filter(|one| one.period.contains(at)).map(|one| {
        let same = |other: &&Authority| other.acting == one.acting && other.scope == one.scope;
        let times = merged(all.iter().filter(same).map(|other| other.period).collect());
        let time = times.into_iter().find(|time| time.contains(at)).unwrap_or(one.period);
        ActingPart {
            acting: one.acting.clone(),
            scope: one.scope.clone(),
            start_time: time.start,
            end_time: time.end,
        }
    });
    parts.collect()
}

/// What has to be told of who acts in an absence that has begun; nothing when those who act now
/// are those who were told to.
pub fn acting_change(book: &Book, absence: &Absence, now: Timestamp) -> Option<RosterEvent> {
    let known = absence.interval(Timestamp::MAX).filter(|known| known.contains(now))?;
    let (authorities, told) = (acting_parts(book, absence, now), book.told_acting(&absence.name));
    let lacking = |some: &[ActingPart], others: &[ActingPart]| -> Vec<ActingPart> {
        some.iter().filter(|one| others.iter().all(|other| !one.is_as(other))).cloned().collect()
    };
    let (begun, ended) = (lacking(&authorities, told), lacking(told, &authorities));
    let changed = !begun.is_empty() || !ended.is_empty();
    changed.then(|| {
        RosterEvent::AbsenceActingChanged(AbsenceActingChanged {
            absence: absence.name.clone(),
            official: absence.official.clone(),
            start_time: known.start,
            end_time: known.end,
            authorities,
            begun,
            ended,
        })
    })
}

/// When it may next have to be told who acts in an absence, unless something is recorded before;
/// its end is told by itself.
pub fn next_acting_change(book: &Book, absence: &Absence, now: Timestamp) -> Option<Timestamp> {
    let known = absence.interval(Timestamp::MAX).filter(|known| known.contains(now))?;
    let all = authorities(book, absence, Timestamp::MAX);
    let bounds = all.iter().flat_map(|one| [one.period.start, one.period.end]);
    bounds.filter(|at| now < *at && *at < known.end).min()
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
    let own = moments_of(book, &absence.official, period, known_at);
    let all = divisions.chain(own).chain(of_units(book, absence));
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
        Authority, absence_of_authority, acting_change, acting_ground, acting_parts, authorities,
        authorities_at, authority_in_ground, authority_over, next_acting_change,
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

    /// Tells who acts at an instant: who begins and who ends; and when to look again.
    fn told(roster: &mut Roster, now: Timestamp) -> (Vec<String>, Vec<String>, Option<Timestamp>) {
        let absence = roster.absence("one");
        let change = acting_change(&roster.book, &absence, now);
        let names = |parts: &[super::ActingPart]| parts.iter().map(|part| part.acting.clone()).collect();
        let (begun, ended) = match &change {
            Some(RosterEvent::AbsenceActingChanged(fact)) => (names(&fact.begun), names(&fact.ended)),
            Some(other) => panic!("{other:?}"),
            None => (vec![], vec![]),
        };
        if let Some(event) = change {
            roster.record(&event, now);
        }
        assert_eq!(acting_change(&roster.book, &absence, now), None, "told once");
        (begun, ended, next_acting_change(&roster.book, &absence, now))
    }

    #[test]
    fn whoever_begins_or_ends_to_act_while_a_is_away_is_told_once() {
        let mut roster = Roster::linfen();
        let mut asked = registration("one", "cui-yuanbin", START, END);
        asked.approval = Some("市长批示".into());
        roster.register(asked);
        let begin = roster.absence("one").begin(&roster.book, at(START)).unwrap();
        roster.record(&begin, at(START));
        assert_eq!(told(&mut roster, at(START)), (vec![], vec![], None), "told with the start");
        let (leaves, returns) = (at("2023-06-12T00:00+08:00"), at("2023-06-14T00:00+08:00"));
        let mut b = registration("two", "hu-xiaogang", "2023-06-12T00:00+08:00", "2023-06-14T00:00+08:00");
        b.approval = Some("市长批示".into());
        roster.register(b);
        let (hu, fallback) = ("officials/hu-xiaogang".to_owned(), "officials/wang-yuan".to_owned());
        assert_eq!(told(&mut roster, at("2023-06-11T00:00+08:00")), (vec![], vec![], Some(leaves)));
        let changes = (vec![fallback.clone()], vec![hu.clone()], Some(returns));
        assert_eq!(told(&mut roster, leaves), changes);
        assert_eq!(told(&mut roster, returns), (vec![hu], vec![fallback], None));
        // That A left a day later does not make B begin again.
        let now = at("2023-06-15T00:00+08:00");
        let times = crate::interval::Interval { start: at("2023-06-11T00:00+08:00"), end: at(END) };
        let corrected = roster
            .absence("one")
            .correct(&roster.book, times, crate::Stated::default(), "登记有误", now)
            .unwrap();
        roster.record(&corrected, now);
        assert_eq!(told(&mut roster, now), (vec![], vec![], None));
    }

    #[test]
    fn what_goes_on_in_the_same_hands_is_told_as_one() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", START, END);
        let again = crate::division::Division {
            name: "divisions/again".into(),
            effective_time: at("2023-06-15T00:00+08:00"),
            ..division_12()
        };
        roster.record(&RosterEvent::DivisionCreated(again), at("2023-06-01T00:00+08:00"));
        let [part] = &acting_parts(&roster.book, &roster.absence("one"), at(START))[..] else {
            panic!("one")
        };
        assert_eq!((part.start_time, part.end_time), (at(START), at(END)));
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
