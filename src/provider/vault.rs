//! HashiCorp Vault or OpenBao: JWT login, then one path that gives the credential.
//!
//! The Vault token is recorded before it is used, so that whatever it makes can be ended: revoking the token ends
//! its leases too. A mint whose answer is lost is never repeated while the token that made it is alive. A secret
//! without a lease (KV) needs no Vault token afterwards, so that one is revoked at once.
//!
//! Follows Vault's HTTP API documentation; the wire shapes are in `wire`.

pub(crate) mod address;
pub(crate) mod revocation;
mod wire;

use hublease_protocol::secret::Secret;

use self::address::Address;
use self::revocation::Ended;
use self::wire::Login;
use crate::effect::Host;
use crate::error::Error;
use crate::lease::{Handle, Lease, LeaseRecord, RevocationOutcome};
use crate::provider::{Exchange, credential, identify};
use crate::record::RecordWriter;
use crate::request::{RequestError, Server};

/// How often the whole exchange is begun anew after a lost answer.
const ROUNDS: u32 = 2;

/// How the path is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
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
    pub method: Method,
    /// Body of a write.
    pub data: Vec<(String, String)>,
    /// Field that holds the username.
    pub username_field: String,
    /// Field that holds the credential; none tries `token`, then `password`.
    pub secret_field: Option<String>,
}

/// identity token -> Vault token -> record -> credential -> record, begun anew if the answer of a mint is lost.
pub(super) async fn exchange(
    host: &Host,
    vault: &Vault,
    plan: &Exchange,
    writer: &mut RecordWriter,
) -> Result<Lease, Error> {
    let mut round = 1;
    loop {
        let lost = match attempt(host, vault, plan, writer).await {
            Ok(lease) => return Ok(lease),
            Err(lost) => lost,
        };
        // Only after the token that may have made something is gone, and only if it made nothing else that we hold.
        if round == ROUNDS || !lost.maybe_done || !drop_unanswered(host, &vault.address, writer).await? {
            return Err(lost.error);
        }
        host.detail(format!(
            "{}: the answer was lost; what it may have made is revoked, and the exchange begins anew",
            vault.address.endpoint
        ))
        .await?;
        round += 1;
    }
}

/// Gives up a Vault token whose mint was not answered, so that the exchange may begin anew. False if the token could not be
/// revoked, or cannot be.
async fn drop_unanswered(host: &Host, address: &Address, writer: &mut RecordWriter) -> Result<bool, Error> {
    let Some(note) = writer.unsettled().cloned() else {
        return Ok(true);
    };
    let Handle::Vault { client_token, lease_id, batch: false } = &note.handle else {
        return Ok(false);
    };
    let undo = host.undoing();
    undo.mask(client_token).await?;
    let outcome = revocation::revoke_lease(&undo, address, client_token, lease_id.as_deref(), false).await?;
    let is_over = note.is_over(undo.now().await?);
    match outcome {
        RevocationOutcome::Confirmed => {}
        RevocationOutcome::Requested(_) if !is_over => {}
        _ => return Ok(false),
    }
    writer.forget_unsettled(host).await.map(|()| true)
}

async fn attempt(
    host: &Host,
    vault: &Vault,
    plan: &Exchange,
    writer: &mut RecordWriter,
) -> Result<Lease, RequestError> {
    // Every failure but a lost answer of the mint is final: it would be the same the next time.
    let server = vault.address.server(host);
    let token = identify(host, &plan.identity, plan.audience.as_deref()).await.map_err(RequestError::settled)?;
    let issued_at = host.now().await.map_err(RequestError::settled)?;
    let response = server
        .send(wire::login(vault, &token))
        .await
        .map_err(|lost| RequestError::settled(wire::told(lost, &[&token])))?;
    let login = wire::parse_login(&server, &response, &token).map_err(RequestError::settled)?;
    host.mask(&login.client_token).await.map_err(RequestError::settled)?;
    let mut note = note(vault, &login, issued_at);
    let client_token = login.client_token.clone();
    writer.hold(host, &note).await.map_err(RequestError::settled)?;

    let answer = match ask(&server, vault, &login.client_token).await {
        Ok(answer) => answer,
        Err(lost) => {
            let maybe_done = lost.maybe_done;
            return Err(RequestError {
                maybe_done,
                ..RequestError::settled(wire::told(lost, &[&token, &login.client_token]))
            });
        }
    };
    let read = wire::parse_secret(&server, &answer, vault, &[&token, &login.client_token]);
    let Ok(secret) = read else {
        return Err(RequestError::settled(read.err().unwrap_or_else(|| Error::bug("no error"))));
    };
    host.mask(&secret.secret).await.map_err(RequestError::settled)?;
    match secret.lease_id {
        Some(lease_id) => {
            // A lease ends with the token that made it.
            let life = secret.lease_duration.into_iter().chain(login.lease_duration).min();
            note.expires_at = life.map(|life| issued_at.saturating_add(life));
            note.handle =
                Handle::Vault { client_token: login.client_token, lease_id: Some(lease_id), batch: login.batch };
        }
        None => {
            end_token(host, vault, writer, &login.client_token).await.map_err(RequestError::settled)?;
            note.expires_at = None;
            note.handle = Handle::NotALease;
        }
    }
    writer.hold(host, &note).await.map_err(RequestError::settled)?;
    let held = [&token, &client_token];
    let credential = credential(server.name(), plan, secret.username.as_deref(), secret.secret, &held)
        .map_err(RequestError::settled)?;
    note.describe(&credential);
    writer.hold(host, &note).await.map_err(RequestError::settled)?;
    Ok(Lease { credential, note })
}

/// A secret without a lease needs no Vault token any more. One that cannot be ended stays in the record.
async fn end_token(host: &Host, vault: &Vault, writer: &mut RecordWriter, token: &Secret) -> Result<(), Error> {
    if let Ended::No(why) = revocation::revoke_self(&host.undoing(), &vault.address, token).await? {
        host.warn(format!("the Vault token could not be ended ({why}); `hublease logout` tries again")).await?;
        writer.settle();
    }
    Ok(())
}

/// Asks the path, by the method that serves.
async fn ask(
    server: &Server<'_>,
    vault: &Vault,
    token: &Secret,
) -> Result<crate::effect::http::Response, RequestError> {
    if vault.method != Method::Write {
        let response = server.send(wire::read(vault, token)).await?;
        if vault.method == Method::Read || !matches!(response.status, 403 | 405) {
            return Ok(response);
        }
    }
    server.send(wire::write(vault, token)).await
}

fn note(vault: &Vault, login: &Login, issued_at: u64) -> LeaseRecord {
    LeaseRecord {
        provider: "vault".to_owned(),
        origin: vault.address.to_string(),
        username: String::new(),
        mark: None,
        issued_at,
        expires_at: login.lease_duration.map(|life| issued_at.saturating_add(life)),
        handle: Handle::Vault { client_token: login.client_token.clone(), lease_id: None, batch: login.batch },
    }
}
