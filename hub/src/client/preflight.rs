//! Is this account able to make tokens? Asked once at the start, so that an operator hears the exact reason and not a job.
//!
//! Follows Docker's documentation of what a token or a second factor excludes. That a login under a second factor is told
//! by `login_2fa_token` is documented for the older `/v2/users/login` only, so that one is asked when the newer one says no.

use serde_json::Value;

use crate::account_error::AccountError;
use crate::client::Client;
use crate::error::HubError;
use crate::governor::Urgency;
use crate::outbound::{Outbound, Reply};
use crate::password::{SecretError, unfit_password};

/// Whether an account is able to issue tokens; `E` says what kept one from finding out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preflight<E> {
    /// It is.
    Able,
    /// Nothing could be found out, and that may pass: Docker Hub, or what holds the password, is away.
    Unknown(E),
    /// It can never issue one.
    Unable(AccountError),
}

impl<E> Preflight<E> {
    /// What a secret that cannot be read means: what passes by itself does not make the account unable.
    pub fn of_unreadable(error: &SecretError, unknown: impl FnOnce(&'static str) -> E) -> Self {
        if error.is_passing {
            Self::Unknown(unknown(error.phrase))
        } else {
            Self::Unable(AccountError::NoSecret(error.sentence.clone()))
        }
    }
}

impl Client {
    /// Logs in and looks at the tokens.
    pub fn check(&self, outbound: &dyn Outbound, now: u64) -> Preflight<HubError> {
        match self.list(1, 1, &self.context(Urgency::CanWait, outbound, now)) {
            Ok(_) => Preflight::Able,
            Err(HubError::AccountRefused) => Preflight::Unable(self.why_refused(outbound, now)),
            Err(HubError::Refused { status }) => Preflight::Unable(AccountError::NoRight(status)),
            Err(error @ HubError::NoSecret { .. }) => self.why_no_secret(error),
            Err(error) => Preflight::Unknown(error),
        }
    }

    fn why_refused(&self, outbound: &dyn Outbound, now: u64) -> AccountError {
        match self.session.ask_older_login(&self.context(Urgency::CanWait, outbound, now)) {
            Ok(reply) if wants_code(&reply) => AccountError::SecondFactor,
            _ => AccountError::Login,
        }
    }

    /// Reads the password once more, for the sentence.
    fn why_no_secret(&self, error: HubError) -> Preflight<HubError> {
        match self.session.source().read() {
            Ok(password) => unfit_password(password.expose()).map_or(Preflight::Unknown(error), Preflight::Unable),
            Err(unreadable) => Preflight::of_unreadable(&unreadable, |phrase| HubError::NoSecret { phrase }),
        }
    }
}

fn wants_code(reply: &Reply) -> bool {
    serde_json::from_slice::<Value>(&reply.body).is_ok_and(|body| body.get("login_2fa_token").is_some())
}
