//! The files behind docker's logins: where they are, how they are read and how they are written.
//!
//! Follows docker's CLI: `DOCKER_CONFIG`, else `$HOME/.docker`; a `config.json` that is a link is followed; new files
//! have mode 0600 and existing ones keep theirs; the file is replaced by a rename in its own directory; the content
//! is indented with tabs. Follows podman for its auth file: `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG/config.json`,
//! `$XDG_RUNTIME_DIR/containers/auth.json`, `/run/containers/<uid>/auth.json`.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hublease_protocol::printable::printable;
use hublease_protocol::strict_json;
use rustix::fs::{Access, access};
use rustix::process::geteuid;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::capped::{self, Capped};
use super::docker_merge::{Config, Malformed};
use super::private_directory;
use crate::effect::docker::{Client, Directory, Trouble};
use crate::environment::Environment;

/// The largest file that is read, in bytes; docker's own have a few KiB.
const MAXIMUM_FILE: usize = 1024 * 1024;

/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Where the files are, by role.
#[derive(Debug)]
pub(super) struct Places {
    environment: Arc<Environment>,
    working_directory: PathBuf,
    records: PathBuf,
}

impl Places {
    /// `records` is the record directory, which also holds the private directories.
    pub(super) fn new(environment: impl Into<Arc<Environment>>, working_directory: PathBuf, records: PathBuf) -> Self {
        Self { environment: environment.into(), working_directory, records }
    }

    /// The record directory.
    pub(super) fn records(&self) -> &Path {
        &self.records
    }

    /// Docker's directory; canonical if it exists. The user's own is also found when `DOCKER_CONFIG` is a private
    /// one that an earlier step made.
    ///
    /// # Errors
    /// No variable says where it is, or the private directory is not ours.
    pub(super) fn directory(&self, directory: &Directory) -> Result<PathBuf, Trouble> {
        match directory {
            Directory::Private(id) => private_directory::path(&self.records, id).map_err(Trouble::Unusable),
            Directory::Current => self.named(),
            Directory::User => {
                let path = self.named()?;
                Ok(private_directory::user_of(&self.records, &path).unwrap_or(path))
            }
        }
    }

    /// Whether `DOCKER_CONFIG` is a private directory that an earlier step made.
    pub(super) fn is_taken_over(&self) -> bool {
        self.named().is_ok_and(|path| private_directory::user_of(&self.records, &path).is_some())
    }

    /// The directory that docker itself would use.
    fn named(&self) -> Result<PathBuf, Trouble> {
        let path = match (self.absolute("DOCKER_CONFIG"), self.absolute("HOME")) {
            (Some(path), _) => path,
            (None, Some(home)) => home.join(".docker"),
            (None, None) => return Err(unusable("neither DOCKER_CONFIG nor HOME is set")),
        };
        Ok(fs::canonicalize(&path).unwrap_or(path))
    }

    /// The file that holds the logins of `client`.
    ///
    /// # Errors
    /// As with [`Places::directory`].
    pub(super) fn file(&self, client: Client, directory: &Directory) -> Result<PathBuf, Trouble> {
        if client != Client::Podman || matches!(directory, Directory::Private(_)) {
            return Ok(self.directory(directory)?.join("config.json"));
        }
        let runtime = || self.absolute("XDG_RUNTIME_DIR").map(|path| path.join("containers/auth.json"));
        Ok(self
            .absolute("REGISTRY_AUTH_FILE")
            .or_else(|| self.absolute("DOCKER_CONFIG").map(|path| path.join("config.json")))
            .or_else(runtime)
            .unwrap_or_else(|| PathBuf::from(format!("/run/containers/{}/auth.json", geteuid().as_raw()))))
    }

