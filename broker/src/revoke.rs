//! The mirror of the exchange: a handle comes in, and the lease's token is removed at Docker Hub.
//!
//! Follows RFC 7009: the handle is its own authority; a handle that is not known is no error; 503 means that the token must
//! be assumed to live and the client should come again. `confirmed` is said after Docker Hub's 204 or 404 and never before.

use hublease::oauth::{Code, Form, Revocation};

use crate::audit::{Line, bounded};
use crate::broker::Broker;
use crate::identity::sha256;
use crate::journal::{JournalFault, Lease, State};
use crate::limits::{CLAIM_SECONDS, MAX_ID_BYTES, RETRY_AFTER_SECONDS};
use crate::refusal::Refusal;

/// Serves one revocation, and tells the operator how it went.
///
/// # Errors
/// When the body is no such request, or Docker Hub has not confirmed.
pub fn revoke(broker: &Broker, body: &[u8]) -> Result<Revocation, Refusal> {
    let mut line = Line::new("revoke", broker.clock.now());
    let outcome = story(broker, body, &mut line);
    match &outcome {
        Ok(Revocation::Confirmed) => "confirmed".clone_into(&mut line.outcome),
        Ok(Revocation::Unknown) => "unknown".clone_into(&mut line.outcome),
        Err(refusal) => refusal.code.as_str().clone_into(&mut line.outcome),
    }
    broker.audit.write(&line);
    outcome
}

fn story(broker: &Broker, body: &[u8], line: &mut Line) -> Result<Revocation, Refusal> {
    let mut form = Form::decode(body).map_err(|error| Refusal::new(Code::MalformedRequest, error.to_string()))?;
    let Some(handle) = form.take("token") else {
        return Err(Refusal::new(Code::MalformedRequest, "`token` is missing"));
    };
    if handle.len() > MAX_ID_BYTES {
        return Ok(Revocation::Unknown);
    }
    let found = broker.journal.by_handle(&sha256(handle.as_bytes())).map_err(|fault| unwritten(&fault))?;
    let Some(lease) = found else {
        return Ok(Revocation::Unknown);
    };
    name_lease(line, &lease);
    match remove(broker, &lease, RETRY_AFTER_SECONDS) {
        Removal::Gone => Ok(Revocation::Confirmed),
        Removal::Elsewhere => {
            Err(Refusal::new(Code::RequestInProgress, "the token is being removed; ask again to know the outcome"))
        }
        Removal::Failed => Err(Refusal::new(Code::HubUnavailable, "Docker Hub has not confirmed the removal yet")),
        Removal::Unwritten(fault) => Err(unwritten(&fault)),
    }
}

/// Removes the first try of a repeated request. What fails here is tried again by the sweeper.
pub(crate) fn take_back(broker: &Broker, lease: &Lease) {
    let _tried_again_later = remove_as(broker, lease, "replace", RETRY_AFTER_SECONDS);
}

/// Removes a lease on the broker's own account, and says so in the audit log.
pub(crate) fn remove_as(broker: &Broker, lease: &Lease, event: &'static str, pause: u64) -> Removal {
    let mut line = Line::new(event, broker.clock.now());
    name_lease(&mut line, lease);
    let removal = remove(broker, lease, pause);
    match &removal {
        Removal::Gone => "confirmed".clone_into(&mut line.outcome),
        Removal::Elsewhere => "elsewhere".clone_into(&mut line.outcome),
        Removal::Failed | Removal::Unwritten(_) => "failed".clone_into(&mut line.outcome),
    }
    broker.audit.write(&line);
    removal
}

/// How a removal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Removal {
    /// Docker Hub has no such token, now or already.
    Gone,
    /// Somebody else is removing it.
    Elsewhere,
    /// Docker Hub has not said that it is gone.
    Failed,
    /// The journal failed.
    Unwritten(JournalFault),
}

/// Claims the lease, removes its token, writes down that it is gone. After a failure it may be tried again in `pause` seconds.
fn remove(broker: &Broker, lease: &Lease, pause: u64) -> Removal {
    if lease.state == State::Revoked {
        return Removal::Gone;
    }
    let now = broker.clock.now();
    let lease = match broker.journal.claim(&lease.id, now, now.saturating_add(CLAIM_SECONDS)) {
        Ok(Some(lease)) => lease,
        Ok(None) => return Removal::Elsewhere,
        Err(fault) => return Removal::Unwritten(fault),
    };
    let written = match is_gone(broker, &lease) {
        true => broker.journal.revoked(&lease.id, broker.clock.now()).map(|()| Removal::Gone),
        false => {
            let after = broker.clock.now().saturating_add(pause);
            broker.journal.failed(&lease.id, after).map(|()| Removal::Failed)
        }
    };
    written.unwrap_or_else(Removal::Unwritten)
}

fn is_gone(broker: &Broker, lease: &Lease) -> bool {
    let Some(account) = broker.accounts.get(&lease.account) else {
        return false;
    };
    let (outbound, now) = (&*broker.outbound, broker.clock.now());
    let id = match &lease.hub_id {
        Some(id) => Ok(Some(id.clone())),
        // Announced, and nobody heard the answer: the label tells whether a token was made.
        None => account.find(&lease.label, outbound, now),
    };
    match id {
        Ok(Some(id)) => account.delete(&id, outbound, now).is_ok(),
        Ok(None) => true,
        Err(_) => false,
    }
}

fn name_lease(line: &mut Line, lease: &Lease) {
    line.lease_id = Some(lease.id.clone());
    line.job = Some(bounded(&lease.job));
    line.rule = Some(lease.rule.clone());
    line.account = Some(lease.account.clone());
}

fn unwritten(fault: &JournalFault) -> Refusal {
    Refusal::new(Code::Internal, fault.to_string())
}

#[cfg(test)]
mod tests;
