//! What a test sets up and turns: the operator's side, without HTTP.
//!
//! Mounts are named by their full path, namespace first, slashes at the ends optional: `dockerhub`,
//! `team/auth/jwt-github`. Writing to a mount that does not exist does nothing but answer `false`, so that a test can
//! assert it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::Vault;
use super::docker_hub::{DockerHub, DockerHubAccount, Generation};
use super::dynamic::DynamicEngine;
use super::key_value::{Entry, KeyValue, KeyValueVersion};
use super::login::{JwtMount, MountedJwt, Role};
use super::policy::{Capability, Rule};
use super::state::{Engine, VaultState};

/// Whose manners the server has, where they differ: the shape of tokens, members of some answers, and revocation. A queued one is
/// answered 204 as Vault documents it, 202 as OpenBao does it; Vault's source says 202 too, so that a client must take both.
/// Where nothing is said of `sync`, Vault queues, and OpenBao 2.7 waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    /// HashiCorp Vault.
    #[default]
    Vault,
    /// OpenBao.
    OpenBao,
}

/// When the revocation queue runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Queue {
    /// Before the next request is answered, or at [`Vault::tick`] or [`Vault::live`], whichever comes first. The
    /// request that queued a lease is answered while the secret still works.
    #[default]
    OnNextRequest,
    /// Before the request that queued the lease is answered.
    AtOnce,
    /// Only in [`Vault::run_queue`].
    Manual,
}

impl Vault {
    /// Answers 503 until [`Vault::unseal`]; meanwhile nothing expires.
    pub fn seal(&self) {
        self.state().sealed = true;
    }

    /// Ends [`Vault::seal`].
    pub fn unseal(&self) {
        self.state().sealed = false;
    }

    /// Answers 307 with a `Location` on this origin (no trailing slash); `None` makes the node active again.
    pub fn stand_by(&self, active_node: Option<&str>) {
        self.state().active_node = active_node.map(str::to_owned);
    }

    /// Answers the next `times` requests 412, as a replica that lags behind. Health is not counted.
    pub fn lag_behind(&self, times: u32) {
        self.state().precondition_failures = times;
    }

    /// Refuses requests without `X-Vault-Request: true`, as an Agent with `require_request_header` does.
    pub fn require_request_header(&self, required: bool) {
        self.state().require_request_header = required;
    }

    /// Changes whose manners the server has; tokens keep their shape.
    pub fn set_flavour(&self, flavour: Flavour) {
        self.state().flavour = flavour;
    }

    /// Changes when the revocation queue runs.
    pub fn set_queue(&self, queue: Queue) {
        self.state().queue_mode = queue;
    }

    /// Requests seem to come from this address; else from 127.0.0.1.
    pub fn come_from(&self, address: IpAddr) {
        self.state().remote = address;
    }

    /// Disables an entity by its id: its tokens live, and nobody may use them.
    pub fn disable_entity(&self, entity_id: &str) {
        self.state().disabled_entities.insert(entity_id.to_owned());
    }

    /// Ends [`Vault::disable_entity`].
    pub fn enable_entity(&self, entity_id: &str) {
        self.state().disabled_entities.remove(entity_id);
    }

    /// Adds a namespace, such as `team` or `team/ci`, with its own `default` policy.
    pub fn add_namespace(&self, path: &str) {
        let path = as_prefix(path);
        let mut state = self.state();
        let key = (path.clone(), super::policy::DEFAULT.to_owned());
        state.policies.insert(key, super::policy::default_rules());
        state.namespaces.insert(path);
    }

    /// Writes a policy; `namespace` is empty for the root. Paths are relative to it, exact or ending in `*`.
    pub fn write_policy(&self, namespace: &str, name: &str, rules: &[(&str, &[Capability])]) {
        let rules = rules
            .iter()
            .map(|(path, capabilities)| Rule { path: (*path).to_owned(), capabilities: capabilities.to_vec() })
            .collect();
        let key = (as_prefix(namespace), name.to_ascii_lowercase());
        self.state().policies.insert(key, rules);
    }

    /// Mounts the JWT auth method, say at `auth/jwt`, and configures it.
    pub fn enable_jwt(&self, mount: &str, config: JwtMount) {
        let mounted = MountedJwt { config, ..MountedJwt::default() };
        self.state().jwt_mounts.insert(as_prefix(mount), mounted);
    }

