//! The docker command lines that the tests drive: the first on PATH for every test, and Debian's own besides, if it is another.
//!
//! Debian's is years older than the newest, and is what `apt-get install docker.io` gives to a runner. Where the machine has
//! a newer one, Debian's is unpacked beside the system, and the tests in which docker does something run a second time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Context, system};
use crate::process::Call;
use crate::workspace::program;

/// The package has 25 MB; a network that swallows packets takes for ever.
const DOWNLOAD: Duration = Duration::from_secs(5 * 60);
/// Debian's packages with the command line, best first: Debian 13 has it alone, before it is part of the engine's package.
pub(super) const PACKAGES: &[&str] = &["docker-cli", "docker.io"];
/// Where those packages have it.
const IN_PACKAGE: &str = "usr/bin/docker";

/// A docker command line.
#[derive(Debug)]
pub(super) struct Docker {
    pub(super) path: PathBuf,
    /// As it says itself, such as `28.2.2`.
    pub(super) version: String,
}

impl Docker {
    fn at(path: PathBuf) -> Self {
        let said = Call::new(&path).argument("--version").text().unwrap_or_default();
        let version = said.split([' ', ',', '+']).nth(2).unwrap_or("of unknown version").to_owned();
        Self { path, version }
    }

    /// The first on PATH.
    pub(super) fn first() -> Option<Self> {
        program("docker").map(Self::at)
    }
}

/// Debian's, if it is another than the first on PATH: fetched before, or fetched now.
///
/// # Errors
/// Why there is no second one: a sentence.
pub(super) fn debians(context: &Context<'_>) -> Result<Docker, String> {
    if first_is_debians() {
        return Err("the one on PATH is Debian's".to_owned());
    }
    let folder = folder(context);
    let path = folder.join(IN_PACKAGE);
    if !path.is_file() {
        fetch(context, &folder)?;
    }
    Ok(Docker::at(path))
}

/// Debian's, if [`debians`] has brought it.
pub(super) fn fetched(context: &Context<'_>) -> Option<Docker> {
    let path = folder(context).join(IN_PACKAGE);
    (path.is_file() && !first_is_debians()).then(|| Docker::at(path))
}

/// Where it is unpacked.
fn folder(context: &Context<'_>) -> PathBuf {
    context.workspace.tools().join("docker-debian")
}

/// Whether a package of Debian's has put the first on PATH there.
fn first_is_debians() -> bool {
    let Some(first) = program("docker") else { return false };
    let owner = Call::new("dpkg").argument("--search").argument(first).text().unwrap_or_default();
    PACKAGES.iter().any(|package| owner.split(':').next() == Some(*package))
}

/// `apt-get download` needs no root and no lock; nothing of the package is run.
fn fetch(context: &Context<'_>, folder: &Path) -> Result<(), String> {
    let Some(apt) = program("apt-get") else { return Err("there is no apt-get here".to_owned()) };
    let packages = folder.join("packages");
    // Left by a download that was interrupted, or by another version.
    drop(fs::remove_dir_all(folder));
    fs::create_dir_all(&packages).map_err(|error| format!("{}: {error}", packages.display()))?;
    let package = system::available(PACKAGES).unwrap_or("docker.io");
    let download = Call::new(apt).arguments(["download", "-q", package]).directory(&packages).limit(DOWNLOAD);
    download.run(&context.log, context.terminal)?;
    let files = fs::read_dir(&packages).map_err(|error| format!("{}: {error}", packages.display()))?;
    for file in files.flatten() {
        let unpack = Call::new("dpkg-deb").argument("--extract").argument(file.path()).argument(folder);
        unpack.run(&context.log, context.terminal)?;
    }
    fs::remove_dir_all(&packages).map_err(|error| format!("{}: {error}", packages.display()))?;
    if folder.join(IN_PACKAGE).is_file() { Ok(()) } else { Err(format!("{package} holds no {IN_PACKAGE}")) }
}
