//! PostgreSQL: the database whose roles OpenBao's `database` engine leases.
//!
//! It refuses to run as root; there it runs as `nobody`, who owns its directory.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::process::NotReady;
use crate::{Peer, Running, Source, place};

/// PostgreSQL.
pub const PEER: Peer = Peer {
    name: "postgresql",
    version: "Debian's",
    source: Source::Debian { packages: &["postgresql"], program: &["/usr/lib/postgresql/*/bin/postgres"] },
    with: &[],
    touches: &["peers/"],
    proves: "the database that OpenBao leases roles of comes, goes, and comes back with what it held",
    quick: true,
};

/// Debian's `nobody` and `nogroup`, who own nothing.
const NOBODY: u32 = 65534;
/// The role that may make others.
const ADMINISTRATOR: &str = "postgres";

/// A server on loopback with one database, `postgres`.
#[derive(Debug)]
pub struct PostgreSql {
    /// Taken by one thread at a time; tests end and start it while jobs hold the server.
    running: Mutex<Running>,
    directory: TempDir,
    port: u16,
    password: String,
}

impl PostgreSql {
    /// Makes a cluster whose administrator has this password, and starts its server.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start(password: &str) -> Self {
        let directory = place::directory(PEER.name).unwrap_or_else(|error| panic!("a directory: {error}"));
        make_cluster(directory.path(), password);
        for _ in 0..place::TRIES {
            let port = place::free_port().unwrap_or_else(|error| panic!("a port: {error}"));
            if let Some(running) = launch(directory.path(), port) {
                return Self { running: Mutex::new(running), directory, port, password: password.to_owned() };
            }
        }
        panic!("PostgreSQL found each of {} ports taken", place::TRIES);
    }

    /// Ends it, connections and all; what it stored stays.
    pub fn stop(&self) {
        self.running().stop();
    }

    /// Starts it again at the same port.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    pub fn start_again(&self) {
        let running = launch(self.directory.path(), self.port);
        *self.running() = running.unwrap_or_else(|| panic!("somebody took the port meanwhile"));
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is, with places for the name and the password of the administrator, as OpenBao's configuration wants it.
    #[must_use]
    pub fn url_template(&self) -> String {
        format!("postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Name and password of the administrator.
    #[must_use]
    pub fn administrator(&self) -> (&str, &str) {
        (ADMINISTRATOR, &self.password)
    }

    /// The first column of what a query answers, or what the server or the client complained of.
    ///
    /// # Errors
    /// `psql`'s words, such as `FATAL:  password authentication failed`.
    pub fn query(&self, username: &str, password: &str, query: &str) -> Result<String, String> {
        let url = format!("host=127.0.0.1 port={} dbname=postgres user={username}", self.port);
        let mut psql = Command::new(beside("psql"));
        psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", query, &url]);
        psql.env_clear().env("PGPASSWORD", password).env("LC_ALL", "C").stdin(Stdio::null());
        let output = psql.output().map_err(|error| format!("psql: {error}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Names of the roles that were made, by the administrator's word.
    ///
    /// # Panics
    /// When the server does not answer.
    #[must_use]
    pub fn made_roles(&self) -> Vec<String> {
        let query = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%' ORDER BY 1";
        let names = self.query(ADMINISTRATOR, &self.password, query).unwrap_or_else(|why| panic!("{why}"));
        names.lines().map(str::to_owned).collect()
    }
}

fn make_cluster(directory: &Path, password: &str) {
    let password_file = directory.join("password");
    std::fs::write(&password_file, password).unwrap_or_else(|error| panic!("{error}"));
    if geteuid().is_root() {
        for path in [directory, &password_file] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
    let mut initdb = unprivileged(beside("initdb"), directory);
    initdb.args([
        "--username",
        ADMINISTRATOR,
        "--auth",
        "scram-sha-256",
        "--no-sync",
        "--locale",
        "C",
        "--encoding",
        "UTF8",
    ]);
    initdb.arg("--pwfile").arg(&password_file).arg("--pgdata").arg(directory.join("data"));
    let output = initdb.output().unwrap_or_else(|error| panic!("initdb: {error}"));
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
}

/// A server that answers at the port, or none if the port was taken.
fn launch(directory: &Path, port: u16) -> Option<Running> {
    let log = directory.join("postgres.log");
    let mut postgres = unprivileged(PEER.program(), directory);
    postgres.arg("-D").arg(directory.join("data")).arg("-k").arg(directory);
    // Nobody loses what a test has written when a power supply fails.
    postgres.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-F"]);
    let running = Running::start(&mut postgres, &log).unwrap_or_else(|error| panic!("postgres: {error}"));
    // SIGINT is its fast shutdown: connections are cut, everything is written.
    let mut running = running.ending_by(Signal::INT);
    let is_ready = || {
        let mut ask = Command::new(beside("pg_isready"));
        ask.args(["--quiet", "--host", "127.0.0.1", "--port", &port.to_string()]).env_clear();
        ask.status().is_ok_and(|status| status.success())
    };
    match running.ready(is_ready) {
        Ok(()) => Some(running),
        Err(NotReady::Ended) if place::port_was_taken(&log) => None,
        Err(why) => panic!("PostgreSQL is not ready ({why:?}):\n{}", running.output()),
    }
}

fn unprivileged(program: PathBuf, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").current_dir(directory).stdin(Stdio::null());
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Another program of the same package.
fn beside(name: &str) -> PathBuf {
    PEER.program().with_file_name(name)
}
