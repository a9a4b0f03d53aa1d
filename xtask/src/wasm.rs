//! `cargo xtask wasm` and `cargo xtask dist`: the module that the Action runs, and that it is what its source builds.
//!
//! Whoever uses the Action runs the committed bytes, so anybody must be able to make them again. What would differ from
//! machine to machine is taken out: the paths of cargo's home and of the toolchain are mapped to fixed names (panic
//! messages hold them), dependencies are locked, and the toolchain is pinned by `rust-toolchain.toml`.

mod component;
mod dist;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

pub(crate) use self::dist::{HELP as DIST_HELP, check, run as dist};
use crate::failure::{Failure, no_options};
use crate::process::{Call, cargo};
use crate::terminal::Terminal;
use crate::workspace::{Workspace, program};

/// What `cargo xtask wasm --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask wasm

Builds the module of the GitHub Action from source and writes action/hublease.wasm. The same module is wrapped as a
WASI 0.2 component in target/wasm/hublease.component.wasm, for any other host.
";

/// The target of the module.
pub(crate) const TARGET: &str = "wasm32-wasip1";

/// The module must stay under this, in bytes: every job fetches it. The aim is 300 000; what is above it is the whole
/// client, of which the generated readers and writers of messages are a quarter. The reader of docker's file, which was
/// JavaScript beside the module before, is 25 000 of them, what is said of a logout at Vault 18 000, and what stands in
/// the way to a server, by its kind, 3 000; `whoami` and what makes a rule narrow 57 000, private directories that logins
/// share 40 000, reading a login back 11 000.
pub(crate) const LARGEST: u64 = 720_000;

/// Builds the module and its component.
pub(crate) fn run(options: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    no_options(options)?;
    let log = workspace.log("wasm")?;
    terminal.begin("building the module ... ");
    let module = Build::of(workspace).run(&log, terminal)?;
    let committed = committed(workspace);
    write(&committed, &module)?;
    wrap(workspace)?;
    let kilobytes = |bytes: usize| format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100);
    terminal.say(&format!("{} in {}", kilobytes(module.len()), committed.display()));
    Ok(())
}

/// Wraps the committed module as a component, so that its tests are of the very bytes that users run.
///
/// # Errors
/// A sentence: there is no such module.
pub(crate) fn wrap(workspace: &Workspace) -> Result<(), String> {
    let path = committed(workspace);
    let module = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    write(&component_path(workspace), &component::wrap(&module)?)
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
        // First, because the flags name the directories into which crates are unpacked.
        let fetch = self.cargo(&["fetch", "--quiet", "--locked", "--target", TARGET]);
        fetch.run(log, terminal)?;
        let arguments = ["build", "--quiet", "--locked", "--profile", "wasm", "--package", "hublease-action"];
        let call = self.cargo(&arguments).arguments(["--target", TARGET]);
        // A caller's flags would change the bytes.
        let call = call.without(|name| name == "RUSTFLAGS" || name.starts_with("CARGO_PROFILE_"));
        let call = call.set("CARGO_TARGET_DIR", &self.target).set("CARGO_ENCODED_RUSTFLAGS", self.flags()?);
        call.run(log, terminal)?;
        let path = self.target.join(TARGET).join("wasm/hublease_action.wasm");
        fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn cargo(&self, arguments: &[&str]) -> Call {
        let call = cargo(arguments).directory(&self.source);
        self.home.iter().fold(call, |call, home| call.set("CARGO_HOME", home))
    }

    /// The compiler's flags: fixed names for what lies elsewhere on each machine.
    fn flags(&self) -> Result<OsString, String> {
        let rustc = |arguments: &[&str]| Call::new("rustc").arguments(arguments).directory(&self.source).text();
        let version = rustc(&["-vV"])?;
        let commit =
            version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).ok_or("rustc has no commit")?;
        let home = self.home.clone().map_or_else(cargo_home, Ok)?;
        let sysroot = PathBuf::from(rustc(&["--print", "sysroot"])?.trim());
        let mut names = vec![
            (sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{commit}")),
            (self.source.clone(), "/hublease".to_owned()),
        ];
        // One directory for each registry; behind a mirror it has another name.
        let registries = home.join("registry/src");
        let unpacked = fs::read_dir(&registries).map_err(|error| format!("{}: {error}", registries.display()))?;
        names.extend(unpacked.filter_map(Result::ok).map(|registry| (registry.path(), "/registry".to_owned())));
        let mut flags = OsString::new();
        for (from, to) in names {
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

/// Cargo's own home, where it keeps what it has fetched.
fn cargo_home() -> Result<PathBuf, String> {
    let beside = || Some(PathBuf::from(env::var_os("HOME")?).join(".cargo"));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(beside);
    home.ok_or_else(|| "neither CARGO_HOME nor HOME is set".to_owned())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    fs::write(path, bytes).map_err(failed)
}
