//! The roster service: units, collectives, officials, accounts, divisions of work, absences, duty
//! rosters, and who answers.
//!
//! Decisions are the domain's, made on the book as it stands in the transaction that writes
//! them. Reads are answered from the same book in memory, brought up to date by one small query
//! a call. See the service's README for its tables, events and timers.

mod access;
mod app;
mod error;
mod grpc;
mod jobs;
mod store;

use std::sync::Arc;

use tonic::service::Routes;
use xietong_events::EventHandler;
use xietong_mesh::roster_snapshot::SnapshotServer;
use xietong_mesh::{Assembly, Error, Foundation, Ground, RosterCopy, Service, ServiceName};
use xietong_proto::roster::acting_service_server::ActingServiceServer;
use xietong_proto::roster::calendar_feed_service_server::CalendarFeedServiceServer;
use xietong_proto::roster::directory_service_server::DirectoryServiceServer;
use xietong_proto::roster::duty_service_server::DutyServiceServer;
use xietong_proto::roster::exchange_service_server::ExchangeServiceServer;
use xietong_proto::roster::mandate_service_server::MandateServiceServer;
use xietong_proto::roster::roster_service_server::RosterServiceServer;
use xietong_proto::roster::snapshot_service_server::SnapshotServiceServer;
use xietong_proto::roster::year_calendar_service_server::YearCalendarServiceServer;
use xietong_store::StoreError;

use app::App;
use grpc::{
    ActingHandlers, CalendarHandlers, DirectoryHandlers, DutyHandlers, ExchangeHandlers, MandateHandlers,
    RosterHandlers, YearCalendarHandlers,
};
use jobs::{ActsLog, CoverageWatch, RosterTimers};

/// The service over the given ground, its database at the newest schema.
///
/// # Errors
/// When the database cannot be reached or migrated.
pub async fn build(ground: Ground) -> Result<Service, StoreError> {
    Ok(assemble(lay(ground).await?))
}

/// The first half of [`build`]: database, log and clock, before anything is served. Here
/// [`seed_administrator`] has its place.
///
/// # Errors
/// When the database cannot be reached or migrated.
pub async fn lay(ground: Ground) -> Result<Foundation, StoreError> {
    Foundation::lay(ground, store::MIGRATIONS).await
}

/// The second half of [`build`].
pub fn assemble(foundation: Foundation) -> Service {
    let app = App::new(&foundation);
    // The register is the roster at a version of the head; what others start from has to be the
    // roster at a position of the log.
    let log = foundation.log.clone();
    let copy = RosterCopy::new(ServiceName::Roster, Arc::new(log.clone()), &foundation.bus);
    let copy = Arc::new(copy);
    let routes = Routes::new(DirectoryServiceServer::new(DirectoryHandlers::new(app.clone())))
        .add_service(RosterServiceServer::new(RosterHandlers::new(app.clone())))
        .add_service(ExchangeServiceServer::new(ExchangeHandlers::new(app.clone())))
        .add_service(ActingServiceServer::new(ActingHandlers::new(app.clone())))
        .add_service(MandateServiceServer::new(MandateHandlers::new(app.clone())))
        .add_service(CalendarFeedServiceServer::new(CalendarHandlers::new(app.clone())))
        .add_service(YearCalendarServiceServer::new(YearCalendarHandlers::new(app.clone())))
        .add_service(DutyServiceServer::new(DutyHandlers::new(app.clone())))
        .add_service(SnapshotServiceServer::new(SnapshotServer::new(log, copy.clone())));
    let watch = Arc::new(CoverageWatch::new(app.clone(), &foundation.bus));
    let consumers = ActsLog::PRODUCERS.map(|producer| -> (ServiceName, Arc<dyn EventHandler>) {
        (producer, Arc::new(ActsLog::new(app.clone(), producer)))
    });
    let timers = Arc::new(RosterTimers::new(app));
    let consumers = consumers.into_iter().collect();
    let timers: Option<Arc<dyn xietong_timers::TimerHandler>> = Some(timers);
    foundation.assemble(Assembly {
        routes,
        consumers,
        timers,
        jobs: vec![watch, copy],
        ..Assembly::default()
    })
}

/// Makes sure that a subject has an account with the administrator's role, so that a fresh
/// installation has somebody who may add everything else. Done again it changes nothing. The
/// act is recorded as `system/roster`.
///
/// # Errors
/// ALREADY_EXISTS when the subject has an account that is disabled or no administrator's;
/// UNAVAILABLE or INTERNAL when the database fails.
pub async fn seed_administrator(foundation: &Foundation, subject: &str) -> Result<(), Error> {
    App::new(foundation).seed_administrator(subject).await
}
