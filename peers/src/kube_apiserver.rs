//! kube-apiserver: the server of a Kubernetes cluster, with etcd behind it. It issues the identities of service accounts.
//!
//! Nothing else of a cluster runs: no pod is ever started. It is its own issuer, at the address at which it listens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::etcd::Etcd;
use crate::process::NotReady;
use crate::{Ask, Peer, Running, Source, certificates, kubectl, place};

/// The API server.
pub const PEER: Peer = Peer {
    name: "kube-apiserver",
    version: "1.36.3",
    source: Source::Go {
        package: "k8s.io/kubernetes/cmd/kube-apiserver",
        // Without its version kubectl does not understand it.
        flags: &["-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3"],
        minutes: 12,
    },
    with: &["etcd", "kubectl"],
    touches: &["broker/src/identity", "broker/src/operator/init", "protocol/src/ci", "sandbox/src/issuer", "peers/"],
    proves: "the broker takes a real cluster's identities by its own keys, and the sandbox's have the same shape",
    quick: false,
};

/// Whom it takes for its administrator.
const ADMINISTRATOR: &str = "of-the-test-alone";

/// A cluster's server, ready.
#[derive(Debug)]
pub struct KubeApiServer {
    // The process before its store, and both before the directory.
    running: Running,
    _store: Etcd,
    directory: TempDir,
    port: u16,
}

impl KubeApiServer {
    /// Starts one that signs identities with this key, a private one as PEM.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start(signing_key: &str) -> Self {
        let directory = place::directory(PEER.name).unwrap_or_else(|error| panic!("a directory: {error}"));
        certificates::write(directory.path()).unwrap_or_else(|error| panic!("certificates: {error}"));
        let tokens = format!("{ADMINISTRATOR},administrator,1,\"system:masters\"\n");
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text);
        let written = write("signing.pem", signing_key).and_then(|()| write("tokens.csv", &tokens));
        written.unwrap_or_else(|error| panic!("{error}"));
        let store = Etcd::start();
        for _ in 0..place::TRIES {
            let port = place::free_port().unwrap_or_else(|error| panic!("a port: {error}"));
            if let Some(running) = launch(directory.path(), port, &store) {
                write_configuration(directory.path(), port).unwrap_or_else(|error| panic!("{error}"));
                return Self { running, _store: store, directory, port };
            }
        }
        panic!("kube-apiserver found each of {} ports taken", place::TRIES);
    }

    /// Its address, which is its issuer's, too.
    #[must_use]
    pub fn url(&self) -> String {
        origin(self.port)
    }

    /// The authority by which its certificate is.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("server/ca.pem")
    }

    /// A request of nobody.
    ///
    /// # Panics
    /// When its authority cannot be read.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        let authority = fs::read_to_string(self.authority()).unwrap_or_else(|error| panic!("{error}"));
        Ask::new(method, format!("{}{path}", self.url())).trusting(&authority)
    }

    /// The administrator at the command line; what it printed.
    ///
    /// # Panics
    /// When the server refuses.
    #[track_caller]
    pub fn operate(&self, words: &[&str]) -> String {
        let output = kubectl::kubectl(self.directory.path(), words);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {words:?}: {errors}\n{}", self.running.output());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The administrator makes an object below a path of the interface, or asks a question that has the form of one.
    ///
    /// # Panics
    /// When the server refuses.
    #[track_caller]
    pub fn make(&self, path: &str, object: &Value) -> Value {
        let ask = self.ask("POST", path).header("Authorization", &format!("Bearer {ADMINISTRATOR}"));
        let answer = ask.json(object).send().unwrap_or_else(|why| panic!("{why}\n{}", self.running.output()));
        assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
        answer.json()
    }

    /// Whether it takes a token itself, for this audience.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn takes(&self, token: &str, audience: &str) -> bool {
        let review = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "spec": { "token": token, "audiences": [audience] },
        });
        let answer = self.make("/apis/authentication.k8s.io/v1/tokenreviews", &review);
        answer["status"]["authenticated"] == true
    }
}

/// A server that is ready at the port, or none if the port was taken.
fn launch(directory: &Path, port: u16, store: &Etcd) -> Option<Running> {
    let log = directory.join("kube-apiserver.log");
    let path = |name: &str| directory.join(name).display().to_string();
    let mut server = Command::new(PEER.program());
    server.args(["--etcd-servers", &store.url(), "--service-cluster-ip-range", "10.99.0.0/24"]);
    server.args(["--bind-address", "127.0.0.1", "--secure-port", &port.to_string()]);
    // It would look for an address of this machine by which others find it, and tell them.
    server.args(["--advertise-address", "127.0.0.1", "--endpoint-reconciler-type", "none"]);
    server.args(["--external-hostname", "localhost", "--service-account-issuer", &origin(port)]);
    server.args(["--service-account-key-file", &path("signing.pem")]);
    server.args(["--service-account-signing-key-file", &path("signing.pem")]);
    server.args(["--cert-dir", &path("certificates"), "--tls-cert-file", &path("server/cert.pem")]);
    server.args(["--tls-private-key-file", &path("server/key.pem"), "--token-auth-file", &path("tokens.csv")]);
    // Pods wait for their account otherwise, which a controller makes that does not run here.
    server.args(["--authorization-mode", "RBAC", "--disable-admission-plugins", "ServiceAccount"]);
    server.env_clear().env("HOME", directory).current_dir(directory);
    let running = Running::start(&mut server, &log).unwrap_or_else(|error| panic!("kube-apiserver: {error}"));
    // Asked to end, it waits for who is connected.
    let mut running = running.ending_by(Signal::KILL);
    let authority = fs::read_to_string(directory.join("server/ca.pem")).unwrap_or_else(|error| panic!("{error}"));
    let is_ready = || {
        let ready = Ask::new("GET", format!("{}/readyz", origin(port))).trusting(&authority).send();
        ready.is_ok_and(|answer| answer.status == 200)
    };
    match running.ready(is_ready) {
        Ok(()) => Some(running),
        Err(NotReady::Ended) if place::port_was_taken(&log) => None,
        Err(why) => panic!("kube-apiserver is not ready ({why:?}):\n{}", running.output()),
    }
}

/// The command line's, in a home of its own.
fn write_configuration(directory: &Path, port: u16) -> std::io::Result<()> {
    let configuration = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "alone",
        "clusters": [{ "name": "alone", "cluster": {
            "server": origin(port), "certificate-authority": directory.join("server/ca.pem"),
        } }],
        "users": [{ "name": "administrator", "user": { "token": ADMINISTRATOR } }],
        "contexts": [{ "name": "alone", "context": { "cluster": "alone", "user": "administrator" } }],
    });
    fs::create_dir_all(directory.join(".kube"))?;
    fs::write(directory.join(".kube/config"), configuration.to_string())
}

fn origin(port: u16) -> String {
    format!("https://localhost:{port}")
}
