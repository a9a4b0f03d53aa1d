//! A CI job proves who it is and gets a Docker Hub credential that lives for minutes.

pub mod claims;
pub mod effect;
pub mod endpoint;
pub mod environment;
pub mod error;
#[cfg(feature = "native")]
pub mod native;
pub mod printable;
pub mod secret;
