//! The real outbound client: ureq over rustls, with the system's roots.
//!
//! `https` through `HTTPS_PROXY` (`NO_PROXY` honoured), `http` on literal loopback only and never through a proxy. No
//! redirect is followed, so a credential cannot leave its origin. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's
//! roots. There is no switch that turns verification off.

use std::sync::Arc;

use hublease_protocol::endpoint;
use ureq::config::Config;
use ureq::http::header::HeaderMap;
use ureq::http::{Response, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Error};

use crate::limits::{CALL_TIMEOUT, CONNECT_TIMEOUT, HUB_CALLS, IDLE_CONNECTIONS, MAX_REPLY_BYTES};
use crate::outbound::proxy::Proxies;
use crate::outbound::{Call, Method, Outbound, OutboundError, RateLimit, Reply};

/// See the module.
pub struct Native {
    direct: Agent,
    tunnelled: Agent,
    loopback: Agent,
    proxies: Proxies,
}

/// What a program says of itself and of the way out.
pub struct Settings<'a> {
    /// `User-Agent`.
    pub user_agent: &'a str,
    /// The value of an environment variable, of those that name proxies.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// More authorities, in PEM: for a server inside the organization, such as Vault. None for Docker Hub.
    pub authorities: &'a [u8],
}

impl Native {
    /// Reads the system's roots and the proxy variables, once.
    ///
    /// # Errors
    /// When there is no root certificate at all, or the proxy cannot be used: then no call could ever succeed. And when the
    /// authorities are not PEM or hold no certificate.
    pub fn new(settings: &Settings<'_>) -> Result<Self, OutboundError> {
        let mut roots = authorities(settings.authorities)?;
        let system = rustls_native_certs::load_native_certs().certs;
        roots.extend(system.iter().map(|root| Certificate::from_der(root.as_ref()).to_owned()));
        if roots.is_empty() {
            return Err(OutboundError(
                "no root certificates were found; `SSL_CERT_FILE` may name a file that holds them",
            ));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let proxies = Proxies::read(settings.variable)?;
        // Each names its proxy, or none: left to itself ureq asks more variables than ours, `ALL_PROXY` before them all.
        let through = |proxy| {
            Config::builder()
                .proxy(proxy)
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_connect(Some(CONNECT_TIMEOUT))
                .timeout_global(Some(CALL_TIMEOUT))
                .max_idle_connections(IDLE_CONNECTIONS)
                .max_idle_connections_per_host(HUB_CALLS as usize)
                .user_agent(settings.user_agent)
                .tls_config(tls.clone())
        };
        Ok(Self {
            direct: through(None).https_only(true).build().new_agent(),
            tunnelled: through(proxies.proxy.clone()).https_only(true).build().new_agent(),
            loopback: through(None).build().new_agent(),
            proxies,
        })
    }

    fn agent(&self, url: &str) -> Result<&Agent, OutboundError> {
        let refused = |_unusable| OutboundError("only https is spoken beyond this machine");
        let (origin, _) = endpoint::split(url).map_err(refused)?;
        if origin.is_loopback() {
            return Ok(&self.loopback);
        }
        let uri: Uri = url.parse().map_err(|_malformed| OutboundError("the address is malformed"))?;
        let is_exempt = self.proxies.is_exempt(origin.host(), uri.port_u16().unwrap_or(443));
        Ok(if is_exempt { &self.direct } else { &self.tunnelled })
    }
}

/// The certificates of a PEM file; none of an empty text.
fn authorities(pem: &[u8]) -> Result<Vec<Certificate<'static>>, OutboundError> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_not_repeated) => return Err(OutboundError("the file with more authorities is not PEM")),
        }
    }
    if found.is_empty() && !pem.is_empty() {
        Err(OutboundError("the file with more authorities holds no certificate in PEM"))
    } else {
        Ok(found)
    }
}

impl Outbound for Native {
    fn send(&self, call: &Call<'_>) -> Result<Reply, OutboundError> {
        let agent = self.agent(&call.url)?;
        let response = match call.method {
            Method::Get => with_headers(agent.get(&call.url), call).call(),
            Method::Delete => with_headers(agent.delete(&call.url), call).call(),
            Method::Post => with_headers(agent.post(&call.url), call)
                .header("content-type", "application/json")
                .send(call.json.unwrap_or_default()),
        };
        read(response.map_err(|error| phrase(&error))?)
    }
}

/// What is read: JSON, and the kind of it that public keys are (RFC 7517). Kubernetes' API server refuses to show its keys to who
/// does not say that.
const JSON: &str = "application/json, application/jwk-set+json";

fn with_headers<B>(request: ureq::RequestBuilder<B>, call: &Call<'_>) -> ureq::RequestBuilder<B> {
    let mut request = request.header("accept", JSON);
    if let Some(token) = call.bearer {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    for (name, value) in &call.headers {
        request = request.header(*name, *value);
    }
    request
}

fn read(response: Response<Body>) -> Result<Reply, OutboundError> {
    let (head, body) = response.into_parts();
    // ureq refuses a body that reaches its limit, so the limit is one byte beyond ours.
    let body = body.into_with_config().limit(MAX_REPLY_BYTES + 1).read_to_vec().map_err(|error| phrase(&error))?;
    Ok(Reply {
        status: head.status.as_u16(),
        retry_after: number(&head.headers, "retry-after"),
        retry_at: number(&head.headers, "x-retry-after"),
        rate: RateLimit {
            limit: number(&head.headers, "x-ratelimit-limit"),
            remaining: number(&head.headers, "x-ratelimit-remaining"),
            reset: number(&head.headers, "x-ratelimit-reset"),
        },
        body,
    })
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The error's kind in our words; its text may hold an address, a header or a body.
fn phrase(error: &Error) -> OutboundError {
    OutboundError(match error {
        Error::Timeout(_) => "no answer in time",
        Error::HostNotFound => "no such host",
        Error::Tls(_) | Error::Rustls(_) | Error::TlsRequired => "the TLS certificate is not accepted",
        Error::Io(io) if io.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) => {
            "the TLS certificate is not accepted"
        }
        Error::Io(_) | Error::ConnectionFailed => "the connection failed",
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => "the proxy failed",
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(_, _) => "the answer is larger than 1 MiB",
        _ => "the answer is not HTTP",
    })
}

#[cfg(test)]
mod tests;
