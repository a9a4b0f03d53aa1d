//! The proof that `action/hublease.wasm` is what its source builds.
//!
//! The source is copied to a directory of another name and depth and built there, with another target directory and
//! another home of cargo. The toolchain may have the component `rust-src` or not. Only x86_64 Linux is compared:
//! elsewhere the compiler is another program.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Build, LARGEST, cargo_home, committed};
use crate::failure::Failure;
use crate::process::Call;
use crate::terminal::Terminal;
use crate::workspace::Workspace;

/// What `cargo xtask dist --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask dist --check

Builds the module of the GitHub Action in two directories, with two homes of cargo, and fails unless both are the
committed action/hublease.wasm, byte for byte. On another platform than x86_64 Linux it says so and does nothing.
";

/// `cargo xtask dist --check`.
pub(crate) fn run(options: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    if options != ["--check"] {
        return Err(Failure::Usage("`cargo xtask dist` takes `--check`".to_owned()));
    }
    let log = workspace.log("dist")?;
    terminal.begin("building the module twice ... ");
    let note = check(workspace, &log, terminal)?;
    terminal.say(&note);
    Ok(())
}

/// Compares; the note says what was found.
///
/// # Errors
/// A sentence: the bytes differ, or nothing could be built.
pub(crate) fn check(workspace: &Workspace, log: &Path, terminal: &Terminal) -> Result<String, String> {
    let path = committed(workspace);
    let module = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let size = module.len() as u64;
    if size >= LARGEST {
        return Err(format!("the module has {size} bytes; it must be under {LARGEST}"));
    }
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Ok(format!("{size} bytes; not compared, because the bytes are those of a build on x86_64 Linux"));
    }
    if Build::of(workspace).run(log, terminal)? != module {
        return Err("action/hublease.wasm is not what the source builds; run `cargo xtask wasm`".to_owned());
    }
    let elsewhere = Elsewhere::make(workspace, log, terminal)?;
    if elsewhere.build().run(log, terminal)? != module {
        return Err("the module differs when it is built in another directory with another cargo home".to_owned());
    }
    Ok(format!("{size} bytes, the same from two directories and two cargo homes"))
}

/// A copy of the source and a home of cargo of its own, removed afterwards.
struct Elsewhere {
    root: PathBuf,
}

impl Elsewhere {
    fn make(workspace: &Workspace, log: &Path, terminal: &Terminal) -> Result<Self, String> {
        let elsewhere = Self { root: workspace.target.join("wasm/elsewhere") };
        elsewhere.clear()?;
        let failed = |error: std::io::Error| format!("{}: {error}", elsewhere.root.display());
        fs::create_dir_all(elsewhere.source()).map_err(failed)?;
        // What the build reads; the manifests of the other members are part of the workspace.
        for name in SOURCE {
            let call = Call::new("cp").arguments(["-R", "--"]).argument(workspace.root.join(name));
            call.argument(elsewhere.source()).run(log, terminal)?;
        }
        fs::create_dir_all(elsewhere.home().join("registry")).map_err(failed)?;
        // The downloads are shared, what is unpacked of them is not.
        let home = cargo_home()?;
        for name in ["registry/cache", "registry/index", "config.toml"] {
            let (from, to) = (home.join(name), elsewhere.home().join(name));
            if from.try_exists().map_err(failed)? {
                symlink(from, to).map_err(failed)?;
            }
        }
        Ok(elsewhere)
    }

    fn source(&self) -> PathBuf {
        self.root.join("a/deeper/copy")
    }

    fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    fn build(&self) -> Build {
        Build { source: self.source(), target: self.root.join("built"), home: Some(self.home()) }
    }

    fn clear(&self) -> Result<(), String> {
        match fs::remove_dir_all(&self.root) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(format!("{}: {error}", self.root.display()))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // What is left lies in the target directory.
        drop(self.clear());
    }
}

/// What is copied: cargo wants every member of the workspace, though the module needs a few.
const SOURCE: [&str; 13] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "clippy.toml",
    "src",
    "action",
    "broker",
    "hub",
    "peers",
    "protocol",
    "sandbox",
    "xtask",
    ".cargo",
];

#[cfg(test)]
mod tests {
    use super::SOURCE;

    #[test]
    fn every_member_of_the_workspace_is_copied() {
        let manifest = include_str!("../../../Cargo.toml");
        let members = manifest.lines().find_map(|line| line.strip_prefix("members = ")).unwrap();
        let names: Vec<_> = members.split('"').skip(1).step_by(2).collect();
        assert!(names.len() > 5, "{members}");
        for name in names {
            let folder = name.split('/').next().unwrap_or(name);
            assert!(SOURCE.contains(&folder), "{name}");
        }
    }
}
