//! A journal and an outside world that are there until a stop: shared by the tests that stop a broker and by the program that
//! is killed.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use hublease_broker::journal::{EnterOutcome, Journal, JournalError, Lease, LeaseState, NewLease, Selection, Trust};

/// Where the broker is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// Counts what is written and asked, and stops at one of it.
pub(crate) struct Stop {
    pub(crate) passed: AtomicUsize,
    pub(crate) at: usize,
    pub(crate) side: Side,
    /// What happens there; when it comes back, nothing is written and nobody is asked from then on.
    pub(crate) end: fn(),
}

impl Stop {
    pub(crate) fn step<T>(&self, stopped: T, work: impl FnOnce() -> T) -> T {
        let number = self.passed.fetch_add(1, SeqCst);
        let at = number.cmp(&self.at);
        if at == Ordering::Less {
            return work();
        }
        if (at, self.side) == (Ordering::Equal, Side::After) {
            drop(work());
        }
        if at == Ordering::Equal {
            (self.end)();
        }
        stopped
    }
}

/// See the module.
pub(crate) struct Stopping<T> {
    pub(crate) inner: T,
    pub(crate) stop: Arc<Stop>,
}

impl<T> Stopping<T> {
    fn write<R>(&self, work: impl FnOnce(&T) -> Result<R, JournalError>) -> Result<R, JournalError> {
        self.stop.step(Err(JournalError("stopped")), || work(&self.inner))
    }
}

impl Journal for Stopping<Box<dyn Journal>> {
    fn enter(&self, wanted: NewLease, now: u64) -> Result<EnterOutcome, JournalError> {
        self.write(|journal| journal.enter(wanted, now))
    }

    fn withdraw(&self, lease: &str) -> Result<(), JournalError> {
        self.write(|journal| journal.withdraw(lease))
    }

    fn unclear(&self, lease: &str, due_at: u64) -> Result<(), JournalError> {
        self.write(|journal| journal.unclear(lease, due_at))
    }

    fn live(&self, lease: &str, hub_id: &str, credential_sha256: &str) -> Result<bool, JournalError> {
        self.write(|journal| journal.live(lease, hub_id, credential_sha256))
    }

    fn claim(&self, lease: &str, now: u64, until: u64) -> Result<Option<Lease>, JournalError> {
        self.write(|journal| journal.claim(lease, now, until))
    }

    fn revoked(&self, lease: &str, now: u64) -> Result<(), JournalError> {
        self.write(|journal| journal.revoked(lease, now))
    }

    fn failed(&self, lease: &str, due_at: u64) -> Result<(), JournalError> {
        self.write(|journal| journal.failed(lease, due_at))
    }

    fn condemn(&self, selection: &Selection, now: u64) -> Result<Vec<Lease>, JournalError> {
        self.write(|journal| journal.condemn(selection, now))
    }

    fn adopt(&self, lease: &Lease) -> Result<bool, JournalError> {
        self.write(|journal| journal.adopt(lease))
    }

    fn by_handle(&self, handle_sha256: &str) -> Result<Option<Lease>, JournalError> {
        self.write(|journal| journal.by_handle(handle_sha256))
    }

    fn select(&self, selection: &Selection) -> Result<Vec<Lease>, JournalError> {
        self.write(|journal| journal.select(selection))
    }

    fn due(&self, now: u64, except: &BTreeSet<String>, limit: usize) -> Result<Vec<Lease>, JournalError> {
        self.write(|journal| journal.due(now, except, limit))
    }

    fn prune(&self, closed_before: u64, limit: usize) -> Result<usize, JournalError> {
        self.write(|journal| journal.prune(closed_before, limit))
    }

    fn trust(&self, account: &str) -> Result<Trust, JournalError> {
        self.write(|journal| journal.trust(account))
    }

    fn learn(&self, account: &str, trust: Trust) -> Result<Trust, JournalError> {
        self.write(|journal| journal.learn(account, trust))
    }

    fn set_trust(&self, account: &str, trust: Trust) -> Result<(), JournalError> {
        self.write(|journal| journal.set_trust(account, trust))
    }

    fn probe(&self) -> Result<(), JournalError> {
        self.write(|journal| journal.probe())
    }

    fn open(&self) -> Result<Vec<(String, LeaseState, u64)>, JournalError> {
        self.write(|journal| journal.open())
    }
}
