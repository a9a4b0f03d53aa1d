//! A secret in Vault or OpenBao: JWT login, one read, end of the Vault token.
//!
//! Three calls, by Vault's HTTP API documentation; every one carries `X-Vault-Request: true`, which an Agent or Proxy may
//! require. Whatever the read brings, the Vault token is ended, and what it has made with it. What Vault says in an error
//! is not repeated, for it may hold what was sent.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hublease_hub::limits::CALL_TIMEOUT;
use hublease_hub::outbound::native::Native;
use hublease_hub::outbound::{Call, Method, Outbound as _, Reply};
use hublease_hub::password::SecretError;
use hublease_protocol::claims::UnverifiedClaims;
use hublease_protocol::endpoint::Endpoint;
use hublease_protocol::secret::Secret;
use hublease_protocol::vault_path;
use serde_json::{Map, Value, json};

use crate::limits::VAULT_TIMEOUT;
use crate::outbound::native;
use crate::secret_file::Guard;
use crate::secret_source::{read_all, read_file};

/// How often a call is made whose trouble may pass. Neither a login nor a read of the KV engine leaves anything behind that
/// does not end by itself.
const TRIES: u32 = 3;
/// The wait before a repetition, times the number of the try.
const WAIT: Duration = Duration::from_millis(500);
/// What a client is told while Vault does not answer as it should.
const AWAY: &str = "Vault is not available";

/// Where a secret is, and how to log in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultSource {
    /// Origin and base path.
    pub address: Endpoint,
    /// `X-Vault-Namespace`.
    pub namespace: Option<String>,
    /// Mount of the JWT method, without `auth/`.
    pub auth_path: String,
    /// Role; none takes the mount's default.
    pub role: Option<String>,
    /// The file with the broker's own identity token, such as a projected Kubernetes token; read at each use.
    pub identity_token_file: PathBuf,
    /// Path without `v1/`; of KV version 2 with its `data/`.
    pub path: String,
    /// The field that holds the secret.
    pub field: String,
    /// More authorities, in PEM.
    pub ca_file: Option<PathBuf>,
}

impl VaultSource {
    /// Reads the secret. Blocking, at most `PASSWORD_TIMEOUT`.
    pub(super) fn read(&self) -> Result<Secret, SecretError> {
        self.read_until(Instant::now() + VAULT_TIMEOUT)
    }

    /// The same with another end.
    pub(super) fn read_until(&self, until: Instant) -> Result<Secret, SecretError> {
        let vault = VaultClient { source: self, outbound: self.outbound()?, until };
        let vault_token = vault.log_in(&self.identity_token()?)?;
        let answer = vault.call(Method::Get, &self.path, Some(&vault_token), None);
        let read = answer.and_then(|answer| self.field_of(&answer));
        vault.end(&vault_token, read.as_ref().ok().and_then(|read| read.lease_id.as_deref()));
        match read? {
            VaultSecret { lease_id: None, secret } => Ok(secret),
            VaultSecret { lease_id: Some(_), .. } => Err(SecretError::lasting(
                "Vault gave it as a lease",
                "Vault gave the secret as a lease, which has ended with the Vault token: use a path of the KV engine",
            )),
        }
    }

    fn outbound(&self) -> Result<Native, SecretError> {
        let no_authority = |why: String| SecretError::lasting("Vault's authority cannot be read", why);
        let read = |path: &Path| {
            let opened = File::open(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()));
            opened.and_then(|file| read_all(path, file))
        };
        let more = self.ca_file.as_deref().map(read).transpose().map_err(no_authority)?;
        let more = more.as_ref().map_or(&b""[..], |pem| pem.expose().as_bytes());
        native(more).map_err(|error| no_authority(error.0.to_owned()))
    }

    fn identity_token(&self) -> Result<Secret, SecretError> {
        let none = |why: String| SecretError::lasting("there is no identity token for Vault", why);
        let token = Secret::new(read_file(&self.identity_token_file, Guard::Projected).map_err(none)?.expose().trim());
        let name = || self.identity_token_file.display().to_string();
        UnverifiedClaims::of(&token).map_err(|why| none(format!("the content of `{}`: {why}", name())))?;
        Ok(token)
    }

    /// The secret in Vault's answer. KV version 2 wraps the fields once more, beside `metadata`.
    fn field_of(&self, answer: &Map<String, Value>) -> Result<VaultSecret, SecretError> {
        let lease_id = answer.get("lease_id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
        let data = answer.get("data").and_then(Value::as_object);
        let wrapped = data.filter(|data| lease_id.is_none() && data.get("metadata").is_some_and(Value::is_object));
        let fields = wrapped.map_or(data, |data| data.get("data").and_then(Value::as_object));
        let value = fields.and_then(|fields| fields.get(&self.field)).and_then(Value::as_str);
        match value.filter(|value| !value.is_empty()) {
            Some(secret) => Ok(VaultSecret { lease_id, secret: Secret::new(secret) }),
            None => Err(unusable(&format!("its answer has no field `{}` with a text", self.field))),
        }
    }
}

