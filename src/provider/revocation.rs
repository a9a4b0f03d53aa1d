//! The way back of an exchange: revoke, and say which of six things is true.
//!
//! Exactly one party revokes: at Vault, Vault does it, never we behind its back. A lease that has ended by its own
//! time needs no request, except at Vault, where the Docker Hub token may outlive a lease that Vault failed to end.

use hublease_protocol::endpoint::{Endpoint, Origin};
use hublease_protocol::oauth::{
    CONTENT_TYPE_FORM, HINT_REVOCATION_HANDLE, Revocation, RevocationResponse, revocation_form,
};
use hublease_protocol::secret::Secret;
use hublease_protocol::time::utc;

use super::lease::{Handle, Note};
use super::peer::Peer;
use super::vault::Address;
use super::{broker, refusal};
use crate::effect::Host;
use crate::effect::http::{Destination, Header, Method, Repeat, Request, Response};
use crate::error::Error;
use crate::provider::Provider;

/// What a 403 on `sys/leases/revoke` means.
const NO_POLICY: &str = "the policy of the role lacks `update` on sys/leases/revoke";

/// The same on `revoke-self`.
const NO_SELF: &str = "the policy of the role lacks `update` on auth/token/revoke-self";

/// What is known when Vault does not know the token any more.
const TOKEN_ENDED: &str = "the Vault token has ended, and Vault ends its leases with it";

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

/// How a revocation ended; one of these is true of every lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
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

