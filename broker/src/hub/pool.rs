//! Tokens that an administrator made and whose reach the configuration declares: they are lent to jobs, and nothing is minted.
//!
//! The way out where single sign-on is enforced, because there no password can mint. Giving a lease back deletes nothing at
//! Docker Hub: the token goes on to be valid, for whoever has seen it, until an administrator deletes it. So a pool
//! accounts for who held which token and cannot end it, and a job is told neither an end nor a confirmed revocation.

use hublease_protocol::scope::{Action, Scope};
use hublease_protocol::secret::Secret;
use serde_json::Value;

use crate::hub::{HubError, Minted};
use crate::rules::Pattern;
use crate::secret_source::{SecretSource, SecretSourceError};

/// The tokens of an account. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// With names that differ.
    pub tokens: Vec<Lendable>,
}

/// One token of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lendable {
    /// What the journal and the audit log call it.
    pub name: String,
    /// What may be done with it, as its maker declares.
    pub reach: Reach,
    /// Where it is read from, anew at each lease.
    pub source: SecretSource,
}

/// Which repositories, and what may be done with each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Texts and globs.
    pub repositories: Vec<Pattern>,
    /// Together with what Docker Hub implies.
    pub actions: Vec<Action>,
}

impl Reach {
    /// Whether all of a scope can be done.
    #[must_use]
    pub fn covers(&self, scope: &Scope) -> bool {
        scope.repositories().all(|repository| {
            self.reaches(repository) && scope.actions(repository).all(|action| self.actions.contains(&action))
        })
    }

    /// Whether a repository is among them.
    #[must_use]
    pub fn reaches(&self, repository: &str) -> bool {
        let name = Value::from(repository);
        self.repositories.iter().any(|pattern| pattern.matches(&name))
    }

    /// How much harm it can do, comparably: to be able to push where only a pull is wanted is worse than to be able to read
    /// more, a pattern says more than any list, and a longer list more than a shorter one.
    fn width(&self) -> (Option<Action>, usize, usize) {
        let globs = self.repositories.iter().filter(|pattern| pattern.literal().is_none()).count();
        (self.actions.iter().max().copied(), globs, self.repositories.len())
    }
}

/// What the journal has in place of Docker Hub's id: no such id holds a colon, so a lease says by itself that its token was lent,
/// whatever has become of its account since.
#[must_use]
pub fn lent_id(name: &str) -> String {
    format!("{LENT}{name}")
}

/// Whether a lease's token was lent, by the id that the journal has of it.
#[must_use]
pub fn is_lent(hub_id: &str) -> bool {
    hub_id.starts_with(LENT)
}

const LENT: &str = "pool:";

impl Pool {
    /// Whether one token alone covers a scope.
    #[must_use]
    pub fn covers(&self, scope: &Scope) -> bool {
        self.tokens.iter().any(|token| token.reach.covers(scope))
    }

    /// Lends the token with the narrowest reach that covers a scope; among equals the one that the fewest hold, by `held`.
    ///
    /// # Errors
    /// When none covers it, or when the token cannot be read.
    pub fn lend(&self, scope: &Scope, held: impl Fn(&str) -> usize) -> Result<Minted, HubError> {
        let covering = || self.tokens.iter().filter(|token| token.reach.covers(scope));
        let narrowest = covering().map(|token| token.reach.width()).min();
        let equals: Vec<_> = covering().filter(|token| Some(token.reach.width()) == narrowest).collect();
        let chosen = match equals.as_slice() {
            [] => return Err(HubError::LendsOnly),
            [only] => only,
            // The first of those that the fewest hold, in the order of the configuration.
            several => several.iter().min_by_key(|token| held(&token.name)).unwrap_or(&several[0]),
        };
        match chosen.read() {
            Ok(token) => Ok(Minted { id: lent_id(&chosen.name), token }),
            Err(unreadable) => Err(HubError::NoSecret { phrase: unreadable.phrase }),
        }
    }
}

impl Lendable {
    /// The token as it is now. What is neither kind of token is not handed to a job: it could be a password.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(&self) -> Result<Secret, SecretSourceError> {
        let token = self.source.read()?;
        match crate::hub::password::unfit_password(token.expose()) {
            Some(_) => Ok(token),
            None => Err(SecretSourceError::lasting(
                "what it was given as token is none",
                "it is neither a personal access token (`dckr_pat_`) nor an organization access token (`dckr_oat_`)",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
