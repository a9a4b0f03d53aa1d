//! The end of a lease at Vault, and the end of the Vault token that made it.
//!
//! Vault does it, never we behind its back, and only what Vault says is said: `sys/leases/lookup`, then `sys/leases/revoke`
//! with `sync`, then `auth/token/revoke-self`. Vault answers 204 alike for a lease that it revokes now and one that it
//! does not know, so it is asked first whether it knows it. A server that stands by may not know a lease yet, so one that the
//! look-up does not find is revoked all the same. While a lease lives on, its Vault token is kept: nobody else
//! can ask for it again.
//!
//! Follows Vault's HTTP API documentation of `/sys/leases` and `/auth/token`, and what OpenBao answers.

use hublease_protocol::printable::printable_cause;
use hublease_protocol::secret::Secret;

use super::address::Address;
use super::{refusal, wire};
use crate::effect::Effects;
use crate::effect::http::{Method, Repeat, Request, Response};
use crate::error::Error;
use crate::lease::{Revocation, RevocationOutcome};
use crate::request::{remark, unread};

/// What a policy's 403 on `sys/leases/revoke` means.
const NO_POLICY: &str = "the policy of the role lacks `update` on sys/leases/revoke";

/// The same on `revoke-self`.
const NO_SELF: &str = "the policy of the role lacks `update` on auth/token/revoke-self";

/// What is known when Vault takes a token no more whose time has passed.
const TOKEN_ENDED: &str = "the Vault token has ended, and Vault ends its leases with it";

/// What is known when Vault takes a token no more before its time: a token that is used up or was revoked is refused with the
/// same words as one that is bound to other addresses, or whose entity is disabled.
const TOKEN_REFUSED: &str = "Vault refuses the Vault token: it has ended, or it may not be used from here";

/// Why nobody can end what a batch token was asked for.
const UNNAMED: &str = "the answer that names the lease was lost, and a batch token cannot be revoked";

/// Why a Vault token is left alive on purpose.
const KEPT: &str = "it is kept, so that another `logout` can revoke the lease";

/// What a login at Vault left to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held<'a> {
    /// The Vault token.
    pub(crate) client_token: &'a Secret,
    /// The lease, if its id is known.
    pub(crate) lease_id: Option<&'a str>,
    /// Whether a lease may exist whose id is not known.
    pub(crate) may_have_lease: bool,
    /// Whether the token is a batch token.
    pub(crate) batch: bool,
    /// Whether the token's own time has passed by this machine's clock.
    pub(crate) is_token_over: bool,
    /// Whether an earlier logout, whose calls Vault took, went on to end the token and was stopped before it heard.
    pub(crate) is_ending: bool,
}

/// What Vault said to one of the calls.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// It is done, or known.
    Done,
    /// It will be done.
    Queued,
    /// A look-up's 400 for a lease that Vault does not know.
    UnknownLease,
    /// A 403 with a policy's words.
    NoPolicy,
    /// A 403 with Vault's plain words: the token itself is not taken.
    TokenRefused,
    /// This server has no such call (404, 405).
    NoSuchCall,
    /// Anything else, or no answer; printable.
    Failed(String),
}

/// Ends the lease as far as Vault lets it; none if no lease is known.
///
/// # Errors
/// Only what ends the whole story.
pub(crate) async fn revoke_credential(
    effects: &Effects,
    address: &Address,
    held: &Held<'_>,
) -> Result<Option<RevocationOutcome>, Error> {
    match held.lease_id {
        Some(lease_id) => {
            let vault = Caller { effects, address, token: held.client_token };
            revoke_lease(&vault, held, lease_id).await.map(Some)
        }
        None => Ok(None),
    }
}

/// Whether the token may be ended now: a batch token cannot be, and that of a lease which lives on is kept.
pub(crate) fn may_end_token(held: &Held<'_>, lease: Option<&RevocationOutcome>) -> bool {
    !held.batch && !lease.is_some_and(RevocationOutcome::is_failure)
}

