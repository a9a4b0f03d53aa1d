//! `cargo xtask wasm` and `cargo xtask dist`: the module that the Action runs, and that it is what its source builds.
//!
//! Whoever uses the Action runs the committed bytes, so anybody must be able to make them again. What would differ from
//! machine to machine is taken out: the paths of cargo's home and of the toolchain are mapped to fixed names (panic
//! messages hold them), dependencies are locked, and the toolchain is pinned by `rust-toolchain.toml`.

mod component;
mod dist;

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

pub(crate) use self::dist::{HELP as DIST_HELP, check, run as dist};
use crate::{
    Failure, no_options,
    process::{Call, cargo},
    terminal::Terminal,
    workspace::{Workspace, program},
};

/// What `cargo xtask wasm --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask wasm

Builds the module of the GitHub Action from source and writes action/hublease.wasm. The same module is wrapped as a
WASI 0.2 component in target/wasm/hublease.component.wasm, for any other host.
";

/// The target of the module.
pub(crate) const TARGET: &str = "wasm32-wasip1";

/// The module must stay under this, in bytes: every job fetches it. The aim is 300 000; what is above it is the whole
/// client, of which the generated readers and writers of messages are a quarter.
pub(crate) const LARGEST: u64 = 460_000;

/// Builds the module and its component.
pub(crate) fn run(options: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    no_options(options)?;
    let log = workspace.log("wasm")?;
    terminal.begin("building the module ... ");
    let module = Build::of(workspace).run(&log, terminal)?;
    let committed = committed(workspace);
    write(&committed, &module)?;
    let component = component_path(workspace);
    write(&component, &component::wrap(&module)?)?;
    let kilobytes = |bytes: usize| format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100);
    terminal.say(&format!("{} in {}", kilobytes(module.len()), committed.display()));
    Ok(())
}

/// The module that users run.
pub(crate) fn committed(workspace: &Workspace) -> PathBuf {
    workspace.root.join("action/hublease.wasm")
}

/// The component, for other hosts and for the tests.
pub(crate) fn component_path(workspace: &Workspace) -> PathBuf {
    workspace.target.join("wasm/hublease.component.wasm")
}

/// One build of the module.
pub(super) struct Build {
    /// Where the source is.
    source: PathBuf,
    target: PathBuf,
    /// Cargo's home, if it is another one.
    home: Option<PathBuf>,
}

impl Build {
    /// The usual one.
    pub(super) fn of(workspace: &Workspace) -> Self {
        Self { source: workspace.root.clone(), target: workspace.target.clone(), home: None }
    }

    /// Builds, and gives the module's bytes.
    ///
    /// # Errors
    /// A sentence: no target, no build.
    pub(super) fn run(&self, log: &Path, terminal: &Terminal) -> Result<Vec<u8>, String> {
        if let Some(rustup) = program("rustup") {
            Call::new(rustup).arguments(["target", "add", TARGET]).directory(&self.source).run(log, terminal)?;
        }
        let arguments = ["build", "--quiet", "--locked", "--profile", "wasm", "--package", "hublease-action"];
        let mut call = cargo(&arguments).arguments(["--target", TARGET]).directory(&self.source);
        // A caller's flags would change the bytes.
        call = call.without(|name| name == "RUSTFLAGS" || name.starts_with("CARGO_PROFILE_"));
        call = call.set("CARGO_TARGET_DIR", &self.target).set("CARGO_ENCODED_RUSTFLAGS", self.flags()?);
        if let Some(home) = &self.home {
            call = call.set("CARGO_HOME", home);
        }
        call.run(log, terminal)?;
        let path = self.target.join(TARGET).join("wasm/hublease_action.wasm");
        fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The compiler's flags: fixed names for what lies elsewhere on each machine.
    fn flags(&self) -> Result<OsString, String> {
        let rustc = |arguments: &[&str]| Call::new("rustc").arguments(arguments).directory(&self.source).text();
        let version = rustc(&["-vV"])?;
        let commit =
            version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).ok_or("rustc has no commit")?;
        let home = self.home.clone().or_else(|| env::var_os("CARGO_HOME").map(PathBuf::from));
        let home = match home {
            Some(home) => home,
            None => PathBuf::from(env::var_os("HOME").ok_or("neither CARGO_HOME nor HOME is set")?).join(".cargo"),
        };
        let sysroot = PathBuf::from(rustc(&["--print", "sysroot"])?.trim());
        let mut flags = OsString::new();
        for (from, to) in [
            (home.join("registry/src"), "/registry".to_owned()),
            (sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{commit}")),
            (self.source.clone(), "/hublease".to_owned()),
        ] {
            if !flags.is_empty() {
                flags.push("\u{1f}");
            }
            flags.push("--remap-path-prefix=");
            flags.push(from);
            flags.push(format!("={to}"));
        }
        Ok(flags)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    fs::write(path, bytes).map_err(failed)
}
