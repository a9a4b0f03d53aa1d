//! The OAuth messages that the client and the broker exchange: token exchange, revocation, metadata, errors.
//!
//! Follows RFC 8693 (exchange), RFC 7009 (revocation), RFC 8414 (metadata) and RFC 6749 section 5 (errors), with Docker
//! Identity's two extra request fields `connection_id` and `expires_in`, and our own `request_id`, `request_challenge`, `request_verifier`, `username`, `registry`,
//! `lease_id` and `revocation_handle`. Unknown members of an answer are ignored, as the RFCs ask.
//! Secrets pass through here as plain strings, because this module is shared and knows no secret type: what holds one can be
//! neither printed nor serialized, and its accessors consume it. A decode error carries a position and never a value.

mod code;
mod form;
mod reply;

use std::fmt;

pub use code::{Code, OAuthError};
pub use form::{Form, FormError, FormWriter, MAX_FIELDS};
pub use reply::{ErrorResponse, LeasesRequest, LeasesResponse, Metadata, Revocation, RevocationResponse};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The one grant type of a token exchange (RFC 8693 section 2.1).
pub const GRANT_TYPE_TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The type of an OpenID Connect ID token (RFC 8693 section 3).
pub const TOKEN_TYPE_ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
/// The type of any other JWT (RFC 8693 section 3).
pub const TOKEN_TYPE_JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// The type of what an exchange issues (RFC 8693 section 3).
pub const TOKEN_TYPE_ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The `token_type` of a secret that is a password for `docker login` and no bearer token (RFC 8693 section 2.2.1).
pub const TOKEN_TYPE_NOT_APPLICABLE: &str = "N_A";
/// The `token_type_hint` that our client sends with a broker's revocation handle; RFC 7009 lets a server ignore it.
pub const HINT_REVOCATION_HANDLE: &str = "revocation_handle";
/// The media type of every request body.
pub const CONTENT_TYPE_FORM: &str = "application/x-www-form-urlencoded";
/// Where a server without a path of its own publishes its metadata (RFC 8414 section 3).
pub const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";
/// Where our broker and Docker Identity exchange tokens.
pub const TOKEN_PATH: &str = "/oauth/token";
/// Where our broker revokes.
pub const REVOCATION_PATH: &str = "/oauth/revoke";
/// Where a job revokes at our broker by its identity.
pub const LEASES_PATH: &str = "/leases/revoke";

/// A token exchange. Absent fields are not sent, so that Docker Identity gets exactly the fields that it knows.
pub struct ExchangeRequest<'a> {
    /// The identity token, a secret.
    pub subject_token: &'a str,
    /// [`TOKEN_TYPE_ID_TOKEN`], for every provider that we know.
    pub subject_token_type: &'a str,
    /// Docker's connection, or the group of rules that our broker is to look at.
    pub connection_id: Option<&'a str>,
    /// The wished life in seconds.
    pub expires_in: Option<u64>,
    /// The wished scope, in its canonical spelling.
    pub scope: Option<&'a str>,
    /// Random, the same for every try of one logical login; makes a retry safe at our broker.
    pub request_id: Option<&'a str>,
    /// The SHA-256, in hexadecimal, of the verifier that a repetition shows, as PKCE has it (RFC 7636).
    pub request_challenge: Option<&'a str>,
    /// What proves that a repetition comes from whoever asked first; never in a first request. A secret.
    pub request_verifier: Option<&'a str>,
}

impl ExchangeRequest<'_> {
    /// The request body. It holds the identity token: wrap it before anything else happens.
    #[must_use]
    pub fn to_form(&self) -> String {
        let mut form = FormWriter::default();
        form.add("grant_type", GRANT_TYPE_TOKEN_EXCHANGE);
        form.add("subject_token_type", self.subject_token_type);
        form.add("subject_token", self.subject_token);
        form.add_some("connection_id", self.connection_id);
        form.add_some("expires_in", self.expires_in.map(|seconds| seconds.to_string()).as_deref());
        form.add_some("scope", self.scope);
        form.add_some("request_id", self.request_id);
        form.add_some("request_challenge", self.request_challenge);
        form.add_some("request_verifier", self.request_verifier);
        form.finish()
    }
}

