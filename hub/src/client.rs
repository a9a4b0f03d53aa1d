//! One account of Docker Hub, as far as minting and removing tokens goes: the one driver for both kinds of tokens.
//!
//! Follows Docker's Hub API reference (`POST /v2/auth/token`, `/v2/access-tokens`, `/v2/orgs/{name}/access-tokens`). Guessed,
//! because it is not documented: which status a mint gets when the organization is at its limit (found out by counting), and
//! how a login under a second factor fails (`login_2fa_token`, or else a plain 401).
//! Only a user's password can mint: a bearer that comes from a token is refused by Docker Hub.

mod health;
mod list;
mod preflight;
mod refused;

use std::sync::{Arc, Mutex};

use hublease_protocol::scope::Scope;
use hublease_protocol::secret::Secret;

use crate::HUB;
use crate::client::health::{AccountHealth, QuotaHint};
pub use crate::client::list::Listing;
use crate::client::list::TokenPage;
pub use crate::client::preflight::Preflight;
use crate::client::refused::RefusedScopes;
use crate::clock::is_ahead;
use crate::error::HubError;
use crate::governor::{Governor, Urgency};
use crate::limits::{QUOTA_PAUSE_SECONDS, QUOTA_RETRY_SECONDS};
use crate::outbound::{Call, Method, Outbound, Reply};
use crate::password::PasswordSource;
use crate::purse::Purse;
use crate::session::{CallContext, Session};
use crate::spoken::is_docker_hubs;
use crate::token::{Minted, Order, TokenKind};

/// An account that makes tokens.
pub struct Client {
    kind: TokenKind,
    session: Session,
    governor: Arc<Governor>,
    health: Mutex<AccountHealth>,
    refused: RefusedScopes,
}

impl Client {
    /// A client that has not logged in yet, as the user `login`. All clients of a program share their governor.
    #[must_use]
    pub fn new(kind: TokenKind, login: String, password: Box<dyn PasswordSource>, governor: Arc<Governor>) -> Self {
        Self {
            kind,
            session: Session::new(login, password),
            governor,
            health: Mutex::default(),
            refused: RefusedScopes::default(),
        }
    }

    /// Which tokens it makes.
    #[must_use]
    pub const fn kind(&self) -> &TokenKind {
        &self.kind
    }

    /// Whose password it is.
    #[must_use]
    pub fn login(&self) -> &str {
        self.session.login()
    }

    /// Who somebody logs in as with a token of this account.
    #[must_use]
    pub fn username(&self) -> &str {
        match &self.kind {
            TokenKind::Oat { organization, .. } => organization,
            TokenKind::Pat => self.login(),
        }
    }

    /// Makes a token, at the expense of `purse`.
    ///
    /// # Errors
    /// [`HubError::is_ambiguous`] tells whether a token may have been made all the same.
    pub fn mint(
        &self,
        order: &Order,
        purse: &dyn Purse,
        outbound: &dyn Outbound,
        now: u64,
    ) -> Result<Minted, HubError> {
        if let Some(status) = self.refused.status(&order.scope, now) {
            return Err(HubError::Refused { status });
        }
        if is_ahead(self.health().full_until, now, QUOTA_PAUSE_SECONDS) {
            return Err(HubError::QuotaFull { retry_after: QUOTA_RETRY_SECONDS });
        }
        let (api, context) = (self.kind.api(), self.context(Urgency::CanWait, outbound, now).paid_by(purse));
        let reply = self.call(Method::Post, &api.collection(), Some(&api.body(order)), &context)?;
        match reply.status {
            200 | 201 => {
                self.note(None, QuotaHint::Found);
                self.health().change(1, 0);
                api.minted(&reply.body).ok_or(HubError::unclear("its answer was not understood"))
            }
            _ => Err(self.why_not(&reply, &order.scope, &context)),
        }
    }

    /// Removes a token. Both "removed" and "not there" mean that it is gone, the second when Docker Hub itself says so: what stands
    /// before it has pages of its own for an address that it does not know.
    ///
    /// # Errors
    /// When it may still be there.
    pub fn delete(&self, id: &str, outbound: &dyn Outbound, now: u64) -> Result<(), HubError> {
        let context = self.context(Urgency::Removal, outbound, now);
        let path = format!("{}/{id}", self.kind.api().collection());
        let reply = self.call(Method::Delete, &path, None, &context)?;
        match reply.status {
            204 => {}
            404 if is_docker_hubs(&reply) => {}
            404 => return Err(HubError::unclear("a 404 came that is not its own")),
            status => return Err(HubError::Refused { status }),
        }
        self.note(None, QuotaHint::Found);
        self.health().change(0, 1);
        Ok(())
    }

    /// Why a mint was refused. At its limit an organization still lists its tokens, so counting tells; what is refused for want
    /// of anything else is remembered.
    fn why_not(&self, reply: &Reply, scope: &Scope, context: &CallContext<'_>) -> HubError {
        let status = reply.status;
        let refused = HubError::Refused { status };
        if let TokenKind::Oat { quota, .. } = self.kind {
            if !self.health().may_count(quota, context.now) {
                return refused;
            }
            let Ok(TokenPage { total: Some(total), .. }) = self.list(1, 1, context) else { return refused };
            self.health().count(total, context.now);
            if total >= quota {
                let full = HubError::QuotaFull { retry_after: QUOTA_RETRY_SECONDS };
                self.health().full_until = context.now.saturating_add(QUOTA_PAUSE_SECONDS);
                self.note(Some(full), QuotaHint::Unchanged);
                return full;
            }
        }
        // A bearer that is not taken says nothing about the scope, and neither does anybody else than Docker Hub.
        if status != 401 && is_docker_hubs(reply) {
            self.refused.remember(scope, status, context.now);
        }
        refused
    }

    /// One authorized call. A bearer that Docker Hub no longer takes is renewed once.
    fn call(
        &self,
        method: Method,
        path: &str,
        json: Option<&str>,
        context: &CallContext<'_>,
    ) -> Result<Reply, HubError> {
        let outcome = self.authorized(method, path, json, context);
        self.note(outcome.as_ref().err().copied(), QuotaHint::Unchanged);
        outcome
    }

    fn authorized(
        &self,
        method: Method,
        path: &str,
        json: Option<&str>,
        context: &CallContext<'_>,
    ) -> Result<Reply, HubError> {
        let send = |bearer: &Secret| {
            let call = Call { method, json, ..Call::read(format!("{HUB}{path}")).with_bearer(bearer.expose()) };
            context.send(&call)
        };
        let bearer = self.session.bearer(None, context)?;
        match send(&bearer)? {
            stale if stale.status == 401 => send(&self.session.bearer(Some(&bearer), context)?),
            reply => Ok(reply),
        }
    }

    fn context<'a>(&'a self, urgency: Urgency, outbound: &'a dyn Outbound, now: u64) -> CallContext<'a> {
        CallContext::new(&self.governor, outbound, urgency, now)
    }
}

#[cfg(test)]
mod tests;