    /// Writes a role; its name becomes lower case.
    pub fn write_role(&self, mount: &str, name: &str, role: Role) -> bool {
        let mut state = self.state();
        let Some(mounted) = state.jwt_mounts.get_mut(&as_prefix(mount)) else {
            return false;
        };
        mounted.roles.insert(name.to_lowercase(), role);
        true
    }

    /// Mounts the Docker Hub plugin without accounts, as it is published.
    pub fn enable_docker_hub(&self, mount: &str, generation: Generation) {
        let engine = DockerHub { generation, accounts: BTreeMap::new(), is_mended: false };
        self.state().engines.insert(as_prefix(mount), Engine::DockerHub(engine));
    }

    /// Writes `config/<username>` of the Docker Hub plugin.
    pub fn write_docker_hub_account(&self, mount: &str, username: &str, account: DockerHubAccount) -> bool {
        self.state().change_docker_hub(mount, |engine| {
            engine.accounts.insert(username.to_owned(), account);
        })
    }

    /// Deletes `config/<username>`; its leases cannot be revoked any more.
    pub fn delete_docker_hub_account(&self, mount: &str, username: &str) -> bool {
        self.state().change_docker_hub(mount, |engine| {
            engine.accounts.remove(username);
        })
    }

    /// Every mounted Docker Hub plugin becomes one that somebody has mended: it takes Docker's 204 for the success that it is.
    /// Those that are published take it for a failure, and nobody who uses one ever sees a revocation confirmed.
    pub fn mend_docker_hub(&self) {
        for engine in self.state().engines.values_mut() {
            if let Engine::DockerHub(engine) = engine {
                engine.is_mended = true;
            }
        }
    }

    /// Mounts an engine that mints on read.
    pub fn enable_dynamic(&self, mount: &str, engine: DynamicEngine) {
        self.state().engines.insert(as_prefix(mount), Engine::Dynamic(engine));
    }

    /// Mounts an empty KV engine.
    pub fn enable_key_value(&self, mount: &str, version: KeyValueVersion) {
        let engine = KeyValue { version, entries: BTreeMap::new() };
        self.state().engines.insert(as_prefix(mount), Engine::KeyValue(engine));
    }

    /// Writes a secret; `path` is without `data/`.
    pub fn put_key_value(&self, mount: &str, path: &str, data: Map<String, Value>) -> bool {
        let written_at = self.now();
        self.state().change_key_value(mount, |engine| {
            let version = engine.entries.get(path).map_or(1, |entry| entry.version + 1);
            let entry = Entry { data, written_at, version, deleted_at: None, is_destroyed: false };
            engine.entries.insert(path.to_owned(), entry);
        })
    }

    /// Destroys the newest version of a secret of version 2: its metadata stays.
    pub fn destroy_key_value(&self, mount: &str, path: &str) -> bool {
        self.state().change_key_value(mount, |engine| {
            if let Some(entry) = engine.entries.get_mut(path) {
                entry.is_destroyed = true;
            }
        })
    }

    /// Deletes a secret: version 1 forgets it, version 2 keeps its metadata.
    pub fn delete_key_value(&self, mount: &str, path: &str) -> bool {
        let now = self.now();
        self.state().change_key_value(mount, |engine| match engine.version {
            KeyValueVersion::One => drop(engine.entries.remove(path)),
            KeyValueVersion::Two => {
                if let Some(entry) = engine.entries.get_mut(path) {
                    entry.deleted_at = Some(now);
                }
            }
        })
    }
}

impl VaultState {
    fn change_docker_hub(&mut self, mount: &str, change: impl FnOnce(&mut DockerHub)) -> bool {
        match self.engines.get_mut(&as_prefix(mount)) {
            Some(Engine::DockerHub(engine)) => {
                change(engine);
                true
            }
            _ => false,
        }
    }

    fn change_key_value(&mut self, mount: &str, change: impl FnOnce(&mut KeyValue)) -> bool {
        match self.engines.get_mut(&as_prefix(mount)) {
            Some(Engine::KeyValue(engine)) => {
                change(engine);
                true
            }
            _ => false,
        }
    }
}

/// `/team/dockerhub` is `team/dockerhub/`; nothing stays nothing.
fn as_prefix(path: &str) -> String {
    match path.trim_matches('/') {
        "" => String::new(),
        path => format!("{path}/"),
    }
}
