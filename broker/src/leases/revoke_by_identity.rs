//! A job revokes by its identity instead of by a handle: one lease of its own, or all that its workflow was given.
//!
//! For what a cancelled or crashed job left behind: its handle is lost with it, and a later job of the same workflow speaks for
//! it. The identity token is the bearer (RFC 6750) and is not used up. What is revoked is written down before Docker Hub is
//! asked, so the sweeper finishes what this request does not.

use hublease_hub::limits::RETRY_AFTER_SECONDS;
use hublease_protocol::oauth::{Code, LeasesRequest, LeasesResponse};

use crate::broker::Broker;
use crate::client_address::Client;
use crate::identity::claims::Identity;
use crate::journal::{JournalError, LeaseState, Selection};
use crate::leases::removal::{Round, remove_all};
use crate::limits::{MAX_ID_BYTES, REQUEST_WORKERS};
use crate::observe::audit::{AuditEvent, Event, Outcome};
use crate::observe::bounded::bounded;
use crate::rate_limit::Purpose;
use crate::refusal::Refusal;
use crate::rules;
use crate::rules::request::RequestedGrant;

/// What a request ends.
const ROUND: Round = Round { event: Event::RevokeByIdentity, pause: RETRY_AFTER_SECONDS, workers: REQUEST_WORKERS };

/// Serves one such request, and tells the operator how it went.
///
/// # Errors
/// When the body is no such request, the token is not accepted, or no rule lets this job speak for its workflow.
pub fn revoke_by_identity(
    broker: &Broker,
    client: Client,
    token: &str,
    body: &[u8],
) -> Result<LeasesResponse, Refusal> {
    broker.audit.record(Event::RevokeByIdentity, broker.clock.now(), |line| {
        line.stranger = Some(client);
        let answer = story(broker, token, body, line);
        (line.outcome_of(&answer, how_far), answer)
    })
}

const fn how_far(answer: &LeasesResponse) -> Outcome {
    if answer.confirmed == answer.leases { Outcome::Confirmed } else { Outcome::Requested }
}

fn story(broker: &Broker, token: &str, body: &[u8], line: &mut AuditEvent) -> Result<LeasesResponse, Refusal> {
    let which = read(body)?;
    let identity = broker.verifier.verify(token, &*broker.outbound, broker.clock.now())?;
    line.token_sha256 = Some(identity.token_sha256.clone());
    line.issuer = Some(broker.verifier.issuer(&identity).name.clone());
    line.project = identity.project.as_deref().map(bounded);
    line.job = Some(bounded(&identity.job));
    let issuer = broker.verifier.issuer(&identity);
    broker.limiter.project(Purpose::Revocation, &issuer.name, identity.project.as_deref(), broker.clock.now())?;
    let selection = match which {
        Which::Lease(id) => Selection { id: Some(id), job: Some(identity.job.clone()), ..Selection::default() },
        Which::Workflow => workflow(broker, &identity)?,
    };
    line.stranger = None;
    let now = broker.clock.now();
    broker.journal.condemn(&selection, now).map_err(JournalError::refusal)?;
    // With them goes what an earlier request has condemned and nobody has confirmed yet.
    let condemned = Selection { states: vec![LeaseState::Revoking], ..selection };
    let leases = broker.journal.select(&condemned).map_err(JournalError::refusal)?;
    let (removed, _) = remove_all(broker, &leases, ROUND);
    Ok(LeasesResponse { leases: leases.len() as u64, confirmed: removed.gone as u64 })
}

enum Which {
    Lease(String),
    Workflow,
}

fn read(body: &[u8]) -> Result<Which, Refusal> {
    let malformed =
        || Refusal::new(Code::MalformedRequest, "the body has either `lease_id` or `workflow: true`, as JSON");
    let request: LeasesRequest = serde_json::from_slice(body).map_err(|_position_only| malformed())?;
    match (request.lease_id, request.workflow) {
        (Some(id), false) if !id.is_empty() && id.len() <= MAX_ID_BYTES => Ok(Which::Lease(id)),
        (None, true) => Ok(Which::Workflow),
        _ => Err(malformed()),
    }
}

/// What the rules that let this job speak for its workflow have granted to it before this token was made.
fn workflow(broker: &Broker, identity: &Identity) -> Result<Selection, Refusal> {
    let issuer = broker.verifier.issuer(identity);
    let accepting = rules::accepting(&broker.rules, issuer, &identity.claims, &RequestedGrant::default())?;
    let not_granted =
        || Refusal::new(Code::WorkflowNotGranted, "no rule that accepts this job has `revoke_workflow = true`");
    if !accepting.iter().any(|rule| rule.revoke_workflow) {
        return Err(not_granted());
    }
    let Some(workflow) = &identity.workflow else {
        return Err(Refusal::new(Code::WorkflowNotGranted, "the token does not say which workflow the job belongs to"));
    };
    let speaking = broker.rules.iter().filter(|rule| rule.issuer == issuer.name && rule.revoke_workflow);
    Ok(Selection {
        workflow: Some(workflow.clone()),
        rules: Some(speaking.map(|rule| rule.name.clone()).collect()),
        created_before: Some(identity.issued_at),
        ..Selection::default()
    })
}

#[cfg(test)]
mod tests;
