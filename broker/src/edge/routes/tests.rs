//! What is said to a request because of where it comes from and how often, whatever is in it.

mod counted;
mod ready;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum::http::{Method, Request as HttpRequest};
use hyper::body::Frame;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::runtime::{Builder, Runtime};

use crate::edge::routes::*;
use crate::testing::{CONFIG, World};

/// Requests whose origin a test decides.
struct Front {
    world: World,
    app: Arc<App>,
    pool: Arc<ConnectionPool>,
    runtime: Runtime,
}

/// One request: where it comes from and what it says.
struct Visit<'a> {
    peer: &'a str,
    is_encrypted: bool,
    forwarded_for: Option<&'a [u8]>,
    path: &'a str,
}

impl Front {
    fn new(config: &str, shows_metrics: bool) -> Self {
        let world = World::new(config);
        let pool = ConnectionPool::new(4);
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let app = App::new(Arc::clone(&world.broker), proxies, Arc::clone(&pool), shows_metrics);
        Self { world, app, pool, runtime: Builder::new_current_thread().enable_all().build().unwrap() }
    }

    fn visit(&self, visit: &Visit<'_>) -> Response {
        self.send(visit, "token=unknown")
    }

    /// Sends a form from an address.
    fn say(&self, peer: &str, path: &str, form: &str) -> Response {
        self.send(&Visit { peer, is_encrypted: true, forwarded_for: None, path }, form)
    }

    fn send(&self, visit: &Visit<'_>, body: &str) -> Response {
        let method = if visit.path.starts_with("/oauth") || visit.path.starts_with("/leases") {
            Method::POST
        } else {
            Method::GET
        };
        let media_type = if visit.path == oauth::LEASES_PATH { CONTENT_TYPE_JSON } else { oauth::CONTENT_TYPE_FORM };
        let mut request = HttpRequest::builder().method(method).uri(visit.path).header(CONTENT_TYPE, media_type);
        request = request.header(AUTHORIZATION, "Bearer x.y.z");
        if let Some(forwarded_for) = visit.forwarded_for {
            request = request.header("x-forwarded-for", forwarded_for);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        self.runtime.block_on(async {
            let connection = Arc::new(self.pool.accept(None).await.unwrap());
            let peer = visit.peer.parse().unwrap();
            request.extensions_mut().insert(ConnectionInfo { peer, is_encrypted: visit.is_encrypted, connection });
            TowerToHyperService::new(router(Arc::clone(&self.app))).call(request).await.unwrap()
        })
    }
}

fn text(front: &Front, response: Response) -> String {
    let body = front.runtime.block_on(read(response.into_body())).unwrap();
    String::from_utf8(body).unwrap()
}

#[test]
fn tokens_that_come_in_the_clear_are_refused_and_probes_are_not() {
    let front = Front::new(CONFIG, true);
    let plain = "this came in plain HTTP";
    let secret = [oauth::TOKEN_PATH, oauth::REVOCATION_PATH, oauth::LEASES_PATH];
    let open = ["/healthz", "/readyz", oauth::METADATA_PATH];
    for (peer, is_encrypted, is_refused) in [
        ("127.0.0.1", false, false),
        ("::1", false, false),
        ("10.0.0.1", false, false),
        ("192.0.2.1", false, true),
        ("2001:db8::1", false, true),
        ("192.0.2.1", true, false),
    ] {
        for path in secret {
            let response = front.visit(&Visit { peer, is_encrypted, forwarded_for: Some(b"127.0.0.1"), path });
            let status = response.status();
            let text = text(&front, response);
            assert_eq!(text.contains(plain), is_refused, "{peer} {path} {text}");
            assert!(!is_refused || (status == 400 && text.contains("malformed_request")), "{peer} {path}");
        }
        for path in open {
            let response = front.visit(&Visit { peer, is_encrypted, forwarded_for: None, path });
            assert_eq!(response.status(), 200, "{peer} {path}");
        }
    }
}

#[test]
fn metrics_are_for_this_machine_and_for_proxies_and_not_for_whom_they_pass_on() {
    for (peer, forwarded_for, shows_metrics, status) in [
        ("127.0.0.1", None, true, 200),
        ("10.0.0.1", None, true, 200),
        ("192.0.2.1", None, true, 404),
        ("192.0.2.1", Some("127.0.0.1"), true, 404),
        ("127.0.0.1", Some("192.0.2.1"), true, 404),
        ("10.0.0.1", Some("192.0.2.1"), true, 404),
        ("10.0.0.1", Some("10.0.0.2"), true, 404),
        ("127.0.0.1", None, false, 404),
    ] {
        let front = Front::new(CONFIG, shows_metrics);
        let response = front.visit(&Visit {
            peer,
            is_encrypted: true,
            forwarded_for: forwarded_for.map(str::as_bytes),
            path: "/metrics",
        });
        assert_eq!(response.status(), status, "{peer} {forwarded_for:?} {shows_metrics}");
        assert_eq!(text(&front, response).contains("hublease_broker"), status == 200);
    }
}

#[test]
fn a_body_is_read_whole_or_not_at_all() {
    let runtime = Builder::new_current_thread().build().unwrap();
    for (size, is_read) in [(0, true), (MAX_BODY_BYTES, true), (MAX_BODY_BYTES + 1, false)] {
        let body = runtime.block_on(read(Body::from(vec![b'x'; size])));
        assert_eq!(body.map(|body| body.len()), is_read.then_some(size));
    }
}

/// A body whose pieces each hold a buffer of their own, as hyper's do, and which looks how many of them are kept.
struct Pieces {
    left: usize,
    kept: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

/// One byte, and all that it keeps.
struct Piece(Arc<AtomicUsize>);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        b"x"
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl axum::body::HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        let kept = self.kept.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(kept, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(Piece(Arc::clone(&self.kept)))))))
    }
}

#[test]
fn a_body_of_single_bytes_keeps_no_buffer_alive() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let (kept, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let pieces = Pieces { left: 1000, kept: Arc::clone(&kept), most: Arc::clone(&most) };
    assert_eq!(runtime.block_on(read(Body::new(pieces))), Some(vec![b'x'; 1000]));
    assert_eq!((kept.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (0, 1));
}
