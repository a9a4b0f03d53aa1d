//! Vault's requests and answers, as pure pairs.
//!
//! Every request carries `X-Vault-Request: true`, which an Agent or Proxy may require, and the namespace as a header.
//! Fields are read one by one from the envelope, so that plugins of either generation, KV of either version and any
//! engine fit by naming their fields.

use std::collections::BTreeMap;

use hublease_protocol::secret::Secret;
use hublease_protocol::vault_path;
use serde_json::{Map, Value};

use super::Vault;
use crate::effect::http::{Destination, Header, Method, Repeat, Request, Response};
use crate::error::{Error, Problem};
use crate::provider::vault::address::Address;
use crate::provider::vault::refusal;
use crate::request::Server;

/// The answer to a JWT login.
pub(super) struct JwtLogin {
    /// Masked and recorded before anything else.
    pub(super) client_token: Secret,
    /// Seconds; none for a token without an end.
    pub(super) lease_duration: Option<u64>,
    /// Whether it is a batch token.
    pub(super) batch: bool,
}

/// The answer to the read or write of the path.
pub(super) struct Read {
    pub(super) username: Option<String>,
    pub(super) secret: Secret,
    /// None for a secret that is not leased.
    pub(super) lease_id: Option<String>,
    /// Seconds.
    pub(super) lease_duration: Option<u64>,
}

/// `POST /v1/auth/<mount>/login`. A repetition makes another Vault token without leases, which does no harm.
pub(super) fn login(vault: &Vault, token: &Secret) -> Request {
    let body = text(vault.role.iter().map(|role| ("role", role.as_str())).chain([("jwt", token.expose())]));
    let path = format!("auth/{}/login", vault.auth_path);
    Request { body, repeat: Repeat::Safe, ..request(&vault.address, Method::Post, &path, None) }
}

/// An object of texts, which can always be written.
fn text<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> Secret {
    let mut body = BTreeMap::new();
    for (name, value) in members {
        body.insert(name, value);
    }
    Secret::new(serde_json::to_string(&body).unwrap_or_default())
}

/// `GET /v1/<path>`. With a dynamic engine a read mints too.
pub(super) fn read(vault: &Vault, token: &Secret) -> Request {
    request(&vault.address, Method::Get, &vault.path, Some(token))
}

/// `POST /v1/<path>`.
pub(super) fn write(vault: &Vault, token: &Secret) -> Request {
    let body = text(vault.data.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    Request { body, ..request(&vault.address, Method::Post, &vault.path, Some(token)) }
}

/// Any request with the headers that all share.
pub(super) fn request(address: &Address, method: Method, path: &str, token: Option<&Secret>) -> Request {
    let mut headers =
        vec![(Header::XVaultRequest, Secret::new("true")), (Header::Accept, Secret::new("application/json"))];
    if method == Method::Post {
        headers.push((Header::ContentType, Secret::new("application/json")));
    }
    if let Some(namespace) = &address.namespace {
        headers.push((Header::XVaultNamespace, Secret::new(namespace.as_str())));
    }
    if let Some(token) = token {
        headers.push((Header::XVaultToken, token.clone()));
    }
    Request {
        to: Destination::Provider,
        method,
        path_and_query: format!("{}/v1/{}", address.endpoint.path, vault_path::encoded(path)),
        headers,
        body: Secret::default(),
        repeat: Repeat::Never,
    }
}

/// Reads the answer to a login. With MFA enforced Vault answers 200 and an empty token.
pub(super) fn parse_login(server: &Server<'_>, response: &Response, sent: &Secret) -> Result<JwtLogin, Error> {
    if response.status != 200 {
        return Err(refusal::of_login(server, response, sent));
    }
    let answer = object(server, response)?;
    let auth = answer.get("auth").and_then(Value::as_object);
    let auth = auth.ok_or_else(|| refusal::without(server, response, "auth", &[sent]))?;
    let token = auth.get("client_token").and_then(Value::as_str).unwrap_or_default();
    if token.is_empty() {
        let wants_factor = auth.get("mfa_requirement").is_some_and(|requirement| !requirement.is_null());
        return Err(if wants_factor {
            server.problem(Problem::RefusedFactor)
        } else {
            unusable(server, "its `client_token` is empty")
        });
    }
    Ok(JwtLogin {
        client_token: header_value(server, token)?,
        lease_duration: seconds(auth.get("lease_duration")),
        batch: auth.get("token_type").and_then(Value::as_str) == Some("batch"),
    })
}

/// Reads the answer to the path. 204 or no data means that nothing was made, whatever the status says.
pub(super) fn parse_secret(
    server: &Server<'_>,
    response: &Response,
    vault: &Vault,
    sent: &[&Secret],
) -> Result<Read, Error> {
    match response.status {
        200 => {}
        204 => return Err(server.problem(Problem::NothingMinted).because("status 204")),
        _ => return Err(refusal::of_path(server, response, sent)),
    }
    let answer = object(server, response)?;
    let Some(data) = answer.get("data").and_then(Value::as_object) else {
        // What is no answer of Vault's says nothing about what Vault made.
        return Err(if refusal::is_vaults(response) && refusal::messages(response).is_empty() {
            server.problem(Problem::NothingMinted).because("its answer has no data")
        } else {
            refusal::without(server, response, "data", sent)
        });
    };
    let lease_id = answer.get("lease_id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
    // KV version 2 wraps the fields once more, beside its own `metadata`; a secret of version 1 may have members of these names.
    let is_version = |metadata: &Value| metadata.get("version").is_some_and(Value::is_u64);
    let is_wrapped = lease_id.is_none() && data.get("metadata").is_some_and(is_version);
    let fields = data.get("data").and_then(Value::as_object).filter(|_| is_wrapped).unwrap_or(data);
    let field = |name: &str| fields.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
    let secret = match &vault.secret_field {
        Some(name) => field(name).ok_or_else(|| Error::new(Problem::FieldMissing, &format!("`{name}`")))?,
        None => field("token")
            .or_else(|| field("password"))
            .ok_or_else(|| Error::new(Problem::FieldMissing, "`token` or `password`"))?,
    };
    Ok(Read {
        username: field(&vault.username_field).map(str::to_owned),
        secret: Secret::new(secret),
        lease_id,
        lease_duration: seconds(answer.get("lease_duration")),
    })
}

fn object(server: &Server<'_>, response: &Response) -> Result<Map<String, Value>, Error> {
    serde_json::from_str(response.body.expose()).map_err(|error| {
        let place = format!("it is no JSON object (line {}, column {})", error.line(), error.column());
        server.not_understood(response).because(&place)
    })
}

/// Whether the answer to a look-up names a lease.
pub(super) fn names_lease(response: &Response) -> bool {
    let answer: Value = serde_json::from_str(response.body.expose()).unwrap_or_default();
    answer.pointer("/data/id").is_some_and(Value::is_string)
}

/// A token that is to stand in a header: Vault's tokens are opaque, but never more than visible ASCII.
fn header_value(server: &Server<'_>, token: &str) -> Result<Secret, Error> {
    if token.len() <= 8192 && token.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
        Ok(Secret::new(token))
    } else {
        Err(unusable(server, "its `client_token` cannot stand in a header"))
    }
}

/// A duration; Vault writes 0 for none.
fn seconds(value: Option<&Value>) -> Option<u64> {
    value.and_then(Value::as_u64).filter(|seconds| *seconds > 0)
}

fn unusable(server: &Server<'_>, why: &str) -> Error {
    server.problem(Problem::Answer).because(why)
}
