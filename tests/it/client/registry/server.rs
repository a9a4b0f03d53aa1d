//! Debian's `docker-registry` (distribution 2.8) with token authentication, in memory, on a port of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::support::World;
use crate::support::machine::which;

/// How long it may take to listen; it takes well under a second.
const START: Duration = Duration::from_secs(30);

/// A running registry; it ends with the value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts it; it trusts the tokens of the world's token server.
    pub fn start(world: &World) -> Self {
        let [certificate, config] = ["registry.pem", "registry.yml"].map(|name| world.path(name));
        std::fs::write(&certificate, world.sandbox.registry_certificate()).unwrap();
        std::fs::write(&config, settings(&certificate.display().to_string())).unwrap();
        let mut child = Command::new(which("docker-registry").unwrap())
            .arg("serve")
            .arg(&config)
            .env_clear()
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (sender, address) = mpsc::channel();
        // Reads the log to its end, because a registry with a full pipe stands still.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if let Some(address) = listening(&line) {
                    // The test may have given up.
                    let _ = sender.send(address);
                }
            }
        });
        let address = address.recv_timeout(START).ok();
        let Some(address) = address else {
            drop(child.kill());
            panic!("the registry does not say where it listens");
        };
        Self { child, address }
    }
}

/// Port 0 is chosen by the system; the log at level `info` tells which it was.
fn settings(certificate: &str) -> String {
    format!(
        r#"version: 0.1
log: {{level: info}}
storage: {{inmemory: {{}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:0", relativeurls: true, secret: only-for-this-test}}
auth:
  token:
    realm: "https://auth.docker.io/token"
    service: registry.docker.io
    issuer: auth.docker.io
    rootcertbundle: "{certificate}"
"#
    )
}

fn listening(line: &str) -> Option<SocketAddr> {
    line.split_once("listening on ")?.1.split('"').next()?.parse().ok()
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
