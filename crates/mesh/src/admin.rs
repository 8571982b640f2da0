//! What operators and probes ask: `/livez`, `/readyz`, `/metrics`, on a listener of its own
//! that is never exposed outside.

use std::future::Future;
use std::io;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::Metrics;
use crate::readiness::Readiness;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The routes of the admin listener.
pub fn admin_router(metrics: Metrics, readiness: Readiness) -> Router {
    Router::new()
        .route("/livez", get(async || "alive"))
        .route("/readyz", get(readyz))
        .with_state(readiness)
        .merge(Router::new().route("/metrics", get(render)).with_state(metrics))
}

/// Serves the admin listener until `shutdown` completes. Let it outlive the service itself,
/// so that probes see the drain.
///
/// # Errors
/// When the listener fails.
pub async fn serve_admin(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    tokio::select! {
        ended = async { axum::serve(listener, router).await } => ended,
        // Open connections of probes hold nothing worth waiting for.
        () = shutdown => Ok(()),
    }
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    let status = if readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, readiness.stage().as_str())
}

async fn render(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], metrics.render())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::service_name::ServiceName;

    async fn ask(router: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readyz_follows_readiness_and_livez_does_not() {
        let readiness = Readiness::new();
        let router = admin_router(Metrics::new(ServiceName::Roster), readiness.clone());
        assert_eq!(ask(&router, "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, "starting".to_owned()));
        readiness.release();
        assert_eq!(ask(&router, "/readyz").await, (StatusCode::OK, "ready".to_owned()));
        readiness.drain();
        assert_eq!(ask(&router, "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, "draining".to_owned()));
        assert_eq!(ask(&router, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_end_as_openmetrics_demands() {
        let router = admin_router(Metrics::new(ServiceName::Roster), Readiness::new());
        let (status, page) = ask(&router, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.ends_with("# EOF\n"));
    }
}
