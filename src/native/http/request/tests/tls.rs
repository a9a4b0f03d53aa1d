//! TLS, authorities and proxies.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::effect::http::{Failure, Method, Obstacle};
use crate::native::http::request::tests::{
    HttpClient, LONG, answering, client, closed, get, listen, read_request, request,
};

/// An authority, and a server configuration with its certificate for `name`.
fn authority(name: &str) -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
    (issuer.pem(), Arc::new(config.unwrap()))
}

/// Answers one request over TLS; returns it, or nothing if the client refused.
fn serve_tls(config: Arc<ServerConfig>, stream: TcpStream) -> Option<String> {
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).ok()?;
    }
    let mut peek = [0];
    if stream.read(&mut peek).ok()? == 0 {
        return None;
    }
    let request = read_request(&mut peek.as_slice().chain(&mut stream));
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
    stream.conn.send_close_notify();
    stream.flush().unwrap();
    Some(request)
}

fn status(client: &HttpClient) -> Result<u16, Failure> {
    client.send(&request(Method::Get, "/", ""), LONG).map(|answer| answer.status)
}

#[test]
fn an_authority_is_trusted_when_it_was_given_and_only_for_its_name() {
    let (pem, config) = authority("localhost");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("roots.pem");
    std::fs::write(&file, &pem).unwrap();
    let serve = || {
        let config = Arc::clone(&config);
        listen("127.0.0.1", move |stream| serve_tls(config, stream))
    };
    let (port, server) = serve();
    assert_eq!(status(&client(&format!("https://localhost:{port}"), Some(&pem), &[])), Ok(200));
    assert!(server.join().unwrap().is_some());
    let (port, server) = serve();
    let variables = [("SSL_CERT_FILE", file.to_str().unwrap())];
    assert_eq!(status(&client(&format!("https://localhost:{port}"), None, &variables)), Ok(200));
    assert!(server.join().unwrap().is_some());
    for (host, extra) in [("localhost", None), ("127.0.0.1", Some(pem.as_str()))] {
        let (port, server) = serve();
        let client = client(&format!("https://{host}:{port}"), extra, &[]);
        assert_eq!(status(&client), Err(Failure::Untrusted), "{host}");
        assert_eq!(server.join().unwrap(), None);
    }
}

#[test]
fn a_handshake_that_fails_otherwise_is_no_connection() {
    let closed = Failure::Unreachable(Obstacle::Other);
    for (answer, failure) in [
        ("", closed),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", Failure::NoTls),
        ("SSH-2.0-OpenSSH_9.2\r\n", Failure::NoTls),
        ("220 mail.example ESMTP\r\n", Failure::NoTls),
        // An alert: handshake_failure.
        ("\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}", Failure::NoTls),
        // Half of a record.
        ("\u{16}\u{3}\u{3}", closed),
    ] {
        let (port, server) = listen("127.0.0.1", move |mut stream| {
            let mut hello = [0; 64];
            let _ = stream.read(&mut hello);
            let _ = stream.write_all(answer.as_bytes());
        });
        assert_eq!(get(&format!("https://127.0.0.1:{port}")), Err(failure), "{answer}");
        server.join().unwrap();
    }
}

#[test]
fn a_proxy_is_asked_for_a_tunnel_and_sees_no_more() {
    // An underscore is not a host name's by the letter, but container networks have them.
    let (pem, config) = authority("vault_1.example");
    let (port, proxy) = listen("127.0.0.1", move |mut stream| {
        let connect = read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        (connect, serve_tls(config, stream))
    });
    let variables = [("HTTPS_PROXY", format!("http://user:p%40ss@127.0.0.1:{port}"))];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(status(&client("https://vault_1.example:8200", Some(&pem), &variables)), Ok(200));
    let (connect, inner) = proxy.join().unwrap();
    assert!(connect.starts_with("CONNECT vault_1.example:8200 HTTP/1.1\r\n"), "{connect}");
    assert!(connect.contains("Proxy-Authorization: Basic dXNlcjpwQHNz\r\n"), "{connect}");
    assert!(!connect.contains("hvs.x"));
    let inner = inner.unwrap();
    assert!(inner.contains("hvs.x") && !inner.contains("dXNlcjpwQHNz"), "{inner}");
}

#[test]
fn a_proxy_that_refuses_or_leads_to_a_stranger_carries_nothing() {
    let through = |proxy: &str| status(&client("https://a.example", None, &[("https_proxy", proxy)]));
    for (answer, failure) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", Failure::ProxyRefused(407)),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\n\r\nno!", Failure::ProxyRefused(403)),
        ("HTTP/1.0 503 Service Unavailable\r\n\r\n", Failure::ProxyRefused(503)),
        ("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n", Failure::NoTls),
        ("HTTP/1.1 200 OK\r\n\r\n", Failure::Unreachable(Obstacle::Other)),
        ("", Failure::ProxyUnreachable(Obstacle::Other)),
        ("SSH-2.0-OpenSSH_9.2\r\n", Failure::ProxyUnreachable(Obstacle::Other)),
    ] {
        let (port, _proxy) = listen("127.0.0.1", move |mut stream| {
            read_request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        assert_eq!(through(&format!("http://127.0.0.1:{port}")), Err(failure), "{answer}");
    }
    let (_held, free) = closed();
    assert_eq!(through(&free.to_string()), Err(Failure::ProxyUnreachable(Obstacle::Closed)));
    assert_eq!(through("localhost.invalid:1"), Err(Failure::ProxyUnreachable(Obstacle::UnknownName)));
    let (_, config) = authority("a.example");
    let (port, _proxy) = listen("127.0.0.1", move |mut stream| {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        serve_tls(config, stream)
    });
    let proxy = format!("http://127.0.0.1:{port}");
    assert_eq!(status(&client("https://a.example", None, &[("https_proxy", &proxy)])), Err(Failure::Untrusted));
    let socks = [("HTTPS_PROXY", "socks5://127.0.0.1:1")];
    assert_eq!(status(&client("https://a.example", None, &socks)), Err(Failure::ProxyUnusable));
}

#[test]
fn this_machine_is_never_reached_through_a_proxy() {
    let (origin, _server) = answering("HTTP/1.1 204 X\r\n\r\n");
    let proxies = [("HTTP_PROXY", "http://127.0.0.1:1"), ("HTTPS_PROXY", "http://127.0.0.1:1")];
    assert_eq!(status(&client(&origin, None, &proxies)), Ok(204));
    let (pem, config) = authority("localhost");
    let (port, _server) = listen("127.0.0.1", move |stream| serve_tls(config, stream));
    assert_eq!(status(&client(&format!("https://localhost:{port}"), Some(&pem), &proxies)), Ok(200));
}
