//! Wire words: what client, broker and whoever else speaks with them must read and write alike.
//!
//! Invariant: values in, values out. Nothing here reaches network, files, environment, processes or the clock, and nothing
//! here knows the client's story, the broker or its journal.
//!
//! - [`secret`]: a value that is never shown, and [`printable`]: foreign text that may be shown
//! - [`oauth`]: token exchange, revocation and metadata (RFC 8693, 7009, 8414), [`scope`]: what a credential may do
//! - [`claims`]: what an identity token says about itself, unverified, [`ci`]: what is known about the CI systems
//! - [`endpoint`]: addresses, [`no_proxy`]: which of them no proxy is asked for, [`vault_path`]: paths in Vault
//! - [`strict_json`]: JSON without doubled names, [`time`]: dates as people read them, [`hex`]: bytes as digits
//! - [`id`]: what a login's record is known by, [`percent`]: escapes in addresses and forms

pub mod ci;
pub mod claims;
pub mod endpoint;
pub mod hex;
pub mod id;
pub mod nearest;
pub mod no_proxy;
pub mod oauth;
pub mod percent;
pub mod printable;
pub mod scope;
pub mod secret;
pub mod strict_json;
pub mod time;
pub mod vault_path;
