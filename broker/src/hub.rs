//! Docker Hub's management API, as far as minting and removing tokens goes: the one driver for every kind of
//! account that mints. A pool mints nothing and never asks.
//!
//! Follows Docker's Hub API reference (`POST /v2/auth/token`, `/v2/access-tokens`, `/v2/orgs/{name}/access-tokens`). Guessed,
//! because it is not documented: which status a mint gets when the organization is at its limit (found out by counting), and
//! how a login under a second factor fails (`login_2fa_token`, or else a plain 401).
//! The address is fixed. Only a user's password can mint: a bearer that comes from a token is refused by Docker Hub.

pub mod account_error;
mod fault;
mod governor;
mod health;
mod kind;
mod list;
mod oat;
pub mod password;
mod pat;
pub mod pool;
pub mod preflight;
mod session;

use std::sync::{Arc, Mutex};

pub use fault::HubError;
pub use governor::{Governor, Urgency};
use health::{AccountHealth, QuotaHint};
use hublease_protocol::oauth::Code;
use hublease_protocol::scope::Scope;
use hublease_protocol::secret::Secret;
use kind::Api;
pub use kind::{Kind, Order};
pub use list::{Listed, Listing};
pub use pool::{Pool, is_lent, lent_id};
use session::{CallContext, Session};

use crate::clock::is_ahead;
use crate::limits::{QUOTA_PAUSE_SECONDS, QUOTA_RETRY_SECONDS};
use crate::outbound::{Call, Method, Outbound, Reply};
use crate::refusal::Refusal;
use crate::secret_source::SecretSource;

/// The only Docker Hub there is.
pub const HUB: &str = "https://hub.docker.com";

/// An identity at Docker Hub that tokens are issued from.
pub struct Account {
    /// The name that rules use.
    pub name: String,
    /// Organization tokens, personal tokens, or a pool.
    pub kind: Kind,
    /// Whose password it is; of a pool, whose tokens they are.
    pub login: String,
    /// Nothing for a pool, which never logs in.
    session: Option<Session>,
    governor: Arc<Governor>,
    condition: Mutex<AccountHealth>,
}

/// A token that Docker Hub made, or that a pool lends.
pub struct Minted {
    /// What `delete` wants; of a pool, the token's name in the configuration.
    pub id: String,
    /// The token.
    pub token: Secret,
}

impl Account {
    /// An account that mints and has not logged in yet. All accounts of a broker share their governor.
    #[must_use]
    pub fn minting(name: String, kind: Kind, login: String, password: SecretSource, governor: Arc<Governor>) -> Self {
        let session = Some(Session::new(login.clone(), password));
        Self { name, kind, login, session, governor, condition: Mutex::default() }
    }

    /// An account whose tokens an administrator made.
    #[must_use]
    pub fn lending(name: String, pool: Pool, login: String) -> Self {
        let kind = Kind::Pool(pool);
        Self { name, kind, login, session: None, governor: Arc::default(), condition: Mutex::default() }
    }

    /// Who a job logs in as with a token of this account.
    #[must_use]
    pub fn username(&self) -> &str {
        match &self.kind {
            Kind::Oat { organization, .. } => organization,
            Kind::Pat | Kind::Pool(_) => &self.login,
        }
    }

    /// Whether the account makes tokens, which are then the broker's to remove.
    #[must_use]
    pub const fn mints(&self) -> bool {
        self.pool().is_none()
    }

