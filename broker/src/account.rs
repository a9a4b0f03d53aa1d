//! The accounts of the configuration: identities at Docker Hub whose tokens jobs get. One mints them, or lends what an
//! administrator made.
//!
//! Invariant: a token that is lent is never removed and never said to be confirmed; only [`Account::client`] can mint and delete,
//! and a pool has none.

mod issue_error;
pub mod pool;

use hublease_hub::client::{Client, Preflight};
use hublease_hub::outbound::Outbound;
use hublease_hub::purse::Purse;
use hublease_hub::token::{Minted, Order, TokenKind};
use hublease_protocol::oauth::Code;
use hublease_protocol::scope::Scope;

pub use self::issue_error::{IssueError, refusal_of};
pub use self::pool::Pool;
use crate::refusal::Refusal;

/// An identity at Docker Hub that tokens are issued from.
pub struct Account {
    /// The name that rules use.
    pub name: String,
    /// How it comes by tokens.
    pub issuing: Issuing,
}

/// How an account comes by tokens.
pub enum Issuing {
    /// It makes them, and they are the broker's to remove.
    Minting(Box<Client>),
    /// An administrator made them.
    Lending(Pool),
}

impl Account {
    /// Who logs in at Docker Hub; of a pool, whose tokens they are.
    #[must_use]
    pub fn login(&self) -> &str {
        match &self.issuing {
            Issuing::Minting(client) => client.login(),
            Issuing::Lending(pool) => &pool.login,
        }
    }

    /// Who a job logs in as with a token of this account.
    #[must_use]
    pub fn username(&self) -> &str {
        match &self.issuing {
            Issuing::Minting(client) => client.username(),
            Issuing::Lending(pool) => &pool.login,
        }
    }

    /// What makes and removes tokens, unless the account only lends.
    #[must_use]
    pub const fn client(&self) -> Option<&Client> {
        match &self.issuing {
            Issuing::Minting(client) => Some(&**client),
            Issuing::Lending(_) => None,
        }
    }

    /// What the account lends, if it is a pool.
    #[must_use]
    pub const fn pool(&self) -> Option<&Pool> {
        match &self.issuing {
            Issuing::Minting(_) => None,
            Issuing::Lending(pool) => Some(pool),
        }
    }

    /// Whether a rule that names repositories promises more than the account can keep.
    #[must_use]
    pub fn is_account_wide(&self) -> bool {
        self.client().is_some_and(|client| matches!(client.kind(), TokenKind::Pat))
    }

    /// Checks, before anything is used up, that a token for this scope can be issued at all: one of a pool is what it is.
    ///
    /// # Errors
    /// When no token of the pool covers all of it.
    pub fn check_reach(&self, scope: &Scope) -> Result<(), Refusal> {
        match self.pool() {
            Some(pool) if !pool.covers(scope) => Err(Refusal::new(
                Code::ScopeNotGranted,
                "no single token of the account's pool reaches all of the scope",
            )),
            _ => Ok(()),
        }
    }

    /// Makes a token at the expense of `purse`, or lends one; `held` says how many leases hold the token of the pool that has this name.
    ///
    /// # Errors
    /// [`IssueError::is_ambiguous`] tells whether a token may have been made all the same.
    pub fn issue(
        &self,
        order: &Order,
        purse: &dyn Purse,
        held: impl Fn(&str) -> usize,
        outbound: &dyn Outbound,
        now: u64,
    ) -> Result<Minted, IssueError> {
        match &self.issuing {
            Issuing::Minting(client) => client.mint(order, purse, outbound, now).map_err(IssueError::Hub),
            Issuing::Lending(pool) => pool.lend(&order.scope, held),
        }
    }

    /// Logs in and looks at the tokens, or reads those of a pool.
    pub fn check(&self, outbound: &dyn Outbound, now: u64) -> Preflight<IssueError> {
        match &self.issuing {
            Issuing::Lending(pool) => pool.check(),
            Issuing::Minting(client) => match client.check(outbound, now) {
                Preflight::Able => Preflight::Able,
                Preflight::Unknown(error) => Preflight::Unknown(IssueError::Hub(error)),
                Preflight::Unable(error) => Preflight::Unable(error),
            },
        }
    }

    /// The last error that was not followed by a success. For `/readyz`; what is held back now counts too.
    #[must_use]
    pub fn trouble(&self, now: u64) -> Option<IssueError> {
        match &self.issuing {
            Issuing::Minting(client) => client.trouble(now).map(IssueError::Hub),
            Issuing::Lending(pool) => pool.trouble(),
        }
    }

    /// Finds out with one cheap call whether a trouble is over, so that a broker without traffic gets ready again.
    pub fn probe(&self, outbound: &dyn Outbound, now: u64) {
        match &self.issuing {
            Issuing::Minting(client) => client.probe(outbound, now),
            Issuing::Lending(pool) => pool.probe(),
        }
    }
}

#[cfg(test)]
mod tests;
