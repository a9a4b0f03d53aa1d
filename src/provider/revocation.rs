//! The way back of an exchange: revoke, and say which of six things is true.
//!
//! Exactly one party revokes: at Vault, Vault does it, never we behind its back. A lease that has ended by its own
//! time needs no request, except at Vault, where the Docker Hub token may outlive a lease that Vault failed to end.

use hublease_protocol::endpoint::{Endpoint, Origin};

use crate::effect::Host;
use crate::effect::http::Destination;
use crate::error::Error;
use crate::lease::{Handle, LeaseRecord, RevocationOutcome};
use crate::provider::Provider;
use crate::provider::broker::revoke_token;
use crate::provider::vault::address::Address;
use crate::provider::vault::revocation::revoke_lease;

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

    /// Revokes one lease.
    ///
    /// # Errors
    /// Only what ends the whole story; a failed revocation is a [`RevocationOutcome`].
    pub async fn revoke(&self, host: &Host, note: &LeaseRecord) -> Result<RevocationOutcome, Error> {
        match (&note.handle, self) {
            (Handle::NotALease, _) => Ok(RevocationOutcome::NotALease),
            (Handle::None, _) if note.is_over(host.now().await?) => Ok(RevocationOutcome::AlreadyOver),
            (Handle::None, _) => Ok(RevocationOutcome::DiesAlone),
            (Handle::Token { .. }, _) if note.is_over(host.now().await?) => Ok(RevocationOutcome::AlreadyOver),
            (Handle::Token { token, own }, Self::Broker(endpoint)) if note.origin == endpoint.origin.to_string() => {
                host.mask(token).await?;
                revoke_token(host, endpoint, token, *own).await
            }
            (Handle::Vault { client_token, lease_id, batch }, Self::Vault(address))
                if note.origin == address.to_string() =>
            {
                host.mask(client_token).await?;
                let verdict = revoke_lease(host, address, client_token, lease_id.as_deref(), *batch).await?;
                let is_over = note.is_over(host.now().await?);
                // The clock alone tells that a lease is over; what Vault still confirms is better than that.
                Ok(if is_over && verdict != RevocationOutcome::Confirmed {
                    RevocationOutcome::AlreadyOver
                } else {
                    verdict
                })
            }
            _ => Ok(RevocationOutcome::NotRevoked(self.mismatch(note))),
        }
    }

    /// The record's address is only compared: a planted record must not steer a token.
    fn mismatch(&self, note: &LeaseRecord) -> String {
        let flag = if matches!(note.handle, Handle::Vault { .. }) { "--vault-addr" } else { "--broker-url" };
        match self {
            Self::Nobody => {
                format!("this logout was not told the address of the {} provider (give `{flag}`)", note.provider)
            }
            _ => format!("the login was made at {}, which is not the address of this logout (`{flag}`)", note.origin),
        }
    }
}
