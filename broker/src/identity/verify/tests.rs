//! From a good token with one thing changed. Here: each header field and each registered claim, missing, wrong, of the wrong
//! type. Beside it: tokens that were not signed as they say (`forged`), that can be read in two ways (`spelling`), and that
//! name unknown keys (`flood`). That a token counts once, and a repeated request all the same, is told by the exchange.
//! The tables are longer than a function should be, because a row per line is how they are read.

mod flood;
mod forged;
mod spelling;

use hublease_protocol::ci::Ci;
use serde_json::json;

use crate::identity::issuer::IssuerKind;
use crate::identity::verify::*;
use crate::testing::{
    BROKER_URL, GITHUB_JWKS, ISSUER_URL, NOW, Outside, changed, circleci, circleci_claims, header, jwks, key_a, key_b,
};

const GITHUB_URL: &str = "https://token.actions.githubusercontent.com";

fn github() -> Issuer {
    Issuer {
        name: "github".to_owned(),
        url: GITHUB_URL.to_owned(),
        kind: IssuerKind::Known(Ci::Github),
        jwks_uri: Some(GITHUB_JWKS.to_owned()),
        identity_use: IdentityUse::Once,
        ..circleci()
    }
}

fn verify(token: &str) -> Result<Identity, Code> {
    let verifier = Verifier::new(vec![circleci(), github()], BROKER_URL.to_owned());
    verifier.verify(token, &Outside::default(), NOW).map_err(|refusal| {
        assert!(!refusal.sentence.contains("SENTINEL"), "{}", refusal.sentence);
        refusal.code
    })
}

/// A correctly signed token with these changes to a good one.
fn with(header_changes: &Value, claim_changes: &Value) -> Result<Identity, Code> {
    let header = changed(header(), header_changes);
    verify(&key_a().token(&header, &changed(circleci_claims(), claim_changes)))
}

