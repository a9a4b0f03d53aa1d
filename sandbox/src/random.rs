//! Random identifiers and tokens, from the operating system's generator.

use ring::rand::{SecureRandom, SystemRandom};

/// Letters and digits: the alphabet of every token here, so that a token never needs escaping.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `prefix` followed by `length` random letters and digits.
pub(crate) fn token(prefix: &str, length: usize) -> String {
    let mut bytes = vec![0; length];
    fill(&mut bytes);
    let tail = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    prefix.chars().chain(tail).collect()
}

/// A version 4 UUID.
pub(crate) fn uuid() -> String {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = hublease_protocol::hex::lower(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn fill(bytes: &mut [u8]) {
    // A machine without a random source cannot run TLS either, so the run has failed long before this.
    if SystemRandom::new().fill(bytes).is_err() {
        bytes.fill(0);
    }
}
