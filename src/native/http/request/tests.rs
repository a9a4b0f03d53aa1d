//! Against loopback listeners that each serve one connection.

mod tls;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hublease_protocol::endpoint::Origin;
use hublease_protocol::secret::Secret;

use crate::effect::http::{Destination, Failure, Header, Method, NO_TEXT, Obstacle, Repeat, Request, Response};
use crate::environment::Environment;
use crate::native::http::request::{HttpClient, MAXIMUM_BODY};
use crate::native::{Certificates, Trusted};

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(300);

fn request(method: Method, path: &str, body: &str) -> Request {
    Request {
        to: Destination::Provider,
        method,
        path_and_query: path.to_owned(),
        headers: vec![(Header::XVaultToken, Secret::new("hvs.x"))],
        body: Secret::new(body),
        repeat: Repeat::Never,
    }
}

fn client(origin: &str, extra: Option<&str>, variables: &[(&str, &str)]) -> HttpClient {
    // Without this, each test would read the system's roots.
    let mut all = vec![("SSL_CERT_FILE".to_owned(), "/nonexistent".to_owned())];
    all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    HttpClient::new(
        vec![(Destination::Provider, Origin::parse(origin).unwrap())],
        extra
            .map(|pem| Trusted { certificates: Certificates::from_pem(pem.as_bytes()).unwrap(), provider_only: false }),
        Environment::new(all),
    )
}

fn get(origin: &str) -> Result<Response, Failure> {
    client(origin, None, &[]).send(&request(Method::Get, "/v1/x?y=z", ""), LONG)
}

/// Reads the head of a request or of CONNECT, and the body that it announces.
fn read_request(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// Serves one connection on `address`; returns the port and what `serve` returns.
fn listen<T: Send + 'static>(
    address: &str,
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, thread::spawn(move || serve(listener.accept().unwrap().0)))
}

/// Serves one plain connection: reads the request, writes `answer`, closes.
fn answering(answer: impl Into<Vec<u8>>) -> (String, JoinHandle<String>) {
    let answer = answer.into();
    let (port, thread) = listen("127.0.0.1", move |mut stream| {
        let request = read_request(&mut stream);
        // A client that has read enough hangs up.
        let _ = stream.write_all(&answer);
        request
    });
    (format!("http://127.0.0.1:{port}"), thread)
}

