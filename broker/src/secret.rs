//! A text that must not be printed: passwords, bearers, minted tokens, revocation handles.
//!
//! Neither Display nor Serialize; Debug redacts; the memory is zeroed on drop. Copies that serde, ureq and hyper make on
//! their way are not zeroed.

use std::fmt;

use zeroize::Zeroizing;

/// See the module.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}
