//! Docker Hub's error bodies in their three shapes: `{detail,message}`, `{errinfo,detail,message}`, `{fields,text}`.

use http::Response;
use serde_json::{Value, json};

use crate::message::{json as answer, set};

/// What was checked, or the answer that refuses it.
pub(super) type Checked<T> = Result<T, Box<Response<Vec<u8>>>>;

/// Text for a bearer that came from a personal access token.
pub(super) const FROM_PERSONAL: &str = "token issued from personal access token is not allowed";
/// Text for a bearer that came from an organization access token.
pub(super) const FROM_ORGANIZATION: &str = "token issued from organization access token is not allowed";

pub(super) fn unauthorized(text: &str) -> Response<Vec<u8>> {
    detail(401, text)
}

pub(super) fn not_found() -> Response<Vec<u8>> {
    detail(404, "object not found")
}

pub(super) fn method_not_allowed() -> Response<Vec<u8>> {
    detail(405, "method not allowed")
}

pub(super) fn forbidden(text: &str) -> Response<Vec<u8>> {
    answer(403, &json!({ "errinfo": {}, "detail": text, "message": text }))
}

/// A validation error: field names with their complaints.
pub(super) fn invalid(fields: &[(&str, &str)]) -> Response<Vec<u8>> {
    let fields: serde_json::Map<String, Value> =
        fields.iter().map(|(name, text)| ((*name).to_owned(), json!([text]))).collect();
    answer(400, &json!({ "fields": fields, "text": "The request could not be validated" }))
}

/// 429 with `Retry-After` in seconds.
pub(super) fn rate_limited() -> Response<Vec<u8>> {
    let mut response = answer(429, &json!({ "detail": "Rate limit exceeded", "error": false }));
    set(&mut response, "retry-after", "1");
    response
}

fn detail(status: u16, text: &str) -> Response<Vec<u8>> {
    answer(status, &json!({ "detail": text, "message": text }))
}
