//! The one way to open a file that holds a secret, or tells who was given one: who may read it, who may have written it, and
//! whose link leads there is looked at each time, for every such file alike.
//!
//! Kubernetes and systemd put secrets in place as root, by links of root's, and give their group the right to read: that is
//! accepted. What everybody may read or write is not, nor what another user owns, or has linked.

use std::fmt;
use std::fs::{File, Metadata, metadata, symlink_metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

/// What a file is, by who may have access to it besides its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// A password, a token or a key: nobody may write it, and its group may read it.
    Secret,
    /// An identity token that a kubelet writes for the pod, readable by all who are in it: nobody else may write it.
    Projected,
    /// The journal: its group may read and write it, where a platform gives the broker a user of its own.
    Journal,
}

/// A file that has to be guarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardedFile {
    /// What it is to the configuration.
    pub what: String,
    /// Where it is.
    pub path: PathBuf,
    /// How it is guarded.
    pub guard: Guard,
}

/// Why a file is not used, in our words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unguarded {
    /// It cannot be opened.
    Unreadable {
        /// What kind of error that is.
        kind: ErrorKind,
        /// What the system says.
        error: String,
    },
    /// It could be, by others too.
    Open(String),
}

impl fmt::Display for Unguarded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { kind, .. } => write!(formatter, "cannot be read: {kind}"),
            Self::Open(reason) => formatter.write_str(reason),
        }
    }
}

impl From<Error> for Unguarded {
    fn from(error: Error) -> Self {
        Self::Unreadable { kind: error.kind(), error: error.to_string() }
    }
}

/// Opens a file for reading.
///
/// # Errors
/// When it is no file, cannot be read, or is open to others.
pub fn open(path: &Path, guard: Guard) -> Result<File, Unguarded> {
    check_link(&symlink_metadata(path)?)?;
    // Looked at before it is opened too: who opens a pipe waits for its other end.
    check_kind(&metadata(path)?)?;
    let file = File::open(path)?;
    let about = file.metadata()?;
    check_kind(&about)?;
    check(&about, guard, geteuid().as_raw())?;
    Ok(file)
}

/// Looks at a file that somebody else opens.
///
/// # Errors
/// As [`open`].
pub fn look(path: &Path, guard: Guard) -> Result<(), Unguarded> {
    open(path, guard).map(drop)
}

fn check_link(about: &Metadata) -> Result<(), Unguarded> {
    if about.is_symlink() && !is_trusted(about.uid(), geteuid().as_raw()) {
        return Err(Unguarded::Open(format!("is a link that another user (uid {}) may turn elsewhere", about.uid())));
    }
    Ok(())
}

fn check_kind(about: &Metadata) -> Result<(), Unguarded> {
    if about.is_file() { Ok(()) } else { Err(Error::new(ErrorKind::InvalidInput, "it is no file").into()) }
}

fn check(about: &Metadata, guard: Guard, user: u32) -> Result<(), Unguarded> {
    let mode = about.mode() & 0o7777;
    let (forbidden, remedy) = match guard {
        Guard::Secret => (0o027, "chmod g-w,o= FILE"),
        Guard::Projected => (0o022, "chmod go-w FILE"),
        Guard::Journal => (0o007, "chmod o= FILE"),
    };
    if mode & 0o007 & forbidden != 0 {
        let remedy = if guard == Guard::Secret { "chmod o= FILE" } else { remedy };
        return Err(Unguarded::Open(format!("is open to every user of this machine (mode {mode:04o}); `{remedy}`")));
    }
    if mode & forbidden != 0 {
        return Err(Unguarded::Open(format!("may be written by its group (mode {mode:04o}); `{remedy}`")));
    }
    if !is_trusted(about.uid(), user) {
        return Err(Unguarded::Open(format!("belongs to another user (uid {}); `chown`", about.uid())));
    }
    Ok(())
}

/// Root may read what it likes: the operator's commands run as root beside a service that has a user of its own.
const fn is_trusted(owner: u32, user: u32) -> bool {
    owner == 0 || owner == user || user == 0
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn file_of(mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, "hunter2").unwrap();
        set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn each_kind_of_file_has_the_modes_that_it_may_have() {
        let every = "is open to every user of this machine";
        let group = "may be written by its group";
        // The mode, and what is said of it as secret, as projected token, and as journal.
        for (mode, expected) in [
            (0o600, [None; 3]),
            (0o400, [None; 3]),
            (0o440, [None; 3]),
            (0o640, [None; 3]),
            (0o660, [Some(group), Some(group), None]),
            (0o644, [Some(every), None, Some(every)]),
            (0o604, [Some(every), None, Some(every)]),
            (0o666, [Some(every); 3]),
            (0o602, [Some(every); 3]),
        ] {
            let (_folder, path) = file_of(mode);
            let told = [Guard::Secret, Guard::Projected, Guard::Journal].map(|guard| look(&path, guard).err());
            for (told, expected) in told.iter().zip(expected) {
                let told = told.as_ref().map(ToString::to_string);
                assert_eq!(told.as_deref().and_then(|told| told.split(" (").next()), expected, "{mode:o}");
                assert!(told.is_none_or(|told| told.contains(&format!("(mode {mode:04o}); `chmod "))));
            }
        }
    }

    #[test]
    fn a_file_is_roots_or_ones_own_and_so_is_a_link_to_it() {
        for (owner, user, expected) in [
            (0, 0, true),
            (0, 1000, true),
            (1000, 1000, true),
            (1000, 0, true),
            (1001, 1000, false),
            (1000, 1001, false),
        ] {
            assert_eq!(is_trusted(owner, user), expected, "{owner} {user}");
        }
        let (folder, path) = file_of(0o600);
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert_eq!(look(&link, Guard::Secret), Ok(()), "as Kubernetes has it");
        let owner = metadata(&path).unwrap().uid();
        let strangers = check(&metadata(&path).unwrap(), Guard::Secret, owner + 1);
        assert_eq!(strangers.is_err(), owner != 0, "{strangers:?}");
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let (folder, _) = file_of(0o600);
        assert!(matches!(look(folder.path(), Guard::Secret), Err(Unguarded::Unreadable { .. })));
        assert!(matches!(look(&folder.path().join("absent"), Guard::Secret), Err(Unguarded::Unreadable { .. })));
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(
            matches!(look(&pipe, Guard::Secret), Err(Unguarded::Unreadable { .. })),
            "and nobody waits for its other end"
        );
    }
}
