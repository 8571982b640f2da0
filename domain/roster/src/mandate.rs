//! [`Mandate`]: what a secretary (秘书) enters in a leader's name, and what an assisting deputy
//! secretary-general (协管副秘书长) sees and decides for him.
//!
//! A mandate lists acts of a closed set and holds for a period. It lends no more than what the
//! leader could do himself, in his own portfolio at that instant.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::error::RosterError;
use crate::event::{MandateRevoked, RosterEvent};
use crate::interval::holds;
use crate::names::{check_name, check_present};
use crate::resolve::units_of_leader;
use crate::scope::{Matter, Scope};

/// Acts that can be entered for a leader, as the permission matrix names them.
const DECISIONS: [&str; 8] = [
    "supervision.assignments.verify",
    "supervision.assignments.decide_extension",
    "supervision.assignments.suspend",
    "supervision.assignments.resume",
    "supervision.assignments.escalate",
    "roster.absences.acknowledge",
    "supervision.bulletins.sign",
    "supervision.instructions.create",
];
/// What has to be seen for that. An assisting deputy secretary-general sees it unlisted.
const READINGS: [&str; 14] = [
    "supervision.tasks.get",
    "supervision.tasks.list",
    "supervision.tasks.timeline",
    "supervision.ledger.summary",
    "supervision.ledger.export",
    "supervision.ledger.scoreboard",
    "supervision.papers.get",
    "roster.absences.digest",
    "supervision.tasks.archive",
    "supervision.bulletins.get",
    "supervision.appeals.get",
    "supervision.instructions.get",
    "supervision.instructions.list",
    "supervision.comments.list",
];
/// What an assisting deputy secretary-general may do unlisted beside seeing: 催办.
const URGING: &str = "supervision.assignments.urge";
/// What stands before a mandate's name in the ground of an act.
const BY_MANDATE: &str = "，依据";

/// As what somebody holds a mandate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MandateKind {
    /// 秘书: enters what is listed in the leader's name.
    #[serde(rename = "MANDATE_KIND_SECRETARY")]
    Secretary,
    /// 协管副秘书长: sees all of the leader's work, or that of the units assigned, and decides
    /// what is listed.
    #[serde(rename = "MANDATE_KIND_ASSISTING")]
    Assisting,
}

/// That somebody performs listed acts for a leader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mandate {
    /// `mandates/{id}`.
    pub name: String,
    /// As what.
    pub kind: MandateKind,
    /// For whom, `officials/{id}`.
    pub leader: String,
    /// Who, `officials/{id}`.
    pub holder: String,
    /// Actions of the permission matrix, of the closed set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<String>,
    /// Only what concerns these units, `units/{slug}`, with all that belong to them; empty: all
    /// that the leader is in charge of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// From when.
    pub start_time: Timestamp,
    /// Until when; unset: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
    /// The document or decision that gives it.
    pub ground: String,
    /// When the roster learned of it.
    pub recorded_at: Timestamp,
    /// When it was revoked, which ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Mandate {
    /// Whether it holds at an instant, by all that is known. Half-open: not at its end.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        holds(Some(self.start_time), self.end_time, at) && holds(None, self.revoked_at, at)
    }

    /// Whether it is for an action.
    pub fn lists(&self, action: &str) -> bool {
        let sees = match self.kind {
            MandateKind::Secretary => false,
            MandateKind::Assisting => action == URGING || READINGS.contains(&action),
        };
        sees || self.acts.iter().any(|act| act == action)
    }

    /// Ends it now; what was done by it stays.
    ///
    /// # Errors
    /// When it is over.
    pub fn revoke(&self, now: Timestamp) -> Result<RosterEvent, RosterError> {
        let over = self.revoked_at.is_some() || self.end_time.is_some_and(|end| end <= now);
        if over {
            return Err(RosterError::MandateOver);
        }
        Ok(RosterEvent::MandateRevoked(MandateRevoked { mandate: self.name.clone() }))
    }
}

