//! HashiCorp Vault or OpenBao: JWT login, then one path that gives the credential.
//!
//! The Vault token is recorded before it is used, so that whatever it makes can be ended: revoking the token ends
//! its leases too. A mint whose answer is lost is never repeated while the token that made it is alive. A secret
//! without a lease (KV) needs no Vault token afterwards, so that one is revoked at once.
//!
//! Follows Vault's HTTP API documentation; the wire shapes are in `wire`, its refusals in `refusal`.

pub(crate) mod address;
mod refusal;
pub(crate) mod revocation;
mod wire;

use hublease_protocol::secret::Secret;

use self::address::Address;
use self::wire::JwtLogin;
use crate::effect::Effects;
use crate::effect::http::Response;
use crate::error::Error;
use crate::lease::{Handle, Lease, LeaseRecord, RevocationOutcome};
use crate::provider::{Exchange, credential, identify};
use crate::record::RecordWriter;
use crate::request::{RequestError, Server};

/// How often the whole exchange is begun anew after a lost answer.
const ROUNDS: u32 = 2;

/// How the path is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathMethod {
    /// GET.
    Read,
    /// POST.
    Write,
    /// GET, and POST where Vault answers 403 or 405: the Docker Hub plugin mints on a write only, and its usual
    /// policy grants nothing else. An empty write to a KV path changes nothing: both versions refuse it.
    ReadThenWrite,
}

/// What the exchange needs.
#[derive(Clone, Debug)]
pub struct Vault {
    /// Where.
    pub address: Address,
    /// Mount of the JWT method, without `auth/`.
    pub auth_path: String,
    /// Role; none takes the mount's default.
    pub role: Option<String>,
    /// Path without `v1/`.
    pub path: String,
    /// How it is asked.
    pub method: PathMethod,
    /// Body of a write.
    pub data: Vec<(String, String)>,
    /// Field that holds the username.
    pub username_field: String,
    /// Field that holds the credential; none tries `token`, then `password`.
    pub secret_field: Option<String>,
}

/// identity token -> Vault token -> record -> credential -> record, begun anew if the answer of a mint is lost. Every other
/// failure is final: it would be the same the next time.
pub(super) async fn exchange(
    effects: &Effects,
    vault: &Vault,
    plan: &Exchange,
    writer: &mut RecordWriter,
) -> Result<Lease, Error> {
    let server = vault.address.server(effects);
    let mut round = 1;
    loop {
        let held = log_in(effects, vault, plan, writer).await?;
        let lost = match ask(&server, vault, &held.login.client_token).await {
            Ok(answer) => return finish(effects, vault, plan, writer, held, &answer).await,
            Err(lost) => lost,
        };
        if let Some(error) = refusal::of_mint(&server, &lost, &held.sent()) {
            return Err(error);
        }
        // Only after the token that may have made something is gone, and only if it made nothing else that we hold.
        if round == ROUNDS || !lost.maybe_done || !drop_unanswered(effects, &vault.address, writer).await? {
            return Err(refusal::told(lost, &held.sent()));
        }
        effects
            .detail(format!(
                "{}: the answer was lost; what it may have made is revoked, and the exchange begins anew",
                vault.address.endpoint
            ))
            .await?;
        round += 1;
    }
}

/// A Vault token that is on record.
struct Held {
    identity_token: Secret,
    login: JwtLogin,
    note: LeaseRecord,
}

impl Held {
    /// What was sent, and must not be shown if an answer repeats it.
    fn sent(&self) -> [&Secret; 2] {
        [&self.identity_token, &self.login.client_token]
    }
}

/// Logs in at Vault; the token is on record before it is used.
async fn log_in(effects: &Effects, vault: &Vault, plan: &Exchange, writer: &mut RecordWriter) -> Result<Held, Error> {
    let server = vault.address.server(effects);
    let identity_token = identify(effects, &plan.identity, plan.audience.as_deref()).await?;
    let issued_at = effects.now().await?;
    let response = server
        .send(wire::login(vault, &identity_token))
        .await
        .map_err(|lost| refusal::told(lost, &[&identity_token]))?;
    let login = wire::parse_login(&server, &response, &identity_token)?;
    effects.mask(&login.client_token).await?;
    let note = note(vault, &login, issued_at);
    writer.hold(effects, &note).await?;
    Ok(Held { identity_token, login, note })
}

