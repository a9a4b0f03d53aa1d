//! Where a journal is, and which kind of it. The one place that knows every kind: a new one is a variant here, a folder beside
//! `sqlite/`, and a line in `contract.rs`.

use std::fmt;
use std::path::PathBuf;

use crate::journal::sqlite::Sqlite;
use crate::journal::{Journal, OpenError};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalLocation {
    /// A SQLite file on a local disk; its path is absolute.
    Sqlite(PathBuf),
}

impl JournalLocation {
    /// Opens the journal for a broker that serves, and makes it if there is none. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// When it is not ours, is in use, or cannot be opened.
    pub fn serve(&self, now: u64) -> Result<Box<dyn Journal>, OpenError> {
        match self {
            Self::Sqlite(path) => Ok(Box::new(Sqlite::serve(path, now)?)),
        }
    }

    /// Opens a journal that exists, beside the broker that may serve with it: for the operator's commands.
    ///
    /// # Errors
    /// When there is none, it is not ours, or it cannot be opened.
    pub fn beside(&self) -> Result<Box<dyn Journal>, OpenError> {
        match self {
            Self::Sqlite(path) => Ok(Box::new(Sqlite::beside(path)?)),
        }
    }

    /// Whether there is something at this place.
    #[must_use]
    pub fn exists(&self) -> bool {
        match self {
            Self::Sqlite(path) => path.exists(),
        }
    }
}

/// As the configuration spells it.
impl fmt::Display for JournalLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(formatter),
        }
    }
}
