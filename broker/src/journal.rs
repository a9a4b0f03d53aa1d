//! What the broker must not forget: which leases there are, how far each one is, and what was used up.
//!
//! A lease goes `Intent -> Live -> Revoking -> Revoked`, and each step is written before the call that it announces. Every
//! change is a compare-and-swap, so that two revokers, or a revoker and the sweeper, never both believe that it is their
//! turn. No token and no handle is stored, only the hash of the handle.

#[cfg(test)]
mod contract;
mod location;
mod open_error;
mod selection;
pub mod sqlite;

use std::collections::BTreeSet;
use std::fmt;

use hublease_protocol::oauth::Code;
pub use location::JournalLocation;
pub use open_error::OpenError;
pub use selection::Selection;

use crate::refusal::Refusal;

/// How far a lease is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseState {
    /// About to be minted. Docker Hub may hold a token with the lease's label.
    Intent,
    /// Minted and handed out.
    Live,
    /// Somebody is removing it, has tried to and failed, or was told to.
    Revoking,
    /// Docker Hub said that it is gone, or it was never made.
    Revoked,
}

impl LeaseState {
    /// Every state, in the order that a lease goes through them.
    pub const ALL: [Self; 4] = [Self::Intent, Self::Live, Self::Revoking, Self::Revoked];

    /// The word for people and for scripts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Live => "live",
            Self::Revoking => "revoking",
            Self::Revoked => "revoked",
        }
    }
}

/// Who a lease was given to. All of it is the issuer's text about the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The name of the issuer in the configuration.
    pub issuer: String,
    /// The project's id.
    pub project: Option<String>,
    /// Issuer, project and workflow, as [`crate::identity::claims::Identity::workflow`].
    pub workflow: Option<String>,
    /// Issuer, project and job, as [`crate::identity::claims::Identity::job`].
    pub job: String,
    /// `sub`.
    pub subject: Option<String>,
    /// SHA-256 of the identity token, in hexadecimal.
    pub token_sha256: String,
}

/// One lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its name: 128 random bits in hexadecimal.
    pub id: String,
    /// SHA-256 of the revocation handle; nothing for a token that was found at Docker Hub.
    pub handle_sha256: Option<String>,
    /// How far it is.
    pub state: LeaseState,
    /// Who it was given to.
    pub holder: Holder,
    /// The rule that granted it.
    pub rule: String,
    /// The account that issues it.
    pub account: String,
    /// What was granted.
    pub scope: String,
    /// Its label at Docker Hub.
    pub label: String,
    /// Its id at Docker Hub, from `Live` on.
    pub hub_id: Option<String>,
    /// When it was announced, in seconds since 1970.
    pub created_at: u64,
    /// When its token ends by itself, in seconds since 1970.
    pub expires_at: u64,
    /// When the sweeper may see to it, in seconds since 1970: an intent once its mint is certainly over, a live lease at its end,
    /// one that is being removed when the claim of whoever removes it runs out.
    pub due_at: u64,
    /// When it was over, in seconds since 1970.
    pub closed_at: Option<u64>,
    /// SHA-256 of the credential that was handed out, in hexadecimal, from `Live` on.
    pub credential_sha256: Option<String>,
}

/// The logical login that a lease is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// Its name, the same for every try.
    pub id: String,
    /// SHA-256 of what was wished and granted: a repetition is of the same wish.
    pub wish_sha256: String,
    /// SHA-256 of what a repetition shows; nothing from a client that proves nothing.
    pub challenge: Option<String>,
    /// What this try shows, hashed; nothing when it shows nothing.
    pub shown: Option<String>,
}

/// What an exchange wants to enter.
pub struct NewLease {
    /// The lease, in state `Intent`.
    pub lease: Lease,
    /// The logical login, if it has a name.
    pub request: Option<LeaseRequest>,
    /// Issuer and `jti`, when the identity token counts once.
    pub single_use_id: Option<String>,
    /// When the identity token ends, in seconds since 1970.
    pub identity_expires_at: u64,
    /// The most leases that the job may hold at one time.
    pub max_live_leases: usize,
    /// The most leases that the job may ever be given.
    pub max_mints: usize,
}

/// What became of a lease that was to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnterOutcome {
    /// It is entered, the first of its request.
    First,
    /// It is entered in the place of the earlier lease of the same request, which is not yet revoked.
    Replaces(Box<Lease>),
    /// Nothing was written.
    Denied(EnterDenied),
}

/// Why a lease was not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnterDenied {
    /// The identity token was used, by another request.
    Replayed,
    /// The request was served and is over, or was another's, or wanted something else.
    Spent,
    /// The same request is being served.
    InProgress,
    /// The job holds as many leases as it may.
    LiveLeases,
    /// The job was given as many leases as it may be.
    Mints,
    /// The rule has as many open leases as one rule may.
    RuleShare,
    /// The journal is full.
    Journal,
}