/// Whether a mandate can be given: well-formed, its name free, its people and units known, its
/// acts of the closed set.
///
/// # Errors
/// Whatever is wrong with it.
pub fn admit_mandate(book: &Book, mandate: &Mandate) -> Result<(), RosterError> {
    check_name("mandates", &mandate.name)?;
    check_name("officials", &mandate.leader)?;
    check_name("officials", &mandate.holder)?;
    check_present("ground", &mandate.ground)?;
    if mandate.leader == mandate.holder {
        return Err(RosterError::OwnMandate { official: mandate.holder.clone() });
    }
    if mandate.acts.is_empty() && mandate.kind == MandateKind::Secretary {
        return Err(RosterError::Missing { field: "acts" });
    }
    for act in &mandate.acts {
        let urges = act == URGING && mandate.kind == MandateKind::Assisting;
        if !urges && !DECISIONS.contains(&act.as_str()) && !READINGS.contains(&act.as_str()) {
            return Err(RosterError::NotMandatable { act: act.clone() });
        }
    }
    if let Some(end) = mandate.end_time.filter(|end| *end <= mandate.start_time) {
        return Err(RosterError::PeriodEmpty { start: mandate.start_time, end });
    }
    for person in [&mandate.leader, &mandate.holder] {
        if book.official(person).is_none() {
            return Err(RosterError::OfficialUnknown { text: person.clone() });
        }
    }
    for unit in &mandate.units {
        check_name("units", unit)?;
        if book.unit(unit).is_none() {
            return Err(RosterError::UnitUnknown { text: unit.clone() });
        }
    }
    if book.mandate(&mandate.name).is_some() {
        return Err(RosterError::NameTaken { name: mandate.name.clone() });
    }
    Ok(())
}

/// The mandates that somebody holds at an instant for an action, by all that is known.
pub fn mandates_for<'a>(
    book: &'a Book,
    holder: &'a str,
    action: &'a str,
    at: Timestamp,
) -> impl Iterator<Item = &'a Mandate> {
    let held = book.mandates().filter(move |mandate| mandate.holder == holder);
    held.filter(move |mandate| mandate.lists(action) && mandate.holds_at(at))
}

/// The units that a mandate is about at an instant: of those the leader is in charge of then, all
/// or the ones assigned.
pub fn units_of_mandate(book: &Book, mandate: &Mandate, at: Timestamp) -> BTreeSet<String> {
    let led = units_of_leader(book, &mandate.leader, at, Timestamp::MAX);
    if mandate.units.is_empty() {
        return led;
    }
    let view = book.view(at, Timestamp::MAX);
    let assigned = Scope { units: mandate.units.clone(), fields: Vec::new() };
    let covers =
        |unit: &String| view.unit(unit).is_some_and(|unit| assigned.covers(&Matter::Unit(view, unit)));
    led.into_iter().filter(covers).collect()
}

/// The ground with which an act under a mandate is stamped: the position of the roster's log it
/// was decided at, as what, for whom, and by which mandate.
pub fn mandate_ground(roster_position: i64, display_name: &str, mandate: &Mandate) -> String {
    let how = match mandate.kind {
        MandateKind::Secretary => format!("秘书代{display_name}录入"),
        MandateKind::Assisting => format!("协管副秘书长代{display_name}办理"),
    };
    format!("名册记录第{roster_position}号：{how}{BY_MANDATE}{}", mandate.name)
}

