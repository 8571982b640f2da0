//! [`Audience`]: to whom a notice goes, and [`recipients`], who that is at an instant.

use domain_calendar::Timestamp;
use domain_roster::{Account, Book, PostKind, Resolution, Role, Rule, Subject, UnitKind, resolve};
use serde::{Deserialize, Serialize};

/// To whom a notice goes, before anybody is looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "to", content = "name")]
pub enum Audience {
    /// The liaison officer of a unit; in his absence whoever stands in; without one the
    /// substitute; with neither the unit's head.
    UnitLiaison(String),
    /// The head of a unit, and whoever acts for an absent one.
    UnitHead(String),
    /// Those who approve what is said in a unit's name, and whoever acts for an absent one; where a
    /// unit has none, its head.
    UnitApprovers(String),
    /// The leader in charge of a unit, and whoever acts for an absent one. A county that no
    /// portfolio names has none: that alone never puts its work on the mayor's desk.
    LeaderInCharge(String),
    /// The official of an account, by its subject, and whoever acts for an absent one.
    /// Nobody when the account is no official's.
    Account(String),
    /// An official, and whoever acts for an absent one.
    Official(String),
    /// An official, there or not, and nobody in the official's place.
    InPerson(String),
    /// Whoever holds a post, as people write it, and whoever acts for an absent one.
    Post(String),
    /// Whoever presides over the whole, and whoever acts for an absent one.
    Presider,
    /// Whoever was told of its task before. Only the messages that were sent say who that is
    /// ([`crate::to_whoever_was_told`]); the roster knows nobody.
    WhoeverWasTold,
}

/// The capacity of whoever is told as a person, not by reason of a post.
const IN_PERSON: &str = "本人";

/// Somebody who is told, and why that person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// `officials/{id}`.
    pub official: String,
    /// In which capacity, in Chinese, for example 联络员.
    pub capacity: String,
    /// The official stood in for.
    pub acting_for: Option<String>,
}

impl Recipient {
    fn own(official: &str, capacity: &str) -> Self {
        Recipient { official: official.to_owned(), capacity: capacity.to_owned(), acting_for: None }
    }

    fn standing_in(official: &str, capacity: &str, acting_for: &str) -> Self {
        Recipient {
            official: official.to_owned(),
            capacity: if capacity == IN_PERSON {
                "代行职责".to_owned()
            } else {
                format!("代行{capacity}")
            },
            acting_for: Some(acting_for.to_owned()),
        }
    }
}

/// Who an audience is at an instant, by all that is known: nobody, one or several, each
/// once, those in their own right before those who stand in.
pub fn recipients(audience: &Audience, book: &Book, at: Timestamp) -> Vec<Recipient> {
    match audience {
        Audience::UnitLiaison(unit) => liaison(book, unit, at),
        Audience::UnitHead(unit) => heads(book, unit, at),
        Audience::UnitApprovers(unit) => approvers(book, unit, at),
        Audience::LeaderInCharge(unit) => leader_in_charge(book, unit, at),
        Audience::Account(subject) => book
            .account_of_subject(subject)
            .and_then(|account| account.official.as_deref())
            .map(|official| with_stand_in(book, official, "交办人", at))
            .unwrap_or_default(),
        Audience::Official(official) => with_stand_in(book, official, IN_PERSON, at),
        Audience::InPerson(official) => {
            book.official(official).map(|known| Recipient::own(&known.name, IN_PERSON)).into_iter().collect()
        }
        Audience::Post(post) => resolve(book, &Subject::Post(post.clone()), at, Timestamp::MAX)
            .map(|resolution| both(resolution, post))
            .unwrap_or_default(),
        Audience::Presider => book
            .view(at, Timestamp::MAX)
            .division()
            .and_then(|division| division.presider())
            .map(|official| with_stand_in(book, official, "主持工作的领导", at))
            .unwrap_or_default(),
        Audience::WhoeverWasTold => Vec::new(),
    }
}

