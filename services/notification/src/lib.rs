//! The notification service: everybody's inbox, and the mesh's change feed.
//!
//! It follows the logs of supervision, of the working groups and of the roster, tells each
//! person once of each event ([`domain_notification`] says whom and what), lets unsigned
//! messages climb, and sums up for leaders what climbed. It keeps what they record in one order, for
//! other systems to read. See `README.md` for its tables,
//! RPCs, events and timers.

mod app;
mod error;
mod grpc;
mod jobs;
mod store;

use std::sync::Arc;

use tonic::service::Routes;
use xietong_events::EventHandler;
use xietong_mesh::{Assembly, Foundation, Ground, OtherConsumer, Service, ServiceName};
use xietong_proto::notification::burden_service_server::BurdenServiceServer;
use xietong_proto::notification::division_preview_service_server::DivisionPreviewServiceServer;
use xietong_proto::notification::feed_service_server::FeedServiceServer;
use xietong_proto::notification::inbox_service_server::InboxServiceServer;
use xietong_proto::notification::preference_service_server::PreferenceServiceServer;
use xietong_store::StoreError;

use app::{Desk, FEED_CONSUMER, FeedIntake, RosterIntake, SupervisionIntake, Upward, WorkgroupIntake};
use grpc::{BurdenServer, DivisionPreviews, FeedServer, InboxServer, PreferenceServer};
use jobs::{BurdenMeter, FeedPulse, WakeUp};

/// Puts the service together over its database, which is brought to the newest schema.
///
/// # Errors
/// When the database cannot be reached or migrated.
pub async fn build(ground: Ground) -> Result<Service, StoreError> {
    let foundation = Foundation::lay(ground, store::MIGRATIONS).await?;
    let copy = foundation.roster_copy();
    let desk = Desk::new(&foundation, copy.clone());
    let meter = BurdenMeter::new(&foundation);
    let register = meter.register();
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
            .add_service(burden),
        copy: Some(copy),
        consumers,
        others: into_feed.into_iter().collect(),
        jobs: vec![Arc::new(wake_up), Arc::new(pulse), Arc::new(meter)],
        timers: Some(Arc::new(Upward::new(desk))),
    });
    Ok(service.measuring(register))
}
