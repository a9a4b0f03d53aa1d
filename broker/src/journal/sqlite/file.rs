//! The files of a journal: who may read them, and who serves with them.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::{fmt, io};

use super::fault;

/// Why a journal cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The file is no journal.
    Foreign,
    /// A newer program has written it.
    Newer,
    /// An older program has written it, and no broker of this version has served with it yet.
    Older,
    /// Another broker serves with it.
    InUse,
    /// The disk or SQLite says no, in our words.
    Unusable(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => formatter.write_str("the file is not a journal of this program, and is left alone"),
            Self::Newer => formatter.write_str("a newer version of this program has written the journal"),
            Self::Older => formatter.write_str(
                "an older version of this program has written the journal: a broker of this version brings it up to date",
            ),
            Self::InUse => formatter.write_str("another broker serves with this journal"),
            Self::Unusable(reason) => write!(formatter, "the journal cannot be opened: {reason}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unusable(fault(&error).0.to_owned())
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Unusable(error.to_string())
    }
}

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
