//! The answers that hold no secret: refusals, revocations and metadata.
//!
//! Follows RFC 6749 section 5.2, RFC 7009 section 2.2 and RFC 8414 section 2. Both sides use them, so each can be written
//! and read.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Code, DecodeError, decode};

/// A refusal. Members of the wrong type count as absent, because error bodies come from many hands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// The RFC's error word, for instance `invalid_request`; Docker Identity also says `access_denied`.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// A sentence; from our broker it starts with a [`Code`].
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// Docker's own place for the sentence.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl ErrorResponse {
    /// The broker's answer for a code: `error` follows from the code, and the description starts with it.
    #[must_use]
    pub fn of(code: Code, sentence: &str) -> Self {
        Self {
            error: Some(code.error().as_str().to_owned()),
            error_description: Some(format!("{}: {sentence}", code.as_str())),
            message: None,
        }
    }

    /// Reads a body that came with an error status.
    ///
    /// # Errors
    /// When the body is no JSON object.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        decode(body)
    }

    /// The code that our broker's description starts with; nothing for other servers and for codes of a newer broker.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.error_description.as_deref()?.split_once(':').and_then(|(word, _)| Code::parse(word))
    }

    /// The server's sentence, wherever it put it. Foreign text: escape it before it is shown.
    #[must_use]
    pub fn sentence(&self) -> Option<&str> {
        self.error_description.as_deref().or(self.message.as_deref())
    }
}

/// What our broker says about a revocation. Another server's 200 has no such body and confirms nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationResponse {
    /// How it ended.
    pub revocation: Revocation,
}

/// How a revocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Revocation {
    /// Docker Hub answered that the token is gone.
    Confirmed,
    /// Nobody can tell: the broker does not know the handle, has forgotten the lease, or had only lent a token that lives on.
    Unknown,
}

impl RevocationResponse {
    /// Reads the body of a 200.
    ///
    /// # Errors
    /// When the body is not ours; RFC 7009 lets a server send any body, so this means "not confirmed" and no more.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        decode(body)
    }
}

/// What our broker says about the revocation of several leases: all that it counts are noted in its journal, so those that
/// Docker Hub has not confirmed are removed without anybody asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeasesResponse {
    /// How many leases were alive and are revoked by this request.
    pub leases: u64,
    /// Of how many of them Docker Hub answered that the token is gone.
    pub confirmed: u64,
}

impl LeasesResponse {
    /// Reads the body of a 200.
    ///
    /// # Errors
    /// When the body is no such object, or confirms more than it counts.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        decode(body).and_then(|answer: Self| {
            if answer.confirmed <= answer.leases { Ok(answer) } else { Err(DecodeError { line: 1, column: 1 }) }
        })
    }
}

/// Which leases a job wants to have revoked; the body of a request to [`super::LEASES_PATH`], which carries the job's identity
/// token as its bearer (RFC 6750). Exactly one of the two members is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeasesRequest {
    /// One lease of the same project and job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<String>,
    /// `true`: every lease of the same project and workflow that is older than the identity token.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub workflow: bool,
}

/// What a server says about itself (RFC 8414 section 2). The reader compares `issuer` with the address that it asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The server's own address; also the audience that our broker wants.
    pub issuer: String,
    /// Where to exchange.
    pub token_endpoint: String,
    /// Where to revoke, if the server can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// Where a job revokes by its identity instead of by a handle (ours, not registered): see [`LeasesRequest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_revocation_endpoint: Option<String>,
    /// The grants that the token endpoint takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grant_types_supported: Vec<String>,
    /// How callers authenticate; `none` at our broker, because the identity token is the authentication.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<String>,
}

impl Metadata {
    /// Reads a metadata document.
    ///
    /// # Errors
    /// When the body is no such document.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        decode(body)
    }
}

/// A text; anything else counts as absent.
pub(super) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}
