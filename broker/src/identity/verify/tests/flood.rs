//! Tokens that name keys which nobody has: they cost a comparison, and not a call each.

use hublease_protocol::oauth::Code;
use serde_json::json;

use crate::identity::verify::Verifier;
use crate::limits::KEYS_COOLDOWN_SECONDS;
use crate::testing::{
    BROKER_URL, ISSUER_URL, NOW, Script, changed, circleci, circleci_claims, header, jwks, key_a, key_b,
};

#[test]
fn a_flood_of_unknown_kids_fetches_the_keys_once_per_cooldown() {
    let script = Script::default();
    let jwks_uri = format!("{ISSUER_URL}/.well-known/jwks-pub.json");
    let well_known = format!("GET {ISSUER_URL}/.well-known/openid-configuration");
    script.on(&well_known, 200, &json!({"issuer": ISSUER_URL, "jwks_uri": jwks_uri}).to_string());
    let published = |keys: &str| script.on(&format!("GET {jwks_uri}"), 200, keys);
    published(&jwks(&[("a", &key_a())]));
    let verifier = Verifier::new(vec![circleci()], BROKER_URL.to_owned());
    // An attacker has no key, so none of these is signed.
    let claims = changed(circleci_claims(), &json!({"exp": NOW + 7200}));
    let good = key_a().token(&header(), &claims);
    let token = |kid: &str| key_b().token(&changed(header(), &json!({"kid": kid})), &claims);
    let verify = |token: &str, now| verifier.verify(token, &script, now).map(drop).map_err(|refusal| refusal.code);
    let flood: Vec<_> = (0..50).map(|number| token(&format!("unknown-{number}"))).collect();

    for (round, now) in [(1, NOW), (1, NOW + KEYS_COOLDOWN_SECONDS - 1), (2, NOW + KEYS_COOLDOWN_SECONDS)] {
        let refused = |code| flood.iter().filter(|token| verify(token, now) == Err(code)).count();
        // One of them has the keys looked at; the others are told to come again, because theirs may be a new key.
        let (looked, told) = (refused(Code::KeyUnknown), refused(Code::IssuerUnavailable));
        assert_eq!((looked, told), (usize::from(now != NOW + KEYS_COOLDOWN_SECONDS - 1), 50), "of 50, twice");
        assert_eq!(script.calls().len(), 2 * round, "discovery and keys, once per cooldown");
        assert_eq!(verify(&good, now), Ok(()), "known keys go on being used meanwhile");
    }
    // A rotation under the flood is seen at the end of the cooldown, and not before.
    published(&jwks(&[("a", &key_a()), ("b", &key_b())]));
    let rotated = token("b");
    assert_eq!(verify(&rotated, NOW + 2 * KEYS_COOLDOWN_SECONDS - 1), Err(Code::IssuerUnavailable));
    assert_eq!(verify(&rotated, NOW + 2 * KEYS_COOLDOWN_SECONDS), Ok(()));
}
