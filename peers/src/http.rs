//! A request and its answer, as they are: no redirect is followed, no proxy is used unless it is asked for, no status is an error.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::http::Request;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

/// A server that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(60);
/// Far above what any peer answers.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    /// A CONNECT proxy.
    proxy: Option<String>,
    /// The authority of the server's certificate, as PEM.
    authority: Option<String>,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in lower case, in the server's order.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub text: String,
}

impl Ask {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            proxy: None,
            authority: None,
        }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a username and a password.
    #[must_use]
    pub fn basic(self, username: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{username}:{password}"));
        self.header("Authorization", &format!("Basic {pair}"))
    }

    /// Through a CONNECT proxy, trusting this authority alone.
    #[must_use]
    pub fn through(mut self, proxy: &str, authority: &str) -> Self {
        self.proxy = Some(proxy.to_owned());
        self.trusting(authority)
    }

    /// Trusting this authority alone.
    #[must_use]
    pub fn trusting(mut self, authority: &str) -> Self {
        self.authority = Some(authority.to_owned());
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, text: impl Into<String>) -> Self {
        self.body = Some(text.into());
        self
    }

    /// With this JSON as its body.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.header("Content-Type", "application/json").body(value.to_string())
    }

    /// Sends it.
    ///
    /// # Errors
    /// A sentence: nobody answered.
    pub fn send(&self) -> Result<Answer, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{} {}: {error}", self.method, self.url);
        let proxy = self.proxy.as_deref().map(Proxy::new).transpose().map_err(|error| failed(&error))?;
        let tls = self.authority.as_deref().map(trusting).transpose().map_err(|error| failed(&error))?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .tls_config(tls.unwrap_or_default())
            .allow_non_standard_methods(true)
            .timeout_global(Some(LONGEST));
        let agent: Agent = config.build().into();
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let sent = match &self.body {
            Some(body) => agent.run(request.body(body.clone()).map_err(|error| failed(&error))?),
            None => agent.run(request.body(()).map_err(|error| failed(&error))?),
        };
        let mut answer = sent.map_err(|error| failed(&error))?;
        let text = answer.body_mut().with_config().limit(LARGEST).read_to_string().map_err(|error| failed(&error))?;
        let headers = answer.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Ok(Answer { status: answer.status().as_u16(), headers: headers.collect(), text })
    }
}

fn trusting(authority: &str) -> Result<TlsConfig, ureq::Error> {
    let root = Certificate::from_pem(authority.as_bytes())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    Ok(tls.root_certs(RootCerts::new_with_certs(&[root])).build())
}

impl Answer {
    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The first header of that name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
