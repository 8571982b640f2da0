//! The notification service: everybody's inbox, the mesh's change feed, and webhooks.
//!
//! It follows the logs of supervision, of the working groups and of the roster, tells each
//! person once of each event ([`domain_notification`] says whom and what), lets unsigned
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
use xietong_proto::notification::division_preview_service_server::DivisionPreviewServiceServer;
use xietong_proto::notification::endpoint_service_server::EndpointServiceServer;
use xietong_proto::notification::feed_service_server::FeedServiceServer;
use xietong_proto::notification::inbox_service_server::InboxServiceServer;
use xietong_proto::notification::preference_service_server::PreferenceServiceServer;
use xietong_store::StoreError;

pub use settings::WebhookSettings;
pub use xietong_courier::{CertificateDer, Timeouts};

use app::{
    Desk, FEED_CONSUMER, FeedIntake, NoTls, RosterIntake, SupervisionIntake, Upward, Webhooks,
    WorkgroupIntake,
};
use grpc::{BurdenServer, DivisionPreviews, EndpointServer, FeedServer, InboxServer, PreferenceServer};
use jobs::{BurdenMeter, FeedPulse, MakeOut, SendWebhooks, WakeUp, WebhookMeter};

/// The service cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The database cannot be reached or migrated.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Webhooks cannot be sent over TLS by this build.
    #[error("webhooks: no TLS: {0}")]
    NoTls(String),
}

impl From<NoTls> for BuildError {
    fn from(error: NoTls) -> Self {
        BuildError::NoTls(error.0)
    }
}

/// Puts the service together over its database, which is brought to the newest schema.
///
/// # Errors
/// When the database cannot be reached or migrated, or webhooks cannot be sent.
pub async fn build(ground: Ground, webhooks: WebhookSettings) -> Result<Service, BuildError> {
    let foundation = Foundation::lay(ground, store::MIGRATIONS).await?;
    let copy = foundation.roster_copy();
    let desk = Desk::new(&foundation, copy.clone());
    let webhooks = Webhooks::new(&foundation, copy.clone(), desk.clone(), webhooks)?;
    let endpoints = EndpointServiceServer::new(EndpointServer::new(&foundation, webhooks.clone()));
    let meter = BurdenMeter::new(&foundation);
    let registers = [meter.register(), webhooks.metrics.register()];
    let wake_up = WakeUp::new(&foundation.bus);
    let inbox = InboxServer::new(&foundation, copy.clone(), wake_up.calls());
    let pulse = FeedPulse::new(foundation.db.clone());
    let feed = FeedServiceServer::new(FeedServer::new(&foundation, copy.clone(), pulse.pulse()));
    let previews = DivisionPreviewServiceServer::new(DivisionPreviews::new(foundation.db.clone()));
    let preferences = PreferenceServiceServer::new(PreferenceServer::new(&foundation, copy.clone()));
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
    let service = foundation.assemble(Assembly {
        routes: Routes::new(InboxServiceServer::new(inbox))
            .add_service(previews)
            .add_service(preferences)
            .add_service(feed)
            .add_service(endpoints)
            .add_service(burden),
        copy: Some(copy),
        consumers,
        others: into_feed.into_iter().collect(),
        jobs: vec![
            Arc::new(wake_up),
            Arc::new(pulse),
            Arc::new(meter),
            Arc::new(WebhookMeter::new(webhooks.clone())),
            Arc::new(MakeOut::new(webhooks.clone())),
            Arc::new(SendWebhooks::new(webhooks)),
        ],
        timers: Some(Arc::new(Upward::new(desk))),
    });
    Ok(registers.into_iter().fold(service, Service::measuring))
}
