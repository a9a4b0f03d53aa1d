//! What the broker says of itself: the audit log, counters, and lines for the operator.
//!
//! Invariant: no token, handle or password, and foreign text only cut and escaped.

pub(crate) mod ascii_json;
pub mod audit;
pub(crate) mod bounded;
pub(crate) mod console;
pub mod counter;
