//! Why Docker Hub did not do what was asked.

use std::fmt;

use crate::limits::RETRY_AFTER_SECONDS;

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
    /// Whoever asked has spent his share of the calls. Nothing was made, and nothing is wrong with the account.
    ShareSpent {
        /// Seconds.
        retry_after: u64,
    },
    /// The account's password is not accepted. Nothing was made.
    AccountRefused,
    /// The account's password could not be read. Nothing was made.
    NoSecret {
        /// Why, in our words.
        phrase: &'static str,
    },
    /// The list of the account's tokens does not tell whether one is there.
    ListUnclear {
        /// Why.
        phrase: &'static str,
    },
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

    /// The same error of a step that comes before the request itself, such as the login.
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
}

impl fmt::Display for HubError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuotaFull { .. } => formatter.write_str("the organization has as many tokens as its plan allows"),
            Self::Refused { status } => write!(
                formatter,
                "Docker Hub answered {status}; do all the repositories exist, and may the account manage tokens?"
            ),
            Self::ShareSpent { .. } => formatter.write_str(
                "this job, its project or its rule has asked for as many calls to Docker Hub as its share is",
            ),
            Self::AccountRefused => formatter.write_str("Docker Hub does not accept the account's password"),
            Self::NoSecret { phrase } => write!(formatter, "the account's password cannot be read: {phrase}"),
            Self::ListUnclear { phrase } => {
                write!(formatter, "the list of the account's tokens says nothing: {phrase}")
            }
            Self::Unavailable { phrase, .. } => write!(formatter, "Docker Hub is not available: {phrase}"),
        }
    }
}

impl std::error::Error for HubError {}
