//! The native host: performs effects with sockets, processes, files and signals.
//!
//! Everything that decides where a secret goes is fixed in [`Setup`] before the story starts: the origin behind each
//! destination, the directories, the programs' search path. What the story reads from the network can choose among
//! these and no more. Unix only so far; what Windows would need differently is in `process`, `store`, `docker` and
//! `wait::signals`.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is the native edge")]

pub mod arguments;
mod docker;
mod http;
mod identity;
mod process;
pub mod run;
#[cfg(test)]
mod stand_in;
mod store;
mod terminal;
mod wait;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use hublease_protocol::ci::LaterStepsForm;
use hublease_protocol::endpoint::Origin;
use hublease_protocol::hex;

use crate::effect::http::Destination;
use crate::environment::Environment;
pub use crate::native::http::certificates::{Certificates, Trusted, read_certificates};
pub use crate::native::terminal::Reporting;
pub use crate::native::wait::performer::Performer;

/// Everything that is fixed before the story starts.
#[derive(Debug)]
pub struct Setup {
    /// The origin behind each destination; one that is not listed cannot be reached.
    pub destinations: Vec<(Destination, Origin)>,
    /// Certificates that are trusted in addition to the system's (`--ca-cert`).
    pub certificates: Option<Trusted>,
    /// The file of `--identity-token-file`.
    pub identity_file: Option<PathBuf>,
    /// The snapshot of the environment.
    pub environment: Environment,
    /// The absolute path of the workspace. In CI (`CI` is set), programs inside it are never run.
    pub working_directory: PathBuf,
    /// How long the story may take before its forward effects are stopped: 90 s for `login`, 30 s for `logout`. For
    /// `exec` it ends when the command is started.
    pub forward_limit: Option<Duration>,
    /// What is shown, and how.
    pub reporting: Reporting,
    /// The files in which later steps of the job learn a variable, and how it is written there.
    pub later_steps: Vec<(PathBuf, LaterStepsForm)>,
}

/// Random bytes from the operating system, as lower-case hexadecimal.
fn random(bytes: usize) -> io::Result<String> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).map_err(io::Error::other)?;
    Ok(hex::lower(&buffer))
}
