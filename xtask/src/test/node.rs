//! Node 24, which GitHub's runner uses for actions, for the tests of ours.
//!
//! `xtask/tools/node` names the version, and its lock file the checksums. The packages hold the program and nothing else: no
//! script of theirs is run.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Context, Outcome};
use crate::process::Call;
use crate::terminal::Terminal;
use crate::workspace::{Workspace, program};

/// The files that npm wants side by side.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];
/// The program has 120 MB; a network that swallows packets takes for ever.
const DOWNLOAD: Duration = Duration::from_secs(10 * 60);

/// Where the program is, once it is installed.
pub(super) fn path(workspace: &Workspace) -> PathBuf {
    // npm's names of the processors are Node's own.
    let processor = if ARCH == "aarch64" { "arm64" } else { "x64" };
    folder(workspace).join(format!("node_modules/node-linux-{processor}/bin/node"))
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.tools().join("node24")
}

/// Installs it unless it is there, and says which version it is.
pub(super) fn install(context: &Context<'_>) -> Outcome {
    let node = installed(context.workspace, &context.log, context.terminal).map_err(|why| context.missing(why))?;
    Ok(Call::new(node).argument("--version").text()?.trim().to_owned())
}

/// The program, installed first unless it is there.
///
/// # Errors
/// A sentence: it is not to be had on this machine.
pub(crate) fn installed(workspace: &Workspace, log: &Path, terminal: &Terminal) -> Result<PathBuf, String> {
    if !cfg!(target_os = "linux") {
        return Err("the tests have a Node of their own on Linux only".to_owned());
    }
    let folder = folder(workspace);
    let wanted = workspace.root.join("xtask/tools/node");
    let is_there = FILES.iter().all(|name| fs::read(wanted.join(name)).ok() == fs::read(folder.join(name)).ok());
    if !(is_there && path(workspace).is_file()) {
        let npm = program("npm").ok_or("npm is not installed")?;
        let copied = fs::create_dir_all(&folder)
            .and_then(|()| FILES.iter().try_for_each(|name| fs::copy(wanted.join(name), folder.join(name)).map(drop)));
        copied.map_err(|error| format!("{}: {error}", folder.display()))?;
        let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];
        let install = Call::new(npm).arguments(install).directory(&folder).limit(DOWNLOAD);
        install.run(log, terminal).map_err(|why| format!("Node cannot be installed: {why}"))?;
    }
    Ok(path(workspace))
}
