//! The files of a journal: who may read them, and who serves with them.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::journal::OpenError;

/// Makes the file if there is none, for its owner only. SQLite gives its two helpers beside it the same mode.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    private().open(path)?;
    Ok(())
}

/// Locks the journal for a broker that serves, until the file is dropped.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = private().open(name)?;
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
