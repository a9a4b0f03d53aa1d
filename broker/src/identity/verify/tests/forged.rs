//! Tokens that were not signed as they say, and texts that are no tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hublease_protocol::oauth::Code;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::identity::issuer::{Algorithm, Issuer, IssuerKind};
use crate::identity::verify::Verifier;
use crate::identity::verify::tests::verify;
use crate::limits::MAX_TOKEN_BYTES;
use crate::testing::{BROKER_URL, NOW, Script, changed, circleci, circleci_claims, header, jwks, key_a, key_b};

#[test]
fn only_the_issuers_own_signature_counts() {
    let good = key_a().token(&header(), &circleci_claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let other_key = key_b().token(&header(), &circleci_claims());
    assert_eq!(verify(&other_key).err(), Some(Code::SignatureInvalid), "another issuer's key under the same kid");
    let (_, other_signature) = other_key.rsplit_once('.').unwrap();
    for signature in ["", "AAAA", other_signature] {
        assert_eq!(verify(&format!("{signed}.{signature}")).err(), Some(Code::SignatureInvalid), "{signature}");
    }
    let (_, signature) = good.rsplit_once('.').unwrap();
    let forged = key_b().token(&header(), &changed(circleci_claims(), &json!({"sub": "x"})));
    let (forged, _) = forged.rsplit_once('.').unwrap();
    assert_eq!(verify(&format!("{forged}.{signature}")).err(), Some(Code::SignatureInvalid));
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let public = jwks(&[("a", &key_a())]);
    let modulus: Value = serde_json::from_str(&public).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(modulus["keys"][0]["n"].as_str().unwrap()).unwrap();
    for secret in [public.as_bytes(), &modulus] {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = changed(header(), &json!({"alg": "HS256"}));
        let signed = format!("{}.{}", encode(&header), encode(&circleci_claims()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()));
        assert_eq!(verify(&token).err(), Some(Code::AlgorithmNotAllowed));
    }
}

#[test]
fn another_signature_of_the_same_token_makes_no_other_job_and_no_other_hash() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let [x, y] = [1..33, 33..65].map(|range| URL_SAFE_NO_PAD.encode(&pair.public_key().as_ref()[range]));
    let issuer = Issuer {
        kind: IssuerKind::Other { project: "project".to_owned(), job: Vec::new(), workflow: Vec::new() },
        algorithm: Algorithm::Es256,
        jwks_uri: Some("https://issuer.example/jwks".to_owned()),
        ..circleci()
    };
    let script = Script::default();
    let keys = json!({"keys": [{"kty": "EC", "kid": "a", "crv": "P-256", "x": x, "y": y}]});
    script.on("GET https://issuer.example/jwks", 200, &keys.to_string());
    let verifier = Verifier::new(vec![issuer], BROKER_URL.to_owned());
    let job = |claims: &Value| {
        let header = changed(header(), &json!({"alg": "ES256"}));
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(pair.sign(&random, signed.as_bytes()).unwrap());
        let identity = verifier.verify(&format!("{signed}.{signature}"), &script, NOW).ok().unwrap();
        (identity.job, identity.token_sha256, signature)
    };
    let (first, again) = (job(&circleci_claims()), job(&circleci_claims()));
    assert_ne!(first.2, again.2, "the signatures differ");
    assert_eq!((&first.0, &first.1), (&again.0, &again.1), "and a leaked one is found by the other's hash");
    assert_ne!(first.0, job(&changed(circleci_claims(), &json!({"sub": "x"}))).0, "another token is another job");
}

#[test]
fn what_is_no_jwt_is_refused() {
    let good = key_a().token(&header(), &circleci_claims());
    let parts: Vec<_> = good.split('.').collect();
    let [head, payload, signature] = parts.as_slice() else { unreachable!() };
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "SENTINEL".to_owned(),
        format!("{head}.{payload}"),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{head}.{payload}=.{signature}"),
        format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode("[]")),
        format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","alg":"none"}"#)),
        format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(r#"["SENTINEL"]"#)),
        format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode("\"SENTINEL")),
        "a".repeat(MAX_TOKEN_BYTES + 1),
    ] {
        assert_eq!(verify(&token).err(), Some(Code::TokenMalformed), "{token:.60}");
    }
}
