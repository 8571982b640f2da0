//! Units, collectives, officials and accounts are added.

use domain_roster::{
    Account, Collective, Official, RosterEvent, Unit, admit_account, admit_collective, admit_official,
    admit_unit,
};
use xietong_mesh::{Error, Transaction};

use super::{App, record};
use crate::error::refusal;

impl App {
    /// Adds a unit; returns its etag.
    pub(crate) async fn create_unit(&self, transaction: &Transaction, unit: &Unit) -> Result<String, Error> {
        let mut edit = self.edit(transaction).await?;
        admit_unit(edit.book(), unit).map_err(refusal)?;
        record(&mut edit, transaction, &[RosterEvent::UnitCreated(unit.clone())]).await?;
        Ok(edit.register().etag(&unit.name))
    }

    /// Adds a collective; returns its etag.
    pub(crate) async fn create_collective(
        &self,
        transaction: &Transaction,
        collective: &Collective,
    ) -> Result<String, Error> {
        let mut edit = self.edit(transaction).await?;
        admit_collective(edit.book(), collective).map_err(refusal)?;
        record(&mut edit, transaction, &[RosterEvent::CollectiveCreated(collective.clone())]).await?;
        Ok(edit.register().etag(&collective.name))
    }

    /// Adds an official; returns the etag.
    pub(crate) async fn create_official(
        &self,
        transaction: &Transaction,
        official: &Official,
    ) -> Result<String, Error> {
        let mut edit = self.edit(transaction).await?;
        admit_official(edit.book(), official).map_err(refusal)?;
        record(&mut edit, transaction, &[RosterEvent::OfficialCreated(official.clone())]).await?;
        Ok(edit.register().etag(&official.name))
    }

    /// Adds an account; returns its etag.
    pub(crate) async fn create_account(
        &self,
        transaction: &Transaction,
        account: &Account,
    ) -> Result<String, Error> {
        let mut edit = self.edit(transaction).await?;
        admit_account(edit.book(), account).map_err(refusal)?;
        record(&mut edit, transaction, &[RosterEvent::AccountCreated(account.clone())]).await?;
        Ok(edit.register().etag(&account.name))
    }
}