impl EnterDenied {
    /// What the client is told.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Replayed => {
                Refusal::new(Code::TokenReplayed, "the identity token was used before; fetch a fresh one")
            }
            Self::Spent => Refusal::new(
                Code::TokenReplayed,
                "this `request_id` was used before, and this is no repetition of it; fetch a fresh token, and ask anew",
            ),
            Self::InProgress => Refusal::new(Code::RequestInProgress, "the same request is being served"),
            Self::LiveLeases => Refusal::new(Code::TooManyLeases, "this job holds as many live leases as one job may"),
            Self::Mints => Refusal::new(Code::TooManyMints, "this job was given as many leases as one job may have"),
            Self::RuleShare => Refusal::new(Code::Overloaded, "this rule has as many open leases as one rule may have"),
            Self::Journal => Refusal::new(Code::Overloaded, "the broker holds as many leases as it can"),
        }
    }
}

/// Whether the sweeper may delete tokens of an account that bear our instance's name and that the journal does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Nobody has compared the journal with the account yet.
    New,
    /// The account held such tokens when the journal was new: an earlier journal may be lost. They are reported until an
    /// operator says what to do.
    ReportOnly,
    /// What the journal does not know is a leftover.
    Known,
}

/// The journal could not be read or written, and why, in our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalError(pub &'static str);

impl JournalError {
    /// What the client is told: nothing was promised, and the same request may be sent again.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        Refusal::new(Code::Internal, "the journal could not be used")
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the journal could not be used: {}", self.0)
    }
}

impl std::error::Error for JournalError {}

/// Where leases are written down. What a method has written when it returns survives a crash of the machine.
///
/// # Errors
/// Every method fails when the journal cannot be read or written; then nothing of it has happened.
#[expect(clippy::missing_errors_doc, reason = "said once, for all of them")]
pub trait Journal: Send + Sync {
    /// Enters an intent and uses up what it uses up. All of it happens, or, when it is denied, nothing.
    fn enter(&self, wanted: NewLease, now: u64) -> Result<EnterOutcome, JournalError>;

    /// Undoes an intent whose token was certainly not made: neither the identity token nor a mint is used up.
    fn withdraw(&self, lease: &str) -> Result<(), JournalError>;

    /// `Intent -> Revoking` for a mint whose answer is not known: it may be looked for from `due_at` on, when Docker Hub has
    /// certainly finished with it. The same request may be tried again at once.
    fn unclear(&self, lease: &str, due_at: u64) -> Result<(), JournalError>;

    /// `Intent -> Live`, with the id at Docker Hub and the hash of the credential. False when the lease is no longer an intent.
    fn live(&self, lease: &str, hub_id: &str, credential_sha256: &str) -> Result<bool, JournalError>;

    /// Claims a lease for removal until `until`: `Live -> Revoking`, or `Revoking` or an `Intent` that is due. Nothing when it is
    /// somebody else's turn, or there is nothing to remove.
    fn claim(&self, lease: &str, now: u64, until: u64) -> Result<Option<Lease>, JournalError>;

    /// `Revoking -> Revoked`. Docker Hub said that the token is gone.
    fn revoked(&self, lease: &str, now: u64) -> Result<(), JournalError>;

    /// Gives a claim back after a failed removal: it may be tried again from `due_at` on.
    fn failed(&self, lease: &str, due_at: u64) -> Result<(), JournalError>;

    /// `Live -> Revoking` for every lease of the selection, free to be claimed at once; an intent of it will not become live.
    /// Gives all that it has moved.
    fn condemn(&self, selection: &Selection, now: u64) -> Result<Vec<Lease>, JournalError>;

    /// Writes down a token that was found at Docker Hub: as it is when the journal does not know its lease, else
    /// `Revoked -> Revoking`. False when the lease is not over: then it is not a leftover.
    fn adopt(&self, lease: &Lease) -> Result<bool, JournalError>;

    /// The lease that a handle revokes.
    fn by_handle(&self, handle_sha256: &str) -> Result<Option<Lease>, JournalError>;

    /// The leases of a selection, the newest first.
    fn select(&self, selection: &Selection) -> Result<Vec<Lease>, JournalError>;

    /// At most `limit` leases that are not over and whose time has come, the longest overdue first; none of these accounts.
    fn due(&self, now: u64, except: &BTreeSet<String>, limit: usize) -> Result<Vec<Lease>, JournalError>;

    /// Forgets at most `limit` leases that were over before that time; gives how many.
    fn prune(&self, closed_before: u64, limit: usize) -> Result<usize, JournalError>;

    /// What is known about an account.
    fn trust(&self, account: &str) -> Result<Trust, JournalError>;

    /// Writes down what a first comparison with an account has found, unless somebody has written another meanwhile; gives what
    /// holds now.
    fn learn(&self, account: &str, trust: Trust) -> Result<Trust, JournalError>;

    /// Writes down what an operator has decided about an account.
    fn set_trust(&self, account: &str, trust: Trust) -> Result<(), JournalError>;

    /// Writes, and changes nothing: what tells whether the others could.
    fn probe(&self) -> Result<(), JournalError>;

    /// How many leases of each account are in a state that is not `Revoked`.
    fn open(&self) -> Result<Vec<(String, LeaseState, u64)>, JournalError>;
}
