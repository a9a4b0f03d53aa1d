//! Why a journal cannot be opened.

use std::{fmt, io};

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

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Unusable(error.to_string())
    }
}
