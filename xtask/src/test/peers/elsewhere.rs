//! A peer's program for whoever starts it outside of the peers' tests.

use std::env;
use std::path::PathBuf;

use hublease_peers::Peer;

use super::cache::Cache;
use super::{Context, Setback, fetch};
use crate::binaries::Binaries;
use crate::terminal::Terminal;
use crate::test::Options;
use crate::workspace::Workspace;

/// The one that the tests' variable names, or the one in the cache, fetched now if it is not there.
///
/// # Errors
/// A sentence: what it needs, or why it cannot be had.
pub(crate) fn program(peer: &Peer, workspace: &Workspace, terminal: &Terminal) -> Result<PathBuf, String> {
    if let Some(named) = env::var_os(peer.variable()) {
        return Ok(named.into());
    }
    let (binaries, log) = (Binaries::of(workspace), workspace.log(&format!("peer-{}", peer.name))?);
    let context = Context { workspace, terminal, options: &Options::default(), binaries, log };
    fetch::program(&context, peer, &Cache::at(None)?).map_err(|setback| match setback {
        Setback::NotRun(why) | Setback::Failed(why) => format!("{}: {why}", peer.name),
    })
}
