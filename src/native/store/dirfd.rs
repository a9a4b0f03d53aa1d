//! A directory held by its descriptor: what is checked is what is used.
//!
//! It was opened without following a link in its last component, belongs to this user and has mode 0700. Files in
//! it are opened without following links, made exclusively under a name of chance and renamed into place, with mode
//! 0600. There is no `fsync`: a machine that loses its power loses the job as well.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;
use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, flock, fstat, mkdirat, openat, renameat, statat, symlinkat,
    unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::native::process::capped::{self, Capped};

const PRIVATE_DIRECTORY: Mode = Mode::RWXU;
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);
const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The part of a mode that decides who may do what.
const PERMISSIONS: u32 = 0o777;

/// A directory of ours.
#[derive(Debug)]
pub(in crate::native) struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens `path`, made first if `create`; none if it is not there. Its parent must exist, links allowed.
    ///
    /// # Errors
    /// A printable sentence: the system refuses, it is no directory or a link, belongs to somebody else, or has
    /// another mode than 0700.
    pub(in crate::native) fn open(path: &Path, create: bool) -> Result<Option<Self>, String> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(sentence(path, "it has no parent directory"));
        };
        let parent = rustix::fs::open(parent, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let parent = match parent {
            Err(Errno::NOENT) if !create => return Ok(None),
            parent => parent.map_err(|error| failed(path, error))?,
        };
        match open_at(&parent, Path::new(name), create) {
            Ok(descriptor) => Self::checked(descriptor, path).map(Some),
            // It was there, or made, and went away at the same moment.
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(path, error)),
        }
    }

    /// Opens somebody's directory as it is, links allowed, made first with mode 0700 if `create`; none if it is not there.
    ///
    /// # Errors
    /// A printable sentence: the system refuses.
    pub(in crate::native) fn beside(path: &Path, create: bool) -> Result<Option<Self>, String> {
        if create {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.map_err(|error| sentence(path, &error.to_string()))?;
        }
        match rustix::fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(descriptor) => Ok(Some(Self { descriptor, path: path.to_owned() })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(path, error)),
        }
    }

    /// A directory inside this one, under the same conditions. With `create` it must not be there yet.
    ///
    /// # Errors
    /// As with [`Folder::open`].
    pub(in crate::native) fn inner(&self, name: &str, create: bool) -> Result<Option<Self>, String> {
        let path = self.path.join(name);
        if create {
            mkdirat(&self.descriptor, name, PRIVATE_DIRECTORY).map_err(|error| failed(&path, error))?;
        }
        match open_at(&self.descriptor, Path::new(name), false) {
            Ok(descriptor) => Self::checked(descriptor, &path).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(&path, error)),
        }
    }

    /// Where it is.
    pub(in crate::native) fn path(&self) -> &Path {
        &self.path
    }

    /// The names in it, sorted; names that are not UTF-8 with replacement characters.
    pub(in crate::native) fn names(&self) -> Result<Vec<String>, String> {
        let list = || -> Result<Vec<String>, Errno> {
            let mut names = Vec::new();
            for entry in Dir::read_from(&self.descriptor)? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                if name != "." && name != ".." {
                    names.push(name);
                }
            }
            names.sort();
            Ok(names)
        };
        list().map_err(|error| failed(&self.path, error))
    }

    /// Since when a file is as it is: seconds and nanoseconds; nothing for one that cannot be asked about.
    pub(in crate::native) fn changed(&self, name: &str) -> Option<(i64, u64)> {
        let stat = statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some((stat.st_mtime as i64, stat.st_mtime_nsec as u64))
    }

    /// Whether it is still where it was opened: an empty one may have been removed meanwhile.
    pub(in crate::native) fn is_linked(&self) -> bool {
        fstat(&self.descriptor).is_ok_and(|stat| stat.st_nlink > 0)
    }

    /// A file's content; none if it is not there.
    ///
    /// # Errors
    /// A printable sentence: it is a link or no file, belongs to somebody else, others may read or write it, it is
    /// larger than `cap` bytes, or it is not text.
    pub(in crate::native) fn read(&self, name: &str, cap: usize) -> Result<Option<Secret>, String> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let descriptor = match openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::MLINK) => return Err(sentence(&path, "it is a link")),
            Err(error) => return Err(failed(&path, error)),
        };
        let stat = fstat(&descriptor).map_err(|error| failed(&path, error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(sentence(&path, "it is not a file"));
        }
        check_owner(&path, stat.st_uid)?;
        if stat.st_mode as u32 & 0o077 != 0 {
            return Err(sentence(&path, "others may read or write it"));
        }
        match capped::read(File::from(descriptor), cap).map_err(|error| sentence(&path, &error.to_string()))? {
            Capped::TooLarge => Err(sentence(&path, &format!("it is larger than {cap} bytes"))),
            Capped::Whole(bytes) => capped::text(bytes).map(Some).ok_or_else(|| sentence(&path, "it is not text")),
        }
    }

    /// Writes or replaces a file, whole or not at all.
    ///
    /// # Errors
    /// A printable sentence.
    pub(in crate::native) fn write(&self, name: &str, content: &str) -> Result<(), String> {
        let path = self.path.join(name);
        let write = || -> io::Result<()> {
            let temporary = format!(".{}.tmp", crate::native::random(8)?);
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let descriptor = openat(&self.descriptor, &temporary, flags, PRIVATE_FILE)?;
            let written = File::from(descriptor)
                .write_all(content.as_bytes())
                .and_then(|()| Ok(renameat(&self.descriptor, &temporary, &self.descriptor, name)?));
            if written.is_err() {
                // Its failure would hide the one that matters.
                let _ = unlinkat(&self.descriptor, &temporary, AtFlags::empty());
            }
            written
        };
        write().map_err(|error| sentence(&path, &error.to_string()))
    }

    /// Makes a link to `target`.
    ///
    /// # Errors
    /// A printable sentence.
    pub(in crate::native) fn link(&self, name: &str, target: &Path) -> Result<(), String> {
        symlinkat(target, &self.descriptor, name).map_err(|error| failed(&self.path.join(name), error))
    }

    /// Removes a file or a link, never what the link leads to; success if it is not there.
    ///
    /// # Errors
    /// A printable sentence.
    pub(in crate::native) fn remove(&self, name: &str) -> Result<(), String> {
        self.unlink(name, AtFlags::empty())
    }

    /// Keeps other writers of this directory out until it is closed.
    ///
    /// # Errors
    /// A printable sentence.
    pub(in crate::native) fn lock(&self) -> Result<(), String> {
        flock(&self.descriptor, FlockOperation::LockExclusive).map_err(|error| failed(&self.path, error))
    }

    /// Removes an empty directory; success if it is not there.
    ///
    /// # Errors
    /// A printable sentence.
    pub(in crate::native) fn remove_directory(&self, name: &str) -> Result<(), String> {
        self.unlink(name, AtFlags::REMOVEDIR)
    }

    fn unlink(&self, name: &str, flags: AtFlags) -> Result<(), String> {
        match unlinkat(&self.descriptor, name, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(failed(&self.path.join(name), error)),
        }
    }

    fn checked(descriptor: OwnedFd, path: &Path) -> Result<Self, String> {
        let stat = fstat(&descriptor).map_err(|error| failed(path, error))?;
        check_owner(path, stat.st_uid)?;
        if stat.st_mode as u32 & PERMISSIONS != 0o700 {
            return Err(sentence(path, &format!("its mode is {:04o}, not 0700", stat.st_mode as u32 & PERMISSIONS)));
        }
        Ok(Self { descriptor, path: path.to_owned() })
    }
}

fn open_at(parent: impl AsFd, name: &Path, create: bool) -> Result<OwnedFd, Errno> {
    if create {
        match mkdirat(&parent, name, PRIVATE_DIRECTORY) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
    }
    openat(parent, name, DIRECTORY, Mode::empty())
}

fn check_owner(path: &Path, owner: u32) -> Result<(), String> {
    if owner == geteuid().as_raw() { Ok(()) } else { Err(sentence(path, "it belongs to another user")) }
}

fn failed(path: &Path, error: Errno) -> String {
    match error {
        Errno::NOTDIR | Errno::LOOP | Errno::MLINK => sentence(path, "it is a link or not a directory"),
        error => sentence(path, &io::Error::from(error).to_string()),
    }
}

fn sentence(path: &Path, what: &str) -> String {
    printable(&format!("{}: {what}", path.display()))
}
