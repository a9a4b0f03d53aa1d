//! Identifiers that nobody meets twice.
//!
//! Random enough that a search for a leaked secret has no false hit; not meant to resist an attacker, which a sandbox
//! on loopback does not have. The keys of std's hasher are the source, so that no further dependency is needed.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `length` letters and digits.
pub(super) fn base62(length: usize) -> String {
    (0..length)
        .map(|_| {
            let index = usize::try_from(word() % 62).unwrap_or_default();
            char::from(ALPHABET[index])
        })
        .collect()
}

/// A version 4 UUID.
pub(super) fn uuid() -> String {
    let (high, low) = (word(), word());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0x0fff,
        (low >> 48 & 0x3fff) | 0x8000,
        low & 0xffff_ffff_ffff,
    )
}

fn word() -> u64 {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    RandomState::new().hash_one(CALLS.fetch_add(1, Ordering::Relaxed))
}
