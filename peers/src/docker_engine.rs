//! A Docker Engine of its own: Debian's dockerd with containerd and runc, unpacked beside the system, on its own directories.
//!
//! An engine that runs already is never touched: this one has its own socket, state, containerd and network (none), and changes no
//! packet filter. Its containerd is started before it and named to it, because dockerd would take the machine's where one runs. Both
//! are ended by their process ids, and then what they have mounted is unmounted.

mod containerd;

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
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
    touches: &[
        "src/docker",
        "src/native",
        "src/login",
        "src/logout",
        "sandbox/src/registry",
        "deploy/Containerfile",
        "xtask/src/demo",
        "peers/",
    ],
    proves: "a real engine pulls, builds, pushes and runs with a lease, by two command lines, by socket and by TLS, until logout",
    quick: false,
};

/// An engine, ready. Dropping it ends it.
#[derive(Debug)]
pub struct DockerEngine {
    // Both processes before their directories.
    running: Running,
    containerd: Running,
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
    /// Starts Debian's with this environment: its proxy, and the authorities that it trusts.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start(environment: &[(String, String)], door: Door) -> Self {
        Self::of(&PEER.program(), environment, door).unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    /// Starts any `dockerd`, with the containerd and runc beside it or of the machine.
    ///
    /// # Errors
    /// A sentence, with its output, when it does not come up.
    pub fn of(dockerd: &Path, environment: &[(String, String)], door: Door) -> Result<Self, String> {
        for _ in 0..place::TRIES {
            let directory = place::directory(PEER.name).map_err(|error| format!("a directory: {error}"))?;
            let (host, words) = door.open(directory.path());
            let log = directory.path().join("log");
            let containerd = containerd::start(dockerd, directory.path(), environment)?;
            let running = daemon(dockerd, directory.path(), environment, &words);
            let running = running.and_then(|mut command| Running::start(&mut command, &log));
            let running = running.map_err(|error| format!("dockerd: {error}"))?;
            let mut engine = Self { running, containerd, directory, host };
            let socket = engine.directory.path().join("socket");
            match engine.running.ready(|| answers(&socket)) {
                Ok(()) => return Ok(engine),
                Err(_) if place::port_was_taken(&log) => {}
                Err(why) => return Err(format!("dockerd is not ready ({why:?}):\n{}", engine.running.output())),
            }
        }
        Err(format!("dockerd found its port taken {} times", place::TRIES))
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
        self.containerd.stop();
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
    command_line_of(&PEER.program())
}

/// The command line in the packages of which this is the daemon.
#[must_use]
pub fn command_line_of(dockerd: &Path) -> PathBuf {
    folder_of(dockerd).join("usr/bin/docker")
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
    folder_of(&PEER.program()).to_owned()
}

fn daemon(dockerd: &Path, directory: &Path, environment: &[(String, String)], words: &[String]) -> io::Result<Command> {
    let mut command = Command::new(dockerd);
    for (flag, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
        command.arg(flag).arg(directory.join(name));
    }
    command.arg("--containerd").arg(containerd::socket(directory));
    command.arg("-H").arg(format!("unix://{}", directory.join("socket").display()));
    command.args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"]);
    // Not the machine's own configuration.
    let configuration = directory.join("configuration.json");
    fs::write(&configuration, "{}")?;
    command.arg("--config-file").arg(configuration).args(words);
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value))).env_remove("DOCKER_HOST");
    with_programs(&mut command, dockerd).env("HOME", directory);
    Ok(command)
}

/// Whether an engine answers at its socket.
fn answers(socket: &Path) -> bool {
    let ask = || -> io::Result<bool> {
        let mut stream = UnixStream::connect(socket)?;
        stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.lines().next().is_some_and(|line| line.contains(" 200 ")))
    };
    ask().unwrap_or(false)
}

/// Lets a daemon find containerd and runc, and their libraries: those beside `dockerd` first.
pub(crate) fn with_programs<'c>(command: &'c mut Command, dockerd: &Path) -> &'c mut Command {
    let folder = folder_of(dockerd);
    let beside = dockerd.parent().unwrap_or(folder);
    let programs = [beside, &folder.join("usr/bin"), &folder.join("usr/sbin")].map(|path| path.display().to_string());
    let libraries =
        ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu"];
    let libraries = libraries.map(|name| folder.join(name).display().to_string()).join(":");
    command.env("PATH", format!("{}:{PATH}", programs.join(":"))).env("LD_LIBRARY_PATH", libraries)
}

/// Where the machine's own programs are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where the packages are of which this is the daemon: it lies in `usr/sbin`.
fn folder_of(dockerd: &Path) -> &Path {
    dockerd.ancestors().nth(3).unwrap_or(dockerd)
}

fn docker_at(program: &Path, host: &str, words: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(words).env_clear().env("DOCKER_HOST", host).env("HOME", "/nonexistent").env("PATH", "/usr/bin:/bin");
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("docker: {error}"))
}
