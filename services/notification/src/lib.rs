//! The notification service: everybody's inbox, the mesh's change feed, and webhooks.
//!
//! It follows the logs of supervision, of the working groups and of the roster, tells each
//! person once of each event ([`domain_notification`] says whom and what, in the words of the city), lets unsigned
//! messages climb, and sums up for leaders what climbed. It keeps what they record in one order, for
//! other systems to read, or to be told of. See `README.md` for its tables,
//! RPCs, events and timers.

mod app;
mod error;
mod grpc;
mod jobs;
mod settings;
mod store;

use std::sync::Arc;

use tonic::service::Routes;
use xietong_events::EventHandler;
use xietong_mesh::{Assembly, Foundation, Ground, OtherConsumer, Service, ServiceName};
use xietong_proto::notification::burden_service_server::BurdenServiceServer;
use xietong_proto::notification::contact_service_server::ContactServiceServer;
use xietong_proto::notification::division_preview_service_server::DivisionPreviewServiceServer;
use xietong_proto::notification::endpoint_service_server::EndpointServiceServer;
use xietong_proto::notification::feed_service_server::FeedServiceServer;
use xietong_proto::notification::inbox_service_server::InboxServiceServer;
use xietong_proto::notification::preference_service_server::PreferenceServiceServer;
use xietong_proto::notification::sending_service_server::SendingServiceServer;
use xietong_proto::notification::template_service_server::TemplateServiceServer;
use xietong_store::StoreError;
use xietong_timers::Worker;

pub use app::{ChannelError, MessengerError};
pub use settings::{
    ChannelRules, ChannelSettings, EmailSettings, MessageSettings, SealHeaders, WebhookSettings,
};
pub use xietong_courier::{CertificateDer, Timeouts};

use app::{
    Channels, Desk, FEED_CONSUMER, FeedIntake, NoTls, RosterIntake, SupervisionIntake, Upward, Webhooks,
    WorkgroupIntake,
};
use grpc::{
    BurdenServer, ContactServer, DivisionPreviews, EndpointServer, FeedServer, InboxServer, PreferenceServer,
    SendingServer, TemplateServer,
};
use jobs::{
    BurdenMeter, ChannelWatch, FeedPulse, MakeOut, SendByChannel, SendWebhooks, WakeUp, WebhookMeter,
};

/// The service cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The database cannot be reached or migrated.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Webhooks cannot be sent over TLS by this build.
    #[error("webhooks: no TLS: {0}")]
    NoTls(String),
    /// A channel cannot be set up.
    #[error(transparent)]
    Channel(#[from] ChannelError),
}

impl From<NoTls> for BuildError {
    fn from(error: NoTls) -> Self {
        BuildError::NoTls(error.0)
    }
}

/// Puts the service together over its database, which is brought to the newest schema.
///
/// # Errors
/// When the database cannot be reached or migrated, webhooks cannot be sent, or a channel cannot be set
/// up.
pub async fn build(
    ground: Ground,
    webhooks: WebhookSettings,
    channels: ChannelSettings,
) -> Result<Service, BuildError> {
    let foundation = Foundation::lay(ground, store::MIGRATIONS).await?;
    let copy = foundation.roster_copy();
    let channels = Arc::new(Channels::new(&foundation, channels)?);
    let desk = Desk::new(&foundation, copy.clone(), channels.plan());
    let webhooks = Webhooks::new(&foundation, copy.clone(), desk.clone(), webhooks)?;
    let endpoints = EndpointServiceServer::new(EndpointServer::new(&foundation, webhooks.clone()));
    let meter = BurdenMeter::new(&foundation);
    let wake_up = WakeUp::new(&foundation.bus);
    let inbox = InboxServer::new(&foundation, copy.clone(), wake_up.calls());
    let pulse = FeedPulse::new(foundation.db.clone());
    let feed = FeedServiceServer::new(FeedServer::new(&foundation, copy.clone(), pulse.pulse()));
    let previews = DivisionPreviewServiceServer::new(DivisionPreviews::new(foundation.db.clone()));
    let preferences = PreferenceServiceServer::new(PreferenceServer::new(&foundation, copy.clone()));
    let templates = TemplateServiceServer::new(TemplateServer::new(&foundation));
    let burden = BurdenServiceServer::new(BurdenServer::new(&foundation));
    let consumers: Vec<(ServiceName, Arc<dyn EventHandler>)> = vec![
        (ServiceName::Roster, Arc::new(RosterIntake::new(desk.clone()))),
        (ServiceName::Supervision, Arc::new(SupervisionIntake::new(desk.clone()))),
        (ServiceName::Workgroup, Arc::new(WorkgroupIntake::new(desk.clone()))),
    ];
    let into_feed = [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup].map(|producer| {
        let handler = Arc::new(FeedIntake::new(producer));
        OtherConsumer { name: FEED_CONSUMER, producer, handler }
    });
    let contacts = ContactServiceServer::new(ContactServer::new(&foundation));
    let sendings = SendingServiceServer::new(SendingServer::new(foundation.db.clone()));
    let registers =
        [meter.register(), webhooks.metrics.register(), channels.meter.register(), desk.templates.register()];
    let mut jobs: Vec<Arc<dyn Worker>> = vec![
        Arc::new(wake_up),
        Arc::new(pulse),
        Arc::new(meter),
        Arc::new(WebhookMeter::new(webhooks.clone())),
        Arc::new(MakeOut::new(webhooks.clone())),
        Arc::new(SendWebhooks::new(webhooks)),
    ];
    for way in &channels.ways {
        jobs.push(Arc::new(SendByChannel::new(channels.clone(), way.clone())));
    }
    if !channels.ways.is_empty() {
        jobs.push(Arc::new(ChannelWatch::new(channels)));
    }
    let service = foundation.assemble(Assembly {
        routes: Routes::new(InboxServiceServer::new(inbox))
            .add_service(previews)
            .add_service(preferences)
            .add_service(feed)
            .add_service(endpoints)
            .add_service(templates)
            .add_service(burden)
            .add_service(contacts)
            .add_service(sendings),
        copy: Some(copy),
        consumers,
        others: into_feed.into_iter().collect(),
        jobs,
        timers: Some(Arc::new(Upward::new(desk))),
    });
    Ok(registers.into_iter().fold(service, Service::measuring))
}
