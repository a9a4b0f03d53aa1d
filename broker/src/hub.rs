//! Docker Hub's management API, as far as minting and removing tokens goes: the one driver for both kinds of accounts.
//!
//! Follows Docker's Hub API reference (`POST /v2/auth/token`, `/v2/access-tokens`, `/v2/orgs/{name}/access-tokens`). Guessed,
//! because it is not documented: which status a mint gets when the organization is at its limit (found out by counting), and
//! how a login under a second factor fails (`login_2fa_token`, or else a plain 401).
//! The address is fixed. Only a user's password can mint: a bearer that comes from a token is refused by Docker Hub.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::limits::{
    BEARER_SECONDS, LOGIN_COOLDOWN_SECONDS, LOGIN_PAUSE_SECONDS, MAX_PAGES, PAGE_SIZE, QUOTA_RETRY_SECONDS,
    RETRY_AFTER_SECONDS,
};
use crate::outbound::{Call, Method, Outbound, Reply};
use hublease::secret::Secret;

pub use fault::HubFault;
pub use kind::{Kind, Order};

mod fault;
mod kind;
mod oat;
mod pat;
pub mod start;

/// The only Docker Hub there is.
pub const HUB: &str = "https://hub.docker.com";

/// An identity at Docker Hub that tokens are issued from.
pub struct Account {
    /// The name that rules use.
    pub name: String,
    /// Organization or personal tokens.
    pub kind: Kind,
    /// Whose password it is.
    pub login: String,
    password: Secret,
    session: Mutex<Session>,
}

#[derive(Default)]
struct Session {
    bearer: Option<(Secret, u64)>,
    refused_until: u64,
    /// A login that was not answered, and until when nobody tries another. By the monotonic clock, because who waits for the
    /// login has read the time before it.
    away: Option<(HubFault, Instant)>,
}

/// A token that Docker Hub made.
pub struct Minted {
    /// What `delete` wants.
    pub id: String,
    /// The token.
    pub token: Secret,
}

/// A token as the account's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What `delete` wants.
    pub id: String,
    /// `hublease/<instance>/<lease>`.
    pub label: String,
    /// When it was made, in seconds since 1970; nothing when that is not understood.
    pub created_at: Option<u64>,
    /// When it ends by itself, in seconds since 1970.
    pub expires_at: Option<u64>,
}

