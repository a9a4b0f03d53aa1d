//! The registry front: passes to a real registry if one was set, else answers from the small built-in one.
//!
//! Adds Docker Hub's pull-rate headers on manifests: `GET` counts, `HEAD` is free. The figures are those of a personal account
//! (200) and of nobody (100) in six hours; `set_pull_limit` changes both or takes the headers away, as on paid plans. Guesses:
//! that `HEAD` is answered as usual when the window is used up, that a signed-in client's source is an account's id (an address
//! is documented for the others), and that `dhi.io` sends clients to the same token server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response, header};
use serde_json::{Value, json};

use super::SERVICE;
use super::builtin::{self, Needed};
use super::token::{Bearer, RegistryAuth};
use crate::http1::forward;
use crate::message::{bearer, json as answer, set};
use crate::service::Handler;
use crate::sync::lock;

/// Pulls in a window for a signed-in personal account.
const SIGNED_IN_PULLS: u32 = 200;
/// Pulls in a window for nobody.
const ANONYMOUS_PULLS: u32 = 100;
/// Whose pulls are counted for a signed-in client.
const SIGNED_IN_SOURCE: &str = "7e1b6b0c-2f43-4a57-9d3e-5a0f6f1c2d11";
/// The window of the pull limit.
const PULL_WINDOW_SECONDS: u32 = 21_600;

pub(crate) struct Registry {
    auth: Arc<RegistryAuth>,
    upstream: Mutex<Option<SocketAddr>>,
    limits: Mutex<Limits>,
}

struct Limits {
    signed_in: Option<u32>,
    anonymous: Option<u32>,
    signed_in_used: u32,
    anonymous_used: u32,
}

impl Registry {
    pub(crate) fn new(auth: Arc<RegistryAuth>) -> Self {
        let limits = Limits {
            signed_in: Some(SIGNED_IN_PULLS),
            anonymous: Some(ANONYMOUS_PULLS),
            signed_in_used: 0,
            anonymous_used: 0,
        };
        Self { auth, upstream: Mutex::default(), limits: Mutex::new(limits) }
    }

    pub(crate) fn set_upstream(&self, address: SocketAddr) {
        *lock(&self.upstream) = Some(address);
    }

    pub(crate) fn set_pull_limit(&self, pulls: Option<u32>) {
        *lock(&self.limits) = Limits { signed_in: pulls, anonymous: pulls, signed_in_used: 0, anonymous_used: 0 };
    }

    /// Counts a manifest request: the headers, and whether it is within the limit.
    fn count(&self, bearer: &Bearer, method: &Method) -> Option<(bool, u32, u32)> {
        let mut limits = lock(&self.limits);
        let Limits { signed_in, anonymous, signed_in_used, anonymous_used } = &mut *limits;
        let (limit, used) =
            if bearer.authenticated { (*signed_in, signed_in_used) } else { (*anonymous, anonymous_used) };
        let limit = limit?;
        let within = *used < limit;
        if method == Method::GET && within {
            *used += 1;
        }
        Some((within || method == Method::HEAD, limit, limit - *used))
    }

    fn pass_on(&self, address: SocketAddr, request: &Request<Vec<u8>>, host: &str) -> Response<Vec<u8>> {
        let mut response = forward(address, request).unwrap_or_else(|error| answer(502, &json!({ "sandbox": error })));
        // A registry that does not use relative URLs names its own address.
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        if let Some(rest) = location.and_then(|location| location.strip_prefix(&format!("http://{address}"))) {
            let rewritten = format!("https://{host}{rest}");
            set(&mut response, "location", &rewritten);
        }
        response
    }
}

impl Handler for Registry {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let path = request.uri().path();
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if !path.starts_with("/v2/") {
            return answer(404, &json!({ "errors": [{ "code": "NOT_FOUND", "message": "not found" }] }));
        }
        let target = builtin::Target::parse(path);
        let sent = bearer(request);
        let Some(bearer) = sent.and_then(|token| self.auth.bearer(token)) else {
            return challenge(&target, request.method(), sent.map(|_| "invalid_token"));
        };
        let counted = if target.is_manifest() { self.count(&bearer, request.method()) } else { None };
        let mut response = match (counted, *lock(&self.upstream)) {
            (Some((false, _, _)), _) => too_many(bearer.authenticated),
            (_, Some(address)) => self.pass_on(address, request, host),
            (_, None) if !target.allowed_by(&bearer, request.method()) => {
                return challenge(&target, request.method(), Some("insufficient_scope"));
            }
            (_, None) => builtin::answer(&target, request),
        };
        set(&mut response, "docker-distribution-api-version", "registry/2.0");
        if let Some((_, limit, remaining)) = counted {
            set(&mut response, "ratelimit-limit", &format!("{limit};w={PULL_WINDOW_SECONDS}"));
            set(&mut response, "ratelimit-remaining", &format!("{remaining};w={PULL_WINDOW_SECONDS}"));
            let source = if bearer.authenticated { SIGNED_IN_SOURCE } else { "127.0.0.1" };
            set(&mut response, "docker-ratelimit-source", source);
        }
        response
    }
}

/// What is wanted, and what was wrong with the bearer that was sent, by RFC 6750's word for it.
fn challenge(target: &builtin::Target<'_>, method: &Method, error: Option<&str>) -> Response<Vec<u8>> {
    let mut value = format!("Bearer realm=\"https://auth.docker.io/token\",service=\"{SERVICE}\"");
    let mut detail = Value::Null;
    if let Some(Needed { kind, name, actions }) = target.needed(method) {
        value += &format!(",scope=\"{kind}:{name}:{}\"", actions.join(","));
        let wanted = |action| json!({ "Type": kind, "Class": "", "Name": name, "Action": action });
        detail = actions.iter().map(wanted).collect();
    }
    if let Some(error) = error {
        value += &format!(",error=\"{error}\"");
    }
    let mut response = answer(
        401,
        &json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "authentication required", "detail": detail }] }),
    );
    set(&mut response, "www-authenticate", &value);
    set(&mut response, "docker-distribution-api-version", "registry/2.0");
    response
}

fn too_many(authenticated: bool) -> Response<Vec<u8>> {
    let kind = if authenticated { "" } else { "unauthenticated " };
    let message = format!("You have reached your {kind}pull rate limit.");
    answer(429, &json!({ "errors": [{ "code": "TOOMANYREQUESTS", "message": message }] }))
}
