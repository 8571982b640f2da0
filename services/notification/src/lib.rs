//! The notification service: everybody's inbox.
//!
//! It follows the logs of supervision, of the working groups and of the roster, tells each
//! person once of each event ([`domain_notification`] says whom and what), lets unsigned
//! messages climb, and sums up for leaders what climbed. See `README.md` for its tables,
//! RPCs, events and timers.

mod app;
mod error;
mod grpc;
mod jobs;
mod store;

use std::sync::Arc;

use tonic::service::Routes;
use xietong_events::EventHandler;
use xietong_mesh::{Assembly, Foundation, Ground, Service, ServiceName};
use xietong_proto::notification::burden_service_server::BurdenServiceServer;
use xietong_proto::notification::division_preview_service_server::DivisionPreviewServiceServer;
use xietong_proto::notification::inbox_service_server::InboxServiceServer;
use xietong_proto::notification::preference_service_server::PreferenceServiceServer;
use xietong_store::StoreError;

use app::{Desk, RosterIntake, SupervisionIntake, Upward, WorkgroupIntake};
use grpc::{BurdenServer, DivisionPreviews, InboxServer, PreferenceServer};
use jobs::{BurdenMeter, WakeUp};

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
    let previews = DivisionPreviewServiceServer::new(DivisionPreviews::new(foundation.db.clone()));
    let preferences = PreferenceServiceServer::new(PreferenceServer::new(&foundation, copy.clone()));
    let burden = BurdenServiceServer::new(BurdenServer::new(&foundation));
    let consumers: Vec<(ServiceName, Arc<dyn EventHandler>)> = vec![
        (ServiceName::Roster, Arc::new(RosterIntake::new(desk.clone()))),
        (ServiceName::Supervision, Arc::new(SupervisionIntake::new(desk.clone()))),
        (ServiceName::Workgroup, Arc::new(WorkgroupIntake::new(desk.clone()))),
    ];
    let service = foundation.assemble(Assembly {
        routes: Routes::new(InboxServiceServer::new(inbox))
            .add_service(previews)
            .add_service(preferences)
            .add_service(burden),
        copy: Some(copy),
        consumers,
        jobs: vec![Arc::new(wake_up), Arc::new(meter)],
        timers: Some(Arc::new(Upward::new(desk))),
    });
    Ok(service.measuring(register))
}
