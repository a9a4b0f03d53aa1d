//! A Docker Hub, and an issuer's keys, that answer at once: behind TLS and a CONNECT proxy, as the broker reaches the real ones.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;
use serde_json::json;

use super::Fallible;
use super::tokens::{ISSUER_HOST, keys};

/// See the module.
pub(super) struct Hub {
    pub(super) proxy: String,
    pub(super) roots: PathBuf,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    minted: AtomicUsize,
    deleted: AtomicUsize,
}

impl Hub {
    pub(super) fn start(folder: &Path) -> Fallible<Self> {
        let (config, root) = certificates()?;
        let roots = folder.join("root.pem");
        std::fs::write(&roots, root)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let proxy = format!("http://{}", listener.local_addr()?);
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, counts) = (Arc::clone(&config), Arc::clone(&shared));
                // A connection that breaks off is the broker's end.
                thread::spawn(move || drop(serve(stream, config, &counts)));
            }
        });
        Ok(Self { proxy, roots, counts })
    }

    pub(super) fn deleted(&self) -> usize {
        self.counts.deleted.load(Ordering::Relaxed)
    }
}

fn certificates() -> Fallible<(Arc<ServerConfig>, String)> {
    let mut root = CertificateParams::new(Vec::new())?;
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate()?;
    let root_pem = root.self_signed(&root_key)?.pem();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate()?;
    let names = vec!["hub.docker.com".to_owned(), ISSUER_HOST.to_owned()];
    let leaf = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    Ok((Arc::new(config), root_pem))
}

fn serve(mut stream: TcpStream, config: Arc<ServerConfig>, counts: &Counts) -> Fallible<()> {
    stream.set_nodelay(true)?;
    let host = read_head(&mut BufReader::with_capacity(1, &stream))?.0;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(config)?, stream));
    loop {
        let (line, length) = read_head(&mut stream)?;
        std::io::copy(&mut (&mut stream).take(length), &mut std::io::sink())?;
        let (status, body) = answer(&line, host.contains(ISSUER_HOST), counts);
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
        stream.get_mut().write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    }
}

/// The first line, and how long the body is.
fn read_head(stream: &mut impl BufRead) -> Fallible<(String, u64)> {
    let (mut first, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err("closed".into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok((first, length));
        }
        if first.is_empty() {
            line.clone_into(&mut first);
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
}

fn answer(line: &str, is_issuer: bool, counts: &Counts) -> (&'static str, String) {
    let text = |value: serde_json::Value| value.to_string();
    match line.split(' ').next().unwrap_or_default() {
        _ if is_issuer => ("200 OK", keys()),
        "POST" if line.contains("/v2/auth/token") => ("200 OK", text(json!({"access_token": "bearer"}))),
        "POST" => {
            let number = counts.minted.fetch_add(1, Ordering::Relaxed);
            ("201 Created", text(json!({"id": format!("token-{number}"), "token": format!("dckr_oat_{number:027}")})))
        }
        "DELETE" => {
            counts.deleted.fetch_add(1, Ordering::Relaxed);
            ("204 No Content", String::new())
        }
        _ => ("200 OK", text(json!({"total": 0, "results": []}))),
    }
}
