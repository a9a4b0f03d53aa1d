//! The limit for requests that are being served, of which exchanges never take all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hublease_protocol::oauth::Code;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::limits::{MAX_EXCHANGES, MAX_IN_FLIGHT};
use crate::rate_limit::Purpose;
use crate::refusal::Refusal;

/// A place under the limit, given back when this is dropped.
pub(super) struct Permit {
    _place: OwnedSemaphorePermit,
    _exchange: Option<OwnedSemaphorePermit>,
}

/// See the module.
pub(super) struct ConcurrencyLimit {
    all: Arc<Semaphore>,
    /// The part of the limit that exchanges may take.
    exchanges: Arc<Semaphore>,
    is_ending: AtomicBool,
}

impl ConcurrencyLimit {
    pub(super) fn new() -> Self {
        Self {
            all: Arc::new(Semaphore::new(MAX_IN_FLIGHT as usize)),
            exchanges: Arc::new(Semaphore::new(MAX_EXCHANGES as usize)),
            is_ending: AtomicBool::new(false),
        }
    }

    /// From now on nobody is admitted.
    pub(super) fn end(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::SeqCst)
    }

    /// How many requests are being served.
    pub(super) fn in_flight(&self) -> usize {
        (MAX_IN_FLIGHT as usize).saturating_sub(self.all.available_permits())
    }

    /// Waits until nothing is in flight any more.
    pub(super) async fn drained(&self) {
        // Fails only when the semaphore is closed, which nobody does.
        drop(self.all.acquire_many(MAX_IN_FLIGHT).await);
    }

    pub(super) fn admit(&self, purpose: Purpose) -> Result<Permit, Refusal> {
        if self.is_ending() {
            return Err(Refusal::new(Code::ShuttingDown, "the broker is ending"));
        }
        let exchange = match purpose {
            Purpose::Exchange => Some(take(&self.exchanges)?),
            Purpose::Revocation | Purpose::Question => None,
        };
        Ok(Permit { _place: take(&self.all)?, _exchange: exchange })
    }
}

fn take(limit: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refusal> {
    Arc::clone(limit).try_acquire_owned().map_err(|full| match full {
        TryAcquireError::NoPermits => Refusal::new(Code::Overloaded, "the broker serves as many requests as it can"),
        TryAcquireError::Closed => Refusal::new(Code::ShuttingDown, "the broker is ending"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_that_hang_leave_room_for_revocations() {
        let limit = ConcurrencyLimit::new();
        let admit = |purpose| limit.admit(purpose).map_err(|refusal| refusal.code);
        let mut held: Vec<_> = (0..MAX_EXCHANGES).map(|_| admit(Purpose::Exchange).ok().unwrap()).collect();
        assert_eq!(admit(Purpose::Exchange).err(), Some(Code::Overloaded));
        held.extend((MAX_EXCHANGES..MAX_IN_FLIGHT).map(|_| admit(Purpose::Revocation).ok().unwrap()));
        assert!(held.len() > MAX_EXCHANGES as usize, "some limit is kept");
        assert_eq!((admit(Purpose::Revocation).err(), limit.in_flight()), (Some(Code::Overloaded), held.len()));
        drop(held);
        assert!(admit(Purpose::Exchange).is_ok());
        limit.end();
        assert_eq!(admit(Purpose::Revocation).err(), Some(Code::ShuttingDown));
    }
}
