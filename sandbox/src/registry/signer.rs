//! Signs registry tokens: ES256 with the signer's certificate in `x5c`, which a distribution registry accepts when that
//! certificate is in its `rootcertbundle`.
//!
//! Follows what distribution 2.8 was seen to require: `aud` one string, `exp` an integer, raw `r||s` signature.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DnType, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use super::{BEARER_SECONDS, ISSUER, SERVICE};
use crate::clock::real_now;
use crate::random;

pub(crate) struct Signer {
    key: EcdsaKeyPair,
    chain: String,
    certificate: String,
}

impl Signer {
    pub(crate) fn generate() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let pair = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![ISSUER.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, "hublease sandbox registry tokens (test only)");
        let certificate = params.self_signed(&pair)?;
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pair.serialize_der(), &SystemRandom::new());
        let key = key.map_err(|error| error.to_string())?;
        Ok(Self { key, chain: STANDARD.encode(certificate.der()), certificate: certificate.pem() })
    }

    /// The certificate as PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A registry token. Its times are real times, because a real registry behind the front has a clock of its own.
    pub(crate) fn sign(&self, subject: &str, access: &Value) -> String {
        let now = real_now();
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [self.chain] });
        let claims = json!({
            "iss": ISSUER, "sub": subject, "aud": SERVICE, "jti": random::uuid(),
            "iat": now, "nbf": now, "exp": now + BEARER_SECONDS, "access": access,
        });
        let input =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), input.as_bytes());
        // Signing fails only without randomness; an empty signature is refused by every registry.
        let signature =
            signature.map_or_else(|ring::error::Unspecified| String::new(), |raw| URL_SAFE_NO_PAD.encode(raw));
        format!("{input}.{signature}")
    }
}
