//! Serving gRPC until told to end, and ending in time whatever clients do.

mod connection;

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};

use crate::drain::Drain;
use crate::layer::MeshLayer;
use crate::readiness::{Readiness, Stage};

use connection::Connection;

/// Largest message that services accept unless they say otherwise: tonic's default, bytes.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// Largest message of a service with batch calls, in bytes: for
/// `max_decoding_message_size` of its generated server.
pub const MAX_BATCH_MESSAGE_BYTES: usize = 8 * 1024 * 1024;

/// At most so many calls at once on one connection; HTTP/2 itself sets no limit.
const MAX_CONCURRENT_STREAMS: u32 = 200;

/// A silent connection is probed this often, and closed when the probe is not answered.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the health protocol calls the whole server.
const WHOLE_SERVER: &str = "";

/// How long connections take to notice that they have been severed.
const SEVERING: Duration = Duration::from_secs(1);

/// A server and what it depends on.
pub struct ServeOptions {
    /// Bound already, so that a test can bind port 0.
    pub listener: TcpListener,
    /// The service's handlers. Health is added to them.
    pub routes: Routes,
    /// Authenticates, measures, traces.
    pub layer: MeshLayer,
    /// How long calls may take to end once the server is told to end.
    pub grace: Duration,
    /// Shown by the health service; draining when the server is told to end.
    pub readiness: Readiness,
    /// Begun when the server is told to end.
    pub drain: Drain,
}

/// The server failed.
#[derive(Debug, thiserror::Error)]
#[error("the server failed")]
pub struct ServeError(#[from] tonic::transport::Error);

/// Serves until `shutdown` completes (or readiness is drained), then lets calls end for the
/// grace period and severs what is left. Returns at most two seconds after that, whatever
/// clients do.
///
/// # Errors
/// When the server itself fails; clients cannot make it fail.
pub async fn serve(options: ServeOptions, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
    let ServeOptions { listener, routes, layer, grace, readiness, drain } = options;
    let sever = CancellationToken::new();
    let (mut health, health_server) = health_reporter();
    let cut_off = (sever.clone(), drain.clone());
    let incoming = TcpListenerStream::new(listener)
        .map(move |accepted| accepted.map(|stream| Connection::new(stream, &cut_off.0, &cut_off.1)));
    let stop = CancellationToken::new();
    let server = Server::builder()
        .layer(layer)
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .http2_keepalive_interval(Some(KEEP_ALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
        .serve_with_incoming_shutdown(
            routes.add_service(health_server).prepare(),
            incoming,
            stop.clone().cancelled_owned(),
        );
    tokio::pin!(server);

    tokio::select! {
        ended = &mut server => return Ok(ended?),
        () = report_health(&health, &readiness) => {}
        () = shutdown => {}
    }

    tracing::info!(grace_seconds = grace.as_secs(), "draining");
    readiness.drain();
    drain.begin();
    health.set_service_status(WHOLE_SERVER, ServingStatus::NotServing).await;
    // Whoever watches health has read the last of it; their streams would hold us up.
    health.clear_service_status(WHOLE_SERVER).await;
    stop.cancel();
    if let Ok(ended) = tokio::time::timeout(grace, &mut server).await {
        return Ok(ended?);
    }
    tracing::warn!("calls were still open at the end of the grace period and are cut off");
    sever.cancel();
    match tokio::time::timeout(SEVERING, &mut server).await {
        Ok(ended) => Ok(ended?),
        // A connection whose task is stuck in a handler; it ends with the process.
        Err(_) => Ok(()),
    }
}

/// Tells the health service's clients of every change, until the service drains.
async fn report_health(health: &HealthReporter, readiness: &Readiness) {
    let mut changes = readiness.changes();
    loop {
        let status = match *changes.borrow_and_update() {
            Stage::Starting => ServingStatus::NotServing,
            Stage::Ready => ServingStatus::Serving,
            Stage::Draining => return,
        };
        health.set_service_status(WHOLE_SERVER, status).await;
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Completes when the process is asked to end by SIGTERM or SIGINT.
///
/// # Errors
/// When the process cannot listen for signals.
pub fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
