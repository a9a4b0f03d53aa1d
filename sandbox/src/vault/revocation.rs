//! Revocation: the queue's worker and `sys/leases/revoke`.
//!
//! Follows Vault's `system/leases` documentation and OpenBao's `expiration.go`: with `sync` the caller waits and
//! hears the plugin's error; without, the lease is queued and a failure is seen by nobody. Any holder of the
//! capability may revoke any lease, and an unknown lease is a success. Guessed: six attempts in all, the first
//! included; a lease that a synchronous attempt failed on stays as it was.

use std::sync::{MutexGuard, PoisonError, TryLockError};

use super::Vault;
use super::settings::{Flavour, Queue};
use super::state::Engine;
use super::wire::{Call, Reply};

/// What one turn of the queue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueRun {
    /// Leases that are gone now.
    pub revoked: usize,
    /// Attempts that failed; the lease waits for its next one.
    pub failed: usize,
    /// Attempts that failed for the last time.
    pub irrevocable: usize,
}

/// Which jobs a turn takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Jobs {
    Due,
    All,
}

impl Vault {
    /// One attempt for every queued lease, whatever its waiting time; what the clock ended is queued first.
    pub fn run_queue(&self) -> QueueRun {
        let turn = self.revoking.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        self.state().expire(now);
        self.work(Jobs::All, &turn)
    }

    /// Lets the clock and, unless [`Queue::Manual`], the revocation queue do what is due. A sealed server does nothing.
    pub fn tick(&self) {
        let mode = {
            let now = self.now();
            let mut state = self.state();
            if state.sealed {
                return;
            }
            state.expire(now);
            state.queue_mode
        };
        if mode == Queue::Manual {
            return;
        }
        // While another thread revokes, this one does not wait: the Hub may be slow on purpose.
        match self.revoking.try_lock() {
            Ok(turn) => drop(self.work(Jobs::Due, &turn)),
            Err(TryLockError::Poisoned(turn)) => drop(self.work(Jobs::Due, &turn.into_inner())),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    /// `POST sys/leases/revoke`, the id in the body or at the end of the path.
    pub(super) fn revoke_lease(&self, call: &Call, lease_in_path: &str) -> Result<Reply, Reply> {
        let mut lease_id = call.text("lease_id")?;
        if lease_id.is_empty() {
            lease_in_path.clone_into(&mut lease_id);
        }
        if lease_id.is_empty() {
            return Err(Reply::error(400, "lease_id must be specified"));
        }
        let waits_unless_told = self.state().flavour == Flavour::OpenBao && !call.body.contains_key("sync");
        if call.flag("sync") || waits_unless_told {
            let turn = self.revoking.lock().unwrap_or_else(PoisonError::into_inner);
            return match self.attempt(&lease_id, &turn) {
                Ok(()) => Ok(Reply::empty(204)),
                Err(text) => Err(Reply::error(400, format!("failed to revoke entry: {text}"))),
            };
        }
        let now = self.now();
        let mut state = self.state();
        state.enqueue(&lease_id, now);
        Ok(Reply::empty(match state.flavour {
            Flavour::Vault => 204,
            Flavour::OpenBao => 202,
        }))
    }

    fn work(&self, which: Jobs, turn: &MutexGuard<'_, ()>) -> QueueRun {
        let now = self.now();
        let chosen: Vec<String> = self
            .state()
            .jobs
            .iter()
            .filter(|job| which == Jobs::All || job.due_at <= now)
            .map(|job| job.lease_id.clone())
            .collect();
        let mut run = QueueRun::default();
        for lease_id in chosen {
            if self.attempt(&lease_id, turn).is_ok() {
                run.revoked += 1;
            } else if self.state().attempt_failed(&lease_id, now) {
                run.irrevocable += 1;
            } else {
                run.failed += 1;
            }
        }
        run
    }

    /// Asks the engine to revoke; the lease is forgotten on success only. An unknown lease is a success.
    fn attempt(&self, lease_id: &str, _turn: &MutexGuard<'_, ()>) -> Result<(), String> {
        let Some(lease) = self.state().leases.get(lease_id).cloned() else {
            return Ok(());
        };
        let engine = self.state().engines.get(&lease.mount).cloned();
        let minter = self.world.minter.as_ref();
        let outcome = match engine {
            Some(Engine::DockerHub(engine)) => engine.revoke(minter, &lease.username, &lease.uuid),
            Some(Engine::Dynamic(engine)) => minter.revoke(&engine.username, &engine.password, &lease.uuid),
            Some(Engine::KeyValue(_)) | None => Err("unsupported path".to_owned()),
        };
        outcome.map_err(|text| format!("resp: (*logical.Response)(nil) err: {text}"))?;
        self.state().forget_lease(lease_id);
        Ok(())
    }
}
