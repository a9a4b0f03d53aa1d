//! What happened: every request in order, every connection that nobody expected, and every secret in the world.

use http::{Request, header};

use crate::service::Service;

/// One request, in the order of arrival.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Who was asked.
    pub service: Service,
    /// The `Host` header.
    pub host: String,
    /// The request method.
    pub method: String,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// The query as sent, empty without one.
    pub query: String,
    /// Every header line as (lower-case name, value), repeats kept.
    pub headers: Vec<(String, String)>,
    /// The body, chunks joined.
    pub body: Vec<u8>,
    /// The status that the service or a fault chose; `None` while the request is held, and when the connection was closed instead.
    pub status: Option<u16>,
}

impl Logged {
    pub(crate) fn new(service: Service, request: &Request<Vec<u8>>) -> Self {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self {
            service,
            host: request.headers().get(header::HOST).map(text).unwrap_or_default(),
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: request.body().clone(),
            status: None,
        }
    }

    /// All lines of a header joined with `, `; `None` when absent.
    pub fn header(&self, name: &str) -> Option<String> {
        let lines: Vec<_> = self
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    /// The body as text, with replacement characters where it is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The decoded fields of a form body, in order.
    pub fn form(&self) -> Vec<(String, String)> {
        crate::message::form(&self.text())
    }
}

/// A secret that the sandbox handed out or was configured with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSecret {
    /// Which one, for a failure message: `CIRCLE_OIDC_TOKEN_V2`, `password of acmebot`.
    pub name: String,
    /// What it is: `identity token`, `password`, `personal access token`, `organization access token`, `docker identity token`,
    /// `hub bearer`, `registry bearer`, `request token`, `vault`, or a test's own word.
    pub kind: String,
    /// The secret itself.
    pub value: String,
    /// The services whose requests may carry it: those that issued it and those that consume it.
    pub services: Vec<Service>,
}

/// A credential that still opens a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveCredential {
    /// `personal access token`, `organization access token`, `docker identity token`, or the Vault module's word.
    pub kind: &'static str,
    /// Its identifier: never the secret.
    pub id: String,
}
