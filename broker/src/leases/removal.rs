//! How a lease's token is removed: claim the lease, ask Docker Hub, write down what it said. Every way to the end of a lease
//! leads through here, so that "revoked" always means the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

use hublease_hub::client::{Client, Listing};
use hublease_hub::error::HubError;
use hublease_hub::governor::Urgency;

use crate::account::pool::is_lent;
use crate::account::{Account, refusal_of};
use crate::broker::Broker;
use crate::journal::{JournalError, Lease, LeaseState};
use crate::limits::{CLAIM_SECONDS, LIST_RETRY_SECONDS};
use crate::observe::audit::{AuditEvent, Event, Outcome};
use crate::observe::bounded::bounded;

/// How a removal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    /// Docker Hub has no such token, now or already.
    Gone,
    /// The token is one of a pool: the lease is over, and the token lives on at its owner.
    Kept,
    /// Somebody else is removing it, or it may be minted at this moment.
    Elsewhere,
    /// Docker Hub has not said that it is gone.
    Failed(HubError),
    /// No account of the configuration can remove it, and it has not ended yet.
    NoAccount,
    /// No account of the configuration can remove it, and it has ended by itself.
    Expired,
    /// The journal failed.
    Unwritten(JournalError),
}

impl Removal {
    /// For the operator, why it failed.
    fn reason(self) -> Option<String> {
        match self {
            Self::Failed(error) => Some(refusal_of(error).sentence),
            Self::NoAccount => Some("no account of the configuration has this name".to_owned()),
            Self::Unwritten(error) => Some(error.to_string()),
            _ => None,
        }
    }

    /// What the audit log says of it.
    pub(super) const fn outcome(self) -> Outcome {
        match self {
            Self::Gone => Outcome::Confirmed,
            Self::Kept => Outcome::Returned,
            Self::Expired => Outcome::Expired,
            Self::Elsewhere => Outcome::Elsewhere,
            Self::Failed(_) | Self::NoAccount | Self::Unwritten(_) => Outcome::Failed,
        }
    }
}

/// How many removals ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Docker Hub has no such token any more.
    pub gone: usize,
    /// Over without a deletion: given back to a pool, or ended by itself when its account had left the configuration.
    pub kept: usize,
    /// Tried again later, by whoever comes then.
    pub left: usize,
}

impl Removed {
    /// Counts others too.
    pub(crate) const fn add(&mut self, others: Self) {
        self.gone += others.gone;
        self.kept += others.kept;
        self.left += others.left;
    }
}

/// How many leases are removed on one occasion.
#[derive(Clone, Copy)]
pub(crate) struct Round {
    /// The occasion.
    pub(crate) event: Event,
    /// After how long, in seconds, what failed may be tried again.
    pub(crate) pause: u64,
    /// How many at one time.
    pub(crate) workers: usize,
}

/// Removes many leases, some at a time, and says each in the audit log. An account that Docker Hub does not serve at this moment
/// is left alone for the rest of them, so that a fault is not answered with a storm; gives the names of such accounts too.
pub(crate) fn remove_all(broker: &Broker, leases: &[Lease], round: Round) -> (Removed, BTreeSet<String>) {
    let begun = broker.clock.now();
    let listings = listings(broker, leases);
    let [next, gone, kept] = [const { AtomicUsize::new(0) }; 3];
    let away: Mutex<BTreeSet<&str>> = Mutex::default();
    let work = || {
        while let Some(lease) = leases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let is_away = away.lock().unwrap_or_else(PoisonError::into_inner).contains(lease.account.as_str());
            // What was not due when the accounts were listed cannot be judged by that list; somebody else is at it.
            let is_early = lease.state != LeaseState::Live && begun < lease.due_at;
            if is_away || is_early {
                continue;
            }
            match remove_listed(broker, lease, listings.get(lease.account.as_str()), round) {
                Removal::Gone => drop(gone.fetch_add(1, Ordering::Relaxed)),
                Removal::Kept | Removal::Expired => drop(kept.fetch_add(1, Ordering::Relaxed)),
                Removal::Failed(
                    HubError::Unavailable { .. } | HubError::AccountRefused | HubError::NoSecret { .. },
                ) => {
                    away.lock().unwrap_or_else(PoisonError::into_inner).insert(&lease.account);
                }
                _ => {}
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..round.workers.min(leases.len()) {
            // A system without another thread to give is slower.
            drop(Builder::new().spawn_scoped(scope, work));
        }
        work();
    });
    let (gone, kept) = (gone.into_inner(), kept.into_inner());
    let away = away.into_inner().unwrap_or_else(PoisonError::into_inner);
    (Removed { gone, kept, left: leases.len() - gone - kept }, away.into_iter().map(str::to_owned).collect())
}

