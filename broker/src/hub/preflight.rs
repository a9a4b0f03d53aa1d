//! Is this account able to issue tokens? Asked once at the start, so that an operator hears the exact reason and not a job.
//!
//! Follows Docker's documentation of what a token or a second factor excludes. That a login under a second factor is told
//! by `login_2fa_token` is documented for the older `/v2/users/login` only, so that one is asked when the newer one says no.

use serde_json::Value;

use crate::hub::account_error::AccountError;
use crate::hub::password::unfit_password;
use crate::hub::session::CallContext;
use crate::hub::{Account, HubError, Kind, Pool, Urgency};
use crate::outbound::{Outbound, Reply};
use crate::secret_source::SecretSourceError;

impl Account {
    /// Logs in and looks at the tokens, or reads those of a pool. `Ok(Some(…))` says why nothing could be found out: Docker Hub
    /// or Vault is away, and the broker starts all the same.
    ///
    /// # Errors
    /// When the account can never issue a token.
    pub fn check(&self, outbound: &dyn Outbound, now: u64) -> Result<Option<HubError>, AccountError> {
        if let Some(pool) = self.pool() {
            return check_pool(pool);
        }
        let passage = CallContext::new(&self.governor, outbound, Urgency::CanWait, now);
        match self.list(1, 1, &passage) {
            Ok(_) => Ok(None),
            Err(HubError::AccountRefused) => Err(self.why_refused(outbound, now)),
            Err(HubError::Refused { status }) => Err(AccountError::NoRight(status)),
            Err(fault @ HubError::NoSecret { .. }) => self.why_no_secret(fault),
            Err(fault) => Ok(Some(fault)),
        }
    }

    fn why_refused(&self, outbound: &dyn Outbound, now: u64) -> AccountError {
        let passage = CallContext::new(&self.governor, outbound, Urgency::CanWait, now);
        match self.session.as_ref().map(|session| session.ask_older_login(&passage)) {
            Some(Ok(reply)) if wants_code(&reply) => AccountError::SecondFactor,
            _ => AccountError::Login,
        }
    }

    /// Reads the password once more, for the sentence.
    fn why_no_secret(&self, fault: HubError) -> Result<Option<HubError>, AccountError> {
        match self.session.as_ref().map(|session| session.source().read()) {
            Some(Ok(password)) => unfit_password(password.expose()).map_or(Ok(Some(fault)), Err),
            Some(Err(unreadable)) => lasting(&unreadable),
            None => Ok(Some(fault)),
        }
    }
}

fn check_pool(pool: &Pool) -> Result<Option<HubError>, AccountError> {
    for token in &pool.tokens {
        if let Err(unreadable) = token.read() {
            let sentence = format!("token `{}`: {unreadable}", token.name);
            return lasting(&SecretSourceError { sentence, ..unreadable });
        }
    }
    Ok(None)
}

/// What passes by itself does not keep the broker from starting.
fn lasting(unreadable: &SecretSourceError) -> Result<Option<HubError>, AccountError> {
    if unreadable.is_passing {
        Ok(Some(HubError::NoSecret { phrase: unreadable.phrase }))
    } else {
        Err(AccountError::NoSecret(unreadable.sentence.clone()))
    }
}

fn wants_code(reply: &Reply) -> bool {
    serde_json::from_slice::<Value>(&reply.body).is_ok_and(|body| body.get("login_2fa_token").is_some())
}

/// Whether a rule that names repositories promises more than the account can keep.
#[must_use]
pub const fn is_account_wide(kind: &Kind) -> bool {
    matches!(kind, Kind::Pat)
}
