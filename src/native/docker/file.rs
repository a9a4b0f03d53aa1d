//! The files behind docker's logins: how they are read and how they are written. What is in them is the story's business.
//!
//! Follows docker's CLI: a `config.json` that is a link is followed; new files have mode 0600 and existing ones keep theirs; the
//! file is replaced by a rename in its own directory.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;
use rustix::fs::{Access, access};

use crate::effect::docker::{File, LARGEST_FILE, Trouble};
use crate::native::process::capped::{self, Capped};

/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Reads the file; an absent one is empty.
///
/// # Errors
/// It is not UTF-8; the file system refuses, or it is no file or larger than 1 MiB.
pub(in crate::native) fn read(path: &Path) -> Result<File, Trouble> {
    let Some((content, mode)) = read_with_mode(path)? else { return Ok(File::default()) };
    Ok(File { content, exposed: mode & OTHERS != 0, exists: true })
}

/// The content and the permission bits; none if the file is not there.
fn read_with_mode(path: &Path) -> Result<Option<(Secret, u32)>, Trouble> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, &error)),
    };
    if !metadata.is_file() {
        return Err(unusable(&format!("{}: it is not a file", path.display())));
    }
    let bytes =
        fs::File::open(path).and_then(|file| capped::read(file, LARGEST_FILE)).map_err(|error| failed(path, &error))?;
    let Capped::Whole(bytes) = bytes else {
        return Err(unusable(&format!("{}: it is larger than 1 MiB", path.display())));
    };
    let content = capped::text(bytes).ok_or(Trouble::Malformed)?;
    Ok(Some((content, metadata.permissions().mode() & 0o777)))
}

/// Replaces the file, whole or not at all, if it still holds what was read.
///
/// # Errors
/// It holds something else; or as with [`read`].
pub(in crate::native) fn write(path: &Path, over: &Secret, content: &Secret) -> Result<(), Trouble> {
    let (now, mode) = read_with_mode(path)?.map_or_else(Default::default, |(now, mode)| (now, Some(mode)));
    if now != *over {
        return Err(Trouble::Changed);
    }
    replace(path, content, mode).map_err(|error| failed(path, &error))
}

fn replace(path: &Path, content: &Secret, mode: Option<u32>) -> io::Result<()> {
    let path = target(path);
    let directory = path.parent().ok_or(io::ErrorKind::NotFound)?;
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let temporary = directory.join(format!("config.json{}.tmp", crate::native::random(8)?));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(content.expose().as_bytes())?;
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

fn failed(path: &Path, error: &io::Error) -> Trouble {
    unusable(&format!("{}: {error}", path.display()))
}

pub(super) fn unusable(sentence: &str) -> Trouble {
    Trouble::Unusable(printable(sentence))
}

#[cfg(test)]
mod tests;
