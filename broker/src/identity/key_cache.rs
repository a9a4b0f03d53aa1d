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
mod tests;
