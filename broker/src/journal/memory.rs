//! The journal in memory: the whole of it is lost when the broker ends.
//!
//! What that means: a lease that was live at a restart can no longer be revoked through its handle (`unknown`) and dies at its
//! `expires_at`; an expired organization token keeps its place in the plan's quota until somebody deletes it; and what was
//! used once can be used once more. One lock makes every method one transaction.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Entry, Full, Journal, JournalFault, Lease, State};
use crate::limits::{INTENT_SECONDS, LEEWAY_SECONDS, MAX_LEASES, REMEMBER_SECONDS};

/// See the module.
#[derive(Default)]
pub struct Memory {
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    leases: BTreeMap<String, Lease>,
    /// Lease by hash of its handle.
    handles: BTreeMap<String, String>,
    jobs: BTreeMap<String, Job>,
    used: BTreeMap<String, Used>,
    /// What each intent took the place of; its withdrawal puts that back.
    replaced: BTreeMap<String, Replaced>,
}

#[derive(Default)]
struct Job {
    mints: usize,
    /// The last lease of each request.
    requests: BTreeMap<String, String>,
    forget_at: u64,
}

/// What was written, under the request and under the identity token of an intent, before it. A token that was used for an
/// earlier lease stays used when a repetition comes to nothing.
struct Replaced {
    request: Option<(String, Option<String>)>,
    used: Option<(String, Option<Used>)>,
}

/// An identity token that counts once, and the request that used it.
struct Used {
    job: String,
    request_id: Option<String>,
    lease: String,
    forget_at: u64,
}

impl Memory {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for Memory {
    fn enter(&self, entry: Entry<'_>, now: u64) -> Result<Result<Option<Lease>, Full>, JournalFault> {
        let mut books = self.books();
        books.forget(now);
        Ok(books.enter(entry, now))
    }

    fn withdraw(&self, lease: &str) -> Result<(), JournalFault> {
        let mut books = self.books();
        if books.leases.get(lease).is_none_or(|held| held.state != State::Intent) {
            return Ok(());
        }
        books.undo(lease);
        Ok(())
    }

    fn unclear(&self, lease: &str, after: u64) -> Result<(), JournalFault> {
        if let Some(held) = self.books().leases.get_mut(lease).filter(|held| held.state == State::Intent) {
            held.state = State::Revoking;
            held.claimed_until = after;
        }
        Ok(())
    }

    fn live(&self, lease: &str, hub_id: &str) -> Result<bool, JournalFault> {
        let mut books = self.books();
        let Some(held) = books.leases.get_mut(lease).filter(|held| held.state == State::Intent) else {
            return Ok(false);
        };
        held.state = State::Live;
        held.hub_id = Some(hub_id.to_owned());
        Ok(true)
    }

    fn claim(&self, lease: &str, now: u64, until: u64) -> Result<Option<Lease>, JournalFault> {
        let mut books = self.books();
        let Some(held) = books.leases.get_mut(lease).filter(|held| is_claimable(held, now)) else {
            return Ok(None);
        };
        held.state = State::Revoking;
        held.claimed_until = until;
        Ok(Some(held.clone()))
    }

    fn revoked(&self, lease: &str, now: u64) -> Result<(), JournalFault> {
        if let Some(held) = self.books().leases.get_mut(lease).filter(|held| held.state == State::Revoking) {
            held.state = State::Revoked;
            held.claimed_until = now;
        }
        Ok(())
    }

    fn failed(&self, lease: &str, after: u64) -> Result<(), JournalFault> {
        if let Some(held) = self.books().leases.get_mut(lease).filter(|held| held.state == State::Revoking) {
            held.claimed_until = after;
        }
        Ok(())
    }

    fn by_handle(&self, handle_sha256: &str) -> Result<Option<Lease>, JournalFault> {
        let books = self.books();
        Ok(books.handles.get(handle_sha256).and_then(|id| books.leases.get(id)).cloned())
    }

