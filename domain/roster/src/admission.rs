//! What the book admits: a new entry against everything it already knows.
//!
//! Each function first checks the entry alone, then its references and its name.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::book::Book;
use crate::collective::Collective;
use crate::division::Division;
use crate::error::{Candidate, RosterError};
use crate::event::Changed;
use crate::names::normalise;
use crate::official::Official;
use crate::unit::Unit;

/// Whether a unit can be added: well-formed, its name free, its parent known. Two units may share
/// an alias; looking it up then reports both. What a collective is called, no unit is called.
pub fn admit_unit(book: &Book, unit: &Unit) -> Result<(), RosterError> {
    unit.check()?;
    free(&unit.name, book.unit(&unit.name).is_some())?;
    unit.parent.iter().try_for_each(|parent| known_unit(book, parent))?;
    let own: Called = unit.keys().map(|key| (key.clone(), key)).collect();
    book.collectives().try_for_each(|other| no_collective(&own, other))
}

/// Whether a collective can be added: well-formed, its name free, its members known. Unlike two
/// units it shares no name with anybody, whether the other still exists or not: the set a
/// notice means must be one and the same at any time.
pub fn admit_collective(book: &Book, collective: &Collective) -> Result<(), RosterError> {
    collective.check()?;
    free(&collective.name, book.collective(&collective.name).is_some())?;
    collective.units.iter().try_for_each(|unit| known_unit(book, unit))?;
    let own: Called = collective.names().map(|name| (normalise(name), name.to_owned())).collect();
    book.collectives().try_for_each(|other| no_collective(&own, other))?;
    book.units().try_for_each(|other| nobody(&own, other.keys(), &other.name, &other.display_name))
}

/// What a new entry is called: as it was entered, by the key it will be found by.
type Called = BTreeMap<String, String>;

fn no_collective(own: &Called, other: &Collective) -> Result<(), RosterError> {
    nobody(own, other.names().map(normalise), &other.name, &other.display_name)
}

/// Refuses a name that one with these keys is called already.
fn nobody(
    own: &Called,
    mut keys: impl Iterator<Item = String>,
    name: &str,
    display_name: &str,
) -> Result<(), RosterError> {
    match keys.find_map(|key| own.get(&key)) {
        None => Ok(()),
        Some(text) => Err(RosterError::AlreadyCalled {
            text: text.clone(),
            holder: Candidate { name: name.to_owned(), display_name: display_name.to_owned() },
        }),
    }
}

/// Whether an official can be added: well-formed, the name free, the units of all posts known.
pub fn admit_official(book: &Book, official: &Official) -> Result<(), RosterError> {
    official.check()?;
    free(&official.name, book.official(&official.name).is_some())?;
    official.posts.iter().filter_map(|post| post.unit.as_deref()).try_for_each(|unit| known_unit(book, unit))
}

/// Whether an account can be added: well-formed, name and subject free, official and units known.
pub fn admit_account(book: &Book, account: &Account) -> Result<(), RosterError> {
    account.check()?;
    free(&account.name, book.account(&account.name).is_some())?;
    if book.account_of_subject(&account.subject).is_some() {
        return Err(RosterError::SubjectTaken { subject: account.subject.clone() });
    }
    account.official.iter().try_for_each(|official| known_official(book, official))?;
    account.roles.iter().flat_map(|binding| &binding.units).try_for_each(|unit| known_unit(book, unit))
}

/// Whether a division can be recorded: well-formed, its name free, its units and officials known,
/// and the only one to take effect on its day, unless it corrects the one that does.
pub fn admit_division(book: &Book, division: &Division) -> Result<(), RosterError> {
    division.check()?;
    free(&division.name, book.division(&division.name).is_some())?;
    one_a_day(book, division)?;
    let excluded = division.exclusions.iter().flat_map(|exclusion| &exclusion.scope.units);
    excluded.into_iter().try_for_each(|unit| known_unit(book, unit))?;
    division.officials().into_iter().try_for_each(|official| known_official(book, official))?;
    division.unit_duties().try_for_each(|(_, duty)| known_unit(book, &duty.unit))
}

