//! A lease: a credential, when it ends, how to revoke it, and how its revocation ended.

mod revocation;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use self::revocation::{Revocation, RevocationOutcome};
use crate::fingerprint;

/// How far the clocks of two machines may be apart, in seconds: so long after its end by ours a credential counts as ended
/// without anybody being asked.
pub const SKEW: u64 = 3600;

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
        /// The lease, once its id is known.
        lease_id: Option<String>,
        /// A batch token cannot be revoked, and its leases are not its children.
        batch: bool,
        /// When the Vault token itself ends, in seconds since 1970; none if it has no end, or in older records.
        #[serde(default)]
        token_expires_at: Option<u64>,
        /// Whether a lease may exist whose id is not known: the path was asked, and nothing said that it made nothing.
        #[serde(default = "is_possible")]
        may_have_lease: bool,
        /// Whether a logout, whose calls Vault took until then, went on to end the Vault token.
        #[serde(default)]
        is_ending: bool,
    },
    /// Nothing is left to revoke; the note only tells which entry in docker's store is ours.
    Settled,
}

/// What an older record does not say.
fn is_possible() -> bool {
    true
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
            Self::None | Self::NotALease | Self::Token { .. } | Self::Settled => true,
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

    /// The note while its Vault token is being ended: without the lease, unless that ends with the token only.
    #[must_use]
    pub fn while_token_ends(&self, was_taken: bool, ends_with_token: bool) -> Self {
        let mut note = self.clone();
        if let Handle::Vault { lease_id, may_have_lease, is_ending, .. } = &mut note.handle {
            if !ends_with_token {
                (*lease_id, *may_have_lease) = (None, false);
            }
            *is_ending |= was_taken;
        }
        note
    }

    /// What is left of the note after its revocation ended so: all of it while the credential may live, else the Vault token
    /// alone, else that there was one.
    #[must_use]
    pub fn after(&self, revocation: &Revocation) -> Self {
        let is_failure = |part: &Option<RevocationOutcome>| part.as_ref().is_some_and(RevocationOutcome::is_failure);
        if is_failure(&revocation.credential) {
            return self.clone();
        }
        let mut note = self.clone();
        match &mut note.handle {
            Handle::Vault { lease_id, may_have_lease, .. } if is_failure(&revocation.vault_token) => {
                (*lease_id, *may_have_lease) = (None, false);
            }
            handle => *handle = Handle::Settled,
        }
        note
    }

    /// Whether its time is over at `now`, in seconds since 1970.
    pub fn is_over(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// From when on it counts as over without anybody being asked, or may be asked about as something that is over, in seconds
    /// since 1970; none if nobody knows.
    pub fn end(&self) -> Option<u64> {
        let end = match &self.handle {
            Handle::Settled => Some(0),
            // It lives on at its owner.
            Handle::NotALease => None,
            Handle::Vault { token_expires_at, .. } => self.expires_at.max(*token_expires_at),
            Handle::None | Handle::Token { .. } => self.expires_at,
        };
        end.map(|end| end.saturating_add(SKEW))
    }

    /// Whether something can be done about it at `logout`.
    pub fn is_revocable(&self) -> bool {
        matches!(self.handle, Handle::Token { .. } | Handle::Vault { .. })
    }
}