    fn absolute(&self, name: &str) -> Option<PathBuf> {
        self.environment.value(name).map(|value| self.working_directory.join(value))
    }
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Content {
    /// Checked content; empty for a file that is absent or empty.
    pub(super) config: Result<Config, Malformed>,
    /// Whether the file exists and others may read or write it.
    pub(super) exposed: bool,
    /// The permission bits of the file, if it exists.
    mode: Option<u32>,
}

impl Content {
    /// The content of a file that is not there.
    pub(super) fn empty() -> Self {
        Self { config: Config::new(json!({})), exposed: false, mode: None }
    }
}

/// Reads the file.
///
/// # Errors
/// The file system refuses, or it is no file or larger than 1 MiB.
pub(super) fn read(path: &Path) -> Result<Content, Trouble> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Content::empty());
        }
        Err(error) => return Err(failed(path, &error)),
    };
    if !metadata.is_file() {
        return Err(unusable(&format!("{}: it is not a file", path.display())));
    }
    let mode = metadata.permissions().mode() & 0o777;
    let bytes =
        File::open(path).and_then(|file| capped::read(file, MAXIMUM_FILE)).map_err(|error| failed(path, &error))?;
    let Capped::Whole(bytes) = bytes else {
        return Err(unusable(&format!("{}: it is larger than 1 MiB", path.display())));
    };
    // Docker takes an empty file for an empty object.
    let value = if bytes.trim_ascii().is_empty() { Some(json!({})) } else { strict_json::parse(&bytes) };
    let config = value.ok_or(Malformed).and_then(Config::new);
    Ok(Content { config, exposed: mode & OTHERS != 0, mode: Some(mode) })
}

/// Applies a change; a file that would stay the same is not touched.
///
/// # Errors
/// The content is malformed, or the file system refuses.
pub(super) fn change(path: &Path, change: impl FnOnce(&mut Config) -> Result<(), Malformed>) -> Result<(), Trouble> {
    let content = read(path)?;
    let before = content.config.map_err(Trouble::from)?;
    let mut after = before.clone();
    change(&mut after)?;
    if before == after {
        return Ok(());
    }
    write(path, &after.content(), content.mode).map_err(|error| failed(path, &error))
}

/// The content as docker writes it.
pub(super) fn to_text(content: &Value) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    serde::Serialize::serialize(content, &mut serde_json::Serializer::with_formatter(&mut *text, formatter))?;
    Ok(text)
}

fn write(path: &Path, content: &Value, mode: Option<u32>) -> io::Result<()> {
    let path = target(path);
    let directory = path.parent().ok_or(io::ErrorKind::NotFound)?;
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let text = to_text(content)?;
    let temporary = directory.join(format!("config.json{}.tmp", super::random(8)?));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(&text)?;
            mode.map_or(Ok(()), |mode| file.set_permissions(Permissions::from_mode(mode)))
        })
        .and_then(|()| fs::rename(&temporary, &path));
    if written.is_err() {
        // Its failure would hide the one that matters.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Why the file could not be replaced; none if it could. Nothing is written for it, so a full disk is not seen.
/// Directories that are missing can be made where the nearest one that is there can be written.
pub(super) fn unwritable(path: &Path) -> Option<String> {
    // Docker writes beside the link first, and we beside what it leads to.
    [path.to_owned(), target(path)].iter().find_map(|path| {
        let nearest = path.ancestors().skip(1).find(|directory| directory.symlink_metadata().is_ok())?;
        let error = access(nearest, Access::WRITE_OK | Access::EXEC_OK).err()?;
        Some(printable(&format!("{}: {}", nearest.display(), io::Error::from(error))))
    })
}

/// Where a link leads, so that the link itself stays; also if nothing is there yet.
fn target(path: &Path) -> PathBuf {
    fs::canonicalize(path)
        .ok()
        .or_else(|| fs::read_link(path).ok().and_then(|link| Some(path.parent()?.join(link))))
        .unwrap_or_else(|| path.to_owned())
}

impl From<Malformed> for Trouble {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

fn failed(path: &Path, error: &io::Error) -> Trouble {
    unusable(&format!("{}: {error}", path.display()))
}

fn unusable(sentence: &str) -> Trouble {
    Trouble::Unusable(printable(sentence))
}

#[cfg(test)]
mod tests;
