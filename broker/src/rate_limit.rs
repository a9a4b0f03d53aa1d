//! How often something may happen in a minute: before verification by client address and in all, after it by project and by
//! rule.
//!
//! Counts start anew with every minute of the clock. That is coarser than a bucket that leaks, and it can be told in one
//! sentence: what is refused may be tried again at the next minute, which is what `Retry-After` says.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use hublease_protocol::oauth::Code;

use crate::client_address::network;
use crate::config::Rates;
use crate::limits::MAX_RATE_KEYS;
use crate::observe::bounded::bounded;
use crate::refusal::Refusal;

/// The four limits of a broker.
pub struct Limiter {
    address: FixedWindows<IpAddr>,
    all: FixedWindows<()>,
    project: FixedWindows<(String, String)>,
    rule: FixedWindows<String>,
}

impl Limiter {
    /// Limits that nobody has used yet.
    #[must_use]
    pub fn new(rates: &Rates) -> Self {
        Self {
            address: FixedWindows::new(rates.requests_per_minute_per_address),
            all: FixedWindows::new(rates.requests_per_minute),
            project: FixedWindows::new(rates.exchanges_per_minute_per_project),
            rule: FixedWindows::new(rates.exchanges_per_minute_per_rule),
        }
    }

    /// Counts a request of a client that has not proved anything yet. Without an address only the count of all counts.
    ///
    /// # Errors
    /// `rate_limited`. What an address is refused does not count for all.
    pub fn request(&self, address: Option<IpAddr>, now: u64) -> Result<(), Refusal> {
        if let Some(address) = address {
            self.address.count(network(address), now).map_err(refusal("this address sends more requests"))?;
        }
        self.all.count((), now).map_err(refusal("all clients together send more requests"))
    }

    /// Counts an exchange of a verified project. Tokens of an issuer that name none share one count.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn project(&self, issuer: &str, project: Option<&str>, now: u64) -> Result<(), Refusal> {
        let key = (issuer.to_owned(), bounded(project.unwrap_or_default()));
        self.project.count(key, now).map_err(refusal("this project asks for more tokens"))
    }

    /// Counts an exchange that a rule grants.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn rule(&self, rule: &str, now: u64) -> Result<(), Refusal> {
        self.rule.count(rule.to_owned(), now).map_err(refusal("the jobs of this rule ask for more tokens"))
    }
}

fn refusal(who: &'static str) -> impl Fn(u64) -> Refusal {
    move |seconds| Refusal::later(Code::RateLimited, format!("{who} in a minute than the broker allows"), seconds)
}

/// Counts per key, for the current minute.
struct FixedWindows<K> {
    per_minute: u64,
    window: Mutex<Window<K>>,
}

struct Window<K> {
    /// Since 1970.
    minute: u64,
    counts: HashMap<K, u64>,
    /// The one count of all keys beyond [`MAX_RATE_KEYS`].
    others: u64,
}

impl<K: Hash + Eq> FixedWindows<K> {
    fn new(per_minute: u64) -> Self {
        Self { per_minute, window: Mutex::new(Window { minute: 0, counts: HashMap::new(), others: 0 }) }
    }

    /// Counts one more, or says in how many seconds there will be room again.
    fn count(&self, key: K, now: u64) -> Result<(), u64> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.minute != now / 60 {
            window.minute = now / 60;
            window.counts.clear();
            window.others = 0;
        }
        let is_full = window.counts.len() >= MAX_RATE_KEYS && !window.counts.contains_key(&key);
        let count = if is_full { &mut window.others } else { window.counts.entry(key).or_default() };
        if *count >= self.per_minute {
            return Err(60 - now % 60);
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_for_one_key_and_one_minute() {
        let windows = FixedWindows::new(2);
        // The key, the second, and in how many seconds there is room again.
        for (key, now, expected) in [
            ("a", 60, Ok(())),
            ("a", 61, Ok(())),
            ("a", 62, Err(58)),
            ("b", 62, Ok(())),
            ("a", 119, Err(1)),
            ("a", 120, Ok(())),
            ("a", 179, Ok(())),
            ("a", 179, Err(1)),
            // A clock that is set back starts a minute too, so that nobody waits for longer than one.
            ("a", 60, Ok(())),
        ] {
            assert_eq!(windows.count(key, now), expected, "{key} at {now}");
        }
    }

    #[test]
    fn keys_beyond_the_bound_share_one_count() {
        let windows = FixedWindows::new(2);
        for key in 0..MAX_RATE_KEYS {
            assert_eq!(windows.count(key, 0), Ok(()));
        }
        let strangers = [MAX_RATE_KEYS, MAX_RATE_KEYS + 1, MAX_RATE_KEYS + 2];
        assert_eq!(strangers.map(|key| windows.count(key, 0)), [Ok(()), Ok(()), Err(60)]);
        assert_eq!(windows.count(0, 0), Ok(()), "a key that is known has its own");
        assert_eq!(windows.window.lock().unwrap().counts.len(), MAX_RATE_KEYS);
        assert_eq!(windows.count(MAX_RATE_KEYS + 2, 60), Ok(()));
    }

    #[test]
    fn who_is_counted_together() {
        let limits = || {
            Limiter::new(&Rates {
                requests_per_minute_per_address: 1,
                requests_per_minute: 2,
                exchanges_per_minute_per_project: 1,
                exchanges_per_minute_per_rule: 1,
            })
        };
        let address = |text: &str| Some(text.parse().unwrap());
        let refused = |outcome: Result<(), Refusal>| {
            outcome.err().map(|refusal| (refusal.code, refusal.retry_after, refusal.sentence))
        };
        let expected = |who: &str| {
            let sentence = format!("{who} in a minute than the broker allows");
            Some((Code::RateLimited, Some(30), sentence))
        };
        let one = "this address sends more requests";
        let all = "all clients together send more requests";
        for (first, second, refusal) in [
            (address("192.0.2.1"), address("192.0.2.1"), expected(one)),
            (address("192.0.2.1"), address("192.0.2.2"), None),
            (address("2001:db8::1"), address("2001:db8::ffff:0:0:2"), expected(one)),
            (address("2001:db8::1"), address("2001:db8:0:1::1"), None),
            (None, None, None),
        ] {
            let limits = limits();
            assert_eq!(refused(limits.request(first, 30)), None);
            assert_eq!(refused(limits.request(second, 30)), refusal, "{first:?} {second:?}");
            // What an address was refused is not counted for all.
            let third = refused(limits.request(None, 30));
            assert_eq!(third, if refusal.is_some() { None } else { expected(all) }, "{first:?} {second:?}");
        }
        let limits = limits();
        let project = "this project asks for more tokens";
        for (issuer, name, refusal) in [
            ("circleci", Some("p1"), None),
            ("circleci", Some("p1"), expected(project)),
            ("circleci", Some("p2"), None),
            ("github", Some("p1"), None),
            ("github", None, None),
            ("github", None, expected(project)),
        ] {
            assert_eq!(refused(limits.project(issuer, name, 30)), refusal, "{issuer} {name:?}");
        }
        let rule = "the jobs of this rule ask for more tokens";
        for (name, refusal) in [("main", None), ("release", None), ("main", expected(rule))] {
            assert_eq!(refused(limits.rule(name, 30)), refusal, "{name}");
        }
    }
}
