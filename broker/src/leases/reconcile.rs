//! Compares the journal with Docker Hub, so that a token which no lease stands for does not live on unseen.
//!
//! Such a token comes from a mint whose answer and whose intent were both lost, from a list that changed while it was turned over
//! page by page, or from a journal that was restored from an older copy. Docker Hub is listed first and the journal read
//! after it, so that a lease which is entered meanwhile is not taken for a leftover. Only labels of our own instance are looked
//! at; a leftover must be old enough, and be seen twice, before it is written down as a lease and removed like any other.
//!
//! A journal that is new where its instance already has tokens may stand in for one that was lost. Then nothing is deleted:
//! it is reported, until an operator says `leases adopt` or `leases purge`.

use std::collections::{BTreeMap, BTreeSet};

use hublease_hub::client::Client;
use hublease_hub::clock::is_ahead;
use hublease_hub::error::HubError;
use hublease_hub::governor::Urgency;
use hublease_hub::token::Listed;

use crate::broker::Broker;
use crate::journal::{Holder, JournalError, Lease, LeaseState, Selection, Trust};
use crate::leases::removal::{Removed, Round, remove_all};
use crate::limits::{LEFTOVER_SECONDS, MAX_LIFE_SECONDS, RECONCILE_SECONDS, SWEEP_RETRY_SECONDS, SWEEP_WORKERS};
use crate::observe::audit::{Event, Outcome};

/// What stands for the rule of a lease that was found at Docker Hub.
pub const ADOPTED: &str = "(adopted)";

/// What no lease stands for.
const ROUND: Round = Round { event: Event::Reconcile, pause: SWEEP_RETRY_SECONDS, workers: SWEEP_WORKERS };

/// What the last comparison saw.
#[derive(Default)]
pub struct Reconciler {
    /// Account and token, of what looked like a leftover.
    suspects: BTreeSet<(String, String)>,
    /// When each account's turn comes.
    next: BTreeMap<String, u64>,
}

/// Why an account could not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReconcileError {
    /// Docker Hub did not list it.
    Hub(HubError),
    /// The journal could not be read or written.
    Journal(JournalError),
}

impl From<HubError> for ReconcileError {
    fn from(error: HubError) -> Self {
        Self::Hub(error)
    }
}

impl From<JournalError> for ReconcileError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Reconciler {
    /// Compares the accounts whose turn it is, and removes what is certainly left over. Blocking.
    pub fn reconcile(&mut self, broker: &Broker) -> Removed {
        let mut removed = Removed::default();
        // The tokens of a pool are an administrator's: none of them can be a leftover.
        for (name, client) in broker.accounts.iter().filter_map(|(name, account)| Some((name, account.client()?))) {
            let now = broker.clock.now();
            if self.next.get(name).is_some_and(|next| is_ahead(*next, now, RECONCILE_SECONDS)) {
                continue;
            }
            self.next.insert(name.clone(), now.saturating_add(RECONCILE_SECONDS));
            // What cannot be compared now is compared next time; nothing was seen, so nothing is suspected any more.
            let leftovers = leftovers(broker, name, client).unwrap_or_default();
            let certain = self.suspect(name, leftovers);
            let adopted =
                certain.iter().filter(|found| broker.journal.adopt(found) == Ok(true)).cloned().collect::<Vec<_>>();
            removed.add(remove_all(broker, &adopted, ROUND).0);
        }
        removed
    }

    /// Remembers what was seen now, and gives what was seen the last time too.
    fn suspect(&mut self, account: &str, leftovers: Vec<Lease>) -> Vec<Lease> {
        let key = |lease: &Lease| (account.to_owned(), lease.hub_id.clone().unwrap_or_default());
        let (certain, fresh): (Vec<_>, Vec<_>) =
            leftovers.into_iter().partition(|lease| self.suspects.contains(&key(lease)));
        self.suspects.retain(|(name, _)| name != account);
        self.suspects.extend(fresh.iter().map(key));
        certain
    }
}

/// The account's tokens of our instance that no lease stands for and that are old enough to be judged, as leases to be removed;
/// none for an account that an operator has to judge first.
fn leftovers(broker: &Broker, account: &str, client: &Client) -> Result<Vec<Lease>, ReconcileError> {
    let unknown = unknown(broker, account, client)?;
    let trust = match broker.journal.trust(account)? {
        Trust::New if has_stranger(broker, &unknown)? => broker.journal.learn(account, Trust::ReportOnly)?,
        Trust::New => broker.journal.learn(account, Trust::Known)?,
        trust => trust,
    };
    if trust == Trust::ReportOnly {
        for lease in &unknown {
            report(broker, lease);
        }
        return Ok(Vec::new());
    }
    let now = broker.clock.now();
    // A token without a time is as old as its first sight: being seen twice is all that is asked of it.
    Ok(unknown.into_iter().filter(|lease| now >= lease.created_at.saturating_add(LEFTOVER_SECONDS)).collect())
}

/// Whether the journal has never heard of one of them. A lease that was over when the journal was read, and not yet when Docker
/// Hub was listed, is no stranger.
fn has_stranger(broker: &Broker, unknown: &[Lease]) -> Result<bool, JournalError> {
    for lease in unknown {
        let known = Selection { id: Some(lease.id.clone()), ..Selection::default() };
        if broker.journal.select(&known)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The account's tokens of our instance that no lease stands for. Docker Hub first, then the journal.
///
/// # Errors
/// When either does not answer.
pub fn unknown(broker: &Broker, account: &str, client: &Client) -> Result<Vec<Lease>, ReconcileError> {
    let prefix = broker.label_prefix();
    let now = broker.clock.now();
    // What a changing list hides is seen the next time.
    let listing = client.listing(&prefix, Urgency::CanWait, &*broker.outbound, now)?;
    let mut unknown = Vec::new();
    for token in listing.tokens {
        let Some(id) = token.label.strip_prefix(&prefix).filter(|id| is_lease_id(id)) else { continue };
        let known = broker.journal.select(&Selection { id: Some(id.to_owned()), ..Selection::default() })?;
        if known.first().is_none_or(|lease| lease.state == LeaseState::Revoked) {
            unknown.push(found(id, account, &token, now));
        }
    }
    Ok(unknown)
}

/// What [`crate::leases::exchange`] draws. Anything else under our label was made by somebody else's hand.
fn is_lease_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// A lease for a token that was found: to be removed at once.
fn found(id: &str, account: &str, token: &Listed, now: u64) -> Lease {
    let nobody = || "(unknown)".to_owned();
    Lease {
        id: id.to_owned(),
        handle_sha256: None,
        state: LeaseState::Revoking,
        holder: Holder {
            issuer: nobody(),
            project: None,
            workflow: None,
            job: nobody(),
            subject: None,
            token_sha256: nobody(),
        },
        rule: ADOPTED.to_owned(),
        account: account.to_owned(),
        scope: nobody(),
        label: token.label.clone(),
        hub_id: Some(token.id.clone()),
        created_at: token.created_at.unwrap_or_default(),
        expires_at: token.expires_at.unwrap_or_else(|| now.saturating_add(MAX_LIFE_SECONDS)),
        due_at: now,
        closed_at: None,
        credential_sha256: None,
    }
}

fn report(broker: &Broker, lease: &Lease) {
    broker.audit.record(Event::Reconcile, broker.clock.now(), |line| {
        line.lease_id = Some(lease.id.clone());
        line.account = Some(lease.account.clone());
        line.reason = Some("the journal does not know it, and is new: run `leases adopt` or `leases purge`".to_owned());
        (Outcome::Reported, ())
    });
}

#[cfg(test)]
mod tests;
