//! Public keys as an issuer publishes them, and the one signature check.
//!
//! Follows RFC 7517, RFC 7518 (`RSA` and `EC` P-256) and RFC 7515 section 5.2. A key that is not meant for signatures, not of
//! the pinned algorithm, without `kid`, or not understood is skipped; so is a `kid` that comes twice, because it would be a
//! matter of order which key counts. The signature itself is checked by ring, which refuses RSA keys under 2048 bits.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

use crate::identity::issuer::Algorithm;
use crate::limits::MAX_KEYS;

/// One key, bound to the algorithm that its issuer is pinned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Modulus and exponent, big endian, without leading zeros.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The exponent.
        exponent: Vec<u8>,
    },
    /// An uncompressed point on P-256.
    P256(Vec<u8>),
}

impl PublicKey {
    /// Whether `signature` is this key's signature of `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Self::P256(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
        }
    }
}

/// Keys by `kid`.
#[derive(Debug, Default)]
pub struct KeySet(BTreeMap<String, PublicKey>);

impl KeySet {
    /// The key of that id.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<PublicKey> {
        self.0.get(kid).cloned()
    }

    /// Whether there is no usable key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Entry {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The usable keys of a JWK set; nothing when it is no such set, or has more than [`MAX_KEYS`] keys.
#[must_use]
pub fn parse(body: &[u8], algorithm: Algorithm) -> Option<KeySet> {
    let document: Document = serde_json::from_slice(body).ok()?;
    if document.keys.len() > MAX_KEYS {
        return None;
    }
    let mut keys = BTreeMap::new();
    let mut repeated = Vec::new();
    for entry in document.keys {
        let Ok(entry) = Entry::deserialize(entry) else {
            continue;
        };
        let Some(key) = usable(&entry, algorithm) else {
            continue;
        };
        if keys.insert(entry.kid.clone(), key).is_some() {
            repeated.push(entry.kid);
        }
    }
    for kid in repeated {
        keys.remove(&kid);
    }
    Some(KeySet(keys))
}

fn usable(entry: &Entry, algorithm: Algorithm) -> Option<PublicKey> {
    let is_meant = entry.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
        && entry.alg.as_deref().is_none_or(|name| name == algorithm.as_str());
    if !is_meant {
        return None;
    }
    match (algorithm, entry.kty.as_str()) {
        (Algorithm::Rs256, "RSA") => {
            Some(PublicKey::Rsa { modulus: number(entry.n.as_deref()?)?, exponent: number(entry.e.as_deref()?)? })
        }
        (Algorithm::Es256, "EC") if entry.crv.as_deref() == Some("P-256") => {
            let (x, y) = (coordinate(entry.x.as_deref()?)?, coordinate(entry.y.as_deref()?)?);
            Some(PublicKey::P256([&[4_u8][..], &x, &y].concat()))
        }
        _ => None,
    }
}

/// A big-endian number; some issuers write it with a leading zero, which ring does not take.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[first..].to_vec())
}

fn coordinate(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{jwks, key_a, key_b};

    #[test]
    fn keys_that_cannot_be_meant_are_skipped() {
        let good = jwks(&[("a", &key_a())]);
        assert!(parse(good.as_bytes(), Algorithm::Rs256).unwrap().find("a").is_some());
        assert!(parse(good.as_bytes(), Algorithm::Es256).unwrap().is_empty());
        for (from, to) in [
            (r#""use":"sig""#, r#""use":"enc""#),
            (r#""alg":"RS256""#, r#""alg":"RS512""#),
            (r#""kid":"a""#, r#""kid":7"#),
            (r#""kty":"RSA""#, r#""kty":"oct""#),
            (r#""e":"AQAB""#, r#""e":"!""#),
            (r#""e":"AQAB""#, r#""e":"AAAA""#),
        ] {
            let changed = good.replace(from, to);
            assert_ne!(changed, good);
            assert!(parse(changed.as_bytes(), Algorithm::Rs256).unwrap().is_empty(), "{to}");
        }
        let twice = jwks(&[("a", &key_a()), ("a", &key_b()), ("b", &key_b())]);
        let keys = parse(twice.as_bytes(), Algorithm::Rs256).unwrap();
        assert!(keys.find("a").is_none() && keys.find("b").is_some());
    }

    #[test]
    fn too_many_keys_are_refused() {
        let key = key_a();
        let names: Vec<_> = (0..=MAX_KEYS).map(|index| format!("k{index}")).collect();
        let all: Vec<_> = names.iter().map(|name| (name.as_str(), &key)).collect();
        assert!(parse(jwks(&all).as_bytes(), Algorithm::Rs256).is_none());
        assert!(parse(jwks(&all[1..]).as_bytes(), Algorithm::Rs256).is_some());
        assert!(parse(b"[]", Algorithm::Rs256).is_none());
    }

    #[test]
    fn ecdsa_keys_of_p256_verify() {
        use ring::rand::SystemRandom;
        use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|part| URL_SAFE_NO_PAD.encode(part));
        let body = format!(r#"{{"keys":[{{"kty":"EC","kid":"e","crv":"P-256","x":"{x}","y":"{y}"}}]}}"#);
        let key = parse(body.as_bytes(), Algorithm::Es256).unwrap().find("e").unwrap();
        let signature = pair.sign(&random, b"message").unwrap();
        assert!(key.verifies(b"message", signature.as_ref()));
        assert!(!key.verifies(b"another message", signature.as_ref()));
    }
}
