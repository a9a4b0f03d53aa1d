//! Who a job is: identity tokens, verified.
//!
//! Invariant: nothing of a token is believed before its signature, its issuer, its audience and its time were checked.

pub mod claims;
pub mod issuer;
pub mod jwk;
pub mod key_cache;
pub mod verify;
