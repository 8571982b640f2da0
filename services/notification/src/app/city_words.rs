//! [`CityWords`]: notices in the words of the city, as they are when they are sent.
//!
//! Which version is used is read in the transaction that sends, so every replica words alike from the
//! moment a version was committed. Versions never change; a process keeps what it has read of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain_calendar::Timestamp;
use domain_notification::{
    CompiledTemplate, Notice, NotificationEvent, TemplateError, TemplateFailed, TemplateKind,
};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xietong_events::{Append, Event};
use xietong_mesh::service::Register;
use xietong_store::StoreError;

use super::desk::Desk;
use super::outbox::{PostError, draft};
use crate::store::{Head, held_template, mark_failed, move_template, template_version, versions_in_use};

/// What was read of one version; none: its words are the built-in ones.
type Read = Option<Arc<Result<CompiledTemplate, TemplateError>>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    template: &'static str,
}

/// The versions that this process has read, the last of each template.
#[derive(Default)]
pub(crate) struct TemplateShelf {
    read: Mutex<BTreeMap<TemplateKind, (i64, Read)>>,
    failures: Family<Labels, Counter>,
}

/// The words of one transaction, and what failed in it.
#[derive(Default)]
pub(crate) struct CityWords {
    templates: BTreeMap<TemplateKind, (i64, Arc<Result<CompiledTemplate, TemplateError>>)>,
    failures: Family<Labels, Counter>,
    /// The first of each version.
    failed: BTreeMap<(TemplateKind, i64), (Event, TemplateError)>,
}

impl TemplateShelf {
    /// Adds what it measures to a registry.
    pub(crate) fn register(&self) -> Register {
        let failures = self.failures.clone();
        Arc::new(move |registry| {
            registry.register(
                "template_failures",
                "Notices that a city's template failed to word, sent in the built-in words",
                failures.clone(),
            );
        })
    }

    /// The words that are used now.
    pub(crate) async fn words<C: ConnectionTrait>(&self, connection: &C) -> Result<CityWords, StoreError> {
        let mut words = CityWords { failures: self.failures.clone(), ..CityWords::default() };
        for (kind, version) in versions_in_use(connection).await? {
            let known = self.lock().get(&kind).filter(|(known, _)| *known == version).cloned();
            let read = match known {
                Some((_, read)) => read,
                None => {
                    let read = read(connection, kind, version).await?;
                    self.lock().insert(kind, (version, read.clone()));
                    read
                }
            };
            words.templates.extend(read.map(|template| (kind, (version, template))));
        }
        Ok(words)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<TemplateKind, (i64, Read)>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A version that this program can no longer read fails at each notice.
async fn read<C: ConnectionTrait>(
    connection: &C,
    kind: TemplateKind,
    version: i64,
) -> Result<Read, StoreError> {
    let stored = template_version(connection, kind, version).await?;
    let stored =
        stored.ok_or_else(|| StoreError::corrupt("template", "the version that is used is missing"))?;
    Ok(stored.text.map(|text| Arc::new(CompiledTemplate::compile(kind, &text))))
}

impl CityWords {
    /// The notices of an event in the words of the city. One that they fail keeps the built-in words.
    pub(crate) fn of<'n>(&mut self, event: &Event, notices: &'n [Notice]) -> Cow<'n, [Notice]> {
        let is_worded = |notice: &Notice| {
            notice.data.as_ref().is_some_and(|data| self.templates.contains_key(&data.kind()))
        };
        if !notices.iter().any(is_worded) {
            return Cow::Borrowed(notices);
        }
        notices.iter().map(|notice| self.worded(event, notice)).collect()
    }

    fn worded(&mut self, event: &Event, notice: &Notice) -> Notice {
        let Some(data) = &notice.data else { return notice.clone() };
        let Some((version, template)) = self.templates.get(&data.kind()) else { return notice.clone() };
        let words = match template.as_ref() {
            Ok(template) => template.words(data),
            Err(unreadable) => Err(unreadable.clone()),
        };
        match words {
            Ok(words) => notice.clone().in_words(words),
            Err(error) => {
                self.failures.get_or_create(&Labels { template: data.kind().as_str() }).inc();
                self.failed.entry((data.kind(), *version)).or_insert_with(|| (event.clone(), error));
                notice.clone()
            }
        }
    }

    /// Raises an alarm for each version that failed for the first time. Last in a transaction: its
    /// templates are held from here on.
    pub(super) async fn write_failures(
        &self,
        tx: &DatabaseTransaction,
        desk: &Desk,
        now: Timestamp,
    ) -> Result<(), PostError> {
        for ((kind, version), (event, error)) in &self.failed {
            let head = held_template(tx, *kind).await?;
            if !mark_failed(tx, *kind, *version, now).await? {
                continue;
            }
            move_template(tx, *kind, Head { events: head.events + 1, ..head }).await?;
            let template = format!("templates/{kind}");
            let (reason, source) = (error.to_string(), event.id.clone());
            tracing::error!(
                template,
                version,
                reason,
                source,
                "a template failed; the built-in words were sent"
            );
            let failed =
                TemplateFailed { template: template.clone(), version: *version, source, reason, at: now };
            let append = Append {
                aggregate: template.clone(),
                expected_version: head.events,
                drafts: vec![draft(&NotificationEvent::TemplateFailed(failed))?],
            };
            desk.log.append(tx, &desk.act(now, &template, Some(event)), &[append]).await?;
        }
        Ok(())
    }
}
