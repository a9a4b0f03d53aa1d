//! The end of a lease at Vault: `sys/leases/revoke` with `sync`, and the end of the Vault token that made it.
//!
//! Vault does it, never we behind its back.

use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;

use super::address::Address;
use super::wire;
use crate::effect::Host;
use crate::effect::http::{Method, Repeat, Request, Response};
use crate::error::Error;
use crate::lease::RevocationOutcome;
use crate::request::remark;

/// What a 403 on `sys/leases/revoke` means.
const NO_POLICY: &str = "the policy of the role lacks `update` on sys/leases/revoke";

/// The same on `revoke-self`.
const NO_SELF: &str = "the policy of the role lacks `update` on auth/token/revoke-self";

/// What is known when Vault does not know the token any more.
const TOKEN_ENDED: &str = "the Vault token has ended, and Vault ends its leases with it";

/// `sys/leases/revoke` with `sync`, then always `revoke-self`.
pub(crate) async fn revoke_lease(
    host: &Host,
    address: &Address,
    token: &Secret,
    lease_id: Option<&str>,
    batch: bool,
) -> Result<RevocationOutcome, Error> {
    let verdict = match lease_id {
        Some(lease_id) => revoke_now(host, address, token, lease_id, batch).await?,
        None if batch => RevocationOutcome::NotRevoked(
            "the answer that names the lease was lost, and a batch token cannot be revoked".to_owned(),
        ),
        None => RevocationOutcome::Requested("the lease ends with the Vault token"),
    };
    if batch {
        return Ok(verdict);
    }
    let ended = revoke_self(host, address, token).await?;
    Ok(match (verdict, ended) {
        (RevocationOutcome::Confirmed, _) => RevocationOutcome::Confirmed,
        (RevocationOutcome::Requested(why), TokenEnd::Yes) => RevocationOutcome::Requested(why),
        // The token had ended before, by its time or by an earlier logout. Vault queued its leases then, and nobody
        // here can see how that went.
        (RevocationOutcome::Requested(_), TokenEnd::Before) => RevocationOutcome::Requested(TOKEN_ENDED),
        (RevocationOutcome::Requested(_), TokenEnd::No(why)) => RevocationOutcome::NotRevoked(why),
        (RevocationOutcome::NotRevoked(why), _) => RevocationOutcome::NotRevoked(why),
        (other, _) => other,
    })
}

async fn revoke_now(
    host: &Host,
    address: &Address,
    token: &Secret,
    lease_id: &str,
    batch: bool,
) -> Result<RevocationOutcome, Error> {
    let lease_id = serde_json::to_string(lease_id).unwrap_or_default();
    let body = format!(r#"{{"lease_id":{lease_id},"sync":true}}"#);
    let request =
        Request { body: Secret::new(body), repeat: Repeat::Safe, ..vault_request(address, "sys/leases/revoke", token) };
    let response = match address.server(host).send(request).await {
        Ok(response) => response,
        Err(lost) => return failed(&lost.error),
    };
    Ok(match response.status {
        200 | 204 => RevocationOutcome::Confirmed,
        202 => RevocationOutcome::Requested("Vault queued it"),
        // Nothing else ends the lease of a batch token before its time.
        403 if batch => RevocationOutcome::NotRevoked(format!("{NO_POLICY}, and a batch token cannot be revoked")),
        403 => RevocationOutcome::Requested(NO_POLICY),
        status => RevocationOutcome::NotRevoked(explained(status, &response, token)),
    })
}

/// How `revoke-self` went.
pub(crate) enum TokenEnd {
    Yes,
    Before,
    No(String),
}

/// Ends a Vault token; its leases are queued to end with it.
pub(crate) async fn revoke_self(host: &Host, address: &Address, token: &Secret) -> Result<TokenEnd, Error> {
    let request = Request { repeat: Repeat::Safe, ..vault_request(address, "auth/token/revoke-self", token) };
    Ok(match address.server(host).send(request).await {
        Ok(response) => match response.status {
            200 | 204 => TokenEnd::Yes,
            // A policy's refusal is one error in a list; a token that Vault does not know is refused without one.
            403 if wire::messages(&response).starts_with("1 error occurred") => TokenEnd::No(NO_SELF.to_owned()),
            403 => TokenEnd::Before,
            status => TokenEnd::No(explained(status, &response, token)),
        },
        Err(lost) => TokenEnd::No(lost.error.sentence()),
    })
}

fn vault_request(address: &Address, path: &str, token: &Secret) -> Request {
    wire::request(address, Method::Post, path, Some(token))
}

fn explained(status: u16, response: &Response, token: &Secret) -> String {
    let text = wire::messages(response);
    remark(&text, &[token]).map_or_else(
        || format!("Vault answered with status {status}"),
        |remark| format!("Vault answered with status {status}; {}", printable(&remark)),
    )
}

fn failed(error: &Error) -> Result<RevocationOutcome, Error> {
    Ok(RevocationOutcome::NotRevoked(error.sentence()))
}
