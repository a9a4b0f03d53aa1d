//! The sweeper: removes what has ended, what a failed revocation left behind, and what was announced and never answered; now
//! and then compares the journal with Docker Hub; forgets what was over long ago.
//!
//! Expiry has already made an ended token useless; it is deleted because Docker Hub counts it against the organization's
//! plan until then.

use std::collections::BTreeSet;

use hublease_hub::error::HubError;

use crate::account::IssueError;
use crate::broker::Broker;
use crate::leases::reconcile::Reconciler;
pub use crate::leases::removal::Removed;
use crate::leases::removal::{Round, remove_all};
use crate::limits::{PRUNE_BATCH, SWEEP_BATCH, SWEEP_RETRY_SECONDS, SWEEP_WORKERS};
use crate::observe::audit::Event;

/// What has ended, and what was left behind.
const ROUND: Round = Round { event: Event::Sweep, pause: SWEEP_RETRY_SECONDS, workers: SWEEP_WORKERS };

/// What one sweep removes, and what it remembers for the next.
#[derive(Default)]
pub struct Sweeper {
    reconciler: Reconciler,
}

impl Sweeper {
    /// Sweeps once. Blocking.
    pub fn sweep(&mut self, broker: &Broker) -> Removed {
        let mut removed = remove_due(broker);
        removed.add(self.reconciler.reconcile(broker));
        probe_troubled(broker);
        // A journal that cannot be written says so at the next exchange.
        let _next_time = broker.journal.prune(broker.clock.now().saturating_sub(broker.keep), PRUNE_BATCH);
        removed
    }
}

/// What is due, batch by batch. An account that Docker Hub does not serve now has had its turn: however much of it is due, the
/// others' leases come to theirs.
fn remove_due(broker: &Broker) -> Removed {
    let (mut removed, mut away) = (Removed::default(), BTreeSet::new());
    loop {
        let due = broker.journal.due(broker.clock.now(), &away, SWEEP_BATCH).unwrap_or_default();
        let (batch, without_service) = remove_all(broker, &due, ROUND);
        removed.add(batch);
        let got_on = batch.gone + batch.kept > 0 || !without_service.is_empty();
        away.extend(without_service);
        if due.len() < SWEEP_BATCH || !got_on {
            return removed;
        }
    }
}

/// Finds out whether the accounts that were in trouble still are, with one call each, so that a broker without traffic gets
/// ready again. When Docker Hub is away for one it is away for all.
fn probe_troubled(broker: &Broker) {
    for account in broker.accounts.values() {
        let now = broker.clock.now();
        if account.trouble(now).is_some() {
            account.probe(&*broker.outbound, now);
            if matches!(account.trouble(now), Some(IssueError::Hub(HubError::Unavailable { .. }))) {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests;
