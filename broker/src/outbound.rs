//! The way out that the program takes: the system's roots, and the proxy that its environment names.

use hublease_hub::outbound::OutboundError;
use hublease_hub::outbound::native::{Native, Settings};

/// What performs the broker's calls: one for issuers and Docker Hub, and one of its own, with more authorities (PEM), for each
/// reading of a Vault.
///
/// # Errors
/// As [`Native::new`].
pub(crate) fn native(authorities: &[u8]) -> Result<Native, OutboundError> {
    Native::new(&Settings {
        user_agent: concat!("hublease-broker/", env!("CARGO_PKG_VERSION")),
        variable: &|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()),
        authorities,
    })
}
