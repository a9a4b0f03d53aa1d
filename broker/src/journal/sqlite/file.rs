//! The files of a journal: who may read them, and who serves with them.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::journal::OpenError;
use crate::secret_file::{self, Guard, Unguarded};

/// Makes the file if there is none, for its owner only. SQLite gives its two helpers beside it the same mode. One that is open to
/// others is not used: it tells who was given what.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    private().open(path)?;
    check(path)
}

/// Whether nobody else has access to a journal, and to what is beside it.
pub(super) fn check(path: &Path) -> Result<(), OpenError> {
    for end in ["", "-wal", "-shm", ".lock"] {
        match secret_file::look(&beside(path, end), Guard::Journal) {
            Err(Unguarded::Open(reason)) => {
                let name = format!("journal{end}");
                return Err(OpenError::Unusable(format!("`{name}` {reason}")));
            }
            // What cannot be opened is told by whoever needs it.
            Ok(()) | Err(Unguarded::Unreadable { .. }) => {}
        }
    }
    Ok(())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Locks the journal for a broker that serves, until the file is dropped.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let file = private().open(beside(path, ".lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}