/// The mandate that such a ground names.
pub fn mandate_in_ground(ground: &str) -> Option<&str> {
    let (_, name) = ground.rsplit_once(BY_MANDATE)?;
    name.starts_with("mandates/").then_some(name)
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use proptest::prelude::*;

    use super::{
        Mandate, MandateKind, admit_mandate, mandate_ground, mandate_in_ground, mandates_for,
        units_of_mandate,
    };
    use crate::error::RosterError;
    use crate::event::RosterEvent;
    use crate::fixture::{Roster, at};

    const VERIFY: &str = "supervision.assignments.verify";
    const LIST: &str = "supervision.tasks.list";

    fn mandate(kind: MandateKind, acts: &[&str]) -> Mandate {
        Mandate {
            name: "mandates/one".into(),
            kind,
            leader: "officials/cui-yuanbin".into(),
            holder: "officials/water-head".into(),
            acts: acts.iter().map(|act| (*act).to_owned()).collect(),
            units: vec![],
            start_time: at("2023-06-01T00:00+08:00"),
            end_time: Some(at("2023-07-01T00:00+08:00")),
            ground: "市政府办公室通知".into(),
            recorded_at: at("2023-06-01T00:00+08:00"),
            revoked_at: None,
        }
    }

    #[test]
    fn what_cannot_be_mandated_is_refused() {
        let roster = Roster::linfen();
        let of = |change: fn(&mut Mandate)| {
            let mut mandate = mandate(MandateKind::Secretary, &[VERIFY]);
            change(&mut mandate);
            admit_mandate(&roster.book, &mandate)
        };
        assert_eq!(of(|_| ()), Ok(()));
        for (change, refused) in [
            (
                (|one| one.acts.push("roster.accounts.create".into())) as fn(&mut Mandate),
                RosterError::NotMandatable { act: "roster.accounts.create".into() },
            ),
            (|one| one.acts.clear(), RosterError::Missing { field: "acts" }),
            (|one| one.ground.clear(), RosterError::Missing { field: "ground" }),
            (
                |one| one.holder = one.leader.clone(),
                RosterError::OwnMandate { official: "officials/cui-yuanbin".into() },
            ),
            (
                |one| one.units = vec!["units/moon".into()],
                RosterError::UnitUnknown { text: "units/moon".into() },
            ),
            (
                |one| one.holder = "officials/nobody".into(),
                RosterError::OfficialUnknown { text: "officials/nobody".into() },
            ),
            (
                |one| one.end_time = Some(one.start_time),
                RosterError::PeriodEmpty {
                    start: at("2023-06-01T00:00+08:00"),
                    end: at("2023-06-01T00:00+08:00"),
                },
            ),
        ] {
            assert_eq!(of(change), Err(refused));
        }
        let seeing = mandate(MandateKind::Assisting, &[]);
        assert_eq!(admit_mandate(&roster.book, &seeing), Ok(()), "seeing is enough");
    }

    #[test]
    fn an_assistant_sees_unlisted_and_a_secretary_does_not() {
        for (kind, acts, action, lists) in [
            (MandateKind::Secretary, &[VERIFY][..], VERIFY, true),
            (MandateKind::Secretary, &[VERIFY], LIST, false),
            (MandateKind::Secretary, &[LIST], LIST, true),
            (MandateKind::Assisting, &[], LIST, true),
            (MandateKind::Assisting, &[], VERIFY, false),
            (MandateKind::Assisting, &[VERIFY], VERIFY, true),
        ] {
            assert_eq!(mandate(kind, acts).lists(action), lists, "{kind:?} {acts:?} {action}");
        }
    }

    #[test]
    fn a_mandate_is_about_the_leaders_units_or_those_assigned_of_them() {
        let roster = Roster::linfen();
        let during = at("2023-06-02T00:00+08:00");
        let mut one = mandate(MandateKind::Assisting, &[]);
        let all = units_of_mandate(&roster.book, &one, during);
        assert!(all.contains("units/industry") && all.contains("units/project-centre"), "{all:?}");
        one.units = vec!["units/industry".into(), "units/water".into()];
        let some = units_of_mandate(&roster.book, &one, during);
        assert_eq!(some.into_iter().collect::<Vec<_>>(), ["units/industry"], "water is another leader's");
    }

    #[test]
    fn a_revoked_mandate_is_over_from_then_on_and_stays_for_the_past() {
        let mut roster = Roster::linfen();
        let one = mandate(MandateKind::Secretary, &[VERIFY]);
        roster.record(&RosterEvent::MandateCreated(one.clone()), one.recorded_at);
        let now = at("2023-06-10T09:00+08:00");
        let revoked = roster.book.mandate("mandates/one").unwrap().revoke(now).unwrap();
        roster.record(&revoked, now);
        let held = |at| mandates_for(&roster.book, "officials/water-head", VERIFY, at).count();
        assert_eq!((held(now.saturating_sub(std::time::Duration::from_micros(1))), held(now)), (1, 0));
        let again = roster.book.mandate("mandates/one").unwrap().revoke(now);
        assert_eq!(again, Err(RosterError::MandateOver));
    }

    #[test]
    fn a_ground_says_under_which_mandate() {
        let one = mandate(MandateKind::Secretary, &[VERIFY]);
        let ground = mandate_ground(7, "崔元斌", &one);
        assert_eq!(ground, "名册记录第7号：秘书代崔元斌录入，依据mandates/one");
        assert_eq!(mandate_in_ground(&ground), Some("mandates/one"));
        assert_eq!(crate::acting::authority_in_ground(&ground), None);
        assert_eq!(mandate_in_ground("名册记录第7号：分管领导"), None);
    }

    proptest! {
        #[test]
        fn a_mandate_holds_exactly_within_its_period_and_until_it_is_revoked(
            start in 0..20_i64,
            length in prop::option::of(1..20_i64),
            revoked in prop::option::of(0..40_i64),
            instant in 0..40_i64,
        ) {
            let tick = Timestamp::from_micros;
            let one = Mandate {
                start_time: tick(start),
                end_time: length.map(|length| tick(start + length)),
                revoked_at: revoked.map(tick),
                ..mandate(MandateKind::Secretary, &[VERIFY])
            };
            let within = start <= instant
                && length.is_none_or(|length| instant < start + length)
                && revoked.is_none_or(|revoked| instant < revoked);
            prop_assert_eq!(one.holds_at(tick(instant)), within);
        }
    }
}
