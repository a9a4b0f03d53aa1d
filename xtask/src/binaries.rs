//! The three programs, each built as its users build it: the client alone, because a build of the whole workspace
//! would give it the features that other members ask for.

use std::env;
use std::path::{Path, PathBuf};

use crate::terminal::Terminal;
use crate::workspace::{Workspace, program};

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

    /// Those that the variables of the tests name, if they name all.
    pub(crate) fn named() -> Option<Self> {
        let path = |variable: &str| env::var_os(variable).map(PathBuf::from);
        Some(Self {
            client: path("HUBLEASE_BIN")?,
            broker: path("HUBLEASE_BROKER_BIN")?,
            sandbox: path("HUBLEASE_SANDBOX_BIN")?,
        })
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
    format!("{}-unknown-linux-musl", env::consts::ARCH)
}

/// The triple of the static build for the processor of arm executors.
pub(crate) const ARM: &str = "aarch64-unknown-linux-musl";
/// The C compiler of Debian for that processor.
pub(crate) const ARM_COMPILER: &str = "aarch64-linux-gnu-gcc";

/// The C compiler that brings a C library of the static build's own.
pub(crate) const MUSL_COMPILER: &str = "musl-gcc";

/// A program that is released.
#[derive(Clone, Copy)]
pub(crate) enum Released {
    Client,
    Broker,
}

impl Released {
    fn name(self) -> &'static str {
        match self {
            Self::Client => "hublease",
            Self::Broker => "hublease-broker",
        }
    }

    /// The client is fetched by each job, so it is small; the broker serves many, so it is fast.
    fn profile(self) -> &'static str {
        match self {
            Self::Client => "release",
            Self::Broker => "server",
        }
    }
}

/// Builds a program as it is released: optimised, and linked statically.
///
/// # Errors
/// The sentence of the build that failed; its output is in the log.
pub(crate) fn build_static(
    workspace: &Workspace,
    program: Released,
    target: &str,
    log: &Path,
    terminal: &Terminal,
) -> Result<PathBuf, String> {
    let name = program.name();
    let arguments = ["build", "--locked", "--package", name, "--bin", name, "--target", target];
    let call = workspace.cargo(&arguments).arguments(["--profile", program.profile()]);
    choices(target).into_iter().fold(call, |call, (name, value)| call.set(&name, value)).run(log, terminal)?;
    Ok(static_path(workspace, program, target))
}

/// Where [`build_static`] leaves it.
pub(crate) fn static_path(workspace: &Workspace, program: Released, target: &str) -> PathBuf {
    workspace.target.join(target).join(program.profile()).join(program.name())
}

/// The C compiler. The cryptography uses no function of a C library, so for the client the compiler for glibc will do;
/// the broker's SQLite does, and needs the headers of musl. It is one compiler for both where there is one, since another
/// choice would build the cryptography anew each time; a choice made by the caller stands. Whoever builds for another
/// processor has no linker for it either, but the one of the toolchain.
fn choices(target: &str) -> Vec<(String, &'static str)> {
    let variable = target.replace('-', "_");
    let is_foreign = target != static_target();
    let name = format!("CC_{variable}");
    let chosen = [name.as_str(), "CC", "TARGET_CC"].iter().any(|name| env::var_os(name).is_some());
    let here = if program(MUSL_COMPILER).is_some() { MUSL_COMPILER } else { "cc" };
    let compiler = (!chosen).then_some((name, if is_foreign { ARM_COMPILER } else { here }));
    let linker = is_foreign.then(|| (format!("CARGO_TARGET_{}_LINKER", variable.to_uppercase()), "rust-lld"));
    compiler.into_iter().chain(linker).collect()
}
