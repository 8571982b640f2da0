//! Adding versions of templates.

use domain_notification::{NotificationEvent, TemplateKind, TemplateText, TemplateWorded};
use xietong_mesh::{Error, Transaction};

use super::outbox::draft;
use crate::store::{Head, StoredVersion, held_template, insert_version, move_template, template_version};

/// A version that is to be added.
#[derive(Debug, Clone)]
pub(crate) struct WantedVersion {
    /// Of which template.
    pub(crate) template: TemplateKind,
    /// Its words; none: the built-in ones.
    pub(crate) text: Option<TemplateText>,
    /// The version that it goes back to.
    pub(crate) reverts_to: Option<i64>,
    /// Subject of the account that adds it.
    pub(crate) author: String,
    /// Why.
    pub(crate) ground: String,
}

/// Adds a version, which is used from now on. The words that are used already add none: the answer is
/// the version that they are of, or none when it is version 0.
///
/// # Errors
/// ABORTED when the template is no longer at the version of `etag`.
pub(crate) async fn add_version(
    transaction: &mut Transaction,
    wanted: WantedVersion,
    etag: &str,
) -> Result<Option<StoredVersion>, Error> {
    let WantedVersion { template, text, reverts_to, author, ground } = wanted;
    let name = format!("templates/{template}");
    let head = held_template(transaction.tx(), template).await?;
    if !etag.is_empty() && etag != head.version.to_string() {
        return Err(Error::aborted_etag(name));
    }
    let current = template_version(transaction.tx(), template, head.version).await?;
    if current.as_ref().and_then(|current| current.text.as_ref()) == text.as_ref() {
        return Ok(current);
    }
    transaction.on_ground(ground.as_str());
    let now = transaction.now();
    let version = head.version + 1;
    let event = NotificationEvent::TemplateWorded(TemplateWorded {
        template: name.clone(),
        version,
        title: text.as_ref().map(|text| text.title.clone()),
        body: text.as_ref().map(|text| text.body.clone()),
        reverts_to,
        at: now,
    });
    let added = StoredVersion {
        template,
        version,
        text,
        reverts_to,
        author,
        ground,
        created_at: now,
        failed_at: None,
    };
    insert_version(transaction.tx(), &added).await?;
    move_template(transaction.tx(), template, Head { version, events: head.events + 1 }).await?;
    let drafts = vec![draft(&event).map_err(Error::internal)?];
    transaction.append(&name, head.events, drafts).await?;
    Ok(Some(added))
}
