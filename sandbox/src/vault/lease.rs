//! Leases and the queue of those to revoke: bookkeeping only, `revocation.rs` does the deed.
//!
//! Follows Vault's lease documentation and OpenBao's `expiration.go`: a lease of a service token dies with it, a lease
//! of a batch token is capped at the token's remaining life and indexed under no token.

use super::Vault;
use super::state::VaultState;
use super::token::{Token, TokenType};
use crate::random;

/// Then a lease is irrevocable: it stays, and waits for an operator.
pub(super) const MAX_REVOKE_ATTEMPTS: u32 = 6;
/// Doubles with each failed attempt. Vault varies it by half either way; the sandbox does not, so that tests can
/// move the clock.
const REVOKE_RETRY_SECONDS: u64 = 10;

#[derive(Debug, Clone)]
pub(super) struct Lease {
    pub(super) id: String,
    /// The engine's full path.
    pub(super) mount: String,
    /// Docker Hub's account and token, as the engine's internal data keeps them.
    pub(super) username: String,
    pub(super) uuid: String,
    /// None for a batch token's.
    pub(super) owner: Option<String>,
    pub(super) issued_at: u64,
    pub(super) ttl: u64,
    pub(super) condition: Condition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Revocable,
    Irrevocable,
}

/// A lease to revoke.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) lease_id: String,
    pub(super) failures: u32,
    pub(super) due_at: u64,
}

/// A secret that an engine has just made.
pub(super) struct EngineSecret<'issue> {
    pub(super) mount: &'issue str,
    pub(super) full_path: &'issue str,
    pub(super) username: &'issue str,
    pub(super) uuid: &'issue str,
    pub(super) ttl: u64,
}

impl Lease {
    pub(super) fn expires_at(&self) -> u64 {
        self.issued_at.saturating_add(self.ttl)
    }
}

impl Vault {
    /// Books a lease for `token`: id and life in seconds as the caller is told.
    pub(super) fn register_lease(&self, token: &Token, issued: &EngineSecret<'_>) -> (String, u64) {
        let now = self.now();
        let mut state = self.state();
        let (namespace, path) = state.split_namespace(issued.full_path);
        // Below the root, Vault ends a lease id with the namespace's id.
        let suffix = if namespace.is_empty() { String::new() } else { format!(".{}", random::token("", 5)) };
        let id = format!("{path}/{}{suffix}", random::token("", 24));
        let (owner, ttl) = match token.token_type {
            TokenType::Service => (Some(token.id.clone()), issued.ttl),
            TokenType::Batch => (None, issued.ttl.min(token.expires_at().saturating_sub(now))),
        };
        let owner_died = owner.as_ref().is_some_and(|owner| !state.tokens.contains_key(owner));
        let lease = Lease {
            id: id.clone(),
            mount: issued.mount.to_owned(),
            username: issued.username.to_owned(),
            uuid: issued.uuid.to_owned(),
            owner,
            issued_at: now,
            ttl,
            condition: Condition::Revocable,
        };
        state.leases.insert(id.clone(), lease);
        // The token was revoked while the Hub was minting for it.
        if owner_died {
            state.enqueue(&id, now);
        }
        (id, ttl)
    }
}

impl VaultState {
    /// Adds a lease to the queue, once.
    pub(super) fn enqueue(&mut self, lease_id: &str, now: u64) {
        let queued = self.jobs.iter().any(|job| job.lease_id == lease_id);
        if self.leases.contains_key(lease_id) && !queued {
            self.jobs.push(Job { lease_id: lease_id.to_owned(), failures: 0, due_at: now });
        }
    }

    /// Adds every lease of a token that has died.
    pub(super) fn enqueue_leases_of(&mut self, token_id: &str, now: u64) {
        self.enqueue_where(now, |lease| lease.owner.as_deref() == Some(token_id));
    }

    /// Buries expired tokens; queues their leases and the expired ones.
    pub(super) fn expire(&mut self, now: u64) {
        let dead: Vec<String> =
            self.tokens.values().filter(|token| token.expires_at() <= now).map(|token| token.id.clone()).collect();
        for token_id in dead {
            self.tokens.remove(&token_id);
            self.enqueue_leases_of(&token_id, now);
        }
        self.enqueue_where(now, |lease| lease.expires_at() <= now);
    }

    /// Books a failed attempt; the last one makes the lease irrevocable, which is answered.
    pub(super) fn attempt_failed(&mut self, lease_id: &str, now: u64) -> bool {
        let Some(job) = self.jobs.iter_mut().find(|job| job.lease_id == lease_id) else {
            return false;
        };
        job.failures += 1;
        job.due_at = now.saturating_add(REVOKE_RETRY_SECONDS << job.failures);
        if job.failures < MAX_REVOKE_ATTEMPTS {
            return false;
        }
        self.jobs.retain(|job| job.lease_id != lease_id);
        if let Some(lease) = self.leases.get_mut(lease_id) {
            lease.condition = Condition::Irrevocable;
        }
        true
    }

    /// The lease is over.
    pub(super) fn forget_lease(&mut self, lease_id: &str) {
        self.leases.remove(lease_id);
        self.jobs.retain(|job| job.lease_id != lease_id);
    }

    fn enqueue_where(&mut self, now: u64, chosen: impl Fn(&Lease) -> bool) {
        let ids: Vec<String> = self
            .leases
            .values()
            .filter(|lease| lease.condition == Condition::Revocable && chosen(lease))
            .map(|lease| lease.id.clone())
            .collect();
        for id in ids {
            self.enqueue(&id, now);
        }
    }
}
