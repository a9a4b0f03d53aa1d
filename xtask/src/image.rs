//! `cargo xtask image ARCHIVE...`: whether archives of the broker's image hold what `deploy/Containerfile` promises, whoever
//! built them; `--lay-out`: the directory that they are built from.
//!
//! Builders differ in the modes and owners of directories that they make themselves, and an image with the wrong ones
//! does not start. So the archives of all of them are compared with one table.

mod archive;
mod lay_out;

use std::path::Path;

pub(crate) use self::archive::Image;
pub(crate) use self::lay_out::lay_out;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::workspace::Workspace;

/// What `cargo xtask image --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask image ARCHIVE...
       cargo xtask image --lay-out FOLDER BROKER

Compares archives of the broker's image with what deploy/Containerfile promises: names, modes, owners, user. An archive
is what `podman save`, `docker save`, `skopeo copy` or BuildKit's `--output type=oci,dest=FILE` writes. Needs GNU tar.

`--lay-out` makes FOLDER/image of a broker's program, by the commands in the header of deploy/Containerfile: what the image
is built from.
";

/// Mode, owner and name of everything in the image, sorted by name. The table is the contract of the container file.
const ENTRIES: [&str; 14] = [
    "drwxr-xr-x 0:0 etc",
    "drwxr-xr-x 0:0 etc/hublease",
    "drwxr-xr-x 0:0 etc/ssl",
    "drwxr-xr-x 0:0 etc/ssl/certs",
    "-r--r--r-- 0:0 etc/ssl/certs/ca-certificates.crt",
    "-r-xr-xr-x 0:0 hublease-broker",
    "drwxr-xr-x 0:0 licenses",
    "-r--r--r-- 0:0 licenses/LICENSE-APACHE",
    "-r--r--r-- 0:0 licenses/LICENSE-MIT",
    "-r--r--r-- 0:0 licenses/hublease-broker.txt",
    "drwxr-xr-x 0:0 var",
    "drwxr-xr-x 0:0 var/lib",
    "drwxrwx--- 0:0 var/lib/hublease",
    "user 65532:0",
];

/// `cargo xtask image`.
pub(crate) fn run(options: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    if let [word, folder, broker] = options
        && word == "--lay-out"
    {
        return Ok(lay_out(&workspace.root, Path::new(folder), Path::new(broker))?);
    }
    if options.is_empty() || options.iter().any(|option| option.starts_with('-')) {
        return Err(Failure::Usage("`cargo xtask image` takes archives, or `--lay-out FOLDER BROKER`".to_owned()));
    }
    for path in options {
        check(Path::new(path))?;
        terminal.say(&format!("{path}: as deploy/Containerfile promises"));
    }
    Ok(())
}

/// Compares an archive of the image with the table.
///
/// # Errors
/// A sentence: what differs, or why the archive cannot be read.
pub(crate) fn check(archive: &Path) -> Result<(), String> {
    let found = Image::read(archive)?.lines();
    let extra = found.iter().filter(|line| !ENTRIES.contains(&line.as_str())).map(|line| format!("+ {line}"));
    let missing = ENTRIES.iter().filter(|line| !found.iter().any(|found| found == *line));
    let differences: Vec<String> = missing.map(|line| format!("- {line}")).chain(extra).collect();
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!("{}: the image differs from what is promised: {}", archive.display(), differences.join("; ")))
}

#[cfg(test)]
mod tests;
