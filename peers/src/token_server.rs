//! The token service that distribution 2.8 came with: the only other server of docker's token specification that a registry has.
//!
//! It knows its users by a file, and gives each the repositories below the user's name. It serves nobody who has no password.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::NotReady;
use crate::{Ask, Peer, Running, Source, place};

/// The token service.
pub const PEER: Peer = Peer {
    name: "token-server",
    version: "2.8.3",
    source: Source::Go { package: "github.com/docker/distribution/contrib/token-server", flags: &[], minutes: 2 },
    with: &[],
    touches: &["src/registry", "sandbox/src/registry", "peers/"],
    proves: "the sandbox's token service grants, refuses and answers as distribution's does",
    quick: false,
};

/// The issuer and realm that it calls itself.
const NAME: &str = "auth.docker.io";
/// Its one user's password.
pub const PASSWORD: &str = "of the test";
/// bcrypt of the password, as cheap as it can be made; it takes no other form.
const PASSWORD_HASH: &str = "$2a$04$qNVPauE.aQwjD4MLH38vqe9Qh7Q30FABPgesDveTmZD0cLByv73vK";

/// A service on loopback, over plain HTTP.
#[derive(Debug)]
pub struct TokenServer {
    port: u16,
    // The process before its directory.
    _running: Running,
    _directory: TempDir,
}

impl TokenServer {
    /// Starts one with this user alone, whose password is [`PASSWORD`].
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start(username: &str) -> Self {
        let directory = place::directory(PEER.name).unwrap_or_else(|error| panic!("a directory: {error}"));
        let users = format!("{username}:{PASSWORD_HASH}\n");
        std::fs::write(directory.path().join("users"), users).unwrap_or_else(|error| panic!("{error}"));
        for _ in 0..place::TRIES {
            let port = place::free_port().unwrap_or_else(|error| panic!("a port: {error}"));
            if let Some(running) = launch(directory.path(), port) {
                return Self { port, _running: running, _directory: directory };
            }
        }
        panic!("token-server found each of {} ports taken", place::TRIES);
    }

    /// Where tokens are asked for.
    #[must_use]
    pub fn url(&self) -> String {
        address(self.port)
    }
}

/// A server that answers at the port, or none if the port was taken.
fn launch(directory: &Path, port: u16) -> Option<Running> {
    let log = directory.join("log");
    let mut server = Command::new(PEER.program());
    server.args(["-addr", &format!("127.0.0.1:{port}"), "-issuer", NAME, "-realm", NAME]);
    server.arg("-passwd").arg(directory.join("users")).env_clear();
    let mut running = Running::start(&mut server, &log).unwrap_or_else(|error| panic!("token-server: {error}"));
    match running.ready(|| Ask::new("GET", address(port)).send().is_ok_and(|answer| answer.status == 401)) {
        Ok(()) => Some(running),
        Err(NotReady::Ended) if place::port_was_taken(&log) => None,
        Err(why) => panic!("token-server is not ready ({why:?}):\n{}", running.output()),
    }
}

fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}/token/")
}
