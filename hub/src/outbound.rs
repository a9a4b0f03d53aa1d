//! The way out: every call that a program makes is a [`Call`], and an [`Outbound`] performs it: [`native::Native`], or what a test
//! puts in its place.
//!
//! Answers may hold secrets, so neither they nor calls can be printed, and an [`OutboundError`] is a fixed phrase.

pub mod native;
mod proxy;

use std::sync::Arc;

/// What is done with the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Create.
    Post,
    /// Remove.
    Delete,
}

/// One request.
pub struct Call<'a> {
    /// What to do.
    pub method: Method,
    /// The full address: `https`, or `http` on literal loopback.
    pub url: String,
    /// The bearer token to send.
    pub bearer: Option<&'a str>,
    /// The JSON body to send.
    pub json: Option<&'a str>,
    /// More headers, such as Vault's: names in lower case, values of visible ASCII.
    pub headers: Vec<(&'static str, &'a str)>,
}

impl<'a> Call<'a> {
    /// A plain read.
    #[must_use]
    pub fn read(url: String) -> Self {
        Call { method: Method::Get, url, bearer: None, json: None, headers: Vec::new() }
    }

    /// The same call with a bearer token.
    #[must_use]
    pub fn with_bearer(self, bearer: &'a str) -> Self {
        Call { bearer: Some(bearer), ..self }
    }
}

/// One answer, of whatever status.
#[derive(Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After` in seconds, as Docker's current specification has it.
    pub retry_after: Option<u64>,
    /// `X-Retry-After` in seconds since 1970, as Docker's older specification had it.
    pub retry_at: Option<u64>,
    /// How much more may be asked.
    pub rate: RateLimit,
    /// The body, at most 1 MiB.
    pub body: Vec<u8>,
}

/// Docker Hub's `X-RateLimit-*`, as far as the server sends them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// `X-RateLimit-Limit`: calls per window, which is a minute.
    pub limit: Option<u64>,
    /// `X-RateLimit-Remaining`: calls that are left of them.
    pub remaining: Option<u64>,
    /// `X-RateLimit-Reset`: when the window ends, in seconds since 1970 by the server's clock.
    pub reset: Option<u64>,
}

/// Why there is no answer. The request may still have been served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboundError(pub &'static str);

/// Performs calls. Blocking; called on threads that may block.
pub trait Outbound: Send + Sync {
    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// When no complete answer came: connection, TLS, time, size.
    fn send(&self, call: &Call<'_>) -> Result<Reply, OutboundError>;
}

impl<T: Outbound + ?Sized> Outbound for Arc<T> {
    fn send(&self, call: &Call<'_>) -> Result<Reply, OutboundError> {
        (**self).send(call)
    }
}
