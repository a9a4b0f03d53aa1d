//! A lease: a credential, when it ends, how to revoke it, and how its revocation ended.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hublease_protocol::secret::Secret;
use hublease_protocol::time::utc;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::fingerprint;

/// What docker gets.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Passes docker's grammar of usernames.
    pub username: String,
    /// Not empty, no control characters.
    pub secret: Secret,
}

/// A login as docker keeps it in its file and registries get it (RFC 7617): base64 of `username:secret`.
pub(crate) fn basic(username: &str, secret: &Secret) -> Secret {
    let pair = Zeroizing::new(format!("{username}:{}", secret.expose()));
    Secret::new(STANDARD.encode(pair.as_bytes()))
}

/// A credential with its note.
#[derive(Clone, Debug)]
pub struct Lease {
    /// What docker gets.
    pub credential: Credential,
    /// What `logout` needs.
    pub note: LeaseRecord,
}

/// What is written down of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseRecord {
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

impl LeaseRecord {
    /// Notes what the credential is: nothing that could be used in its place.
    pub fn describe(&mut self, credential: &Credential) {
        self.username.clone_from(&credential.username);
        self.mark = Some(fingerprint::of(&credential.username, &credential.secret));
    }

    /// Whether its time is over at `now`, in seconds since 1970.
    pub fn is_over(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether something can be done about it at `logout`.
    pub fn is_revocable(&self) -> bool {
        matches!(self.handle, Handle::Token { .. } | Handle::Vault { .. })
    }
}

/// How a revocation ended; one of these is true of every lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationOutcome {
    /// The provider confirmed that the credential is dead.
    Confirmed,
    /// It was asked and did not say; the text says what would make it.
    Requested(&'static str),
    /// It had ended before.
    AlreadyOver,
    /// Nobody can revoke it: it dies by itself.
    DiesAlone,
    /// It lives on at its owner.
    NotALease,
    /// It lives on.
    NotRevoked(String),
}

impl RevocationOutcome {
    /// Whether the credential may live on although it should not.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::NotRevoked(_))
    }

    /// Whether there is nothing left to do later.
    pub fn is_final(&self) -> bool {
        !self.is_failure()
    }

    /// A stable word for JSON output.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Confirmed => "revoked",
            Self::Requested(_) => "requested",
            Self::AlreadyOver => "already_over",
            Self::DiesAlone => "not_revocable",
            Self::NotALease => "not_a_lease",
            Self::NotRevoked(_) => "not_revoked",
        }
    }

    /// The sentence for people.
    pub fn sentence(&self, note: &LeaseRecord) -> String {
        let who = if note.username.is_empty() {
            format!("the {} token", note.provider)
        } else {
            format!("the credential of {}", note.username)
        };
        match self {
            Self::Confirmed => format!("{who}: revoked and confirmed"),
            Self::Requested("") => format!("{who}: revocation requested, not confirmed"),
            Self::Requested(why) => format!("{who}: revocation requested, not confirmed ({why})"),
            Self::AlreadyOver => format!("{who}: already over"),
            Self::DiesAlone => match note.expires_at {
                Some(end) => format!("{who}: cannot be revoked, dies at {}", utc(end)),
                None => format!("{who}: cannot be revoked, and its end is not known"),
            },
            Self::NotALease => format!("{who}: not a lease, lives on at its owner"),
            Self::NotRevoked(why) => {
                let end = note.expires_at.map_or_else(|| "its provider ends it".to_owned(), utc);
                format!("{who}: not revoked, lives until {end}, because {why}")
            }
        }
    }
}
