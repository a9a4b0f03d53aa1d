//! The login of an account at Docker Hub: one bearer that all calls share, renewed before it ends.
//!
//! The password is read at each login and kept by nobody, so that a rotated one is taken without a restart. A password that
//! Docker Hub has refused is not sent again for a while, because repeated failures lock the account and the address out; a
//! new one in the same place is sent at once, where looking costs nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hublease_protocol::secret::Secret;
use serde::Deserialize;
use serde_json::json;

use crate::HUB;
use crate::clock::is_ahead;
use crate::error::HubError;
use crate::governor::{Governor, Urgency};
use crate::limits::{
    BEARER_SECONDS, CALL_TIMEOUT, LOGIN_COOLDOWN_SECONDS, LOGIN_PAUSE_SECONDS, PASSWORD_TIMEOUT, SLOWEST_CALL,
};
use crate::outbound::{Call, Method, Outbound, Reply};
use crate::password::{PasswordSource, unfit_password};
use crate::purse::{Purse, Unlimited};

/// How one call gets to Docker Hub, login included.
pub(crate) struct CallContext<'a> {
    pub(crate) governor: &'a Governor,
    pub(crate) outbound: &'a dyn Outbound,
    pub(crate) urgency: Urgency,
    pub(crate) purse: &'a dyn Purse,
    /// Seconds since 1970, when the call was wanted.
    pub(crate) now: u64,
    /// When the call has to be over.
    until: Instant,
}

/// A place among the calls and the call itself.
const CALL: Duration = CALL_TIMEOUT.saturating_mul(2);

impl<'a> CallContext<'a> {
    pub(crate) fn new(governor: &'a Governor, outbound: &'a dyn Outbound, urgency: Urgency, now: u64) -> Self {
        Self { governor, outbound, urgency, purse: &Unlimited, now, until: Instant::now() + SLOWEST_CALL }
    }

    /// The same, at somebody's expense.
    pub(crate) fn paid_by(self, purse: &'a dyn Purse) -> Self {
        Self { purse, ..self }
    }

    /// Sends one call, if there is still time for it.
    pub(crate) fn send(&self, call: &Call<'_>) -> Result<Reply, HubError> {
        self.time_for(CALL)?;
        let paid = self.purse.pay(self.governor.window(self.now), self.now);
        paid.map_err(|retry_after| HubError::ShareSpent { retry_after })?;
        self.governor.send(call, self.urgency, self.outbound, self.now)
    }

    /// See `SLOWEST_CALL`: what the journal expects of a call holds only if no step begins too late.
    fn time_for(&self, step: Duration) -> Result<(), HubError> {
        if self.until.saturating_duration_since(Instant::now()) >= step {
            Ok(())
        } else {
            Err(HubError::wait(LOGIN_PAUSE_SECONDS, "logging in took too long"))
        }
    }
}

/// See the module.
pub(crate) struct Session {
    login: String,
    source: Box<dyn PasswordSource>,
    present: Mutex<Login>,
}

#[derive(Default)]
struct Login {
    /// With the time from which it is renewed.
    bearer: Option<(Secret, u64)>,
    /// The password that was refused, and until when it is not sent again.
    refused: Option<(Secret, u64)>,
    /// A login that brought no answer, and until when nobody tries another. By the monotonic clock, because who waits for the
    /// login has read the time before it.
    away: Option<(HubError, Instant)>,
}

#[derive(Deserialize)]
struct LoginAnswer {
    access_token: String,
}

impl Session {
    pub(crate) fn new(login: String, source: Box<dyn PasswordSource>) -> Self {
        Self { login, source, present: Mutex::default() }
    }

    /// The bearer of the present login; logs in when there is none, when it is old, or when it is the `stale` one.
    pub(crate) fn bearer(&self, stale: Option<&Secret>, context: &CallContext<'_>) -> Result<Secret, HubError> {
        // Held while logging in, so that a burst of jobs makes one login, whether or not it is answered.
        let mut present = self.lock();
        if let Some((bearer, until)) = &present.bearer
            && context.now < *until
            && stale != Some(bearer)
        {
            return Ok(bearer.clone());
        }
        present.bearer = None;
        if let Some((error, until)) = present.away
            && Instant::now() < until
        {
            return Err(error);
        }
        if self.is_refused(&present, context.now) {
            return Err(HubError::AccountRefused);
        }
        let outcome = self.log_in(&mut present, context).map_err(HubError::before_anything);
        match &outcome {
            Ok(bearer) => present.bearer = Some((bearer.clone(), context.now.saturating_add(BEARER_SECONDS))),
            // What one caller cannot pay says nothing to the next.
            Err(HubError::AccountRefused | HubError::ShareSpent { .. }) => {}
            Err(error) => {
                present.away = Some((*error, Instant::now() + Duration::from_secs(LOGIN_PAUSE_SECONDS)));
            }
        }
        outcome
    }