/// Ends the token, and says what that means for the lease.
///
/// # Errors
/// Only what ends the whole story.
pub(crate) async fn revoke_token_after(
    effects: &Effects,
    address: &Address,
    held: &Held<'_>,
    lease: Option<RevocationOutcome>,
) -> Result<Revocation, Error> {
    if held.batch {
        let unnamed = || RevocationOutcome::NotRevoked(UNNAMED.to_owned());
        let credential = lease.or_else(|| (held.lease_id.is_none() && held.may_have_lease).then(unnamed));
        return Ok(Revocation { credential, vault_token: Some(RevocationOutcome::DiesAlone) });
    }
    if !may_end_token(held, lease.as_ref()) {
        return Ok(Revocation { credential: lease, vault_token: Some(RevocationOutcome::NotRevoked(KEPT.to_owned())) });
    }
    let said = Caller { effects, address, token: held.client_token }.revoke_self().await?;
    let was_taken = lease.as_ref().is_some_and(|outcome| *outcome != RevocationOutcome::Requested(TOKEN_ENDED));
    let token = token_outcome(said, was_taken || held.is_ending, held.is_token_over);
    let credential = match lease {
        Some(RevocationOutcome::Requested(why)) => Some(with_token(why, &token)),
        None if held.may_have_lease => Some(with_token("it ends with the Vault token", &token)),
        other => other,
    };
    Ok(Revocation { credential, vault_token: Some(token) })
}

/// Ends only a Vault token, which has no lease.
pub(super) async fn revoke_token(
    effects: &Effects,
    address: &Address,
    token: &Secret,
) -> Result<RevocationOutcome, Error> {
    let said = Caller { effects, address, token }.revoke_self().await?;
    // It was used a moment ago: what Vault takes no more now had its last use then.
    Ok(token_outcome(said, true, false))
}

/// look-up, then revocation: what is known of the lease.
async fn revoke_lease(vault: &Caller<'_>, held: &Held<'_>, lease_id: &str) -> Result<RevocationOutcome, Error> {
    let looked_up = vault.ask(Call::LookUp, lease_body(lease_id, false)).await?;
    let is_known = match looked_up {
        Said::TokenRefused => return Ok(refused(held.is_token_over)),
        Said::Failed(why) => return Ok(RevocationOutcome::NotRevoked(why)),
        Said::Done => true,
        Said::UnknownLease | Said::Queued | Said::NoPolicy | Said::NoSuchCall => false,
    };
    let revoked = vault.ask(Call::Revoke, lease_body(lease_id, true)).await?;
    Ok(lease_outcome(is_known, revoked, held))
}

/// The table of a lease: whether Vault knew it, and what it said to its revocation.
fn lease_outcome(is_known: bool, revoked: Said, held: &Held<'_>) -> RevocationOutcome {
    match (revoked, is_known) {
        (Said::Done, true) => RevocationOutcome::Confirmed,
        (Said::Done, false) => RevocationOutcome::Ended,
        (Said::UnknownLease, _) => RevocationOutcome::AlreadyOver,
        (Said::Queued, _) => RevocationOutcome::Requested("Vault queued it"),
        // Nothing else ends the lease of a batch token before its time.
        (Said::NoPolicy, _) if held.batch => {
            RevocationOutcome::NotRevoked(format!("{NO_POLICY}, and a batch token cannot be revoked"))
        }
        (Said::NoPolicy, _) => RevocationOutcome::Requested(NO_POLICY),
        (Said::TokenRefused, _) => refused(held.is_token_over),
        (Said::NoSuchCall, _) => RevocationOutcome::NotRevoked("this server has no sys/leases/revoke".to_owned()),
        (Said::Failed(why), _) => RevocationOutcome::NotRevoked(why),
    }
}

/// The table of a Vault token: what Vault said to its revocation, and whether Vault took it for another call just before.
fn token_outcome(said: Said, was_taken: bool, is_over: bool) -> RevocationOutcome {
    match said {
        Said::Done | Said::Queued => RevocationOutcome::Confirmed,
        // The call before was its last use.
        Said::TokenRefused if was_taken || is_over => RevocationOutcome::AlreadyOver,
        Said::TokenRefused => RevocationOutcome::NotRevoked(TOKEN_REFUSED.to_owned()),
        Said::NoPolicy => RevocationOutcome::NotRevoked(NO_SELF.to_owned()),
        Said::UnknownLease | Said::NoSuchCall => {
            RevocationOutcome::NotRevoked("this server has no auth/token/revoke-self".to_owned())
        }
        Said::Failed(why) => RevocationOutcome::NotRevoked(why),
    }
}

