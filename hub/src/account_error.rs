//! Why an account can never make a token.

use std::fmt;

/// Why an account can never make a token, nor lend one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountError {
    /// The password, or a token of the pool, cannot be read, and why.
    NoSecret(String),
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

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecret(why) => formatter.write_str(why),
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