    fn due(&self, now: u64, limit: usize) -> Result<Vec<Lease>, JournalFault> {
        let mut books = self.books();
        books.forget(now);
        let is_due =
            |lease: &&Lease| is_claimable(lease, now) && (lease.state != State::Live || now >= lease.expires_at);
        Ok(books.leases.values().filter(is_due).take(limit).cloned().collect())
    }
}

/// An intent is nobody's business while it may still be minted.
fn is_claimable(lease: &Lease, now: u64) -> bool {
    match lease.state {
        State::Intent => now >= lease.created_at.saturating_add(INTENT_SECONDS),
        State::Live => true,
        State::Revoking => now >= lease.claimed_until,
        State::Revoked => false,
    }
}

impl Books {
    fn enter(&mut self, entry: Entry<'_>, now: u64) -> Result<Option<Lease>, Full> {
        let lease = entry.lease;
        if let Some(used) = entry.single_use_id.as_ref().and_then(|id| self.used.get(id)) {
            let is_own = used.job == lease.job && used.request_id.is_some();
            if !is_own || used.request_id.as_deref() != entry.request_id {
                return Err(Full::Replayed);
            }
        }
        let job = self.jobs.get(&lease.job);
        let first = entry.request_id.and_then(|id| job?.requests.get(id)).and_then(|id| self.leases.get(id)).cloned();
        let first = first.filter(|first| first.state != State::Revoked);
        if first.as_ref().is_some_and(|first| first.state == State::Intent && !is_claimable(first, now)) {
            return Err(Full::InProgress);
        }
        let is_held = |held: &&Lease| held.job == lease.job && held.state != State::Revoked && now < held.expires_at;
        let held =
            self.leases.values().filter(is_held).filter(|held| first.as_ref().is_none_or(|first| first.id != held.id));
        if held.count() >= entry.max_live_leases {
            return Err(Full::LiveLeases);
        }
        if job.is_some_and(|job| job.mints >= entry.max_mints) {
            return Err(Full::Mints);
        }
        if self.leases.len().max(self.jobs.len()).max(self.used.len()) >= MAX_LEASES {
            return Err(Full::Journal);
        }
        self.write(lease, entry.request_id, entry.single_use_id, entry.identity_expires_at);
        Ok(first)
    }

    fn write(&mut self, lease: Lease, request_id: Option<&str>, single_use_id: Option<String>, identity_ends: u64) {
        let forget_at = identity_ends.saturating_add(LEEWAY_SECONDS);
        let job = self.jobs.entry(lease.job.clone()).or_default();
        job.mints += 1;
        // A job may go on with a fresh token; its count lives until the last lease and the last token have ended.
        job.forget_at = job.forget_at.max(forget_at).max(lease.expires_at);
        let request = request_id.map(|id| (id.to_owned(), job.requests.insert(id.to_owned(), lease.id.clone())));
        let used = single_use_id.map(|id| {
            let request_id = request_id.map(str::to_owned);
            let used = Used { job: lease.job.clone(), request_id, lease: lease.id.clone(), forget_at };
            let before = self.used.insert(id.clone(), used);
            (id, before)
        });
        self.replaced.insert(lease.id.clone(), Replaced { request, used });
        self.handles.insert(lease.handle_sha256.clone(), lease.id.clone());
        self.leases.insert(lease.id.clone(), lease);
    }

    /// Takes away what an intent wrote, where nothing later has taken its place, and puts back what was there before.
    fn undo(&mut self, lease: &str) {
        let Some(gone) = self.leases.remove(lease) else { return };
        self.handles.remove(&gone.handle_sha256);
        let replaced = self.replaced.remove(lease);
        let (request, used) = replaced.map_or((None, None), |replaced| (replaced.request, replaced.used));
        if let Some(job) = self.jobs.get_mut(&gone.job) {
            job.mints = job.mints.saturating_sub(1);
            if let Some((id, before)) = request
                && job.requests.get(&id).is_some_and(|last| last == lease)
            {
                put_back(&mut job.requests, id, before);
            }
        }
        if let Some((id, before)) = used
            && self.used.get(&id).is_some_and(|used| used.lease == lease)
        {
            put_back(&mut self.used, id, before);
        }
    }

    fn forget(&mut self, now: u64) {
        let is_over = |lease: &Lease| {
            lease.state == State::Revoked && now >= lease.claimed_until.saturating_add(REMEMBER_SECONDS)
        };
        let leases = &mut self.leases;
        leases.retain(|_, lease| !is_over(lease));
        self.handles.retain(|_, id| leases.contains_key(id));
        // Only an intent can be withdrawn.
        self.replaced.retain(|id, _| leases.get(id).is_some_and(|lease| lease.state == State::Intent));
        self.jobs.retain(|_, job| now < job.forget_at);
        self.used.retain(|_, used| now < used.forget_at);
    }
}

fn put_back<T>(map: &mut BTreeMap<String, T>, id: String, before: Option<T>) {
    match before {
        Some(before) => drop(map.insert(id, before)),
        None => drop(map.remove(&id)),
    }
}

#[cfg(test)]
mod tests;
