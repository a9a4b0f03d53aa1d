//! Why Docker Hub did not do what was asked, and what the client is told.

use hublease_protocol::oauth::Code;

use crate::limits::{LIST_RETRY_SECONDS, LOGIN_COOLDOWN_SECONDS, RETRY_AFTER_SECONDS};
use crate::refusal::Refusal;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubError {
    /// The organization holds as many tokens as its plan allows. Nothing was made.
    QuotaFull {
        /// Seconds.
        retry_after: u64,
    },
    /// A definite no. Nothing was made.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The account's password is not accepted. Nothing was made.
    AccountRefused,
    /// The account's password, or a token of its pool, could not be read. Nothing was made.
    NoSecret {
        /// Why, in our words.
        phrase: &'static str,
    },
    /// The list of the account's tokens does not tell whether one is there.
    ListUnclear {
        /// Why.
        phrase: &'static str,
    },
    /// The account lends what an administrator made: it manages no token at Docker Hub.
    LendsOnly,
    /// No answer, or a request to wait.
    Unavailable {
        /// Seconds.
        retry_after: u64,
        /// Whether the request may have been served all the same.
        ambiguous: bool,
        /// What happened.
        phrase: &'static str,
    },
}

impl HubError {
    /// No clear answer came: the request may have been served.
    #[must_use]
    pub const fn unclear(phrase: &'static str) -> Self {
        Self::Unavailable { retry_after: RETRY_AFTER_SECONDS, ambiguous: true, phrase }
    }

    /// Nothing may be asked now. Nothing was made.
    #[must_use]
    pub const fn wait(retry_after: u64, phrase: &'static str) -> Self {
        Self::Unavailable { retry_after, ambiguous: false, phrase }
    }

    /// The same fault of a step that comes before the request itself, such as the login.
    #[must_use]
    pub const fn before_anything(self) -> Self {
        match self {
            Self::Unavailable { retry_after, phrase, .. } => {
                Self::Unavailable { retry_after, ambiguous: false, phrase }
            }
            other => other,
        }
    }

    /// Whether the request may have been served.
    #[must_use]
    pub const fn is_ambiguous(self) -> bool {
        matches!(self, Self::Unavailable { ambiguous: true, .. })
    }

    /// What the client is told.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::QuotaFull { retry_after } => {
                Refusal::later(Code::QuotaFull, "the organization has as many tokens as its plan allows", retry_after)
            }
            Self::Refused { status } => Refusal::new(
                Code::HubRefused,
                format!(
                    "Docker Hub answered {status}; do all the repositories exist, and may the account manage tokens?"
                ),
            ),
            Self::AccountRefused => {
                Refusal::new(Code::AccountRefused, "Docker Hub does not accept the password of the broker's account")
            }
            Self::NoSecret { phrase } => {
                let sentence = format!("the broker has no secret for its account: {phrase}");
                Refusal::later(Code::HubUnavailable, sentence, LOGIN_COOLDOWN_SECONDS)
            }
            Self::ListUnclear { phrase } => {
                let sentence = format!("the list of the account's tokens says nothing: {phrase}");
                Refusal::later(Code::HubUnavailable, sentence, LIST_RETRY_SECONDS)
            }
            Self::LendsOnly => Refusal::new(Code::Internal, "the account lends tokens and makes none"),
            Self::Unavailable { retry_after, phrase, .. } => {
                Refusal::later(Code::HubUnavailable, format!("Docker Hub is not available: {phrase}"), retry_after)
            }
        }
    }
}