fn liaison(book: &Book, unit: &str, at: Timestamp) -> Vec<Recipient> {
    const LIAISON: &str = "联络员";
    let view = book.view(at, Timestamp::MAX);
    let there =
        |kind| view.holders(kind, Some(unit)).into_iter().filter(|one| view.away(&one.name).is_none());
    let present: Vec<_> = there(PostKind::Liaison).map(|one| Recipient::own(&one.name, LIAISON)).collect();
    if !present.is_empty() {
        return present;
    }
    let found = match view.holders(PostKind::Liaison, Some(unit)).as_slice() {
        [] => there(PostKind::LiaisonSubstitute).map(|one| Recipient::own(&one.name, "联络员替补")).collect(),
        // The roster's own order: whoever was named for the absence comes before the substitute.
        [absent] => resolve(book, &Subject::Post(format!("{unit} {LIAISON}")), at, Timestamp::MAX)
            .ok()
            .and_then(|resolution| resolution.acting)
            .map(|acting| Recipient::standing_in(&acting.official, LIAISON, &absent.name))
            .into_iter()
            .collect(),
        [absent, ..] => there(PostKind::LiaisonSubstitute)
            .map(|one| Recipient::standing_in(&one.name, LIAISON, &absent.name))
            .collect::<Vec<_>>(),
    };
    if !found.is_empty() {
        return found;
    }
    let heads = heads(book, unit, at);
    // A unit that has nobody at all must not swallow a notice.
    if heads.is_empty() { leader_in_charge(book, unit, at) } else { heads }
}

fn heads(book: &Book, unit: &str, at: Timestamp) -> Vec<Recipient> {
    let holders = book.view(at, Timestamp::MAX).holders(PostKind::UnitHead, Some(unit));
    each_once(holders.into_iter().flat_map(|head| with_stand_in(book, &head.name, "单位主要负责人", at)))
}

fn approvers(book: &Book, unit: &str, at: Timestamp) -> Vec<Recipient> {
    let approves = |account: &&Account| {
        let mut roles = account.roles.iter().filter(|one| one.role == Role::UnitApprover);
        !account.disabled && roles.any(|one| one.holds_at(at) && one.units.iter().any(|held| held == unit))
    };
    let officials = book.accounts().filter(approves).filter_map(|account| account.official.as_deref());
    let found = each_once(officials.flat_map(|official| with_stand_in(book, official, "单位审核人", at)));
    if found.is_empty() { heads(book, unit, at) } else { found }
}

fn leader_in_charge(book: &Book, unit: &str, at: Timestamp) -> Vec<Recipient> {
    let Ok(resolution) = resolve(book, &Subject::Unit(unit.to_owned()), at, Timestamp::MAX) else {
        return Vec::new();
    };
    let is_county = book.unit(unit).is_some_and(|unit| unit.kind == UnitKind::County);
    if is_county && resolution.accountable_rule() == Some(Rule::PresidesOverAll) {
        return Vec::new();
    }
    both(resolution, "分管领导")
}

fn with_stand_in(book: &Book, official: &str, capacity: &str, at: Timestamp) -> Vec<Recipient> {
    resolve(book, &Subject::Official(official.to_owned()), at, Timestamp::MAX)
        .map(|resolution| both(resolution, capacity))
        .unwrap_or_default()
}

/// Whoever is accountable, and whoever acts if that is somebody else.
fn both(resolution: Resolution, capacity: &str) -> Vec<Recipient> {
    let Some(accountable) = resolution.accountable else { return Vec::new() };
    let stand_in = resolution
        .acting
        .filter(|acting| acting.official != accountable.official)
        .map(|acting| Recipient::standing_in(&acting.official, capacity, &accountable.official));
    std::iter::once(Recipient::own(&accountable.official, capacity)).chain(stand_in).collect()
}

