//! The files behind docker's logins: how they are read and how they are written.
//!
//! Follows docker's CLI: a `config.json` that is a link is followed; new files have mode 0600 and existing ones keep theirs; the
//! file is replaced by a rename in its own directory; the content is indented with tabs.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hublease_protocol::printable::printable;
use hublease_protocol::strict_json;
use rustix::fs::{Access, access};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::effect::docker::Trouble;
use crate::native::docker::merge::{Config, Malformed};
use crate::native::process::capped::{self, Capped};

/// The largest file that is read, in bytes; docker's own have a few KiB.
const MAXIMUM_FILE: usize = 1024 * 1024;

/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// What a file holds.
#[derive(Debug)]
pub(in crate::native) struct Content {
    /// Checked content; empty for a file that is absent or empty.
    pub(in crate::native) config: Result<Config, Malformed>,
    /// Whether the file exists and others may read or write it.
    pub(in crate::native) exposed: bool,
    /// The permission bits of the file, if it exists.
    mode: Option<u32>,
}

impl Content {
    /// The content of a file that is not there.
    pub(in crate::native) fn empty() -> Self {
        Self { config: Config::new(json!({})), exposed: false, mode: None }
    }
}

/// Reads the file.
///
/// # Errors
/// The file system refuses, or it is no file or larger than 1 MiB.
pub(in crate::native) fn read(path: &Path) -> Result<Content, Trouble> {
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
pub(in crate::native) fn change(
    path: &Path,
    change: impl FnOnce(&mut Config) -> Result<(), Malformed>,
) -> Result<(), Trouble> {
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
pub(in crate::native) fn to_text(content: &Value) -> io::Result<Zeroizing<Vec<u8>>> {
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
    let temporary = directory.join(format!("config.json{}.tmp", crate::native::random(8)?));
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
pub(in crate::native) fn unwritable(path: &Path) -> Option<String> {
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

pub(super) fn unusable(sentence: &str) -> Trouble {
    Trouble::Unusable(printable(sentence))
}

#[cfg(test)]
mod tests;
