//! Why an account issued nothing, and what the client is told.

use hublease_hub::error::HubError;
use hublease_hub::limits::LOGIN_COOLDOWN_SECONDS;
use hublease_protocol::oauth::Code;

use crate::limits::LIST_RETRY_SECONDS;
use crate::refusal::Refusal;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueError {
    /// Docker Hub made none, or did not say so.
    Hub(HubError),
    /// The token of the pool could not be read.
    NoToken {
        /// Why, in our words.
        phrase: &'static str,
    },
    /// No token of the pool covers the scope.
    NotCovered,
}

impl From<HubError> for IssueError {
    fn from(error: HubError) -> Self {
        Self::Hub(error)
    }
}

impl IssueError {
    /// Whether a token may have been made all the same.
    #[must_use]
    pub const fn is_ambiguous(self) -> bool {
        matches!(self, Self::Hub(error) if error.is_ambiguous())
    }

    /// What the client is told.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Hub(error) => refusal_of(error),
            Self::NoToken { phrase } => no_secret(phrase),
            Self::NotCovered => Refusal::new(Code::Internal, "the account lends tokens and makes none"),
        }
    }
}

/// What the client is told of an error of Docker Hub's.
#[must_use]
pub fn refusal_of(error: HubError) -> Refusal {
    match error {
        HubError::QuotaFull { retry_after } => Refusal::later(Code::QuotaFull, error.to_string(), retry_after),
        HubError::Refused { .. } => Refusal::new(Code::HubRefused, error.to_string()),
        HubError::ShareSpent { retry_after } => Refusal::later(Code::RateLimited, error.to_string(), retry_after),
        HubError::AccountRefused => {
            Refusal::new(Code::AccountRefused, "Docker Hub does not accept the password of the broker's account")
        }
        HubError::NoSecret { phrase } => no_secret(phrase),
        HubError::ListUnclear { .. } => Refusal::later(Code::HubUnavailable, error.to_string(), LIST_RETRY_SECONDS),
        HubError::Unavailable { retry_after, .. } => {
            Refusal::later(Code::HubUnavailable, error.to_string(), retry_after)
        }
    }
}

fn no_secret(phrase: &'static str) -> Refusal {
    let sentence = format!("the broker has no secret for its account: {phrase}");
    Refusal::later(Code::HubUnavailable, sentence, LOGIN_COOLDOWN_SECONDS)
}
