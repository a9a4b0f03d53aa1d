//! What a credential may do, in Docker's words: `repository:acme/app:pull,push`.
//!
//! Follows the scope grammar of the distribution project's token specification and its repository names, narrowed on purpose:
//! only the type `repository`, only the actions `pull`, `push` and `delete`, no wildcard, no host part.
//! The narrow form is what rules are compared with, so that nothing which Docker might read as wider can pass.

mod grammar;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

pub use grammar::{MAX_NAME_BYTES, ScopeError, check_repository};

/// Docker limits an organization token to 50 repositories, so a scope never names more.
pub const MAX_REPOSITORIES: usize = 50;

/// Docker Hub's own resource for every public repository, whosever it is.
pub const PUBLIC: &str = "*/*/public";

/// The longest text that is looked at. Invariant: `MAX_REPOSITORIES` entries with the longest names and all actions still fit.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;

/// One thing that a credential may do with a repository. The order is Docker's: each one is wider than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Read images.
    Pull,
    /// Write images and tags.
    Push,
    /// Remove images and tags.
    Delete,
}

impl Action {
    /// Every action, narrowest first.
    pub const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::Delete];

    /// The word that stands in a scope.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }

    /// The action that a word names, if it is one of the three.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// At least one and at most [`MAX_REPOSITORIES`] repositories, each with at least one action.
///
/// The same repository named twice counts once, with the actions of both. Two scopes are equal when they allow the same,
/// whatever the order in which they were written; `Display` gives the one canonical spelling.
///
/// Beside them a scope may hold the pull of public images. Nobody can ask for that: [`Scope::parse`] refuses the `*` in it, and a rule
/// of the broker adds it. The reader of a granted scope sees it as one more entry, in the grammar of RFC 6749.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    grants: BTreeMap<String, BTreeSet<Action>>,
    allows_public_pull: bool,
}

impl Scope {
    /// Reads scope entries that are separated by spaces.
    ///
    /// # Errors
    /// When any part of the text is outside the grammar: nothing is skipped and nothing is guessed.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(ScopeError::new("the scope is longer than 16 KiB"));
        }
        let mut grants: BTreeMap<String, BTreeSet<Action>> = BTreeMap::new();
        for entry in text.split(' ').filter(|entry| !entry.is_empty()) {
            let (name, actions) = grammar::parse_entry(entry)?;
            grants.entry(name).or_default().extend(actions);
            if grants.len() > MAX_REPOSITORIES {
                return Err(ScopeError::new("the scope names more than 50 repositories"));
            }
        }
        if grants.is_empty() {
            return Err(ScopeError::new("the scope is empty"));
        }
        Ok(Self { grants, allows_public_pull: false })
    }

    /// A scope that allows the same actions on every one of these repositories.
    ///
    /// # Errors
    /// As [`Scope::parse`], and when there is no repository or no action.
    pub fn of<'a>(repositories: impl IntoIterator<Item = &'a str>, actions: &[Action]) -> Result<Self, ScopeError> {
        let mut grants = BTreeMap::new();
        for name in repositories {
            check_repository(name)?;
            grants.insert(name.to_owned(), actions.iter().copied().collect::<BTreeSet<_>>());
        }
        if grants.is_empty() || actions.is_empty() {
            return Err(ScopeError::new("the scope is empty"));
        }
        if grants.len() > MAX_REPOSITORIES {
            return Err(ScopeError::new("the scope names more than 50 repositories"));
        }
        Ok(Self { grants, allows_public_pull: false })
    }

    /// The same scope with the pull of public images beside it.
    ///
    /// # Errors
    /// When it names 50 repositories already: whether Docker Hub counts its own resource among them is not documented.
    pub fn with_public_pull(self) -> Result<Self, ScopeError> {
        if self.grants.len() >= MAX_REPOSITORIES {
            return Err(ScopeError::new("beside public images a scope names at most 49 repositories"));
        }
        Ok(Self { allows_public_pull: true, ..self })
    }

    /// Whether public images may be pulled, whosever they are.
    #[must_use]
    pub const fn allows_public_pull(&self) -> bool {
        self.allows_public_pull
    }

    /// The repositories, in alphabetical order.
    pub fn repositories(&self) -> impl Iterator<Item = &str> {
        self.grants.keys().map(String::as_str)
    }

    /// What may be done with one repository, narrowest first; nothing for a repository that is not named.
    pub fn actions(&self, repository: &str) -> impl Iterator<Item = Action> {
        self.grants.get(repository).into_iter().flatten().copied()
    }

    /// Whether any repository may be used in this way.
    #[must_use]
    pub fn allows_anywhere(&self, action: Action) -> bool {
        self.grants.values().any(|actions| actions.contains(&action))
    }

    /// Whether everything that `other` allows is allowed here too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let reaches = |(name, wanted): (&String, &BTreeSet<Action>)| {
            self.grants.get(name).is_some_and(|held| wanted.is_subset(held))
        };
        (self.allows_public_pull || !other.allows_public_pull) && other.grants.iter().all(reaches)
    }

    /// The same scope with what Docker Hub adds by itself: a token that may push may pull, and one that may delete may push.
    #[must_use]
    pub fn with_implied(&self) -> Self {
        let grants = self.grants.iter().map(|(name, actions)| {
            let widest = actions.iter().max().copied();
            let implied = Action::ALL.into_iter().filter(|action| Some(*action) <= widest);
            (name.clone(), implied.collect())
        });
        Self { grants: grants.collect(), allows_public_pull: self.allows_public_pull }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, actions)) in self.grants.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(formatter, "{gap}repository:{name}:")?;
            for (index, action) in actions.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                write!(formatter, "{comma}{action}")?;
            }
        }
        if self.allows_public_pull {
            write!(formatter, " repository:{PUBLIC}:{}", Action::Pull)?;
        }
        Ok(())
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
