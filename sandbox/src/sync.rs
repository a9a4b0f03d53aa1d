//! Locks that survive a panic in another thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, and takes over what a panicking holder left: a failed assertion in one test thread must not hide behind
/// a second failure here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