impl Verdict {
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
    pub fn sentence(&self, note: &Note) -> String {
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
    /// Only what ends the whole story; a failed revocation is a [`Verdict`].
    pub async fn revoke(&self, host: &Host, note: &Note) -> Result<Verdict, Error> {
        match (&note.handle, self) {
            (Handle::NotALease, _) => Ok(Verdict::NotALease),
            (Handle::None, _) if is_over(note, host.now().await?) => Ok(Verdict::AlreadyOver),
            (Handle::None, _) => Ok(Verdict::DiesAlone),
            (Handle::Token { .. }, _) if is_over(note, host.now().await?) => Ok(Verdict::AlreadyOver),
            (Handle::Token { token, own }, Self::Broker(endpoint)) if note.origin == endpoint.origin.to_string() => {
                host.mask(token).await?;
                revoke_token(host, endpoint, token, *own).await
            }
            (Handle::Vault { client_token, lease_id, batch }, Self::Vault(address))
                if note.origin == address.to_string() =>
            {
                host.mask(client_token).await?;
                let verdict = revoke_lease(host, address, client_token, lease_id.as_deref(), *batch).await?;
                let is_over = is_over(note, host.now().await?);
                // The clock alone tells that a lease is over; what Vault still confirms is better than that.
                Ok(if is_over && verdict != Verdict::Confirmed { Verdict::AlreadyOver } else { verdict })
            }
            _ => Ok(Verdict::NotRevoked(self.mismatch(note))),
        }
    }

    /// The record's address is only compared: a planted record must not steer a token.
    fn mismatch(&self, note: &Note) -> String {
        let flag = if note.provider == "vault" { "--vault-addr" } else { "--broker-url" };
        match self {
            Self::Nobody => {
                format!("this logout was not told the address of the {} provider (give `{flag}`)", note.provider)
            }
            _ => format!("the login was made at {}, which is not the address of this logout (`{flag}`)", note.origin),
        }
    }
}

/// RFC 7009. Our broker confirms in the body; from others a 200 says no more than that it was asked.
async fn revoke_token(host: &Host, endpoint: &Endpoint, token: &Secret, own: bool) -> Result<Verdict, Error> {
    let peer = Peer::new(host, endpoint.origin.to_string());
    let path = match broker::paths(&peer, endpoint).await {
        Ok(paths) => paths.revocation,
        Err(lost) => return failed(&lost.error),
    };
    let Some(path_and_query) = path else {
        return Ok(Verdict::NotRevoked("the token service has no revocation endpoint".to_owned()));
    };
    let request = Request {
        to: Destination::Provider,
        method: Method::Post,
        path_and_query,
        headers: vec![
            (Header::ContentType, Secret::new(CONTENT_TYPE_FORM)),
            (Header::Accept, Secret::new("application/json")),
        ],
        body: Secret::new(revocation_form(token.expose(), own.then_some(HINT_REVOCATION_HANDLE))),
        repeat: Repeat::Safe,
    };
    let response = match peer.send(request).await {
        Ok(response) => response,
        Err(lost) => return failed(&lost.error),
    };
    Ok(match (response.status, RevocationResponse::decode(response.body.expose().as_bytes())) {
        (200, Ok(RevocationResponse { revocation: Revocation::Confirmed })) => Verdict::Confirmed,
        (200, Ok(RevocationResponse { revocation: Revocation::Unknown })) => {
            Verdict::Requested("the broker cannot tell: it has forgotten the lease, or had only lent the token")
        }
        (200 | 204, _) => Verdict::Requested(""),
        _ => Verdict::NotRevoked(refusal::oauth(&peer, &response, &[token]).sentence()),
    })
}

/// `sys/leases/revoke` with `sync`, then always `revoke-self`.
async fn revoke_lease(
    host: &Host,
    address: &Address,
    token: &Secret,
    lease_id: Option<&str>,
    batch: bool,
) -> Result<Verdict, Error> {
    let verdict = match lease_id {
        Some(lease_id) => revoke_now(host, address, token, lease_id, batch).await?,
        None if batch => Verdict::NotRevoked(
            "the answer that names the lease was lost, and a batch token cannot be revoked".to_owned(),
        ),
        None => Verdict::Requested("the lease ends with the Vault token"),
    };
    if batch {
        return Ok(verdict);
    }
    let ended = revoke_self(host, address, token).await?;
    Ok(match (verdict, ended) {
        (Verdict::Confirmed, _) => Verdict::Confirmed,
        (Verdict::Requested(why), Ended::Yes) => Verdict::Requested(why),
        // The token had ended before, by its time or by an earlier logout. Vault queued its leases then, and nobody
        // here can see how that went.
        (Verdict::Requested(_), Ended::Before) => Verdict::Requested(TOKEN_ENDED),
        (Verdict::Requested(_), Ended::No(why)) => Verdict::NotRevoked(why),
        (Verdict::NotRevoked(why), _) => Verdict::NotRevoked(why),
        (other, _) => other,
    })
}

async fn revoke_now(
    host: &Host,
    address: &Address,
    token: &Secret,
    lease_id: &str,
    batch: bool,
) -> Result<Verdict, Error> {
    let lease_id = serde_json::to_string(lease_id).unwrap_or_default();
    let body = format!(r#"{{"lease_id":{lease_id},"sync":true}}"#);
    let request =
        Request { body: Secret::new(body), repeat: Repeat::Safe, ..vault_request(address, "sys/leases/revoke", token) };
    let response = match address.peer(host).send(request).await {
        Ok(response) => response,
        Err(lost) => return failed(&lost.error),
    };
    Ok(match response.status {
        200 | 204 => Verdict::Confirmed,
        202 => Verdict::Requested("Vault queued it"),
        // Nothing else ends the lease of a batch token before its time.
        403 if batch => Verdict::NotRevoked(format!("{NO_POLICY}, and a batch token cannot be revoked")),
        403 => Verdict::Requested(NO_POLICY),
        status => Verdict::NotRevoked(explained(status, &response, token)),
    })
}

/// How `revoke-self` went.
pub(super) enum Ended {
    Yes,
    Before,
    No(String),
}

/// Ends a Vault token; its leases are queued to end with it.
pub(super) async fn revoke_self(host: &Host, address: &Address, token: &Secret) -> Result<Ended, Error> {
    let request = Request { repeat: Repeat::Safe, ..vault_request(address, "auth/token/revoke-self", token) };
    Ok(match address.peer(host).send(request).await {
        Ok(response) => match response.status {
            200 | 204 => Ended::Yes,
            // A policy's refusal is one error in a list; a token that Vault does not know is refused without one.
            403 if super::vault::messages(&response).starts_with("1 error occurred") => Ended::No(NO_SELF.to_owned()),
            403 => Ended::Before,
            status => Ended::No(explained(status, &response, token)),
        },
        Err(lost) => Ended::No(lost.error.sentence()),
    })
}

fn vault_request(address: &Address, path: &str, token: &Secret) -> Request {
    super::vault::request(address, Method::Post, path, Some(token))
}

fn explained(status: u16, response: &Response, token: &Secret) -> String {
    let text = super::vault::messages(response);
    refusal::remark(&text, &[token]).map_or_else(
        || format!("Vault answered with status {status}"),
        |remark| format!("Vault answered with status {status}; {}", hublease_protocol::printable::printable(&remark)),
    )
}

fn failed(error: &Error) -> Result<Verdict, Error> {
    Ok(Verdict::NotRevoked(error.sentence()))
}

fn is_over(note: &Note, now: u64) -> bool {
    note.expires_at.is_some_and(|end| end <= now)
}
