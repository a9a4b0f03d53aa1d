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
use crate::request::{RequestError, Server, remark};

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
        return Err(login_refused(server, response, sent));
    }
    let answer = object(server, response)?;
    let auth = answer.get("auth").and_then(Value::as_object).ok_or_else(|| unusable(server, "it has no `auth`"))?;
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
        _ => return Err(path_refused(server, response, sent)),
    }
    let answer = object(server, response)?;
    let Some(data) = answer.get("data").and_then(Value::as_object) else {
        return Err(server.problem(Problem::NothingMinted).because("its answer has no data"));
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

/// The messages of an answer with an error status, joined; empty if there is none. Vault's core wraps its own in a list of
/// lines (Go's multierror), of which the items are left.
pub(super) fn messages(response: &Response) -> String {
    errors(response).iter().flat_map(|error| items(error)).collect::<Vec<_>>().join("; ")
}

/// Whether a 403 is a policy's: those come in the form of a list, while a token that is not taken is refused in plain words.
pub(super) fn is_of_policy(response: &Response) -> bool {
    errors(response).iter().any(|error| error.starts_with(LIST))
}

/// How a list of errors begins, before its colon.
const LIST: &str = "1 error occurred";

fn errors(response: &Response) -> Vec<String> {
    let answer: Value = serde_json::from_str(response.body.expose()).unwrap_or_default();
    let errors = answer.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The items of a list, or the error itself.
fn items(error: &str) -> Vec<String> {
    let items: Vec<_> =
        error.lines().filter_map(|line| line.trim_start().strip_prefix("* ")).map(str::to_owned).collect();
    if error.contains("occurred:") && !items.is_empty() { items } else { vec![error.to_owned()] }
}

/// A lost request with Vault's own message, if it came with one.
pub(super) fn told(lost: RequestError, sent: &[&Secret]) -> Error {
    let remark = lost.response.as_ref().and_then(|response| remark(&messages(response), sent));
    match remark {
        Some(remark) => lost.error.because(&remark),
        None => lost.error,
    }
}

/// A mint that Vault itself says has failed: an engine's failure is a 500 with the reason. It would fail again.
pub(super) fn failed_mint(server: &Server<'_>, lost: &RequestError, sent: &[&Secret]) -> Option<Error> {
    let response = lost.response.as_ref().filter(|response| response.status == 500)?;
    let remark = remark(&messages(response), sent)?;
    Some(server.problem(Problem::MintFailed).because("status 500").because(&remark))
}

/// Vault's JWT method answers nearly every refusal with 400 and one sentence.
fn login_refused(server: &Server<'_>, response: &Response, sent: &Secret) -> Error {
    let text = messages(response);
    let has = |piece: &str| text.contains(piece);
    let problem = if speaks_tls(response) {
        Problem::PlainHttp
    } else if has("namespace not found") {
        Problem::RefusedNamespace
    } else if has("could not be found") || has("missing role") || has("oidc role_type") {
        Problem::RefusedRole
    } else if has("invalid audience (aud)") || has("audience claim") {
        Problem::RefusedAudience
    } else if has("token is expired")
        || has("token not yet valid")
        || has("(exp)")
        || has("(nbf)")
        || has("(iat)")
        || has("expired")
    {
        Problem::RefusedExpired
    } else if has("fetching keys") || has("get keys failed") || has("error configuring token validator") {
        Problem::RefusedKeys
    } else if has("invalid issuer (iss)") || has("signature") {
        Problem::RefusedIssuer
    } else if has("claim") {
        Problem::RefusedRule
    } else if response.status == 403 && !is_of_policy(response) {
        Problem::RefusedLogin
    } else if matches!(response.status, 403 | 404) {
        Problem::RefusedRole
    } else if response.status == 400 {
        Problem::Refused
    } else {
        Problem::Answer
    };
    explained(server.problem(problem), response, &text, &[sent])
}

fn path_refused(server: &Server<'_>, response: &Response, sent: &[&Secret]) -> Error {
    let text = messages(response);
    let problem = match response.status {
        403 => Problem::RefusedPath,
        404 if text.contains("namespace not found") => Problem::RefusedNamespace,
        404 => Problem::RefusedMissing,
        400 if text.contains("token had one use left") => Problem::RefusedUses,
        400 if speaks_tls(response) => Problem::PlainHttp,
        400 | 405 => Problem::Refused,
        _ => Problem::Answer,
    };
    let error = explained(server.problem(problem), response, &text, sent);
    match newest_version(response) {
        Some(what) => error.because(what),
        None => error,
    }
}

/// Go's answer to HTTP on a port for TLS; it is no JSON.
fn speaks_tls(response: &Response) -> bool {
    response.status == 400 && response.body.expose().contains("HTTP request to an HTTPS server")
}

/// What a 404 of KV version 2 says about a version that is not there any more.
fn newest_version(response: &Response) -> Option<&'static str> {
    let answer: Value = serde_json::from_str(response.body.expose()).unwrap_or_default();
    let metadata = answer.get("data")?.get("metadata")?;
    if metadata.get("destroyed").and_then(Value::as_bool) == Some(true) {
        return Some("its newest version was destroyed");
    }
    let deleted = metadata.get("deletion_time").and_then(Value::as_str).is_some_and(|time| !time.is_empty());
    deleted.then_some("its newest version was deleted")
}

fn explained(error: Error, response: &Response, text: &str, sent: &[&Secret]) -> Error {
    let error = error.because(&format!("status {}", response.status));
    match remark(text, sent) {
        Some(remark) => error.because(&remark),
        None => error,
    }
}

fn object(server: &Server<'_>, response: &Response) -> Result<Map<String, Value>, Error> {
    match serde_json::from_str(response.body.expose()) {
        Ok(Value::Object(answer)) => Ok(answer),
        Ok(_) => Err(unusable(server, "it is not a JSON object")),
        Err(error) => {
            Err(unusable(server, &format!("it is not JSON (line {}, column {})", error.line(), error.column())))
        }
    }
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
