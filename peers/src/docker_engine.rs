//! A Docker Engine of its own: Debian's dockerd with containerd and runc, unpacked beside the system, on its own directories.
//!
//! An engine that runs already is never touched: this one has its own socket, state, containerd and network (none), and changes no
//! packet filter. It is ended by its process id, and then what it has mounted is unmounted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::{Peer, Running, Source, certificates, place};

/// The engine.
pub const PEER: Peer = Peer {
    name: "docker-engine",
    version: "Debian's",
    source: Source::Unpacked {
        packages: &["docker.io", "containerd", "runc", "tini", "busybox-static", "libdevmapper1.02.1", "libseccomp2"],
        program: "usr/sbin/dockerd",
    },
    with: &["docker-registry"],
    touches: &["src/docker", "src/native", "src/login", "src/logout", "sandbox/src/registry", "peers/"],
    proves: "a real engine pulls, builds, pushes and runs with a lease, by two command lines, by socket and by TLS, until logout",
    quick: false,
};

/// An engine, ready. Dropping it ends it.
#[derive(Debug)]
pub struct DockerEngine {
    // The process before its directories.
    running: Running,
    directory: TempDir,
    host: String,
}

/// How clients reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A socket file.
    Socket,
    /// TCP on loopback, for clients that show a certificate of its authority.
    Tls,
}

impl DockerEngine {
    /// Starts one with this environment: its proxy, and the authorities that it trusts.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start(environment: &[(String, String)], door: Door) -> Self {
        for _ in 0..place::TRIES {
            let directory = place::directory(PEER.name).unwrap_or_else(|error| panic!("a directory: {error}"));
            let (host, words) = door.open(directory.path());
            let log = directory.path().join("log");
            let running = Running::start(&mut daemon(directory.path(), environment, &words), &log);
            let running = running.unwrap_or_else(|error| panic!("dockerd: {error}"));
            let mut engine = Self { running, directory, host };
            let socket = engine.socket();
            let is_ready = || docker_at(&own_command_line(), &socket, &["version"]).status.success();
            match engine.running.ready(is_ready) {
                Ok(()) => return engine,
                Err(_) if place::port_was_taken(&log) => {}
                Err(why) => panic!("dockerd is not ready ({why:?}):\n{}", engine.running.output()),
            }
        }
        panic!("dockerd found its port taken {} times", place::TRIES)
    }

    /// For `DOCKER_HOST`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// For `DOCKER_CERT_PATH`: `ca.pem`, `cert.pem` and `key.pem` of a client, if the door is TLS.
    #[must_use]
    pub fn certificates(&self) -> PathBuf {
        self.directory.path().join("client")
    }

    /// Runs docker's command line as the engine's administrator: nobody is logged in.
    #[must_use]
    pub fn administer(&self, words: &[&str]) -> Output {
        docker_at(&own_command_line(), &self.socket(), words)
    }

    /// The socket that is always there.
    fn socket(&self) -> String {
        format!("unix://{}", self.directory.path().join("socket").display())
    }
}

impl Drop for DockerEngine {
    fn drop(&mut self) {
        self.running.stop();
        place::unmount_below(self.directory.path());
    }
}

impl Door {
    /// What is said to clients, and to the daemon.
    fn open(self, directory: &Path) -> (String, Vec<String>) {
        match self {
            Self::Socket => (format!("unix://{}", directory.join("socket").display()), Vec::new()),
            Self::Tls => {
                let port = place::free_port().unwrap_or_else(|error| panic!("a port: {error}"));
                certificates::write(directory).unwrap_or_else(|error| panic!("certificates: {error}"));
                let host = format!("tcp://127.0.0.1:{port}");
                let file = |name: &str| directory.join("server").join(name).display().to_string();
                let words =
                    ["-H", &host, "--tlsverify", "--tlscacert", &file("ca.pem"), "--tlscert", &file("cert.pem")];
                let words = words.iter().map(|word| (*word).to_owned());
                (host.clone(), words.chain(["--tlskey".to_owned(), file("key.pem")]).collect())
            }
        }
    }
}

/// Debian's command line, of the engine's own version.
#[must_use]
pub fn own_command_line() -> PathBuf {
    folder().join("usr/bin/docker")
}

/// A static program, of which images are made: it says its version.
#[must_use]
pub fn static_program() -> PathBuf {
    folder().join("usr/bin/tini-static")
}

/// A static program that is many: `sleep` among them.
#[must_use]
pub fn busybox() -> PathBuf {
    folder().join("bin/busybox")
}

/// Where the packages are.
fn folder() -> PathBuf {
    let program = PEER.program();
    program.ancestors().nth(3).unwrap_or_else(|| panic!("{}", program.display())).to_owned()
}

fn daemon(directory: &Path, environment: &[(String, String)], words: &[String]) -> Command {
    let mut command = Command::new(PEER.program());
    for (flag, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
        command.arg(flag).arg(directory.join(name));
    }
    command.arg("-H").arg(format!("unix://{}", directory.join("socket").display()));
    command.args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"]);
    // Not the machine's own configuration.
    let configuration = directory.join("configuration.json");
    fs::write(&configuration, "{}").unwrap_or_else(|error| panic!("{}: {error}", configuration.display()));
    command.arg("--config-file").arg(configuration).args(words);
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value))).env_remove("DOCKER_HOST");
    with_programs(&mut command).env("HOME", directory);
    command
}

/// Lets a daemon find containerd and runc, and their libraries.
pub(crate) fn with_programs(command: &mut Command) -> &mut Command {
    let folder = folder();
    let path = ["usr/bin", "usr/sbin"].map(|name| folder.join(name).display().to_string()).join(":");
    let libraries =
        ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu"];
    let libraries = libraries.map(|name| folder.join(name).display().to_string()).join(":");
    command.env("PATH", format!("{path}:/usr/sbin:/usr/bin:/sbin:/bin")).env("LD_LIBRARY_PATH", libraries)
}

fn docker_at(program: &Path, host: &str, words: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(words).env_clear().env("DOCKER_HOST", host).env("HOME", "/nonexistent").env("PATH", "/usr/bin:/bin");
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("docker: {error}"))
}
