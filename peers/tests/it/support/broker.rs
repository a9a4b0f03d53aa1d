//! The broker as a process, with its log in a file.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use hublease_peers::{Running, until};
use hublease_sandbox::{BrokerLimits, PASSWORD, Sandbox};
use tempfile::TempDir;

/// A running broker; ended with the test.
pub struct Broker {
    // The process before its directory.
    _running: Running,
    directory: TempDir,
}

impl Broker {
    /// Starts one with the sandbox's issuers and accounts; `change` has the last word on its configuration.
    pub fn start(sandbox: &Sandbox, public_url: &str, change: impl FnOnce(String) -> String) -> Self {
        Self::start_in(sandbox, &[], public_url, change)
    }

    /// Starts one with more in its environment.
    pub fn start_in(
        sandbox: &Sandbox,
        environment: &[(String, String)],
        public_url: &str,
        change: impl FnOnce(String) -> String,
    ) -> Self {
        let directory = tempfile::Builder::new().prefix("hublease-peers-broker-").tempdir().unwrap();
        let configuration = sandbox.broker_configuration(public_url, directory.path(), BrokerLimits::default());
        let path = directory.path().join("broker.toml");
        fs::write(&path, change(configuration)).unwrap();
        let program = std::env::var_os("HUBLEASE_BROKER_BIN").unwrap();
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(path).env_clear().envs(sandbox.environment());
        command.env("ACMEBOT_PASSWORD", PASSWORD).envs(environment.iter().map(|(name, value)| (name, value)));
        let running = Running::start(&mut command, &directory.path().join("log")).unwrap();
        let broker = Self { _running: running, directory };
        until("the broker listens", || broker.listens_at().is_some());
        broker
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listens_at().unwrap()
    }

    fn listens_at(&self) -> Option<SocketAddr> {
        self.log().lines().find_map(|line| line.strip_prefix("listening on ")?.parse().ok())
    }

    /// The lines of its audit log, and what it says to its operator.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}
