//! The one way out: every call that the broker makes, to issuers and to Docker Hub, is a [`Call`] that one client performs.
//!
//! Answers may hold secrets, so neither they nor calls can be printed, and a [`Fault`] is a fixed phrase.

use std::sync::Arc;

pub mod native;
mod proxy;

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
}

impl<'a> Call<'a> {
    /// A plain read.
    #[must_use]
    pub fn read(url: String) -> Self {
        Call { method: Method::Get, url, bearer: None, json: None }
    }

    /// The same call with a bearer token.
    #[must_use]
    pub fn with_bearer(self, bearer: &'a str) -> Self {
        Call { bearer: Some(bearer), ..self }
    }
}

/// One answer, of whatever status.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After` in seconds, as Docker's current specification has it.
    pub retry_after: Option<u64>,
    /// `X-Retry-After` in seconds since 1970, as Docker's older specification had it.
    pub retry_at: Option<u64>,
    /// The body, at most 1 MiB.
    pub body: Vec<u8>,
}

/// Why there is no answer. The request may still have been served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault(pub &'static str);

/// Performs calls. Blocking; called on threads that may block.
pub trait Outbound: Send + Sync {
    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// When no complete answer came: connection, TLS, time, size.
    fn send(&self, call: &Call<'_>) -> Result<Reply, Fault>;
}

impl<T: Outbound + ?Sized> Outbound for Arc<T> {
    fn send(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        (**self).send(call)
    }
}
