//! Requests as text, answers taken apart by hand; through TLS where the proxy is the way.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use hublease_sandbox::{ACCOUNT, PASSWORD, Sandbox};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

/// One answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a text head");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Sends raw bytes to `http://address` and reads until the server closes.
pub(crate) fn exchange(url: &str, raw: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("connect");
    // A server that refuses early may close before everything is written.
    drop(stream.write_all(raw));
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes));
    bytes
}

/// One request to a host behind the proxy; extra header lines end with CRLF each. `None` when the connection died without a whole head.
pub(crate) fn try_through_proxy(
    sandbox: &Sandbox,
    host: &str,
    line: &str,
    headers: &str,
    body: &[u8],
) -> Option<Answer> {
    let mut stream = tunnel(sandbox, host);
    let head = format!(
        "{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("write");
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes));
    bytes.windows(4).any(|window| window == b"\r\n\r\n").then(|| Answer::parse(&bytes))
}

pub(crate) fn through_proxy(sandbox: &Sandbox, host: &str, line: &str, headers: &str, body: &[u8]) -> Answer {
    try_through_proxy(sandbox, host, line, headers, body).expect("an answer")
}

/// A TLS connection to `host`, trusting the run's authority alone.
fn tunnel(sandbox: &Sandbox, host: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut stream = TcpStream::connect(sandbox.proxy_url().trim_start_matches("http://")).expect("connect");
    stream.write_all(format!("CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\n\r\n").as_bytes()).expect("write");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the proxy's answer");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sandbox.ca_pem().as_bytes()).expect("a certificate")).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).expect("a host name");
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).expect("TLS"), stream)
}

/// A Hub API bearer of the seeded account, as an `Authorization` line.
pub(crate) fn hub_bearer(sandbox: &Sandbox) -> String {
    let body = json!({ "identifier": ACCOUNT, "secret": PASSWORD }).to_string();
    let answer = through_proxy(sandbox, "hub.docker.com", "POST /v2/auth/token", "", body.as_bytes());
    assert_eq!(answer.status, 200);
    format!("authorization: Bearer {}\r\n", answer.json()["access_token"].as_str().expect("a bearer"))
}

/// Sends a request and does not read: for requests that a latch holds. The connection lives as long as what is returned.
pub(crate) fn send_only(sandbox: &Sandbox, host: &str, line: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut stream = tunnel(sandbox, host);
    stream
        .write_all(format!("{line} HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes())
        .and_then(|()| stream.flush())
        .expect("write");
    stream
}

/// A call of the Hub API with a JSON body, or none for `Null`.
pub(crate) fn call_hub(sandbox: &Sandbox, line: &str, bearer: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    through_proxy(sandbox, "hub.docker.com", line, bearer, body.as_bytes())
}
