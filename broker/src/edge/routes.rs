//! The broker's face: its addresses, and the limits of a request.
//!
//! Follows RFC 8693, RFC 7009 and RFC 8414 for what is sent and RFC 6749 section 5 for how. Requests are read here with
//! bounds on size and time, and served on a thread that may block. When a client goes away its exchange goes on to the end, so
//! that nothing is minted that is not written down.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{map_response, map_response_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use hublease_protocol::oauth::{self, Code, RevocationResponse};
use hublease_protocol::secret::Secret;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::broker::Broker;
use crate::client_address::{Client, TrustedProxies};
use crate::edge::concurrency::{ConcurrencyLimit, Permit};
use crate::edge::connection::ConnectionInfo;
use crate::edge::connection_pool::{ConnectionPool, InFlight};
use crate::edge::questions::{
    metadata, metrics, metrics_for_the_near, not_that_way, nothing_there, readiness, readiness_in_full,
};
use crate::edge::readiness::Readiness;
use crate::edge::response::{Granted, answer, challenge, challenge_without_token, json, never_stored};
use crate::leases::exchange::exchange;
use crate::leases::revoke::revoke;
use crate::leases::revoke_by_identity::revoke_by_identity;
use crate::limits::{MAX_BODY_BYTES, READ_TIMEOUT, REQUEST_TIMEOUT};
use crate::observe::counter::CounterFamily;
use crate::rate_limit::Purpose;
use crate::refusal::Refusal;

/// The media type of a request to revoke by identity.
const CONTENT_TYPE_JSON: &str = "application/json";

/// The broker, the room that it has, and what is known about who comes in.
pub(crate) struct App {
    pub(super) broker: Arc<Broker>,
    pub(super) limit: ConcurrencyLimit,
    pub(super) pool: Arc<ConnectionPool>,
    pub(super) trusted_proxies: TrustedProxies,
    /// Whether `/metrics` have no address of their own.
    pub(super) shows_metrics: bool,
    pub(super) readiness: Readiness,
    pub(super) turned_away: CounterFamily<1>,
}

impl App {
    /// A server for this broker and the clients in this pool.
    pub(crate) fn new(
        broker: Arc<Broker>,
        trusted_proxies: TrustedProxies,
        pool: Arc<ConnectionPool>,
        shows_metrics: bool,
    ) -> Arc<Self> {
        let (limit, readiness, turned_away) =
            (ConcurrencyLimit::new(), Readiness::default(), CounterFamily::by(["code"]));
        Arc::new(Self { broker, limit, pool, trusted_proxies, shows_metrics, readiness, turned_away })
    }

    /// From now on new exchanges and revocations are refused.
    pub(crate) fn end(&self) {
        self.limit.end();
    }

    /// Waits until nothing is in flight any more.
    pub(crate) async fn drained(&self) {
        self.limit.drained().await;
    }

    /// Who may speak for others.
    pub(crate) fn trusted_proxies(&self) -> &TrustedProxies {
        &self.trusted_proxies
    }
}

/// The addresses for clients.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(oauth::TOKEN_PATH, post(token))
        .route(oauth::REVOCATION_PATH, post(revocation))
        .route(oauth::LEASES_PATH, post(leases))
        .route(oauth::METADATA_PATH, get(metadata))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readiness))
        .route("/metrics", get(metrics_for_the_near))
        .fallback(nothing_there)
        .method_not_allowed_fallback(not_that_way)
        .layer(map_response_with_state(Arc::clone(&app), closing_at_the_end))
        .layer(map_response(never_stored))
        .with_state(app)
}

/// The addresses of the listener that is for the operator's own eyes.
pub(crate) fn metrics_router(app: Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/readyz", get(readiness_in_full))
        .layer(map_response(never_stored))
        .with_state(app)
}

/// Whoever is answered while the broker ends is told that the connection ends with the answer. hyper says so only where the
/// connection has heard of the end before the answer is written.
async fn closing_at_the_end(State(app): State<Arc<App>>, mut response: Response) -> Response {
    if app.limit.is_ending() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn token(State(app): State<Arc<App>>, request: Request) -> Response {
    let work = |broker: &Broker, client, body: &[u8]| {
        exchange(broker, client, body).map(|issued| json(StatusCode::OK, &Granted::of(&issued)))
    };
    answer(serve(&app, Purpose::Exchange, request, oauth::CONTENT_TYPE_FORM, work).await)
}

async fn revocation(State(app): State<Arc<App>>, request: Request) -> Response {
    let work = |broker: &Broker, client, body: &[u8]| {
        revoke(broker, client, body).map(|revocation| json(StatusCode::OK, &RevocationResponse { revocation }))
    };
    answer(serve(&app, Purpose::Revocation, request, oauth::CONTENT_TYPE_FORM, work).await)
}

async fn leases(State(app): State<Arc<App>>, request: Request) -> Response {
    let Some(token) = bearer(&request) else {
        return challenge_without_token();
    };
    let work = move |broker: &Broker, client, body: &[u8]| {
        revoke_by_identity(broker, client, token.expose(), body).map(|answer| json(StatusCode::OK, &answer))
    };
    match serve(&app, Purpose::Revocation, request, CONTENT_TYPE_JSON, work).await {
        Ok(response) => response,
        Err(refusal) => challenge(refusal),
    }
}

/// The bearer token of RFC 6750 section 2.1.
fn bearer(request: &Request) -> Option<Secret> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| Secret::new(token.trim().to_owned()))
}

