//! What anybody may ask: the metadata, whether the broker is ready, the metrics, and what is not there.
//!
//! Each is counted by the client's address, apart from exchanges and revocations. `/healthz` is not: it says no more than that the
//! process lives, and costs nothing.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use hublease_protocol::oauth::{self, Metadata};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::edge::connection::ConnectionInfo;
use crate::edge::metrics_page::{self, Traffic};
use crate::edge::response::{answer, json};
use crate::edge::routes::App;
use crate::rate_limit::Purpose;
use crate::refusal::Refusal;

pub(super) async fn metadata(State(app): State<Arc<App>>, request: Request) -> Response {
    if let Err(refusal) = question(&app, &request) {
        return answer(Err(refusal));
    }
    let issuer = &app.broker.public_url;
    let document = Metadata {
        issuer: issuer.clone(),
        token_endpoint: format!("{issuer}{}", oauth::TOKEN_PATH),
        revocation_endpoint: Some(format!("{issuer}{}", oauth::REVOCATION_PATH)),
        lease_revocation_endpoint: Some(format!("{issuer}{}", oauth::LEASES_PATH)),
        grant_types_supported: vec![oauth::GRANT_TYPE_TOKEN_EXCHANGE.to_owned()],
        token_endpoint_auth_methods_supported: vec!["none".to_owned()],
    };
    json(StatusCode::OK, &document)
}

/// Counts what anybody may ask; nothing is counted for this machine and for proxies, when they ask themselves.
fn question(app: &App, request: &Request) -> Result<(), Refusal> {
    let Some(info) = request.extensions().get::<ConnectionInfo>() else { return Ok(()) };
    if is_own(app, request) {
        return Ok(());
    }
    let client = app.trusted_proxies.client(info.peer, request.headers());
    let counted = app.broker.limiter.request(Purpose::Question, client, app.broker.clock.now());
    counted.inspect_err(|refusal| app.turned_away.add([refusal.code.as_str()]))
}

pub(super) async fn nothing_there(State(app): State<Arc<App>>, request: Request) -> Response {
    question(&app, &request).map_or_else(|refusal| answer(Err(refusal)), |()| with_status(StatusCode::NOT_FOUND))
}

pub(super) async fn not_that_way(State(app): State<Arc<App>>, request: Request) -> Response {
    question(&app, &request)
        .map_or_else(|refusal| answer(Err(refusal)), |()| with_status(StatusCode::METHOD_NOT_ALLOWED))
}

/// Whether the broker should be sent requests. `/healthz` says no more than that the process lives. Why not is for this machine
/// and for proxies: it names accounts.
pub(super) async fn readiness(State(app): State<Arc<App>>, request: Request) -> Response {
    if is_own(&app, &request) {
        return readiness_in_full(State(app)).await;
    }
    if let Err(refusal) = question(&app, &request) {
        return answer(Err(refusal));
    }
    if reasons(&app).await.is_empty() {
        json(StatusCode::OK, &json!({"ready": true}))
    } else {
        json(StatusCode::SERVICE_UNAVAILABLE, &json!({"ready": false}))
    }
}

pub(super) async fn readiness_in_full(State(app): State<Arc<App>>) -> Response {
    let reasons = reasons(&app).await;
    if reasons.is_empty() {
        json(StatusCode::OK, &json!({"ready": true}))
    } else {
        json(StatusCode::SERVICE_UNAVAILABLE, &json!({"ready": false, "reasons": reasons}))
    }
}

async fn reasons(app: &App) -> Vec<String> {
    if app.limit.is_ending() {
        vec!["the broker is ending".to_owned()]
    } else {
        app.readiness.reasons(&app.broker).await
    }
}

fn is_own(app: &App, request: &Request) -> bool {
    let is_own = |info: &ConnectionInfo| app.trusted_proxies.is_own(info.peer, request.headers());
    request.extensions().get().is_some_and(is_own)
}

/// Metrics on the address for clients, to whom they do not concern as if there were none.
pub(super) async fn metrics_for_the_near(State(app): State<Arc<App>>, request: Request) -> Response {
    if app.shows_metrics && is_own(&app, &request) {
        metrics(State(app)).await
    } else {
        nothing_there(State(app), request).await
    }
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let traffic = Traffic {
        turned_away: app.turned_away.clone(),
        dismissed: app.pool.dismissed(),
        connections: app.pool.connections(),
        in_flight: app.limit.in_flight(),
    };
    let broker = Arc::clone(&app.broker);
    let Ok(text) = spawn_blocking(move || metrics_page::text(&broker, &traffic)).await else {
        return with_status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics_page::CONTENT_TYPE));
    response
}

fn with_status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