#[test]
fn the_request_as_it_is_sent() {
    let (origin, server) = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
    let answer = client(&origin, None, &[]).send(&request(Method::Post, "/v1/x?y=z", "a=b"), LONG).unwrap();
    assert_eq!((answer.status, answer.body.expose()), (200, "hi"));
    let sent = server.join().unwrap().to_lowercase();
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!((lines.remove(0), body), ("post /v1/x?y=z http/1.1", "a=b"));
    lines.sort_unstable();
    let expected = [
        "accept: */*".to_owned(),
        "content-length: 3".to_owned(),
        format!("host: {}", origin.trim_start_matches("http://")),
        concat!("user-agent: hublease/", env!("CARGO_PKG_VERSION")).to_owned(),
        "x-vault-token: hvs.x".to_owned(),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn every_status_is_an_answer_and_no_redirect_is_followed() {
    for status in [200, 204, 301, 302, 307, 308, 400, 401, 403, 404, 412, 429, 500, 503] {
        for method in [Method::Get, Method::Post] {
            let (origin, server) = answering(format!(
                "HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/elsewhere\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n"
            ));
            let answer = client(&origin, None, &[]).send(&request(method, "/", ""), LONG).unwrap();
            assert_eq!(answer.status, status);
            assert_eq!(answer.location.as_deref(), Some("http://127.0.0.1:1/elsewhere"));
            assert_eq!(answer.retry_after.as_deref(), Some("7"));
            server.join().unwrap();
        }
    }
}

#[test]
fn docker_hubs_own_retry_header_counts_as_well() {
    // A moment, not a wait: one that is past asks for no wait at all.
    let (origin, _server) = answering("HTTP/1.1 429 X\r\nX-Retry-After: 1700000000\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(get(&origin).unwrap().retry_after.as_deref(), Some("0"));
    let long = "x".repeat(3000);
    let (origin, _server) = answering(format!("HTTP/1.1 302 X\r\nlocation: /{long}\r\ncontent-length: 0\r\n\r\n"));
    assert_eq!(get(&origin).unwrap().location, None);
}

#[test]
fn what_is_not_text_is_said_to_be_none() {
    let (origin, _server) = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\xfe".as_slice());
    assert_eq!(get(&origin).unwrap().body.expose(), NO_TEXT);
}

/// An address at which nothing listens, and nothing will while the connection is held whose near end it is.
fn closed() -> ((TcpListener, TcpStream), SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let address = near.local_addr().unwrap();
    ((listener, near), address)
}

#[test]
fn without_a_connection_the_request_was_not_carried_out() {
    let (_held, free) = closed();
    assert_eq!(get(&format!("http://{free}")), Err(Failure::Unreachable(Obstacle::Closed)));
    assert_eq!(get("https://localhost.invalid"), Err(Failure::Unreachable(Obstacle::UnknownName)));
    let nobody = HttpClient::new(Vec::new(), None, Environment::default());
    assert_eq!(nobody.send(&request(Method::Get, "/", ""), LONG), Err(Failure::Unsendable));
    // Had one of these been sent, it would have been answered.
    let (origin, _server) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    for (path, value) in [("x", "y"), ("", "y"), ("/ x", "y"), ("/x", "a\r\nb: c")] {
        let request = Request { headers: vec![(Header::Accept, Secret::new(value))], ..request(Method::Get, path, "") };
        assert_eq!(client(&origin, None, &[]).send(&request, LONG), Err(Failure::Unsendable), "{path}");
    }
    assert_eq!(get(&origin).map(|answer| answer.status), Ok(200));
}

#[test]
fn silence_is_slow_before_and_in_the_body() {
    for beginning in ["", "HTTP/1.1 200 OK\r\ncontent-", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"] {
        let (port, server) = listen("127.0.0.1", move |mut stream| {
            read_request(&mut stream);
            stream.write_all(beginning.as_bytes()).unwrap();
            // Until the client hangs up.
            let _ = stream.read(&mut [0]);
        });
        let client = client(&format!("http://127.0.0.1:{port}"), None, &[]);
        assert_eq!(client.send(&request(Method::Get, "/", ""), SHORT), Err(Failure::Slow), "{beginning}");
        server.join().unwrap();
    }
}

#[test]
fn a_connection_that_breaks_is_cut() {
    for beginning in [
        "",
        "HTTP/1.1 200 OK\r\nconte",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        "not http at all\r\n\r\n",
    ] {
        let (origin, _server) = answering(beginning);
        assert_eq!(get(&origin), Err(Failure::Cut), "{beginning}");
    }
}

#[test]
fn more_than_the_cap_is_an_error_and_not_cut_short() {
    let exact = [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".as_slice(), &vec![b'x'; MAXIMUM_BODY]].concat();
    let (origin, _server) = answering(exact.clone());
    assert_eq!(get(&origin).unwrap().body.len(), MAXIMUM_BODY);
    let (origin, _server) = answering([exact.as_slice(), b"x"].concat());
    assert_eq!(get(&origin), Err(Failure::TooLarge));
    let (origin, _server) = answering("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n");
    assert_eq!(get(&origin), Err(Failure::TooLarge));
    let (origin, _server) = answering(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(100_000)));
    assert_eq!(get(&origin), Err(Failure::TooLarge));
}

#[test]
fn an_ipv6_address_is_a_host() {
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let (port, server) = listen("::1", |mut stream| {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 204 X\r\n\r\n").unwrap();
    });
    assert_eq!(get(&format!("http://[::1]:{port}")).map(|answer| answer.status), Ok(204));
    server.join().unwrap();
}
