//! The KV engines, versions 1 and 2: reading only.
//!
//! Follows Vault's KV documentation and the KV engine's source: version 1 reports the system's default lease duration
//! beside an empty lease id; version 2 nests the data beside its metadata, answers a deleted or destroyed version with 404 and its
//! metadata, and a path without `data/` with 404 and a warning. Guessed: nothing is known of a version 2 read with
//! `?version=`, which is ignored.

use std::collections::BTreeMap;

use hublease_protocol::time::utc;
use serde_json::{Map, Value, json};

use super::Vault;
use super::state::VaultState;
use super::token::SYSTEM_TTL_SECONDS;
use super::wire::{Call, Operation, Reply, envelope};

/// Fields whose values are no secrets, so that a search for leaks does not look for them.
const NOT_SECRET: [&str; 4] = ["username", "user", "registry", "email"];

/// Which KV engine is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyValueVersion {
    /// `GET <mount>/<path>`.
    One,
    /// `GET <mount>/data/<path>`.
    Two,
}

#[derive(Clone)]
pub(super) struct KeyValue {
    pub(super) version: KeyValueVersion,
    pub(super) entries: BTreeMap<String, Entry>,
}

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) data: Map<String, Value>,
    pub(super) written_at: u64,
    pub(super) version: u64,
    pub(super) deleted_at: Option<u64>,
    pub(super) is_destroyed: bool,
}

impl Vault {
    /// Any request below the mount.
    pub(super) fn key_value(&self, call: &Call, rest: &str, engine: &KeyValue) -> Result<Reply, Reply> {
        let path = match engine.version {
            KeyValueVersion::One => rest,
            KeyValueVersion::Two => rest.strip_prefix("data/").ok_or_else(|| unversioned_path(call))?,
        };
        if call.operation != Operation::Read {
            return Err(Reply::unsupported_operation());
        }
        let Some(entry) = engine.entries.get(path) else {
            return Err(Reply::errors(404, &[]));
        };
        if engine.version == KeyValueVersion::One {
            self.state().hand_out_fields(path, &entry.data);
            return Ok(Reply::success(json!({ "lease_duration": SYSTEM_TTL_SECONDS, "data": entry.data })));
        }
        let metadata = json!({
            "created_time": utc(entry.written_at),
            "custom_metadata": null,
            "deletion_time": entry.deleted_at.map(utc).unwrap_or_default(),
            "destroyed": entry.is_destroyed,
            "version": entry.version,
        });
        if entry.deleted_at.is_some() || entry.is_destroyed {
            let body = envelope(json!({ "data": { "data": null, "metadata": metadata } }));
            return Err(Reply::json(404, body));
        }
        self.state().hand_out_fields(path, &entry.data);
        Ok(Reply::success(json!({ "data": { "data": entry.data, "metadata": metadata } })))
    }
}

impl VaultState {
    fn hand_out_fields(&mut self, path: &str, data: &Map<String, Value>) {
        for (field, value) in data {
            let secret = value.as_str().filter(|_| !NOT_SECRET.contains(&field.as_str()));
            if let Some(secret) = secret {
                self.hand_out(format!("kv {path} {field}"), secret);
            }
        }
    }
}

/// What version 2 says of a path that version 1 would have understood.
fn unversioned_path(call: &Call) -> Reply {
    let command = match call.operation {
        Operation::Read => "get",
        Operation::List => "list",
        Operation::Write => "put",
        Operation::Delete => "delete",
    };
    let warning = format!(
        "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. \
         If using the Vault CLI, use 'vault kv {command}' for this operation."
    );
    Reply::json(404, envelope(json!({ "warnings": [warning] })))
}