/// A lease that only the end of its token ends.
fn with_token(why: &'static str, token: &RevocationOutcome) -> RevocationOutcome {
    match token {
        RevocationOutcome::NotRevoked(why) => RevocationOutcome::NotRevoked(why.clone()),
        // It ended before, by its time or by an earlier logout. Vault queued its leases then, and nobody here can see how
        // that went.
        RevocationOutcome::AlreadyOver => RevocationOutcome::Requested(TOKEN_ENDED),
        _ => RevocationOutcome::Requested(why),
    }
}

/// What a refused token says about its lease.
fn refused(is_token_over: bool) -> RevocationOutcome {
    match is_token_over.then_some(TOKEN_ENDED) {
        Some(why) => RevocationOutcome::Requested(why),
        None => RevocationOutcome::NotRevoked(TOKEN_REFUSED.to_owned()),
    }
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    LookUp,
    Revoke,
    RevokeSelf,
}

impl Call {
    fn path(self) -> &'static str {
        match self {
            Self::LookUp => "sys/leases/lookup",
            Self::Revoke => "sys/leases/revoke",
            Self::RevokeSelf => "auth/token/revoke-self",
        }
    }
}

/// Vault, as one token asks it.
struct Caller<'a> {
    effects: &'a Effects,
    address: &'a Address,
    token: &'a Secret,
}

impl Caller<'_> {
    async fn revoke_self(&self) -> Result<Said, Error> {
        self.ask(Call::RevokeSelf, Secret::default()).await
    }

    async fn ask(&self, call: Call, body: Secret) -> Result<Said, Error> {
        let request = wire::request(self.address, Method::Post, call.path(), Some(self.token));
        let request = Request { body, repeat: Repeat::Safe, ..request };
        Ok(match self.address.server(self.effects).send(request).await {
            Ok(response) => said(call, &response, self.token),
            Err(lost) => {
                let remark =
                    lost.response.as_ref().and_then(|response| remark(&refusal::messages(response), &[self.token]));
                let sentence = lost.error.in_a_line();
                Said::Failed(
                    remark.map_or(sentence.clone(), |remark| format!("{sentence}; {}", printable_cause(&remark))),
                )
            }
        })
    }
}

/// Reads an answer. A policy's refusal is one error in a list; a token that Vault does not take is refused without one. What does
/// not have Vault's form says nothing, with whatever status: a firewall challenges with 202, and a portal greets with 200.
fn said(call: Call, response: &Response, token: &Secret) -> Said {
    let is_empty = response.body.expose().trim().is_empty();
    let (is_vaults, messages) = (refusal::is_vaults(response), refusal::messages(response));
    match response.status {
        200 if call == Call::LookUp && wire::names_lease(response) => Said::Done,
        204 if call != Call::LookUp && is_empty => Said::Done,
        // With warnings.
        200 if call != Call::LookUp && refusal::is_success(response) => Said::Done,
        202 if call == Call::Revoke && (is_empty || refusal::is_success(response)) => Said::Queued,
        400 if messages == "invalid lease" => Said::UnknownLease,
        403 if refusal::is_of_policy(response) => Said::NoPolicy,
        403 if refusal::is_denial(response) => Said::TokenRefused,
        404 | 405 if is_vaults && (messages.is_empty() || messages.contains("unsupported")) => Said::NoSuchCall,
        _ => Said::Failed(explained(response, token)),
    }
}

fn lease_body(lease_id: &str, sync: bool) -> Secret {
    let lease_id = serde_json::to_string(lease_id).unwrap_or_default();
    let sync = if sync { r#","sync":true"# } else { "" };
    Secret::new(format!(r#"{{"lease_id":{lease_id}{sync}}}"#))
}

fn explained(response: &Response, token: &Secret) -> String {
    if !refusal::is_vaults(response) {
        return format!("the answer is {}", unread(response));
    }
    let status = response.status;
    match remark(&refusal::messages(response), &[token]) {
        Some(remark) => format!("Vault answered with status {status}; {}", printable_cause(&remark)),
        None => format!("Vault answered with status {status}"),
    }
}

#[cfg(test)]
mod tests;
