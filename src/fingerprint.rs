//! How one login is told from another under the same name, without keeping the credential.
//!
//! A person may log in after us, and so may other jobs with the same home: the name is often the same, the credential
//! never is. A helper shows names only, and an entry with an identity token is none of ours; both have no mark.

use hublease_protocol::hex;
use hublease_protocol::secret::Secret;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The mark of a login: SHA-256, in hexadecimal, of what docker's file holds of it.
pub(crate) fn of(username: &str, secret: &Secret) -> String {
    of_pair(Zeroizing::new(format!("{username}:{}", secret.expose())).as_bytes())
}

/// SHA-256 of a text, in hexadecimal.
pub(crate) fn of_text(text: &str) -> String {
    hex::lower(&Sha256::digest(text.as_bytes()))
}

/// The mark of what `auth` in docker's file decodes to.
pub(crate) fn of_pair(pair: &[u8]) -> String {
    hex::lower(&Sha256::digest(pair))
}

#[cfg(test)]
mod tests {
    use hublease_protocol::secret::Secret;

    use super::{of, of_pair};

    #[test]
    fn a_login_has_one_mark_and_another_login_another_one() {
        let mark = of("alice", &Secret::new("pw"));
        assert_eq!(mark.len(), 64);
        assert_eq!(of_pair(b"alice:pw"), mark);
        assert_ne!(of("alice", &Secret::new("other")), mark);
        assert_ne!(of("bob", &Secret::new("pw")), mark);
    }
}