fn each_once(found: impl Iterator<Item = Recipient>) -> Vec<Recipient> {
    let mut unique: Vec<Recipient> = Vec::new();
    for one in found {
        if unique.iter().all(|known| known.official != one.official) {
            unique.push(one);
        }
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::{Audience, recipients};
    use crate::fixture::{Roster, at};

    /// Official (without `officials/`), capacity, and whom the official stands in for.
    fn told(roster: &Roster, audience: Audience) -> Vec<(String, String, Option<String>)> {
        let short = |name: &str| name.trim_start_matches("officials/").to_owned();
        recipients(&audience, &roster.book, at("2023-06-05T10:00+08:00"))
            .into_iter()
            .map(|one| (short(&one.official), one.capacity, one.acting_for.as_deref().map(short)))
            .collect()
    }

    fn own(official: &str, capacity: &str) -> (String, String, Option<String>) {
        (official.to_owned(), capacity.to_owned(), None)
    }

    fn acting(official: &str, capacity: &str, whom: &str) -> (String, String, Option<String>) {
        (official.to_owned(), capacity.to_owned(), Some(whom.to_owned()))
    }

    fn liaison_of(unit: &str) -> Audience {
        Audience::UnitLiaison(format!("units/{unit}"))
    }

    #[test]
    fn a_unit_is_told_through_its_liaison() {
        let roster = Roster::new();
        assert_eq!(told(&roster, liaison_of("water")), [own("water-liaison", "联络员")]);
    }

    #[test]
    fn the_substitute_stands_in_for_an_absent_liaison_and_the_head_for_both() {
        let mut roster = Roster::new();
        roster.away("water-liaison", None);
        let substitute = acting("water-substitute", "代行联络员", "water-liaison");
        assert_eq!(told(&roster, liaison_of("water")), [substitute]);
        roster.away("water-substitute", None);
        assert_eq!(told(&roster, liaison_of("water")), [own("water-head", "单位主要负责人")]);
    }

    #[test]
    fn whoever_is_named_for_the_absence_comes_before_the_substitute() {
        let mut roster = Roster::new();
        roster.away("water-liaison", Some("water-head"));
        let named = acting("water-head", "代行联络员", "water-liaison");
        assert_eq!(told(&roster, liaison_of("water")), [named]);
    }

    #[test]
    fn a_unit_without_a_liaison_is_told_through_its_substitute_then_its_head_then_its_leader() {
        let roster = Roster::new();
        assert_eq!(told(&roster, liaison_of("health")), [own("health-substitute", "联络员替补")]);
        assert_eq!(told(&roster, liaison_of("industry")), [own("industry-head", "单位主要负责人")]);
        assert_eq!(told(&roster, liaison_of("police")), [own("zhang-xiliang", "分管领导")]);
    }

    #[test]
    fn an_absent_leaders_notices_also_go_to_the_acting_leader() {
        let mut roster = Roster::new();
        let audience = Audience::LeaderInCharge("units/water".into());
        assert_eq!(told(&roster, audience.clone()), [own("qiao-feihong", "分管领导")]);
        roster.away("qiao-feihong", None);
        let both = [own("qiao-feihong", "分管领导"), acting("wang-yuan", "代行分管领导", "qiao-feihong")];
        assert_eq!(told(&roster, audience), both);
    }

    #[test]
    fn an_absent_head_is_told_and_so_is_whoever_was_named() {
        let mut roster = Roster::new();
        roster.away("water-head", Some("water-liaison"));
        let both = [
            own("water-head", "单位主要负责人"),
            acting("water-liaison", "代行单位主要负责人", "water-head"),
        ];
        assert_eq!(told(&roster, Audience::UnitHead("units/water".into())), both);
    }

    #[test]
    fn a_county_alone_is_nobodys_desk_but_any_other_unit_falls_to_the_presider() {
        let roster = Roster::new();
        assert_eq!(told(&roster, Audience::LeaderInCharge("units/yaodu".into())), []);
        let presider = [own("wang-yanfeng", "分管领导")];
        assert_eq!(told(&roster, Audience::LeaderInCharge("units/archive".into())), presider);
    }

    #[test]
    fn an_account_is_its_official_and_nobody_when_it_has_none() {
        let roster = Roster::new();
        let told_account = told(&roster, Audience::Account("supervisor".into()));
        assert_eq!(told_account, [own("inspector", "交办人")]);
        for nobody in ["machine", "system/workgroup"] {
            assert_eq!(told(&roster, Audience::Account(nobody.into())), []);
        }
    }

    #[test]
    fn in_person_is_nobody_else_and_the_presider_is_the_mayor() {
        let mut roster = Roster::new();
        roster.away("cui-yuanbin", None);
        let in_person = Audience::InPerson("officials/cui-yuanbin".into());
        assert_eq!(told(&roster, in_person), [own("cui-yuanbin", "本人")]);
        let official = Audience::Official("officials/cui-yuanbin".into());
        assert_eq!(told(&roster, official).len(), 2);
        assert_eq!(told(&roster, Audience::Presider), [own("wang-yanfeng", "主持工作的领导")]);
        assert_eq!(told(&roster, Audience::Official("officials/nobody".into())), []);
    }

    #[test]
    fn a_draft_goes_to_the_approver_of_the_unit_and_to_its_head_where_it_has_none() {
        let mut roster = Roster::new();
        let approvers = || Audience::UnitApprovers("units/water".into());
        assert_eq!(told(&roster, approvers()), [own("water-head", "单位主要负责人")]);
        roster.approver("water-liaison", "water");
        assert_eq!(told(&roster, approvers()), [own("water-liaison", "单位审核人")]);
    }
}
