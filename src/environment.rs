//! The environment as data: one snapshot, taken in `main` and passed down.
//!
//! An empty variable counts as unset everywhere. Values may be secret, so `Debug` shows names only.

use std::collections::BTreeMap;
use std::fmt;

use hublease_protocol::ci::Ci;
use zeroize::Zeroizing;

/// A snapshot of the environment.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, Zeroizing<String>>);

impl Environment {
    /// Takes the variables; a later one of the same name wins.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut known = BTreeMap::new();
        for (name, value) in variables {
            known.insert(name, Zeroizing::new(value));
        }
        Self(known)
    }

    /// The value of a variable that is set and not empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether a variable holds exactly `true`, as CI systems announce themselves.
    pub fn is_true(&self, name: &str) -> bool {
        self.value(name) == Some("true")
    }

    /// Whether this is a job of that CI system, as far as it marks its jobs.
    pub fn is_job(&self, ci: Ci) -> bool {
        ci.job().marker.is_some_and(|marker| self.is_true(marker))
    }

    /// Every variable that is set and not empty, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(_, value)| !value.is_empty())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn empty_is_unset_and_debug_shows_names_only() {
        let environment = Environment::new([("A".into(), "secret".into()), ("B".into(), String::new())]);
        assert_eq!(
            (environment.value("A"), environment.value("B"), environment.value("C")),
            (Some("secret"), None, None)
        );
        assert_eq!(format!("{environment:?}"), r#"{"A", "B"}"#);
    }
}
