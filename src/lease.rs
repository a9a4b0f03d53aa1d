//! A lease: a credential, when it ends, and how to revoke it.

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::docker::mark;

/// What docker gets.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Passes docker's grammar of usernames.
    pub username: String,
    /// Not empty, no control characters.
    pub secret: Secret,
}

/// A credential with its note.
#[derive(Clone, Debug)]
pub struct Lease {
    /// What docker gets.
    pub credential: Credential,
    /// What `logout` needs.
    pub note: Note,
}

/// What is written down of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The provider's name on the command line.
    pub provider: String,
    /// The provider's address; compared at `logout`, never followed.
    pub origin: String,
    /// As whom; empty until the credential is there.
    pub username: String,
    /// A digest that tells docker's entry for this credential from others under the same name; none until the
    /// credential is there.
    pub mark: Option<String>,
    /// Seconds since 1970.
    pub issued_at: u64,
    /// Seconds since 1970; none if the provider does not say.
    pub expires_at: Option<u64>,
    /// How to revoke it.
    pub handle: Handle,
}

/// The least authority that revokes a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Handle {
    /// Nobody revokes it: it dies by itself (Docker Identity).
    None,
    /// It is nobody's lease: it lives on at its owner (static, KV).
    NotALease,
    /// RFC 7009 with this token.
    Token {
        /// Our broker's handle, or at a third party's endpoint the credential itself.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        token: Secret,
        /// Whether it is a handle of its own and not the credential.
        own: bool,
    },
    /// Vault's lease and the Vault token that made it.
    Vault {
        /// The Vault token.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        client_token: Secret,
        /// The lease; none between the Vault login and the answer that names it, and for a secret without a lease.
        lease_id: Option<String>,
        /// A batch token cannot be revoked, and its leases are not its children.
        batch: bool,
    },
}

impl Handle {
    /// Whether both are about the same lease, however much of it is known.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Vault { client_token: one, .. }, Self::Vault { client_token: other, .. }) => one == other,
            (one, other) => one == other,
        }
    }

    /// Whether what is in it can be sent: a Vault token stands in a header, so it is visible ASCII.
    pub fn is_plain(&self) -> bool {
        let is_plain = |text: &str| text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        match self {
            // A form carries anything.
            Self::None | Self::NotALease | Self::Token { .. } => true,
            Self::Vault { client_token, .. } => is_plain(client_token.expose()),
        }
    }
}

impl Note {
    /// Notes what the credential is: nothing that could be used in its place.
    pub fn describe(&mut self, credential: &Credential) {
        self.username.clone_from(&credential.username);
        self.mark = Some(mark::of(&credential.username, &credential.secret));
    }

    /// Whether something can be done about it at `logout`.
    pub fn is_revocable(&self) -> bool {
        matches!(self.handle, Handle::Token { .. } | Handle::Vault { .. })
    }
}
