//! Where an official is reached.

use domain_channel::{By, Contact, EmailAddress, MobileNumber};
use domain_notification::{ContactChanged, NotificationEvent};
use xietong_mesh::{Error, Transaction};

use super::outbox::draft;
use crate::store::{StoredContact, contact, save_contact};

/// The addresses that change; each of none that there is none any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) email: Option<Option<EmailAddress>>,
    pub(crate) mobile: Option<Option<MobileNumber>>,
}

/// Changes where an official is reached. What changes nothing is no change.
///
/// # Errors
/// ABORTED when it has another etag, or somebody else changed it meanwhile.
pub(crate) async fn change_contact(
    transaction: &Transaction,
    official: &str,
    etag: &str,
    addresses: Addresses,
    by: By,
) -> Result<StoredContact, Error> {
    let before = contact(transaction.tx(), official).await?.unwrap_or_default();
    let name = official.trim_start_matches("officials/");
    if !etag.is_empty() && etag != before.version.to_string() {
        return Err(Error::aborted_etag(format!("contacts/{name}")));
    }
    let now = transaction.now();
    let mut after = before.contact.clone();
    if let Some(email) = addresses.email {
        after = after.with_email(email, by, now);
    }
    if let Some(mobile) = addresses.mobile {
        after = after.with_mobile(mobile, by, now);
    }
    if after == before.contact {
        return Ok(before);
    }
    let event = changed(official, &before.contact, &after, now);
    let version = before.version;
    let stored = StoredContact { version: version + 1, contact: after, updated_at: Some(now) };
    save_contact(transaction.tx(), official, &stored).await?;
    let drafts = vec![draft(&NotificationEvent::ContactChanged(event)).map_err(Error::internal)?];
    transaction.append(&format!("contacts/{name}"), version, drafts).await?;
    Ok(stored)
}

fn changed(
    official: &str,
    before: &Contact,
    after: &Contact,
    at: domain_calendar::Timestamp,
) -> ContactChanged {
    ContactChanged {
        official: official.to_owned(),
        email_changed: before.email.as_ref().map(|one| &one.address)
            != after.email.as_ref().map(|one| &one.address),
        has_email: after.email.is_some(),
        email_verified: after.email.as_ref().is_some_and(|one| one.verified_at.is_some()),
        mobile_changed: before.mobile.as_ref().map(|one| &one.address)
            != after.mobile.as_ref().map(|one| &one.address),
        has_mobile: after.mobile.is_some(),
        mobile_verified: after.mobile.as_ref().is_some_and(|one| one.verified_at.is_some()),
        at,
    }
}
