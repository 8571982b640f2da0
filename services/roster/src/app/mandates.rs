//! Mandates are given and revoked.

use domain_roster::{Mandate, RosterEvent, admit_mandate};
use xietong_mesh::{Call, Error, Transaction};

use super::{App, record};
use crate::access;
use crate::error::refusal;

impl App {
    /// Gives a mandate; returns it with its etag.
    pub(crate) async fn create_mandate(
        &self,
        transaction: &Transaction,
        mandate: Mandate,
    ) -> Result<(Mandate, String), Error> {
        let mut edit = self.edit(transaction).await?;
        let mandate = Mandate { recorded_at: edit.now(), ..mandate };
        admit_mandate(edit.book(), &mandate).map_err(refusal)?;
        record(&mut edit, transaction, &[RosterEvent::MandateCreated(mandate.clone())]).await?;
        let etag = edit.register().etag(&mandate.name);
        Ok((mandate, etag))
    }

    /// Ends a mandate now. With an etag it must match.
    pub(crate) async fn revoke_mandate(
        &self,
        call: &Call,
        transaction: &Transaction,
        name: &str,
        etag: &str,
    ) -> Result<(Mandate, String), Error> {
        let mut edit = self.edit(transaction).await?;
        let scope = call.scope()?;
        let mandate = edit.book().mandate(name).ok_or_else(|| access::missing(&scope, name))?.clone();
        scope.authorize(&access::of_mandate(&mandate))?;
        if !etag.is_empty() && etag != edit.register().etag(name) {
            return Err(Error::aborted_etag(name));
        }
        let revoked = mandate.revoke(edit.now()).map_err(refusal)?;
        record(&mut edit, transaction, &[revoked]).await?;
        let mandate = Mandate { revoked_at: Some(edit.now()), ..mandate };
        Ok((mandate, edit.register().etag(name)))
    }
}
