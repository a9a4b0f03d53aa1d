//! One HTTP request, sent to the origin that the host owns for its destination.
//!
//! [`HttpClient::send`] is the one way out, and `agent` the one constructor. Each request has a connection of its own:
//! a kept one that the server has closed meanwhile would turn a mint into a doubtful mint. No redirect is followed,
//! every status is an answer, and every size and time has a limit. What a failure means is [`Way`]'s to say.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hublease_protocol::endpoint::Origin;
use hublease_protocol::secret::Secret;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::{Request, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::effect::http::{self, Destination, Failure, Method, NO_TEXT, PullLimit, Response};
use crate::environment::Environment;
use crate::native::http::certificates::{self, Trusted};
use crate::native::http::proxy::{self, Route};
use crate::native::http::way::{Names, Way};
use crate::native::process::capped::{self, Capped};

/// A connection, TLS included, is made within this or not at all.
const CONNECT: Duration = Duration::from_secs(5);

/// The whole of a request, from the name's resolution to the last byte.
pub(in crate::native) const REQUEST: Duration = Duration::from_secs(15);

/// The largest body, in bytes; no answer that hublease can use has more than a few KiB.
const MAXIMUM_BODY: usize = 1024 * 1024;

/// The largest head of an answer, in bytes, as common servers limit it.
const MAXIMUM_HEAD: usize = 32 * 1024;

/// The longest `Retry-After`, `Location` or other header that is handed on, in bytes; a longer one counts as absent.
const MAXIMUM_HEADER: usize = 2048;

/// Sends requests. Shared with the worker's thread.
#[derive(Debug)]
pub(in crate::native) struct HttpClient {
    destinations: Vec<(Destination, Origin)>,
    extra: Option<Trusted>,
    environment: Arc<Environment>,
    /// The system's roots, and those together with the extra ones.
    roots: [OnceLock<RootCerts>; 2],
}

impl HttpClient {
    pub(in crate::native) fn new(
        destinations: Vec<(Destination, Origin)>,
        extra: Option<Trusted>,
        environment: impl Into<Arc<Environment>>,
    ) -> Self {
        Self { destinations, extra, environment: environment.into(), roots: [OnceLock::new(), OnceLock::new()] }
    }

    /// Sends one request and reads its answer, within `limit` and [`REQUEST`].
    pub(in crate::native) fn send(&self, request: &http::Request, limit: Duration) -> Result<Response, Failure> {
        let origin = self.destinations.iter().find(|(destination, _)| *destination == request.to);
        let (_, origin) = origin.ok_or(Failure::Unsendable)?;
        let message = message(origin, request).ok_or(Failure::Unsendable)?;
        let (agent, way) = self.agent(request.to, message.uri(), limit.min(REQUEST))?;
        let answer = match request.method {
            Method::Get | Method::Head => agent.run(message.map(|_| ())),
            Method::Post => agent.run(message),
        };
        let mut answer = answer.map_err(|error| way.failure(&error))?;
        let header = |name: &str| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            (value.len() <= MAXIMUM_HEADER).then(|| value.to_owned())
        };
        let response = Response {
            status: answer.status().as_u16(),
            retry_after: header("retry-after")
                .or_else(|| header("x-retry-after").and_then(|moment| seconds_until(&moment))),
            location: header("location"),
            pull_limit: PullLimit {
                limit: header("ratelimit-limit"),
                remaining: header("ratelimit-remaining"),
                source: header("docker-ratelimit-source"),
            },
            body: Secret::default(),
        };
        // The length of a body that is not sent says nothing about what is read.
        if request.method == Method::Head {
            return Ok(response);
        }
        if answer.body().content_length().is_some_and(|length| length > MAXIMUM_BODY as u64) {
            return Err(Failure::TooLarge);
        }
        match capped::read(answer.body_mut().as_reader(), MAXIMUM_BODY) {
            // A body that is not UTF-8 is nothing that any provider sends; it is handed on as that, and not as none.
            Ok(Capped::Whole(body)) => {
                Ok(Response { body: capped::text(body).unwrap_or_else(|| Secret::new(NO_TEXT)), ..response })
            }
            Ok(Capped::TooLarge) => Err(Failure::TooLarge),
            Err(error) => Err(way.failure(&ureq::Error::from(error))),
        }
    }

    /// The one constructor of an agent.
    fn agent(&self, to: Destination, uri: &Uri, limit: Duration) -> Result<(Agent, Way), Failure> {
        let secure = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_here = self.destinations.iter().any(|(destination, origin)| *destination == to && origin.is_loopback());
        let route = if secure && !is_here {
            proxy::route(&self.environment, host, uri.port_u16().unwrap_or(443))
        } else {
            Route::Direct
        };
        let proxy = match route {
            Route::Direct => None,
            Route::Through(proxy) => Some(proxy),
            Route::Unusable => return Err(Failure::ProxyUnusable),
        };
        let way = Way::new(proxy.is_some());
        let mut config = Config::builder()
            .proxy(proxy)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .max_response_header_size(MAXIMUM_HEAD)
            .timeout_global(Some(limit))
            .timeout_connect(Some(CONNECT.min(limit)))
            .timeout_resolve(Some(CONNECT.min(limit)))
            .user_agent(concat!("hublease/", env!("CARGO_PKG_VERSION")));
        if secure {
            config = config.tls_config(
                TlsConfig::builder()
                    .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
                    .root_certs(self.roots_for(to))
                    .build(),
            );
        }
        Ok((Agent::with_parts(config.build(), way.connector(), Names::default()), way))
    }

    fn roots_for(&self, to: Destination) -> RootCerts {
        let extra = self.extra.as_ref().filter(|extra| extra.is_for(to));
        let [system, both] = &self.roots;
        let roots = if extra.is_some() { both } else { system };
        roots.get_or_init(|| self.load_roots(extra)).clone()
    }

    fn load_roots(&self, extra: Option<&Trusted>) -> RootCerts {
        let system = certificates::system(&self.environment);
        let extra = extra.into_iter().flat_map(|extra| &extra.certificates.0);
        let roots: Vec<_> = system.iter().chain(extra).map(|der| Certificate::from_der(der).to_owned()).collect();
        RootCerts::Specific(Arc::new(roots))
    }
}

/// Docker Hub's older spelling names a moment in seconds since 1970 instead of a wait.
fn seconds_until(moment: &str) -> Option<String> {
    let moment: u64 = moment.trim().parse().ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(moment.saturating_sub(now).to_string())
}

/// The request in ureq's terms; none if it cannot be written down as HTTP.
fn message<'a>(origin: &Origin, request: &'a http::Request) -> Option<Request<&'a str>> {
    if !request.path_and_query.starts_with('/') {
        return None;
    }
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Head => "HEAD",
    };
    let mut message = Request::builder().method(method).uri(format!("{origin}{}", request.path_and_query));
    for (name, value) in &request.headers {
        let mut value = ureq::http::HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        message = message.header(name.name(), value);
    }
    message.body(request.body.expose()).ok()
}

#[cfg(test)]
mod tests;
