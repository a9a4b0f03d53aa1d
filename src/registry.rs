//! Docker's token server and registry, as a client meets them.
//!
//! Invariant: nothing is fetched, uploaded or changed, and a credential goes to the token server alone.

pub(crate) mod hub;
pub(crate) mod probe;
mod token;
