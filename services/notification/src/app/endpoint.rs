//! Registering, changing and removing endpoints of webhooks, and sending to them again.

use std::time::Duration;

use domain_notification::{
    DisabledReason, EndpointDisabled, EndpointFacts, EndpointMarked, NotificationEvent, SecretRotated,
};
use domain_webhook::{
    DeliveryEvent, DisabledBy, EndpointEvent, EndpointRules, EndpointState, Jitter, Keyring, Moment,
    Schedule, Secret,
};
use ring::rand::{SecureRandom, SystemRandom};
use xietong_mesh::{Error, Transaction};
use xietong_timers::MachineClock;

use super::outbox::draft;
use crate::error::keyring_refusal;
use crate::store::{
    EndpointWish, Patience, Replay, StoredEndpoint, hold_deliveries, insert_endpoint, insert_replay,
    locked_delivery, locked_endpoint, release_deliveries, remove_endpoint, save_delivery, save_endpoint,
};

/// Bytes of a secret, as Standard Webhooks 1.0.0 recommends.
const SECRET_BYTES: usize = 32;

/// The machine has no source of random numbers.
#[derive(Debug, thiserror::Error)]
#[error("no random numbers can be had")]
pub(crate) struct NoRandomNumbers;

/// A new secret.
pub(crate) fn new_secret() -> Result<Secret, Error> {
    let mut bytes = vec![0; SECRET_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal(NoRandomNumbers))?;
    Secret::from_bytes(bytes).map_err(Error::internal)
}

/// For the time of a next attempt; in the middle where there are no random numbers.
pub(crate) fn jitter() -> Jitter {
    let mut bits = (1_u32 << 31).to_be_bytes();
    // Left as they are, retries are in step with each other, and no worse.
    let _drawn = SystemRandom::new().fill(&mut bits);
    Jitter::from_bits(u32::from_be_bytes(bits))
}

/// Now, by the machine's clock.
pub(crate) fn moment(machine: MachineClock) -> Moment {
    Moment::from_micros(machine.now().as_micros())
}

/// What the log says of an endpoint.
pub(crate) fn facts(endpoint: &StoredEndpoint) -> EndpointFacts {
    let EndpointWish { url, display_name, description, filter, ordered, concurrency, sm3 } = &endpoint.wanted;
    EndpointFacts {
        endpoint: endpoint.name(),
        owner: endpoint.owner.clone(),
        url: url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        display_name: display_name.clone(),
        description: description.clone(),
        event_filters: filter.patterns().to_vec(),
        ordered: *ordered,
        concurrency: *concurrency,
        sm3_signature: *sm3,
    }
}

/// Registers an endpoint that is sent what comes after a position of the feed.
pub(crate) async fn register(
    transaction: &Transaction,
    owner: &str,
    wanted: EndpointWish,
    after: i64,
) -> Result<StoredEndpoint, Error> {
    let now = transaction.now();
    let endpoint = StoredEndpoint {
        id: MachineClock::system().new_id().to_string(),
        version: 1,
        owner: owner.to_owned(),
        wanted,
        keyring: Keyring::new(new_secret()?),
        state: EndpointState::NEW,
        position: after,
        created_at: now,
        updated_at: now,
    };
    insert_endpoint(transaction.tx(), &endpoint).await?;
    let event = NotificationEvent::EndpointRegistered(facts(&endpoint));
    record(transaction, &endpoint.name(), 0, &event).await?;
    Ok(endpoint)
}

/// An endpoint that is to be changed, locked, in the version that the caller has in mind.
pub(crate) async fn to_change(
    transaction: &Transaction,
    id: &str,
    etag: &str,
) -> Result<StoredEndpoint, Error> {
    let found = locked_endpoint(transaction.tx(), id, Patience::Wait).await?;
    let endpoint = found.ok_or_else(|| Error::not_found(format!("endpoints/{id}")))?;
    if !etag.is_empty() && etag != endpoint.version.to_string() {
        return Err(Error::aborted_etag(endpoint.name()));
    }
    Ok(endpoint)
}

/// Changes what is said of an endpoint. What changes nothing is no change.
pub(crate) async fn change(
    transaction: &Transaction,
    mut endpoint: StoredEndpoint,
    wanted: EndpointWish,
) -> Result<StoredEndpoint, Error> {
    if endpoint.wanted == wanted {
        return Ok(endpoint);
    }
    endpoint.wanted = wanted;
    let event = NotificationEvent::EndpointChanged(facts(&endpoint));
    save(transaction, endpoint, &event).await
}

