//! The broker's story: a job's identity token comes in, a Docker Hub token that lives for minutes goes out.
//!
//! What is asked? Who asks? May they? Write it down, mint, write down what was minted, hand it over. It is told once, in
//! `story`, from top to bottom and without waiting for anything but the outside world. A refusal uses nothing up: the
//! journal is written after the last "no" that is ours to say.

use hublease_hub::token::{Minted, Order};
use hublease_protocol::oauth::Code;
use hublease_protocol::secret::Secret;

use crate::account::Account;
use crate::account::pool::lent_id;
use crate::broker::{Broker, random};
use crate::client_address::Client;
use crate::identity::claims::{Identity, sha256, token_sha256};
use crate::journal::{EnterOutcome, Holder, JournalError, Lease, LeaseRequest, LeaseState, NewLease, Selection};
use crate::leases::revoke;
use crate::limits::{INTENT_SECONDS, UNCLEAR_SECONDS};
use crate::observe::audit::{AuditEvent, Event, Outcome};
use crate::observe::bounded::bounded;
use crate::rate_limit::{Payer, Purpose};
use crate::refusal::Refusal;
use crate::rules::request::{ParsedExchange, RequestedGrant};
use crate::rules::{self, Grant};

/// What an administrator reads beside a token.
const DESCRIPTION: &str = "Issued to a CI job; revoked by hublease-broker";

/// What the job gets.
pub struct IssuedLease {
    /// The password for `docker login`.
    pub access_token: Secret,
    /// Revokes it, and can do nothing else.
    pub revocation_handle: Secret,
    /// The lease's name, not a secret.
    pub lease_id: String,
    /// Who to log in as.
    pub username: String,
    /// What was granted.
    pub scope: String,
    /// The life in seconds; nothing for a token of a pool, which does not end with its lease.
    pub expires_in: Option<u64>,
}

/// Serves one exchange, and tells the operator how it went.
///
/// # Errors
/// With the refusal that the client gets.
pub fn exchange(broker: &Broker, client: Client, body: &[u8]) -> Result<IssuedLease, Refusal> {
    broker.audit.record(Event::Exchange, broker.clock.now(), |line| {
        line.stranger = Some(client);
        let issued = story(broker, client, body, line);
        (line.outcome_of(&issued, |_| Outcome::Issued), issued)
    })
}

fn story(broker: &Broker, client: Client, body: &[u8], line: &mut AuditEvent) -> Result<IssuedLease, Refusal> {
    // What is asked?
    let ask = ParsedExchange::read(body)?;
    line.token_sha256 = Some(token_sha256(ask.identity_token.expose()));
    // Who asks?
    let identity = broker.verifier.verify(ask.identity_token.expose(), &*broker.outbound, broker.clock.now())?;
    name_identity(line, broker, &identity);
    // May they?
    let issuer = broker.verifier.issuer(&identity);
    let wish = RequestedGrant { from: Some(client), ..ask.wish.clone() };
    line.would_grant = rules::reported(&broker.rules, issuer, &identity.claims, &wish);
    let grant = rules::decide(&broker.rules, issuer, &identity.claims, &wish)?;
    line.stranger = None;
    name_grant(line, &grant);
    broker.limiter.project(Purpose::Exchange, &issuer.name, identity.project.as_deref(), broker.clock.now())?;
    broker.limiter.rule(&grant.rule, broker.clock.now())?;
    let account = broker.accounts.get(&grant.account).ok_or_else(internal)?;
    account.check_reach(&grant.scope)?;
    // Nothing is issued that nobody could read about later.
    broker.audit.promise(line)?;
    // Write down what is about to be done; from here on the token and the request are used.
    let (lease, handle) = announce(broker, &identity, &grant)?;
    line.lease_id = Some(lease.id.clone());
    let first = enter(broker, &identity, &ask, &lease, &grant)?;
    // A repeated request takes the place of its first try.
    if let Some(first) = first {
        revoke::take_back(broker, &first);
    }
    // Mint, and write down what was minted before anyone has it.
    let minted = mint(broker, account, &lease, &grant)?;
    let credential_sha256 = sha256(minted.token.expose().as_bytes());
    hold(broker, account, &lease, &minted, &credential_sha256)?;
    line.credential_sha256 = Some(credential_sha256);
    Ok(IssuedLease {
        access_token: minted.token,
        revocation_handle: handle,
        lease_id: lease.id,
        username: account.username().to_owned(),
        scope: grant.scope.to_string(),
        expires_in: account.client().map(|_| grant.life),
    })
}

fn announce(broker: &Broker, identity: &Identity, grant: &Grant) -> Result<(Lease, Secret), Refusal> {
    let (id, handle) = random::<16>().zip(random::<32>()).ok_or_else(internal)?;
    let now = broker.clock.now();
    let lease = Lease {
        label: format!("{}{id}", broker.label_prefix()),
        id,
        handle_sha256: Some(sha256(handle.as_bytes())),
        state: LeaseState::Intent,
        holder: holder(broker, identity),
        rule: grant.rule.clone(),
        account: grant.account.clone(),
        scope: grant.scope.to_string(),
        hub_id: None,
        created_at: now,
        expires_at: now.saturating_add(grant.life),
        due_at: now.saturating_add(INTENT_SECONDS),
        closed_at: None,
        credential_sha256: None,
    };
    Ok((lease, Secret::new(handle)))
}