/// How far a removal got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl Account {
    /// An account that has not logged in yet.
    #[must_use]
    pub fn new(name: String, kind: Kind, login: String, password: Secret) -> Self {
        Self { name, kind, login, password, session: Mutex::default() }
    }

    /// Who a job logs in as with a token of this account.
    #[must_use]
    pub fn username(&self) -> &str {
        match &self.kind {
            Kind::Oat { organization, .. } => organization,
            Kind::Pat => &self.login,
        }
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`HubFault::is_ambiguous`] tells whether a token may have been made all the same.
    pub fn mint(&self, order: &Order, outbound: &dyn Outbound, now: u64) -> Result<Minted, HubFault> {
        let reply = self.call(Method::Post, &self.kind.collection(), Some(&self.kind.body(order)), outbound, now)?;
        match reply.status {
            200 | 201 => self.kind.minted(&reply.body).ok_or(HubFault::unclear("its answer was not understood")),
            status => Err(self.refusal(status, outbound, now)),
        }
    }

    /// Removes a token. Both "removed" and "not there" mean that it is gone.
    ///
    /// # Errors
    /// When it may still be there.
    pub fn delete(&self, id: &str, outbound: &dyn Outbound, now: u64) -> Result<Gone, HubFault> {
        let path = format!("{}/{id}", self.kind.collection());
        match self.call(Method::Delete, &path, None, outbound, now)?.status {
            204 | 404 => Ok(Gone),
            status => Err(HubFault::Refused { status }),
        }
    }

    /// Looks for a token by its label, among all tokens of the account.
    ///
    /// # Errors
    /// When not all could be looked at.
    pub fn find(&self, label: &str, outbound: &dyn Outbound, now: u64) -> Result<Option<String>, HubFault> {
        for page in 1..=MAX_PAGES {
            let list = self.list(page, PAGE_SIZE, outbound, now)?;
            if let Some(id) = list.results.iter().find_map(|entry| self.kind.id_of(entry, label)) {
                return Ok(Some(id));
            }
            if list.next.is_none() || list.results.is_empty() {
                return Ok(None);
            }
        }
        Err(HubFault::unclear("the account holds more tokens than are looked through"))
    }

    /// The account's tokens whose label begins so: what this instance has made.
    ///
    /// # Errors
    /// When not all could be looked at.
    pub fn labelled(&self, prefix: &str, outbound: &dyn Outbound, now: u64) -> Result<Vec<Listed>, HubFault> {
        let mut found = Vec::new();
        for page in 1..=MAX_PAGES {
            let list = self.list(page, PAGE_SIZE, outbound, now)?;
            found.extend(list.results.iter().filter_map(|entry| self.kind.listed(entry, prefix)));
            if list.next.is_none() || list.results.is_empty() {
                return Ok(found);
            }
        }
        Err(HubFault::unclear("the account holds more tokens than are looked through"))
    }

    fn list(&self, page: usize, size: usize, outbound: &dyn Outbound, now: u64) -> Result<List, HubFault> {
        let path = format!("{}?page={page}&page_size={size}", self.kind.collection());
        let reply = self.call(Method::Get, &path, None, outbound, now)?;
        match reply.status {
            200 => serde_json::from_slice(&reply.body).ok().ok_or(HubFault::unclear("its list was not understood")),
            status => Err(HubFault::Refused { status }),
        }
    }

    /// Why a mint was refused. At its limit an organization still lists its tokens, so counting tells.
    fn refusal(&self, status: u16, outbound: &dyn Outbound, now: u64) -> HubFault {
        if let Kind::Oat { quota, .. } = self.kind
            && let Ok(list) = self.list(1, 1, outbound, now)
            && list.total.is_some_and(|total| total >= quota)
        {
            return HubFault::QuotaFull { retry_after: QUOTA_RETRY_SECONDS };
        }
        HubFault::Refused { status }
    }

    /// One authorized call. A bearer that Docker Hub no longer takes is renewed once.
    fn call(
        &self,
        method: Method,
        path: &str,
        json: Option<&str>,
        outbound: &dyn Outbound,
        now: u64,
    ) -> Result<Reply, HubFault> {
        let send = |bearer: &Secret| {
            let call = Call { method, url: format!("{HUB}{path}"), bearer: Some(bearer.expose()), json };
            outbound.send(&call).map_err(|fault| HubFault::unclear(fault.0))
        };
        let bearer = self.bearer(None, outbound, now)?;
        let mut reply = send(&bearer)?;
        if reply.status == 401 {
            reply = send(&self.bearer(Some(&bearer), outbound, now)?)?;
        }
        judge(reply, now)
    }

    /// The bearer of the present login; logs in when there is none, when it is old, or when it is the `refused` one.
    fn bearer(&self, refused: Option<&Secret>, outbound: &dyn Outbound, now: u64) -> Result<Secret, HubFault> {
        // Held while logging in, so that a burst of jobs makes one login, whether or not it is answered.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((bearer, until)) = &session.bearer
            && now < *until
            && refused.is_none_or(|refused| refused.expose() != bearer.expose())
        {
            return Ok(bearer.clone());
        }
        session.bearer = None;
        if now < session.refused_until {
            return Err(HubFault::AccountRefused);
        }
        if let Some((fault, until)) = session.away
            && Instant::now() < until
        {
            return Err(fault);
        }
        let outcome = self.log_in(outbound, now).map_err(HubFault::before_anything);
        match &outcome {
            Ok(bearer) => session.bearer = Some((bearer.clone(), now.saturating_add(BEARER_SECONDS))),
            Err(fault @ HubFault::Unavailable { retry_after, .. }) => {
                let pause = (*retry_after).clamp(LOGIN_PAUSE_SECONDS, LOGIN_COOLDOWN_SECONDS);
                session.away = Some((*fault, Instant::now() + Duration::from_secs(pause)));
            }
            Err(_) => session.refused_until = now.saturating_add(LOGIN_COOLDOWN_SECONDS),
        }
        outcome
    }

    fn log_in(&self, outbound: &dyn Outbound, now: u64) -> Result<Secret, HubFault> {
        let body = serde_json::json!({"identifier": self.login, "secret": self.password.expose()});
        let call = Call {
            method: Method::Post,
            url: format!("{HUB}/v2/auth/token"),
            bearer: None,
            json: Some(&body.to_string()),
        };
        let reply = judge(outbound.send(&call).map_err(|fault| HubFault::unclear(fault.0))?, now)?;
        if reply.status != 200 {
            return Err(HubFault::AccountRefused);
        }
        let login = serde_json::from_slice::<Login>(&reply.body).ok();
        login.map(|login| Secret::new(login.access_token)).ok_or(HubFault::unclear("its login was not understood"))
    }
}

#[derive(Deserialize)]
struct Login {
    access_token: String,
}

/// A page of tokens. The two kinds count under different names.
#[derive(Deserialize)]
struct List {
    #[serde(alias = "count")]
    total: Option<u64>,
    next: Option<Value>,
    results: Vec<Value>,
}

/// Takes out the answers that mean the same everywhere: wait, broken, and "not you".
fn judge(reply: Reply, now: u64) -> Result<Reply, HubFault> {
    match reply.status {
        429 => {
            let until = reply.retry_at.map(|at| at.saturating_sub(now));
            let retry_after = reply.retry_after.or(until).unwrap_or(RETRY_AFTER_SECONDS);
            Err(HubFault::Unavailable { retry_after, ambiguous: false, phrase: "it asks to wait" })
        }
        500.. => Err(HubFault::unclear("it answered with a fault of its own")),
        _ => Ok(reply),
    }
}

#[cfg(test)]
mod tests;
