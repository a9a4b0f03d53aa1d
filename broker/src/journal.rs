//! What the broker must not forget: which leases there are, how far each one is, and what was used up.
//!
//! A lease goes `Intent -> Live -> Revoking -> Revoked`, and each step is written before the call that it announces. Every
//! change is a compare-and-swap, so that two revokers, or a revoker and the sweeper, never both believe that it is their
//! turn. No token and no handle is stored, only the hash of the handle.

use std::fmt;

use hublease::oauth::Code;

use crate::refusal::Refusal;

pub mod memory;

/// How far a lease is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// About to be minted. Docker Hub may hold a token with the lease's label.
    Intent,
    /// Minted and handed out.
    Live,
    /// Somebody is removing it, or has tried to and failed.
    Revoking,
    /// Docker Hub said that it is gone, or it was never made.
    Revoked,
}

/// One lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its name: 128 random bits in hexadecimal.
    pub id: String,
    /// SHA-256 of the revocation handle.
    pub handle_sha256: String,
    /// How far it is.
    pub state: State,
    /// Issuer, project and job, as [`crate::identity::Identity::job`].
    pub job: String,
    /// The rule that granted it.
    pub rule: String,
    /// The account that issues it.
    pub account: String,
    /// Its label at Docker Hub.
    pub label: String,
    /// Its id at Docker Hub, from `Live` on.
    pub hub_id: Option<String>,
    /// When it was announced, in seconds since 1970.
    pub created_at: u64,
    /// When its token ends by itself, in seconds since 1970.
    pub expires_at: u64,
    /// Until when a claim to revoke it holds; nobody else may try before.
    pub claimed_until: u64,
}

/// What an exchange wants to enter.
pub struct Entry<'a> {
    /// The lease, in state `Intent`.
    pub lease: Lease,
    /// The name of the logical login.
    pub request_id: Option<&'a str>,
    /// Issuer and `jti`, when the identity token counts once.
    pub single_use_id: Option<String>,
    /// When the identity token ends, in seconds since 1970.
    pub identity_expires_at: u64,
    /// The most leases that the job may hold at one time.
    pub max_live_leases: usize,
    /// The most leases that the job may ever be given.
    pub max_mints: usize,
}

/// Why a lease was not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The identity token was used, by another request.
    Replayed,
    /// The same request is being served.
    InProgress,
    /// The job holds as many leases as it may.
    LiveLeases,
    /// The job was given as many leases as it may be.
    Mints,
    /// The journal is full.
    Journal,
}

impl Full {
    /// What the client is told.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Replayed => {
                Refusal::new(Code::TokenReplayed, "the identity token was used before; fetch a fresh one")
            }
            Self::InProgress => Refusal::new(Code::RequestInProgress, "the same request is being served"),
            Self::LiveLeases => Refusal::new(Code::TooManyLeases, "this job holds as many live leases as one job may"),
            Self::Mints => Refusal::new(Code::TooManyMints, "this job was given as many leases as one job may have"),
            Self::Journal => Refusal::new(Code::Overloaded, "the broker holds as many leases as it can"),
        }
    }
}

/// The journal could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalFault;

impl fmt::Display for JournalFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the journal could not be used")
    }
}

impl std::error::Error for JournalFault {}

/// Where leases are written down.
pub trait Journal: Send + Sync {
    /// Enters an intent, uses up what it uses up, and gives the earlier lease of the same request, if it is not yet revoked.
    /// All of it happens, or, when the answer is [`Full`], nothing.
    ///
    /// # Errors
    /// When the journal could not be written.
    fn enter(&self, entry: Entry<'_>, now: u64) -> Result<Result<Option<Lease>, Full>, JournalFault>;

    /// Undoes an intent whose token was certainly not made: neither the identity token nor a mint is used up.
    ///
    /// # Errors
    /// When the journal could not be written.
    fn withdraw(&self, lease: &str) -> Result<(), JournalFault>;

    /// `Intent -> Revoking` for a mint whose answer is not known: it may be looked for from `after` on, when Docker Hub has
    /// certainly finished with it. The same request may be tried again at once.
    ///
    /// # Errors
    /// When the journal could not be written.
    fn unclear(&self, lease: &str, after: u64) -> Result<(), JournalFault>;

    /// `Intent -> Live`, with the id at Docker Hub. False when the lease is no longer an intent.
    ///
    /// # Errors
    /// When the journal could not be written.
    fn live(&self, lease: &str, hub_id: &str) -> Result<bool, JournalFault>;

    /// Claims a lease for removal until `until`: `Live -> Revoking`, or `Revoking` or an old `Intent` whose claim has run
    /// out. Nothing when it is somebody else's turn, or there is nothing to remove.
    ///
    /// # Errors
    /// When the journal could not be written.
    fn claim(&self, lease: &str, now: u64, until: u64) -> Result<Option<Lease>, JournalFault>;

    /// `Revoking -> Revoked`. Docker Hub said that the token is gone.
    ///
    /// # Errors
    /// When the journal could not be written.
    fn revoked(&self, lease: &str, now: u64) -> Result<(), JournalFault>;

    /// Gives a claim back after a failed removal: it may be tried again from `after` on.
    ///
    /// # Errors
    /// When the journal could not be written.
    fn failed(&self, lease: &str, after: u64) -> Result<(), JournalFault>;

    /// The lease that a handle revokes.
    ///
    /// # Errors
    /// When the journal could not be read.
    fn by_handle(&self, handle_sha256: &str) -> Result<Option<Lease>, JournalFault>;

    /// At most `limit` leases that need removal: ended, left in `Revoking`, or announced long ago and never live.
    ///
    /// # Errors
    /// When the journal could not be read.
    fn due(&self, now: u64, limit: usize) -> Result<Vec<Lease>, JournalFault>;
}
