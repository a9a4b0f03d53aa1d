//! The sandbox's clock: real time plus an offset that tests push forward, so that nothing has to wait for an expiry.
//!
//! Times are unix seconds. On the wire they are RFC 3339 in UTC (`2026-11-20T18:42:45Z`). Vault sends nanoseconds too; a
//! client that parses RFC 3339 reads both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock that can be moved forward. Clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset: Arc<AtomicU64>,
}

impl Clock {
    /// Sandbox time in unix seconds.
    pub fn now(&self) -> u64 {
        real_now() + self.offset.load(Ordering::SeqCst)
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: u64) {
        self.offset.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// Real time in unix seconds, for peers that have a clock of their own (a real registry).
pub(crate) fn real_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