#[test]
fn a_good_token_gives_its_identity() {
    let identity = with(&json!({}), &json!({})).ok().unwrap();
    assert_eq!(identity.project.as_deref(), Some("p1"));
    assert_eq!(identity.job, r#"["https://oidc.circleci.com/org/0f0e","p1","j1"]"#);
    assert_eq!((identity.issuer, identity.expires_at), (0, NOW + 3590));
    assert_eq!(identity.single_use_id, None, "a reusable token has no id that is used up");
    assert_eq!(identity.token_sha256.len(), 64);
}

#[test]
fn every_header_field_is_checked() {
    let table = [
        (json!({"alg": null}), Code::AlgorithmNotAllowed),
        (json!({"alg": "none"}), Code::AlgorithmNotAllowed),
        (json!({"alg": "None"}), Code::AlgorithmNotAllowed),
        (json!({"alg": "rs256"}), Code::AlgorithmNotAllowed),
        (json!({"alg": "HS256"}), Code::AlgorithmNotAllowed),
        (json!({"alg": "RS384"}), Code::AlgorithmNotAllowed),
        (json!({"alg": "PS256"}), Code::AlgorithmNotAllowed),
        (json!({"alg": "ES256"}), Code::AlgorithmNotAllowed),
        (json!({"alg": ["RS256"]}), Code::AlgorithmNotAllowed),
        (json!({"alg": 1}), Code::AlgorithmNotAllowed),
        (json!({"kid": null}), Code::KeyIdMissing),
        (json!({"kid": ""}), Code::KeyIdMissing),
        (json!({"kid": 7}), Code::KeyIdMissing),
        (json!({"kid": ["a"]}), Code::KeyIdMissing),
        (json!({"kid": "SENTINEL"}), Code::KeyUnknown),
        (json!({"kid": {"a": "a"}}), Code::KeyIdMissing),
        (json!({"kid": "A"}), Code::KeyUnknown),
        (json!({"kid": "a "}), Code::KeyUnknown),
        (json!({"crit": ["exp"]}), Code::TokenMalformed),
        (json!({"crit": []}), Code::TokenMalformed),
        (json!({"crit": ["b64"], "b64": false}), Code::TokenMalformed),
        (json!({"b64": false}), Code::TokenMalformed),
        (json!({"b64": true}), Code::TokenMalformed),
    ];
    for (changes, code) in table {
        assert_eq!(with(&changes, &json!({})).err(), Some(code), "{changes}");
    }
}

#[test]
fn what_a_header_says_about_keys_is_not_read() {
    let other: Value = serde_json::from_str(&jwks(&[("a", &key_b())])).unwrap();
    let other = &other["keys"][0];
    for changes in [
        json!({"jku": "https://SENTINEL.example/keys"}),
        json!({"jwk": other}),
        json!({"jwk": {"kty": "oct", "k": "AAAA"}}),
        json!({"x5u": "https://SENTINEL.example/chain"}),
        json!({"x5c": ["AAAA"]}),
        json!({"x5t": "AAAA", "x5t#S256": 7}),
        json!({"typ": null, "cty": "JWT"}),
        json!({"typ": 1}),
    ] {
        assert!(with(&changes, &json!({})).is_ok(), "{changes}");
        // So it cannot bring its own key along.
        let forged = key_b().token(&changed(header(), &changes), &circleci_claims());
        assert_eq!(verify(&forged).err(), Some(Code::SignatureInvalid), "{changes}");
    }
}

#[test]
fn every_registered_claim_is_checked() {
    let table = [
        (json!({"iss": null}), Code::ClaimMalformed),
        (json!({"iss": 1}), Code::ClaimMalformed),
        (json!({"iss": [ISSUER_URL]}), Code::ClaimMalformed),
        (json!({"iss": "https://SENTINEL.example"}), Code::IssuerUnknown),
        (json!({"iss": format!("{ISSUER_URL}/")}), Code::IssuerUnknown),
        (json!({"iss": ISSUER_URL.to_uppercase()}), Code::IssuerUnknown),
        (json!({"iss": ""}), Code::IssuerUnknown),
        (json!({"iss": format!("{ISSUER_URL}x")}), Code::IssuerUnknown),
        (json!({"iss": "https://oidc.circleci.com"}), Code::IssuerUnknown),
        (json!({"iss": ISSUER_URL.replace("https", "http")}), Code::IssuerUnknown),
        (json!({"iss": GITHUB_URL}), Code::SignatureInvalid),
        (json!({"aud": null}), Code::AudienceMismatch),
        (json!({"aud": ""}), Code::AudienceMismatch),
        (json!({"aud": "0f0e"}), Code::AudienceMismatch),
        (json!({"aud": "https://SENTINEL.example"}), Code::AudienceMismatch),
        (json!({"aud": format!("{BROKER_URL}/")}), Code::AudienceMismatch),
        (json!({"aud": BROKER_URL.to_uppercase()}), Code::AudienceMismatch),
        (json!({"aud": format!("{BROKER_URL} https://other.example")}), Code::AudienceMismatch),
        (json!({"aud": 7}), Code::AudienceMismatch),
        (json!({"aud": true}), Code::AudienceMismatch),
        (json!({"aud": []}), Code::AudienceMismatch),
        (json!({"aud": [7]}), Code::AudienceMismatch),
        (json!({"aud": ["https://other.example"]}), Code::AudienceMismatch),
        (json!({"aud": [BROKER_URL, "https://other.example"]}), Code::AudienceMismatch),
        (json!({"aud": [BROKER_URL, BROKER_URL]}), Code::AudienceMismatch),
        (json!({"aud": [[BROKER_URL]]}), Code::AudienceMismatch),
        (json!({"aud": {"x": BROKER_URL}}), Code::AudienceMismatch),
        (json!({"exp": null}), Code::ClaimMalformed),
        (json!({"exp": "9999999999"}), Code::ClaimMalformed),
        (json!({"exp": 1.5e9}), Code::ClaimMalformed),
        (json!({"exp": -1}), Code::ClaimMalformed),
        (json!({"exp": true}), Code::ClaimMalformed),
        (json!({"iat": null}), Code::ClaimMalformed),
        (json!({"iat": "1"}), Code::ClaimMalformed),
        (json!({"nbf": "1"}), Code::ClaimMalformed),
        (json!({"iat": -1}), Code::ClaimMalformed),
        (json!({"iat": {}}), Code::ClaimMalformed),
        (json!({"nbf": -1}), Code::ClaimMalformed),
        (json!({"nbf": []}), Code::ClaimMalformed),
        (json!({"exp": NOW - 60}), Code::TokenExpired),
        (json!({"exp": 0}), Code::TokenExpired),
        (json!({"nbf": NOW + 61}), Code::TokenNotYetValid),
        (json!({"iat": NOW + 61}), Code::TokenNotYetValid),
        (json!({"iat": NOW - 86_000, "exp": NOW + 401}), Code::TokenTooLong),
        (json!({"exp": u64::MAX}), Code::TokenTooLong),
    ];
    for (changes, code) in table {
        assert_eq!(with(&json!({}), &changes).err(), Some(code), "{changes}");
    }
}

#[test]
fn a_registered_claim_may_be_at_the_edge() {
    for good in [
        json!({"aud": [BROKER_URL]}),
        json!({"exp": NOW - 59}),
        json!({"nbf": NOW + 60}),
        json!({"iat": NOW + 60}),
        json!({"iat": NOW - 86_000, "exp": NOW + 400}),
        json!({"jti": 7}),
    ] {
        assert!(with(&json!({}), &good).is_ok(), "{good}");
    }
}

#[test]
fn a_single_use_issuer_needs_a_jti() {
    let claims = json!({"iss": GITHUB_URL, "aud": BROKER_URL, "iat": NOW, "exp": NOW + 300, "jti": "i1"});
    let token = |changes: &Value| key_b().token(&header(), &changed(claims.clone(), changes));
    assert_eq!(verify(&token(&json!({}))).ok().unwrap().single_use_id.as_deref(), Some("i1"));
    for changes in [json!({"jti": null}), json!({"jti": ""}), json!({"jti": 1}), json!({"jti": "x".repeat(129)})] {
        assert_eq!(verify(&token(&changes)).err(), Some(Code::ClaimMalformed), "{changes}");
    }
}

#[test]
fn the_default_audience_counts_only_where_it_is_accepted() {
    let issuer = Issuer { default_audience: Some("0f0e".to_owned()), ..circleci() };
    let verifier = Verifier::new(vec![issuer], BROKER_URL.to_owned());
    let token = |audience: Value| key_a().token(&header(), &changed(circleci_claims(), &json!({"aud": audience})));
    let hub = Outside::default();
    assert!(verifier.verify(&token(json!("0f0e")), &hub, NOW).is_ok());
    assert!(verifier.verify(&token(json!(BROKER_URL)), &hub, NOW).is_ok());
    assert!(verifier.verify(&token(json!(["0f0e", BROKER_URL])), &hub, NOW).is_err());
    assert!(verifier.verify(&token(json!("0f0")), &hub, NOW).is_err());
}