/// Reads the answer of the path, and has its lease on record.
async fn finish(
    effects: &Effects,
    vault: &Vault,
    plan: &Exchange,
    writer: &mut RecordWriter,
    held: Held,
    answer: &Response,
) -> Result<Lease, Error> {
    let server = vault.address.server(effects);
    let read = wire::parse_secret(&server, answer, vault, &held.sent());
    if read.is_err() && made_nothing(answer) {
        writer.hold(effects, &without_lease(&held.note, was_taken(answer))).await?;
    }
    let secret = read?;
    effects.mask(&secret.secret).await?;
    let mut note = held.note.clone();
    match secret.lease_id {
        Some(lease_id) => {
            // A lease ends with the token that made it.
            let life = secret.lease_duration.into_iter().chain(held.login.lease_duration).min();
            note.expires_at = life.map(|life| note.issued_at.saturating_add(life));
            if let Handle::Vault { lease_id: known, .. } = &mut note.handle {
                *known = Some(lease_id);
            }
        }
        None => {
            let token_alone = without_lease(&held.note, true);
            writer.hold(effects, &token_alone).await?;
            end_token(effects, vault, writer, &held.login).await?;
            note.expires_at = None;
            note.handle = Handle::NotALease;
        }
    }
    writer.hold(effects, &note).await?;
    let credential = credential(server.name(), plan, secret.username.as_deref(), secret.secret, &held.sent())?;
    note.describe(&credential);
    writer.hold(effects, &note).await?;
    Ok(Lease { credential, note })
}

/// Gives up a Vault token whose mint was not answered, so that the exchange may begin anew. False if the token could not be
/// revoked, or cannot be.
async fn drop_unanswered(effects: &Effects, address: &Address, writer: &mut RecordWriter) -> Result<bool, Error> {
    let Some(note) = writer.unsettled().cloned() else {
        return Ok(true);
    };
    let Handle::Vault { client_token, batch: false, .. } = &note.handle else {
        return Ok(false);
    };
    let undo = effects.undoing();
    undo.mask(client_token).await?;
    // What the token made ends with it.
    let outcome = revocation::revoke_token(&undo, address, client_token).await?;
    if outcome != RevocationOutcome::Confirmed {
        return Ok(false);
    }
    writer.forget_unsettled(effects).await.map(|()| true)
}

/// A secret without a lease needs no Vault token any more. One that cannot be ended stays in the record; a batch token ends by
/// itself, and nobody can do more about it.
async fn end_token(effects: &Effects, vault: &Vault, writer: &mut RecordWriter, login: &JwtLogin) -> Result<(), Error> {
    if login.batch {
        return Ok(());
    }
    let outcome = revocation::revoke_token(&effects.undoing(), &vault.address, &login.client_token).await?;
    if let RevocationOutcome::NotRevoked(why) = outcome {
        effects
            .warn(format!("the Vault token could not be ended; `hublease logout` tries again\n  because: {why}"))
            .await?;
        writer.settle();
    }
    Ok(())
}

/// Whether an answer says that no lease was made: the path was refused, or is not there. A firewall that lets the request pass and
/// not its answer has the same statuses: only Vault's own word counts.
fn made_nothing(answer: &Response) -> bool {
    answer.status == 204 || matches!(answer.status, 400..=499) && refusal::is_vaults(answer)
}

/// Whether an answer shows that Vault took the Vault token: a policy's refusal does, and a plain one does not.
fn was_taken(answer: &Response) -> bool {
    answer.status != 403 || refusal::is_of_policy(answer)
}

/// The note of a Vault token that made no lease, and is ended next.
fn without_lease(note: &LeaseRecord, was_taken: bool) -> LeaseRecord {
    let mut note = note.clone();
    if let Handle::Vault { may_have_lease, is_ending, .. } = &mut note.handle {
        (*may_have_lease, *is_ending) = (false, was_taken);
    }
    note
}

/// Asks the path, by the method that serves.
async fn ask(server: &Server<'_>, vault: &Vault, token: &Secret) -> Result<Response, RequestError> {
    if vault.method != PathMethod::Write {
        let response = server.send(wire::read(vault, token)).await?;
        // After what is not Vault's own refusal the read may have minted.
        let is_refused = matches!(response.status, 403 | 405) && refusal::is_vaults(&response);
        if vault.method == PathMethod::Read || !is_refused {
            return Ok(response);
        }
    }
    server.send(wire::write(vault, token)).await
}

fn note(vault: &Vault, login: &JwtLogin, issued_at: u64) -> LeaseRecord {
    let expires_at = login.lease_duration.map(|life| issued_at.saturating_add(life));
    LeaseRecord {
        provider: "vault".to_owned(),
        origin: vault.address.to_string(),
        username: String::new(),
        mark: None,
        issued_at,
        expires_at,
        handle: Handle::Vault {
            client_token: login.client_token.clone(),
            lease_id: None,
            batch: login.batch,
            token_expires_at: expires_at,
            may_have_lease: true,
            is_ending: false,
        },
    }
}
