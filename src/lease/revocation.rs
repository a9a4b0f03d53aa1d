//! How the revocation of what a login made ended, part by part, for people and for programs.

use hublease_protocol::printable::printable;
use hublease_protocol::time::utc;

use super::{Handle, LeaseRecord};

/// How the revocation of one thing ended; one of these is true of every credential and every Vault token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationOutcome {
    /// Whoever keeps it confirmed that it is dead.
    Confirmed,
    /// Whoever keeps it says that it is dead, now or since before: the answer is the same for both.
    Ended,
    /// Its end was asked for and not confirmed; the text says what would have made it.
    Requested(&'static str),
    /// It had ended before, as whoever keeps it says.
    AlreadyOver,
    /// Nobody can revoke it: it dies by itself.
    DiesAlone,
    /// The same, and by this machine's clock its time has passed; there is nobody to ask.
    Elapsed,
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
            Self::DiesAlone | Self::Elapsed => "not_revocable",
            Self::NotALease => "not_a_lease",
            Self::NotRevoked(_) => "not_revoked",
        }
    }

    /// Why it is not better than it is, where there is a reason to tell.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Requested(why) => Some(*why).filter(|why| !why.is_empty()),
            Self::NotRevoked(why) => Some(why),
            Self::Confirmed | Self::Ended | Self::AlreadyOver | Self::DiesAlone | Self::Elapsed | Self::NotALease => {
                None
            }
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
        RevocationOutcome::Elapsed => match end {
            Some(end) => format!("cannot be revoked, and its time was over at {} by this machine's clock", utc(end)),
            None => "cannot be revoked, and its time is over by this machine's clock".to_owned(),
        },
        RevocationOutcome::NotALease => "not a lease, lives on at its owner".to_owned(),
        RevocationOutcome::NotRevoked(_) => {
            let end = end.map_or_else(|| "its provider ends it".to_owned(), utc);
            format!("not revoked, lives until {end}")
        }
    }
}
