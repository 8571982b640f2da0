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
use xietong_proto::notification::division_preview_service_server::DivisionPreviewServiceServer;
use xietong_proto::notification::feed_service_server::FeedServiceServer;
use xietong_proto::notification::inbox_service_server::InboxServiceServer;
use xietong_store::StoreError;

use app::{Desk, FEED_CONSUMER, FeedIntake, RosterIntake, SupervisionIntake, Upward, WorkgroupIntake};
use grpc::{DivisionPreviews, FeedServer, InboxServer};
use jobs::{FeedPulse, WakeUp};

/// Puts the service together over its database, which is brought to the newest schema.
///
/// # Errors
/// When the database cannot be reached or migrated.
pub async fn build(ground: Ground) -> Result<Service, StoreError> {
    let foundation = Foundation::lay(ground, store::MIGRATIONS).await?;
    let copy = foundation.roster_copy();
    let desk = Desk::new(&foundation, copy.clone());
    let wake_up = WakeUp::new(&foundation.bus);
    let inbox = InboxServer::new(&foundation, copy.clone(), wake_up.calls());
    let pulse = FeedPulse::new(foundation.db.clone());
    let feed = FeedServiceServer::new(FeedServer::new(&foundation, copy.clone(), pulse.pulse()));
    let previews = DivisionPreviewServiceServer::new(DivisionPreviews::new(foundation.db.clone()));
    let consumers: Vec<(ServiceName, Arc<dyn EventHandler>)> = vec![
        (ServiceName::Roster, Arc::new(RosterIntake::new(desk.clone()))),
        (ServiceName::Supervision, Arc::new(SupervisionIntake::new(desk.clone()))),
        (ServiceName::Workgroup, Arc::new(WorkgroupIntake::new(desk.clone()))),
    ];
    let into_feed = [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup].map(|producer| {
        let handler = Arc::new(FeedIntake::new(producer));
        OtherConsumer { name: FEED_CONSUMER, producer, handler }
    });
    Ok(foundation.assemble(Assembly {
        routes: Routes::new(InboxServiceServer::new(inbox)).add_service(previews).add_service(feed),
        copy: Some(copy),
        consumers,
        others: into_feed.into_iter().collect(),
        jobs: vec![Arc::new(wake_up), Arc::new(pulse)],
        timers: Some(Arc::new(Upward::new(desk))),
    }))
}
