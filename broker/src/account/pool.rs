//! Tokens that an administrator made and whose reach the configuration declares: they are lent to jobs, and nothing is minted.
//!
//! The way out where single sign-on is enforced, because there no password can mint. Giving a lease back deletes nothing at
//! Docker Hub: the token goes on to be valid, for whoever has seen it, until an administrator deletes it. So a pool
//! accounts for who held which token and cannot end it, and a job is told neither an end nor a confirmed revocation.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hublease_hub::client::Preflight;
use hublease_hub::password::{SecretError, unfit_password};
use hublease_hub::token::Minted;
use hublease_protocol::scope::{Action, Scope};
use hublease_protocol::secret::Secret;

use crate::account::IssueError;
use crate::rules::Reach;
use crate::secret_source::SecretSource;

/// The tokens of an account.
pub struct Pool {
    /// Whose tokens they are.
    pub login: String,
    /// Never empty, with names that differ.
    pub tokens: Vec<Lendable>,
    /// Why the last token that was read could not be.
    trouble: Mutex<Option<IssueError>>,
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

/// How much harm a reach can do, comparably: to be able to push where only a pull is wanted is worse than to be able to read
/// more, a pattern says more than any list, and a longer list more than a shorter one. What everybody may read harms least.
fn width(reach: &Reach) -> (Option<Action>, usize, usize, bool) {
    let globs = reach.repositories.iter().filter(|pattern| pattern.literal().is_none()).count();
    (reach.actions.iter().max().copied(), globs, reach.repositories.len(), reach.public_pull)
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
    /// A pool of these tokens, of which there is at least one; their names differ.
    #[must_use]
    pub fn new(login: String, tokens: Vec<Lendable>) -> Self {
        Self { login, tokens, trouble: Mutex::default() }
    }

    /// Whether one token alone covers a scope.
    #[must_use]
    pub fn covers(&self, scope: &Scope) -> bool {
        self.tokens.iter().any(|token| token.reach.covers(scope))
    }

    /// Lends the token with the narrowest reach that covers a scope; among equals the one that the fewest hold, by `held`.
    ///
    /// # Errors
    /// When none covers it, or when the token cannot be read.
    pub fn lend(&self, scope: &Scope, held: impl Fn(&str) -> usize) -> Result<Minted, IssueError> {
        let lent = self.lend_narrowest(scope, held);
        match &lent {
            Ok(_) => *self.lock() = None,
            // It says nothing about the tokens.
            Err(IssueError::NotCovered) => {}
            Err(error) => *self.lock() = Some(*error),
        }
        lent
    }

    fn lend_narrowest(&self, scope: &Scope, held: impl Fn(&str) -> usize) -> Result<Minted, IssueError> {
        let covering = || self.tokens.iter().filter(|token| token.reach.covers(scope));
        let narrowest = covering().map(|token| width(&token.reach)).min();
        let equals: Vec<_> = covering().filter(|token| Some(width(&token.reach)) == narrowest).collect();
        let chosen = match equals.as_slice() {
            [] => return Err(IssueError::NotCovered),
            [only] => only,
            // The first of those that the fewest hold, in the order of the configuration.
            several => several.iter().min_by_key(|token| held(&token.name)).unwrap_or(&several[0]),
        };
        match chosen.read() {
            Ok(token) => Ok(Minted { id: lent_id(&chosen.name), token }),
            Err(unreadable) => Err(IssueError::NoToken { phrase: unreadable.phrase }),
        }
    }
}

impl Pool {
    /// Reads every token once, so that an operator hears at the start what a job would find out.
    pub(super) fn check(&self) -> Preflight<IssueError> {
        for token in &self.tokens {
            if let Err(unreadable) = token.read() {
                let sentence = format!("token `{}`: {unreadable}", token.name);
                let told = SecretError { sentence, ..unreadable };
                return Preflight::of_unreadable(&told, |phrase| IssueError::NoToken { phrase });
            }
        }
        Preflight::Able
    }

    /// Why the last token that was read could not be.
    pub(super) fn trouble(&self) -> Option<IssueError> {
        *self.lock()
    }

    /// Finds out whether every token can be read now.
    pub(super) fn probe(&self) {
        let unreadable = self.tokens.iter().find_map(|token| token.read().err());
        *self.lock() = unreadable.map(|unreadable| IssueError::NoToken { phrase: unreadable.phrase });
    }

    fn lock(&self) -> MutexGuard<'_, Option<IssueError>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lendable {
    /// The token as it is now. What is neither kind of token is not handed to a job: it could be a password.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let token = self.source.read()?;
        match unfit_password(token.expose()) {
            Some(_) => Ok(token),
            None => Err(SecretError::lasting(
                "what it was given as token is none",
                "it is neither a personal access token (`dckr_pat_`) nor an organization access token (`dckr_oat_`)",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
