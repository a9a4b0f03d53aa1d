//! The real broker as a child, with a configuration made for the run, reached through the sandbox's proxy.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hublease_sandbox::{BrokerLimits, ORGANIZATION, PASSWORD, Sandbox};

/// Its public address; the proxy sends this host to where the broker listens.
pub(crate) const BROKER_URL: &str = "https://broker.example.com";
/// The host of [`BROKER_URL`].
const HOST: &str = "broker.example.com";
/// How long it may take to listen: it tries its account at Docker Hub first.
const START: Duration = Duration::from_secs(30);

/// A running broker, ended when dropped.
pub(super) struct Broker {
    child: Child,
}

impl Broker {
    pub(super) fn start(
        program: &Path,
        sandbox: &Sandbox,
        folder: &Path,
        limits: BrokerLimits,
    ) -> Result<Self, String> {
        sandbox.hub().set_quota(ORGANIZATION, limits.quota);
        let path = folder.join("broker.toml");
        fs::write(&path, sandbox.broker_configuration(BROKER_URL, folder, limits))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let audit = File::create(folder.join("audit.jsonl")).map_err(|error| format!("audit.jsonl: {error}"))?;
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(&path).env_clear().envs(sandbox.environment());
        command.env("ACMEBOT_PASSWORD", PASSWORD);
        command.stdin(Stdio::null()).stdout(audit).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| format!("the broker cannot start: {error}"))?;
        let mut broker = Self { child };
        let address = broker.listens()?.parse().map_err(|_not_one| "the broker names no address".to_owned())?;
        sandbox.forward(HOST, address);
        Ok(broker)
    }

    /// Waits for the line that tells where it listens.
    fn listens(&mut self) -> Result<String, String> {
        let stderr = self.child.stderr.take().ok_or("the broker has no standard error")?;
        let (sender, lines) = mpsc::channel();
        // Reads on to the end, so that the broker never waits for a reader.
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // Nobody listens any more once the address is known.
                drop(sender.send(line));
            }
        });
        let mut said = Vec::new();
        while let Ok(line) = lines.recv_timeout(START) {
            if let Some(address) = line.strip_prefix("listening on ") {
                return Ok(address.to_owned());
            }
            said.push(line);
        }
        Err(format!("the broker did not start: {}", said.join("; ")))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It ends now or has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
