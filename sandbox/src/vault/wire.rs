//! Vault's HTTP shapes: what a request asks, and the two envelopes of an answer.
//!
//! Follows Vault's API documentation (headers, methods, status codes) and OpenBao's `response_util.go` (error
//! envelope). Guessed: the text beside 413, which Vault words by Go's JSON reader.

use http::StatusCode;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use serde_json::{Map, Value, json};

use crate::random;

/// Vault's default `max_request_size`; a larger body is refused unread.
pub(super) const MAX_REQUEST_BYTES: usize = 32 * 1024 * 1024;

/// What a method means to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    List,
    /// POST and PUT, which Vault does not tell apart.
    Write,
    Delete,
}

/// One parsed request.
pub(super) struct Call {
    pub(super) operation: Operation,
    /// Empty for the root namespace, else with a trailing slash.
    pub(super) namespace: String,
    /// Below `/v1/` and the namespace, percent-decoded.
    pub(super) path: String,
    pub(super) token: Option<String>,
    pub(super) body: Map<String, Value>,
}

impl Call {
    /// Namespace and path: what mounts and policies are compared with.
    pub(super) fn full_path(&self) -> String {
        format!("{}{}", self.namespace, self.path)
    }

    /// A field as Vault's framework reads a string: absent is empty, a number or boolean is its text.
    pub(super) fn text(&self, field: &str) -> Result<String, Reply> {
        match self.body.get(field) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Bool(flag)) => Ok(if *flag { "1" } else { "0" }.to_owned()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Array(_) | Value::Object(_)) => Err(Reply::error(
                400,
                format!("Field validation failed: error converting input for field {field:?}: expected type 'string'"),
            )),
        }
    }

    /// A field as Vault's framework reads a boolean: the words count too.
    pub(super) fn flag(&self, field: &str) -> bool {
        match self.body.get(field) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => {
                matches!(text.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True")
            }
            Some(Value::Number(number)) => number.as_f64().is_some_and(|number| number != 0.0),
            _ => false,
        }
    }
}

/// The client token: `X-Vault-Token`, else a bearer.
pub(super) fn client_token(request: &http::Request<Vec<u8>>) -> Option<String> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    header("x-vault-token")
        .filter(|token| !token.is_empty())
        .or_else(|| header(AUTHORIZATION.as_str())?.strip_prefix("Bearer "))
        .map(|token| token.trim().to_owned())
        .filter(|token| !token.is_empty())
}

/// The operation, or 405 with no text, as Vault answers methods that it does not know.
pub(super) fn operation(request: &http::Request<Vec<u8>>) -> Result<Operation, Reply> {
    let wants_list = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "list=true"));
    match request.method().as_str() {
        "GET" if wants_list => Ok(Operation::List),
        "GET" => Ok(Operation::Read),
        "LIST" => Ok(Operation::List),
        "POST" | "PUT" => Ok(Operation::Write),
        "DELETE" => Ok(Operation::Delete),
        _ => Err(Reply::errors(405, &[])),
    }
}

/// A JSON object; nothing at all is an empty one.
pub(super) fn body(bytes: &[u8]) -> Result<Map<String, Value>, Reply> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(bytes).map_err(|_error| Reply::error(400, "error parsing JSON"))
}

/// An answer before it is bytes.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
    pub(super) location: Option<String>,
}

impl Reply {
    /// No body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, body: None, location: None }
    }

    /// Any JSON.
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self { body: Some(body), ..Self::empty(status) }
    }

    /// 200 with the success envelope; `changes` replace its members.
    pub(super) fn success(changes: Value) -> Self {
        Self::json(200, envelope(changes))
    }

    /// The error envelope with any number of texts.
    pub(super) fn errors(status: u16, texts: &[&str]) -> Self {
        Self::json(status, json!({ "errors": texts }))
    }

    /// The error envelope with one text: what a backend answers on purpose.
    pub(super) fn error(status: u16, text: impl AsRef<str>) -> Self {
        Self::errors(status, &[text.as_ref()])
    }

    /// The error envelope around Go's multierror: what Vault's core makes of an error that a backend returned.
    pub(super) fn core_error(status: u16, text: impl AsRef<str>) -> Self {
        Self::error(status, format!("1 error occurred:\n\t* {}\n\n", text.as_ref()))
    }

    /// 405 for a path that exists and a method that it has not.
    pub(super) fn unsupported_operation() -> Self {
        Self::core_error(405, "unsupported operation")
    }

    /// 404 for a path that its mount does not know.
    pub(super) fn unsupported_path() -> Self {
        Self::core_error(404, "unsupported path")
    }

    pub(super) fn into_response(self) -> http::Response<Vec<u8>> {
        let bytes = self.body.map(|body| body.to_string().into_bytes());
        let mut response = http::Response::new(bytes.unwrap_or_default());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        let location = self.location.and_then(|location| location.try_into().ok());
        if let Some(location) = location {
            headers.insert(LOCATION, location);
        }
        response
    }
}

/// The success envelope; `changes` replace its members.
pub(super) fn envelope(changes: Value) -> Value {
    let mut envelope = json!({
        "request_id": random::uuid(),
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": null,
        "wrap_info": null,
        "warnings": null,
        "auth": null,
    });
    if let (Some(members), Value::Object(changes)) = (envelope.as_object_mut(), changes) {
        members.extend(changes);
    }
    envelope
}