/// Reads the request and does the work on a thread of its own. The room is given back when the work is done, not when the
/// client has lost patience.
async fn serve(
    app: &App,
    purpose: Purpose,
    request: Request,
    media_type: &'static str,
    work: impl FnOnce(&Broker, Client, &[u8]) -> Result<Response, Refusal> + Send + 'static,
) -> Result<Response, Refusal> {
    let admitted = admit(app, purpose, request, media_type).await;
    let Admitted { client, body, _until_the_answer, permit } =
        admitted.inspect_err(|refusal| app.turned_away.add([refusal.code.as_str()]))?;
    let broker = Arc::clone(&app.broker);
    let task = spawn_blocking(move || {
        let _held_until_done = permit;
        let outcome = work(&broker, client, &body);
        if outcome.as_ref().is_err_and(Refusal::is_unverified) {
            broker.limiter.unverified(purpose, client, broker.clock.now());
        }
        outcome
    });
    match timeout(REQUEST_TIMEOUT, task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panicked)) => Err(Refusal::new(Code::Internal, "the broker failed")),
        Err(_elapsed) => {
            Err(Refusal::new(Code::Overloaded, "the request took too long; the same `request_id` is safe"))
        }
    }
}

/// A request that was let in.
struct Admitted {
    client: Client,
    body: Vec<u8>,
    _until_the_answer: InFlight,
    permit: Permit,
}

/// Everything that can be said against a request before it is known who sends it and what it says.
async fn admit(app: &App, purpose: Purpose, request: Request, media_type: &'static str) -> Result<Admitted, Refusal> {
    let gone = || Refusal::new(Code::Overloaded, "the connection had to make room for others");
    let info: ConnectionInfo = request.extensions().get().cloned().ok_or_else(gone)?;
    if !info.is_encrypted && !app.trusted_proxies.is_near(info.peer) {
        let sentence = "this came in plain HTTP: whatever token it holds was sent in the clear; use `https`";
        return Err(Refusal::new(Code::MalformedRequest, sentence));
    }
    let client = app.trusted_proxies.client(info.peer, request.headers());
    app.broker.limiter.request(purpose, client, app.broker.clock.now())?;
    // A place is taken after the body is here, so that slow clients cannot fill it.
    let body = body(request, media_type).await?;
    let _until_the_answer = info.connection.serve().ok_or_else(gone)?;
    Ok(Admitted { client, body, _until_the_answer, permit: app.limit.admit(purpose)? })
}

async fn body(request: Request, wanted: &'static str) -> Result<Vec<u8>, Refusal> {
    let malformed = |sentence: &str| Refusal::new(Code::MalformedRequest, sentence);
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(wanted) {
        return Err(Refusal::new(Code::MalformedRequest, format!("the body is not `{wanted}`")));
    }
    match timeout(READ_TIMEOUT, read(request.into_body())).await {
        Ok(Some(body)) => Ok(body),
        Ok(None) => Err(Refusal::new(Code::TooLarge, "the body is cut, or larger than 64 KiB")),
        Err(_elapsed) => Err(malformed("the body did not come in time")),
    }
}

/// The whole body, or nothing when it is cut or too large. Piece by piece it is copied together: a piece as it comes keeps the
/// buffer alive that it was read into, so that a client that sends single bytes would otherwise cost thousands for each.
async fn read(mut body: Body) -> Option<Vec<u8>> {
    // At once as large as it may become: growing in steps it could end up twice as large.
    let announced = body.size_hint().upper().and_then(|size| usize::try_from(size).ok());
    let mut read = Vec::with_capacity(announced.unwrap_or(MAX_BODY_BYTES).min(MAX_BODY_BYTES));
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            if read.len() + data.len() > MAX_BODY_BYTES {
                return None;
            }
            read.extend_from_slice(&data);
        }
    }
    Some(read)
}

#[cfg(test)]
mod tests;
