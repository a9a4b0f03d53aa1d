//! How often something happened in this minute, by key, in bounded memory.
//!
//! Counts start anew with every minute of the clock. That is coarser than a bucket that leaks, and it can be told in one
//! sentence: what is refused may be tried again at the next minute, which is what `Retry-After` says. When there are more keys than
//! memory is given to, the quietest gives way: whoever floods stays known, and whoever comes new has a count of his own.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits::MAX_RATE_KEYS;

/// See the module.
pub struct FixedWindows<K>(Mutex<Window<K>>);

struct Window<K> {
    /// Since 1970.
    minute: u64,
    counts: HashMap<K, u64>,
    /// The same, the quietest first.
    order: BTreeSet<(u64, K)>,
}

/// What was over its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// The position of the key among those that were to be counted.
    pub which: usize,
    /// In how many seconds there will be room again.
    pub seconds: u64,
}

impl<K> Default for FixedWindows<K> {
    fn default() -> Self {
        Self(Mutex::new(Window { minute: 0, counts: HashMap::new(), order: BTreeSet::new() }))
    }
}

impl<K: Hash + Ord + Clone> FixedWindows<K> {
    /// Counts one more for each of these keys, or, when one of them has reached its limit, for none: the first that has is
    /// told.
    ///
    /// # Errors
    /// With what was over.
    pub fn count(&self, keys: &[(K, u64)], now: u64) -> Result<(), Over> {
        let mut window = self.at(now);
        window.room(keys, now)?;
        for (key, _) in keys {
            window.add(key);
        }
        Ok(())
    }

    /// Whether [`Self::count`] would count.
    ///
    /// # Errors
    /// With what is over.
    pub fn room(&self, keys: &[(K, u64)], now: u64) -> Result<(), Over> {
        self.at(now).room(keys, now)
    }

    /// Counts what has happened, whatever the limit.
    pub fn note(&self, key: &K, now: u64) {
        self.at(now).add(key);
    }

    /// Whether anybody else was counted.
    pub fn has_others(&self, key: &K, now: u64) -> bool {
        let window = self.at(now);
        window.counts.len() > usize::from(window.counts.contains_key(key))
    }

    fn at(&self, now: u64) -> MutexGuard<'_, Window<K>> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.minute != now / 60 {
            window.minute = now / 60;
            window.counts.clear();
            window.order.clear();
        }
        window
    }
}

impl<K: Hash + Ord + Clone> Window<K> {
    fn room(&self, keys: &[(K, u64)], now: u64) -> Result<(), Over> {
        let is_over = |(key, limit): &(K, u64)| self.counts.get(key).copied().unwrap_or_default() >= *limit;
        match keys.iter().position(is_over) {
            Some(which) => Err(Over { which, seconds: 60 - now % 60 }),
            None => Ok(()),
        }
    }

    fn add(&mut self, key: &K) {
        let known = self.counts.get(key).copied();
        if let Some(count) = known {
            self.order.remove(&(count, key.clone()));
        } else if self.counts.len() >= MAX_RATE_KEYS
            && let Some((_, quietest)) = self.order.pop_first()
        {
            self.counts.remove(&quietest);
        }
        let count = known.unwrap_or_default() + 1;
        self.counts.insert(key.clone(), count);
        self.order.insert((count, key.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_for_one_key_and_one_minute() {
        let windows = FixedWindows::default();
        // The key, the second, and in how many seconds there is room again.
        for (key, now, expected) in [
            ("a", 60, None),
            ("a", 61, None),
            ("a", 62, Some(58)),
            ("b", 62, None),
            ("a", 119, Some(1)),
            ("a", 120, None),
            ("a", 179, None),
            ("a", 179, Some(1)),
            // A clock that is set back starts a minute too, so that nobody waits for longer than one.
            ("a", 60, None),
        ] {
            let counted = windows.count(&[(key, 2)], now).err();
            assert_eq!(counted.map(|over| over.seconds), expected, "{key} at {now}");
        }
    }

    #[test]
    fn several_keys_are_counted_together_or_not_at_all() {
        let windows = FixedWindows::default();
        let keys = [("wide", 3), ("narrow", 2)];
        assert_eq!([0; 2].map(|now| windows.count(&keys, now)), [Ok(()); 2]);
        assert_eq!(windows.count(&keys, 0), Err(Over { which: 1, seconds: 60 }));
        assert_eq!(windows.count(&[("wide", 3)], 0), Ok(()), "what was refused was not counted");
        assert_eq!(windows.count(&keys, 0), Err(Over { which: 0, seconds: 60 }), "the first that is over is told");
        assert_eq!(windows.room(&[("other", 1)], 0), Ok(()));
        windows.note(&"other", 0);
        assert_eq!(windows.room(&[("other", 1)], 0), Err(Over { which: 0, seconds: 60 }));
    }

    #[test]
    fn the_quietest_key_gives_way_and_nobody_is_counted_for_another() {
        let windows = FixedWindows::default();
        let loud = 0;
        for _ in 0..2 {
            assert_eq!(windows.count(&[(loud, 3)], 0), Ok(()));
        }
        let refused = (1..=3 * MAX_RATE_KEYS).filter(|key| windows.count(&[(*key, 1)], 0).is_err()).count();
        assert_eq!(refused, 0, "of 30 000 newcomers");
        assert_eq!(windows.count(&[(loud, 3)], 0), Ok(()));
        assert_eq!(windows.count(&[(loud, 3)], 0), Err(Over { which: 0, seconds: 60 }), "who is loud stays known");
        let window = windows.at(0);
        assert_eq!((window.counts.len(), window.order.len()), (MAX_RATE_KEYS, MAX_RATE_KEYS));
    }
}
