//! Where a server runs: a directory of its own, and ports of loopback that nobody had a moment ago.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io};

use tempfile::TempDir;

/// A directory that goes away with the server.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn directory(name: &str) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(&format!("hublease-peer-{name}-")).tempdir()
}

/// A port that is free now. It is none of those that the system gives to whoever asks for any: a server that was killed is to
/// come back at its address, and in between a program beside it would be given the port. Somebody else may still take it before
/// the server does; whoever starts one tries again then.
///
/// # Errors
/// When there is none.
pub(crate) fn free_port() -> io::Result<u16> {
    let given_to_anybody = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let end: u16 = given_to_anybody.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(32_768);
    let Some(ports) = end.checked_sub(FIRST_PORT).filter(|ports| *ports > 0) else {
        return Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port());
    };
    let mut refused = io::Error::other("no port is free");
    for _ in 0..MOST_PORTS {
        let chance = RandomState::new().build_hasher().finish() % u64::from(ports);
        let port = FIRST_PORT + u16::try_from(chance).map_err(io::Error::other)?;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Where the ports begin that a server is given, above those of well-known services.
const FIRST_PORT: u16 = 15_000;

/// How many ports are tried: most of them are free.
const MOST_PORTS: usize = 64;

/// How often a server is started that found its port taken: ports of this range come back after minutes, so a second loss is rare and
/// a fifth is not to be expected.
pub(crate) const TRIES: usize = 5;

/// Whether a server ended because its port was taken: glibc's and Go's word for it.
pub(crate) fn port_was_taken(log: &Path) -> bool {
    fs::read_to_string(log).is_ok_and(|text| text.contains("ddress already in use"))
}

/// Takes away what a daemon that was killed, or a container of its, has left mounted; deepest first.
pub(crate) fn unmount_below(directory: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let below = |line: &&str| line.split(' ').nth(1).is_some_and(|path| Path::new(path).starts_with(directory));
    let paths: Vec<&str> = mounts.lines().filter(below).filter_map(|line| line.split(' ').nth(1)).collect();
    for path in paths.into_iter().rev() {
        // Gone meanwhile.
        Command::new("umount").arg("--lazy").arg(path).stderr(Stdio::null()).status().ok();
    }
}
