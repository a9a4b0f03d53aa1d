//! How far a request came on its way to the server, and so what its failure means.
//!
//! ureq's own connectors make the connection; between them a [`Mark`] notes what stands. So "certainly not carried out" is
//! told from "cut in the middle", and a proxy's fault from the server's. ureq keeps these interfaces outside its
//! semantic versioning.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector, TcpConnector, Transport,
};

use crate::effect::http::{Failure, Obstacle};

/// What stands of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Stands {
    Nothing,
    Proxy,
    Tunnel,
    Connection,
}

/// The way of one request.
#[derive(Clone, Debug)]
pub(super) struct Way {
    stands: Arc<AtomicU8>,
    /// Whether it leads through a proxy.
    through: bool,
}

impl Way {
    pub(super) fn new(through: bool) -> Self {
        Self { stands: Arc::new(AtomicU8::new(Stands::Nothing as u8)), through }
    }

    /// ureq's connectors, as its default has them, with marks between.
    pub(super) fn connector(&self) -> impl Connector<Out = impl Transport + use<>> + use<> {
        let mark = |at| Mark { way: self.clone(), at };
        ().chain(ConnectProxyConnector::default())
            .chain(mark(Stands::Tunnel))
            .chain(TcpConnector::default())
            .chain(RustlsConnector::default())
            .chain(mark(Stands::Connection))
    }

    fn stands(&self, at: Stands) -> bool {
        self.stands.load(Ordering::SeqCst) >= at as u8
    }

    /// What ureq's error means to the story.
    pub(super) fn failure(&self, error: &ureq::Error) -> Failure {
        use ureq::Error;
        match error {
            error if is_certificate(error) => Failure::Untrusted,
            _ if self.stands(Stands::Connection) => match error {
                Error::Timeout(_) => Failure::Slow,
                Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Failure::Slow,
                Error::LargeResponseHeader(..) | Error::BodyExceedsLimit(_) => Failure::TooLarge,
                _ => Failure::Cut,
            },
            // Nothing was sent yet, so the request was certainly not carried out, however long that took.
            error if tls_fault(error).is_some() => Failure::NoTls,
            Error::ConnectProxyFailed(text) => {
                status_of(text).map_or(Failure::ProxyUnreachable(Obstacle::Other), Failure::ProxyRefused)
            }
            error if self.through && !self.stands(Stands::Tunnel) => Failure::ProxyUnreachable(obstacle(error)),
            error => Failure::Unreachable(obstacle(error)),
        }
    }
}

fn obstacle(error: &ureq::Error) -> Obstacle {
    use std::io::ErrorKind;
    match error {
        ureq::Error::HostNotFound => Obstacle::UnknownName,
        ureq::Error::Timeout(_) => Obstacle::Silent,
        ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => Obstacle::Closed,
        ureq::Error::Io(error) if error.kind() == ErrorKind::TimedOut => Obstacle::Silent,
        _ => Obstacle::Other,
    }
}

/// `proxy server responded 407/407`.
fn status_of(text: &str) -> Option<u16> {
    text.rsplit(['/', ' ']).next()?.parse().ok()
}

fn tls_fault(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

fn is_certificate(error: &ureq::Error) -> bool {
    matches!(tls_fault(error), Some(rustls::Error::InvalidCertificate(_)))
}

/// Notes that a part of the way stands.
#[derive(Debug)]
struct Mark {
    way: Way,
    at: Stands,
}

impl<In: Transport> Connector<In> for Mark {
    type Out = In;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<In>, ureq::Error> {
        // A tunnel asks for its proxy's connection through these very connectors, and without a proxy of its own.
        let is_to_the_proxy = self.way.through && details.config.proxy().is_none();
        let at = if is_to_the_proxy { Stands::Proxy } else { self.at };
        if chained.is_some() {
            self.way.stands.fetch_max(at as u8, Ordering::SeqCst);
        }
        Ok(chained)
    }
}

/// The system's resolver, whose every failure is that the name is not known.
#[derive(Debug, Default)]
pub(super) struct Names(DefaultResolver);

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, config: &Config, limit: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.0.resolve(uri, config, limit).map_err(|error| match error {
            ureq::Error::Io(_) => ureq::Error::HostNotFound,
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Obstacle, Stands, Way, status_of};

    #[test]
    fn the_status_of_a_proxy_is_read_from_what_ureq_says() {
        assert_eq!(status_of("proxy server responded 407/407"), Some(407));
        assert_eq!(status_of("proxy server did not respond"), None);
    }

    #[test]
    fn a_fault_is_of_whoever_comes_next_on_the_way() {
        let refused = ureq::Error::Io(std::io::ErrorKind::ConnectionRefused.into());
        for (through, stands, expected) in [
            (false, Stands::Nothing, Failure::Unreachable(Obstacle::Closed)),
            (true, Stands::Nothing, Failure::ProxyUnreachable(Obstacle::Closed)),
            (true, Stands::Proxy, Failure::ProxyUnreachable(Obstacle::Closed)),
            (true, Stands::Tunnel, Failure::Unreachable(Obstacle::Closed)),
            (true, Stands::Connection, Failure::Cut),
        ] {
            let way = Way::new(through);
            way.stands.store(stands as u8, std::sync::atomic::Ordering::SeqCst);
            assert_eq!(way.failure(&refused), expected, "{stands:?}");
        }
    }
}
