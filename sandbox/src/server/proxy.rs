//! The CONNECT proxy: takes a closed list of host names, ends TLS itself, and routes by `Host`.
//!
//! Every other destination gets 403 and is remembered, so a client that was started behind this proxy cannot reach the real
//! services, and a test sees that it tried.

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::Arc;

use http::{Method, Request, Response, header};
use rustls::{ServerConnection, StreamOwned};

use super::authority::Authority;
use super::connection::{Routes, prepare, refusal, refuse, serve};
use crate::core::Core;
use crate::fault::Delivery;
use crate::http1::{Inbound, Refusal, forward, read_request};
use crate::service::{Handler, Service};

/// The only port that is served.
const HTTPS_PORT: &str = "443";

/// The proxy and everything behind it.
pub(crate) struct Proxy {
    core: Arc<Core>,
    authority: Arc<Authority>,
    handlers: HashMap<Service, Arc<dyn Handler>>,
}

impl Proxy {
    pub(crate) fn new(
        core: Arc<Core>,
        authority: Arc<Authority>,
        handlers: HashMap<Service, Arc<dyn Handler>>,
    ) -> Self {
        Self { core, authority, handlers }
    }

    /// Serves one client connection: one CONNECT, then requests inside TLS.
    pub(crate) fn serve(&self, stream: TcpStream) {
        if prepare(&stream).is_err() {
            return;
        }
        let mut inbound = Inbound::new(stream);
        let request = match read_request(&mut inbound) {
            Ok(request) => request,
            Err(Refusal::Gone) => return,
            Err(Refusal::Answer(status, what)) => return refuse(&mut inbound.stream, status, what),
        };
        let Some(host) = self.accepted(&request) else {
            self.core.note_unexpected(format!("{} {}", request.method(), request.uri()));
            return refuse(&mut inbound.stream, 403, "not a host of this sandbox");
        };
        // A client that speaks before the tunnel stands is not one of ours.
        let Some(stream) = inbound.into_untouched() else {
            return;
        };
        self.tunnel(stream, &host);
    }

    fn accepted(&self, request: &Request<Vec<u8>>) -> Option<String> {
        let authority = request.uri().authority()?.as_str();
        let (host, port) = authority.rsplit_once(':')?;
        let host = host.to_ascii_lowercase();
        let known = self.core.service_at(&host).is_some() || self.core.forwarded(&host).is_some();
        (request.method() == Method::CONNECT && port == HTTPS_PORT && known).then_some(host)
    }

    fn tunnel(&self, mut stream: TcpStream, host: &str) {
        let connected = b"HTTP/1.1 200 Connection established\r\n\r\n";
        let session = self.authority.config(host).map(ServerConnection::new);
        let Ok(Ok(session)) = session else {
            self.core.note_unexpected(format!("no certificate for {host}"));
            return;
        };
        if std::io::Write::write_all(&mut stream, connected).is_err() {
            return;
        }
        serve(&mut Inbound::new(StreamOwned::new(session, stream)), self);
    }
}

impl Routes for Proxy {
    fn answer(&self, request: &Request<Vec<u8>>) -> Delivery {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let host = host.strip_suffix(":443").unwrap_or(host).to_ascii_lowercase();
        if let Some(address) = self.core.forwarded(&host) {
            return self.core.answer(Service::Forwarded, &Upstream(address), request);
        }
        let handler = self.core.service_at(&host).and_then(|service| Some((service, self.handlers.get(&service)?)));
        let Some((service, handler)) = handler else {
            self.core.note_unexpected(format!("Host: {host}"));
            return Delivery::Whole(refusal(421, "not a host of this sandbox"));
        };
        self.core.answer(service, &**handler, request)
    }
}

struct Upstream(std::net::SocketAddr);

impl Handler for Upstream {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        forward(self.0, request).unwrap_or_else(|error| refusal(502, &error))
    }
}