/// Two divisions cannot be in force from one day on: the second either corrects the first or is a
/// mistake.
fn one_a_day(book: &Book, division: &Division) -> Result<(), RosterError> {
    let day = division.effective_time.day();
    let corrected = match &division.corrects {
        None => None,
        Some(corrects) => {
            let corrected = book.division(corrects);
            let name = || corrects.clone();
            let corrected = corrected.ok_or_else(|| RosterError::CorrectsAnotherDay { corrected: name() })?;
            if corrected.effective_time.day() != day {
                return Err(RosterError::CorrectsAnotherDay { corrected: name() });
            }
            // Of two corrections of one division neither would take the place of the other.
            if let Some(by) = book.divisions().find(|other| other.corrects.as_ref() == Some(corrects)) {
                return Err(RosterError::CorrectedAlready { corrected: name(), by: by.name.clone() });
            }
            Some(corrected)
        }
    };
    let mut same_day = book.divisions().filter(|other| other.effective_time.day() == day);
    match same_day.next() {
        Some(existing) if corrected.is_none() => {
            Err(RosterError::EffectiveDayTaken { existing: existing.name.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a unit can be another from an instant on: it is known, and what it becomes could be
/// added under its name.
pub fn admit_unit_change(book: &Book, changed: &Changed<Unit>) -> Result<(), RosterError> {
    let unit = &changed.value;
    unit.check()?;
    known_unit(book, &unit.name)?;
    [&unit.parent, &unit.successor].into_iter().flatten().try_for_each(|other| known_unit(book, other))?;
    let own: Called = unit.keys().map(|key| (key.clone(), key)).collect();
    book.collectives().try_for_each(|other| no_collective(&own, other))
}

/// Whether a collective can be another from an instant on.
pub fn admit_collective_change(book: &Book, changed: &Changed<Collective>) -> Result<(), RosterError> {
    let collective = &changed.value;
    collective.check()?;
    if book.collective(&collective.name).is_none() {
        return Err(RosterError::UnitUnknown { text: collective.name.clone() });
    }
    collective.units.iter().try_for_each(|unit| known_unit(book, unit))?;
    let own: Called = collective.names().map(|name| (normalise(name), name.to_owned())).collect();
    let others = book.collectives().filter(|other| other.name != collective.name);
    others.into_iter().try_for_each(|other| no_collective(&own, other))?;
    book.units().try_for_each(|other| nobody(&own, other.keys(), &other.name, &other.display_name))
}

/// Whether an official's name and posts can be recorded anew: the official is known, the units of
/// all posts are.
pub fn admit_official_change(book: &Book, official: &Official) -> Result<(), RosterError> {
    official.check()?;
    known_official(book, &official.name)?;
    official.posts.iter().filter_map(|post| post.unit.as_deref()).try_for_each(|unit| known_unit(book, unit))
}

fn free(name: &str, taken: bool) -> Result<(), RosterError> {
    if taken { Err(RosterError::NameTaken { name: name.to_owned() }) } else { Ok(()) }
}

fn known_unit(book: &Book, name: &str) -> Result<(), RosterError> {
    book.unit(name).map(|_| ()).ok_or_else(|| RosterError::UnitUnknown { text: name.to_owned() })
}

fn known_official(book: &Book, name: &str) -> Result<(), RosterError> {
    book.official(name).map(|_| ()).ok_or_else(|| RosterError::OfficialUnknown { text: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{admit_account, admit_collective, admit_division, admit_official, admit_unit};
    use crate::account::Account;
    use crate::error::{Candidate, RosterError};
    use crate::fixture::{Roster, collective, division_12, holder, unit};
    use crate::official::PostKind;

    #[test]
    fn references_to_nothing_are_refused() {
        let roster = Roster::linfen();
        let orphan =
            crate::unit::Unit { parent: Some("units/moon".into()), ..unit("crater", "环形山", &[]) };
        let unknown = Err(RosterError::UnitUnknown { text: "units/moon".into() });
        assert_eq!(admit_unit(&roster.book, &orphan), unknown);
        let stranger = holder("stranger", "甲", PostKind::UnitHead, Some("moon"));
        assert_eq!(admit_official(&roster.book, &stranger), unknown);
        let mut division = division_12();
        division.name = "divisions/next".into();
        division.effective_time = Timestamp::parse("2023-09-01T00:00+08:00").unwrap();
        assert_eq!(admit_division(&roster.book, &division), Ok(()));
        division.portfolios[0].official = "officials/nobody".into();
        assert_eq!(
            admit_division(&roster.book, &division),
            Err(RosterError::OfficialUnknown { text: "officials/nobody".into() })
        );
    }

    fn called(text: &str, name: &str, display_name: &str) -> Result<(), RosterError> {
        let holder = Candidate { name: name.into(), display_name: display_name.into() };
        Err(RosterError::AlreadyCalled { text: text.into(), holder })
    }

    #[test]
    fn a_collective_shares_no_name_with_a_unit_or_another_collective_however_it_is_spelled() {
        let mut roster = Roster::linfen();
        let mut ceased = unit("science-old", "市科学局", &["市科局"]);
        ceased.end_time = Some(Timestamp::from_micros(0));
        roster.add_unit(ceased);
        let admit = |display_name, aliases: &[&str]| {
            admit_collective(&roster.book, &collective("river", display_name, aliases, &["yaodu"]))
        };
        assert_eq!(admit("沿汾县（市、区）", &["沿汾", "沿 汾"]), Ok(()));
        let counties = ("collectives/counties", "各县（市、区）");
        assert_eq!(admit("沿汾", &["各县 (市、区)"]), called("各县 (市、区)", counties.0, counties.1));
        assert_eq!(admit("各县市区政府", &[]), called("各县市区政府", counties.0, counties.1));
        let industry = ("units/industry", "市工业和信息化局(市民营经济发展促进局)");
        for name in ["市工信局", "临汾市工业和信息化局", "市民营经济发展促进局", industry.1]
        {
            assert_eq!(admit(name, &[]), called(name, industry.0, industry.1));
        }
        assert_eq!(admit("沿汾", &["市科局"]), called("市科局", "units/science-old", "市科学局"));
        assert_eq!(admit("沿汾", &["市科局"]).unwrap_err().chinese(), "“市科局”已是“市科学局”的名称");
    }

    #[test]
    fn no_unit_is_founded_under_a_name_of_a_collective() {
        let roster = Roster::linfen();
        let admit = |display_name, aliases: &[&str]| {
            admit_unit(&roster.book, &unit("office-of-counties", display_name, aliases))
        };
        for (display_name, aliases, text) in [
            ("各县(市、区)", &[][..], "各县(市、区)"),
            ("县区工作局", &["各县市区人民政府"], "各县市区政府"),
            ("县区工作局（各县市区）", &[], "各县市区"),
        ] {
            let refused = called(text, "collectives/counties", "各县（市、区）");
            assert_eq!(admit(display_name, aliases), refused, "{display_name}");
        }
        assert_eq!(admit("各县", &["市、区"]), Ok(()), "what stands in a collective's brackets is no name");
    }

    #[test]
    fn a_collective_needs_a_free_name_and_members_that_exist() {
        let roster = Roster::linfen();
        let taken = collective("counties", "沿汾", &[], &["yaodu"]);
        assert_eq!(
            admit_collective(&roster.book, &taken),
            Err(RosterError::NameTaken { name: "collectives/counties".into() })
        );
        assert_eq!(
            admit_collective(&roster.book, &collective("river", "沿汾", &[], &["yaodu", "moon"])),
            Err(RosterError::UnitUnknown { text: "units/moon".into() })
        );
    }

    #[test]
    fn a_taken_name_or_subject_is_refused() {
        let mut roster = Roster::linfen();
        let water = unit("water", "市水利局", &[]);
        assert_eq!(
            admit_unit(&roster.book, &water),
            Err(RosterError::NameTaken { name: "units/water".into() })
        );
        let account = |name: &str| Account {
            name: name.into(),
            subject: "water".into(),
            official: None,
            roles: vec![],
            disabled: false,
        };
        assert_eq!(admit_account(&roster.book, &account("accounts/one")), Ok(()));
        roster.add_account(account("accounts/one"));
        assert_eq!(
            admit_account(&roster.book, &account("accounts/two")),
            Err(RosterError::SubjectTaken { subject: "water".into() })
        );
    }

    #[test]
    fn no_two_divisions_take_effect_on_one_day_unless_one_corrects_the_other() {
        let roster = Roster::linfen();
        let mut second = division_12();
        second.name = "divisions/second".into();
        second.effective_time = Timestamp::parse("2023-05-14T09:00+08:00").unwrap();
        let taken = RosterError::EffectiveDayTaken { existing: "divisions/no-12".into() };
        assert_eq!(admit_division(&roster.book, &second), Err(taken));
        second.corrects = Some("divisions/no-12".into());
        assert_eq!(admit_division(&roster.book, &second), Ok(()));
        second.corrects = Some("divisions/no-8".into());
        let other = RosterError::CorrectsAnotherDay { corrected: "divisions/no-8".into() };
        assert_eq!(admit_division(&roster.book, &second), Err(other));
    }
}
