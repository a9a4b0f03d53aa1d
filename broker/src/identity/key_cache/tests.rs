//! When keys are fetched, when they are not, and what is said meanwhile.

use super::*;
use crate::testing::{ISSUER_URL, Script, circleci, jwks, key_a, key_b};

fn discovery(jwks_uri: &str) -> String {
    format!(r#"{{"issuer":"{ISSUER_URL}","jwks_uri":"{jwks_uri}"}}"#)
}

const WELL_KNOWN: &str = "GET https://oidc.circleci.com/org/0f0e/.well-known/openid-configuration";
const JWKS_URI: &str = "https://oidc.circleci.com/org/0f0e/.well-known/jwks-pub.json";
const JWKS: &str = "GET https://oidc.circleci.com/org/0f0e/.well-known/jwks-pub.json";

#[test]
fn keys_are_fetched_once_and_again_after_rotation_but_not_at_will() {
    let script = Script::default();
    script.on(WELL_KNOWN, 200, &discovery(JWKS_URI));
    script.on(JWKS, 200, &jwks(&[("a", &key_a())]));
    let (keys, issuer) = (Keys::default(), circleci());
    let find = |kid, now| keys.find(&issuer, kid, &script, now).map(drop).map_err(|refusal| refusal.code);

    assert_eq!(find("a", 1000), Ok(()));
    assert_eq!(find("a", 1001), Ok(()));
    assert_eq!(find("b", 1002), Err(Code::IssuerUnavailable), "within the cooldown nothing is fetched");
    let told = keys.find(&issuer, "b", &script, 1002).err().unwrap();
    assert_eq!((told.status(), told.retry_after), (503, Some(KEYS_COOLDOWN_SECONDS - 2)), "it may be a new key");
    assert_eq!(script.calls(), [WELL_KNOWN, JWKS]);

    script.on(JWKS, 200, &jwks(&[("b", &key_b())]));
    assert_eq!(find("b", 1000 + KEYS_COOLDOWN_SECONDS), Ok(()));
    assert_eq!(script.calls().len(), 4);
    assert_eq!(find("a", 1000 + 2 * KEYS_COOLDOWN_SECONDS), Err(Code::KeyUnknown), "a withdrawn key is gone");
}

/// An issuer whose answers come when the test lets them.
struct Slow {
    script: Script,
    reached: Mutex<std::sync::mpsc::Sender<()>>,
    released: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Outbound for Slow {
    fn send(&self, call: &Call<'_>) -> Result<hublease_hub::outbound::Reply, hublease_hub::outbound::OutboundError> {
        lock(&self.reached).send(()).unwrap();
        lock(&self.released).recv().unwrap();
        self.script.send(call)
    }
}

#[test]
fn nobody_waits_for_an_issuer_that_hangs_when_there_are_keys() {
    let script = Script::default();
    script.on("GET https://keys.example/jwks", 200, &jwks(&[("a", &key_a())]));
    let issuer = Issuer { jwks_uri: Some("https://keys.example/jwks".to_owned()), ..circleci() };
    let keys = Keys::default();
    assert!(keys.find(&issuer, "a", &script, 1000).is_ok());
    let (reached, arrived) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel();
    let slow = Slow { script, reached: Mutex::new(reached), released: Mutex::new(released) };
    let later = 1000 + KEYS_FRESH_SECONDS;
    std::thread::scope(|scope| {
        let fetching = scope.spawn(|| keys.find(&issuer, "a", &slow, later).is_ok());
        arrived.recv().unwrap();
        let meanwhile = |kid| keys.find(&issuer, kid, &slow, later).map(drop).map_err(|refusal| refusal.code);
        let told = [meanwhile("a"), meanwhile("b")];
        release.send(()).unwrap();
        assert_eq!(told, [Ok(()), Err(Code::IssuerUnavailable)], "the kept key is used, and a new one may be coming");
        assert!(fetching.join().unwrap());
    });
}

#[test]
fn a_clock_that_was_set_back_keeps_nobody_waiting() {
    let script = Script::default();
    script.on("GET https://keys.example/jwks", 500, "");
    let issuer = Issuer { jwks_uri: Some("https://keys.example/jwks".to_owned()), ..circleci() };
    let keys = Keys::default();
    assert!(keys.find(&issuer, "a", &script, 100_000).is_err());
    script.on("GET https://keys.example/jwks", 200, &jwks(&[("a", &key_a())]));
    assert!(keys.find(&issuer, "a", &script, 70_000).is_ok());
}

#[test]
fn keys_outlive_a_failing_issuer_for_a_day() {
    let script = Script::default();
    script.on(WELL_KNOWN, 200, &discovery(JWKS_URI));
    script.on(JWKS, 200, &jwks(&[("a", &key_a())]));
    let (keys, issuer) = (Keys::default(), circleci());
    let find = |now| keys.find(&issuer, "a", &script, now).map(drop).map_err(|refusal| refusal.code);
    assert_eq!(find(1000), Ok(()));
    for (status, body) in [(500, ""), (200, "{}"), (200, r#"{"keys":[]}"#), (302, ""), (200, "<html>")] {
        script.on(JWKS, status, body);
        let calls = script.calls().len();
        assert_eq!(find(1000 + KEYS_FRESH_SECONDS * (calls as u64)), Ok(()), "{status} {body}");
        assert_eq!(script.calls().len(), calls + 2, "it was tried");
    }
    assert_eq!(find(1000 + KEYS_STALE_SECONDS), Err(Code::IssuerUnavailable));
}

#[test]
fn discovery_must_be_about_the_issuer_and_stay_on_its_origin() {
    let table = [
        discovery("https://evil.example/jwks"),
        discovery("http://oidc.circleci.com/jwks"),
        discovery("https://oidc.circleci.com@evil.example/jwks"),
        discovery("https://oidc.circleci.com.evil.example/jwks"),
        discovery("https://oidc.circleci.com:444/jwks"),
        discovery(JWKS_URI).replace(ISSUER_URL, "https://oidc.circleci.com/org/other"),
        "{}".to_owned(),
    ];
    for body in table {
        let script = Script::default();
        script.on(WELL_KNOWN, 200, &body);
        let found = Keys::default().find(&circleci(), "a", &script, 1000);
        assert_eq!(found.map(drop).map_err(|refusal| refusal.code), Err(Code::IssuerUnavailable), "{body}");
        assert_eq!(script.calls(), [WELL_KNOWN], "{body}");
    }
}

#[test]
fn a_pinned_address_needs_no_discovery() {
    let script = Script::default();
    script.on("GET https://keys.example/jwks", 200, &jwks(&[("a", &key_a())]));
    let issuer = Issuer { jwks_uri: Some("https://keys.example/jwks".to_owned()), ..circleci() };
    assert!(Keys::default().find(&issuer, "a", &script, 1000).is_ok());
    assert_eq!(script.calls(), ["GET https://keys.example/jwks"]);
}