    /// Whether the password was refused a short while ago and, as far as that can be seen here, is still the same.
    fn is_refused(&self, present: &Login, now: u64) -> bool {
        let Some((password, until)) = &present.refused else { return false };
        let has_changed = || self.source.is_local() && self.password().is_ok_and(|now| now != *password);
        is_ahead(*until, now, LOGIN_COOLDOWN_SECONDS) && !has_changed()
    }

    /// Logs in. The password may be rotated at this very moment, so one that is refused is read anew, and tried once more
    /// only if it is another.
    fn log_in(&self, present: &mut Login, context: &CallContext<'_>) -> Result<Secret, HubError> {
        context.time_for(PASSWORD_TIMEOUT + CALL)?;
        let first = self.password()?;
        let outcome = self.try_password(&first, context);
        if outcome != Err(HubError::AccountRefused) {
            return outcome;
        }
        let until = context.now.saturating_add(LOGIN_COOLDOWN_SECONDS);
        let again = context.time_for(PASSWORD_TIMEOUT + CALL).and_then(|()| self.password());
        let second = match again {
            Ok(second) if second != first => second,
            _ => {
                present.refused = Some((first, until));
                return outcome;
            }
        };
        let outcome = self.try_password(&second, context);
        if outcome == Err(HubError::AccountRefused) {
            present.refused = Some((second, until));
        }
        outcome
    }

    fn try_password(&self, password: &Secret, context: &CallContext<'_>) -> Result<Secret, HubError> {
        let body = json!({"identifier": self.login, "secret": password.expose()}).to_string();
        let reply = context.send(&post("/v2/auth/token", &body))?;
        if reply.status != 200 {
            return Err(HubError::AccountRefused);
        }
        let login = serde_json::from_slice::<LoginAnswer>(&reply.body).ok();
        login.map(|login| Secret::new(login.access_token)).ok_or(HubError::unclear("its login was not understood"))
    }

    /// The password as it is now.
    fn password(&self) -> Result<Secret, HubError> {
        let password = self.source.read().map_err(|error| HubError::NoSecret { phrase: error.phrase })?;
        match unfit_password(password.expose()) {
            Some(_) => Err(HubError::NoSecret { phrase: "what it was given as password is a token" }),
            None => Ok(password),
        }
    }

    /// Whose password it is.
    pub(crate) fn login(&self) -> &str {
        &self.login
    }

    /// Where the password comes from.
    pub(crate) fn source(&self) -> &dyn PasswordSource {
        &*self.source
    }

    /// Asks the older login, which says more about a refusal.
    pub(crate) fn ask_older_login(&self, context: &CallContext<'_>) -> Result<Reply, HubError> {
        let body = json!({"username": self.login, "password": self.password()?.expose()}).to_string();
        context.send(&post("/v2/users/login", &body))
    }

    fn lock(&self) -> MutexGuard<'_, Login> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As if the pause after an unanswered login were over.
    #[cfg(test)]
    pub(crate) fn end_pause(&self) {
        self.lock().away = None;
    }
}

fn post<'a>(path: &str, body: &'a str) -> Call<'a> {
    Call { method: Method::Post, json: Some(body), ..Call::read(format!("{HUB}{path}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeHub, FakePassword, NOW};

    #[test]
    fn no_step_begins_that_might_not_end_in_time() {
        let (governor, hub) = (Governor::default(), FakeHub::default());
        let late = HubError::wait(LOGIN_PAUSE_SECONDS, "logging in took too long");
        let until = |left| CallContext {
            until: Instant::now() + left,
            ..CallContext::new(&governor, &hub, Urgency::Removal, NOW)
        };
        let session = Session::new("owner".to_owned(), Box::new(FakePassword::of("hunter2-password")));
        // There is time for a call, and none to read a password before it.
        assert_eq!(session.bearer(None, &until(CALL + PASSWORD_TIMEOUT / 2)), Err(late));
        assert_eq!(until(CALL / 2).send(&Call::read(HUB.to_owned())).map(|reply| reply.status), Err(late));
        assert_eq!(hub.calls(), [""; 0]);
        assert!(CALL + PASSWORD_TIMEOUT < SLOWEST_CALL, "there is time for a login");
    }
}