fn holder(broker: &Broker, identity: &Identity) -> Holder {
    Holder {
        issuer: broker.verifier.issuer(identity).name.clone(),
        project: identity.project.clone(),
        workflow: identity.workflow.clone(),
        job: identity.job.clone(),
        subject: identity.claims.text("sub").map(bounded),
        token_sha256: identity.token_sha256.clone(),
    }
}

fn enter(
    broker: &Broker,
    identity: &Identity,
    ask: &ParsedExchange,
    lease: &Lease,
    grant: &Grant,
) -> Result<Option<Lease>, Refusal> {
    let issuer = broker.verifier.issuer(identity);
    let wanted = NewLease {
        lease: lease.clone(),
        request: ask.request.as_ref().map(|request| LeaseRequest {
            id: request.id.clone(),
            wish_sha256: grant.sha256(),
            challenge: request.challenge.clone(),
            shown: request.verifier.as_ref().map(|verifier| sha256(verifier.as_bytes())),
        }),
        single_use_id: identity.single_use_id.as_ref().map(|id| format!("{} {id}", issuer.url)),
        identity_expires_at: identity.expires_at,
        max_live_leases: issuer.max_live_leases,
        max_mints: issuer.max_mints,
    };
    match broker.journal.enter(wanted, broker.clock.now()) {
        Ok(EnterOutcome::First) => Ok(None),
        Ok(EnterOutcome::Replaces(first)) => Ok(Some(*first)),
        Ok(EnterOutcome::Denied(denied)) => Err(denied.refusal()),
        Err(error) => Err(error.refusal()),
    }
}

/// After a clear "no" nothing was made and the intent is withdrawn. After an unclear answer the sweeper looks for the token
/// by its label, once Docker Hub has certainly finished with the request.
fn mint(broker: &Broker, account: &Account, lease: &Lease, grant: &Grant) -> Result<Minted, Refusal> {
    let order = Order {
        label: lease.label.clone(),
        scope: grant.scope.clone(),
        description: DESCRIPTION,
        expires_at: lease.expires_at,
    };
    let held = |token: &str| held(broker, account, token);
    let purse = broker.limiter.purse(Payer {
        job: lease.holder.job.clone(),
        project: (lease.holder.issuer.clone(), lease.holder.project.as_deref().map(bounded)),
        rule: lease.rule.clone(),
    });
    account.issue(&order, &purse, held, &*broker.outbound, broker.clock.now()).map_err(|error| {
        let written = if error.is_ambiguous() {
            broker.journal.unclear(&lease.id, broker.clock.now().saturating_add(UNCLEAR_SECONDS))
        } else {
            broker.journal.withdraw(&lease.id)
        };
        written.map_or_else(JournalError::refusal, |()| error.refusal())
    })
}

/// How many leases hold a token of a pool. It only balances the pool, so a journal that fails here is left to fail where it matters.
fn held(broker: &Broker, account: &Account, token: &str) -> usize {
    let holding = Selection {
        account: Some(account.name.clone()),
        hub_id: Some(lent_id(token)),
        states: vec![LeaseState::Live, LeaseState::Revoking],
        ..Selection::default()
    };
    broker.journal.select(&holding).map_or(0, |leases| leases.len())
}

/// A token that cannot be written down is not handed out: it is removed at once, or else found by its label later.
fn hold(
    broker: &Broker,
    account: &Account,
    lease: &Lease,
    minted: &Minted,
    credential_sha256: &str,
) -> Result<(), Refusal> {
    match broker.journal.live(&lease.id, &minted.id, credential_sha256) {
        Ok(true) => Ok(()),
        failed => {
            // The answer is "no" whether this succeeds or not, and the token dies at its `expires_at`. One of a pool was not
            // handed out, and is nobody's to delete.
            let now = broker.clock.now();
            let is_gone =
                account.client().is_some_and(|client| client.delete(&minted.id, &*broker.outbound, now).is_ok());
            if is_gone && failed == Ok(false) {
                // Nobody has to look for it any more.
                let _else_by_the_sweeper = broker.journal.revoked(&lease.id, now);
            }
            Err(failed.map_or_else(JournalError::refusal, |_| taken_back()))
        }
    }
}

fn name_identity(line: &mut AuditEvent, broker: &Broker, identity: &Identity) {
    line.issuer = Some(broker.verifier.issuer(identity).name.clone());
    line.project = identity.project.as_deref().map(bounded);
    line.job = Some(bounded(&identity.job));
    line.subject = identity.claims.text("sub").map(bounded);
}

fn name_grant(line: &mut AuditEvent, grant: &Grant) {
    line.rule = Some(grant.rule.clone());
    line.account = Some(grant.account.clone());
    line.scope = Some(grant.scope.to_string());
    line.expires_in = Some(grant.life);
    line.shortened_from = grant.shortened_from;
}

fn internal() -> Refusal {
    Refusal::new(Code::Internal, "the broker failed; its operator finds more in its log")
}

/// Somebody revoked for the whole workflow, the rule or the project while this token was being made.
fn taken_back() -> Refusal {
    Refusal::new(Code::RequestInProgress, "the lease was revoked while it was being made")
}

#[cfg(test)]
mod tests;
