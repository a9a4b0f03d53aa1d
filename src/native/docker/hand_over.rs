//! What a tool made in a private directory is the user's: it is handed over to the user's own directory.
//!
//! Nothing that is there is written over. Two directories become one, and a file that is there already, byte for byte, has
//! arrived. What cannot be handed over stays where it is.

use std::fs::{self, DirBuilder, FileType};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::Path;

/// The most bytes that are copied from one file system to another. Builders, contexts and keys have some KiB; a cache that
/// is larger would use up the time in which the credential has to be revoked.
const LARGEST_COPY: u64 = 64 * 1024 * 1024;

/// Hands over what lies at `from`. Returns whether nothing of it is left there.
///
/// # Errors
/// The file system refuses; what was not handed over yet is still at `from`.
pub(super) fn hand_over(from: &Path, to: &Path) -> io::Result<bool> {
    let (ours, theirs) = match (fs::symlink_metadata(from)?.file_type(), fs::symlink_metadata(to)) {
        (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => return move_there(from, to).map(|()| true),
        (_, Err(error)) => return Err(error),
        (ours, Ok(theirs)) => (ours, theirs.file_type()),
    };
    if ours.is_dir() && theirs.is_dir() {
        let mut is_empty = true;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            // One that stays keeps none of the others.
            is_empty &= hand_over(&from.join(&name), &to.join(&name)).unwrap_or(false);
        }
        return if is_empty { fs::remove_dir(from).map(|()| true) } else { Ok(false) };
    }
    let has_arrived = is_same(ours, theirs, from, to)?;
    if has_arrived {
        fs::remove_file(from)?;
    }
    Ok(has_arrived)
}

fn is_same(ours: FileType, theirs: FileType, from: &Path, to: &Path) -> io::Result<bool> {
    if ours.is_symlink() && theirs.is_symlink() {
        return Ok(fs::read_link(from)? == fs::read_link(to)?);
    }
    let is_as_long = || -> io::Result<bool> {
        let length = fs::symlink_metadata(from)?.len();
        Ok(length == fs::symlink_metadata(to)?.len() && length <= LARGEST_COPY)
    };
    Ok(ours.is_file() && theirs.is_file() && is_as_long()? && fs::read(from)? == fs::read(to)?)
}

fn move_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            if size(from)? > LARGEST_COPY {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            copy(from, to).inspect_err(|_| drop(remove(to)))?;
            remove(from)
        }
        result => result,
    }
}

fn size(path: &Path) -> io::Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    fs::read_dir(path)?.try_fold(0, |sum: u64, entry| Ok(sum.saturating_add(size(&entry?.path())?)))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    let kind = metadata.file_type();
    if kind.is_symlink() {
        symlink(fs::read_link(from)?, to)
    } else if kind.is_dir() {
        DirBuilder::new().mode(0o700).create(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        fs::set_permissions(to, fs::Permissions::from_mode(metadata.permissions().mode()))
    } else if kind.is_file() {
        fs::copy(from, to).map(drop)
    } else {
        // Sockets and pipes belong to a process.
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::Path;

    use super::{copy, size};

    /// What a directory holds, one line for each name: files with their text.
    pub(in crate::native::docker) fn shown(at: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        let mut lines = Vec::new();
        for path in names {
            let name = path.file_name().unwrap().to_str().unwrap();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_symlink() {
                lines.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
            } else if kind.is_dir() {
                lines.push(format!("{name}/"));
                lines.extend(shown(&path).into_iter().map(|line| format!("{name}/{line}")));
            } else {
                lines.push(format!("{name}={}", fs::read_to_string(&path).unwrap()));
            }
        }
        lines
    }

    /// Makes what [`shown`] shows; a `!` in front takes away first what is there, as a tool that writes beside and renames.
    pub(in crate::native::docker) fn fill(at: &Path, lines: &[&str]) {
        fs::create_dir_all(at).unwrap();
        for line in lines {
            let anew = line.strip_prefix('!');
            if let Some((name, _)) = anew.and_then(|line| line.split_once('=')) {
                fs::remove_file(at.join(name)).unwrap();
            }
            let line = anew.unwrap_or(line);
            if let Some((name, target)) = line.split_once(" -> ") {
                symlink(target, at.join(name)).unwrap();
            } else if let Some((name, text)) = line.split_once('=') {
                fs::write(at.join(name), text).unwrap();
            } else {
                fs::create_dir_all(at.join(line)).unwrap();
            }
        }
    }

    #[test]
    fn a_copy_is_the_same_and_keeps_modes() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fill(&from, &["a=123", "b/", "b/c=45", "b/d -> /nowhere", "e/"]);
        fs::set_permissions(from.join("b"), fs::Permissions::from_mode(0o750)).unwrap();
        fs::set_permissions(from.join("a"), fs::Permissions::from_mode(0o600)).unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(shown(&to), shown(&from));
        for (name, mode) in [("a", 0o600), ("b", 0o750)] {
            assert_eq!(fs::metadata(to.join(name)).unwrap().permissions().mode() & 0o777, mode, "{name}");
        }
        assert!(size(&from).unwrap() >= 5);
        let _socket = UnixListener::bind(from.join("s")).unwrap();
        assert!(copy(&from, &root.path().join("again")).is_err(), "a socket is no file");
    }
}
