//! What the CONNECT proxy lets through.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use hublease_sandbox::{Sandbox, Service};

use crate::support::{exchange, text, through_proxy};

#[test]
fn any_other_destination_is_refused_and_remembered() {
    let sandbox = Sandbox::start().unwrap();
    for target in ["example.com:443", "hub.docker.com:80", "127.0.0.1:443"] {
        let answer =
            exchange(&sandbox.proxy_url(), format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n").as_bytes());
        assert!(text(&answer).starts_with("HTTP/1.1 403 "), "{}", text(&answer));
    }
    let answer = exchange(&sandbox.proxy_url(), b"GET http://hub.docker.com/ HTTP/1.1\r\nhost: hub.docker.com\r\n\r\n");
    assert!(text(&answer).starts_with("HTTP/1.1 403 "));
    let expected =
        ["CONNECT example.com:443", "CONNECT hub.docker.com:80", "CONNECT 127.0.0.1:443", "GET http://hub.docker.com/"];
    assert_eq!(sandbox.unexpected(), expected);
    assert!(sandbox.log().is_empty());
}

#[test]
fn a_host_that_a_test_registers_reaches_its_own_server() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let sandbox = Sandbox::start().unwrap();
    sandbox.forward("broker.example.com", server.local_addr().unwrap());
    let upstream = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut seen = Vec::new();
        while !text(&seen).ends_with("grant_type=x") {
            let mut chunk = [0; 1024];
            let count = stream.read(&mut chunk).unwrap();
            seen.extend_from_slice(&chunk[..count]);
        }
        stream
            .write_all(b"HTTP/1.1 418 Teapot\r\ntransfer-encoding: chunked\r\nx-a: 1\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
            .unwrap();
        text(&seen)
    });
    let headers = "accept: a/b\r\naccept: c/d\r\n";
    let answer = through_proxy(&sandbox, "broker.example.com", "POST /oauth/token?x=1", headers, b"grant_type=x");
    assert_eq!((answer.status, answer.header("x-a"), answer.body.as_slice()), (418, Some("1"), b"abc".as_slice()));
    let seen = upstream.join().unwrap();
    assert!(seen.starts_with("POST /oauth/token?x=1 HTTP/1.1\r\nhost: broker.example.com\r\n"), "{seen}");
    assert!(seen.contains("accept: a/b\r\naccept: c/d\r\n"), "every line is passed on: {seen}");
    let logged = &sandbox.requests(Service::Forwarded)[0];
    assert_eq!(
        (logged.host.as_str(), logged.status, logged.header("accept").as_deref()),
        ("broker.example.com", Some(418), Some("a/b, c/d"))
    );
}