/// Gives an endpoint a new secret; the one before signs as well for `overlap`.
///
/// # Errors
/// FAILED_PRECONDITION when too many sign already.
pub(crate) async fn rotate_secret(
    transaction: &Transaction,
    mut endpoint: StoredEndpoint,
    overlap: Duration,
) -> Result<StoredEndpoint, Error> {
    let now = moment(MachineClock::system());
    endpoint.keyring = endpoint.keyring.rotate(new_secret()?, now, overlap).map_err(keyring_refusal)?;
    let event = NotificationEvent::SecretRotated(SecretRotated {
        endpoint: endpoint.name(),
        overlap_seconds: overlap.as_secs(),
        at: transaction.now(),
    });
    save(transaction, endpoint, &event).await
}

/// Lets an endpoint be sent to again, with what was kept. Doing so again changes nothing.
pub(crate) async fn enable(
    transaction: &Transaction,
    mut endpoint: StoredEndpoint,
    rules: &EndpointRules,
) -> Result<StoredEndpoint, Error> {
    let (state, change) = endpoint.state.after(EndpointEvent::EnabledByOwner, rules);
    if change.is_none() {
        return Ok(endpoint);
    }
    endpoint.state = state;
    release_deliveries(transaction.tx(), &endpoint.id, moment(MachineClock::system())).await?;
    let marked = EndpointMarked { endpoint: endpoint.name(), at: transaction.now() };
    save(transaction, endpoint, &NotificationEvent::EndpointEnabled(marked)).await
}

/// Stops sending to an endpoint. Doing so again changes nothing.
pub(crate) async fn disable(
    transaction: &Transaction,
    mut endpoint: StoredEndpoint,
    rules: &EndpointRules,
) -> Result<StoredEndpoint, Error> {
    let at = moment(MachineClock::system());
    let (state, change) = endpoint.state.after(EndpointEvent::DisabledByOwner { at }, rules);
    if change.is_none() {
        return Ok(endpoint);
    }
    endpoint.state = state;
    hold_deliveries(transaction.tx(), &endpoint.id).await?;
    let event = NotificationEvent::EndpointDisabled(EndpointDisabled {
        endpoint: endpoint.name(),
        reason: DisabledReason::Owner,
        at: transaction.now(),
    });
    save(transaction, endpoint, &event).await
}

/// Removes an endpoint.
pub(crate) async fn remove(transaction: &Transaction, endpoint: StoredEndpoint) -> Result<(), Error> {
    remove_endpoint(transaction.tx(), &endpoint.id).await?;
    let marked = EndpointMarked { endpoint: endpoint.name(), at: transaction.now() };
    let event = NotificationEvent::EndpointRemoved(marked);
    record(transaction, &endpoint.name(), endpoint.version, &event).await
}

/// Sends one delivery again.
///
/// # Errors
/// NOT_FOUND when there is none.
pub(crate) async fn replay_one(
    transaction: &Transaction,
    endpoint: &StoredEndpoint,
    position: i64,
) -> Result<(), Error> {
    let found = locked_delivery(transaction.tx(), &endpoint.id, position).await?;
    let missing = || Error::not_found(format!("{}/deliveries/{position}", endpoint.name()));
    let mut delivery = found.ok_or_else(missing)?;
    let at = moment(MachineClock::system());
    delivery.state = delivery.state.after(DeliveryEvent::Replayed { at }, &Schedule::default());
    Ok(save_delivery(transaction.tx(), &endpoint.id, &delivery).await?)
}

/// Begins to send a range again.
pub(crate) async fn replay_range(transaction: &Transaction, replay: &Replay) -> Result<(), Error> {
    Ok(insert_replay(transaction.tx(), replay).await?)
}

/// Why the log says that an endpoint is disabled.
pub(crate) fn reason(by: DisabledBy) -> DisabledReason {
    match by {
        DisabledBy::Gone => DisabledReason::Gone,
        DisabledBy::Failing => DisabledReason::Failing,
        DisabledBy::Owner => DisabledReason::Owner,
    }
}

async fn save(
    transaction: &Transaction,
    mut endpoint: StoredEndpoint,
    event: &NotificationEvent,
) -> Result<StoredEndpoint, Error> {
    let before = endpoint.version;
    endpoint.version += 1;
    endpoint.updated_at = transaction.now();
    save_endpoint(transaction.tx(), &endpoint).await?;
    record(transaction, &endpoint.name(), before, event).await?;
    Ok(endpoint)
}

async fn record(
    transaction: &Transaction,
    aggregate: &str,
    version: i64,
    event: &NotificationEvent,
) -> Result<(), Error> {
    let drafts = vec![draft(event).map_err(Error::internal)?];
    transaction.append(aggregate, version, drafts).await?;
    Ok(())
}
