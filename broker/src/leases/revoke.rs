//! The mirror of the exchange: a handle comes in, and the lease's token is removed at Docker Hub.
//!
//! Follows RFC 7009: the handle is its own authority; a handle that is not known is no error; 503 means that the token must
//! be assumed to live and the client should come again. `confirmed` is said after Docker Hub's 204 or 404 and never before.

use hublease_protocol::oauth::{Code, Form, Revocation};

use crate::broker::Broker;
use crate::identity::claims::sha256;
use crate::journal::{JournalError, Lease};
use crate::leases::removal::{Removal, name_lease, remove, remove_as};
use crate::limits::{MAX_ID_BYTES, RETRY_AFTER_SECONDS};
use crate::observe::audit::AuditEvent;
use crate::refusal::Refusal;

/// What the client is told of a token that must be assumed to live.
const UNCONFIRMED: &str = "Docker Hub has not confirmed the removal yet";

/// Serves one revocation, and tells the operator how it went.
///
/// # Errors
/// When the body is no such request, or Docker Hub has not confirmed.
pub fn revoke(broker: &Broker, body: &[u8]) -> Result<Revocation, Refusal> {
    let mut line = AuditEvent::new("revoke", broker.clock.now());
    let outcome = story(broker, body, &mut line);
    match &outcome {
        Ok(Revocation::Unknown) if line.outcome.is_empty() => "unknown".clone_into(&mut line.outcome),
        // What became of the token.
        Ok(_) => {}
        Err(refusal) => {
            refusal.code.as_str().clone_into(&mut line.outcome);
            line.reason = Some(refusal.sentence.clone());
        }
    }
    broker.audit.write(&line);
    outcome
}

fn story(broker: &Broker, body: &[u8], line: &mut AuditEvent) -> Result<Revocation, Refusal> {
    let mut form = Form::decode(body).map_err(|error| Refusal::new(Code::MalformedRequest, error.to_string()))?;
    let Some(handle) = form.take("token") else {
        return Err(Refusal::new(Code::MalformedRequest, "`token` is missing"));
    };
    if handle.len() > MAX_ID_BYTES {
        return Ok(Revocation::Unknown);
    }
    let found = broker.journal.by_handle(&sha256(handle.as_bytes())).map_err(JournalError::refusal)?;
    let Some(lease) = found else {
        return Ok(Revocation::Unknown);
    };
    name_lease(line, &lease);
    let removal = remove(broker, &lease, RETRY_AFTER_SECONDS);
    removal.word().clone_into(&mut line.outcome);
    match removal {
        Removal::Gone => Ok(Revocation::Confirmed),
        // The lease is over, and nobody can say that the token is gone.
        Removal::Kept | Removal::Expired => Ok(Revocation::Unknown),
        Removal::Elsewhere => {
            Err(Refusal::new(Code::RequestInProgress, "the token is being removed; ask again to know the outcome"))
        }
        Removal::Failed(fault) => {
            let seconds = fault.refusal().retry_after.unwrap_or(RETRY_AFTER_SECONDS);
            Err(Refusal::later(Code::HubUnavailable, UNCONFIRMED, seconds))
        }
        Removal::NoAccount => Err(Refusal::new(Code::HubUnavailable, UNCONFIRMED)),
        Removal::Unwritten(fault) => Err(fault.refusal()),
    }
}

/// Removes the first try of a repeated request. What fails here is tried again by the sweeper.
pub(crate) fn take_back(broker: &Broker, lease: &Lease) {
    let _tried_again_later = remove_as(broker, lease, "replace", RETRY_AFTER_SECONDS);
}

#[cfg(test)]
mod tests;
