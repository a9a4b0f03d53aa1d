//! How one login is told from another under the same name, without keeping the credential.
//!
//! A person may log in after us, and so may other jobs with the same home: the name is often the same, the credential
//! never is. A helper shows names only, and an entry with an identity token is none of ours; both have no mark.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hublease_protocol::hex;
use hublease_protocol::secret::Secret;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::effect::docker::Entry;

/// The mark of a login: SHA-256, in hexadecimal, of what docker's file holds of it.
pub(crate) fn of(username: &str, secret: &Secret) -> String {
    digest(Zeroizing::new(format!("{username}:{}", secret.expose())).as_bytes())
}

/// The mark of an entry; none if it can only be told by its name.
pub(crate) fn of_entry(entry: &Entry) -> Option<String> {
    #[derive(Deserialize)]
    struct Stored {
        auth: Option<String>,
        identitytoken: Option<String>,
    }

    let stored: Stored = serde_json::from_str(entry.raw.as_ref()?.expose()).ok()?;
    let (auth, token) = (stored.auth.map(Zeroizing::new), stored.identitytoken.map(Zeroizing::new));
    let auth = auth.filter(|_| token.is_none_or(|token| token.is_empty()))?;
    let pair = Zeroizing::new(STANDARD.decode(auth.as_bytes()).ok()?);
    Some(digest(&pair))
}

fn digest(bytes: &[u8]) -> String {
    hex::lower(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use hublease_protocol::secret::Secret;

    use super::{of, of_entry};
    use crate::effect::docker::Entry;

    fn entry(raw: Option<&str>) -> Entry {
        Entry { username: Some("alice".to_owned()), raw: raw.map(Secret::new) }
    }

    #[test]
    fn an_entry_has_the_mark_of_the_login_that_made_it() {
        let mark = of("alice", &Secret::new("pw"));
        assert_eq!(mark.len(), 64);
        assert_eq!(of_entry(&entry(Some(r#"{"auth":"YWxpY2U6cHc="}"#))), Some(mark.clone()));
        assert_ne!(of("alice", &Secret::new("other")), mark);
        assert_ne!(of_entry(&entry(Some(r#"{"auth":"Ym9iOnB3"}"#))), Some(mark));
    }

    #[test]
    fn what_only_has_a_name_has_no_mark() {
        let raw =
            [r#"{"auth":"YWxpY2U6","identitytoken":"t"}"#, r#"{"username":"alice"}"#, r#"{"auth":"%"}"#, "{", "[]"];
        for raw in raw.map(Some).into_iter().chain([None]) {
            assert_eq!(of_entry(&entry(raw)), None, "{raw:?}");
        }
    }
}
