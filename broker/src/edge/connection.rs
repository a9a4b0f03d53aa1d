//! One connection, from the socket to its end: handshake, limits on heads, and the end when its time has come.
//!
//! hyper is used directly, because its limits on the head of a request (bytes, count, time) are wanted.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper::{Request, Result};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::edge::connection_pool::PooledConnection;
use crate::edge::tls::Tls;
use crate::limits::{HANDSHAKE_TIMEOUT, MAX_HEAD_BYTES, MAX_HEADERS, READ_TIMEOUT};

/// How a request came. Every request carries it.
#[derive(Clone)]
pub(crate) struct ConnectionInfo {
    /// The other end of the connection.
    pub(crate) peer: IpAddr,
    /// Whether nobody in between could read it.
    pub(crate) is_encrypted: bool,
    /// The connection's place.
    pub(crate) connection: Arc<PooledConnection>,
}

/// What is behind a listener.
#[derive(Clone)]
pub(super) struct Acceptor {
    pub(super) router: Router,
    pub(super) tls: Option<Arc<Tls>>,
}

impl Acceptor {
    /// Serves a connection to its end, or until it has to leave.
    pub(super) async fn serve(self, stream: TcpStream, peer: IpAddr, connection: PooledConnection, watcher: Watcher) {
        let connection = Arc::new(connection);
        let info = ConnectionInfo { peer, is_encrypted: self.tls.is_some(), connection: Arc::clone(&connection) };
        tokio::select! {
            // In this order, so that an answer that is there is written before its connection is closed.
            biased;
            () = self.speak(stream, info, watcher) => {}
            () = connection.dismissed() => {}
        }
    }

    async fn speak(self, stream: TcpStream, info: ConnectionInfo, watcher: Watcher) {
        // Answers are small and complete. Where this cannot be set they are late, not wrong.
        drop(stream.set_nodelay(true));
        // A client that breaks off or talks nonsense is its own affair.
        drop(match self.tls {
            None => http(TokioIo::new(stream), self.router, info, watcher).await,
            Some(tls) => match timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(tls.config()).accept(stream)).await {
                Ok(Ok(stream)) => http(TokioIo::new(stream), self.router, info, watcher).await,
                Ok(Err(_)) | Err(_) => Ok(()),
            },
        });
    }
}

async fn http<S>(stream: S, router: Router, info: ConnectionInfo, watcher: Watcher) -> Result<()>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(info.clone());
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(stream, service);
    watcher.watch(connection).await
}