    /// What the account lends, if it is a pool.
    #[must_use]
    pub const fn pool(&self) -> Option<&Pool> {
        match &self.kind {
            Kind::Pool(pool) => Some(pool),
            Kind::Oat { .. } | Kind::Pat => None,
        }
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

    /// Lends a token of the pool; `held` says how many leases hold the one of that name.
    ///
    /// # Errors
    /// When the account is none, no token covers the scope, or the token cannot be read.
    pub fn lend(&self, scope: &Scope, held: impl Fn(&str) -> usize) -> Result<Minted, HubError> {
        let outcome = self.pool().ok_or(HubError::LendsOnly).and_then(|pool| pool.lend(scope, held));
        self.note(outcome.as_ref().err().copied(), QuotaHint::Unchanged);
        outcome
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`HubError::is_ambiguous`] tells whether a token may have been made all the same.
    pub fn mint(&self, order: &Order, outbound: &dyn Outbound, now: u64) -> Result<Minted, HubError> {
        if is_ahead(self.condition().full_until, now, QUOTA_PAUSE_SECONDS) {
            return Err(HubError::QuotaFull { retry_after: QUOTA_RETRY_SECONDS });
        }
        let (api, passage) = self.passage(Urgency::CanWait, outbound, now)?;
        let reply = self.call(Method::Post, &api.collection(), Some(&api.body(order)), &passage)?;
        match reply.status {
            200 | 201 => {
                self.note(None, QuotaHint::Found);
                api.minted(&reply.body).ok_or(HubError::unclear("its answer was not understood"))
            }
            status => Err(self.refusal(status, &passage)),
        }
    }

    /// Removes a token. Both "removed" and "not there" mean that it is gone.
    ///
    /// # Errors
    /// When it may still be there.
    pub fn delete(&self, id: &str, outbound: &dyn Outbound, now: u64) -> Result<(), HubError> {
        let (api, passage) = self.passage(Urgency::Removal, outbound, now)?;
        let path = format!("{}/{id}", api.collection());
        match self.call(Method::Delete, &path, None, &passage)?.status {
            204 | 404 => {
                self.note(None, QuotaHint::Found);
                Ok(())
            }
            status => Err(HubError::Refused { status }),
        }
    }

    /// Why a mint was refused. At its limit an organization still lists its tokens, so counting tells.
    fn refusal(&self, status: u16, passage: &CallContext<'_>) -> HubError {
        if let Kind::Oat { quota, .. } = self.kind
            && let Ok(list) = self.list(1, 1, passage)
            && list.total.is_some_and(|total| total >= quota)
        {
            let fault = HubError::QuotaFull { retry_after: QUOTA_RETRY_SECONDS };
            self.condition().full_until = passage.now.saturating_add(QUOTA_PAUSE_SECONDS);
            self.note(Some(fault), QuotaHint::Unchanged);
            return fault;
        }
        HubError::Refused { status }
    }

    /// One authorized call. A bearer that Docker Hub no longer takes is renewed once.
    fn call(
        &self,
        method: Method,
        path: &str,
        json: Option<&str>,
        passage: &CallContext<'_>,
    ) -> Result<Reply, HubError> {
        let outcome = self.authorized(method, path, json, passage);
        self.note(outcome.as_ref().err().copied(), QuotaHint::Unchanged);
        outcome
    }

    fn authorized(
        &self,
        method: Method,
        path: &str,
        json: Option<&str>,
        passage: &CallContext<'_>,
    ) -> Result<Reply, HubError> {
        let session = self.session.as_ref().ok_or(HubError::LendsOnly)?;
        let send = |bearer: &Secret| {
            let call = Call { method, json, ..Call::read(format!("{HUB}{path}")).with_bearer(bearer.expose()) };
            passage.send(&call)
        };
        let bearer = session.bearer(None, passage)?;
        match send(&bearer)? {
            stale if stale.status == 401 => send(&session.bearer(Some(&bearer), passage)?),
            reply => Ok(reply),
        }
    }

    fn api(&self) -> Result<Api<'_>, HubError> {
        self.kind.api().ok_or(HubError::LendsOnly)
    }

    fn passage<'a>(
        &'a self,
        urgency: Urgency,
        outbound: &'a dyn Outbound,
        now: u64,
    ) -> Result<(Api<'a>, CallContext<'a>), HubError> {
        Ok((self.api()?, CallContext::new(&self.governor, outbound, urgency, now)))
    }
}

#[cfg(test)]
mod tests;
