//! How an official wants to be told.

use domain_notification::{NotificationEvent, Preference, PreferencesChanged};
use domain_roster::Book;
use xietong_mesh::{Error, Transaction};

use super::outbox::draft;
use crate::error::preference_refusal;
use crate::store::{StoredPreference, preference, save_preference};

/// Changes how an official wants to be told. What changes nothing is no change.
///
/// # Errors
/// INVALID_ARGUMENT when the rules do not allow it; ABORTED when it has another etag, or somebody else
/// changed it meanwhile.
pub(crate) async fn change_preference(
    transaction: &Transaction,
    book: &Book,
    official: &str,
    etag: &str,
    change: impl FnOnce(&mut Preference) + Send,
) -> Result<Option<StoredPreference>, Error> {
    let before = preference(transaction.tx(), official).await?;
    let version = before.as_ref().map_or(0, |stored| stored.version);
    if !etag.is_empty() && etag != version.to_string() {
        return Err(Error::aborted_etag("preferences"));
    }
    let mut after = before.as_ref().map(|stored| stored.preference.clone()).unwrap_or_default();
    change(&mut after);
    after.check(book.calendar(), transaction.now()).map_err(preference_refusal)?;
    if before.as_ref().map_or_else(|| after == Preference::default(), |stored| stored.preference == after) {
        return Ok(before);
    }
    let now = transaction.now();
    let event = NotificationEvent::PreferencesChanged(PreferencesChanged {
        official: official.to_owned(),
        preferences: after.clone(),
        at: now,
    });
    let stored = StoredPreference { version: version + 1, preference: after, updated_at: now };
    save_preference(transaction.tx(), official, &stored).await?;
    let aggregate = format!("preferences/{}", official.trim_start_matches("officials/"));
    let drafts = vec![draft(&event).map_err(Error::internal)?];
    transaction.append(&aggregate, version, drafts).await?;
    Ok(Some(stored))
}