/// What a read brought.
struct VaultSecret {
    lease_id: Option<String>,
    secret: Secret,
}

/// The calls of one reading.
struct VaultClient<'a> {
    source: &'a VaultSource,
    outbound: Native,
    /// From then on nothing is begun any more but the end of the Vault token.
    until: Instant,
}

impl VaultClient<'_> {
    /// `POST auth/MOUNT/login`. With a second factor enforced Vault answers 200 and an empty token.
    fn log_in(&self, identity_token: &Secret) -> Result<Secret, SecretError> {
        let mut body = json!({ "jwt": identity_token.expose() });
        if let Some(role) = &self.source.role {
            body["role"] = json!(role);
        }
        let body = Secret::new(body.to_string());
        let path = format!("auth/{}/login", self.source.auth_path);
        let answer = self.call(Method::Post, &path, None, Some(&body))?;
        let token = answer.get("auth").and_then(|auth| auth.get("client_token")).and_then(Value::as_str);
        // It stands in a header: Vault's tokens are opaque, but never more than visible ASCII.
        let is_usable = |token: &&str| !token.is_empty() && token.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        match token.filter(is_usable) {
            Some(token) => Ok(Secret::new(token)),
            None => Err(unusable("its login gave no usable Vault token")),
        }
    }

    /// One call, repeated where the trouble may pass.
    fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
        body: Option<&Secret>,
    ) -> Result<Map<String, Value>, SecretError> {
        let mut tried = 0;
        loop {
            if Instant::now() >= self.until {
                let sentence = format!("{} did not answer in time", self.source.address);
                return Err(SecretError { phrase: AWAY, sentence, is_passing: true });
            }
            tried += 1;
            match self.send(method, path, token, body) {
                Ok(reply) if is_passing(reply.status) && tried < TRIES => sleep(self.pause(tried)),
                Ok(reply) => return self.answer(&reply),
                Err(unreadable) => return Err(unreadable),
            }
        }
    }

    fn pause(&self, tried: u32) -> Duration {
        (WAIT * tried).min(self.until.saturating_duration_since(Instant::now()))
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
        body: Option<&Secret>,
    ) -> Result<Reply, SecretError> {
        let address = &self.source.address;
        let mut headers = vec![("x-vault-request", "true")];
        headers.extend(self.source.namespace.as_deref().map(|namespace| ("x-vault-namespace", namespace)));
        headers.extend(token.map(|token| ("x-vault-token", token.expose())));
        let url = format!("{}{}/v1/{}", address.origin, address.path, vault_path::encoded(path));
        self.outbound.send(&Call { method, json: body.map(Secret::expose), headers, ..Call::read(url) }).map_err(
            |error| SecretError {
                phrase: AWAY,
                sentence: format!("{address} is not available: {}", error.0),
                is_passing: true,
            },
        )
    }

    fn answer(&self, reply: &Reply) -> Result<Map<String, Value>, SecretError> {
        let status = reply.status;
        let address = &self.source.address;
        match status {
            200 => match serde_json::from_slice(&reply.body) {
                Ok(Value::Object(answer)) => Ok(answer),
                _ => Err(unusable("its answer is not a JSON object")),
            },
            _ if is_passing(status) => {
                let sentence = format!("{address} fails: status {status}");
                Err(SecretError { phrase: AWAY, sentence, is_passing: true })
            }
            400 | 403 | 404 | 405 => {
                Err(SecretError::lasting("Vault refuses to give it", format!("{address} refuses: status {status}")))
            }
            _ => Err(unusable(&format!("its answer has status {status}"))),
        }
    }

    /// Ends the Vault token, and what it has made with it. One that cannot be ended ends by itself.
    fn end(&self, vault_token: &Secret, lease_id: Option<&str>) {
        if let Some(lease_id) = lease_id {
            let body = Secret::new(json!({ "lease_id": lease_id }).to_string());
            drop(self.send(Method::Post, "sys/leases/revoke", Some(vault_token), Some(&body)));
        }
        if Instant::now() < self.until + CALL_TIMEOUT {
            drop(self.send(Method::Post, "auth/token/revoke-self", Some(vault_token), None));
        }
    }
}

/// Vault's statuses of a server that cannot answer now: rate limits, a standby that is behind (412), sealed, failing.
fn is_passing(status: u16) -> bool {
    matches!(status, 412 | 429) || status >= 500
}

fn unusable(why: &str) -> SecretError {
    SecretError::lasting("Vault gave no usable secret", format!("Vault gave no usable secret: {why}"))
}
