//! A server that stands before another one: it has its port, its directory, and perhaps a certificate for `localhost`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Running, certificates, place};

/// One that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Front {
    // The process before its directory.
    running: Running,
    directory: TempDir,
    port: u16,
}

impl Front {
    /// Starts a server that is told everything by a file; `configured` writes it for a directory and a port, and `command` says how
    /// the server is started with it.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    pub(crate) fn start(
        name: &str,
        configured: impl Fn(&Path, u16) -> String,
        command: impl Fn(&Path, &Path) -> Command,
    ) -> Self {
        for _ in 0..place::TRIES {
            let directory = place::directory(name).unwrap_or_else(|error| panic!("a directory: {error}"));
            let port = place::free_port().unwrap_or_else(|error| panic!("a port: {error}"));
            certificates::write(directory.path()).unwrap_or_else(|error| panic!("certificates: {error}"));
            let [configuration, log] = ["configuration", "log"].map(|name| directory.path().join(name));
            let text = configured(directory.path(), port);
            fs::write(&configuration, text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut command = command(directory.path(), &configuration);
            command.env_clear().env("HOME", directory.path()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
            let running = Running::start(&mut command, &log).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut front = Self { running, directory, port };
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            match front.running.ready(|| std::net::TcpStream::connect(address).is_ok()) {
                Ok(()) => return front,
                Err(_) if place::port_was_taken(&log) => {}
                Err(why) => panic!("{name} is not ready ({why:?}):\n{}", front.running.output()),
            }
        }
        panic!("{name} found its port taken {} times", place::TRIES)
    }

    /// The port of 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority by which its certificate is.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("server/ca.pem")
    }

    /// A file of its own, such as a log; empty where there is none.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join(name)).unwrap_or_default()
    }
}
