//! The two fixed test keys: signing, checking and publishing (RFC 7515, 7517, 7518; RS256 only).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair as RsaKeyPair, PublicKeyComponents};
use ring::signature::{self, KeyPair as _};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// Key id of the issuer's key.
const ISSUER_KEY_ID: &str = "sandbox-test-only-1";
/// Key id of the second key, once it is published.
const FOREIGN_KEY_ID: &str = "sandbox-test-only-2";

/// Which of the two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Issuer,
    Foreign,
}

pub(super) struct Keys {
    issuer: RsaKeyPair,
    foreign: RsaKeyPair,
}

impl Keys {
    pub(super) fn load() -> Result<Self, String> {
        Ok(Self {
            issuer: key(include_str!("../../keys/issuer.test-only.pem"))?,
            foreign: key(include_str!("../../keys/foreign.test-only.pem"))?,
        })
    }

    pub(super) fn id(which: Which) -> &'static str {
        match which {
            Which::Issuer => ISSUER_KEY_ID,
            Which::Foreign => FOREIGN_KEY_ID,
        }
    }

    /// `header.payload.signature`.
    pub(super) fn sign(&self, which: Which, header: &Value, claims: &Value) -> String {
        let input = signing_input(header, claims);
        let key = self.pair(which);
        let mut raw = vec![0; key.public().modulus_len()];
        // Signing fails only for a broken key or without randomness; an empty signature is refused by every verifier.
        if key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut raw).is_err() {
            raw.clear();
        }
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(raw))
    }

    /// The claims of a token that one of the published keys signed.
    pub(super) fn verify(&self, token: &str, foreign_published: bool) -> Result<Value, String> {
        let (input, signature_part) = token.rsplit_once('.').ok_or("not a JWT")?;
        let (header, claims) = input.split_once('.').ok_or("not a JWT")?;
        let header = segment(header)?;
        if header["alg"] != "RS256" {
            return Err(format!("unexpected signature algorithm {}", header["alg"]));
        }
        let which = match header["kid"].as_str() {
            Some(ISSUER_KEY_ID) => Which::Issuer,
            Some(FOREIGN_KEY_ID) if foreign_published => Which::Foreign,
            _ => return Err("no known key for this token".to_owned()),
        };
        let raw = URL_SAFE_NO_PAD.decode(signature_part).map_err(|error| format!("signature: {error}"))?;
        let public = components(self.pair(which));
        public
            .verify(&signature::RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &raw)
            .map_err(|ring::error::Unspecified| "signature does not match".to_owned())?;
        segment(claims)
    }

    /// The JSON Web Key Set.
    pub(super) fn key_set(&self, foreign_published: bool) -> Value {
        let published =
            [Which::Issuer, Which::Foreign].into_iter().filter(|which| *which == Which::Issuer || foreign_published);
        let keys: Vec<_> = published
            .map(|which| {
                let public = components(self.pair(which));
                json!({
                    "kty": "RSA", "use": "sig", "alg": "RS256", "kid": Self::id(which),
                    "n": URL_SAFE_NO_PAD.encode(&public.n), "e": URL_SAFE_NO_PAD.encode(&public.e),
                })
            })
            .collect();
        json!({ "keys": keys })
    }

    fn pair(&self, which: Which) -> &RsaKeyPair {
        match which {
            Which::Issuer => &self.issuer,
            Which::Foreign => &self.foreign,
        }
    }
}

/// The first two segments of a JWT.
pub(super) fn signing_input(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn segment(text: &str) -> Result<Value, String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| format!("segment: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("segment: {error}"))
}

fn components(key: &RsaKeyPair) -> PublicKeyComponents<Vec<u8>> {
    PublicKeyComponents::from(key.public_key())
}

fn key(pem: &str) -> Result<RsaKeyPair, String> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| format!("test key: {error}"))?;
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|error| format!("test key: {error}"))
}
