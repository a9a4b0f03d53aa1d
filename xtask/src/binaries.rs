//! The three programs, each built as its users build it: the client alone, because a build of the whole workspace
//! would give it the features that other members ask for.

use std::path::{Path, PathBuf};

use crate::{terminal::Terminal, workspace::Workspace};

/// Paths of what was built.
pub(crate) struct Binaries {
    pub(crate) client: PathBuf,
    pub(crate) broker: PathBuf,
    pub(crate) sandbox: PathBuf,
}

impl Binaries {
    /// Where the unoptimised programs are once they are built.
    pub(crate) fn of(workspace: &Workspace) -> Self {
        let path = |name: &str| workspace.target.join("debug").join(name);
        Self { client: path("hublease"), broker: path("hublease-broker"), sandbox: path("hublease-sandbox") }
    }

    /// Builds them.
    ///
    /// # Errors
    /// The sentence of the build that failed; its output is in the log.
    pub(crate) fn build(workspace: &Workspace, log: &Path, terminal: &Terminal) -> Result<Self, String> {
        for name in ["hublease", "hublease-broker", "hublease-sandbox"] {
            workspace.cargo(&["build", "--locked", "--package", name, "--bin", name]).run(log, terminal)?;
        }
        Ok(Self::of(workspace))
    }
}

/// The triple of the static build on this machine.
pub(crate) fn static_target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// Builds the client as it is released: optimised, and linked statically.
///
/// # Errors
/// The sentence of the build that failed; its output is in the log.
pub(crate) fn build_static(workspace: &Workspace, log: &Path, terminal: &Terminal) -> Result<PathBuf, String> {
    let target = static_target();
    let arguments =
        ["build", "--locked", "--release", "--package", "hublease", "--bin", "hublease", "--target", &target];
    let call = workspace.cargo(&arguments);
    compiler(&target).into_iter().fold(call, |call, (name, value)| call.set(&name, value)).run(log, terminal)?;
    Ok(static_path(workspace))
}

/// Where [`build_static`] leaves it.
pub(crate) fn static_path(workspace: &Workspace) -> PathBuf {
    workspace.target.join(static_target()).join("release/hublease")
}

/// The C compiler for the cryptography. Its C and assembly sources use no function of a C library, so the machine's own
/// compiler will do, and none for musl has to be installed; a choice made by the caller stands.
fn compiler(target: &str) -> Option<(String, &'static str)> {
    let name = format!("CC_{}", target.replace('-', "_"));
    let chosen = [name.as_str(), "CC", "TARGET_CC"].iter().any(|name| std::env::var_os(name).is_some());
    (!chosen).then_some((name, "cc"))
}
