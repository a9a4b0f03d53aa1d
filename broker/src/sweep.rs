//! The sweeper: removes what has ended, what a failed revocation left behind, and what was announced and never answered.
//!
//! Expiry has already made an ended token useless; it is deleted because Docker Hub counts it against the organization's
//! plan until then. Tokens that no journal knows are left alone here.

use crate::broker::Broker;
use crate::limits::{SWEEP_BATCH, SWEEP_RETRY_SECONDS};
use crate::revoke::{Removal, remove_as};

/// What one sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Leases whose token is gone now.
    pub removed: usize,
    /// Leases that are tried again later.
    pub left: usize,
}

/// Sweeps once. Blocking.
pub fn sweep(broker: &Broker) -> Swept {
    let mut swept = Swept::default();
    let due = broker.journal.due(broker.clock.now(), SWEEP_BATCH).unwrap_or_default();
    for lease in due {
        match remove_as(broker, &lease, "sweep", SWEEP_RETRY_SECONDS) {
            Removal::Gone => swept.removed += 1,
            _ => swept.left += 1,
        }
    }
    swept
}
