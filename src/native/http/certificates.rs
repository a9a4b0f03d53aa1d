//! Whom TLS trusts: the system's roots, and the certificates of `--ca-cert`.
//!
//! The system's roots are read when the first `https` request is made and not before. `SSL_CERT_FILE` and
//! `SSL_CERT_DIR` replace them, as in OpenSSL and Go; they are taken from the snapshot. No switch turns
//! verification off.

use std::fs::File;
use std::path::{Path, PathBuf};

use hublease_protocol::printable::printable;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::effect::http::Destination;
use crate::environment::Environment;
use crate::native::process::capped::{self, Capped};

/// The largest certificate file that is read, in bytes: the bundle of a whole operating system has 250 KiB.
const MAXIMUM_FILE: usize = 1024 * 1024;

/// Certificates that are trusted in addition to the system's.
#[derive(Clone, Debug)]
pub struct Certificates(pub(in crate::native) Vec<CertificateDer<'static>>);

impl Certificates {
    /// Reads certificates in PEM form; other PEM sections are passed over.
    ///
    /// # Errors
    /// A sentence: there is no certificate in it, or one that cannot be a root.
    pub fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let Ok(certificate) = certificate else { return Err("it is not in PEM form".to_owned()) };
            if store.add(certificate.clone()).is_err() {
                return Err(format!("certificate {} in it cannot be read", certificates.len() + 1));
            }
            certificates.push(certificate);
        }
        if certificates.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(Self(certificates)) }
    }
}

/// Extra certificates, and whom they are for.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// The certificates.
    pub certificates: Certificates,
    /// Whether they are for the provider alone: a neighbour's variable (`VAULT_CACERT`) says nothing about others.
    pub provider_only: bool,
}

impl Trusted {
    pub(in crate::native) fn is_for(&self, to: Destination) -> bool {
        !self.provider_only || matches!(to, Destination::Provider | Destination::ProviderRedirect)
    }
}

/// Reads the file of `--ca-cert`.
///
/// # Errors
/// A printable sentence without the path.
pub fn read_certificates(path: &Path) -> Result<Certificates, String> {
    let unreadable = |error: std::io::Error| printable(&format!("it cannot be read: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    match capped::read(file, MAXIMUM_FILE).map_err(unreadable)? {
        Capped::Whole(pem) => Certificates::from_pem(&pem),
        Capped::TooLarge => Err("it is larger than 1 MiB".to_owned()),
    }
}

/// The system's roots, or those that the snapshot names in their place.
pub(in crate::native) fn system(environment: &Environment) -> Vec<CertificateDer<'static>> {
    let file = environment.value("SSL_CERT_FILE").map(PathBuf::from);
    let directory = environment.value("SSL_CERT_DIR").map(PathBuf::from);
    // What cannot be read is passed over: a root that is missing shows as a certificate that is not trusted.
    if file.is_none() && directory.is_none() {
        rustls_native_certs::load_native_certs().certs
    } else {
        rustls_native_certs::load_certs_from_paths(file.as_deref(), directory.as_deref()).certs
    }
}

#[cfg(test)]
mod tests {
    use super::{Certificates, read_certificates};

    #[test]
    fn only_certificates_in_pem_form_are_accepted() {
        let certificate = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.pem();
        assert_eq!(Certificates::from_pem(format!("{certificate}{certificate}").as_bytes()).unwrap().0.len(), 2);
        for text in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(Certificates::from_pem(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_that_is_missing_or_too_large_is_an_error_without_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("large.pem");
        assert!(!read_certificates(&path).unwrap_err().contains("large"));
        std::fs::write(&path, vec![b'x'; super::MAXIMUM_FILE + 1]).unwrap();
        assert_eq!(read_certificates(&path).unwrap_err(), "it is larger than 1 MiB");
    }
}
