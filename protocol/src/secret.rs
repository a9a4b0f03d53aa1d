//! A value that must never be seen.
//!
//! `Secret` has no `Display`, its `Debug` says nothing, and its memory is zeroed on drop. `expose` is the only
//! way in, so that a search for that word lists every place where a secret is touched. The only way out through
//! serde is the field attribute `#[serde(with = "secret::on_the_wire")]`; a test lists its uses.
//!
//! Copies made inside serde and the HTTP client are not ours and are not zeroed; SECURITY.md says so.

use std::fmt;

use zeroize::Zeroize;

/// Text that is zeroed on drop and cannot be printed by accident.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of `text`; the caller keeps no copy.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
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

impl Drop for Secret {
    // Called from everywhere: once in the module, not once for each place.
    #[inline(never)]
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(redacted)")
    }
}

/// The one serde door, for the record on disk and the module boundary.
pub mod on_the_wire {
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Secret;

    /// A secret, or what is left of a message when its secrets are written as text.
    pub trait Carrier: Sized {
        /// With its secrets as they are.
        type Open<'a>: Serialize
        where
            Self: 'a;
        /// The same, as it is read.
        type Read: DeserializeOwned;

        /// Opens it.
        fn open(&self) -> Self::Open<'_>;
        /// Takes what was read; nothing is copied.
        fn close(read: Self::Read) -> Self;
    }

    /// Writes the secrets themselves. Only for a destination that is allowed to hold them.
    pub fn serialize<C: Carrier, S: Serializer>(carrier: &C, serializer: S) -> Result<S::Ok, S::Error> {
        carrier.open().serialize(serializer)
    }

    /// Reads secrets from text.
    pub fn deserialize<'de, C: Carrier, D: Deserializer<'de>>(deserializer: D) -> Result<C, D::Error> {
        C::Read::deserialize(deserializer).map(C::close)
    }

    impl Carrier for Secret {
        type Open<'a> = &'a str;
        type Read = String;

        fn open(&self) -> &str {
            self.expose()
        }

        fn close(read: String) -> Self {
            Self::new(read)
        }
    }

    impl Carrier for Option<Secret> {
        type Open<'a> = Option<&'a str>;
        type Read = Option<String>;

        fn open(&self) -> Option<&str> {
            self.as_ref().map(Secret::expose)
        }

        fn close(read: Option<String>) -> Self {
            read.map(Secret::new)
        }
    }

    /// The error is a sentence of the host's own and holds no secret.
    impl Carrier for Result<Secret, String> {
        type Open<'a> = Result<&'a str, &'a str>;
        type Read = Result<String, String>;

        fn open(&self) -> Result<&str, &str> {
            self.as_ref().map(Secret::expose).map_err(String::as_str)
        }

        fn close(read: Result<String, String>) -> Self {
            read.map(Secret::new)
        }
    }

    /// Names with secret values.
    impl<N: Copy + Serialize + DeserializeOwned> Carrier for Vec<(N, Secret)> {
        type Open<'a>
            = Vec<(N, &'a str)>
        where
            N: 'a;
        type Read = Vec<(N, String)>;

        fn open(&self) -> Vec<(N, &str)> {
            self.iter().map(|(name, secret)| (*name, secret.expose())).collect()
        }

        fn close(read: Vec<(N, String)>) -> Self {
            read.into_iter().map(|(name, text)| (name, Secret::new(text))).collect()
        }
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
