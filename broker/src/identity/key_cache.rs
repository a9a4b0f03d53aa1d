//! An issuer's public keys: found by discovery or at a pinned address, kept, and fetched anew when that is due.
//!
//! Follows OpenID Connect Discovery 1.0 and RFC 7517. `jwks_uri` must lie on the issuer's own origin unless the
//! configuration pins it. A token cannot make the broker fetch more than once per [`KEYS_COOLDOWN_SECONDS`], and a fetch
//! that fails leaves the old keys in place until they are [`KEYS_STALE_SECONDS`] old.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use hublease_hub::outbound::{Call, Outbound};
use hublease_protocol::endpoint::{Endpoint, Origin};
use hublease_protocol::oauth::Code;
use serde::Deserialize;

use crate::identity::issuer::Issuer;
use crate::identity::jwk::{self, KeySet, PublicKey};
use crate::limits::{KEYS_COOLDOWN_SECONDS, KEYS_FRESH_SECONDS, KEYS_STALE_SECONDS, MAX_WAITING_FOR_KEYS};
use crate::refusal::Refusal;

/// The keys of one issuer.
#[derive(Default)]
pub struct Keys {
    known: Mutex<Known>,
    /// Held while fetching, so that a burst of requests makes one fetch.
    fetching: Mutex<()>,
    /// How many wait for the first fetch.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Known {
    keys: Option<Arc<KeySet>>,
    fetched_at: u64,
    tried_at: Option<u64>,
}

impl Keys {
    /// The key of that id.
    ///
    /// # Errors
    /// `key_unknown` when the issuer has no such key, `issuer_unavailable` when its keys cannot be had.
    pub fn find(&self, issuer: &Issuer, kid: &str, outbound: &dyn Outbound, now: u64) -> Result<PublicKey, Refusal> {
        if let Some(key) = self.fresh(kid, now) {
            return Ok(key);
        }
        let fetch = self.refresh(issuer, kid, outbound, now);
        let known = lock(&self.known);
        let kept = known.keys.as_ref().filter(|_| now.abs_diff(known.fetched_at) < KEYS_STALE_SECONDS);
        match (kept.and_then(|keys| keys.find(kid)), kept, fetch) {
            (Some(key), ..) => Ok(key),
            // An issuer that hangs must not keep everybody's threads.
            (None, _, Fetch::BySomebodyElse) => {
                Err(Refusal::later(Code::IssuerUnavailable, "the issuer's keys are being fetched", FETCHING_SECONDS))
            }
            // It may be a new one: nobody has looked since somebody else's unknown `kid` was looked for.
            (None, Some(_), Fetch::NotBefore(seconds)) => {
                let sentence = "the issuer's keys, which were fetched a moment ago, have none of the token's `kid`";
                Err(Refusal::later(Code::IssuerUnavailable, sentence, seconds))
            }
            (None, Some(_), Fetch::Over) => {
                Err(Refusal::new(Code::KeyUnknown, "the issuer has no key of the token's `kid`"))
            }
            (None, None, _) => Err(Refusal::new(Code::IssuerUnavailable, "the issuer's keys could not be fetched")),
        }
    }

    /// When they were fetched last, in seconds since 1970.
    #[must_use]
    pub fn fetched_at(&self) -> Option<u64> {
        let known = lock(&self.known);
        known.keys.as_ref().map(|_| known.fetched_at)
    }

    fn fresh(&self, kid: &str, now: u64) -> Option<PublicKey> {
        let known = lock(&self.known);
        // By the distance, so that a clock that was set back does not keep them fresh.
        let is_fresh = now.abs_diff(known.fetched_at) < KEYS_FRESH_SECONDS;
        known.keys.as_ref().filter(|_| is_fresh)?.find(kid)
    }

    fn refresh(&self, issuer: &Issuer, kid: &str, outbound: &dyn Outbound, now: u64) -> Fetch {
        let Some(_one_at_a_time) = self.turn() else {
            return Fetch::BySomebodyElse;
        };
        if self.fresh(kid, now).is_some() {
            return Fetch::Over;
        }
        {
            let mut known = lock(&self.known);
            if let Some(tried) = known.tried_at
                && now.abs_diff(tried) < KEYS_COOLDOWN_SECONDS
            {
                return Fetch::NotBefore(KEYS_COOLDOWN_SECONDS - now.abs_diff(tried));
            }
            known.tried_at = Some(now);
        }
        if let Some(keys) = fetch(issuer, outbound) {
            let mut known = lock(&self.known);
            known.keys = Some(Arc::new(keys));
            known.fetched_at = now;
        }
        Fetch::Over
    }
}

impl Keys {
    /// The right to fetch. Somebody else's fetch is waited for only when there is no key at all yet, as after a start, and only
    /// by a few.
    fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match self.fetching.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
        if lock(&self.known).keys.is_some() {
            return None;
        }
        let has_place = self.waiting.fetch_add(1, Ordering::SeqCst) < MAX_WAITING_FOR_KEYS;
        let guard = has_place.then(|| lock(&self.fetching));
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        guard
    }
}

/// How far the fetching of keys is.
#[derive(PartialEq, Eq)]
enum Fetch {
    /// What could be had is there.
    Over,
    /// Another request is at it.
    BySomebodyElse,
    /// They were fetched, or could not be, a moment ago: nobody asks again for so many seconds.
    NotBefore(u64),
}

/// When a job may ask again whose key is being fetched by somebody else's request, in seconds.
const FETCHING_SECONDS: u64 = 1;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The keys as they are now; nothing when any step fails, or when no key is usable.
fn fetch(issuer: &Issuer, outbound: &dyn Outbound) -> Option<KeySet> {
    let url = match &issuer.jwks_uri {
        Some(pinned) => pinned.clone(),
        None => discover(issuer, outbound)?,
    };
    let body = read(url, outbound)?;
    let keys = jwk::parse(&body, issuer.algorithm)?;
    (!keys.is_empty()).then_some(keys)
}

/// The part of a discovery document that is needed.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

fn discover(issuer: &Issuer, outbound: &dyn Outbound) -> Option<String> {
    let body = read(issuer.discovery_url(), outbound)?;
    let document: Discovery = serde_json::from_slice(&body).ok()?;
    let is_own = document.issuer == issuer.url && origin(&document.jwks_uri)? == origin(&issuer.url)?;
    is_own.then_some(document.jwks_uri)
}

fn read(url: String, outbound: &dyn Outbound) -> Option<Vec<u8>> {
    let reply = outbound.send(&Call::read(url)).ok()?;
    (reply.status == 200).then_some(reply.body)
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<Origin> {
    Endpoint::parse(url).ok().map(|endpoint| endpoint.origin)
}

#[cfg(test)]
mod tests {
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
        fn send(
            &self,
            call: &Call<'_>,
        ) -> Result<hublease_hub::outbound::Reply, hublease_hub::outbound::OutboundError> {
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
            assert_eq!(
                told,
                [Ok(()), Err(Code::IssuerUnavailable)],
                "the kept key is used, and a new one may be coming"
            );
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
}
