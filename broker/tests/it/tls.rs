//! The broker's own certificate: what is spoken, what is renewed, what is refused, and who cannot hold others up.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::Arc;

use hublease_broker::config::TlsFiles;
use hublease_broker::edge::tls::{Look, Tls};
use rcgen::{CertificateParams, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, ProtocolVersion, SignatureScheme, StreamOwned};
use tempfile::TempDir;

use crate::stub::Running;
use crate::testing::{CONFIG, World};

/// A folder of pairs, of which one is the present one, as Kubernetes shows a secret: by a symbolic link.
pub(crate) struct Secrets {
    folder: TempDir,
}

impl Secrets {
    pub(crate) fn new() -> Self {
        let secrets = Self { folder: tempfile::tempdir().unwrap() };
        secrets.add("first");
        secrets.show("first");
        secrets
    }

    /// Makes a pair, and gives its certificate.
    fn add(&self, name: &str) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        self.write(name, &certificate.pem(), &key.serialize_pem());
        certificate.der().clone()
    }

    fn write(&self, name: &str, certificate: &str, key: &str) {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("tls.crt"), certificate).unwrap();
        fs::write(folder.join("tls.key"), key).unwrap();
        fs::set_permissions(folder.join("tls.key"), fs::Permissions::from_mode(0o640)).unwrap();
    }

    fn read(&self, name: &str, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(name).join(file)).unwrap()
    }

    /// Turns the link.
    fn show(&self, name: &str) {
        let (new, link) = (self.folder.path().join("new"), self.folder.path().join("data"));
        symlink(name, &new).unwrap();
        fs::rename(new, link).unwrap();
    }

    pub(crate) fn files(&self) -> TlsFiles {
        let file = |name: &str| self.folder.path().join("data").join(name);
        TlsFiles { certificate: file("tls.crt"), key: file("tls.key") }
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.files().key
    }

    /// What is said, without the folder's name.
    fn without_path(&self, message: &str) -> String {
        message.replace(self.folder.path().join("data/").to_str().unwrap(), "")
    }
}

/// Takes any certificate, and checks the signatures: what is shown is compared by the test.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

pub(crate) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// A connection on which the handshake is over.
pub(crate) fn connect(url: &str) -> Result<TlsStream, std::io::Error> {
    connect_with(url, rustls::ALL_VERSIONS, &["http/1.1"])
}

fn connect_with(
    url: &str,
    versions: &[&'static rustls::SupportedProtocolVersion],
    protocols: &[&str],
) -> Result<TlsStream, std::io::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let mut socket = TcpStream::connect(url.strip_prefix("https://").unwrap())?;
    let mut connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(connection, socket))
}

/// Asks on a connection that stays open, and gives the status line.
fn ask(stream: &mut TlsStream, path: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let mut piece = [0; 512];
        let size = stream.read(&mut piece).unwrap();
        assert!(size > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..size]);
    }
    String::from_utf8(answer).unwrap().lines().next().unwrap().to_owned()
}

fn shown(stream: &TlsStream) -> CertificateDer<'static> {
    stream.conn.peer_certificates().unwrap()[0].clone()
}

fn start(secrets: &Secrets) -> (Arc<Tls>, Running) {
    let tls = Arc::new(Tls::load(secrets.files()).unwrap());
    let running = Running::start_with(World::new(CONFIG).broker, |edge| {
        edge.tls = Some(Arc::clone(&tls));
        edge.connections = 8;
    });
    (tls, running)
}

