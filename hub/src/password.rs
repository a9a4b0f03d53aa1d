//! What can make tokens: the password of a user, and what is no such password by its form.

use std::fmt;

use hublease_protocol::secret::Secret;

use crate::account_error::AccountError;

/// Where an account's password is. It is read at each login and kept by nobody but the one that was refused, so that a rotated
/// one is taken at once.
pub trait PasswordSource: Send + Sync {
    /// The password as it is now. Blocking, at most [`crate::limits::PASSWORD_TIMEOUT`].
    ///
    /// # Errors
    /// When it cannot be read, or is empty.
    fn read(&self) -> Result<Secret, SecretError>;

    /// Whether reading it costs nothing, so that one may look often whether it has changed.
    fn is_local(&self) -> bool;
}

/// Why there is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretError {
    /// For a client, without any name of the operator's.
    pub phrase: &'static str,
    /// For the operator.
    pub sentence: String,
    /// Whether it may be over in a while without anybody's doing, such as a Vault that is sealed.
    pub is_passing: bool,
}

impl SecretError {
    /// An error that somebody has to mend.
    pub fn lasting(phrase: &'static str, sentence: impl Into<String>) -> Self {
        Self { phrase, sentence: sentence.into(), is_passing: false }
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl std::error::Error for SecretError {}

/// What a password gives away by its form: that it is a token, of which kind. Docker Hub lets none make tokens.
#[must_use]
pub fn unfit_password(password: &str) -> Option<AccountError> {
    match password {
        _ if password.starts_with("dckr_pat_") => Some(AccountError::PersonalToken),
        _ if password.starts_with("dckr_oat_") => Some(AccountError::OrganizationToken),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_no_passwords() {
        assert_eq!(unfit_password("dckr_pat_abc"), Some(AccountError::PersonalToken));
        assert_eq!(unfit_password("dckr_oat_abc"), Some(AccountError::OrganizationToken));
        assert_eq!(unfit_password("hunter2"), None);
    }
}