/// What the accounts hold whose leases have to be looked for by their labels: listed once for all of them, before the first is
/// removed.
fn listings<'a>(broker: &Broker, leases: &'a [Lease]) -> BTreeMap<&'a str, Result<Listing, HubError>> {
    let now = broker.clock.now();
    let nameless = leases.iter().filter(|lease| lease.hub_id.is_none() && now >= lease.due_at);
    let nameless = nameless.map(|lease| lease.account.as_str());
    let accounts: BTreeSet<&str> = nameless.collect();
    let list = |name: &'a str| {
        let client = broker.accounts.get(name)?.client()?;
        Some((name, list(broker, client)))
    };
    accounts.into_iter().filter_map(list).collect()
}

fn list(broker: &Broker, client: &Client) -> Result<Listing, HubError> {
    client.listing(&broker.label_prefix(), Urgency::Removal, &*broker.outbound, broker.clock.now())
}

/// Removes a lease without being asked for it by its handle, and says so in the audit log.
pub(crate) fn remove_as(broker: &Broker, lease: &Lease, event: Event, pause: u64) -> Removal {
    remove_listed(broker, lease, None, Round { event, pause, workers: 1 })
}

fn remove_listed(broker: &Broker, lease: &Lease, listing: Option<&Result<Listing, HubError>>, round: Round) -> Removal {
    broker.audit.record(round.event, broker.clock.now(), |line| {
        name_lease(line, lease);
        let removal = claim_and_remove(broker, lease, listing, round.pause);
        line.reason = removal.reason();
        (removal.outcome(), removal)
    })
}

/// Claims the lease, removes its token, writes down that it is gone. After a failure it may be tried again in `pause` seconds.
pub(super) fn remove(broker: &Broker, lease: &Lease, pause: u64) -> Removal {
    claim_and_remove(broker, lease, None, pause)
}

fn claim_and_remove(
    broker: &Broker,
    lease: &Lease,
    listing: Option<&Result<Listing, HubError>>,
    pause: u64,
) -> Removal {
    if lease.state == LeaseState::Revoked {
        // Nobody looks twice: a token of a pool is as alive as it was, and of an account that is gone nobody can say.
        return match broker.accounts.get(&lease.account) {
            _ if was_lent(lease) => Removal::Kept,
            Some(account) if account.client().is_some() => Removal::Gone,
            _ => Removal::Expired,
        };
    }
    let now = broker.clock.now();
    let lease = match broker.journal.claim(&lease.id, now, now.saturating_add(CLAIM_SECONDS)) {
        Ok(Some(lease)) => lease,
        Ok(None) => return Removal::Elsewhere,
        Err(error) => return Removal::Unwritten(error),
    };
    let removal = remove_token(broker, &lease, listing);
    let now = broker.clock.now();
    let written = match removal {
        Removal::Gone | Removal::Kept | Removal::Expired => broker.journal.revoked(&lease.id, now),
        // Until it has ended, nobody can do anything about it.
        Removal::NoAccount => broker.journal.failed(&lease.id, lease.expires_at.max(now.saturating_add(pause))),
        Removal::Failed(HubError::ListUnclear { .. }) => {
            broker.journal.failed(&lease.id, now.saturating_add(LIST_RETRY_SECONDS))
        }
        _ => broker.journal.failed(&lease.id, now.saturating_add(pause)),
    };
    written.map_or_else(Removal::Unwritten, |()| removal)
}

fn remove_token(broker: &Broker, lease: &Lease, listing: Option<&Result<Listing, HubError>>) -> Removal {
    if was_lent(lease) {
        return Removal::Kept;
    }
    let Some(client) = broker.accounts.get(&lease.account).and_then(Account::client) else {
        let has_ended = broker.clock.now() >= lease.expires_at;
        return if has_ended { Removal::Expired } else { Removal::NoAccount };
    };
    let (outbound, now) = (&*broker.outbound, broker.clock.now());
    let id = match &lease.hub_id {
        Some(id) => Ok(Some(id.clone())),
        // Announced, and nobody heard the answer: the label tells whether a token was made.
        None => match listing {
            Some(listing) => listing.as_ref().map_err(|error| *error).and_then(|listing| listing.find(&lease.label)),
            None => list(broker, client).and_then(|listing| listing.find(&lease.label)),
        },
    };
    let gone = id.and_then(|id| id.map_or(Ok(()), |id| client.delete(&id, outbound, now)));
    gone.map_or_else(Removal::Failed, |()| Removal::Gone)
}

/// The lease says it, not today's configuration: an account may have become a pool, or a pool an account, since.
fn was_lent(lease: &Lease) -> bool {
    lease.hub_id.as_deref().is_some_and(is_lent)
}

pub(super) fn name_lease(line: &mut AuditEvent, lease: &Lease) {
    line.lease_id = Some(lease.id.clone());
    line.job = Some(bounded(&lease.holder.job));
    line.rule = Some(lease.rule.clone());
    line.account = Some(lease.account.clone());
}