/// The body of a revocation (RFC 7009 section 2.1). `token` is a revocation handle, or the credential itself at a server
/// that gives no handle; either is a secret, and so is the answer.
#[must_use]
pub fn revocation_form(token: &str, hint: Option<&str>) -> String {
    let mut form = FormWriter::default();
    form.add("token", token);
    form.add_some("token_type_hint", hint);
    form.finish()
}

/// A successful exchange. The two secrets leave it by [`ExchangeResponse::into_parts`] only.
/// Of the rest, members of the wrong type count as absent: whatever they are, the credential exists and must be revocable.
#[derive(Deserialize)]
pub struct ExchangeResponse {
    access_token: String,
    #[serde(default, deserialize_with = "reply::lenient")]
    revocation_handle: Option<String>,
    #[serde(default, deserialize_with = "reply::lenient")]
    issued_token_type: Option<String>,
    #[serde(default, deserialize_with = "reply::lenient")]
    token_type: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "reply::lenient")]
    scope: Option<String>,
    #[serde(default, deserialize_with = "reply::lenient")]
    username: Option<String>,
    #[serde(default, deserialize_with = "reply::lenient")]
    registry: Option<String>,
    #[serde(default, deserialize_with = "reply::lenient")]
    lease_id: Option<String>,
}

/// What an exchange says about the credential: everything but the secrets. All of it is the server's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// What the server issued, usually [`TOKEN_TYPE_ACCESS_TOKEN`]; Docker Identity's value is not documented.
    pub issued_token_type: Option<String>,
    /// How the secret is used; [`TOKEN_TYPE_NOT_APPLICABLE`] from our broker.
    pub token_type: Option<String>,
    /// The life as issued, in seconds.
    pub expires_in: Option<u64>,
    /// The scope as issued.
    pub scope: Option<String>,
    /// Who to log in as (ours).
    pub username: Option<String>,
    /// Where to log in (ours).
    pub registry: Option<String>,
    /// The broker's name for the lease, good for its audit log and for nothing else (ours).
    pub lease_id: Option<String>,
}

/// An exchange taken apart. The two strings are secrets: wrap them at once.
pub struct ExchangeParts {
    /// The secret for `docker login`; never empty.
    pub access_token: String,
    /// The least authority that revokes it (ours).
    pub revocation_handle: Option<String>,
    /// The rest.
    pub issued: Issued,
}

impl ExchangeResponse {
    /// Reads a response body.
    ///
    /// # Errors
    /// When the body is not the JSON of a successful exchange; the error names a position, never a value.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        decode(body).and_then(|response: Self| {
            if response.access_token.is_empty() { Err(DecodeError { line: 0, column: 0 }) } else { Ok(response) }
        })
    }

    /// Takes the response apart.
    #[must_use]
    pub fn into_parts(self) -> ExchangeParts {
        ExchangeParts {
            access_token: self.access_token,
            revocation_handle: self.revocation_handle.filter(|handle| !handle.is_empty()),
            issued: Issued {
                issued_token_type: self.issued_token_type,
                token_type: self.token_type,
                expires_in: self.expires_in,
                scope: self.scope,
                username: self.username,
                registry: self.registry,
                lease_id: self.lease_id,
            },
        }
    }
}

/// A body that is not what was expected: where the reading stopped, and nothing of what stood there.
/// Line 0 means that the body was well formed and a required text in it was empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    pub column: usize,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => formatter.write_str("a required text is empty"),
            line => write!(formatter, "unexpected JSON at line {line}, column {}", self.column),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Every message is a JSON object. That is checked first, because serde would take a list of the members' values too.
fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let blank = body.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if body.get(blank).is_some_and(|first| *first != b'{') {
        return Err(place_of(body, blank));
    }
    // As text, like every other message: one reader is enough in the module.
    let text = std::str::from_utf8(body).map_err(|error| place_of(body, error.valid_up_to()))?;
    // The reader counts columns from 1, but calls the place before a line's first character 0.
    serde_json::from_str(text).map_err(|error| DecodeError { line: error.line().max(1), column: error.column().max(1) })
}

fn place_of(body: &[u8], index: usize) -> DecodeError {
    let before = body.get(..index).unwrap_or(body);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    DecodeError { line, column: before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1 }
}

/// A whole number of seconds, written as a number or as a string of digits; both are seen in the field.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        // A whole float is displayed without point and exponent; any other does not parse.
        Value::Number(number) => {
            number.as_u64().or_else(|| number.as_f64().and_then(|float| float.to_string().parse().ok()))
        }
        Value::String(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
