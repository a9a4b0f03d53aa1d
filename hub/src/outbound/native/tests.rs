//! The outbound client against a socket that misbehaves.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::{Native, Settings};
use crate::limits::HUB_CALLS;
use crate::outbound::{Call, Outbound as _, OutboundError, RateLimit};

/// Answers each connection with the same bytes, and gives the number of connections at the end.
fn answering(bytes: Vec<u8>, connections: usize) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let serve = |_| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 4096];
            let size = stream.read(&mut request).unwrap();
            // The client may hang up in the middle of a body that is too large.
            drop(stream.write_all(&bytes));
            String::from_utf8_lossy(&request[..size]).into_owned()
        };
        (0..connections).map(serve).collect()
    });
    (url, thread)
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn client() -> Native {
    trusting(&[]).unwrap()
}

fn trusting(authorities: &[u8]) -> Result<Native, OutboundError> {
    Native::new(&Settings { user_agent: "hublease-test/1", variable: &|_| None, authorities })
}

#[test]
fn an_answer_of_any_status_is_an_answer_and_redirects_are_not_followed() {
    let head = "302 Found\r\nlocation: http://127.0.0.1:1/\r\nretry-after: 7\r\nx-retry-after: 1795203000";
    let (url, server) = answering(answer(head, b"body"), 1);
    let reply = client().send(&Call::read(format!("{url}/x?y=1")).with_bearer("b")).ok().unwrap();
    assert_eq!((reply.status, reply.body.as_slice()), (302, &b"body"[..]));
    assert_eq!((reply.retry_after, reply.retry_at), (Some(7), Some(1_795_203_000)));
    let request = server.join().unwrap().remove(0).to_lowercase();
    assert!(request.starts_with("get /x?y=1 http/1.1\r\n"));
    assert!(request.contains("\r\nauthorization: bearer b\r\n"));
    assert!(request.contains("\r\nuser-agent: hublease-test/1\r\n"));
}

#[test]
fn an_answer_is_read_whole_or_not_at_all() {
    const MIB: usize = 1024 * 1024;
    for (size, expected) in [(MIB, Ok(MIB)), (MIB + 1, Err(OutboundError("the answer is larger than 1 MiB")))] {
        let (url, server) = answering(answer("200 OK", &vec![b'x'; size]), 1);
        assert_eq!(client().send(&Call::read(url)).map(|reply| reply.body.len()), expected);
        server.join().unwrap();
    }
}

#[test]
fn plain_http_stays_on_this_machine() {
    let fault = |url: &str| client().send(&Call::read(url.to_owned())).err().unwrap();
    for url in ["http://hub.docker.com/", "http://127.0.0.1.example/", "http://localhost.example/", "ftp://127.0.0.1/"]
    {
        assert_eq!(fault(url), OutboundError("only https is spoken beyond this machine"), "{url}");
    }
    assert_eq!(fault("http://127.0.0.1:1/"), OutboundError("the connection failed"));
}

#[test]
fn what_is_left_of_the_rate_limit_is_read() {
    for (headers, expected) in [
        (
            "x-ratelimit-limit: 100\r\nX-RateLimit-Remaining: 7\r\nx-ratelimit-reset: 1795203000",
            (Some(100), Some(7), Some(1_795_203_000)),
        ),
        ("x-ratelimit-limit: many\r\nx-ratelimit-remaining: -1", (None, None, None)),
    ] {
        let (url, server) = answering(answer(&format!("200 OK\r\n{headers}"), b""), 1);
        let RateLimit { limit, remaining, reset } = client().send(&Call::read(url)).ok().unwrap().rate;
        assert_eq!((limit, remaining, reset), expected);
        server.join().unwrap();
    }
}

#[test]
fn headers_go_along_and_an_authority_is_a_certificate() {
    let (url, server) = answering(answer("204 No Content", b""), 1);
    let call = Call { headers: vec![("x-vault-token", "t")], ..Call::read(url) };
    assert_eq!(client().send(&call).map(|reply| reply.status), Ok(204));
    assert!(server.join().unwrap()[0].to_lowercase().contains("\r\nx-vault-token: t\r\n"));

    let root = include_bytes!("../../../../broker/tests/data/test-only-root.pem");
    assert!(trusting(root).is_ok());
    let none = "the file with more authorities holds no certificate in PEM";
    assert_eq!(trusting(b"no PEM").err(), Some(OutboundError(none)));
}

/// As many calls at one time as may be, twice: the second time over the connections of the first.
#[test]
fn connections_are_kept_for_the_next_calls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = client();
    let calls = HUB_CALLS as usize;
    let all_at_once = || {
        thread::scope(|scope| {
            let callers: Vec<_> =
                (0..calls).map(|_| scope.spawn(|| client.send(&Call::read(url.clone())).is_ok())).collect();
            callers.into_iter().all(|caller| caller.join().unwrap())
        })
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            // Each connection asks once before any is answered, so that none serves two callers; and then once more.
            let mut connections: Vec<_> = (0..calls).map(|_| listener.accept().unwrap().0).collect();
            for _ in 0..2 {
                connections.iter_mut().for_each(read_head);
                for connection in &mut connections {
                    connection.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
                }
            }
        });
        assert!(all_at_once(), "on new connections");
        assert!(all_at_once(), "on the same");
    });
}

fn read_head(stream: &mut TcpStream) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
}
