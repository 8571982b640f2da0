//! The supervision service (督办): tasks on the ledger, the assignment of each unit, and the
//! clocks of 13710.
//!
//! Where to look:
//! - the rules and the state machine: `domain-supervision`, which this service asks;
//! - the RPCs: `grpc/`; what they do: `app/`; the tables: `store/`;
//! - what happens by itself when a stage is due: `jobs/stages_due.rs`;
//! - what each leader is told when a division of work takes effect: `jobs/handovers.rs`.

mod app;
mod error;
mod grpc;
mod jobs;
mod record;
mod regulation;
mod store;

use std::sync::Arc;

use tonic::service::Routes;
use xietong_mesh::serve::MAX_BATCH_MESSAGE_BYTES;
use xietong_mesh::{Assembly, Foundation, Ground, Service, ServiceName};
use xietong_proto::supervision::division_preview_service_server::DivisionPreviewServiceServer;
use xietong_proto::supervision::instrument_service_server::InstrumentServiceServer;
use xietong_proto::supervision::side_road_service_server::SideRoadServiceServer;
use xietong_proto::supervision::task_service_server::TaskServiceServer;
use xietong_store::StoreError;

use app::Supervision;
use grpc::{DivisionPreviews, Tasks};
use jobs::{Handovers, StagesDue};
use regulation::Regulation;

/// Puts the service together: its database at the newest schema, its RPCs, its copy of the
/// roster and its timers. Nothing runs yet.
pub async fn build(ground: Ground) -> Result<Service, StoreError> {
    let foundation = Foundation::lay(ground, store::MIGRATIONS).await?;
    let roster = foundation.roster_copy();
    let regulation = Arc::new(Regulation::in_force());
    let app = Supervision {
        db: foundation.db.clone(),
        clock: foundation.clock.clone(),
        log: foundation.log.clone(),
        roster: roster.clone(),
        regulation: regulation.clone(),
    };
    let tasks = Arc::new(Tasks::new(app, foundation.transactions.clone()));
    let side_roads = SideRoadServiceServer::from_arc(tasks.clone());
    let instruments =
        InstrumentServiceServer::from_arc(tasks.clone()).max_decoding_message_size(MAX_BATCH_MESSAGE_BYTES);
    let tasks = TaskServiceServer::from_arc(tasks).max_decoding_message_size(MAX_BATCH_MESSAGE_BYTES);
    let stages_due = StagesDue::new(foundation.log.clone(), foundation.transactions.clone(), regulation);
    let previews = DivisionPreviewServiceServer::new(DivisionPreviews::new(foundation.db.clone()));
    let handovers = Handovers::new(foundation.log.clone(), foundation.transactions.clone());
    Ok(foundation.assemble(Assembly {
        routes: Routes::new(tasks).add_service(side_roads).add_service(instruments).add_service(previews),
        copy: Some(roster),
        consumers: vec![(ServiceName::Roster, Arc::new(handovers))],
        timers: Some(Arc::new(stages_due)),
        ..Assembly::default()
    }))
}
