//! What a password gives away by its form.

use super::account_error::AccountError;

/// What a password gives away by its form.
#[must_use]
pub fn unfit_password(password: &str) -> Option<AccountError> {
    match password {
        _ if password.starts_with("dckr_pat_") => Some(AccountError::PersonalToken),
        _ if password.starts_with("dckr_oat_") => Some(AccountError::OrganizationToken),
        _ => None,
    }
}
