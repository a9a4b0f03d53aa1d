//! Where a server runs: a directory of its own, and ports of loopback that nobody had a moment ago.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use tempfile::TempDir;

/// A directory that goes away with the server.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn directory(name: &str) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(&format!("hublease-peer-{name}-")).tempdir()
}

/// A port that is free now. Somebody else may take it before the server does; whoever starts one tries again then.
///
/// # Errors
/// When there is none.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// How often a server is started that found its port taken: ports of this range come back after minutes, so a second loss is rare and
/// a fifth is not to be expected.
pub(crate) const TRIES: usize = 5;

/// Whether a server ended because its port was taken: glibc's and Go's word for it.
pub(crate) fn port_was_taken(log: &Path) -> bool {
    std::fs::read_to_string(log).is_ok_and(|text| text.contains("ddress already in use"))
}
