//! Personal access tokens: `/v2/access-tokens` and `/v2/access-tokens/{uuid}`.

use http::{Request, Response};
use hublease_protocol::time::{parse_utc, utc};
use serde_json::{Value, json};

use super::Hub;
use super::errors::{Checked, invalid, method_not_allowed, not_found};
use super::state::{PersonalToken, time};
use crate::message::{body_json, empty, field, json as answer, query};

/// Characters in a label.
const LABEL_LENGTH: std::ops::RangeInclusive<usize> = 1..=100;
/// One of these per token; the higher imply the lower.
const SCOPES: [&str; 4] = ["repo:admin", "repo:write", "repo:read", "repo:public_read"];
/// Results on a page when the query does not say.
const DEFAULT_PAGE_SIZE: usize = 10;
/// Results on a page at most; the real number is not published.
const MAX_PAGE_SIZE: usize = 100;

impl Hub {
    pub(super) fn personal_tokens(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let owner = match self.manager(request) {
            Ok(owner) => owner,
            Err(refusal) => return *refusal,
        };
        match request.method().as_str() {
            "POST" => self.create_personal(&owner, &body_json(request)),
            "GET" => self.list_personal(&owner, request),
            _ => method_not_allowed(),
        }
    }

    pub(super) fn personal_token_by_uuid(&self, request: &Request<Vec<u8>>, uuid: &str) -> Response<Vec<u8>> {
        let owner = match self.manager(request) {
            Ok(owner) => owner,
            Err(refusal) => return *refusal,
        };
        let mut state = self.state();
        let Some(place) = state.personal.iter().position(|token| token.uuid == uuid && token.username == owner) else {
            return not_found();
        };
        match request.method().as_str() {
            "GET" => answer(200, &shown(&state.personal[place], "")),
            "DELETE" => {
                state.personal.remove(place);
                empty(204)
            }
            "PATCH" => {
                let (body, token) = (body_json(request), &mut state.personal[place]);
                if let Some(label) = body["token_label"].as_str() {
                    if !LABEL_LENGTH.contains(&label.chars().count()) {
                        return invalid(&[("token_label", "must be 1 to 100 characters")]);
                    }
                    label.clone_into(&mut token.label);
                }
                token.is_active = body["is_active"].as_bool().unwrap_or(token.is_active);
                answer(200, &shown(token, ""))
            }
            _ => method_not_allowed(),
        }
    }

    fn create_personal(&self, owner: &str, body: &Value) -> Response<Vec<u8>> {
        let label = body["token_label"].as_str().unwrap_or_default();
        if !LABEL_LENGTH.contains(&label.chars().count()) {
            return invalid(&[("token_label", "must be 1 to 100 characters")]);
        }
        let scopes: Vec<_> =
            body["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        if scopes.len() != 1 || !SCOPES.contains(&scopes[0].as_str()) {
            return invalid(&[("scopes", "exactly one repo scope is required")]);
        }
        let now = self.core.clock.now();
        let expires_at = match expiry(body, now) {
            Ok(expires_at) => expires_at,
            Err(refusal) => return *refusal,
        };
        let (secret, uuid) = self.state().add_personal(owner, label, scopes, expires_at, now);
        self.know_token(label, "personal access token", &secret);
        let state = self.state();
        let created = state.personal.iter().find(|token| token.uuid == uuid);
        created.map_or_else(not_found, |token| answer(201, &shown(token, &secret)))
    }

    fn list_personal(&self, owner: &str, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let (state, now) = (self.state(), self.core.clock.now());
        let mine: Vec<_> = state.personal.iter().filter(|token| token.username == owner).collect();
        let active = mine.iter().filter(|token| token.is_live(now)).count();
        let shown: Vec<_> = mine.iter().map(|token| shown(token, "")).collect();
        let mut body = page(request, &shown);
        body["count"] = json!(mine.len());
        body["active_count"] = json!(active);
        answer(200, &body)
    }
}

/// Reads `expires_at`: absent or null is never, otherwise a time in the future. That the past is refused is a guess.
pub(super) fn expiry(body: &Value, now: u64) -> Checked<Option<u64>> {
    let refused = |text| Err(Box::new(invalid(&[("expires_at", text)])));
    match &body["expires_at"] {
        Value::Null => Ok(None),
        Value::String(text) => match parse_utc(text) {
            Some(time) if time > now => Ok(Some(time)),
            Some(_) => refused("must be in the future"),
            None => refused("must be a UTC time such as 2026-11-20T18:42:45Z"),
        },
        _ => refused("must be a string"),
    }
}

/// One page of results with `next` and `previous`; the count's name differs between the two APIs and is the caller's.
pub(super) fn page(request: &Request<Vec<u8>>, all: &[Value]) -> Value {
    let query = query(request);
    let number = |name, default| field(&query, name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let page = number("page", 1).max(1);
    let size = number("page_size", DEFAULT_PAGE_SIZE).clamp(1, MAX_PAGE_SIZE);
    let start = (page - 1).saturating_mul(size).min(all.len());
    let end = (start + size).min(all.len());
    let link =
        |page: usize| json!(format!("https://hub.docker.com{}?page={page}&page_size={size}", request.uri().path()));
    json!({
        "next": if end < all.len() { link(page + 1) } else { Value::Null },
        "previous": if page > 1 { link(page - 1) } else { Value::Null },
        "results": all[start..end],
    })
}

fn shown(token: &PersonalToken, secret: &str) -> Value {
    json!({
        "uuid": token.uuid,
        "client_id": token.client_id,
        "creator_ip": "127.0.0.1",
        "creator_ua": "sandbox",
        "created_at": utc(token.created_at),
        "last_used": time(token.last_used),
        "generated_by": "manual",
        "is_active": token.is_active,
        "token": secret,
        "token_label": token.label,
        "scopes": token.scopes,
        "expires_at": time(token.expires_at),
    })
}
