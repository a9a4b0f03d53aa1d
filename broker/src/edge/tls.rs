//! The broker's certificate: read from its files, and read again when they change.
//!
//! Certificates live for weeks and brokers for longer. The files' contents are compared, not their names or times, because
//! Kubernetes changes a secret by turning a symbolic link. A new pair that cannot be used leaves the old one in place and is
//! reported once. No message holds anything of a file's content.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::{InconsistentKeys, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::config::TlsFiles;
use crate::identity::claims::sha256;
use crate::limits::MAX_PEM_BYTES;
use crate::secret_file::{self, Guard};

/// The only protocol that is spoken inside.
const ALPN: &[u8] = b"http/1.1";

/// The certificate that newcomers are shown.
pub struct Tls {
    files: TlsFiles,
    state: Mutex<State>,
}

struct State {
    config: Arc<ServerConfig>,
    /// What was found at the last look: the hash of the pair, or why there was none.
    seen: Result<String, TlsError>,
}

/// What a look at the files has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Nothing that was not there at the last look.
    Unchanged,
    /// A new pair. Newcomers are shown it from now on.
    Renewed,
    /// Something new that cannot be used. Newcomers are shown what they were shown before.
    Unusable(TlsError),
}

impl Tls {
    /// Reads the pair.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let pair = Pair::read(&files)?;
        let state = Mutex::new(State { config: pair.config(&files)?, seen: Ok(pair.hash()) });
        Ok(Self { files, state })
    }

    /// What the next handshake uses.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// Reads the files again. Blocks on the disk.
    pub fn look_again(&self) -> Look {
        let pair = Pair::read(&self.files);
        let hash = pair.as_ref().map(Pair::hash).map_err(Clone::clone);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.seen == hash {
            return Look::Unchanged;
        }
        state.seen = hash;
        match pair.and_then(|pair| pair.config(&self.files)) {
            Ok(config) => {
                state.config = config;
                Look::Renewed
            }
            Err(error) => Look::Unusable(error),
        }
    }
}

/// The two files as they are.
struct Pair {
    certificate: Zeroizing<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
}

impl Pair {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { certificate: read(&files.certificate, None)?, key: read(&files.key, Some(Guard::Secret))? })
    }

    fn hash(&self) -> String {
        sha256(format!("{} {}", sha256(&self.certificate), sha256(&self.key)).as_bytes())
    }

    fn config(&self, files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
        let no_certificate = || TlsError::of(&files.certificate, "holds no certificate in PEM");
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|_holds_its_text| no_certificate())?;
        if chain.is_empty() {
            return Err(no_certificate());
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_holds_its_text| TlsError::of(&files.key, "holds no private key in PEM"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    TlsError::of(&files.key, "is not the key of the certificate")
                }
                rustls::Error::InvalidCertificate(_) => {
                    TlsError::of(&files.certificate, "begins with a certificate that cannot be used")
                }
                _ => TlsError::of(&files.key, "holds a private key that cannot be used"),
            })?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(config))
    }
}

/// Reads a file; the key as every secret is.
fn read(path: &Path, guard: Option<Guard>) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let unreadable = |error: std::io::Error| TlsError::of(path, format!("cannot be read: {}", error.kind()));
    let file = match guard {
        Some(guard) => secret_file::open(path, guard).map_err(|error| TlsError::of(path, error.to_string()))?,
        None => File::open(path).map_err(unreadable)?,
    };
    let about = file.metadata().map_err(unreadable)?;
    // Room from the start, so that no half-grown copy stays behind.
    let room = usize::try_from(about.len().min(MAX_PEM_BYTES)).unwrap_or_default() + 64;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    let size = file.take(MAX_PEM_BYTES + 1).read_to_end(&mut content).map_err(unreadable)?;
    if size as u64 <= MAX_PEM_BYTES {
        Ok(content)
    } else {
        Err(TlsError::of(path, format!("is larger than {} KiB", MAX_PEM_BYTES / 1024)))
    }
}

/// Why a certificate and its key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsError {
    /// The file to blame.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl TlsError {
    fn of(path: &Path, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), reason: reason.into() }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for TlsError {}
