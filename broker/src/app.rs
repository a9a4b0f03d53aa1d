//! The broker's face: its addresses, and the limits of a request.
//!
//! Follows RFC 8693, RFC 7009 and RFC 8414 for what is sent and RFC 6749 section 5 for how. Requests are read here with
//! bounds on size and time, and served on a thread that may block. When a client goes away its exchange goes on to the end, so
//! that nothing is minted that is not written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use hublease::oauth::{self, Code, ErrorResponse, Metadata, RevocationResponse};
use hublease::secret::Secret;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::timeout;

use crate::broker::Broker;
use crate::exchange::{Issued, exchange};
use crate::limits::{MAX_BODY_BYTES, MAX_EXCHANGES, MAX_IN_FLIGHT, READ_TIMEOUT, REQUEST_TIMEOUT};
use crate::refusal::Refusal;
use crate::revoke::by_identity::revoke_by_identity;
use crate::revoke::revoke;

/// The media type of a request to revoke by identity.
const CONTENT_TYPE_JSON: &str = "application/json";

/// The broker and the room that it has.
pub struct App {
    broker: Arc<Broker>,
    room: Arc<Semaphore>,
    /// The part of the room that exchanges may take.
    exchanges: Arc<Semaphore>,
    is_ending: AtomicBool,
}

/// What a request is admitted for.
#[derive(Clone, Copy)]
enum Purpose {
    Exchange,
    Revocation,
}

/// Room that is given back when this is dropped.
struct Admission {
    _room: OwnedSemaphorePermit,
    _exchange: Option<OwnedSemaphorePermit>,
}

impl App {
    /// A server for this broker.
    #[must_use]
    pub fn new(broker: Arc<Broker>) -> Arc<Self> {
        let room = Arc::new(Semaphore::new(MAX_IN_FLIGHT as usize));
        let exchanges = Arc::new(Semaphore::new(MAX_EXCHANGES as usize));
        Arc::new(Self { broker, room, exchanges, is_ending: AtomicBool::new(false) })
    }

    /// From now on new exchanges and revocations are refused.
    pub fn end(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
    }

    /// Waits until nothing is in flight any more.
    pub async fn drained(&self) {
        // Fails only when the semaphore is closed, which nobody does.
        drop(self.room.acquire_many(MAX_IN_FLIGHT).await);
    }

    fn admit(&self, purpose: Purpose) -> Result<Admission, Refusal> {
        if self.is_ending.load(Ordering::SeqCst) {
            return Err(Refusal::new(Code::ShuttingDown, "the broker is ending"));
        }
        let exchange = match purpose {
            Purpose::Exchange => Some(take(&self.exchanges)?),
            Purpose::Revocation => None,
        };
        Ok(Admission { _room: take(&self.room)?, _exchange: exchange })
    }
}

fn take(room: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refusal> {
    Arc::clone(room).try_acquire_owned().map_err(|full| match full {
        TryAcquireError::NoPermits => Refusal::new(Code::Overloaded, "the broker serves as many requests as it can"),
        TryAcquireError::Closed => Refusal::new(Code::ShuttingDown, "the broker is ending"),
    })
}

/// The addresses.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(oauth::TOKEN_PATH, post(token))
        .route(oauth::REVOCATION_PATH, post(revocation))
        .route(oauth::LEASES_PATH, post(leases))
        .route(oauth::METADATA_PATH, get(metadata))
        .route("/healthz", get(async || "ok\n"))
        .layer(map_response(never_stored))
        .with_state(app)
}

async fn token(State(app): State<Arc<App>>, request: Request) -> Response {
    let work =
        |broker: &Broker, body: &[u8]| exchange(broker, body).map(|issued| json(StatusCode::OK, &Granted::of(&issued)));
    answer(serve(&app, Purpose::Exchange, request, oauth::CONTENT_TYPE_FORM, work).await)
}

async fn revocation(State(app): State<Arc<App>>, request: Request) -> Response {
    let work = |broker: &Broker, body: &[u8]| {
        revoke(broker, body).map(|revocation| json(StatusCode::OK, &RevocationResponse { revocation }))
    };
    answer(serve(&app, Purpose::Revocation, request, oauth::CONTENT_TYPE_FORM, work).await)
}

