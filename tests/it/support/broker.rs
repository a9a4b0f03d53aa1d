//! The real broker as a child process, reached as `https://broker.example.com` through the sandbox's proxy.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use hublease_sandbox::{BrokerLimits, KnownSecret, Logged, PASSWORD, Service};

use super::{World, binary};

/// Its public address, issuer and audience.
pub const URL: &str = "https://broker.example.com";

/// A running broker; ended with the test.
pub struct Broker {
    child: Child,
}

impl Broker {
    pub fn start(world: &World) -> Self {
        Self::with(world, &world.sandbox.broker_configuration(URL, &world.path(""), BrokerLimits::default()))
    }

    /// A broker with this configuration, in which `ACMEBOT_PASSWORD` is the account's password.
    pub fn with(world: &World, config: &str) -> Self {
        Self::at(world, "broker.example.com", config)
    }

    /// The same under another name: the host of the `public_url` in its configuration.
    pub fn at(world: &World, host: &str, config: &str) -> Self {
        let path = world.path("broker.toml");
        fs::write(&path, config).unwrap();
        let mut child = Command::new(binary("HUBLEASE_BROKER_BIN"))
            .args(["serve", "--config"])
            .arg(&path)
            .env_clear()
            .envs(world.sandbox.environment())
            .env("ACMEBOT_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(fs::File::create(world.path("broker-audit.log")).unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let mut said = Vec::new();
        let address = loop {
            let line = lines.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("no broker: {said:?}"));
            if let Some(address) = line.strip_prefix("listening on ") {
                break address.parse().unwrap();
            }
            said.push(line);
        };
        world.sandbox.forward(host, address);
        wait_until_compared(world);
        // The broker consumes identity tokens and issues the credentials of its accounts.
        for secret in world.sandbox.secrets().into_iter().filter(|secret| secret.kind == "identity token") {
            world.sandbox.add_secret(KnownSecret { services: vec![Service::Forwarded], ..secret });
        }
        Self { child }
    }

    pub fn url(&self) -> String {
        URL.to_owned()
    }
}

/// The broker compares its journal with Docker Hub when it starts. After that it asks nobody by itself for minutes, so that a
/// run's requests are the run's own.
fn wait_until_compared(world: &World) {
    let begun = Instant::now();
    let is_listing = |request: &&Logged| request.query.contains("page_size=100") && request.status.is_some();
    while world.sandbox.requests(Service::Hub).iter().find(is_listing).is_none() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the broker compares nothing");
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl World {
    /// How much has been asked by others than the broker, which speaks to Docker Hub and to the issuers when it likes.
    pub fn asked_by_runs(&self) -> usize {
        let log = self.sandbox.log();
        log.iter().filter(|request| !matches!(request.service, Service::Hub | Service::Issuer)).count()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
