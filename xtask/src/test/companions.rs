//! cargo's companions: cargo-nextest, which runs the tests, and cargo-deny.
//!
//! They are the versions of `xtask/tools/cargo`, and no others: whatever else is installed on the machine, the tests of two
//! machines are run by the same runner.

use std::path::PathBuf;

use super::python::{Packages, installed_program};
use super::{Context, Outcome, Trouble};
use crate::process::Call;
use crate::workspace::Workspace;

/// The folder of `xtask/tools`, and of `target/tools`.
const FOLDER: &str = "cargo";

/// Installs them, unless they are there.
///
/// # Errors
/// A sentence: they are not to be had on this machine.
pub(super) fn install(context: &Context<'_>) -> Result<Packages, Trouble> {
    Packages::install(context, FOLDER, "cargo-nextest and cargo-deny")
}

/// The step that brings them, and says which runner the tests will have.
pub(super) fn bring(context: &Context<'_>) -> Outcome {
    let nextest = install(context)?.program("cargo-nextest");
    let version = Call::new(nextest).arguments(["nextest", "--version"]).text()?;
    Ok(version.lines().next().unwrap_or_default().to_owned())
}

/// Where the runner is, once it has been installed.
pub(super) fn nextest(workspace: &Workspace) -> PathBuf {
    installed_program(&workspace.tools(), FOLDER, "cargo-nextest")
}
