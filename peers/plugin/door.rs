//! TLS as go-plugin wants it: each side shows a certificate that it has made for this start, and knows the other's beforehand.

use std::error::Error;
use std::sync::Arc;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};

/// Our side.
pub struct Door {
    pub server: Arc<ServerConfig>,
    /// What the first line tells the server.
    pub certificate: Vec<u8>,
}

/// Makes our certificate; `peer` is the server's in PEM form.
pub fn configure(peer: &str) -> Result<Door, Box<dyn Error>> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    // Whatever the machine's clock says.
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2056, 1, 1));
    let certificate = params.self_signed(&key)?.der().clone();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let known = Known(CertificateDer::from_pem_slice(peer.as_bytes())?);
    let mut server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(known))
        .with_single_cert(vec![certificate.clone()], private)?;
    server.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Door { server: Arc::new(server), certificate: certificate.to_vec() })
}

/// The server's certificate. It says that it is an authority and is used as a client's, so the usual verifier refuses it.
#[derive(Debug)]
struct Known(CertificateDer<'static>);

impl ClientCertVerifier for Known {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if *shown == self.0 {
            return Ok(ClientCertVerified::assertion());
        }
        Err(rustls::Error::General("not the server's certificate".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("the server speaks TLS 1.3".to_owned()))
    }

    /// The signature is by a key on P-521, which our cryptography does not know. It goes unchecked: the socket is a file of the
    /// test's own directory, and there is nothing here to protect.
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP521_SHA512]
    }
}
