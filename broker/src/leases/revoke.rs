//! The mirror of the exchange: a handle comes in, and the lease's token is removed at Docker Hub.
//!
//! Follows RFC 7009: the handle is its own authority; a handle that is not known is no error; 503 means that the token must
//! be assumed to live and the client should come again. `confirmed` is said after Docker Hub's own 204 or 404 and never before.

use hublease_hub::limits::RETRY_AFTER_SECONDS;
use hublease_protocol::oauth::{Code, Form, Revocation};

use crate::account::refusal_of;
use crate::broker::Broker;
use crate::client_address::Client;
use crate::identity::claims::sha256;
use crate::journal::{JournalError, Lease};
use crate::leases::removal::{Removal, name_lease, remove, remove_as};
use crate::limits::MAX_ID_BYTES;
use crate::observe::audit::{AuditEvent, Event, Outcome};
use crate::refusal::Refusal;

/// What the client is told of a token that must be assumed to live.
const UNCONFIRMED: &str = "Docker Hub has not confirmed the removal yet";

/// Serves one revocation, and tells the operator how it went.
///
/// # Errors
/// When the body is no such request, or Docker Hub has not confirmed.
pub fn revoke(broker: &Broker, client: Client, body: &[u8]) -> Result<Revocation, Refusal> {
    broker.audit.record(Event::Revoke, broker.clock.now(), |line| {
        line.stranger = Some(client);
        let answer = story(broker, body, line);
        (line.outcome_of(&answer, |(_, outcome)| *outcome), answer.map(|(revocation, _)| revocation))
    })
}

/// What the client is told, and what became of the token.
fn story(broker: &Broker, body: &[u8], line: &mut AuditEvent) -> Result<(Revocation, Outcome), Refusal> {
    let mut form = Form::decode(body).map_err(|error| Refusal::new(Code::MalformedRequest, error.to_string()))?;
    let Some(handle) = form.take("token") else {
        return Err(Refusal::new(Code::MalformedRequest, "`token` is missing"));
    };
    if handle.len() > MAX_ID_BYTES {
        return Ok((Revocation::Unknown, Outcome::Unknown));
    }
    let found = broker.journal.by_handle(&sha256(handle.as_bytes())).map_err(JournalError::refusal)?;
    let Some(lease) = found else {
        return Ok((Revocation::Unknown, Outcome::Unknown));
    };
    line.stranger = None;
    name_lease(line, &lease);
    let removal = remove(broker, &lease, RETRY_AFTER_SECONDS);
    match removal {
        Removal::Gone => Ok((Revocation::Confirmed, removal.outcome())),
        // The lease is over, and nobody can say that the token is gone.
        Removal::Kept | Removal::Expired => Ok((Revocation::Unknown, removal.outcome())),
        Removal::Elsewhere => {
            Err(Refusal::new(Code::RequestInProgress, "the token is being removed; ask again to know the outcome"))
        }
        Removal::Failed(error) => {
            let seconds = refusal_of(error).retry_after.unwrap_or(RETRY_AFTER_SECONDS);
            Err(Refusal::later(Code::HubUnavailable, UNCONFIRMED, seconds))
        }
        Removal::NoAccount => Err(Refusal::new(Code::HubUnavailable, UNCONFIRMED)),
        Removal::Unwritten(error) => Err(error.refusal()),
    }
}

/// Removes the first try of a repeated request. What fails here is tried again by the sweeper.
pub(crate) fn take_back(broker: &Broker, lease: &Lease) {
    let _tried_again_later = remove_as(broker, lease, Event::Replace, RETRY_AFTER_SECONDS);
}

#[cfg(test)]
mod tests;
