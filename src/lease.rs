//! A lease: a credential, when it ends, how to revoke it, and how its revocation ended.

use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;
use hublease_protocol::time::utc;
use serde::{Deserialize, Serialize};

use crate::fingerprint;

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

    /// Whether something can be done about it at `logout`.
    pub fn is_revocable(&self) -> bool {
        matches!(self.handle, Handle::Token { .. } | Handle::Vault { .. })
    }
}

/// How the revocation of one thing ended; one of these is true of every credential and every Vault token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationOutcome {
    /// Whoever keeps it confirmed that it is dead.
    Confirmed,
    /// Whoever keeps it says that it is dead, now or since before: the answer is the same for both.
    Ended,
    /// Its end was asked for and not confirmed; the text says what would have made it.
    Requested(&'static str),
    /// It had ended before, as whoever keeps it says, or by the end that it was made with.
    AlreadyOver,
    /// Nobody can revoke it: it dies by itself.
    DiesAlone,
    /// It lives on at its owner.
    NotALease,
    /// It lives on, or nobody said that it does not; the text is printable and says why.
    NotRevoked(String),
}

impl RevocationOutcome {
    /// Whether it may live on although it should not; then there is something left to do later.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::NotRevoked(_))
    }

    /// A stable word for JSON output.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Confirmed => "revoked",
            Self::Ended => "ended",
            Self::Requested(_) => "requested",
            Self::AlreadyOver => "already_over",
            Self::DiesAlone => "not_revocable",
            Self::NotALease => "not_a_lease",
            Self::NotRevoked(_) => "not_revoked",
        }
    }

    /// Why it is not better than it is, where there is a reason to tell.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Requested(why) => Some(*why).filter(|why| !why.is_empty()),
            Self::NotRevoked(why) => Some(why),
            Self::Confirmed | Self::Ended | Self::AlreadyOver | Self::DiesAlone | Self::NotALease => None,
        }
    }
}

/// How undoing what one login made ended, part by part. A part that is not there has nothing to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The credential; at Vault its lease.
    pub credential: Option<RevocationOutcome>,
    /// The Vault token that made it.
    pub vault_token: Option<RevocationOutcome>,
}

impl Revocation {
    /// Of a login that made nothing but a credential.
    pub fn of(credential: RevocationOutcome) -> Self {
        Self { credential: Some(credential), vault_token: None }
    }

    /// The part that ended worst: what all of it comes to.
    pub fn worst(&self) -> &RevocationOutcome {
        let mut parts = [&self.credential, &self.vault_token].into_iter().flatten();
        parts.clone().find(|part| part.is_failure()).or_else(|| parts.next()).unwrap_or(&RevocationOutcome::AlreadyOver)
    }

    /// Whether a part may live on although it should not.
    pub fn is_failure(&self) -> bool {
        [&self.credential, &self.vault_token].into_iter().flatten().any(RevocationOutcome::is_failure)
    }

    /// A line for each part: what it is about, how it ended, and beneath it why. The parts of a line are printable.
    pub fn lines(&self, note: &LeaseRecord) -> Vec<(bool, String)> {
        let credential = self.credential.as_ref().map(|outcome| (outcome, credential_sentence(outcome, note)));
        let token = self.vault_token.as_ref().map(|outcome| (outcome, token_sentence(outcome, note)));
        let line = |(outcome, sentence): (&RevocationOutcome, String)| {
            let because = outcome.cause().filter(|_| outcome.is_failure()).map(|why| format!("\n  because: {why}"));
            (outcome.is_failure(), format!("{sentence}{}", because.unwrap_or_default()))
        };
        credential.into_iter().chain(token).map(line).collect()
    }
}

/// The sentence about a credential.
fn credential_sentence(outcome: &RevocationOutcome, note: &LeaseRecord) -> String {
    // The failure before it has said what happened.
    if note.username.is_empty() && *outcome == RevocationOutcome::NotALease {
        return "nothing to undo: what was read is no lease, and lives on at its owner".to_owned();
    }
    let is_of_vault = matches!(note.handle, Handle::Vault { .. });
    let who = match (note.username.as_str(), is_of_vault) {
        ("", true) => "the lease that Vault may have made".to_owned(),
        ("", false) => format!("the {} token", printable(&note.provider)),
        (username, _) => format!("the credential of {}", printable(username)),
    };
    let ended = match outcome {
        RevocationOutcome::NotRevoked(_) if is_of_vault => {
            let end = note.expires_at.map_or_else(|| "when Vault ends it".to_owned(), |end| format!("at {}", utc(end)));
            return format!("{who}: not revoked; its lease ends {end}, and what it gave may outlive it");
        }
        outcome => said(outcome, note.expires_at),
    };
    format!("{who}: {ended}")
}

/// The sentence about a Vault token.
fn token_sentence(outcome: &RevocationOutcome, note: &LeaseRecord) -> String {
    let end = match &note.handle {
        Handle::Vault { token_expires_at, .. } => token_expires_at.or(note.expires_at),
        Handle::None | Handle::NotALease | Handle::Token { .. } | Handle::Settled => None,
    };
    format!("the Vault token: {}", said(outcome, end))
}

/// How it ended, for people.
fn said(outcome: &RevocationOutcome, end: Option<u64>) -> String {
    match outcome {
        RevocationOutcome::Confirmed => "revoked and confirmed".to_owned(),
        RevocationOutcome::Ended => "has ended, now or before (the answer is the same for both)".to_owned(),
        RevocationOutcome::Requested("") => "revocation requested, not confirmed".to_owned(),
        RevocationOutcome::Requested(why) => format!("revocation requested, not confirmed ({why})"),
        RevocationOutcome::AlreadyOver => "already over".to_owned(),
        RevocationOutcome::DiesAlone => match end {
            Some(end) => format!("cannot be revoked, dies at {}", utc(end)),
            None => "cannot be revoked, and its end is not known".to_owned(),
        },
        RevocationOutcome::NotALease => "not a lease, lives on at its owner".to_owned(),
        RevocationOutcome::NotRevoked(_) => {
            let end = end.map_or_else(|| "its provider ends it".to_owned(), utc);
            format!("not revoked, lives until {end}")
        }
    }
}
