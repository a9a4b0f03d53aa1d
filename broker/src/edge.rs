//! The broker on the network: listeners, connections, routes, and what a machine asks about it.
//!
//! Invariant: client text is bounded before it is read, and only these files know about tokio and HTTP.

pub(crate) mod concurrency;
pub(crate) mod connection;
pub(crate) mod connection_pool;
pub(crate) mod metrics_page;
pub mod questions;
mod readiness;
mod response;
pub mod routes;
pub mod server;
pub mod tls;
