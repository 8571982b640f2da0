//! The workgroup service: groups, who holds their seats, what they decide, and what becomes
//! of a decision that is handed to supervision.
//!
//! - `grpc/` answers calls; `app/` is what they do; `store/` is where it is kept.
//! - `jobs/escalation.rs` asks supervision for the task of an escalated decision.
//! - `jobs/supervision_log.rs` hears what became of that task.
//!
//! The rules are in `domain-workgroup`.

mod app;
mod error;
mod grpc;
mod jobs;
mod store;

use std::sync::Arc;

use tonic::service::Routes;
use xietong_mesh::{Assembly, Foundation, Ground, Service, ServiceName};
use xietong_proto::workgroup::division_preview_service_server::DivisionPreviewServiceServer;
use xietong_proto::workgroup::group_service_server::GroupServiceServer;
use xietong_store::StoreError;
use xietong_timers::Poke;

use grpc::{DivisionPreviews, GroupServer};
use jobs::escalation::EscalationJob;
use jobs::supervision_log::SupervisionLog;

/// Connects to the database, migrates it and puts the service together. Its routes are to be
/// served behind the mesh's layer and its workers to be run.
///
/// # Errors
/// When the database cannot be reached or migrated.
pub async fn build(ground: Ground) -> Result<Service, StoreError> {
    let foundation = Foundation::lay(ground, store::MIGRATIONS).await?;
    let copy = foundation.roster_copy();
    let escalations = Poke::new();
    let server = GroupServer::new(&foundation, copy.clone(), escalations.clone());
    let previews = DivisionPreviewServiceServer::new(DivisionPreviews::new(&foundation, copy.clone()));
    let assembly = Assembly {
        routes: Routes::new(GroupServiceServer::new(server)).add_service(previews),
        copy: Some(copy),
        consumers: vec![(ServiceName::Supervision, Arc::new(SupervisionLog::new(&foundation)))],
        others: Vec::new(),
        jobs: vec![Arc::new(EscalationJob::new(&foundation, escalations))],
        timers: None,
    };
    Ok(foundation.assemble(assembly))
}
