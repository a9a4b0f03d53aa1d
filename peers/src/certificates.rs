//! An authority for one test, and the certificates by it that a server and a client on this machine need.

use std::error::Error;
use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

/// Writes the folders `server` (for `localhost` and 127.0.0.1) and `client`, each with `ca.pem`, `cert.pem` and `key.pem`.
///
/// # Errors
/// When keys or files cannot be made.
pub(crate) fn write(directory: &Path) -> Result<(), Box<dyn Error>> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(DnType::CommonName, "an authority of the test");
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    for (name, usage) in
        [("server", ExtendedKeyUsagePurpose::ServerAuth), ("client", ExtendedKeyUsagePurpose::ClientAuth)]
    {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, &issuer)?.pem();
        let folder = directory.join(name);
        fs::create_dir(&folder)?;
        fs::write(folder.join("ca.pem"), &authority)?;
        fs::write(folder.join("cert.pem"), certificate)?;
        fs::write(folder.join("key.pem"), key.serialize_pem())?;
    }
    Ok(())
}
