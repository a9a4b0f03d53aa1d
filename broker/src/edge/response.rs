//! Answers as they go over the wire: RFC 8693 section 2.2, RFC 6749 section 5, RFC 6750 section 3.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use hublease_protocol::oauth::{self, Code, ErrorResponse};
use serde::Serialize;

use crate::leases::exchange::IssuedLease;
use crate::refusal::Refusal;

/// A successful exchange. It borrows the secrets, and goes from here into the response at once.
#[derive(Serialize)]
pub(super) struct Granted<'a> {
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
    pub(super) fn of(issued: &'a IssuedLease) -> Self {
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

pub(super) fn answer(outcome: Result<Response, Refusal>) -> Response {
    outcome.unwrap_or_else(|refusal| {
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &ErrorResponse::of(refusal.code, &refusal.sentence));
        if let Some(seconds) = refusal.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    })
}

/// A refusal as RFC 6750 section 3 has it, for an address that takes a bearer token.
pub(super) fn challenge(refusal: Refusal) -> Response {
    let (status, word) = match refusal.code {
        Code::NoRuleMatches | Code::EventNotAllowed | Code::WorkflowNotGranted => {
            (StatusCode::FORBIDDEN, "insufficient_scope")
        }
        Code::MalformedRequest => (StatusCode::BAD_REQUEST, "invalid_request"),
        _ if refusal.status() == 400 => (StatusCode::UNAUTHORIZED, "invalid_token"),
        _ => return answer(Err(refusal)),
    };
    let mut response = answer(Err(refusal));
    *response.status_mut() = status;
    let value = HeaderValue::from_str(&format!("Bearer error=\"{word}\""));
    response.headers_mut().extend(value.ok().map(|value| (WWW_AUTHENTICATE, value)));
    response
}

/// The challenge to a request without a bearer token: no `error`, because nothing was wrong with one (section 3.1).
pub(super) fn challenge_without_token() -> Response {
    let sentence = "`Authorization: Bearer` with an identity token is missing";
    let mut response = answer(Err(Refusal::new(Code::TokenMalformed, sentence)));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let mut response = match serde_json::to_vec(value) {
        Ok(body) => Response::new(Body::from(body)),
        Err(_) => Response::new(Body::empty()),
    };
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// RFC 6749 section 5.1, and for every answer, because each may follow a secret.
pub(super) async fn never_stored(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}
