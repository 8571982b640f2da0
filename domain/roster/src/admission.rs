//! What the book admits: a new entry against everything it already knows.
//!
//! Each function first checks the entry alone, then its references and its name.

use crate::account::Account;
use crate::book::Book;
use crate::division::Division;
use crate::error::RosterError;
use crate::official::Official;
use crate::unit::Unit;

/// Whether a unit can be added: well-formed, its name free, its parent known. Two units may share
/// an alias; looking it up then reports both.
pub fn admit_unit(book: &Book, unit: &Unit) -> Result<(), RosterError> {
    unit.check()?;
    free(&unit.name, book.unit(&unit.name).is_some())?;
    unit.parent.iter().try_for_each(|parent| known_unit(book, parent))
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

/// Whether a division can be recorded: well-formed, its name free, its units and officials known.
pub fn admit_division(book: &Book, division: &Division) -> Result<(), RosterError> {
    division.check()?;
    free(&division.name, book.division(&division.name).is_some())?;
    division.officials().into_iter().try_for_each(|official| known_official(book, official))?;
    division.unit_duties().try_for_each(|(_, duty)| known_unit(book, &duty.unit))
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
    use super::{admit_account, admit_division, admit_official, admit_unit};
    use crate::account::Account;
    use crate::error::RosterError;
    use crate::fixture::{Roster, division_12, holder, unit};
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
        assert_eq!(admit_division(&roster.book, &division), Ok(()));
        division.portfolios[0].official = "officials/nobody".into();
        assert_eq!(
            admit_division(&roster.book, &division),
            Err(RosterError::OfficialUnknown { text: "officials/nobody".into() })
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
}
