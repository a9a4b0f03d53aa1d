//! A value that must never be seen.
//!
//! `Secret` has no `Display`, its `Debug` says nothing, and its memory is zeroed on drop. `expose` is the only
//! way in, so that a search for that word lists every place where a secret is touched. The only way out through
//! serde is the field attribute `#[serde(with = "secret::on_the_wire")]`; a test lists its uses.
//!
//! Copies made inside serde and the HTTP client are not ours and are not zeroed; SECURITY.md says so.

use std::fmt;

use zeroize::Zeroizing;

/// Text that is zeroed on drop and cannot be printed by accident.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of `text`; the caller keeps no copy.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Marks the place where the secret leaves this type. Never hand the result to a formatter.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing inside; an empty secret is treated as none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(redacted)")
    }
}

/// The one serde door, for the record on disk and the module boundary.
pub mod on_the_wire {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Secret;

    /// Writes the secret itself. Only for a destination that is allowed to hold it.
    pub fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    /// Reads a secret from text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_says_nothing_of_the_value() {
        assert_eq!(format!("{:?}", Secret::new("dckr_pat_x")), "Secret(redacted)");
    }
}
