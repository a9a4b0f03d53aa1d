//! What a password gives away by its form.

use super::account_error::Unfit;

/// What a password gives away by its form.
#[must_use]
pub fn unfit_password(password: &str) -> Option<Unfit> {
    match password {
        _ if password.starts_with("dckr_pat_") => Some(Unfit::PersonalToken),
        _ if password.starts_with("dckr_oat_") => Some(Unfit::OrganizationToken),
        _ => None,
    }
}