#[test]
fn tls_of_both_versions_carries_http_1_1_and_nothing_else() {
    let secrets = Secrets::new();
    let (_, running) = start(&secrets);
    for (version, expected) in
        [(&rustls::version::TLS12, ProtocolVersion::TLSv1_2), (&rustls::version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        let mut stream = connect_with(&running.url, &[version], &["h2", "http/1.1"]).unwrap();
        assert_eq!(stream.conn.protocol_version(), Some(expected));
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert_eq!(ask(&mut stream, "/healthz"), "HTTP/1.1 200 OK");
    }
    assert!(connect_with(&running.url, rustls::ALL_VERSIONS, &["h2"]).is_err(), "HTTP/2 alone is refused");
    let mut plain = TcpStream::connect(running.url.strip_prefix("https://").unwrap()).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    drop(plain.read_to_end(&mut answer));
    assert!(!answer.starts_with(b"HTTP"), "plain HTTP is not answered");
}

#[test]
fn a_new_pair_is_for_newcomers_and_a_broken_one_for_nobody() {
    let secrets = Secrets::new();
    let (tls, running) = start(&secrets);
    let mut earlier = connect(&running.url).unwrap();
    let first = shown(&earlier);
    assert_eq!(tls.look_again(), Look::Unchanged);

    let second = secrets.add("second");
    secrets.show("second");
    assert_eq!(tls.look_again(), Look::Renewed);
    assert_eq!(tls.look_again(), Look::Unchanged);
    assert_ne!(first, second);
    assert_eq!(shown(&connect(&running.url).unwrap()), second);
    assert_eq!(ask(&mut earlier, "/healthz"), "HTTP/1.1 200 OK", "who was there stays");

    let (certificate, key) = (secrets.read("second", "tls.crt"), secrets.read("second", "tls.key"));
    let other_key = secrets.read("first", "tls.key");
    let cut = certificate.lines().take(3).collect::<Vec<_>>().join("\n");
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (index, (certificate, key, reason)) in [
        (certificate.as_str(), other_key.as_str(), "`tls.key` is not the key of the certificate"),
        (&certificate, "", "`tls.key` holds no private key in PEM"),
        (&certificate, &certificate, "`tls.key` holds no private key in PEM"),
        (&certificate, &key.replace("-----BEGIN", "----BEGIN"), "`tls.key` holds no private key in PEM"),
        ("", &key, "`tls.crt` holds no certificate in PEM"),
        (&key, &key, "`tls.crt` holds no certificate in PEM"),
        (&cut, &key, "`tls.crt` holds no certificate in PEM"),
        (no_certificate, &key, "`tls.crt` begins with a certificate that cannot be used"),
        (&"x".repeat(256 * 1024 + 1), &key, "`tls.crt` is larger than 256 KiB"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("broken-{index}");
        secrets.write(&name, certificate, key);
        secrets.show(&name);
        let Look::Unusable(error) = tls.look_again() else { panic!("{reason}") };
        assert_eq!(secrets.without_path(&error.to_string()), reason);
        assert_eq!(tls.look_again(), Look::Unchanged, "it is said once: {reason}");
        assert_eq!(shown(&connect(&running.url).unwrap()), second, "{reason}");
    }
    fs::remove_file(secrets.folder.path().join("data")).unwrap();
    let Look::Unusable(error) = tls.look_again() else { panic!("the files are gone") };
    assert_eq!(secrets.without_path(&error.to_string()), "`tls.crt` cannot be read: entity not found");
    secrets.show("second");
    assert_eq!(tls.look_again(), Look::Renewed);
}

#[test]
fn a_key_that_everybody_may_read_is_not_used() {
    let secrets = Secrets::new();
    for (mode, is_refused) in
        [(0o600, false), (0o440, false), (0o644, true), (0o604, true), (0o602, true), (0o777, true)]
    {
        fs::set_permissions(secrets.key(), fs::Permissions::from_mode(mode)).unwrap();
        let said = Tls::load(secrets.files()).err().map(|error| secrets.without_path(&error.to_string()));
        let reason = format!("`tls.key` is open to every user of this machine (mode {mode:04o}); `chmod o= FILE`");
        assert_eq!(said, is_refused.then_some(reason));
    }
}

#[test]
fn handshakes_that_never_come_hold_nobody_up() {
    let secrets = Secrets::new();
    let (_, running) = start(&secrets);
    let address = running.url.strip_prefix("https://").unwrap();
    // Three times as many as there is room for: some silent, some in the middle of the first record.
    let silent = (0..24).map(|index| {
        let mut stream = TcpStream::connect(address).unwrap();
        if index % 2 == 0 {
            stream.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
        }
        stream
    });
    let silent: Vec<_> = silent.collect();
    for _ in 0..3 {
        assert_eq!(ask(&mut connect(&running.url).unwrap(), "/healthz"), "HTTP/1.1 200 OK");
    }
    assert_eq!(silent.len(), 24);
}
