//! The connections: HTTP/1.1 and HTTP/2 without TLS on one port, and how they end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use xietong_mesh::drain::Drain;

use super::refusal::Refusal;
use crate::front::Front;

/// Calls at a time on one HTTP/2 connection.
const MAX_CONCURRENT_STREAMS: u32 = 200;

/// All headers of a request together, in bytes.
const MAX_HEADERS: u32 = 32 * 1024;

/// Headers of a request.
const MAX_HEADER_COUNT: usize = 100;

/// A client that says nothing, or does not finish its headers, for so long is let go; an
/// idle HTTP/1.1 connection as well.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// A silent HTTP/2 connection is probed this often, and given up when it does not answer.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections until the gateway drains, then lets them finish for at most
/// `grace`, then closes what is left.
pub(crate) async fn serve(front: Arc<Front>, probes: Router, listener: TcpListener, grace: Duration) {
    let drain = front.drain.clone();
    let only_get =
        async |method: Method| Refusal::wrong_method(method.as_str(), ["GET".to_owned()]).into_response();
    let app = probes.method_not_allowed_fallback(only_get).fallback(move |request: Request<Body>| {
        let front = Arc::clone(&front);
        async move { front.answer(request).await }
    });
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = drain.begun() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => (),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, app.clone(), drain.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let all_finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all_finished).await.is_err() {
        tracing::warn!(connections = connections.len(), "closing connections that did not finish in time");
        connections.shutdown().await;
    }
}

/// Serves one connection; when the gateway stops, it finishes the calls that are under way.
async fn connection(stream: TcpStream, app: Router, drain: Drain) {
    let spoken = tokio::select! {
        () = drain.begun() => return,
        spoken = tokio::time::timeout(HEADER_TIMEOUT, stream.readable()) => spoken,
    };
    if !matches!(spoken, Ok(Ok(()))) {
        return;
    }
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
    let builder = builder();
    let service = TowerToHyperService::new(app);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = drain.begun() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        // Clients go away and speak other protocols; that is no failure of ours.
        tracing::debug!(%error, "a connection ended");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(MAX_HEADER_COUNT)
        .max_buf_size(MAX_HEADERS as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    builder
}
