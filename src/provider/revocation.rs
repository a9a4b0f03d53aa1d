//! The way back of an exchange: revoke, and say which of the outcomes is true.
//!
//! Exactly one party revokes: at Vault, Vault does it, never we behind its back. Whoever can be asked is asked: that its time has
//! passed is the word of this machine's clock, which may be wrong, and ends nothing. It only words what nobody answered.

use hublease_protocol::endpoint::{Endpoint, Origin};
use hublease_protocol::printable::printable;

use crate::effect::Effects;
use crate::effect::http::Destination;
use crate::error::Error;
use crate::lease::{Handle, LeaseRecord, Revocation, RevocationOutcome, SKEW};
use crate::provider::Provider;
use crate::provider::broker::revoke_token;
use crate::provider::vault::address::Address;
use crate::provider::vault::revocation::{self, Held};

/// Who can be asked to revoke: taken from flags and environment, never from a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoker {
    /// A token service.
    Broker(Endpoint),
    /// HashiCorp Vault or OpenBao.
    Vault(Address),
    /// Nobody: for credentials that cannot be revoked.
    Nobody,
}

impl Revoker {
    /// The revoker that belongs to a provider.
    pub fn of(provider: &Provider) -> Self {
        match provider {
            Provider::Broker(broker) => Self::Broker(broker.endpoint.clone()),
            Provider::Vault(vault) => Self::Vault(vault.address.clone()),
            Provider::Docker(_) | Provider::Static(_) => Self::Nobody,
        }
    }

    /// The origins that may be asked.
    pub fn destinations(&self) -> Vec<(Destination, Origin)> {
        match self {
            Self::Broker(endpoint) => vec![(Destination::Provider, endpoint.origin.clone())],
            Self::Vault(address) => address.destinations(),
            Self::Nobody => Vec::new(),
        }
    }

    /// Revokes the credential; none if there is none, or if only the end of its Vault token can end it.
    ///
    /// # Errors
    /// Only what ends the whole story; a failed revocation is a [`RevocationOutcome`].
    pub async fn revoke_credential(
        &self,
        effects: &Effects,
        note: &LeaseRecord,
    ) -> Result<Option<RevocationOutcome>, Error> {
        if let Some((address, held)) = self.held(effects, note).await? {
            effects.mask(held.client_token).await?;
            return revocation::revoke_credential(effects, address, &held).await;
        }
        let now = effects.now().await?;
        Ok(match (&note.handle, self) {
            (Handle::Settled, _) => None,
            (Handle::NotALease, _) => Some(RevocationOutcome::NotALease),
            (Handle::None, _) if note.is_over(now) => Some(RevocationOutcome::Elapsed),
            (Handle::None, _) => Some(RevocationOutcome::DiesAlone),
            (Handle::Token { token, own }, Self::Broker(endpoint)) if note.origin == endpoint.origin.to_string() => {
                effects.mask(token).await?;
                let outcome = revoke_token(effects, endpoint, token, *own).await?;
                Some(by_the_clock(outcome, note, now))
            }
            (Handle::Token { .. }, _) => {
                Some(by_the_clock(RevocationOutcome::NotRevoked(self.mismatch(note)), note, now))
            }
            (Handle::Vault { .. }, _) => Some(RevocationOutcome::NotRevoked(self.mismatch(note))),
        })
    }

    /// What is left to end once the credential's revocation ended so: the note with which a logout that is stopped now is
    /// finished by the next one. None if nothing is.
    ///
    /// # Errors
    /// Only what ends the whole story.
    pub async fn next(
        &self,
        effects: &Effects,
        note: &LeaseRecord,
        credential: Option<&RevocationOutcome>,
    ) -> Result<Option<LeaseRecord>, Error> {
        let Some((_, held)) = self.held(effects, note).await? else { return Ok(None) };
        Ok(revocation::may_end_token(&held, credential).then(|| {
            let ends_with_token = matches!(credential, None | Some(RevocationOutcome::Requested(_)));
            note.while_token_ends(credential.is_some(), ends_with_token)
        }))
    }

    /// Ends what made the credential, and says how all of it ended.
    ///
    /// # Errors
    /// Only what ends the whole story.
    pub async fn finish(
        &self,
        effects: &Effects,
        note: &LeaseRecord,
        credential: Option<RevocationOutcome>,
    ) -> Result<Revocation, Error> {
        match self.held(effects, note).await? {
            Some((address, held)) => revocation::revoke_token_after(effects, address, &held, credential).await,
            None => Ok(Revocation { credential, vault_token: None }),
        }
    }

    /// What a note holds of Vault, and where; none unless this is the Vault that it names.
    async fn held<'a>(
        &'a self,
        effects: &Effects,
        note: &'a LeaseRecord,
    ) -> Result<Option<(&'a Address, Held<'a>)>, Error> {
        let Self::Vault(address) = self else { return Ok(None) };
        let Handle::Vault { client_token, lease_id, batch, token_expires_at, may_have_lease, is_ending } = &note.handle
        else {
            return Ok(None);
        };
        if note.origin != address.to_string() {
            return Ok(None);
        }
        let now = effects.now().await?;
        let held = Held {
            client_token,
            lease_id: lease_id.as_deref(),
            may_have_lease: *may_have_lease,
            batch: *batch,
            is_token_over: token_expires_at.or(note.expires_at).is_some_and(|end| end.saturating_add(SKEW) <= now),
            is_ending: *is_ending,
        };
        Ok(Some((address, held)))
    }

    /// Why this revoker is not whom to ask about a note, if it is not.
    pub fn elsewhere(&self, note: &LeaseRecord) -> Option<String> {
        let here = match self {
            Self::Broker(endpoint) => endpoint.origin.to_string(),
            Self::Vault(address) => address.to_string(),
            Self::Nobody => String::new(),
        };
        (note.is_revocable() && note.origin != here).then(|| self.mismatch(note))
    }

    /// The record's address is only compared: a planted record must not steer a token.
    fn mismatch(&self, note: &LeaseRecord) -> String {
        let flag = if matches!(note.handle, Handle::Vault { .. }) { "--vault-addr" } else { "--broker-url" };
        let is_elsewhere = || format!("the login was made at {}", printable(&note.origin));
        match self {
            Self::Nobody => {
                let provider = printable(&note.provider);
                format!("this logout was not told the address of the {provider} provider (give `{flag}`)")
            }
            Self::Vault(address) if note.origin.starts_with(&address.endpoint.to_string()) => {
                format!("{}; this logout names another namespace (`--vault-namespace`)", is_elsewhere())
            }
            _ => format!("{}, which is not the address of this logout (`{flag}`)", is_elsewhere()),
        }
    }
}

/// What nobody answered, or nobody could be asked, after the time of the credential: it has ended at Docker Hub by itself once
/// no clock can be so far ahead.
fn by_the_clock(outcome: RevocationOutcome, note: &LeaseRecord, now: u64) -> RevocationOutcome {
    match outcome {
        RevocationOutcome::NotRevoked(_) if note.end().is_some_and(|end| end <= now) => RevocationOutcome::AlreadyOver,
        RevocationOutcome::NotRevoked(why) if note.is_over(now) => RevocationOutcome::NotRevoked(format!(
            "{why}; its time has passed by this machine's clock, and nobody else says so"
        )),
        outcome => outcome,
    }
}
