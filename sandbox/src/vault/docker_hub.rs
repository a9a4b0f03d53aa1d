//! The secrets plugin `vault-plugin-secrets-dockerhub`, in its two incompatible generations.
//!
//! Follows its source at the 2021 blog post (f31f123) and at HEAD (d96fde0): a mint is a write to
//! `token/<username>/<namespace>` or `token/<username>/<scope>`, never a read; leases last five minutes whatever the
//! configuration says; a namespace that the 2021 plugin does not allow gives 204 and no token; HEAD's README names a
//! field that its code ignores. As published neither generation confirms a revocation: it deletes the token, takes
//! Docker's 204 for a failure, and its lease stays until Vault gives it up. Guessed: what Docker's old token API gave a token of the 2021 generation
//! (`repo:admin`), because that request named no scope.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::lease::EngineSecret;
use super::token::Token;
use super::wire::{Call, Operation, Reply};
use super::{Minter, Vault};

/// Always: the plugin's configuration handlers drop the `ttl` that they are given.
const LEASE_SECONDS: u64 = 300;

/// What Vault says of a call in which the plugin's process died: the 2021 generation takes for granted that there is a label.
const PANIC: &str = "rpc error: code = Unavailable desc = error reading from server: EOF";

/// Which of the two plugins is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// The blog's: `token/<username>/<namespace>`, 204 where a namespace is not allowed.
    Year2021,
    /// The repository's main branch: `token/<username>/<scope>`, 500 where a scope is not allowed.
    Head,
}

/// A Docker Hub account that the plugin mints from.
#[derive(Clone)]
pub struct DockerHubAccount {
    /// The account's password.
    pub password: String,
    /// Namespaces (2021) or scopes (HEAD) that may be asked for: `admin`, `write`, `read`, `public_read`.
    pub allowed: Vec<String>,
}

#[derive(Clone)]
pub(super) struct DockerHub {
    pub(super) generation: Generation,
    pub(super) accounts: BTreeMap<String, DockerHubAccount>,
    /// Whether somebody has mended the plugin. As published it takes only 202 for a deletion, and Docker answers 204:
    /// every revocation deletes the token, reports an error, and fails again on the token that is gone.
    pub(super) is_mended: bool,
}

impl DockerHub {
    /// Deletes a token at Docker Hub, by the account as configured now.
    pub(super) fn revoke(&self, minter: &dyn Minter, username: &str, uuid: &str) -> Result<(), String> {
        let account = self.account(username)?;
        minter.revoke(username, &account.password, uuid)?;
        if self.is_mended { Ok(()) } else { Err("failed to delete auth token 204".to_owned()) }
    }

    fn account(&self, username: &str) -> Result<&DockerHubAccount, String> {
        self.accounts
            .get(username)
            // The plugin's own spelling.
            .ok_or_else(|| format!("unable to finde configuration for {username:?}"))
    }
}

impl Vault {
    /// Any request below the mount.
    pub(super) fn docker_hub(
        &self,
        call: &Call,
        token: &Token,
        mount: &str,
        rest: &str,
        engine: &DockerHub,
    ) -> Result<Reply, Reply> {
        let segments: Vec<&str> = rest.split('/').collect();
        match segments.as_slice() {
            ["token", username, grant] if is_name(username) && is_name(grant) => {
                if call.operation != Operation::Write {
                    return Err(Reply::unsupported_operation());
                }
                self.mint(call, token, mount, engine, (username, grant))
            }
            ["config", username] if is_name(username) => self.configure(call, mount, engine, username),
            _ => Err(Reply::unsupported_path()),
        }
    }

    fn mint(
        &self,
        call: &Call,
        token: &Token,
        mount: &str,
        engine: &DockerHub,
        (username, grant): (&str, &str),
    ) -> Result<Reply, Reply> {
        let label = call.text("label")?;
        let failed = |text: String| Reply::core_error(500, text);
        let account = engine.account(username).map_err(failed)?;
        let allowed = account.allowed.iter().any(|allowed| allowed == grant);
        let (grant_name, scope) = match engine.generation {
            Generation::Year2021 if !allowed => return Ok(Reply::empty(204)),
            Generation::Head if !allowed => {
                return Err(failed(format!("requested scope {grant:?} is not permitted for user {username:?}")));
            }
            Generation::Year2021 if label.is_empty() => return Err(failed(PANIC.to_owned())),
            Generation::Year2021 => ("namespace", "repo:admin".to_owned()),
            Generation::Head => ("scope", format!("repo:{grant}")),
        };
        let (secret, uuid) = self.world.minter.mint(username, &account.password, &label, &scope).map_err(failed)?;
        self.state().hand_out("docker hub token", &secret);
        let issued = EngineSecret { mount, full_path: &call.full_path(), username, uuid: &uuid, ttl: LEASE_SECONDS };
        let (lease_id, ttl) = self.register_lease(token, &issued);
        let mut data = json!({ "token": secret, "uuid": uuid, "username": username });
        data[grant_name] = grant.into();
        Ok(Reply::success(json!({ "lease_id": lease_id, "lease_duration": ttl, "renewable": false, "data": data })))
    }

    fn configure(&self, call: &Call, mount: &str, engine: &DockerHub, username: &str) -> Result<Reply, Reply> {
        match call.operation {
            Operation::Read => {
                let account = engine.account(username).map_err(|text| Reply::core_error(500, text))?;
                // HEAD kept the old key for its scopes; neither shows the password.
                let data = json!({ "username": username, "namespace": account.allowed, "ttl": "5m0s" });
                Ok(Reply::success(json!({ "data": data })))
            }
            Operation::Write => {
                let grants = match engine.generation {
                    Generation::Year2021 => "namespace",
                    Generation::Head => "Scope",
                };
                let account =
                    DockerHubAccount { password: call.text("password")?, allowed: comma_list(call.body.get(grants)) };
                self.write_docker_hub_account(mount, username, account);
                let known = ["username", "password", "ttl", "max_ttl", grants];
                Ok(ignored_fields(&call.body, &known))
            }
            Operation::Delete => {
                self.delete_docker_hub_account(mount, username);
                Ok(Reply::empty(204))
            }
            Operation::List => Err(Reply::unsupported_operation()),
        }
    }
}

/// 204, or 200 with Vault's warning about fields that the path does not have.
fn ignored_fields(body: &Map<String, Value>, known: &[&str]) -> Reply {
    let ignored: Vec<&str> = body.keys().map(String::as_str).filter(|field| !known.contains(field)).collect();
    if ignored.is_empty() {
        return Reply::empty(204);
    }
    let warning = format!("Endpoint ignored these unrecognized parameters: [{}]", ignored.join(" "));
    Reply::success(json!({ "warnings": [warning] }))
}

/// A list, or text with commas.
fn comma_list(value: Option<&Value>) -> Vec<String> {
    let trimmed = |text: &str| text.trim().to_owned();
    match value {
        Some(Value::String(text)) => text.split(',').map(trimmed).filter(|text| !text.is_empty()).collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(trimmed).collect(),
        _ => Vec::new(),
    }
}

/// Vault's generic name: word characters, inside also `-` and `.`.
fn is_name(text: &str) -> bool {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.starts_with(is_word)
        && text.ends_with(is_word)
        && text.chars().all(|character| is_word(character) || matches!(character, '-' | '.'))
}
