//! An issuer's key and its address: what it signs, the broker's own verifier accepts.
//!
//! Verified claims cannot be made in any other way, and that is how it should be.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hublease_broker::identity::issuer::{Algorithm, Issuer};
use hublease_hub::outbound::{Call, Outbound, OutboundError, Reply};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Map, Value, json};

/// When everything happens: 2026-11-20T19:30:00Z.
pub(super) const NOW: u64 = 1_795_203_000;

/// The broker.
pub(super) const AUDIENCE: &str = "https://broker.example";

/// One key for the whole program; no claim depends on it.
pub(super) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(super) fn get() -> &'static Self {
        static SIGNER: OnceLock<Signer> = OnceLock::new();
        SIGNER.get_or_init(|| {
            let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
            let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            Self(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
        })
    }

    /// The issuer as configured, but with our key's algorithm and a fixed address for it.
    pub(super) fn issuer(issuer: &Issuer) -> Issuer {
        let jwks_uri = Some("https://keys.example/jwks".to_owned());
        Issuer { algorithm: Algorithm::Es256, jwks_uri, ..issuer.clone() }
    }

    /// A token with these claims, and with those that every token needs.
    pub(super) fn token(&self, issuer: &Issuer, mut claims: Map<String, Value>) -> String {
        claims.extend([
            ("iss".to_owned(), json!(issuer.url)),
            ("aud".to_owned(), json!(AUDIENCE)),
            ("iat".to_owned(), json!(NOW - 10)),
            ("exp".to_owned(), json!(NOW + 600)),
            ("jti".to_owned(), json!("j1")),
        ]);
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(json!({"alg": "ES256", "kid": "k"})), encode(Value::Object(claims)));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Whatever is asked, the answer is the key.
impl Outbound for Signer {
    fn send(&self, _call: &Call<'_>) -> Result<Reply, OutboundError> {
        let point = self.0.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|part| URL_SAFE_NO_PAD.encode(part));
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y}]});
        Ok(Reply { status: 200, body: keys.to_string().into_bytes(), ..Reply::default() })
    }
}
