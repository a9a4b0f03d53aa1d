//! The life of a lease: issued, revoked, swept, and compared with Docker Hub.
//!
//! Invariant: an intention is in the journal before Docker Hub is asked for a token, and `confirmed` is said only after Docker
//! Hub said that the token is gone.

pub mod exchange;
pub mod reconcile;
pub(crate) mod removal;
pub mod revoke;
pub mod revoke_by_identity;
pub mod sweep;
