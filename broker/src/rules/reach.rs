//! What a rule grants, or what a token of a pool can do: repositories, and what may be done with each of them.

use hublease_protocol::scope::{Action, Scope};
use serde_json::Value;

use crate::rules::Pattern;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Texts and globs.
    pub repositories: Vec<Pattern>,
    /// Together with what Docker Hub implies.
    pub actions: Vec<Action>,
    /// Whether public images may be pulled beside them, whosever they are.
    pub public_pull: bool,
}

impl Reach {
    /// Whether all of a scope can be done.
    #[must_use]
    pub fn covers(&self, scope: &Scope) -> bool {
        let can = |repository| {
            self.reaches(repository) && scope.actions(repository).all(|action| self.actions.contains(&action))
        };
        (self.public_pull || !scope.allows_public_pull()) && scope.repositories().all(can)
    }

    /// What is granted to whoever asks for `wish`: all of it, with public images where they belong to it; nothing when it is too much.
    pub(super) fn granted(&self, wish: &Scope) -> Option<Scope> {
        if self.covers(wish) { self.with_public(wish.clone()) } else { None }
    }

    fn with_public(&self, scope: Scope) -> Option<Scope> {
        if self.public_pull { scope.with_public_pull().ok() } else { Some(scope) }
    }

    /// Whether a repository is among them.
    #[must_use]
    pub fn reaches(&self, repository: &str) -> bool {
        let name = Value::from(repository);
        self.repositories.iter().any(|pattern| pattern.matches(&name))
    }

    /// All of it, when it is spelled out and a scope can hold it.
    pub(super) fn literal_scope(&self) -> Option<Scope> {
        let repositories: Vec<&str> = self.repositories.iter().map(Pattern::literal).collect::<Option<_>>()?;
        Scope::of(repositories, &self.actions).ok().and_then(|scope| self.with_public(scope))
    }
}
