//! Is this account able to mint? Asked once at the start, so that an operator hears the exact reason and not a job.
//!
//! Follows Docker's documentation of what a token or a second factor excludes. That a login under a second factor is told
//! by `login_2fa_token` is documented for the older `/v2/users/login` only, so that one is asked when the newer one says no.

use std::fmt;

use serde_json::Value;

use super::{Account, HUB, HubFault, Kind};
use crate::outbound::{Call, Method, Outbound, Reply};

/// Why the broker does not start with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// The password is a personal access token.
    PersonalToken,
    /// The password is an organization access token.
    OrganizationToken,
    /// The account has a second factor.
    SecondFactor,
    /// Docker Hub does not accept user name and password.
    Login,
    /// The account may not manage the tokens.
    NoRight(u16),
}

impl fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PersonalToken => formatter.write_str(
                "the password is a personal access token (`dckr_pat_`), and Docker Hub lets no token make tokens: \
                 give the password of an account without a second factor",
            ),
            Self::OrganizationToken => formatter.write_str(
                "the password is an organization access token (`dckr_oat_`), and Docker Hub lets no token make tokens: \
                 give an owner's name and password",
            ),
            Self::SecondFactor => formatter.write_str(
                "the account has two-factor authentication, and a server cannot type a code: use a service account without it",
            ),
            Self::Login => formatter.write_str(
                "Docker Hub does not accept the name and the password; where single sign-on is enforced no password is accepted",
            ),
            Self::NoRight(status) => write!(
                formatter,
                "Docker Hub answered {status} when asked for the account's tokens: is it an owner of the organization, \
                 and is the password a password and not a token?",
            ),
        }
    }
}

/// What a password gives away by its form.
#[must_use]
pub fn unfit_password(password: &str) -> Option<Unfit> {
    match password {
        _ if password.starts_with("dckr_pat_") => Some(Unfit::PersonalToken),
        _ if password.starts_with("dckr_oat_") => Some(Unfit::OrganizationToken),
        _ => None,
    }
}

impl Account {
    /// Logs in and looks at the tokens. `Ok(Some(…))` says why nothing could be found out: Docker Hub is away, and the
    /// broker starts all the same.
    ///
    /// # Errors
    /// When the account can never mint.
    pub fn check(&self, outbound: &dyn Outbound, now: u64) -> Result<Option<HubFault>, Unfit> {
        match self.list(1, 1, outbound, now) {
            Ok(_) => Ok(None),
            Err(HubFault::AccountRefused) => Err(self.why_refused(outbound)),
            Err(HubFault::Refused { status }) => Err(Unfit::NoRight(status)),
            Err(fault) => Ok(Some(fault)),
        }
    }

    fn why_refused(&self, outbound: &dyn Outbound) -> Unfit {
        let body = serde_json::json!({"username": self.login, "password": self.password.expose()});
        let call = Call {
            method: Method::Post,
            url: format!("{HUB}/v2/users/login"),
            bearer: None,
            json: Some(&body.to_string()),
        };
        match outbound.send(&call) {
            Ok(reply) if wants_code(&reply) => Unfit::SecondFactor,
            _ => Unfit::Login,
        }
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
