//! What is said to a request because of where it comes from and how often, whatever is in it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum::http::{Method, Request as HttpRequest};
use hyper::body::Frame;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use rusqlite::{Connection, TransactionBehavior};
use tokio::runtime::{Builder, Runtime};

use crate::edge::routes::*;
use crate::limits::READINESS_SECONDS;
use crate::testing::{CONFIG, NOW, Trouble, World, circleci_form};

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
    forwarded_for: Option<&'a str>,
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
        let mut request = request.body(Body::from("token=unknown")).unwrap();
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
            let response = front.visit(&Visit { peer, is_encrypted, forwarded_for: Some("127.0.0.1"), path });
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
        let response = front.visit(&Visit { peer, is_encrypted: true, forwarded_for, path: "/metrics" });
        assert_eq!(response.status(), status, "{peer} {forwarded_for:?} {shows_metrics}");
        assert_eq!(text(&front, response).contains("hublease_broker"), status == 200);
    }
}

#[test]
fn clients_are_counted_by_their_address_before_anything_is_verified() {
    let config = format!("{CONFIG}\n[limits]\nrequests_per_minute_per_address = 2\nrequests_per_minute = 7\n");
    let front = Front::new(&config, true);
    front.world.clock.set(NOW - NOW % 60 + 20);
    let visit = |peer, forwarded_for| {
        let response = front.visit(&Visit { peer, is_encrypted: true, forwarded_for, path: oauth::REVOCATION_PATH });
        let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), retry_after)
    };
    let served = (200, None);
    let refused = (429, Some("40".to_owned()));
    for (peer, forwarded_for, expected) in [
        ("192.0.2.1", None, &served),
        ("192.0.2.1", Some("198.51.100.1"), &served),
        ("192.0.2.1", Some("198.51.100.2"), &refused),
        ("10.0.0.1", Some("198.51.100.1"), &served),
        ("10.0.0.2", Some("198.51.100.1"), &served),
        ("10.0.0.3", Some("192.0.2.9, 198.51.100.1"), &refused),
        ("127.0.0.1", None, &served),
        ("127.0.0.1", None, &served),
        // The seventh that was let in, the second refused not counted, fills what all may have together.
        ("127.0.0.1", None, &served),
        ("127.0.0.1", None, &refused),
        ("192.0.2.7", None, &refused),
    ] {
        assert_eq!(visit(peer, forwarded_for), *expected, "{peer} {forwarded_for:?}");
    }
    front.world.clock.set(NOW - NOW % 60 + 60);
    assert_eq!(visit("192.0.2.1", None), served);
    assert_eq!(front.world.audit.outcomes(), vec!["revoke unknown"; 8], "who is turned away is not in the audit log");
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

#[test]
fn readiness_says_why_not() {
    let front = Front::new(CONFIG, true);
    let get = |path| {
        let response = front.visit(&Visit { peer: "192.0.2.1", is_encrypted: false, forwarded_for: None, path });
        (response.status().as_u16(), text(&front, response))
    };
    let not_ready = |reason: &str| (503, format!(r#"{{"ready":false,"reasons":["{reason}"]}}"#));
    let ready = (200, r#"{"ready":true}"#.to_owned());
    assert_eq!(get("/readyz"), ready);
    // Somebody holds the journal's file for longer than the broker waits for it.
    let mut holder = Connection::open(front.world.journal()).unwrap();
    let held = holder.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    assert_eq!(get("/readyz"), ready, "an answer is repeated for a while");
    front.world.clock.set(NOW + READINESS_SECONDS);
    let reason = "the journal could not be used: somebody else holds it for too long";
    assert_eq!(get("/readyz"), not_ready(reason));
    assert_eq!(get("/healthz"), (200, "ok\n".to_owned()), "the process lives");
    drop(held);
    assert_eq!(get("/readyz"), not_ready(reason));
    front.world.clock.set(NOW + 2 * READINESS_SECONDS);
    assert_eq!(get("/readyz"), ready);
    front.world.hub.trouble("POST /v2/orgs/", Trouble::Status(500, "SENTINEL"));
    assert!(exchange(&front.world.broker, circleci_form(&json!({}), "").as_bytes()).is_err());
    front.world.clock.set(NOW + 3 * READINESS_SECONDS);
    let account = "account `acme`: Docker Hub is not available: it answered with a fault of its own";
    assert_eq!(get("/readyz"), not_ready(account));
    front.app.end();
    assert_eq!(get("/readyz"), not_ready("the broker is ending"));
}