async fn leases(State(app): State<Arc<App>>, request: Request) -> Response {
    let Some(token) = bearer(&request) else {
        return challenge(Refusal::new(
            Code::TokenMalformed,
            "`Authorization: Bearer` with an identity token is missing",
        ));
    };
    let work = move |broker: &Broker, body: &[u8]| {
        revoke_by_identity(broker, token.expose(), body).map(|answer| json(StatusCode::OK, &answer))
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

/// A refusal as RFC 6750 section 3 has it, for an address that takes a bearer token.
fn challenge(refusal: Refusal) -> Response {
    let (status, word) = match refusal.code {
        Code::NoRuleMatches | Code::EventNotAllowed | Code::WorkflowNotGranted => (403, "insufficient_scope"),
        Code::MalformedRequest => (400, "invalid_request"),
        _ if refusal.status() == 400 => (401, "invalid_token"),
        _ => return answer(Err(refusal)),
    };
    let mut response = answer(Err(refusal));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
    if status != 400 {
        let value = HeaderValue::from_str(&format!("Bearer error=\"{word}\""));
        response.headers_mut().extend(value.ok().map(|value| (WWW_AUTHENTICATE, value)));
    }
    response
}

async fn metadata(State(app): State<Arc<App>>) -> Response {
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

/// Reads the form and does the work on a thread of its own. The room is given back when the work is done, not when the
/// client has lost patience.
async fn serve(
    app: &App,
    purpose: Purpose,
    request: Request,
    media_type: &'static str,
    work: impl FnOnce(&Broker, &[u8]) -> Result<Response, Refusal> + Send + 'static,
) -> Result<Response, Refusal> {
    // Room is taken after the body is here, so that slow clients cannot fill it.
    let body = body(request, media_type).await?;
    let permit = app.admit(purpose)?;
    let broker = Arc::clone(&app.broker);
    let task = tokio::task::spawn_blocking(move || {
        let _held_until_done = permit;
        work(&broker, &body)
    });
    match timeout(REQUEST_TIMEOUT, task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panicked)) => Err(Refusal::new(Code::Internal, "the broker failed")),
        Err(_elapsed) => {
            Err(Refusal::new(Code::Overloaded, "the request took too long; the same `request_id` is safe"))
        }
    }
}

async fn body(request: Request, wanted: &'static str) -> Result<Bytes, Refusal> {
    let malformed = |sentence: &str| Refusal::new(Code::MalformedRequest, sentence);
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(wanted) {
        return Err(Refusal::new(Code::MalformedRequest, format!("the body is not `{wanted}`")));
    }
    match timeout(READ_TIMEOUT, to_bytes(request.into_body(), MAX_BODY_BYTES)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_over_limit_or_cut)) => Err(Refusal::new(Code::TooLarge, "the body is cut, or larger than 64 KiB")),
        Err(_elapsed) => Err(malformed("the body did not come in time")),
    }
}

/// A successful exchange on the wire. It borrows the secrets, and goes from here into the response at once.
#[derive(Serialize)]
struct Granted<'a> {
    access_token: &'a str,
    issued_token_type: &'static str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    scope: &'a str,
    username: &'a str,
    registry: &'static str,
    lease_id: &'a str,
    revocation_handle: &'a str,
}

impl<'a> Granted<'a> {
    fn of(issued: &'a Issued) -> Self {
        Self {
            access_token: issued.access_token.expose(),
            issued_token_type: oauth::TOKEN_TYPE_ACCESS_TOKEN,
            token_type: oauth::TOKEN_TYPE_NOT_APPLICABLE,
            expires_in: issued.expires_in,
            scope: &issued.scope,
            username: &issued.username,
            registry: "docker.io",
            lease_id: &issued.lease_id,
            revocation_handle: issued.revocation_handle.expose(),
        }
    }
}

fn answer(outcome: Result<Response, Refusal>) -> Response {
    outcome.unwrap_or_else(|refusal| {
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &ErrorResponse::of(refusal.code, &refusal.sentence));
        if let Some(seconds) = refusal.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    })
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let mut response = match serde_json::to_vec(value) {
        Ok(body) => Response::new(Body::from(body)),
        Err(_) => Response::new(Body::empty()),
    };
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn never_stored(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CONFIG, World};

    #[test]
    fn exchanges_that_hang_leave_room_for_revocations() {
        let app = App::new(World::new(CONFIG).broker);
        let admit = |purpose| app.admit(purpose).map_err(|refusal| refusal.code);
        let mut held: Vec<_> = (0..MAX_EXCHANGES).map(|_| admit(Purpose::Exchange).ok().unwrap()).collect();
        assert_eq!(admit(Purpose::Exchange).err(), Some(Code::Overloaded));
        held.extend((MAX_EXCHANGES..MAX_IN_FLIGHT).map(|_| admit(Purpose::Revocation).ok().unwrap()));
        assert!(held.len() > MAX_EXCHANGES as usize, "some room is kept");
        assert_eq!(admit(Purpose::Revocation).err(), Some(Code::Overloaded));
        drop(held);
        assert!(admit(Purpose::Exchange).is_ok());
    }
}
